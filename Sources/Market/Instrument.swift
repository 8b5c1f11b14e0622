/// In what a contract's profit is paid. Part of the contract's type, since it decides every conversion.
public enum Settlement: String, Sendable, Hashable {
    /// In quote currency (USDC, USDT).
    case linear
    /// In the underlying coin, against a price in US dollars.
    case inverse
}

/// A contract that an exchange lists.
public struct Instrument: Sendable {
    public enum OptionType: UInt8, Sendable, Hashable {
        case call = 0
        case put = 1

        /// +1 for a call, −1 for a put.
        public var sign: Double { self == .call ? 1 : -1 }
    }

    public enum Kind: Hashable, Sendable {
        /// European, on the future of its expiry; strike in quote currency.
        case option(OptionType, strike: Double, expiry: Timestamp)
        case future(expiry: Timestamp)
        case perpetual
        case spot
    }

    /// The name that the exchange gives it, by which positions find it in chains.
    public let name: String
    /// The coin: `BTC` of `BTC_USDC-PERPETUAL`.
    public let base: String
    /// `USD` for inverse contracts, otherwise as named.
    public let quote: String
    public let settlement: Settlement
    public let kind: Kind
    public let exchange: any Exchange.Type

    public init(
        name: String, base: String, quote: String, settlement: Settlement, kind: Kind,
        exchange: any Exchange.Type = Deribit.self
    ) {
        self.name = name
        self.base = base
        self.quote = quote
        self.settlement = settlement
        self.kind = kind
        self.exchange = exchange
    }

    /// When it expires; nil for perpetuals and spot.
    public var expiry: Timestamp? {
        switch kind {
        case .option(_, _, let expiry), .future(let expiry): expiry
        case .perpetual, .spot: nil
        }
    }

    public var isOption: Bool {
        if case .option = kind { true } else { false }
    }

    public var isInverseOption: Bool { isOption && settlement == .inverse }

    /// The name that contracts of one expiry share, such as `BTC-27JUN25`; of perpetuals and spot their own.
    public var series: String { exchange.series(of: self) }

    /// What a surface's slices, and a history of them, are of: the coin, with its quote currency where that is not the US
    /// dollar (`ETH_BTC`).
    package var pricingUnderlying: String { quote == "USD" ? base : "\(base)_\(quote)" }

    /// The unit of quantities: a coin, or for inverse futures and perpetuals a US dollar, as in the
    /// exchange's `amount`.
    public var quantityUnit: String {
        switch (settlement, kind) {
        case (.inverse, .future), (.inverse, .perpetual): "USD"
        default: base
        }
    }

    /// Profit of `quantity` bought at `entry` and marked at `exit`, in settlement currency.
    ///
    /// Option premiums of inverse contracts are quoted in coin already, so their profit is linear in the
    /// premium; the rule of the reciprocal price, A (1/S₀ − 1/S), belongs to inverse futures and
    /// perpetuals alone.
    public func profit(quantity: Double, entry: Double, exit: Double) -> Double {
        switch (settlement, kind) {
        case (.inverse, .future), (.inverse, .perpetual): quantity * (1 / entry - 1 / exit)
        default: quantity * (exit - entry)
        }
    }
}

extension Instrument {
    /// What tells contracts apart: their names don't, as some exchanges have one name for different contracts.
    struct Key: Hashable {
        let name: String
        private let exchange: ObjectIdentifier

        init(_ name: String, _ exchange: any Exchange.Type) {
            self.name = name
            self.exchange = ObjectIdentifier(exchange)
        }
    }

    var key: Key { Key(name, exchange) }
}

extension Instrument: Hashable {
    public static func == (a: Instrument, b: Instrument) -> Bool {
        a.name == b.name && a.exchange == b.exchange && a.kind == b.kind && a.settlement == b.settlement
            && a.base == b.base && a.quote == b.quote
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
