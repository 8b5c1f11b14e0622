import Foundation

// Sums of two slices have no polynomial of a low degree: g is bounded on boxes of strikes and weights.
extension SmileSection {
    /// Whether a butterfly is left at any strike, decided for all of them.
    ///
    /// A slice by itself, raised or not, has the certificate of `SVISlice`; a mix of two that of `Between`.
    public var butterfly: SVISlice.Butterfly {
        if farWeight == 0 {
            return SVISlice(
                a: nearWeight * near.a + lift, b: nearWeight * near.b, rho: near.rho, m: near.m,
                sigma: near.sigma
            ).butterfly
        }
        return Between(near, far, lift: lift).butterfly(farWeight...farWeight)
    }
}

extension VolatilitySurface {
    /// What may be wrong with a surface, at the fitted expiries and between them.
    public struct Certificate: Sendable, Equatable {
        /// Of each expiry.
        public var slices: [SVISlice.Butterfly] = []
        /// Of each expiry and the next.
        public var calendar: [SVISlice.Calendar] = []
        /// At all times between each expiry and the next.
        public var between: [SVISlice.Butterfly] = []

        /// Whether all of that is proved to be free of arbitrage.
        public var isFree: Bool {
            slices.allSatisfy { $0 == .free } && calendar.allSatisfy { $0 == .free }
                && between.allSatisfy { $0 == .free }
        }
    }

    /// Butterflies and calendar spreads of the whole surface up to the last expiry, decided for all strikes and times.
    ///
    /// Before the first expiry nothing is to be asked: g of s·w is concave in s, above 0 at s = 0, so that it is above 0
    /// where it is at s = 1. Beyond the last ask the section.
    public var certificate: Certificate {
        var result = Certificate()
        for (place, expiry) in expiries.enumerated() {
            result.slices.append(expiry.slice.butterfly)
            guard place > 0 else { continue }
            let before = expiries[place - 1].slice
            result.calendar.append(before.calendar(to: expiry.slice))
            result.between.append(Between(before, expiry.slice, lift: 0).butterfly(0...1))
        }
        return result
    }
}

/// g of (1 − λ) w₁ + λ w₂ + lift, from below, on boxes of k and λ: halves of a box are looked at until each is proved to
/// be above 0, a point lies below, or so many have been looked at.
private struct Between {
    let near, far: SVISlice
    let lift: Double
    private let centre, scale: Double

    init(_ near: SVISlice, _ far: SVISlice, lift: Double) {
        self.near = near
        self.far = far
        self.lift = lift
        centre = 0.5 * (near.m + far.m)
        scale = max(near.sigma, far.sigma, (near.m - far.m).magnitude)
    }

    /// A box: t = arsinh((k − centre)/scale), and λ.
    private struct Box {
        var low, high: Double
        var least, most: Double
    }

    private func k(_ t: Double) -> Double { centre + scale * sinh(t) }

    func butterfly(_ weights: ClosedRange<Double>) -> SVISlice.Butterfly {
        guard near.isCurve, far.isCurve, min(near.leastVariance, far.leastVariance) + lift > 0 else {
            return .noVariance
        }
        let (least, most) = (weights.lowerBound, weights.upperBound)
        for weight in [least, most] {
            for (one, other) in [(near.leftSlope, far.leftSlope), (near.rightSlope, far.rightSlope)]
            where (1 - weight) * one + weight * other > 2 {
                return .steepWing
            }
        }
        let end = 12.0
        for side in [-1.0, 1] {
            guard isPositiveBeyond(k(side * end), side, weights, depth: 12) else {
                return .border(near: k(side * end))
            }
        }
        var boxes = [Box(low: -end, high: end, least: least, most: most)]
        var undecided: Double?
        var looked = 0
        while let box = boxes.popLast() {
            looked += 1
            let (t, weight) = ((box.low + box.high) / 2, (box.least + box.most) / 2)
            let found = g(k(t), weight)
            if found < -1e-13 { return .arbitrage(at: k(t)) }
            if bound(box, found) > 0 { continue }
            if looked > 200_000 || box.high - box.low < 1e-9 {
                undecided = undecided ?? k(t)
                if looked > 200_000 { break }
                continue
            }
            let (first, second) = halves(box)
            boxes.append(first)
            boxes.append(second)
        }
        return undecided.map { .border(near: $0) } ?? .free
    }

