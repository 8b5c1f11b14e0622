import Checks
import Glibc
import Greeks
import Synchronization

/// Full revaluation of legs in every scenario of a grid.
///
/// Legs come as plain columns, each with its own market; `ChainScenarios` does the same for a chain and its books.
/// A forward or a coin is a call struck at 0. To be used from any number of threads; results are the same bits
/// on AVX2 and AVX-512, and however many legs are asked for at a time.
public struct ScenarioRevaluation: Sendable {
    public let grid: ScenarioGrid
    public let engine: GreeksEngine
    let layout: ScenarioLayout

    /// Legs that are revalued at a time: their results for some 400 scenarios fit the second-level cache.
    public static let block = 256

    public init(_ grid: ScenarioGrid, engine: GreeksEngine) {
        self.grid = grid
        self.engine = engine
        layout = ScenarioLayout(grid)
    }

    /// V' of each leg in each scenario, in quote currency; nothing is dampened.
    /// - Parameters:
    ///   - legs: `count` rows, validated (`OptionBatch`, `FullFormColumns.validate`); any alignment.
    /// - Throws: `missingSmile` where the grid moves volatilities along a smile.
    public func prices(of legs: FullFormColumns, count: Int) throws(RiskError) -> ScenarioMatrix {
        try revalue(.price, legs, count: count)
    }

    /// The same into a matrix that is there already, of `count` rows: nothing else is written.
    public func prices(
        of legs: FullFormColumns, count: Int, into matrix: ScenarioMatrix
    ) throws(RiskError) {
        try requireNoSmiles()
        precondition(matrix.rowCount == count && matrix.scenarioCount == grid.count, "sizes differ")
        layout.withPlan { plan in
            revalue(.price, plan, legs, share: nil, 0..<count, into: matrix.base, stride: matrix.stride)
        }
    }

    /// Gains of a long unit of each leg in each scenario, dampened.
    /// - Parameter numeraire: `usd`: V' − V in the legs' quote currency; `coin`: V'/S' − V/S, as where premiums are
    ///   paid in coin.
    public func profits(
        of legs: FullFormColumns, count: Int, in numeraire: Numeraire = .usd
    ) throws(RiskError) -> ScenarioMatrix {
        let result = try revalue(numeraire == .usd ? .profit : .coinProfit, legs, count: count)
        result.dampen(grid)
        return result
    }

    /// Gains of books in each scenario, dampened: a row per book. Memory does not grow with the number of legs.
    /// - Parameters:
    ///   - quantities: of each leg; above 0 is long.
    ///   - books: of each leg, from 0 to `bookCount` − 1.
    ///   - threads: that share the scenarios, the caller's included; each has its own columns, so the bits are the same
    ///     for any number.
    ///   - progress: called on the caller's thread with the number of legs that are done, block by block.
    /// - Throws: `missingSmile`; `invalidValue` for a book or quantity that is not accepted.
    public func profits(
        of legs: FullFormColumns, count: Int, quantities: UnsafePointer<Double>, books: UnsafePointer<Int32>,
        bookCount: Int, in numeraire: Numeraire = .usd, threads: Int = 1, progress: ((Int) -> Void)? = nil
    ) throws(RiskError) -> ScenarioMatrix {
        let result = try sums(
            of: legs, count: count, quantities: quantities, books: books, bookCount: bookCount, in: numeraire,
            threads: threads, progress: progress)
        result.dampen(grid)
        return result
    }

    /// The same, not dampened: what `ExpirySums` takes.
    public func sums(
        of legs: FullFormColumns, count: Int, quantities: UnsafePointer<Double>, books: UnsafePointer<Int32>,
        bookCount: Int, in numeraire: Numeraire = .usd, share: UnsafePointer<Double>? = nil,
        threads: Int = 1, progress: ((Int) -> Void)? = nil
    ) throws(RiskError) -> ScenarioMatrix {
        try requireNoSmiles()
        for leg in 0..<count {
            guard books[leg] >= 0, books[leg] < bookCount else {
                throw .invalidValue(
                    of: "leg \(leg)", field: "book", value: Double(books[leg]),
                    reason: "must be a book's place")
            }
            guard quantities[leg].isFinite else {
                throw .invalidValue(
                    of: "leg \(leg)", field: "quantity", value: quantities[leg],
                    reason: NumberRule.finite.complaint)
            }
        }
        let result = ScenarioMatrix(rowCount: bookCount, scenarioCount: grid.count)
        let eights = result.stride / 8
        let shares = max(1, min(threads, eights))
        // Read by all threads until the last of them is done.
        nonisolated(unsafe) let (legs, quantities, books) = (legs, quantities, books)
        nonisolated(unsafe) let (share, progress) = (share, progress)
        let caller = pthread_self()
        let nextShare = SharedCounter()
        withoutActuallyEscaping({ @Sendable () -> Void in
            while case let number = nextShare.next(), number < shares {
                let isCallers = pthread_equal(pthread_self(), caller) != 0
                addSums(
                    of: eights * number / shares..<eights * (number + 1) / shares, legs, count: count,
                    quantities, books, share, in: numeraire, to: result,
                    progress: isCallers ? progress : nil)
            }
        }) { onThreads(shares, $0) }
        return result
    }

