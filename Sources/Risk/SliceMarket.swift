import Greeks
import Market
import VectorMath

/// Where the contracts of a chain stand when they are sorted into slices.
struct SliceLayout {
    let underlyings: [String]
    let slices: [LiveRisk.Slice]
    /// Of each contract of the chain.
    let sliceOfContract: [Int]
    /// The row of figures of each contract: options first, slice by slice, each padded to whole vectors.
    let rows: [Int]
    let rowCount: Int
    let deltaOnes: [[(row: Int, contractClass: ContractClass)]]
    let slicesOfUnderlying: [Range<Int>]
    /// Where the market of each slice stands: an underlying's begin at a multiple of 8, since slices are prepared
    /// eight at a time.
    let places: [Int]
    let placeCount: Int
    /// The options of the slice at place p are rows `offsets[p]` to `offsets[p + 1] − 1`, padding included.
    let offsets: [Int]

    init(_ chain: ChainGreeks) {
        let contracts = chain.tickers.map(\.instrument)
        let underlyings = Array(Set(contracts.map(\.base))).sorted()
        self.underlyings = underlyings
        let names = contracts.map(\.sliceName)
        var slices: [String: LiveRisk.Slice] = [:]
        for (contract, name) in zip(contracts, names) where slices[name] == nil {
            slices[name] = LiveRisk.Slice(
                underlying: underlyings.firstIndex(of: contract.base) ?? 0, expiry: contract.expiry,
                name: name)
        }
        let sorted = slices.values.sorted {
            ($0.underlying, $0.expiry?.milliseconds ?? .max, $0.name)
                < ($1.underlying, $1.expiry?.milliseconds ?? .max, $1.name)
        }
        self.slices = sorted
        let numbers = Dictionary(
            uniqueKeysWithValues: sorted.enumerated().map { ($0.element.name, $0.offset) })
        let sliceOfContract = names.map { numbers[$0] ?? 0 }
        self.sliceOfContract = sliceOfContract

        var slicesOfUnderlying: [Range<Int>] = []
        var places: [Int] = []
        var place = 0
        for underlying in underlyings.indices {
            let first = places.count
            for slice in sorted[first...].prefix(while: { $0.underlying == underlying }).indices {
                places.append(place + slice - first)
            }
            slicesOfUnderlying.append(first..<places.count)
            place += (places.count - first + 7) / 8 * 8
        }
        self.slicesOfUnderlying = slicesOfUnderlying
        self.places = places
        placeCount = place

        let order = contracts.indices.sorted {
            sliceOfContract[$0] != sliceOfContract[$1]
                ? sliceOfContract[$0] < sliceOfContract[$1] : contracts[$0].sortsBefore(contracts[$1])
        }
        var rows = contracts.map { _ in 0 }
        var offsets = Array(repeating: 0, count: place + 1)
        var row = 0
        var next = order.startIndex
        for slice in sorted.indices {
            while next < order.endIndex, sliceOfContract[order[next]] == slice {
                if contracts[order[next]].isOption {
                    rows[order[next]] = row
                    row += 1
                }
                next += 1
            }
            row = (row + 7) / 8 * 8
            offsets[places[slice] + 1] = row
        }
        for place in 1..<offsets.count { offsets[place] = max(offsets[place], offsets[place - 1]) }
        self.offsets = offsets
        var deltaOnes: [[(row: Int, contractClass: ContractClass)]] = sorted.map { _ in [] }
        for contract in order where !contracts[contract].isOption {
            rows[contract] = row
            deltaOnes[sliceOfContract[contract]].append((row, ContractClass(contracts[contract])))
            row += 1
        }
        self.deltaOnes = deltaOnes
        self.rows = rows
        rowCount = row
    }
}

/// The inputs of all slices in the kernel's layout, and what follows from them slice by slice.
///
/// Slices have places with gaps (see `SliceLayout`); the gaps hold an empty slice that can be prepared.
final class SliceMarket {
    let places: [Int]
    /// By place: the price, years to expiry, rate, what is left of the delta before expiry.
    let price, years, rate, share: UnsafeMutablePointer<Double>
    /// By row of figures.
    let volatility: UnsafeMutablePointer<Double>
    private let columns: SliceFormColumns
    private let prepared: UnsafeMutablePointer<Greeks.Slice>
    private let maps: UnsafeMutablePointer<FigureMap>
    private let offsets: UnsafeMutablePointer<Int>
    /// By place.
    private let isInverse: [Bool]
    private let storage: UnsafeMutableRawPointer

