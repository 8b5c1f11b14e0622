import Checks
import Greeks
import Risk

/// Deribit's portfolio margin of one settlement currency, in its coin.
///
/// A matrix of moves of the index by volatilities, and extended moves that count in part; sums above 0 count times
/// `offset`. Roll and delta shocks are added. `docs/margin.md` has the formulas and says which of them replies of the
/// exchange prove and which follow public descriptions.
/// - Source: docs.deribit.com, private/pme/simulate; support article 25944756247837.
public struct DeribitMargin: Sendable {
    public var priceRange: Double
    /// Buckets a side.
    public var buckets: Int
    public var volatilityUp, volatilityDown, leastUpVolatility: Double
    public var shortTermPower, longTermPower: Double
    public var extendedFactor: Double
    /// Dollars by which the profit of an extended move is drawn towards 0, per price range beyond the first.
    public var extendedDampener: Double
    /// The share of gains that counts.
    public var offset: Double
    /// Whether coins gain and lose with the index.
    public var countsEquity: Bool
    public var annualisedMoveRisk, leastAnnualisedMove: Double
    /// The rate at which the delta shock rises per dollar of delta beyond the threshold, and its end.
    public var deltaRate, largestDeltaShock, deltaThreshold: Double
    public var maintenanceFactor: Double

    public init(
        priceRange: Double, buckets: Int, volatilityUp: Double, volatilityDown: Double,
        leastUpVolatility: Double, shortTermPower: Double, longTermPower: Double, extendedFactor: Double,
        extendedDampener: Double, offset: Double, countsEquity: Bool, annualisedMoveRisk: Double,
        leastAnnualisedMove: Double, deltaRate: Double, largestDeltaShock: Double, deltaThreshold: Double,
        maintenanceFactor: Double
    ) {
        (self.priceRange, self.buckets) = (priceRange, buckets)
        (self.volatilityUp, self.volatilityDown) = (volatilityUp, volatilityDown)
        self.leastUpVolatility = leastUpVolatility
        (self.shortTermPower, self.longTermPower) = (shortTermPower, longTermPower)
        (self.extendedFactor, self.extendedDampener) = (extendedFactor, extendedDampener)
        (self.offset, self.countsEquity) = (offset, countsEquity)
        self.annualisedMoveRisk = annualisedMoveRisk
        self.leastAnnualisedMove = leastAnnualisedMove
        (self.deltaRate, self.largestDeltaShock) = (deltaRate, largestDeltaShock)
        self.deltaThreshold = deltaThreshold
        self.maintenanceFactor = maintenanceFactor
    }

    static let model = "Deribit's portfolio margin"
    static let extendedMoves = [-0.66, -0.33, 0.5, 1, 2, 3, 4, 5]
    private static let volatilities = ["down", "same", "up"]

    /// The matrix: buckets, each with volatility down, same, up, then the extended moves.
    func grid() throws(MarginError) -> ScenarioGrid {
        func rule(_ relative: Double, least: Double = 0) -> ScenarioGrid.VolatilityRule {
            var rule = ScenarioGrid.VolatilityRule()
            rule.relative = relative
            rule.shortTermPower = shortTermPower
            rule.longTermPower = longTermPower
            rule.leastVolatility = least
            return rule
        }
        var scenarios: [ScenarioGrid.Scenario] = []
        var scenario = ScenarioGrid.Scenario()
        for bucket in -buckets...buckets {
            scenario.spot = priceRange * Double(bucket) / Double(buckets)
            for rule in 0..<3 {
                scenario.rule = rule
                scenarios.append(scenario)
            }
        }
        for move in Self.extendedMoves {
            scenario.spot = move
            scenario.rule = 2
            scenarios.append(scenario)
        }
        do throws(RiskError) {
            return try ScenarioGrid(
                name: Self.model,
                rules: [
                    ("down", rule(-volatilityDown)), ("same", ScenarioGrid.VolatilityRule()),
                    ("up", rule(volatilityUp, least: leastUpVolatility)),
                ], scenarios: scenarios)
        } catch {
            throw MarginError(error.place, field: error.field, value: error.value, reason: error.reason)
        }
    }

    /// The profit of an extended move as it counts, before the dampener.
    func adjusted(_ profit: Double, _ move: Double) -> Double {
        profit * (priceRange / move.magnitude) * (1 + move) / (1 + side(move) * priceRange) * extendedFactor
    }

