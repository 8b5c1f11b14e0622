/// The time before expiry in which the delivery price is averaged: the one rule on how sensitivities fade.
///
/// The average is known in part, so a contract's own price moves by the share s of the index's move, where s falls
/// linearly from 1 to 0. By the chain rule a sensitivity fades once for each time that it is differentiated by price.
public enum SettlementWindow {
    /// The share s: 1 until the window of the contract's exchange begins, 0 from expiry on; 1 for what never expires.
    /// - Source: Deribit, support article 25944751433757.
    public static func remainingShare(at now: Timestamp, of instrument: Instrument) -> Double {
        guard let expiry = instrument.expiry else { return 1 }
        return remainingShare(
            at: now, expiry: expiry, milliseconds: instrument.exchange.averagingMilliseconds(of: expiry))
    }

    /// The same for a window of so many milliseconds.
    public static func remainingShare(
        at now: Timestamp, expiry: Timestamp, milliseconds: Int64
    ) -> Double {
        min(1, max(0, Double(expiry.milliseconds - now.milliseconds) / Double(milliseconds)))
    }

    /// A window of so many milliseconds in years.
    package static func years(milliseconds: Int64) -> Double {
        Double(milliseconds) / (Year.days * 86_400_000)
    }

    /// Of the variance that the index has from the window's start (or from now, within it) to expiry, the share that the
    /// settlement price has, and its derivative by the years that are left.
    ///
    /// The average's variance is that of the shares still to come, ∫ s² dt: a third of the window's before it begins, s²/3
    /// of what is left within it. For volatilities that are small over the window.
    package static func varianceShare(years: Double, window: Double) -> (value: Double, rate: Double) {
        guard years < window else { return (1.0 / 3, 0) }
        let share = years / window
        return (share * share / 3, 2 * share / (3 * window))
    }

    /// The remaining share of each sensitivity to the index. Value, vega, theta, rho and volga stay whole: prices and
    /// volatilities are the contract's own.
    public struct Factors: Sendable, Equatable {
        /// s, of delta and net delta, ∂/∂F.
        public let delta: Double
        /// s², of gamma, ∂²/∂F².
        public let gamma: Double
        /// s, of vanna, ∂²/∂F∂σ.
        public let vanna: Double
        /// s, of charm, ∂²/∂F∂t, for as long as the share stands still.
        public let charm: Double

        public init(share: Double) {
            (delta, gamma, vanna, charm) = (share, share * share, share, share)
        }
    }
}
