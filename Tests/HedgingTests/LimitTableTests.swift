import Foundation
import Greeks
import Hedging
import Market
import Risk
import Testing

/// Tables of limits, what they bound, and what is refused.
struct LimitTableTests {
    /// Linear contracts, whose profits are quantity times move.
    static let chain = """
        instrument_name,timestamp,underlying_price,mark_iv,mark_price,index_price,bids,asks
        BTC_USDC-PERPETUAL,1772443800000,1000,,1000,1000,"[[999,50]]","[[1001,50]]"
        ETH_USDC-PERPETUAL,1772443800000,100,,100,100,"[[99.5,500]]","[[100.5,500]]"
        BTC_USDC-27MAR26,1772443800000,1020,,1020,1000,"[[1019,50]]","[[1021,50]]"

        """
    static let positions = """
        book,instrument,quantity
        a,BTC_USDC-PERPETUAL,3
        b,BTC_USDC-PERPETUAL,-1
        b,ETH_USDC-PERPETUAL,20
        b,BTC_USDC-27MAR26,0.5

        """
    /// Ten moves, not in order: +20%, −50%, +10% and so on.
    static let grid = """
        {"name": "ten", "scenarios": [{"spot": [0.2, -0.5, 0.1, -0.1, -0.4, 0, 0.3, -0.2, -0.3, 0.4]}]}
        """

    static func valuation() throws -> (Chain, BookValuation) {
        var badRows = BadRows(skip: false)
        let chain = try Chain(Source(name: "chain.csv", text: chain), &badRows)
        let table = try PositionTable(Source(name: "positions.csv", text: positions), &badRows)
        return (chain, try BookValuation(table, in: chain, &badRows))
    }

