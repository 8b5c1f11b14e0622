import Checks

/// Scenarios as data: by how much prices, volatilities, rates and time move, and how much of the profit counts.
///
/// An exchange's margin grid is a file of these (see `ScenarioGrid.init(_:)` for the format). Prices move in
/// proportion, each future by the same share of its own; while the exchange averages the delivery price
/// (`SettlementWindow`) only the part of it that is not yet known does.
public struct ScenarioGrid: Sendable, Equatable {
    /// A change of volatility: σ' = max(least, σ max(0, 1 + relative·t) · wing + (parallel + skew·k) t), where
    /// k = ln(K/F) before the move and t = (30 days/max(T, leastDays))ᵖ, with the short-term power up to 30 days to
    /// expiry and the long-term one beyond. With both powers 0, t is 1.
    /// - Source: the term rule is that of Deribit's and Derive's portfolio margin; so is `wing`.
    public struct VolatilityRule: Sendable, Equatable {
        /// Of σ: 0.5 adds half of it.
        public var relative = 0.0
        /// Added: 0.05 is five volatility points.
        public var parallel = 0.0
        /// Added per unit of ln(K/F).
        public var skew = 0.0
        public var shortTermPower = 0.0
        public var longTermPower = 0.0
        public var leastDays = 0.0
        /// Floor of σ', for volatilities that are shocked up.
        public var leastVolatility = 0.0
        public var wing: Wing?
        /// How slices of a surface move, before all of the above.
        public var smile: SmileTerms?
        /// By which volatility follows the price, β ln(F'/F), before all of the above: added to what `Stickiness` gives.
        public var spotBetas: SpotBetas?

        /// No change.
        public init() {}
    }

    /// A tilt of the smile: σ is multiplied by 1 + k·cap/width, at most 1 + cap for k ≥ 0 and at least 1 − cap for
    /// k < 0; not below 0.
    public struct Wing: Sendable, Equatable {
        /// Whether k is |ln(K/F)|: both wings move alike.
        public var isAbsolute = false
        /// cap = cap + capPerRootYear √T.
        public var cap = 0.0
        public var capPerRootYear = 0.0
        /// width = max(leastWidth, widthPerRootYear √T + widthPerYear T).
        public var widthPerRootYear = 0.0
        public var widthPerYear = 0.0
        public var leastWidth = 0.01

        public init() {}
    }

    /// The way in which a contract's volatility follows the price, before the rule is applied.
    public enum Stickiness: String, Sendable, CaseIterable {
        /// It stays.
        case strike
        /// It is the one that the smile of its expiry has at the new K/F.
        case moneyness
        /// It is the one that the smile has at the new delta. Without time passing that is `moneyness`.
        case delta
    }

    /// The price that stays where it is while a rate moves.
    public enum HeldPrice: String, Sendable, CaseIterable {
        /// The forward: a rate discounts, and does nothing else.
        case future
        /// The coin's: forwards rise with the rate, by exp(rate · T), and the dated futures of a chain with them.
        case spot
    }

    /// The part of an expiry's profit that enters a book's charge.
    public enum ExpiryLoss: String, Sendable, CaseIterable {
        case signed
        /// Minus its magnitude: whichever way the smile tilts, it hurts.
        case absolute
    }

    public struct Scenario: Sendable, Equatable {
        /// Relative move of prices: −0.16 is a fall by 16%; above −1.
        public var spot = 0.0
        /// Place in `rules`.
        public var rule = 0
        /// Time that passes, in days.
        public var days = 0.0
        /// Added to interest rates, per year.
        public var rate = 0.0
        /// What the rate leaves where it is; nil for the price that options are priced off: a chain's futures, the spot of
        /// plain legs. So a profit agrees with the rho beside it: of exposures and explained profits, or of `Greek`.
        public var rateHolds: HeldPrice?
        public var stickiness = Stickiness.strike
        /// By which the profit is multiplied.
        public var dampening = 1.0
        public var expiryLoss = ExpiryLoss.signed

        /// Nothing moves.
        public init() {}
    }

    public let name: String
    public let ruleNames: [String]
    public let rules: [VolatilityRule]
    public let scenarios: [Scenario]
    public let haircut: ExpiryHaircut?
    /// Whether scenarios differ in what volatilities stick to.
    private let hasSeveralStickinesses: Bool

    public var count: Int { scenarios.count }

    /// The most scenarios that a grid may have.
    public static let largestCount = 100_000

