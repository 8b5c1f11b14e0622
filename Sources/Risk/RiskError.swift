/// What live risk refuses; nothing has changed when it is thrown.
public enum RiskError: Error, Equatable, Sendable {
    /// Edges of buckets are to be positive and ascending.
    case invalidEdge(buckets: String, value: Double)
    case unknownBook(String)
    case unknownContract(String)
    /// What a limit or a report asks for takes positions grouped in another way.
    case missingGrouping(of: String, Grouping)
    /// A grid moves volatilities along a smile, and there is none.
    case missingSmile(of: String)
    /// A value that the formulas do not accept, for a contract, an underlying or a slice of it.
    case invalidValue(of: String, field: String, value: Double, reason: String = "is not accepted")
}

extension RiskError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidEdge(let buckets, let value):
            "\(buckets): edge \(value): edges are to be positive and ascending"
        case .unknownBook(let book): "book \"\(book)\": not among the books that the plan was made for"
        case .unknownContract(let name): "contract \"\(name)\": not among those that the plan was made for"
        case .missingGrouping(let name, let grouping):
            "\(name): positions are not grouped by \(grouping.rawValue)"
        case .missingSmile(let name):
            "\(name): volatilities are to move along a smile (sticky moneyness or delta), and there is none"
        case .invalidValue(let name, let field, let value, let reason):
            "\(name): \(field) \(value): \(reason)"
        }
    }
}
