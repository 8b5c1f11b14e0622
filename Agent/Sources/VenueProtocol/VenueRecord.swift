/// What can stand in a message: read from JSON with its type checked, and written as the exchange writes it.
public protocol VenueValue: Sendable {
    init(_ json: JSONValue) throws(VenueProtocolError)
    func write(to writer: inout JSONWriter)
}

/// An object of a message. Its one list of fields serves reading and writing, and tells which keys there are; keys that
/// are not in it are ignored.
public protocol VenueRecord: VenueValue {
    init()
    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError)
}

/// Goes through a record's fields.
public protocol FieldVisitor {
    /// A field that must be there.
    mutating func field<Value: VenueValue>(_ name: StaticString, _ value: inout Value)
        throws(VenueProtocolError)
    /// A field that may be missing.
    mutating func field<Value: VenueValue>(_ name: StaticString, _ value: inout Value?)
        throws(VenueProtocolError)
    /// A field that may be missing or null.
    mutating func field<Value: VenueValue>(_ name: StaticString, _ value: inout Presence<Value>)
        throws(VenueProtocolError)
}

/// A field that the exchange leaves out at times and writes as null at others.
public enum Presence<Value: VenueValue>: Sendable {
    case absent, null
    case value(Value)

    public init(_ value: Value?) { self = value.map { .value($0) } ?? .null }

    public var value: Value? { if case .value(let value) = self { value } else { nil } }
}

extension Presence: Equatable where Value: Equatable {}

extension VenueRecord {
    public init(_ json: JSONValue) throws(VenueProtocolError) {
        guard json.isObject else { throw .unexpected(json, expected: "an object") }
        self.init()
        var reader = FieldReader(json)
        try visit(&reader)
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            var fields = FieldWriter(writer: writer)
            writer = JSONWriter()
            var copy = self
            // A writer never fails: only reading checks.
            try? copy.visit(&fields)
            writer = fields.writer
        }
    }

    /// The record as a message's bytes.
    public var json: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }
}

struct FieldReader: FieldVisitor {
    let object: JSONValue
    var cursor: Int

    init(_ object: JSONValue) {
        self.object = object
        cursor = object.index + 1
    }

    @inline(__always)
    private func read<Value: VenueValue>(_ name: StaticString, _ json: JSONValue) throws(VenueProtocolError)
        -> Value
    {
        do { return try Value(json) } catch { throw error.within(name) }
    }

    mutating func field<Value: VenueValue>(_ name: StaticString, _ value: inout Value)
        throws(VenueProtocolError)
    {
        guard let json = object.member(name, from: &cursor) else { throw .missing(path: "\(name)") }
        value = try read(name, json)
    }

    mutating func field<Value: VenueValue>(_ name: StaticString, _ value: inout Value?)
        throws(VenueProtocolError)
    {
        guard let json = object.member(name, from: &cursor) else { return }
        // A query may say null for what it leaves out.
        if json.isNull, object.tape.isLenient { return }
        value = try read(name, json)
    }

    mutating func field<Value: VenueValue>(_ name: StaticString, _ value: inout Presence<Value>)
        throws(VenueProtocolError)
    {
        guard let json = object.member(name, from: &cursor) else { return }
        value = json.isNull ? .null : .value(try read(name, json))
    }
}

struct FieldWriter: FieldVisitor {
    var writer: JSONWriter

    mutating func field<Value: VenueValue>(_ name: StaticString, _ value: inout Value) {
        writer.member(name, value)
    }

    mutating func field<Value: VenueValue>(_ name: StaticString, _ value: inout Value?) {
        if let value { writer.member(name, value) }
    }

    mutating func field<Value: VenueValue>(_ name: StaticString, _ value: inout Presence<Value>) {
        switch value {
        case .absent: break
        case .null:
            writer.key(name)
            writer.null()
        case .value(let value): writer.member(name, value)
        }
    }
}