    /// Adds what all legs gain in some eights of scenarios.
    private func addSums(
        of eights: Range<Int>, _ legs: FullFormColumns, count: Int, _ quantities: UnsafePointer<Double>,
        _ books: UnsafePointer<Int32>, _ share: UnsafePointer<Double>?, in numeraire: Numeraire,
        to sums: ScenarioMatrix, progress: ((Int) -> Void)?
    ) {
        let rows = ScenarioMatrix(rowCount: min(count, Self.block), scenarioCount: grid.count)
        var terms = LegSums()
        layout.withPlan { whole in
            var plan = whole
            plan.moves += eights.lowerBound * 8
            plan.moveCount = eights.count * 8
            for start in stride(from: 0, to: count, by: Self.block) {
                let end = min(start + Self.block, count)
                revalue(
                    numeraire == .usd ? .profit : .coinProfit, plan, legs, share: share, start..<end,
                    into: rows.base + eights.lowerBound * 8, stride: rows.stride)
                terms.set(books + start, quantities + start, count: end - start)
                terms.add(rows, eights, to: sums, engine)
                progress?(end)
            }
        }
    }

    private func requireNoSmiles() throws(RiskError) {
        if grid.needsSmiles { throw .missingSmile(of: grid.name) }
    }

    private func revalue(
        _ result: GreeksEngine.ScenarioResult, _ legs: FullFormColumns, count: Int
    ) throws(RiskError) -> ScenarioMatrix {
        try requireNoSmiles()
        let matrix = ScenarioMatrix(rowCount: count, scenarioCount: grid.count)
        layout.withPlan { plan in
            revalue(result, plan, legs, share: nil, 0..<count, into: matrix.base, stride: matrix.stride)
        }
        return matrix
    }

    /// Rows of legs, the first at `rows`; writes up to the next whole eight.
    private func revalue(
        _ result: GreeksEngine.ScenarioResult, _ plan: ScenarioPlan, _ legs: FullFormColumns,
        share: UnsafePointer<Double>?, _ range: Range<Int>, into rows: UnsafeMutablePointer<Double>,
        stride: Int
    ) {
        let whole = range.count & ~7
        func compute(
            _ market: FullFormColumns, _ share: UnsafePointer<Double>?, _ count: Int,
            _ rows: UnsafeMutablePointer<Double>
        ) {
            withUnsafePointer(to: market.volatility) { volatilities in
                engine.scenarioForm(
                    result, plan, ScenarioColumns(market: market, volatilities: volatilities, share: share),
                    count: count, into: rows, stride: stride)
            }
        }
        if whole > 0 {
            compute(
                legs.advanced(by: range.lowerBound), share.map { $0 + range.lowerBound }, whole, rows)
        }
        guard whole < range.count else { return }
        // The last legs, padded by repeating the last of them.
        let rest = range.lowerBound + whole..<range.upperBound
        func padded<T>(_ column: UnsafePointer<T>) -> [T] {
            (0..<8).map { column[min(rest.lowerBound + $0, rest.upperBound - 1)] }
        }
        let columns = [
            legs.spot, legs.strike, legs.years, legs.volatility, legs.rate, legs.dividend,
        ].flatMap { padded($0) }
        let shares = share.map { padded($0) }
        padded(legs.type).withUnsafeBufferPointer { types in
            columns.withUnsafeBufferPointer { columns in
                let values = columns.baseAddress.unsafelyUnwrapped
                let market = FullFormColumns(
                    type: types.baseAddress.unsafelyUnwrapped, spot: values, strike: values + 8,
                    years: values + 16, volatility: values + 24, rate: values + 32, dividend: values + 40)
                let last = rows + whole * stride
                if let shares {
                    shares.withUnsafeBufferPointer { compute(market, $0.baseAddress, 8, last) }
                } else {
                    compute(market, nil, 8, last)
                }
            }
        }
    }
}

extension ScenarioRevaluation {
    /// `profits(of:count:in:)` for legs that come and go 256 at a time, in one matrix: memory does not grow with their
    /// number.
    /// - Parameters:
    ///   - legs: the legs of a range, at most 256, validated; read before the next are asked for.
    ///   - body: called with the range and a matrix whose first rows hold its profits.
    public func forEachBlock<E: Error>(
        count: Int, in numeraire: Numeraire = .usd, legs: (Range<Int>) throws(E) -> FullFormColumns,
        _ body: (Range<Int>, ScenarioMatrix) -> Void
    ) throws(E) {
        let matrix = ScenarioMatrix(rowCount: min(count, Self.block), scenarioCount: grid.count)
        var failure: E?
        layout.withPlan { plan in
            for start in stride(from: 0, to: count, by: Self.block) {
                let range = start..<min(start + Self.block, count)
                do throws(E) {
                    revalue(
                        numeraire == .usd ? .profit : .coinProfit, plan, try legs(range), share: nil,
                        0..<range.count, into: matrix.base, stride: matrix.stride)
                } catch {
                    failure = error
                    return
                }
                matrix.dampen(grid)
                body(range, matrix)
            }
        }
        if let failure { throw failure }
    }

