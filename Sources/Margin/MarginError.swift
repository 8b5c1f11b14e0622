import Checks

/// Why a requirement cannot be said: an input that is missing or not accepted. It is never taken for 0.
public struct MarginError: PoiseError, Equatable {
    /// The contract, coin, underlying or case.
    public var place: Place?
    public var field: String
    public var value: String?
    public var reason: String

    public init(_ place: Place?, field: String, value: String? = nil, reason: String) {
        self.place = place
        self.field = field
        self.value = value
        self.reason = reason
    }

    /// A fact that a model asks for and the market does not have.
    static func missing(_ field: String, of name: String, for model: String) -> MarginError {
        MarginError(.name(name), field: field, reason: "is missing; \(model) asks for it")
    }

    /// A contract that a model has no rule for.
    static func unknownKind(_ contract: MarginMarket.Contract, for model: String) -> MarginError {
        MarginError(
            .name(contract.name), field: "kind", value: contract.kind.rawValue,
            reason: "\(model) has no rule for it")
    }

    /// - Throws: a number that breaks a rule.
    static func require(
        _ rule: NumberRule, _ value: Double, _ field: String, of name: String
    ) throws(MarginError) {
        guard rule.accepts(value) else {
            throw MarginError(.name(name), field: field, value: value.shown, reason: rule.complaint)
        }
    }
}
