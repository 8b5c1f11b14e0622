import Checks
import Foundation
import Greeks
import Market
import PoiseCLI
import Rebalancing
import Simulation
import Testing

/// Every key of a simulation's configuration, by what the simulation becomes by it. A key that has no row here fails
/// `everyKeyHasARow`, a word that no row writes `everyWordIsRead`.
struct EverySettingTests {
    struct Row: CustomTestStringConvertible, Sendable {
        /// Without indices: `venue.taker_fee`.
        let key: String
        /// Of the number, spelled out.
        let unit: String
        /// As TOML has it.
        let value: String
        let expected: Double
        /// What is observed without the key; nil where a configuration without it is refused.
        let standard: Double?
        /// Other keys that the key needs, or that are to have other values than usual; an empty value leaves a key out.
        let context: [String: String]
        let observe: @Sendable (SimulationSettings) throws -> Double

        init(
            _ key: String, _ unit: String, _ value: String, _ expected: Double, default standard: Double?,
            _ context: [String: String] = [:],
            _ observe: @escaping @Sendable (SimulationSettings) throws -> Double
        ) {
            (self.key, self.unit, self.value, self.expected) = (key, unit, value, expected)
            (self.standard, self.context, self.observe) = (standard, context, observe)
        }

        var testDescription: String { "\(key) = \(value) (\(unit))" }
        var keys: [String: String] { context.merging([key: value]) { $1 } }
        var table: String { key.split(separator: ".").dropLast().joined(separator: ".") }
        var name: String { key.split(separator: ".").last.map(String.init) ?? "" }
    }

    static let rows: [Row] = MarketRows.rows + BookRows.rows + VenueRows.rows + PolicyRows.rows

    @Test(
        "A setting makes of a simulation what its row of the table says, and is otherwise the default's",
        arguments: rows)
    func setting(_ row: Row) throws {
        func isNear(_ a: Double, _ b: Double) -> Bool {
            (a - b).magnitude <= 1e-12 * max(1, b.magnitude) || a == b
        }
        let observed = try row.observe(Self.read(row.keys))
        #expect(isNear(observed, row.expected), "\(observed), expected \(row.expected)")
        guard let standard = row.standard else {
            #expect(throws: MarketError.self) { try Self.read(row.context.merging([row.key: ""]) { $1 }) }
            return
        }
        let unset = try row.observe(Self.read(row.context.merging([row.key: ""]) { $1 }))
        #expect(isNear(unset, standard), "\(unset) by default, expected \(standard)")
        // A word may be the default's.
        #expect(!isNear(standard, row.expected) || row.value.hasPrefix("\""), "the row shows nothing")
    }

    /// The lists are the reader's own: it names the keys that it knows where it refuses another.
    @Test("Every key that a configuration may have has a row")
    func everyKeyHasARow() throws {
        let known = Set(Self.rows.map(\.key))
        let tables = Set(Self.tables.map(\.name))
        var missing: Set<String> = []
        for row in Self.rows {
            let reason = try Self.reason(row.keys.merging([row.table + ".qqqqqqq": "1"]) { $1 })
            let list = try #require(reason.components(separatedBy: "known are ").last)
            #expect(reason.contains("is unknown"), "\(row.testDescription): \(reason)")
            for name in list.components(separatedBy: ", ") {
                let key = row.table.isEmpty ? name : "\(row.table).\(name)"
                if !known.contains(key), !tables.contains(key) { missing.insert(key) }
            }
        }
        #expect(missing.sorted() == [])
    }

    @Test("Every word that a key may be is that of a row")
    func everyWordIsRead() throws {
        var written: [String: Set<String>] = [:]
        for row in Self.rows {
            for (key, value) in Self.base.merging(row.keys, uniquingKeysWith: { $1 })
            where value.hasPrefix("\"") {
                written[key, default: []].insert(value.filter { $0 != "\"" })
            }
        }
        var words = 0
        for row in Self.rows where row.value.hasPrefix("\"") {
            // Names may be any word.
            var reason = ""
            do { _ = try Self.read(row.keys.merging([row.key: "\"qqqqqqq\""]) { $1 }) } catch {
                reason = "\(error)"
            }
            guard let list = reason.components(separatedBy: "must be one of ").dropFirst().first else {
                continue
            }
            for word in list.components(separatedBy: ", ") {
                #expect(written[row.key]?.contains(word) == true, "\(row.key) = \(word) has no row")
                words += 1
            }
        }
        #expect(words > 100)
    }

