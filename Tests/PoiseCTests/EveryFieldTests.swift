import CPoise
import Foundation
import TestSupport
import Testing

/// Every field of every struct of poise.h, by what it does to a known input. A field that has no row here or in
/// `HedgeFieldTests` fails `everyFieldHasARow`.
struct EveryFieldTests {
    /// Fields of one struct, and the observation that shows what they do: values by hand or by a formula written here.
    struct Row: CustomTestStringConvertible, Sendable {
        /// Without the prefix that all names have: `full_form`.
        let name: String
        let fields: [String]
        let observable: String
        let check: @Sendable () throws -> Void

        init(
            _ name: String, _ fields: String, _ observable: String,
            _ check: @escaping @Sendable () throws -> Void
        ) {
            self.name = name
            self.fields = fields.components(separatedBy: ", ")
            (self.observable, self.check) = (observable, check)
        }

        var testDescription: String { "poise_\(name) \(fields.joined(separator: ", ")): \(observable)" }
    }

    static let rows =
        FormRows.rows + ScenarioRows.rows + SourceRows.rows + BookFieldRows.rows + DeskRows.rows
        + LiveDeskRows.rows + LiveChoiceRows.rows + SurfaceRows.rows + MarginRows.rows + TailRiskRows.rows
        + ExplanationRows.rows

    @Test("A field does what its row of the table says", arguments: rows)
    func field(_ row: Row) throws { try row.check() }

    @Test("Every field of the header has a row, and no row is about a field that is not there")
    func everyFieldHasARow() throws {
        let path = SharedData.packageRoot.appendingPathComponent("CKernels/CPoise/include/poise.h")
        let header = try String(contentsOf: path, encoding: .utf8)
            .replacingOccurrences(of: "(?s)/\\*.*?\\*/", with: "", options: .regularExpression)
        var fields: Set<String> = []
        for part in header.components(separatedBy: "typedef struct ").dropFirst() {
            // A handle has no fields.
            guard let brace = part.firstIndex(of: "{"), let end = part.firstIndex(of: "}"),
                part.firstIndex(of: ";").map({ brace < $0 }) == true
            else { continue }
            let name = part[..<brace].trimmingCharacters(in: .whitespaces).replacing("poise_", with: "")
            for line in part[part.index(after: brace)..<end].components(separatedBy: ";") {
                for (place, item) in line.components(separatedBy: ",").enumerated() {
                    if let pointer = item.firstRange(of: "(*") {
                        fields.insert("\(name).\(item[pointer.upperBound...].prefix { $0 != ")" })")
                        continue
                    }
                    let words = item.prefix { $0 != "[" }.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
                    if let field = words.last, place > 0 || words.count > 1 {
                        fields.insert("\(name).\(field)")
                    }
                }
            }
        }
        #expect(fields.count > 100)
        var known = Set(Self.rows.flatMap { row in row.fields.map { "\(row.name).\($0)" } })
        known.formUnion(HedgeFieldTests.fieldNames)
        #expect(fields.subtracting(known).sorted() == [], "fields without a row")
        #expect(known.subtracting(fields).sorted() == [], "rows without a field")
    }
}

/// Whether a number is within a relative error of another.
func isNear(_ a: Double, _ b: Double, _ tolerance: Double = 1e-12) -> Bool {
    a == b || (a - b).magnitude <= tolerance * max(b.magnitude, 1e-3)
}

/// Black-Scholes-Merton, written anew.
func blackScholes(
    isPut: Bool = false, _ spot: Double, _ strike: Double, _ years: Double, _ volatility: Double,
    rate: Double = 0,
    dividend: Double = 0
) -> Double {
    let (forward, discount) = (spot * exp((rate - dividend) * years), exp(-rate * years))
    let deviation = volatility * years.squareRoot()
    let sign: Double = isPut ? -1 : 1
    guard deviation > 0 else { return discount * max(0, sign * (forward - strike)) }
    let d1 = log(forward / strike) / deviation + deviation / 2
    func normal(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }
    return discount * sign * (forward * normal(sign * d1) - strike * normal(sign * (d1 - deviation)))
}

/// Calls `body` with texts as NUL-terminated strings.
func withStrings<R>(_ texts: [String], _ body: (poise_texts) throws -> R) rethrows -> R {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return try copies.map { UnsafePointer($0) }.withUnsafeBufferPointer { strings in
        var given = poise_texts()
        given.strings = strings.baseAddress
        return try body(given)
    }
}
