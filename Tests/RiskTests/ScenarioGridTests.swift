import Foundation
import Poise
import TestSupport
import Testing

/// Grids in files, and an exchange's own losses.
struct ScenarioGridTests {
    static func grid(_ text: String) throws -> ScenarioGrid {
        try ScenarioGrid(Source(name: "grid.json", text: text))
    }

    @Test("Lists in a grid's file become all their combinations, in order")
    func combinations() throws {
        let grid = try Self.grid(
            """
            {"name": "g", "vol_rules": {"up": {"relative": 0.5}, "down": {"relative": -0.2}},
             "scenarios": [{"spot": [-0.1, 0.1], "vol": ["down", "up"], "days": [0, 2]},
                           {"spot": 3, "dampening": 0.25, "sticky": "delta"}]}
            """)
        #expect(grid.count == 9 && grid.ruleNames == ["up", "down", "same"])
        #expect(grid.scenarios.map(\.spot) == [-0.1, 0.1, -0.1, 0.1, -0.1, 0.1, -0.1, 0.1, 3])
        #expect(grid.scenarios.map(\.rule) == [1, 1, 0, 0, 1, 1, 0, 0, 2])
        #expect(grid.scenarios.map(\.days) == [0, 0, 0, 0, 2, 2, 2, 2, 0])
        #expect(grid.scenarios[8].dampening == 0.25 && grid.scenarios[8].stickiness == .delta)
        #expect(grid.title(4) == "-10%, vol down, 2 days")
        #expect(grid.title(8) == "+300%, vol same, sticky delta")
        #expect(!grid.isByExpiry && grid.needsSmiles)
    }

    @Test(
        "What is wrong with a grid is named, with its line and value",
        arguments: [
            ("{\"scenarios\": []}", "there is none"), ("[]", "expected one object"), ("", "is empty"),
            ("{\"scenarios\": [{\"spot\": -1}]}", "scenarios[0].spot\": value -1"),
            ("{\"scenarios\": [{\"spot\": \"x\"}]}", "must be a number"),
            ("{\"scenarios\": [{\"spt\": 1}]}", "scenarios[0].spt\": value 1: is unknown"),
            ("{\"scenarios\": [{\"vol\": \"up\"}]}", "is no rule of vol_rules (same)"),
            ("{\"scenarios\": [{\"vol\": []}]}", "not 0.0"),
            ("{\"scenarios\": [{\"sticky\": \"glue\"}]}", "must be one of strike, moneyness, delta"),
            (
                "{\"scenarios\": [{\"days\": [0, -2]}]}",
                "\"scenarios[0].days[1]\": value -2: must be from 0 to 1000000"
            ),
            ("{\"vol_rules\": {\"a\": {\"relative\": 1e9}}, \"scenarios\": [{}]}", "vol_rules.a.relative"),
            ("{\"vol_rules\": {\"a\": 3}, \"scenarios\": [{}]}", "must be an object"),
            (
                "{\"vol_rules\": {\"a\": {\"wing\": {\"kind\": \"left\"}}}, \"scenarios\": [{}]}",
                "must be one of linear, absolute"
            ),
            (
                "{\"vol_rules\": {\"a\": {\"smile\": {\"level\": 11}}}, \"scenarios\": [{}]}",
                "vol_rules.a.smile.level\": value 11: must be from -10 to 10"
            ),
            (
                "{\"vol_rules\": {\"a\": {\"smile\": {\"wings\": 1}}}, \"scenarios\": [{}]}",
                "smile.wings\": value 1: is unknown"
            ),
            (
                "{\"vol_rules\": {\"a\": {\"smile\": {\"skew\": {\"days\": [7, 7], \"values\": [0, 1]}}}}, \"scenarios\": [{}]}",
                "skew.days[1]\": value 7: days must ascend"
            ),
            (
                "{\"vol_rules\": {\"a\": {\"smile\": {\"least\": {\"days\": [7], \"values\": [0, 1]}}}}, \"scenarios\": [{}]}",
                "must be as many as days"
            ),
            (
                "{\"vol_rules\": {\"a\": {\"spot_betas\": \"past\"}}, \"scenarios\": [{}]}",
                "must be \"history\", or an object with down and up"
            ),
            (
                "{\"vol_rules\": {\"a\": {\"spot_betas\": {\"down\": 1}}}, \"scenarios\": [{}]}",
                "spot_betas.up"
            ),
            ("{\"expiry_haircut\": {\"long\": -1}, \"scenarios\": [{}]}", "expiry_haircut.long"),
            ("{\"scenarios\": [{}],\n \"scenario\": 1}", "grid.json:2"),
        ])
    func refusals(_ text: String, _ message: String) {
        do {
            _ = try Self.grid(text)
            Issue.record("accepted: \(text)")
        } catch {
            #expect("\(error)".contains(message), "\(error)")
        }
    }

