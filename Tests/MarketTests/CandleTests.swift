import Foundation
import Market
import TestSupport
import Testing

struct CandleTests {
    static let header = "timestamp,open,high,low,close,volume\n"

    static func table(_ rows: String, file: String = "candles.csv") throws(MarketError) -> CandleTable {
        var badRows = BadRows(skip: false)
        return try CandleTable(Source(name: file, text: header + rows), &badRows)
    }

    /// What is wrong with a table of these rows.
    static func error(_ rows: String) -> String {
        do throws(MarketError) {
            _ = try table(rows)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test("Candles with three forms of time are read in order, and missing ones are gaps")
    func gaps() throws {
        let table = try Self.table(
            """
            2022-01-01 00:00:00,1,2,1,2,9
            2022-01-01T01:00:00Z,2,2,2,2,9
            1641002400000,2,3,1,3,9

            2022-01-01T06:00:00.000+00:00,3,3,3,3,9

            """)
        #expect(table.interval == 3_600_000 && table.candles.map(\.close) == [2, 2, 3, 3])
        #expect(table.gaps.count == 1 && table.gaps[0].count == 3)
        #expect("\(table.gaps[0].last)" == "2022-01-01 02:00:00 UTC")
        #expect("\(table.gaps[0].next)" == "2022-01-01 06:00:00 UTC")
    }

    @Test("Candle tables that overlap equally join in either order, and unequal overlaps are refused")
    func joins() throws {
        let a = try Self.table("2022-01-01 00:00:00,1,1,1,1,9\n2022-01-01 01:00:00,1,2,1,2,9\n")
        let b = try Self.table("2022-01-01 01:00:00,1,2,1,2,9\n2022-01-01 02:00:00,1,3,1,3,9\n", file: "b")
        for (first, second) in [(a, b), (b, a)] {
            let joined = try first.joined(with: second)
            #expect(joined.candles.map(\.close) == [1, 2, 3] && joined.gaps.isEmpty)
        }
        let other = try Self.table(
            "2022-01-01 01:00:00,1,2,1,1,9\n2022-01-01 02:00:00,1,3,1,3,9\n", file: "c")
        #expect(throws: MarketError.self) { try a.joined(with: other) }
        let daily = try Self.table("2022-01-02 00:00:00,1,1,1,1,9\n2022-01-03 00:00:00,1,1,1,1,9\n")
        #expect(throws: MarketError.self) { try a.joined(with: daily) }
    }

    @Test("A bad candle is an error with its line, column and value")
    func badRows() {
        let first = "2022-01-01 00:00:00,1,1,1,1,9\n"
        for (row, complaint) in [
            ("2022-01-01 00:00:00,1,1,1,1,9", "3: column \"timestamp\""),
            ("2021-12-31 23:00:00,1,1,1,1,9", "not after line 2's"),
            ("yesterday,1,1,1,1,9", "value \"yesterday\": expected a time"),
            ("2022-02-30 00:00:00,1,1,1,1,9", "expected a time"),
            ("2022-01-01 25:00:00,1,1,1,1,9", "expected a time"),
            ("2022-01-01 01:00:00+02:00,1,1,1,1,9", "expected a time"),
            ("2022-01-01 01:00:00,1,1,1,0,9", "column \"close\": value \"0\": must be above 0"),
            ("2022-01-01 01:00:00,1,1,1,nan,9", "column \"close\": value \"nan\""),
            ("2022-01-01 01:00:00,1,1,1,,9", "column \"close\": value \"\": is empty"),
            ("2022-01-01 01:00:00,2,1,1,1,9", "column \"high\""),
            ("2022-01-01 01:00:00,2,3,2.5,2,9", "column \"low\""),
            ("2022-01-01 01:00:00,1,1,1", "where the header has 6"),
        ] {
            #expect(Self.error(first + row + "\n").contains(complaint), "\(row)")
        }
        #expect(Self.error(first).contains("is empty"))
        let uneven = "2022-01-01 01:00:00,1,1,1,1,9\n2022-01-01 02:30:00,1,1,1,1,9\n"
        #expect(
            Self.error(first + uneven).contains("candles.csv:4")
                && Self.error(first + uneven).contains("no multiple"))
    }

    static let real = [
        ("btcusdt-1h-2019-12-to-2021-07.csv", 14_292, 7), ("btcusdt-1h-2022.csv", 8760, 0),
        ("ethusdt-1h-2022.csv", 8760, 0),
    ]

    @Test(
        "The exchange's hourly candles have the gaps that were counted when they were collected",
        .enabled(if: SharedData.has(real.map { "data/\($0.0)" }), "needs real candles in the shared folder"))
    func realCandles() throws {
        for (file, count, gaps) in Self.real {
            let path = SharedData.path("data/\(file)")
            var badRows = BadRows(skip: false)
            let table = try CandleTable(try Source(path: path), &badRows)
            #expect(table.candles.count == count && table.gaps.count == gaps && table.interval == 3_600_000)
        }
    }
}
