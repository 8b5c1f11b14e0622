import GreeksKernel

extension VolatilityStatus: CustomStringConvertible {
    /// As in tables.
    public var description: String {
        switch self {
        case .ok: "ok"
        case .belowIntrinsic: "below-intrinsic"
        case .aboveMaximum: "above-maximum"
        case .notANumber: "not-a-number"
        case .expired: "expired"
        case .two: "two-volatilities"
        }
    }
}

/// Prices of options in full form, to find the volatilities that they imply. Columns of equal length, units
/// as in `OptionBatch`; values need not be checked, since every row gets a status.
public struct PriceBatch: Sendable {
    public let type: [UInt8]
    public let spot, strike, years, price, rate, dividend: [Double]

    public var count: Int { type.count }

    /// - Throws: `lengthMismatch`.
    public init(
        type: [UInt8], spot: [Double], strike: [Double], years: [Double], price: [Double], rate: [Double],
        dividend: [Double]
    ) throws(GreeksError) {
        _ = try OptionPrices(
            type: type.span, spot: spot.span, strike: strike.span, years: years.span, price: price.span,
            rate: rate.span, dividend: dividend.span)
        self.type = type
        self.spot = spot
        self.strike = strike
        self.years = years
        self.price = price
        self.rate = rate
        self.dividend = dividend
    }

    /// The columns, for as long as the batch lives.
    public var columns: OptionPrices {
        @_lifetime(borrow self) get {
            OptionPrices(
                ofEqualLength: type.span, spot: spot.span, strike: strike.span, years: years.span,
                price: price.span, rate: rate.span, dividend: dividend.span)
        }
    }
}

extension GreeksEngine {
    /// The implied volatility of every price, or NaN and the reason.
    public func impliedVolatilities(
        of batch: PriceBatch
    ) -> (volatility: [Double], status: [VolatilityStatus]) {
        var volatility = Array(repeating: 0.0, count: batch.count)
        var status = Array(repeating: UInt8(0), count: batch.count)
        var volatilities = volatility.mutableSpan
        var statuses = status.mutableSpan
        impliedVolatilities(of: batch.columns, volatility: &volatilities, status: &statuses)
        return (volatility, status.map { VolatilityStatus(rawValue: $0) ?? .notANumber })
    }
}
