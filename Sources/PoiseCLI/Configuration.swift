import Checks
import Foundation
import TOMLKit

/// What is wrong with a configuration, and where.
struct ConfigurationError: PoiseError {
    let file: String
    let line: Int
    let key: String
    let value: String
    let reason: String

    var description: String {
        let parts = [key.isEmpty ? "" : "\"\(key)\": ", value.isEmpty ? "" : "value \(value): "]
        return "\(file):\(line): \(parts.joined())\(reason)"
    }
}

/// What a number of a configuration must be; NaN is nothing of it.
enum SettingRule {
    case finite, notNegative, positive, share, atLeast(Double), within(ClosedRange<Double>)

    func accepts(_ value: Double) -> Bool {
        switch self {
        case .finite: value.isFinite
        case .notNegative: value >= 0 && value < .infinity
        case .positive: value > 0 && value < .infinity
        case .share: value >= 0 && value <= 1
        case .atLeast(let bound): value >= bound && value < .infinity
        case .within(let range): range.contains(value)
        }
    }

    var complaint: String {
        switch self {
        case .finite: "must be finite"
        case .notNegative: "must be at least 0 and finite"
        case .positive: "must be above 0 and finite"
        case .share: "must be from 0 to 1"
        case .atLeast(let bound): "must be at least \(bound.significant) and finite"
        case .within(let range):
            "must be from \(range.lowerBound.significant) to \(range.upperBound.significant)"
        }
    }
}

/// A table of a TOML file. It remembers which keys were asked for, so that the others can be refused: a
/// misspelt setting must not be a silent default.
final class ConfigurationTable {
    let file: String
    /// Dotted, with places in arrays of tables: `venue[1]`.
    let path: String
    private let table: TOMLTable
    private let lines: [String: Int]
    private var asked: [String] = []
    private var children: [ConfigurationTable] = []

    private init(file: String, path: String, table: TOMLTable, lines: [String: Int]) {
        self.file = file
        self.path = path
        self.table = table
        self.lines = lines
    }

    /// Reads a document.
    convenience init(file: String, text: String) throws {
        do {
            let table = try TOMLTable(string: text)
            self.init(file: file, path: "", table: table, lines: Self.keyLines(text))
        } catch let error as TOMLParseError {
            throw ConfigurationError(
                file: file, line: error.source.begin.line, key: "", value: "",
                reason: "no valid TOML: \(error.description)")
        }
    }

    // MARK: Values

    func has(_ key: String) -> Bool { table[key] != nil }

    func number(_ key: String, _ rule: SettingRule) throws -> Double {
        guard let value = try optionalNumber(key, rule) else { throw missing(key) }
        return value
    }

    func number(_ key: String, _ rule: SettingRule, default value: Double) throws -> Double {
        try optionalNumber(key, rule) ?? value
    }

    func optionalNumber(_ key: String, _ rule: SettingRule) throws -> Double? {
        guard let node = node(key) else { return nil }
        return try number(node, key, rule)
    }

    /// A number or an array of them: one policy each.
    func numbers(_ key: String, _ rule: SettingRule) throws -> [Double] {
        guard let node = node(key) else { throw missing(key) }
        guard let array = node.array else { return [try number(node, key, rule)] }
        guard array.count > 0 else { throw wrong(key, "[]", "expected at least one number") }
        return try (0..<array.count).map { try number(array[$0], key, rule) }
    }

    /// Pairs `[[from, to], …]`, in order within each.
    func spans(_ key: String) throws -> [(Double, Double)] {
        guard let node = node(key) else { return [] }
        guard let array = node.array else { throw wrong(key, shown(node), "expected pairs [[from, to], …]") }
        return try (0..<array.count).map { index in
            guard let pair = array[index].array, pair.count == 2 else {
                throw wrong(key, shown(array[index]), "expected a pair [from, to]")
            }
            let (from, to) = (try number(pair[0], key, .notNegative), try number(pair[1], key, .notNegative))
            guard from < to else { throw wrong(key, "[\(from), \(to)]", "the first is not below the second") }
            return (from, to)
        }
    }

