import Checks
import Market

extension ScenarioGrid {
    /// Reads a grid from JSON:
    ///
    ///     {"name": "…",
    ///      "vol_rules": {"up": {"relative": 0.5, "short_term_power": 0.3, "long_term_power": 0.13,
    ///                           "least_vol": 0.5}, "same": {}},
    ///      "scenarios": [{"spot": [-0.16, 0, 0.16], "vol": ["up", "same"], "days": 0, "dampening": 1}]}
    ///
    /// Each entry of `scenarios` stands for all combinations of its `spot`, `vol`, `days` and `rate`, each a value or
    /// a list; spot varies fastest, then vol, days, rate. Beside them it may name `sticky` (strike, moneyness,
    /// delta), `rate_holds` (future, spot; see `Scenario.rateHolds`), `dampening` and `expiry_loss` (signed, absolute). Rules have the fields of `VolatilityRule`
    /// (`relative`, `parallel`, `skew`, `short_term_power`, `long_term_power`, `least_days`, `least_vol`, `wing`
    /// with `kind`: linear or absolute, `cap`, `cap_per_root_year`, `width_per_root_year`, `width_per_year`,
    /// `least_width`; `smile` with `level`, `skew`, `left_wing`, `right_wing`, `least`; `spot_betas` with `down`, `up`, or
    /// `"history"`; each of those a value or `{"days": […], "values": […]}`); `expiry_haircut` those of `ExpiryHaircut`. What is left out is 0, `dampening` 1, `sticky`
    /// strike, and `vol` without change.
    /// - Throws: `MarketError` with file, line, field and value; unknown fields are errors.
    public init(_ source: Source) throws(MarketError) {
        let settings = try Settings(json: source)
        settings.ignore("comment")
        var rules: [(name: String, rule: VolatilityRule)] = []
        if let table = try settings.table("vol_rules") {
            for name in table.keys { rules.append((name, try table.required(name).volatilityRule())) }
        }
        let unchanged = rules.firstIndex { $0.rule == VolatilityRule() }
        if unchanged == nil { rules.append(("same", VolatilityRule())) }
        let numbers = Dictionary(rules.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { a, _ in a })
        var scenarios: [Scenario] = []
        for entry in try settings.tables("scenarios") {
            let combinations = try entry.scenarios(numbers, standard: unchanged ?? rules.count - 1)
            guard scenarios.count + combinations.count <= Self.largestCount else {
                throw entry.failure("", nil, "more than \(Self.largestCount) scenarios")
            }
            scenarios += combinations
        }
        guard !scenarios.isEmpty else { throw settings.failure("scenarios", "there is none") }
        let haircut = try settings.table("expiry_haircut")?.expiryHaircut()
        let name = try settings.text("name", default: source.name)
        try settings.finish()
        do throws(RiskError) {
            try self.init(name: name, rules: rules, scenarios: scenarios, haircut: haircut)
        } catch {
            // Fields have been checked one by one.
            throw .unreadable(file: source.name, reason: "\(error)")
        }
    }
}

extension Settings {
    fileprivate func volatilityRule() throws(MarketError) -> ScenarioGrid.VolatilityRule {
        var rule = ScenarioGrid.VolatilityRule()
        rule.relative = try number("relative", default: 0)
        rule.parallel = try number("parallel", default: 0)
        rule.skew = try number("skew", default: 0)
        rule.shortTermPower = try number("short_term_power", default: 0)
        rule.longTermPower = try number("long_term_power", default: 0)
        rule.leastDays = try number("least_days", default: 0)
        rule.leastVolatility = try number("least_vol", default: 0)
        if let table = try table("wing") { rule.wing = try table.wing() }
        if let table = try table("smile") { rule.smile = try table.smileTerms() }
        rule.spotBetas = try spotBetas()
        if let (field, _, complaint) = rule.firstInvalid {
            let found = field.hasPrefix("wing.") ? value["wing"]?[String(field.dropFirst(5))] : value[field]
            throw failure(field, found, complaint)
        }
        return rule
    }

    private func smileTerms() throws(MarketError) -> ScenarioGrid.SmileTerms {
        typealias Terms = ScenarioGrid.SmileTerms
        var terms = Terms()
        terms.level = try curve("level", Terms.point) ?? .zero
        terms.skew = try curve("skew", Terms.slope) ?? .zero
        terms.leftWing = try curve("left_wing", Terms.share) ?? .zero
        terms.rightWing = try curve("right_wing", Terms.share) ?? .zero
        terms.least = try curve("least", Terms.point) ?? .zero
        return terms
    }

    private func spotBetas() throws(MarketError) -> ScenarioGrid.SpotBetas? {
        guard let node = node("spot_betas") else { return nil }
        if node.string == "history" { return .history }
        guard case .object = node.content, let table = try table("spot_betas") else {
            throw failure("spot_betas", node, "must be \"history\", or an object with down and up")
        }
        let range = ScenarioGrid.SpotBetas.range
        guard let down = try table.curve("down", range) else { throw table.missing("down") }
        guard let up = try table.curve("up", range) else { throw table.missing("up") }
        return .given(down: down, up: up)
    }

