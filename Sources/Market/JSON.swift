/// A JSON value and where it stands.
package struct JSON {
    package enum Content {
        case null
        case boolean(Bool)
        case number(Double)
        case string(String)
        case array([JSON])
        case object([String: JSON])
    }

    package let content: Content
    /// The byte at which it starts and the one behind its end.
    package let start, end: Int
    /// The line on which it starts.
    package let line: Int

    /// The member of that name of an object.
    package subscript(name: String) -> JSON? {
        if case .object(let members) = content { members[name] } else { nil }
    }

    package var array: [JSON]? {
        if case .array(let elements) = content { elements } else { nil }
    }

    package var string: String? {
        if case .string(let text) = content { text } else { nil }
    }

    /// A number, also one that stands as a text, as some exchanges and libraries hand them on.
    package var number: Double? {
        switch content {
        case .number(let value): value
        case .string(let text): parseNumber(text)
        default: nil
        }
    }

    package var isNull: Bool {
        if case .null = content { true } else { false }
    }

    /// Whether it stands for a value that is not there: null, or a text that tables take for missing.
    package var isMissing: Bool {
        switch content {
        case .null: true
        case .string(let text): Market.isMissing(text)
        default: false
        }
    }

    /// A text as it stands in JSON, quotes included.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            // Controls of both blocks, as what a terminal obeys is not to come out of a file.
            case let control where control.value < 32 || (127...159).contains(control.value):
                let digits = String(control.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

/// A reader of JSON (RFC 8259) that keeps places, so that errors can name the line. It is strict but for this: a file may
/// hold several values one after another, as a log of replies does; `NaN`, which Python writes, is null; numbers
/// are those of tables, `+1`, `.5`, `1.` and `01` among them.
package struct JSONReader {
    static let deepestNesting = 64

    private let source: Source
    private var index = 0
    private var line = 1

    package init(_ source: Source) { self.source = source }

    /// All values of the file.
    /// - Throws: `invalidJSON`.
    package mutating func values() throws(MarketError) -> [JSON] {
        var values: [JSON] = []
        skipSpace()
        while index < source.bytes.count {
            values.append(try value())
            skipSpace()
        }
        return values
    }

    private var next: UInt8? { index < source.bytes.count ? source.bytes[index] : nil }

    private func failure(_ reason: String) -> MarketError {
        .invalidJSON(file: source.name, line: line, reason: reason)
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 32 || byte == 10 || byte == 13 || byte == 9 {
            if byte == 10 { line += 1 }
            index += 1
        }
    }

    private mutating func take(_ byte: Character) -> Bool {
        guard next == byte.asciiValue else { return false }
        index += 1
        return true
    }

    /// An object or array that is being read.
    private struct Open {
        let start, line: Int
        let isObject: Bool
        /// Of an object, the name of the member that is being read.
        var name = ""
        var members: [String: JSON] = [:]
        var elements: [JSON] = []

        var content: JSON.Content { isObject ? .object(members) : .array(elements) }
    }

    /// A value with all that is in it; what is open stands in an array, so that depth takes no stack.
    private mutating func value() throws(MarketError) -> JSON {
        var open: [Open] = []
        while true {
            guard open.count < Self.deepestNesting else { throw failure("nested too deeply") }
            skipSpace()
            let (start, line) = (index, line)
            let content: JSON.Content
            switch next {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let isObject = next == UInt8(ascii: "{")
                index += 1
                skipSpace()
                var opened = Open(start: start, line: line, isObject: isObject)
                guard take(isObject ? "}" : "]") else {
                    if isObject { opened.name = try memberName() }
                    open.append(opened)
                    continue
                }
                content = opened.content
            case UInt8(ascii: "\""): content = .string(try string())
            case nil: throw failure("ends too early")
            default: content = try word()
            }
            if let whole = try close(JSON(content: content, start: start, end: index, line: line), &open) {
                return whole
            }
        }
    }

    /// Puts a value where it belongs, and closes what ends behind it.
    /// - Returns: the outermost value, once it is whole.
    private mutating func close(_ value: JSON, _ open: inout [Open]) throws(MarketError) -> JSON? {
        var value = value
        while let last = open.indices.last {
            let isObject = open[last].isObject
            if isObject {
                guard open[last].members.updateValue(value, forKey: open[last].name) == nil else {
                    throw failure("member \"\(open[last].name.clipped)\" stands twice")
                }
            } else {
                open[last].elements.append(value)
            }
            skipSpace()
            if take(",") {
                if isObject { open[last].name = try memberName() }
                return nil
            }
            guard take(isObject ? "}" : "]") else {
                throw failure(isObject ? "expected \",\" or \"}\"" : "expected \",\" or \"]\"")
            }
            let closed = open.removeLast()
            value = JSON(content: closed.content, start: closed.start, end: index, line: closed.line)
        }
        return value
    }

    private mutating func memberName() throws(MarketError) -> String {
        skipSpace()
        guard next == UInt8(ascii: "\"") else { throw failure("expected a member's name") }
        let name = try string()
        skipSpace()
        guard take(":") else { throw failure("expected \":\"") }
        return name
    }

    private mutating func string() throws(MarketError) -> String {
        index += 1
        var bytes: [UInt8] = []
        while let byte = next {
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: bytes, as: UTF8.self) else {
                    throw failure("text is not UTF-8")
                }
                return text
            case UInt8(ascii: "\\"): bytes += try escaped()
            case 0..<32: throw failure("control character in a text")
            default: bytes.append(byte)
            }
        }
        throw failure("a text never ends")
    }

    private mutating func escaped() throws(MarketError) -> [UInt8] {
        let byte = next
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return byte.map { [$0] } ?? []
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "u"):
            var units = [try codeUnit()]
            if units[0] & 0xFC00 == 0xD800, take("\\"), take("u") { units.append(try codeUnit()) }
            guard let text = String(validating: units, as: UTF16.self) else {
                throw failure("half of a surrogate pair")
            }
            return Array(text.utf8)
        default: throw failure("unknown escape")
        }
    }

    private mutating func codeUnit() throws(MarketError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
                throw failure("\\u needs four hexadecimal digits")
            }
            unit = unit << 4 | UInt16(digit)
            index += 1
        }
        return unit
    }

    /// true, false, null (also as NaN) or a number.
    private mutating func word() throws(MarketError) -> JSON.Content {
        let start = index
        while let byte = next, byte > 32, !",]}:[{\"".utf8.contains(byte) { index += 1 }
        let text = source.bytes[start..<index]
        if text.elementsEqual("true".utf8) { return .boolean(true) }
        if text.elementsEqual("false".utf8) { return .boolean(false) }
        if text.elementsEqual("null".utf8) || text.elementsEqual("NaN".utf8) { return .null }
        guard let value = parseNumber(text.span) else {
            index = start
            // Nothing but what ends a word: that is the byte that is in the way.
            let shown =
                text.isEmpty ? source.bytes[start..<min(start + 1, source.bytes.count)] : text.prefix(20)
            throw failure("unexpected \"\(String(decoding: shown, as: UTF8.self).clipped)\"")
        }
        return .number(value)
    }
}
