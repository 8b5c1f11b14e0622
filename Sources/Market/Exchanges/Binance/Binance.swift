/// Binance. Options `BTC-240628-70000-C`, settled in USDT; `BTCUSDT` is the linear perpetual, `BTCUSDT_240628` the future.
///
/// The perpetual's name, which Bybit's has, too, is Binance's only where a file says so.
public enum Binance: Exchange {
    public static let name = "binance"
    public static let aliases = ["binance-options", "binance-european-options"]

    static let expiryHour = 8

    public static func instrument(named name: String) throws(InstrumentNameError) -> Instrument {
        let parts = NameParts(name)
        guard NameParts.isCurrency(parts[0]) else { throw .unknownForm }
        var base = parts[0]
        let kind: Instrument.Kind
        switch parts.count {
        case 1:
            guard base.hasSuffix("USDT"), base != "USDT" else { throw .unknownForm }
            base = base.dropLast(4)
            kind = .perpetual
        case 4:
            let expiry = try NameParts.yearMonthDay(parts[1], hour: expiryHour)
            let strike = try NameParts.strike(parts[2], point: ".")
            kind = .option(try NameParts.optionType(parts[3]), strike: strike, expiry: expiry)
        default: throw .unknownForm
        }
        return Instrument(
            name: name, base: String(base), quote: "USDT", settlement: .linear, kind: kind, exchange: Self.self)
    }

    public static func series(of instrument: Instrument) -> String {
        guard instrument.isOption else { return instrument.name }
        return instrument.name.split(separator: "-").prefix(2).joined(separator: "-")
    }

    public static func perpetual(of instrument: Instrument) -> String? { instrument.base + instrument.quote }

    public static let tickerLayouts = [
        // `eapi/v1/mark`, joined with `eapi/v1/ticker`.
        TickerLayout(
            Binance.self, signature: [.instrument, .markPrice, .markVolatility], volatilityUnit: .fraction,
            [
                .instrument: ["symbol"], .timestamp: ["time", "closeTime"],
                .underlyingPrice: ["underlyingPrice"], .indexPrice: ["indexPrice"],
                .markPrice: ["markPrice"], .markVolatility: ["markIV"],
                .bidPrice: ["bidPrice"], .askPrice: ["askPrice"],
                .delta: ["delta"], .gamma: ["gamma"], .vega: ["vega"], .theta: ["theta"],
            ])
    ]

    public static let instrumentLayout = InstrumentLayout(
        Binance.self, name: "symbol", step: "filters.stepSize", minimum: "minQty", multiplier: [],
        tick: "filters.tickSize", tickSteps: nil, quote: "quoteAsset", settlement: "quoteAsset",
        isStepInContracts: false)

    public static func assumedAmount(of instrument: Instrument) -> TradedAmount? {
        instrument.isOption ? TradedAmount(step: 0.01) : nil
    }

    public static func takerFee(of instrument: Instrument) -> TradingFee {
        instrument.isOption ? TradingFee(rate: 0.0003, cap: 0.1) : TradingFee(rate: 0.0005)
    }

    public static func published(_ greeks: NaturalGreeks, of instrument: Instrument) -> PublishedFigures {
        PublishedFigures(
            markPrice: greeks.value,
            greeks: PublishedGreeks(
                delta: greeks.delta, gamma: greeks.gamma, vega: greeks.vega / 100, theta: greeks.theta / 365,
                rho: greeks.rho / 100))
    }
}
