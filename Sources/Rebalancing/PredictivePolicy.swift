import Checks
import Market
import Hedging
import Synchronization
import VectorMath

/// Plans the trades of the next steps against forecasts of volatility and depth, makes the first of them, and plans
/// anew at the next step (receding horizon).
///
/// The plan x₁ … x_h minimises costs and the certainty-equivalent price of risk,
///
///     Σₖ λ S |xₖ| + η S xₖ²/Dₖ + ½ a σₖ² S² Δ dₖ²,   dₖ = δ + x₁ + … + xₖ
///
/// over steps of Δ years, with costs λ per unit of value, depth Dₖ and risk aversion a. `Hedging`'s solver finds it:
/// one instrument per step, and the variance of what is unhedged as its risk term. Where no trade is the optimum,
/// which the conditions of optimality tell without a solver, nothing is done; a position in deep markets is brought
/// to the edge of a band, in thin ones a little of the way at a time.
///
/// With one step and no costs the plan is the static optimum, δ = 0; with λ alone and constant forecasts it holds
/// |δ| ≤ λ/(a σ² S Δ h).
///
/// - Input: delta, spot, proportional cost, depth where there is an impact, forecast volatility (realised or implied
///   where there is none).
/// - Source: Mayne, Rawlings, Rao, Scokaert, Constrained model predictive control, 2000; the cost model of Almgren,
///   Chriss, Optimal execution of portfolio transactions, 2000.
public struct PredictivePolicy: RebalancingPolicy {
    /// Years from one decision to the next.
    public let stepYears: Double
    /// a, per unit of currency.
    public let riskAversion: Double
    /// η: a trade of the whole depth costs this share of its value, beside λ.
    public let impact: Double
    /// Volatility of each of the next steps as a multiple of the state's forecast.
    public let volatilityForecast: [Double]
    /// Depth at each of them as a multiple of the state's.
    public let depthForecast: [Double]
    private let solvers = SolverPool()

    public static let longestHorizon = 64

    /// - Parameters:
    ///   - volatilityForecast: one factor per step of the horizon.
    ///   - depthForecast: as many.
    /// - Throws: for numbers that are not positive (impact: negative), horizons that differ or are not 1 to 64.
    public init(
        stepYears: Double, riskAversion: Double, impact: Double = 0, volatilityForecast: [Double],
        depthForecast: [Double]
    ) throws(RebalancingError) {
        try RebalancingError.require(stepYears, "step", .positive)
        try RebalancingError.require(riskAversion, "risk aversion", .positive)
        try RebalancingError.require(impact, "impact", .notNegative)
        guard (1...Self.longestHorizon).contains(volatilityForecast.count),
            depthForecast.count == volatilityForecast.count
        else {
            throw .invalidParameter(
                name: "horizon", value: Double(volatilityForecast.count),
                reason: "must be 1 to \(Self.longestHorizon) steps, of volatility and depth alike")
        }
        for factor in volatilityForecast {
            try RebalancingError.require(factor, "volatility forecast", .positive)
        }
        for factor in depthForecast { try RebalancingError.require(factor, "depth forecast", .positive) }
        self.stepYears = stepYears
        self.riskAversion = riskAversion
        self.impact = impact
        self.volatilityForecast = volatilityForecast
        self.depthForecast = depthForecast
    }

    /// With constant forecasts.
    public init(
        steps: Int, stepYears: Double, riskAversion: Double, impact: Double = 0
    ) throws(RebalancingError) {
        let ones = [Double](repeating: 1, count: max(0, min(steps, Self.longestHorizon + 1)))
        try self.init(
            stepYears: stepYears, riskAversion: riskAversion, impact: impact, volatilityForecast: ones,
            depthForecast: ones)
    }

    public var horizon: Int { volatilityForecast.count }
    public var name: String { "predictive, \(horizon) steps, risk aversion \(riskAversion)" }

