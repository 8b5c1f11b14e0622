import Checks

/// A JSON object with nested ones such as `greeks`.
struct ObjectFields: TickerFields {
    let source: Source
    let object: JSON
    let layout: TickerLayout
    /// The time that the message around it states.
    let time: JSON?

    var file: String { source.name }
    var line: Int { object.line }
    var exchange: (any Exchange.Type)? { source.exchange }

    private func value(_ field: TickerField) -> (name: String, value: JSON)? {
        for (number, path) in layout.paths[field.rawValue].enumerated() {
            var value: JSON? = object
            for part in path { value = value?[part] }
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
        guard let time = value.time else {
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
