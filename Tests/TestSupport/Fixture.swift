import Foundation

/// A fixture: comma-separated values with a header, fields by name.
public struct Fixture {
    public struct Row {
        let names: [String: Int]
        let fields: [Substring]

        public func text(_ name: String) -> String { names[name].map { String(fields[$0]) } ?? "" }
        public func callAsFunction(_ name: String) -> Double { Double(text(name)) ?? .nan }
        /// Numbers with spaces between them.
        public func list(_ name: String) -> [Double] {
            text(name).split(separator: " ").compactMap { Double($0) }
        }
    }

    public let rows: [Row]

    /// - Parameter file: beside the source file that asks, in `Fixtures`.
    public init(_ file: String, beside source: StaticString = #filePath) throws {
        let url = URL(fileURLWithPath: "\(source)").deletingLastPathComponent()
            .appendingPathComponent("Fixtures").appendingPathComponent(file)
        let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
        let names = Dictionary(
            uniqueKeysWithValues: lines[0].split(separator: ",").enumerated().map { (String($1), $0) })
        rows = lines.dropFirst().map { line in
            Row(names: names, fields: line.split(separator: ",", omittingEmptySubsequences: false))
        }
    }
}
