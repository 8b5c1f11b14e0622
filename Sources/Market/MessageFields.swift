import Checks

/// The members of an object of an exchange's message.
struct MessageFields {
    let source: Source
    let value: JSON

    func failure(_ name: String, _ found: JSON?, _ reason: String) -> MarketError {
        .invalidValue(
            file: source.name, line: (found ?? value).line, column: name,
            value: found.map { source.text(of: $0) } ?? "", reason: reason)
    }

    func number(
        _ name: String, _ rule: NumberRule, default standard: Double? = nil
    ) throws(MarketError) -> Double {
        guard let found = value[name], !found.isMissing else {
            guard let standard else { throw failure(name, nil, "is missing") }
            return standard
        }
        guard let number = found.number else { throw failure(name, found, "is not a number") }
        guard rule.accepts(number) else { throw failure(name, found, rule.complaint) }
        return number
    }

    func text(_ name: String) throws(MarketError) -> String {
        guard let found = value[name], !found.isMissing else { throw failure(name, nil, "is missing") }
        guard let text = found.string else { throw failure(name, found, "must be a text") }
        return text
    }

    /// A time; `standard` where it is missing.
    func time(_ name: String, default standard: Timestamp? = nil) throws(MarketError) -> Timestamp {
        guard let found = value[name], !found.isMissing else {
            guard let standard else { throw failure(name, nil, "is missing") }
            return standard
        }
        guard let time = source.time(of: found) else { throw failure(name, found, Timestamp.expectation) }
        return time
    }

    func array(_ name: String) throws(MarketError) -> [JSON] {
        guard let found = value[name], !found.isNull else { return [] }
        guard let array = found.array else { throw failure(name, found, "must be an array") }
        return array
    }
}

extension Source {
    /// A value as it stands there.
    func text(of value: JSON) -> String {
        guard value.end <= bytes.count else { return "" }
        return String(decoding: bytes[value.start..<value.end], as: UTF8.self)
    }

    /// A time of a value, as a count since 1970 or as a text; of a count all digits, more than a double holds.
    func time(of value: JSON) -> Timestamp? {
        switch value.content {
        case .number where value.end <= bytes.count:
            Timestamp(bytes: bytes.span.extracting(value.start..<value.end))
        case .string(let text): Timestamp(text: text)
        default: nil
        }
    }
}
