/// A message's JSON (RFC 8259) as a flat list of values that point into its bytes: nothing is copied, no text is made
/// and no table of keys is built until somebody asks. A key that stands twice counts where it stands first.
///
/// Messages are small and read once, field by field, so this costs less than any tree; figures against Foundation and
/// simdjson are in `docs/agent.md`.
public final class JSONTape: Sendable {
    public static let deepestNesting = 64
    public static let longestMessage = 64 << 20

    enum Kind: UInt8 { case null, yes, no, number, string, array, object }

    struct Node {
        var kind: Kind
        /// Whether a text has escapes, or a number a fraction or exponent.
        var isMarked = false
        /// The bytes of the value; of a text, those between its quotes.
        var start: Int32
        var end: Int32
        /// The node behind this one and all that it holds.
        var after: Int32
    }

    let bytes: [UInt8]
    let nodes: [Node]
    /// Whether numbers and booleans may stand as texts, as they do in query strings.
    let isLenient: Bool

    /// Reads one value and nothing behind it but space.
    /// - Throws: `invalidJSON` with the byte at which it stops being JSON.
    public init(_ bytes: [UInt8], isLenient: Bool = false) throws(VenueProtocolError) {
        guard bytes.count <= Self.longestMessage else {
            throw .invalidJSON(byte: Self.longestMessage, reason: "longer than a message may be")
        }
        var scanner = Scanner(bytes)
        try scanner.value(depth: 0)
        scanner.skipSpace()
        guard scanner.index == bytes.count else {
            throw .invalidJSON(byte: scanner.index, reason: "something stands behind the value")
        }
        self.bytes = bytes
        self.nodes = scanner.nodes
        self.isLenient = isLenient
    }

    public convenience init(_ text: String, isLenient: Bool = false) throws(VenueProtocolError) {
        try self.init(Array(text.utf8), isLenient: isLenient)
    }

    public var root: JSONValue { JSONValue(tape: self, index: 0) }

    private struct Scanner {
        let bytes: [UInt8]
        var nodes: [Node] = []
        var index = 0

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            nodes.reserveCapacity(bytes.count / 8 + 4)
        }

        private func failure(_ reason: String) -> VenueProtocolError {
            .invalidJSON(byte: index, reason: reason)
        }

        @inline(__always)
        private var next: UInt8 { index < bytes.count ? bytes[index] : 0 }

        @inline(__always)
        mutating func skipSpace() {
            while index < bytes.count {
                let byte = bytes[index]
                guard byte == 32 || byte == 10 || byte == 13 || byte == 9 else { return }
                index += 1
            }
        }

        mutating func value(depth: Int) throws(VenueProtocolError) {
            skipSpace()
            guard depth < JSONTape.deepestNesting else { throw failure("nested too deeply") }
            switch next {
            case UInt8(ascii: "{"): try container(.object, closing: UInt8(ascii: "}"), depth)
            case UInt8(ascii: "["): try container(.array, closing: UInt8(ascii: "]"), depth)
            case UInt8(ascii: "\""): try string()
            case UInt8(ascii: "t"): try word("true", .yes)
            case UInt8(ascii: "f"): try word("false", .no)
            case UInt8(ascii: "n"): try word("null", .null)
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
            default: throw failure("expected a value")
            }
        }

        private mutating func container(_ kind: Kind, closing: UInt8, _ depth: Int) throws(VenueProtocolError)
        {
            let node = nodes.count
            nodes.append(Node(kind: kind, start: Int32(index), end: 0, after: 0))
            index += 1
            skipSpace()
            if next == closing, index < bytes.count {
                index += 1
            } else {
                while true {
                    if kind == .object {
                        skipSpace()
                        guard next == UInt8(ascii: "\"") else { throw failure("expected a key") }
                        try string()
                        skipSpace()
                        guard next == UInt8(ascii: ":") else { throw failure("expected \":\"") }
                        index += 1
                    }
                    try value(depth: depth + 1)
                    skipSpace()
                    let byte = next
                    guard byte == UInt8(ascii: ",") || byte == closing else {
                        throw failure("expected \",\" or an end")
                    }
                    index += 1
                    if byte == closing { break }
                }
            }
            nodes[node].end = Int32(index)
            nodes[node].after = Int32(nodes.count)
        }

        private mutating func append(_ kind: Kind, _ start: Int, _ end: Int, isMarked: Bool = false) {
            nodes.append(
                Node(
                    kind: kind, isMarked: isMarked, start: Int32(start), end: Int32(end),
                    after: Int32(nodes.count + 1)))
        }

        private mutating func word(_ text: StaticString, _ kind: Kind) throws(VenueProtocolError) {
            let start = index
            for expected in text.description.utf8 {
                guard next == expected else { throw failure("expected \(text)") }
                index += 1
            }
            append(kind, start, index)
        }

        private mutating func string() throws(VenueProtocolError) {
            index += 1
            let start = index
            var isEscaped = false
            var isWide = false
            while index < bytes.count {
                let byte = bytes[index]
                if byte == UInt8(ascii: "\"") {
                    if isWide, String(validating: bytes[start..<index], as: UTF8.self) == nil {
                        throw failure("a text is not UTF-8")
                    }
                    append(.string, start, index, isMarked: isEscaped)
                    index += 1
                    return
                }
                if byte < 32 { throw failure("control character in a text") }
                if byte >= 128 { isWide = true }
                if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                    try escape()
                } else {
                    index += 1
                }
            }
            throw failure("a text never ends")
        }

        private mutating func escape() throws(VenueProtocolError) {
            index += 1
            switch next {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
                UInt8(ascii: "f"),
                UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                index += 1
            case UInt8(ascii: "u"):
                let unit = try codeUnit()
                if unit & 0xFC00 == 0xDC00 { throw failure("half of a surrogate pair") }
                if unit & 0xFC00 == 0xD800 {
                    guard next == UInt8(ascii: "\\"), index + 1 < bytes.count,
                        bytes[index + 1] == UInt8(ascii: "u")
                    else { throw failure("half of a surrogate pair") }
                    index += 1
                    guard try codeUnit() & 0xFC00 == 0xDC00 else { throw failure("half of a surrogate pair") }
                }
            default: throw failure("unknown escape")
            }
        }

        /// The four digits behind "u".
        private mutating func codeUnit() throws(VenueProtocolError) -> UInt16 {
            index += 1
            var unit: UInt16 = 0
            for _ in 0..<4 {
                guard let digit = hexDigit(next) else { throw failure("\\u needs four hexadecimal digits") }
                unit = unit << 4 | UInt16(digit)
                index += 1
            }
            return unit
        }

        private mutating func digits() throws(VenueProtocolError) {
            guard isDigit(next) else { throw failure("expected a digit") }
            while isDigit(next) { index += 1 }
        }

        private mutating func number() throws(VenueProtocolError) {
            let start = index
            var isMarked = false
            if next == UInt8(ascii: "-") { index += 1 }
            if next == UInt8(ascii: "0") { index += 1 } else { try digits() }
            if next == UInt8(ascii: ".") {
                isMarked = true
                index += 1
                try digits()
            }
            if next | 32 == UInt8(ascii: "e") {
                isMarked = true
                index += 1
                if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
                try digits()
            }
            append(.number, start, index, isMarked: isMarked)
        }
    }
}

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
