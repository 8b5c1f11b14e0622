import Foundation
import TestSupport
import Testing

/// `docs/simulation-keys.md` beside the sources of what reads a configuration.
struct SettingPageTests {
    @Test(
        "Every key that a simulation's readers ask for has a row in the page's table, and every row such a key"
    )
    func rows() throws {
        let (asked, written) = (try Self.asked(), try Self.written())
        #expect(asked.subtracting(written).sorted() == [])
        #expect(written.subtracting(asked).sorted() == [])
        #expect(asked.count > 100)
    }

    /// `venue.taker_fee`, of the top `days`.
    private static func name(_ table: String, _ key: Substring) -> String {
        table.isEmpty ? String(key) : "\(table).\(key)"
    }

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: SharedData.packageRoot.appendingPathComponent(path), encoding: .utf8)
    }

    // MARK: The page

    /// The first cells of the rows, each below a heading that names its table in brackets; one without is the top's.
    private static func written() throws -> Set<String> {
        var table = ""
        var keys: Set<String> = []
        for line in try text("docs/simulation-keys.md").split(separator: "\n") {
            if line.hasPrefix("#") {
                table = line.firstMatch(of: /\[\[?([\w.]+)\]/).map { String($0.1) } ?? ""
            } else if let row = line.firstMatch(of: /^\| `(\w+)` \|/) {
                keys.insert(name(table, row.1))
            }
        }
        return keys
    }

    // MARK: The sources

    /// The tables that a reader's `table` is, by the function that asks; other variables are called like theirs.
    private static let tables = [
        "market": ["market"], "pastMarket": ["market"], "restricted": ["market"], "surface": ["surface"],
        "book": ["book"], "contract": ["book.option", "hedge.option"], "hedgeOptions": ["hedge.option"],
        "instrument": ["hedge"], "funding": ["hedge"], "venues": ["venue"], "orderBook": ["venue"],
        "pool": ["venue"], "failures": ["venue"], "margin": ["margin"],
        "marginModel": ["margin"], "flow": ["flow"],
    ]
    private static let variables = [
        "root": "", "regime": "market.regime", "jumps": "market.jumps", "option": "book.option",
        "limits": "limits",
    ]

    private static func asked() throws -> Set<String> {
        var keys: Set<String> = []
        for path in try sources("Sources/PoiseCLI") where path.hasSuffix("Settings.swift") {
            var function = ""
            for match in try text(path).matches(of: call) {
                if let name = match.function { function = String(name) }
                guard let key = match.key ?? match.span else { continue }
                let variable = match.variable.map(String.init) ?? "table"
                let known = variable == "table" ? tables[function] : variables[variable].map { [$0] }
                let owners = try #require(
                    known, "\(variable) of \(function) in \(path) is no table known here")
                for owner in owners { keys.insert(name(owner, key)) }
            }
        }
        for path in try sources("Sources/Rebalancing") {
            for match in try text(path).matches(of: policyCall) {
                if let key = match.key ?? match.family ?? match.companion ?? match.width {
                    keys.insert(name("policy", key))
                }
            }
        }
        return keys
    }

    private static func sources(_ room: String) throws -> [String] {
        let folder = SharedData.packageRoot.appendingPathComponent(room).path
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { "\(room)/\($0)" }
    }

    /// A function of a type, or a question for a key: by the settings themselves, or by a reader's own function.
    nonisolated(unsafe) private static let call =
        /\n    (?:\w+ )*func (?<function>\w+)|(?<variable>\w+)\.(?:number|optionalNumber|integer|flag|text|optionalText|texts|word|oneOrMore|array)\(\s*"(?<key>\w+)"|(?:spans|time)\(table, "(?<span>\w+)"\)/

    /// A question by the settings, the key of a family, of a band beside the policy's, of a width.
    nonisolated(unsafe) private static let policyCall =
        /settings\.(?:number|optionalNumber|integer|flag|text|optionalText|texts|word|oneOrMore|array)\(\s*"(?<key>\w+)"|settings,\s*"(?<family>\w+)"|Companion\(key: "(?<companion>\w+)"|\("(?<width>\w+)", HalfWidth/
}
