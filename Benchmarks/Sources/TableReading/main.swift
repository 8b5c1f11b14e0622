import Foundation
import Poise
import SwiftCSV
import Timing

/// Reading a table of a million options: Poise's reader against well-kept parsers, same file, same run.
///
///     TableReading [ROWS]
///
/// Each contestant turns the file into columns of doubles. SwiftCSV gives text, which Swift's `Double`
/// converts. The Python ones (csv of its standard library, and pandas and pyarrow on one thread where they
/// are installed) time themselves. Left out: the disk, since the file is in the page cache.

let rows = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000
let folder = FileManager.default.temporaryDirectory.appendingPathComponent("poise-table-\(getpid())")
try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(at: folder) }

/// Short decimals as a person or an exchange writes them, or all digits of computed values.
func table(allDigits: Bool) -> String {
    var uniform = UniformNumbers()
    func number(_ low: Double, _ high: Double, _ decimals: Double) -> String {
        let value = low + (high - low) * uniform()
        return allDigits ? "\(value)" : "\((value * decimals).rounded() / decimals)"
    }
    var text = "type,spot,strike,years,vol,rate,dividend\n"
    for row in 0..<rows {
        text += row % 2 == 0 ? "C," : "P,"
        text += number(50_000, 70_000, 100) + "," + number(20_000, 120_000, 1) + ","
        text += number(0.01, 2, 1e6) + ","
        text += number(0.2, 1.5, 1e4) + "," + number(0, 0.05, 1e4) + "," + number(0, 0.03, 1e4) + "\n"
    }
    return text
}

let pythonReaders = [
    (
        "Python csv + float",
        """
        import csv
        def run():
            columns = [[] for _ in range(6)]
            with open(sys.argv[1], newline="") as file:
                rows = csv.reader(file)
                next(rows)
                for row in rows:
                    for column, field in zip(columns, row[1:]):
                        column.append(float(field))
        """
    ),
    (
        "pandas, C engine",
        """
        import pandas
        def run():
            pandas.read_csv(sys.argv[1], engine="c")
        """
    ),
    (
        "pyarrow, one thread",
        """
        import pyarrow.csv as c
        def run():
            c.read_csv(sys.argv[1], read_options=c.ReadOptions(use_threads=False))
        """
    ),
]

print("table of \(rows) options                             MB       ms    × Poise")
for allDigits in [false, true] {
    let text = table(allDigits: allDigits)
    let path = folder.appendingPathComponent("options.csv")
    try Data(text.utf8).write(to: path)
    var results: [(String, Double)] = []
    let medians = interleavedMedians(
        rounds: 7,
        [
            {
                var badRows = BadRows(skip: false)
                guard let source = try? Source(path: path.path),
                    let table = try? OptionTable(source, &badRows), table.count == rows
                else { fatalError("the table was not read") }
            },
            {
                guard
                    let csv = try? CSV<Enumerated>(string: String(contentsOf: path, encoding: .utf8)),
                    case let columns = (1...6).map({ column in csv.rows.compactMap { Double($0[column]) } }),
                    columns.allSatisfy({ $0.count == rows })
                else { fatalError("the table was not read") }
            },
        ])
    results.append(("Poise", medians[0]))
    results.append(("SwiftCSV + Double", medians[1]))
    for (name, body) in pythonReaders {
        if let peer = PythonPeer.measure(body, [path.path]) {
            results.append((name, peer.seconds))
        } else {
            print("skipped: \(name): cannot run here")
        }
    }
    for (name, seconds) in results {
        let label = (allDigits ? "all digits    " : "short decimals") + "  " + name
        print(
            label.padding(toLength: 42, withPad: " ", startingAt: 0)
                + String(
                    format: "%9.1f %9.1f %9.2f", Double(text.utf8.count) / 1e6, seconds * 1e3,
                    seconds / medians[0]))
    }
}
