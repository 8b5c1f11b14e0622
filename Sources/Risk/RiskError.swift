import Checks
import Market

/// Why a risk run, a plan or a grid cannot be made or changed as asked; nothing has changed when it is thrown.
public enum RiskError: PoiseError, Equatable {
    /// Edges of buckets are to be positive and ascending.
    case invalidEdge(buckets: String, value: Double)
    /// A book that the desk does not have.
    case unknownBook(String)
    /// A contract that the desk does not have.
    case unknownContract(String)
    /// A place that no slice of the desk has.
    case unknownSlice(Int)
    /// A limit or report needs positions grouped in another way.
    case missingGrouping(of: String, Grouping)
    /// What a grid of scenarios needs, for an expiry, a volatility rule or a grid, and what is not there.
    case missing(MarketInput, of: String)
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
    /// A name that a desk cannot have.
    case reservedName(field: String, String)
    /// Something is asked of a contract that is listed no more.
    case notListed(String)
    /// A saved desk that cannot be read.
    case unreadableState(String)
}

/// What scenarios may need beside the contracts that they revalue.
public enum MarketInput: Sendable, Equatable {
    /// Tickers of the options of an expiry, along whose smile volatilities move.
    case smile
    /// A fitted surface with a slice of the expiry.
    case surface
    /// A history with betas of volatility.
    case history
    /// The chain that contracts belong to, where plain legs are given.
    case chain
}

extension RiskError {
    /// - Throws: `reservedName` for the label of books that have no desk.
    static func requireDesk(_ name: String) throws(RiskError) {
        guard name != DeskTable.noDesk else { throw .reservedName(field: "desk", name) }
    }

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
        case .missingGrouping(let name, _), .missing(_, let name), .invalidValue(let name, _, _, _),
            .timeRunsBack(let name, _, _), .notExpired(let name, _, _), .stillHeld(let name, _, _):
            .name(name)
        case .invalidEdge, .unknownBook, .unknownContract, .unknownSlice, .alreadyThere, .reservedName,
            .notListed, .unreadableState:
            nil
        }
    }

    public var field: String {
        switch self {
        case .invalidEdge(let buckets, _): buckets
        case .unknownBook: "book"
        case .unknownContract, .notListed: "contract"
        case .unknownSlice: "slice"
        case .missingGrouping, .missing: ""
        case .timeRunsBack: "time"
        case .notExpired: "expiry"
        case .stillHeld: "quantity"
        case .alreadyThere(let field, _), .reservedName(let field, _): field
        case .unreadableState: "state"
        case .invalidValue(_, let field, _, _): field
        }
    }

    public var value: String? {
        switch self {
        case .invalidEdge(_, let value), .invalidValue(_, _, let value, _): "\(value)"
        case .unknownBook(let name), .unknownContract(let name), .notListed(let name),
            .alreadyThere(_, let name), .reservedName(_, let name):
            name
        case .unknownSlice(let slice): "\(slice)"
        case .timeRunsBack(_, _, let time): "\(time.precise)"
        case .notExpired(_, let expiry, _): expiry.map { "\($0.precise)" }
        case .stillHeld(_, _, let quantity): "\(quantity)"
        case .missingGrouping, .missing, .unreadableState: nil
        }
    }

    public var reason: String {
        switch self {
        case .invalidEdge: "edges must be positive and ascending"
        case .unknownBook: "the desk has no such book: add it first"
        case .unknownContract: "the desk has no such contract"
        case .unknownSlice: "the desk has no such slice"
        case .missingGrouping(_, let grouping): "positions are not grouped by \(grouping.rawValue)"
        case .missing(.smile, _):
            "volatilities move along its smile (sticky moneyness or delta), and the market has no option of it"
        case .missing(.surface, _): "moves slices of a surface, and there is none"
        case .missing(.history, _): "takes betas of a history, and there is none"
        case .missing(.chain, _):
            "moves volatilities along smiles, with a surface or by betas of expiries: it takes a chain, not plain legs"
        case .invalidValue(_, _, _, let reason), .unreadableState(let reason): reason
        case .timeRunsBack(_, let from, _): "is before \(from.precise), where its time stands"
        case .notExpired(_, nil, _): "it never expires"
        case .notExpired(_, _, let now): "its time stands at \(now.precise): it has not expired"
        case .stillHeld(_, let book, _):
            "book \(book) holds it: it expires, or is traded away, before it goes"
        case .alreadyThere: "is there already"
        case .reservedName: "is what books without a desk are grouped under"
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
