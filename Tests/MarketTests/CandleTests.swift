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

    @Test("A part of a table has the candles from one time on, before another, and the gaps among them")
    func parts() throws {
        let table = try Self.table(
            """
            2022-01-01 00:00:00,1,1,1,1,9
            2022-01-01 01:00:00,1,2,1,2,9
            2022-01-01 04:00:00,1,3,1,3,9
            2022-01-01 05:00:00,1,4,1,4,9
            2022-01-01 08:00:00,1,5,1,5,9

            """)
        func part(_ from: Int?, _ until: Int?) throws -> CandleTable {
            func time(_ hour: Int) -> Timestamp {
                Timestamp(milliseconds: 1_640_995_200_000 + Int64(hour) * 3_600_000)
            }
            return try table.restricted(from: from.map(time), until: until.map(time))
        }
        #expect(table.gaps.map(\.count) == [2, 2])
        for (from, until, closes, gaps) in [
            (nil, nil, [1, 2, 3, 4, 5], [2, 2]), (1, nil, [2, 3, 4, 5], [2, 2]), (2, nil, [3, 4, 5], [2]),
            (nil, 8, [1, 2, 3, 4], [2]), (nil, 9, [1, 2, 3, 4, 5], [2, 2]), (0, 2, [1, 2], []),
            (4, 6, [3, 4], []),
        ] as [(Int?, Int?, [Double], [Int])] {
            let found = try part(from, until)
            #expect(found.candles.map(\.close) == closes && found.gaps.map(\.count) == gaps)
            #expect(found.interval == 3_600_000)
        }
        for (from, until, count) in [(8, nil, "1 candle"), (9, nil, "0 candles")] as [(Int?, Int?, String)] {
            let error = #expect(throws: MarketError.self) { try part(from, until) }
            #expect(error.map { "\($0)" } == "candles.csv: holds \(count): two are needed")
        }
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
            (
                "2022-01-01 01:00:00,1,1,1,1,9\n2022-01-01 00:00:00,1,1,1,1,9\n2022-01-01 02:00:00,1,1,1,1,9",
                "4: column \"timestamp\""
            ),
            (
                "2022-01-01 01:00:00,1,1,1,1,9\n2022-01-01 00:00:00,1,1,1,1,9\n2022-01-01 02:00:00,1,1,1,1,9",
                "not after line 3's"
            ),
            ("yesterday,1,1,1,1,9", "value \"yesterday\": expected a time"),
            ("2022-02-30 00:00:00,1,1,1,1,9", "expected a time"),
            ("2022-01-01 25:00:00,1,1,1,1,9", "expected a time"),
            ("2022-01-01 01:00:00,1,1,1,0,9", "column \"close\": value \"0\": must be above 0"),
            ("2022-01-01 01:00:00,1,1,1,nan,9", "column \"close\": value \"nan\""),
            ("2022-01-01 01:00:00,1,1,1,,9", "column \"close\": value \"\": is missing"),
            ("2022-01-01 01:00:00,2,1,1,1,9", "column \"high\""),
            ("2022-01-01 01:00:00,2,3,2.5,2,9", "column \"low\""),
            ("2022-01-01 01:00:00,1,1,1", "where the header has 6"),
            ("", "holds 1 candle: two are needed"),
        ] {
            #expect(Self.error(first + row + "\n").contains(complaint), "\(row)")
        }
        #expect(Self.error(first).contains("holds 1 candle: two are needed"))
    }

    @Test("rows beside the grid of the others are the bad ones, and gaps when left out")
    func beside() throws {
        // Hourly, with a stretch that is stamped 14.789 s late.
        let start: Int64 = 1_518_000_000_000
        let rows = (0..<60).map { hour in
            let late: Int64 = (20..<30).contains(hour) ? 14_789 : 0
            return "\(start + Int64(hour) * 3_600_000 + late),1,1,1,1,9\n"
        }.joined()
        let message = Self.error(rows)
        #expect(
            message.hasPrefix(
                "candles.csv:22: column \"timestamp\": value \"1518072014789\": is 14.789 s off the times of the others"
            ))
        #expect(message.hasSuffix(", one every 3600 s (10 rows are off the grid)"))
        var badRows = BadRows(skip: true)
        let table = try CandleTable(Source(name: "candles.csv", text: Self.header + rows), &badRows)
        #expect(badRows.skipped.count == 10 && table.candles.count == 50 && table.interval == 3_600_000)
        #expect(table.gaps.map(\.count) == [10])
        var strict = BadRows(skip: false)
        let source = Source(name: "candles.csv", text: Self.header + rows)
        #expect(try CandleTable(source, leavesOutStrays: true, &strict).gaps.map(\.count) == [10])
        // One row half a step late, which a smaller step would explain.
        let half = (0..<9).map { "2022-01-01 0\($0):\($0 == 5 ? "30" : "00"):00,1,1,1,1,9\n" }.joined()
        #expect(Self.error(half).hasPrefix("candles.csv:7:") && Self.error(half).contains("05:30:00"))
        #expect(Self.error(half).contains("is 1800 s off"))
    }

    @Test("candles are the same from every form in which they are handed out")
    func forms() throws {
        let plain = try Self.table(
            "1729209600,10,12,9,11,5\n1729213200,11,11,10,10,5\n1729216800,10,14,10,13,5\n")
        let lines = ["1729209600000,10,12,9,11", "1729213200000,11,11,10,10", "1729216800000,10,14,10,13"]
        func joined(_ lines: [String], _ change: (String) -> String) -> String {
            lines.map { change($0) + "\n" }.joined()
        }
        func replacing(_ line: String, _ with: String) -> String {
            line.replacing("000,", with: with, maxReplacements: 1)
        }
        let tail = ",5,1729213199999,50,7,2,20,0"
        let arrays = lines.map { "[\($0),5]" }.joined(separator: ",")
        let texts = lines.reversed().map { "[\"" + $0.replacing(",", with: "\",\"") + "\"]" }.joined(
            separator: ",")
        let columns = """
            "ticks":[1729209600000,1729213200000,1729216800000],"open":[10,11,10],"high":[12,11,14],
            "low":[9,10,10],"close":[11,10,13],"volume":[5,5,5]
            """
        let objects = lines.map { line -> String in
            let fields = line.split(separator: ",")
            let members = zip(["t", "o", "h", "l", "c"], fields).map { name, field in "\"\(name)\":\(field)" }
            return "{" + members.joined(separator: ",") + "}"
        }
        var number = -1
        func numbered(_ line: String) -> String {
            number += 1
            return "\(number),\(line)"
        }
        let named = "Open time,Open,High,Low,Close,Adj Close\n"
        let address = "https://example.org\nunix,date,open,high,low,close\n"
        let forms: [(String, String)] = [
            ("newest first", Self.header + joined(lines.reversed()) { $0 + ",5" }),
            ("without a header", joined(lines) { $0 + tail }),
            ("microseconds", joined(lines) { replacing($0, "000000,") + tail }),
            ("other names", named + joined(lines) { $0 + ",1" }),
            ("an index before", ",0,1,2,3,4\n" + joined(lines, numbered)),
            ("an address above", address + joined(lines) { replacing($0, ",2024-10-18,") }),
            ("arrays", "[\(arrays)]"),
            ("texts, newest first", "{\"result\":{\"list\":[\(texts)]}}"),
            ("an index of volatility", "{\"result\":{\"data\":[\(arrays)],\"continuation\":null}}"),
            ("columns", "{\"jsonrpc\":\"2.0\",\"result\":{\"status\":\"ok\",\(columns)}}"),
            ("objects", "[" + objects.joined(separator: ",") + "]"),
            ("a named list", "{\"error\":[],\"result\":{\"XXBTZUSD\":[\(arrays)],\"last\":1}}"),
        ]
        for (name, text) in forms {
            var badRows = BadRows(skip: false)
            let table = try CandleTable(Source(name: name, text: text), &badRows)
            #expect(table.candles.map(\.timestamp) == plain.candles.map(\.timestamp), "\(name)")
            #expect(
                table.candles.map(\.open) == [10, 11, 10] && table.candles.map(\.close) == [11, 10, 13],
                "\(name)")
            #expect(
                table.candles.map(\.high) == [12, 11, 14] && table.candles.map(\.low) == [9, 10, 10],
                "\(name)")
            #expect(table.interval == 3_600_000 && table.gaps.isEmpty, "\(name)")
        }
    }

    @Test("a column called by a number is a price only where all columns are")
    func foreignNumbers() throws {
        let rows = "1729209600,10,12,9,11,7,8\n1729213200,11,13,10,12,7,8\n"
        var badRows = BadRows(skip: false)
        for (header, closes) in [
            ("timestamp,open,high,low,close,0,1", [11.0, 12]), ("0,1,2,3,4,5,6", [11, 12]),
            ("timestamp,1,2,3,close,0,4", [11, 12]), ("0,1,2,3,4,volume,note", [11, 12]),
        ] {
            let table = try CandleTable(Source(name: "c", text: "\(header)\n\(rows)"), &badRows)
            #expect(table.candles.map(\.close) == closes, "\(header)")
            let isBar = header != "timestamp,1,2,3,close,0,4"
            #expect(table.candles.map(\.open) == (isBar ? [10, 11] : closes), "\(header)")
        }
        let closes = ",0,1\n0,1729209600,11\n1,1729213200,12\n"
        #expect(try CandleTable(Source(name: "c", text: closes), &badRows).candles.map(\.close) == [11, 12])
        #expect(Self.errorOf("name,0,1\na,1729209600,11\n").contains("column \"timestamp\" is missing"))
    }

    @Test("closes alone are candles without a range")
    func closes() throws {
        for text in [
            "time,close\n2024-10-18,10\n2024-10-19,11\n", "1729209600,10\n1729296000,11\n",
            "[[1729209600000,10],[1729296000000,\"11\"]]",
            "[{\"timestamp\":1729209600,\"close\":10},{\"timestamp\":1729296000,\"close\":11}]",
        ] {
            var badRows = BadRows(skip: false)
            let table = try CandleTable(Source(name: "closes", text: text), &badRows)
            #expect(table.candles.map(\.close) == [10, 11] && table.interval == 86_400_000, "\(text)")
            #expect(
                table.candles.allSatisfy { $0.open == $0.close && $0.high == $0.close && $0.low == $0.close })
        }
        #expect(Self.errorOf("timestamp,open,close\n2024-10-18,1,1\n").contains("column \"high\" is missing"))
        #expect(Self.errorOf("2024-10-18,1,1\n2024-10-19,1,1\n").contains("column \"close\" is missing"))
    }

    static func errorOf(_ text: String) -> String {
        var badRows = BadRows(skip: false)
        do throws(MarketError) {
            _ = try CandleTable(Source(name: "candles", text: text), &badRows)
            return ""
        } catch {
            return "\(error)"
        }
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
