import Checks
import Greeks
import Hedging
import Margin
import Market
import Risk

/// The margin of an account beside a book's hedge: which candidates the account can hold, and how its requirement counts.
public struct MarginedBookHedge: Sendable {
    public let hedge: MarginedHedge
    public let terms: RequirementTerms
    public let currency: String
    /// Instruments of the hedge that the account cannot hold by this model.
    public let withoutRule: [Int]
    /// Those that are traded outside of it. What their trades cost leaves its cash all the same.
    public let elsewhere: [Int]
    /// Fields of the account's file that the model does not look at.
    public let withoutEffect: [String]

    /// - Parameters:
    ///   - underlying: the one whose positions the account holds; nil for all.
    ///   - buffer: what is left over initial margin after the trades at least, in the account's currency; nil: nothing must.
    ///   - price: of a unit of initial margin over the time that the trades are held.
    /// - Throws: `MarketError` for positions and an account that the model has no rule for, `MarginError` for what it asks for
    ///   and the market lacks.
    public init(
        _ hedge: BookHedge, _ table: PositionTable, in chain: Chain, _ account: MarginAccountFile,
        _ model: MarginModel, underlying: String?, buffer: Double?, price: Double, _ engine: GreeksEngine,
        _ badRows: inout BadRows
    ) throws {
        let book = try MarginBook(
            table, candidates: nil, in: chain, account, model, underlying: underlying,
            trading: hedge.candidates.map(\.ticker), &badRows)
        let names = Set(book.market.underlyings.map(\.name))
        var (withoutRule, elsewhere): ([Int], [Int]) = ([], [])
        for (i, candidate) in hedge.candidates.enumerated() where book.trading[i] == nil {
            if names.contains(candidate.instrument.base) {
                withoutRule.append(i)
            } else {
                elsewhere.append(i)
            }
        }
        (self.withoutRule, self.elsewhere) = (withoutRule, elsewhere)
        withoutEffect = book.withoutEffect
        // The hedge counts in dollars.
        let scale = model.isInCoin ? book.market.underlyings.first?.spot ?? 1 : book.market.stablePrice
        self.hedge = try MarginedHedge(
            model, book.account, in: book.market,
            trading: book.trading.map { $0 ?? MarginCandidate(contract: 0, unit: 0) }, scale: scale, engine)
        currency = book.account.currency
        terms = RequirementTerms(balanceAtLeast: (buffer ?? -.infinity) * scale, price: price)
    }

    /// Whether it decides anything, and is not reported alone.
    public var counts: Bool { terms.price > 0 || terms.balanceAtLeast > -.infinity }

    /// What cannot be held is not traded.
    public func restrict(_ problem: inout HedgeProblem) {
        for i in withoutRule {
            problem.instruments[i].maximumBuy = 0
            problem.instruments[i].maximumSell = 0
        }
    }
}
