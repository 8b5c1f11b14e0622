import Checks

/// What is wrong with a path model or a grid.
public enum SimulationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A parameter that makes no model.
    case invalidParameter(model: String, name: String, value: Double, reason: String)

    public var description: String {
        switch self {
        case .invalidParameter(let model, let name, let value, let reason):
            "\(model): \(name): \(value): \(reason)"
        }
    }
}

extension SimulationError {
    /// Throws where a parameter is not as it should be; conditions are written so that NaN fails them.
    static func require(
        _ holds: Bool, _ model: String, _ name: String, _ value: Double, _ reason: String
    ) throws(SimulationError) {
        guard holds else {
            throw .invalidParameter(model: model, name: name, value: value, reason: reason)
        }
    }
}

extension SimulationError: PoiseError {
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
