import Checks
import Market

/// Why tail risk cannot be computed.
public enum TailRiskError: PoiseError, Equatable {
    case invalidValue(field: String, value: Double, reason: String)
    /// A position's coin has no history.
    case missingHistory(coin: String)
    /// A coin that has no index of volatility where the others' volatilities move by theirs.
    case missingVolatilityIndex(coin: String)
    /// Histories with different steps, or a horizon that is no multiple of them.
    case incommensurable(coin: String, interval: Int64, expected: Int64)
    /// Fewer common windows than needed.
    case tooFewWindows(Int, needed: Int)
    /// A factor that never moves has no correlation.
    case constantFactor(String)
    /// The covariance has no Cholesky factor. What comes nearest: the intensity of shrinkage towards the mean
    /// variance at which it has one, or how far, in the Frobenius norm relative to its own, the matrix with its
    /// eigenvalues raised to `least` is.
    case notPositiveDefinite(
        smallestEigenvalue: Double, largestEigenvalue: Double, shrinkage: Double, least: Double,
        distance: Double)
    /// A sum of gains that no double holds.
    case notFinite(group: String)
    /// The host has ended it.
    case cancelled
}

extension TailRiskError {
    /// - Throws: `invalidValue` for a number that breaks a rule.
    static func require(_ rule: NumberRule, _ value: Double, _ field: String) throws(TailRiskError) {
        guard rule.accepts(value) else {
            throw .invalidValue(field: field, value: value, reason: rule.complaint)
        }
    }

    public var place: Place? {
        switch self {
        case .missingHistory(let name), .missingVolatilityIndex(let name), .incommensurable(let name, _, _),
            .constantFactor(let name), .notFinite(let name):
            .name(name)
        case .invalidValue, .tooFewWindows, .notPositiveDefinite, .cancelled: nil
        }
    }

    public var field: String {
        switch self {
        case .invalidValue(let field, _, _): field
        case .missingHistory, .missingVolatilityIndex, .incommensurable: "history"
        case .tooFewWindows: "windows"
        case .constantFactor: "factor"
        case .notPositiveDefinite: "covariance"
        case .notFinite, .cancelled: "gains"
        }
    }

    public var value: String? {
        switch self {
        case .invalidValue(_, let value, _), .notPositiveDefinite(let value, _, _, _, _): "\(value)"
        case .incommensurable(_, let interval, _): "\(interval / 1000) s"
        case .tooFewWindows(let count, _): "\(count)"
        case .missingHistory, .missingVolatilityIndex, .constantFactor, .notFinite, .cancelled: nil
        }
    }

    public var reason: String {
        switch self {
        case .invalidValue(_, _, let reason): reason
        case .missingHistory: "there is no price history of it"
        case .missingVolatilityIndex: "there is no volatility index of it"
        case .incommensurable(_, _, let expected): "the interval does not go with \(expected / 1000) s"
        case .tooFewWindows(_, let needed):
            "windows without a gap in which all histories have prices: \(needed == 1 ? "one is" : "\(needed) are") needed"
        case .constantFactor: "never moves: it has no correlation"
        case .notPositiveDefinite(let smallest, let largest, let shrinkage, let least, let distance):
            """
            the covariance is not positive definite: its eigenvalues are \(smallest.short) to \(largest.short). \
            Nearest fixes: shrink it by \(shrinkage.short) towards its mean variance, or raise its eigenvalues \
            to \(least.short), which changes it by \((distance * 100).short)%
            """
        case .notFinite: "too large to be added"
        case .cancelled: "cancelled"
        }
    }

    public var description: String {
        switch self {
        case .invalidValue(let field, let value, let reason): "\(field) \(value): \(reason)"
        case .missingHistory(let coin): "no price history of \(coin)"
        case .missingVolatilityIndex(let coin): "no volatility index of \(coin)"
        case .incommensurable(let coin, let interval, let expected):
            "history of \(coin): a candle every \(interval / 1000) s does not go with \(expected / 1000) s"
        case .tooFewWindows(let count, _): "\(count) \(reason)"
        case .notFinite(let group): "\(group): gains are \(reason)"
        case .constantFactor(let name): "\(name) \(reason)"
        case .notPositiveDefinite, .cancelled: reason
        }
    }
}

extension Double {
    /// Three significant digits, for messages.
    fileprivate var short: String {
        guard self != 0, isFinite else { return "\(self)" }
        // Without Foundation: the digits that tell the number to 1 in 1000.
        var exponent = 0
        var value = magnitude
        while value >= 10 { (value, exponent) = (value / 10, exponent + 1) }
        while value < 1 { (value, exponent) = (value * 10, exponent - 1) }
        let rounded = (value * 100).rounded() / 100
        let sign = self < 0 ? "-" : ""
        if (-3...4).contains(exponent) {
            let scale = (0..<abs(exponent)).reduce(1.0) { scale, _ in scale * 10 }
            let text = exponent < 0 ? rounded / scale : rounded * scale
            return "\(sign)\((text * 1e6).rounded() / 1e6)"
        }
        return "\(sign)\(rounded)e\(exponent)"
    }
}
