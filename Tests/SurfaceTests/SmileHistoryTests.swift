import Foundation
import Market
import Surface
import TestSupport
import Testing

/// Histories whose dynamics are known, since they are made here.
struct SmileHistoryTests {
    /// A day of six moments, a slice whose volatility at the money moves by a law.
    private static func history(
        days: Int, noise: Double = 0, seed: UInt64 = 3,
        law: (_ skew: Double, _ move: Double) -> Double
    ) -> SmileHistory {
        var generator = SeededGenerator(seed: seed)
        var history = SmileHistory()
        var (forward, volatility) = (100.0, 0.6)
        let start: Int64 = 1_767_225_600_000
        for step in 0..<6 * days {
            let years = 60 / 365.0 - Double(step) / 6 / 365
            let skew = step % 2 == 0 ? -0.2 : -0.3
            // Quotes on a slice, so that the fit is that slice.
            let wings = JumpWings(
                variance: volatility * volatility, skew: skew * years.squareRoot(),
                leftWing: 0.9 * years.squareRoot(),
                rightWing: 0.5 * years.squareRoot(), leastVariance: 0.97 * volatility * volatility)
            guard let slice = wings.slice(years: years) else { break }
            let quotes = stride(from: -0.3, through: 0.3, by: 0.025).map { k in
                let level = slice.volatility(at: k, years: years)
                return SmileQuote(strike: forward * exp(k), bid: level - 1e-3, ask: level + 1e-3)
            }
            let smile = SmileQuotes(
                name: "X-1", underlying: "X", years: years, forward: forward, quotes: quotes)
            history.add(
                SurfaceFit([smile], loss: .mid, rule: .none),
                at: Timestamp(milliseconds: start + Int64(step) * 14_400_000))
            let move = Double.random(in: -0.03...0.03, using: &generator)
            forward *= exp(move)
            volatility += law(skew, move) + noise * Double.random(in: -1...1, using: &generator)
        }
        return history
    }

    @Test(
        "A smile that stays at its strikes has R 1, one that moves along 0, another its own",
        arguments: [0, 1, 1.6])
    func ratio(_ ratio: Double) throws {
        let history = Self.history(days: 10) { $0 * $1 * ratio }
        #expect(history.points.count == 60 && history.surfaceCount == 60 && history.withoutCurve == 0)
        let found = try #require(history.dynamics(tenorDays: [90]).first)
        #expect(found.moves == 59 && found.days == 10 && found.tenorDays == 0..<90)
        let estimate = try #require(found.ratio)
        #expect(abs(estimate.value - ratio) < 1e-4 && abs(found.meanSkew + 0.25) < 0.002, "\(estimate)")
        #expect(try #require(estimate.interval).contains(estimate.value))
        if ratio > 0 { #expect(found.unexplained < 1e-6) }
        // (R − 1)²/R² of what there is.
        if ratio > 0 {
            #expect(abs(found.unexplainedAtOne - (ratio - 1) * (ratio - 1) / (ratio * ratio)) < 1e-3)
        }
    }

    @Test("The estimate to hedge by comes with what it gained out of sample; sticky strike gains nothing")
    func gains() throws {
        let twice = try #require(
            Self.history(days: 30) { skew, move in 2 * skew * move }.dynamics(tenorDays: []).first)
        #expect(twice.online.gain > 0.8 && abs(twice.online.ratio - 2) < 0.05, "\(twice.online)")
        let strike = try #require(
            Self.history(days: 30, noise: 0.004, seed: 4) { skew, move in skew * move }
                .dynamics(tenorDays: []).first)
        #expect(strike.online.gain < 0.02 && strike.online.interval.contains(1), "\(strike.online)")
    }

    @Test("Moves down and moves up have betas of their own")
    func betas() throws {
        let history = Self.history(days: 10) { _, move in move < 0 ? -2 * move : 0.5 * move }
        let found = try #require(history.dynamics(tenorDays: []).first)
        #expect(abs((found.downBeta?.value ?? .nan) + 2) < 1e-4)
        #expect(abs((found.upBeta?.value ?? .nan) - 0.5) < 1e-4)
    }

    @Test("An interval is as wide as the error that noise makes, and there is none of four days")
    func intervals() throws {
        var covered = 0
        var widths = 0.0
        var estimates: [Double] = []
        for seed in 1...20 {
            let history = Self.history(days: 20, noise: 0.004, seed: UInt64(seed)) { _, move in -1 * move }
            let down = try #require(history.dynamics(tenorDays: []).first?.downBeta)
            let interval = try #require(down.interval)
            if interval.contains(-1) { covered += 1 }
            widths += (interval.upperBound - interval.lowerBound) / 20
            estimates.append(down.value)
        }
        // Of twenty 90% intervals at least 14 (below that: once in 400), and 3.3 deviations wide.
        #expect(covered >= 14, "\(covered)")
        let mean = estimates.reduce(0, +) / 20
        let deviation = (estimates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 19).squareRoot()
        #expect(widths / deviation > 1.8 && widths / deviation < 5, "\(widths / deviation)")
        let short = Self.history(days: 4) { $0 * $1 }
        #expect(short.dynamics(tenorDays: []).first?.ratio?.interval == nil)
    }

    @Test("Moments that come in any order are the same history, and what lies too far apart is no move")
    func order() throws {
        let smile = SmileQuotes(
            name: "X-1", underlying: "X", years: 0.2, forward: 100,
            quotes: stride(from: 80.0, through: 120, by: 5).map {
                SmileQuote(strike: $0, bid: 0.59, ask: 0.61)
            })
        let fit = SurfaceFit([smile], loss: .mid, rule: .none)
        var history = SmileHistory()
        for hour in [3, 1, 2, 100] {
            history.add(fit, at: Timestamp(milliseconds: Int64(hour) * 3_600_000))
        }
        #expect(history.points.map { $0.time.milliseconds / 3_600_000 } == [1, 2, 3, 100])
        #expect(history.dynamics(tenorDays: [30]).first?.moves == 2)
        #expect(history.dynamics(tenorDays: [30], longestMove: 5).first?.moves == 3)
    }
}
