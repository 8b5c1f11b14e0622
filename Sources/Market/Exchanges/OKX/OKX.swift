/// OKX. `BTC-USD-251226-100000-C`, `BTC-USD-251226` and `BTC-USD-SWAP` are inverse, with a stablecoin in place of USD
/// linear; `BTC-USDT` is spot. Quantities are in coins, or in dollars for inverse futures and perpetuals, not in contracts.
public enum OKX: Exchange {
    public static let name = "okx"
    public static let aliases = ["okex", "okex-options", "okex-futures", "okex-swap", "okex-spot"]

    static let expiryHour = 8

    /// Currencies that pairs are quoted in: a closed list, lest any misspelt name be a pair.
    private static let quotes: Set<Substring> = [
        "USD", "USDT", "USDC", "EUR", "BTC", "ETH", "OKB", "DAI", "BRL", "AED", "AUD", "SGD", "TRY",
    ]

    public static func instrument(named name: String) throws(InstrumentNameError) -> Instrument {
        let parts = NameParts(name)
        guard parts.count >= 2, NameParts.isCurrency(parts[0]), quotes.contains(parts[1]) else {
            throw .unknownForm
        }
        let kind: Instrument.Kind
        switch parts.count {
        case 2: kind = .spot
        case 3 where parts[2] == "SWAP": kind = .perpetual
        case 3: kind = .future(expiry: try NameParts.yearMonthDay(parts[2], hour: expiryHour))
        case 5:
            let expiry = try NameParts.yearMonthDay(parts[2], hour: expiryHour)
            let strike = try NameParts.strike(parts[3], point: ".")
            kind = .option(try NameParts.optionType(parts[4]), strike: strike, expiry: expiry)
        default: throw .unknownForm
        }
        return Instrument(
            name: name, base: String(parts[0]), quote: String(parts[1]),
            settlement: parts[1] == "USD" && kind != .spot ? .inverse : .linear, kind: kind,
            exchange: Self.self)
    }

    public static func series(of instrument: Instrument) -> String {
        guard instrument.isOption else { return instrument.name }
        return instrument.name.split(separator: "-").prefix(3).joined(separator: "-")
    }

    public static func perpetual(of instrument: Instrument) -> String? {
        "\(instrument.base)-\(instrument.quote)-SWAP"
    }

    public static let tickerLayouts = [
        // `public/opt-summary`, whose Greeks with the ending BS are in dollars, those without per coin. `bidSz` and `askSz`
        // are left out: they count contracts, and how much one is only the list of instruments says.
        TickerLayout(
            OKX.self, signature: [.instrument], volatilityUnit: .fraction,
            [
                .instrument: ["instId"], .timestamp: ["ts"],
                .underlyingPrice: ["fwdPx"],
                .indexPrice: ["idxPx"],
                .markPrice: ["markPx"],
                .markVolatility: ["markVol"],
                .openInterest: ["oiCcy"],
                .bidPrice: ["bidPx"], .askPrice: ["askPx"],
                .delta: ["deltaBS"], .gamma: ["gammaBS"], .vega: ["vegaBS"], .theta: ["thetaBS"],
            ])
    ]

    /// Sizes are in contracts of `ctVal` times `ctMult` coins or dollars.
    public static let instrumentLayout = InstrumentLayout(
        OKX.self, name: "instId", step: "lotSz", minimum: "minSz", multiplier: ["ctVal", "ctMult"],
        tick: "tickSz", tickSteps: nil, quote: "quoteCcy", settlement: "settleCcy", isStepInContracts: true)

    /// An hour for expiries before 18 March 2026, half an hour since.
    /// - Source: OKX's announcement of 6 March 2026.
    public static func averagingMilliseconds(of expiry: Timestamp) -> Int64 {
        expiry.milliseconds < 1_773_792_000_000 ? 3_600_000 : 1_800_000
    }

    public static func assumedAmount(of instrument: Instrument) -> TradedAmount? { nil }

    /// - Source: OKX's page of fees, regular users of the first level; others give their fees in a table.
    public static func takerFee(of instrument: Instrument) -> TradingFee {
        switch instrument.kind {
        case .option: TradingFee(rate: 0.0003, cap: 0.125)
        case .future, .perpetual: TradingFee(rate: 0.0005)
        case .spot: TradingFee(rate: 0.001)
        }
    }

    /// The mark in coin and the Greeks with the ending BS, as far as they follow without the spot price: at S = F, the rate
    /// is 0. With it, see `OKXGreeks`.
    public static func published(_ greeks: NaturalGreeks, of instrument: Instrument) -> MarkAndGreeks {
        let dollars = OKXGreeks(greeks, spot: greeks.forward).dollars
        return MarkAndGreeks(
            markPrice: instrument.isInverseOption ? greeks.value / greeks.forward : greeks.value,
            greeks: PublishedGreeks(
                delta: dollars.delta, gamma: dollars.gamma, vega: dollars.vega, theta: dollars.theta,
                rho: greeks.rho / 100))
    }
}
