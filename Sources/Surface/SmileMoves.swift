import Foundation
import Market

/// How the smiles of a chain moved from one moment to another, in a trader's terms.
public struct SmileMoves: Sendable {
    /// What the volatility of an option moved by, as its expiry's curves have it: σ(k) = level + skew · k + the rest of the curve,
    /// k = ln(strike/forward), before and after. The sum is the curves' move from the option's place then to its place now.
    public struct Move: Sendable, Equatable {
        /// Of volatility at the money.
        public let level: Double
        /// Of the tangent at the money, the option's own move along it with the forward among it.
        public let skew: Double
        /// Of what lies above the tangent.
        public let wings: Double
    }

    private let before, after: [String: SmileFit]

    public init(from before: SurfaceFit, to after: SurfaceFit) {
        func byName(_ fit: SurfaceFit) -> [String: SmileFit] {
            Dictionary(
                fit.slices.filter(\.isUsable).map { ($0.smile.name, $0) },
                uniquingKeysWith: { first, _ in first })
        }
        self.before = byName(before)
        self.after = byName(after)
    }

    /// The move of an option's volatility while its forward went from one price to another; nil where its expiry has no curve
    /// that keeps the rule at either moment.
    public func move(of instrument: Instrument, from start: Double, to end: Double) -> Move? {
        guard case .option(_, let strike, _) = instrument.kind, start > 0, end > 0,
            let before = before[instrument.series], let after = after[instrument.series],
            let one = Self.parts(before, log(strike / start)),
            let other = Self.parts(after, log(strike / end))
        else { return nil }
        return Move(
            level: other.level - one.level, skew: other.skew - one.skew, wings: other.wings - one.wings)
    }

    private static func parts(_ fit: SmileFit, _ k: Double) -> (level: Double, skew: Double, wings: Double)? {
        guard let slice = fit.slice else { return nil }
        let level = slice.volatility(at: 0, years: fit.smile.years)
        // σ' = w'/(2σT).
        let skew = slice[0].slope / (2 * level * fit.smile.years) * k
        let wings = slice.volatility(at: k, years: fit.smile.years) - level - skew
        guard (level + skew + wings).isFinite else { return nil }
        return (level, skew, wings)
    }
}
