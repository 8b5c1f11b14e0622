import Greeks
import Market

/// The gain of one unit of a contract where its own price moves from F to F₁, its volatility, its time or its rate
/// change, by the table of `ChainScenarios`: the derivatives of the gain, at the start.
///
/// All are in natural units: per unit of F, per 1.00 of volatility and rate, per year.
/// - Source: derivatives of V/F as in `GreekMatrix.coinGreeks`.
package struct ValueDerivatives: Sendable {
    /// The value of a unit, in the numeraire: dollars or coins. 0 of futures and perpetuals.
    package var value = 0.0
    /// ∂/∂F and ∂²/∂F², F in quote currency.
    package var price = 0.0
    package var price2 = 0.0
    /// ∂/∂σ, ∂²/∂σ², ∂²/∂F∂σ, σ per √year: 1.00 is a hundred volatility points.
    package var volatility = 0.0
    package var volatility2 = 0.0
    package var priceVolatility = 0.0
    /// ∂/∂t as time passes, per year, below 0 where value decays; and ∂²/∂F∂t.
    package var time = 0.0
    package var priceTime = 0.0
    /// ∂/∂r of the discounting alone, −T times the value: F is observed, and moves by itself.
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
        let coinsPerDollar = numeraire == .coin ? 1 / forward : 1
        result.value = natural(.price) * coinsPerDollar
        result.volatility = natural(.vega) * coinsPerDollar
        result.volatility2 = natural(.volga) * coinsPerDollar
        result.time = natural(.theta) * coinsPerDollar
        result.rate = -options.years[row] * result.value
        result.price = natural(.delta)
        result.price2 = natural(.gamma)
        result.priceVolatility = natural(.vanna)
        result.priceTime = natural(.charm)
        if numeraire == .coin {
            let premium = contractClass == .inverseOption ? result.value : 0
            result.price = (result.price - premium) * coinsPerDollar
            result.price2 = (result.price2 - 2 * result.price) * coinsPerDollar
            result.priceVolatility = (result.priceVolatility - result.volatility) * coinsPerDollar
            result.priceTime = (result.priceTime - result.time) * coinsPerDollar
        }
        return result
    }

    /// Whether a row is an option.
    package func isOption(row: Int) -> Bool { classes[row].isOption }

    /// The share of its future's move in which a row still takes part (`SettlementWindow`).
    package func settlementShare(ofRow row: Int) -> Double { settlementShares[row] }

    /// The gains of one unit of a row in some scenarios, in which its own price moves to `prices` and of an option the
    /// value in quote currency to `values`; they go into a column, from a place on.
    package func profits(
        ofRow row: Int, to prices: Span<Double>, values: Span<Double>, in numeraire: Numeraire,
        into gains: borrowing ColumnStorage<Double>, from first: Int
    ) {
        let start = classes[row].isOption ? greeks[.price]?[row] ?? .nan : 0
        for scenario in prices.indices {
            gains[first + scenario] = profit(
                ofRow: row, to: prices[scenario], value: (start, values[scenario]), in: numeraire)
        }
    }

    /// The gain of one unit of a row as its own price moves to `price`; of an option the value in quote currency goes
    /// from `start` to `end`.
    package func profit(
        ofRow row: Int, to price: Double, value: (start: Double, end: Double) = (0, 0),
        in numeraire: Numeraire
    ) -> Double {
        let forward = options.spot[row]
        switch (classes[row], numeraire) {
        case (.inverseOption, .usd), (.linearOption, .usd): return value.end - value.start
        case (.inverseOption, .coin): return value.end / price - value.start / forward
        case (.linearOption, .coin): return (value.end - value.start) / price
        case (.inverseFuture, .usd): return (price - forward) / forward
        case (.inverseFuture, .coin): return (price - forward) / (forward * price)
        case (.linearFuture, .usd), (.spot, .usd): return price - forward
        case (.linearFuture, .coin): return (price - forward) / price
        case (.spot, .coin): return 0
        }
    }
}

extension ContractClass {
    fileprivate func derivatives(price: Double, in numeraire: Numeraire) -> ValueDerivatives {
        var result = ValueDerivatives()
        let coinsPerDollar = 1 / price
        switch (self, numeraire) {
        case (.inverseFuture, .usd): result.price = coinsPerDollar
        case (.inverseFuture, .coin):
            (result.price, result.price2) = (
                coinsPerDollar * coinsPerDollar, -2 * coinsPerDollar * coinsPerDollar * coinsPerDollar
            )
        case (.spot, .coin): result.value = 1
        case (.spot, .usd): (result.value, result.price) = (price, 1)
        case (_, .usd): result.price = 1
        case (_, .coin):
            (result.price, result.price2) = (coinsPerDollar, -2 * coinsPerDollar * coinsPerDollar)
        }
        return result
    }
}
