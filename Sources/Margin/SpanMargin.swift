import Checks
import Greeks
import Risk

/// The scan part of SPAN: the worst of sixteen scenarios of an underlying, at least a minimum per short option.
///
/// The scenarios are 0, ⅓, −⅓, ⅔, −⅔, 1 and −1 of the scan range of the price, each with volatility up, then down; then both
/// extreme moves, whose outcome counts by a share. Contracts bring their arrays, or are valued by `Scan`. Credits between
/// months and between underlyings are not part of it.
/// - Source: CME, SPAN Methodology, risk arrays.
public struct SpanMargin: Sendable, Equatable {
    public struct Scan: Sendable, Equatable {
        /// The range of the price, and of volatility as a share of it.
        public var price, volatility: Double
        public var extremeMultiple, extremeCover: Double
        /// That pass.
        public var days = 0.0

        public init(price: Double, volatility: Double, extremeMultiple: Double, extremeCover: Double) {
            self.price = price
            self.volatility = volatility
            self.extremeMultiple = extremeMultiple
            self.extremeCover = extremeCover
        }
    }

    public var scan: Scan?
    public var shortOptionMinimum = 0.0
    /// Initial margin as a multiple of maintenance.
    public var initialRatio = 1.0
    /// Whether options count in the balance at their worth.
    public var countsOptionValue = false

    public init() {}

    static let model = "SPAN"
    private static let shares = [0, 1.0 / 3, -1.0 / 3, 2.0 / 3, -2.0 / 3, 1, -1]

    /// Moves in scan ranges, the rule of volatility (0 up, 1 down, 2 same) and the share that counts.
    static func scenarios(_ scan: Scan) -> [(move: Double, rule: Int, share: Double)] {
        shares.flatMap { [($0, 0, 1.0), ($0, 1, 1.0)] }
            + [(scan.extremeMultiple, 2, scan.extremeCover), (-scan.extremeMultiple, 2, scan.extremeCover)]
    }

    private func grid(_ scan: Scan, spot: Double) throws(MarginError) -> ScenarioGrid {
        func rule(_ relative: Double) -> ScenarioGrid.VolatilityRule {
            var rule = ScenarioGrid.VolatilityRule()
            rule.relative = relative
            return rule
        }
        do throws(RiskError) {
            return try ScenarioGrid(
                name: Self.model,
                rules: [
                    ("up", rule(scan.volatility)), ("down", rule(-scan.volatility)),
                    ("same", ScenarioGrid.VolatilityRule()),
                ],
                scenarios: Self.scenarios(scan).map { move, rule, _ in
                    var scenario = ScenarioGrid.Scenario()
                    scenario.spot = move * scan.price / spot
                    scenario.rule = rule
                    scenario.days = scan.days
                    return scenario
                })
        } catch {
            throw MarginError(.name("scan"), field: error.field, value: error.value, reason: error.reason)
        }
    }

