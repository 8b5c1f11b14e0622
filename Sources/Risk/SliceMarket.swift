import Greeks
import Market
import VectorMath

/// The place of a row of exposures: options first, slice by slice, each slice padded to whole vectors, then the rest.
struct ExposureRow {
    let index: Int
}

/// The place of a slice's market in the columns of slices, which have gaps: an underlying's slots begin at a multiple
/// of 8, since slices are prepared eight at a time.
struct SliceSlot {
    let index: Int
}

/// The places of a chain's contracts when they are sorted into slices.
struct SliceLayout {
    let underlyings: [String]
    let slices: [LiveRisk.Slice]
    /// Of each contract of the chain.
    let sliceOfContract: [Int]
    let rowOfContract: [ExposureRow]
    let rowCount: Int
    /// Futures, perpetuals and coins of each slice.
    let deltaOnes: [[(row: ExposureRow, contractClass: ContractClass)]]
    let slicesOfUnderlying: [Range<Int>]
    let slotOfSlice: [SliceSlot]
    let slotCount: Int
    /// The options of the slice at slot p are rows `offsets[p]` to `offsets[p + 1] − 1`, padding included.
    let offsets: [Int]

    init(_ chain: ChainGreeks) {
        let contracts = chain.tickers.map(\.instrument)
        let underlyings = Array(Set(contracts.map(\.base))).sorted()
        self.underlyings = underlyings
        let names = contracts.map(\.series)
        var slices: [String: LiveRisk.Slice] = [:]
        for (contract, name) in zip(contracts, names) where slices[name] == nil {
            slices[name] = LiveRisk.Slice(
                underlying: underlyings.firstIndex(of: contract.base) ?? 0, expiry: contract.expiry,
                name: name,
                averagingMilliseconds: contract.expiry.map {
                    contract.exchange.averagingMilliseconds(of: $0)
                } ?? 0)
        }
        let sorted = slices.values.sorted {
            ($0.underlying, $0.expiry?.milliseconds ?? .max, $0.name)
                < ($1.underlying, $1.expiry?.milliseconds ?? .max, $1.name)
        }
        self.slices = sorted
        let sliceOfName = Dictionary(
            uniqueKeysWithValues: sorted.enumerated().map { ($0.element.name, $0.offset) })
        let sliceOfContract = names.map { sliceOfName[$0] ?? 0 }
        self.sliceOfContract = sliceOfContract

        var slicesOfUnderlying: [Range<Int>] = []
        var slotOfSlice: [SliceSlot] = []
        var slotCount = 0
        for underlying in underlyings.indices {
            let first = slotOfSlice.count
            for slice in sorted[first...].prefix(while: { $0.underlying == underlying }).indices {
                slotOfSlice.append(SliceSlot(index: slotCount + slice - first))
            }
            slicesOfUnderlying.append(first..<slotOfSlice.count)
            slotCount += (slotOfSlice.count - first + 7) / 8 * 8
        }
        self.slicesOfUnderlying = slicesOfUnderlying
        self.slotOfSlice = slotOfSlice
        self.slotCount = slotCount

        let order = contracts.indices.sorted {
            sliceOfContract[$0] != sliceOfContract[$1]
                ? sliceOfContract[$0] < sliceOfContract[$1] : contracts[$0].sortsBefore(contracts[$1])
        }
        var rowOfContract = contracts.map { _ in ExposureRow(index: 0) }
        var offsets = Array(repeating: 0, count: slotCount + 1)
        var row = 0
        var next = order.startIndex
        for slice in sorted.indices {
            while next < order.endIndex, sliceOfContract[order[next]] == slice {
                if contracts[order[next]].isOption {
                    rowOfContract[order[next]] = ExposureRow(index: row)
                    row += 1
                }
                next += 1
            }
            row = (row + 7) / 8 * 8
            offsets[slotOfSlice[slice].index + 1] = row
        }
        for slot in 1..<offsets.count { offsets[slot] = max(offsets[slot], offsets[slot - 1]) }
        self.offsets = offsets
        var deltaOnes: [[(row: ExposureRow, contractClass: ContractClass)]] = sorted.map { _ in [] }
        for contract in order where !contracts[contract].isOption {
            rowOfContract[contract] = ExposureRow(index: row)
            deltaOnes[sliceOfContract[contract]].append(
                (ExposureRow(index: row), ContractClass(contracts[contract])))
            row += 1
        }
        self.deltaOnes = deltaOnes
        self.rowOfContract = rowOfContract
        rowCount = row
    }
}

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
            repeating: ExposureMap(isInverse: false, forward: 1, share: 1, in: .usd), count: slotCount)
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
        for slice in slices {
            let slot = slotOfSlice[slice].index
            maps[slot] = ExposureMap(
                isInverse: isInverse[slot], forward: prices[slot], share: shares[slot], in: numeraire)
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
