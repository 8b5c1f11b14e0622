import Foundation
import Surface
import TestSupport
import Testing

struct FitTests {
    private static func smile(
        _ slice: SVISlice, name: String = "X", underlying: String = "X", years: Double = 0.25,
        spread: Double = 0.01,
        strikes: [Double] = (-10...10).map { 0.05 * Double($0) }
    ) -> SmileQuotes {
        SmileQuotes(
            name: name, underlying: underlying, years: years, forward: 100,
            quotes: strikes.map { k in
                let volatility = slice.volatility(at: k, years: years)
                return SmileQuote(strike: 100 * exp(k), bid: volatility - spread, ask: volatility + spread)
            })
    }

    private static let plain = SVISlice(a: 0.03, b: 0.2, rho: -0.35, m: 0.03, sigma: 0.15)

    private static func midLoss(_ smile: SmileQuotes, _ slice: SVISlice) -> Double {
        smile.quotes.reduce(0) { sum, quote in
            guard let bid = quote.bid, let ask = quote.ask else { return sum }
            let k = log(quote.strike / smile.forward)
            let error = slice.volatility(at: k, years: smile.years) - (bid + ask) / 2
            return sum + error * error
        }
    }

    @Test(
        "By hand: wings first, no more than is needed; where they are not enough the width; or else nothing")
    func mended() throws {
        let vogt = SVISlice(a: -0.041, b: 0.1331, rho: 0.306, m: 0.3586, sigma: 0.4153)
        let (vector, repair) = try #require(SurfaceFit.mended(vogt))
        let slice = SVISlice(vector)
        #expect(repair == .jumpWings && slice.butterfly == .free && slice.leastDurrleman.value < 1e-6)
        let (one, other) = (JumpWings(vogt, years: 1), JumpWings(slice, years: 1))
        #expect(abs(one.variance - other.variance) < 1e-12 && abs(one.skew - other.skew) < 1e-12)
        #expect(abs(one.leftWing - other.leftWing) < 1e-12 && other.rightWing < one.rightWing)

        let sharp = SVISlice(a: 2e-4, b: 0.4, rho: -0.6, m: 0, sigma: 0.002)
        let (wider, zoom) = try #require(SurfaceFit.mended(sharp))
        let wide = SVISlice(wider)
        #expect(zoom == .zoom && wide.butterfly == .free && wide.leastDurrleman.value < 1e-6)
        let factor = wide.sigma / sharp.sigma
        #expect(factor > 1 && abs(wide.a / sharp.a - factor) < 1e-9 * factor && abs(wide.b - sharp.b) < 1e-15)

        #expect(SurfaceFit.mended(SVISlice(a: 0.01, b: 1.2, rho: -0.99, m: 0, sigma: 0.02)) == nil)
    }

