import Checks
import Greeks
import Risk

/// Deribit's portfolio margin in cross-collateral mode: all currencies as one account in dollars, which counts each equity once.
///
/// A risk unit is an underlying with its coin-settled and its linear contracts and the coins that move with it; inside a
/// unit all of these net, between units nothing does. Each unit has the matrix, extended moves and delta shock of
/// `DeribitMargin`, in dollars; the roll shock nets neither expiries nor settlements. Haircuts take from the account's worth and
/// leave the matrix alone. `docs/margin.md` says what a recorded account shows of this and what is assumed.
/// - Source: docs.deribit.com, private/pme/simulate; exchange updates on X:PM.
public struct DeribitCrossMargin: Sendable {
    /// A risk unit's parameters, `extendedDampener` in dollars of a unit, and the coins beside its own that move with it.
    public struct Unit: Sendable {
        public var margin: DeribitMargin
        public var assets: [String]

        public init(_ margin: DeribitMargin, assets: [String] = []) {
            self.margin = margin
            self.assets = assets
        }
    }

    /// By underlying.
    public var units: [String: Unit]
    public var maintenanceFactor: Double

    public init(units: [String: Unit], maintenanceFactor: Double) {
        self.units = units
        self.maintenanceFactor = maintenanceFactor
    }

    static let model = "Deribit's cross portfolio margin"
    static let kinds: Set<MarginMarket.Kind> = [
        .option, .perpetual, .future, .inversePerpetual, .inverseFuture,
    ]

    /// The underlying that a coin moves with; nil for dollars and coins of no unit.
    func unit(of asset: String) -> String? {
        if units[asset] != nil { return asset }
        return units.first { $0.value.assets.contains(asset) }?.key
    }

    /// What one contract's unit does in a risk unit, in dollars.
    struct Row {
        let place: Int
        let gains: [Double]
        /// Its worth, and its delta in coins.
        let value, delta: Double
        /// Deltas of one key net in the roll shock: those of one settlement and expiry.
        let roll: RollKey
    }

    struct RollKey: Hashable, Comparable {
        let isInCoin: Bool
        /// -1 for perpetuals.
        let expiry: Int

        static func < (one: RollKey, other: RollKey) -> Bool {
            (one.isInCoin ? 0 : 1, one.expiry) < (other.isInCoin ? 0 : 1, other.expiry)
        }
    }

    /// The parameters and the scenarios of an underlying.
    func parameters(of underlying: MarginMarket.Underlying) throws(MarginError) -> DeribitMargin {
        try MarginError.require(.positive, underlying.spot, "spot", of: underlying.name)
        guard let unit = units[underlying.name] else {
            throw MarginError(
                .name(underlying.name), field: "units", reason: "has no risk unit of this underlying")
        }
        return unit.margin
    }

    /// What a unit of each contract gains and is worth; all of one underlying.
    func rows(
        _ places: [Int], of underlying: MarginMarket.Underlying, _ grid: ScenarioGrid, _ market: MarginMarket,
        _ engine: GreeksEngine
    ) throws(MarginError) -> [Row] {
        let spot = underlying.spot
        let legs = try OptionLegs(
            market, places.filter { market.contracts[$0].kind == .option }, discounted: false, for: Self.model
        )
        let (values, deltas) = (legs.values(engine), legs.deltas(engine))
        let gains = try legs.gains(ScenarioRevaluation(grid, engine: engine, pricedOff: .future))
        var rows: [Row] = []
        for leg in 0..<legs.count {
            let contract = market.contracts[legs.contracts[leg]]
            // A price in coin is that in dollars over the forward; coins are worth the index.
            let share = try dollars(perDollarOf: contract, in: market)
            let size = contract.multiplier
            rows.append(
                Row(
                    place: legs.contracts[leg],
                    gains: (0..<grid.count).map { size * share * gains[leg, $0] },
                    value: size * share * values[leg], delta: size * deltas[leg],
                    roll: RollKey(isInCoin: contract.settlesInCoin, expiry: contract.expiry ?? -1)))
        }
        for place in places where market.contracts[place].kind != .option {
            let contract = market.contracts[place]
            let price = try market.price(of: contract, for: Self.model)
            var open = 1.0
            if contract.kind == .future || contract.kind == .inverseFuture {
                open = try market.expiry(of: contract, for: Self.model).openShare
            }
            let size = contract.multiplier
            let gains = grid.scenarios.map { scenario in
                let move = scenario.spot * open
                guard contract.kind.isInverse else { return size * price * move }
                // Coins gained, at the price that they then have.
                return size / price * move / (1 + move) * spot * (1 + scenario.spot)
            }
            rows.append(
                Row(
                    place: place, gains: gains, value: 0,
                    delta: contract.kind.isInverse ? size / price : size,
                    roll: RollKey(
                        isInCoin: contract.kind.isInverse, expiry: contract.expiry ?? -1)))
        }
        return rows
    }