    func integer(_ key: String, _ range: ClosedRange<Int>, default value: Int) throws -> Int {
        guard let node = node(key) else { return value }
        guard let number = node.int, range.contains(number) else {
            throw wrong(
                key, shown(node), "expected a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func flag(_ key: String, default value: Bool) throws -> Bool {
        guard let node = node(key) else { return value }
        guard let flag = node.bool else { throw wrong(key, shown(node), "expected true or false") }
        return flag
    }

    func text(_ key: String) throws -> String {
        guard let text = try optionalText(key) else { throw missing(key) }
        return text
    }

    func optionalText(_ key: String) throws -> String? {
        guard let node = node(key) else { return nil }
        guard let text = node.string else { throw wrong(key, shown(node), "expected a text in quotes") }
        return text
    }

    func texts(_ key: String) throws -> [String] {
        guard let node = node(key) else { throw missing(key) }
        guard let array = node.array else { return [try text(key)] }
        return try (0..<array.count).map { index in
            guard let text = array[index].string else {
                throw wrong(key, shown(array[index]), "expected texts in quotes")
            }
            return text
        }
    }

    /// One of a list of words.
    func word<Word: RawRepresentable & CaseIterable>(_ key: String, default value: Word? = nil) throws -> Word
    where Word.RawValue == String {
        guard let text = try optionalText(key) else {
            if let value { return value }
            throw missing(key)
        }
        guard let word = Word(rawValue: text) else {
            let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw wrong(key, "\"\(text)\"", "expected one of \(known)")
        }
        return word
    }

    // MARK: Tables

    func child(_ key: String) throws -> ConfigurationTable? {
        guard let node = node(key) else { return nil }
        guard let table = node.table else { throw wrong(key, shown(node), "expected a table [\(full(key))]") }
        return adopt(full(key), table)
    }

    func required(_ key: String) throws -> ConfigurationTable {
        guard let table = try child(key) else { throw missing(key, "the table is missing") }
        return table
    }

    /// Tables `[[key]]`.
    func list(_ key: String) throws -> [ConfigurationTable] {
        guard let node = node(key) else { return [] }
        guard let array = node.array else {
            throw wrong(key, shown(node), "expected tables [[\(full(key))]]")
        }
        return try (0..<array.count).map { index in
            guard let table = array[index].table else {
                throw wrong(key, shown(array[index]), "expected tables [[\(full(key))]]")
            }
            return adopt("\(full(key))[\(index)]", table)
        }
    }

    private func adopt(_ path: String, _ table: TOMLTable) -> ConfigurationTable {
        let child = ConfigurationTable(file: file, path: path, table: table, lines: lines)
        children.append(child)
        return child
    }

    /// Refuses keys that nobody asked for, here and below.
    func finish() throws {
        try refuseOthers(than: asked)
        try finishTables()
    }

    /// Refuses them below alone: what is misspelt is said before what does not fit together for want of it.
    func finishTables() throws {
        for child in children { try child.finish() }
    }

    /// Refuses what may be one of these keys, misspelt.
    func refuseMisspelt(_ keys: [String]) throws {
        for key in keys { if let other = misspelt(key) { throw notASetting(other, near: key) } }
    }

    private func misspelt(_ key: String) -> String? {
        table.keys.first { !asked.contains($0) && Self.isNear(key, $0) }
    }

    /// Refuses all keys but these, before any of them is read: what is unknown is said before what is
    /// missing.
    func refuseOthers(than known: [String]) throws {
        let unknown = table.keys.filter { !known.contains($0) }.sorted { line($0) < line($1) }
        if let key = unknown.first { throw notASetting(key, near: known.first { Self.isNear($0, key) }) }
    }

    private func notASetting(_ key: String, near: String?) -> ConfigurationError {
        ConfigurationError(
            file: file, line: line(key), key: key,
            value: table[key].map { $0.table == nil && $0.array == nil ? shown($0) : "" } ?? "",
            reason: "is not a setting of \(path.isEmpty ? "a simulation" : "[\(path)]")"
                + (near.map { "; is it \"\($0)\"?" } ?? ""))
    }

    // MARK: Errors

    func wrong(_ key: String, _ value: String, _ reason: String) -> ConfigurationError {
        ConfigurationError(file: file, line: line(key), key: key, value: value, reason: reason)
    }

    private func missing(_ key: String, _ reason: String = "is missing") -> ConfigurationError {
        // It may be there, misspelt.
        if let other = misspelt(key) { return notASetting(other, near: key) }
        return ConfigurationError(
            file: file, line: lines[path] ?? 1, key: full(key), value: "", reason: reason)
    }

    /// Runs what makes a model of the settings, and says where the settings are if it refuses them.
    func checked<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError(
                file: file, line: lines[path] ?? 1, key: path, value: "", reason: "\(error)")
        }
    }

