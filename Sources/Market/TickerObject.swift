import Checks

/// The members of an object by name, found as the columns of a table are: by the letter, else in other letters.
struct Members {
    private let object: JSON
    /// Whether some name could be another one's in other letters, so that it is worth looking.
    private let mayDiffer: Bool

    init(_ object: JSON) {
        self.object = object
        if case .object(let members) = object.content {
            mayDiffer = members.keys.contains { !ColumnPlaces.isFolded($0) }
        } else {
            mayDiffer = false
        }
    }

    subscript(name: String) -> JSON? {
        if let exact = object[name] { return exact }
        guard mayDiffer, case .object(let members) = object.content else { return nil }
        let (count, folded) = (name.utf8.count, ColumnPlaces.folded(name))
        return members.filter { $0.key.utf8.count == count && ColumnPlaces.folded($0.key) == folded }
            .map(\.value).min { $0.start < $1.start }
    }

    func has(_ name: String) -> Bool { self[name] != nil }
}

/// A JSON object with nested ones such as `greeks`.
struct ObjectFields: TickerFields {
    let source: Source
    let object: JSON
    let layout: TickerLayout
    /// The time that the message around it states.
    let time: JSON?
    private let members: Members

    init(source: Source, object: JSON, layout: TickerLayout, time: JSON?) {
        self.source = source
        self.object = object
        self.layout = layout
        self.time = time
        members = Members(object)
    }

    var file: String { source.name }
    var line: Int { object.line }
    var exchange: (any Exchange.Type)? { source.exchange }

    private func value(_ field: TickerField) -> (name: String, value: JSON)? {
        for (number, path) in layout.paths[field.rawValue].enumerated() {
            var value = members[path[0]]
            for part in path.dropFirst() { value = value.flatMap { Members($0)[part] } }
            guard let value, !value.isMissing else { continue }
            return (layout.names[field.rawValue][number], value)
        }
        return field == .timestamp ? time.map { (layout.name(field), $0) } : nil
    }

    private func failure(_ name: String, _ found: JSON, _ reason: String) -> MarketError {
        MessageFields(source: source, value: object).failure(name, found, reason)
    }

    func name(_ field: TickerField) -> String { value(field)?.name ?? layout.name(field) }

    func text(_ field: TickerField) -> String? { value(field)?.value.string }

    func number(_ field: TickerField, _ rule: NumberRule) throws(MarketError) -> Double? {
        guard let (name, value) = value(field) else { return nil }
        guard let number = value.number else {
            throw failure(name, value, "is not a number")
        }
        guard rule.accepts(number) else { throw failure(name, value, rule.complaint) }
        return number
    }

    func time(_ field: TickerField) throws(MarketError) -> Timestamp? {
        guard let (name, value) = value(field) else { return nil }
        guard let time = source.time(of: value) else {
            throw failure(name, value, Timestamp.expectation)
        }
        return time
    }

    func levels(_ field: TickerField) throws(MarketError) -> [OrderLevel]? {
        guard let (name, value) = value(field) else { return nil }
        guard let pairs = value.pairs else {
            throw failure(name, value, "must be a list of [price, amount]")
        }
        return try checked(field, pairs)
    }
}

extension JSON {
    /// A list of lists of two numbers.
    var pairs: [(Double, Double)]? {
        guard let array else { return nil }
        var pairs: [(Double, Double)] = []
        for element in array {
            guard let pair = element.array, pair.count == 2,
                let price = pair[0].number,
                let amount = pair[1].number
            else { return nil }
            pairs.append((price, amount))
        }
        return pairs
    }
}
