/// An error as data: where, which field, which value, and why. Hosts build sentences of their own from the parts;
/// `description` is one for people at a terminal.
public protocol PoiseError: Error, Sendable, CustomStringConvertible {
    /// Why, without place, field and value: "must be above 0 and finite".
    var reason: String { get }
    /// Where; nil where the error is about the call as a whole.
    var place: Place? { get }
    /// The column, key, parameter or argument; "" where there is none.
    var field: String { get }
    /// The refused value, as it was written; nil where there is no value.
    var value: String? { get }
    /// The row of the same columns, from 0, that the value contradicts; nil where it is wrong by itself.
    var earlierRow: Int? { get }
    /// Exit status of a command that meets it.
    var exitStatus: ExitStatus { get }
}

extension PoiseError {
    public var place: Place? { nil }
    public var field: String { "" }
    public var value: String? { nil }
    public var earlierRow: Int? { nil }
    public var exitStatus: ExitStatus { .badInput }

    /// `value` as a number; NaN where it is not a number.
    public var number: Double { value.flatMap { Double($0) } ?? .nan }

    /// `place: field: value: reason (earlier row)`, without the parts that are not there; texts in quotes.
    package var sentence: String {
        let value = value.map { Double($0) == nil ? "\"\($0.clipped)\"" : $0 }
        let parts = [place.map { "\($0)" }, field.isEmpty ? nil : field, value, reason].compactMap { $0 }
        return parts.joined(separator: ": ") + (earlierRow.map { " (row \($0))" } ?? "")
    }

    public var description: String { sentence }
}

extension String {
    /// At most 60 characters, control characters made visible: fit for an error message.
    package var clipped: String {
        let shown = unicodeScalars.prefix(60).map {
            $0.value < 32 || $0.value == 127 ? "\\u{\(String($0.value, radix: 16))}" : String($0)
        }
        return shown.joined() + (unicodeScalars.dropFirst(60).isEmpty ? "" : "…")
    }
}

/// The place of an error.
public enum Place: Sendable, Equatable, CustomStringConvertible {
    case file(String)
    /// A line of a file or text, from 1, the header included.
    case line(file: String, Int)
    /// A row of columns in memory, from 0. `table` tells apart the tables of one call: "positions"; "" for the only one.
    case row(Int, table: String = "")
    /// A contract, book, instrument, policy or model.
    case name(String)

    /// The line, from 1, or the row, from 0.
    public var index: Int? {
        switch self {
        case .line(_, let index), .row(let index, _): index
        case .file, .name: nil
        }
    }

    public var description: String {
        switch self {
        case .file(let name), .name(let name): name
        case .line(let file, let line): "\(file):\(line)"
        case .row(let row, let table): table.isEmpty ? "row \(row)" : "\(table): row \(row)"
        }
    }
}

/// Exit status of a command.
public enum ExitStatus: Int32, Sendable, CaseIterable {
    case done = 0
    /// A file, number or setting that is not accepted, or a file that cannot be read or written.
    case badInput = 1
    /// Arguments that make no command.
    case usage = 2
    /// A hedge problem without a solution.
    case infeasible = 3
    /// An answer that could not be proved.
    case uncertified = 4
    /// A limit that is breached, where that was to be told.
    case breach = 5
}
