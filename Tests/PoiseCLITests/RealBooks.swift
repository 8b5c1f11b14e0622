import Foundation
import Market
import TestSupport
import Testing

/// Twenty seeded books over all contracts of the real chains of BTC and ETH, whose two sweeps are two files.
struct RealBooks {
    let folder: URL
    let first, last, positions: String
    /// Two desks, of the odd and the even books.
    let desks: String

    /// Calls `body` with files that last as long.
    static func inFolder(_ body: (RealBooks) throws -> Void) throws {
        let paths = SharedData.chains.map(SharedData.path)
        try Poise.inFolder { folder in
            // The two files have the same columns in another order.
            var columns: [String] = []
            var sweeps: [[String: [String: String]]] = [[:], [:]]
            var names: [String] = []
            for path in paths {
                let rows = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(
                    fields)
                if columns.isEmpty { columns = rows[0] }
                let tickers = rows.dropFirst().map {
                    Dictionary(uniqueKeysWithValues: zip(rows[0], $0))
                }.sorted { ($0["timestamp"] ?? "") < ($1["timestamp"] ?? "") }
                for ticker in tickers {
                    let name = ticker["instrument_name"] ?? ""
                    if sweeps[0][name] == nil {
                        sweeps[0][name] = ticker
                        names.append(name)
                    } else {
                        sweeps[1][name] = ticker
                    }
                }
            }
            #expect(names.count == 986)
            var files: [String] = []
            for (number, sweep) in sweeps.enumerated() {
                let lines = names.map { name in
                    columns.map { quoted(sweep[name]?[$0] ?? "") }.joined(separator: ",")
                }
                let file = folder.appendingPathComponent("chain-\(number).csv")
                try Data(([columns.joined(separator: ",")] + lines).joined(separator: "\n").utf8).write(
                    to: file)
                files.append(file.path)
            }
            var random = SeededGenerator(seed: 20)
            var rows = "book,instrument,quantity\n"
            var desks = "book,desk\n"
            for book in 1...20 {
                let label = book < 10 ? "book-0\(book)" : "book-\(book)"
                desks += "\(label),\(book % 2 == 0 ? "west" : "east")\n"
                for name in names where Int.random(in: 0..<8, using: &random) == 0 {
                    rows += "\(label),\(name),\(Int.random(in: -50...50, using: &random))\n"
                }
                rows += "\(label),BTC-26MAR21,\(Int.random(in: -40...40, using: &random) * 5000)\n"
                rows += "\(label),ETH-PERPETUAL,\(Int.random(in: -40...40, using: &random) * 5000)\n"
            }
            let positions = folder.appendingPathComponent("positions.csv")
            try Data(rows.utf8).write(to: positions)
            let deskFile = folder.appendingPathComponent("desks.csv")
            try Data(desks.utf8).write(to: deskFile)
            try body(
                RealBooks(
                    folder: folder, first: files[0], last: files[1], positions: positions.path,
                    desks: deskFile.path))
        }
    }

    /// The rows of books add up to the last row, to 1e-12 of their size.
    static func checkTotals(_ rows: [[String]], columns isChecked: (String) -> Bool, _ label: String) {
        for (column, name) in rows[0].enumerated() where isChecked(name) {
            let parts = rows.dropFirst().dropLast().map { Double($0[column]) ?? .nan }
            let scale = parts.reduce(0) { $0 + abs($1) }
            let total = rows.last.flatMap { Double($0[column]) } ?? .nan
            #expect(abs(parts.reduce(0, +) - total) <= 1e-12 * scale, "\(label) \(name)")
        }
    }

    /// Fields of a line; quoted ones may hold commas.
    private static func fields(_ line: Substring) -> [String] {
        var fields = [""]
        var isQuoted = false
        for character in line {
            if character == "\"" {
                isQuoted.toggle()
            } else if character == ",", !isQuoted {
                fields.append("")
            } else {
                fields[fields.count - 1].append(character)
            }
        }
        return fields
    }

    private static func quoted(_ field: String) -> String { field.contains(",") ? "\"\(field)\"" : field }
}
