/// What is wrong with a hedge problem, naming the field.
public enum HedgeError: Error, Equatable, Sendable {
    /// `field` is a path such as `bands[3].low`, `name` the instrument or band.
    case invalidValue(field: String, name: String, value: Double, reason: String)
    case lengthMismatch(field: String, expected: Int, got: Int)
    case noInstruments
    /// The covariance is not symmetric: entries (row, column) and (column, row) differ.
    case notSymmetric(row: String, column: String, value: Double, transposed: Double)
    /// The covariance has a direction of negative variance.
    case notPositiveSemidefinite(smallestEigenvalue: Double, largestEigenvalue: Double)
}

extension HedgeError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidValue(let field, let name, let value, let reason):
            return "\(field)\(name.isEmpty ? "" : " (\(name))"): value \(value): \(reason)"
        case .lengthMismatch(let field, let expected, let got):
            return "\(field): \(got) values where \(expected) are needed"
        case .noInstruments:
            return "instruments: there is none to trade"
        case .notSymmetric(let row, let column, let value, let transposed):
            return "risk.covariance: [\(row), \(column)] is \(value), [\(column), \(row)] is \(transposed): "
                + "must be symmetric"
        case .notPositiveSemidefinite(let smallest, let largest):
            return "risk.covariance: smallest eigenvalue \(smallest) beside a largest of \(largest): "
                + "a variance cannot be negative; add at least \(-smallest) to the diagonal"
        }
    }
}
