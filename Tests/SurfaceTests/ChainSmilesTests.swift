import Foundation
import Greeks
import Market
import Surface
import TestSupport
import Testing

/// Quotes of smiles from chains written here. Prices come from Black's formula by the C library's erfc.
struct ChainSmilesTests {
    /// 2026-03-27 08:00 UTC less 36.5 days: a tenth of a year.
    static let time: Int64 = 1_774_598_400_000 - 3_153_600_000
    static let forward = 60_000.0
    static let years = 0.1

    static func black(_ strike: Double, _ volatility: Double, isCall: Bool) -> Double {
        func cdf(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }
        let deviation = volatility * years.squareRoot()
        let d1 = log(forward / strike) / deviation + deviation / 2
        let call = forward * cdf(d1) - strike * cdf(d1 - deviation)
        return isCall ? call : call - forward + strike
    }

    struct Row {
        var strike: Double
        var isCall: Bool
        /// Volatilities; nil for no such side.
        var bid: Double?
        var ask: Double?
        var seconds: Int64 = 0
        /// In coin, in place of the volatility's.
        var bidPrice: Double?
        var askPrice: Double?
    }

    static let strikes = stride(from: 40_000.0, through: 80_000, by: 5000)

    /// Both options of every strike, a smile of 2 points of spread.
    static func rows() -> [Row] {
        strikes.flatMap { strike in
            [true, false].map {
                Row(
                    strike: strike, isCall: $0, bid: volatility(strike) - 0.01, ask: volatility(strike) + 0.01
                )
            }
        }
    }

    static func volatility(_ strike: Double) -> Double {
        let k = log(strike / forward)
        return 0.6 - 0.1 * k + 0.4 * k * k
    }

    static func chain(
        _ rows: [Row], expiry: String = "27MAR26", index: String = "BTC-27MAR26", named: Double = forward
    ) throws -> Chain {
        var text = "instrument_name,timestamp,underlying_price,underlying_index,mark_iv,bids,asks\n"
        for row in rows {
            func side(_ volatility: Double?, _ price: Double?) -> String {
                guard
                    let price = price
                        ?? volatility.map({ black(row.strike, $0, isCall: row.isCall) / forward })
                else { return "[]" }
                return "\"[[\(price),10]]\""
            }
            text +=
                "BTC-\(expiry)-\(Int(row.strike))-\(row.isCall ? "C" : "P"),\(time - 1000 * row.seconds),\(named),"
            text += "\(index),60,\(side(row.bid, row.bidPrice)),\(side(row.ask, row.askPrice))\n"
        }
        var badRows = BadRows(skip: false)
        return try Chain(Source(name: "chain.csv", text: text), &badRows)
    }

    static func smile(_ chain: Chain, _ rules: ChainQuoteRules = ChainQuoteRules()) throws -> SmileQuotes {
        try #require(SmileQuotes.smiles(of: chain, try GreeksEngine(), rules).first)
    }

    @Test("Prices in coin come back as the volatilities they were made of; what is in the money is counted")
    func volatilities() throws {
        let smile = try Self.smile(try Self.chain(Self.rows()))
        #expect(abs(smile.years - 0.1) < 1e-12 && smile.forward == 60_000)
        #expect(smile.quotes.map(\.strike) == Array(Self.strikes))
        for quote in smile.quotes {
            let middle = Self.volatility(quote.strike)
            #expect(abs((quote.bid ?? 0) - middle + 0.01) < 1e-12)
            #expect(abs((quote.ask ?? 0) - middle - 0.01) < 1e-12)
        }
        #expect(smile.leftOut == [.inTheMoney: 9] && smile.refusedSides.isEmpty && !smile.hasFaults)
        #expect(smile.forwardSource == .future(name: "BTC-27MAR26"))
        let fit = SurfaceFit([smile], loss: .band, rule: .full).slices[0]
        #expect(fit.status == .ok && fit.quality?.dropped == 9 && fit.quality?.age == 0)
    }

