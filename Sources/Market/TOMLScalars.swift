/// A number as TOML writes it.
enum TOMLNumber {
    /// nil beyond 64 bits.
    case whole(Int64?)
    case double(Double)

    /// nil for text that is no number.
    init?(_ text: ArraySlice<UInt8>) {
        var rest = text
        var written: [UInt8] = []
        let hasSign = Self.take("+-", &rest, &written)
        let sign = written == [UInt8(ascii: "-")] ? -1.0 : 1
        if rest.elementsEqual("inf".utf8) { self = .double(sign * .infinity); return }
        if rest.elementsEqual("nan".utf8) { self = .double(.nan); return }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where rest.starts(with: prefix.utf8) {
            rest = rest.dropFirst(2)
            guard !hasSign, Self.takeDigits(radix, &rest, &written), rest.isEmpty else { return nil }
            self = .whole(Int64(String(decoding: written, as: UTF8.self), radix: radix))
            return
        }
        let hasZero = rest.first == UInt8(ascii: "0")
        let length = rest.count
        guard Self.takeDigits(10, &rest, &written), !hasZero || rest.count == length - 1 else { return nil }
        if rest.isEmpty { self = .whole(Int64(String(decoding: written, as: UTF8.self))); return }
        if Self.take(".", &rest, &written), !Self.takeDigits(10, &rest, &written) { return nil }
        if Self.take("eE", &rest, &written) {
            _ = Self.take("+-", &rest, &written)
            guard Self.takeDigits(10, &rest, &written) else { return nil }
        }
        guard rest.isEmpty, let value = parseNumber(written.span) else { return nil }
        self = .double(value)
    }

    private static func take(
        _ choice: String, _ rest: inout ArraySlice<UInt8>, _ written: inout [UInt8]
    ) -> Bool {
        guard let byte = rest.first, choice.utf8.contains(byte) else { return false }
        written.append(rest.removeFirst())
        return true
    }

    /// Digits with single underscores between them, which are left out.
    private static func takeDigits(
        _ radix: Int, _ rest: inout ArraySlice<UInt8>, _ written: inout [UInt8]
    ) -> Bool {
        var wasDigit = false
        while let byte = rest.first {
            if TOMLReader.isDigit(byte, radix) {
                written.append(byte)
            } else if !wasDigit || byte != UInt8(ascii: "_") {
                break
            }
            wasDigit = byte != UInt8(ascii: "_")
            rest.removeFirst()
        }
        return wasDigit
    }
}

/// Dates and times as TOML writes them (RFC 3339).
enum TOMLMoment {
    /// `1979-05-27`.
    static func isDate(_ text: ArraySlice<UInt8>) -> Bool {
        guard let parts = numbers(text, "dddd-dd-dd") else { return false }
        // A year of 0 is one of a leap year, as 400 is.
        return Day(year: parts[0] == 0 ? 400 : parts[0], month: parts[1], day: parts[2]) != nil
    }

    /// A date, a time, or both with an offset or without.
    static func isMoment(_ text: ArraySlice<UInt8>) -> Bool {
        if isDate(text) || isTime(text) { return true }
        guard isDate(text.prefix(10)), let mark = text.dropFirst(10).first, " tT".utf8.contains(mark) else {
            return false
        }
        let time = text.dropFirst(11)
        if let last = time.last, last | 0x20 == UInt8(ascii: "z") { return isTime(time.dropLast()) }
        let offset = numbers(time.suffix(6), "+dd:dd") ?? numbers(time.suffix(6), "-dd:dd")
        guard let offset else { return isTime(time) }
        return offset[1] < 24 && offset[2] < 60 && isTime(time.dropLast(6))
    }

    /// `07:32:00` or `07:32:00.999`.
    private static func isTime(_ text: ArraySlice<UInt8>) -> Bool {
        guard let parts = numbers(text.prefix(8), "dd:dd:dd") else { return false }
        let fraction = text.dropFirst(8)
        return parts[0] < 24 && parts[1] < 60 && parts[2] < 60
            && (fraction.isEmpty
                || fraction.first == UInt8(ascii: ".") && fraction.count > 1
                    && fraction.dropFirst().allSatisfy { TOMLReader.isDigit($0) })
    }

    /// The numbers of a pattern in which `d` is a digit.
    private static func numbers(_ text: ArraySlice<UInt8>, _ pattern: String) -> [Int]? {
        guard text.count == pattern.utf8.count else { return nil }
        var numbers = [0]
        for (byte, mark) in zip(text, pattern.utf8) {
            if mark == UInt8(ascii: "d") {
                guard TOMLReader.isDigit(byte) else { return nil }
                numbers[numbers.count - 1] = numbers[numbers.count - 1] * 10 + Int(byte) - 48
            } else {
                guard byte == mark else { return nil }
                numbers.append(0)
            }
        }
        return numbers
    }
}
