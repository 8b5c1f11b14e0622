import Foundation

/// The infimum of a function over all log-moneynesses, and where: −∞ or ∞ where it is a wing's limit.
public struct LeastValue: Sendable, Equatable {
    public let value, at: Double
}

extension SVISlice {
    /// The infimum of g over all strikes.
    ///
    /// A scan finds a candidate; the polynomial of `butterfly` proves that nothing lies below it or shows where.
    /// - Accuracy: 1e-10 of 1 + |g|.
    /// - Precondition: `isCurve`, with a least variance above 0.
    public var leastDurrleman: LeastValue {
        if b == 0 { return LeastValue(value: 1, at: .infinity) }
        var least = LowestPoint { durrleman(at: m + sigma * sinh($0)) }
        least.prove { bound in
            guard case .negative(let k) = signOfDurrleman(less: bound) else { return nil }
            return asinh((k - m) / sigma)
        }
        var result = LeastValue(value: least.value, at: m + sigma * sinh(least.at))
        for (slope, end) in [(leftSlope, -Double.infinity), (rightSlope, Double.infinity)] where slope > 0 {
            // What lies no lower than the limit by more than rounding is the limit, approached.
            let limit = (4 - slope * slope) / 16
            if result.value > limit - 1e-12 { result = LeastValue(value: limit, at: end) }
        }
        return result
    }

    /// The infimum over all strikes of a later slice's total variance less this one's, at equal log-moneyness; nil where a
    /// wing of the later one is flatter, so that there is none.
    ///
    /// - Accuracy: 1e-10 of the gap and 1e-16 of the variances.
    public func leastGap(to later: SVISlice) -> LeastValue? {
        guard later.leftSlope >= leftSlope, later.rightSlope >= rightSlope else { return nil }
        let scale = max(sigma, later.sigma)
        let centre = 0.5 * (m + later.m)
        var least = LowestPoint { gap(to: later, at: centre + scale * sinh($0)) }
        least.prove { bound in
            guard case .negative(let k) = signOfGap(to: later, less: bound) else { return nil }
            return asinh((k - centre) / scale)
        }
        var result = LeastValue(value: least.value, at: centre + scale * sinh(least.at))
        // Where slopes are equal the gap has a limit: that of the asymptotes.
        for (own, other, side) in [
            (leftSlope, later.leftSlope, -1.0), (rightSlope, later.rightSlope, 1.0),
        ] where own == other {
            // What lies no lower than it by more than rounding is the limit, approached.
            let limit = later.a - a - side * own * (later.m - m)
            if result.value > limit - 1e-15 { result = LeastValue(value: limit, at: side * .infinity) }
        }
        return result
    }

    /// Less this one's total variance: of slopes that cancel far out nothing is left but what is not.
    private func gap(to later: SVISlice, at k: Double) -> Double {
        let (x, y) = (k - m, k - later.m)
        guard x * y > 0 else { return later.variance(at: k) - variance(at: k) }
        let side = x < 0 ? -1.0 : 1.0
        let (own, other) = x < 0 ? (leftSlope, later.leftSlope) : (rightSlope, later.rightSlope)
        let asymptotes = later.a - a + side * ((other - own) * x - other * (later.m - m))
        return asymptotes + later.aboveAsymptote(y) - aboveAsymptote(x)
    }

    private func aboveAsymptote(_ x: Double) -> Double {
        b * sigma * sigma / (x.magnitude + (x * x + sigma * sigma).squareRoot())
    }
}

/// The lowest point found of a function of t, from a scan of |t| ≤ 16.
private struct LowestPoint {
    private let function: (Double) -> Double
    private(set) var value: Double
    private(set) var at: Double

    init(_ function: @escaping (Double) -> Double) {
        self.function = function
        (value, at) = (.infinity, 0)
        for step in -64...64 {
            let t = Double(step) / 4
            let found = function(t)
            if found < value { (value, at) = (found, t) }
        }
        descend(from: at)
    }

    /// Goes on from points that lie lower, until `below` knows none that is lower than a bound just under the lowest.
    mutating func prove(_ below: (Double) -> Double?) {
        for _ in 0..<32 {
            guard let t = below(value - 1e-10 * value.magnitude - 1e-13) else { return }
            let before = value
            descend(from: t)
            if !(value < before) { return }
        }
    }

    /// Downhill from a point: steps that double until the function rises, then golden section.
    private mutating func descend(from start: Double) {
        var step = 0.05
        var (middle, lowest) = (start, function(start))
        if function(start - step) < function(start + step) { step = -step }
        var behind = middle - step
        var ahead = middle + step
        while abs(ahead) < 40, case let next = function(ahead), next < lowest {
            (behind, middle, lowest) = (middle, ahead, next)
            step *= 2
            ahead = middle + step
        }
        let ratio = 0.6180339887498949
        var (low, high) = (min(behind, ahead), max(behind, ahead))
        var (x, y) = (high - ratio * (high - low), low + ratio * (high - low))
        var (atX, atY) = (function(x), function(y))
        for _ in 0..<80 {
            if atX < atY {
                (high, y, atY) = (y, x, atX)
                x = high - ratio * (high - low)
                atX = function(x)
            } else {
                (low, x, atX) = (x, y, atY)
                y = low + ratio * (high - low)
                atY = function(y)
            }
        }
        for (t, found) in [(middle, lowest), (x, atX), (y, atY)] where found < value {
            (value, at) = (found, t)
        }
    }
}
