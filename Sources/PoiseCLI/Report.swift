import Checks
import Foundation
import Market

/// One value of a report.
enum Cell {
    case text(String)
    case number(Double)
    case whole(Int)
    case empty

    /// A number, or nothing.
    init(_ value: Double?) { self = value.map { .number($0) } ?? .empty }
}

/// The form of a column of numbers for people.
enum NumberStyle {
    /// Six significant digits each: for figures of very different size.
    case significant
    /// The same decimals in the whole column, enough for four digits of its largest figure.
    case aligned
}

/// A figure that is no finite number, and the row in which it would have stood.
struct ReportError: PoiseError {
    let labels: [String]
    let column: String
    let figure: Double
    /// Where what the row is of comes from, if one place is known.
    var source: Place?

    var place: Place? {
        if let source { return source }
        let row = labels.filter { !$0.isEmpty }.joined(separator: ", ")
        return row.isEmpty ? nil : .name(row)
    }
    var field: String { column }
    var value: String? { "\(figure)" }
    var reason: String { figure.isNaN ? "cannot be computed" : "too large to be computed" }
}

/// Rows of named values and totals of them, written as a table, as comma-separated values or as JSON.
struct Report<Row> {
    struct Column {
        /// The name for programs.
        let name: String
        /// Title and unit for people.
        let title: String
        let unit: String
        let style: NumberStyle
        let cell: (Row) -> Cell

        init(
            _ name: String, title: String? = nil, unit: String = "", style: NumberStyle = .aligned,
            _ cell: @escaping (Row) -> Cell
        ) {
            self.name = name
            self.title = title ?? name
            self.unit = unit
            self.style = style
            self.cell = cell
        }
    }

    let columns: [Column]
    let rows: [Row]
    var totals: [Row] = []
    /// Where a row comes from, for errors; nil where it has labels.
    var source: ((Row) -> Place)?

    /// A cell of a row.
    /// - Throws: `ReportError` where it is no finite number.
    private func cell(_ row: Row, _ column: Int) throws -> Cell {
        let cell = columns[column].cell(row)
        guard case .number(let value) = cell, !value.isFinite else { return cell }
        let labels = columns.prefix(column).compactMap {
            if case .text(let text) = $0.cell(row) { text } else { nil }
        }
        throw ReportError(
            labels: labels, column: columns[column].name, figure: value, source: source?(row))
    }

    /// The cells of a row.
    /// - Throws: `ReportError` where one is no finite number.
    private func cells(_ row: Row) throws -> [Cell] {
        try columns.indices.map { column in try cell(row, column) }
    }

    /// - Throws: `ReportError` at the first figure that is no finite number.
    func requireFinite() throws { for row in rows + totals { _ = try cells(row) } }

    /// With the columns that were asked for; with all where none of them is here.
    private func chosen(for output: Output) -> Report {
        guard let names = output.columnsAsked(of: columns.map(\.name)) else { return self }
        return Report(columns: columns.filter { names.contains($0.name) }, rows: rows, totals: totals)
    }

    /// A line per row. Totals are left out, so that what adds a column counts nothing twice.
    func writeCSV(to output: Output) throws { try chosen(for: output).writeRows(to: output) }

    private func writeRows(to output: Output) throws {
        try output.write(columns.map { Self.quoted($0.name) }.joined(separator: ",") + "\n")
        // One text, filled again for each row: a million rows cost a few allocations.
        var line = ""
        for row in rows {
            line.removeAll(keepingCapacity: true)
            for column in columns.indices {
                if column > 0 { line += "," }
                switch try cell(row, column) {
                case .text(let text): line += Self.quoted(text)
                case .number(let value): value.write(to: &line)
                case .whole(let value): line += "\(value)"
                case .empty: break
                }
            }
            line += "\n"
            try output.write(line)
        }
    }

    /// The rows as an array of objects, one a line; empty cells are null.
    func write(_ rows: [Row], to json: inout JSONWriter, _ output: Output) throws {
        try chosen(for: output).writeObjects(rows, to: &json, output)
    }

    private func writeObjects(_ rows: [Row], to json: inout JSONWriter, _ output: Output) throws {
        try json.array(lines: 2) { json in
            for row in rows {
                let cells = try cells(row)
                json.object { json in
                    for (column, cell) in zip(columns, cells) {
                        switch cell {
                        case .text(let text): json.member(column.name, text)
                        case .number(let value): json.member(column.name, value)
                        case .whole(let value): json.member(column.name, value)
                        case .empty: json.member(column.name, Double?.none)
                        }
                    }
                }
                if json.count > 1 << 16 { try output.write(&json) }
            }
        }
    }

    /// The members `rows` and `totals`, each on a line of its own.
    func writeMembers(to json: inout JSONWriter, _ output: Output) throws {
        json.line(1)
        try json.member("rows") { try write(rows, to: &$0, output) }
        json.line(1)
        try json.member("totals") { try write(totals, to: &$0, output) }
    }

    func write(as format: Format, to output: Output) throws {
        switch format {
        case .table: try writeTable(to: output)
        case .csv: try writeCSV(to: output)
        case .json: try output.writeJSON { try write(rows, to: &$0, output) }
        }
    }

    /// Aligned columns: text left, numbers right, totals behind a rule. On a terminal those that fit its width.
    func writeTable(to output: Output) throws { try chosen(for: output).writeAligned(to: output) }

