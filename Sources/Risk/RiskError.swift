import Checks

/// Why a risk run, a plan or a grid cannot be made or changed as asked; nothing has changed when it is thrown.
public enum RiskError: PoiseError, Equatable {
    /// Edges of buckets are to be positive and ascending.
    case invalidEdge(buckets: String, value: Double)
    /// A book of which the plan has no group, or none that the traded contract falls into.
    case unknownBook(String)
    case unknownContract(String)
    /// A limit or report needs positions grouped in another way.
    case missingGrouping(of: String, Grouping)
    /// A grid moves volatilities along a smile, and the smile is missing.
    case missingSmile(of: String)
    /// A value that the formulas do not accept, for a contract, an underlying or a slice of it.
    case invalidValue(of: String, field: String, value: Double, reason: String)
}

extension RiskError {
    /// - Throws: `invalidValue` for a number that breaks a rule.
    static func require(
        _ rule: NumberRule, _ value: Double, _ field: String, of name: String
    ) throws(RiskError) {
        guard rule.accepts(value) else {
            throw .invalidValue(of: name, field: field, value: value, reason: rule.complaint)
        }
    }

    public var place: Place? {
        switch self {
        case .missingGrouping(let name, _), .missingSmile(let name), .invalidValue(let name, _, _, _):
            .name(name)
        case .invalidEdge, .unknownBook, .unknownContract: nil
        }
    }

    public var field: String {
        switch self {
        case .invalidEdge(let buckets, _): buckets
        case .unknownBook: "book"
        case .unknownContract: "contract"
        case .missingGrouping, .missingSmile: ""
        case .invalidValue(_, let field, _, _): field
        }
    }

    public var value: String? {
        switch self {
        case .invalidEdge(_, let value), .invalidValue(_, _, let value, _): "\(value)"
        case .unknownBook(let name), .unknownContract(let name): name
        case .missingGrouping, .missingSmile: nil
        }
    }

    public var reason: String {
        switch self {
        case .invalidEdge: "edges must be positive and ascending"
        case .unknownBook: "the plan has no group for it"
        case .unknownContract: "not among the contracts that the plan was made for"
        case .missingGrouping(_, let grouping): "positions are not grouped by \(grouping.rawValue)"
        case .missingSmile:
            "volatilities are to move along a smile (sticky moneyness or delta), and the smile is missing"
        case .invalidValue(_, _, _, let reason): reason
        }
    }
}
