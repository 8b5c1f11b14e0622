import Foundation
import Poise
import TestSupport
import Testing

/// Our figures against those that the exchange published, row by row.
struct ExchangeTests {
    /// The largest difference that rounding of what is published explains.
    static let limits: [(name: String, limit: Double)] = [
        ("mark price", 6e-4), ("delta", 1.1e-4), ("gamma", 6e-6), ("vega", 1.1e-2), ("theta", 0.02),
        ("rho", 4e-3),
    ]

    /// Compares every option of a chain with what its own rows say; theta may instead be within 3%.
    static func check(_ tickers: [Ticker], _ label: String) throws {
        var badRows = BadRows(skip: false)
        let chain = try ChainGreeks(tickers, .all, &badRows)
        chain.compute(try GreeksEngine())
        var errors = limits.map { _ in [Double]() }
        for (row, ticker) in tickers.enumerated() where ticker.instrument.isOption {
            let own = ExchangeGreeks(chain, row: row)
            let theirs = try #require(ticker.published, "\(ticker.instrument.name) has no Greeks")
            let pairs = [
                (own.markPrice, try #require(ticker.markPrice)), (own.delta, theirs.delta),
                (own.gamma, theirs.gamma), (own.vega, theirs.vega), (own.theta, theirs.theta),
                (own.rho, try #require(theirs.rho)),
            ]
            for (index, (name, limit)) in limits.enumerated() {
                let (value, published) = pairs[index]
                let error = abs(value - published)
                errors[index].append(error)
                // Limits are for coins of thousands of dollars. A coin of one dollar has so large a gamma that
                // the rounding of the published price (4 decimals) and volatility (0.01%) shows in it.
                let isSmall = chain.options.spot[row] < 10
                func natural(_ greek: Greek) -> Double { abs(chain.greeks[greek]?[row] ?? 0) }
                let rounding =
                    isSmall && name == "gamma" ? natural(.speed) * 5e-5 + natural(.zomma) * 5e-5 : 0
                let isClose = error <= limit + rounding || name == "theta" && error <= 0.03 * abs(published)
                #expect(
                    isClose,
                    "\(label): \(ticker.place) \(ticker.instrument.name) \(name): \(value), published \(published)"
                )
            }
        }
        for (index, (name, _)) in limits.enumerated() {
            let sorted = errors[index].sorted()
            print(
                "\(label), \(sorted.count) rows, \(name): median \(sorted[sorted.count / 2]), worst \(sorted[sorted.count - 1])"
            )
        }
    }

    @Test(
        "Greeks of the exchange's chains are the published ones",
        .enabled(if: SharedData.has(SharedData.chains), "needs the exchange's chains in the shared folder"),
        arguments: ["btc", "eth"])
    func chains(_ coin: String) throws {
        let file = "data/deribit-options-2021-02-11-\(coin).csv"
        let path = SharedData.path(file)
        var badRows = BadRows(skip: false)
        try Self.check(try Chain(try Source(path: path), &badRows).tickers, coin)
    }

    @Test("The sample's published figures come from its generator's own formulas")
    func sample() throws {
        let path = SharedData.packageRoot.appendingPathComponent("Examples/sample/chain.csv").path
        var badRows = BadRows(skip: false)
        try Self.check(try Chain(try Source(path: path), &badRows).tickers, "sample")
    }

    static let collection = "data/option_tickers_with_exchange_greeks.csv"

    @Test(
        "Single tickers from 2020 to 2026, inverse and linear, have their published figures",
        .enabled(if: SharedData.has([collection]), "needs published tickers in the shared folder"))
    func tickers() throws {
        let path = SharedData.path(Self.collection)
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let header = lines[0].split(separator: ",").map(String.init)
        // The names of the exchange's own ticker for this collection's columns.
        let renamed = ["instrument": "instrument_name", "ts_ms": "timestamp"]
        let greeks: Set = ["delta", "gamma", "vega", "theta", "rho"]
        let names = header.map { greeks.contains($0) ? "greeks.\($0)" : renamed[$0] ?? $0 }
        let rows = lines.dropFirst().filter { $0.hasPrefix("deribit,") }
        #expect(rows.count == 15)
        var badRows = BadRows(skip: false)
        let text = ([names.joined(separator: ",")] + rows.map(String.init)).joined(separator: "\n")
        try Self.check(try Chain(Source(name: Self.collection, text: text), &badRows).tickers, "tickers")
    }

    static func ticker(_ name: String, at timestamp: Int64, price: Double, volatility: Double) throws
        -> Ticker
    {
        let text = """
            instrument_name,timestamp,underlying_price,mark_iv,mark_price
            \(name),\(timestamp),\(price),\(volatility),0.1
            """
        var badRows = BadRows(skip: false)
        return try #require(Chain(Source(name: name, text: text), &badRows).tickers.first)
    }

    static func figures(_ ticker: Ticker) throws -> ExchangeGreeks {
        var badRows = BadRows(skip: false)
        let chain = try ChainGreeks([ticker], .all, &badRows)
        chain.compute(try GreeksEngine())
        return ExchangeGreeks(chain, row: 0)
    }

    /// A published ticker with all its figures: BTC-27SEP24-40000-C of 2023-11-10 05:18:31 UTC.
    @Test("One published ticker has all its published figures")
    func goldenTicker() throws {
        let own = try Self.figures(
            try Self.ticker("BTC-27SEP24-40000-C", at: 1_699_593_511_000, price: 39_165.86, volatility: 60.86)
        )
        #expect(abs(own.markPrice - 0.2169) < 5e-5)
        #expect(abs(own.delta - 0.59833) < 2e-5)
        #expect(abs(own.gamma - 0.00002) < 5e-6)
        #expect(abs(own.vega - 142.30124) < 2e-3)
        #expect(abs(own.theta - -13.4441) < 2e-3)
        #expect(abs(own.rho - 131.82621) < 4e-3)
        #expect(abs(own.netDelta - 0.381406) < 1e-6)
    }

    @Test("In the last half hour the delta of a position and its net delta fade together")
    func settlement() throws {
        let expiry = try #require(try Instrument(name: "BTC-27SEP24-40000-C").expiry)
        for minutesGone in [0, 15, 29] {
            let now = expiry.milliseconds - Int64(30 - minutesGone) * 60_000
            let own = try Self.figures(
                try Self.ticker("BTC-27SEP24-40000-C", at: now, price: 57_142.857142857145, volatility: 60))
            // Deep in the money: delta 1, mark 0.3.
            let left = 1 - Double(minutesGone) / 30
            #expect(abs(own.delta - 1) < 1e-12 && abs(own.markPrice - 0.3) < 1e-12)
            #expect(abs(own.settlementShare - left) < 1e-12)
            #expect(abs(own.netDelta - (left - 0.3 * left)) < 1e-12)
        }
    }
}