    private func writeAligned(to output: Output) throws {
        let rows = try (rows + totals).map(cells)
        var widths: [Int] = []
        var isText: [Bool] = []
        var shown = rows.map { _ in [String]() }
        for (place, column) in columns.enumerated() {
            var decimals: Int?
            if column.style == .aligned {
                let largest = rows.reduce(0) { max($0, $1[place].magnitude) }
                decimals = largest == 0 ? 0 : max(0, min(8, 3 - Int(log10(largest).rounded(.down))))
            }
            var width = max(column.title.columns, column.unit.columns)
            var holdsText = false
            for (number, row) in rows.enumerated() {
                let text: String
                switch row[place] {
                case .text(let value):
                    text = value.printable()
                    holdsText = true
                case .number(let value):
                    text = decimals.map { value.grouped(decimals: $0) } ?? value.significant
                case .whole(let value): text = Double(value).grouped(decimals: 0)
                case .empty: text = ""
                }
                width = max(width, text.columns)
                shown[number].append(text)
            }
            widths.append(width)
            isText.append(holdsText)
        }
        let fitting = output.columns == .fitting ? Self.fitting(widths, in: output.width) : columns.count
        widths = Array(widths.prefix(fitting))
        func line(_ fields: [String]) -> String {
            var line = ""
            var pending = 0
            for (place, field) in fields.prefix(fitting).enumerated() {
                let padding = widths[place] - field.columns
                if place > 0 { pending += 2 }
                if !isText[place] { pending += padding }
                if !field.isEmpty {
                    for _ in 0..<pending { line += " " }
                    line += field
                    pending = 0
                }
                if isText[place] { pending += padding }
            }
            return line + "\n"
        }
        let (bold, dim, red, plain) =
            output.hasColours ? ("\u{1B}[1m", "\u{1B}[2m", "\u{1B}[31m", "\u{1B}[0m") : ("", "", "", "")
        try output.write(styled: bold + line(columns.map(\.title)) + plain)
        if columns.contains(where: { !$0.unit.isEmpty }) {
            try output.write(styled: dim + line(columns.map(\.unit)) + plain)
        }
        let rule = String(repeating: "─", count: widths.reduce(0, +) + 2 * (widths.count - 1)) + "\n"
        try output.write(styled: dim + rule + plain)
        for (number, fields) in shown.enumerated() {
            if number == self.rows.count, number > 0 { try output.write(styled: dim + rule + plain) }
            var text = line(fields)
            if output.hasColours { text = text.colouringNegatives(red, plain) }
            try output.write(styled: text)
        }
        if fitting < columns.count {
            let left = columns[fitting...].map(\.name).joined(separator: ",")
            try output.write(
                styled: dim + "not shown for lack of room (--columns all, or their names): \(left)\n" + plain)
        }
    }

    /// How many columns of these widths stand in a line; the first in any case.
    private static func fitting(_ widths: [Int], in room: Int?) -> Int {
        guard let room else { return widths.count }
        var (count, used) = (0, -2)
        for width in widths {
            used += 2 + width
            if used > room, count > 0 { break }
            count += 1
        }
        return count
    }

    private static func quoted(_ text: String) -> String {
        let needsQuotes = text.utf8.contains { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }
        guard needsQuotes || text.contains(where: \.isNewline) else { return text }
        return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
}

extension Cell {
    fileprivate var magnitude: Double {
        switch self {
        case .number(let value): value.magnitude
        case .whole(let value): Double(value.magnitude)
        case .text, .empty: 0
        }
    }
}

extension Double {
    /// Fixed decimals, thousands separated by commas: `-1,234.50`.
    func grouped(decimals: Int) -> String {
        let digits = String(format: "%.\(decimals)f", abs(self))
        let parts = digits.split(separator: ".", maxSplits: 1)
        var whole = ""
        for (index, digit) in parts[0].enumerated() {
            if index > 0, (parts[0].count - index) % 3 == 0 { whole += "," }
            whole.append(digit)
        }
        let isZero = !digits.contains { $0 != "0" && $0 != "." }
        return (self < 0 && !isZero ? "-" : "") + whole + (parts.count > 1 ? "." + parts[1] : "")
    }

    /// As few digits as say it, up to four: `0.6`, `24`, `3e-7`.
    var short: String {
        let text = String(format: "%.4g", self)
        guard let mark = text.firstIndex(of: "e") else { return text }
        return String(text[..<mark]) + "e" + (Int(text[text.index(after: mark)...]).map(String.init) ?? "")
    }

    /// Six significant digits, thousands separated; powers of ten for very small and very large figures.
    var significant: String {
        guard self != 0, isFinite else { return self == 0 ? "0" : "\(self)" }
        let exponent = Int(log10(abs(self)).rounded(.down))
        guard (-5...11).contains(exponent) else { return String(format: "%.5e", self) }
        return grouped(decimals: Swift.max(0, 5 - exponent))
    }
}

extension [String] {
    /// The names, each once: those that have been seen get `#2`, `#3` and so on.
    func distinct(separator: String = "#") -> [String] {
        var used: Set<String> = []
        var last: [String: Int] = [:]
        return map { name in
            var unique = name
            while !used.insert(unique).inserted {
                last[name, default: 1] += 1
                unique = "\(name)\(separator)\(last[name] ?? 0)"
            }
            return unique
        }
    }
}

extension String {
    /// The columns of a terminal that it takes.
    fileprivate var columns: Int {
        var count = 0
        for byte in utf8 {
            // What is more than letters of one byte may join to one character.
            if byte >= 0x80 { return self.count }
            count += 1
        }
        return count
    }

    /// Numbers that start with a minus sign in another colour.
    fileprivate func colouringNegatives(_ colour: String, _ plain: String) -> String {
        split(separator: " ", omittingEmptySubsequences: false).map { field in
            let digits = field.dropFirst().first?.isNumber ?? false
            return field.hasPrefix("-") && digits ? colour + field + plain : String(field)
        }.joined(separator: " ")
    }
}
