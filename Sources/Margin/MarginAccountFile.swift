import Checks
import Market

/// What an account has beside its positions, as a file says it (TOML or JSON):
///
///     currency = "USD"
///     cash = 250000
///     stable_price = 1
///     [[collateral]]
///     asset = "ETH"
///     quantity = 40
///     [confidence.ETH]
///     spot = 0.98
///     [other_initial]
///     open_orders = 0.01
///     [[move]]
///     name = "treasury"
///     into = "USD"
///     most = 250000
///     cost = 0.0002
///
/// Collateral may bring `price`, `confidence`, `moves_with_spot`, `maintenance_haircut` and `initial_haircut`; its price is
/// the chain's index of the coin, its haircuts the model's, where it does not.
public struct MarginAccountFile: Sendable {
    struct Piece: Sendable {
        let asset: String
        let quantity: Double
        let price, maintenance, initial: Double?
        let confidence: Double
        let movesWithSpot: Bool?
        let line: Int
    }

    /// What can be brought into the account, or changed in it, to restore a buffer.
    struct Move: Sendable {
        let name, into: String
        /// Nil where it comes from outside.
        let from: String?
        let most, cost: Double
        let line: Int
    }

    struct Confidence: Sendable {
        var spot = 1.0
        var perpetual = 1.0
        var forward = 1.0
        var rate = 1.0
        var volatility = 1.0
    }

    public let file: String
    public let currency: String
    public let cash: Double
    let stablePrice: Double
    let collateral: [Piece]
    let confidence: [String: Confidence]
    let otherInitial: [(name: String, amount: Double)]
    let moves: [Move]

    /// - Throws: `MarketError` with file, line, field and value.
    public init(_ source: Source) throws(MarketError) {
        let settings = try Settings(source)
        settings.ignore("comment")
        file = source.name
        currency = try settings.text("currency")
        cash = try settings.number("cash", .finite)
        stablePrice = try settings.number("stable_price", .positive, default: 1)
        var collateral: [Piece] = []
        for table in try settings.tables("collateral") {
            let moves: Bool? =
                table.has("moves_with_spot") ? try table.flag("moves_with_spot", default: true) : nil
            collateral.append(
                Piece(
                    asset: try table.text("asset"), quantity: try table.number("quantity", .notNegative),
                    price: try table.optionalNumber("price", .positive),
                    maintenance: try table.optionalNumber("maintenance_haircut", .share),
                    initial: try table.optionalNumber("initial_haircut", .share),
                    confidence: try table.number("confidence", .share, default: 1), movesWithSpot: moves,
                    line: table.value.line))
        }
        self.collateral = collateral
        var confidence: [String: Confidence] = [:]
        if let table = try settings.table("confidence") {
            for name in table.keys {
                let feeds = try table.required(name)
                confidence[name] = Confidence(
                    spot: try feeds.number("spot", .share, default: 1),
                    perpetual: try feeds.number("perpetual", .share, default: 1),
                    forward: try feeds.number("forward", .share, default: 1),
                    rate: try feeds.number("rate", .share, default: 1),
                    volatility: try feeds.number("vol", .share, default: 1))
            }
        }
        self.confidence = confidence
        var other: [(name: String, amount: Double)] = []
        if let table = try settings.table("other_initial") {
            for name in table.keys { other.append((name, try table.number(name, .notNegative))) }
        }
        otherInitial = other
        var moves: [Move] = []
        for table in try settings.tables("move") {
            let into = try table.text("into")
            let from = try table.optionalText("from")
            moves.append(
                Move(
                    name: try table.optionalText("name")
                        ?? [from, into].compactMap { $0 }.joined(separator: " to "),
                    into: into, from: from, most: try table.number("most", .notNegative),
                    cost: try table.number("cost", .within(0...10), default: 0), line: table.value.line))
        }
        self.moves = moves
        try settings.finish()
    }

    /// Amounts under a model in coin are of the account's underlying, others in what counts as a dollar.
    func require(countedIn coin: String?) throws(MarketError) {
        guard coin.map({ currency == $0 }) ?? Currency.dollars.contains(currency) else {
            throw .invalidValue(
                .file(file), column: "currency", value: currency,
                reason: coin.map { "this model counts in the account's underlying, \($0)" }
                    ?? "this model counts in dollars")
        }
    }
}
