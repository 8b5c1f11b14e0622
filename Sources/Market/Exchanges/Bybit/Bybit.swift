/// Bybit. Options `BTC-29MAR24-70000-C-USDT` and, settled in USDC, `BTC-29MAR24-70000-C-USDC` or without an ending;
/// `BTCUSDT` and `BTCPERP` (USDC) are linear perpetuals, `BTCUSD` the inverse one; `BTC-29MAR24` (USDC) and
/// `BTCUSDT-29MAR24` linear futures.
///
/// The two names that Deribit's inverse contracts have, too, are Bybit's only where a file says so.
public enum Bybit: Exchange {
    public static let name = "bybit"
    // Its spot pairs are not among them: `BTCUSDT` is a perpetual's name, too.
    public static let aliases = ["bybit-options"]

    static let expiryHour = 8

    public static func instrument(named name: String) throws(InstrumentNameError) -> Instrument {
        let parts = NameParts(name)
        guard NameParts.isCurrency(parts[0]) else { throw .unknownForm }
        var (base, quote) = (parts[0], Substring("USDC"))
        let kind: Instrument.Kind
        switch parts.count {
        case 1:
            guard let ending = ["USDT", "PERP", "USD"].first(where: base.hasSuffix),
                base.utf8.count > ending.utf8.count
            else { throw .unknownForm }
            base = base.dropLast(ending.count)
            quote = ending == "PERP" ? "USDC" : Substring(ending)
            kind = .perpetual
        case 2:
            if base.hasSuffix("USDT"), base != "USDT" { (base, quote) = (base.dropLast(4), "USDT") }
            kind = .future(expiry: try NameParts.dayMonthYear(parts[1], hour: expiryHour))
        case 4, 5:
            if parts.count == 5 {
                guard parts[4] == "USDT" || parts[4] == "USDC" else { throw .unknownForm }
                quote = parts[4]
            }
            let expiry = try NameParts.dayMonthYear(parts[1], hour: expiryHour)
            let strike = try NameParts.strike(parts[2], point: ".")
            kind = .option(try NameParts.optionType(parts[3]), strike: strike, expiry: expiry)
        default: throw .unknownForm
        }
        return Instrument(
            name: name, base: String(base), quote: String(quote),
            settlement: quote == "USD" ? .inverse : .linear, kind: kind, exchange: Self.self)
    }

    public static func series(of instrument: Instrument) -> String {
        guard instrument.isOption else { return instrument.name }
        let expiry = instrument.name.split(separator: "-")[1]
        return instrument.base + (instrument.quote == "USDT" ? "USDT-" : "-") + expiry
    }

    public static func perpetual(of instrument: Instrument) -> String? {
        instrument.base + (instrument.quote == "USDC" ? "PERP" : instrument.quote)
    }

    public static let tickerLayouts = [
        // `v5/market/tickers`: options, linear and inverse contracts.
        TickerLayout(
            Bybit.self, signature: [.instrument, .markPrice], volatilityUnit: .fraction,
            [
                .instrument: ["symbol"], .timestamp: ["ts", "time", "timestamp"],
                .underlyingPrice: ["underlyingPrice"],
                .indexPrice: ["indexPrice"],
                .markPrice: ["markPrice"],
                .markVolatility: ["markIv", "markPriceIv"],
                .openInterest: ["openInterest"],
                .bidPrice: ["bid1Price", "bidPrice"], .bidAmount: ["bid1Size", "bidSize"],
                .askPrice: ["ask1Price", "askPrice"], .askAmount: ["ask1Size", "askSize"],
                .delta: ["delta"], .gamma: ["gamma"], .vega: ["vega"], .theta: ["theta"],
            ])
    ]

    public static let instrumentLayout = InstrumentLayout(
        Bybit.self, name: "symbol", step: "lotSizeFilter.qtyStep", minimum: "lotSizeFilter.minOrderQty",
        multiplier: [], tick: "priceFilter.tickSize", tickSteps: nil, quote: "quoteCoin",
        settlement: "settleCoin", isStepInContracts: false)

    public static func assumedAmount(of instrument: Instrument) -> TradedAmount? {
        switch (instrument.kind, instrument.base) {
        case (.option, "BTC"): TradedAmount(step: 0.01)
        case (.option, "ETH"): TradedAmount(step: 0.1)
        default: nil
        }
    }

    /// - Source: Bybit's help centre, fees of options.
    public static func takerFee(of instrument: Instrument) -> TradingFee {
        switch instrument.kind {
        case .option: TradingFee(rate: 0.0003, cap: 0.07)
        case .future, .perpetual: TradingFee(rate: 0.00055)
        case .spot: TradingFee(rate: 0.001)
        }
    }

    /// In US dollars: gamma and theta of the last day are those of the time that is left, and theta has no cap.
    /// - Source: found by recomputing published rows; the last day's rule rests on one of them.
    public static func published(_ greeks: NaturalGreeks, of instrument: Instrument) -> MarkAndGreeks {
        let days = min(1, greeks.years * Year.days)
        return MarkAndGreeks(
            markPrice: greeks.value,
            greeks: PublishedGreeks(
                delta: greeks.delta, gamma: greeks.gamma * days, vega: greeks.vega / 100,
                theta: greeks.theta / Year.days * days, rho: greeks.rho / 100))
    }
}
