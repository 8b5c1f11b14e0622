import Checks
import Greeks
import Market

/// Derive's standard margin: of each expiry the better of its short options one by one and its least payoff; perpetuals and
/// coins by rates.
///
/// For q < 0 options at index S, `otm` their distance from the money as a share of S, v their value:
///
/// | | maintenance | initial |
/// | --- | --- | --- |
/// | call | v q + `maintenanceCall` S q | v q + max(`initialRate` − otm, `initialLeast`) S q |
/// | put | v q + min(`maintenancePut` S q, `maintenancePutOfMark` v q) | the lesser of that of a call and `putInitialOfMaintenance` times maintenance |
///
/// Least payoff: over the strikes held and price 0, at most 0, plus `unpaired…`·forward·min(0, net calls).
/// - Source: derivexyz/v2-core, `StandardManager.sol`; docs.derive.xyz/standard-margin-parameters.
public struct DeriveStandardMargin: Sendable, Equatable {
    public var initialRate, initialLeast: Double
    public var maintenanceCall, maintenancePut, maintenancePutOfMark: Double
    public var putInitialOfMaintenance: Double
    public var unpairedInitial, unpairedMaintenance: Double
    /// Of the perpetual's price.
    public var perpetualInitial = 0.0
    public var perpetualMaintenance = 0.0
    /// The share of coins' worth that counts; times `spotInitialScale` for initial margin.
    public var spotMaintenance = 0.0
    public var spotInitialScale = 1.0
    /// Strictly below the threshold, initial margin rises by (1 − c)·factor·S·amount.
    public var confidenceThreshold = 0.0
    public var confidenceFactor = 0.0
    /// And by max(0, threshold − stable price)·factor·S·(all shorts + |perpetuals|).
    public var pegThreshold = 0.0
    public var pegFactor = 0.0

    public init(
        initialRate: Double, initialLeast: Double, maintenanceCall: Double, maintenancePut: Double,
        maintenancePutOfMark: Double, putInitialOfMaintenance: Double, unpairedInitial: Double,
        unpairedMaintenance: Double
    ) {
        (self.initialRate, self.initialLeast) = (initialRate, initialLeast)
        (self.maintenanceCall, self.maintenancePut) = (maintenanceCall, maintenancePut)
        self.maintenancePutOfMark = maintenancePutOfMark
        self.putInitialOfMaintenance = putInitialOfMaintenance
        (self.unpairedInitial, self.unpairedMaintenance) = (unpairedInitial, unpairedMaintenance)
    }

    static let model = "Derive's standard margin"

    func requirement(
        _ account: CrossMarginAccount, _ market: MarginMarket, _ engine: GreeksEngine
    ) throws(MarginError) -> MarginRequirement {
        try account.requireKinds([.option, .perpetual, .spot], in: market, for: Self.model)
        try account.refuseCollateral(for: Self.model)
        let held = account.held(.option, in: market)
        let values = try market.optionValues(held, for: Self.model, engine)
        // By expiry, in the order of the market.
        var places: [Int: [Int]] = [:]
        for (leg, place) in held.enumerated() {
            let contract = market.contracts[place]
            guard let expiry = contract.expiry else {
                throw .missing("expiry", of: contract.name, for: Self.model)
            }
            places[contract.underlying << 32 | expiry, default: []].append(leg)
        }
        var worth = account.cash + account.unsettled
        var terms: [MarginRequirement.Part] = []
        var byExpiry: [MarginRequirement.Contribution] = []
        var byContract: [MarginRequirement.Contribution] = []
        var shorts = market.underlyings.map { _ in 0.0 }
        var (confidence, options) = (0.0, MarginRequirement.Part("options", maintenance: 0, initial: 0))
        for (key, legs) in places.sorted(by: { $0.key < $1.key }) {
            let underlying = market.underlyings[key >> 32]
            let expiry = underlying.expiries[key & 0xFFFF_FFFF]
            var list: [Leg] = []
            for leg in legs {
                let contract = market.contracts[held[leg]]
                list.append(
                    Leg(
                        type: try market.type(of: contract, for: Self.model),
                        strike: try market.strike(of: contract, for: Self.model),
                        quantity: account.quantities[held[leg]], value: values[leg], place: held[leg]))
            }
            let charge = self.charge(list, spot: underlying.spot, forward: expiry.forward)
            worth += charge.value
            options.maintenance += charge.maintenance
            options.initial += charge.initial
            byExpiry.append(
                .init(
                    underlying: underlying.name, expiry: expiry.name, contract: "", quantity: 0,
                    maintenance: charge.maintenance, initial: charge.initial))
            let short = list.reduce(0) { $0 + max(0, -$1.quantity) }
            shorts[key >> 32] += short
            let least = min(
                underlying.confidence, min(expiry.forwardConfidence, expiry.volatilityConfidence))
            confidence += extra(least, short * underlying.spot)
        }
        if !places.isEmpty { terms.append(options) }
        var perpetuals = MarginRequirement.Part("perpetuals", maintenance: 0, initial: 0)
        var coins = MarginRequirement.Part("coins", maintenance: 0, initial: 0)
        for place in account.held where market.contracts[place].kind != .option {
            let contract = market.contracts[place]
            let underlying = market.underlying(of: contract)
            let quantity = account.quantities[place]
            var part = MarginRequirement.Part("", maintenance: 0, initial: 0)
            if contract.kind == .perpetual {
                let price = try market.price(of: contract, for: Self.model)
                part.maintenance = perpetualMaintenance * quantity.magnitude * price
                part.initial = perpetualInitial * quantity.magnitude * price
                perpetuals.maintenance += part.maintenance
                perpetuals.initial += part.initial
                let least = min(underlying.confidence, underlying.perpetual?.confidence ?? 1)
                confidence += extra(least, quantity.magnitude * underlying.spot)
                shorts[contract.underlying] += quantity.magnitude
            } else {
                let value = quantity * underlying.spot
                worth += value / market.stablePrice
                part.maintenance = value / market.stablePrice - spotMaintenance * value
                part.initial = value / market.stablePrice - spotMaintenance * spotInitialScale * value
                coins.maintenance += part.maintenance
                coins.initial += part.initial
                confidence += extra(underlying.confidence, value.magnitude)
            }
            byContract.append(
                market.contribution(
                    place, of: account, maintenance: part.maintenance, initial: part.initial))
        }
        if perpetuals.initial != 0 { terms.append(perpetuals) }
        if coins.initial != 0 { terms.append(coins) }
        if confidence != 0 { terms.append(.init("confidence", maintenance: 0, initial: confidence)) }
        let peg = max(0, pegThreshold - market.stablePrice) * pegFactor
        let pegged = zip(shorts, market.underlyings).reduce(0) { $0 + peg * $1.1.spot * $1.0 }
        if pegged != 0 { terms.append(.init("stable price", maintenance: 0, initial: pegged)) }
        var result = MarginRequirement(
            initial: terms.reduce(0) { $0 + $1.initial },
            maintenance: terms.reduce(0) { $0 + $1.maintenance },
            markToMarket: worth)
        result.parts = terms
        result.byExpiry = byExpiry
        result.byContract = byContract
        return result
    }

