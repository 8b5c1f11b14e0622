import Checks
import Market

/// What margin rules read of a market: prices, feeds' confidences, and the contracts that accounts hold.
///
/// All money is in the account's currency, but prices of underlyings are in dollars; of cash, `stablePrice` says what a
/// unit is worth.
public struct MarginMarket: Sendable, Equatable {
    /// Options and futures of one day.
    public struct Expiry: Sendable, Equatable {
        public var name: String
        /// To expiry; at most 0 once it has passed.
        public var seconds: Double
        /// The whole forward, and the part of it that is known already while the delivery price is averaged.
        public var forward: Double
        public var fixed = 0.0
        /// Continuously compounded, a year.
        public var rate = 0.0
        /// Of the feeds, from 0 to 1.
        public var forwardConfidence = 1.0
        public var rateConfidence = 1.0
        public var volatilityConfidence = 1.0

        public init(_ name: String, seconds: Double, forward: Double) {
            self.name = name
            self.seconds = seconds
            self.forward = forward
        }

        /// ACT/365.
        public var years: Double { max(0, seconds) / (365 * 86400) }
        var days: Double { years * 365 }
        /// The share of the forward that still moves.
        var openShare: Double { forward > 0 ? (forward - fixed) / forward : 1 }
    }

    public struct Perpetual: Sendable, Equatable {
        public var price: Double
        public var confidence = 1.0

        public init(price: Double) { self.price = price }
    }

    public struct Underlying: Sendable, Equatable {
        public var name: String
        /// The index.
        public var spot: Double
        public var confidence = 1.0
        public var perpetual: Perpetual?
        public var expiries: [Expiry] = []

        public init(_ name: String, spot: Double) {
            self.name = name
            self.spot = spot
        }
    }

    public enum Kind: String, Sendable, CaseIterable {
        case option, perpetual, spot, future
        case inversePerpetual = "inverse-perpetual"
        case inverseFuture = "inverse-future"

        var isInverse: Bool { self == .inversePerpetual || self == .inverseFuture }
    }

    /// A contract; what its kind does not have is nil.
    public struct Contract: Sendable, Equatable {
        public var name: String
        public var kind: Kind
        /// Places in `underlyings`, and in its `expiries`.
        public var underlying: Int
        public var expiry: Int?
        public var type: Instrument.OptionType?
        public var strike: Double?
        /// Of an option, its volatility, its price, or both; the price is in the settlement currency.
        public var volatility: Double?
        public var mark: Double?
        /// A price of its own, where the underlying has none of that kind.
        public var price: Double?
        /// Coins per contract.
        public var multiplier = 1.0
        /// Of an option that rules in dollars take beside linear ones: whether it is paid and settled in coin.
        public var settlesInCoin = false
        /// Gains of one contract in the sixteen scenarios of a SPAN array.
        public var gains: [Double]?

        public init(_ name: String, _ kind: Kind, underlying: Int, expiry: Int? = nil) {
            self.name = name
            self.kind = kind
            self.underlying = underlying
            self.expiry = expiry
        }
    }

    /// Dollars per unit of the currency that cash is in.
    public var stablePrice = 1.0
    public var underlyings: [Underlying] = []
    public var contracts: [Contract] = []

    public init() {}

    func underlying(of contract: Contract) -> Underlying { underlyings[contract.underlying] }

    func expiry(of contract: Contract, for model: String) throws(MarginError) -> Expiry {
        guard let expiry = contract.expiry else {
            throw .missing("expiry", of: contract.name, for: model)
        }
        return underlyings[contract.underlying].expiries[expiry]
    }

    func type(of contract: Contract, for model: String) throws(MarginError) -> Instrument.OptionType {
        guard let type = contract.type else { throw .missing("type", of: contract.name, for: model) }
        return type
    }

    func strike(of contract: Contract, for model: String) throws(MarginError) -> Double {
        guard let strike = contract.strike else { throw .missing("strike", of: contract.name, for: model) }
        return strike
    }

    /// Of what is no option: its own price, its underlying's perpetual, the forward, or the index for coins.
    /// - Parameter spotServes: whether the index stands in for a perpetual without a price of its own.
    func price(
        of contract: Contract, for model: String, spotServes: Bool = false
    ) throws(MarginError) -> Double {
        if let price = contract.price { return price }
        let underlying = underlying(of: contract)
        switch contract.kind {
        case .option: throw .unknownKind(contract, for: model)
        case .spot: return underlying.spot
        case .future, .inverseFuture: return try expiry(of: contract, for: model).forward
        case .perpetual, .inversePerpetual:
            if let perpetual = underlying.perpetual { return perpetual.price }
            guard spotServes else { throw .missing("perpetual.price", of: underlying.name, for: model) }
            return underlying.spot
        }
    }

    /// The market after one underlying has moved to another price: its spot, the part of its forwards that still moves, and
    /// the prices of its perpetuals and futures are multiplied by S'/S. Volatilities stay with their contracts, time and
    /// given marks stand still.
    func moved(_ number: Int, by factor: Double) -> MarginMarket {
        var market = self
        market.underlyings[number].spot *= factor
        market.underlyings[number].perpetual?.price *= factor
        for place in market.underlyings[number].expiries.indices {
            let expiry = underlyings[number].expiries[place]
            market.underlyings[number].expiries[place].forward =
                (expiry.forward - expiry.fixed) * factor + expiry.fixed
        }
        for place in market.contracts.indices where contracts[place].underlying == number {
            market.contracts[place].price = contracts[place].price.map { $0 * factor }
        }
        return market
    }

    /// - Throws: the first number that no model accepts.
    public func validate() throws(MarginError) {
        try MarginError.require(.positive, stablePrice, "stable.price", of: "market")
        for underlying in underlyings {
            let name = underlying.name
            try MarginError.require(.notNegative, underlying.spot, "spot", of: name)
            try MarginError.require(.share, underlying.confidence, "confidence", of: name)
            if let perpetual = underlying.perpetual {
                try MarginError.require(.positive, perpetual.price, "perpetual.price", of: name)
                try MarginError.require(.share, perpetual.confidence, "perpetual.confidence", of: name)
            }
            for expiry in underlying.expiries {
                let name = "\(name) \(expiry.name)"
                try MarginError.require(.finite, expiry.seconds, "seconds", of: name)
                try MarginError.require(.positive, expiry.forward, "forward", of: name)
                try MarginError.require(.within(0...expiry.forward), expiry.fixed, "fixed", of: name)
                try MarginError.require(.within(-100...100), expiry.rate, "rate", of: name)
                try MarginError.require(.share, expiry.forwardConfidence, "forward_confidence", of: name)
                try MarginError.require(.share, expiry.rateConfidence, "rate_confidence", of: name)
                try MarginError.require(.share, expiry.volatilityConfidence, "vol_confidence", of: name)
            }
        }
        for contract in contracts {
            let optional: [(Double?, String, NumberRule)] = [
                (contract.strike, "strike", .positive), (contract.volatility, "vol", .notNegative),
                (contract.mark, "mark", .notNegative), (contract.price, "price", .positive),
                (contract.multiplier, "multiplier", .positive),
            ]
            for (value, field, rule) in optional {
                if let value { try MarginError.require(rule, value, field, of: contract.name) }
            }
            for gain in contract.gains ?? [] {
                try MarginError.require(.finite, gain, "gains", of: contract.name)
            }
        }
    }
}