    func requirement(
        _ account: CrossMarginAccount, _ market: MarginMarket, _ engine: GreeksEngine
    ) throws(MarginError) -> MarginRequirement {
        try account.requireKinds([.option, .future], in: market, for: Self.model)
        try account.refuseCollateral(for: Self.model)
        let held = account.held
        var required = 0.0
        var scanned = 0.0
        var sums = Array(repeating: 0.0, count: 16)
        var rows: [(place: Int, gains: [Double])] = []
        var optionValue = 0.0
        for number in Set(held.map { market.contracts[$0].underlying }).sorted() {
            let underlying = market.underlyings[number]
            let own = held.filter { market.contracts[$0].underlying == number }
            let arrays = try arrays(own, underlying, market, engine)
            var gains = Array(repeating: 0.0, count: 16)
            var shorts = 0.0
            for place in own {
                let quantity = account.quantities[place]
                let array = arrays[place] ?? []
                if market.contracts[place].kind == .option { shorts += max(0, -quantity) }
                for scenario in 0..<16 { gains[scenario] += quantity * array[scenario] }
                rows.append((place, array.map { $0 * quantity }))
            }
            for scenario in 0..<16 { sums[scenario] -= gains[scenario] }
            let loss = max(0, -(gains.min() ?? 0))
            scanned += loss
            required += max(loss, shortOptionMinimum * shorts)
        }
        if countsOptionValue {
            let options = account.held(.option, in: market)
            for (place, value) in zip(options, try market.optionValues(options, for: Self.model, engine)) {
                optionValue += account.quantities[place] * value * market.contracts[place].multiplier
            }
        }
        var result = MarginRequirement(
            initial: required * initialRatio, maintenance: required,
            markToMarket: account.cash + account.unsettled + optionValue)
        result.parts = [.init("worst scenario", maintenance: scanned, initial: scanned * initialRatio)]
        if required != scanned {
            let more = required - scanned
            result.parts.append(
                .init("short-option minimum", maintenance: more, initial: more * initialRatio))
        }
        result.losses = sums.enumerated().map { number, sum in
            var loss = MarginRequirement.Loss(key: "\(number + 1)", title: Self.title(number), loss: sum)
            guard number < 14 else { return loss }
            loss.move = [0, 1, -1, 2, -2, 3, -3][number / 2] / 3
            loss.besides = number % 2 == 0 ? "vol up" : "vol down"
            return loss
        }
        let worst = sums.indices.max { sums[$0] < sums[$1] } ?? 0
        result.worst = worst
        if Set(held.map { market.contracts[$0].underlying }).count == 1 {
            result.byContract = rows.map { place, gains in
                market.contribution(
                    place, of: account, maintenance: -gains[worst], initial: -gains[worst] * initialRatio)
            }
            result.byExpiry = DeribitMargin.byExpiry(result.byContract)
        }
        return result
    }

    /// Sixteen gains of one contract each: its own, or by the scan.
    func arrays(
        _ places: [Int], _ underlying: MarginMarket.Underlying, _ market: MarginMarket,
        _ engine: GreeksEngine
    ) throws(MarginError) -> [Int: [Double]] {
        var arrays: [Int: [Double]] = [:]
        for place in places { arrays[place] = market.contracts[place].gains }
        let priced = places.filter { market.contracts[$0].gains == nil }
        if !priced.isEmpty {
            guard let scan else { throw .missing("scan", of: underlying.name, for: Self.model) }
            for (place, gains) in try array(scan, priced, underlying, market, engine) {
                arrays[place] = gains
            }
        }
        for place in places {
            let count = arrays[place]?.count ?? 0
            guard count == 16 else {
                throw MarginError(
                    .name(market.contracts[place].name), field: "gains", value: "\(count)",
                    reason: "must be sixteen")
            }
        }
        return arrays
    }

    static func title(_ scenario: Int) -> String {
        guard scenario < 14 else { return scenario == 14 ? "extreme up" : "extreme down" }
        let move = ["0", "+1/3", "-1/3", "+2/3", "-2/3", "+1", "-1"][scenario / 2]
        return "\(move), vol \(scenario % 2 == 0 ? "up" : "down")"
    }

    /// Gains of one contract each.
    private func array(
        _ scan: Scan, _ places: [Int], _ underlying: MarginMarket.Underlying, _ market: MarginMarket,
        _ engine: GreeksEngine
    ) throws(MarginError) -> [(Int, [Double])] {
        let scenarios = Self.scenarios(scan)
        var result: [(Int, [Double])] = []
        let options = places.filter { market.contracts[$0].kind == .option }
        if !options.isEmpty {
            try MarginError.require(.positive, underlying.spot, "spot", of: underlying.name)
            // Forwards move by the scan range itself, whatever their level.
            let legs = try OptionLegs(
                market, options, discounted: false, for: Self.model,
                sharesOf: { expiry, underlying in underlying.spot / expiry.forward })
            let grid = try grid(scan, spot: underlying.spot)
            let gains = try legs.gains(ScenarioRevaluation(grid, engine: engine, pricedOff: .future))
            for leg in 0..<legs.count {
                let size = market.contracts[legs.contracts[leg]].multiplier
                let own = scenarios.enumerated().map { gains[leg, $0] * $1.share * size }
                result.append((legs.contracts[leg], own))
            }
        }
        for place in places where market.contracts[place].kind == .future {
            let size = market.contracts[place].multiplier
            result.append((place, scenarios.map { $0.move * scan.price * $0.share * size }))
        }
        return result
    }
}
