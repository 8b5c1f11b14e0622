import Foundation
import Greeks
import Market
import Surface
import TestSupport
import Testing

struct SmileDynamicsTests {
    private static let section = SmileSection(
        SVISlice(a: 0.012, b: 0.09, rho: -0.35, m: 0.02, sigma: 0.15), years: 0.25, forward: 101)

    private static func call(_ forward: Double, _ strike: Double, _ volatility: Double, _ years: Double)
        -> Double
    {
        let root = volatility * years.squareRoot()
        let d1 = log(forward / strike) / root + root / 2
        func normal(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
        return forward * normal(d1) - strike * normal(d1 - root)
    }

    private static func black(
        _ engine: GreeksEngine, _ forward: Double, _ strike: Double, _ volatility: Double, _ years: Double
    ) throws -> BlackGreeks {
        let batch = try OptionBatch(
            type: [Instrument.OptionType.call.rawValue], spot: [forward], strike: [strike], years: [years],
            volatility: [volatility], rate: [0], dividend: [0])
        let matrix = engine.greeks(.all, of: batch)
        func figure(_ greek: Greek) -> Double { matrix[greek]?[0] ?? .nan }
        return BlackGreeks(
            delta: figure(.delta), gamma: figure(.gamma), vega: figure(.vega), vanna: figure(.vanna),
            volga: figure(.volga), charm: figure(.charm), veta: figure(.veta))
    }

    /// The first and second derivative by differences of the sixth order.
    private static func derivatives(_ step: Double, _ function: (Double) -> Double) -> (Double, Double) {
        let first: [Double] = [-1, 9, -45, 0, 45, -9, 1].map { $0 / 60 }
        let second: [Double] = [2, -27, 270, -490, 270, -27, 2].map { $0 / 180 }
        var (one, two) = (0.0, 0.0)
        for place in 0..<7 {
            let value = function(Double(place - 3) * step)
            one += first[place] * value
            two += second[place] * value
        }
        return (one / step, two / (step * step))
    }

    @Test(
        "Greeks of a moving smile are derivatives of values along it, to 1e-9",
        arguments: [-0.5, 0, 0.6, 1, 1.6, 2])
    func bumps(_ ratio: Double) throws {
        let engine = try GreeksEngine()
        let dynamics = SmileDynamics(stickiness: ratio)
        let section = Self.section
        for strike in [80.0, 92, 101, 110, 130] {
            let volatility = section.volatility(at: section.logMoneyness(ofStrike: strike))
            let found = try Self.black(engine, 101, strike, volatility, 0.25)
                .moving(dynamics, section, strike: strike)
            func value(_ move: Double, _ lift: Double) -> Double {
                let forward = 101 + move
                let moved = dynamics.volatility(section, strike: strike, forward: forward)
                return Self.call(forward, strike, moved + lift, 0.25)
            }
            let (delta, gamma) = Self.derivatives(0.25) { value($0, 0) }
            #expect(abs(found.delta - delta) < 1e-9, "\(strike): \(found.delta), not \(delta)")
            #expect(abs(found.gamma - gamma) < 1e-9, "\(strike): \(found.gamma), not \(gamma)")
            let (vega, volga) = Self.derivatives(0.004) { value(0, $0) }
            #expect(abs(found.vega - vega) < 1e-8 * vega)
            #expect(abs(found.volga - volga) < 1e-6 * (1 + abs(volga)))
            let (vanna, _) = Self.derivatives(0.004) { lift in Self.derivatives(0.25) { value($0, lift) }.0 }
            #expect(abs(found.vanna - vanna) < 1e-8, "\(strike): \(found.vanna), not \(vanna)")
        }
    }

    @Test("On a flat smile, and at R = 1 on any, Greeks are Black's to the bit")
    func flat() throws {
        let engine = try GreeksEngine()
        let flat = SmileSection(
            SVISlice(a: 0.04, b: 0, rho: 0, m: 0, sigma: 1), years: 0.25, forward: 101)
        for strike in [60.0, 101, 140] {
            for ratio in [-1, 0, 0.5, 1, 2.0] {
                let black = try Self.black(
                    engine, 101, strike, flat.volatility(at: flat.logMoneyness(ofStrike: strike)), 0.25)
                #expect(black.moving(SmileDynamics(stickiness: ratio), flat, strike: strike) == black)
                #expect(black.moving(.stickyStrike, Self.section, strike: strike) == black)
            }
        }
    }

    @Test("Volatility at the money moves by R times skew and move; a strike's stays at R = 1")
    func dynamics() {
        let section = Self.section
        let skew = section.volatilityPoint(at: 0).slope
        for ratio in [0, 0.7, 1, 1.6] {
            let dynamics = SmileDynamics(stickiness: ratio)
            let move = 1e-6
            let forward = 101 * exp(move)
            let change =
                dynamics.volatility(section, strike: forward, forward: forward) - section.volatility(at: 0)
            #expect(abs(change / move - ratio * skew) < 1e-5)
        }
        #expect(
            SmileDynamics.stickyStrike.volatility(section, strike: 90, forward: 140)
                == section.volatility(at: log(90 / 101.0)))
        // Sticky moneyness: the strike that is as far from the new forward.
        let moved = SmileDynamics.stickyMoneyness.volatility(section, strike: 90 * 1.1, forward: 101 * 1.1)
        #expect(abs(moved - section.volatility(at: log(90 / 101.0))) < 1e-14)
    }

