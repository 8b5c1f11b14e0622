import Foundation
import Poise

/// The drawings of a margin's page.
extension MarginSections {
    // MARK: Scenarios

    /// A map per underlying: moves from left to right, everything else from top to bottom.
    var scenarios: String {
        let losses = report.requirement.losses
        guard !losses.isEmpty else { return "<p>This rule has no scenarios.</p>\n" }
        var text = "<p>Gains and losses in \(currency.escaped) as the rule counts them. "
        if let worst = report.requirement.worst {
            let loss = losses[worst]
            text += "The worst is framed: \(loss.title.escaped), \(loss.loss.significant.escaped) lost."
        }
        text += "</p>\n"
        var names: [String] = []
        for loss in losses where loss.move != nil && !names.contains(loss.underlying) {
            names.append(loss.underlying)
        }
        let scale = HeatScale(losses.map(\.loss))
        for name in names {
            let places = losses.indices.filter { losses[$0].underlying == name && losses[$0].move != nil }
            if names.count > 1 { text += "<h3>\(name.escaped)</h3>\n" }
            text += heatMap(places, scale, name)
        }
        let rest = losses.filter { $0.move == nil }
        if !rest.isEmpty {
            text += Page.table(
                ["other scenarios", "loss"],
                rest.map { ["<td>\($0.title.escaped)</td>", cell($0.loss, signed: false)] })
        }
        return text
    }

