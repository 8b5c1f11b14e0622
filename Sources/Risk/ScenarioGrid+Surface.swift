import Checks

/// What rules say about whole surfaces: moves in a trader's terms, and how volatility follows the price.
extension ScenarioGrid {
    /// A figure by days to expiry: straight between the days given, level beyond them.
    public struct TenorCurve: Sendable, Equatable {
        public let days, values: [Double]

        /// The same for all expiries.
        public init(_ value: Double) { (days, values) = ([0], [value]) }

        /// - Parameter days: ascending, as many as values; checked where a grid is made of it.
        public init(days: [Double], values: [Double]) { (self.days, self.values) = (days, values) }

        public static let zero = TenorCurve(0)

        public subscript(tenor: Double) -> Double {
            guard let first = days.first, tenor > first else { return values.first ?? 0 }
            guard let next = days.firstIndex(where: { $0 >= tenor }) else { return values.last ?? 0 }
            let part = (tenor - days[next - 1]) / (days[next] - days[next - 1])
            return values[next - 1] + part * (values[next] - values[next - 1])
        }

        func firstInvalid(
            _ name: String, _ rule: NumberRule
        ) -> (field: String, value: Double, complaint: String)? {
            guard !days.isEmpty, days.count == values.count else {
                return (name, Double(values.count), "must have as many values as days, at least one")
            }
            for (place, day) in days.enumerated() where place > 0 && !(day > days[place - 1]) {
                return (name, day, "days must ascend")
            }
            return NumberRule.firstBroken(
                days.map { (name, $0, .within(0...1e6)) } + values.map { (name, $0, rule) })
        }
    }

    /// How each expiry's slice of a surface moves, in a trader's terms and by days to expiry before time passes.
    public struct SmileTerms: Sendable, Equatable {
        /// Added to the volatility at the money; the rest of the slice goes along in proportion.
        public var level = TenorCurve.zero
        /// Added to ∂σ/∂k at the money.
        public var skew = TenorCurve.zero
        /// By what share the slopes of the wings over √w(0) rise.
        public var leftWing = TenorCurve.zero
        public var rightWing = TenorCurve.zero
        /// Added to the least volatility of any strike; where it is 0 the bend keeps its width.
        public var least = TenorCurve.zero

        /// No move.
        public init() {}
    }

    /// ∂σ/∂ln F, one for falls and one for rises.
    public enum SpotBetas: Sendable, Equatable {
        case given(down: TenorCurve, up: TenorCurve)
        /// Those of each underlying and tenor that a history of surfaces has: `HistoricalDynamics`.
        case history
    }
}

extension ScenarioGrid.SmileTerms {
    var firstInvalid: (field: String, value: Double, complaint: String)? {
        level.firstInvalid("smile.level", Self.point) ?? skew.firstInvalid("smile.skew", Self.slope)
            ?? leftWing.firstInvalid("smile.left_wing", Self.share)
            ?? rightWing.firstInvalid("smile.right_wing", Self.share)
            ?? least.firstInvalid("smile.least", Self.point)
    }

    static let point = NumberRule.within(-10...10)
    static let slope = NumberRule.within(-1000...1000)
    static let share = NumberRule.within(-1...1000)
}

extension ScenarioGrid.SpotBetas {
    var firstInvalid: (field: String, value: Double, complaint: String)? {
        guard case .given(let down, let up) = self else { return nil }
        return down.firstInvalid("spot_betas.down", Self.range)
            ?? up.firstInvalid("spot_betas.up", Self.range)
    }

    static let range = NumberRule.within(-1000...1000)
}

/// The slices of a chain's expiries, as scenarios move them. `SurfaceScenarios` of the room `Poise` is one.
public protocol ScenarioSurface: Sendable {
    /// By how much an expiry's volatility changes at a log-moneyness: a number at every one that is finite.
    /// - Parameter series: `Instrument.series`.
    /// - Throws: `missing(.surface)` where the expiry has no slice; `invalidValue` where the terms leave none.
    func change(
        of series: String, by terms: ScenarioGrid.SmileTerms, rule: String
    ) throws(RiskError) -> @Sendable (Double) -> Double
}
