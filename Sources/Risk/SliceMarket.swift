import Greeks
import Market
import VectorMath

/// The inputs of all slices in the kernel's layout, and what follows from them slice by slice. Gaps between slots hold
/// an empty slice that can be prepared.
final class SliceMarket {
    private let slotOfSlice: [SliceSlot]
    /// By slot: the price, years to expiry, rate, the share of the index's move before expiry.
    private let prices, years, rates, shares: ColumnStorage<Double>
    /// By row.
    private let type: ColumnStorage<UInt8>
    private let strikes, logStrikesHigh, logStrikesLow, volatilities: ColumnStorage<Double>
    /// By slot.
    private let prepared: ColumnStorage<Greeks.Slice>
    private let maps: ColumnStorage<ExposureMap>
    private let offsets: ColumnStorage<Int>
    private let isInverse: [Bool]

    init(_ layout: SliceLayout, _ chain: ChainGreeks, _ engine: GreeksEngine) {
        slotOfSlice = layout.slotOfSlice
        let rowCount = (layout.offsets.last ?? 0) + 8
        let slotCount = layout.slotCount + 8
        // Gaps and padding: an option at the money of a slice at 1.
        type = ColumnStorage(repeating: 0, count: rowCount)
        strikes = ColumnStorage(repeating: 1, count: rowCount)
        logStrikesHigh = ColumnStorage(repeating: 0, count: rowCount)
        logStrikesLow = ColumnStorage(repeating: 0, count: rowCount)
        volatilities = ColumnStorage(repeating: 0, count: rowCount)
        prices = ColumnStorage(repeating: 1, count: slotCount)
        years = ColumnStorage(repeating: 0, count: slotCount)
        rates = ColumnStorage(repeating: 0, count: slotCount)
        shares = ColumnStorage(repeating: 1, count: slotCount)
        prepared = unsafe ColumnStorage(zeroed: slotCount)
        maps = ColumnStorage(
            repeating: ExposureMap(ExposureTerms()), count: slotCount)
        offsets = ColumnStorage(layout.offsets)
        var isInverse = Array(repeating: false, count: slotCount)
        var latest = Array(repeating: Int64.min, count: slotCount)
        for (contract, ticker) in chain.tickers.enumerated() {
            let slot = layout.slotOfSlice[layout.sliceOfContract[contract]].index
            if ticker.instrument.isOption {
                let row = layout.rowOfContract[contract].index
                type[row] = chain.options.type[contract]
                strikes[row] = chain.options.strike[contract]
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
        unsafe engine.kernel.logarithms(
            of: strikes.pointer, count: rowCount / 8 * 8, high: logStrikesHigh.pointer,
            low: logStrikesLow.pointer)
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
        // Whole eights of slots, which the columns have room for.
        unsafe engine.kernel.prepareSlices(
            spot: prices.pointer + first, years: years.pointer + first, rate: rates.pointer + first,
            dividend: rates.pointer + first, count: end - first, into: prepared.pointer + first)
        // Spelled out, so that the compiler knows the currency in which each map is made.
        switch numeraire {
        case .usd: makeMaps(slices, in: .usd)
        case .coin: makeMaps(slices, in: .coin)
        }
    }

    @inline(__always)
    private func makeMaps(_ slices: Range<Int>, in numeraire: Numeraire) {
        for slice in slices {
            let slot = slotOfSlice[slice].index
            maps[slot].set(
                ExposureTerms(
                    isInverse: isInverse[slot], forward: prices[slot], share: shares[slot], in: numeraire))
        }
    }

    /// The exposures, per unit, of the options of slices that are prepared.
    func exposures(_ slices: Range<Int>, into exposures: UnitExposures, _ engine: GreeksEngine) {
        let first = slotOfSlice[slices.lowerBound].index
        precondition(exposures.count >= offsets[offsets.count - 1], "a row for each option")
        // Slots and rows as laid out at the start.
        unsafe engine.kernel.sliceExposures(
            prepared.pointer + first, maps.pointer + first, offsets: offsets.pointer + first,
            sliceCount: slices.count,
            SliceFormColumns(
                type: type.pointer, strike: strikes.pointer, logStrikeHigh: logStrikesHigh.pointer,
                logStrikeLow: logStrikesLow.pointer, volatility: volatilities.pointer),
            into: exposures.rows.base)
    }
}
