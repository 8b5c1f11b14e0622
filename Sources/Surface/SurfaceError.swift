import Checks

/// Why a surface cannot be made or asked.
public enum SurfaceError: PoiseError, Equatable {
    /// A value of a slice, an event or a query that the formulas do not accept.
    case invalidValue(of: String, field: String, value: Double, reason: String)
    /// A value of a row of a batch.
    case invalidRow(Int, field: String, value: Double, reason: String)
    /// Columns of one batch with different lengths.
    case differentLengths(field: String, count: Int, expected: Int)
    /// Two slices of one underlying that expire together.
    case sameExpiry(of: String, other: String)
    /// No fitted slice of this underlying.
    case noSlices(of: String)
    /// Slices of several underlyings, and none is named.
    case severalUnderlyings(String, String)
    /// A slice or contract that is not there.
    case unknown(field: String, String)
}

extension SurfaceError {
    /// - Throws: `invalidValue` for a number that breaks a rule.
    static func require(
        _ rule: NumberRule, _ value: Double, _ field: String, of name: String
    ) throws(SurfaceError) {
        guard rule.accepts(value) else {
            throw .invalidValue(of: name, field: field, value: value, reason: rule.complaint)
        }
    }

    /// - Throws: `invalidRow` for a number that breaks a rule.
    static func require(
        _ rule: NumberRule, _ value: Double, _ field: String, row: Int
    ) throws(SurfaceError) {
        guard rule.accepts(value) else {
            throw .invalidRow(row, field: field, value: value, reason: rule.complaint)
        }
    }

    /// - Throws: `differentLengths`.
    static func require(_ count: Int, _ field: String, is expected: Int) throws(SurfaceError) {
        guard count == expected else {
            throw .differentLengths(field: field, count: count, expected: expected)
        }
    }

    public var place: Place? {
        switch self {
        case .invalidValue(let name, _, _, _), .sameExpiry(let name, _), .noSlices(let name): .name(name)
        case .invalidRow(let row, _, _, _): .row(row)
        case .differentLengths, .severalUnderlyings, .unknown: nil
        }
    }

    public var field: String {
        switch self {
        case .invalidValue(_, let field, _, _), .invalidRow(_, let field, _, _),
            .differentLengths(let field, _, _), .unknown(let field, _):
            field
        case .sameExpiry: "years"
        case .noSlices, .severalUnderlyings: "underlying"
        }
    }

    public var value: String? {
        switch self {
        case .invalidValue(_, _, let value, _), .invalidRow(_, _, let value, _): "\(value)"
        case .differentLengths(_, let count, _): "\(count)"
        case .severalUnderlyings(_, let other): other
        case .unknown(_, let name): name
        case .sameExpiry, .noSlices: nil
        }
    }

    public var reason: String {
        switch self {
        case .invalidValue(_, _, _, let reason), .invalidRow(_, _, _, let reason): reason
        case .differentLengths(_, _, let expected): "must have as many rows as the others, \(expected)"
        case .sameExpiry(_, let other): "expires together with \(other)"
        case .noSlices: "has no fitted slice"
        case .severalUnderlyings(let first, _): "stands beside \(first): one of them is to be named"
        case .unknown: "is not there"
        }
    }
}