    private func full(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
    private func line(_ key: String) -> Int {
        lines[full(key)] ?? lines["\(full(key))[0]"] ?? lines[path] ?? 1
    }

    private func node(_ key: String) -> TOMLValueConvertible? {
        if !asked.contains(key) { asked.append(key) }
        return table[key]
    }

    private func number(_ node: TOMLValueConvertible, _ key: String, _ rule: SettingRule) throws -> Double {
        guard let value = node.double ?? node.int.map(Double.init) else {
            throw wrong(key, shown(node), "expected a number")
        }
        guard rule.accepts(value) else { throw wrong(key, shown(node), rule.complaint) }
        return value
    }

    private func shown(_ node: TOMLValueConvertible) -> String {
        if let text = node.string { return "\"\(text)\"" }
        if let number = node.int { return "\(number)" }
        if let number = node.double { return "\(number)" }
        if let flag = node.bool { return "\(flag)" }
        return node.array != nil ? "an array" : node.table != nil ? "a table" : "\(node.type)"
    }

    private static func isNear(_ a: String, _ b: String) -> Bool {
        guard a.first == b.first, abs(a.count - b.count) <= 2 else { return false }
        let common =
            zip(a, b).prefix { $0 == $1 }.count + zip(a.reversed(), b.reversed()).prefix { $0 == $1 }.count
        return common >= max(a.count, b.count) - 1
    }

    /// The lines on which keys and tables stand; the parser does not tell.
    private static func keyLines(_ text: String) -> [String: Int] {
        var lines: [String: Int] = [:]
        var counts: [String: Int] = [:]
        var prefix = ""
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = raw.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("["), let end = line.lastIndex(of: "]"), !line.contains("=") {
                let isArray = line.hasPrefix("[[")
                let name = line[..<end].filter { !"[] \"'".contains($0) }
                prefix = resolved(name, isArray: isArray, &counts)
                lines[prefix] = index + 1
            } else if let equals = line.firstIndex(of: "="), !line.hasPrefix("#") {
                let key = line[..<equals].filter { !" \"'".contains($0) }
                let full = prefix.isEmpty ? key : "\(prefix).\(key)"
                if lines[full] == nil { lines[full] = index + 1 }
            }
        }
        return lines
    }

    /// A header's name with the places of the arrays of tables that it lies in.
    private static func resolved(_ name: String, isArray: Bool, _ counts: inout [String: Int]) -> String {
        var path = ""
        let parts = name.split(separator: ".")
        for (index, part) in parts.enumerated() {
            path += (path.isEmpty ? "" : ".") + part
            let isLast = index == parts.count - 1
            if isLast, isArray {
                counts[path, default: 0] += 1
                path += "[\((counts[path] ?? 1) - 1)]"
            } else if let count = counts[path] {
                path += "[\(count - 1)]"
            }
        }
        return path
    }
}
