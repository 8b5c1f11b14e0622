import Checks

/// An error of a hedge problem, naming the field.
public enum HedgeError: PoiseError, Equatable {
    /// `field` is a path such as `bands[3].lo`, `name` the instrument or band.
    case invalidValue(field: String, name: String, value: Double, reason: String)
    case lengthMismatch(field: String, expected: Int, got: Int)
    case noInstruments
    /// The covariance is not symmetric: entries (row, column) and (column, row) differ.
    case notSymmetric(row: String, column: String, value: Double, transposed: Double)
    /// The covariance has a direction of negative variance.
    case notPositiveSemidefinite(smallestEigenvalue: Double, largestEigenvalue: Double)
}

extension HedgeError {
    public var place: Place? {
        if case .invalidValue(_, let name, _, _) = self, !name.isEmpty { .name(name) } else { nil }
    }

    public var field: String {
        switch self {
        case .invalidValue(let field, _, _, _), .lengthMismatch(let field, _, _): field
        case .noInstruments: "instruments"
        case .notSymmetric, .notPositiveSemidefinite: "risk.cov"
        }
    }

    public var value: String? {
        switch self {
        case .invalidValue(_, _, let value, _), .notSymmetric(_, _, let value, _),
            .notPositiveSemidefinite(let value, _):
            "\(value)"
        case .lengthMismatch, .noInstruments: nil
        }
    }

    public var reason: String {
        switch self {
        case .invalidValue(_, _, _, let reason): reason
        case .lengthMismatch(_, let expected, let got): "\(got) values where \(expected) are needed"
        case .noInstruments: "there is none to trade"
        case .notSymmetric(let row, let column, let value, let transposed):
            "[\(row), \(column)] is \(value), [\(column), \(row)] is \(transposed): must be symmetric"
        case .notPositiveSemidefinite(let smallest, let largest):
            """
            smallest eigenvalue \(smallest) beside a largest of \(largest): a variance cannot be negative; \
            add at least \(-smallest) to the diagonal
            """
        }
    }

    public var description: String {
        if case .invalidValue(let field, let name, let value, let reason) = self {
            return "\(field)\(name.isEmpty ? "" : " (\(name))"): value \(value): \(reason)"
        }
        return "\(field): \(reason)"
    }
}
