/// One value of a tape.
public struct JSONValue: Sendable {
    let tape: JSONTape
    let index: Int

    @inline(__always)
    var node: JSONTape.Node { tape.nodes[index] }

    public static let null = JSONValue(literal: "null")
    public static let emptyObject = JSONValue(literal: "{}")

    init(tape: JSONTape, index: Int) {
        self.tape = tape
        self.index = index
    }

    private init(literal: String) {
        guard let tape = try? JSONTape(literal) else { preconditionFailure("a literal is JSON") }
        self = tape.root
    }

    public var isNull: Bool { node.kind == .null }
    public var isObject: Bool { node.kind == .object }
    public var isArray: Bool { node.kind == .array }
    public var isNumber: Bool { node.kind == .number }

    /// The bytes as they stand, quotes included.
    public var text: ArraySlice<UInt8> {
        let node = node
        return node.kind == .string
            ? tape.bytes[Int(node.start) - 1..<Int(node.end) + 1]
            : tape.bytes[Int(node.start)..<Int(node.end)]
    }

    public var boolean: Bool? {
        switch node.kind {
        case .yes: true
        case .no: false
        case .string where tape.isLenient: isText("true") ? true : isText("false") ? false : nil
        default: nil
        }
    }

    public var string: String? {
        let node = node
        guard node.kind == .string else { return nil }
        let bytes = tape.bytes[Int(node.start)..<Int(node.end)]
        return String(decoding: node.isMarked ? unescaped(bytes)[...] : bytes, as: UTF8.self)
    }

    /// A finite number.
    public var number: Double? {
        let node = node
        guard node.kind == .number || node.kind == .string && tape.isLenient else { return nil }
        return parseDecimal(tape.bytes, Int(node.start), Int(node.end))
    }

    /// A whole number, also as 10.0 or 3.2e4.
    public var integer: Int? {
        let node = node
        if node.kind == .number, !node.isMarked {
            return parseInteger(tape.bytes, Int(node.start), Int(node.end))
        }
        guard let number, abs(number) <= 0x1p53 else { return nil }
        return Int(exactly: number)
    }

    /// The values of an array.
    public var elements: [JSONValue]? {
        let node = node
        guard node.kind == .array else { return nil }
        var result: [JSONValue] = []
        var child = index + 1
        while child < node.after {
            result.append(JSONValue(tape: tape, index: child))
            child = Int(tape.nodes[child].after)
        }
        return result
    }

    /// Keys and values of an object, as they stand.
    public var members: [(key: String, value: JSONValue)]? {
        let node = node
        guard node.kind == .object else { return nil }
        var result: [(key: String, value: JSONValue)] = []
        var child = index + 1
        while child < node.after {
            let value = JSONValue(tape: tape, index: child + 1)
            result.append((JSONValue(tape: tape, index: child).string ?? "", value))
            child = Int(value.node.after)
        }
        return result
    }

    /// The member of that name of an object.
    public subscript(key: StaticString) -> JSONValue? {
        var cursor = index + 1
        return member(key, from: &cursor)
    }

    /// The member of that name, looked for from `cursor` on and then from the start; `cursor` is left behind it, so
    /// that reading in the order of the message finds each at once.
    func member(_ key: StaticString, from cursor: inout Int) -> JSONValue? {
        let node = node
        guard node.kind == .object else { return nil }
        let end = Int(node.after)
        let start = cursor
        var child = start
        while child < end {
            if isKey(child, key) {
                cursor = Int(tape.nodes[child + 1].after)
                return JSONValue(tape: tape, index: child + 1)
            }
            child = Int(tape.nodes[child + 1].after)
        }
        child = index + 1
        while child < start {
            if isKey(child, key) {
                cursor = Int(tape.nodes[child + 1].after)
                return JSONValue(tape: tape, index: child + 1)
            }
            child = Int(tape.nodes[child + 1].after)
        }
        return nil
    }

