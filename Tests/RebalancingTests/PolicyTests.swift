import Foundation
import Rebalancing
import TestSupport
import Testing
import VectorMath

/// Policies against formulas in 50 digits (scripts/generate-policies), and what each promises.
struct PolicyTests {
    /// A state with the same numbers in every lane.
    static func state(_ change: (inout RebalancingState) -> Void) -> RebalancingState {
        var state = RebalancingState()
        state.spot = Lanes(repeating: 100)
        state.gamma = Lanes(repeating: -0.02)
        state.impliedVolatility = Lanes(repeating: 0.8)
        state.realisedVolatility = Lanes(repeating: 0.8)
        state.forecastVolatility = Lanes(repeating: 0.8)
        state.proportionalCost = Lanes(repeating: 0.001)
        state.yearsToExpiry = Lanes(repeating: 0.1)
        change(&state)
        return state
    }

    /// All policies, with parameters of a usual size.
    static func all() throws -> [any RebalancingPolicy] {
        let adjustment = try VolatilityAdjustment(.parkinson(window: 24), reference: 0.7, exponent: -2)
        let threshold = try ThresholdPolicy(.delta(0.05))
        return [
            NeverRebalance(), AlwaysRebalance(), try TimePolicy(intervalYears: 1 / 365.0),
            try TimePolicy(intervalYears: 1 / 365.0, adjustment: adjustment), threshold,
            try ThresholdPolicy(.move(0.01), landing: .centre),
            try ThresholdPolicy(.cash(50), landing: .inner(0.5)),
            try ThresholdPolicy(.greek(.gamma, 0.01)), try ThresholdPolicy(.greek(.vega, 3)),
            try ThresholdPolicy(.delta(0.05), adjustment: adjustment), try LelandPolicy(intervalYears: 0.01),
            try WhalleyWilmottPolicy(riskAversion: 0.1), try ZakamoulinePolicy(riskAversion: 0.1),
            try LiquidityAwarePolicy(threshold, referenceDepth: 50),
            try FreshDataPolicy(threshold, freshSeconds: 5, staleSeconds: 60),
            try PredictivePolicy(steps: 4, stepYears: 0.001, riskAversion: 0.05, impact: 0.01),
        ]
    }

    @Test("Whalley–Wilmott, Zakamouline and Leland agree with 50 digits over 240 settings")
    func formulas() throws {
        var worst: [String: Double] = [:]
        for row in try Fixture("bands.csv").rows {
            let state = Self.state {
                $0.spot = Lanes(repeating: row("spot"))
                $0.gamma = Lanes(repeating: row("gamma"))
                $0.impliedVolatility = Lanes(repeating: row("vol"))
                $0.proportionalCost = Lanes(repeating: row("cost"))
                $0.fixedCost = Lanes(repeating: row("fixed"))
                $0.rate = Lanes(repeating: row("rate"))
                $0.yearsToExpiry = Lanes(repeating: row("years"))
            }
            func note(_ name: String, _ value: Double, _ expected: Double, scale: Double? = nil) {
                let error = abs(value - expected) / (scale ?? expected)
                if !(error <= worst[name, default: 0]) { worst[name] = error }
            }
            let whalley = try WhalleyWilmottPolicy(riskAversion: row("aversion")).band(state)
            note("outer half-width", whalley.upper[0], row("outer"))
            // The inner one may be as good as 0.
            note("inner half-width", whalley.innerUpper[0], row("inner"), scale: row("outer"))
            #expect(
                whalley.lower == whalley.upper.negated && whalley.innerLower == whalley.innerUpper.negated)
            let zakamouline = try ZakamoulinePolicy(riskAversion: row("aversion"))
            if row("cost") > 0 {
                note("Zakamouline's band", zakamouline.band(state).upper[0], row("zakamouline"))
            }
            note("Zakamouline's volatility", zakamouline.volatilityScale(state)[0], row("scale"))
            note(
                "Leland's volatility",
                try LelandPolicy(intervalYears: row("interval")).volatilityScale(state)[0],
                row("leland"))
        }
        print("policies against 50 digits: worst relative errors", worst)
        for (name, error) in worst { #expect(error < 2e-14, "\(name): \(error)") }
        #expect(worst.count == 5)
    }

