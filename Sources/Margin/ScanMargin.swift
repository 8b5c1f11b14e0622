import Checks
import Greeks
import Risk

/// A margin from the worst scenario of a grid, with contingencies: Derive's portfolio margins, Paradex's.
///
/// With V the value of an expiry's options, marked down by the grid's haircut in each scenario, and L the largest loss of
/// all scenarios and of the basis contingency:
///
/// - maintenance: f L + C, or f (L + C) where contingencies are scaled;
/// - initial: f' L + C + C', or f' (L + C + C'), and the confidence contingency;
///   f' = `initial` + `pegFactor`·max(0, `pegThreshold` − stable price).
///
/// One underlying an account. Options are Black-76 at the shifted forward and volatility.
/// - Source: derivexyz/v2-core, `PMRM.sol`, `PMRM_2.sol`; docs.paradex.trade/risk/portfolio-margin.
public struct ScanMargin: Sendable {
    /// Per unit and dollar of the index.
    public struct Contingency: Sendable, Equatable {
        public var maintenance = 0.0
        public var initial = 0.0

        public init(maintenance: Double = 0, initial: Double = 0) {
            self.maintenance = maintenance
            self.initial = initial
        }
    }

    /// Σ over expiries of min(0, V(up) − V, V(down) − V)·(added + perYear·T): no volatility moves, nothing is marked
    /// down.
    public struct Basis: Sendable, Equatable {
        public var moves: [Double]
        public var added = 0.0
        public var perYear = 0.0

        public init(moves: [Double]) { self.moves = moves }
    }

    /// The least loss: (net·|Σδ| + hedged·(Σ|δ| − |Σδ|)/2) times the index.
    public struct DeltaCharge: Sendable, Equatable {
        public var net, hedged: Double

        public init(net: Double, hedged: Double) {
            self.net = net
            self.hedged = hedged
        }
    }

    public let grid: ScenarioGrid
    /// Whether options are worth e^(−max(rate, 0) T) of Black-76.
    public var isDiscounted = true
    public var basis: Basis?
    public var deltaCharge: DeltaCharge?
    public var perpetual = Contingency()
    public var spot = Contingency()
    /// Per expiry and strike, of max(0, −(calls + puts)).
    public var nakedShort = Contingency()
    /// Below the threshold, initial margin rises by (1 − c)·factor·amount.
    public var confidenceThreshold = 0.0
    public var confidenceFactor = 0.0
    public var maintenanceFactor = 1.0
    public var initialFactor = 1.0
    public var areContingenciesScaled = false
    public var pegThreshold = 0.0
    public var pegFactor = 0.0

    public init(_ grid: ScenarioGrid) { self.grid = grid }

    static let model = "a margin from scenarios"

    /// The grid of the basis contingency.
    func basisGrid(_ basis: Basis) throws(MarginError) -> ScenarioGrid {
        do throws(RiskError) {
            return try ScenarioGrid(
                name: "basis", rules: [("same", ScenarioGrid.VolatilityRule())],
                scenarios: basis.moves.map {
                    var scenario = ScenarioGrid.Scenario()
                    scenario.spot = $0
                    return scenario
                })
        } catch {
            throw MarginError(.name("basis"), field: "spot", value: error.value, reason: error.reason)
        }
    }

    /// The factor of initial margin at a price of the cash.
    func initialFactor(at stablePrice: Double) -> Double {
        initialFactor + pegFactor * max(0, pegThreshold - stablePrice)
    }

    /// By how much initial margin rises at a confidence, of an amount in dollars.
    func extra(_ confidence: Double, _ amount: Double) -> Double {
        confidence < confidenceThreshold ? (1 - confidence) * confidenceFactor * amount : 0
    }

    /// What does not depend on scenarios: worth, what gains in proportion, contingencies.
    struct Still {
        var underlying: MarginMarket.Underlying?
        var perpetuals = 0.0
        var coins = 0.0
        /// Dollars that gain with the price.
        var moving = 0.0
        /// Without options.
        var worth = 0.0
        var collateralMaintenance = 0.0
        var collateralInitial = 0.0
        /// The least confidence of spot and, if held, perpetual.
        var confidence = 1.0
        /// What confidence adds: of collateral, and with perpetuals and coins.
        var collateralExtra = 0.0
        var extra = 0.0
        /// Profits that are not in the cash, and collateral's worth.
        var besides = 0.0
    }

