import Greeks
import Hedging
import Margin
import Market
import Risk

/// A hedge and a venue's margin: the requirement of an account as an optimiser takes it, and the venue's own rule, which
/// decides what the account looks like after the trades.
public struct MarginedHedge: Sendable {
    public let model: MarginModel
    public let market: MarginMarket
    public let account: CrossMarginAccount
    public let candidates: [MarginCandidate]
    /// In the account's currency times `scale`.
    public let requirement: ConvexRequirement
    /// What a unit of the account's currency is in the hedge's: an index where the venue counts in coin.
    public let scale: Double
    private let engine: GreeksEngine

    /// - Parameter candidates: of each instrument of the hedge.
    /// - Throws: what the model asks for and the market lacks.
    public init(
        _ model: MarginModel, _ account: CrossMarginAccount, in market: MarginMarket,
        trading candidates: [MarginCandidate], scale: Double = 1, _ engine: GreeksEngine
    ) throws(MarginError) {
        (self.model, self.market, self.account, self.engine) = (model, market, account, engine)
        self.candidates = candidates
        self.scale = scale
        var requirement = try model.convexRequirement(
            of: account, in: market, trading: candidates, engine)
        if scale != 1 { requirement.scale(by: scale) }
        self.requirement = requirement
    }

    /// The account after trades, each at its mark, and after their cost in the hedge's currency.
    public func account(
        after trades: [Double], paying cost: Double
    ) throws(MarginError) -> CrossMarginAccount {
        var after = account
        for (x, candidate) in zip(trades, candidates) where x != 0 {
            let quantity = x * candidate.unit
            let price = try model.price(of: candidate.contract, in: market, engine)
            after = model.account(
                after, after: candidate.contract, quantity: quantity, at: price, in: market)
        }
        after.cash -= cost / scale
        return after
    }

    /// What the venue asks after trades.
    public func exact(
        after trades: [Double], paying cost: Double
    ) throws(MarginError) -> MarginRequirement {
        try model.requirement(of: account(after: trades, paying: cost), in: market, engine)
    }

    /// By how much each trade, with all the others, changes what is left of the funds: below 0 where it takes margin.
    public func headroomOfTrades(_ trades: [Double], paying cost: Double) throws(MarginError) -> [Double] {
        let all = try exact(after: trades, paying: cost).initialBalance
        var changes = trades.map { _ in 0.0 }
        for i in trades.indices where trades[i] != 0 {
            var others = trades
            others[i] = 0
            changes[i] = all - (try exact(after: others, paying: cost).initialBalance)
        }
        return changes
    }

    /// The prices nearest to the index at which maintenance margin is used up after trades: below and above.
    public func liquidation(
        after trades: [Double], paying cost: Double, underlying: Int = 0, points: Int = 200
    ) throws(MarginError) -> (below: Double?, above: Double?) {
        let spot = market.underlyings[underlying].spot
        let prices = try model.liquidationPrices(
            of: account(after: trades, paying: cost), in: market, underlying: underlying,
            within: 0.1 * spot...10 * spot, points: points, engine)
        return (prices.last { $0 < spot }, prices.first { $0 > spot })
    }
}

extension MarginCases.Case {
    /// The hedge problem of a case, where it is one.
    public func hedgeProblem() -> (problem: HedgeProblem, terms: RequirementTerms)? {
        guard case .hedge(_, let market, _, let terms) = problem else { return nil }
        var problem = HedgeProblem(name: name, underlyings: [""])
        for instrument in terms.instruments {
            problem.add(
                market.contracts[instrument.contract].name,
                HedgeInstrument(
                    costBuy: instrument.costBuy, costSell: instrument.costSell, lot: instrument.lot,
                    maximumBuy: instrument.maximumBuy, maximumSell: instrument.maximumSell))
        }
        for band in terms.bands {
            let own =
                band.isHard
                ? HedgeBand(hard: band.low, band.high, current: band.current)
                : HedgeBand(
                    soft: band.low, band.high, current: band.current, penalty: band.penalty,
                    penaltyQuadratic: band.penaltyQuadratic)
            problem.add(
                band.name, own,
                coefficients: zip(band.instruments, band.coefficients).map {
                    (instrument: $0, coefficient: $1)
                })
        }
        return (problem, RequirementTerms(balanceAtLeast: terms.balanceAtLeast, price: terms.price))
    }

    /// The margin of a case's hedge.
    /// - Throws: what its model asks for and its market lacks.
    public func marginedHedge(_ engine: GreeksEngine) throws(MarginError) -> MarginedHedge? {
        guard case .hedge(let model, let market, let account, let terms) = problem else { return nil }
        return try MarginedHedge(
            model, account, in: market,
            trading: terms.instruments.map { MarginCandidate(contract: $0.contract) }, engine)
    }
}
