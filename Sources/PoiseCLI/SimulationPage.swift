import Foundation
import Poise

/// A simulation's result as one page for a browser, with nothing to load: frontier, distributions, one path
/// replayed, and the figures as tables.
struct SimulationPage {
    private let result: SimulationResult
    private let policy, path: Int
    private let families: [String]

    /// - Parameters:
    ///   - policy: whose path is shown; nil for the middle one of the frontier.
    ///   - path: which; nil for one that went badly: the policy's 5% quantile of profit.
    init(_ result: SimulationResult, policy: Int?, path: Int?) {
        self.result = result
        let frontier = result.frontier
        let chosen = policy ?? (frontier.isEmpty ? 0 : frontier[frontier.count / 2])
        self.policy = chosen
        let profits = result.figures.values(.profit, policy: chosen)
        let order = profits.indices.sorted { (profits[$0], $0) < (profits[$1], $1) }
        self.path = path ?? (order.isEmpty ? 0 : order[order.count / 20])
        var families: [String] = []
        for setting in result.settings.policies where !families.contains(setting.family) {
            families.append(setting.family)
        }
        self.families = families
    }

    private var settings: SimulationSettings { result.settings }

    private func colour(_ policy: Int) -> String {
        "f\((families.firstIndex(of: settings.policies[policy].family) ?? 0) % 8)"
    }

    var html: String {
        let warning =
            result.isComplete
            ? ""
            : """
            <p class="warning">Interrupted: these are the figures of \(result.figures.completed) of \
            \(settings.paths) paths.</p>

            """
        let body = """
            <header>
            <h1>When to rebalance</h1>
            <p>\(settings.description.map { $0.prefix(1).uppercased() + $0.dropFirst() + "." }
                .joined(separator: " ").escaped)
            \(result.figures.completed.counted("path")), the same for every policy.
            Dollars; intervals are 95%.</p>
            \(warning)</header>
            <section>
            <h2>Cost against tail risk</h2>
            <p>Each point is a policy with one setting: what trading and holding its hedge costs on average, and the
            average loss of its worst 5% of paths. Down and left is better; the line joins the settings that no other
            one beats in both.</p>
            \(legend)
            \(frontierChart)</section>
            <section>
            <h2>Profit and loss at the end</h2>
            <p>How the paths end, policy by policy, on one scale. The dot is the mean, the tick the average of the
            worst 5%. Cut off at half a percent of all on either side.</p>
            \(distributionChart)</section>
            <section>
            <h2>One path, step by step</h2>
            \(pathSection)</section>
            <section>
            <h2>Figures</h2>
            \(summaryTable)
            <h3>Against \(result.summaries[result.reference].policy.escaped), path by path</h3>
            <p>Differences on the same paths; those in grey may be chance.</p>
            \(comparisonTable)
            <h3>Where profit and loss came from</h3>
            <p>Means. The parts of every step add up to what the account earned.</p>
            \(partsTable)</section>

            """
        return Page.html(title: "When to rebalance", body: body)
    }

    // MARK: Charts

    private var legend: String {
        let items = families.indices.map { index in
            "<span><i class=\"f\(index % 8)\"></i>\(families[index].escaped)</span>"
        }
        return "<p class=\"legend\">\(items.joined())</p>"
    }

