import Foundation
import Poise

/// What groups and totals gain in the scenarios of a grid, as tables.
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

    private var unit: String { numeraire == .usd ? "USD" : "coin" }

    /// What volatilities stick to, where that is the same in all scenarios.
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

    private func table(of line: Line) -> Report {
        let columns = [Report.Column("spot", title: "price")] + ladder.columns.map { Report.Column($0) }
        return Report(columns: columns, rowCount: ladder.rows.count) { row, column in
            if column == 0 { return .text(ladder.rows[row].title) }
            return ladder.cells[row][column - 1].map { .number(line.profits[$0]) } ?? .empty
        }
    }

    private var summary: Report {
        let lines = groups + totals
        let labels = groupings.map { Report.Column($0.rawValue) }
        return Report(
            columns: labels + [
                Report.Column("worst", unit: unit), Report.Column("in", title: ""),
                Report.Column("best", unit: unit), Report.Column("with", title: ""),
            ], rowCount: lines.count, totalCount: totals.count
        ) { row, column in
            let line = lines[row]
            switch column - groupings.count {
            case 0: return .number(line.profits[line.worst])
            case 1: return .text(grid.title(line.worst))
            case 2: return .number(line.profits[line.best])
            case 3: return .text(grid.title(line.best))
            default: return .text(line.labels[column])
            }
        }
    }

    /// A row per group and scenario, for programs; totals last.
    var long: Report {
        let lines = groups + totals
        let labels = groupings.map { Report.Column($0.rawValue) }
        let fields = ["scenario", "spot", "vol", "days", "rate", "sticky", "dampening"]
        return Report(
            columns: labels + fields.map { Report.Column($0) }
                + [Report.Column("profit_\(numeraire.rawValue)")],
            rowCount: lines.count * grid.count, totalCount: totals.count * grid.count
        ) { row, column in
            let (line, number) = (lines[row / grid.count], row % grid.count)
            let scenario = grid.scenarios[number]
            switch column - groupings.count {
            case 0: return .number(Double(number + 1))
            case 1: return .number(scenario.spot)
            case 2: return .text(grid.ruleNames[scenario.rule])
            case 3: return .number(scenario.days)
            case 4: return .number(scenario.rate)
            case 5: return .text(scenario.stickiness.rawValue)
            case 6: return .number(scenario.dampening)
            case 7: return .number(line.profits[number])
            default: return .text(line.labels[column])
            }
        }
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
    /// What else moves, in the order of the grid.
    let columns: [String]
    /// The scenario of each row and column; the first where several have the same.
    let cells: [[Int?]]
    /// How many of the rows count in full.
    var fullCount: Int { rows.count { $0.dampening == 1 } }

    init(_ grid: ScenarioGrid) {
        struct Key: Hashable { let spot, dampening: Double }
        var spots: [Key] = []
        var columns: [String] = []
        var places: [Key: [String: Int]] = [:]
        for (number, scenario) in grid.scenarios.enumerated() {
            let key = Key(spot: scenario.spot, dampening: scenario.dampening)
            let own = grid.title(number).split(separator: ", ", maxSplits: 1)
            let column = own.count > 1 ? String(own[1]) : ""
            if places[key] == nil {
                spots.append(key)
                places[key] = [:]
            }
            if !columns.contains(column) { columns.append(column) }
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
