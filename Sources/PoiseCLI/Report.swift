import Foundation
import Market

/// One value of a report.
enum Cell {
    case text(String)
    case number(Double)
    case empty
}

/// How a column of numbers is shown to people.
enum NumberStyle {
    /// Six significant digits each: for figures of very different size.
    case significant
    /// The same decimals in the whole column, enough for four digits of its largest figure.
    case aligned
}

/// Rows of named values, written as a table, as comma-separated values or as JSON.
struct Report {
    struct Column {
        /// The name for programs.
        let name: String
        /// Title and unit for people.
        var title: String
        var unit = ""
        var style = NumberStyle.aligned

        init(_ name: String, title: String? = nil, unit: String = "", style: NumberStyle = .aligned) {
            self.name = name
            self.title = title ?? name
            self.unit = unit
            self.style = style
        }
    }

    let columns: [Column]
    let rowCount: Int
    /// How many of the rows, the last ones, are totals.
    var totalCount = 0
    let cell: (_ row: Int, _ column: Int) -> Cell

    func writeCSV(to output: Output) throws {
        try output.write(columns.map { Self.quoted($0.name) }.joined(separator: ",") + "\n")
        for row in 0..<rowCount {
            var line = ""
            for column in columns.indices {
                if column > 0 { line += "," }
                switch cell(row, column) {
                case .text(let text): line += Self.quoted(text)
                case .number(let value): line += "\(value)"
                case .empty: break
                }
            }
            try output.write(line + "\n")
        }
    }

    /// An array of objects, one a line; empty cells are null.
    func writeJSON(rows: Range<Int>, to output: Output) throws {
        try output.write("[")
        for row in rows {
            var line = row == rows.lowerBound ? "\n  {" : ",\n  {"
            for column in columns.indices {
                if column > 0 { line += ", " }
                line += "\(JSON.quoted(columns[column].name)): "
                switch cell(row, column) {
                case .text(let text): line += JSON.quoted(text)
                case .number(let value): line += "\(value)"
                case .empty: line += "null"
                }
            }
            try output.write(line + "}")
        }
        try output.write(rows.isEmpty ? "]" : "\n]")
    }

    /// Aligned columns: text left, numbers right, totals behind a rule.
    func writeTable(to output: Output) throws {
        let decimals = columns.indices.map { column -> Int? in
            guard columns[column].style == .aligned else { return nil }
            var largest = 0.0
            for row in 0..<rowCount {
                if case .number(let value) = cell(row, column) { largest = max(largest, abs(value)) }
            }
            return largest == 0 ? 0 : max(0, min(8, 3 - Int(log10(largest).rounded(.down))))
        }
        func shown(_ row: Int, _ column: Int) -> String {
            switch cell(row, column) {
            case .text(let text): text
            case .number(let value): decimals[column].map { value.grouped(decimals: $0) } ?? value.significant
            case .empty: ""
            }
        }
        var widths = columns.map { max($0.title.count, $0.unit.count) }
        var isText = columns.map { _ in false }
        for row in 0..<rowCount {
            for column in columns.indices {
                widths[column] = max(widths[column], shown(row, column).count)
                if case .text = cell(row, column) { isText[column] = true }
            }
        }
        func line(_ fields: [String]) -> String {
            var line = ""
            for (column, field) in fields.enumerated() {
                let padding = String(repeating: " ", count: max(0, widths[column] - field.count))
                if column > 0 { line += "  " }
                line += isText[column] ? field + padding : padding + field
            }
            return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
        }
        let (bold, dim, red, plain) =
            output.isTerminal ? ("\u{1B}[1m", "\u{1B}[2m", "\u{1B}[31m", "\u{1B}[0m") : ("", "", "", "")
        try output.write(bold + line(columns.map(\.title)) + plain)
        if columns.contains(where: { !$0.unit.isEmpty }) {
            try output.write(dim + line(columns.map(\.unit)) + plain)
        }
        let rule = String(repeating: "─", count: widths.reduce(0, +) + 2 * (widths.count - 1)) + "\n"
        try output.write(dim + rule + plain)
        for row in 0..<rowCount {
            if row == rowCount - totalCount, totalCount > 0, row > 0 { try output.write(dim + rule + plain) }
            var text = line(columns.indices.map { shown(row, $0) })
            if output.isTerminal { text = text.colouringNegatives(red, plain) }
            try output.write(text)
        }
    }

    private static func quoted(_ text: String) -> String {
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
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

extension String {
    /// Numbers that start with a minus sign in another colour.
    fileprivate func colouringNegatives(_ colour: String, _ plain: String) -> String {
        split(separator: " ", omittingEmptySubsequences: false).map { field in
            let digits = field.dropFirst().first?.isNumber ?? false
            return field.hasPrefix("-") && digits ? colour + field + plain : String(field)
        }.joined(separator: " ")
    }
}