    /// `prices(of:count:)` of a batch.
    public func prices(of batch: OptionBatch) throws(RiskError) -> ScenarioMatrix {
        try batch.withColumns { columns in
            Result { () throws(RiskError) in try prices(of: columns, count: batch.count) }
        }.get()
    }

    /// `profits(of:count:in:)` of a batch.
    public func profits(
        of batch: OptionBatch, in numeraire: Numeraire = .usd
    ) throws(RiskError) -> ScenarioMatrix {
        try batch.withColumns { columns in
            Result { () throws(RiskError) in
                try profits(of: columns, count: batch.count, in: numeraire)
            }
        }.get()
    }

    /// Gains of books: see `profits(of:count:quantities:books:bookCount:in:progress:)`.
    /// - Throws: `invalidValue`, also for columns whose length is not the batch's.
    public func profits(
        of batch: OptionBatch, quantities: [Double], books: [Int32], bookCount: Int,
        in numeraire: Numeraire = .usd, threads: Int = 1, progress: ((Int) -> Void)? = nil
    ) throws(RiskError) -> ScenarioMatrix {
        for (field, length) in [("quantities", quantities.count), ("books", books.count)]
        where length != batch.count {
            throw .invalidValue(
                of: "legs", field: "number of \(field)", value: Double(length),
                reason: "must be that of the options, \(batch.count)")
        }
        return try batch.withColumns { columns in
            Result { () throws(RiskError) in
                try profits(
                    of: columns, count: batch.count, quantities: quantities, books: books,
                    bookCount: bookCount, in: numeraire, threads: threads, progress: progress)
            }
        }.get()
    }
}

/// Legs of one block of rows, to be summed by book.
struct LegSums {
    private var order: [Int] = []
    private var rowOfTerm: [Int32] = []
    private var weights: [Double] = []
    private var sumOfGroup: [Int32] = []
    private var offsets: [Int] = []

    /// One leg; books come in ascending order.
    mutating func append(row: Int, weight: Double, to book: Int) {
        if sumOfGroup.last != Int32(book) {
            sumOfGroup.append(Int32(book))
            offsets.append(rowOfTerm.count)
        }
        rowOfTerm.append(Int32(row))
        weights.append(weight)
    }

    /// Takes the legs of rows 0 to `count` − 1 in place of what there was.
    mutating func set(_ books: UnsafePointer<Int32>, _ quantities: UnsafePointer<Double>, count: Int) {
        order.removeAll(keepingCapacity: true)
        rowOfTerm.removeAll(keepingCapacity: true)
        weights.removeAll(keepingCapacity: true)
        sumOfGroup.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        // By book, then by leg: both in one number.
        for leg in 0..<count { order.append(Int(books[leg]) << 32 | leg) }
        order.sort()
        for key in order {
            let leg = key & 0xFFFF_FFFF
            append(row: leg, weight: quantities[leg], to: key >> 32)
        }
    }

    /// Adds what the legs gain to the sums of their books, in some eights of scenarios.
    mutating func add(
        _ rows: ScenarioMatrix, _ eights: Range<Int>, to sums: ScenarioMatrix, _ engine: GreeksEngine
    ) {
        offsets.append(rowOfTerm.count)
        let first = eights.lowerBound * 8
        engine.kernel.addWeightedRows(
            rows.base + first, stride: rows.stride, vectors: eights.count, rowOfTerm: rowOfTerm,
            weights: weights, sumOfGroup: sumOfGroup, offsets: offsets, groupCount: sumOfGroup.count,
            into: sums.base + first)
        offsets.removeLast()
    }

    /// The legs as a dense matrix in eights of books: see `addRowProducts`.
    func fill(_ dense: inout [Double], rowCount: Int) {
        for place in dense.indices { dense[place] = 0 }
        for (group, book) in sumOfGroup.enumerated() {
            let end = group + 1 < offsets.count ? offsets[group + 1] : rowOfTerm.count
            let first = Int(book) / 8 * rowCount * 8 + Int(book) % 8
            for term in offsets[group]..<end { dense[first + Int(rowOfTerm[term]) * 8] += weights[term] }
        }
    }
}

/// Numbers from 0 on, each handed out once.
private final class SharedCounter: Sendable {
    private let count = Atomic<Int>(0)

    func next() -> Int { count.wrappingAdd(1, ordering: .relaxed).oldValue }
}
