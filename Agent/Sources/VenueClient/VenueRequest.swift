import VenueProtocol

/// What a venue is asked for, as a plain value.
public enum VenueRequest: Sendable {
    /// With a label that no other order of the account has or had: by it an order of unknown fate is found again.
    case place(OrderRequest)
    case edit(EditRequest)
    case cancel(orderID: String)
    /// All orders with a label.
    case cancelLabel(String, currency: String)
    /// All orders of the account, of an instrument, or of a currency. What waits for credits is withdrawn.
    case cancelAll
    case cancelInstrument(String)
    case cancelCurrency(String)
    /// Any other method with its parameters: private ones go by the trading line, public ones by that of the market.
    case call(method: String, parameters: JSONValue)

    public var method: String {
        switch self {
        case .place(let request): request.method
        case .edit(let request): request.method
        case .cancel: "private/cancel"
        case .cancelLabel: "private/cancel_by_label"
        case .cancelAll: "private/cancel_all"
        case .cancelInstrument: "private/cancel_all_by_instrument"
        case .cancelCurrency: "private/cancel_all_by_currency"
        case .call(let method, _): method
        }
    }

    public var line: VenueLine { method.hasPrefix("private/") ? .trading : .market }

    /// The parameters of the methods that choose orders.
    var selection: Selection {
        var selection = Selection()
        switch self {
        case .cancel(let orderID): selection.orderID = orderID
        case .cancelLabel(let label, let currency): (selection.label, selection.currency) = (label, currency)
        case .cancelInstrument(let name): selection.instrumentName = name
        case .cancelCurrency(let currency): selection.currency = currency
        case .place, .edit, .cancelAll, .call: break
        }
        return selection
    }
}

/// Parameters that are JSON already.
struct RawParameters: VenueRecord {
    var json = JSONValue.null

    init() {}
    init(json: JSONValue) { self.json = json }
    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {}
    func write(to writer: inout JSONWriter) { json.write(to: &writer) }
}