    private var frontierChart: String {
        var chart = Chart(width: 1040, height: 460)
        let (left, right, top, bottom) = (72.0, 1020.0, 16.0, 410.0)
        let points = result.summaries.map { ($0.meanCost, $0.shortfall95) }
        func ends(_ estimate: Estimate) -> [Double] {
            [estimate.interval.lowerBound, estimate.interval.upperBound]
        }
        let x = ChartScale(points.flatMap { ends($0.0) }, to: (left, right))
        let y = ChartScale(points.flatMap { ends($0.1) }, to: (bottom, top))
        chart.leftAxis(y, from: left, to: right, count: 6)
        chart.bottomAxis(x, from: top, to: bottom)
        chart.text(
            (left + right) / 2, bottom + 40, "mean cost, USD", "class=\"label\" text-anchor=\"middle\"")
        chart.text(
            16, (top + bottom) / 2, "expected shortfall 95%, USD",
            "class=\"label\" text-anchor=\"middle\" transform=\"rotate(-90 16 \((top + bottom) / 2))\"")
        // Settings of one family in their order, then the frontier over all.
        for family in families {
            let members = settings.policies.indices.filter { settings.policies[$0].family == family }
            chart.path(
                members.map { (x(points[$0].0.value), y(points[$0].1.value)) },
                "class=\"thin s \(colour(members[0]))\"")
        }
        chart.path(
            result.frontier.map { (x(points[$0].0.value), y(points[$0].1.value)) }, "class=\"frontier\"")
        for (index, point) in points.enumerated() {
            let (cx, cy) = (x(point.0.value), y(point.1.value))
            if point.0.standardError.isFinite {
                chart.line(
                    x(point.0.interval.lowerBound), cy, x(point.0.interval.upperBound), cy,
                    "class=\"error s \(colour(index))\"")
                chart.line(
                    cx, y(point.1.interval.lowerBound), cx, y(point.1.interval.upperBound),
                    "class=\"error s \(colour(index))\"")
            }
        }
        for (index, point) in points.enumerated() {
            chart.circle(
                x(point.0.value), y(point.1.value), 5.5, "class=\"dot \(colour(index))\"",
                title:
                    "\(result.summaries[index].policy): cost \(point.0.value.money), ES 95% \(point.1.value.money)"
            )
        }
        // Labels where they do not lie on each other, the frontier's first.
        var taken: [(Double, Double, Double)] = []
        let order = result.frontier + points.indices.filter { !result.frontier.contains($0) }
        for index in order {
            let (cx, cy) = (x(points[index].0.value), y(points[index].1.value))
            let width = Double(settings.policies[index].label.count) * 6.6
            for (dx, dy, anchor) in [
                (9.0, -8.0, "start"), (-9, 16, "end"), (9, 16, "start"), (-9, -8, "end"), (0, -13, "middle"),
            ] {
                let start = cx + dx - (anchor == "end" ? width : anchor == "middle" ? width / 2 : 0)
                let row = cy + dy
                guard start > left, start + width < right,
                    !taken.contains(where: {
                        $0.0 < start + width + 4 && start < $0.1 + 4 && abs($0.2 - row) < 13
                    })
                else { continue }
                taken.append((start, start + width, row))
                chart.text(
                    cx + dx, row, settings.policies[index].label,
                    "class=\"mark \(colour(index))\" text-anchor=\"\(anchor)\"")
                break
            }
        }
        return chart.svg("Mean cost and expected shortfall of every policy")
    }

    private var distributionChart: String {
        let count = result.summaries.count
        let row = 30.0
        let (left, right, top) = (330.0, 1020.0, 22.0)
        let bottom = top + row * Double(count) + 12
        var chart = Chart(width: 1040, height: bottom + 46)
        let samples = settings.policies.indices.map { result.figures.values(.profit, policy: $0) }
        let all = samples.flatMap { $0 }.sorted()
        guard let first = all.first, let last = all.last else { return "" }
        let cut = all.count / 200
        let low = min(all[cut], result.summaries.map { -$0.shortfall95.value }.min() ?? first)
        let high = all.count > 2 * cut ? all[all.count - 1 - cut] : last
        let x = ChartScale([low, high], margin: 0.03, to: (left, right))
        chart.bottomAxis(x, from: top, to: bottom)
        chart.text((left + right) / 2, bottom + 40, "P&L, USD", "class=\"label\" text-anchor=\"middle\"")
        let bins = 90
        for (index, sample) in samples.enumerated() {
            let base = top + row * Double(index + 1)
            var heights = [Double](repeating: 0, count: bins)
            for value in sample where x.range.contains(value) {
                let share = (value - x.range.lowerBound) / (x.range.upperBound - x.range.lowerBound)
                heights[min(bins - 1, Int(share * Double(bins)))] += 1
            }
            // A little smoothing: neighbours at half weight.
            let smooth = heights.indices.map { bin in
                (2 * heights[bin] + (bin > 0 ? heights[bin - 1] : heights[bin])
                    + (bin + 1 < bins ? heights[bin + 1] : heights[bin])) / 4
            }
            let most = max(smooth.max() ?? 1, 1e-9)
            let width = (right - left) / Double(bins)
            var points = [(left, base)]
            points += smooth.indices.map {
                (left + (Double($0) + 0.5) * width, base - (row + 10) * smooth[$0] / most)
            }
            points.append((right, base))
            chart.path(points, "class=\"ridge \(colour(index))\"", closed: true)
            let summary = result.summaries[index]
            chart.circle(x(summary.meanProfit.value), base - 3, 3, "class=\"mean\"")
            let shortfall = x(-summary.shortfall95.value)
            if shortfall.isFinite { chart.line(shortfall, base - 13, shortfall, base, "class=\"shortfall\"") }
            chart.text(left - 12, base - 3, summary.policy, "class=\"row\" text-anchor=\"end\"")
        }
        return chart.svg("Distribution of profit and loss of every policy")
    }

