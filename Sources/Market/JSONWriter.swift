/// A value that has a form in JSON.
package protocol JSONWritable {
    func write(to json: inout JSONWriter)
}

/// Writes JSON (RFC 8259). Commas, escapes and the rule that numbers are finite are its business alone.
package struct JSONWriter {
    /// Text written and not taken yet.
    private var text = ""
    /// The first number that JSON has no form for, and the members that lead to it.
    package private(set) var refused: (path: String, value: Double)?
    private var path: [String] = []
    private var isFirst = true
    private var isMember = false
    private var nextIndent: Int?
    private var elementIndent: Int?

    package init() {}

    /// The text since it was last asked for.
    package mutating func take() -> String {
        defer { text = "" }
        return text
    }

    /// The bytes that `take` would hand over.
    package var count: Int { text.utf8.count }

    /// The next element of the array or object starts on a line of its own.
    package mutating func line(_ indent: Int = 0) { nextIndent = indent }

    /// - Parameters:
    ///   - name: of the member whose value it is; nil for an element or the whole.
    ///   - lines: the indent of elements where each has a line of its own.
    package mutating func object(
        _ name: String? = nil, lines: Int? = nil, _ body: (inout JSONWriter) throws -> Void
    ) rethrows {
        try container(name, "{", "}", lines, body)
    }

    package mutating func array(
        _ name: String? = nil, lines: Int? = nil, _ body: (inout JSONWriter) throws -> Void
    ) rethrows {
        try container(name, "[", "]", lines, body)
    }

    package mutating func value(_ value: some JSONWritable) { value.write(to: &self) }

    package mutating func member(_ name: String, _ value: some JSONWritable) {
        member(name) { value.write(to: &$0) }
    }

    /// A member whose value `body` writes.
    package mutating func member(_ name: String, _ body: (inout JSONWriter) throws -> Void) rethrows {
        begin()
        text += JSON.quoted(name)
        text += ": "
        isMember = true
        path.append(name)
        try body(&self)
        path.removeLast()
    }

    fileprivate mutating func scalar(_ literal: String) {
        begin()
        text += literal
    }

    fileprivate mutating func refuse(_ value: Double) {
        if refused == nil { refused = (path.joined(separator: "."), value) }
        scalar("null")
    }

    private mutating func container(
        _ name: String?, _ opening: String, _ closing: String, _ lines: Int?,
        _ body: (inout JSONWriter) throws -> Void
    ) rethrows {
        if let name { return try member(name) { try $0.container(nil, opening, closing, lines, body) } }
        begin()
        text += opening
        let outer = elementIndent
        (isFirst, elementIndent) = (true, lines)
        try body(&self)
        if let indent = nextIndent ?? (isFirst ? nil : lines.map { max(0, $0 - 2) }) { breakLine(indent) }
        text += closing
        (isFirst, elementIndent, nextIndent) = (false, outer, nil)
    }

    /// Writes the separator before an element: nothing before the value of a member.
    private mutating func begin() {
        if isMember {
            isMember = false
            return
        }
        if !isFirst { text += "," }
        if let indent = nextIndent ?? elementIndent {
            breakLine(indent)
        } else if !isFirst {
            text += " "
        }
        (isFirst, nextIndent) = (false, nil)
    }

    private mutating func breakLine(_ indent: Int) {
        text += "\n"
        for _ in 0..<indent { text += " " }
    }
}

extension String: JSONWritable {
    package func write(to json: inout JSONWriter) { json.scalar(JSON.quoted(self)) }
}

extension Bool: JSONWritable {
    package func write(to json: inout JSONWriter) { json.scalar("\(self)") }
}

extension JSONWritable where Self: BinaryInteger {
    package func write(to json: inout JSONWriter) { json.scalar("\(self)") }
}

extension Int: JSONWritable {}
extension Int64: JSONWritable {}
extension UInt64: JSONWritable {}

extension Double: JSONWritable {
    package func write(to json: inout JSONWriter) {
        if isFinite { json.scalar("\(self)") } else { json.refuse(self) }
    }

    /// The number, or nothing where it stands for a limit or a value that is not there.
    package var ifFinite: Double? { isFinite ? self : nil }
}

extension Optional: JSONWritable where Wrapped: JSONWritable {
    /// `null` where there is none.
    package func write(to json: inout JSONWriter) {
        if let self { self.write(to: &json) } else { json.scalar("null") }
    }
}

extension Array: JSONWritable where Element: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.array { json in for element in self { element.write(to: &json) } }
    }
}
