import Simulation
import TestSupport
import Testing
import VectorMath

/// Path models against what is known of their laws, each figure with its own statistical error.
struct ModelTests {
    /// 5 standard errors: one wrong alarm in two million figures; the seeds are fixed besides.
    static let limit = 5.0

    static func model(_ row: Fixture.Row) throws -> any PathModel {
        let grid = try TimeGrid(steps: Int(row("steps")), stepYears: row("years") / row("steps"))
        let heston = try Heston(
            grid, spot: 100, drift: row("drift"),
            Heston.Parameters(
                variance: row("variance"), meanReversion: row("reversion"), longRunVariance: row("longRun"),
                volatilityOfVariance: row("volOfVar"), correlation: row("correlation")))
        guard row("intensity") > 0 else { return heston }
        return try JumpDiffusion(
            heston, intensity: row("intensity"), meanJump: row("meanJump"),
            jumpDeviation: row("jumpDeviation"))
    }

    /// Heston and Bates: moments of variance and of the logarithm, the expected price, and prices of calls, against
    /// the characteristic function.
    @Test("Heston's and Bates's moments and prices are those of the characteristic function")
    func hestonAndBates() throws {
        for row in try Fixture("models.csv").rows {
            let model = try Self.model(row)
            let (years, drift) = (row("years"), row("drift"))
            let mean = row("meanVariance")
            let forward = 100 * exponential(drift * years)
            var price = Sample(around: forward), variance = Sample(around: mean), square = Sample()
            var log = Sample(around: row("meanLog")), logSquare = Sample()
            var calls = [Sample(), Sample(), Sample()]
            let strikes = [80.0, 100, 130]
            PathTests.forEachPath(model, count: 100_000) { block, lane in
                let (end, v) = (block.spot[block.steps][lane], block.variance[block.steps][lane])
                price.add(end)
                variance.add(v)
                square.add((v - mean) * (v - mean))
                let move = logarithm(end / 100)
                log.add(move)
                logSquare.add((move - row("meanLog")) * (move - row("meanLog")))
                for (k, strike) in strikes.enumerated() { calls[k].add(max(end - strike, 0)) }
            }
            let scores = [
                ("price", price.score(forward)), ("variance", variance.score(mean)),
                ("variance of variance", square.score(row("varianceOfVariance"))),
                ("logarithm", log.score(row("meanLog"))),
                ("variance of logarithm", logSquare.score(row("varianceOfLog"))),
                ("call 80", calls[0].score(row("call80"))), ("call 100", calls[1].score(row("call100"))),
                ("call 130", calls[2].score(row("call130"))),
            ]
            print(
                "\(row.text("name")):",
                scores.map { "\($0) \(($1 * 10).rounded() / 10)" }.joined(separator: ", "))
            for (name, score) in scores {
                #expect(abs(score) < Self.limit, "\(row.text("name")): \(name): \(score) standard errors")
            }
        }
    }

