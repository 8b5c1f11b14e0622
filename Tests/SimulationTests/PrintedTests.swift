import Foundation
import Greeks
import Rebalancing
import Simulation
import TestSupport
import Testing

/// What books earned and paid on a few paths, beside what it was when somebody last looked at it.
struct PrintedTests {
    private static let grid = try! TimeGrid(steps: 240, stepYears: 2 * TimeGrid.hour)
    private static let heston = Heston.Parameters(
        variance: 0.36, meanReversion: 5, longRunVariance: 0.4, volatilityOfVariance: 1, correlation: -0.5)

    private static func model(_ name: String) throws -> any PathModel {
        switch name {
        case "heston": return try Heston(grid, spot: 100, drift: 0.3, heston)
        case "regimes":
            return try RegimeSwitching(
                grid, spot: 100, [.init(volatility: 0.5), .init(drift: -4, volatility: 2)],
                rates: [[0, 30], [120, 0]])
        default:
            return try JumpDiffusion(
                GeometricBrownianMotion(grid, spot: 100, drift: 0.1, volatility: 0.6), intensity: 60,
                meanJump: -0.03, jumpDeviation: 0.04)
        }
    }

    private static func surface(_ name: String) throws -> SurfaceDynamics {
        switch name {
        case "heston": return try SurfaceDynamics(.instantaneous(premium: 1.05), skew: -0.1)
        case "regimes":
            return try SurfaceDynamics(.constant(0.7), skew: -0.2, curvature: 0.1, stickiness: 0.5)
        default: return try SurfaceDynamics(.constant(0.6))
        }
    }

    private static var policies: [any RebalancingPolicy] {
        get throws {
            let adjustment = try VolatilityAdjustment(
                .exponentiallyWeighted(halfLifeYears: 6 * TimeGrid.hour), reference: 0.6, exponent: 1)
            let ranges = try VolatilityAdjustment(.garmanKlass(window: 12), reference: 0.6, exponent: -1)
            return [
                NeverRebalance(), AlwaysRebalance(), try TimePolicy(intervalYears: 6 * TimeGrid.hour),
                try ThresholdPolicy(.delta(0.4)), try ThresholdPolicy(.delta(0.4), landing: .centre),
                try ThresholdPolicy(.delta(0.3), adjustment: adjustment),
                try TimePolicy(intervalYears: 6 * TimeGrid.hour, adjustment: ranges),
                try WhalleyWilmottPolicy(riskAversion: 0.1), try ZakamoulinePolicy(riskAversion: 0.1),
            ]
        }
    }

    @Test(
        "Every metric and part of profit is what it was, for every kind of path, contract, settlement and account",
        arguments: ["heston", "regimes", "jumps"])
    func outcomes(_ name: String) throws {
        var lines: [String] = []
        for (kind, settlement, margin) in [
            (.spot, .linear, nil),
            (.linearPerpetual, .coin, MarginAccount(collateral: 30, maintenance: 0.05)),
            (
                .inversePerpetual, .linear,
                MarginAccount(collateral: 80, maintenance: 0.05, optionMaintenance: 0.03, isCrossed: true)
            ),
            (.linearFuture, .coin, nil),
        ] as [(HedgeContract.Kind, HedgedBook.Settlement, MarginAccount?)] {
            let simulation = try HedgingSimulation(
                model: try Self.model(name), surface: try Self.surface(name),
                book: HedgedBook(
                    options: AccountingTests.options, settlement: settlement, rate: 0.03, dividend: 0.01),
                terms: TradingTerms(
                    HedgeContract(kind: kind, years: 0.5, basis: 0.1, premiumDeviation: 5e-4),
                    venues: [AccountingTests.stormy, AccountingTests.pool]
                ).with {
                    $0.funding =
                        kind == .linearPerpetual
                        ? .premium : kind == .inversePerpetual ? .constant(1e-4) : .none
                    $0.margin = margin
                    $0.oldestPrice = margin == nil ? 0 : 4 * TimeGrid.hour
                    $0.deltaLimit = 6
                    $0.positionLimit = name == "jumps" ? 5 : .infinity
                    $0.closesAtEnd = name != "regimes"
                }, policies: try Self.policies, seed: 5, engine: try GreeksEngine())
            let figures = simulation.run(paths: 11)
            #expect(figures.completed == 11 && figures.paths == 11)
            for policy in figures.policies.indices {
                let metrics = PathMetric.allCases.map { figures.values($0, policy: policy).reduce(0, +) }
                let parts = ProfitPart.allCases.map { figures.values($0, policy: policy).reduce(0, +) }
                let title = "\(kind) \(settlement) \(figures.policies[policy])"
                lines += Printed.lines(title, metrics) + Printed.lines(title + ", parts", parts)
            }
        }
        let difference = try Printed.difference(lines.joined(separator: "\n"), from: "outcomes-\(name).txt")
        #expect(difference == nil)
    }
}
