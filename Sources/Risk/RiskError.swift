import Checks
import Market

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
    /// Time goes forward alone.
    case timeRunsBack(of: String, from: Timestamp, to: Timestamp)
    /// A contract is to be settled that has no expiry, or has not come to it.
    case notExpired(String, expiry: Timestamp?, now: Timestamp)
    /// A contract is to go that a book still holds.
    case stillHeld(String, book: String, quantity: Double)
    /// A contract, book or limit is to come that is there.
    case alreadyThere(field: String, String)
    /// Something is asked of a contract that is listed no more.
    case notListed(String)
    /// A saved desk that cannot be read.
    case unreadableState(String)
}

extension RiskError {
    /// - Throws: `invalidValue` for a number that breaks a rule.
    package static func require(
        _ rule: NumberRule, _ value: Double, _ field: String, of name: String
    ) throws(RiskError) {
        guard rule.accepts(value) else {
            throw .invalidValue(of: name, field: field, value: value, reason: rule.complaint)
        }
    }

    /// A contract whose quote currency counts for no dollar.
    static func noDollars(_ instrument: Instrument) -> RiskError {
        .invalidValue(
            of: instrument.name, field: "quote", value: .nan,
            reason: "is quoted in \(instrument.quote), which is no dollar")
    }

    public var place: Place? {
        switch self {
        case .missingGrouping(let name, _), .missingSmile(let name), .invalidValue(let name, _, _, _),
            .timeRunsBack(let name, _, _), .notExpired(let name, _, _), .stillHeld(let name, _, _):
            .name(name)
        case .invalidEdge, .unknownBook, .unknownContract, .alreadyThere, .notListed, .unreadableState: nil
        }
    }

    public var field: String {
        switch self {
        case .invalidEdge(let buckets, _): buckets
        case .unknownBook: "book"
        case .unknownContract, .notListed: "contract"
        case .missingGrouping, .missingSmile: ""
        case .timeRunsBack: "time"
        case .notExpired: "expiry"
        case .stillHeld: "quantity"
        case .alreadyThere(let field, _): field
        case .unreadableState: "state"
        case .invalidValue(_, let field, _, _): field
        }
    }

    public var value: String? {
        switch self {
        case .invalidEdge(_, let value), .invalidValue(_, _, let value, _): "\(value)"
        case .unknownBook(let name), .unknownContract(let name), .notListed(let name),
            .alreadyThere(_, let name):
            name
        case .timeRunsBack(_, _, let time): "\(time.precise)"
        case .notExpired(_, let expiry, _): expiry.map { "\($0.precise)" }
        case .stillHeld(_, _, let quantity): "\(quantity)"
        case .missingGrouping, .missingSmile, .unreadableState: nil
        }
    }

    public var reason: String {
        switch self {
        case .invalidEdge: "edges must be positive and ascending"
        case .unknownBook: "the plan has no group for it"
        case .unknownContract: "not among the contracts that the plan was made for"
        case .missingGrouping(_, let grouping): "positions are not grouped by \(grouping.rawValue)"
        case .missingSmile:
            "volatilities are to move along a smile (sticky moneyness or delta), with a surface or with betas, and it is missing"
        case .invalidValue(_, _, _, let reason), .unreadableState(let reason): reason
        case .timeRunsBack(_, let from, _): "is before \(from.precise), where its time stands"
        case .notExpired(_, nil, _): "it never expires"
        case .notExpired(_, _, let now): "its time stands at \(now.precise): it has not expired"
        case .stillHeld(_, let book, _):
            "book \(book) holds it: it expires, or is traded away, before it goes"
        case .alreadyThere: "is there already"
        case .notListed: "is listed no more"
        }
    }
}

extension Timestamp {
    /// To the millisecond, so that two that differ look different.
    var precise: String {
        let text = "\(self)".dropLast(4)
        let digits = "\((milliseconds % 1000 + 1000) % 1000)"
        return "\(text).\(String(repeating: "0", count: 3 - digits.count))\(digits) UTC"
    }
}
