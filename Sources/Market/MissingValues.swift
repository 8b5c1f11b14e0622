/// Whether a field stands for a value that is not there: it is empty, or one of the marks that pandas, R, databases and
/// spreadsheets write.
func isMissing(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard bytes.count <= 4 else { return false }
    if bytes.isEmpty { return true }
    if bytes.count == 1 { return bytes[0] == UInt8(ascii: "-") }
    return missingMarks.contains { mark in
        mark.utf8CodeUnitCount == bytes.count
            && (0..<bytes.count).allSatisfy { index in
                let byte = bytes[index]
                let isLetter = byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
                return (isLetter ? byte | 0x20 : byte) == mark.utf8Start[index]
            }
    }
}

/// In lower case.
private let missingMarks: [StaticString] = [
    "nan", "-nan", "na", "n/a", "#n/a", "<na>", "nat", "null", "none", "\\n",
]

/// The same of a text.
package func isMissing(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { isMissing(trimmed($0)) }
}

/// A field without the blanks at its ends.
func trimmed(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    var (start, end) = (0, bytes.count)
    while start < end, bytes[start] == UInt8(ascii: " ") { start += 1 }
    while end > start, bytes[end - 1] == UInt8(ascii: " ") { end -= 1 }
    return UnsafeBufferPointer(start: bytes.baseAddress.map { $0 + start }, count: end - start)
}
