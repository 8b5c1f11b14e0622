import Checks

/// What is wrong with a policy or with the exposures that it is to judge.
public enum RebalancingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A parameter that makes no policy.
    case invalidParameter(name: String, value: Double, reason: String)
    /// A figure that a live decision needs and that is not there or not usable.
    case invalidExposure(of: String, field: String, value: Double, reason: String)

    /// A rule of `LiveRebalancing` that does not fit its limit; rules count from 0.
    case invalidRule(number: Int, policy: String, reason: String)

    public var description: String {
        switch self {
        case .invalidRule(let number, let policy, let reason): "rule \(number), \(policy): \(reason)"
        case .invalidParameter(let name, let value, let reason): "\(name): \(value): \(reason)"
        case .invalidExposure(let owner, let field, let value, let reason):
            "\(owner): \(field): \(value): \(reason)"
        }
    }

    /// What a parameter must be; written so that NaN fails.
    enum Rule {
        case positive, notNegative, finite, share

        func accepts(_ value: Double) -> Bool {
            switch self {
            case .positive: value > 0 && value < .infinity
            case .notNegative: value >= 0 && value < .infinity
            case .finite: value.magnitude < .infinity
            case .share: value >= 0 && value <= 1
            }
        }

        var text: String {
            switch self {
            case .positive: "must be above 0 and finite"
            case .notNegative: "must be at least 0 and finite"
            case .finite: "must be finite"
            case .share: "must be from 0 to 1"
            }
        }
    }

    static func require(_ value: Double, _ name: String, _ rule: Rule) throws(RebalancingError) {
        guard rule.accepts(value) else {
            throw .invalidParameter(name: name, value: value, reason: rule.text)
        }
    }
}

extension RebalancingError: PoiseError {
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
}