    @Test("What is left out of a grid's file changes nothing, field by field")
    func leftOut() throws {
        let still = ExpiryHaircut(
            long: 1, longRateMultiple: 0, longAddedRate: 0, short: 1, shortRateMultiple: 0, shortAddedRate: 0)
        func haircut(_ fields: String) throws -> ExpiryHaircut? {
            try Self.grid("{\"expiry_haircut\": {\(fields)}, \"scenarios\": [{}]}").haircut
        }
        #expect(try haircut("") == still)
        #expect(try Self.grid("{\"scenarios\": [{}]}").haircut == nil)
        let fields: [(String, WritableKeyPath<ExpiryHaircut, Double>)] = [
            ("long", \.long), ("long_rate_multiple", \.longRateMultiple),
            ("long_added_rate", \.longAddedRate),
            ("short", \.short), ("short_rate_multiple", \.shortRateMultiple),
            ("short_added_rate", \.shortAddedRate),
        ]
        for (name, path) in fields {
            var expected = still
            expected[keyPath: path] = 0.25
            #expect(try haircut("\"\(name)\": 0.25") == expected, "\(name)")
        }

        typealias Rule = ScenarioGrid.VolatilityRule
        func rule(_ fields: String) throws -> Rule? {
            try Self.grid("{\"vol_rules\": {\"r\": {\(fields)}}, \"scenarios\": [{}]}").rules.first
        }
        #expect(try rule("") == Rule())
        let numbers: [(String, WritableKeyPath<Rule, Double>)] = [
            ("relative", \.relative), ("parallel", \.parallel), ("skew", \.skew),
            ("short_term_power", \.shortTermPower), ("long_term_power", \.longTermPower),
            ("least_days", \.leastDays), ("least_vol", \.leastVolatility),
        ]
        for (name, path) in numbers {
            var expected = Rule()
            expected[keyPath: path] = 0.25
            #expect(try rule("\"\(name)\": 0.25") == expected, "\(name)")
        }
        func wing(_ fields: String) throws -> ScenarioGrid.Wing? {
            try rule("\"wing\": {\"cap\": 0.5\(fields)}")?.wing
        }
        var least = ScenarioGrid.Wing()
        least.cap = 0.5
        #expect(try wing("") == least && !least.isAbsolute)
        let widths: [(String, WritableKeyPath<ScenarioGrid.Wing, Double>)] = [
            ("cap_per_root_year", \.capPerRootYear), ("width_per_root_year", \.widthPerRootYear),
            ("width_per_year", \.widthPerYear), ("least_width", \.leastWidth),
        ]
        for (name, path) in widths {
            var expected = least
            expected[keyPath: path] = 0.25
            #expect(try wing(", \"\(name)\": 0.25") == expected, "\(name)")
        }

        typealias Scenario = ScenarioGrid.Scenario
        func scenario(_ fields: String) throws -> Scenario {
            try #require(try Self.grid("{\"scenarios\": [{\(fields)}]}").scenarios.first)
        }
        #expect(try scenario("") == Scenario())
        let moves: [(String, WritableKeyPath<Scenario, Double>)] = [
            ("spot", \.spot), ("days", \.days), ("rate", \.rate), ("dampening", \.dampening),
        ]
        for (name, path) in moves {
            var expected = Scenario()
            expected[keyPath: path] = 0.25
            #expect(try scenario("\"\(name)\": 0.25") == expected, "\(name)")
        }
        #expect(try scenario("\"rate_holds\": \"spot\"").rateHolds == .spot)
        #expect(try scenario("\"expiry_loss\": \"absolute\"").expiryLoss == .absolute)
        #expect(try Self.grid("{\"scenarios\": [{}]}").name == "grid.json")
    }

    @Test("The grids that come with the project can be read")
    func examples() throws {
        let folder = SharedData.packageRoot.appendingPathComponent("Examples/grids")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        let counts = try names.map {
            try ScenarioGrid(try Source(path: folder.appendingPathComponent($0).path)).count
        }
        #expect(names == ["deribit-btc.json", "derive-eth.json", "desk.json"] && counts == [35, 33, 110])
    }

    static let marginCases = "data/derive_pmrm2_margin_cases.jsonl.gz"