    init(_ layout: SliceLayout, _ chain: ChainGreeks, _ engine: GreeksEngine) {
        places = layout.places
        let rowCount = (layout.offsets.last ?? 0) + 8
        let placeCount = layout.placeCount + 8
        // One block: columns of rows, then of places, then what is prepared; all on cache lines.
        let doubles = 4 * placeCount + 4 * rowCount
        let bytes =
            doubles * 8 + placeCount * (MemoryLayout<Greeks.Slice>.stride + MemoryLayout<FigureMap>.stride)
            + (layout.offsets.count + 1) * 8 + rowCount
        storage = .allocate(byteCount: bytes, alignment: 64)
        storage.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        var free = storage
        func column<T>(_ type: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
            defer { free += count * MemoryLayout<T>.stride }
            return free.bindMemory(to: type, capacity: count)
        }
        volatility = column(Double.self, rowCount)
        let strike = column(Double.self, rowCount)
        let high = column(Double.self, rowCount)
        let low = column(Double.self, rowCount)
        (price, years) = (column(Double.self, placeCount), column(Double.self, placeCount))
        (rate, share) = (column(Double.self, placeCount), column(Double.self, placeCount))
        prepared = column(Greeks.Slice.self, placeCount)
        maps = column(FigureMap.self, placeCount)
        offsets = column(Int.self, layout.offsets.count + 1)
        let type = column(UInt8.self, rowCount)

        // Gaps and padding: an option at the money of a slice at 1.
        for place in 0..<placeCount { (price[place], share[place]) = (1, 1) }
        for row in 0..<rowCount { strike[row] = 1 }
        offsets.update(from: layout.offsets, count: layout.offsets.count)
        var isInverse = Array(repeating: false, count: placeCount)
        var latest = Array(repeating: Int64.min, count: placeCount)
        for (contract, ticker) in chain.tickers.enumerated() {
            let place = layout.places[layout.sliceOfContract[contract]]
            if ticker.instrument.isOption {
                let row = layout.rows[contract]
                type[row] = chain.options.type[contract]
                strike[row] = chain.options.strike[contract]
                volatility[row] = chain.options.volatility[contract]
                isInverse[place] = chain.classes[contract] == .inverseOption
            }
            guard ticker.timestamp.milliseconds >= latest[place] else { continue }
            latest[place] = ticker.timestamp.milliseconds
            price[place] = chain.options.spot[contract]
            // A future's ticker names no rate.
            if ticker.instrument.isOption { rate[place] = chain.options.rate[contract] }
        }
        self.isInverse = isInverse
        engine.logarithms(of: strike, count: rowCount / 8 * 8, high: high, low: low)
        columns = SliceFormColumns(
            type: type, strike: strike, logStrikeHigh: high, logStrikeLow: low, volatility: volatility)
        for (slice, place) in layout.places.enumerated() {
            setTime(Timestamp(milliseconds: latest[place]), layout.slices[slice].expiry, at: place)
        }
    }

    deinit { storage.deallocate() }

    /// The time from which a slice's options run; behind its expiry none is left.
    func setTime(_ time: Timestamp, _ expiry: Timestamp?, at place: Int) {
        guard let expiry else { return }
        years[place] = max(0, time.years(until: expiry))
        share[place] = SettlementWindow.remainingShare(at: time, expiry: expiry)
    }

    /// What the options of slices of one underlying share.
    func prepare(
        _ range: Range<Int>, _ numeraire: Numeraire, _ engine: GreeksEngine
    ) {
        let first = places[range.lowerBound] & ~7
        let end = (places[range.upperBound - 1] + 8) & ~7
        engine.prepareSlices(
            spot: price + first, years: years + first, rate: rate + first, dividend: rate + first,
            count: end - first, into: prepared + first)
        for slice in range {
            let place = places[slice]
            maps[place] = FigureMap(
                isInverse: isInverse[place], forward: price[place], share: share[place], in: numeraire)
        }
    }

    /// The figures of the options of slices that are prepared.
    func figures(_ range: Range<Int>, into figures: ContractFigures, _ engine: GreeksEngine) {
        let first = places[range.lowerBound]
        engine.sliceFigures(
            prepared + first, maps + first, offsets: offsets + first, sliceCount: range.count, columns,
            into: figures.rows.base)
    }
}
