import Checks
import Foundation
import Greeks
import Market
import Surface
import TestSupport
import Testing

/// Smiles of tables and chains, and how good a fit is said to be.
struct SmileInputTests {
    private static func table(_ text: String, skip: Bool = false) throws -> ([SmileQuotes], BadRows) {
        var badRows = BadRows(skip: skip)
        let table = try SmileTable(Source(name: "smiles.csv", text: text), &badRows)
        #expect(table.file == "smiles.csv")
        return (table.smiles, badRows)
    }

    private static let head = "slice,years,forward,strike,bid_vol,ask_vol"

    @Test(
        "A table's columns in any order; sides may be missing, weights are 1, the underlying is the slice's name before the dash"
    )
    func tables() throws {
        let (plain, _) = try Self.table(
            Self.head
                + "\nX-1,0.25,100,90,0.5,0.6\nY-1-a,0.5,50,55,,0.7\nX-1,0.25,100,110,0.4,\nZ,1,2,3,0.1,0.2\n")
        #expect(plain.map(\.name) == ["X-1", "Y-1-a", "Z"] && plain.map(\.underlying) == ["X", "Y", "Z"])
        #expect(plain.map(\.years) == [0.25, 0.5, 1] && plain.map(\.forward) == [100, 50, 2])
        #expect(
            plain[0].quotes == [
                SmileQuote(strike: 90, bid: 0.5, ask: 0.6), SmileQuote(strike: 110, bid: 0.4, ask: nil),
            ])
        #expect(plain[1].quotes == [SmileQuote(strike: 55, bid: nil, ask: 0.7, weight: 1)])
        let (whole, _) = try Self.table(
            """
            weight,underlying,ask_vol,bid_vol,strike,forward,years,slice
            2.5,A,0.6,0.5,90,100,0.25,X-1
            ,A,0.7,0.6,80,100,0.25,X-1
            0,,0.7,0.6,80,100,0.25,X-2

            """)
        #expect(whole.map(\.underlying) == ["A", "X"])
        #expect(whole[0].quotes.map(\.weight) == [2.5, 1] && whole[1].quotes.map(\.weight) == [0])
    }

    @Test(
        "What a row has wrong is refused by line and column, or skipped",
        arguments: [
            ["X,0.25,100,90,0.5,0.6\nX,0.26,100,95,0.5,0.6", "3", "years"],
            ["X,0.25,100,90,0.5,0.6\nX,0.25,101,95,0.5,0.6", "3", "forward"],
            ["X,0,100,90,0.5,0.6", "2", "years"], ["X,0.25,0,90,0.5,0.6", "2", "forward"],
            ["X,0.25,100,0,0.5,0.6", "2", "strike"], ["X,0.25,100,90,-0.5,0.6", "2", "bid_vol"],
            ["X,0.25,100,90,0.5,-0.6", "2", "ask_vol"], [",0.25,100,90,0.5,0.6", "2", "slice"],
            ["X,0.25,100,,0.5,0.6", "2", "strike"],
        ])
    func badRows(_ parts: [String]) throws {
        let text = Self.head + "\n" + parts[0] + "\nY,1,100,90,0.5,0.6\n"
        let error = try #require(throws: MarketError.self) { try Self.table(text) }
        #expect("\(error)".hasPrefix("smiles.csv:\(parts[1]):") && error.field == parts[2], "\(error)")
        let (smiles, badRows) = try Self.table(text, skip: true)
        let read = smiles.filter { !$0.quotes.isEmpty }
        #expect(badRows.skipped.count == 1 && read.last?.name == "Y")
        #expect(read.count == (parts[1] == "3" ? 2 : 1))
        // A slice of which nothing is left is there all the same.
        #expect(smiles.count == (parts[2] == "slice" ? 1 : 2))
    }

    @Test("Weights and underlyings of rows are checked like the rest; a column that is missing is named")
    func badColumns() throws {
        let head = Self.head + ",weight,underlying\n"
        for (row, field) in [
            ("X,1,100,90,0.5,0.6,-1,A\n", "weight"),
            ("X,1,100,90,0.5,0.6,1,A\nX,1,100,95,0.5,0.6,1,B\n", "underlying"),
        ] {
            let error = #expect(throws: MarketError.self) { try Self.table(head + row) }
            #expect(error?.field == field)
        }
        for column in ["slice", "years", "forward", "strike", "bid_vol", "ask_vol"] {
            let text = Self.head.replacingOccurrences(of: column, with: "other") + "\nX,1,100,90,0.5,0.6\n"
            let error = #expect(throws: MarketError.self) { try Self.table(text) }
            #expect(error.map { "\($0)" }?.contains(column) == true)
        }
    }

    // MARK: Chains

    private static let chain = """
        instrument_name,timestamp,underlying_price,index_price,mark_iv,mark_price,best_bid_price,best_bid_amount,best_ask_price,best_ask_amount
        BTC-26JUN26-60000-C,1772443800000,60500,60000,60,0.09,0.085,1,0.095,1
        BTC-26JUN26-60000-P,1772443800000,60500,60000,60,0.08,0.077,1,0.083,1
        BTC-26JUN26-70000-C,1772443800000,60500,60000,58,0.04,0.038,1,0.042,1
        BTC-26JUN26-65000-C,1772443801000,60600,60000,58,0.06,,,0.065,1
        BTC-26JUN26-50000-P,1772443800000,60500,60000,65,0.03,0.028,1,,
        BTC-26JUN26-45000-P,1772443800000,60500,60000,65,0.02,,,,
        BTC-26JUN26-60600-P,1772443800000,60500,60000,60,0.08,0.077,1,0.083,1
        BTC-26JUN26-60600-C,1772443800000,60500,60000,60,0.08,0.075,1,0.084,1
        BTC-27MAR26-60000-P,1772443800000,60400,60000,55,0.03,0.028,1,0.032,1
        BTC_USDC-27MAR26-60000-P,1772443800000,60400,60000,55,1800,1700,1,1900,1
        ETH-27MAR26-3000-C,1772443800000,3000,3000,70,0.06,0.05,1,0.07,1
        BTC-PERPETUAL,1772443800000,,60000,,60010,60000,1,60020,1

        """

    @Test(
        "A chain's smiles: options out of the money by the latest future, sides as volatilities of their prices"
    )
    func chains() throws {
        var badRows = BadRows(skip: false)
        let chain = try Chain(Source(name: "chain.csv", text: Self.chain), &badRows)
        let engine = try GreeksEngine()
        let smiles = SmileQuotes.smiles(of: chain, engine)
        // By underlying, then by time.
        #expect(smiles.map(\.name) == ["BTC-27MAR26", "BTC-26JUN26", "BTC_USDC-27MAR26", "ETH-27MAR26"])
        #expect(smiles.map(\.underlying) == ["BTC", "BTC", "BTC_USDC", "ETH"])
        #expect(smiles.map(\.forward) == [60_400, 60_600, 60_400, 3000])
        let june = smiles[1]
        // Of the latest row, to 08:00 of 26 June.
        #expect(abs(june.years - (1_782_460_800 - 1_772_443_801) / (365 * 86400.0)) < 1e-15)
        // Puts below the forward, calls from it on; no side at all is no quote.
        #expect(june.quotes.map(\.strike) == [50_000, 60_000, 60_600, 65_000, 70_000])
        #expect(june.quotes.map { $0.bid != nil } == [true, true, true, false, true])
        #expect(june.quotes.map { $0.ask != nil } == [false, true, true, true, true])
        #expect(june.quotes.allSatisfy { $0.weight == 1 })
        func price(_ smile: SmileQuotes, _ strike: Double, _ volatility: Double, isCall: Bool) -> Double {
            let deviation = volatility * smile.years.squareRoot()
            let d1 = log(smile.forward / strike) / deviation + deviation / 2
            func tail(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
            let sign = isCall ? 1.0 : -1
            return sign * (smile.forward * tail(sign * d1) - strike * tail(sign * (d1 - deviation)))
        }
        for (strike, isCall, bid, ask) in [
            (50_000.0, false, 0.028, nil as Double?), (60_000, false, 0.077, 0.083),
            (60_600, true, 0.075, 0.084),
            (65_000, true, nil, 0.065), (70_000, true, 0.038, 0.042),
        ] as [(Double, Bool, Double?, Double?)] {
            let quote = try #require(june.quotes.first { $0.strike == strike })
            for (volatility, coins) in [(quote.bid, bid), (quote.ask, ask)] {
                guard let volatility, let coins else { continue }
                #expect(
                    abs(price(june, strike, volatility, isCall: isCall) - coins * 60_600) < 1e-6, "\(strike)")
            }
        }
        // Options that settle in dollars have their price in dollars.
        let linear = try #require(smiles[2].quotes.first)
        #expect(abs(price(smiles[2], 60_000, linear.bid ?? .nan, isCall: false) - 1700) < 1e-6)
        #expect(abs(price(smiles[2], 60_000, linear.ask ?? .nan, isCall: false) - 1900) < 1e-6)
    }

    // MARK: Quality

    @Test("Quality in points: root mean square, largest error and share inside, of the quotes that count")
    func quality() throws {
        // On a flat slice of 40% in 21 strikes, two quotes are moved: by 2 points up, and a wide one by 1 point down.
        var quotes = (-10...10).map {
            SmileQuote(strike: 100 * exp(0.05 * Double($0)), bid: 0.395, ask: 0.405)
        }
        quotes[3] = SmileQuote(strike: quotes[3].strike, bid: 0.415, ask: 0.425)
        quotes[16] = SmileQuote(strike: quotes[16].strike, bid: 0.37, ask: 0.41)
        quotes += [
            SmileQuote(strike: 70, bid: 0.3, ask: nil), SmileQuote(strike: 71, bid: nil, ask: 0.39),
            SmileQuote(strike: 72, bid: 0.5, ask: 0.4), SmileQuote(strike: 73, bid: 0.3, ask: 0.5, weight: 0),
        ]
        let smile = SmileQuotes(name: "X", underlying: "X", years: 0.5, forward: 100, quotes: quotes)
        for loss in SmileLoss.allCases {
            let fit = SurfaceFit([smile], loss: loss, rule: .none).slices[0]
            let (slice, quality) = try (#require(fit.slice), #require(fit.quality))
            #expect(quality.quotes == (loss == .band ? 23 : 21) && quality.dropped == (loss == .band ? 2 : 4))
            var (sum, largest, inside) = (0.0, 0.0, 0)
            for quote in quotes.prefix(loss == .band ? 23 : 21) {
                let volatility = slice.volatility(at: log(quote.strike / 100), years: 0.5)
                if let bid = quote.bid, let ask = quote.ask {
                    let error = 100 * (volatility - (bid + ask) / 2)
                    sum += error * error
                    largest = max(largest, abs(error))
                }
                if volatility >= (quote.bid ?? 0) - 1e-4, volatility <= (quote.ask ?? 9) + 1e-4 {
                    inside += 1
                }
            }
            #expect(abs(quality.rootMeanSquare - (sum / 21).squareRoot()) < 1e-12)
            #expect(abs(quality.largestError - largest) < 1e-12 && largest > 1.5)
            #expect(abs(quality.insideShare - Double(inside) / Double(quality.quotes)) < 1e-15)
            #expect(inside < quality.quotes && inside > quality.quotes / 2)
        }
    }

    @Test("A hundredth of a point outside of bid or ask still counts as inside, twice that does not")
    func inside() throws {
        func share(_ bid: Double, _ ask: Double) throws -> Double {
            // The one-sided loss of mids leaves the slice on the other ten.
            var quotes = (-5...5).map { SmileQuote(strike: 100 * exp(0.1 * Double($0)), bid: 0.4, ask: 0.4) }
            quotes[2] = SmileQuote(strike: quotes[2].strike, bid: bid, ask: ask, weight: 1e-9)
            let smile = SmileQuotes(name: "X", underlying: "X", years: 0.5, forward: 100, quotes: quotes)
            let fit = SurfaceFit([smile], loss: .mid, rule: .none).slices[0]
            return try #require(fit.quality).insideShare
        }
        #expect(try share(0.40008, 0.5) == 1)
        #expect(try share(0.40012, 0.5) < 0.95)
        #expect(try share(0.3, 0.39992) == 1)
        #expect(try share(0.3, 0.39988) < 0.95)
    }

    @Test("Gaps between neighbours by time, whatever the order of the smiles; none where a wing is flatter")
    func gaps() throws {
        func smile(_ name: String, _ years: Double, _ slice: SVISlice, _ underlying: String = "X")
            -> SmileQuotes
        {
            SmileQuotes(
                name: name, underlying: underlying, years: years, forward: 100,
                quotes: (-8...8).map {
                    let volatility = slice.volatility(at: 0.08 * Double($0), years: years)
                    return SmileQuote(strike: 100 * exp(0.08 * Double($0)), bid: volatility, ask: volatility)
                })
        }
        let one = SVISlice(a: 0.03, b: 0.2, rho: -0.35, m: 0.03, sigma: 0.15)
        let flatter = SVISlice(a: 0.08, b: 0.19, rho: -0.35, m: 0.03, sigma: 0.15)
        let smiles = [
            smile("late", 1, flatter), smile("Y", 0.1, one, "Y"), smile("early", 0.25, one),
            smile("middle", 0.5, one.scaled(by: 1.25)),
        ]
        let fit = SurfaceFit(smiles, loss: .mid, rule: .none)
        #expect(fit.slices.map(\.smile.name) == ["late", "Y", "early", "middle"])
        #expect(
            fit.calendar.map(\.earlier) == ["early", "middle"]
                && fit.calendar.map(\.later) == ["middle", "late"])
        // A quarter of the least variance of the earlier one.
        #expect(abs((fit.calendar[0].least?.value ?? .nan) - 0.25 * one.leastVariance) < 1e-8)
        #expect(fit.calendar[1].least == nil)
    }
}
