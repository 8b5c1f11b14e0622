import Market
import TestSupport
import Testing

struct InstrumentTests {
    @Test("Each kind of instrument's name is parsed to coin, currency, settlement, expiry and strike")
    func names() throws {
        func expiry(_ year: Int, _ month: Int, _ day: Int) throws -> Timestamp {
            Timestamp(try #require(Day(year: year, month: month, day: day)), hour: 8)
        }
        let june = try expiry(2025, 6, 27)
        let cases: [(String, String, String, Settlement, Instrument.Kind)] = [
            ("BTC-27JUN25-60000-C", "BTC", "USD", .inverse, .option(.call, strike: 60_000, expiry: june)),
            ("ETH-27JUN25-1250-P", "ETH", "USD", .inverse, .option(.put, strike: 1250, expiry: june)),
            (
                "BTC_USDC-27JUN25-60000-C", "BTC", "USDC", .linear,
                .option(.call, strike: 60_000, expiry: june)
            ),
            ("XRP_USDC-27JUN25-1d25-P", "XRP", "USDC", .linear, .option(.put, strike: 1.25, expiry: june)),
            ("BTC-27JUN25", "BTC", "USD", .inverse, .future(expiry: june)),
            ("SOL_USDC-27JUN25", "SOL", "USDC", .linear, .future(expiry: june)),
            ("BTC-PERPETUAL", "BTC", "USD", .inverse, .perpetual),
            ("BTC_USDT-PERPETUAL", "BTC", "USDT", .linear, .perpetual),
            ("ETH_USDC", "ETH", "USDC", .linear, .spot),
        ]
        for (name, base, quote, settlement, kind) in cases {
            let instrument = try Instrument(name: name)
            #expect(
                instrument
                    == Instrument(name: name, base: base, quote: quote, settlement: settlement, kind: kind))
        }
        #expect(try Instrument(name: "BTC-5MAR21").expiry == (try expiry(2021, 3, 5)))
    }

    @Test(
        "What only resembles an instrument's name is refused",
        arguments: [
            "", "BTC", "-", "BTC-", "BTC-FOO", "BTC-32JAN25", "BTC-29FEB23-1000-C", "BTC-27JUN2025-1000-C",
            "BTC-27JUN25-1000-X", "BTC-27JUN25-1000", "BTC-27JUN25-0-C", "BTC-27JUN25--5-C",
            "BTC-27JUN25-1e5-C",
            "BTC-27JUN25-1.5.2-C", "BTC-27JUN25-1d2d3-C", "btc-PERPETUAL", "BTC_-PERPETUAL",
            "BTC_USDC_X-PERPETUAL",
            "BTC-27JUN25-1000-C-X", "BTC-0JUN25", "BTC-27Jün25", "BTC-२7JUN25", "BTC-+1JUN25",
            "BTC-27JUN25-nan-C",
        ])
    func notNames(_ text: String) {
        #expect(throws: InstrumentNameError.self) { try Instrument(name: text) }
    }

    @Test(
        "The name of every row of real chains parses, and says what it said before parsing",
        .enabled(if: SharedData.has(SharedData.chains), "needs the exchange's chains in the shared folder"))
    func realNames() throws {
        for coin in ["btc", "eth"] {
            let file = "data/deribit-options-2021-02-11-\(coin).csv"
            let path = SharedData.path(file)
            var badRows = BadRows(skip: false)
            for ticker in try Chain(try Source(path: path), &badRows).tickers {
                guard case .option(let type, let strike, let expiry) = ticker.instrument.kind else {
                    Issue.record("\(ticker.instrument.name) is an option")
                    continue
                }
                let day = "\(expiry)".split(separator: " ")[0].split(separator: "-").compactMap { Int($0) }
                let months = [
                    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
                ]
                let name = """
                    \(coin.uppercased())-\(day[2])\(months[day[1] - 1])\(day[0] % 100)-\(Int(strike))-\
                    \(type == .call ? "C" : "P")
                    """
                #expect(name == ticker.instrument.name)
            }
        }
    }

    @Test("Every day of eight centuries becomes a number and back, leap years included")
    func calendar() throws {
        // Day numbers of known dates, and every day of four centuries there and back.
        #expect(Day(year: 1970, month: 1, day: 1)?.number == 0)
        #expect(Day(year: 2000, month: 3, day: 1)?.number == 11_017)
        #expect(Day(year: 2021, month: 2, day: 11)?.number == 18_669)
        for number in stride(from: -150_000, through: 150_000, by: 1) {
            let day = Day(number: number)
            #expect(day.number == number && Day(year: day.year, month: day.month, day: day.day) == day)
        }
        #expect(Day(year: 1900, month: 2, day: 29) == nil && Day(year: 2000, month: 2, day: 29) != nil)
        #expect("\(Timestamp(milliseconds: 1_613_068_625_266))" == "2021-02-11 18:37:05 UTC")
        let start = Timestamp(milliseconds: 0)
        #expect(start.years(until: Timestamp(milliseconds: 365 * 86_400_000)) == 1)
    }

    @Test("An inverse option's profit is linear in its coin premium; an inverse future's is in 1/price")
    func profit() throws {
        let option = try Instrument(name: "BTC-27JUN25-60000-C")
        #expect(abs(option.profit(quantity: 0.01, entry: 0.02, exit: 0.03) - 0.0001) < 1e-18)
        let linear = try Instrument(name: "BTC_USDC-27JUN25-60000-C")
        #expect(linear.profit(quantity: -2, entry: 1500, exit: 1200) == 600)
        let perpetual = try Instrument(name: "BTC-PERPETUAL")
        #expect(
            perpetual.profit(quantity: 10_000, entry: 50_000, exit: 40_000) == 10_000
                * (1.0 / 50_000 - 1.0 / 40_000))
        #expect(try Instrument(name: "BTC_USDC-PERPETUAL").profit(quantity: 2, entry: 50, exit: 40) == -20)
        #expect(perpetual.quantityUnit == "USD" && option.quantityUnit == "BTC")

        // The exchange's published risk vector of a long inverse position under falls of 16, 12, 8 and 4%.
        let coins = 0.31335083
        for (fall, published) in [
            (0.16, -0.059685872), (0.12, -0.042729659), (0.08, -0.027247899), (0.04, -0.013056284),
        ] {
            let price = 65_000.0
            let profit = perpetual.profit(quantity: coins * price, entry: price, exit: price * (1 - fall))
            #expect(abs(profit - published) < 1e-9)
        }
    }

    @Test("Delta counts in full until half an hour before expiry, then falls in a straight line")
    func settlementWindow() throws {
        let option = try Instrument(name: "BTC-27JUN25-60000-C")
        let expiry = try #require(option.expiry)
        for (minutes, share) in [(0.0, 0.0), (1, 1.0 / 30), (15, 0.5), (30, 1), (31, 1), (600, 1)] {
            let now = Timestamp(milliseconds: expiry.milliseconds - Int64(minutes * 60_000))
            #expect(abs(SettlementWindow.remainingShare(at: now, of: option) - share) < 1e-15)
        }
        let late = Timestamp(milliseconds: expiry.milliseconds + 1)
        #expect(SettlementWindow.remainingShare(at: late, of: option) == 0)
        #expect(SettlementWindow.remainingShare(at: late, of: try Instrument(name: "BTC-PERPETUAL")) == 1)
    }
}
