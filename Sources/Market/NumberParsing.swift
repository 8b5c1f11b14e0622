/// The double nearest to a decimal number such as `-12.5e3`; nil for anything else, `nan`, `inf` and
/// hexadecimal included. Too large a number is infinity.
///
/// Numbers of up to 15 digits and small exponents, nearly all in market data, are an integer times or over
/// an exact power of ten: one rounding, no library call. Up to 19 digits the same in 80 bits decides unless
/// the result lies next to the middle of two doubles. The rest is left to Swift's own parser, which knows no locale.
/// - Parameter field: where it stands.
func parseNumber(_ bytes: Span<UInt8>, _ field: Range<Int>) -> Double? {
    precondition(field.lowerBound >= 0 && field.upperBound <= bytes.count, "a field of these bytes")
    var index = field.lowerBound
    let end = field.upperBound
    var isNegative = false
    if index < end, bytes.byte(at: index) == UInt8(ascii: "-") || bytes.byte(at: index) == UInt8(ascii: "+") {
        isNegative = bytes.byte(at: index) == UInt8(ascii: "-")
        index += 1
    }
    // Beyond 19 digits the mantissa may wrap; then the library decides.
    var mantissa: UInt64 = 0
    let wholeStart = index
    while index < end, case let digit = bytes.byte(at: index) &- UInt8(ascii: "0"), digit < 10 {
        mantissa = mantissa &* 10 &+ UInt64(digit)
        index += 1
    }
    var digits = index - wholeStart
    var scale = 0
    if index < end, bytes.byte(at: index) == UInt8(ascii: ".") {
        index += 1
        let fractionStart = index
        while index + 8 <= end {
            guard let eight = eightDigits(bytes.word(at: index)) else { break }
            mantissa = mantissa &* 100_000_000 &+ eight
            index += 8
        }
        while index < end, case let digit = bytes.byte(at: index) &- UInt8(ascii: "0"), digit < 10 {
            mantissa = mantissa &* 10 &+ UInt64(digit)
            index += 1
        }
        scale = fractionStart - index
        digits -= scale
    }
    guard digits > 0 else { return nil }
    if index < end {
        guard bytes.byte(at: index) | 0x20 == UInt8(ascii: "e") else { return nil }
        index += 1
        var exponentIsNegative = false
        if index < end,
            bytes.byte(at: index) == UInt8(ascii: "-") || bytes.byte(at: index) == UInt8(ascii: "+")
        {
            exponentIsNegative = bytes.byte(at: index) == UInt8(ascii: "-")
            index += 1
        }
        guard index < end else { return nil }
        var exponent = 0
        while index < end {
            let digit = bytes.byte(at: index) &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            exponent = min(exponent * 10 + Int(digit), 100_000)
            index += 1
        }
        scale += exponentIsNegative ? -exponent : exponent
    }
    guard digits <= 19 else { return parseWithLibrary(bytes.extracting(field)) }
    if mantissa <= 1 << 53, abs(scale) < powersOfTen.count {
        let magnitude = Double(mantissa)
        let value = scale < 0 ? magnitude / powersOfTen[-scale] : magnitude * powersOfTen[scale]
        return isNegative ? -value : value
    }
    #if arch(x86_64)
        if abs(scale) < widePowersOfTen.count {
            let magnitude = Float80(mantissa)
            let wide = scale < 0 ? magnitude / widePowersOfTen[-scale] : magnitude * widePowersOfTen[scale]
            // The 11 bits that a double has less; 0x400 is the middle, and `wide` may be off by one.
            let excess = wide.significandBitPattern & 0x7FF
            if !(0x3FF...0x401).contains(excess) { return Double(isNegative ? -wide : wide) }
        }
    #endif
    return parseWithLibrary(bytes.extracting(field))
}

func parseNumber(_ bytes: Span<UInt8>) -> Double? { parseNumber(bytes, 0..<bytes.count) }

/// The same of a text, without the blanks at its ends.
func parseNumber(_ text: String) -> Double? {
    let bytes = text.utf8.span
    return parseNumber(bytes, trimmed(bytes))
}

extension Span<UInt8> {
    /// A byte at a place that has been compared with the count.
    @inline(__always)
    func byte(at index: Int) -> UInt8 { unsafe self[unchecked: index] }

    /// Eight bytes as a number, the first in the lowest byte.
    @inline(__always)
    func word(at index: Int) -> UInt64 {
        // Any bytes are a number.
        unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
    }
}

/// The number that eight digits spell, the first in the lowest byte, or nil where one is no digit.
@inline(__always)
private func eightDigits(_ word: UInt64) -> UInt64? {
    let values = word &- 0x3030_3030_3030_3030
    // A byte above 9 shows in its top bit, of itself or with 0x76 added.
    guard (values | (values &+ 0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 == 0 else { return nil }
    // Neighbours together, thrice: 10a + b, 100ab + cd, 10000abcd + efgh.
    let pairs = (values &* 10 &+ (values &>> 8)) & 0x00FF_00FF_00FF_00FF
    let fours = (pairs &* 100 &+ (pairs &>> 16)) & 0x0000_FFFF_0000_FFFF
    return (fours &* 10_000 &+ (fours &>> 32)) & 0xFFFF_FFFF
}

/// 10⁰ to 10²², all exact in double precision.
private let powersOfTen: InlineArray<23, Double> = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
]

#if arch(x86_64)
    /// 10⁰ to 10²⁷, all exact in 64 bits of significand.
    private let widePowersOfTen: InlineArray<28, Float80> = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18, 1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27,
    ]
#endif

/// The same for a text that is known to be a decimal number, whatever locale the host has set.
private func parseWithLibrary(_ bytes: Span<UInt8>) -> Double? {
    Double(String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self))
}
