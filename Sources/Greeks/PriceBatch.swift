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
        for (field, column) in [
            ("spot", spot), ("strike", strike), ("years", years), ("price", price), ("rate", rate),
            ("dividend", dividend),
        ] where column.count != type.count {
            throw .lengthMismatch(field: field, expected: type.count, got: column.count)
        }
        self.type = type
        self.spot = spot
        self.strike = strike
        self.years = years
        self.price = price
        self.rate = rate
        self.dividend = dividend
    }
}

extension GreeksEngine {
    /// The implied volatility of every price, or NaN and the reason.
    public func impliedVolatilities(
        of batch: PriceBatch
    ) -> (volatility: [Double], status: [VolatilityStatus]) {
        var volatility = Array(repeating: 0.0, count: batch.count)
        var status = Array(repeating: UInt8(0), count: batch.count)
        impliedVolatilities(
            PriceColumns(
                type: batch.type, spot: batch.spot, strike: batch.strike, years: batch.years,
                price: batch.price, rate: batch.rate, dividend: batch.dividend),
            count: batch.count, volatility: &volatility, status: &status)
        return (volatility, status.map { VolatilityStatus(rawValue: $0) ?? .notANumber })
    }
}
