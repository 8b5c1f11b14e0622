import Foundation
import Poise

/// Gains of groups and totals in the scenarios of a grid, as tables.
struct ScenarioReport {
    /// A row of profits and what it is of.
    struct Line {
        /// As many as there are groupings; of a total, `total` and what it is a total of.
        let labels: [String]
        let profits: [Double]

        /// Places of the least and of the largest profit.
        var worst: Int { profits.indices.min { profits[$0] < profits[$1] } ?? 0 }
        var best: Int { profits.indices.max { profits[$0] < profits[$1] } ?? 0 }
        var title: String { labels.filter { !$0.isEmpty }.joined(separator: " ") }
    }

    let grid: ScenarioGrid
    let numeraire: Numeraire
    let groupings: [Grouping]
    let groups, totals: [Line]
    let ladder: ScenarioLadder

    init(
        _ grid: ScenarioGrid, _ numeraire: Numeraire, _ groupings: [Grouping], _ groups: [[String]],
        _ profits: ScenarioMatrix, totals: [(groups: [[String]], profits: ScenarioMatrix)]
    ) {
        self.grid = grid
        self.numeraire = numeraire
        self.groupings = groupings
        self.groups = groups.enumerated().map { Line(labels: $1, profits: profits.row($0)) }
        let empty = Array(repeating: "", count: max(0, groupings.count - 1))
        self.totals = totals.flatMap { level in
            level.groups.enumerated().map { row, labels in
                Line(
                    labels: [(["total"] + labels).joined(separator: " ")] + empty,
                    profits: level.profits.row(row))
            }
        }
        ladder = ScenarioLadder(grid)
    }

    private var unit: String { numeraire.unit }

    /// - Throws: `ReportError` at the first profit that is no finite number.
    func requireFinite() throws {
        for line in groups + totals {
            for (scenario, profit) in line.profits.enumerated() where !profit.isFinite {
                throw ReportError(
                    labels: line.labels,
                    column:
                        "profit_\(numeraire.rawValue) in scenario \(scenario + 1) (\(grid.title(scenario)))",
                    figure: profit)
            }
        }
    }

    /// The stickiness of volatilities, if it is the same in all scenarios.
    var sticky: String {
        let first = grid.scenarios[0].stickiness
        guard first != .strike, grid.scenarios.allSatisfy({ $0.stickiness == first }) else { return "" }
        return ", volatility sticky in \(first)"
    }

    /// The totals of all books by move of the price, then every group's worst and best scenario.
    func writeTable(to output: Output) throws {
        let all = totals.filter { $0.title == "total" || numeraire == .coin }
        for line in all {
            let label = line.title == "total" ? "all books" : line.title.dropFirst(6) + ""
            try output.write("\(grid.name): \(label), \(unit) by move of the price\(sticky)\n\n")
            try table(of: line).writeTable(to: output)
            try output.write("\n")
        }
        try summary.writeTable(to: output)
    }

    private func table(of line: Line) -> Report<Int> {
        typealias Column = Report<Int>.Column
        let columns = ladder.columns.enumerated().map { place, name in
            Column(name) { Cell(ladder.cells[$0][place].map { line.profits[$0] }) }
        }
        return Report(
            columns: [Column("spot", title: "price") { .text(ladder.rows[$0].title) }] + columns,
            rows: Array(ladder.rows.indices))
    }

    private var summary: Report<Line> {
        typealias Column = Report<Line>.Column
        return Report(
            columns: Report.labels(groupings, \.labels) + [
                Column("worst", unit: unit) { .number($0.profits[$0.worst]) },
                Column("in", title: "") { .text(grid.title($0.worst)) },
                Column("best", unit: unit) { .number($0.profits[$0.best]) },
                Column("with", title: "") { .text(grid.title($0.best)) },
            ], rows: groups, totals: totals)
    }

    /// A profit of a group or a total.
    struct Profit {
        let line: Line
        let scenario: Int
    }

    /// A row per group and scenario, for programs.
    var long: Report<Profit> {
        typealias Column = Report<Profit>.Column
        func column(_ name: String, _ cell: @escaping (ScenarioGrid.Scenario) -> Cell) -> Column {
            Column(name) { cell(grid.scenarios[$0.scenario]) }
        }
        func profits(_ lines: [Line]) -> [Profit] {
            lines.flatMap { line in (0..<grid.count).map { Profit(line: line, scenario: $0) } }
        }
        return Report(
            columns: Report.labels(groupings, \.line.labels) + [
                Column("scenario") { .number(Double($0.scenario + 1)) },
                column("spot") { .number($0.spot) },
                column("vol") { .text(grid.ruleNames[$0.rule]) },
                column("days") { .number($0.days) },
                column("rate") { .number($0.rate) },
                column("sticky") { .text($0.stickiness.rawValue) },
                column("dampening") { .number($0.dampening) },
                Column("profit_\(numeraire.rawValue)") { .number($0.line.profits[$0.scenario]) },
            ], rows: profits(groups), totals: profits(totals))
    }
}

/// The scenarios of a grid as rows by move of the price and columns by everything else.
struct ScenarioLadder {
    struct Row {
        let spot, dampening: Double

        /// `-66% × 0.24` where not all of the profit counts.
        var title: String {
            let percent = ScenarioGrid.percent(spot)
            return dampening == 1 ? percent : "\(percent) × \(dampening.significant)"
        }
    }

    /// Ascending: the scenarios that count in full, then those that are dampened.
    let rows: [Row]
    /// The other moves, in the order of the grid.
    let columns: [String]
    /// The scenario of each row and column; the first where several have the same.
    let cells: [[Int?]]
    /// Number of rows that count in full.
    var fullCount: Int { rows.count { $0.dampening == 1 } }

    init(_ grid: ScenarioGrid) {
        struct Key: Hashable { let spot, dampening: Double }
        var spots: [Key] = []
        var columns: [String] = []
        var known: Set<String> = []
        var places: [Key: [String: Int]] = [:]
        for (number, scenario) in grid.scenarios.enumerated() {
            let key = Key(spot: scenario.spot, dampening: scenario.dampening)
            let parts = grid.title(number).split(separator: ", ", maxSplits: 1)
            let column = parts.count > 1 ? String(parts[1]) : ""
            if places[key] == nil {
                spots.append(key)
                places[key] = [:]
            }
            if known.insert(column).inserted { columns.append(column) }
            if places[key]?[column] == nil { places[key]?[column] = number }
        }
        spots.sort {
            ($0.dampening == 1 ? 0 : 1, $0.spot, $0.dampening) < (
                $1.dampening == 1 ? 0 : 1, $1.spot, $1.dampening
            )
        }
        rows = spots.map { Row(spot: $0.spot, dampening: $0.dampening) }
        self.columns = columns
        cells = spots.map { key in columns.map { places[key]?[$0] } }
    }
}