    private func g(_ k: Double, _ weight: Double) -> Double {
        let (one, other) = (near[k], far[k])
        return SVISlice.Point(
            variance: (1 - weight) * one.variance + weight * other.variance + lift,
            slope: (1 - weight) * one.slope + weight * other.slope,
            curvature: (1 - weight) * one.curvature + weight * other.curvature
        ).durrleman(at: k)
    }

    private func halves(_ box: Box) -> (Box, Box) {
        var (first, second) = (box, box)
        if box.high - box.low >= box.most - box.least {
            first.high = 0.5 * (box.low + box.high)
            second.low = first.high
        } else {
            first.most = 0.5 * (box.least + box.most)
            second.least = first.most
        }
        return (first, second)
    }

    /// A lower bound of g on a box: that of interval arithmetic, or the middle's value less the derivatives' bounds.
    private func bound(_ box: Box, _ middle: Double) -> Double {
        let k = Interval(self.k(box.low), self.k(box.high))
        let weight = Interval(box.least, box.most)
        let (one, other) = (SliceBounds(near, k), SliceBounds(far, k))
        let w = one.variance.mixed(other.variance, weight) + Interval(lift, lift)
        let slope = one.slope.mixed(other.slope, weight)
        let bend = one.curvature.mixed(other.curvature, weight)
        guard w.low > 0 else { return -.infinity }
        let inverse = Interval(1 / w.high, 1 / w.low)
        let h = Interval(1, 1) - (k * slope * inverse).scaled(0.5)
        let steep = slope.squared.scaled(0.25)
        let direct = h.squared - steep * (inverse + Interval(0.25, 0.25)) + bend.scaled(0.5)
        let slack = 1e-13 * (1 + direct.low.magnitude + direct.high.magnitude)
        if direct.low - slack > 0 { return direct.low - slack }
        // ∂g/∂w = (h k w' + w'²/4)/w², ∂g/∂w' = −h k/w − (w'/2)(1/w + 1/4), ∂g/∂w'' = 1/2, ∂g/∂k = −h w'/w.
        let byVariance = (h * k * slope + steep) * inverse.squared
        let bySlope = Interval(0, 0) - h * k * inverse - slope.scaled(0.5) * (inverse + Interval(0.25, 0.25))
        let third = one.third.mixed(other.third, weight)
        let byMoneyness =
            byVariance * slope + bySlope * bend + third.scaled(0.5) - h * slope * inverse
        let byWeight =
            byVariance * (other.variance - one.variance) + bySlope * (other.slope - one.slope)
            + (other.curvature - one.curvature).scaled(0.5)
        let at = self.k((box.low + box.high) / 2)
        let apart = max(k.high - at, at - k.low)
        let rise = byMoneyness.magnitude * apart + 0.5 * byWeight.magnitude * (box.most - box.least)
        return middle - rise * (1 + 1e-12) - slack
    }

    /// Whether g is above 0 from a strike on, weights halved until it shows.
    private func isPositiveBeyond(
        _ k: Double, _ side: Double, _ weights: ClosedRange<Double>, depth: Int
    ) -> Bool {
        if isPositiveBeyond(k, side, weights) { return true }
        guard depth > 0, weights.upperBound > weights.lowerBound else { return false }
        let middle = 0.5 * (weights.lowerBound + weights.upperBound)
        return isPositiveBeyond(k, side, weights.lowerBound...middle, depth: depth - 1)
            && isPositiveBeyond(k, side, middle...weights.upperBound, depth: depth - 1)
    }

