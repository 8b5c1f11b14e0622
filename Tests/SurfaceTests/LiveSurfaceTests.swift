import Foundation
import Surface
import TestSupport
import Testing

struct LiveSurfaceTests {
    /// Smiles with noise: several expiries of one underlying, out of order.
    private static func smiles(_ generator: inout SeededGenerator, expiries: Int = 4) -> [SmileQuotes] {
        (0..<expiries).reversed().map { expiry in
            let years = 0.02 * pow(2.5, Double(expiry))
            let width = 0.6 * years.squareRoot()
            let slice = SVISlice(
                a: 0.16 * years, b: 0.2 * years.squareRoot(), rho: -0.3, m: 0.1 * width, sigma: 0.5 * width)
            return SmileQuotes(
                name: "X-\(expiry)", underlying: "X", years: years, forward: 100 + Double(expiry),
                quotes: (-8...8).map { place in
                    let k = width * Double(place) / 4
                    let spread = 0.01 + 0.01 * abs(k) / width
                    let noise = 0.2 * spread * Double.random(in: -1...1, using: &generator)
                    let middle = slice.volatility(at: k, years: years) + noise
                    return SmileQuote(
                        strike: (100 + Double(expiry)) * exp(k), bid: middle - spread / 2,
                        ask: middle + spread / 2)
                })
        }
    }

    private static func refit(_ surface: inout LiveSurface, _ volatilities: inout [Double]) throws -> Int {
        var span = volatilities.mutableSpan
        return try surface.refit(into: &span)
    }

    /// Moves all middles of a slice together, and each by itself; returns the smile.
    private static func jitter(
        _ surface: inout LiveSurface, _ smile: SmileQuotes, _ place: Int, _ generator: inout SeededGenerator
    ) throws -> SmileQuotes {
        let shift = 0.002 * Double.random(in: -1...1, using: &generator)
        var quotes: [SmileQuote] = []
        for (row, quote) in smile.quotes.enumerated() {
            let own = 0.002 * Double.random(in: -1...1, using: &generator)
            let moved = SmileQuote(
                strike: quote.strike, bid: quote.bid.map { $0 + shift + own },
                ask: quote.ask.map { $0 + shift + own })
            try surface.setQuote(
                bid: moved.bid, ask: moved.ask, ofContract: surface.slices[place].contracts.lowerBound + row)
            quotes.append(moved)
        }
        return SmileQuotes(
            name: smile.name, underlying: "X", years: smile.years, forward: smile.forward, quotes: quotes)
    }

    private static func loss(_ smile: SmileQuotes, _ slice: SVISlice, _ kind: SmileLoss) -> Double {
        smile.quotes.reduce(0) { sum, quote in
            guard let bid = quote.bid, let ask = quote.ask else { return sum }
            let volatility = slice.volatility(at: log(quote.strike / smile.forward), years: smile.years)
            let distance = volatility - (bid + ask) / 2
            if kind == .mid { return sum + distance * distance }
            let half = max((ask - bid) / 2, 0.001)
            if kind == .spread { return sum + distance * distance / (half * half) }
            let outside = max(0, bid - volatility, volatility - ask) / half
            return sum + outside * outside + 0.01 * distance / half * distance / half
        }
    }

