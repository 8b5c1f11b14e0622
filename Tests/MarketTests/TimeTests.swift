import Foundation
import Market
import Testing

struct TimeTests {
    /// 2024-03-22 10:07:08.463 UTC, by `date -u -d 2024-03-22T10:07:08Z +%s`.
    static let milliseconds: Int64 = 1_711_102_028_463

    @Test(
        "a time is the same in every form that tables and replies have it",
        arguments: [
            "1711102028463", "1711102028463.0", "1.711102028463e12", "1.711102028463E+12", " 1711102028463 ",
            "1711102028.463", "1711102028463000", "1711102028463999", "1711102028463000.0",
            "1711102028463000000", "1711102028463999999", "1.711102028463e18",
            "2024-03-22T10:07:08.463Z", "2024-03-22 10:07:08.463", "2024-03-22t10:07:08.463z",
            "2024-03-22T10:07:08.463000+00:00", "2024-03-22 10:07:08.463999999 UTC",
            "2024-03-22T10:07:08,4639999999999999999999Z", "2024-03-22T11:07:08.463+01:00",
            "2024-03-22T05:37:08.463-0430", "2024-03-23 00:07:08.463 +14", "2024-03-21T22:07:08.463-12:00",
        ])
    func forms(_ text: String) {
        #expect(Timestamp(text: text)?.milliseconds == Self.milliseconds)
        #expect(Self.tickerTime("\"\(text)\"") == Self.milliseconds)
    }

    @Test(
        "a number in JSON is a time as the same number in a table is",
        arguments: [
            "1711102028463", "1711102028463.0", "1.711102028463e12", "1711102028.463", "1711102028463000",
            "1711102028463000000", "1711102028463999999", "1711102028463999",
        ])
    func numbers(_ text: String) { #expect(Self.tickerTime(text) == Self.milliseconds) }

    @Test("seconds, minutes and times of day may be left out")
    func short() {
        let day: Int64 = 1_711_065_600_000
        for (text, after) in [
            ("2024-03-22", 0), ("2024-03-22T00:00", 0), ("2024-03-22 10:07", 36_420),
            ("2024-03-22 10:07Z", 36_420),
            ("2024-03-22 10:07:08", 36_428), ("2024-03-22 10:07:08.5", 36_428.5),
            ("2024-03-22 10:07 -01:00", 40_020),
        ] {
            #expect(Timestamp(text: text)?.milliseconds == day + Int64(after * 1000), "\(text)")
        }
    }

    @Test(
        "what is no time, or could be two, is none",
        arguments: [
            "", "yesterday", "20240322", "20240322100708", "171110202", "17111020284", "171110202846",
            "17111020284631", "-1711102028463", "0", "1e300", "inf", "2024-02-30", "2024-13-01",
            "2024-03-22T24:00:00Z",
            "2024-03-22T10:60:00Z", "2024-03-22T10:07:60Z", "2024-03-22T10:07:08.Z", "2024-03-22T10:07:08ZZ",
            "2024-03-22T10:07:08+25:00", "2024-03-22T10:07:08+01:75", "2024-03-22x10:07:08", "22/03/2024",
            "2024-3-22",
            "2024-03-22T10:07:08 CET", "٢٠٢٤-03-22",
        ])
    func refusals(_ text: String) { #expect(Timestamp(text: text) == nil) }

    @Test("units don't overlap from 2001 to 2286")
    func edges() {
        for unit: Int64 in [1, 1_000, 1_000_000, 1_000_000_000] {
            let first = 1_000_000_000 * unit
            #expect(Timestamp(count: first)?.milliseconds == 1_000_000_000_000)
            #expect(Timestamp(count: first - 1) == nil)
            #expect(Timestamp(count: Double(first)) == Timestamp(count: first))
            guard unit < 1_000_000_000 else { continue }
            #expect(Timestamp(count: first * 10 - 1)?.milliseconds ?? 0 >= 9_999_999_999_000)
            #expect(Timestamp(count: first * 10) == nil)
        }
        for count in [Double.nan, .infinity, -1e12, 1e11, 1e14] { #expect(Timestamp(count: count) == nil) }
    }

    /// The time of a chain's one ticker whose time is written so in JSON.
    static func tickerTime(_ written: String) -> Int64? {
        let text = """
            [{"instrument_name": "BTC-PERPETUAL", "timestamp": \(written), "mark_price": 65000}]
            """
        var badRows = BadRows(skip: false)
        return try? Chain(Source(name: "chain.json", text: text), &badRows).tickers[0].timestamp.milliseconds
    }
}