    @inline(__always)
    private func isKey(_ child: Int, _ key: StaticString) -> Bool {
        let node = tape.nodes[child]
        let count = Int(node.end - node.start)
        guard count == key.utf8CodeUnitCount else { return false }
        return key.withUTF8Buffer { name in
            for place in 0..<count where unsafe tape.bytes[Int(node.start) + place] != name[place] {
                return false
            }
            return true
        }
    }

    /// Whether it is this text, without making one.
    public func isText(_ text: StaticString) -> Bool { node.kind == .string && isKey(index, text) }

    /// Whether both say the same: order of keys, spelling of numbers and escapes aside.
    public func isEqual(to other: JSONValue) -> Bool {
        switch (node.kind, other.node.kind) {
        case (.number, .number): return number == other.number
        case (.string, .string): return string == other.string
        case (.array, .array):
            guard let mine = elements, let others = other.elements, mine.count == others.count else {
                return false
            }
            return zip(mine, others).allSatisfy { $0.isEqual(to: $1) }
        case (.object, .object):
            guard let mine = members, let others = other.members, mine.count == others.count else {
                return false
            }
            let byKey = Dictionary(others.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
            return mine.allSatisfy { member in byKey[member.key].map { member.value.isEqual(to: $0) } ?? false
            }
        case (let mine, let others): return mine == others
        }
    }

    private func unescaped(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var index = bytes.startIndex
        func unit(_ at: Int) -> UInt32 {
            var unit: UInt32 = 0
            for place in at..<at + 4 { unit = unit << 4 | UInt32(hexDigit(bytes[place]) ?? 0) }
            return unit
        }
        while index < bytes.endIndex {
            guard bytes[index] == UInt8(ascii: "\\") else {
                result.append(bytes[index])
                index += 1
                continue
            }
            let escape = bytes[index + 1]
            index += 2
            switch escape {
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "u"):
                var scalar = unit(index)
                index += 4
                if scalar & 0xFC00 == 0xD800 {
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + unit(index + 2) & 0x3FF
                    index += 6
                }
                if let scalar = Unicode.Scalar(scalar) { result += Array(String(scalar).utf8) }
            default: result.append(escape)
            }
        }
        return result
    }
}

/// Digits as they stand in JSON to the nearest double; nil for what is no number or not finite.
func parseDecimal(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Double? {
    var index = start
    var isNegative = false
    if index < end, bytes[index] == UInt8(ascii: "-") {
        isNegative = true
        index += 1
    }
    var mantissa: UInt64 = 0
    var digits = 0
    var exponent = 0
    while index < end, isDigit(bytes[index]) {
        mantissa = mantissa &* 10 &+ UInt64(bytes[index] &- 48)
        digits += 1
        index += 1
    }
    if index < end, bytes[index] == UInt8(ascii: ".") {
        index += 1
        while index < end, isDigit(bytes[index]) {
            mantissa = mantissa &* 10 &+ UInt64(bytes[index] &- 48)
            digits += 1
            exponent -= 1
            index += 1
        }
    }
    // Both the digits and the power of ten are exact doubles, so one operation rounds once (Clinger, 1990).
    if index == end, digits > 0, digits <= 18, mantissa <= 1 << 53, exponent >= -22 {
        let value = Double(mantissa) / powersOfTen[-exponent]
        return isNegative ? -value : value
    }
    guard let value = Double(String(decoding: bytes[start..<end], as: UTF8.self)), value.isFinite else {
        return nil
    }
    return value
}

func parseInteger(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Int? {
    var index = start
    let isNegative = bytes[index] == UInt8(ascii: "-")
    if isNegative { index += 1 }
    guard end - index <= 18 else { return Int(String(decoding: bytes[start..<end], as: UTF8.self)) }
    var value = 0
    while index < end {
        value = value &* 10 &+ Int(bytes[index] &- 48)
        index += 1
    }
    return isNegative ? -value : value
}

private let powersOfTen: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20,
    1e21, 1e22,
]