    private var pathSection: String {
        let trace = settings.simulation.trace(policy: policy, path: path)
        let name = result.summaries[policy].policy
        let when = settings.replay.map { " from \($0.time(ofPath: path, step: 0).description)" } ?? ""
        let profit = result.figures.values(.profit, policy: policy)
        let rank = profit.filter { $0 < profit[path] }.count
        let share = 100 * Double(rank) / Double(max(1, profit.count))
        return """
            <p>\(name.escaped) on path \(path)\(when), which ended at \(profit[path].money) USD; \
            \(share < 10 ? share.grouped(decimals: 1) : share.grouped(decimals: 0))% of the paths ended lower.
            The band of the middle panel is what the policy left the delta in; where the venue was down or its prices
            old, the ground is shaded. Below, sums since the start: the market's moves against what the options cost
            (gamma scalping), changes of volatility (vega), what was left unhedged, costs, and the rest: higher order,
            basis, interest. They add up to profit and loss.</p>
            <p class="legend"><span><i class="buy"></i>bought</span><span><i class="sell"></i>sold</span>\
            <span><i class="f0"></i>delta of book and hedge</span><span><i class="f4"></i>gamma scalping</span>\
            <span><i class="f5"></i>vega</span><span><i class="f1"></i>unhedged delta</span>\
            <span><i class="f6"></i>costs</span><span><i class="rest"></i>the rest</span><span><i class="f7"></i>profit and loss</span></p>
            \(TraceChart(trace).svg)
            """
    }

    // MARK: Tables

    private func name(_ policy: Int) -> String {
        let star = result.frontier.contains(policy) ? " <b title=\"on the frontier\">★</b>" : ""
        return "<td><i class=\"\(colour(policy))\"></i>\(result.summaries[policy].policy.escaped)\(star)</td>"
    }

    private func cell(_ estimate: Estimate) -> String {
        guard estimate.standardError.isFinite else { return "<td>\(estimate.value.money)</td>" }
        return "<td>\(estimate.value.money)<small>±\((1.96 * estimate.standardError).money)</small></td>"
    }

    private var summaryTable: String {
        Page.table(
            [
                "policy", "cost", "P&amp;L", "deviation", "ES 95%", "ES 99%", "worst<br>drawdown", "trades",
                "turnover", "liqui-<br>dations", "outside<br>limit", "un-<br>hedged",
            ],
            result.summaries.enumerated().map { index, summary in
                [
                    name(index), cell(summary.meanCost), cell(summary.meanProfit), cell(summary.deviation),
                    cell(summary.shortfall95), cell(summary.shortfall99),
                    "<td>\(summary.worstDrawdown.money)</td>",
                    "<td>\(summary.trades.value.grouped(decimals: 1))</td>",
                    "<td>\(summary.turnover.value.money)</td>",
                    "<td>\(summary.liquidations.value.grouped(decimals: 2))</td>",
                    "<td>\((100 * summary.timeOutside.value).grouped(decimals: 1))%</td>",
                    "<td>\((100 * summary.timeUnhedged.value).grouped(decimals: 2))%</td>",
                ]
            })
    }

    private var comparisonTable: String {
        func cell(_ estimate: Estimate) -> String {
            let isChance = estimate.interval.contains(0)
            let sign = estimate.value > 0 ? "+" : ""
            return
                "<td\(isChance ? " class=\"chance\"" : "")>\(sign)\(estimate.value.money)"
                + (estimate.standardError.isFinite
                    ? "<small>±\((1.96 * estimate.standardError).money)</small></td>" : "</td>")
        }
        return Page.table(
            ["policy", "cost", "P&amp;L", "deviation", "ES 95%", "ES 99%"],
            result.comparisons.enumerated().filter { $0.offset != result.reference }.map {
                index, comparison in
                [
                    name(index), cell(comparison.cost), cell(comparison.profit), cell(comparison.deviation),
                    cell(comparison.shortfall95), cell(comparison.shortfall99),
                ]
            })
    }

    private var partsTable: String {
        let shown = ProfitPart.allCases.filter { part in
            result.summaries.contains { abs($0.parts[part]?.value ?? 0) > 0 }
        }
        return Page.table(
            ["policy", "sum"] + shown.map { $0.name.replacingOccurrences(of: "_", with: "<br>") },
            result.summaries.enumerated().map { index, summary in
                [name(index), "<td>\(summary.meanProfit.value.money)</td>"]
                    + shown.map { "<td>\((summary.parts[$0]?.value ?? 0).money)</td>" }
            })
    }
}

extension Double {
    /// Dollars as a table shows them.
    fileprivate var money: String {
        guard isFinite else { return "–" }
        return grouped(decimals: magnitude < 1 ? 3 : magnitude < 100 ? 1 : 0)
    }
}
