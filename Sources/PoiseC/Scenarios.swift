import CPoise
import Poise

/// Rows of one double per scenario to write.
private struct ScenarioRows {
    let base: UnsafeMutableRawPointer
    let stride: Int
    let scenarioCount: Int

    init(_ rows: poise_rows, scenarioCount: Int, _ name: StaticString) throws(Failure) {
        base = UnsafeMutableRawPointer(try required(rows.data, name))
        guard rows.row_stride & 7 == 0 else {
            throw .alignment(name, "row_stride \(rows.row_stride) is no multiple of 8")
        }
        stride = rows.row_stride == 0 ? scenarioCount * 8 : rows.row_stride
        guard stride.magnitude >= scenarioCount * 8 else {
            throw .argument(
                "\(name)",
                "row_stride \(stride): a row of \(scenarioCount) scenarios has \(scenarioCount * 8) bytes")
        }
        self.scenarioCount = scenarioCount
    }

    /// Copies the first rows of a matrix.
    func copy(_ rows: Range<Int>, _ matrix: ScenarioMatrix) {
        for row in rows {
            base.advanced(by: row &* stride).assumingMemoryBound(to: Double.self).update(
                from: matrix.base + (row - rows.lowerBound) * matrix.stride, count: scenarioCount)
        }
    }
}

/// Legs to be revalued in a grid.
private struct Legs {
    let revaluation: ScenarioRevaluation
    let numeraire: Numeraire
    let count: Int
    /// Nil where there are none.
    let inputs: OptionInputs?
    /// By how much the grid moves rates at most.
    private let rateMove: Double

    init(
        _ engine: OpaquePointer?, _ grid: OpaquePointer?, _ legs: UnsafePointer<poise_full_form>?,
        _ numeraire: poise_numeraire
    ) throws(Failure) {
        let engine = try object(engine, as: EngineHandle.self, "engine").engine
        let grid = try object(grid, as: GridHandle.self, "grid").grid
        let form = try required(legs, "legs")
        try checkSize(form.pointee.size, of: poise_full_form.self, "legs")
        count = form.pointee.count
        try checkCount(count)
        guard form.pointee.model == POISE_MODEL_BLACK_SCHOLES_MERTON else {
            throw .argument("model", "scenarios are of Black-Scholes-Merton")
        }
        guard !grid.needsSmiles, !grid.isByExpiry else {
            throw .argument("grid", "\(grid.name): needs a chain: its smiles or its expiries")
        }
        self.numeraire = try Numeraire(numeraire)
        inputs = count > 0 ? try OptionInputs(form) : nil
        revaluation = ScenarioRevaluation(grid, engine: engine)
        rateMove = grid.scenarios.reduce(0) { max($0, $1.rate.magnitude) }
    }

    /// Checks rows, of which `columns` holds the first.
    func check(_ columns: FullFormColumns, _ rows: Range<Int>) throws(Failure) {
        if !revaluation.engine.accepts(columns, count: rows.count, .blackScholesMerton) {
            do throws(GreeksError) { try columns.validate(count: rows.count) } catch {
                throw Failure(error, first: rows.lowerBound)
            }
        }
        guard rateMove > 0 else { return }
        for row in 0..<rows.count
        where (columns.rate[row].magnitude + rateMove) * columns.years[row] > Domain.largestExponent {
            throw .value(
                row: rows.lowerBound + row, "rate", columns.rate[row],
                "too large when moved by \(rateMove) over \(columns.years[row]) years")
        }
    }
}

extension Numeraire {
    init(_ numeraire: poise_numeraire) throws(Failure) {
        switch numeraire {
        case POISE_NUMERAIRE_USD: self = .usd
        case POISE_NUMERAIRE_COIN: self = .coin
        default: throw .argument("numeraire", "there is no numeraire \(numeraire.rawValue)")
        }
    }
}

@c @implementation
public func poise_scenario_legs(
    _ engine: OpaquePointer?, _ grid: OpaquePointer?, _ legs: UnsafePointer<poise_full_form>?,
    _ numeraire: poise_numeraire, _ profits: poise_rows
) -> poise_status {
    attempt { () throws(Failure) in
        let legs = try Legs(engine, grid, legs, numeraire)
        guard let inputs = legs.inputs else { return }
        let rows = try ScenarioRows(profits, scenarioCount: legs.revaluation.grid.count, "profits")
        // Strided legs are copied to a block of their own.
        let room = ScenarioRevaluation.block
        let block = inputs.areContiguous ? nil : UnsafeMutablePointer<Double>.allocate(capacity: 7 * room)
        defer { block?.deallocate() }
        try legs.revaluation.forEachBlock(count: legs.count, in: legs.numeraire) { range throws(Failure) in
            let columns =
                block.map { inputs.copy(range, to: $0, room: room) }
                ?? inputs.columns.advanced(by: range.lowerBound)
            try legs.check(columns, range)
            return columns
        } _: { range, matrix in
            rows.copy(range, matrix)
        }
    }
}