    func still(_ account: CrossMarginAccount, _ market: MarginMarket) throws(MarginError) -> Still {
        try account.requireKinds([.option, .perpetual, .spot], in: market, for: Self.model)
        let held = account.held
        let numbers = Set(held.map { market.contracts[$0].underlying })
        guard numbers.count <= 1 else {
            let names = numbers.sorted().map { market.underlyings[$0].name }.joined(separator: ", ")
            throw MarginError(
                .name("account"), field: "underlying", value: names, reason: "one underlying an account")
        }
        var still = Still()
        let number = numbers.first ?? (market.underlyings.count == 1 ? 0 : nil)
        still.underlying = number.map { market.underlyings[$0] }
        let spot = still.underlying?.spot ?? 0
        still.worth = account.cash + account.unsettled
        var perpetualValue = 0.0
        for place in held {
            let contract = market.contracts[place]
            let quantity = account.quantities[place]
            switch contract.kind {
            case .perpetual:
                still.perpetuals += quantity.magnitude
                perpetualValue += quantity * (try market.price(of: contract, for: Self.model))
            case .spot:
                still.coins += quantity.magnitude
                still.moving += quantity * spot / market.stablePrice
                still.worth += quantity * spot / market.stablePrice
            default: break
            }
        }
        still.moving += perpetualValue
        let feed = still.underlying?.confidence ?? 1
        for piece in account.collateral {
            let worth = piece.quantity * piece.price / market.stablePrice
            still.worth += worth
            if piece.movesWithSpot { still.moving += worth }
            still.collateralMaintenance += piece.maintenanceHaircut * worth
            still.collateralInitial += piece.initialHaircut * worth
            still.besides += worth
            still.collateralExtra += extra(min(feed, piece.confidence), worth)
        }
        still.besides += account.unsettled
        still.confidence = feed
        if still.perpetuals > 0 {
            still.confidence = min(feed, still.underlying?.perpetual?.confidence ?? 1)
        }
        still.extra =
            still.collateralExtra + extra(still.confidence, (still.perpetuals + still.coins) * spot)
        return still
    }

