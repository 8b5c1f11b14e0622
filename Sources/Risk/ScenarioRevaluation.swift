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

    /// - Parameter pricedOff: what the legs' prices are: futures, with the rate as dividend yield, or spot. Rates that move
    ///   leave it where it is, unless a scenario says otherwise.
    public init(_ grid: ScenarioGrid, engine: GreeksEngine, pricedOff: ScenarioGrid.HeldPrice = .spot) {
        self.grid = grid
        self.engine = engine
        layout = ScenarioLayout(grid, holding: pricedOff)
    }

    /// V' of each leg in each scenario, in quote currency; nothing is dampened.
    /// - Parameter legs: validated (`OptionBatch`, `OptionColumns.validate`).
    /// - Throws: `missing(.chain)` where the grid's volatilities need one.
    public func prices(of legs: OptionColumns) throws(RiskError) -> ScenarioMatrix {
        let matrix = ScenarioMatrix(rowCount: legs.count, scenarioCount: grid.count)
        try prices(of: legs, into: matrix)
        return matrix
    }

    /// The same into a matrix that is there already, a row per leg: nothing else is written.
    public func prices(of legs: OptionColumns, into matrix: ScenarioMatrix) throws(RiskError) {
        try unsafe revalue(.price, legs.pointers, count: legs.count, into: matrix)
        extendLifetime(legs)
    }

    /// Gains of a long unit of each leg in each scenario, dampened.
    /// - Parameter numeraire: `usd`: V' − V in the legs' quote currency; `coin`: V'/S' − V/S, as where premiums are
    ///   paid in coin.
    public func profits(
        of legs: OptionColumns, in numeraire: Numeraire = .usd
    ) throws(RiskError) -> ScenarioMatrix {
        let result = ScenarioMatrix(rowCount: legs.count, scenarioCount: grid.count)
        try unsafe revalue(
            numeraire == .usd ? .profit : .coinProfit, legs.pointers, count: legs.count, into: result)
        extendLifetime(legs)
        result.dampen(grid)
        return result
    }

    /// Gains of books in each scenario, dampened: a row per book. Memory does not grow with the number of legs.
    /// - Parameters:
    ///   - legs: validated.
    ///   - quantities: of each leg; above 0 is long.
    ///   - books: of each leg, from 0 to `bookCount` − 1.
    ///   - threads: that share the scenarios, the caller's included; each has its own columns, so the bits are the same
    ///     for any number.
    ///   - progress: called on the caller's thread with the number of legs that are done, block by block.
    /// - Throws: `missing(.chain)`; `invalidValue` for a book or quantity that is not accepted, or where there is not one
    ///   for each leg.
    public func profits(
        of legs: OptionColumns, quantities: Span<Double>, books: Span<Int32>, bookCount: Int,
        in numeraire: Numeraire = .usd, threads: Int = 1, progress: ((Int) -> Void)? = nil
    ) throws(RiskError) -> ScenarioMatrix {
        let result = try sums(
            of: legs, quantities: quantities, books: books, bookCount: bookCount, in: numeraire,
            threads: threads, progress: progress)
        result.dampen(grid)
        return result
    }

    /// The same, not dampened: what `ExpirySums` takes.
    /// - Parameter share: of each leg, the part of its price's move that it takes part in (`SettlementWindow`); 1 where it is
    ///   nil.
    public func sums(
        of legs: OptionColumns, quantities: Span<Double>, books: Span<Int32>, bookCount: Int,
        in numeraire: Numeraire = .usd, share: Span<Double>? = nil, threads: Int = 1,
        progress: ((Int) -> Void)? = nil
    ) throws(RiskError) -> ScenarioMatrix {
        try requireLength(quantities.count, legs.count, "quantities")
        try requireLength(books.count, legs.count, "books")
        var shares: UnsafePointer<Double>?
        if let share {
            try requireLength(share.count, legs.count, "shares")
            unsafe shares = share.start
        }
        let result = try unsafe sums(
            of: legs.pointers, count: legs.count, quantities: quantities.start, books: books.start,
            bookCount: bookCount, in: numeraire, share: shares, threads: threads,
            progress: progress)
        extendLifetime(legs)
        extendLifetime(quantities)
        extendLifetime(books)
        extendLifetime(share)
        return result
    }

    private func requireLength(_ count: Int, _ expected: Int, _ field: String) throws(RiskError) {
        guard count == expected else {
            throw .invalidValue(
                of: "legs", field: "number of \(field)", value: Double(count),
                reason: "must be that of the options, \(expected)")
        }
    }

    /// Gains of books by pointer, dampened.
    package func profits(
        of legs: FullFormColumns, count: Int, quantities: UnsafePointer<Double>, books: UnsafePointer<Int32>,
        bookCount: Int, in numeraire: Numeraire
    ) throws(RiskError) -> ScenarioMatrix {
        let result = try unsafe sums(
            of: legs, count: count, quantities: quantities, books: books, bookCount: bookCount, in: numeraire)
        result.dampen(grid)
        return result
    }

    /// Sums of `count` legs by pointer.
    package func sums(
        of legs: FullFormColumns, count: Int, quantities: UnsafePointer<Double>, books: UnsafePointer<Int32>,
        bookCount: Int, in numeraire: Numeraire = .usd, share: UnsafePointer<Double>? = nil,
        threads: Int = 1, progress: ((Int) -> Void)? = nil
    ) throws(RiskError) -> ScenarioMatrix {
        try requireNoSmiles()
        for leg in 0..<count {
            let (book, quantity) = unsafe (books[leg], quantities[leg])
            guard book >= 0, book < bookCount else {
                throw .invalidValue(
                    of: "leg \(leg)", field: "book", value: Double(book),
                    reason: "must be a book's place")
            }
            guard quantity.isFinite else {
                throw .invalidValue(
                    of: "leg \(leg)", field: "quantity", value: quantity,
                    reason: NumberRule.finite.complaint)
            }
        }
        let result = ScenarioMatrix(rowCount: bookCount, scenarioCount: grid.count)
        let eights = result.stride / 8
        let shares = max(1, min(threads, eights))
        // Read by all threads until the last of them is done.
        nonisolated(unsafe) let (legs, quantities, books) = unsafe (legs, quantities, books)
        nonisolated(unsafe) let (share, progress) = unsafe (share, progress)
        let caller = pthread_self()
        let nextShare = SharedCounter()
        withoutActuallyEscaping({ @Sendable () -> Void in
            while case let number = nextShare.next(), number < shares {
                let isCallers = pthread_equal(pthread_self(), caller) != 0
                unsafe addSums(
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
        unsafe layout.withPlan { whole in
            var plan = unsafe whole
            unsafe plan.moves += eights.lowerBound * 8
            unsafe plan.moveCount = eights.count * 8
            for start in stride(from: 0, to: count, by: Self.block) {
                let end = min(start + Self.block, count)
                unsafe revalue(
                    numeraire == .usd ? .profit : .coinProfit, plan, legs, share: share, start..<end,
                    into: rows.base + eights.lowerBound * 8, stride: rows.stride)
                unsafe terms.set(books + start, quantities + start, count: end - start)
                terms.add(rows, eights, to: sums, engine)
                progress?(end)
            }
        }
    }

    private func requireNoSmiles() throws(RiskError) {
        if grid.needsSmiles { throw .missing(.chain, of: grid.name) }
    }

    private func revalue(
        _ result: GreeksEngine.ScenarioResult, _ legs: FullFormColumns, count: Int,
        into matrix: ScenarioMatrix
    ) throws(RiskError) {
        try requireNoSmiles()
        precondition(matrix.rowCount == count && matrix.scenarioCount == grid.count, "sizes differ")
        unsafe layout.withPlan { plan in
            unsafe revalue(
                result, plan, legs, share: nil, 0..<count, into: matrix.base, stride: matrix.stride)
        }
    }

    /// Rows of legs, the first at `rows`; writes up to the next whole eight.
    private func revalue(
        _ result: GreeksEngine.ScenarioResult, _ plan: ScenarioPlan, _ legs: FullFormColumns,
        share: UnsafePointer<Double>?, _ range: Range<Int>, into rows: UnsafeMutablePointer<Double>,
        stride: Int
    ) {
        let whole = range.count & ~7
        if whole > 0 {
            unsafe revalue(
                result, plan, legs.advanced(by: range.lowerBound), share.map { unsafe $0 + range.lowerBound },
                count: whole, into: rows, stride: stride)
        }
        guard whole < range.count else { return }
        // The last legs, padded by repeating the last of them.
        let type = ColumnStorage<UInt8>(repeating: 0, count: 8)
        let block = ColumnStorage<Double>(repeating: 0, count: 7 * 8)
        for lane in 0..<8 {
            let leg = min(range.lowerBound + whole + lane, range.upperBound - 1)
            unsafe type[lane] = legs.type[leg]
            unsafe block[lane] = legs.spot[leg]
            unsafe block[8 + lane] = legs.strike[leg]
            unsafe block[16 + lane] = legs.years[leg]
            unsafe block[24 + lane] = legs.volatility[leg]
            unsafe block[32 + lane] = legs.rate[leg]
            unsafe block[40 + lane] = legs.dividend[leg]
            block[48 + lane] = unsafe share.map { unsafe $0[leg] } ?? 1
        }
        let values = unsafe UnsafePointer(block.pointer)
        unsafe revalue(
            result, plan,
            FullFormColumns(
                type: type.pointer, spot: values, strike: values + 8, years: values + 16,
                volatility: values + 24, rate: values + 32, dividend: values + 40),
            share == nil ? nil : values + 48, count: 8, into: rows + whole * stride, stride: stride)
        extendLifetime(type)
        extendLifetime(block)
    }

    /// Eights of legs.
    private func revalue(
        _ result: GreeksEngine.ScenarioResult, _ plan: ScenarioPlan, _ legs: FullFormColumns,
        _ share: UnsafePointer<Double>?, count: Int, into rows: UnsafeMutablePointer<Double>, stride: Int
    ) {
        unsafe withUnsafePointer(to: legs.volatility) { volatilities in
            unsafe engine.scenarioForm(
                result, plan, ScenarioColumns(market: legs, volatilities: volatilities, share: share),
                count: count, into: rows, stride: stride)
        }
    }
}

extension ScenarioRevaluation {
    /// `profits(of:in:)` for legs that come and go 256 at a time, in one matrix: memory does not grow with their
    /// number.
    /// - Parameters:
    ///   - legs: the legs of a range, at most 256, validated; read before the next are asked for.
    ///   - body: called with the range and a matrix whose first rows hold its profits.
    package func forEachBlock<E: Error>(
        count: Int, in numeraire: Numeraire = .usd, legs: (Range<Int>) throws(E) -> FullFormColumns,
        _ body: (Range<Int>, ScenarioMatrix) -> Void
    ) throws(E) {
        let matrix = ScenarioMatrix(rowCount: min(count, Self.block), scenarioCount: grid.count)
        var failure: E?
        unsafe layout.withPlan { plan in
            for start in stride(from: 0, to: count, by: Self.block) {
                let range = start..<min(start + Self.block, count)
                do throws(E) {
                    try unsafe revalue(
                        numeraire == .usd ? .profit : .coinProfit, plan, legs(range), share: nil,
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

    /// `prices(of:)` of a batch.
    public func prices(of batch: OptionBatch) throws(RiskError) -> ScenarioMatrix {
        try prices(of: batch.columns)
    }

    /// `profits(of:in:)` of a batch.
    public func profits(
        of batch: OptionBatch, in numeraire: Numeraire = .usd
    ) throws(RiskError) -> ScenarioMatrix {
        try profits(of: batch.columns, in: numeraire)
    }

    /// Gains of books: see `profits(of:quantities:books:bookCount:in:threads:progress:)`.
    public func profits(
        of batch: OptionBatch, quantities: [Double], books: [Int32], bookCount: Int,
        in numeraire: Numeraire = .usd, threads: Int = 1, progress: ((Int) -> Void)? = nil
    ) throws(RiskError) -> ScenarioMatrix {
        try profits(
            of: batch.columns, quantities: quantities.span, books: books.span, bookCount: bookCount,
            in: numeraire, threads: threads, progress: progress)
    }
}

/// Numbers from 0 on, each handed out once.
private final class SharedCounter: Sendable {
    private let count = Atomic<Int>(0)

    func next() -> Int { count.wrappingAdd(1, ordering: .relaxed).oldValue }
}