    private func heatMap(_ places: [Int], _ scale: HeatScale, _ name: String) -> String {
        struct Column: Hashable {
            let move: Double
            let inPart: Bool
        }
        let losses = report.requirement.losses
        var cells: [Column: [String: Int]] = [:]
        var rows: [String] = []
        for place in places {
            let loss = losses[place]
            let column = Column(move: loss.move ?? 0, inPart: loss.countsInPart)
            if cells[column]?[loss.besides] == nil { cells[column, default: [:]][loss.besides] = place }
            if !rows.contains(loss.besides) { rows.append(loss.besides) }
        }
        let columns = cells.keys.sorted { ($0.inPart ? 1 : 0, $0.move) < ($1.inPart ? 1 : 0, $1.move) }
        let (side, high, gap) = (56.0, 40.0, 12.0)
        let left = 24 + 6.6 * Double(rows.map(\.count).max() ?? 0)
        func x(_ place: Int) -> Double { left + Double(place) * side + (columns[place].inPart ? gap : 0) }
        let isSplit = columns.contains { $0.inPart } && columns.contains { !$0.inPart }
        let width = left + Double(columns.count) * side + (isSplit ? gap : 0) + 8
        var chart = Chart(width: max(680, width), height: 52 + Double(rows.count) * high)
        if isSplit, let first = columns.firstIndex(where: \.inPart) {
            chart.text(x(first), 14, "counted in part", "class=\"tick\"")
        }
        for (place, column) in columns.enumerated() {
            let title = ScenarioGrid.percent((column.move * 1e4).rounded() / 1e4)
                .replacingOccurrences(of: "-", with: "−")
            chart.text(x(place) + side / 2, 34, title, "class=\"tick\" text-anchor=\"middle\"")
        }
        for (row, title) in rows.enumerated() {
            let top = 42 + Double(row) * high
            chart.text(left - 10, top + high / 2 + 4, title, "class=\"row\" text-anchor=\"end\"")
            for (place, column) in columns.enumerated() {
                guard let scenario = cells[column]?[title] else { continue }
                let profit = 0 - losses[scenario].loss
                let isWorst = scenario == report.requirement.worst
                chart.rectangle(
                    x(place) + 1, top + 1, side - 2, high - 2,
                    "rx=\"2\" fill=\"\(scale.colour(profit))\"\(isWorst ? " class=\"worst\"" : "")",
                    title: "\(losses[scenario].title): \(profit.significant)")
                chart.text(
                    x(place) + side / 2, top + high / 2 + 4, profit.amount,
                    "class=\"cell\(scale.isDark(profit) ? " light" : "")\"")
            }
        }
        return "<div class=\"scroll\">"
            + chart.svg(
                "Gains in all scenarios\(name.isEmpty ? "" : " of \(name)")", least: width) + "</div>\n"
    }

    // MARK: Liquidation

    var liquidations: String {
        var text = ""
        for (place, liquidation) in report.liquidations.enumerated() {
            if report.liquidations.count > 1 { text += "<h3>\(liquidation.underlying.escaped)</h3>\n" }
            if place < report.alongPrice.count { text += chart(liquidation, report.alongPrice[place]) }
        }
        let rows = report.liquidations.flatMap { at -> [[String]] in
            let spot = at.spot
            guard !at.prices.isEmpty else {
                return [
                    ["<td>\(at.underlying.escaped)</td>", cell(spot), "<td>none in range</td>", "<td></td>"]
                ]
            }
            return at.prices.map { price in
                let move = ScenarioGrid.percent(((price / spot - 1) * 1e4).rounded() / 1e4)
                return [
                    "<td>\(at.underlying.escaped)</td>", cell(spot), cell(price),
                    "<td>\(move.replacingOccurrences(of: "-", with: "−"))</td>",
                ]
            }
        }
        return text + Page.table(["underlying", "index", "nothing left at", "move"], rows)
    }

    private func chart(_ liquidation: MarginReport.Liquidation, _ points: [MarginReport.Point]) -> String {
        guard let first = points.first, let last = points.last else { return "" }
        var chart = Chart(width: 1040, height: 340)
        let (left, right, top, bottom) = (76.0, 1020.0, 22.0, 290.0)
        let x = ChartScale(first.at...last.at, to: (left, right))
        let y = ChartScale(
            points.flatMap { [$0.maintenanceBalance, $0.initialBalance] } + [0], to: (bottom, top))
        if y.range.lowerBound < 0 {
            chart.rectangle(left, y(0), right - left, bottom - y(0), "class=\"down\"")
        }
        chart.leftAxis(y, from: left, to: right)
        chart.bottomAxis(x, from: top, to: bottom)
        chart.line(x(liquidation.spot), top, x(liquidation.spot), bottom, "class=\"zero\"")
        chart.text(x(liquidation.spot), top - 7, "now", "class=\"tick\" text-anchor=\"middle\"")
        chart.path(points.map { (x($0.at), y($0.initialBalance)) }, "class=\"curve s f1\"")
        chart.path(points.map { (x($0.at), y($0.maintenanceBalance)) }, "class=\"curve s f0\"")
        for price in liquidation.prices where x.range.contains(price) {
            chart.circle(x(price), y(0), 4.5, "class=\"dot f3\"", title: price.significant)
            let isLeft = price < liquidation.spot
            chart.text(
                x(price) + (isLeft ? 8 : -8), y(0) - 9, price.significant,
                "class=\"row\" text-anchor=\"\(isLeft ? "start" : "end")\"")
        }
        chart.text(
            (left + right) / 2, bottom + 38, "\(liquidation.underlying), dollars",
            "class=\"label\" text-anchor=\"middle\"")
        return
            "<p class=\"legend\"><span><i class=\"f0\"></i>left over maintenance, \(currency.escaped)</span>"
            + "<span><i class=\"f1\"></i>left over initial margin</span></p>\n<div class=\"scroll wide\">"
            + chart.svg("What is left by the price of \(liquidation.underlying)") + "</div>\n"
    }

    // MARK: Time

    var ahead: String {
        let points = report.alongTime
        guard let last = points.last else { return "<p>Not looked at.</p>\n" }
        var chart = Chart(width: 1040, height: 300)
        let (left, right, top, bottom) = (76.0, 1020.0, 14.0, 250.0)
        let x = ChartScale(0...last.at, to: (left, right))
        let y = ChartScale(
            points.flatMap { [$0.initialMargin, $0.maintenanceMargin] } + [0], to: (bottom, top))
        chart.leftAxis(y, from: left, to: right)
        chart.bottomAxis(x, from: top, to: bottom)
        for step in report.steps ?? [] {
            let at = x(step.seconds / 86400)
            chart.line(at, top, at, bottom, "class=\"zero\" stroke-dasharray=\"2 3\"")
        }
        chart.path(points.map { (x($0.at), y($0.initialMargin)) }, "class=\"curve s f1\"")
        chart.path(points.map { (x($0.at), y($0.maintenanceMargin)) }, "class=\"curve s f0\"")
        chart.text((left + right) / 2, bottom + 38, "days", "class=\"label\" text-anchor=\"middle\"")
        let drawn =
            "<p class=\"legend\"><span><i class=\"f1\"></i>initial margin, \(currency.escaped)</span>"
            + "<span><i class=\"f0\"></i>maintenance</span></p>\n<div class=\"scroll wide\">"
            + chart.svg("Margin over the days ahead") + "</div>\n"
        guard let steps = report.steps, !steps.isEmpty else {
            return drawn + "<p>No step in this time.</p>\n"
        }
        let causes: [MarginStep.Cause: String] = [
            .expiry: "settles", .power: "30 days left", .averaging: "delivery price is averaged",
        ]
        return drawn
            + Page.table(
                [
                    "in days", "expiry", "what", "initial<br>before", "after", "a day<br>later",
                    "left over<br>maintenance",
                ],
                steps.map { step in
                    [
                        "<td>\((step.seconds / 86400).grouped(decimals: 2))</td>",
                        "<td>\(step.expiry.escaped)</td>", "<td>\((causes[step.cause] ?? "").escaped)</td>",
                        cell(step.initialBefore), cell(step.initialAfter), cell(step.initialDayLater),
                        cell(step.maintenanceBalanceAfter),
                    ]
                })
    }
}