    @Test(
        "A tick in volatility is that of the price by its vega; one of half a tick's change of price is half of it"
    )
    func ticks() throws {
        let smile = try Self.smile(try Self.chain(Self.rows()))
        for quote in smile.quotes {
            let middle = Self.volatility(quote.strike)
            let isCall = quote.strike >= Self.forward
            let price =
                (Self.black(quote.strike, middle - 0.01, isCall: isCall)
                    + Self.black(quote.strike, middle + 0.01, isCall: isCall)) / 2 / Self.forward
            // Deribit: 0.0001 coin, above 0.005 coin 0.0005.
            let tick = (price > 0.005 ? 0.0005 : 0.0001) * Self.forward
            let h = 1e-5
            let vega =
                (Self.black(quote.strike, middle + h, isCall: isCall)
                    - Self.black(quote.strike, middle - h, isCall: isCall)) / (2 * h)
            #expect(abs((quote.tick ?? 0) / (tick / vega) - 1) < 1e-6, "\(quote.strike)")
        }
        var rules = ChainQuoteRules()
        rules.tick = 0.001
        let own = try Self.smile(try Self.chain(Self.rows()), rules)
        let ratio = (own.quotes[4].tick ?? 0) / (smile.quotes[4].tick ?? 1)
        #expect(abs(ratio - 2) < 1e-12)
    }

    @Test("Each filter leaves out its kind and says so")
    func filters() throws {
        var rows = Self.rows()
        // Strike 40,000's put: a bid of a tenth of a tick.  45,000's put: old.  75,000's call: no bid.
        for place in rows.indices {
            switch (rows[place].strike, rows[place].isCall) {
            case (40_000, false): rows[place].bidPrice = 0.00001
            case (45_000, false): rows[place].seconds = 61
            case (75_000, true): rows[place].bid = nil
            default: break
            }
        }
        let chain = try Self.chain(rows)
        func leftOut(_ change: (inout ChainQuoteRules) -> Void) throws -> [QuoteExclusion: Int] {
            var rules = ChainQuoteRules()
            change(&rules)
            return try Self.smile(chain, rules).leftOut
        }
        #expect(try leftOut { _ in } == [.inTheMoney: 9])
        #expect(try leftOut { $0.maximumAge = 60 } == [.inTheMoney: 9, .stale: 1])
        #expect(try leftOut { $0.maximumAge = 61 } == [.inTheMoney: 9])
        #expect(try leftOut { $0.minimumTicks = 1 } == [.inTheMoney: 9, .belowTick: 2])
        #expect(try leftOut { $0.requiresTwoSides = true } == [.inTheMoney: 9, .oneSided: 1])
    }

    @Test(
        "A price that no volatility has is left out by the kernel's status, and the slice's status names it")
    func faults() throws {
        var rows = Self.rows()
        // The call at 80,000 for more than a coin, the one at 75,000 with both sides so.
        for place in rows.indices where rows[place].isCall {
            if rows[place].strike == 80_000 { rows[place].askPrice = 1.01 }
            if rows[place].strike == 75_000 { (rows[place].bidPrice, rows[place].askPrice) = (1.01, 1.02) }
        }
        let smile = try Self.smile(try Self.chain(rows))
        #expect(smile.refusedSides == [.aboveMaximum: 1] && smile.quotes.last?.ask == nil)
        #expect(smile.exclusions(.band) == [.inTheMoney: 9, .aboveMaximum: 1])
        #expect(smile.exclusions(.mid) == [.inTheMoney: 9, .aboveMaximum: 1, .oneSided: 1])
        let fit = SurfaceFit([smile], loss: .band, rule: .full).slices[0]
        #expect(fit.status == .badQuotes && fit.slice != nil && fit.quality?.quotes == 8)
        #expect(fit.quality?.dropped == 10)
    }

