extension JSONValue: VenueValue {
    public init(_ json: JSONValue) { self = json }
    public func write(to writer: inout JSONWriter) { writer.raw(text) }
}

extension Double: VenueValue {
    public init(_ json: JSONValue) throws(VenueProtocolError) {
        guard let number = json.number else { throw .unexpected(json, expected: "a number") }
        self = number
    }

    public func write(to writer: inout JSONWriter) { writer.number(self) }
}

extension Int: VenueValue {
    public init(_ json: JSONValue) throws(VenueProtocolError) {
        guard let integer = json.integer else { throw .unexpected(json, expected: "a whole number") }
        self = integer
    }

    public func write(to writer: inout JSONWriter) { writer.integer(self) }
}

extension Bool: VenueValue {
    public init(_ json: JSONValue) throws(VenueProtocolError) {
        guard let boolean = json.boolean else { throw .unexpected(json, expected: "true or false") }
        self = boolean
    }

    public func write(to writer: inout JSONWriter) { writer.boolean(self) }
}

extension String: VenueValue {
    public init(_ json: JSONValue) throws(VenueProtocolError) {
        guard let string = json.string else { throw .unexpected(json, expected: "a text") }
        self = string
    }

    public func write(to writer: inout JSONWriter) { writer.string(self) }
}

extension Array: VenueValue where Element: VenueValue {
    public init(_ json: JSONValue) throws(VenueProtocolError) {
        guard json.isArray else { throw .unexpected(json, expected: "a list") }
        self.init()
        let nodes = json.tape.nodes
        let end = Int(nodes[json.index].after)
        var child = json.index + 1
        while child < end {
            append(try Element(JSONValue(tape: json.tape, index: child)))
            child = Int(nodes[child].after)
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.array { writer in for element in self { element.write(to: &writer) } }
    }
}

/// Figures by name, as `delta_total_map` has them by index; in the order of the message.
public struct NamedValues<Value: VenueValue>: VenueValue {
    public var values: [(name: String, value: Value)] = []

    public init(_ values: [(name: String, value: Value)] = []) { self.values = values }

    public init(_ json: JSONValue) throws(VenueProtocolError) {
        guard let members = json.members else { throw .unexpected(json, expected: "an object") }
        for member in members { values.append((member.key, try Value(member.value))) }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            for (name, value) in values {
                writer.key(name)
                value.write(to: &writer)
            }
        }
    }

    public subscript(name: String) -> Value? { values.first { $0.name == name }?.value }
}

/// A value of a fixed list of words: another word is an error.
public protocol VenueWord: VenueValue, RawRepresentable, CaseIterable, Hashable where RawValue == String {}

extension VenueWord {
    public init(_ json: JSONValue) throws(VenueProtocolError) {
        guard let word = json.string.flatMap({ Self(rawValue: $0) }) else {
            throw .unexpected(json, expected: Self.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self = word
    }

    public func write(to writer: inout JSONWriter) { writer.string(rawValue) }
}
