import Greeks
import Risk

extension DeribitMargin {
    func build(_ builder: inout ConvexBuilder) throws(MarginError) {
        let market = builder.market
        let grid = try self.grid()
        let revaluation = ScenarioRevaluation(grid, engine: builder.engine, pricedOff: .future)
        for number in Set(builder.contracts.map { market.contracts[$0].underlying }).sorted() {
            let underlying = market.underlyings[number]
            let spot = underlying.spot
            try MarginError.require(.positive, spot, "spot", of: underlying.name)
            let own = builder.contracts.filter { market.contracts[$0].underlying == number }
            let legs = try OptionLegs(
                market, own.filter { market.contracts[$0].kind == .option }, discounted: false,
                for: Self.model)
            let deltas = legs.deltas(builder.engine)
            let gains = try legs.gains(revaluation, in: .coin)
            var profits = grid.scenarios.map { _ in builder.line }
            var deltaOf: [Int: ConvexLine] = [:]
            for leg in 0..<legs.count {
                let quantity = builder.quantity(legs.contracts[leg])
                for scenario in profits.indices { profits[scenario].add(quantity, gains[leg, scenario]) }
                let expiry = market.contracts[legs.contracts[leg]].expiry ?? -1
                deltaOf[expiry, default: builder.line].add(quantity, deltas[leg])
            }
            for place in own where market.contracts[place].kind != .option {
                let contract = market.contracts[place]
                var (coins, share) = (builder.quantity(place), 1.0)
                if contract.kind == .spot {
                    if !countsEquity { continue }
                } else {
                    coins = coins * (1 / (try market.price(of: contract, for: Self.model)))
                    if contract.kind == .inverseFuture {
                        share = try market.expiry(of: contract, for: Self.model).openShare
                    }
                    deltaOf[contract.expiry ?? -1, default: builder.line].add(coins, 1)
                }
                for (scenario, move) in grid.scenarios.enumerated() {
                    let move = move.spot * share
                    profits[scenario].add(coins, move / (1 + move))
                }
            }
            // Only losses count in the worst, which is at least 0: what gains is worth does not matter.
            builder.addOutcome("\(underlying.name) no loss", builder.line, [])
            let standardCount = grid.count - Self.extendedMoves.count
            for scenario in 0..<standardCount {
                builder.addOutcome(
                    key(scenario, standardCount, underlying.name), profits[scenario] * -1, [])
            }
            for (place, move) in Self.extendedMoves.enumerated() {
                var loss = profits[standardCount + place] * -adjusted(1, move)
                loss.constant -= room(of: move, spot: spot)
                builder.addOutcome(key(standardCount + place, standardCount, underlying.name), loss, [])
            }
            builder.addWorst(1)
            var total = builder.line
            for (expiry, delta) in deltaOf.sorted(by: { $0.key < $1.key }) {
                let years = expiry < 0 ? 0 : underlying.expiries[expiry].years
                builder.addMagnitude(delta, rollRate(years))
                total.add(delta, 1)
            }
            if deltaRate > 0, largestDeltaShock > 0 {
                builder.addBend(total, rate: deltaRate, scale: spot, threshold: deltaThreshold)
                builder.note("the delta shock of \(underlying.name) is taken without its end")
            }
        }
        for (_, amount) in builder.account.otherInitial { builder.add(amount) }
    }
}

extension SpanMargin {
    func build(_ builder: inout ConvexBuilder) throws(MarginError) {
        let market = builder.market
        for number in Set(builder.contracts.map { market.contracts[$0].underlying }).sorted() {
            let underlying = market.underlyings[number]
            let own = builder.contracts.filter { market.contracts[$0].underlying == number }
            let arrays = try self.arrays(own, underlying, market, builder.engine)
            builder.addOutcome("\(underlying.name) no loss", builder.line, [])
            for scenario in 0..<16 {
                var loss = builder.line
                for place in own { loss.add(builder.quantity(place), -(arrays[place]?[scenario] ?? 0)) }
                builder.addOutcome("\(underlying.name) \(Self.title(scenario))", loss, [])
            }
            if shortOptionMinimum > 0 {
                var line = builder.line
                var parts: [ConvexRequirement.Part] = []
                for place in own where market.contracts[place].kind == .option {
                    let lines = [builder.line, builder.quantity(place) * -1]
                    if let part = builder.part(lines, shortOptionMinimum, else: &line) { parts.append(part) }
                }
                builder.addOutcome("\(underlying.name) short-option minimum", line, parts)
            }
            builder.addWorst(initialRatio)
        }
    }
}