    /// What a dollar of Black-76 is worth: of coin-settled options, the index over the forward.
    func dollars(
        perDollarOf contract: MarginMarket.Contract, in market: MarginMarket
    ) throws(MarginError) -> Double {
        guard contract.settlesInCoin else { return 1 }
        return market.underlying(of: contract).spot
            / (try market.expiry(of: contract, for: Self.model).forward)
    }

    /// Dollars that move with each underlying: collateral, and profits in coin. What moves with none is not in it.
    private func moving(
        _ account: CrossMarginAccount, _ market: MarginMarket
    ) throws(MarginError) -> [String: Double] {
        var sums: [String: Double] = [:]
        for piece in account.collateral {
            guard let unit = unit(of: piece.asset), piece.movesWithSpot else {
                guard !piece.movesWithSpot else {
                    throw MarginError(
                        .name(piece.asset), field: "units",
                        reason: "moves with no risk unit; say moves_with_spot = false of what stands still")
                }
                continue
            }
            guard units[unit]?.margin.countsEquity == true else { continue }
            sums[unit, default: 0] += piece.quantity * piece.price
        }
        for (number, coins) in account.coinBalances where units[market.underlyings[number].name] != nil {
            let underlying = market.underlyings[number]
            guard units[underlying.name]?.margin.countsEquity == true else { continue }
            sums[underlying.name, default: 0] += coins * underlying.spot
        }
        return sums
    }

    func requireDollars(_ market: MarginMarket) throws(MarginError) {
        guard market.stablePrice == 1 else {
            throw MarginError(
                .name("market"), field: "stable.price", value: market.stablePrice.shown,
                reason: "must be 1: this rule counts in dollars")
        }
    }

