/// Deribit. `BTC-27JUN25-60000-C`, `BTC-27JUN25` and `BTC-PERPETUAL` are inverse; with a quote currency, as in
/// `XRP_USDC-27JUN25-1d25-C` (a `d` is the strike's decimal point), linear; `BTC_USDC` is spot.
public enum Deribit: Exchange {
    public static let name = "deribit"

    /// The hour, UTC, at which all listed contracts expire.
    static let expiryHour = 8

    public static func instrument(named name: String) throws(InstrumentNameError) -> Instrument {
        let parts = NameParts(name)
        let currencies = NameParts(String(parts[0]), separator: "_")
        guard (1...2).contains(currencies.count), currencies.parts.allSatisfy(NameParts.isCurrency) else {
            throw .unknownForm
        }
        let settlement: Settlement = currencies.count == 1 ? .inverse : .linear
        var name = name
        let kind: Instrument.Kind
        switch parts.count {
        case 1:
            guard settlement == .linear else { throw .unknownForm }
            kind = .spot
        case 2 where parts[1] == "PERPETUAL":
            kind = .perpetual
        case 2 where isWord(parts[1]):
            throw .unknownForm
        case 3... where isWord(parts[1]) && !Currency.dollars.contains(String(parts[1])):
            // `FS`, `CS`, `STRD` and the like: `BTC-CS-27DEC24-70000_80000`.
            throw .combination
        case 2:
            kind = .future(expiry: try NameParts.dayMonthYear(parts[1], hour: expiryHour))
        case 4:
            let expiry = try NameParts.dayMonthYear(parts[1], hour: expiryHour)
            // Data vendors write all of a name in capitals, the strike's decimal point among it.
            var strikeText = parts[2]
            if strikeText.utf8.contains(UInt8(ascii: "D")) {
                strikeText = Substring(strikeText.map { $0 == "D" ? "d" : $0 })
                name = [parts[0], parts[1], strikeText, parts[3]].joined(separator: "-")
            }
            let strike = try NameParts.strike(strikeText, point: "d")
            kind = .option(try NameParts.optionType(parts[3]), strike: strike, expiry: expiry)
        default: throw .unknownForm
        }
        return Instrument(
            name: name, base: String(currencies[0]),
            quote: currencies.count == 1 ? "USD" : String(currencies[1]), settlement: settlement, kind: kind,
            exchange: Self.self)
    }

    private static func isWord(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (65...90).contains($0) }
    }

    public static func series(of instrument: Instrument) -> String {
        guard instrument.isOption else { return instrument.name }
        return instrument.name.split(separator: "-").prefix(2).joined(separator: "-")
    }

    public static func perpetual(of instrument: Instrument) -> String? {
        let pair =
            instrument.settlement == .inverse ? instrument.base : "\(instrument.base)_\(instrument.quote)"
        return pair + "-PERPETUAL"
    }

    /// - Source: contract specifications and `public/get_instruments`.
    public static func assumedTick(of instrument: Instrument, at price: Double) -> Double? {
        switch (instrument.settlement, instrument.kind, instrument.base) {
        case (.inverse, .option, "BTC"), (.inverse, .option, "ETH"): price >= 0.005 ? 0.0005 : 0.0001
        default: nil
        }
    }

    /// - Source: contract specifications and `public/get_instruments`; coins that are not named differ too much from one
    ///   another to be guessed.
    public static func assumedAmount(of instrument: Instrument) -> TradedAmount? {
        switch (instrument.settlement, instrument.kind, instrument.base) {
        case (.inverse, .option, "BTC"): TradedAmount(step: 0.1)
        case (.inverse, .option, "ETH"): TradedAmount(step: 1)
        case (.inverse, .future, "BTC"), (.inverse, .perpetual, "BTC"): TradedAmount(step: 10)
        case (.inverse, .future, "ETH"), (.inverse, .perpetual, "ETH"): TradedAmount(step: 1)
        case (.linear, .option, "BTC"): TradedAmount(step: 0.01)
        case (.linear, .option, "ETH"): TradedAmount(step: 0.1)
        case (.linear, .option, "SOL"): TradedAmount(step: 10)
        case (.linear, .option, "XRP"): TradedAmount(step: 1000)
        case (.linear, .perpetual, "BTC"): TradedAmount(step: 0.001)
        case (.linear, .perpetual, "ETH"): TradedAmount(step: 0.01)
        default: nil
        }
    }

    /// Options 3 basis points of the underlying, at most an eighth of the premium; futures and perpetuals 5.
    /// - Source: Deribit, support article 25944746248989, for what is settled in coin. Linear options are taken alike, and spot
    ///   at 10, though there the article has others by now: those who trade them give their fees in a table.
    public static func takerFee(of instrument: Instrument) -> TradingFee {
        switch instrument.kind {
        case .option: TradingFee(rate: 0.0003, cap: 0.125)
        case .future, .perpetual: TradingFee(rate: 0.0005)
        case .spot: TradingFee(rate: 0.001)
        }
    }

    /// The mark in coin for inverse options; delta of the future, premium not subtracted; vega per volatility point; theta
    /// the decay of a day or of the time that is left, if that is less, and never more than the option is worth; rho per
    /// percent.
    /// - Source: Deribit's API documentation for units and the one-day rule of theta; the cap of theta at the premium and
    ///   the form of rho were found by recomputing its published tickers.
    public static func published(_ greeks: NaturalGreeks, of instrument: Instrument) -> MarkAndGreeks {
        let days = greeks.years * Year.days
        return MarkAndGreeks(
            markPrice: instrument.isInverseOption ? greeks.value / greeks.forward : greeks.value,
            greeks: PublishedGreeks(
                delta: greeks.delta, gamma: greeks.gamma, vega: greeks.vega / 100,
                theta: max(greeks.theta / Year.days * min(1, days), -greeks.value), rho: greeks.rho / 100))
    }
}
