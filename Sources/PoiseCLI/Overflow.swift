import Market
import Poise

/// Positions and trades, to name the one that makes a figure of a report too large.
struct Holdings {
    private var rows: [(file: String, line: Int, book: String, instrument: String, quantity: Double)] = []

    init(_ file: String, _ positions: [PositionTable.Position]) {
        rows = positions.map { (file, $0.line, $0.book, $0.instrument.name, $0.quantity) }
    }

    /// The legs of a table of options.
    init(_ table: OptionTable) {
        rows = table.quantities.indices.map { leg in
            let book = table.books.isEmpty ? "" : table.bookNames[Int(table.books[leg])]
            return (table.file, table.lines[leg], book, "row \(leg + 1)", table.quantities[leg])
        }
    }

    mutating func add(_ table: TradeTable) {
        rows += table.trades.map { (table.file, $0.line, $0.book, $0.instrument.name, $0.quantity) }
    }

    /// Runs a body; a figure that is no finite number is blamed on the largest quantity of its books.
    func explaining<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as ReportError {
            let rowsOfBook = rows.filter { error.labels.contains($0.book) }
            let largest = (rowsOfBook.isEmpty ? rows : rowsOfBook).max {
                $0.quantity.magnitude < $1.quantity.magnitude
            }
            // Smaller ones are not what overflows.
            guard let largest, largest.quantity.magnitude > 1e100 else { throw error }
            throw MarketError.invalidValue(
                file: largest.file, line: largest.line, column: "quantity", value: "\(largest.quantity)",
                reason: "is too large: book \"\(largest.book)\", \(largest.instrument): "
                    + "\(error.column) cannot be computed")
        }
    }
}
