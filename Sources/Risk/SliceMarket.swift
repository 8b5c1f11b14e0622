import Checks
import Greeks
import Market
import VectorMath

/// The place of a row of exposures. Rows come in eights, a vector each, which belong to one slice's options or to contracts
/// that are none.
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
final class SliceMarket {
    /// By slot: the price, years to expiry, rate, the share of the index's move before expiry.
    private var prices, years, rates, shares: ColumnStorage<Double>
    private var prepared: ColumnStorage<Greeks.Slice>
    private var maps: ColumnStorage<ExposureMap>
    private var isInverse: [Bool] = []
    private var isSlotUsed: [Bool] = []
    /// The rows of each slot's options, neighbours joined.
    private var runs: [[Range<Int>]] = []

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
    func addEightSlots() -> Int {
        let first = isSlotUsed.count
        isSlotUsed += Array(repeating: false, count: 8)
        isInverse += Array(repeating: false, count: 8)
        runs += Array(repeating: [], count: 8)
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
    func takeSlot(from first: Int) -> SliceSlot? {
        guard let slot = (first..<first + 8).first(where: { !isSlotUsed[$0] }) else { return nil }
        isSlotUsed[slot] = true
        return SliceSlot(index: slot)
    }

    /// A row of a contract that is no option.
    func takeDeltaOneRow() -> ExposureRow {
        takeRow(&deltaOneEights)
    }

    /// A row for an option of a slice, with its strike.
    func takeRow(
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
        return row
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

    private func takeRow(_ eights: inout [Int]) -> ExposureRow {
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

    private func takeLane(of eight: Int) -> ExposureRow {
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

    /// Takes back a row: of an option with its slot, of anything else without.
    func giveBack(_ row: ExposureRow, of slot: SliceSlot?) {
        let eight = row.index / 8
        type[row.index] = 0
        strikes[row.index] = 1
        logStrikesHigh[row.index] = 0
        logStrikesLow[row.index] = 0
        volatilities[row.index] = 0
        lanes[eight] &= ~(1 << UInt8(row.index % 8))
        guard lanes[eight] == 0 else { return }
        freeEights.append(eight)
        if let slot {
            let kept = runs[slot.index].flatMap { run in
                stride(from: run.lowerBound / 8, to: run.upperBound / 8, by: 1).filter { $0 != eight }
            }
            runs[slot.index] = Self.joined(kept)
        } else {
            deltaOneEights.removeAll { $0 == eight }
        }
    }

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

    /// The exposures, per unit, of the options of some slots of eight, whose market is prepared together.
    ///
    /// Columns are looked up once for all eight: a property of a class is asked for each time whether another writes it.
    /// - Parameters:
    ///   - first: the first of the eight.
    ///   - wanted: a bit for each slot, the first one's the lowest.
    func exposures(
        ofEight first: Int, _ wanted: UInt8, _ numeraire: Numeraire, into exposures: UnitExposures,
        _ engine: GreeksEngine
    ) {
        precondition(first >= 0 && first + 8 <= prices.count, "slots out of range")
        precondition(exposures.count >= rowCapacity, "a row for each option")
        let (prices, shares) = unsafe (prices.pointer, shares.pointer)
        let (prepared, maps) = unsafe (prepared.pointer, maps.pointer)
        let columns = unsafe SliceFormColumns(
            type: type.pointer, strike: strikes.pointer, logStrikeHigh: logStrikesHigh.pointer,
            logStrikeLow: logStrikesLow.pointer, volatility: volatilities.pointer)
        unsafe engine.kernel.prepareSlices(
            spot: prices + first, years: years.pointer + first, rate: rates.pointer + first,
            dividend: rates.pointer + first, count: 8, into: prepared + first)
        let (isInverse, runs) = (isInverse, runs)
        var rest = wanted
        while rest != 0 {
            let slot = first + rest.trailingZeroBitCount
            rest &= rest &- 1
            var terms = unsafe ExposureTerms(
                isInverse: isInverse[slot], forward: prices[slot], share: shares[slot], in: .usd)
            // Spelled out, so that the compiler knows the currency in which a map is made.
            switch numeraire {
            case .usd: unsafe maps[slot].set(terms)
            case .coin:
                terms.numeraire = .coin
                unsafe maps[slot].set(terms)
            }
            var number = 0
            while number < runs[slot].count {
                let run = runs[slot][number]
                number += 1
                let bounds: InlineArray<2, Int> = [run.lowerBound, run.upperBound]
                unsafe bounds.span.withUnsafeBufferPointer { offsets in
                    // The rows of a run are the slot's, and columns and exposures have them.
                    unsafe engine.kernel.sliceExposures(
                        prepared + slot, maps + slot, offsets: offsets.baseAddress.unsafelyUnwrapped,
                        sliceCount: 1, columns, into: exposures.rows.base)
                }
            }
        }
    }

    /// Multiplies the prices of slices, or leaves them all where one of the products breaks a rule.
    /// - Parameters:
    ///   - slices: places in `slots`.
    /// - Returns: the first slice whose price would, and that price.
    func multiplyPrices(
        of slices: [Int], _ slots: [SliceSlot], by ratio: Double, _ rule: NumberRule
    ) -> (slice: Int, price: Double)? {
        let count = prices.count
        precondition(slices.allSatisfy { slots[$0].index < count }, "slots out of range")
        let column = unsafe prices.pointer
        for slice in slices {
            let moved = unsafe column[slots[slice].index] * ratio
            guard rule.accepts(moved) else { return (slice, moved) }
        }
        for slice in slices { unsafe column[slots[slice].index] *= ratio }
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
