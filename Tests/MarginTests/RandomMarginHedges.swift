import Foundation
import Greeks
import Hedging
import Margin
import Market
import Poise
import TestSupport

/// Random accounts under the models of Examples, with a hedge problem for each.
struct RandomMarginHedge {
    static let models = [
        "derive-pmrm2-eth", "derive-pmrm1-eth", "paradex", "deribit-pm-eth", "span", "derive-standard",
        "bybit-standard", "deribit-standard", "deribit-cross",
    ]

    let name: String
    let margin: MarginedHedge
    let problem: HedgeProblem
    let terms: RequirementTerms

    private struct Generator {
        var state: UInt64
        mutating func next() -> Double {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
        }
        mutating func within(_ low: Double, _ high: Double) -> Double { low + (high - low) * next() }
        mutating func whole(_ count: Int) -> Int { min(count - 1, Int(next() * Double(count))) }
    }

    static func model(_ name: String) throws -> MarginModel {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Examples/margin")
        return try MarginModel(try Source(path: folder.appendingPathComponent("\(name).json").path))
    }

    /// - Parameter lots: whether the hedge is in lots, of few instruments.
    init(seed: Int, lots: Bool = false, _ engine: GreeksEngine) throws {
        var random = Generator(state: UInt64(seed) &* 7919 &+ 17)
        let kind = Self.models[seed % Self.models.count]
        var model = try Self.model(kind)
        // Most without what bends: others can solve the rest.
        if case .deribit(var rule) = model.rule, random.next() < 0.8 {
            rule.deltaRate = 0
            model = MarginModel(.deribit(rule))
        }
        if case .deribitCross(var rule) = model.rule, random.next() < 0.8 {
            rule.units["ETH"]?.margin.deltaRate = 0
            model = MarginModel(.deribitCross(rule))
        }
        name = "\(kind)-\(seed)"
        var market = MarginMarket()
        let spot = random.within(1500, 4500)
        var underlying = MarginMarket.Underlying("ETH", spot: spot)
        underlying.perpetual = MarginMarket.Perpetual(price: spot * random.within(0.998, 1.002))
        if random.next() < 0.3 { underlying.confidence = random.within(0.2, 1) }
        let days = [3.0, 14, 45, 120].shuffledPrefix(1 + random.whole(4), random.next())
        for day in days.sorted() {
            var expiry = MarginMarket.Expiry(
                "\(day)d", seconds: day * 86400, forward: spot * (1 + random.within(-0.02, 0.04)))
            expiry.rate = random.within(-0.02, 0.1)
            if random.next() < 0.2 { expiry.volatilityConfidence = random.within(0.2, 1) }
            underlying.expiries.append(expiry)
        }
        market.underlyings = [underlying]
        let count = lots ? 6 : 12 + random.whole(40)
        for number in 0..<count {
            let expiry = random.whole(days.count)
            let strike = (spot * random.within(0.7, 1.4) / 50).rounded() * 50
            var contract = MarginMarket.Contract("option-\(number)", .option, underlying: 0, expiry: expiry)
            contract.strike = strike
            contract.type = random.next() < 0.5 ? .call : .put
            contract.volatility = random.within(0.4, 0.9)
            if case .deribitCross = model.rule { contract.settlesInCoin = random.next() < 0.5 }
            market.contracts.append(contract)
        }
        let future: MarginMarket.Kind?
        switch model.kind {
        case "scan", "derive-standard": future = .perpetual
        case "deribit-pm", "deribit-cross": future = .inversePerpetual
        case "span": future = .future
        default: future = nil
        }
        if let future {
            var contract = MarginMarket.Contract("future", future, underlying: 0)
            contract.price = spot * random.within(0.999, 1.001)
            if future == .future { contract.expiry = 0 }
            market.contracts.append(contract)
        }
        let isInverse = future == .inversePerpetual
        var positions: [CrossMarginAccount.Position] = []
        for place in market.contracts.indices where random.next() < 0.7 {
            let size = random.within(-20, 20)
            let isFuture = market.contracts[place].kind != .option
            positions.append(
                CrossMarginAccount.Position(
                    contract: place, quantity: isFuture && isInverse ? size * spot : size))
        }
        let unit = model.isInCoin ? 1 / spot : 1
        var account = try CrossMarginAccount(
            currency: "USD", cash: random.within(-1, 3) * 50 * spot * unit, positions, in: market)
        var takesCoins = model.kind == "deribit-cross"
        if case .scan = model.rule { takesCoins = random.next() < 0.4 }
        if takesCoins {
            var piece = CrossMarginAccount.Collateral("ETH", quantity: random.within(0, 30), price: spot)
            piece.maintenanceHaircut = 0.05
            piece.initialHaircut = 0.03
            account.collateral = [piece]
        }
        // Instruments of the hedge: the future and some options, held or not.
        let most = lots ? 3 : 4 + random.whole(28)
        var candidates: [MarginCandidate] = []
        if future != nil { candidates.append(MarginCandidate(contract: count)) }
        for place in 0..<min(count, most) { candidates.append(MarginCandidate(contract: place)) }
        margin = try MarginedHedge(model, account, in: market, trading: candidates, engine)
        var problem = HedgeProblem(name: name, underlyings: ["ETH"])
        for candidate in candidates {
            let isFuture = market.contracts[candidate.contract].kind != .option
            let coins = isFuture && isInverse ? spot : 1
            var instrument = HedgeInstrument(
                costBuy: spot * unit * random.within(0.0002, 0.004) / coins,
                costSell: spot * unit * random.within(0.0002, 0.004) / coins,
                maximumBuy: random.within(2, lots ? 4 : 40) * coins,
                maximumSell: random.within(2, lots ? 4 : 40) * coins)
            if lots { instrument.lot = coins }
            problem.add(market.contracts[candidate.contract].name, instrument)
        }
        // Bands on two made-up exposures: what the optimiser sees is linear either way.
        for band in 0..<(lots ? 1 : 2) {
            let coefficients = problem.instruments.indices.map { i in
                (instrument: i, coefficient: random.within(-1, 1) / (i == 0 && isInverse ? spot : 1))
            }
            let current = random.within(-30, 30) / (lots ? 8 : 1)
            let width = random.within(2, 12)
            problem.add(
                "band-\(band)", HedgeBand(hard: -width, width, current: current), coefficients: coefficients)
        }
        self.problem = problem
        let zero = margin.requirement.required(after: candidates.map { _ in 0 })
        let way = random.next()
        let balance = margin.requirement.funds - zero
        terms = RequirementTerms(
            balanceAtLeast: way < 0.75
                ? balance + random.within(-0.3, 0.4) * zero.magnitude : -Double.infinity,
            price: way > 0.6 ? random.within(0.001, 0.05) : 0)
    }
}

extension Array {
    fileprivate func shuffledPrefix(_ count: Int, _ random: Double) -> [Element] {
        let first = Int(random * Double(self.count))
        return (0..<Swift.min(count, self.count)).map { self[(first + $0) % self.count] }
    }
}
