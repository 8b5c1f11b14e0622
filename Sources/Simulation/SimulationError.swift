import Checks

/// An error of a path model, a venue or whatever else a simulation is made of.
public enum SimulationError: PoiseError, Equatable {
    /// A parameter that makes no model.
    case invalidParameter(model: String, name: String, value: Double, reason: String)

    public var place: Place? {
        switch self {
        case .invalidParameter(let model, _, _, _): .name(model)
        }
    }

    public var field: String {
        switch self {
        case .invalidParameter(_, let name, _, _): name
        }
    }

    public var value: String? {
        switch self {
        case .invalidParameter(_, _, let value, _): "\(value)"
        }
    }

    public var reason: String {
        switch self {
        case .invalidParameter(_, _, _, let reason): reason
        }
    }
}

extension SimulationError {
    static func require(
        _ value: Double, _ rule: NumberRule, _ model: String, _ name: String
    ) throws(SimulationError) {
        try require(rule.accepts(value), model, name, value, rule.complaint)
    }

    /// Throws where a condition does not hold; conditions are written so that NaN fails them.
    static func require(
        _ holds: Bool, _ model: String, _ name: String, _ value: Double, _ reason: String
    ) throws(SimulationError) {
        guard holds else {
            throw .invalidParameter(model: model, name: name, value: value, reason: reason)
        }
    }
}
