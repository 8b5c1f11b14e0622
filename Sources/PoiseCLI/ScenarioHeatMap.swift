import Foundation
import Poise

/// A scenario report as a picture: the totals as a large heat map with a number in every cell, every group as a small
/// one. Prices move from left to right, volatility and time from top to bottom; losses are red, gains blue.
struct ScenarioHeatMap {
    private let report: ScenarioReport
    private let asOf: Timestamp?
    private let ladder: ScenarioLadder

    init(_ report: ScenarioReport, asOf: Timestamp?) {
        self.report = report
        self.asOf = asOf
        ladder = report.ladder
    }

    // Sizes in pixels.
    private let margin = 40.0
    private let cellHeight = 46.0
    private let gap = 14.0
    /// Room for the names of the rows.
    private var labelWidth: Double {
        max(120, 7 * Double(ladder.columns.map(\.count).max() ?? 0) + 24)
    }

    private var unit: String { report.numeraire.unit }
    private var cellWidth: Double { ladder.rows.count > 24 ? 48 : 64 }
    private var tailGap: Double { hasTail ? gap : 0 }
    private var hasTail: Bool { ladder.fullCount > 0 && ladder.fullCount < ladder.rows.count }
    private var mapWidth: Double { Double(ladder.rows.count) * cellWidth + tailGap }
    private var mapHeight: Double { Double(ladder.columns.count) * cellHeight }
    private var width: Double { max(760, 2 * margin + labelWidth + mapWidth) }

