import Foundation
import Greeks
import TestSupport

/// A table of options with their Greeks from arithmetic of many digits.
struct Reference {
    let name: String
    let batch: OptionBatch
    /// One column per Greek.
    let expected: [Greek: [Double]]

    init(name: String, path: String, model: OptionModel = .blackScholesMerton) throws {
        self.name = name
        var columns: [String: [Double]] = [:]
        var types: [UInt8] = []
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(whereSeparator: \.isNewline)
        let header = lines[0].split(separator: ",").map(String.init)
        for line in lines.dropFirst() {
            for (name, field) in zip(header, line.split(separator: ",", omittingEmptySubsequences: false)) {
                if name == "type" {
                    types.append(field == "P" ? 1 : 0)
                } else {
                    columns[name, default: []].append(Double(field) ?? .nan)
                }
            }
        }
        func column(_ name: String) -> [Double] { columns[name] ?? [] }
        batch = try OptionBatch(
            type: types, spot: column("spot"), strike: column("strike"), years: column("years"),
            volatility: column("vol"), rate: column("rate"), dividend: column("dividend"), model: model)
        expected = Dictionary(uniqueKeysWithValues: Greek.allCases.map { ($0, column($0.name)) })
    }

    /// The project's own table (`scripts/generate-reference`) and, where it is there, the large shared one.
    static func all() throws -> [Reference] {
        let own = SharedData.packageRoot.appendingPathComponent("Tests/GreeksTests/Fixtures/european.csv")
        var references = [try Reference(name: "160 rows", path: own.path)]
        let large = "reference/european.csv"
        if SharedData.has([large]) {
            references.append(try Reference(name: "2,500 rows", path: SharedData.path(large)))
        }
        return references
    }
}

/// Sorted relative errors.
struct ErrorSummary {
    let median, p99, worst: Double
    let worstRow: Int

    init(_ calculated: some Collection<Double>, against expected: [Double]) {
        let errors = zip(calculated, expected).enumerated().map { row, pair -> (Double, Int) in
            let (value, truth) = pair
            let error = truth == value ? 0 : abs(value - truth) / max(abs(truth), .leastNormalMagnitude)
            return (error.isNaN ? .infinity : error, row)
        }.sorted { $0.0 < $1.0 }
        median = errors[errors.count / 2].0
        p99 = errors[min(errors.count - 1, errors.count * 99 / 100)].0
        worst = errors[errors.count - 1].0
        worstRow = errors[errors.count - 1].1
    }
}
