import Greeks
import Market

/// What one unit of a contract gains where its own price moves from F to F₁, its volatility, its time or its rate
/// change: the value, the derivatives, and what the gain is of contracts that are settled rather than owned.
///
/// Options and coins are owned: their gain is the change of their value in the numeraire, V or p = V/F, whatever they
/// settle in. Futures and perpetuals are worth nothing at their mark, and gain A (1/F − 1/F₁) coins or q (F₁ − F)
/// in quote currency, exchanged at F₁ where the numeraire is the other. All are in natural units: per unit of F, per
/// 1.00 of volatility and rate, per year.
///
/// - Source: derivatives of p as in `GreekMatrix.coinGreeks`.
package struct ValueDerivatives: Sendable {
    package var value = 0.0
    /// ∂/∂F and ∂²/∂F².
    package var price = 0.0
    package var price2 = 0.0
    /// ∂/∂σ, ∂²/∂σ², ∂²/∂F∂σ.
    package var volatility = 0.0
    package var volatility2 = 0.0
    package var priceVolatility = 0.0
    /// ∂/∂t in calendar time, and ∂²/∂F∂t.
    package var time = 0.0
    package var priceTime = 0.0
    /// ∂/∂r of the discounting alone: F is observed, and moves by itself.
    package var rate = 0.0
}

extension ChainGreeks {
    /// The derivatives of one row.
    /// - Precondition: the Greeks of books are computed.
    package func derivatives(ofRow row: Int, in numeraire: Numeraire) -> ValueDerivatives {
        let forward = options.spot[row]
        let contractClass = classes[row]
        guard contractClass.isOption else { return contractClass.derivatives(price: forward, in: numeraire) }
        func natural(_ greek: Greek) -> Double { greeks[greek]?[row] ?? .nan }
        var result = ValueDerivatives()
        let coins = numeraire == .coin ? 1 / forward : 1
        result.value = natural(.price) * coins
        result.volatility = natural(.vega) * coins
        result.volatility2 = natural(.volga) * coins
        result.time = natural(.theta) * coins
        result.rate = -options.years[row] * result.value
        result.price = natural(.delta)
        result.price2 = natural(.gamma)
        result.priceVolatility = natural(.vanna)
        result.priceTime = natural(.charm)
        if numeraire == .coin {
            result.price = (result.price - result.value) * coins
            result.price2 = (result.price2 - 2 * result.price) * coins
            result.priceVolatility = (result.priceVolatility - result.volatility) * coins
            result.priceTime = (result.priceTime - result.time) * coins
        }
        return result
    }

    /// Whether a row is an option.
    package func isOption(row: Int) -> Bool { classes[row].isOption }

    /// How much of its future's move a row still takes part in (`SettlementWindow`).
    package func settlementShare(ofRow row: Int) -> Double { settlementShares[row] }

    /// What one unit of a row that is no option gains as its price moves to `price`.
    package func profit(ofRow row: Int, to price: Double, in numeraire: Numeraire) -> Double {
        classes[row].profit(from: options.spot[row], to: price, in: numeraire)
    }
}

extension ContractClass {
    /// What one unit of a future, perpetual or coin gains between two prices.
    func profit(from start: Double, to end: Double, in numeraire: Numeraire) -> Double {
        switch (self, numeraire) {
        case (.inverseFuture, .usd): (end - start) / start
        case (.inverseFuture, .coin): (end - start) / (start * end)
        case (.spot, .coin): 0
        case (_, .usd): end - start
        case (_, .coin): (end - start) / end
        }
    }

    fileprivate func derivatives(price: Double, in numeraire: Numeraire) -> ValueDerivatives {
        var result = ValueDerivatives()
        let coins = 1 / price
        switch (self, numeraire) {
        case (.inverseFuture, .usd): result.price = coins
        case (.inverseFuture, .coin):
            (result.price, result.price2) = (coins * coins, -2 * coins * coins * coins)
        case (.spot, .coin): result.value = 1
        case (.spot, .usd): (result.value, result.price) = (price, 1)
        case (_, .usd): result.price = 1
        case (_, .coin): (result.price, result.price2) = (coins, -2 * coins * coins)
        }
        return result
    }
}
