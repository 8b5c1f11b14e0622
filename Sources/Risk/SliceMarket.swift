import Checks
import Greeks
import Market
import VectorMath

/// The place of a row of exposures. Rows are handed out in eights, a vector of the kernel: an eight holds options of one slice,
/// or contracts that are no options.
struct ExposureRow: Equatable {
    let index: Int
}

/// The place of a slice's market in the columns of slices. Slots come in eights, which are prepared together and belong to
/// one underlying.
struct SliceSlot: Equatable {
    let index: Int
}

/// The inputs of all slices in the kernel's layout, and what follows from them slice by slice. Slots and rows are given and
/// taken back one by one; gaps hold an empty slice that can be prepared and an option that can be computed.
struct SliceMarket: ~Copyable {
    /// By slot: the price, years to expiry, rate, the share of the index's move before expiry.
    private var prices, years, rates, shares: ColumnStorage<Double>
    private var prepared: ColumnStorage<Greeks.Slice>
    private var maps: ColumnStorage<ExposureMap>
    private var isInverse: [Bool] = []
    private var isSlotUsed: [Bool] = []
    /// By slot: how many contracts have a row.
    private var contractCounts: [Int] = []
    /// By slot: the rows of its options, as ranges of whole eights, of which neighbours are joined, and those of its other
    /// contracts.
    private var runs: [[Range<Int>]] = []
    private var deltaOnes: [[(row: ExposureRow, contractClass: ContractClass)]] = []
    /// By eight of slots.
    private var eights: [SlotEight] = []

    /// What is asked of eight slots at once. Sets of slots have a bit for each, the first one's the lowest.
    private struct SlotEight {
        /// Those with contracts, and with such as are no options.
        var listed, deltaOnes: UInt8
        /// The rows of slot s are those from `bounds[s]` to `bounds[s + 1] − 1`, where they stand side by side.
        var bounds: InlineArray<9, Int>?
    }

    /// By row.
    private var type: ColumnStorage<UInt8>
    private var strikes, logStrikesHigh, logStrikesLow, volatilities: ColumnStorage<Double>
    /// The lanes of each eight of rows that are taken, a bit each.
    private var lanes: [UInt8] = []
    /// Eights that nobody has, and those of contracts that are no options.
    private var freeEights: [Int] = []
    private var deltaOneEights: [Int] = []

    /// Rows that figures must have room for.
    var rowCapacity: Int { strikes.count }

    init() {
        prices = ColumnStorage(repeating: 1, count: 0)
        years = ColumnStorage(repeating: 0, count: 0)
        rates = ColumnStorage(repeating: 0, count: 0)
        shares = ColumnStorage(repeating: 1, count: 0)
        prepared = unsafe ColumnStorage(zeroed: 0)
        maps = ColumnStorage(repeating: Self.emptyMap, count: 0)
        type = ColumnStorage(repeating: 0, count: 0)
        strikes = ColumnStorage(repeating: 1, count: 0)
        logStrikesHigh = ColumnStorage(repeating: 0, count: 0)
        logStrikesLow = ColumnStorage(repeating: 0, count: 0)
        volatilities = ColumnStorage(repeating: 0, count: 0)
    }

    private static let emptyMap = ExposureMap(ExposureTerms())

    // MARK: Places

    /// The first of eight slots, all of them free.
    mutating func addEightSlots() -> Int {
        let first = isSlotUsed.count
        isSlotUsed += Array(repeating: false, count: 8)
        isInverse += Array(repeating: false, count: 8)
        contractCounts += Array(repeating: 0, count: 8)
        runs += Array(repeating: [], count: 8)
        deltaOnes += Array(repeating: [], count: 8)
        eights.append(SlotEight(listed: 0, deltaOnes: 0))
        if isSlotUsed.count > prices.count {
            let count = max(16, 2 * prices.count, isSlotUsed.count)
            prices = ColumnStorage(prices, grownTo: count, 1)
            years = ColumnStorage(years, grownTo: count, 0)
            rates = ColumnStorage(rates, grownTo: count, 0)
            shares = ColumnStorage(shares, grownTo: count, 1)
            prepared = unsafe ColumnStorage(zeroed: count)
            maps = ColumnStorage(repeating: Self.emptyMap, count: count)
        }
        return first
    }