    /// A table beside a file of scenarios, and the folder's name, which errors begin with.
    static func table(_ text: String, skip: Bool = false) throws -> (LimitTable, skipped: [String]) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "limits-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(grid.utf8).write(to: folder.appendingPathComponent("ten.json"))
        try Data(
            #"{"name": "by expiry", "scenarios": [{"spot": 0.1, "expiry_loss": "absolute"}]}"#.utf8
        ).write(to: folder.appendingPathComponent("expiries.json"))
        var badRows = BadRows(skip: skip)
        let name = folder.path + "/limits.csv"
        let table = try LimitTable(Source(name: name, text: text), &badRows)
        return (table, badRows.skipped.map { "\($0)".replacingOccurrences(of: folder.path + "/", with: "") })
    }

    static func message(_ text: String) throws -> String {
        do {
            _ = try table(text)
            return "accepted"
        } catch let error as MarketError {
            guard let start = "\(error)".range(of: "limits.csv") else { return "\(error)" }
            return String("\(error)"[start.lowerBound...])
        }
    }

    @Test(
        "Every column of a table is read; what is empty or a star stands for all, for none, or for a band that holds"
    )
    func columns() throws {
        let (table, _) = try Self.table(
            """
            book,underlying,expiry,greek,low,high,penalty,penalty_quadratic
            a,BTC,2026-03-27,vega,-1,2,3,4
            *,*,*,net_delta,,5,,
            ,,,gamma_usd_per_percent,-6,,0,

            """)
        let limits = table.limits
        #expect(limits.map(\.book) == ["a", nil, nil])
        #expect(limits.map(\.underlying) == ["BTC", nil, nil])
        #expect(limits.map(\.expiry) == ["2026-03-27", nil, nil])
        #expect(limits.map(\.greek) == [.vega, .netDelta, .gamma])
        #expect(limits.map(\.low) == [-1, -.infinity, -6] && limits.map(\.high) == [2, 5, .infinity])
        #expect(limits.map(\.penalty) == [3, nil, 0] && limits.map(\.penaltyQuadratic) == [4, 0, 0])
        #expect(limits.map(\.line) == [2, 3, 4])
        #expect(limits.map(\.name) == ["BTC 2026-03-27 vega", "all net delta", "all gamma"])
        #expect(limits.map { $0.measure.unitName } == ["usd_per_point", "usd", "usd_per_percent"])
        #expect(limits.allSatisfy { $0.measure.isLinear })
    }

    @Test("A Greek goes by its key, its name or its column's name", arguments: ExposureGreek.allCases)
    func names(_ greek: ExposureGreek) throws {
        for name in [greek.key, greek.name, greek.column(.usd)] {
            let (table, _) = try Self.table("underlying,measure,low,high\nBTC,\(name),-1,1\n")
            #expect(table.limits.map(\.greek) == [greek], "\(name)")
        }
    }

    @Test("Scenarios are named by number, by title, or all of them; measures say what they are of")
    func scenarios() throws {
        func limits(_ row: String) throws -> [LimitTable.Limit] {
            try Self.table("underlying,measure,low,high,grid,scenario,level\n\(row)\n").0.limits
        }
        let all = try limits("*,scenario_profit,-5,,ten.json,,")
        #expect(all.count == 10 && all.allSatisfy { $0.low == -5 && $0.greek == nil && $0.line == 2 })
        #expect(all[1].measure.name == "profit in -50%, vol same of ten" && all[1].measure.unitName == "usd")
        for (name, place) in [("1", 0), ("10", 9), ("\"-10%, vol same\"", 3)] {
            let one = try limits("*,scenario_profit,-5,,ten.json,\(name),")
            #expect(one.map(\.name) == [all[place].name])
        }
        for number in ["0", "11", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775808"]
        {
            let complaint = try Self.message(
                "underlying,measure,low,high,grid,scenario,level\n*,scenario_profit,-5,,ten.json,\(number),\n"
            )
            #expect(
                complaint.hasPrefix(
                    "limits.csv:2: column \"scenario\": value \"\(number)\": expected 1 to 10, or a title"))
        }
        for (measure, level, name) in [
            ("expected_shortfall", "0.5", "ES 50%"), ("value_at_risk", "0.975", "VaR 97.5%"),
            ("expected_shortfall", "0.999999", "ES 99.9999%"),
        ] {
            let limit = try limits("*,\(measure),,5,ten.json,,\(level)")[0]
            #expect(limit.measure.name == "\(name) over ten" && limit.measure.unitName == "usd")
            #expect(!limit.measure.isLinear)
        }
    }

    @Test(
        "What makes no limit is refused by line, column, value and reason",
        arguments: [
            (
                "BTC,velta,-1,1,,,,",
                """
                limits.csv:2: column "greek": value "velta": expected one of value, delta, net_delta, gamma, vega, \
                theta, rho, vanna, volga, charm, scenario_profit, expected_shortfall, value_at_risk
                """
            ),
            ("BTC,vega,2,1,,,,", "limits.csv:2: column \"high\": value \"1\": is below low, 2.0"),
            ("BTC,vega,1,1,,,,", "accepted"),
            (
                "BTC,vega,,,,,,",
                "limits.csv:2: column \"low\": value \"\": low and high are both empty: nothing is limited"
            ),
            (
                "BTC,vega,-1,1,,,,-1",
                "limits.csv:2: column \"penalty\": value \"-1\": must be at least 0 and finite"
            ),
            (
                "BTC,scenario_profit,-1,,,1,,",
                "limits.csv:2: column \"grid\": value \"\": is needed for scenario_profit"
            ),
            (
                "BTC,scenario_profit,-1,,ten.json,0,,",
                """
                limits.csv:2: column "scenario": value "0": expected 1 to 10, or a title such as "+20%, vol same"
                """
            ),
            (
                "BTC,scenario_profit,-1,,ten.json,11,,",
                """
                limits.csv:2: column "scenario": value "11": expected 1 to 10, or a title such as "+20%, vol same"
                """
            ),
            (
                "BTC,scenario_profit,-1,,expiries.json,1,,",
                """
                limits.csv:2: column "grid": value "expiries.json": charges expiry by expiry, so that contracts have no \
                profits that add up
                """
            ),
            (
                "BTC,value_at_risk,,1,ten.json,,,",
                "limits.csv:2: column \"level\": value \"\": is needed for value_at_risk, such as 0.95"
            ),
            (
                "BTC,value_at_risk,,1,ten.json,,0.49,",
                "limits.csv:2: column \"level\": value \"0.49\": must be from 0.5 to 0.999999"
            ),
            (
                "BTC,value_at_risk,,1,ten.json,,1,",
                "limits.csv:2: column \"level\": value \"1\": must be from 0.5 to 0.999999"
            ),
            ("BTC,value_at_risk,,1,ten.json,,0.5,", "accepted"),
            (
                "BTC,value_at_risk,-1,1,ten.json,,0.9,",
                """
                limits.csv:2: column "greek": value "VaR 90% over ten": takes a high limit that must hold: no low one \
                and no penalty
                """
            ),
            (
                "BTC,expected_shortfall,,1,ten.json,,0.9,1",
                """
                limits.csv:2: column "greek": value "ES 90% over ten": takes a high limit that must hold: no low one \
                and no penalty
                """
            ),
            (
                "BTC,vega,-1,1,,,,\nETH,vega,-1,1,,,,\nBTC,vega,-2,2,,,,",
                "limits.csv:4: column \"greek\": value \"vega\": line 2 has a limit for the same exposure"
            ),
        ] as [(String, String)])
    func refusals(_ row: String, _ message: String) throws {
        #expect(
            try Self.message("underlying,greek,low,high,grid,scenario,level,penalty\n\(row)\n") == message)
    }

    @Test(
        "A table without rows is empty, one of bad rows is not; columns that a measure needs are missed by name"
    )
    func emptyTables() throws {
        #expect(try Self.message("underlying,greek,low,high\n") == "limits.csv: is empty")
        let (table, skipped) = try Self.table("underlying,greek,low,high\nBTC,vega,2,1\n", skip: true)
        #expect(table.limits.isEmpty)
        #expect(skipped == ["limits.csv:2: column \"high\": value \"1\": is below low, 2.0"])
        #expect(
            try Self.message("underlying,measure,low,high\nBTC,scenario_profit,-1,\n")
                == """
                limits.csv:2: column "measure": value "scenario_profit": grid is needed for scenario_profit
                """)
    }

    @Test("Limits from memory are refused by row, as those of a file by line")
    func fromMemory() throws {
        func message(_ limits: [LimitTable.Limit]) -> String {
            do throws(MarketError) {
                _ = try LimitTable(name: "limits", limits)
                return "accepted"
            } catch {
                return "\(error)"
            }
        }
        #expect(message([]) == "limits: is empty")
        #expect(message([.init(greek: ExposureGreek.vega, high: 1)]) == "accepted")
        #expect(
            message([.init(greek: ExposureGreek.vega, low: 1, high: 0, line: 7)])
                == "limits: row 7: high: 0.0: is below low, 1.0")
        #expect(
            message([
                .init(greek: ExposureGreek.vega, high: 1, line: 0),
                .init(book: "a", greek: ExposureGreek.vega, high: 1, line: 1),
                .init(greek: ExposureGreek.vega, high: 2, line: 2),
            ]) == "limits: row 2: greek: \"vega\": row 0 has a limit for the same exposure")
    }

    @Test("Values are of the positions that a limit covers, and room is what is left to the nearer limit")
    func status() throws {
        let (chain, valuation) = try Self.valuation()
        // All books gain 2 · 1000 + ½ · 1020 + 20 · 100 = 4510 times the move, BTC alone 2510.
        let (table, _) = try Self.table(
            """
            book,underlying,expiry,measure,low,high,grid,scenario,level
            ,BTC,,delta,-3000,3000,,,
            ,ETH,,delta,2100,3000,,,
            ,BTC,2026-03-27,delta,,509,,,
            b,,,delta,,1510,,,
            b,,,net_delta,1510,,,,
            ,,,scenario_profit,-2000,,ten.json,2,
            a,,,scenario_profit,-2000,,ten.json,2,
            ,BTC,,expected_shortfall,,2000,ten.json,,0.75
            ,BTC,,value_at_risk,,1000,ten.json,,0.75
            ,BTC,,expected_shortfall,,1000,ten.json,,0.999999
            a,,,value_at_risk,,2000,ten.json,,0.999999

            """)
        let status = try table.status(of: valuation, in: chain, GreeksEngine())
        // Worst of ten: 50%, 40% and half of 30%, of 2½; the quantile at 0.75 · 9 = 6.75 of
        // −40 … 50: 0.2 + 0.75 · 0.1.
        let values = [
            2510, 2000, 510, 1510, 1510, -2255, -1500, 2510 * 1.05 / 2.5, 2510 * 0.275, 1255,
            3000 * (0.5 - 9e-6 * 0.1),
        ]
        let rooms = [490, -100, -1, 0, 0, -255, 500, 2000 - 1054.2, 1000 - 690.25, -255, 500.0027]
        for (row, limit) in status.enumerated() {
            #expect(
                (limit.value - values[row]).magnitude <= 1e-9 * values[row].magnitude,
                "\(row): \(limit.value)")
            #expect((limit.headroom - rooms[row]).magnitude <= 1e-9 * 3000, "\(row): \(limit.headroom)")
        }
        #expect(status.map { $0.headroom < -1e-6 } == rooms.map { $0 < 0 })
        #expect(status.allSatisfy { $0.isBreach == ($0.headroom < 0) })
    }

    @Test("A breach is a measure beyond either limit, or one that is no number")
    func breaches() throws {
        let (chain, valuation) = try Self.valuation()
        for (low, high, isBreach) in [
            (2000.0, Double.infinity, false), (2000.0.nextUp, .infinity, true), (-.infinity, 2000, false),
            (-.infinity, 2000.0.nextDown, true), (2000, 2000, false),
        ] {
            let table = try LimitTable(
                name: "limits", [.init(underlying: "ETH", greek: ExposureGreek.delta, low: low, high: high)])
            let status = try table.status(of: valuation, in: chain, GreeksEngine())
            #expect(status.map(\.isBreach) == [isBreach], "\(low) \(high)")
        }
    }

    @Test("Books, coins and expiries that are not there are named with what was looked at")
    func unknown() throws {
        let (chain, valuation) = try Self.valuation()
        for (limit, message) in [
            (
                LimitTable.Limit(book: "c", greek: ExposureGreek.delta, high: 1),
                "book: \"c\": holds no positions"
            ),
            (
                .init(underlying: "XRP", greek: ExposureGreek.delta, high: 1),
                "underlying: \"XRP\": nothing in chain.csv is on it"
            ),
            (
                .init(underlying: "ETH", expiry: "2026-03-27", greek: ExposureGreek.delta, high: 1),
                "expiry: \"2026-03-27\": nothing in chain.csv expires then: expected a date such as 2026-03-27"
            ),
        ] {
            let table = try LimitTable(name: "limits", [limit])
            let error = #expect(throws: MarketError.self) {
                try table.status(of: valuation, in: chain, GreeksEngine())
            }
            #expect(error.map { "\($0)" } == "limits: row 0: \(message)")
        }
    }
}