    /// Drawn towards 0.
    func dampened(_ profit: Double, _ move: Double, spot: Double) -> Double {
        let left = max(0, profit.magnitude - room(of: move, spot: spot))
        return profit < 0 ? -left : left
    }

    /// By how much, at most, in coin.
    func room(of move: Double, spot: Double) -> Double {
        (max(move.magnitude / priceRange, 1) - 1) * extendedDampener
            / ((1 + side(move) * priceRange) * spot)
    }

    private func side(_ move: Double) -> Double { move < 0 ? -1 : 1 }

    /// Gains count in part.
    func offset(_ profit: Double) -> Double { profit > 0 ? profit * offset : profit }

    func requirement(
        _ account: CrossMarginAccount, _ market: MarginMarket, _ engine: GreeksEngine
    ) throws(MarginError) -> MarginRequirement {
        try account.requireKinds(
            [.option, .inversePerpetual, .inverseFuture, .spot], in: market, for: Self.model)
        try account.refuseCollateral(for: Self.model)
        let grid = try self.grid()
        let revaluation = ScenarioRevaluation(grid, engine: engine, pricedOff: .future)
        let standardCount = grid.count - Self.extendedMoves.count
        let held = account.held
        var worth = account.cash + account.unsettled
        var (worstLoss, roll, shock) = (0.0, 0.0, 0.0)
        var result = MarginRequirement(initial: 0, maintenance: 0, markToMarket: 0)
        var (worst, largest): (Int?, Double) = (nil, -.infinity)
        for number in Set(held.map { market.contracts[$0].underlying }).sorted() {
            let underlying = market.underlyings[number]
            let spot = underlying.spot
            try MarginError.require(.positive, spot, "spot", of: underlying.name)
            let own = held.filter { market.contracts[$0].underlying == number }
            let options = own.filter { market.contracts[$0].kind == .option }
            let legs = try OptionLegs(market, options, discounted: false, for: Self.model)
            let values = legs.values(engine)
            let deltas = legs.deltas(engine)
            let gains = try legs.gains(revaluation, in: .coin)
            /// What each contract gains in each scenario.
            var rows: [(place: Int, profits: [Double])] = []
            var deltaOf: [Int: Double] = [:]
            for leg in 0..<legs.count {
                let place = legs.contracts[leg]
                let quantity = account.quantities[place]
                let contract = market.contracts[place]
                rows.append((place, (0..<grid.count).map { quantity * gains[leg, $0] }))
                let forward = try market.expiry(of: contract, for: Self.model).forward
                worth += quantity * values[leg] / forward
                deltaOf[contract.expiry ?? -1, default: 0] += quantity * deltas[leg]
            }
            for place in own where market.contracts[place].kind != .option {
                let contract = market.contracts[place]
                var coins = account.quantities[place]
                var share = 1.0
                if contract.kind == .spot {
                    worth += coins
                    if !countsEquity { continue }
                } else {
                    coins /= try market.price(of: contract, for: Self.model)
                    if contract.kind == .inverseFuture {
                        share = try market.expiry(of: contract, for: Self.model).openShare
                    }
                    deltaOf[contract.expiry ?? -1, default: 0] += coins
                }
                rows.append(
                    (
                        place,
                        grid.scenarios.map {
                            let move = $0.spot * share
                            return coins * move / (1 + move)
                        }
                    ))
            }
            var sums = (0..<grid.count).map { scenario in rows.reduce(0) { $0 + $1.profits[scenario] } }
            for (place, move) in Self.extendedMoves.enumerated() {
                let scenario = standardCount + place
                sums[scenario] = dampened(adjusted(sums[scenario], move), move, spot: spot)
            }
            let counted = sums.map(offset)
            let first = result.losses.count
            for (scenario, profit) in counted.enumerated() {
                let key = self.key(scenario, standardCount, underlying.name)
                var loss = MarginRequirement.Loss(key: key, title: key, loss: 0 - profit)
                loss.underlying = underlying.name
                loss.move = grid.scenarios[scenario].spot
                loss.besides = "vol \(grid.ruleNames[grid.scenarios[scenario].rule])"
                loss.countsInPart = scenario >= standardCount
                result.losses.append(loss)
            }
            let place = counted.indices.min { counted[$0] < counted[$1] } ?? 0
            let loss = max(0, -counted[place])
            worstLoss += loss
            if -counted[place] > largest { (worst, largest) = (first + place, -counted[place]) }
            // A dictionary's own order differs from run to run, and so would the last bit of a sum.
            let byExpiry = deltaOf.sorted { $0.key < $1.key }
            let total = byExpiry.reduce(0) { $0 + $1.value }
            for (expiry, delta) in byExpiry {
                let years = expiry < 0 ? 0 : underlying.expiries[expiry].years
                roll += delta.magnitude * rollRate(years)
            }
            shock += deltaShock(total, spot: spot)
            result.vectors.append(
                .init(
                    name: underlying.name, standard: Array(counted[..<standardCount]),
                    extended: Array(counted[standardCount...])))
            for (contract, profits) in rows {
                var extended: [Double] = []
                for (place, move) in Self.extendedMoves.enumerated() {
                    extended.append(adjusted(profits[standardCount + place], move))
                }
                result.contractVectors.append(
                    .init(
                        name: market.contracts[contract].name, standard: Array(profits[..<standardCount]),
                        extended: extended))
                guard loss > 0 else { continue }
                // An extended loss is drawn towards 0 as a whole: each contract's by the same share.
                let raw = rows.reduce(0) { $0 + $1.profits[place] }
                let part = raw != 0 ? loss * profits[place] / raw : 0
                result.byContract.append(
                    market.contribution(
                        contract, of: account, maintenance: maintenanceFactor * part, initial: part))
            }
        }
        let margin = worstLoss + roll + shock
        var terms: [MarginRequirement.Part] = [
            .init("worst scenario", maintenance: maintenanceFactor * worstLoss, initial: worstLoss),
            .init("roll shock", maintenance: maintenanceFactor * roll, initial: roll),
            .init("delta shock", maintenance: maintenanceFactor * shock, initial: shock),
        ]
        var initial = margin
        for (name, amount) in account.otherInitial {
            initial += amount
            terms.append(.init(name, maintenance: 0, initial: amount))
        }
        result.initialMargin = initial
        result.maintenanceMargin = maintenanceFactor * margin
        result.markToMarket = worth
        result.initialBalance = worth - initial
        result.maintenanceBalance = worth - result.maintenanceMargin
        result.parts = terms
        result.worst = worst
        result.figures = [("worst_loss", worstLoss), ("roll_shock", roll), ("delta_shock", shock)]
        result.byExpiry = Self.byExpiry(result.byContract)
        return result
    }

