import Market
import Poise

/// Results of a simulation, for tables, programs and pages.
struct SimulationResult {
    let settings: SimulationSettings
    let figures: PathOutcomes
    let summaries: [PolicySummary]
    /// Every policy against the reference on the same paths.
    let comparisons: [PolicyComparison]
    let reference: Int
    /// Indices of the policies that no other beats in both mean cost and expected shortfall at 95%.
    let frontier: [Int]

    init(_ settings: SimulationSettings, _ figures: PathOutcomes, reference: Int) {
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
    func summaryReport() -> Report<Int> {
        typealias Column = Report<Int>.Column
        func estimate(
            _ name: String, isCount: Bool = false, _ value: @escaping (PolicySummary) -> Estimate
        ) -> [Column] {
            [
                Column(name) { row in
                    let value = value(summaries[row]).value
                    return isCount ? .count(value) : Cell(value.ifFinite)
                },
                Column("\(name)_standard_error") { Cell(value(summaries[$0]).standardError.ifFinite) },
            ]
        }
        let leading = [
            Column("policy") { .text(summaries[$0].policy) },
            Column("family") { .text(settings.policies[$0].family) },
            Column("paths") { .whole(summaries[$0].paths) },
            Column("worst_drawdown_usd") { Cell(summaries[$0].worstDrawdown.ifFinite) },
            Column("on_frontier") { .whole(frontier.contains($0) ? 1 : 0) },
        ]
        let figures = [
            estimate("mean_cost_usd", \.meanCost), estimate("mean_profit_usd", \.meanProfit),
            estimate("deviation_usd", \.deviation), estimate("shortfall95_usd", \.shortfall95),
            estimate("shortfall99_usd", \.shortfall99), estimate("mean_drawdown_usd", \.meanDrawdown),
            estimate("trades", isCount: true, \.trades), estimate("turnover_usd", \.turnover),
            estimate("liquidations", isCount: true, \.liquidations), estimate("time_outside", \.timeOutside),
            estimate("time_unhedged", \.timeUnhedged), estimate("latency_cost_usd", \.latencyCost),
        ]
        let parts = ProfitPart.allCases.map { part in
            estimate("\(part.name)_usd") {
                $0.parts[part] ?? Estimate(value: .nan, standardError: .nan)
            }
        }
        return Report(
            columns: leading + (figures + parts).flatMap { $0 }, rows: Array(summaries.indices))
    }

    private var comparisonReport: Report<PolicyComparison> {
        typealias Column = Report<PolicyComparison>.Column
        func difference(_ name: String, _ value: KeyPath<PolicyComparison, Estimate>) -> [Column] {
            [
                Column("\(name)_difference_usd") { Cell($0[keyPath: value].value.ifFinite) },
                Column("\(name)_difference_standard_error") {
                    Cell($0[keyPath: value].standardError.ifFinite)
                },
            ]
        }
        return Report(
            columns: [Column("policy") { .text($0.policy) }, Column("reference") { .text($0.reference) }]
                + difference("cost", \.cost) + difference("profit", \.profit)
                + difference("deviation", \.deviation) + difference("shortfall95", \.shortfall95)
                + difference("shortfall99", \.shortfall99),
            rows: comparisons)
    }

    func writeJSON(to output: Output) throws {
        try output.writeJSON { json in
            try json.object { json in
                json.member("complete", isComplete)
                json.member("paths", figures.completed)
                json.member("paths_asked", settings.paths)
                let summary = summaryReport()
                try json.member("policies") { try summary.write(summary.rows, to: &$0, output) }
                let comparison = comparisonReport
                try json.member("comparisons") { try comparison.write(comparison.rows, to: &$0, output) }
                json.member("frontier", frontier.map { summaries[$0].policy })
            }
        }
    }

    func writeTable(to output: Output) throws {
        for line in settings.description { try output.write(line + "\n") }
        let state = isComplete ? "" : " of \(settings.paths): interrupted"
        try output.write("\(figures.completed) paths\(state); dollars; ± is 1.96 standard errors\n\n")
        typealias Column = Report<Int>.Column
        func estimate(_ title: String, _ value: @escaping (Int) -> Estimate) -> [Column] {
            [
                Column(title) { Cell(value($0).value.ifFinite) },
                Column("±") { Cell((1.959963984540054 * value($0).standardError).ifFinite) },
            ]
        }
        func figure(
            _ title: String, unit: String = "", _ value: @escaping (PolicySummary) -> Double
        ) -> Column {
            Column(title, unit: unit) { Cell(value(summaries[$0]).ifFinite) }
        }
        let names = [
            Column("#") { .text("\($0 + 1)\(frontier.contains($0) ? "*" : "")") },
            Column("policy") { .text(summaries[$0].policy) },
        ]
        let estimates = [
            estimate("cost") { summaries[$0].meanCost }, estimate("P&L") { summaries[$0].meanProfit },
            estimate("deviation") { summaries[$0].deviation },
            estimate("ES 95%") { summaries[$0].shortfall95 },
            estimate("ES 99%") { summaries[$0].shortfall99 },
        ]
        let table = Report(
            columns: names + estimates.flatMap { $0 } + [
                figure("worst drawdown", \.worstDrawdown), figure("trades") { $0.trades.value },
                figure("turnover") { $0.turnover.value }, figure("liquidations") { $0.liquidations.value },
                figure("outside", unit: "%") { 100 * $0.timeOutside.value },
                figure("unhedged", unit: "%") { 100 * $0.timeUnhedged.value },
            ], rows: Array(summaries.indices))
        try table.writeTable(to: output)
        try output.write("\n* on the frontier of cost and ES 95%: no other policy is lower in both\n\n")
        guard summaries.count > 1 else { return }
        try output.write("against \(summaries[reference].policy), on the same paths\n\n")
        let others = comparisons.indices.filter { $0 != reference }
        let differences = Report(
            columns: [
                Column("#") { .text("\($0 + 1)") }, Column("policy") { .text(comparisons[$0].policy) },
            ]
                + estimate("cost") { comparisons[$0].cost } + estimate("P&L") { comparisons[$0].profit }
                + estimate("deviation") { comparisons[$0].deviation }
                + estimate("ES 95%") { comparisons[$0].shortfall95 },
            rows: others)
        try differences.writeTable(to: output)
    }
}

extension Cell {
    /// A count, without decimals where it is whole; nothing where it is not known.
    static func count(_ value: Double) -> Cell {
        Int(exactly: value).map { .whole($0) } ?? Cell(value.ifFinite)
    }
}
