/// What is wrong with a message. `path` has the keys that lead to the value, outermost first: `order.price`.
public enum VenueProtocolError: Error, Equatable, Sendable, CustomStringConvertible {
    case invalidJSON(byte: Int, reason: String)
    case missing(path: String)
    case unexpected(path: String, expected: String, found: String)

    public var description: String {
        switch self {
        case .invalidJSON(let byte, let reason): "byte \(byte): \(reason)"
        case .missing(let path): "\(path) is missing"
        case .unexpected(let path, let expected, let found): "\(path): expected \(expected), found \(found)"
        }
    }

    /// The key's name, as far as the error has one: what the exchange calls `data.param`.
    public var path: String? {
        switch self {
        case .invalidJSON: nil
        case .missing(let path), .unexpected(let path, _, _): path
        }
    }

    func within(_ name: StaticString) -> VenueProtocolError {
        switch self {
        case .invalidJSON: self
        case .missing(let path): .missing(path: "\(name).\(path)")
        case .unexpected(let path, let expected, let found):
            .unexpected(path: path.isEmpty ? "\(name)" : "\(name).\(path)", expected: expected, found: found)
        }
    }

    static func unexpected(_ json: JSONValue, expected: String) -> VenueProtocolError {
        .unexpected(
            path: "", expected: expected, found: String(decoding: json.text.prefix(40), as: UTF8.self))
    }
}
