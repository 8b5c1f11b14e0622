import Glibc

/// The double nearest to a decimal number such as `-12.5e3`; nil for anything else, `nan`, `inf` and
/// hexadecimal included. Too large a number is infinity.
///
/// Numbers of up to 15 digits and small exponents, nearly all in market data, are an integer times or over
/// an exact power of ten: one rounding, no library call. The rest is left to `strtod`.
func parseNumber(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
    var index = 0
    let end = text.count
    var isNegative = false
    if index < end, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
        isNegative = text[index] == UInt8(ascii: "-")
        index += 1
    }
    var mantissa: UInt64 = 0
    var digits = 0
    var scale = 0
    var hasPoint = false
    while index < end {
        let digit = text[index] &- UInt8(ascii: "0")
        if digit < 10 {
            // Beyond 19 digits it may wrap; then the library decides.
            mantissa = mantissa &* 10 &+ UInt64(digit)
            digits += 1
            if hasPoint { scale -= 1 }
        } else if text[index] == UInt8(ascii: "."), !hasPoint {
            hasPoint = true
        } else {
            break
        }
        index += 1
    }
    guard digits > 0 else { return nil }
    if index < end {
        guard text[index] | 0x20 == UInt8(ascii: "e") else { return nil }
        index += 1
        var exponentIsNegative = false
        if index < end, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
            exponentIsNegative = text[index] == UInt8(ascii: "-")
            index += 1
        }
        guard index < end else { return nil }
        var exponent = 0
        while index < end {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            exponent = min(exponent * 10 + Int(digit), 100_000)
            index += 1
        }
        scale += exponentIsNegative ? -exponent : exponent
    }
    guard digits <= 19, mantissa <= 1 << 53, abs(scale) < powersOfTen.count else {
        return parseWithLibrary(text)
    }
    let magnitude = Double(mantissa)
    let value = scale < 0 ? magnitude / powersOfTen[-scale] : magnitude * powersOfTen[scale]
    return isNegative ? -value : value
}

/// 10⁰ to 10²², all exact in double precision.
private let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
]

/// The same for a text that is known to be a decimal number.
private func parseWithLibrary(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: text.count + 1) { buffer in
        for (index, byte) in text.enumerated() { buffer[index] = CChar(bitPattern: byte) }
        buffer[text.count] = 0
        return buffer.baseAddress.map { strtod($0, nil) }
    }
}

/// What a number must be beside finite.
enum NumberRule {
    case finite
    case notNegative
    case positive

    /// What is wrong with a value, or nil. NaN fails every rule.
    func complaint(_ value: Double) -> String? {
        switch self {
        case .finite: abs(value) < .infinity ? nil : "must be finite"
        case .notNegative: value >= 0 && value < .infinity ? nil : "must be at least 0 and finite"
        case .positive: value > 0 && value < .infinity ? nil : "must be above 0 and finite"
        }
    }
}