    /// The certainty equivalents that a band of fixed costs balances: a shift of either edge costs.
    @Test("A band of fixed costs is optimal: shifting either edge costs")
    func fixedCostsAreOptimal() throws {
        let (k, cost, gamma, a, sigma, spot) = (0.01, 0.002, 0.03, 0.5, 0.6, 50.0)
        let state = Self.state {
            $0.spot = Lanes(repeating: spot)
            $0.gamma = Lanes(repeating: gamma)
            $0.proportionalCost = Lanes(repeating: cost)
            $0.fixedCost = Lanes(repeating: k)
            $0.rate = .zero
        }
        let band = try WhalleyWilmottPolicy(riskAversion: a).band(state)
        let (upper, inner) = (band.upper[0], band.innerUpper[0])
        /// Long-run cost per year of a band: the stationary cost of a diffusion of delta, of variance (ΓσS)² a year,
        /// that is taken from ±u to ±l, by numbers of the exit-time problem.
        func rate(_ u: Double, _ l: Double) -> Double {
            let variance = gamma * gamma * sigma * sigma * spot * spot
            let time = (u * u - l * l) / variance
            let penalty = 0.5 * a * sigma * sigma * spot * spot * (pow(u, 4) - pow(l, 4)) / (6 * variance)
            return (k + cost * spot * (u - l) + penalty) / time
        }
        let best = rate(upper, inner)
        for (du, dl) in [(0.02, 0.0), (-0.02, 0), (0, 0.02), (0, -0.02), (0.02, 0.02), (-0.02, -0.02)] {
            #expect(rate(upper * (1 + du), inner + dl * upper) > best * (1 + 1e-6))
        }
        // At the optimum the slope is 0: a tenth of the shift costs a hundredth.
        #expect(rate(upper * 1.002, inner) / best - 1 < 0.02 * (rate(upper * 1.02, inner) / best - 1))
        #expect(inner > 0.05 * upper && inner < 0.95 * upper)
    }

    @Test("Any policy in lanes is the same, bit for bit, as alone")
    func lanesAreAlone() throws {
        var generator = SeededGenerator(seed: 9)
        func random(_ low: Double, _ high: Double) -> Double {
            Double.random(in: low...high, using: &generator)
        }
        func bits(_ band: RebalancingBand, _ lane: Int) -> [UInt64] {
            [band.lower, band.upper, band.innerLower, band.innerUpper].map { $0[lane].bitPattern }
        }
        let columns: [WritableKeyPath<RebalancingState, Lanes> & Sendable] = [
            \.time, \.yearsToExpiry, \.yearsSinceHedge, \.spot, \.rate, \.delta, \.gamma, \.vega, \.theta,
            \.impliedVolatility, \.realisedVolatility, \.forecastVolatility, \.proportionalCost, \.fixedCost,
            \.depth,
            \.dataAge,
        ]
        var trades = 0
        for round in 0..<40 {
            var state = RebalancingState()
            for lane in 0..<8 {
                let values = [
                    random(0, 1), lane == 3 ? 0 : random(0.001, 1), random(0, 0.01), random(10, 1000),
                    random(0, 0.1),
                    random(-2, 2), lane == 5 ? 0 : random(-0.1, 0.1), random(-10, 10), random(-10, 10),
                    random(0.1, 2), lane == 6 ? .nan : random(0.1, 2), random(0.1, 2), random(0, 0.01),
                    round % 2 == 0 ? 0 : random(0, 1), lane == 2 ? .infinity : random(0, 100), random(0, 100),
                ]
                for (column, value) in zip(columns, values) { state[keyPath: column][lane] = value }
            }
            for policy in try Self.all() {
                let (band, scale) = (policy.band(state), policy.volatilityScale(state))
                let change = policy.change(state)
                for lane in 0..<8 {
                    var alone = RebalancingState()
                    for column in columns {
                        alone[keyPath: column] = Lanes(repeating: state[keyPath: column][lane])
                    }
                    #expect(bits(policy.band(alone), 0) == bits(band, lane), "\(policy.name)")
                    #expect(policy.volatilityScale(alone)[0].bitPattern == scale[lane].bitPattern)
                    if change[lane] != 0 { trades += 1 }
                    #expect(change[lane].isFinite)
                }
            }
        }
        #expect(trades > 1000)
    }