    func requirement(
        _ account: CrossMarginAccount, _ market: MarginMarket, _ engine: GreeksEngine
    ) throws(MarginError) -> MarginRequirement {
        try account.requireKinds(Self.kinds, in: market, for: Self.model)
        try requireDollars(market)
        let moving = try moving(account, market)
        let held = account.held
        var totals = Totals()
        var result = MarginRequirement(initial: 0, maintenance: 0, markToMarket: 0)
        var worth = account.cash + account.unsettled
        for (number, coins) in account.coinBalances { worth += coins * market.underlyings[number].spot }
        let known = Set(market.underlyings.map(\.name))
        for (number, underlying) in market.underlyings.enumerated() {
            let own = held.filter { market.contracts[$0].underlying == number }
            guard !own.isEmpty || moving[underlying.name] != nil else { continue }
            worth += try add(
                own, of: underlying, moving: moving[underlying.name] ?? 0, account, market, &totals, &result,
                engine)
        }
        // Coins whose underlying no contract is in: a unit of their own.
        for (name, dollars) in moving.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
            let underlying = MarginMarket.Underlying(name, spot: 1)
            worth += try add(
                [], of: underlying, moving: dollars, account, market, &totals, &result, engine)
        }
        var (ofMaintenance, ofInitial) = (0.0, 0.0)
        for piece in account.collateral {
            let value = piece.quantity * piece.price
            worth += value
            ofMaintenance += piece.maintenanceHaircut * value
            ofInitial += piece.initialHaircut * value
        }
        let margin = totals.worst + totals.roll + totals.shock
        let factor = maintenanceFactor
        result.parts = [
            .init("worst scenarios", maintenance: factor * totals.worst, initial: totals.worst),
            .init("roll shock", maintenance: factor * totals.roll, initial: totals.roll),
            .init("delta shock", maintenance: factor * totals.shock, initial: totals.shock),
        ]
        if ofMaintenance + ofInitial > 0 {
            result.parts.append(
                .init(
                    "collateral haircut", maintenance: ofMaintenance, initial: ofMaintenance + ofInitial))
        }
        for (name, amount) in account.otherInitial {
            result.parts.append(.init(name, maintenance: 0, initial: amount))
        }
        result.initialMargin = result.parts.reduce(0) { $0 + $1.initial }
        result.maintenanceMargin = result.parts.reduce(0) { $0 + $1.maintenance }
        result.markToMarket = worth
        result.initialBalance = worth - result.initialMargin
        result.maintenanceBalance = worth - result.maintenanceMargin
        result.worst = totals.place
        result.figures = [
            ("worst_loss", totals.worst), ("roll_shock", totals.roll), ("delta_shock", totals.shock),
            ("risk_matrix_margin", margin),
        ]
        result.byExpiry = DeribitMargin.byExpiry(result.byContract)
        return result
    }

    private struct Totals {
        var (worst, roll, shock) = (0.0, 0.0, 0.0)
        /// The largest loss of all units, and its place.
        var place: Int?
        var largest = 0.0
    }

    /// Adds a unit's losses, shocks and contributions.
    /// - Returns: what its contracts are worth.
    private func add(
        _ places: [Int], of underlying: MarginMarket.Underlying, moving: Double,
        _ account: CrossMarginAccount,
        _ market: MarginMarket, _ totals: inout Totals, _ result: inout MarginRequirement,
        _ engine: GreeksEngine
    ) throws(MarginError) -> Double {
        let unit = try parameters(of: underlying)
        let grid = try unit.grid()
        let rows = try rows(places, of: underlying, grid, market, engine)
        let standardCount = grid.count - DeribitMargin.extendedMoves.count
        var sums = grid.scenarios.map { moving * $0.spot }
        var (value, total) = (0.0, 0.0)
        var deltaOf: [RollKey: Double] = [:]
        for row in rows {
            let quantity = account.quantities[row.place]
            for scenario in sums.indices { sums[scenario] += quantity * row.gains[scenario] }
            value += quantity * row.value
            total += quantity * row.delta
            deltaOf[row.roll, default: 0] += quantity * row.delta
        }
        let raw = sums
        for (place, move) in DeribitMargin.extendedMoves.enumerated() {
            let profit = sums[standardCount + place] * unit.share(of: move)
            let left = max(0, profit.magnitude - unit.room(of: move))
            sums[standardCount + place] = profit < 0 ? -left : left
        }
        let counted = sums.map(unit.offset)
        let first = result.losses.count
        for (scenario, profit) in counted.enumerated() {
            let key = unit.key(scenario, standardCount, underlying.name)
            var loss = MarginRequirement.Loss(key: key, title: key, loss: 0 - profit)
            loss.underlying = underlying.name
            loss.move = grid.scenarios[scenario].spot
            loss.besides = "vol \(grid.ruleNames[grid.scenarios[scenario].rule])"
            loss.countsInPart = scenario >= standardCount
            result.losses.append(loss)
        }
        let worst = counted.indices.min { counted[$0] < counted[$1] } ?? 0
        let loss = max(0, -counted[worst])
        totals.worst += loss
        if loss > totals.largest { (totals.place, totals.largest) = (first + worst, loss) }
        for (key, delta) in deltaOf.sorted(by: { $0.key < $1.key }) {
            let years = key.expiry < 0 ? 0 : underlying.expiries[key.expiry].years
            totals.roll += delta.magnitude * underlying.spot * unit.rollRate(years)
        }
        totals.shock += unit.deltaShock(total * underlying.spot, spot: 1)
        guard loss > 0, raw[worst] != 0 else { return value }
        // An extended loss is drawn towards 0 as a whole: each contract's by the same share.
        for row in rows {
            let part = loss * account.quantities[row.place] * row.gains[worst] / raw[worst]
            result.byContract.append(
                market.contribution(
                    row.place, of: account, maintenance: maintenanceFactor * part, initial: part))
        }
        if moving != 0 {
            let part = loss * moving * grid.scenarios[worst].spot / raw[worst]
            result.byContract.append(
                .init(
                    underlying: underlying.name, expiry: "", contract: "\(underlying.name) coins",
                    quantity: moving / underlying.spot, maintenance: maintenanceFactor * part, initial: part))
        }
        return value
    }
}

