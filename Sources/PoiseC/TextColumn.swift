import CPoise
import Poise

/// Texts to read, in either form.
struct TextColumn {
    private let texts: poise_texts
    private let name: StaticString

    /// - Throws: where there are none.
    init(_ texts: poise_texts, _ name: StaticString) throws(Failure) {
        guard texts.strings != nil || texts.offsets32 != nil || texts.offsets64 != nil else {
            throw .null(name)
        }
        self.texts = texts
        self.name = name
        if let strings = texts.strings { try checkAlignment(UnsafeRawPointer(strings), 8, name) }
        if let offsets = texts.offsets32 { try checkAlignment(UnsafeRawPointer(offsets), 4, name) }
        if let offsets = texts.offsets64 { try checkAlignment(UnsafeRawPointer(offsets), 8, name) }
    }

    /// Nil where there are none.
    init?(optional texts: poise_texts, _ name: StaticString) throws(Failure) {
        guard texts.strings != nil || texts.offsets32 != nil || texts.offsets64 != nil else { return nil }
        try self.init(texts, name)
    }

    /// The text of a row.
    func text(_ row: Int) throws(Failure) -> String {
        if let strings = texts.strings {
            guard let string = strings[row] else { throw invalid(row, "is NULL") }
            guard let text = String(validatingCString: string) else { throw invalid(row, "is no UTF-8") }
            return text
        }
        let start = texts.offsets32.map { Int($0[row]) } ?? texts.offsets64.map { Int($0[row]) } ?? 0
        let end = texts.offsets32.map { Int($0[row + 1]) } ?? texts.offsets64.map { Int($0[row + 1]) } ?? 0
        guard start >= 0, end >= start else {
            throw invalid(row, "offsets \(start) and \(end) do not ascend")
        }
        guard end > start else { return "" }
        guard let bytes = texts.bytes else { throw .null(name) }
        let text = UnsafeRawBufferPointer(start: bytes + start, count: end - start)
        guard let valid = String(validating: text, as: UTF8.self) else { throw invalid(row, "is no UTF-8") }
        // A name would end there for whoever reads it as a C string.
        guard !text.contains(0) else { throw invalid(row, "has a NUL in it") }
        return valid
    }

    private func invalid(_ row: Int, _ reason: String) -> Failure {
        .value(row: row, "\(name)", "", reason)
    }
}

/// C strings that live as long as this does.
final class CStrings: @unchecked Sendable {
    private var strings: [UnsafeMutablePointer<CChar>] = []

    init(_ names: some Sequence<String>) { append(names) }

    /// More of them, behind those that are there; to be called before others read.
    func append(_ names: some Sequence<String>) {
        for name in names {
            let bytes = Array(name.utf8CString)
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
            copy.initialize(from: bytes, count: bytes.count)
            strings.append(copy)
        }
    }

    deinit { for string in strings { string.deallocate() } }

    var count: Int { strings.count }

    /// Nil beyond the last.
    subscript(index: Int) -> UnsafePointer<CChar>? {
        strings.indices.contains(index) ? UnsafePointer(strings[index]) : nil
    }
}

extension [CStrings] {
    /// The label of a group by a grouping; nil where there is no such group or grouping.
    func text(_ group: Int, _ grouping: Int) -> UnsafePointer<CChar>? {
        indices.contains(group) ? self[group][grouping] : nil
    }
}

/// A C string that must be there.
func text(_ string: UnsafePointer<CChar>?, _ name: StaticString) throws(Failure) -> String {
    guard let string else { throw .null(name) }
    guard let text = String(validatingCString: string) else { throw .argument("\(name)", "is no UTF-8") }
    return text
}

extension Source {
    /// A text of the caller's.
    init(
        _ start: UnsafePointer<CChar>?, _ length: Int, _ name: UnsafePointer<CChar>?, default standard: String
    ) throws(Failure) {
        guard length >= 0 else { throw .count("length", "\(UInt(bitPattern: length)) bytes") }
        guard start != nil || length == 0 else { throw .null("text") }
        let shown = name == nil ? standard : try text(name, "name")
        self.init(name: shown, bytes: Array(UnsafeRawBufferPointer(start: start, count: length)))
    }

    /// A file of that name, never standard input.
    init(reading path: UnsafePointer<CChar>?) throws(Failure) {
        let path = try text(path, "path")
        do throws(MarketError) {
            try self.init(path: path == "-" ? "./-" : path)
        } catch {
            throw Failure(error)
        }
    }
}

extension Source {
    /// The file or text that a caller names.
    init(_ source: poise_source, _ name: StaticString) throws(Failure) {
        try checkSize(source.size, of: poise_source.self, name)
        if source.path != nil {
            try self.init(reading: source.path)
        } else {
            try self.init(source.text, source.length, source.name, default: "text")
        }
        let named = source.exchange == nil ? "" : try text(source.exchange, "exchange")
        guard !named.isEmpty else { return }
        exchange = Exchanges.named(named)
        guard exchange != nil else {
            let known = Exchanges.all.map { $0.name }.joined(separator: ", ")
            throw .argument("exchange", "\"\(named.clipped)\" is none of \(known)")
        }
    }
}

/// Runs a call that makes an object of a text.
func make(
    _ handle: UnsafeMutablePointer<OpaquePointer?>?, _ kind: StaticString, _ text: UnsafePointer<CChar>?,
    _ length: Int, _ name: UnsafePointer<CChar>?,
    _ body: (Source, inout BadRows) throws(MarketError) -> some AnyObject
) -> poise_status {
    make(handle, kind) { () throws(Failure) in
        let source = try Source(text, length, name, default: "\(kind)")
        return try reading { badRows throws(MarketError) in try body(source, &badRows) }
    }
}

/// Runs a call that makes an object of a file.
func make(
    _ handle: UnsafeMutablePointer<OpaquePointer?>?, _ kind: StaticString, _ path: UnsafePointer<CChar>?,
    _ body: (Source, inout BadRows) throws(MarketError) -> some AnyObject
) -> poise_status {
    make(handle, kind) { () throws(Failure) in
        let source = try Source(reading: path)
        return try reading { badRows throws(MarketError) in try body(source, &badRows) }
    }
}

/// Makes something of market data, which is strict: no row is left out.
func reading<T>(_ body: (inout BadRows) throws(MarketError) -> T) throws(Failure) -> T {
    var badRows = BadRows(skip: false)
    return try failing { () throws(MarketError) in try body(&badRows) }
}