    @Test("A clock trades when its interval has passed, sooner where volatility is high")
    func clocks() throws {
        let policy = try TimePolicy(intervalYears: 0.01)
        var state = Self.state { $0.delta = Lanes(repeating: 3) }
        state.yearsSinceHedge = [0, 0.005, 0.00998, 0.01, 0.02, .infinity, .nan, 0.0099999999]
        #expect(policy.change(state) == [0, 0, 0, -3, -3, -3, 0, -3])
        let faster = try TimePolicy(
            intervalYears: 0.01,
            adjustment: try VolatilityAdjustment(.bipower(window: 9), reference: 0.5, exponent: -2))
        state.realisedVolatility = Lanes(repeating: 1)
        state.yearsSinceHedge = [0.0024, 0.00251, 0, 0, 0, 0, 0, 0]
        #expect(faster.change(state) == [0, -3, 0, 0, 0, 0, 0, 0])
        #expect(faster.realisedVolatility == .bipower(window: 9))
    }

    @Test("Thresholds on delta, cash and move trade what is outside, to where they land")
    func thresholds() throws {
        let state = Self.state {
            $0.delta = [0.3, -0.3, 0.1, 0.5, 1, -1, 0, 0.2]
            $0.gamma = [0.1, -0.1, 0, 0.2, 0.5, 1, 0, 0]
            $0.vega = Lanes(repeating: 12)
        }
        #expect(
            try ThresholdPolicy(.delta(0.25)).change(state).difference([
                -0.05, 0.05, 0, -0.25, -0.75, 0.75, 0, 0,
            ]) < 1e-15)
        #expect(
            try ThresholdPolicy(.delta(0.25), landing: .centre).change(state) == [
                -0.3, 0.3, 0, -0.5, -1, 1, 0, 0,
            ])
        #expect(
            try ThresholdPolicy(.delta(0.25), landing: .inner(0.4)).change(state)
                .difference([-0.2, 0.2, 0, -0.4, -0.9, 0.9, 0, 0]) < 1e-15)
        // 2% of 100 times gamma.
        #expect(
            try ThresholdPolicy(.move(0.02)).change(state).difference([-0.1, 0.1, -0.1, -0.1, 0, 0, 0, -0.2])
                < 1e-15)
        #expect(
            try ThresholdPolicy(.cash(25)).change(state).difference([
                -0.05, 0.05, 0, -0.25, -0.75, 0.75, 0, 0,
            ]) < 1e-15)
        let vega = try ThresholdPolicy(.greek(.vega, 10))
        #expect(vega.greek == .vega && vega.change(state) == Lanes(repeating: -2))
        let wider = try ThresholdPolicy(
            .delta(0.25),
            adjustment: try VolatilityAdjustment(.parkinson(window: 3), reference: 0.4, exponent: 1))
        #expect(abs(wider.band(state).upper[0] - 0.5) < 1e-15)
    }

    @Test("Thin order books widen a band as documented, and stale data freezes it")
    func depthAndAge() throws {
        let base = try ThresholdPolicy(.delta(0.1))
        let liquid = try LiquidityAwarePolicy(base, referenceDepth: 100, exponent: 0.5, maximum: 5)
        var state = Self.state { $0.delta = Lanes(repeating: 1) }
        state.depth = [.infinity, 1000, 100, 25, 1, 0, .nan, 50]
        let width = liquid.band(state).upper
        #expect(width.difference([0.1, 0.1, 0.1, 0.2, 0.5, 0.5, 0.5, 0.1 * 2.squareRoot()]) < 1e-15)
        for lane in 1..<5 { #expect(width[lane] >= width[lane - 1]) }

        let fresh = try FreshDataPolicy(base, freshSeconds: 10, staleSeconds: 30)
        state.dataAge = [0, 10, 20, 29, 30, 31, .nan, .infinity]
        let change = fresh.change(state)
        #expect(change.difference([-0.9, -0.9, -0.8, -0.71, 0, 0, 0, 0]) < 1e-15)
    }

    @Test(
        "Of an input that nobody knows no policy makes a band, in that lane alone; none that it does not need counts"
    )
    func unknownInputs() throws {
        let unknown: Lanes = [.nan, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
        func state(_ column: WritableKeyPath<RebalancingState, Lanes>?) -> RebalancingState {
            var state = Self.state {
                $0.delta = Lanes(repeating: 4)
                $0.rate = Lanes(repeating: 0.5)
                $0.fixedCost = Lanes(repeating: 0.5)
                $0.depth = Lanes(repeating: 0.5)
                $0.yearsToExpiry = Lanes(repeating: 0.5)
                $0.proportionalCost = Lanes(repeating: 0.5)
                $0.yearsSinceHedge = Lanes(repeating: 0.5)
            }
            if let column { state[keyPath: column] = unknown }
            return state
        }
        let policies: [(any RebalancingPolicy, [WritableKeyPath<RebalancingState, Lanes>])] = [
            (
                try WhalleyWilmottPolicy(riskAversion: 1),
                [\.fixedCost, \.proportionalCost, \.yearsToExpiry, \.gamma, \.spot]
            ),
            (try ZakamoulinePolicy(riskAversion: 1), [\.proportionalCost, \.yearsToExpiry, \.gamma, \.spot]),
            (try LelandPolicy(intervalYears: 1), [\.proportionalCost, \.yearsSinceHedge]),
            (try TimePolicy(intervalYears: 1), [\.yearsSinceHedge]),
            (
                try PredictivePolicy(steps: 2, stepYears: 1, riskAversion: 1, impact: 0.1),
                [\.depth, \.proportionalCost, \.spot]
            ),
            (try PredictivePolicy(steps: 2, stepYears: 1, riskAversion: 1), [\.proportionalCost, \.spot]),
        ]
        let all: [WritableKeyPath<RebalancingState, Lanes>] = [
            \.fixedCost, \.depth, \.yearsToExpiry, \.proportionalCost, \.yearsSinceHedge, \.gamma, \.spot,
        ]
        for (policy, needed) in policies {
            let whole = policy.band(state(nil))
            for column in all {
                let band = policy.band(state(column))
                let isWanted = needed.contains(column)
                #expect(
                    band.lower[0].isNaN == isWanted && band.upper[0].isNaN == isWanted,
                    "\(policy.name) \(column)")
                #expect(policy.change(state(column))[0] == 0 || !isWanted)
                if column != \.gamma, column != \.spot {
                    for lane in 1..<8 {
                        #expect(band.upper[lane] == whole.upper[lane], "\(policy.name) \(column)")
                    }
                }
            }
        }
        // Without a rate the time to expiry does not matter; without a fixed cost elsewhere it does here.
        var plain = state(\.yearsToExpiry)
        plain.rate = .zero
        #expect(try WhalleyWilmottPolicy(riskAversion: 1).band(plain).upper[0].isFinite)
        plain.fixedCost = [.nan, 0, 0, 0, 0, 0, 0, 0]
        #expect(try WhalleyWilmottPolicy(riskAversion: 1).band(plain).upper[0].isNaN)
    }

    @Test("thin depth and old data do to companions' bands what they do to the policy's own, in any nesting")
    func depthAndAgeOfCompanions() throws {
        let joint = try JointPolicy(
            ThresholdPolicy(.delta(0.1)),
            [ThresholdPolicy(.greek(.vega, 3), landing: .centre), ThresholdPolicy(.greek(.gamma, 0.01))])
        let policies =
            [
                try FreshDataPolicy(
                    LiquidityAwarePolicy(joint, referenceDepth: 100, maximum: 5), freshSeconds: 10,
                    staleSeconds: 30),
                try LiquidityAwarePolicy(
                    FreshDataPolicy(joint, freshSeconds: 10, staleSeconds: 30), referenceDepth: 100,
                    maximum: 5),
            ] as [any RebalancingPolicy]
        var state = Self.state { $0.vega = Lanes(repeating: -90) }
        state.depth = [.infinity, 100, 25, 1, .infinity, .infinity, .infinity, 25]
        state.dataAge = [0, 10, 0, 0, 20, 30, .nan, 20]
        let factors: Lanes = [1, 1, 2, 5, 2, .infinity, .infinity, 4]
        for policy in policies {
            #expect(policy.greek == .delta && policy.companions.map(\.greek) == [.vega, .gamma])
            for (part, width) in zip([policy] + policy.companions, [0.1, 3, 0.01]) {
                let band = part.band(state)
                for lane in 0..<8 {
                    let expected = width * factors[lane]
                    #expect(band.upper[lane] == expected || abs(band.upper[lane] / expected - 1) < 1e-15)
                    #expect(band.lower[lane] == -band.upper[lane])
                }
            }
            let change = policy.companions[0].change(state)
            #expect(change.difference([90, 90, 90, 90, 90, 0, 0, 90]) == 0)
        }
    }

    @Test("Plans are those found by trying every pattern of trades, in 50 digits")
    func plans() throws {
        var (worst, traded) = (0.0, 0)
        for row in try Fixture("plans.csv").rows {
            let forecasts = row.list("forecasts")
            let h = Int(row("horizon"))
            let policy = try PredictivePolicy(
                stepYears: row("step"), riskAversion: row("aversion"), impact: row("impact"),
                volatilityForecast: Array(forecasts.prefix(h)), depthForecast: Array(forecasts.suffix(h)))
            let plan = try #require(
                policy.plan(
                    delta: row("delta"), spot: row("spot"), volatility: row("vol"),
                    cost: row("cost") * row("spot"),
                    depth: row("depth")))
            let expected = row.list("trades")
            for (trade, value) in zip(plan, expected) {
                worst = max(worst, abs(trade - value) / abs(row("delta")))
            }
            // The policy makes the first trade, and holds without a solver exactly where the plan does.
            let state = Self.state {
                $0.delta = Lanes(repeating: row("delta"))
                $0.spot = Lanes(repeating: row("spot"))
                $0.forecastVolatility = Lanes(repeating: row("vol"))
                $0.proportionalCost = Lanes(repeating: row("cost"))
                $0.depth = Lanes(repeating: row("depth"))
            }
            let change = policy.change(state)[3]
            #expect(abs(change - expected[0]) < 1e-7 * abs(row("delta")))
            if expected[0] == 0 { #expect(change == 0) } else { traded += 1 }
        }
        print("plans: worst difference \(worst) of delta; \(traded) of 60 trade now")
        #expect(worst < 1e-7 && traded > 20 && traded < 60)
    }

    @Test("One step without costs is the static optimum; with costs its band has a closed form")
    func horizonOfOne() throws {
        let state = Self.state {
            $0.delta = [2, -3, 0.5, 1e-3, 0, 7, -0.25, 4]
            $0.proportionalCost = .zero
        }
        #expect(
            try PredictivePolicy(steps: 1, stepYears: 0.01, riskAversion: 0.2).change(state).difference(
                state.delta.negated)
                < 1e-9)
        let costly = Self.state {
            $0.delta = Lanes(repeating: 5)
            $0.proportionalCost = Lanes(repeating: 0.002)
        }
        for steps in [1, 3, 10] {
            let edge = 0.002 * 100 / (0.01 * 0.64 * 1e4 * 0.001 * Double(steps))
            let change = try PredictivePolicy(steps: steps, stepYears: 0.001, riskAversion: 0.01).change(
                costly)
            #expect(abs(change[0] - (min(edge, 5) - 5)) < 1e-7)
        }
    }

    @Test("A policy's bad parameter is refused with its name and value")
    func badParameters() throws {
        func complaint(_ body: () throws -> any RebalancingPolicy) -> String {
            do { return "accepted \(try body().name)" } catch { return "\(error)" }
        }
        #expect(complaint { try TimePolicy(intervalYears: 0) } == "interval: 0.0: must be above 0 and finite")
        #expect(complaint { try ThresholdPolicy(.delta(-1)) }.contains("delta threshold: -1.0"))
        #expect(complaint { try ThresholdPolicy(.cash(.nan)) }.contains("cash threshold"))
        #expect(complaint { try ThresholdPolicy(.delta(1), landing: .inner(1.5)) }.contains("landing: 1.5"))
        #expect(complaint { try LelandPolicy(intervalYears: .infinity) }.contains("interval"))
        #expect(complaint { try WhalleyWilmottPolicy(riskAversion: 0) }.contains("risk aversion"))
        #expect(complaint { try ZakamoulinePolicy(riskAversion: -1) }.contains("risk aversion"))
        let base = AlwaysRebalance()
        #expect(complaint { try LiquidityAwarePolicy(base, referenceDepth: 0) }.contains("reference depth"))
        #expect(
            complaint { try LiquidityAwarePolicy(base, referenceDepth: 1, maximum: 0.5) }.contains(
                "largest factor"))
        #expect(
            complaint { try FreshDataPolicy(base, freshSeconds: 9, staleSeconds: 8) }.contains(
                "stale_seconds: 8.0"))
        #expect(
            complaint { try PredictivePolicy(steps: 0, stepYears: 1, riskAversion: 1) }.contains(
                "horizon: 0.0"))
        #expect(
            complaint { try PredictivePolicy(steps: 90, stepYears: 1, riskAversion: 1) }.contains("horizon"))
        #expect(throws: RebalancingError.self) {
            try VolatilityAdjustment(.parkinson(window: 2), reference: 1, exponent: 1, minimum: 2, maximum: 1)
        }
    }
}

extension Lanes {
    /// Largest difference of two lanes, infinite where either is no number.
    func difference(_ other: Lanes) -> Double {
        var largest = 0.0
        for lane in 0..<8 where self[lane] != other[lane] {
            let difference = abs(self[lane] - other[lane])
            if !(difference <= largest) { largest = difference.isNaN ? .infinity : difference }
        }
        return largest
    }
}
