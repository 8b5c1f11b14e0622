import Greeks
import Market

/// An option's figures by the rules and in the units of its exchange, to compare with what that publishes
/// (`Exchange.published`); a price and a delta of anything else.
public struct ExchangeGreeks: Sendable, Equatable {
    /// As quoted: in coin for an inverse option, else in quote currency.
    public let markPrice: Double
    public let delta, gamma, vega, theta, rho: Double
    /// The part of the delta that counts in a position while the delivery price is averaged (`SettlementWindow`).
    public let settlementShare: Double
    /// Coins per coin: `settlementShare` times the delta less, where the premium is paid in coin, the mark
    /// price.
    public let netDelta: Double

    /// From the natural Greeks of one row.
    public init(_ chain: ChainGreeks, row: Int) {
        func natural(_ greek: Greek) -> Double { chain.greeks[greek]?[row] ?? 0 }
        let instrument = chain.tickers[row].instrument
        let figures = instrument.exchange.published(
            NaturalGreeks(
                forward: chain.options.spot[row], years: chain.options.years[row], value: natural(.price),
                delta: natural(.delta), gamma: natural(.gamma), vega: natural(.vega), theta: natural(.theta),
                rho: natural(.rho)), of: instrument)
        (markPrice, delta, gamma) = (figures.markPrice, figures.greeks.delta, figures.greeks.gamma)
        (vega, theta, rho) = (figures.greeks.vega, figures.greeks.theta, figures.greeks.rho ?? 0)
        settlementShare = chain.settlementShares[row]
        netDelta = settlementShare * (instrument.isInverseOption ? delta - markPrice : delta)
    }
}
