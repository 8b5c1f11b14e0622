import Foundation
import Market
import Poise

/// A fitted surface as one page for a browser: term structure, smiles with their quotes, densities, arbitrage, quality.
struct SurfacePage {
    private let report: SurfaceReport
    private let source: String
    private let slices: [SmileFit]
    /// Those that have a curve.
    private let curves: [SmileFit]

    /// - Parameter source: where the quotes come from.
    init(_ report: SurfaceReport, source: String) {
        self.report = report
        self.source = source
        slices = report.fit.slices
        curves = slices.filter { $0.slice != nil }
    }

    private var underlyings: [String] {
        var names: [String] = []
        for fit in slices where !names.contains(fit.smile.underlying) { names.append(fit.smile.underlying) }
        return names
    }

    var html: String {
        Page.html(
            title: "Volatility surface",
            body: """
                <header>
                <h1>Volatility surface</h1>
                <p>\(source.escaped): \(slices.count) \(slices.count == 1 ? "expiry" : "expiries"), \(curves.count) with a curve; raw SVI by \
                \(report.loss == .band ? "distance outside of bid and ask" : "distance from the middle").</p>
                \(warnings)</header>
                <section>
                <h2>Term structure</h2>
                <p>Volatility at the money by expiry, and what it implies between one expiry and the next (steps).</p>
                \(underlyings.map(termStructure).joined())</section>
                <section>
                <h2>Smiles</h2>
                <p>Bars are bid to ask, arrows a side alone, the line is the fitted curve. Red is what the curve does not
                meet. Below each, ln(strike/forward); volatility in percent.</p>
                <div class="charts">
                \(curves.map(smileChart).joined())</div></section>
                <section>
                <h2>Density</h2>
                <p>The density of ln(price/forward) that each curve implies, in units of its own deviation at the money, against
                the normal one (grey). Below 0 would be a butterfly that costs nothing.</p>
                \(underlyings.map(densityChart).joined())</section>
                <section>
                <h2>Arbitrage</h2>
                <p>Total variance by ln(strike/forward): where a later expiry's curve lies below an earlier one's, a calendar
                spread costs nothing. The tables have what was decided for all strikes.</p>
                \(underlyings.map(varianceChart).joined())
                \(butterflyTable)\(calendarTable)</section>
                <section>
                <h2>Quality</h2>
                \(qualityTable)
                <h3>Forwards and quotes</h3>
                \(quoteTable)</section>

                """)
    }

    private var warnings: String {
        let odd = slices.filter { $0.status != .ok }
        guard !odd.isEmpty else { return "" }
        let list = odd.map { "\($0.smile.name) (\($0.status.rawValue))" }.joined(separator: ", ")
        return "<p class=\"warning\">Not fitted as asked: \(list.escaped).</p>\n"
    }

    private func curves(of underlying: String) -> [SmileFit] {
        curves.filter { $0.smile.underlying == underlying }.sorted { $0.smile.years < $1.smile.years }
    }

    /// Eight colours; dashes from the ninth on.
    private func colour(_ place: Int) -> String { "f\(place % 8)\(place / 8 % 2 == 1 ? " again" : "")" }

    private func legend(_ fits: [SmileFit]) -> String {
        let items = fits.enumerated().map { place, fit in
            "<span><i class=\"\(colour(place))\"></i>\(fit.smile.name.escaped)</span>"
        }
        return "<p class=\"legend\">\(items.joined())</p>\n"
    }

    private func title(_ underlying: String) -> String {
        underlyings.count > 1 ? "<h3>\(underlying.escaped)</h3>\n" : ""
    }

    // MARK: Charts

