import Greeks
import Risk

extension ScanMargin {
    /// What counts in a scenario of an expiry: with V its value there and W its value now, W less V marked down by sign.
    /// The lower of two lines where long values are marked no higher than short ones, so its loss is the larger of two.
    private func losses(
        _ shocked: ConvexLine, _ now: ConvexLine, _ shares: (long: Double, short: Double), isAbsolute: Bool
    ) -> [ConvexLine] {
        var marks = shares.long == shares.short ? [shares.long] : [shares.long, shares.short]
        if shares.long > shares.short { marks = [shocked.constant > 0 ? shares.long : shares.short] }
        var lines = marks.map { now + shocked * -$0 }
        // The inner form of a magnitude: both signs of both lines.
        if isAbsolute { lines += lines.map { $0 * -1 } }
        return lines
    }

    func build(_ builder: inout ConvexBuilder) throws(MarginError) {
        let (account, market) = (builder.account, builder.market)
        let still = try still(account, market)
        let numbers = Set(builder.contracts.map { market.contracts[$0].underlying })
        guard numbers.count <= 1 else {
            let names = numbers.sorted().map { market.underlyings[$0].name }.joined(separator: ", ")
            throw MarginError(
                .name("candidates"), field: "underlying", value: names, reason: "one underlying an account")
        }
        guard let number = numbers.first else { return }
        let spot = market.underlyings[number].spot
        let legs = try OptionLegs(
            market, builder.contracts(.option), discounted: isDiscounted, for: Self.model)
        let values = legs.values(builder.engine)
        let gains = try legs.gains(ScenarioRevaluation(grid, engine: builder.engine, pricedOff: .future))
        let quantities = legs.contracts.map { builder.quantity($0) }
        func sum(_ group: Int, _ figure: (Int) -> Double) -> ConvexLine {
            var line = builder.line
            for leg in 0..<legs.count where legs.groups[leg] == group {
                line.add(quantities[leg], figure(leg))
            }
            return line
        }
        let now = legs.expiries.indices.map { group in sum(group) { values[$0] } }
        var moving = builder.line
        for piece in account.collateral where piece.movesWithSpot {
            moving.constant += piece.quantity * piece.price / market.stablePrice
        }
        for place in builder.contracts where market.contracts[place].kind != .option {
            let contract = market.contracts[place]
            let price =
                contract.kind == .spot
                ? spot / market.stablePrice : try market.price(of: contract, for: Self.model)
            moving.add(builder.quantity(place), price)
        }
        let up = initialFactor(at: market.stablePrice)
        var isMarkedAway = false
        for (scenario, move) in grid.scenarios.enumerated() {
            var line = moving * (-move.spot * move.dampening)
            var parts: [ConvexRequirement.Part] = []
            for (group, place) in legs.expiries.enumerated() {
                let expiry = market.underlyings[place.underlying].expiries[place.expiry]
                let shares =
                    grid.haircut?.shares(years: expiry.years, rate: expiry.rate, in: move)
                    ?? (long: 1, short: 1)
                isMarkedAway = isMarkedAway || shares.long > shares.short
                let shocked = now[group] + sum(group) { gains[$0, scenario] }
                let own = losses(
                    shocked, now[group], shares, isAbsolute: move.expiryLoss == .absolute)
                if let part = builder.part(own, move.dampening, else: &line) { parts.append(part) }
            }
            builder.addOutcome(grid.title(scenario), line, parts)
        }
        if isMarkedAway {
            builder.note("long values are marked above short ones: each expiry by its present sign")
        }
        if grid.scenarios.contains(where: { $0.expiryLoss == .absolute }) {
            builder.note(
                "scenarios that count an expiry's profit as a loss take the worse of long and short marks")
        }
        if let basis { try addBasis(basis, legs, quantities, &builder) }
        if let deltaCharge { try addCharge(deltaCharge, legs, quantities, spot, &builder) }
        builder.addWorst(up)
        addContingencies(legs, quantities, spot, up, &builder)
        builder.add(
            (still.collateralMaintenance + still.collateralInitial) * (areContingenciesScaled ? up : 1))
        addConfidence(legs, quantities, number, still.collateralExtra, &builder)
    }

