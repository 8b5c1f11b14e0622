import Checks

/// An error of a policy or of the exposures that it judges.
public enum RebalancingError: PoiseError, Equatable {
    /// A parameter that makes no policy.
    case invalidParameter(name: String, value: Double, reason: String)
    /// A figure that a live decision needs and that is not there or not usable.
    case invalidExposure(of: String, field: String, value: Double, reason: String)
    /// A rule of `LiveRebalancing` that does not fit its limit; rules count from 0.
    case invalidRule(number: Int, policy: String, reason: String)

    public var place: Place? {
        switch self {
        case .invalidParameter: nil
        case .invalidExposure(let owner, _, _, _): .name(owner)
        case .invalidRule(let number, _, _): .row(number, table: "rules")
        }
    }

    public var field: String {
        switch self {
        case .invalidParameter(let name, _, _): name
        case .invalidExposure(_, let field, _, _): field
        case .invalidRule: "policy"
        }
    }

    public var value: String? {
        switch self {
        case .invalidParameter(_, let value, _), .invalidExposure(_, _, let value, _): "\(value)"
        case .invalidRule(_, let policy, _): policy
        }
    }

    public var reason: String {
        switch self {
        case .invalidParameter(_, _, let reason), .invalidExposure(_, _, _, let reason),
            .invalidRule(_, _, let reason):
            reason
        }
    }

    public var description: String {
        if case .invalidRule(let number, let policy, let reason) = self {
            return "rule \(number), \(policy): \(reason)"
        }
        return sentence
    }

    static func require(_ value: Double, _ name: String, _ rule: NumberRule) throws(RebalancingError) {
        guard rule.accepts(value) else {
            throw .invalidParameter(name: name, value: value, reason: rule.complaint)
        }
    }
}
