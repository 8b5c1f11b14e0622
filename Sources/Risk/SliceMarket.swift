import Greeks
import Market
import VectorMath

/// The inputs of all slices in the kernel's layout, and what follows from them slice by slice. Gaps between slots hold
/// an empty slice that can be prepared.
final class SliceMarket {
    private let storage: ColumnStorage
    private let slotOfSlice: [SliceSlot]
    /// By slot: the price, years to expiry, rate, the share of the index's move before expiry.
    private let prices, years, rates, shares: UnsafeMutablePointer<Double>
    /// By row.
    private let volatilities: UnsafeMutablePointer<Double>
    private let columns: SliceFormColumns
    /// By slot.
    private let prepared: UnsafeMutablePointer<Greeks.Slice>
    private let maps: UnsafeMutablePointer<ExposureMap>
    private let offsets: UnsafeMutablePointer<Int>
    private let isInverse: [Bool]

    init(_ layout: SliceLayout, _ chain: ChainGreeks, _ engine: GreeksEngine) {
        slotOfSlice = layout.slotOfSlice
        let rowCount = (layout.offsets.last ?? 0) + 8
        let slotCount = layout.slotCount + 8
        var storage = ColumnStorage()
        volatilities = storage.column(of: Double.self, count: rowCount)
        let strike = storage.column(of: Double.self, count: rowCount)
        let high = storage.column(of: Double.self, count: rowCount)
        let low = storage.column(of: Double.self, count: rowCount)
        let type = storage.column(of: UInt8.self, count: rowCount)
        prices = storage.column(of: Double.self, count: slotCount)
        years = storage.column(of: Double.self, count: slotCount)
        rates = storage.column(of: Double.self, count: slotCount)
        shares = storage.column(of: Double.self, count: slotCount)
        prepared = storage.column(of: Greeks.Slice.self, count: slotCount)
        maps = storage.column(of: ExposureMap.self, count: slotCount)
        offsets = storage.column(of: Int.self, count: layout.offsets.count)
        self.storage = storage

        // Gaps and padding: an option at the money of a slice at 1.
        prices.update(repeating: 1, count: slotCount)
        shares.update(repeating: 1, count: slotCount)
        strike.update(repeating: 1, count: rowCount)
        offsets.update(from: layout.offsets, count: layout.offsets.count)
        var isInverse = Array(repeating: false, count: slotCount)
        var latest = Array(repeating: Int64.min, count: slotCount)
        for (contract, ticker) in chain.tickers.enumerated() {
            let slot = layout.slotOfSlice[layout.sliceOfContract[contract]].index
            if ticker.instrument.isOption {
                let row = layout.rowOfContract[contract].index
                type[row] = chain.options.type[contract]
                strike[row] = chain.options.strike[contract]
                volatilities[row] = chain.options.volatility[contract]
                isInverse[slot] = chain.classes[contract] == .inverseOption
            }
            guard ticker.timestamp.milliseconds >= latest[slot] else { continue }
            latest[slot] = ticker.timestamp.milliseconds
            prices[slot] = chain.options.spot[contract]
            // A future's ticker names no rate.
            if ticker.instrument.isOption { rates[slot] = chain.options.rate[contract] }
        }
        self.isInverse = isInverse
        engine.kernel.logarithms(of: strike, count: rowCount / 8 * 8, high: high, low: low)
        columns = SliceFormColumns(
            type: type, strike: strike, logStrikeHigh: high, logStrikeLow: low, volatility: volatilities)
        for (slice, slot) in layout.slotOfSlice.enumerated() {
            setTime(Timestamp(milliseconds: latest[slot.index]), layout.slices[slice], ofSlice: slice)
        }
    }

    func price(ofSlice slice: Int) -> Double { prices[slotOfSlice[slice].index] }

    func setPrice(_ price: Double, ofSlice slice: Int) { prices[slotOfSlice[slice].index] = price }

    func share(ofSlice slice: Int) -> Double { shares[slotOfSlice[slice].index] }

    func setRate(_ rate: Double, ofSlice slice: Int) { rates[slotOfSlice[slice].index] = rate }

    func setVolatility(_ volatility: Double, at row: ExposureRow) { volatilities[row.index] = volatility }

    /// The time from which a slice's options run; behind its expiry none is left.
    func setTime(_ time: Timestamp, _ expiring: LiveRisk.Slice, ofSlice slice: Int) {
        guard let expiry = expiring.expiry else { return }
        let slot = slotOfSlice[slice].index
        years[slot] = max(0, time.years(until: expiry))
        shares[slot] = SettlementWindow.remainingShare(
            at: time, expiry: expiry, milliseconds: expiring.averagingMilliseconds)
    }

    /// The market of slices, which the options of each share.
    func prepare(_ slices: Range<Int>, _ numeraire: Numeraire, _ engine: GreeksEngine) {
        let first = slotOfSlice[slices.lowerBound].index & ~7
        let end = (slotOfSlice[slices.upperBound - 1].index + 8) & ~7
        engine.kernel.prepareSlices(
            spot: prices + first, years: years + first, rate: rates + first, dividend: rates + first,
            count: end - first, into: prepared + first)
        for slice in slices {
            let slot = slotOfSlice[slice].index
            maps[slot] = ExposureMap(
                isInverse: isInverse[slot], forward: prices[slot], share: shares[slot], in: numeraire)
        }
    }

    /// The exposures, per unit, of the options of slices that are prepared.
    func exposures(_ slices: Range<Int>, into exposures: UnitExposures, _ engine: GreeksEngine) {
        let first = slotOfSlice[slices.lowerBound].index
        engine.kernel.sliceExposures(
            prepared + first, maps + first, offsets: offsets + first, sliceCount: slices.count, columns,
            into: exposures.rows.base)
    }
}
