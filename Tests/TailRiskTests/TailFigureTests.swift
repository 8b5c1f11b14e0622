import Foundation
import Greeks
import TailRisk
import TestSupport
import Testing

struct TailFigureTests {
    @Test("Quantiles, tail means and component lines are numpy's")
    func againstNumpy() throws {
        let fixture = try Fixture.read()
        let gains = Fixture.columns(fixture.gains)
        let profits = try ScenarioProfits(groups: gains.indices.map { ["\($0)"] }, gains: gains)
        for tail in fixture.tails {
            let figures = try profits.measures(level: tail.level)
            let pairs =
                [(figures.valueAtRisk, tail.var, 1e-15), (figures.expectedShortfall, tail.es, 1e-14)]
                + zip(figures.groupValueAtRisk, tail.group_var).map { ($0, $1, 1e-15) }
                + zip(figures.groupExpectedShortfall, tail.group_es).map { ($0, $1, 1e-14) }
                + zip(figures.expectedShortfallComponents, tail.component_es).map { ($0, $1, 1e-14) }
                + zip(figures.valueAtRiskComponents, tail.component_var).map { ($0, $1, 1e-11) }
            for (own, reference, limit) in pairs {
                #expect(
                    abs(own - reference) <= limit * max(abs(tail.es), abs(reference)),
                    "level \(tail.level): \(own), numpy \(reference)")
            }
        }
    }

    @Test(
        "Components add up to the total at any level, also where gains are equal or few",
        arguments: [2, 3, 10, 99, 100, 101, 5000]) func additivity(_ count: Int) throws
    {
        var random = SeededGenerator(seed: UInt64(count))
        let groups = 7
        for kind in 0..<3 {
            let gains = (0..<groups).map { group in
                (0..<count).map { _ -> Double in
                    let value = Double.random(in: -1...1, using: &random)
                    return switch kind {
                    case 0: value * pow(10, Double(group))
                    case 1: (value * 2).rounded()
                    default: group == 0 ? 1 : -1
                    }
                }
            }
            let profits = try ScenarioProfits(groups: (0..<groups).map { ["\($0)"] }, gains: gains)
            for level in [0.5, 0.9, 0.99, 0.999] {
                let figures = try profits.measures(level: level)
                for (components, total) in [
                    (figures.valueAtRiskComponents, figures.valueAtRisk),
                    (figures.expectedShortfallComponents, figures.expectedShortfall),
                ] {
                    let scale = components.reduce(abs(total)) { $0 + abs($1) }
                    #expect(
                        abs(components.reduce(0, +) - total) <= 1e-13 * scale, "\(count) \(kind) \(level)")
                }
                // The tail is at least as bad as its best, and its parts by themselves no better than together.
                #expect(figures.expectedShortfall >= figures.valueAtRisk - 1e-9 * abs(figures.valueAtRisk))
                let alone = figures.groupExpectedShortfall.reduce(0, +)
                #expect(figures.expectedShortfall <= alone + 1e-9 * abs(alone), "subadditive")
            }
        }
    }

    @Test("Levels outside (½, 1) and gains that are no numbers are refused")
    func badInput() throws {
        let profits = try ScenarioProfits(groups: [["a"]], gains: [[1, 2, 3]])
        for level in [0.4, 1, 1.5, .nan, -1] {
            #expect(throws: TailRiskError.self) { try profits.measures(level: level) }
        }
        let one = try ScenarioProfits(groups: [["a"]], gains: [[1]])
        #expect {
            try one.measures(level: 0.9)
        } throws: {
            "\($0)" == "scenarios 1.0: must be at least 2 and finite"
        }
        #expect(throws: TailRiskError.notFinite(group: "a")) {
            try ScenarioProfits(groups: [["a"]], gains: [[1, .nan]])
        }
        #expect(throws: TailRiskError.notFinite(group: "total")) {
            try ScenarioProfits(groups: [["a"], ["b"]], gains: [[1e308], [1e308]])
        }
    }

    // MARK: Against closed forms

    static func normalTail(_ z: Double) -> Double { erfc(z / 2.0.squareRoot()) / 2 }

    /// z with N(−z) = p.
    static func normalQuantile(_ p: Double) -> Double {
        var (low, high) = (-40.0, 40.0)
        while high - low > 1e-14 {
            let middle = (low + high) / 2
            if normalTail(middle) > p { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// Coins whose moves are normal: the loss is normal, and so are its components' conditional means.
    @Test(
        "A normal portfolio has normal losses, and components that are conditional means",
        arguments: [0.9, 0.95, 0.99, 0.999]) func gaussianPortfolio(_ level: Double) throws
    {
        let coins = ["AAA", "BBB", "CCC"]
        let book = try Books.coins(
            coins, ["a,AAA_USDC,50", "b,BBB_USDC,-30", "c,CCC_USDC,20", "b,AAA_USDC,5"])
        // Dollars of each book in each coin.
        let weights: [[Double]] = [[5000, 0, 0], [500, -3000, 0], [0, 0, 2000]]
        let matrix: [Double] = [4e-4, 2.7e-4, -1e-4, 2.7e-4, 9e-4, 2e-4, -1e-4, 2e-4, 2.5e-3]
        let covariance = try FactorCovariance(names: coins, matrix: matrix)
        let count = 200_000
        let moves = try FactorMoves.gaussian(
            covariance, coins: coins, steps: 6, count: count, seed: 7, .normal)
        let figures = try DeltaGammaVega(book).profits(moves).measures(level: level)

        let total = (0..<3).map { coin in weights.reduce(0) { $0 + $1[coin] } }
        func product(_ a: [Double], _ b: [Double]) -> Double {
            var sum = 0.0
            for row in 0..<3 {
                for column in 0..<3 { sum += a[row] * matrix[row * 3 + column] * b[column] }
            }
            return 6 * sum
        }
        let deviation = product(total, total).squareRoot()
        let p = 1 - level
        let z = Self.normalQuantile(p)
        let density = exp(-z * z / 2) / (2 * Double.pi).squareRoot()
        let n = Double(count)
        // One standard error of each estimate, times the deviation.
        let quantileError = (p * level / n).squareRoot() / density
        let excess = density - z * p
        let meanError = (((1 + z * z) * p - z * density - excess * excess) / n).squareRoot() / p
        func check(_ name: String, _ own: Double, _ exact: Double, _ error: Double) {
            print("gaussian \(level) \(name): \((own - exact) / error) standard errors")
            #expect(
                abs(own - exact) <= 4 * error, "\(level) \(name): \(own), exactly \(exact), error \(error)")
        }
        check("VaR", figures.valueAtRisk, z * deviation, quantileError * deviation)
        check("ES", figures.expectedShortfall, density / p * deviation, meanError * deviation)
        #expect(abs(figures.valueAtRiskStandardError / (quantileError * deviation) - 1) < 0.35)
        #expect(abs(figures.expectedShortfallStandardError / (meanError * deviation) - 1) < 0.15)
        for (book, weight) in weights.enumerated() {
            // A book's gain is β times the total's and an independent rest.
            let beta = product(weight, total) / (deviation * deviation)
            let own = product(weight, weight)
            let rest = max(0, own - beta * beta * deviation * deviation).squareRoot()
            check(
                "book \(book) VaR", figures.groupValueAtRisk[book], z * own.squareRoot(),
                quantileError * own.squareRoot())
            check(
                "book \(book) component of ES", figures.expectedShortfallComponents[book],
                beta * density / p * deviation,
                abs(beta) * meanError * deviation + rest / (n * p).squareRoot())
            // From half as many scenarios as are in the tail, weighted by a triangle: 2/3 of them count.
            check(
                "book \(book) component of VaR", figures.valueAtRiskComponents[book], beta * z * deviation,
                abs(beta) * quantileError * deviation + rest / (n * p / 2 * 2 / 3).squareRoot())
        }
    }

    @Test("One coin with lognormal moves has the loss of one normal number in closed form")
    func lognormal() throws {
        let book = try Books.coins(["AAA"], ["a,AAA_USDC,10"])
        let deviation = 0.2
        let covariance = try FactorCovariance(names: ["AAA"], matrix: [deviation * deviation])
        let count = 200_000
        let moves = try FactorMoves.gaussian(
            covariance, coins: ["AAA"], steps: 1, count: count, seed: 3, .lognormal)
        let figures = try book.profits(moves).measures(level: 0.99)
        let z = Self.normalQuantile(0.01)
        let density = exp(-z * z / 2) / (2 * Double.pi).squareRoot()
        let quantile = 1000 * (1 - exp(-z * deviation))
        let error =
            (0.01 * 0.99 / Double(count)).squareRoot() / density * 1000 * deviation * exp(-z * deviation)
        #expect(abs(figures.valueAtRisk - quantile) <= 4 * error)
        // E[e^(σZ); Z < −z] = e^(σ²/2) N(−z − σ).
        let mean = exp(deviation * deviation / 2) * Self.normalTail(z + deviation) / 0.01
        #expect(
            abs(figures.expectedShortfall - 1000 * (1 - mean)) <= 4 * figures.expectedShortfallStandardError)
    }
}