extension ShortOptionMargin {
    func build(_ builder: inout ConvexBuilder) throws(MarginError) {
        let (account, market) = (builder.account, builder.market)
        let options = builder.contracts(.option)
        let values = try market.optionValues(options, for: Self.model, builder.engine)
        for (place, value) in zip(options, values) {
            let own = try initial(ofShort: place, value: value, account, market)
            builder.add([builder.line, builder.quantity(place) * -1], own)
        }
        for order in account.orders {
            guard let fee, market.contracts.indices.contains(order.contract) else { continue }
            let index = market.underlying(of: market.contracts[order.contract]).spot
            builder.add(
                order.quantity * (order.price + min(fee.rate * index, fee.cap * order.price)))
        }
    }
}

extension RateMargin {
    func build(_ builder: inout ConvexBuilder) throws(MarginError) {
        for place in builder.contracts {
            builder.addMagnitude(
                builder.quantity(place),
                initialRate * (try value(ofUnit: place, builder.account, builder.market)))
        }
    }
}

extension DeriveStandardMargin {
    /// The better of two rules is not convex. What each expiry takes now is what it takes after the trades.
    func build(_ builder: inout ConvexBuilder) throws(MarginError) {
        let market = builder.market
        let options = builder.contracts(.option)
        let values = try market.optionValues(options, for: Self.model, builder.engine)
        var legs: [Int: [(place: Int, value: Double)]] = [:]
        for (place, value) in zip(options, values) {
            let contract = market.contracts[place]
            guard let expiry = contract.expiry else {
                throw .missing("expiry", of: contract.name, for: Self.model)
            }
            legs[contract.underlying << 32 | expiry, default: []].append((place, value))
        }
        let peg = max(0, pegThreshold - market.stablePrice) * pegFactor
        for (key, legs) in legs.sorted(by: { $0.key < $1.key }) {
            let underlying = market.underlyings[key >> 32]
            let expiry = underlying.expiries[key & 0xFFFF_FFFF]
            var value = builder.line
            for leg in legs { value.add(builder.quantity(leg.place), leg.value) }
            builder.add(value)
            let takesPayoff = try takesPayoff(builder.account, legs, underlying, expiry, market)
            builder.note(
                "\(underlying.name) \(expiry.name) keeps the better rule of now, "
                    + (takesPayoff ? "its least payoff" : "its short options one by one"))
            if takesPayoff {
                try addPayoff(legs, expiry, &builder)
            } else {
                try addShorts(legs, underlying, &builder)
            }
            let least = min(
                underlying.confidence, min(expiry.forwardConfidence, expiry.volatilityConfidence))
            for leg in legs {
                builder.add(
                    [builder.line, builder.quantity(leg.place) * -1],
                    extra(least, underlying.spot) + peg * underlying.spot)
            }
        }
        for place in builder.contracts where market.contracts[place].kind != .option {
            let contract = market.contracts[place]
            let underlying = market.underlying(of: contract)
            let quantity = builder.quantity(place)
            if contract.kind == .perpetual {
                let price = try market.price(of: contract, for: Self.model)
                let least = min(underlying.confidence, underlying.perpetual?.confidence ?? 1)
                builder.addMagnitude(
                    quantity,
                    perpetualInitial * price + extra(least, underlying.spot) + peg * underlying.spot)
            } else {
                let share = 1 / market.stablePrice - spotMaintenance * spotInitialScale
                builder.add(quantity * (underlying.spot * share))
                builder.addMagnitude(quantity, extra(underlying.confidence, underlying.spot))
            }
        }
    }

    /// −(least payoff over strikes and 0, at most 0) and what unpaired calls add.
    private func addPayoff(
        _ legs: [(place: Int, value: Double)], _ expiry: MarginMarket.Expiry, _ builder: inout ConvexBuilder
    ) throws(MarginError) {
        let market = builder.market
        var lines = [builder.line]
        var calls = builder.line
        let strikes = try legs.map { leg throws(MarginError) in
            try market.strike(of: market.contracts[leg.place], for: Self.model)
        }
        for price in Set([0] + strikes).sorted() {
            var loss = builder.line
            for (leg, strike) in zip(legs, strikes) {
                let type = try market.type(of: market.contracts[leg.place], for: Self.model)
                loss.add(builder.quantity(leg.place), -max(0, (price - strike) * type.sign))
            }
            lines.append(loss)
        }
        for leg in legs
        where try market.type(of: market.contracts[leg.place], for: Self.model) == .call {
            calls.add(builder.quantity(leg.place), 1)
        }
        builder.add(lines, 1)
        builder.add([builder.line, calls * -1], unpairedInitial * expiry.forward)
    }

    /// −Σ of what short options count for: each the larger of a few lines.
    private func addShorts(
        _ legs: [(place: Int, value: Double)], _ underlying: MarginMarket.Underlying,
        _ builder: inout ConvexBuilder
    ) throws(MarginError) {
        for leg in legs {
            let own = try initial(ofShort: leg.place, value: leg.value, underlying, builder.market)
            builder.add([builder.line, builder.quantity(leg.place) * -1], own)
        }
    }
}
