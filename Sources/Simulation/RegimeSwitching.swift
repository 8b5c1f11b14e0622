import Checks
import VectorMath

/// Geometric Brownian motion whose drift and volatility follow a Markov chain: calm, volatile, crash.
///
/// A regime holds for a whole step; from step to step the chain moves by the exact transition matrix e^(QΔt).
/// - Source: Hamilton, A new approach to the economic analysis of nonstationary time series, 1989.
public struct RegimeSwitching: PathModel {
    public struct Regime: Sendable, Equatable {
        /// Per year.
        public var drift: Double
        /// Per square root of a year.
        public var volatility: Double

        public init(drift: Double = 0, volatility: Double) {
            self.drift = drift
            self.volatility = volatility
        }
    }

    public let grid: TimeGrid
    public let spot: Double
    public let regimes: [Regime]
    /// Probabilities of the next regime, by regime.
    public let transition: [[Double]]
    /// Probabilities of the regime in the first step.
    public let start: [Double]
    /// Running sums of both.
    private let cumulative: [[Double]]
    private let cumulativeStart: [Double]

    /// What expected moves per year may be.
    package static let moveRates = NumberRule.within(0...1e9)

    /// - Parameters:
    ///   - rates: expected moves per year from one regime (row) to another (column); the diagonal is not
    ///     looked at.
    ///   - start: the regime of the first step; nil for one drawn from the stationary distribution.
    /// - Throws: for no regimes, negative rates or volatilities, rows of other lengths, an unknown regime.
    public init(
        _ grid: TimeGrid, spot: Double, _ regimes: [Regime], rates: [[Double]], start: Int? = nil
    ) throws(SimulationError) {
        let model = "regime switching"
        try SimulationError.require(spot, .spot, model, "spot_usd")
        let count = regimes.count
        try SimulationError.require(
            (1...64).contains(count), model, "regimes", Double(count), "are not 1 to 64")
        for regime in regimes {
            try grid.checkGrowth(model, drift: regime.drift, volatility: regime.volatility)
        }
        try SimulationError.require(
            rates.count == count, model, "rates", Double(rates.count), "are not one row per regime")
        var generator = rates
        for row in 0..<count {
            try SimulationError.require(
                rates[row].count == count, model, "rates of a regime", Double(rates[row].count),
                "are not one per regime")
            generator[row][row] = 0
            for column in 0..<count where column != row {
                try SimulationError.require(
                    rates[row][column], Self.moveRates, model, "moves_per_year")
                generator[row][row] -= rates[row][column]
            }
        }
        if let start {
            try SimulationError.require(
                regimes.indices.contains(start), model, "start", Double(start), "is no regime")
        }
        self.grid = grid
        self.spot = spot
        self.regimes = regimes
        let transition = Self.matrixExponential(generator, grid.stepYears)
        self.transition = transition
        if let start {
            self.start = regimes.indices.map { $0 == start ? 1 : 0 }
        } else {
            // Squared often enough, every row is the stationary distribution (a mixture of them, where
            // regimes cannot reach each other).
            var power = transition
            for _ in 0..<60 { power = Self.normalised(Self.product(power, power)) }
            self.start = regimes.indices.map { column in
                power.reduce(0) { $0 + $1[column] } / Double(count)
            }
        }
        func running(_ row: [Double]) -> [Double] {
            var sum = 0.0
            return row.map {
                sum += $0
                return sum
            }
        }
        cumulative = transition.map(running)
        cumulativeStart = running(self.start)
    }

    public func fill(_ block: PathBlock, seed: UInt64, firstPath: Int) {
        let arithmetic = PortableArithmetic.self
        let returns = RandomStream(seed: seed, stream: PathStream.returns)
        let chain = RandomStream(seed: seed, stream: PathStream.regimes)
        let path = UInt32(truncatingIfNeeded: firstPath)
        let root = grid.stepYears.squareRoot()
        func next(_ uniform: Lanes, _ row: [Double]) -> Lanes {
            var regime = Lanes.zero
            for bound in row.dropLast() {
                regime += Lanes(repeating: 1).kept(where: uniform .> Lanes(repeating: bound))
            }
            return regime
        }
        var pending: Lanes
        (pending, _) = chain.uniforms(firstPath: path, step: 0)
        var regime = next(pending, cumulativeStart)
        var logarithm = Lanes.zero
        block.spot[0] = Lanes(repeating: spot)
        for step in 0...block.steps {
            var (mean, deviation, variance) = (Lanes.zero, Lanes.zero, Lanes.zero)
            for (number, parameters) in regimes.enumerated() {
                let isIt = regime .== Lanes(repeating: Double(number))
                let square = parameters.volatility * parameters.volatility
                let growth = (parameters.drift - 0.5 * square) * grid.stepYears
                mean.replace(with: Lanes(repeating: growth), where: isIt)
                deviation.replace(with: Lanes(repeating: parameters.volatility * root), where: isIt)
                variance.replace(with: Lanes(repeating: square), where: isIt)
            }
            block.variance[step] = variance
            guard step < block.steps else { break }
            let normals = returns.normals(arithmetic, firstPath: path, step: UInt32(step / 2))
            logarithm += mean + deviation * (step & 1 == 0 ? normals.0 : normals.1)
            block.spot[step + 1] = Lanes(repeating: spot) * exponential(arithmetic, logarithm)
            let (uniform, _) = chain.uniforms(firstPath: path, step: UInt32(step + 1))
            var following = Lanes.zero
            for (number, row) in cumulative.enumerated() {
                following.replace(
                    with: next(uniform, row), where: regime .== Lanes(repeating: Double(number)))
            }
            regime = following
        }
        if block.hasRanges { block.bridgeRanges(grid.stepYears, seed: seed, firstPath: path) }
    }

    // MARK: Small matrices

    /// e^(matrix·years), by a Taylor series on a part of the time that is squared up.
    private static func matrixExponential(_ matrix: [[Double]], _ years: Double) -> [[Double]] {
        let largest = matrix.map { row in row.reduce(0) { $0 + $1.magnitude } }.max() ?? 0
        var squarings = 0
        var part = years
        while part * largest > 0.5, squarings < 200 {
            part /= 2
            squarings += 1
        }
        let scaled = matrix.map { $0.map { $0 * part } }
        var term = identity(matrix.count)
        var sum = term
        for order in 1...20 {
            term = product(term, scaled).map { $0.map { $0 / Double(order) } }
            for row in sum.indices { for column in sum.indices { sum[row][column] += term[row][column] } }
        }
        for _ in 0..<squarings { sum = product(sum, sum) }
        return normalised(sum)
    }

    private static func identity(_ count: Int) -> [[Double]] {
        (0..<count).map { row in (0..<count).map { $0 == row ? 1 : 0 } }
    }

    private static func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
        a.map { row in
            b.indices.map { column in b.indices.reduce(0) { $0 + row[$1] * b[$1][column] } }
        }
    }

    /// Rows that sum to 1, without what rounding made negative.
    private static func normalised(_ matrix: [[Double]]) -> [[Double]] {
        matrix.map { row in
            let kept = row.map { max($0, 0) }
            let sum = kept.reduce(0, +)
            return kept.map { $0 / sum }
        }
    }
}
