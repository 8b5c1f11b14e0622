import VenueProtocol

/// What an account's picture is told. Applied in their order, the same changes make the same picture.
public enum AccountChange: Sendable {
    case order(VenueOrder)
    /// Each trade once.
    case trade(UserTrade)
    case position(Position)
    /// All positions, as the venue lists them.
    case positions([Position])
    case portfolio(AccountFigures)
    /// What is known of an order that was sent under a label.
    case intent(label: String, AccountPicture.Intent)
}

extension AccountChange {
    func write(to writer: inout JSONWriter) -> (type: String, name: String?) {
        switch self {
        case .order(let order):
            order.write(to: &writer)
            return ("order", nil)
        case .trade(let trade):
            trade.write(to: &writer)
            return ("trade", nil)
        case .position(let position):
            position.write(to: &writer)
            return ("position", nil)
        case .positions(let positions):
            positions.write(to: &writer)
            return ("positions", nil)
        case .portfolio(let figures):
            figures.write(to: &writer)
            return ("portfolio", nil)
        case .intent(let label, let intent):
            intent.write(to: &writer)
            return ("intent", label)
        }
    }

    /// - Returns: nil where the type is no change of an account.
    init?(_ type: String, _ name: String?, _ json: JSONValue) throws(VenueProtocolError) {
        switch type {
        case "order": self = .order(try VenueOrder(json))
        case "trade": self = .trade(try UserTrade(json))
        case "position": self = .position(try Position(json))
        case "positions": self = .positions(try [Position](json))
        case "portfolio": self = .portfolio(try AccountFigures(json))
        case "intent":
            guard let name else { throw .missing(path: "name") }
            self = .intent(label: name, try AccountPicture.Intent(json))
        default: return nil
        }
    }
}

extension AccountPicture.Intent: VenueValue {
    public init(_ json: JSONValue) throws(VenueProtocolError) {
        if let id = json["order"] {
            self = .order(id: try String(id))
        } else if let code = json["refused"] {
            self = .refused(code: try Int(code))
        } else {
            switch json.string {
            case "sent": self = .sent
            case "unknown": self = .unknown
            case "never_arrived": self = .neverArrived
            default:
                throw .unexpected(
                    path: "", expected: "sent, unknown, never_arrived, an order or a refusal",
                    found: String(decoding: json.text.prefix(40), as: UTF8.self))
            }
        }
    }

    public func write(to writer: inout JSONWriter) {
        switch self {
        case .sent: writer.string("sent")
        case .unknown: writer.string("unknown")
        case .neverArrived: writer.string("never_arrived")
        case .order(let id): writer.object { $0.member("order", id) }
        case .refused(let code): writer.object { $0.member("refused", code) }
        }
    }
}