    private static func normal(_ generator: inout SeededGenerator) -> Double {
        let (u, v) = (
            Double.random(in: 1e-12...1, using: &generator), Double.random(in: 0...1, using: &generator)
        )
        return (-2 * log(u)).squareRoot() * cos(2 * .pi * v)
    }

    @Test("R is found by tenor and direction, within its interval about as often as it says")
    func stickiness() throws {
        var generator = SeededGenerator(seed: 31)
        var (inside, rounds) = (0, 0)
        for _ in 0..<200 {
            var estimator = try SkewStickiness(tenorDays: [30], halfLifeDays: 1e6, priorDeviation: 10)
            for step in 0..<200 {
                let move = 0.02 * Self.normal(&generator)
                let time = Timestamp(milliseconds: 1_700_000_000_000 + Int64(step) * 3_600_000)
                for (years, down, up) in [(0.02, 2.0, 0.3), (0.5, 1.2, 1.2)] {
                    let ratio = move < 0 ? down : up
                    let noise = 0.01 * Self.normal(&generator)
                    try estimator.observe(
                        years: years, logMove: move, skew: -0.8, change: ratio * -0.8 * move + noise, at: time
                    )
                }
            }
            for (tenor, direction, truth) in [
                (0, SkewStickiness.Direction.down, 2.0), (0, .up, 0.3), (1, .down, 1.2), (1, .up, 1.2),
                (1, .either, 1.2),
            ] {
                let found = estimator.estimate(tenor: tenor, direction)
                rounds += 1
                if found.interval.contains(truth) { inside += 1 }
                #expect(abs(found.ratio - truth) < 0.5, "\(tenor), \(direction): \(found)")
            }
        }
        let share = Double(inside) / Double(rounds)
        #expect(share > 0.87 && share < 0.93, "\(share)")
    }

    @Test("Without data R is 1; few observations move it a little; what is old fades; gain is out of sample")
    func shrinkage() throws {
        var estimator = try SkewStickiness(halfLifeDays: 10)
        #expect(estimator.estimate(tenor: 2).ratio == 1 && estimator.dynamics(years: 0.1) == .stickyStrike)
        let day: Int64 = 86_400_000
        func observe(_ ratio: Double, _ noise: Double, day number: Int) throws {
            let move = number % 2 == 0 ? 0.01 : -0.01
            try estimator.observe(
                years: 0.05, logMove: move, skew: -0.5, change: ratio * -0.5 * move + noise,
                at: Timestamp(milliseconds: 1_700_000_000_000 + Int64(number) * day))
        }
        let tenor = estimator.tenors.place(years: 0.05)
        #expect(tenor == 2 && estimator.tenors.place(years: 9) == 6)
        try observe(3, 0, day: 0)
        let one = estimator.estimate(tenor: tenor)
        #expect(one.ratio > 1 && one.ratio < 2.9 && one.observations == 1, "\(one)")
        for number in 1..<200 { try observe(2, number % 4 < 2 ? 1e-3 : -1e-3, day: number) }
        let many = estimator.estimate(tenor: tenor)
        #expect(abs(many.ratio - 2) < 0.1 && many.interval.contains(2) && many.hasGained, "\(many)")
        #expect(abs(many.observations - 2 / log(2) * 10) < 1, "\(many)")
        #expect(estimator.dynamics(years: 0.05).stickiness == many.ratio)
        for number in 200..<300 { try observe(0, number % 4 < 2 ? 1e-3 : -1e-3, day: number) }
        #expect(abs(estimator.estimate(tenor: tenor).ratio) < 0.1)
        #expect(throws: SurfaceError.self) { try observe(1, 0, day: 5) }
        #expect(throws: SurfaceError.self) { _ = try SkewStickiness(tenorDays: [5, 5]) }
        #expect(throws: SurfaceError.self) { _ = try SkewStickiness(halfLifeDays: .nan) }
    }

