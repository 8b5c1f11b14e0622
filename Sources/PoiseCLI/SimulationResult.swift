import Foundation
import Poise

/// What a simulation found, for tables, programs and pages.
struct SimulationResult {
    let settings: SimulationSettings
    let figures: HedgingFigures
    let summaries: [PolicySummary]
    /// Every policy against the reference on the same paths.
    let comparisons: [PolicyComparison]
    let reference: Int
    /// Of mean cost and expected shortfall at 95%: the policies that none beats in both.
    let frontier: [Int]

    init(_ settings: SimulationSettings, _ figures: HedgingFigures, reference: Int) {
        self.settings = settings
        self.figures = figures
        self.reference = reference
        summaries = settings.policies.indices.map {
            PolicySummary(figures, policy: $0, overlap: settings.overlap)
        }
        comparisons = settings.policies.indices.map {
            PolicyComparison(figures, policy: $0, reference: reference, overlap: settings.overlap)
        }
        frontier = Poise.frontier(summaries.map { ($0.meanCost.value, $0.shortfall95.value) })
    }

    var isComplete: Bool { figures.completed == settings.paths }

    /// One policy a row, with all figures and their standard errors.
    /// - Parameter wholeCounts: counts as whole numbers where they are, for comma-separated values.
    func summaryReport(wholeCounts: Bool = false) -> Report {
        typealias Field = (name: String, value: (PolicySummary) -> Estimate)
        let fields: [Field] =
            [
                ("mean_cost_usd", \.meanCost), ("mean_profit_usd", \.meanProfit),
                ("deviation_usd", \.deviation),
                ("shortfall95_usd", \.shortfall95), ("shortfall99_usd", \.shortfall99),
                ("mean_drawdown_usd", \.meanDrawdown), ("trades", \.trades), ("turnover_usd", \.turnover),
                ("liquidations", \.liquidations), ("time_outside", \.timeOutside),
                ("time_unhedged", \.timeUnhedged), ("latency_cost_usd", \.latencyCost),
            ]
            + ProfitPart.allCases.map { part in
                ("\(part.name)_usd", { $0.parts[part] ?? Estimate(value: .nan, standardError: .nan) })
            }
        let leading = ["policy", "family", "paths", "worst_drawdown_usd", "on_frontier"]
        let names = leading + fields.flatMap { [$0.name, "\($0.name)_standard_error"] }
        return Report(columns: names.map { Report.Column($0) }, rowCount: summaries.count) { row, column in
            let summary = summaries[row]
            func number(_ value: Double) -> Cell { value.isFinite ? .number(value) : .empty }
            func count(_ value: Double) -> Cell { .whole(value, asText: wholeCounts) }
            switch column {
            case 0: return .text(summary.policy)
            case 1: return .text(settings.policies[row].family)
            case 2: return count(Double(summary.paths))
            case 3: return number(summary.worstDrawdown)
            case 4: return count(frontier.contains(row) ? 1 : 0)
            default:
                let field = fields[(column - leading.count) / 2]
                let estimate = field.value(summary)
                let isCount = ["trades", "liquidations"].contains(field.name)
                if isCount, (column - leading.count) % 2 == 0 { return count(estimate.value) }
                return number((column - leading.count) % 2 == 0 ? estimate.value : estimate.standardError)
            }
        }
    }

    private var comparisonReport: Report {
        let names = ["policy", "reference", "cost", "profit", "deviation", "shortfall95", "shortfall99"]
        let columns =
            names.prefix(2)
            + names.dropFirst(2).flatMap { ["\($0)_difference_usd", "\($0)_difference_standard_error"] }
        return Report(columns: columns.map { Report.Column($0) }, rowCount: comparisons.count) {
            row, column in
            let comparison = comparisons[row]
            let estimates = [
                comparison.cost, comparison.profit, comparison.deviation, comparison.shortfall95,
                comparison.shortfall99,
            ]
            if column < 2 { return .text(column == 0 ? comparison.policy : comparison.reference) }
            let estimate = estimates[(column - 2) / 2]
            let value = (column - 2) % 2 == 0 ? estimate.value : estimate.standardError
            return value.isFinite ? .number(value) : .empty
        }
    }