    /// A free slot among eight.
    mutating func takeSlot(from first: Int) -> SliceSlot? {
        guard let slot = (first..<first + 8).first(where: { !isSlotUsed[$0] }) else { return nil }
        isSlotUsed[slot] = true
        return SliceSlot(index: slot)
    }

    /// A row for a contract of a slice that is no option.
    mutating func takeDeltaOneRow(_ slot: SliceSlot, _ contractClass: ContractClass) -> ExposureRow {
        var eights = deltaOneEights
        let row = takeRow(&eights)
        deltaOneEights = eights
        deltaOnes[slot.index].append((row, contractClass))
        count(1, slot)
        return row
    }

    /// A row for an option of a slice, with its strike.
    mutating func takeRow(
        _ slot: SliceSlot, _ optionType: UInt8, strike: Double, isInverse: Bool, _ engine: GreeksEngine
    ) -> ExposureRow {
        var eights = runs[slot.index].flatMap {
            Array(stride(from: $0.lowerBound / 8, to: $0.upperBound / 8, by: 1))
        }
        let row = takeRow(&eights)
        runs[slot.index] = Self.joined(eights)
        self.isInverse[slot.index] = isInverse
        type[row.index] = optionType
        strikes[row.index] = strike
        computeLogarithms(row.index / 8, engine)
        count(1, slot)
        return row
    }

    /// Contracts of a slot have come or gone.
    private mutating func count(_ change: Int, _ slot: SliceSlot) {
        contractCounts[slot.index] += change
        let first = slot.index & ~7
        var eight = SlotEight(listed: 0, deltaOnes: 0)
        // Slots before the first with options have an empty range, at the first row of that one.
        let start = runs[first..<first + 8].lazy.compactMap(\.first?.lowerBound).first ?? 0
        var bounds = InlineArray<9, Int>(repeating: start)
        var areNeighbours = true
        for place in 0..<8 {
            let bit: UInt8 = 1 << UInt8(place)
            if contractCounts[first + place] > 0 { eight.listed |= bit }
            if !deltaOnes[first + place].isEmpty { eight.deltaOnes |= bit }
            let runs = runs[first + place]
            bounds[place + 1] = runs.last?.upperBound ?? bounds[place]
            if runs.count > 1 || runs.first.map({ $0.lowerBound != bounds[place] }) == true {
                areNeighbours = false
            }
        }
        if areNeighbours { eight.bounds = bounds }
        eights[first / 8] = eight
    }

    private static func joined(_ eights: [Int]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for eight in eights {
            if let last = runs.last, last.upperBound == 8 * eight {
                runs[runs.count - 1] = last.lowerBound..<8 * eight + 8
            } else {
                runs.append(8 * eight..<8 * eight + 8)
            }
        }
        return runs
    }

    private mutating func takeRow(_ eights: inout [Int]) -> ExposureRow {
        if let eight = eights.first(where: { lanes[$0] != 0xFF }) { return takeLane(of: eight) }
        let eight: Int
        if let free = freeEights.popLast() {
            eight = free
        } else {
            eight = lanes.count
            lanes.append(0)
            if 8 * lanes.count > rowCapacity {
                let count = max(64, 2 * rowCapacity)
                type = ColumnStorage(type, grownTo: count, 0)
                strikes = ColumnStorage(strikes, grownTo: count, 1)
                logStrikesHigh = ColumnStorage(logStrikesHigh, grownTo: count, 0)
                logStrikesLow = ColumnStorage(logStrikesLow, grownTo: count, 0)
                volatilities = ColumnStorage(volatilities, grownTo: count, 0)
            }
        }
        eights.insert(eight, at: eights.firstIndex { $0 > eight } ?? eights.count)
        return takeLane(of: eight)
    }

    private mutating func takeLane(of eight: Int) -> ExposureRow {
        let lane = (~lanes[eight]).trailingZeroBitCount
        lanes[eight] |= 1 << UInt8(lane)
        return ExposureRow(index: 8 * eight + lane)
    }