    /// The losses of an exchange's own test portfolios in every one of its scenarios: moves, term rule with floors,
    /// dampened tails, tilts of the smile charged expiry by expiry, mark-downs, the half hour before expiry.
    @Test(
        "An exchange's test portfolios lose what it published, in every one of its scenarios",
        .enabled(if: SharedData.has([marginCases]), "needs an exchange's margin cases in the shared folder"))
    func publishedLosses() throws {
        let path = SharedData.path(Self.marginCases)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        var (cases, losses, worst) = (0, 0, 0.0)
        for line in text.split(separator: "\n") {
            let object = try #require(
                JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let margin = try MarginCase(object)
            let profits = try margin.profits()
            for (number, expected) in margin.expected {
                let error = abs(profits[number] - expected) / margin.scale
                worst = max(worst, error)
                #expect(error < 1e-12, "\(margin.name) \(margin.grid.title(number)): \(profits[number])")
                losses += 1
            }
            cases += 1
        }
        #expect(cases == 93 && losses > 2_800)
        print(
            "\(losses) scenario losses of \(cases) portfolios: worst error \(worst) of the portfolio's size")
    }
}

/// One of the exchange's portfolios, as a grid in a file and legs in columns.
private struct MarginCase {
    let name: String
    let grid: ScenarioGrid
    /// By scenario of the grid.
    var expected: [(Int, Double)] = []
    private let batch: OptionBatch?
    private let quantities, shares: [Double]
    private let books: [Int32]
    private let parts: [ExpirySums.Part]
    /// What moves with spot, in dollars.
    private let spotDollars: Double
    /// Sum of magnitudes of what there is.
    let scale: Double

    init(_ object: [String: Any]) throws {
        func member(_ object: Any?, _ name: String) throws -> [String: Any] {
            try #require((object as? [String: Any])?[name] as? [String: Any], "\(name)")
        }
        func number(_ object: [String: Any], _ name: String) throws -> Double {
            try #require((object[name] as? NSNumber)?.doubleValue, "\(name)")
        }
        name = try #require(object["name"] as? String)
        let (portfolio, parameters) = (try member(object, "Scenario"), try member(object, "Parameters"))
        let result = try member(object, "Result")

        // The grid, through its file format.
        let (vol, skew) = (try member(parameters, "VolShock"), try member(parameters, "SkewShock"))
        let margin = try member(parameters, "Margin")
        let powers =
            "\"short_term_power\": \(try number(vol, "SHORTTERMPOWER")), \"long_term_power\": \(try number(vol, "LONGTERMPOWER")), \"least_days\": \(try number(vol, "DTE_FLOOR"))"
        let width = try number(skew, "MIN_WIDTH_SCALE")
        func wing(_ kind: String, _ prefix: String) throws -> String {
            """
            {"wing": {"kind": "\(kind)", "cap": \(try number(skew, prefix + "_SCALE_CAP")), \
            "cap_per_root_year": \(try number(skew, prefix + "_CBASE")), \
            "width_per_root_year": \(width * (try number(skew, "VOL_PARAM_STATIC"))), \
            "width_per_year": \(width * (try number(skew, "VOL_PARAM_SCALE"))), \
            "least_width": \(try number(skew, "MIN_K_STAR"))}}
            """
        }
        var entries: [String] = []
        var kinds: [(shock: Double, direction: String)] = []
        for scenario in try #require(parameters["Scenarios"] as? [[String: Any]]) {
            let direction = try #require(scenario["VolShockDirection"] as? String)
            let shock = try number(scenario, "SpotShock")
            let isSkew = direction == "LINEAR" || direction == "ABS"
            // A tilt that comes with a move is what the exchange's contract refuses.
            guard ["Up", "None", "Down", "LINEAR", "ABS"].contains(direction), !isSkew || shock == 1 else {
                continue
            }
            kinds.append((shock, direction))
            let loss = isSkew ? ", \"expiry_loss\": \"absolute\"" : ""
            entries.append(
                "{\"spot\": \(shock - 1), \"vol\": \"\(direction)\", \"dampening\": \(try number(scenario, "DampeningFactor"))\(loss)}"
            )
        }
        grid = try ScenarioGridTests.grid(
            """
            {"vol_rules": {"Up": {"relative": \(try number(vol, "VOLRANGEUP")), \(powers),
               "least_vol": \(try number(vol, "MIN_VOL_EVAL_SHOCKED"))}, "None": {},
             "Down": {"relative": -\(try number(vol, "VOLRANGEDOWN")), \(powers)},
             "LINEAR": \(try wing("linear", "LINEAR")), "ABS": \(try wing("absolute", "ABS"))},
             "scenarios": [\(entries.joined(separator: ","))],
             "expiry_haircut": {"long": \(try number(margin, "BASE_STATIC_DISCOUNT")),
               "long_rate_multiple": \(try number(margin, "LONG_RATE_MULTSCALE")),
               "long_added_rate": \(try number(margin, "LONG_RATE_ADDSCALE")),
               "short": \(try number(margin, "BASE_STATIC_DISCOUNT_NEG")),
               "short_rate_multiple": \(try number(margin, "SHORT_RATE_MULTSCALE")),
               "short_added_rate": \(try number(margin, "SHORT_RATE_ADDSCALE"))}}
            """)