    @Test(
        "A thousand ticks: a slice that is not unsure is as good as from all starts, and errors don't jump",
        arguments: SmileLoss.allCases)
    func warmIsCold(_ kind: SmileLoss) throws {
        var generator = SeededGenerator(seed: 21)
        var smiles = Self.smiles(&generator, expiries: 2).sorted { $0.years < $1.years }
        var surface = try LiveSurface(smiles.reversed(), loss: kind, rule: .none)
        var volatilities = Array(repeating: 0.0, count: surface.contractCount)
        var counts: [String: Int] = [:]
        var errors = [0.0, 0.0]
        for step in 0..<1000 {
            let place = step % 2
            let before = smiles[place]
            smiles[place] = try Self.jitter(&surface, before, place, &generator)
            let count = try Self.refit(&surface, &volatilities)
            #expect(count == 1)
            let live = surface.slices[place]
            counts["\(live.state)", default: 0] += 1
            let cold = try #require(SurfaceFit([smiles[place]], loss: kind, rule: .none).slices[0].slice)
            let (own, best) = (
                Self.loss(smiles[place], live.slice, kind), Self.loss(smiles[place], cold, kind)
            )
            #expect(abs(live.loss - own) < 1e-9 * own)
            if live.state != .unsure { #expect(own <= best * (1 + 1e-6), "\(step): \(own / best - 1)") }
            // Of the middles: it moves with the quotes, not by itself.
            let error = (Self.loss(smiles[place], live.slice, .mid) / 17).squareRoot()
            if errors[place] > 0 {
                let moved = zip(smiles[place].quotes, before.quotes).reduce(0.0) {
                    $0 + pow(($1.0.bid ?? 0) - ($1.1.bid ?? 0), 2)
                }
                let slack = (moved / 17).squareRoot()
                #expect(error < 1.5 * errors[place] + slack, "\(step)")
            }
            errors[place] = error
            for (row, quote) in zip(live.contracts, smiles[place].quotes) {
                let k = log(quote.strike / live.forward)
                #expect(abs(volatilities[row] - live.slice.volatility(at: k, years: live.years)) < 1e-13)
            }
        }
        #expect(counts["unsure", default: 0] < 50, "\(counts)")
        #expect(counts["warm", default: 0] > 500, "\(counts)")
    }

    @Test(
        "A surface without arbitrage stays free of it on every tick, near the best from all starts",
        arguments: SmileLoss.allCases)
    func freeOfArbitrage(_ kind: SmileLoss) throws {
        var generator = SeededGenerator(seed: 22)
        var smiles = Self.smiles(&generator).sorted { $0.years < $1.years }
        // The third lies too low for the second.
        smiles[2] = SmileQuotes(
            name: "X-2", underlying: "X", years: smiles[2].years, forward: smiles[2].forward,
            quotes: smiles[2].quotes.map {
                SmileQuote(strike: $0.strike, bid: $0.bid.map { 0.6 * $0 }, ask: $0.ask.map { 0.6 * $0 })
            })
        var surface = try LiveSurface(smiles, loss: kind, rule: .full)
        var volatilities = Array(repeating: 0.0, count: surface.contractCount)
        var kept = 0
        for step in 0..<100 {
            let place = step % 4
            smiles[place] = try Self.jitter(&surface, smiles[place], place, &generator)
            _ = try Self.refit(&surface, &volatilities)
            #expect(try surface.surface().certificate.slices.allSatisfy { $0 == .free })
            #expect(try surface.surface().certificate.calendar.allSatisfy { $0 == .free })
            if surface.slices[place].state == .kept { kept += 1 }
            if step % 10 == 9 {
                let cold = SurfaceFit(smiles, loss: kind, rule: .full)
                var (own, best) = (0.0, 0.0)
                for (index, smile) in smiles.enumerated() {
                    own += Self.loss(smile, surface.slices[index].slice, kind)
                    best += Self.loss(smile, try #require(cold.slices[index].slice), kind)
                }
                #expect(own <= best * 1.001, "\(step): \(own / best)")
            }
        }
        #expect(kept < 5, "\(kept)")
    }

    @Test("A jump of all quotes is followed as well as from all starts")
    func jump() throws {
        var generator = SeededGenerator(seed: 23)
        let smiles = Self.smiles(&generator).sorted { $0.years < $1.years }
        var surface = try LiveSurface(smiles, loss: .mid, rule: .none)
        var volatilities = Array(repeating: 0.0, count: surface.contractCount)
        _ = try Self.refit(&surface, &volatilities)
        for (place, smile) in smiles.enumerated() {
            var quotes: [SmileQuote] = []
            for (row, quote) in smile.quotes.enumerated() {
                // Another skew and twice the level.
                let add = 0.5 + 0.4 * log(quote.strike / smile.forward) / smile.years.squareRoot()
                let moved = SmileQuote(
                    strike: quote.strike, bid: quote.bid.map { $0 + max(0, add) },
                    ask: quote.ask.map { $0 + max(0, add) })
                quotes.append(moved)
                try surface.setQuote(
                    bid: moved.bid, ask: moved.ask,
                    ofContract: surface.slices[place].contracts.lowerBound + row)
            }
            let count = try Self.refit(&surface, &volatilities)
            #expect(count == 1)
            let new = SmileQuotes(
                name: "X", underlying: "X", years: smile.years, forward: smile.forward, quotes: quotes)
            let cold = try #require(SurfaceFit([new], loss: .mid, rule: .none).slices[0].slice)
            let own = Self.loss(new, surface.slices[place].slice, .mid)
            #expect(own <= Self.loss(new, cold, .mid) * (1 + 1e-6), "\(place)")
        }
    }

    @Test("A forward and time that move change the volatilities of all strikes of their slice alone")
    func forwards() throws {
        var generator = SeededGenerator(seed: 24)
        let smiles = Self.smiles(&generator).sorted { $0.years < $1.years }
        var surface = try LiveSurface(smiles, loss: .mid, rule: .none)
        var volatilities = Array(repeating: -1.0, count: surface.contractCount)
        #expect(try Self.refit(&surface, &volatilities) == 0 && volatilities[0] == -1)
        try surface.setForward(101.5, years: smiles[1].years * 0.99, ofSlice: 1)
        #expect(try Self.refit(&surface, &volatilities) == 1)
        let moved = SmileQuotes(
            name: "X", underlying: "X", years: smiles[1].years * 0.99, forward: 101.5,
            quotes: smiles[1].quotes)
        let cold = try #require(SurfaceFit([moved], loss: .mid, rule: .none).slices[0].slice)
        for row in 0..<surface.contractCount {
            if let quote = surface.slices[1].contracts.contains(row) ? smiles[1].quotes[row - 17] : nil {
                let k = log(quote.strike / 101.5)
                #expect(abs(volatilities[row] - cold.volatility(at: k, years: moved.years)) < 1e-6)
            } else {
                #expect(volatilities[row] == -1)
            }
        }
    }

    @Test("Too few quotes keep a slice as it was, and say so; more bring it back")
    func tooFew() throws {
        var generator = SeededGenerator(seed: 25)
        let smiles = Self.smiles(&generator).sorted { $0.years < $1.years }
        var surface = try LiveSurface(smiles, loss: .band, rule: .full)
        var volatilities = Array(repeating: 0.0, count: surface.contractCount)
        _ = try Self.refit(&surface, &volatilities)
        let before = surface.slices[0].slice
        for row in 4..<17 { try surface.setQuote(bid: nil, ask: 9, ofContract: row) }
        _ = try Self.refit(&surface, &volatilities)
        #expect(surface.slices[0].state == .tooFewQuotes && surface.slices[0].slice == before)
        for row in 4..<17 {
            let quote = smiles[0].quotes[row]
            try surface.setQuote(bid: quote.bid, ask: quote.ask, ofContract: row)
        }
        _ = try Self.refit(&surface, &volatilities)
        #expect(surface.slices[0].state == .warm)
    }

    @Test(
        "From all starts, slices are those of a new surface of the latest quotes, whether they were refitted or not",
        arguments: ArbitrageRule.allCases)
    func allStarts(_ rule: ArbitrageRule) throws {
        var generator = SeededGenerator(seed: 27)
        var smiles = Self.smiles(&generator).sorted { $0.years < $1.years }
        var surface = try LiveSurface(smiles, loss: .mid, rule: rule)
        for place in smiles.indices {
            // Upside down: nothing is near any more.
            let quotes = smiles[place].quotes
            let turned = zip(quotes, quotes.reversed()).map { quote, other in
                SmileQuote(strike: quote.strike, bid: other.bid, ask: other.ask)
            }
            smiles[place] = SmileQuotes(
                name: smiles[place].name, underlying: "X", years: smiles[place].years,
                forward: smiles[place].forward, quotes: turned)
            for (row, quote) in zip(surface.slices[place].contracts, turned) {
                try surface.setQuote(bid: quote.bid, ask: quote.ask, ofContract: row)
            }
        }
        #expect(surface.refitFromAllStarts() > 1)
        let cold = SurfaceFit(smiles, loss: .mid, rule: rule)
        for (live, found) in zip(surface.slices, cold.slices) {
            let slice = try #require(found.slice)
            #expect(live.state == .cold)
            #expect(abs(live.loss / Self.loss(found.smile, slice, .mid) - 1) < 1e-9)
            #expect(abs(live.loss / Self.loss(found.smile, live.slice, .mid) - 1) < 1e-9)
        }
        var volatilities = Array(repeating: 0.0, count: surface.contractCount)
        #expect(try Self.refit(&surface, &volatilities) == 4)
        #expect(abs(surface.refitFromAllStarts()) < 1e-6)
    }

    @Test("A slice with too few quotes stays as it was, and keeps no other from a fit from all starts")
    func allStartsOfOthers() throws {
        var generator = SeededGenerator(seed: 28)
        let smiles = Self.smiles(&generator).sorted { $0.years < $1.years }
        for rule in ArbitrageRule.allCases {
            var surface = try LiveSurface(smiles, loss: .mid, rule: rule)
            let before = surface.slices[0].slice
            for row in 4..<17 { try surface.setQuote(bid: nil, ask: 9, ofContract: row) }
            for place in 1..<4 {
                for (row, quote) in zip(surface.slices[place].contracts, smiles[place].quotes) {
                    try surface.setQuote(
                        bid: quote.bid.map { 1.3 * $0 }, ask: quote.ask.map { 1.3 * $0 }, ofContract: row)
                }
            }
            #expect(surface.refitFromAllStarts() > 1)
            #expect(surface.slices[0].state == .tooFewQuotes && surface.slices[0].slice == before)
            #expect(surface.slices[1...].allSatisfy { $0.state == .cold })
        }
    }

    @Test("Quotes that are met exactly are compared without a number that is none")
    func allStartsOfExactQuotes() throws {
        let slice = SVISlice(a: 0.03, b: 0, rho: 0, m: 0, sigma: 0.15)
        let smile = SmileQuotes(
            name: "X-0", underlying: "X", years: 0.25, forward: 100,
            quotes: (-4...4).map {
                let volatility = slice.volatility(at: 0, years: 0.25)
                return SmileQuote(strike: 100 + 5 * Double($0), bid: volatility, ask: volatility)
            })
        var surface = try LiveSurface([smile], loss: .mid, rule: .none)
        #expect(!surface.refitFromAllStarts().isNaN)
        for row in 0..<9 { try surface.setQuote(bid: nil, ask: nil, ofContract: row) }
        #expect(surface.refitFromAllStarts() == 0)
    }

    @Test("Contracts are found, and what is no quote is refused")
    func refusals() throws {
        var generator = SeededGenerator(seed: 26)
        let smiles = Self.smiles(&generator)
        var surface = try LiveSurface(smiles, loss: .mid, rule: .none)
        #expect(surface.slices.map(\.name) == ["X-0", "X-1", "X-2", "X-3"])
        #expect(surface.contract(slice: "X-2", strike: 102) == 2 * 17 + 8)
        #expect(
            surface.contract(slice: "X-2", strike: 99) == nil
                && surface.contract(slice: "Y", strike: 1) == nil)
        #expect(surface.slice(ofContract: 34) == 2 && surface.slice(ofContract: 33) == 1)
        #expect(surface.slice(ofContract: -1) == nil && surface.slice(ofContract: 68) == nil)
        func complaint(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return ""
        }
        #expect(
            complaint { try surface.setQuote(bid: 1, ask: 2, ofContract: 68) } == "contract: 68: is not there"
        )
        #expect(
            complaint { try surface.setQuote(bid: .nan, ask: 2, ofContract: 0) }
                == "X-0: bid_vol: nan: must be at least 0 and finite")
        #expect(
            complaint { try surface.setQuote(bid: 1, ask: -2, ofContract: 17) }
                == "X-1: ask_vol: -2.0: must be at least 0 and finite")
        #expect(
            complaint { try surface.setForward(0, ofSlice: 1) }
                == "X-1: forward: 0.0: must be above 0 and finite")
        #expect(
            complaint { try surface.setForward(1, years: 9, ofSlice: 1) }
                == "X-1: years: expires together with X-2")
        var short = [0.0]
        #expect(
            complaint { _ = try Self.refit(&surface, &short) }
                == "volatilities: 1: must have as many rows as the others, 68")
        #expect(complaint { _ = try LiveSurface([]) } == "surface: underlying: has no fitted slice")
    }
}