    /// The whole document.
    var svg: String {
        var body = ""
        var y = margin + 22
        body += text(margin, y, report.grid.name, "title")
        y += 24
        let held = report.groups.count == 1 ? "1 group" : "\(report.groups.count) groups"
        let moment = asOf.map { ", as of \($0)" } ?? ""
        body += text(
            margin, y,
            "Profit in \(unit) by move of the price\(report.sticky): \(report.grid.count) scenarios, "
                + "\(held)\(moment)", "note")
        y += 34
        let totals = report.totals.filter { $0.title == "total" || report.numeraire == .coin }
        for line in totals {
            body += map(line, y: &y)
            y += 36
        }
        body += panels(y: &y)
        let height = y + margin - 10
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(n(width)) \(n(height))" \
            width="\(n(width))" height="\(n(height))" role="img">
            <title>\(report.grid.name.escaped)</title>
            <style>
            text { font-family: Inter, "Helvetica Neue", Helvetica, Arial, sans-serif; fill: #1f2933; }
            .title { font-size: 22px; font-weight: 600; } .note { font-size: 13px; fill: #52606d; }
            .name { font-size: 15px; font-weight: 600; } .axis { font-size: 12px; fill: #52606d; }
            .cell { font-size: 12px; text-anchor: middle; } .end { text-anchor: end; }
            .middle { text-anchor: middle; } .small { font-size: 11px; } .loss { fill: #a3201a; }
            .light { fill: #ffffff; }
            </style>
            <rect width="100%" height="100%" fill="#ffffff"/>
            \(body)</svg>

            """
    }

    /// One large map, with its axes and its scale.
    private func map(_ line: ScenarioReport.Line, y: inout Double) -> String {
        var body = ""
        let title = line.title == "total" ? "All books" : "All books, \(line.title.dropFirst(6))"
        body += text(margin, y, title, "name")
        let worst = line.worst
        body += text(
            margin + labelWidth, y,
            "worst \(line.profits[worst].amount) at \(report.grid.title(worst)); best "
                + "\(line.profits[line.best].amount) at \(report.grid.title(line.best))", "note")
        y += 30
        let left = margin + labelWidth
        for (row, own) in ladder.rows.enumerated() {
            let x = left + place(row) + cellWidth / 2
            body += text(x, y, ScenarioGrid.percent(own.spot), "axis middle")
            if own.dampening != 1 {
                body += text(x, y - 13, "× \(String(format: "%.3g", own.dampening))", "axis middle small")
            }
        }
        y += 10
        let scale = HeatScale(line.profits)
        for (column, name) in ladder.columns.enumerated() {
            let top = y + Double(column) * cellHeight
            body += text(left - 10, top + cellHeight / 2 + 4, name, "axis end")
            for row in ladder.rows.indices {
                let x = left + place(row)
                guard let scenario = ladder.cells[row][column] else { continue }
                let profit = line.profits[scenario]
                body += rectangle(
                    x + 1, top + 1, cellWidth - 2, cellHeight - 2, scale.colour(profit),
                    outlined: scenario == worst)
                let shade = scale.isDark(profit) ? "cell light" : "cell"
                body +=
                    "<text x=\"\(n(x + cellWidth / 2))\" y=\"\(n(top + cellHeight / 2 + 4))\" class=\"\(shade)\">"
                    + "<title>\(report.grid.title(scenario).escaped): \(profit)</title>"
                    + "\(profit.amount)</text>\n"
            }
        }
        y += mapHeight + 22
        body += legend(scale, y: y, left: left)
        y += 18
        return body
    }

    /// From loss to gain, with the ends and the middle named.
    private func legend(_ scale: HeatScale, y: Double, left: Double) -> String {
        var body = ""
        let (steps, step) = (60, 4.0)
        for number in 0..<steps {
            let profit = (2 * (Double(number) + 0.5) / Double(steps) - 1) * scale.largest
            body +=
                "<rect x=\"\(n(left + Double(number) * step))\" y=\"\(n(y - 9))\" width=\"\(n(step + 0.5))\" "
                + "height=\"10\" fill=\"\(scale.colour(profit))\"/>\n"
        }
        let width = Double(steps) * step
        body += text(left - 8, y, (-scale.largest).amount, "axis end small")
        body += text(left + width + 8, y, scale.largest.amount + " " + unit, "axis small")
        body += rectangle(left + width + 150, y - 9, 14, 10, "#ffffff", outlined: true)
        body += text(left + width + 170, y, "worst scenario", "axis small")
        return body
    }

    /// All groups as small maps, each in colours of its own scale, the largest losses first.
    private func panels(y: inout Double) -> String {
        let shown = report.groups.sorted { $0.profits[$0.worst] < $1.profits[$1.worst] }.prefix(60)
        guard shown.count > 1 else { return "" }
        var body = text(margin, y, "Groups, largest loss first", "name")
        body += text(
            margin + 222, y, "each in colours of its own scale; below it, its worst scenario", "note")
        y += 26
        let perRow = 4
        let step = (width - 2 * margin + 24) / Double(perRow)
        let width = step - 24
        let cell = width / (Double(ladder.rows.count) + (hasTail ? 0.5 : 0))
        let high = min(18, max(5, 90 / Double(max(1, ladder.columns.count))))
        let panelHeight = 20 + high * Double(ladder.columns.count) + 34
        for (number, line) in shown.enumerated() {
            let x = margin + Double(number % perRow) * step
            let top = y + Double(number / perRow) * panelHeight
            body += text(x, top + 10, line.title, "axis")
            body += text(x + width, top + 10, line.profits[line.worst].amount, "axis end loss")
            let scale = HeatScale(line.profits)
            let worst = line.worst
            for column in ladder.columns.indices {
                for row in ladder.rows.indices {
                    guard let scenario = ladder.cells[row][column] else { continue }
                    let shift = hasTail && row >= ladder.fullCount ? cell / 2 : 0
                    body += rectangle(
                        x + Double(row) * cell + shift, top + 17 + Double(column) * high, cell - 0.6,
                        high - 0.6, scale.colour(line.profits[scenario]), outlined: scenario == worst)
                }
            }
            body += text(
                x, top + 31 + high * Double(ladder.columns.count), report.grid.title(line.worst), "axis small"
            )
        }
        y += panelHeight * Double((shown.count + perRow - 1) / perRow)
        if report.groups.count > shown.count {
            body += text(margin, y, "and \(report.groups.count - shown.count) more", "note")
            y += 20
        }
        return body
    }

    /// From the left of the map to a row of the ladder; dampened ones stand apart.
    private func place(_ row: Int) -> Double {
        Double(row) * cellWidth + (row >= ladder.fullCount ? tailGap : 0)
    }

    private func rectangle(
        _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ fill: String, outlined: Bool
    ) -> String {
        let line = outlined ? " stroke=\"#111111\" stroke-width=\"2\"" : ""
        return "<rect x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\" rx=\"2\" "
            + "fill=\"\(fill)\"\(line)/>\n"
    }

    private func text(_ x: Double, _ y: Double, _ content: String, _ style: String) -> String {
        let content = content.replacingOccurrences(of: " -", with: " −")
        let signed = content.hasPrefix("-") ? "−" + content.dropFirst() : content
        return "<text x=\"\(n(x))\" y=\"\(n(y))\" class=\"\(style)\">\(signed.escaped)</text>\n"
    }

    /// A length with at most two decimals.
    private func n(_ value: Double) -> String { value.length(decimals: 2) }
}
