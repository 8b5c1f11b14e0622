import Checks
import VectorMath

/// dS = μ S dt + √v S dW, dv = κ(θ − v) dt + ξ √v dZ, dW dZ = ρ dt.
///
/// - Method: Andersen's quadratic-exponential scheme with martingale correction: the first two moments of the
///   variance and the expected price are exact at every time, however long the steps; the law in between is
///   close (see `ModelTests`). Variance may reach 0 and leaves it again.
/// - Edges: where the correction does not exist (ρ > 0 with long steps) the uncorrected drift is taken.
/// - Source: Andersen, Simple and efficient simulation of the Heston stochastic volatility model, 2008.
public struct Heston: PathModel {
    public struct Parameters: Sendable, Equatable {
        /// v at the start, per year.
        public var variance: Double
        /// κ, per year.
        public var meanReversion: Double
        /// θ, per year.
        public var longRunVariance: Double
        /// ξ: volatility of variance.
        public var volatilityOfVariance: Double
        /// ρ.
        public var correlation: Double

        public init(
            variance: Double, meanReversion: Double, longRunVariance: Double, volatilityOfVariance: Double,
            correlation: Double
        ) {
            self.variance = variance
            self.meanReversion = meanReversion
            self.longRunVariance = longRunVariance
            self.volatilityOfVariance = volatilityOfVariance
            self.correlation = correlation
        }
    }

    public let grid: TimeGrid
    public let spot: Double
    public let drift: Double
    public let parameters: Parameters

    // Of a step: moments of the variance after it, and the terms of the logarithm.
    private let decay, meanConstant, varianceSlope, varianceConstant: Double
    private let k1, k2, k3, uncorrected, correction: Double

    /// What √v at the start and √θ may be.
    package static let volatilities = NumberRule.within(0.001...20)

    /// - Throws: unless κ, θ, ξ and v are positive and ρ is inside [−1, 1].
    public init(
        _ grid: TimeGrid, spot: Double, drift: Double = 0, _ parameters: Parameters
    ) throws(SimulationError) {
        let p = parameters
        try SimulationError.require(spot, .spot, "Heston", "spot_usd")
        for (name, variance) in [("volatility", p.variance), ("long_run_volatility", p.longRunVariance)] {
            try SimulationError.require(variance.squareRoot(), Self.volatilities, "Heston", name)
        }
        let largest = max(p.variance, p.longRunVariance).squareRoot()
        try grid.checkGrowth("Heston", drift: drift, volatility: largest)
        try SimulationError.require(p.meanReversion, .within(1e-6...1e6), "Heston", "mean_reversion_per_year")
        try SimulationError.require(
            p.volatilityOfVariance, .within(1e-6...1e3), "Heston", "volatility_of_variance")
        try SimulationError.require(p.correlation, .within(-1...1), "Heston", "correlation")
        self.grid = grid
        self.spot = spot
        self.drift = drift
        self.parameters = parameters
        let (kappa, theta, xi, rho) = (
            p.meanReversion, p.longRunVariance, p.volatilityOfVariance, p.correlation
        )
        let years = grid.stepYears
        decay = scalarExponential(-kappa * years)
        meanConstant = theta * (1 - decay)
        varianceSlope = xi * xi * decay / kappa * (1 - decay)
        varianceConstant = theta * xi * xi / (2 * kappa) * (1 - decay) * (1 - decay)
        let half = 0.5 * years
        k1 = half * (kappa * rho / xi - 0.5) - rho / xi
        k2 = half * (kappa * rho / xi - 0.5) + rho / xi
        k3 = half * (1 - rho * rho)
        uncorrected = -rho * kappa * theta * years / xi
        correction = k2 + 0.5 * k3
    }

    public func fill(_ block: PathBlock, seed: UInt64, firstPath: Int) {
        let arithmetic = PortableArithmetic.self
        let returns = RandomStream(seed: seed, stream: PathStream.returns)
        let variances = RandomStream(seed: seed, stream: PathStream.variance)
        let path = UInt32(truncatingIfNeeded: firstPath)
        let one = Lanes(repeating: 1)
        let two = Lanes(repeating: 2)
        let a0 = Lanes(repeating: correction)
        let growth = Lanes(repeating: drift * grid.stepYears)
        var variance = Lanes(repeating: parameters.variance)
        var logarithm = Lanes.zero
        block.spot[0] = Lanes(repeating: spot)
        block.variance[0] = variance
        for step in 0..<block.steps {
            let (z, w) = returns.normals(arithmetic, firstPath: path, step: UInt32(step))
            let mean = Lanes(repeating: meanConstant) + variance * Lanes(repeating: decay)
            let spread = Lanes(repeating: varianceConstant) + variance * Lanes(repeating: varianceSlope)
            let psi = spread / (mean * mean)
            let isQuadratic = psi .<= Lanes(repeating: 1.5)

            // A multiple of a shifted normal squared.
            let twoByPsi = two / psi
            let rest = (twoByPsi - one).atLeast(0)
            let b2 = rest + arithmetic.squareRoot(twoByPsi * rest)
            let a = mean / (one + b2)
            let shifted = arithmetic.squareRoot(b2) + z
            var next = a * shifted * shifted
            let remaining = one - two * a0 * a
            var start =
                Lanes(repeating: 0.5) * logarithmOfRatio(arithmetic, positive(remaining), one)
                - a0 * b2 * a / remaining
            var isCorrected = remaining .> Lanes.zero
            if arithmetic.any(.!isQuadratic) {
                // A mass at 0 and an exponential tail.
                let (u, _) = variances.uniforms(firstPath: path, step: UInt32(step))
                let p = (psi - one) / (psi + one)
                let beta = two / (mean * (psi + one))
                let tail = logarithmOfRatio(arithmetic, one - p, one - u) / beta
                next = tail.kept(where: u .> p).replacing(with: next, where: isQuadratic)
                let room = beta - a0
                let moment = p + beta * (one - p) / room
                let exponentialStart = logarithmOfRatio(arithmetic, positive(moment), one).negated
                start = exponentialStart.replacing(with: start, where: isQuadratic)
                isCorrected = (room .> Lanes.zero).replacing(with: isCorrected, where: isQuadratic)
            }
            let corrected = start - Lanes(repeating: k1 + 0.5 * k3) * variance
            let constant = Lanes(repeating: uncorrected).replacing(with: corrected, where: isCorrected)
            let conditional = arithmetic.squareRoot(Lanes(repeating: k3) * (variance + next))
            logarithm += growth + constant
            logarithm += Lanes(repeating: k1) * variance + Lanes(repeating: k2) * next
            logarithm += conditional * w
            variance = next
            block.spot[step + 1] = Lanes(repeating: spot) * exponential(arithmetic, logarithm)
            block.variance[step + 1] = variance
        }
        if block.hasRanges { block.bridgeRanges(grid.stepYears, seed: seed, firstPath: path) }
    }
}

/// 1 where a lane is not positive: arguments of logarithms whose result is not used there.
@inline(__always)
private func positive(_ x: Lanes) -> Lanes { Lanes(repeating: 1).replacing(with: x, where: x .> Lanes.zero) }