    private func termStructure(_ underlying: String) -> String {
        let fits = curves(of: underlying)
        guard !fits.isEmpty else { return "" }
        let days = fits.map { $0.smile.years * 365 }
        let levels = fits.map { 100 * ($0.slice?.volatility(at: 0, years: $0.smile.years) ?? .nan) }
        var forwards: [Double] = []
        var before = (years: 0.0, variance: 0.0)
        for fit in fits {
            let variance = fit.slice?.variance(at: 0) ?? .nan
            let step = (variance - before.variance) / (fit.smile.years - before.years)
            forwards.append(100 * max(0, step).squareRoot())
            before = (fit.smile.years, variance)
        }
        var chart = Chart(width: 1040, height: 330)
        let (left, right, top, bottom) = (64.0, 1020.0, 14.0, 280.0)
        // Square roots, so that near expiries do not lie on each other.
        let x = ChartScale(0...(days.max() ?? 1).squareRoot() * 1.04, to: (left, right))
        let y = ChartScale(levels + forwards, margin: 0.1, to: (bottom, top))
        chart.leftAxis(y, from: left, to: right)
        let ticks = [1.0, 7, 14, 30, 60, 90, 180, 365, 730, 1095].filter { $0 <= (days.max() ?? 1) * 1.08 }
        for tick in ticks {
            let at = x(tick.squareRoot())
            chart.line(at, top, at, bottom, "class=\"grid\"")
            chart.text(at, bottom + 17, tick.grouped(decimals: 0), "class=\"tick\" text-anchor=\"middle\"")
        }
        chart.text((left + right) / 2, bottom + 38, "days", "class=\"label\" text-anchor=\"middle\"")
        var steps: [(Double, Double)] = []
        var start = 0.0
        for (day, forward) in zip(days, forwards) {
            steps += [(x(start.squareRoot()), y(forward)), (x(day.squareRoot()), y(forward))]
            start = day
        }
        chart.path(steps, "class=\"curve s f1\" opacity=\"0.7\"")
        chart.path(zip(days, levels).map { (x($0.squareRoot()), y($1)) }, "class=\"curve s f0\"")
        for (place, fit) in fits.enumerated() {
            chart.circle(
                x(days[place].squareRoot()), y(levels[place]), 4, "class=\"dot f0\"",
                title: "\(fit.smile.name): \(levels[place].grouped(decimals: 2))%, "
                    + "forward \(forwards[place].grouped(decimals: 2))%")
        }
        return title(underlying)
            + "<p class=\"legend\"><span><i class=\"f0\"></i>at the money, %</span>"
            + "<span><i class=\"f1\"></i>between expiries, %</span></p>\n<div class=\"scroll wide\">"
            + chart.svg("Volatility at the money by expiry, \(underlying)") + "</div>\n"
    }

    private func smileChart(_ fit: SmileFit) -> String {
        guard let slice = fit.slice else { return "" }
        let smile = fit.smile
        let quotes = smile.quotes.filter { $0.weight > 0 && ($0.bid != nil || $0.ask != nil) }
        let places = quotes.map { log($0.strike / smile.forward) }
        var chart = Chart(width: 500, height: 300)
        let (left, right, top, bottom) = (48.0, 488.0, 10.0, 262.0)
        let x = ChartScale(places + [0], margin: 0.07, to: (left, right))
        let points = (0...120).map { step -> (k: Double, volatility: Double) in
            let k = x.range.lowerBound + (x.range.upperBound - x.range.lowerBound) * Double(step) / 120
            return (k, 100 * slice.volatility(at: k, years: smile.years))
        }
        // A far ask must not press the smile flat.
        let highest = 1.35 * (points.map(\.volatility).max() ?? 1)
        let sides = quotes.flatMap { [$0.bid, $0.ask] }.compactMap { $0.map { 100 * $0 } }
        let y = ChartScale(
            points.map(\.volatility) + sides.map { min($0, highest) }, margin: 0.05, to: (bottom, top))
        func clipped(_ value: Double) -> Double {
            y(min(max(value, y.range.lowerBound), y.range.upperBound))
        }
        chart.leftAxis(y, from: left, to: right)
        chart.bottomAxis(x, from: top, to: bottom, count: 6)
        for (quote, k) in zip(quotes, places) {
            let model = slice.volatility(at: k, years: smile.years)
            let isMet = model >= (quote.bid ?? 0) - 1e-4 && model <= (quote.ask ?? .infinity) + 1e-4
            let isCrossed = (quote.bid ?? 0) > (quote.ask ?? .infinity)
            let style =
                isCrossed ? "class=\"quote crossed\"" : isMet ? "class=\"quote\"" : "class=\"quote missed\""
            let at = x(k)
            switch (quote.bid, quote.ask) {
            case (let bid?, let ask?):
                let (low, high) = (clipped(100 * bid), clipped(100 * ask))
                chart.line(at, low, at, high, style)
                for end in [low, high] { chart.line(at - 3, end, at + 3, end, style) }
            case (let bid?, nil):
                chart.triangle(at, clipped(100 * bid), up: true, style)
            case (nil, let ask?):
                chart.triangle(at, clipped(100 * ask), up: false, style)
            case (nil, nil): break
            }
        }
        chart.path(points.map { (x($0.k), clipped($0.volatility)) }, "class=\"curve s f0\"")
        chart.text(
            (left + right) / 2, bottom + 33, "ln(strike/forward)", "class=\"label\" text-anchor=\"middle\"")
        let inside = fit.quality.map { "\((100 * $0.insideShare).grouped(decimals: 0))% inside" } ?? ""
        let status = fit.status == .ok ? "" : " <b class=\"bad\">\(fit.status.rawValue)</b>"
        return """
            <figure><figcaption><b>\(smile.name.escaped)</b> \((smile.years * 365).short) days, \(inside)\(status)</figcaption>
            \(chart.svg("Smile of \(smile.name)"))</figure>

            """
    }