    /// Jumps alone: Merton's mean, variance, skewness and kurtosis of the logarithm, and the number of jumps.
    @Test("Merton's jumps have his moments and number")
    func merton() throws {
        let grid = try TimeGrid(steps: 20, stepYears: 0.0125)
        let (rate, m, d, sigma) = (30.0, -0.05, 0.08, 0.5)
        let model = try JumpDiffusion(
            try GeometricBrownianMotion(grid, spot: 100, drift: 0.2, volatility: sigma), intensity: rate,
            meanJump: m, jumpDeviation: d)
        let years = grid.duration
        let growth = exponential(m + d * d / 2) - 1
        // Cumulants of the logarithm.
        let k1 = (0.2 - sigma * sigma / 2 - rate * growth + rate * m) * years
        let k2 = (sigma * sigma + rate * (m * m + d * d)) * years
        let k3 = rate * years * (m * m * m + 3 * m * d * d)
        let k4 = rate * years * (m * m * m * m + 6 * m * m * d * d + 3 * d * d * d * d)
        var price = Sample(around: 100), first = Sample(around: k1), second = Sample(), third = Sample()
        var fourth = Sample()
        PathTests.forEachPath(model, count: 200_000) { block, lane in
            price.add(block.spot[block.steps][lane])
            let x = logarithm(block.spot[block.steps][lane] / 100) - k1
            first.add(x + k1)
            second.add(x * x)
            third.add(x * x * x)
            fourth.add(x * x * x * x)
        }
        let scores = [
            price.score(100 * exponential(0.2 * years)), first.score(k1), second.score(k2), third.score(k3),
            fourth.score(k4 + 3 * k2 * k2),
        ]
        print("Merton: deviations in standard errors", scores)
        for score in scores { #expect(abs(score) < Self.limit) }

        // Without diffusion and with one size, the path counts its jumps.
        let counted = try JumpDiffusion(
            try GeometricBrownianMotion(grid, spot: 1, volatility: 0), intensity: 200, meanJump: 1,
            jumpDeviation: 0)
        let compensation = -200 * grid.stepYears * (exponential(1) - 1)
        var number = Sample(around: 2.5), none = Sample(), square = Sample()
        PathTests.forEachPath(counted, count: 8_000) { block, lane in
            for s in 0..<block.steps {
                let jumps = logarithm(block.spot[s + 1][lane] / block.spot[s][lane]) - compensation
                #expect(abs(jumps - jumps.rounded()) < 1e-9)
                number.add(jumps.rounded())
                square.add((jumps - 2.5) * (jumps - 2.5))
                none.add(jumps < 0.5 ? 1 : 0)
            }
        }
        #expect(abs(number.score(2.5)) < Self.limit && abs(square.score(2.5)) < Self.limit)
        #expect(abs(none.score(exponential(-2.5))) < Self.limit)
    }

    /// Regimes: the transition matrix of two regimes in closed form, the stationary distribution, durations, and the
    /// first two moments of the price by backward recursion.
    @Test("Two regimes have their transition matrix, durations and moments in closed form")
    func regimes() throws {
        let grid = try TimeGrid(steps: 60, stepYears: 1.0 / 365)
        let (up, down) = (20.0, 50.0)
        let model = try RegimeSwitching(
            grid, spot: 100,
            [.init(drift: 0.3, volatility: 0.4), .init(drift: -1, volatility: 1.5)],
            rates: [[0, up], [down, 0]])
        let decay = exponential(-(up + down) * grid.stepYears)
        let share = up / (up + down)
        let expected = [
            [1 - share * (1 - decay), share * (1 - decay)],
            [(1 - share) * (1 - decay), share + (1 - share) * decay],
        ]
        for row in 0..<2 {
            for column in 0..<2 {
                #expect(abs(model.transition[row][column] - expected[row][column]) < 1e-15)
            }
        }
        #expect(abs(model.start[1] - share) < 1e-12)

        /// E exp(p ln(S/S₀)) by regime of the first step.
        func moment(_ p: Double) -> Double {
            var value = [1.0, 1.0]
            for _ in 0..<grid.steps {
                let next = (0..<2).map { row in (0..<2).reduce(0) { $0 + expected[row][$1] * value[$1] } }
                value = (0..<2).map { regime in
                    let (mu, sigma) = (model.regimes[regime].drift, model.regimes[regime].volatility)
                    let exponent = p * (mu - sigma * sigma / 2) + p * p * sigma * sigma / 2
                    return exponential(exponent * grid.stepYears) * next[regime]
                }
            }
            return (1 - share) * value[0] + share * value[1]
        }
        var first = Sample(around: 1), second = Sample(around: 1), volatile = Sample(), stays = Sample()
        PathTests.forEachPath(model, count: 100_000) { block, lane in
            let ratio = block.spot[block.steps][lane] / 100
            first.add(ratio)
            second.add(ratio * ratio)
            volatile.add(block.variance[block.steps / 2][lane] == 2.25 ? 1 : 0)
            if block.variance[10][lane] == 2.25 { stays.add(block.variance[11][lane] == 2.25 ? 1 : 0) }
        }
        let scores = [
            first.score(moment(1)), second.score(moment(2)), volatile.score(share),
            stays.score(expected[1][1]),
        ]
        print("regimes: deviations in standard errors", scores)
        for score in scores { #expect(abs(score) < Self.limit) }

        let fixed = try RegimeSwitching(
            grid, spot: 100, [.init(volatility: 0.4), .init(volatility: 1), .init(volatility: 2)],
            rates: [[0, 1, 0], [0, 0, 0], [5, 5, 0]], start: 2)
        PathTests.forEachPath(fixed, count: 8) { block, lane in #expect(block.variance[0][lane] == 4) }
        for row in fixed.transition { #expect(abs(row.reduce(0, +) - 1) < 1e-15) }
        #expect(fixed.transition[1] == [0, 1, 0])
    }

    @Test("However fast regimes change, a step has the exact transition matrix")
    func fastRegimes() throws {
        for (up, down, years) in [
            (20.0, 50.0, 1.0 / 365), (300, 80, 1.0 / 365), (2000, 700, 1.0 / 365), (3, 1, 2.0),
        ] {
            let model = try RegimeSwitching(
                try TimeGrid(steps: 2, stepYears: years), spot: 100,
                [.init(volatility: 0.4), .init(volatility: 1)],
                rates: [[0, up], [down, 0]])
            let share = up / (up + down)
            let decay = exponential(-(up + down) * years)
            let expected = [
                [1 - share * (1 - decay), share * (1 - decay)],
                [(1 - share) * (1 - decay), share + (1 - share) * decay],
            ]
            for row in 0..<2 {
                for column in 0..<2 {
                    let error = abs(model.transition[row][column] - expected[row][column])
                    #expect(error < 1e-13, "\(up), \(down): \(model.transition)")
                }
                #expect(abs(model.start[row] - (row == 1 ? share : 1 - share)) < 1e-12)
            }
        }
        // Round and round, which powers of the diagonal do not show: three regimes, one way.
        let rate = 400.0
        let ring = try RegimeSwitching(
            try TimeGrid(steps: 2, stepYears: 1.0 / 365), spot: 100,
            (1...3).map { .init(volatility: Double($0)) },
            rates: [[0, rate, 0], [0, 0, rate], [rate, 0, 0]])
        // Numbers of jumps are Poisson's, counted modulo 3.
        var shares = [0.0, 0, 0]
        var probability = exponential(-rate / 365)
        for jumps in 0..<60 {
            shares[jumps % 3] += probability
            probability *= rate / 365 / Double(jumps + 1)
        }
        for row in 0..<3 {
            for column in 0..<3 {
                #expect(abs(ring.transition[row][column] - shares[(column - row + 3) % 3]) < 1e-13)
            }
        }
    }

    @Test("Every model gives any path in any lane")
    func pathsAlone() throws {
        let grid = try TimeGrid(steps: 33, stepYears: 1.0 / 365)
        let heston = try Heston(
            grid, spot: 100,
            .init(
                variance: 0.04, meanReversion: 0.5, longRunVariance: 0.04, volatilityOfVariance: 1,
                correlation: -0.9))
        let models: [any PathModel] = [
            heston, try JumpDiffusion(heston, intensity: 40, meanJump: -0.1, jumpDeviation: 0.1),
            try RegimeSwitching(
                grid, spot: 100, [.init(volatility: 0.4), .init(volatility: 1)], rates: [[0, 50], [50, 0]]),
        ]
        for model in models { PathTests.expectPathsAlone(model) }
    }

    @Test("Paths have the same bits on every machine, for ever")
    func bits() throws {
        let grid = try TimeGrid(steps: 50, stepYears: TimeGrid.hour)
        let heston = try Heston(
            grid, spot: 100,
            .init(
                variance: 0.04, meanReversion: 0.5, longRunVariance: 0.04, volatilityOfVariance: 1,
                correlation: -0.9))
        let models: [(any PathModel, UInt64)] = [
            (
                try GeometricBrownianMotion(grid, spot: 100, drift: 0.1, volatility: 0.8),
                0x76EE_CA9D_E948_547B
            ),
            (heston, 0xB433_F3E7_16C2_26E4),
            (
                try JumpDiffusion(heston, intensity: 900, meanJump: -0.1, jumpDeviation: 0.1),
                0x9AD1_9BAA_E038_683A
            ),
            (
                try RegimeSwitching(
                    grid, spot: 100, [.init(volatility: 0.4), .init(volatility: 1)],
                    rates: [[0, 50], [50, 0]]), 0xE294_8FB4_925A_03F0
            ),
        ]
        for (model, expected) in models {
            let block = PathBlock(steps: 50, hasRanges: true)
            model.fill(block, seed: 0xDEAD_BEEF_CAFE, firstPath: 1000)
            // FNV-1a over words.
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for column in [block.spot.rows, block.variance.rows, block.high.rows, block.low.rows] {
                for row in column {
                    for lane in 0..<8 { hash = (hash ^ row[lane].bitPattern) &* 0x0000_0100_0000_01B3 }
                }
            }
            #expect(hash == expected, "\(type(of: model)): 0x\(String(hash, radix: 16))")
        }
    }

    @Test("A model's bad parameter is refused with its name and value")
    func badParameters() throws {
        let grid = try TimeGrid(steps: 2, stepYears: 0.1)
        func complaint(_ body: () throws -> Void) -> String {
            do {
                try body()
                return "accepted"
            } catch { return "\(error)" }
        }
        #expect(complaint { _ = try TimeGrid(steps: 0, stepYears: 1) }.contains("steps"))
        #expect(complaint { _ = try TimeGrid(steps: 3, stepYears: .nan) }.contains("step: nan"))
        #expect(
            complaint { _ = try GeometricBrownianMotion(grid, spot: -1, volatility: 1) }
                == "geometric Brownian motion: spot_usd: -1.0: must be from 1e-09 to 1e12")
        #expect(
            complaint { _ = try GeometricBrownianMotion(grid, spot: 1, volatility: .nan) }.contains(
                "volatility"))
        var parameters = Heston.Parameters(
            variance: 0.1, meanReversion: 1, longRunVariance: 0.1, volatilityOfVariance: 1, correlation: 1.1)
        #expect(complaint { _ = try Heston(grid, spot: 1, parameters) }.contains("correlation: 1.1"))
        parameters.correlation = 0
        parameters.volatilityOfVariance = 0
        #expect(complaint { _ = try Heston(grid, spot: 1, parameters) }.contains("volatility_of_variance"))
        let base = try GeometricBrownianMotion(grid, spot: 1, volatility: 1)
        #expect(
            complaint { _ = try JumpDiffusion(base, intensity: -1, meanJump: 0, jumpDeviation: 0) }
                .contains("per_year"))
        #expect(
            complaint { _ = try JumpDiffusion(base, intensity: 300, meanJump: 0, jumpDeviation: 0) }
                .contains("more than 20"))
        let calm = RegimeSwitching.Regime(volatility: 0.4)
        #expect(complaint { _ = try RegimeSwitching(grid, spot: 1, [], rates: []) }.contains("regimes"))
        #expect(
            complaint { _ = try RegimeSwitching(grid, spot: 1, [calm, calm], rates: [[0, -1], [1, 0]]) }
                .contains("moves_per_year: -1"))
        #expect(
            complaint { _ = try RegimeSwitching(grid, spot: 1, [calm, calm], rates: [[0], [1, 0]]) }
                .contains("rates of a regime"))
        #expect(
            complaint { _ = try RegimeSwitching(grid, spot: 1, [calm], rates: [[0]], start: 1) }
                .contains("start"))
        #expect(complaint { _ = try SurfaceDynamics(.constant(0)) }.contains("surface: volatility: 0.0"))
    }
}