    /// A value, or values by days to expiry.
    private func curve(_ key: String, _ rule: NumberRule) throws(MarketError) -> ScenarioGrid.TenorCurve? {
        guard let node = node(key) else { return nil }
        guard case .object = node.content, let table = try table(key) else {
            return ScenarioGrid.TenorCurve(try number(node, key, rule))
        }
        let days = try table.numbers("days", .within(0...1e6))
        let values = try table.numbers("values", rule)
        for place in days.indices.dropFirst() where !(days[place] > days[place - 1]) {
            throw table.failure("days[\(place)]", table.value["days"]?.array?[place], "days must ascend")
        }
        guard !days.isEmpty, days.count == values.count else {
            throw table.failure("values", "must be as many as days, at least one")
        }
        return ScenarioGrid.TenorCurve(days: days, values: values)
    }

    private enum WingKind: String, CaseIterable {
        case linear, absolute
    }

    private func wing() throws(MarketError) -> ScenarioGrid.Wing {
        var wing = ScenarioGrid.Wing()
        wing.isAbsolute = try word("kind", default: WingKind.linear) == .absolute
        wing.cap = try number("cap")
        wing.capPerRootYear = try number("cap_per_root_year", default: 0)
        wing.widthPerRootYear = try number("width_per_root_year", default: 0)
        wing.widthPerYear = try number("width_per_year", default: 0)
        wing.leastWidth = try number("least_width", default: wing.leastWidth)
        return wing
    }

    /// All combinations of what the entry lists.
    fileprivate func scenarios(
        _ rules: [String: Int], standard: Int
    ) throws(MarketError) -> [ScenarioGrid.Scenario] {
        let spots = try list("spot")
        let days = try list("days")
        let rates = try list("rate")
        var named: [Int] = []
        let names: [JSON] = node("vol").map { $0.array ?? [$0] } ?? []
        for (place, element) in names.enumerated() {
            guard let name = element.string, let rule = rules[name] else {
                let known = rules.sorted { $0.value < $1.value }.prefix(40).map(\.key).joined(separator: ", ")
                throw failure("vol[\(place)]", element, "is no rule of vol_rules (\(known))")
            }
            named.append(rule)
        }
        if value["vol"] == nil { named = [standard] }
        var scenario = ScenarioGrid.Scenario()
        scenario.stickiness = try word("sticky", default: .strike)
        if value["rate_holds"] != nil {
            scenario.rateHolds = try word("rate_holds", default: ScenarioGrid.HeldPrice.future)
        }
        scenario.expiryLoss = try word("expiry_loss", default: .signed)
        scenario.dampening = try number("dampening", default: 1)
        let count = Double(spots.count) * Double(named.count) * Double(days.count) * Double(rates.count)
        guard count >= 1, count <= Double(ScenarioGrid.largestCount) else {
            throw failure("spot", value["spot"], "1 to \(ScenarioGrid.largestCount) scenarios, not \(count)")
        }
        var scenarios: [ScenarioGrid.Scenario] = []
        for rate in rates {
            for day in days {
                for rule in named {
                    for spot in spots {
                        scenario.spot = spot
                        scenario.rule = rule
                        scenario.days = day
                        scenario.rate = rate
                        if let (field, bad, complaint) = scenario.firstInvalid(ruleCount: rules.count) {
                            throw outOfRange(field, bad, complaint)
                        }
                        scenarios.append(scenario)
                    }
                }
            }
        }
        return scenarios
    }

    /// Names the value, and where it is in a list also its place.
    private func outOfRange(_ field: String, _ bad: Double, _ complaint: String) -> MarketError {
        let elements = value[field]?.array ?? []
        guard let place = elements.firstIndex(where: { $0.number == bad }) else {
            return failure(field, value[field], complaint)
        }
        return failure("\(field)[\(place)]", elements[place], complaint)
    }

    /// A value or a list of values; 0 if absent.
    private func list(_ name: String) throws(MarketError) -> [Double] {
        guard let found = node(name) else { return [0] }
        return found.array == nil ? [try number(name)] : try numbers(name)
    }

    fileprivate func expiryHaircut() throws(MarketError) -> ExpiryHaircut {
        let haircut = ExpiryHaircut(
            long: try number("long", default: 1),
            longRateMultiple: try number("long_rate_multiple", default: 0),
            longAddedRate: try number("long_added_rate", default: 0),
            short: try number("short", default: 1),
            shortRateMultiple: try number("short_rate_multiple", default: 0),
            shortAddedRate: try number("short_added_rate", default: 0))
        if let (field, _, complaint) = haircut.firstInvalid {
            throw failure(field, value[field], complaint)
        }
        return haircut
    }
}
