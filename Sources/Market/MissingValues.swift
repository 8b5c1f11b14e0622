/// Whether a field stands for a value that is not there: it is empty, or one of the marks that pandas, R, databases and
/// spreadsheets write.
func isMissing(_ bytes: Span<UInt8>) -> Bool {
    guard bytes.count <= 4 else { return false }
    if bytes.isEmpty { return true }
    if bytes.count == 1 { return bytes[0] == UInt8(ascii: "-") }
    var word: UInt64 = 0
    for index in bytes.indices {
        let byte = bytes[index]
        let isLetter = byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
        word = word << 8 | UInt64(isLetter ? byte | 0x20 : byte)
    }
    return missingMarks.contains(word)
}

/// In lower case, the bytes of each as a number.
private let missingMarks = [
    "nan", "-nan", "na", "n/a", "#n/a", "<na>", "nat", "null", "none", "\\n",
].map { $0.utf8.reduce(0 as UInt64) { $0 << 8 | UInt64($1) } }

/// The same of a text.
package func isMissing(_ text: String) -> Bool {
    let bytes = text.utf8.span
    return isMissing(bytes.extracting(trimmed(bytes)))
}

/// Where a field stands without the blanks at its ends.
func trimmed(_ bytes: Span<UInt8>, _ field: Range<Int>? = nil) -> Range<Int> {
    var (start, end) = (field?.lowerBound ?? 0, field?.upperBound ?? bytes.count)
    while start < end, bytes[start] == UInt8(ascii: " ") { start += 1 }
    while end > start, bytes[end - 1] == UInt8(ascii: " ") { end -= 1 }
    return start..<end
}