    @Test("The unit that a key's name ends in is the one of its row")
    func units() {
        let units = [
            "usd": "USD", "coins": "coins", "hours": "hours", "minutes": "minutes", "seconds": "seconds",
            "per_year": "year", "per_usd": "USD", "per_coin": "coin", "usd_per_point": "USD per point",
            "usd_per_day": "USD per day", "usd_per_percent": "USD per percent", "contracts": "contracts",
            "coins_per_percent": "coins per percent", "per_8_hours": "8 hours", "days": "days",
            "steps": "steps",
        ]
        for row in Self.rows {
            for (end, unit) in units where row.name.hasSuffix("_" + end) || row.name == end {
                #expect(row.unit.contains(unit), "\(row.testDescription)")
            }
        }
    }

    // MARK: Configurations

    static let tables: [(name: String, isArray: Bool)] = [
        ("", false), ("market", false), ("market.regime", true), ("market.jumps", false), ("surface", false),
        ("book", false), ("book.option", true), ("hedge", false), ("hedge.option", true), ("margin", false),
        ("flow", false), ("limits", false), ("venue", true), ("policy", true),
    ]

    /// One day of hours, an option, a venue, a policy.
    static let base = [
        "days": "1", "step_minutes": "60", "market.model": "\"gbm\"", "market.spot_usd": "100",
        "market.volatility": "0.5", "book.option.type": "\"call\"", "book.option.moneyness": "1",
        "book.option.days": "7", "book.option.quantity": "-10", "hedge.instrument": "\"linear_perpetual\"",
        "venue.name": "\"exchange\"", "policy.kind": "\"clock\"", "policy.hours": "4",
    ]

    /// The base with other values; keys of a second table of an array are those of `market.regime+`.
    private static func text(_ keys: [String: String]) -> String {
        let all = base.merging(keys) { $1 }.filter { !$0.value.isEmpty }
        var text = ""
        for (table, isArray) in tables {
            for copy in isArray ? [table, table + "+"] : [table] {
                let own = all.filter {
                    $0.key.split(separator: ".").dropLast().joined(separator: ".") == copy
                }
                if !table.isEmpty, !own.isEmpty { text += isArray ? "[[\(table)]]\n" : "[\(table)]\n" }
                for (key, value) in own.sorted(by: { $0.key < $1.key }) {
                    text += "\(key.split(separator: ".").last ?? "") = \(value)\n"
                }
            }
        }
        return text
    }

    static func read(_ keys: [String: String]) throws -> SimulationSettings {
        try Poise.inFolder { folder in
            for (name, content) in files where keys.values.contains(where: { $0.contains(name) }) {
                try Data(content.utf8).write(to: folder.appendingPathComponent(name))
            }
            let file = folder.appendingPathComponent("run.toml")
            try Data(text(keys).utf8).write(to: file)
            return try SimulationSettings(
                file: file.path, engine: try GreeksEngine(), paths: nil, seed: nil, threads: 1)
        }
    }

    /// Why a configuration is refused.
    private static func reason(_ keys: [String: String]) throws -> String {
        let error = try #require(throws: MarketError.self) { _ = try read(keys) }
        return "\(error)"
    }

    /// Files that rows name. Candles are of an hour each.
    static let files = [
        "moving.csv": EveryOptionTests.Desk.candles(closes),
        "flat.csv": EveryOptionTests.Desk.candles([Double](repeating: 100, count: 60)),
        "gap.csv": "timestamp,open,high,low,close\n"
            + (0..<60).filter { $0 != 40 }.map { "\(firstCandle + $0 * 3_600_000),100,110,90,100\n" }.joined(),
        "pool.csv": "liquidity\n8000\n1000\n4000\n2000\n",
        "funding.csv": "venue,symbol,time_utc,funding_rate\n"
            + (0..<20).map { index in
                [("a", "x", 0.001), ("a", "y", 0.002), ("b", "x", 0.004)].map { venue, symbol, rate in
                    "\(venue),\(symbol),\(firstCandle + (index - 1) * 8 * 3_600_000),\(rate)\n"
                }.joined()
            }.joined(),
    ]
    /// When the candles of those files begin.
    static let firstCandle = 1_699_999_200_000
    static let closes = (0..<60).map { 100 + 3 * sin(Double($0)) }
}
