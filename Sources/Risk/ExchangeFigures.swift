import Greeks
import Market

/// A contract's figures by the rules and in the units of the exchange (Deribit), to compare with what it
/// publishes.
///
/// With F the underlying future, V the undiscounted Black-76 value in quote currency and T years:
/// - Source: Deribit's API documentation for units and the one-day rule of theta; the cap of theta at the
///   premium and the form of rho were found by recomputing its published tickers.
public struct ExchangeFigures: Sendable, Equatable {
    /// V/F in coin for an inverse option, V for a linear one; the mark of anything else.
    public let markPrice: Double
    /// Coins per coin: the forward delta, premium not subtracted.
    public let delta: Double
    /// Per unit of quote currency.
    public let gamma: Double
    /// Quote currency per volatility point.
    public let vega: Double
    /// Quote currency per day: the decay of a day or of the time that is left, if that is less, and never
    /// more than the option is worth.
    public let theta: Double
    /// Quote currency per percent: ±K T N(±d2)/100.
    public let rho: Double
    /// The part of the delta that counts in a position: 1 until the half hour before expiry, in which the
    /// delivery price is averaged, then falling linearly to 0.
    public let settlementShare: Double
    /// Coins per coin: `settlementShare` times the delta less, where the premium is paid in coin, the mark
    /// price.
    public let netDelta: Double

    /// From the natural Greeks of one row.
    public init(_ chain: ChainGreeks, row: Int) {
        func natural(_ greek: Greek) -> Double { chain.greeks[greek]?[row] ?? 0 }
        let value = natural(.price)
        let forward = chain.options.spot[row]
        let days = chain.options.years[row] * 365
        let isInverseOption = chain.classes[row] == .inverseOption
        markPrice = isInverseOption ? value / forward : value
        delta = natural(.delta)
        gamma = natural(.gamma)
        vega = natural(.vega) / 100
        theta = max(natural(.theta) / 365 * min(1, days), -value)
        rho = natural(.rho) / 100
        settlementShare = chain.settlementShares[row]
        netDelta = settlementShare * (isInverseOption ? delta - markPrice : delta)
    }
}