    /// What a coin of delta costs to roll, by years to expiry.
    func rollRate(_ years: Double) -> Double {
        max(leastAnnualisedMove, exponential(annualisedMoveRisk * years) - 1)
    }

    func deltaShock(_ delta: Double, spot: Double) -> Double {
        min(max(delta.magnitude * spot - deltaThreshold, 0) * deltaRate, largestDeltaShock) * delta.magnitude
    }

    /// `BTC -0.1600 down`, `BTC +0.50 extended`.
    func key(_ scenario: Int, _ standardCount: Int, _ name: String) -> String {
        if scenario < standardCount {
            let move = priceRange * Double(scenario / 3 - buckets) / Double(buckets)
            return "\(name) \(move.signed(decimals: 4)) \(Self.volatilities[scenario % 3])"
        }
        return "\(name) \(Self.extendedMoves[scenario - standardCount].signed(decimals: 2)) extended"
    }

    /// Contributions of contracts, added up.
    static func byExpiry(
        _ contracts: [MarginRequirement.Contribution]
    ) -> [MarginRequirement.Contribution] {
        struct Key: Hashable { let underlying, expiry: String }
        var sums: [Key: MarginRequirement.Contribution] = [:]
        var order: [Key] = []
        for part in contracts {
            let key = Key(underlying: part.underlying, expiry: part.expiry)
            if sums[key] == nil {
                order.append(key)
                sums[key] = .init(
                    underlying: part.underlying, expiry: part.expiry, contract: "", quantity: 0,
                    maintenance: 0,
                    initial: 0)
            }
            sums[key]?.maintenance += part.maintenance
            sums[key]?.initial += part.initial
        }
        return order.compactMap { sums[$0] }
    }
}
