import CPoise
import Poise

/// The columns of options: of `poise_full_form`, or of `poise_prices`, which has prices in place of volatilities.
struct OptionInputs {
    let type: Strided<UInt8>
    /// `quote` is the volatility or the price.
    let spot, strike, years, quote, rate, dividend: Strided<Double>

    @inline(__always)
    init(_ form: UnsafePointer<poise_full_form>) throws(Failure) {
        try self.init(
            form.pointee.type, form.pointee.spot, form.pointee.strike, form.pointee.years,
            (form.pointee.volatility, "volatility"), form.pointee.rate, form.pointee.dividend)
    }

    init(_ form: UnsafePointer<poise_prices>) throws(Failure) {
        try self.init(
            form.pointee.type, form.pointee.spot, form.pointee.strike, form.pointee.years,
            (form.pointee.price, "price"), form.pointee.rate, form.pointee.dividend)
    }

    @inline(__always)
    private init(
        _ type: poise_bytes, _ spot: poise_values, _ strike: poise_values, _ years: poise_values,
        _ quote: (values: poise_values, name: StaticString), _ rate: poise_values, _ dividend: poise_values
    ) throws(Failure) {
        self.type = try Strided(type.data, type.stride, "type")
        self.spot = try Strided(spot, "spot")
        self.strike = try Strided(strike, "strike")
        self.years = try Strided(years, "years")
        self.quote = try Strided(quote.values, quote.name)
        self.rate = try Strided(rate, "rate")
        self.dividend = try Strided(dividend, "dividend")
    }

    var areContiguous: Bool {
        @inline(__always) get {
            type.isContiguous && spot.isContiguous && strike.isContiguous && years.isContiguous
                && quote.isContiguous && rate.isContiguous && dividend.isContiguous
        }
    }

    /// Their addresses, if contiguous.
    var columns: FullFormColumns {
        @inline(__always) get {
            FullFormColumns(
                type: type.base, spot: spot.base, strike: strike.base, years: years.base,
                volatility: quote.base, rate: rate.base, dividend: dividend.base)
        }
    }

    /// Copies rows to seven columns of `room` rows each, the types last.
    func copy(_ rows: Range<Int>, to block: UnsafeMutablePointer<Double>, room: Int) -> FullFormColumns {
        let types = UnsafeMutableRawPointer(block + 6 * room).assumingMemoryBound(to: UInt8.self)
        type.copy(rows, to: types)
        spot.copy(rows, to: block)
        strike.copy(rows, to: block + room)
        years.copy(rows, to: block + 2 * room)
        quote.copy(rows, to: block + 3 * room)
        rate.copy(rows, to: block + 4 * room)
        dividend.copy(rows, to: block + 5 * room)
        return FullFormColumns(
            type: types, spot: block, strike: block + room, years: block + 2 * room,
            volatility: block + 3 * room, rate: block + 4 * room, dividend: block + 5 * room)
    }
}

extension PriceColumns {
    /// The same columns, of which the sixth are prices.
    init(_ columns: FullFormColumns) {
        self.init(
            type: columns.type, spot: columns.spot, strike: columns.strike, years: columns.years,
            price: columns.volatility, rate: columns.rate, dividend: columns.dividend)
    }
}
