import Checks

/// One table of a TOML file or one object of a JSON file, read key by key. What is missing, of the wrong kind or out of
/// range is an error that names file, line, key and value.
///
/// It remembers which keys were asked for, so that `finish` can refuse the others: a misspelt setting must not be a
/// silent default. A JSON null counts as a key that is not there.
package final class Settings {
    package let file: String
    /// Dotted, with indices in arrays: `venue[1]`; empty for the whole file.
    package let path: String
    package let value: JSON
    private let source: Source
    private var asked: Set<String> = []
    private var children: [Settings] = []
    private let renamed: [String: String]
    private let isJSON: Bool

    /// - Parameters:
    ///   - path: of `value` within its file.
    ///   - renamed: keys of earlier versions by their dotted path without indices, with what to write instead.
    package init(
        _ source: Source, _ value: JSON, path: String = "", renamed: [String: String] = [:],
        isJSON: Bool = true
    ) {
        file = source.name
        self.source = source
        self.value = value
        self.path = path
        self.renamed = renamed
        self.isJSON = isJSON
    }

    /// Reads a file: JSON where it begins with a brace, else TOML.
    package convenience init(_ source: Source, renamed: [String: String] = [:]) throws(MarketError) {
        if source.bytes.first(where: { $0 > 32 }) == UInt8(ascii: "{") {
            self.init(source, try Self.object(source), renamed: renamed)
        } else {
            var reader = TOMLReader(source)
            self.init(source, try reader.document(), renamed: renamed, isJSON: false)
        }
    }

    /// Reads a file that holds one JSON object.
    package convenience init(json source: Source) throws(MarketError) {
        self.init(source, try Self.object(source))
    }

    private static func object(_ source: Source) throws(MarketError) -> JSON {
        var reader = JSONReader(source)
        let values = try reader.values()
        guard let value = values.first else { throw .empty(file: source.name) }
        guard values.count == 1, case .object = value.content else {
            throw .invalidJSON(file: source.name, line: value.line, reason: "expected one object")
        }
        return value
    }

    // MARK: Values

    package func has(_ key: String) -> Bool { value[key].map { !$0.isNull } ?? false }

    /// The keys in the order in which they are written.
    package var keys: [String] {
        guard case .object(let members) = value.content else { return [] }
        return members.sorted { ($0.value.start, $0.key) < ($1.value.start, $1.key) }.map(\.key)
    }

    package func node(_ key: String) -> JSON? {
        asked.insert(key)
        return has(key) ? value[key] : nil
    }

    package func number(_ key: String, _ rule: NumberRule = .number) throws(MarketError) -> Double {
        guard let value = try optionalNumber(key, rule) else { throw missing(key) }
        return value
    }

    package func number(
        _ key: String, _ rule: NumberRule = .number, default value: Double
    ) throws(MarketError) -> Double {
        try optionalNumber(key, rule) ?? value
    }

    package func optionalNumber(
        _ key: String, _ rule: NumberRule = .number
    ) throws(MarketError) -> Double? {
        // A setting that is written has a value: a text such as "n/a" is none, and no default either.
        guard let node = node(key) else { return nil }
        return try number(node, key, rule)
    }

    /// A number of an array; `key` says its place, `band[2]`.
    package func number(_ node: JSON, _ key: String, _ rule: NumberRule) throws(MarketError) -> Double {
        guard let value = node.number else { throw failure(key, node, NumberRule.number.complaint) }
        guard rule.accepts(value) else { throw failure(key, node, rule.complaint) }
        return value
    }

    package func integer(
        _ key: String, _ range: ClosedRange<Int>, default value: Int? = nil
    ) throws(MarketError) -> Int {
        guard let node = node(key) else {
            if let value { return value }
            throw missing(key)
        }
        guard let whole = node.number.flatMap({ Int(exactly: $0) }), range.contains(whole) else {
            throw failure(
                key, node, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return whole
    }

    /// The numbers of an array; none where the key is not there.
    package func numbers(_ key: String, _ rule: NumberRule = .number) throws(MarketError) -> [Double] {
        try numbers(try array(key), key, rule)
    }

    package func numbers(
        _ array: [JSON], _ key: String, _ rule: NumberRule = .number
    ) throws(MarketError) -> [Double] {
        var numbers: [Double] = []
        for (index, element) in array.enumerated() {
            numbers.append(try number(element, "\(key)[\(index)]", rule))
        }
        return numbers
    }

    /// A number or an array of at least one.
    package func oneOrMore(_ key: String, _ rule: NumberRule = .number) throws(MarketError) -> [Double] {
        guard let node = node(key) else { throw missing(key) }
        guard let array = node.array else { return [try number(node, key, rule)] }
        guard !array.isEmpty else { throw failure(key, node, "must have at least one number") }
        return try numbers(array, key, rule)
    }

    /// What `make` makes of a number, or of each of an array of at least one; what it refuses is named by its place.
    package func oneOrMore<R>(
        _ key: String, _ make: (Double) throws -> R
    ) throws(MarketError) -> [(number: Double, made: R)] {
        let numbers = try oneOrMore(key)
        let array = value[key]?.array
        var result: [(number: Double, made: R)] = []
        for (index, number) in numbers.enumerated() {
            let place = array == nil ? key : "\(key)[\(index)]"
            result.append((number, try checked(place, of: array?[index] ?? value[key]) { try make(number) }))
        }
        return result
    }

    package func flag(_ key: String, default value: Bool) throws(MarketError) -> Bool {
        guard let node = node(key) else { return value }
        guard case .boolean(let flag) = node.content else {
            throw failure(key, node, "must be true or false")
        }
        return flag
    }

    package func text(_ key: String, default value: String? = nil) throws(MarketError) -> String {
        guard let text = try optionalText(key) ?? value else { throw missing(key) }
        return text
    }

    package func optionalText(_ key: String) throws(MarketError) -> String? {
        guard let node = node(key) else { return nil }
        guard let text = node.string else { throw failure(key, node, "must be a text") }
        return text
    }

    /// The texts of an array; none where the key is not there. A text alone is an array of one.
    package func texts(_ key: String) throws(MarketError) -> [String] {
        guard let node = node(key) else { return [] }
        guard let array = node.array else { return [try text(key)] }
        var texts: [String] = []
        for (index, element) in array.enumerated() {
            guard let text = element.string else {
                throw failure("\(key)[\(index)]", element, "must be a text")
            }
            texts.append(text)
        }
        return texts
    }

    /// One of a list of words.
    package func word<Word: RawRepresentable & CaseIterable>(
        _ key: String, default value: Word? = nil
    ) throws(MarketError) -> Word where Word.RawValue == String {
        guard let text = try optionalText(key) else {
            if let value { return value }
            throw missing(key)
        }
        guard let word = Word(rawValue: text) else {
            let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw failure(key, node(key), "must be one of \(known)")
        }
        return word
    }

    package func array(_ key: String) throws(MarketError) -> [JSON] {
        guard let node = node(key) else { return [] }
        guard let array = node.array else { throw failure(key, node, "must be an array") }
        return array
    }

    // MARK: Tables

    package func table(_ key: String) throws(MarketError) -> Settings? {
        guard let node = node(key) else { return nil }
        return try adopt(key, node)
    }

    package func required(_ key: String) throws(MarketError) -> Settings {
        guard let table = try table(key) else { throw missing(key) }
        return table
    }

    /// The tables of an array; none where the key is not there.
    package func tables(_ key: String) throws(MarketError) -> [Settings] {
        var tables: [Settings] = []
        for (index, element) in try array(key).enumerated() {
            tables.append(try adopt("\(key)[\(index)]", element))
        }
        return tables
    }

    private func adopt(_ key: String, _ node: JSON) throws(MarketError) -> Settings {
        guard case .object = node.content else {
            throw failure(key, node, "must be \(isJSON ? "an object" : "a table")")
        }
        let child = Settings(source, node, path: full(key), renamed: renamed, isJSON: isJSON)
        children.append(child)
        return child
    }

    // MARK: Keys that nobody asked for

    /// Refuses keys that nobody asked for, here and below.
    package func finish() throws(MarketError) {
        try refuseOthers(than: asked)
        try finishTables()
    }

    /// Refuses them below alone, so that misspelt keys are named before contradictions that follow from them.
    package func finishTables() throws(MarketError) {
        for child in children { try child.finish() }
    }

    /// Refuses all keys but these.
    package func refuseOthers(than known: Set<String>) throws(MarketError) {
        guard let key = keys.first(where: { !known.contains($0) }) else { return }
        throw unknown(key, near: Spelling.nearest(to: key, in: known.sorted()), known)
    }

    /// Counts keys as read: remarks, whatever they say.
    package func ignore(_ keys: String...) { asked.formUnion(keys) }

    // MARK: Errors

    /// Runs what makes something of the settings. If it refuses them, the error is about the key that it names, if this
    /// table has that one, else about `key`, else about the table.
    /// - Parameter part: what is written for `key`, which may be a place in an array, where that is all that `body`
    ///   makes something of: whatever name it has for it, `key` says it better.
    package func checked<R>(
        _ key: String = "", of part: JSON? = nil, _ body: () throws -> R
    ) throws(MarketError) -> R {
        do {
            return try body()
        } catch let error as MarketError {
            throw error
        } catch let error as any PoiseError {
            if has(error.field), part == nil || !key.hasPrefix(error.field) {
                throw failure(error.field, error.reason)
            }
            if let part { throw failure(key, part, error.reason) }
            throw failure(key, value[key], "\(error)")
        } catch {
            throw failure(key, value[key], "\(error)")
        }
    }

    package func failure(_ key: String, _ found: JSON?, _ reason: String) -> MarketError {
        .invalidSetting(
            .line(file: file, found?.line ?? value.line), key: full(key), value: found.map(shown) ?? "",
            reason: reason)
    }

    /// An error about a key that has been read.
    package func failure(_ key: String, _ reason: String) -> MarketError { failure(key, value[key], reason) }

    /// An error about a key that is not there: it may be there under an earlier name, or misspelt.
    package func missing(_ key: String, _ reason: String = "is missing") -> MarketError {
        let others = keys.filter { !asked.contains($0) }
        let now = renamedPath(key)
        if let old = others.first(where: { renamed[renamedPath($0)].map { now.hasSuffix($0) } ?? false }) {
            return unknown(old, near: nil)
        }
        if let other = Spelling.nearest(to: key, in: others) { return unknown(other, near: key) }
        return failure(key, nil, reason)
    }

    private func unknown(_ key: String, near: String?, _ known: Set<String> = []) -> MarketError {
        if let new = renamed[renamedPath(key)] { return failure(key, "is now \(new)") }
        let list = known.isEmpty ? "" : "; known are \(known.sorted().joined(separator: ", "))"
        return failure(key, "is unknown\(list)" + (near.map { "; is it \"\($0)\"?" } ?? ""))
    }

    private func full(_ key: String) -> String { path.isEmpty || key.isEmpty ? path + key : "\(path).\(key)" }

    private func renamedPath(_ key: String) -> String {
        var isInside = false
        return full(key).filter { letter in
            if letter == "[" { isInside = true }
            defer { if letter == "]" { isInside = false } }
            return !isInside
        }
    }

    /// As it is written, if it is short.
    private func shown(_ node: JSON) -> String {
        if case .object = node.content { return isJSON ? "{…}" : "a table" }
        guard node.end > node.start else { return "tables" }
        return String(decoding: source.bytes[node.start..<node.end].prefix(240), as: UTF8.self).clipped
    }
}
