import GreeksKernel

/// Options in full form where their owner has them: columns of equal length, read as they are, in the units of
/// `OptionBatch`. Made anew for each call, it copies nothing and allocates nothing.
///
/// The kernel computes what it is given: values of unknown origin are `validate`d first.
public struct OptionColumns: ~Escapable {
    /// 0 for a call, 1 for a put.
    public let type: Span<UInt8>
    public let spot, strike, years, volatility, rate, dividend: Span<Double>

    public var count: Int { type.count }

    /// - Throws: `lengthMismatch`.
    @_lifetime(
        copy type, copy spot, copy strike, copy years, copy volatility, copy rate, copy dividend)
    public init(
        type: Span<UInt8>, spot: Span<Double>, strike: Span<Double>, years: Span<Double>,
        volatility: Span<Double>, rate: Span<Double>, dividend: Span<Double>
    ) throws(GreeksError) {
        try GreeksError.require(spot.count, type.count, "spot")
        try GreeksError.require(strike.count, type.count, "strike")
        try GreeksError.require(years.count, type.count, "years")
        try GreeksError.require(volatility.count, type.count, "volatility")
        try GreeksError.require(rate.count, type.count, "rate")
        try GreeksError.require(dividend.count, type.count, "dividend")
        self.init(
            ofEqualLength: type, spot: spot, strike: strike, years: years, volatility: volatility, rate: rate,
            dividend: dividend)
    }

    /// Columns that have been checked.
    @_lifetime(
        copy type, copy spot, copy strike, copy years, copy volatility, copy rate, copy dividend)
    package init(
        ofEqualLength type: Span<UInt8>, spot: Span<Double>, strike: Span<Double>, years: Span<Double>,
        volatility: Span<Double>, rate: Span<Double>, dividend: Span<Double>
    ) {
        self.type = type
        self.spot = spot
        self.strike = strike
        self.years = years
        self.volatility = volatility
        self.rate = rate
        self.dividend = dividend
    }

    /// The columns for the kernel, to be read while they live.
    @unsafe package var pointers: FullFormColumns {
        unsafe FullFormColumns(
            type: type.start, spot: spot.start, strike: strike.start, years: years.start,
            volatility: volatility.start, rate: rate.start, dividend: dividend.start)
    }
}

/// Prices of options where their owner has them, to find the volatilities that they imply; units as in
/// `OptionBatch`. Nothing need be validated: every row gets a status.
public struct OptionPrices: ~Escapable {
    /// 0 for a call, 1 for a put.
    public let type: Span<UInt8>
    public let spot, strike, years, price, rate, dividend: Span<Double>

    public var count: Int { type.count }

    /// - Throws: `lengthMismatch`.
    @_lifetime(copy type, copy spot, copy strike, copy years, copy price, copy rate, copy dividend)
    public init(
        type: Span<UInt8>, spot: Span<Double>, strike: Span<Double>, years: Span<Double>,
        price: Span<Double>, rate: Span<Double>, dividend: Span<Double>
    ) throws(GreeksError) {
        try GreeksError.require(spot.count, type.count, "spot")
        try GreeksError.require(strike.count, type.count, "strike")
        try GreeksError.require(years.count, type.count, "years")
        try GreeksError.require(price.count, type.count, "price")
        try GreeksError.require(rate.count, type.count, "rate")
        try GreeksError.require(dividend.count, type.count, "dividend")
        self.init(
            ofEqualLength: type, spot: spot, strike: strike, years: years, price: price, rate: rate,
            dividend: dividend)
    }

    /// Columns that have been checked.
    @_lifetime(copy type, copy spot, copy strike, copy years, copy price, copy rate, copy dividend)
    init(
        ofEqualLength type: Span<UInt8>, spot: Span<Double>, strike: Span<Double>, years: Span<Double>,
        price: Span<Double>, rate: Span<Double>, dividend: Span<Double>
    ) {
        self.type = type
        self.spot = spot
        self.strike = strike
        self.years = years
        self.price = price
        self.rate = rate
        self.dividend = dividend
    }

    @unsafe package var pointers: PriceColumns {
        unsafe PriceColumns(
            type: type.start, spot: spot.start, strike: strike.start, years: years.start,
            price: price.start, rate: rate.start, dividend: dividend.start)
    }
}

/// Options of slices where their owner has them: columns of equal length in which each slice starts at a multiple of 8
/// and is padded to one.
public struct SliceColumns: ~Escapable {
    /// 0 for a call, 1 for a put.
    public let type: Span<UInt8>
    /// K, and ln K as an unevaluated sum (from `GreeksEngine.logarithms`).
    public let strike, logStrikeHigh, logStrikeLow: Span<Double>
    public let volatility: Span<Double>

    public var count: Int { type.count }

    /// - Throws: `lengthMismatch`.
    @_lifetime(copy type, copy strike, copy logStrikeHigh, copy logStrikeLow, copy volatility)
    public init(
        type: Span<UInt8>, strike: Span<Double>, logStrikeHigh: Span<Double>, logStrikeLow: Span<Double>,
        volatility: Span<Double>
    ) throws(GreeksError) {
        try GreeksError.require(strike.count, type.count, "strike")
        try GreeksError.require(logStrikeHigh.count, type.count, "logStrikeHigh")
        try GreeksError.require(logStrikeLow.count, type.count, "logStrikeLow")
        try GreeksError.require(volatility.count, type.count, "volatility")
        self.type = type
        self.strike = strike
        self.logStrikeHigh = logStrikeHigh
        self.logStrikeLow = logStrikeLow
        self.volatility = volatility
    }

    @unsafe package var pointers: SliceFormColumns {
        unsafe SliceFormColumns(
            type: type.start, strike: strike.start, logStrikeHigh: logStrikeHigh.start,
            logStrikeLow: logStrikeLow.start, volatility: volatility.start)
    }
}

extension GreeksError {
    /// - Throws: `lengthMismatch`.
    static func require(_ count: Int, _ expected: Int, _ field: String) throws(GreeksError) {
        guard count == expected else {
            throw .lengthMismatch(field: field, expected: expected, got: count)
        }
    }
}
