import Foundation

/// The infimum of a function over all log-moneynesses, and where: −∞ or ∞ where it is a wing's limit.
public struct LeastValue: Sendable, Equatable {
    public let value, at: Double
}

extension SVISlice {
    /// The infimum of g over all strikes.
    ///
    /// A scan finds a candidate; the polynomial of `butterfly` proves that nothing lies below it or shows where.
    /// - Accuracy: 1e-10 of 1 + |g|; the place to 1e-9 of 1 + |k|.
    /// - Precondition: `isCurve`, with a least variance above 0.
    public var leastDurrleman: LeastValue {
        if b == 0 { return LeastValue(value: 1, at: .infinity) }
        var least = LowestPoint { durrleman(at: m + sigma * sinh($0)) }
        least.prove { bound in
            guard case .negative(let k) = signOfDurrleman(less: bound) else { return nil }
            return asinh((k - m) / sigma)
        }
        least.settle { durrlemanSlope(at: m + sigma * sinh($0)) }
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
    /// - Accuracy: 1e-10 of the gap and 1e-16 of the variances; the place as far as slopes of variances tell.
    public func leastGap(to later: SVISlice) -> LeastValue? {
        guard later.leftSlope >= leftSlope, later.rightSlope >= rightSlope else { return nil }
        let scale = max(sigma, later.sigma)
        let centre = 0.5 * (m + later.m)
        var least = LowestPoint { gap(to: later, at: centre + scale * sinh($0)) }
        least.prove { bound in
            guard case .negative(let k) = signOfGap(to: later, less: bound) else { return nil }
            return asinh((k - centre) / scale)
        }
        least.settle {
            let k = centre + scale * sinh($0)
            return later[k].slope - self[k].slope
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

    /// g'(k).
    private func durrlemanSlope(at k: Double) -> Double {
        let point = self[k]
        let (w, slope, curvature) = (point.variance, point.slope, point.curvature)
        let x = k - m
        let third = -3 * curvature * x / (x * x + sigma * sigma)
        let lean = slope / w
        let h = 1 - 0.5 * k * lean
        let change = -0.5 * (lean + k * (curvature / w - lean * lean))
        return 2 * h * change - 0.5 * slope * curvature * (1 / w + 0.25) + 0.25 * slope * lean * lean
            + 0.5 * third
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
///
/// About a minimum values differ by less than they are rounded: its place is where the slope changes sign.
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

    /// On to where the slope, of which the sign is asked, leads from below 0 to above.
    mutating func settle(_ slope: (Double) -> Double) {
        var reach = 1e-7
        while reach < 0.1, !(slope(at - reach) < 0 && slope(at + reach) > 0) { reach *= 4 }
        guard reach < 0.1 else { return }
        var (low, high) = (at - reach, at + reach)
        for _ in 0..<64 {
            let middle = low + 0.5 * (high - low)
            if slope(middle) < 0 { low = middle } else { high = middle }
        }
        let found = function(high)
        guard found <= value + 1e-10 * value.magnitude + 1e-13 else { return }
        (value, at) = (min(value, found), high)
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