@c @implementation
public func poise_scenario_books(
    _ engine: OpaquePointer?, _ grid: OpaquePointer?, _ legs: UnsafePointer<poise_full_form>?,
    _ quantity: poise_values, _ books: UnsafePointer<Int32>?, _ book_count: Int, _ numeraire: poise_numeraire,
    _ profits: poise_rows
) -> poise_status {
    attempt { () throws(Failure) in
        let legs = try Legs(engine, grid, legs, numeraire)
        try checkCount(book_count, "book_count")
        guard book_count > 0 else {
            if legs.count > 0 { throw .count("book_count", "there is no book for \(legs.count) legs") }
            return
        }
        let scenarioCount = legs.revaluation.grid.count
        let rows = try ScenarioRows(profits, scenarioCount: scenarioCount, "profits")
        guard let inputs = legs.inputs else {
            rows.copy(0..<book_count, ScenarioMatrix(rowCount: book_count, scenarioCount: scenarioCount))
            return
        }
        let books = try required(books, "books")
        let quantities = try Strided(quantity, "quantity")
        let room = (legs.count + 7) & ~7
        let isCopied = !(inputs.areContiguous && quantities.isContiguous)
        let copies = isCopied ? UnsafeMutablePointer<Double>.allocate(capacity: 8 * room) : nil
        defer { copies?.deallocate() }
        let columns =
            copies.map { inputs.copy(0..<legs.count, to: $0, room: room) } ?? inputs.columns
        if let copies { quantities.copy(0..<legs.count, to: copies + 7 * room) }
        try legs.check(columns, 0..<legs.count)
        for row in 0..<legs.count {
            guard books[row] >= 0, books[row] < book_count else {
                throw .value(row: row, "books", books[row], "there are \(book_count) books")
            }
            guard quantities[row].isFinite else {
                throw .value(row: row, "quantity", quantities[row], NumberRule.finite.complaint)
            }
        }
        do throws(RiskError) {
            let sums = try legs.revaluation.profits(
                of: columns, count: legs.count,
                quantities: copies.map { UnsafePointer($0 + 7 * room) } ?? quantities.base, books: books,
                bookCount: book_count, in: legs.numeraire)
            rows.copy(0..<book_count, sums)
        } catch {
            throw Failure(error)
        }
    }
}

/// Behind `poise_scenario_profits`.
final class ScenarioProfitsHandle: @unchecked Sendable {
    let profits: ScenarioMatrix
    let labels: [CStrings]

    init(
        _ engine: GreeksEngine, _ chain: Chain, _ table: PositionTable, _ grid: ScenarioGrid,
        _ options: ExposureOptions
    ) throws(Failure) {
        let valuation = try valuation(table, in: chain)
        let groupings = options.groupings ?? [.book, .underlying]
        try options.checkCoin(groupings, valuation.positions)
        let scenarios = try failing { () throws(RiskError) in
            try ChainScenarios(
                valuation.greeks, grid, market: chain.latestTickers, in: options.numeraire, engine: engine)
        }
        let (groups, profits) = scenarios.profits(of: valuation.positions, by: groupings)
        self.profits = profits
        labels = groups.map { CStrings($0) }
    }
}

@c @implementation
public func poise_scenario_profits_create(
    _ engine: OpaquePointer?, _ chain: OpaquePointer?, _ positions: OpaquePointer?, _ grid: OpaquePointer?,
    _ options: UnsafePointer<poise_exposure_options>?, _ profits: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(profits, "profits") { () throws(Failure) in
        let chosen = try ExposureOptions(reading: options)
        let (engine, chain, table) = try books(engine, chain, positions)
        return try ScenarioProfitsHandle(
            engine, chain, table, try object(grid, as: GridHandle.self, "grid").grid, chosen)
    }
}

@c @implementation
public func poise_scenario_profits_free(_ profits: OpaquePointer?) {
    release(profits, as: ScenarioProfitsHandle.self)
}

@c @implementation
public func poise_scenario_profits_count(_ profits: OpaquePointer?) -> Int {
    object(profits, as: ScenarioProfitsHandle.self)?.labels.count ?? 0
}

@c @implementation
public func poise_scenario_profits_label(
    _ profits: OpaquePointer?, _ group: Int, _ grouping: Int
) -> UnsafePointer<CChar>? {
    object(profits, as: ScenarioProfitsHandle.self)?.labels.text(group, grouping)
}

@c @implementation
public func poise_scenario_profits_values(_ profits: OpaquePointer?, _ rows: poise_rows) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(profits, as: ScenarioProfitsHandle.self, "profits")
        guard !handle.labels.isEmpty else { return }
        let target = try ScenarioRows(rows, scenarioCount: handle.profits.scenarioCount, "rows")
        target.copy(0..<handle.labels.count, handle.profits)
    }
}
