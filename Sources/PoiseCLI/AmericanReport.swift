import ArgumentParser
import Poise

extension AmericanLevel: ExpressibleByArgument {
    public init?(argument: String) {
        guard let level = Self.allCases.first(where: { $0.name == argument }) else { return nil }
        self = level
    }

    public static var allValueStrings: [String] { allCases.map(\.name) }
}

/// American options of a table with their Greeks.
struct AmericanReport {
    let batch: OptionBatch
    let greeks: AmericanGreeks

    /// Rows that are not priced are bad ones.
    init(_ table: inout OptionTable, _ engine: AmericanEngine, _ badRows: inout BadRows) throws {
        let all = try table.batch(&badRows)
        let status = engine.greeks(.price, of: all).status
        var refused: Set<Int> = []
        for row in 0..<all.count where status[row].isRefused {
            let isDouble = status[row] == .doubleBoundary
            try badRows.note(
                .invalidValue(
                    file: table.file, line: table.lines[row], column: isDouble ? "rate" : "vol",
                    value: isDouble ? "\(all.rate[row])" : "\(all.volatility[row])",
                    reason: isDouble
                        ? "has two exercise boundaries (of a put dividend < rate < 0, of a call rate < dividend < 0), "
                            + "which are not solved for" : Self.range))
            refused.insert(row)
        }
        table.remove(refused)
        try badRows.requireRows(table.count, of: table.file)
        batch = refused.isEmpty ? all : try table.batch(&badRows)
        greeks = engine.greeks(of: batch)
    }

    private static let range =
        "is beyond what American options are computed for: vol √years from \(AmericanDomain.leastDeviation.shown) to "
        + "\(AmericanDomain.largestDeviation.shown), rates times years to \(AmericanDomain.largestExponent.shown), and to "
        + "\(AmericanDomain.largestDrift.shown) times vol √years"

    /// What stands behind the inputs: Greeks, the boundary, and what was found.
    var columns: [Report<Int>.Column] {
        var columns = greeks.selection.greeks.compactMap { greek in
            greeks[greek].map { values in
                Report<Int>.Column(greek.name, style: .significant) { .number(values[$0]) }
            }
        }
        columns.append(
            Report<Int>.Column("boundary", style: .significant) {
                greeks.boundary[$0].isFinite ? .number(greeks.boundary[$0]) : .empty
            })
        columns.append(Report<Int>.Column("status", style: .significant) { .text("\(greeks.status[$0])") })
        return columns
    }
}