    func requirement(
        _ account: CrossMarginAccount, _ market: MarginMarket, _ engine: GreeksEngine
    ) throws(MarginError) -> MarginRequirement {
        let still = try still(account, market)
        let spot = still.underlying?.spot ?? 0
        let legs = try OptionLegs(
            market, account.held(.option, in: market), discounted: isDiscounted, for: Self.model)
        let values = legs.values(engine)
        let gains = try legs.gains(ScenarioRevaluation(grid, engine: engine, pricedOff: .future))
        let quantities = legs.contracts.map { account.quantities[$0] }
        let expiryCount = legs.expiries.count

        // A row for each expiry, and one for what gains in proportion.
        let sums = ScenarioMatrix(rowCount: expiryCount + 1, scenarioCount: grid.count)
        var parts = legs.expiries.enumerated().map { row, place in
            let expiry = market.underlyings[place.underlying].expiries[place.expiry]
            return ExpirySums.Part(group: row, value: 0, years: expiry.years, rate: expiry.rate)
        }
        parts.append(ExpirySums.Part(group: expiryCount, value: 0, years: nil, rate: 0))
        for leg in 0..<legs.count {
            parts[legs.groups[leg]].value += quantities[leg] * values[leg]
            for scenario in 0..<grid.count {
                sums[legs.groups[leg], scenario] += quantities[leg] * gains[leg, scenario]
            }
        }
        for (number, scenario) in grid.scenarios.enumerated() {
            sums[expiryCount, number] = still.moving * scenario.spot
        }
        let charged = ExpirySums.combined(sums, parts, groupCount: expiryCount + 1, grid)
        var losses = (0..<grid.count).map { scenario in
            -(0...expiryCount).reduce(0.0) { $0 + charged[$1, scenario] }
        }
        var basisParts: [Double] = []
        var basisLegs: [Double] = []
        if let basis {
            (basisParts, basisLegs) = try self.basisParts(basis, legs, quantities, market, engine)
            losses.append(-basisParts.reduce(0, +))
        }
        let worst = losses.indices.max { losses[$0] < losses[$1] } ?? 0
        var largest = losses[worst]
        var charge: Double?
        if let deltaCharge {
            let least = self.charge(deltaCharge, legs, quantities, account, market, engine) * spot
            if least > largest { charge = least }
            largest = max(largest, least)
        }
        let (naked, marks) = nakedShorts(legs, quantities, market)
        var extra = still.extra
        extra += confidenceExtra(legs, quantities, market, still.confidence, spot)

        var terms: [MarginRequirement.Part] = []
        let up = initialFactor(at: market.stablePrice)
        let scaled = areContingenciesScaled
        terms.append(
            .init(
                charge == nil ? "worst scenario" : "least delta charge",
                maintenance: maintenanceFactor * largest,
                initial: up * largest))
        func add(_ name: String, _ maintenance: Double, _ initial: Double) {
            guard maintenance != 0 || initial != 0 else { return }
            terms.append(
                .init(
                    name, maintenance: maintenance * (scaled ? maintenanceFactor : 1),
                    initial: (maintenance + initial) * (scaled ? up : 1)))
        }
        func add(_ name: String, _ contingency: Contingency, _ amount: Double) {
            add(name, contingency.maintenance * amount * spot, contingency.initial * amount * spot)
        }
        add("perpetual contingency", perpetual, still.perpetuals)
        add("spot contingency", self.spot, still.coins)
        add("naked short options", nakedShort, naked)
        add("collateral haircut", still.collateralMaintenance, still.collateralInitial)
        if extra != 0 { terms.append(.init("confidence", maintenance: 0, initial: extra)) }

        var result = MarginRequirement(
            initial: terms.reduce(0) { $0 + $1.initial },
            maintenance: terms.reduce(0) { $0 + $1.maintenance },
            markToMarket: still.worth + parts.reduce(0) { $0 + $1.value })
        result.parts = terms
        result.losses = losses.enumerated().map { number, loss in
            guard number < grid.count else { return .init(key: "basis", title: "basis", loss: loss) }
            let title = grid.title(number)
            var own = MarginRequirement.Loss(key: "\(number)", title: title, loss: loss)
            own.underlying = still.underlying?.name ?? ""
            own.move = grid.scenarios[number].spot
            own.besides = String(title[(title.firstIndex(of: " ") ?? title.endIndex)...].dropFirst())
            own.countsInPart = grid.scenarios[number].dampening != 1
            return own
        }
        result.worst = worst
        guard charge == nil else { return result }
        // What each adds to the worst scenario; of contingencies, what it adds by itself.
        for (row, place) in legs.expiries.enumerated() {
            let underlying = market.underlyings[place.underlying]
            let loss = worst < grid.count ? -charged[row, worst] : -basisParts[row]
            let own = marks[row] * spot * nakedShort.maintenance
            let more = marks[row] * spot * (nakedShort.maintenance + nakedShort.initial)
            result.byExpiry.append(
                .init(
                    underlying: underlying.name, expiry: underlying.expiries[place.expiry].name, contract: "",
                    quantity: 0,
                    maintenance: maintenanceFactor * loss + own * (scaled ? maintenanceFactor : 1),
                    initial: up * loss + more * (scaled ? up : 1)))
        }
        guard worst < grid.count else {
            for leg in 0..<legs.count {
                result.byContract.append(
                    market.contribution(
                        legs.contracts[leg], of: account, maintenance: -maintenanceFactor * basisLegs[leg],
                        initial: -up * basisLegs[leg]))
            }
            return result
        }
        let scenario = grid.scenarios[worst]
        for leg in 0..<legs.count {
            let row = legs.groups[leg]
            let now = parts[row].value
            let moved = now + sums[row, worst]
            // The mark's share of the value, and the sign that an absolute loss gives to it.
            var share = 1.0
            if let haircut = grid.haircut {
                let shares = haircut.shares(
                    years: parts[row].years ?? 0, rate: parts[row].rate, in: scenario)
                share = moved > 0 ? shares.long : shares.short
            }
            let gained = share * moved - now
            let sign = scenario.expiryLoss == .absolute && gained > 0 ? -1.0 : 1.0
            let value = values[leg]
            let gain = share * (value + gains[leg, worst]) - value
            let loss = -sign * quantities[leg] * gain * scenario.dampening
            result.byContract.append(
                market.contribution(
                    legs.contracts[leg], of: account, maintenance: maintenanceFactor * loss,
                    initial: up * loss))
        }
        for place in account.held where market.contracts[place].kind != .option {
            let contract = market.contracts[place]
            var price = try market.price(of: contract, for: Self.model)
            if contract.kind == .spot { price /= market.stablePrice }
            let loss = -account.quantities[place] * price * scenario.spot * scenario.dampening
            result.byContract.append(
                market.contribution(
                    place, of: account, maintenance: maintenanceFactor * loss, initial: up * loss))
        }
        return result
    }