    private func densityChart(_ underlying: String) -> String {
        let fits = curves(of: underlying)
        guard !fits.isEmpty else { return "" }
        var chart = Chart(width: 1040, height: 330)
        let (left, right, top, bottom) = (64.0, 1020.0, 14.0, 280.0)
        let x = ChartScale(-5...5, to: (left, right))
        let steps = (0...240).map { -5 + Double($0) / 24 }
        let densities = fits.map { fit -> [Double] in
            guard let slice = fit.slice else { return [] }
            let unit = slice.variance(at: 0).squareRoot()
            return steps.map { slice.density(at: $0 * unit) * unit }
        }
        let normal = steps.map { exp(-$0 * $0 / 2) / (2 * Double.pi).squareRoot() }
        let all = densities.flatMap { $0 }.filter(\.isFinite) + normal + [0]
        let y = ChartScale(all, margin: 0.05, to: (bottom, top))
        chart.leftAxis(y, from: left, to: right)
        chart.bottomAxis(x, from: top, to: bottom)
        chart.path(zip(steps, normal).map { (x($0), y($1)) }, "class=\"curve s rest\"")
        for (place, density) in densities.enumerated() {
            let points = zip(steps, density).filter { $0.1.isFinite }.map { (x($0.0), y($0.1)) }
            chart.path(points, "class=\"curve s \(colour(place))\"")
        }
        chart.text(
            (left + right) / 2, bottom + 38, "ln(price/forward), deviations",
            "class=\"label\" text-anchor=\"middle\"")
        return title(underlying) + legend(fits) + "<div class=\"scroll wide\">"
            + chart.svg("Densities that the curves imply, \(underlying)") + "</div>\n"
    }

    private func varianceChart(_ underlying: String) -> String {
        let fits = curves(of: underlying)
        guard !fits.isEmpty else { return "" }
        let places = fits.flatMap { fit in fit.smile.quotes.map { log($0.strike / fit.smile.forward) } }
            .sorted()
        guard let first = places.first, let last = places.last else { return "" }
        var chart = Chart(width: 1040, height: 360)
        let (left, right, top, bottom) = (64.0, 1020.0, 14.0, 310.0)
        let x = ChartScale([first, last, 0], margin: 0.05, to: (left, right))
        let steps = (0...200).map {
            x.range.lowerBound + (x.range.upperBound - x.range.lowerBound) * Double($0) / 200
        }
        let curves = fits.map { fit in steps.map { fit.slice?.variance(at: $0) ?? .nan } }
        let y = ChartScale(curves.flatMap { $0 } + [0], margin: 0.03, to: (bottom, top))
        chart.leftAxis(y, from: left, to: right)
        chart.bottomAxis(x, from: top, to: bottom)
        for (place, curve) in curves.enumerated() {
            chart.path(zip(steps, curve).map { (x($0), y($1)) }, "class=\"curve s \(colour(place))\"")
        }
        chart.text(
            (left + right) / 2, bottom + 38, "ln(strike/forward)", "class=\"label\" text-anchor=\"middle\"")
        return title(underlying) + legend(fits) + "<div class=\"scroll wide\">"
            + chart.svg("Total variance of all expiries, \(underlying)") + "</div>\n"
    }

