import Glibc

/// Nodes, points and weights of a level: the same for every option, as all times are fractions of its own.
///
/// The boundary B is known at Chebyshev's nodes fᵢ of √(τ/T), as H = ln²(B/X) with X its limit at expiry. An integral over
/// the time m until exercise, up to τ, is taken by Gauss and Legendre's rule in the angle of m = τ sin²θ, in which both the
/// kernel at m = 0 and the boundary at τ − m = 0, which begins like a square root, are smooth. Hence √((τ − m)/T) = fᵢ cos θ,
/// and H there is a fixed sum of its values at the nodes.
public struct AmericanRule: @unchecked Sendable {
    public let nodes, points, sweeps, premiumPoints: Int
    @usableFromInline let relaxation: Double
    /// fᵢ, from 1 downwards; 0, where H is 0, is left out.
    @usableFromInline let fractions: UnsafePointer<Double>
    /// Of each point of the boundary's integrals sin θ, its inverse, sin² θ and the weight.
    @usableFromInline let point: UnsafePointer<RulePoint>
    /// `nodes` weights of H for each node and point.
    @usableFromInline let interpolation: UnsafePointer<Double>
    /// The same of the premium's integral, from the whole time on.
    @usableFromInline let premiumPoint: UnsafePointer<RulePoint>
    @usableFromInline let premiumInterpolation: UnsafePointer<Double>
    /// Eights of doubles that a body works in.
    public var workingLanes: Int { 2 * nodes * points + 4 * nodes + 8 * PremiumVariant.count }

    /// Kept for the life of the process.
    init(_ level: AmericanLevel) {
        (nodes, points) = (level.nodes, level.points)
        (sweeps, premiumPoints) = (level.sweeps, level.premiumPoints)
        relaxation = level.relaxation
        let nodes = nodes
        let places = (0...nodes).map { cos(Double($0) * .pi / Double(nodes)) }
        let fractions = places.map { (1 + $0) / 2 }
        let own = Self.rulePoints(level.points)
        let whole = Self.rulePoints(level.premiumPoints)
        func weights(_ fraction: Double, _ point: RulePoint) -> [Double] {
            let place = 2 * fraction * point.cosine - 1
            let terms = places.indices.map { index in
                (index & 1 == 0 ? 1.0 : -1.0) * (index == 0 || index == nodes ? 0.5 : 1)
                    / (place - places[index])
            }
            let sum = terms.reduce(0, +)
            return terms.dropLast().map { $0 / sum }
        }
        self.fractions = Self.kept(Array(fractions.dropLast()))
        point = Self.kept(own)
        premiumPoint = Self.kept(whole)
        interpolation = Self.kept(
            fractions.dropLast().flatMap { fraction in own.flatMap { weights(fraction, $0) } })
        premiumInterpolation = Self.kept(whole.flatMap { weights(1, $0) })
    }

    private static func kept<T>(_ values: [T]) -> UnsafePointer<T> {
        let place = UnsafeMutablePointer<T>.allocate(capacity: values.count)
        place.initialize(from: values, count: values.count)
        return UnsafePointer(place)
    }

    private static func rulePoints(_ count: Int) -> [RulePoint] {
        legendre(count).map { x, weight in
            let angle = (1 + x) * .pi / 4
            let (sine, cosine) = (sin(angle), cos(angle))
            return RulePoint(
                sine: sine, inverse: 1 / sine, square: sine * sine, weight: weight * .pi / 2 * sine * cosine,
                cosine: cosine)
        }
    }

    /// Gauss and Legendre's abscissas and weights on [−1, 1], by Newton's method on the polynomial.
    static func legendre(_ count: Int) -> [(Double, Double)] {
        (0..<count).map { index in
            var x = -cos(.pi * (Double(index) + 0.75) / (Double(count) + 0.5))
            var slope = 0.0
            for _ in 0..<8 {
                var (before, value) = (1.0, x)
                for order in 1..<count {
                    let k = Double(order)
                    (before, value) = (value, ((2 * k + 1) * x * value - k * before) / (k + 1))
                }
                slope = Double(count) * (x * value - before) / (x * x - 1)
                x -= value / slope
            }
            return (x, 2 / ((1 - x * x) * slope * slope))
        }
    }
}

/// A point of an integral over m = τ sin²θ.
@usableFromInline
struct RulePoint {
    @usableFromInline let sine, inverse, square: Double
    /// dm/τ.
    @usableFromInline let weight: Double
    @usableFromInline let cosine: Double
}