    @Test(
        "What is mended by hand is proved to be free of butterflies as the fit returns it, not before rounding"
    )
    func mendedAsReturned() {
        var generator = SeededGenerator(seed: 11)
        func random(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &generator) }
        var count = 0
        for _ in 0..<1000 {
            let (b, rho, sigma) = (
                pow(10, random(-3...(-0.3))), random(-0.95...0.95), pow(10, random(-3...0))
            )
            let least = pow(10, random(-5...(-2)))
            let slice = SVISlice(
                a: least - b * sigma * (1 - rho * rho).squareRoot(), b: b, rho: rho, m: random(-0.5...0.5),
                sigma: sigma)
            guard slice.butterfly != .free, let (vector, _) = SurfaceFit.mended(slice) else { continue }
            count += 1
            #expect(SVISlice(vector).butterfly == .free, "\(slice)")
        }
        #expect(count > 100)
    }

    /// Slices of which the least place lies among strikes from −0.5 to 0.5.
    private static func random(_ generator: inout SeededGenerator) -> SVISlice {
        func random(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &generator) }
        let (b, rho, sigma) = (random(0.05...0.4), random(-0.7...0.7), random(0.05...0.25))
        let least = random(0.01...0.1)
        return SVISlice(
            a: least - b * sigma * (1 - rho * rho).squareRoot(), b: b, rho: rho, m: random(-0.15...0.15),
            sigma: sigma)
    }

    @Test("Quotes on a slice give its parameters back, under either loss", arguments: SmileLoss.allCases)
    func exact(_ loss: SmileLoss) throws {
        var generator = SeededGenerator(seed: 31)
        for round in 0..<100 {
            let slice = round == 0 ? Self.plain : Self.random(&generator)
            let fit = SurfaceFit([Self.smile(slice)], loss: loss, rule: .none).slices[0]
            let found = try #require(fit.slice)
            #expect(fit.status == .ok)
            let worst = [
                found.a - slice.a, found.b - slice.b, found.rho - slice.rho, found.m - slice.m,
                found.sigma - slice.sigma,
            ].reduce(0) { max($0, $1.magnitude) }
            #expect(worst < 1e-8, "\(round): \(found), not \(slice)")
        }
    }

    @Test(
        "A smile seen from the other side is fitted by the slice seen from there",
        arguments: SmileLoss.allCases)
    func mirror(_ loss: SmileLoss) throws {
        var generator = SeededGenerator(seed: 32)
        for round in 0..<50 {
            let exact = Self.smile(Self.random(&generator))
            let quotes = exact.quotes.map { quote in
                let noise = 0.004 * Double.random(in: -1...1, using: &generator)
                return SmileQuote(
                    strike: quote.strike, bid: quote.bid.map { $0 + noise }, ask: quote.ask.map { $0 + noise }
                )
            }
            let (one, other) = try (
                Self.slice(quotes, loss),
                Self.slice(
                    quotes.reversed().map {
                        SmileQuote(strike: 100 * 100 / $0.strike, bid: $0.bid, ask: $0.ask)
                    }, loss)
            )
            for k in [-0.5, -0.2, 0, 0.2, 0.5] {
                let miss = one.volatility(at: k, years: 0.25) - other.volatility(at: -k, years: 0.25)
                #expect(abs(miss) < 1e-8, "\(round), \(k): \(miss)")
            }
        }
    }

    private static func slice(_ quotes: [SmileQuote], _ loss: SmileLoss) throws -> SVISlice {
        let smile = SmileQuotes(name: "X", underlying: "X", years: 0.25, forward: 100, quotes: quotes)
        return try #require(SurfaceFit([smile], loss: loss, rule: .none).slices[0].slice)
    }

    @Test("Noisy smiles from twenty minutes to a year are fitted as well as scipy's best of forty starts")
    func noisy() throws {
        var smiles: [String: (years: Double, forward: Double, quotes: [SmileQuote], loss: Double)] = [:]
        for row in try Fixture("smiles.csv").rows {
            let quote = SmileQuote(strike: row("strike"), bid: row("bid"), ask: row("ask"))
            smiles[row.text("name"), default: (row("years"), row("forward"), [], row("loss"))].quotes.append(
                quote)
        }
        #expect(smiles.count == 8)
        for (name, smile) in smiles {
            let quotes = SmileQuotes(
                name: name, underlying: name, years: smile.years, forward: smile.forward, quotes: smile.quotes
            )
            let slice = try #require(SurfaceFit([quotes], loss: .mid, rule: .none).slices[0].slice)
            let loss = Self.midLoss(quotes, slice)
            #expect(loss <= smile.loss * (1 + 1e-6), "\(name): \(loss), not \(smile.loss)")
        }
    }

    @Test("Vogt's butterfly is fitted where it may be, and gone where it may not")
    func butterfly() throws {
        let vogt = SVISlice(a: -0.041, b: 0.1331, rho: 0.306, m: 0.3586, sigma: 0.4153)
        let smile = Self.smile(vogt, years: 1, strikes: (-8...12).map { 0.125 * Double($0) })
        for (rule, isFree) in [(ArbitrageRule.none, false), (.butterfly, true)] {
            let fit = SurfaceFit([smile], loss: .mid, rule: rule).slices[0]
            let slice = try #require(fit.slice)
            #expect(fit.status == .ok && (slice.butterfly == .free) == isFree, "\(rule): \(slice)")
        }
    }

    @Test(
        "Slices that cross come out apart, also where they nearly coincide then",
        arguments: SmileLoss.allCases, [0.9, 0.97, 0.999, 1 - 1e-6])
    func calendar(_ loss: SmileLoss, _ share: Double) throws {
        let earlier = Self.smile(Self.plain, name: "X-1", years: 0.25)
        let later = Self.smile(Self.plain.scaled(by: share), name: "X-2", years: 0.3)
        let free = SurfaceFit([later, earlier], loss: loss, rule: .butterfly)
        #expect(free.calendar[0].least?.value ?? -1 < 0)
        let joint = SurfaceFit([later, earlier], loss: loss, rule: .full)
        #expect(joint.slices.map(\.smile.name) == ["X-2", "X-1"] && joint.calendar[0].earlier == "X-1")
        #expect(joint.calendar[0].least?.value ?? -1 >= 0)
        #expect(joint.slices.allSatisfy { $0.status == .ok && $0.repair == .refit })
        let (one, other) = try (#require(joint.slices[1].slice), #require(joint.slices[0].slice))
        for place in -400...400 {
            let k = 0.01 * Double(place)
            #expect(other.variance(at: k) >= one.variance(at: k), "\(k)")
        }
    }

    @Test("A smile that many slices fit nearly as well is followed along its ridge to the end")
    func ridge() throws {
        // Nearly a parabola, so that a, the slopes, m and sigma stand in for each other.
        let strikes = (-40...25).map { 0.005 * Double($0) }
        let smile = SmileQuotes(
            name: "X", underlying: "X", years: 0.08, forward: 100,
            quotes: strikes.map { k in
                let volatility = 0.16 - 0.35 * k + 0.8 * k * k + 0.001 * sin(300 * k)
                return SmileQuote(strike: 100 * exp(k), bid: volatility, ask: volatility)
            })
        let slice = try #require(SurfaceFit([smile], loss: .mid, rule: .none).slices[0].slice)
        let loss = Self.midLoss(smile, slice)
        // Nothing near it along any of the parameters is lower, each with the level moved to its best.
        for step in [-0.02, -0.001, 0.001, 0.02] {
            for moved in [
                SVISlice(a: slice.a, b: slice.b * (1 + step), rho: slice.rho, m: slice.m, sigma: slice.sigma),
                SVISlice(a: slice.a, b: slice.b, rho: slice.rho + step, m: slice.m, sigma: slice.sigma),
                SVISlice(a: slice.a, b: slice.b, rho: slice.rho, m: slice.m + 0.1 * step, sigma: slice.sigma),
                SVISlice(
                    a: slice.a, b: slice.b, rho: slice.rho, m: slice.m, sigma: slice.sigma * (1 + step)),
            ] {
                var best = Double.infinity
                for lift in -200...200 {
                    let a = moved.a + 2e-6 * Double(lift)
                    let lifted = SVISlice(a: a, b: moved.b, rho: moved.rho, m: moved.m, sigma: moved.sigma)
                    if lifted.leastVariance > 0 { best = min(best, Self.midLoss(smile, lifted)) }
                }
                #expect(best >= loss * (1 - 1e-9), "\(step): \(moved)")
            }
        }
    }

    @Test(
        "What stands in for raw SVI is free of all arbitrage on any quotes, and meets its own kind of smile")
    func standIns() throws {
        var generator = SeededGenerator(seed: 5)
        for round in 0..<40 {
            let smiles = (1...6).map { expiry in
                let level = Double.random(in: 0.1...1, using: &generator)
                return SmileQuotes(
                    name: "X-\(expiry)", underlying: "X", years: 0.02 * pow(2, Double(expiry)), forward: 100,
                    quotes: (-5...5).map { place in
                        let volatility = level * Double.random(in: 0.6...1.6, using: &generator)
                        return SmileQuote(
                            strike: 100 * exp(0.1 * Double(place)), bid: volatility * 0.98,
                            ask: volatility * 1.02)
                    })
            }
            let slices = SurfaceFit.standIns(smiles, loss: round % 2 == 0 ? .mid : .band)
            #expect(slices.count == smiles.count)
            for slice in slices { #expect(slice.butterfly == .free, "\(round): \(slice)") }
            for (earlier, later) in zip(slices, slices.dropFirst()) {
                #expect(earlier.calendar(to: later) == .free, "\(round): \(earlier), \(later)")
            }
        }
        // θ = 0.04, ρ = −0.3, φ = 2.5, and the same with twice the variance at the money.
        func slice(_ theta: Double) -> SVISlice {
            let (rho, phi) = (-0.3, 2.5)
            return SVISlice(
                a: theta * (1 - rho * rho) / 2, b: theta * phi / 2, rho: rho, m: -rho / phi,
                sigma: (1 - rho * rho).squareRoot() / phi)
        }
        #expect(abs(slice(0.04).variance(at: 0.2) - 0.02 * (0.85 + 0.95.squareRoot())) < 1e-15)
        let smiles = [
            Self.smile(slice(0.04), name: "X-1", years: 0.5), Self.smile(slice(0.08), name: "X-2", years: 1),
        ]
        for (found, smile) in zip(SurfaceFit.standIns(smiles, loss: .mid), smiles) {
            let error = (Self.midLoss(smile, found) / Double(smile.quotes.count)).squareRoot()
            #expect(error < 2e-4, "\(error)")
        }
    }

    @Test("Underlyings have nothing to do with each other")
    func underlyings() {
        let smiles = [
            Self.smile(Self.plain, name: "X-1", underlying: "X"),
            Self.smile(Self.plain.scaled(by: 0.5), name: "Y-1", underlying: "Y", years: 0.5),
        ]
        let together = SurfaceFit(smiles, loss: .mid, rule: .full)
        #expect(together.calendar.isEmpty)
        for (fit, smile) in zip(together.slices, smiles) {
            #expect(fit.slice == SurfaceFit([smile], loss: .mid, rule: .full).slices[0].slice)
        }
    }

    @Test(
        "Numbers that overflow make no slice and no figure, and others keep theirs",
        arguments: [(1e-308, 0.25, 1.0), (100, 1e300, 1), (100, 0.25, 1e150)])
    func overflow(_ forward: Double, _ years: Double, _ factor: Double) {
        let smile = Self.smile(Self.plain)
        let wild = SmileQuotes(
            name: "X", underlying: "Y", years: years, forward: forward,
            quotes: smile.quotes.map {
                SmileQuote(
                    strike: $0.strike, bid: $0.bid.map { factor * $0 }, ask: $0.ask.map { factor * $0 })
            })
        for rule in ArbitrageRule.allCases {
            let fits = SurfaceFit([wild, smile], loss: .band, rule: rule).slices
            if let quality = fits[0].quality {
                #expect(quality.rootMeanSquare.isFinite && quality.largestError.isFinite)
            } else {
                #expect(fits[0].status == .unsolved && fits[0].slice == nil)
            }
            #expect(fits[1].status == .ok)
        }
    }

    @Test(
        "Four strikes are too few, five are enough; crossed, one-sided and weightless quotes are not among them"
    )
    func tooFew() {
        let smile = Self.smile(Self.plain, strikes: [-0.2, -0.1, 0, 0.1, 0.2])
        func status(_ quotes: [SmileQuote]) -> SmileFit {
            let smile = SmileQuotes(name: "X", underlying: "X", years: 0.25, forward: 100, quotes: quotes)
            return SurfaceFit([smile], loss: .band, rule: .full).slices[0]
        }
        #expect(status(smile.quotes).status == .ok)
        #expect(status(Array(smile.quotes.dropLast())).status == .tooFewQuotes)
        let first = smile.quotes[0]
        for spoilt in [
            SmileQuote(strike: first.strike, bid: 0.7, ask: 0.6),
            SmileQuote(strike: first.strike, bid: 0.6, ask: nil),
            SmileQuote(strike: first.strike, bid: first.bid, ask: first.ask, weight: 0), smile.quotes[1],
        ] {
            let fit = status([spoilt] + smile.quotes.dropFirst())
            #expect(fit.status == .tooFewQuotes && fit.slice == nil && fit.quality == nil, "\(spoilt)")
        }
    }

    @Test("Total variance is all that counts: half the volatility for four times as long is the same slice")
    func scaling() throws {
        let smile = Self.smile(Self.plain)
        let slow = SmileQuotes(
            name: "X", underlying: "X", years: 1, forward: 200,
            quotes: smile.quotes.map {
                SmileQuote(strike: 2 * $0.strike, bid: $0.bid.map { $0 / 2 }, ask: $0.ask.map { $0 / 2 })
            })
        let (one, other) = try (
            #require(SurfaceFit([smile], loss: .mid, rule: .none).slices[0].slice),
            #require(SurfaceFit([slow], loss: .mid, rule: .none).slices[0].slice)
        )
        for k in [-0.6, 0, 0.6] {
            #expect(abs(one.variance(at: k) - other.variance(at: k)) < 1e-9)
        }
    }

    @Test("Whatever is quoted has an end, and a status where it is not what was asked for")
    func nonsense() {
        var generator = SeededGenerator(seed: 11)
        for round in 0..<60 {
            let years = pow(10, Double.random(in: -4...1, using: &generator))
            let count = Int.random(in: 0...30, using: &generator)
            let reach = pow(10, Double.random(in: -3...0.7, using: &generator))
            let quotes = (0..<count).map { _ in
                let level = pow(10, Double.random(in: -2.5...1, using: &generator))
                let spread = level * Double.random(in: -0.2...1, using: &generator)
                return SmileQuote(
                    strike: 100 * exp(reach * Double.random(in: -1...1, using: &generator)),
                    bid: Bool.random(using: &generator) ? max(0, level - spread) : nil, ask: level + spread,
                    weight: Bool.random(using: &generator) ? 1 : Double.random(in: 0...3, using: &generator))
            }
            let smile = SmileQuotes(name: "X", underlying: "X", years: years, forward: 100, quotes: quotes)
            for loss in SmileLoss.allCases {
                let fit = SurfaceFit([smile], loss: loss, rule: .full).slices[0]
                if let slice = fit.slice {
                    #expect(
                        slice.isCurve && fit.quality?.rootMeanSquare.isFinite == true, "\(round): \(slice)")
                    if fit.status == .ok { #expect(slice.butterfly == .free, "\(round): \(slice)") }
                } else {
                    #expect(fit.status == .tooFewQuotes || fit.status == .unsolved, "\(round)")
                }
            }
        }
    }
}