    func writeJSON(to output: Output) throws {
        try output.write("{\"complete\": \(isComplete), \"paths\": \(figures.completed), ")
        try output.write("\"paths_asked\": \(settings.paths), \"policies\": ")
        try summaryReport().writeJSON(rows: 0..<summaries.count, to: output)
        try output.write(", \"comparisons\": ")
        try comparisonReport.writeJSON(rows: 0..<comparisons.count, to: output)
        let names = frontier.map { JSON.quoted(summaries[$0].policy) }.joined(separator: ", ")
        try output.write(", \"frontier\": [\(names)]}\n")
    }

    func writeTable(to output: Output) throws {
        for line in settings.description { try output.write(line + "\n") }
        let state = isComplete ? "" : " of \(settings.paths): interrupted"
        try output.write("\(figures.completed) paths\(state); dollars; ± is 1.96 standard errors\n\n")
        let titles = [
            "#", "policy", "cost", "±", "P&L", "±", "deviation", "±", "ES 95%", "±", "ES 99%", "±",
            "worst drawdown", "trades", "turnover", "liquidations", "outside", "unhedged",
        ]
        let styles: [Int: String] = [16: "%", 17: "%"]
        let columns = titles.indices.map { index in
            Report.Column(titles[index], unit: styles[index] ?? "", style: .aligned)
        }
        let table = Report(columns: columns, rowCount: summaries.count) { row, column in
            let summary = summaries[row]
            func half(_ estimate: Estimate) -> Cell {
                estimate.standardError.isFinite ? .number(1.959963984540054 * estimate.standardError) : .empty
            }
            let estimates = [
                summary.meanCost, summary.meanProfit, summary.deviation, summary.shortfall95,
                summary.shortfall99,
            ]
            switch column {
            case 0: return .text("\(row + 1)\(frontier.contains(row) ? "*" : "")")
            case 1: return .text(summary.policy)
            case 2..<12:
                let estimate = estimates[(column - 2) / 2]
                return column % 2 == 0 ? .number(estimate.value) : half(estimate)
            case 12: return .number(summary.worstDrawdown)
            case 13: return .number(summary.trades.value)
            case 14: return .number(summary.turnover.value)
            case 15: return .number(summary.liquidations.value)
            case 16: return .number(100 * summary.timeOutside.value)
            default: return .number(100 * summary.timeUnhedged.value)
            }
        }
        try table.writeTable(to: output)
        try output.write("\n* on the frontier of cost and ES 95%: no other policy is lower in both\n\n")
        guard summaries.count > 1 else { return }
        try output.write("against \(summaries[reference].policy), on the same paths\n\n")
        let others = comparisons.indices.filter { $0 != reference }
        let names = ["#", "policy", "cost", "±", "P&L", "±", "deviation", "±", "ES 95%", "±"]
        let differences = Report(
            columns: names.map { Report.Column($0) }, rowCount: others.count
        ) { row, column in
            let comparison = comparisons[others[row]]
            let estimates = [
                comparison.cost, comparison.profit, comparison.deviation, comparison.shortfall95,
            ]
            switch column {
            case 0: return .text("\(others[row] + 1)")
            case 1: return .text(comparison.policy)
            default:
                let estimate = estimates[(column - 2) / 2]
                if column % 2 == 0 { return .number(estimate.value) }
                let half = 1.959963984540054 * estimate.standardError
                return half.isFinite ? .number(half) : .empty
            }
        }
        try differences.writeTable(to: output)
    }
}

extension Cell {
    /// A count: a whole one without decimals where it is to be a text.
    static func whole(_ value: Double, asText: Bool) -> Cell {
        guard value.isFinite else { return .empty }
        return asText && value == value.rounded() && abs(value) < 1e15
            ? .text("\(Int(value))") : .number(value)
    }
}
