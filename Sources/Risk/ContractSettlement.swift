import Market

/// The end of a contract: what it paid to whom.
public struct ContractSettlement: Sendable, Equatable {
    public let instrument: Instrument
    /// In quote currency.
    public let deliveryPrice: Double
    /// The price of its future, in quote currency, up to which the desk had counted: what a future pays is the way from
    /// here to the delivery price.
    public let lastPrice: Double
    /// What the holder of one unit gets: see `Instrument.payment`.
    public let cashPerUnit: Double
    /// The coin of inverse contracts, else the quote currency.
    public let currency: String
    /// What each book held and got, in the order in which they came to hold it; none where it held nothing.
    public let payments: [Payment]

    public struct Payment: Sendable, Equatable {
        public let book: String
        public let quantity: Double
        /// `cashPerUnit` times the quantity.
        public let cash: Double
    }
}

extension Instrument {
    /// What the holder of a unit is paid at expiry, in the coin of inverse contracts, else in quote currency: of an option
    /// its intrinsic value at the delivery price, of a future its gain since the last price that was counted, as
    /// exchanges pay the way up to there day by day.
    func payment(delivery: Double, last: Double) -> Double {
        if case .option(let type, let strike, _) = kind {
            let intrinsic = max(0, type.sign * (delivery - strike))
            return settlement == .inverse ? intrinsic / delivery : intrinsic
        }
        return profit(quantity: 1, entry: last, exit: delivery)
    }

    /// The currency in which it pays.
    var paymentCurrency: String { settlement == .inverse ? base : quote }
}