    /// Whole eights of strikes, which the columns have.
    private func computeLogarithms(_ eight: Int, _ engine: GreeksEngine) {
        unsafe engine.kernel.logarithms(
            of: strikes.pointer + 8 * eight, count: 8, high: logStrikesHigh.pointer + 8 * eight,
            low: logStrikesLow.pointer + 8 * eight)
    }

    /// Takes back a row of a slot.
    mutating func giveBack(_ row: ExposureRow, of slot: SliceSlot) {
        let eight = row.index / 8
        type[row.index] = 0
        strikes[row.index] = 1
        logStrikesHigh[row.index] = 0
        logStrikesLow[row.index] = 0
        volatilities[row.index] = 0
        deltaOnes[slot.index].removeAll { $0.row == row }
        lanes[eight] &= ~(1 << UInt8(row.index % 8))
        if lanes[eight] == 0 {
            freeEights.append(eight)
            let kept = runs[slot.index].flatMap { run in
                stride(from: run.lowerBound / 8, to: run.upperBound / 8, by: 1).filter { $0 != eight }
            }
            runs[slot.index] = Self.joined(kept)
            deltaOneEights.removeAll { $0 == eight }
        }
        count(-1, slot)
    }

    /// How many contracts of a slot have rows.
    func contractCount(of slot: SliceSlot) -> Int { contractCounts[slot.index] }

    /// Whether some contract of a slot is an option.
    func hasOptions(_ slot: SliceSlot) -> Bool { !runs[slot.index].isEmpty }

    /// Those of eight slots that have contracts, a bit for each.
    func listed(ofEight first: Int) -> UInt8 { eights[first / 8].listed }

    // MARK: Inputs

    func price(of slot: SliceSlot) -> Double { prices[slot.index] }

    func setPrice(_ price: Double, of slot: SliceSlot) { prices[slot.index] = price }

    func share(of slot: SliceSlot) -> Double { shares[slot.index] }

    func rate(of slot: SliceSlot) -> Double { rates[slot.index] }

    func setRate(_ rate: Double, of slot: SliceSlot) { rates[slot.index] = rate }

    func volatility(at row: ExposureRow) -> Double { volatilities[row.index] }

    func setVolatility(_ volatility: Double, at row: ExposureRow) { volatilities[row.index] = volatility }

    /// The time from which a slice's options run; behind its expiry none is left.
    func setTime(_ time: Timestamp, _ expiring: LiveRisk.Slice, of slot: SliceSlot) {
        guard let expiry = expiring.expiry else { return }
        years[slot.index] = max(0, time.years(until: expiry))
        shares[slot.index] = SettlementWindow.remainingShare(
            at: time, expiry: expiry, milliseconds: expiring.averagingMilliseconds)
    }

    // MARK: What follows

    /// The exposures, per unit, of the contracts of some slots of eight, whose market is prepared together.
    /// - Parameters:
    ///   - first: the first of the eight.
    ///   - wanted: a bit for each slot, the first one's the lowest.
    func exposures(
        ofEight first: Int, _ wanted: UInt8, _ numeraire: Numeraire, into exposures: UnitExposures,
        _ engine: GreeksEngine
    ) {
        precondition(first >= 0 && first + 8 <= prices.count, "slots out of range")
        precondition(exposures.count >= rowCapacity, "a row for each option")
        unsafe engine.kernel.prepareSlices(
            spot: prices.pointer + first, years: years.pointer + first, rate: rates.pointer + first,
            dividend: rates.pointer + first, count: 8, into: prepared.pointer + first)
        var rest = wanted
        while rest != 0 {
            let slot = first + rest.trailingZeroBitCount
            rest &= rest &- 1
            var terms = ExposureTerms(
                isInverse: isInverse[slot], forward: prices[slot], years: years[slot], share: shares[slot],
                in: .usd)
            // Spelled out, so that the compiler knows the currency in which a map is made.
            switch numeraire {
            case .usd: maps[slot].set(terms)
            case .coin:
                terms.numeraire = .coin
                maps[slot].set(terms)
            }
        }
        let columns = unsafe SliceFormColumns(
            type: type.pointer, strike: strikes.pointer, logStrikeHigh: logStrikesHigh.pointer,
            logStrikeLow: logStrikesLow.pointer, volatility: volatilities.pointer)
        unsafe options(ofEight: first, wanted, columns, into: exposures, engine)
        fadeOptions(ofEight: first, wanted, numeraire, into: exposures)
        rest = wanted & eights[first / 8].deltaOnes
        while rest != 0 {
            let slot = first + rest.trailingZeroBitCount
            rest &= rest &- 1
            for number in 0..<deltaOnes[slot].count {
                let (row, contractClass) = deltaOnes[slot][number]
                exposures.setDelta(
                    row.index, contractClass, price: prices[slot], share: shares[slot], in: numeraire)
                exposures.fadeCharm(
                    row.index, SettlementWindow.fading(share: shares[slot], years: years[slot]), in: numeraire
                )
            }
        }
    }

