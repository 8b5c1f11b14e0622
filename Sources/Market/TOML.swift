/// A strict reader of TOML 1.0 into the tree that JSON is read into, places included. Dates and times are texts, as
/// they are written; whole numbers that a double does not hold are refused.
package struct TOMLReader {
    /// Keys and brackets within each other; each takes stack, of which hosts' threads may have little.
    static let deepestNesting = 32

    private let source: Source
    private var index = 0
    private var line = 1
    /// The key that is being read, as it is written.
    private var key = ""

    package init(_ source: Source) { self.source = source }

    /// The whole file as an object.
    /// - Throws: `invalidTOML`.
    package mutating func document() throws(MarketError) -> JSON {
        guard String(validating: source.bytes, as: UTF8.self) != nil else { throw failure("is not UTF-8") }
        let root = Table(place, .header)
        var current = root
        while true {
            try skipLines()
            guard next != nil else { return root.json }
            if next == UInt8(ascii: "[") { current = try header(root) } else { try pair(current, depth: 0) }
            try endLine()
        }
    }

    // MARK: Tables

    private struct Place {
        let start, line: Int
    }

    /// A table that is being read; later headers and dotted keys may add to it.
    private final class Table {
        enum Origin {
            /// On the way to another: `a` of `[a.b]`.
            case implicit
            case header
            /// On the way to a dotted key: `a` of `a.b = 1`.
            case dotted
        }
        enum Member {
            case value(JSON)
            case table(Table)
            case tables([Table])
        }

        var place: Place
        var origin: Origin
        var members: [String: Member] = [:]

        init(_ place: Place, _ origin: Origin) { (self.place, self.origin) = (place, origin) }

        var json: JSON {
            let values = members.mapValues { member in
                switch member {
                case .value(let value): value
                case .table(let table): table.json
                case .tables(let tables):
                    JSON(
                        content: .array(tables.map(\.json)), start: tables[0].place.start,
                        end: tables[0].place.start, line: tables[0].place.line)
                }
            }
            return JSON(content: .object(values), start: place.start, end: place.start, line: place.line)
        }
    }

    /// `[a.b]` or `[[a.b]]`: the table that the lines below are about.
    private mutating func header(_ root: Table) throws(MarketError) -> Table {
        let place = place
        index += 1
        let isArray = take("[")
        let path = try keyPath()
        guard take("]"), !isArray || take("]") else { throw failure("expected \"\(isArray ? "]]" : "]")\"") }
        var table = root
        for key in path.dropLast() { table = try descend(from: table, key, place, .implicit) }
        let key = path[path.count - 1]
        switch (table.members[key], isArray) {
        case (nil, false):
            let new = Table(place, .header)
            table.members[key] = .table(new)
            return new
        case (.table(let known), false) where known.origin == .implicit:
            (known.origin, known.place) = (.header, place)
            return known
        case (nil, true):
            let new = Table(place, .header)
            table.members[key] = .tables([new])
            return new
        case (.tables(let known), true):
            let new = Table(place, .header)
            table.members[key] = .tables(known + [new])
            return new
        default: throw failure("\"\(key.clipped)\" stands twice")
        }
    }

    /// `a.b = value`.
    private mutating func pair(_ table: Table, depth: Int) throws(MarketError) {
        var table = table
        let place = place
        let path = try keyPath()
        key = path.joined(separator: ".")
        guard take("=") else { throw failure("expected \"=\"") }
        for key in path.dropLast() { table = try descend(from: table, key, place, .dotted) }
        let key = path[path.count - 1]
        guard table.members[key] == nil else { throw failure("\"\(key.clipped)\" stands twice") }
        skipBlanks()
        table.members[key] = .value(try value(depth: depth + path.count))
    }

    /// The table of that name on the way of a header or a dotted key.
    private func descend(
        from table: Table, _ key: String, _ place: Place, _ origin: Table.Origin
    ) throws(MarketError) -> Table {
        switch table.members[key] {
        case nil:
            let new = Table(place, origin)
            table.members[key] = .table(new)
            return new
        case .table(let known) where origin == .implicit || known.origin != .header:
            if origin == .dotted { known.origin = .dotted }
            return known
        case .tables(let known) where origin == .implicit: return known[known.count - 1]
        default: throw failure("\"\(key.clipped)\" is complete: nothing can be added to it")
        }
    }

    /// One or more keys with dots between them.
    private mutating func keyPath() throws(MarketError) -> [String] {
        var path: [String] = []
        repeat {
            skipBlanks()
            let start = index
            if next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") {
                path.append(try string(isKey: true))
            } else {
                while let byte = next, Self.isWord(byte) || byte == UInt8(ascii: "-") { index += 1 }
                guard index > start else { throw failure("expected a key") }
                path.append(String(decoding: source.bytes[start..<index], as: UTF8.self))
            }
            skipBlanks()
        } while take(".")
        guard path.count <= Self.deepestNesting else { throw failure("nested too deeply") }
        return path
    }

    // MARK: Values

    private mutating func value(depth: Int) throws(MarketError) -> JSON {
        guard depth < Self.deepestNesting else { throw failure("nested too deeply") }
        let place = place
        let content: JSON.Content
        switch next {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): content = .string(try string())
        case UInt8(ascii: "["): content = try array(depth)
        case UInt8(ascii: "{"): content = try inlineTable(depth)
        default: content = try word()
        }
        return JSON(content: content, start: place.start, end: index, line: place.line)
    }

    private mutating func array(_ depth: Int) throws(MarketError) -> JSON.Content {
        index += 1
        var elements: [JSON] = []
        try skipLines()
        while !take("]") {
            elements.append(try value(depth: depth + 1))
            try skipLines()
            if !take(",") {
                guard next == UInt8(ascii: "]") else { throw failure("expected \",\" or \"]\"") }
            }
            try skipLines()
        }
        return .array(elements)
    }

    private mutating func inlineTable(_ depth: Int) throws(MarketError) -> JSON.Content {
        let table = Table(place, .header)
        index += 1
        skipBlanks()
        if take("}") { return table.json.content }
        repeat {
            try pair(table, depth: depth)
            skipBlanks()
        } while take(",")
        guard take("}") else { throw failure("expected \",\" or \"}\"") }
        return table.json.content
    }

    /// A text in quotes, single or double, one or three.
    private mutating func string(isKey: Bool = false) throws(MarketError) -> String {
        let quote = source.bytes[index]
        let isLong = !isKey && source.bytes[index...].starts(with: [quote, quote, quote])
        let end = [UInt8](repeating: quote, count: isLong ? 3 : 1)
        index += end.count
        // The line break behind the opening quotes is left out.
        if isLong { _ = takeLineBreak() }
        var bytes: [UInt8] = []
        while !take(end) {
            if isLong, takeLineBreak() {
                bytes.append(10)
            } else if quote == UInt8(ascii: "\""), take("\\") {
                try escape(isLong, &bytes)
            } else {
                bytes.append(try character())
            }
        }
        // Up to two quotes more before the closing ones belong to the text.
        if isLong { for _ in 0..<2 where take([quote]) { bytes.append(quote) } }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func character() throws(MarketError) -> UInt8 {
        guard let byte = next, byte != 10, byte != 13 else { throw failure("a text never ends") }
        guard byte == 9 || byte >= 32 && byte != 127 else { throw failure("control character in a text") }
        index += 1
        return byte
    }

    private mutating func escape(_ isLong: Bool, _ bytes: inout [UInt8]) throws(MarketError) {
        for (letter, byte) in zip("btnfr\"\\", [8, 9, 10, 12, 13, 34, 92] as [UInt8]) where take("\(letter)")
        {
            bytes.append(byte)
            return
        }
        for (letter, count) in [("u", 4), ("U", 8)] where take(letter) {
            let digits = source.bytes[index...].prefix(count).prefix { Self.isDigit($0, 16) }
            guard digits.count == count,
                let scalar = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
                    .flatMap(UnicodeScalar.init)
            else { throw failure("\\\(letter) needs \(count) hexadecimal digits of a character") }
            index += count
            bytes += Array(String(Character(scalar)).utf8)
            return
        }
        // A backslash at the end of a line leaves out all blanks up to the next character.
        let start = index
        skipBlanks()
        guard isLong, takeLineBreak() else {
            index = start
            throw failure("unknown escape")
        }
        repeat { skipBlanks() } while takeLineBreak()
    }

    /// true, false, a number, or a date or time.
    private mutating func word() throws(MarketError) -> JSON.Content {
        let start = index
        func isPart(_ byte: UInt8) -> Bool { Self.isWord(byte) || "+-.:".utf8.contains(byte) }
        while let byte = next, isPart(byte) { index += 1 }
        // A blank may stand between date and time.
        let after = source.bytes[index...].dropFirst().first
        if next == 32, TOMLMoment.isDate(source.bytes[start..<index]), let after, Self.isDigit(after) {
            index += 1
            while let byte = next, isPart(byte) { index += 1 }
        }
        let bytes = source.bytes[start..<index]
        let text = String(decoding: bytes, as: UTF8.self)
        if text == "true" || text == "false" { return .boolean(text == "true") }
        if TOMLMoment.isMoment(bytes) { return .string(text) }
        switch TOMLNumber(bytes) {
        case .double(let value): return .number(value)
        case .whole(let whole):
            guard let whole, let value = Double(exactly: whole) else {
                throw failure(
                    "\"\(key.clipped)\": \(text.clipped) is a whole number that a double does not hold")
            }
            return .number(value)
        case nil:
            let shown =
                bytes.isEmpty ? String(decoding: source.bytes[start...].prefix(1), as: UTF8.self) : text
            throw failure(shown.isEmpty ? "ends too early" : "unexpected \"\(shown.clipped)\"")
        }
    }

    // MARK: Characters

    private var next: UInt8? { index < source.bytes.count ? source.bytes[index] : nil }
    private var place: Place { Place(start: index, line: line) }

    private func failure(_ reason: String) -> MarketError {
        .invalidTOML(file: source.name, line: line, reason: reason)
    }

    static func isDigit(_ byte: UInt8, _ radix: Int = 10) -> Bool {
        let value = (byte | 0x20) >= 97 ? Int(byte | 0x20) - 87 : Int(byte) - 48
        return byte < 128 && (0..<radix).contains(value) && (byte < 58 || byte > 64)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || isDigit(byte, 36)
    }

    private mutating func take(_ text: String) -> Bool { take(Array(text.utf8)) }

    private mutating func take(_ bytes: [UInt8]) -> Bool {
        guard source.bytes[index...].starts(with: bytes) else { return false }
        index += bytes.count
        return true
    }

    private mutating func takeLineBreak() -> Bool {
        guard take("\n") || take("\r\n") else { return false }
        line += 1
        return true
    }

    private mutating func skipBlanks() { while next == 32 || next == 9 { index += 1 } }

    private mutating func skipComment() throws(MarketError) {
        guard next == UInt8(ascii: "#") else { return }
        while let byte = next, byte != 10, byte != 13 {
            guard byte == 9 || byte >= 32 && byte != 127 else {
                throw failure("control character in a comment")
            }
            index += 1
        }
    }

    /// Blanks, comments and line breaks.
    private mutating func skipLines() throws(MarketError) {
        repeat {
            skipBlanks()
            try skipComment()
        } while takeLineBreak()
    }

    private mutating func endLine() throws(MarketError) {
        skipBlanks()
        try skipComment()
        guard next == nil || takeLineBreak() else { throw failure("expected the end of the line") }
    }
}