    // MARK: Tables

    private func cell(_ value: Double?, decimals: Int? = nil) -> String {
        guard let value, value.isFinite else { return "<td>–</td>" }
        return "<td>\(decimals.map { value.grouped(decimals: $0) } ?? value.short)</td>"
    }

    private func name(_ fit: SmileFit) -> String { "<td>\(fit.smile.name.escaped)</td>" }

    private func status(_ fit: SmileFit) -> String {
        "<td\(fit.status == .ok ? "" : " class=\"bad\"")>\(fit.status.rawValue)</td>"
    }

    private var butterflyTable: String {
        Page.table(
            ["expiry", "status", "least g", "at ln(K/F)", "left wing", "right wing"],
            curves.map { fit in
                let least = fit.slice?.leastDurrleman
                let at = least.map { $0.at.isFinite ? "<td>\($0.at.short)</td>" : "<td>far out</td>" }
                return [
                    name(fit), status(fit), cell(least?.value), at ?? "<td></td>", cell(fit.slice?.leftSlope),
                    cell(fit.slice?.rightSlope),
                ]
            })
    }

    private var calendarTable: String {
        guard !report.fit.calendar.isEmpty else { return "" }
        return Page.table(
            ["earlier", "later", "least gap of variance", "at ln(K/F)"],
            report.fit.calendar.map { gap in
                let value = gap.least.map { cell($0.value) } ?? "<td class=\"bad\">a flatter wing</td>"
                let at = gap.least.map { $0.at.isFinite ? "<td>\($0.at.short)</td>" : "<td>far out</td>" }
                return [
                    "<td>\(gap.earlier.escaped)</td>", "<td>\(gap.later.escaped)</td>", value,
                    at ?? "<td></td>",
                ]
            })
    }

    private var qualityTable: String {
        Page.table(
            [
                "expiry", "status", "repair", "vol,<br>%", "rms,<br>points", "rms, half<br>spreads",
                "rms,<br>ticks",
                "largest,<br>points", "at<br>strike", "inside,<br>%", "oldest,<br>s",
            ],
            slices.map { fit in
                let quality = fit.quality
                return [
                    name(fit), status(fit), "<td>\(fit.slice == nil ? "–" : fit.repair.rawValue)</td>",
                    cell(fit.slice.map { 100 * $0.volatility(at: 0, years: fit.smile.years) }, decimals: 2),
                    cell(quality?.rootMeanSquare, decimals: 2),
                    cell(quality?.rootMeanSquareInHalfSpreads, decimals: 2),
                    cell(quality?.rootMeanSquareInTicks, decimals: 2),
                    cell(quality?.largestError, decimals: 2),
                    cell(quality?.largestErrorStrike),
                    cell(quality.map { 100 * $0.insideShare }, decimals: 0),
                    cell(quality?.age, decimals: 0),
                ]
            })
    }

    private var quoteTable: String {
        Page.table(
            ["expiry", "days", "forward", "by", "quotes", "left out"],
            slices.map { fit in
                let exclusions = fit.smile.exclusions(report.loss)
                let sides = fit.smile.refusedSides.text
                let why = exclusions.text + (sides.isEmpty ? "" : "; sides: \(sides)")
                return [
                    name(fit), cell(fit.smile.years * 365, decimals: 2), cell(fit.smile.forward, decimals: 2),
                    "<td class=\"words\">\("\(fit.smile.forwardSource)".escaped)</td>",
                    "<td>\(fit.usedCount(report.loss))</td>", "<td class=\"words\">\(why.escaped)</td>",
                ]
            })
    }
}
