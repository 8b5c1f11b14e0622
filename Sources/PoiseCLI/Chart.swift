import Foundation

/// A straight map from values to pixels, with ticks at round numbers.
package struct ChartScale {
    package let range: ClosedRange<Double>
    let pixels: (from: Double, to: Double)

    /// - Parameter range: of values; one whose ends differ in their last digits only, between which there is no room for
    ///   ticks, becomes wider.
    package init(_ range: ClosedRange<Double>, to pixels: (from: Double, to: Double)) {
        let (low, high) = (range.lowerBound, range.upperBound)
        let magnitude = max(low.magnitude, high.magnitude)
        let room = max(1, 1e-3 * magnitude)
        self.range = high - low > max(1e-9 * magnitude, 1e-300) ? range : low - room...high + room
        self.pixels = pixels
    }

    /// The range of values with room around them.
    init(_ values: [Double], margin: Double = 0.06, to pixels: (from: Double, to: Double)) {
        let known = values.filter(\.isFinite)
        let (low, high) = (known.min() ?? 0, known.max() ?? 1)
        let room = (high - low) * margin
        self.init(low - room...high + room, to: pixels)
    }

    func callAsFunction(_ value: Double) -> Double {
        let share = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
        return pixels.from + share * (pixels.to - pixels.from)
    }

    /// Round values, some `count` of them.
    package func ticks(_ count: Int) -> [Double] {
        let rough = (range.upperBound - range.lowerBound) / Double(max(1, count))
        let power = pow(10, floor(log10(rough)))
        let step = ([1, 2, 2.5, 5, 10].first { $0 * power >= rough } ?? 10) * power
        let first = (range.lowerBound / step).rounded(.up)
        return (0...100).map { (first + Double($0)) * step }.filter { $0 <= range.upperBound + step * 1e-9 }
    }

    /// A tick as text, with the decimals that its neighbours need.
    package func text(_ tick: Double, _ ticks: [Double]) -> String {
        let step = ticks.count > 1 ? ticks[1] - ticks[0] : max(1, abs(tick))
        let thousands = max(abs(range.lowerBound), abs(range.upperBound)) >= 20_000 && step >= 500
        let shown = thousands ? tick / 1000 : tick
        let decimals = max(0, min(6, Int(ceil(-log10(thousands ? step / 1000 : step) - 1e-9))))
        let digits = max(
            decimals, (thousands && step.truncatingRemainder(dividingBy: 1000) != 0) ? 1 : decimals)
        return shown.grouped(decimals: digits) + (thousands && tick != 0 ? "k" : "")
    }
}

/// A drawing in SVG, put together from the back to the front. Colours are classes of the page, so that it can be
/// shown light or dark.
struct Chart {
    let width, height: Double
    private(set) var body = ""

    init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    /// - Parameter least: pixels below which it is not drawn narrower.
    func svg(_ label: String, least: Double? = nil) -> String {
        let style = least.map { " style=\"min-width:\($0.pixel)px\"" } ?? ""
        return """
            <svg viewBox="0 0 \(width.pixel) \(height.pixel)"\(style) role="img" aria-label="\(label.escaped)">
            \(body)</svg>

            """
    }

    mutating func line(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String
    ) {
        body +=
            "<line x1=\"\(x1.pixel)\" y1=\"\(y1.pixel)\" x2=\"\(x2.pixel)\" y2=\"\(y2.pixel)\" \(style)/>\n"
    }

    mutating func rectangle(
        _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String, title: String = ""
    ) {
        let end = title.isEmpty ? "/>" : "><title>\(title.escaped)</title></rect>"
        body += "<rect x=\"\(x.pixel)\" y=\"\(y.pixel)\" width=\"\(max(0, width).pixel)\" "
        body += "height=\"\(max(0, height).pixel)\" \(style)\(end)\n"
    }

    mutating func circle(_ x: Double, _ y: Double, _ radius: Double, _ style: String, title: String = "") {
        let hint = title.isEmpty ? "" : "<title>\(title.escaped)</title>"
        body +=
            "<circle cx=\"\(x.pixel)\" cy=\"\(y.pixel)\" r=\"\(radius.pixel)\" \(style)>\(hint)</circle>\n"
    }

    mutating func text(_ x: Double, _ y: Double, _ text: String, _ style: String) {
        body += "<text x=\"\(x.pixel)\" y=\"\(y.pixel)\" \(style)>\(text.escaped)</text>\n"
    }

    mutating func path(_ points: [(Double, Double)], _ style: String, closed: Bool = false) {
        guard let first = points.first else { return }
        var data = "M\(first.0.pixel) \(first.1.pixel)"
        for point in points.dropFirst() { data += "L\(point.0.pixel) \(point.1.pixel)" }
        body += "<path d=\"\(data)\(closed ? "Z" : "")\" \(style)/>\n"
    }

    mutating func triangle(_ x: Double, _ y: Double, up: Bool, _ style: String) {
        let size = up ? -5.0 : 5.0
        path(
            [(x, y + size * 0.9), (x - 4.5, y - size * 0.7), (x + 4.5, y - size * 0.7)], style, closed: true)
    }

    /// Horizontal lines with numbers at their left end.
    mutating func leftAxis(_ scale: ChartScale, from left: Double, to right: Double, count: Int = 5) {
        let ticks = scale.ticks(count)
        for tick in ticks {
            line(left, scale(tick), right, scale(tick), tick == 0 ? "class=\"zero\"" : "class=\"grid\"")
            text(left - 8, scale(tick) + 4, scale.text(tick, ticks), "class=\"tick\" text-anchor=\"end\"")
        }
    }

    /// Vertical lines with numbers below.
    mutating func bottomAxis(_ scale: ChartScale, from top: Double, to bottom: Double, count: Int = 8) {
        let ticks = scale.ticks(count)
        for tick in ticks {
            line(scale(tick), top, scale(tick), bottom, tick == 0 ? "class=\"zero\"" : "class=\"grid\"")
            text(scale(tick), bottom + 17, scale.text(tick, ticks), "class=\"tick\" text-anchor=\"middle\"")
        }
    }
}

extension Double {
    /// A length in a drawing, with as many decimals as it has.
    /// - Parameter decimals: at most.
    func length(decimals: Int) -> String {
        let scale = pow(10, Double(decimals))
        let rounded = (self * scale).rounded() / scale
        return Int(exactly: rounded).map(String.init) ?? "\(rounded)"
    }

    /// A tenth of a pixel is enough.
    fileprivate var pixel: String {
        length(decimals: 1)
    }
}

extension String {
    /// Fit for HTML and SVG.
    var escaped: String {
        printable(keepsLines: true).replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(
            of: "<", with: "&lt;"
        )
        .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
    }
}
