import Market
import Risk
import VectorMath

/// A Greek on which a policy may keep a band.
public enum RebalancedGreek: String, Sendable, CaseIterable {
    case delta, gamma, vega, theta
}

extension RebalancedGreek {
    /// Whether a limit's Greek is this one.
    func isMeasured(by greek: ExposureGreek) -> Bool {
        switch self {
        case .delta: greek == .delta || greek == .netDelta
        case .gamma: greek == .gamma
        case .vega: greek == .vega
        case .theta: greek == .theta
        }
    }

    /// One natural unit in the units of `ExposureGreek` in US dollars.
    func limitUnits(_ spot: Double) -> Double {
        switch self {
        case .delta: spot
        case .gamma: spot * spot / 100
        case .vega: 1.0 / 100
        case .theta: 1 / Year.days
        }
    }

    /// An amount in the unit of a limit in natural units, at eight spots.
    func natural(ofLimit amount: Double, spot: Lanes) -> Lanes {
        let amount = Lanes(repeating: amount)
        return switch self {
        case .delta: amount / spot
        case .gamma: amount * Lanes(repeating: 100) / (spot * spot)
        case .vega: amount * Lanes(repeating: 100)
        case .theta: amount * Lanes(repeating: Year.days)
        }
    }
}
