import Checks
import Market
import VectorMath

/// Back to neutral on a clock: when the interval since the last trade is over.
///
/// - Input: years since the last trade; realised volatility where the interval follows it.
public struct TimePolicy: RebalancingPolicy {
    /// Years between trades.
    public let intervalYears: Double
    /// The dependence of the interval on volatility.
    public let adjustment: VolatilityAdjustment?

    /// - Throws: for an interval that is not positive.
    public init(intervalYears: Double, adjustment: VolatilityAdjustment? = nil) throws(RebalancingError) {
        try RebalancingError.require(intervalYears, "interval", .positive)
        self.intervalYears = intervalYears
        self.adjustment = adjustment
    }

    public var name: String {
        "every \(Self.text(intervalYears))" + (adjustment.map { " \($0.text)" } ?? "")
    }
    public var realisedVolatility: RealisedVolatility? { adjustment?.estimator }

    public func band(_ state: borrowing RebalancingState) -> RebalancingBand {
        // A thousandth of the interval for the rounding of times.
        var due = Lanes(repeating: 0.999 * intervalYears)
        if let adjustment { due *= adjustment.factor(state) }
        let elapsed = state.yearsSinceHedge
        return .hold.replacing(with: .neutral, where: elapsed .>= due)
            .replacing(with: .unknown, where: .!(elapsed .== elapsed))
    }

    /// Years as hours, to four digits.
    static func text(_ years: Double) -> String {
        let hours = years * Year.days * 24
        return "\((hours * 1e4).rounded() / 1e4) h"
    }
}

extension TimePolicy: ConfiguredPolicy {
    package static var kind: String { "clock" }

    package static func family(
        _ settings: Settings, _ market: PolicyMarket
    ) throws -> PolicyFamily {
        let adjustment = try VolatilityAdjustment(settings, market)
        return try PolicyFamily(
            adjustment == nil ? "clock" : "volatility-scaled", settings, "hours", unit: " h"
        ) { try TimePolicy(intervalYears: $0 / Year.hours, adjustment: adjustment) }
    }
}
