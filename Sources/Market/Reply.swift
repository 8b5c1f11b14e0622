import Checks

/// An exchange's reply around what was asked for, by the one rule of all readers of JSON: which members hold the answer,
/// and which say that there is none.
struct Reply {
    let value: JSON

    /// Members whose value is the answer proper, objects and arrays alone; the first that is there.
    private static let wrappers = ["result", "data", "list", "trades", "positions", "rows"]

    /// What the object holds for an answer; nil where it is one itself.
    var content: JSON? {
        for name in Self.wrappers {
            if let content = value[name], content.isContainer { return content }
        }
        return nil
    }

    /// The exchange's own object within a client's (ccxt's `info`); nil where there is none, or where the object around it
    /// names a contract by a name of `names`.
    func original(besides names: [String]) -> JSON? {
        guard let original = value["info"], case .object(let members) = original.content, !members.isEmpty,
            !names.contains(where: { value[$0] != nil })
        else { return nil }
        return original
    }

    /// The member that says that the exchange refused the request, with its value and what the exchange says about it.
    var refusal: (field: String, value: JSON, message: String?)? {
        if let error = value["error"], error.isRefusal { return ("error", error, nil) }
        // A code alone may be a column of a table; with a message, or beside an answer, it is a reply's.
        if let code = value["retCode"], code.isOtherThan0 {
            return ("retCode", code, value["retMsg"]?.string)
        }
        if let code = value["code"], code.isOtherThan0 {
            let message = value["msg"] ?? value["message"]
            if message != nil || content != nil || value.count == 1 { return ("code", code, message?.string) }
        }
        return nil
    }

    /// - Throws: `invalidValue` for a refusal.
    func requireAnswer(in source: Source) throws(MarketError) {
        guard let (field, found, message) = refusal else { return }
        let said = message.flatMap { $0.isEmpty ? nil : ": \($0.clipped)" } ?? ""
        throw MessageFields(source: source, value: value).failure(
            field, found, "the exchange refused the request\(said)")
    }
}

extension JSON {
    var isContainer: Bool {
        switch content {
        case .array, .object: true
        default: false
        }
    }

    fileprivate var isOtherThan0: Bool { number.map { $0 != 0 } ?? false }

    /// Number of an object's members.
    fileprivate var count: Int {
        if case .object(let members) = content { members.count } else { 0 }
    }

    /// Whether the value of a member `error` says that there is one: Kraken's `[]` doesn't.
    fileprivate var isRefusal: Bool {
        switch content {
        case .null: false
        case .boolean(let flag): flag
        case .number(let number): number != 0
        case .string: !isMissing
        case .array(let elements): !elements.isEmpty
        case .object: true
        }
    }

    /// The values of an object's members, in the order in which they stand.
    var members: [JSON]? {
        guard case .object(let members) = content else { return nil }
        return members.values.sorted { $0.start < $1.start }
    }

    /// The values of an object whose members are all objects themselves, as of clients that list contracts by name.
    var objectsByName: [JSON]? {
        guard let members, !members.isEmpty, members.allSatisfy({ $0.members != nil }) else { return nil }
        return members
    }
}