    /// Charm while the delivery price is averaged, which is rare: `UnitExposures.fadeCharm`.
    private func fadeOptions(
        ofEight first: Int, _ wanted: UInt8, _ numeraire: Numeraire, into exposures: UnitExposures
    ) {
        for place in 0..<8 where wanted & 1 << UInt8(place) != 0 && shares[first + place] < 1 {
            let fading = SettlementWindow.fading(share: shares[first + place], years: years[first + place])
            for number in 0..<runs[first + place].count {
                for row in runs[first + place][number] { exposures.fadeCharm(row, fading, in: numeraire) }
            }
        }
    }

    /// The exposures of options. Slots side by side are one call of the kernel, which begins by loading what it needs: a
    /// call for each took 15% of a tick of 200 slices.
    private func options(
        ofEight first: Int, _ wanted: UInt8, _ columns: SliceFormColumns, into exposures: UnitExposures,
        _ engine: GreeksEngine
    ) {
        // The rows of a slot are its own, and columns and exposures have them.
        func compute(_ slot: Int, _ count: Int, _ offsets: UnsafePointer<Int>) {
            unsafe engine.kernel.sliceExposures(
                prepared.pointer + slot, maps.pointer + slot, offsets: offsets, sliceCount: count, columns,
                into: exposures.rows.base)
        }
        var rest = wanted
        while rest != 0 {
            let place = rest.trailingZeroBitCount
            if let bounds = eights[first / 8].bounds {
                let count = (~(rest >> UInt8(place))).trailingZeroBitCount
                unsafe bounds.span.withUnsafeBufferPointer {
                    unsafe compute(first + place, count, $0.baseAddress.unsafelyUnwrapped + place)
                }
                rest &= ~UInt8(truncatingIfNeeded: (1 << (place + count)) - 1)
            } else {
                rest &= rest &- 1
                for number in 0..<runs[first + place].count {
                    let run = runs[first + place][number]
                    let bounds: InlineArray<2, Int> = [run.lowerBound, run.upperBound]
                    unsafe bounds.span.withUnsafeBufferPointer {
                        unsafe compute(first + place, 1, $0.baseAddress.unsafelyUnwrapped)
                    }
                }
            }
        }
    }

    /// Multiplies the prices of the slots of some eights that have contracts, or leaves them all where one of the products is
    /// out of range.
    /// - Returns: the first slot whose price would be, and that price.
    func multiplyPrices(
        ofEights firsts: [Int], by ratio: Double, within range: ClosedRange<Double>
    ) -> (slot: SliceSlot, price: Double)? {
        for number in 0..<firsts.count {
            for slot in firsts[number]..<firsts[number] + 8 where contractCounts[slot] > 0 {
                let moved = prices[slot] * ratio
                guard moved >= range.lowerBound, moved <= range.upperBound else {
                    return (SliceSlot(index: slot), moved)
                }
            }
        }
        for number in 0..<firsts.count {
            for slot in firsts[number]..<firsts[number] + 8 where contractCounts[slot] > 0 {
                prices[slot] *= ratio
            }
        }
        return nil
    }
}

extension ColumnStorage {
    /// The elements of another, and behind them equal ones.
    init(_ other: borrowing ColumnStorage, grownTo count: Int, _ element: Element) {
        self.init(repeating: element, count: count)
        for index in 0..<other.count { self[index] = other[index] }
    }
}