    /// - Throws: `RiskError.invalidValue` at the first rule or scenario that cannot be computed.
    public init(
        name: String, rules: [(name: String, rule: VolatilityRule)], scenarios: [Scenario],
        haircut: ExpiryHaircut? = nil
    ) throws(RiskError) {
        for (name, rule) in rules {
            if let (field, value, complaint) = rule.firstInvalid {
                throw .invalidValue(
                    of: "volatility rule \(name)", field: field, value: value, reason: complaint)
            }
        }
        try RiskError.require(
            .within(1...Double(Self.largestCount)), Double(scenarios.count), "scenarios", of: name)
        for (number, scenario) in scenarios.enumerated() {
            if let (field, value, complaint) = scenario.firstInvalid(ruleCount: rules.count) {
                throw .invalidValue(
                    of: "scenario \(number + 1)", field: field, value: value, reason: complaint)
            }
            // Histories measure volatility at the money, which sticky strike moves along the skew.
            let isHistorical = rules[scenario.rule].rule.spotBetas == .history
            if isHistorical, scenario.spot != 0, scenario.stickiness == .strike {
                throw .invalidValue(
                    of: "scenario \(number + 1)", field: "sticky", value: scenario.spot,
                    reason:
                        "betas of a history move volatility at the money: sticky must be moneyness or delta")
            }
        }
        if let (field, value, complaint) = haircut?.firstInvalid {
            throw .invalidValue(of: "expiry haircut", field: field, value: value, reason: complaint)
        }
        self.name = name
        ruleNames = rules.map(\.name)
        self.rules = rules.map(\.rule)
        self.scenarios = scenarios
        self.haircut = haircut
        hasSeveralStickinesses = scenarios.contains { $0.stickiness != scenarios[0].stickiness }
    }

    /// Whether profits are charged expiry by expiry, so that a book's are not the sum of its contracts'.
    public var isByExpiry: Bool { haircut != nil || scenarios.contains { $0.expiryLoss != .signed } }

    /// Whether some scenario needs a chain: its smiles, the slices of a surface, or contracts' underlyings and expiries.
    public var needsSmiles: Bool {
        followsSmiles || scenarios.contains { rules[$0.rule].smile != nil || rules[$0.rule].spotBetas != nil }
    }

    /// Whether some scenario moves volatilities along the smiles of a chain.
    var followsSmiles: Bool { scenarios.contains { $0.stickiness != .strike } }

    /// Whether some scenario moves the slices of a surface.
    public var needsSurface: Bool { scenarios.contains { rules[$0.rule].smile != nil } }

    /// Whether some scenario needs the betas of a history.
    public var needsHistoricalBetas: Bool { scenarios.contains { rules[$0.rule].spotBetas == .history } }

    /// The title of a scenario: `-16%, vol up, 1 day`. Moves that all scenarios share are left out.
    public func title(_ scenario: Int) -> String {
        let moves = scenarios[scenario]
        var parts = [Self.percent(moves.spot), "vol \(ruleNames[moves.rule])"]
        if moves.days != 0 { parts.append("\(Self.short(moves.days)) \(moves.days == 1 ? "day" : "days")") }
        if moves.rate != 0 {
            let held = moves.rateHolds.map { " (\($0) held)" } ?? ""
            parts.append("rate \(Self.percent(moves.rate))\(held)")
        }
        if moves.stickiness != .strike, hasSeveralStickinesses {
            parts.append("sticky \(moves.stickiness)")
        }
        return parts.joined(separator: ", ")
    }

    /// `-16%`, `+0.5%`, `0%`.
    public static func percent(_ value: Double) -> String {
        (value > 0 ? "+" : "") + short((value * 1e8).rounded() / 1e6) + "%"
    }

    /// Without `.0`.
    static func short(_ value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e15 ? "\(Int64(value))" : "\(value)"
    }
}

extension ScenarioGrid.VolatilityRule {
    /// The field that cannot be computed, as it is called in files.
    var firstInvalid: (field: String, value: Double, complaint: String)? {
        let range = NumberRule.within(-1000...1000)
        let own: [(String, Double, NumberRule)] = [
            ("relative", relative, range), ("parallel", parallel, range), ("skew", skew, range),
            ("short_term_power", shortTermPower, range), ("long_term_power", longTermPower, range),
            ("least_days", leastDays, .within(0...1e6)), ("least_vol", leastVolatility, .within(0...1e6)),
        ]
        if let bad = smile?.firstInvalid ?? spotBetas?.firstInvalid { return bad }
        guard let wing else { return NumberRule.firstBroken(own) }
        return NumberRule.firstBroken(
            own + [
                ("wing.cap", wing.cap, range), ("wing.cap_per_root_year", wing.capPerRootYear, range),
                ("wing.width_per_root_year", wing.widthPerRootYear, range),
                ("wing.width_per_year", wing.widthPerYear, range),
                ("wing.least_width", wing.leastWidth, .positiveUpTo(1000)),
            ])
    }
}

extension ScenarioGrid.Scenario {
    /// The field that cannot be computed, as it is called in files.
    func firstInvalid(ruleCount: Int) -> (field: String, value: Double, complaint: String)? {
        if rule < 0 || rule >= ruleCount { return ("vol", Double(rule), "must be a rule's place") }
        return NumberRule.firstBroken([
            ("spot", spot, .above(-1, upTo: 1e6)), ("days", days, .within(0...1e6)),
            ("rate", rate, .within(-10...10)), ("dampening", dampening, .within(0...1000)),
        ])
    }
}
