import Poise

/// One path of one policy: price and fills, delta and band, and where the money went, over the same time.
struct TraceChart {
    private let trace: [TracedStep]
    private let left = 72.0
    private let right = 1020.0

    init(_ trace: [TracedStep]) { self.trace = trace }

    var svg: String {
        guard let last = trace.last else { return "" }
        var chart = Chart(width: 1040, height: 700)
        let hours = trace.count > 1 ? trace[1].hours - trace[0].hours : 1
        let x = ChartScale(0...(last.hours + hours) / 24, to: (left, right))
        let panels = [(14.0, 194.0), (226.0, 406.0), (438.0, 654.0)]
        let ticks = x.ticks(10)
        for tick in ticks {
            for (top, bottom) in panels { chart.line(x(tick), top, x(tick), bottom, "class=\"grid\"") }
            chart.text(x(tick), 671, x.text(tick, ticks), "class=\"tick\" text-anchor=\"middle\"")
        }
        for (top, bottom) in panels { shadeOutages(&chart, x, hours, top, bottom) }
        drawPrice(&chart, x, panels[0])
        drawDelta(&chart, x, panels[1])
        drawMoney(&chart, x, panels[2])
        chart.text((left + right) / 2, 692, "days", "class=\"label\" text-anchor=\"middle\"")
        return chart.svg("Price, delta and profit along one path")
    }

    /// Every step, or as many as there are pixels.
    private var shown: [Int] {
        let stride = max(1, trace.count / 1500)
        return Array(Swift.stride(from: 0, to: trace.count, by: stride))
    }

    private func title(_ chart: inout Chart, _ text: String, _ panel: (Double, Double)) {
        let middle = (panel.0 + panel.1) / 2
        chart.text(
            16, middle, text, "class=\"label\" text-anchor=\"middle\" transform=\"rotate(-90 16 \(middle))\"")
    }

    private func shadeOutages(
        _ chart: inout Chart, _ x: ChartScale, _ hours: Double, _ top: Double, _ bottom: Double
    ) {
        var start: Int?
        for index in 0...trace.count {
            let isOut = index < trace.count && (trace[index].isDown || trace[index].isStale)
            if isOut, start == nil { start = index }
            guard !isOut, let first = start else { continue }
            let from = x(trace[first].hours / 24)
            let to = x((trace[index - 1].hours + hours) / 24)
            chart.rectangle(from, top, max(1.5, to - from), bottom - top, "class=\"down\"")
            start = nil
        }
    }

    private func drawPrice(_ chart: inout Chart, _ x: ChartScale, _ panel: (Double, Double)) {
        let y = ChartScale(trace.map(\.spot), to: (panel.1, panel.0))
        chart.leftAxis(y, from: left, to: right, count: 4)
        chart.path(
            shown.map { (x(trace[$0].hours / 24), y(trace[$0].spot)) }, "class=\"curve s f7\"")
        let fills = trace.filter { $0.filled != 0 }
        // Size by the trade, so that the first and the large ones stand out from the many.
        let largest = fills.map { abs($0.filled) }.max() ?? 1
        for fill in fills where abs(fill.filled) > 0.01 * largest || fills.count < 200 {
            chart.triangle(
                x(fill.hours / 24), y(fill.spot) + (fill.filled > 0 ? 9 : -9), up: fill.filled > 0,
                "class=\"\(fill.filled > 0 ? "buy" : "sell")\" "
                    + "opacity=\"\(0.35 + 0.65 * min(1, 4 * abs(fill.filled) / largest))\"")
        }
        title(&chart, "price, USD", panel)
    }

    private func drawDelta(_ chart: inout Chart, _ x: ChartScale, _ panel: (Double, Double)) {
        let net = trace.map { ($0.bookDelta + $0.hedgeBefore, $0.bookDelta + $0.hedgeAfter) }
        let edges = trace.flatMap { [$0.bandLower, $0.bandUpper] }.filter(\.isFinite)
        // Without the first step, at which the whole book is hedged at once.
        let values: [Double] = net.dropFirst().flatMap { step -> [Double] in [step.0, step.1] } + [0]
        let reach = max(values.map(abs).max() ?? 1, 1e-9)
        let y = ChartScale(
            values + edges.filter { abs($0) <= 3 * reach }, margin: 0.1, to: (panel.1, panel.0))
        func clipped(_ value: Double) -> Double { y(value.clamped(to: y.range)) }
        chart.leftAxis(y, from: left, to: right, count: 4)
        var band: [[(Double, Double)]] = [[], []]
        func flush(_ chart: inout Chart) {
            if band[0].count > 1 { chart.path(band[0] + band[1].reversed(), "class=\"band\"", closed: true) }
            band = [[], []]
        }
        for index in shown {
            let step = trace[index]
            // A clock's band is everything, then nothing: no area to show.
            guard step.bandLower.isFinite, step.bandUpper.isFinite else {
                flush(&chart)
                continue
            }
            band[0].append((x(step.hours / 24), clipped(step.bandUpper)))
            band[1].append((x(step.hours / 24), clipped(step.bandLower)))
        }
        flush(&chart)
        var points: [(Double, Double)] = []
        for index in trace.indices {
            let at = x(trace[index].hours / 24)
            points.append((at, clipped(net[index].0)))
            if trace[index].filled != 0 { points.append((at, clipped(net[index].1))) }
        }
        chart.path(points, "class=\"curve s f0\"")
        for index in trace.indices where trace[index].filled != 0 {
            chart.circle(
                x(trace[index].hours / 24), clipped(net[index].1), 2.4,
                "class=\"\(trace[index].filled > 0 ? "buy" : "sell")\"")
        }
        title(&chart, "delta, coins", panel)
    }

    private func drawMoney(_ chart: inout Chart, _ x: ChartScale, _ panel: (Double, Double)) {
        let curves: [(parts: [ProfitPart], colour: String)] = [
            ([.gamma, .rent], "f4"), ([.vega], "f5"), ([.unhedgedDelta], "f1"),
            (ProfitPart.allCases.filter(\.isCost), "f6"),
            ([.higherOrder, .carry, .basis, .interest], "rest"),
        ]
        let sums = curves.map { curve in
            trace.reduce(into: [0.0]) { sums, step in
                sums.append(curve.parts.reduce(sums[sums.count - 1]) { $0 + step.parts[$1.rawValue] })
            }
        }
        let equity = trace.map(\.equity)
        let y = ChartScale(equity + sums.flatMap { $0 } + [0], to: (panel.1, panel.0))
        chart.leftAxis(y, from: left, to: right, count: 4)
        func draw(_ values: [Double], _ colour: String) {
            chart.path(
                shown.map { (x(trace[$0].hours / 24), y(values[$0])) }, "class=\"curve s \(colour)\"")
        }
        for (curve, values) in zip(curves, sums) { draw(values, curve.colour) }
        draw(equity, "f7")
        title(&chart, "earned, USD", panel)
    }
}

extension Double {
    fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}
