import Foundation

/// Colours from the largest loss to an equal gain.
struct HeatScale {
    let largest: Double

    init(_ profits: [Double]) {
        let magnitude = profits.reduce(0) { max($0, $1.magnitude) }
        largest = magnitude > 0 ? magnitude : 1
    }

    // Red, white, blue: told apart also by those who don't see red and green.
    private static let losses: [(Double, Double, Double)] = [
        (250, 249, 247), (253, 219, 199), (244, 165, 130), (214, 96, 77), (165, 24, 38),
    ]
    private static let gains: [(Double, Double, Double)] = [
        (250, 249, 247), (209, 229, 240), (146, 197, 222), (67, 147, 195), (26, 88, 152),
    ]

    /// Small profits are told apart better than large ones.
    private func strength(_ profit: Double) -> Double { min(1, profit.magnitude / largest).squareRoot() }

    func isDark(_ profit: Double) -> Bool { strength(profit) > 0.72 }

    func colour(_ profit: Double) -> String {
        let stops = profit < 0 ? Self.losses : Self.gains
        let position = strength(profit) * Double(stops.count - 1)
        let low = min(Int(position), stops.count - 2)
        let part = position - Double(low)
        let (a, b) = (stops[low], stops[low + 1])
        func mixed(_ from: Double, _ to: Double) -> Int { Int((from + part * (to - from)).rounded()) }
        return String(format: "#%02x%02x%02x", mixed(a.0, b.0), mixed(a.1, b.1), mixed(a.2, b.2))
    }
}

extension Double {
    /// Three digits that people read: `-1.24 M`, `312 k`, `0.031`.
    var amount: String {
        let sizes: [(Double, String)] = [(1e9, " bn"), (1e6, " M"), (1e3, " k")]
        for (size, name) in sizes where magnitude >= size * 0.9995 { return (self / size).threeDigits + name }
        return threeDigits
    }

    private var threeDigits: String {
        guard self != 0 else { return "0" }
        let exponent = Int(log10(magnitude).rounded(.down))
        if exponent < -6 { return String(format: "%.1e", self) }
        let text = String(format: "%.\(Swift.max(0, 2 - exponent))f", self)
        return text.replacingOccurrences(of: "-", with: "−")
    }
}