    @Test("Parity gives the forward that prices were made with, whatever the options name")
    func parity() throws {
        let chain = try Self.chain(Self.rows(), index: "SYN.BTC-27MAR26", named: 59_000)
        #expect(try Self.smile(chain).forward == 59_000)
        #expect(try Self.smile(chain).forwardSource == .synthetic(name: "SYN.BTC-27MAR26"))
        var rules = ChainQuoteRules()
        rules.forward = .parity
        let smile = try Self.smile(chain, rules)
        // Of the middles of two points of spread.
        #expect(abs(smile.forward / 60_000 - 1) < 1e-9)
        #expect(
            smile.forwardSource == .parity(strikes: [60_000, 65_000], reason: "asked for")
                || smile.forwardSource == .parity(strikes: [55_000, 60_000], reason: "asked for"))
        let range = try #require(smile.parityRange)
        #expect(range.contains(60_000) && !range.contains(59_000))
        #expect(smile.forwardDoubt == nil)
        let doubt = try #require(try Self.smile(chain).forwardDoubt)
        #expect(
            doubt.hasPrefix(
                "forward 59000 (options name SYN.BTC-27MAR26; no future is listed) lies outside of 5"))
        let own = OwnVolatilities(chain, try GreeksEngine())
        #expect(own.remarks.contains("chain.csv: surface of BTC-27MAR26: \(doubt)"))
        // Calls alone say nothing, and the expiry stays.
        let calls = try Self.smile(try Self.chain(Self.rows().filter(\.isCall)), rules)
        let fit = SurfaceFit([calls], loss: .band, rule: .full).slices[0]
        #expect(fit.status == .noForward && fit.slice == nil && fit.smile.forward.isNaN)
        #expect(calls.leftOut == [.noForward: 9] && !calls.hasFaults)
    }

    @Test("Rows that are skipped are counted in their slice, and a slice without another is named")
    func unreadable() throws {
        var text = "slice,years,forward,strike,bid_vol,ask_vol,tick_vol\n"
        for strike in stride(from: 80, through: 120, by: 5) {
            text += "A-1,0.25,100,\(strike),0.59,0.61,0.005\n"
        }
        text += "A-1,0.25,100,130,nonsense,0.61,\nB-1,0.25,-100,130,0.5,0.61,\nB-1,0.25,-100,140,0.5,0.61,\n"
        var badRows = BadRows(skip: true)
        let smiles = try SmileTable(Source(name: "quotes.csv", text: text), &badRows).smiles
        let fits = SurfaceFit(smiles, loss: .band, rule: .full).slices
        #expect(fits.map(\.smile.name) == ["A-1", "B-1"])
        #expect(fits[0].status == .badQuotes && fits[0].quality?.dropped == 1)
        #expect(fits[0].smile.leftOut == [.unreadable: 1])
        #expect(fits[1].status == .unreadable && fits[1].smile.leftOut == [.unreadable: 2])
    }

    @Test("Errors in half spreads and ticks are each quote's own")
    func quality() throws {
        // A flat smile of 60% but for one quote of 64% that outweighs nothing.
        let quotes =
            stride(from: 80.0, through: 120, by: 5).map {
                SmileQuote(strike: $0, bid: 0.59, ask: 0.61, weight: 1, tick: 0.004)
            } + [SmileQuote(strike: 100, bid: 0.62, ask: 0.66, weight: 1e-9, tick: 0.008)]
        let smile = SmileQuotes(name: "X", underlying: "X", years: 0.25, forward: 100, quotes: quotes)
        let quality = try #require(SurfaceFit([smile], loss: .mid, rule: .full).slices[0].quality)
        // One error of 4 points among ten quotes: 2 half spreads, 5 ticks.
        #expect(abs(quality.rootMeanSquare - 4 / 10.0.squareRoot()) < 1e-4)
        #expect(abs(quality.rootMeanSquareInHalfSpreads - 2 / 10.0.squareRoot()) < 1e-4)
        #expect(abs((quality.rootMeanSquareInTicks ?? 0) - 5 / 10.0.squareRoot()) < 1e-4)
        #expect(quality.largestErrorStrike == 100 && abs(quality.largestError - 4) < 1e-3)
        #expect(quality.age == nil)
    }
}
