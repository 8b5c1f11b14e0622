import Foundation

/// What was printed once and looked at, in `Fixtures` beside the source that asks.
///
/// Text is the same to the character, numbers to one in their last digit or a billionth, which may differ between
/// processors. Where a change is meant, `POISE_PRINTED=FOLDER` writes what is printed now into a folder: look at it, and put
/// it in place of the fixture.
public enum Printed {
    /// The first line that is another one than was looked at, and that one; nil where all are the same.
    public static func difference(
        _ text: String, from name: String, beside source: StaticString = #filePath
    ) throws -> String? {
        if let place = ProcessInfo.processInfo.environment["POISE_PRINTED"] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: place).appendingPathComponent(name))
        }
        let fixture = URL(fileURLWithPath: "\(source)").deletingLastPathComponent()
            .appendingPathComponent("Fixtures").appendingPathComponent(name)
        let wanted = try String(contentsOf: fixture, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (line, other) in zip(lines, wanted) where line != other {
            let (found, parts) = (Self.parts(String(line)), Self.parts(String(other)))
            let isSame = found.text == parts.text && zip(found.numbers, parts.numbers).allSatisfy(areSame)
            if !isSame { return "\(name): \(line.prefix(400)), not \(other.prefix(400))" }
        }
        return lines.count == wanted.count ? nil : "\(name): \(lines.count) lines, not \(wanted.count)"
    }

    /// A value and what it is made of, a line for each part that has no parts of its own parts; numbers to twelve digits.
    public static func lines(_ name: String, _ value: Any) -> [String] {
        if let plain = plain(value) { return ["\(name): \(plain)"] }
        let children = Mirror(reflecting: value).children
        return children.enumerated().flatMap { place, child in
            lines(name + "." + (child.label ?? "\(place)"), child.value)
        }
    }

    /// What has no parts, or parts without parts, in one line.
    private static func plain(_ value: Any) -> String? {
        if let leaf = leaf(value) { return leaf }
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional { return mirror.children.first.map { plain($0.value) } ?? "nil" }
        if mirror.displayStyle == .dictionary || mirror.displayStyle == .set {
            return mirror.children.map { "\($0.value)" }.sorted().joined(separator: " ")
        }
        var words: [String] = []
        for child in mirror.children {
            guard let leaf = leaf(child.value) else { return nil }
            let label = child.label.flatMap { $0.hasPrefix(".") ? nil : $0 + " " } ?? ""
            words.append(label + leaf)
        }
        return "(" + words.joined(separator: ", ") + ")"
    }

    private static func leaf(_ value: Any) -> String? {
        if let number = value as? Double {
            // What is left of a sum that is next to nothing is rounding.
            return number.magnitude < 1e-12 ? "0" : String(format: "%.12g", number)
        }
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional, let child = mirror.children.first { return leaf(child.value) }
        return mirror.children.isEmpty || mirror.displayStyle == .enum ? "\(value)" : nil
    }

    /// Text between numbers, and the numbers as they are written.
    private static func parts(_ text: String) -> (text: [Substring], numbers: [Substring]) {
        var (between, numbers): ([Substring], [Substring]) = ([], [])
        var rest = text[...]
        while let found = rest.firstMatch(of: /[0-9][0-9,]*(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?/) {
            between.append(rest[..<found.range.lowerBound])
            numbers.append(found.output)
            rest = rest[found.range.upperBound...]
        }
        return (between + [rest], numbers)
    }

    /// Whether two written numbers are the same but for the last digit.
    private static func areSame(_ one: Substring, _ other: Substring) -> Bool {
        if one == other { return true }
        let plain = [one, other].map { $0.replacingOccurrences(of: ",", with: "") }
        guard let a = Double(plain[0]), let b = Double(plain[1]) else { return false }
        // What is left of a sum that is next to nothing is rounding.
        if max(a, b) < 1e-12 { return true }
        let mantissas = plain.map { $0.prefix { $0 != "e" } }
        let decimals = mantissas.map { mantissa in
            mantissa.firstIndex(of: ".").map { mantissa.distance(from: $0, to: mantissa.endIndex) - 1 } ?? 0
        }
        let exponent = plain[0].firstIndex(of: "e").flatMap { Int(plain[0][$0...].dropFirst()) } ?? 0
        // Digits before the decimals of a number without any may be rounded ones.
        let digits = mantissas[0].filter(\.isNumber).count
        let isWhole = decimals.max() == 0 && digits > 6
        let unit = isWhole ? 1e-6 * abs(a) : pow(10, Double(exponent - (decimals.min() ?? 0)))
        return abs(a - b) <= max(1.01 * unit, 1e-9 * abs(a))
    }
}
