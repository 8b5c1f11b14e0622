/// What an option's inputs mean.
public enum OptionModel: String, Sendable, CaseIterable {
    /// A lognormal underlying (`Greek`).
    case blackScholesMerton = "black-scholes-merton"
    /// A normally distributed underlying: prices of either sign, volatility in units of the price (`Bachelier`).
    case bachelier
    /// Pays 1 if it ends in the money, under a lognormal underlying (`CashOrNothing`).
    case cashOrNothing = "cash-or-nothing"
}
