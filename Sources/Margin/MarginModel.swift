import Greeks
import Risk

/// A venue's margin as data: which rule, with which parameters, from where and of when.
public struct MarginModel: Sendable {
    /// The rules that there are.
    public enum Rule: Sendable {
        case scan(ScanMargin)
        case deriveStandard(DeriveStandardMargin)
        case deribit(DeribitMargin)
        case deribitCross(DeribitCrossMargin)
        case standardOption(ShortOptionMargin)
        case span(SpanMargin)
        case rates(RateMargin)
    }

    public let rule: Rule
    /// Of the file: who publishes the parameters, where they were read, and the day that they held.
    public var name = ""
    public var venue = ""
    public var source = ""
    public var date = ""
    /// Terms of the venue's own margin that are not public, or not in this model.
    public var omitted: [String] = []
    /// The haircuts of collateral by asset, where an account does not bring its own.
    public var haircuts: [String: Haircut] = [:]

    public struct Haircut: Sendable, Equatable {
        public var maintenance, initial: Double
        public var movesWithSpot: Bool?

        public init(maintenance: Double, initial: Double, movesWithSpot: Bool? = nil) {
            self.maintenance = maintenance
            self.initial = initial
            self.movesWithSpot = movesWithSpot
        }
    }

    public init(_ rule: Rule) { self.rule = rule }

    /// What the venue asks of an account.
    /// - Throws: what the rule asks for and the market or the account lacks; nothing is taken for 0.
    public func requirement(
        of account: CrossMarginAccount, in market: MarginMarket, _ engine: GreeksEngine
    ) throws(MarginError) -> MarginRequirement {
        try market.validate()
        try account.validate()
        try refuseEntries(of: account)
        return try unchecked(account, market, engine)
    }

    /// The same of inputs that have been checked.
    func unchecked(
        _ account: CrossMarginAccount, _ market: MarginMarket, _ engine: GreeksEngine
    ) throws(MarginError) -> MarginRequirement {
        switch rule {
        case .scan(let rule): try rule.requirement(account, market, engine)
        case .deriveStandard(let rule): try rule.requirement(account, market, engine)
        case .deribit(let rule): try rule.requirement(account, market, engine)
        case .deribitCross(let rule): try rule.requirement(account, market, engine)
        case .standardOption(let rule): try rule.requirement(account, market, engine)
        case .span(let rule): try rule.requirement(account, market, engine)
        case .rates(let rule): try rule.requirement(account, market, engine)
        }
    }

    /// Whether it counts the profit since a position's entry.
    var countsEntries: Bool { if case .rates = rule { true } else { false } }

    /// Whether profits and prices in coin stay coins of an account in dollars.
    var keepsCoins: Bool { if case .deribitCross = rule { true } else { false } }

    /// Whether collateral that moves does so with this underlying.
    func moves(_ asset: String, with underlying: String) -> Bool {
        guard case .deribitCross(let rule) = rule else { return true }
        return rule.unit(of: asset) == underlying
    }

    /// Whether a coin moves with any underlying.
    func moves(_ asset: String) -> Bool {
        guard case .deribitCross(let rule) = rule else { return true }
        return rule.unit(of: asset) != nil
    }

    /// The kind, as files have it.
    public var kind: String {
        switch rule {
        case .scan: "scan"
        case .deriveStandard: "derive-standard"
        case .deribit: "deribit-pm"
        case .deribitCross: "deribit-cross"
        case .standardOption: "standard-option"
        case .span: "span-array"
        case .rates: "rates"
        }
    }
}

extension CrossMarginAccount {
    /// - Throws: what a model without collateral would count for nothing.
    func refuseCollateral(for model: String) throws(MarginError) {
        guard let piece = collateral.first else { return }
        throw MarginError(
            .name(piece.asset), field: "collateral", value: "\(piece.quantity)",
            reason: "\(model) has no rule for it")
    }

    /// - Throws: the first held contract of another kind.
    func requireKinds(
        _ kinds: Set<MarginMarket.Kind>, in market: MarginMarket, for model: String
    ) throws(MarginError) {
        for place in held where !kinds.contains(market.contracts[place].kind) {
            throw .unknownKind(market.contracts[place], for: model)
        }
    }

    func held(_ kind: MarginMarket.Kind, in market: MarginMarket) -> [Int] {
        held.filter { market.contracts[$0].kind == kind }
    }
}

extension MarginMarket {
    func contribution(
        _ place: Int, of account: CrossMarginAccount, maintenance: Double, initial: Double
    ) -> MarginRequirement.Contribution {
        let contract = contracts[place]
        let underlying = underlyings[contract.underlying]
        return MarginRequirement.Contribution(
            underlying: underlying.name, expiry: contract.expiry.map { underlying.expiries[$0].name } ?? "",
            contract: contract.name, quantity: account.quantities[place], maintenance: maintenance,
            initial: initial)
    }
}