    public func band(_ state: borrowing RebalancingState) -> RebalancingBand {
        var volatility = state.forecastVolatility
        volatility.replace(with: state.realisedVolatility, where: .!(volatility .> Lanes.zero))
        volatility.replace(with: state.impliedVolatility, where: .!(volatility .> Lanes.zero))
        let scale = volatility * state.spot
        let risk = Lanes(repeating: 0.5 * riskAversion * stepYears) * scale * scale
        let cost = state.proportionalCost * state.spot
        // Without trades delta stays where it is: a trade in step k saves 2 risk·δ·Σ factors² from k on, at least
        // as much in the first step as in any other. Only against its cost does it count.
        let weight = volatilityForecast.reduce(0) { $0 + $1 * $1 }
        let saved = Lanes(repeating: 2 * weight) * risk * state.delta.absolute
        // A volatility, cost or depth that nobody gave.
        var unknown = .!(saved .== saved) .| .!(cost .== cost)
        if impact > 0 { unknown = unknown .| .!(state.depth .== state.depth) }
        var band = RebalancingBand.hold.replacing(with: .unknown, where: unknown)
        let trades = (saved .> cost) .& .!unknown
        guard PortableArithmetic.any(trades) else { return band }
        for lane in 0..<8 where trades[lane] {
            guard
                let trade = plan(
                    delta: state.delta[lane], spot: state.spot[lane], volatility: volatility[lane],
                    cost: cost[lane], depth: state.depth[lane])?.first
            else { continue }
            // Both edges: wherever it stands, it goes there.
            let aim = state.delta[lane] + trade
            guard aim.isFinite, trade != 0 else { continue }
            band.lower[lane] = aim
            band.upper[lane] = aim
            band.innerLower[lane] = aim
            band.innerUpper[lane] = aim
        }
        return band
    }

    /// The trades of the whole horizon, in units of the underlying; nil where the numbers make no problem, or one whose
    /// solution is not proved.
    /// - Parameter cost: of a unit traded, in currency.
    public func plan(
        delta: Double, spot: Double, volatility: Double, cost: Double, depth: Double
    ) -> [Double]? {
        let count = horizon
        // More than all of it is never traded, in either direction.
        let most = 2 * delta.magnitude
        return solvers.solve(steps: count, name: name) { problem in
            for step in 0..<count {
                let depthThen = depth * depthForecast[step]
                problem.instruments[step].costBuy = cost
                problem.instruments[step].costSell = cost
                // Where depth does not matter, or is without end.
                let isFree = impact == 0 || depthThen == .infinity
                problem.instruments[step].impact = isFree ? 0 : impact * spot / depthThen
                problem.instruments[step].maximumBuy = most
                problem.instruments[step].maximumSell = most
                problem.risk?.exposure[step] = spot
            }
            problem.risk?.riskAversion = 0.5 * riskAversion
            problem.risk?.dollarDelta[0] = delta * spot
            // dₖ are running sums of the trades: Σₖ wₖ dₖ² = xᵀCx with Cᵢⱼ the sum of wₖ from max(i, j) on.
            var rest = 0.0
            for last in (0..<count).reversed() {
                let deviation = volatility * volatilityForecast[last]
                rest += deviation * deviation * stepYears
                for other in 0...last {
                    problem.risk?.covariance[last * count + other] = rest
                    problem.risk?.covariance[other * count + last] = rest
                }
            }
        }
    }
}

/// Solvers that are not in use, each with a problem that is filled in anew, so that several threads can plan at once.
/// Each plan starts cold: warm, its last digits would depend on the plan before, and with it on lanes and threads.
private final class SolverPool: Sendable {
    /// Handed from thread to thread, used by one at a time.
    private final class Box: @unchecked Sendable {
        let solver = HedgeSolver()
        var problem: HedgeProblem

        init(steps: Int, name: String) {
            problem = HedgeProblem(name: name, underlyings: (0..<steps).map { "step \($0 + 1)" })
            for step in 0..<steps {
                problem.add(
                    problem.underlyings[step],
                    HedgeInstrument(
                        underlying: step, costBuy: 0, costSell: 0, maximumBuy: 0, maximumSell: 0))
            }
            problem.risk = HedgeRisk(
                riskAversion: 1, covariance: [Double](repeating: 0, count: steps * steps),
                dollarDelta: [Double](repeating: 0, count: steps),
                exposure: [Double](repeating: 0, count: steps))
        }
    }
    private let idle = Mutex<[Box]>([])

    func solve(steps: Int, name: @autoclosure () -> String, _ fill: (inout HedgeProblem) -> Void) -> [Double]?
    {
        let box = idle.withLock { $0.popLast() } ?? Box(steps: steps, name: name())
        defer { idle.withLock { $0.append(box) } }
        fill(&box.problem)
        guard (try? box.solver.solve(box.problem, start: .cold)) == .optimal else { return nil }
        return box.solver.solution.trades
    }
}

extension PredictivePolicy: ConfiguredPolicy {
    package static var kind: String { "predictive" }

    package static func family(
        _ settings: Settings, _ market: PolicyMarket
    ) throws -> PolicyFamily {
        let steps = try settings.integer("steps", 1...longestHorizon, default: 8)
        let impact = try settings.number("impact", default: 0)
        return try PolicyFamily("predictive", settings, "risk_aversion_per_usd") {
            try PredictivePolicy(
                steps: steps, stepYears: market.stepYears, riskAversion: $0, impact: impact)
        }
    }
}