    @Test("What several expiries or contracts do at one moment gains nothing from each other")
    func moments() throws {
        var generator = SeededGenerator(seed: 33)
        var stickiness = try SkewStickiness(tenorDays: [], halfLifeDays: 0.5, priorDeviation: 5)
        var hedge = try MinimumVarianceDelta(tenorDays: [], halfLifeDays: 0.5, priorDeviation: 5)
        var gains = SIMD2(0.0, 0)
        for step in 0..<400 {
            let time = Timestamp(milliseconds: 1_700_000_000_000 + Int64(step) * 86_400_000)
            let move = Bool.random(using: &generator) ? 0.02 : -0.02
            // R is 0 or 2 for all expiries of a day, and says nothing about the next.
            let surprise = Bool.random(using: &generator) ? 0.02 : -0.02
            for _ in 0..<8 {
                try stickiness.observe(
                    years: 0.1, logMove: move, skew: 1, change: move + surprise, at: time)
                try hedge.observe(years: 0.1, delta: 0.5, forwardReturn: move, change: surprise, at: time)
            }
            gains += SIMD2(stickiness.estimate(tenor: 0).gain, hedge.estimate(tenor: 0).gain) / 400
        }
        // A day's own gain would be about 1/2 if the first expiry told the others of it.
        #expect(gains.x < 0 && gains.y < 0, "\(gains)")
    }

    @Test("A time to expiry on an edge is of the bucket below, for both estimators")
    func edges() throws {
        for tenors in [
            try SkewStickiness(tenorDays: [73]).tenors, try MinimumVarianceDelta(tenorDays: [73]).tenors,
        ] {
            #expect(tenors.place(years: 0.2) == 0 && tenors.place(years: 0.2001) == 1 && tenors.count == 2)
        }
    }

    @Test("Where volatilities of strikes only make noise, estimates gain nothing and hedges stay Black's")
    func noise() throws {
        var generator = SeededGenerator(seed: 32)
        var stickiness = try SkewStickiness(tenorDays: [], halfLifeDays: 30)
        var hedge = try MinimumVarianceDelta(tenorDays: [], halfLifeDays: 30)
        for step in 0..<400 {
            let move = 0.02 * Self.normal(&generator)
            let time = Timestamp(milliseconds: 1_700_000_000_000 + Int64(step) * 86_400_000)
            // Sticky strike.
            try stickiness.observe(
                years: 0.1, logMove: move, skew: -0.6, change: -0.6 * move + 0.01 * Self.normal(&generator),
                at: time)
            try hedge.observe(
                years: 0.1, delta: Double.random(in: 0...1, using: &generator), forwardReturn: move,
                change: 0.01 * Self.normal(&generator), at: time)
        }
        #expect(stickiness.estimate(tenor: 0).interval.contains(1))
        #expect(hedge.estimate(tenor: 0).gain < 0.01)
        let (value, half) = hedge.estimate(tenor: 0).response(delta: 0.5)
        #expect(abs(value) < 2 * half && half > 0)
    }

    @Test(
        "The minimum-variance delta finds the quadratic that moves volatilities, and the delta of its formula"
    )
    func minimumVariance() throws {
        var generator = SeededGenerator(seed: 33)
        var hedge = try MinimumVarianceDelta(tenorDays: [30], halfLifeDays: 1e6, priorDeviation: 1)
        let truth = SIMD3(-0.3, 0.5, -0.2)
        var plain = try MinimumVarianceDelta(tenorDays: [30], halfLifeDays: 1e6, priorDeviation: 100)
        for step in 0..<3000 {
            let move = 0.02 * Self.normal(&generator)
            let delta = Double.random(in: 0...1, using: &generator)
            let years = step % 2 == 0 ? 0.05 : 0.4
            let response = truth.x + truth.y * delta + truth.z * delta * delta
            let time = Timestamp(milliseconds: 1_700_000_000_000 + Int64(step) * 3_600_000)
            let exact = response * move / years.squareRoot()
            try plain.observe(years: years, delta: delta, forwardReturn: move, change: exact, at: time)
            try hedge.observe(
                years: years, delta: delta, forwardReturn: move,
                change: exact + 0.005 * Self.normal(&generator), at: time)
        }
        for tenor in 0..<2 {
            let found = plain.estimate(tenor: tenor)
            let miss = found.coefficients - truth
            #expect(max(abs(miss.x), abs(miss.y), abs(miss.z)) < 1e-6, "\(found)")
            let noisy = hedge.estimate(tenor: tenor)
            #expect(noisy.gain > 0.3 && noisy.observations > 1400)
            for delta in [0.1, 0.5, 0.9] {
                let (value, half) = noisy.response(delta: delta)
                let response = truth.x + truth.y * delta + truth.z * delta * delta
                #expect(abs(value - response) < 2.5 * half, "\(delta)")
            }
        }
        let expected = 0.5 + 20 / (100 * 0.05.squareRoot()) * (-0.3 + 0.25 - 0.05)
        #expect(abs(plain.delta(years: 0.05, forward: 100, delta: 0.5, vega: 20) - expected) < 1e-6)
        let fresh = try MinimumVarianceDelta()
        #expect(fresh.delta(years: 0.05, forward: 100, delta: 0.5, vega: 20) == 0.5)
        #expect(throws: SurfaceError.self) {
            try hedge.observe(
                years: 0.1, delta: 2, forwardReturn: 0, change: 0,
                at: Timestamp(milliseconds: 1_800_000_000_000))
        }
    }
}