    /// The same for weights as a whole: w' and w'' keep what they have there, k/w lies between its values there and at
    /// infinity.
    private func isPositiveBeyond(_ k: Double, _ side: Double, _ weights: ClosedRange<Double>) -> Bool {
        let weight = Interval(weights.lowerBound, weights.upperBound)
        func hull(_ slice: SVISlice) -> (variance: Interval, slope: Interval) {
            let point = slice[k]
            let slope = side * point.slope
            let far = side > 0 ? slice.rightSlope : slice.leftSlope
            return (Interval(point.variance, point.variance), Interval(min(slope, far), far))
        }
        let (one, other) = (hull(near), hull(far))
        let w = one.variance.mixed(other.variance, weight) + Interval(lift, lift)
        // Outward slope of w, and outward k.
        let slope = one.slope.mixed(other.slope, weight)
        let out = side * k
        guard w.low > 0, out > 0, slope.low >= 0 else { return false }
        // Outward slope times k/w: at k, and at infinity at most the largest slope over the least.
        let here = Interval(out / w.high, out / w.low)
        let product: Interval
        if slope.low > 0 {
            let ratio = Interval(min(here.low, 1 / slope.high), max(here.high, 1 / slope.low))
            product = slope * ratio
        } else {
            product = slope * here
            guard slope.high < 1e-3 * w.low / out else { return false }
        }
        let h = Interval(1, 1) - product.scaled(0.5)
        let steep = slope.squared.scaled(0.25)
        let inverse = Interval(0, 1 / w.low)
        return (h.squared - steep * (inverse + Interval(0.25, 0.25))).low > 0
    }
}

/// Bounds of a slice and its derivatives between two strikes.
private struct SliceBounds {
    let variance, slope, curvature, third: Interval

    init(_ slice: SVISlice, _ k: Interval) {
        let (low, high) = (slice[k.low], slice[k.high])
        slope = Interval(low.slope, high.slope)
        let least =
            low.slope < 0 && high.slope > 0 ? slice.leastVariance : min(low.variance, high.variance)
        variance = Interval(least, max(low.variance, high.variance))
        let isInside = k.low <= slice.m && slice.m <= k.high
        let peak = isInside ? slice.b / slice.sigma : max(low.curvature, high.curvature)
        curvature = Interval(min(low.curvature, high.curvature), peak)
        let distance = isInside ? 0 : min((k.low - slice.m).magnitude, (k.high - slice.m).magnitude)
        let reach = (distance * distance + slice.sigma * slice.sigma).squareRoot()
        third = Interval(-3 * peak / reach, 3 * peak / reach)
    }
}

/// Numbers between two bounds. Rounding is left to whoever uses it.
private struct Interval {
    var low, high: Double

    init(_ low: Double, _ high: Double) {
        self.low = low
        self.high = high
    }

    var magnitude: Double { max(low.magnitude, high.magnitude) }

    var squared: Interval {
        let (a, b) = (low * low, high * high)
        return Interval(low <= 0 && high >= 0 ? 0 : min(a, b), max(a, b))
    }

    func scaled(_ factor: Double) -> Interval { Interval(factor * low, factor * high) }

    /// (1 − weight)·this + weight·other, for weights from 0 to 1.
    func mixed(_ other: Interval, _ weight: Interval) -> Interval {
        func at(_ share: Double, _ one: Double, _ other: Double) -> Double {
            (1 - share) * one + share * other
        }
        return Interval(
            min(at(weight.low, low, other.low), at(weight.high, low, other.low)),
            max(at(weight.low, high, other.high), at(weight.high, high, other.high)))
    }

    static func + (a: Interval, b: Interval) -> Interval { Interval(a.low + b.low, a.high + b.high) }
    static func - (a: Interval, b: Interval) -> Interval { Interval(a.low - b.high, a.high - b.low) }

    static func * (a: Interval, b: Interval) -> Interval {
        let (p, q, r, s) = (a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high)
        return Interval(min(min(p, q), min(r, s)), max(max(p, q), max(r, s)))
    }
}
