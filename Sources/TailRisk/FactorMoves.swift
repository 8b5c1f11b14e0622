import Market

/// Moves of prices and volatilities, scenario by scenario: columns of `count` relative moves per coin, −0.2 for a
/// fall of 20%.
public struct FactorMoves: Sendable {
    public let coins: [String]
    public let price: [[Double]]
    /// Empty where volatilities don't move.
    public let volatility: [[Double]]
    /// When each scenario of a history began; empty for others.
    public let starts: [Timestamp]
    public let count: Int

    /// - Throws: `invalidValue` for a price that would fall to 0 or below, or a volatility below 0.
    public init(coins: [String], price: [[Double]], volatility: [[Double]] = []) throws(TailRiskError) {
        precondition(price.count == coins.count, "a column of prices per coin")
        precondition(volatility.isEmpty || volatility.count == coins.count, "a column per coin, or none")
        let count = price.first?.count ?? 0
        precondition((price + volatility).allSatisfy { $0.count == count }, "columns of one length")
        for move in price.joined() {
            try TailRiskError.require(.above(-1, upTo: .infinity), move, "price move")
        }
        for move in volatility.joined() { try TailRiskError.require(.atLeast(-1), move, "volatility move") }
        self.init(coins: coins, price: price, volatility: volatility, count: count)
    }

    init(
        coins: [String], price: [[Double]], volatility: [[Double]], starts: [Timestamp] = [], count: Int
    ) {
        self.coins = coins
        self.price = price
        self.volatility = volatility
        self.starts = starts
        self.count = count
    }

    /// The columns of some coins' moves.
    /// - Throws: `missingHistory` for a coin that has none.
    func places(of coins: [String]) throws(TailRiskError) -> [Int] {
        var places: [Int] = []
        for coin in coins {
            guard let place = self.coins.firstIndex(of: coin) else { throw .missingHistory(coin: coin) }
            places.append(place)
        }
        return places
    }

    /// Prices, then volatilities: what covariances are made from.
    public var factors: [[Double]] { price + volatility }

    /// The names of the factors.
    public var factorNames: [String] {
        coins.map { "\($0) price" } + (volatility.isEmpty ? [] : coins.map { "\($0) volatility" })
    }
}