        // What moves one for one.
        let stable = try number(portfolio, "StablePrice")
        var dollars = try number(portfolio, "NumPerps") * (try number(portfolio, "PerpPrice"))
        for collateral in portfolio["Collaterals"] as? [[String: Any]] ?? []
        where (collateral["IsRiskCancelling"] as? NSNumber)?.boolValue == true {
            dollars += try number(collateral, "Amount") * (try number(collateral, "Price")) / stable
        }
        spotDollars = dollars

        // The options, grouped by expiry.
        var feeds: [Int: [String: Any]] = [:]
        for feed in portfolio["OptionFeeds"] as? [[String: Any]] ?? [] {
            feeds[Int(try number(feed, "FeedExpiry"))] = feed
        }
        let expiries = feeds.keys.sorted()
        var columns = Array(repeating: [Double](), count: 5)
        var (type, quantities, shares, books) = ([UInt8](), [Double](), [Double](), [Int32]())
        for option in portfolio["Options"] as? [[String: Any]] ?? [] {
            let seconds = try number(option, "Expiry")
            let feed = try #require(feeds[Int(seconds)])
            type.append(try number(option, "IsCall") == 1 ? 0 : 1)
            columns[0].append(try number(feed, "Forward"))
            columns[1].append(try number(option, "Strike"))
            columns[2].append(max(0, seconds) / (365 * 86_400))
            columns[3].append(try number(option, "MarkVol"))
            columns[4].append(max(0, try number(feed, "Rate")))
            quantities.append(try number(option, "Amount"))
            shares.append(min(1, max(0, seconds / 1_800)))
            books.append(Int32(try #require(expiries.firstIndex(of: Int(seconds)))))
        }
        batch =
            type.isEmpty
            ? nil
            : try OptionBatch(
                type: type, spot: columns[0], strike: columns[1], years: columns[2], volatility: columns[3],
                rate: columns[4], dividend: columns[4])
        (self.quantities, self.shares, self.books) = (quantities, shares, books)
        var parts: [ExpirySums.Part] = []
        for expiry in expiries {
            parts.append(
                .init(
                    group: 0, value: 0, years: Double(max(0, expiry)) / (365 * 86_400),
                    rate: try number(try #require(feeds[expiry]), "Rate")))
        }
        if let batch {
            let prices = try #require(try GreeksEngine().greeks(.price, of: batch)[.price])
            for (leg, book) in books.enumerated() { parts[Int(book)].value += quantities[leg] * prices[leg] }
        }
        self.parts = parts
        scale = abs(dollars) + zip(quantities, columns[0]).reduce(1) { $0 + abs($1.0 * $1.1) }

        // What the exchange has, by direction and move.
        for list in ["reg_losses", "tail_losses", "skew_losses"] {
            for row in try #require(result[list] as? [[Any]]) {
                let loss = try #require(Double("\(row[row.count - 1])"))
                let direction: String
                var move = 0.0
                if row.count == 3 {
                    direction = ["Down", "None", "Up"][try #require(row[1] as? Int) + 1]
                    move = try #require(Double("\(row[0])"))
                } else {
                    direction = "\(row[0])"
                }
                let place = kinds.firstIndex { $0.direction == direction && abs($0.shock - 1 - move) < 1e-9 }
                if let place { expected.append((place, loss)) }
            }
        }
    }

    func profits() throws -> [Double] {
        var sums = [Double](repeating: 0, count: grid.count)
        if let batch {
            let revaluation = ScenarioRevaluation(grid, engine: try GreeksEngine())
            let expiries = try revaluation.sums(
                of: batch.columns, quantities: quantities.span, books: books.span, bookCount: parts.count,
                share: shares.span)
            sums = ExpirySums.combined(expiries, parts, groupCount: 1, grid).row(0)
        }
        for (number, scenario) in grid.scenarios.enumerated() {
            sums[number] += spotDollars * scenario.spot * scenario.dampening
        }
        return sums
    }
}