    private struct Leg {
        let type: Instrument.OptionType
        let strike, quantity, value: Double
        let place: Int
    }

    func extra(_ confidence: Double, _ amount: Double) -> Double {
        confidence < confidenceThreshold ? (1 - confidence) * confidenceFactor * amount : 0
    }

    /// What an expiry is worth, and what is required of it: its worth less the better of the two rules.
    private func charge(
        _ legs: [Leg], spot: Double, forward: Double
    ) -> (value: Double, maintenance: Double, initial: Double) {
        var (value, maintenance, initial) = (0.0, 0.0, 0.0)
        var calls = 0.0
        var least = 0.0
        for leg in legs {
            value += leg.quantity * leg.value
            if leg.type == .call { calls += leg.quantity }
            if leg.quantity < 0 {
                let own = isolated(leg, spot: spot)
                maintenance += own.maintenance
                initial += own.initial
            }
        }
        for price in [0.0] + legs.map(\.strike) {
            let payoff = legs.reduce(0) {
                $0 + $1.quantity * max(0, (price - $1.strike) * $1.type.sign)
            }
            least = min(least, payoff)
        }
        let unpaired = forward * min(0, calls)
        return (
            value, value - max(maintenance, least + unpairedMaintenance * unpaired),
            value - max(initial, least + unpairedInitial * unpaired)
        )
    }

    /// What a unit short of an option lacks by itself, not below 0.
    func initial(
        ofShort place: Int, value: Double, _ underlying: MarginMarket.Underlying, _ market: MarginMarket
    ) throws(MarginError) -> Double {
        let contract = market.contracts[place]
        let leg = Leg(
            type: try market.type(of: contract, for: Self.model),
            strike: try market.strike(of: contract, for: Self.model), quantity: -1, value: value, place: place
        )
        return -isolated(leg, spot: underlying.spot).initial
    }

    /// Whether an expiry is better off by its least payoff than by its short options.
    func takesPayoff(
        _ account: CrossMarginAccount, _ legs: [(place: Int, value: Double)],
        _ underlying: MarginMarket.Underlying, _ expiry: MarginMarket.Expiry, _ market: MarginMarket
    ) throws(MarginError) -> Bool {
        var list: [Leg] = []
        for leg in legs where account.quantities[leg.place] != 0 {
            let contract = market.contracts[leg.place]
            list.append(
                Leg(
                    type: try market.type(of: contract, for: Self.model),
                    strike: try market.strike(of: contract, for: Self.model),
                    quantity: account.quantities[leg.place], value: leg.value, place: leg.place))
        }
        let isolated = list.filter { $0.quantity < 0 }.reduce(0) {
            $0 + self.isolated($1, spot: underlying.spot).initial
        }
        let both = charge(list, spot: underlying.spot, forward: expiry.forward)
        return both.value - both.initial > isolated
    }

    /// A short option by itself: what it counts for, below 0.
    private func isolated(_ leg: Leg, spot: Double) -> (maintenance: Double, initial: Double) {
        let mark = leg.quantity * leg.value
        let distance = spot > 0 ? max(0, (leg.strike - spot) * leg.type.sign) / spot : 0
        let base = mark + leg.quantity * max(initialRate - distance, initialLeast) * spot
        if leg.type == .call { return (mark + maintenanceCall * spot * leg.quantity, base) }
        let need =
            mark + min(maintenancePut * spot * leg.quantity, maintenancePutOfMark * mark)
        return (need, min(base, putInitialOfMaintenance * need))
    }
}

extension MarginMarket {
    /// Values of options in dollars, undiscounted: their marks, or Black-76 where they have none.
    func optionValues(
        _ places: [Int], for model: String, _ engine: GreeksEngine
    ) throws(MarginError) -> [Double] {
        let priced = places.filter { contracts[$0].mark == nil }
        let legs = try OptionLegs(self, priced, discounted: false, for: model)
        var values = legs.values(engine).makeIterator()
        return places.map { contracts[$0].mark ?? values.next() ?? .nan }
    }
}