extension DeribitMargin {
    /// What a dollar gained in an extended move counts for: in dollars the coins' own move cancels out of `adjusted`.
    func share(of move: Double) -> Double { priceRange / move.magnitude * extendedFactor }

    /// By how much, at most, an extended profit is drawn towards 0, in dollars.
    func room(of move: Double) -> Double { (max(move.magnitude / priceRange, 1) - 1) * extendedDampener }
}

extension DeribitCrossMargin {
    func build(_ builder: inout ConvexBuilder) throws(MarginError) {
        let market = builder.market
        try requireDollars(market)
        let moving = try moving(builder.account, market)
        let known = Set(market.underlyings.map(\.name))
        for (number, underlying) in market.underlyings.enumerated() {
            let own = builder.contracts.filter { market.contracts[$0].underlying == number }
            guard !own.isEmpty || moving[underlying.name] != nil else { continue }
            try build(&builder, own, of: underlying, moving: moving[underlying.name] ?? 0)
        }
        for (name, dollars) in moving.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
            try build(&builder, [], of: MarginMarket.Underlying(name, spot: 1), moving: dollars)
        }
        for piece in builder.account.collateral {
            builder.add(
                piece.quantity * piece.price * (piece.maintenanceHaircut + piece.initialHaircut))
        }
        for (_, amount) in builder.account.otherInitial { builder.add(amount) }
    }

    private func build(
        _ builder: inout ConvexBuilder, _ places: [Int], of underlying: MarginMarket.Underlying,
        moving: Double
    ) throws(MarginError) {
        let unit = try parameters(of: underlying)
        let grid = try unit.grid()
        let rows = try rows(places, of: underlying, grid, builder.market, builder.engine)
        var profits = grid.scenarios.map { scenario in
            var line = builder.line
            line.constant = moving * scenario.spot
            return line
        }
        var deltaOf: [RollKey: ConvexLine] = [:]
        var total = builder.line
        for row in rows {
            let quantity = builder.quantity(row.place)
            for scenario in profits.indices { profits[scenario].add(quantity, row.gains[scenario]) }
            if builder.market.contracts[row.place].settlesInCoin, unit.countsEquity {
                // A trade is paid in coins, which leave the matrix.
                var traded = quantity
                traded.constant = 0
                for (scenario, move) in grid.scenarios.enumerated() {
                    profits[scenario].add(traded, -row.value * move.spot)
                }
            }
            deltaOf[row.roll, default: builder.line].add(quantity, row.delta * underlying.spot)
            total.add(quantity, row.delta * underlying.spot)
        }
        builder.addOutcome("\(underlying.name) no loss", builder.line, [])
        let standardCount = grid.count - DeribitMargin.extendedMoves.count
        for scenario in 0..<standardCount {
            builder.addOutcome(
                unit.key(scenario, standardCount, underlying.name), profits[scenario] * -1, [])
        }
        for (place, move) in DeribitMargin.extendedMoves.enumerated() {
            var loss = profits[standardCount + place] * -unit.share(of: move)
            loss.constant -= unit.room(of: move)
            builder.addOutcome(unit.key(standardCount + place, standardCount, underlying.name), loss, [])
        }
        builder.addWorst(1)
        for (key, delta) in deltaOf.sorted(by: { $0.key < $1.key }) {
            let years = key.expiry < 0 ? 0 : underlying.expiries[key.expiry].years
            builder.addMagnitude(delta, unit.rollRate(years))
        }
        if unit.deltaRate > 0, unit.largestDeltaShock > 0 {
            builder.addBend(total, rate: unit.deltaRate, scale: 1, threshold: unit.deltaThreshold)
            builder.note("the delta shock of \(underlying.name) is taken without its end")
        }
    }
}
