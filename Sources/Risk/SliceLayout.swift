import Market

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