    private func addBasis(
        _ basis: Basis, _ legs: OptionLegs, _ quantities: [ConvexLine], _ builder: inout ConvexBuilder
    ) throws(MarginError) {
        let gains = try legs.gains(
            ScenarioRevaluation(try basisGrid(basis), engine: builder.engine, pricedOff: .future))
        var line = builder.line
        var parts: [ConvexRequirement.Part] = []
        for (group, place) in legs.expiries.enumerated() {
            let years = builder.market.underlyings[place.underlying].expiries[place.expiry].years
            var lines = [builder.line]
            for move in basis.moves.indices {
                var loss = builder.line
                for leg in 0..<legs.count where legs.groups[leg] == group {
                    loss.add(quantities[leg], -gains[leg, move])
                }
                lines.append(loss)
            }
            let factor = basis.added + basis.perYear * years
            if let part = builder.part(lines, factor, else: &line) { parts.append(part) }
        }
        builder.addOutcome("basis", line, parts)
    }

    /// (net − hedged/2)·|Σδ| + hedged/2·Σ|δ|, times the index: convex where the first is not below 0.
    private func addCharge(
        _ charge: DeltaCharge, _ legs: OptionLegs, _ quantities: [ConvexLine], _ spot: Double,
        _ builder: inout ConvexBuilder
    ) throws(MarginError) {
        let deltas = legs.deltas(builder.engine)
        var own = (0..<legs.count).map { quantities[$0] * deltas[$0] }
        for place in builder.contracts where builder.market.contracts[place].kind != .option {
            own.append(builder.quantity(place))
        }
        var line = builder.line
        var parts: [ConvexRequirement.Part] = []
        var net = builder.line
        for delta in own {
            net.add(delta, 1)
            if let part = builder.part([delta, delta * -1], charge.hedged / 2 * spot, else: &line) {
                parts.append(part)
            }
        }
        let rate = charge.net - charge.hedged / 2
        if rate >= 0 {
            if let part = builder.part([net, net * -1], rate * spot, else: &line) { parts.append(part) }
        } else {
            builder.note("the least delta charge is taken without what the net delta relieves")
        }
        builder.addOutcome("least delta charge", line, parts)
    }

    private func addContingencies(
        _ legs: OptionLegs, _ quantities: [ConvexLine], _ spot: Double, _ up: Double,
        _ builder: inout ConvexBuilder
    ) {
        let scale = spot * (areContingenciesScaled ? up : 1)
        func rate(_ contingency: Contingency) -> Double {
            (contingency.maintenance + contingency.initial) * scale
        }
        for place in builder.contracts(.perpetual) {
            builder.addMagnitude(builder.quantity(place), rate(perpetual))
        }
        for place in builder.contracts(.spot) {
            builder.addMagnitude(builder.quantity(place), rate(self.spot))
        }
        struct Strike: Hashable { let group: Int; let strike: Double }
        var nets: [Strike: ConvexLine] = [:]
        var order: [Strike] = []
        for leg in 0..<legs.count {
            let key = Strike(
                group: legs.groups[leg], strike: builder.market.contracts[legs.contracts[leg]].strike ?? 0)
            if nets[key] == nil { order.append(key) }
            nets[key, default: builder.line].add(quantities[leg], 1)
        }
        for key in order {
            guard let net = nets[key] else { continue }
            builder.add([builder.line, net * -1], rate(nakedShort))
        }
    }

    private func addConfidence(
        _ legs: OptionLegs, _ quantities: [ConvexLine], _ number: Int, _ ofCollateral: Double,
        _ builder: inout ConvexBuilder
    ) {
        builder.add(ofCollateral)
        guard confidenceFactor > 0 else { return }
        let underlying = builder.market.underlyings[number]
        let perpetuals = builder.contracts(.perpetual)
        let lower = min(underlying.confidence, underlying.perpetual?.confidence ?? 1)
        let least = perpetuals.isEmpty ? underlying.confidence : lower
        if least < underlying.confidence, extra(least, 1) > extra(underlying.confidence, 1) {
            builder.note("the confidence of the perpetual counts whether one is held or not")
        }
        for place in perpetuals + builder.contracts(.spot) {
            builder.addMagnitude(builder.quantity(place), extra(least, underlying.spot))
        }
        for leg in 0..<legs.count {
            let place = legs.expiries[legs.groups[leg]]
            let feed = builder.market.underlyings[place.underlying].expiries[place.expiry]
            let own = min(
                min(least, feed.forwardConfidence), min(feed.rateConfidence, feed.volatilityConfidence))
            builder.addMagnitude(quantities[leg], extra(own, underlying.spot))
        }
    }
}
