import AmericanKernel
import Greeks
import GreeksKernel

extension AmericanStatus: CustomStringConvertible {
    /// As in tables.
    public var description: String {
        switch self {
        case .ok: "ok"
        case .exercise: "exercise"
        case .neverEarly: "never-early"
        case .doubleBoundary: "double-boundary"
        case .outsideRange: "outside-range"
        case .expired: "expired"
        }
    }

    /// Whether nothing was computed.
    public var isRefused: Bool { self == .doubleBoundary || self == .outsideRange }
}

extension AmericanVolatilityStatus: CustomStringConvertible {
    /// As in tables.
    public var description: String {
        switch self {
        case .ok: "ok"
        case .belowIntrinsic: "below-intrinsic"
        case .aboveMaximum: "above-maximum"
        case .notANumber: "not-a-number"
        case .expired: "expired"
        case .exercise: "exercise"
        case .doubleBoundary: "double-boundary"
        case .outsideRange: "outside-range"
        case .european: "european"
        }
    }

    /// That of a European price.
    init(_ status: VolatilityStatus) {
        switch status {
        case .ok: self = .ok
        case .belowIntrinsic: self = .belowIntrinsic
        case .aboveMaximum: self = .aboveMaximum
        case .notANumber: self = .notANumber
        case .expired: self = .expired
        // Digitals alone have two.
        case .two: self = .outsideRange
        }
    }
}