    /// What each expiry adds to the profit of the basis contingency, at most 0, and each leg of it.
    private func basisParts(
        _ basis: Basis, _ legs: OptionLegs, _ quantities: [Double], _ market: MarginMarket,
        _ engine: GreeksEngine
    ) throws(MarginError) -> (byExpiry: [Double], byLeg: [Double]) {
        let gains = try legs.gains(
            ScenarioRevaluation(try basisGrid(basis), engine: engine, pricedOff: .future))
        var least = legs.expiries.map { _ in 0.0 }
        var moveOf: [Int?] = legs.expiries.map { _ in nil }
        for move in basis.moves.indices {
            var sums = legs.expiries.map { _ in 0.0 }
            for leg in 0..<legs.count { sums[legs.groups[leg]] += quantities[leg] * gains[leg, move] }
            for row in sums.indices where sums[row] < least[row] {
                least[row] = sums[row]
                moveOf[row] = move
            }
        }
        let factors = legs.expiries.map { place in
            basis.added + basis.perYear * market.underlyings[place.underlying].expiries[place.expiry].years
        }
        let byLeg = (0..<legs.count).map { leg in
            let row = legs.groups[leg]
            return moveOf[row].map { quantities[leg] * gains[leg, $0] * factors[row] } ?? 0
        }
        return (zip(least, factors).map { $0 * $1 }, byLeg)
    }

    /// The largest charge on deltas, in coins times the rates.
    private func charge(
        _ charge: DeltaCharge, _ legs: OptionLegs, _ quantities: [Double], _ account: CrossMarginAccount,
        _ market: MarginMarket, _ engine: GreeksEngine
    ) -> Double {
        let deltas = legs.deltas(engine)
        var (net, gross) = (0.0, 0.0)
        for leg in 0..<legs.count {
            net += quantities[leg] * deltas[leg]
            gross += (quantities[leg] * deltas[leg]).magnitude
        }
        for place in account.held where market.contracts[place].kind != .option {
            net += account.quantities[place]
            gross += account.quantities[place].magnitude
        }
        return charge.net * net.magnitude + charge.hedged * (gross - net.magnitude) / 2
    }

    /// Short options that nothing of the same strike covers: of all expiries, and by expiry.
    private func nakedShorts(
        _ legs: OptionLegs, _ quantities: [Double], _ market: MarginMarket
    ) -> (sum: Double, byExpiry: [Double]) {
        struct Strike: Hashable { let group: Int; let strike: Double }
        var strikes: [Strike: Double] = [:]
        var order: [Strike] = []
        for leg in 0..<legs.count {
            let key = Strike(
                group: legs.groups[leg], strike: market.contracts[legs.contracts[leg]].strike ?? 0)
            if strikes[key] == nil { order.append(key) }
            strikes[key, default: 0] += quantities[leg]
        }
        var rows = legs.expiries.map { _ in 0.0 }
        for key in order { rows[key.group] += max(0, -(strikes[key] ?? 0)) }
        return (rows.reduce(0, +), rows)
    }

    private func confidenceExtra(
        _ legs: OptionLegs, _ quantities: [Double], _ market: MarginMarket, _ confidence: Double,
        _ spot: Double
    ) -> Double {
        var amounts = legs.expiries.map { _ in 0.0 }
        for leg in 0..<legs.count { amounts[legs.groups[leg]] += quantities[leg].magnitude }
        var sum = 0.0
        for (row, place) in legs.expiries.enumerated() {
            let feed = market.underlyings[place.underlying].expiries[place.expiry]
            let least = min(
                min(confidence, feed.forwardConfidence), min(feed.rateConfidence, feed.volatilityConfidence))
            sum += extra(least, amounts[row] * spot)
        }
        return sum
    }
}

extension ExpiryHaircut {
    /// What a value above 0, and one below, counts for in a scenario.
    func shares(years: Double, rate: Double) -> (long: Double, short: Double) {
        (marked(1, years: years, rate: rate), -marked(-1, years: years, rate: rate))
    }

    /// The same, of an expiry whose time and rate are those before the scenario.
    func shares(
        years: Double, rate: Double, in scenario: ScenarioGrid.Scenario
    ) -> (long: Double, short: Double) {
        (
            marked(1, years: years, rate: rate, in: scenario),
            -marked(-1, years: years, rate: rate, in: scenario)
        )
    }
}
