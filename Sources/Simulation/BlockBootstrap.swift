import Checks
import Market
import VectorMath

/// Paths put together from stretches of the past: what happened, in another order, with its clusters of
/// volatility.
///
/// At each step a new stretch begins with probability 1/length at any candle, else the next candle follows,
/// and the first the last: every candle is as likely at every step. Steps go from close to close, but at the
/// beginning of a stretch and behind a gap from open to close.
/// - Source: Politis, Romano, The stationary bootstrap, 1994.
public struct BlockBootstrap: PathModel {
    public let grid: TimeGrid
    public let spot: Double
    /// Expected candles of a stretch.
    public let meanBlockLength: Double
    /// The variance column as a volatility.
    public let volatility: Double
    /// Per candle: logarithms of close, high and low against its open, and against the close before.
    private let fresh, following: [(close: Double, high: Double, low: Double)]
    private let shift: Double

    /// - Parameters:
    ///   - drift: growth of the logarithm per year that the paths are to have on average; nil for the past's.
    /// - Throws: for a length below 1 or a series of less than two candles in a row.
    public init(
        _ series: CandleSeries, steps: Int, spot: Double, meanBlockLength: Double, drift: Double? = nil,
        volatility: Double? = nil
    ) throws(SimulationError) {
        let model = "bootstrap of \(series.file)"
        try SimulationError.require(spot, .spot, model, "spot_usd")
        try SimulationError.require(
            meanBlockLength >= 1 && meanBlockLength < .infinity, model, "block_hours",
            meanBlockLength * series.stepYears * Year.hours,
            "must be at least the hours of a candle, and finite")
        grid = try TimeGrid(steps: steps, stepYears: series.stepYears)
        try SimulationError.require(
            (series.run.max() ?? 0) > 1, model, "candles", Double(series.count),
            "do not have two in a row without a gap")
        self.spot = spot
        self.meanBlockLength = meanBlockLength
        self.volatility = volatility ?? series.volatility
        try grid.checkGrowth(model, drift: drift ?? 0, volatility: self.volatility)
        func moves(_ index: Int, from base: Double) -> (close: Double, high: Double, low: Double) {
            (
                naturalLogarithm(series.close[index] / base),
                naturalLogarithm(max(series.high[index], base) / base),
                naturalLogarithm(min(series.low[index], base) / base)
            )
        }
        let fresh = (0..<series.count).map { moves($0, from: series.open[$0]) }
        let following = (0..<series.count).map { index in
            index > 0 && series.run[index - 1] > 1
                ? moves(index, from: series.close[index - 1]) : fresh[index]
        }
        self.fresh = fresh
        self.following = following
        let mean = following.reduce(0) { $0 + $1.close } / Double(series.count)
        shift = drift.map { $0 * series.stepYears - mean } ?? 0
    }

    public func fill(_ block: PathBlock, seed: UInt64, firstPath: Int) {
        let stream = RandomStream(seed: seed, stream: PathStream.blocks)
        let path = UInt32(truncatingIfNeeded: firstPath)
        let variance = Lanes(repeating: volatility * volatility)
        let count = Double(fresh.count)
        let start = 1 / meanBlockLength
        var candle = SIMD8<Int>(repeating: -1)
        var logarithm = Lanes.zero
        block.spot[0] = Lanes(repeating: spot)
        block.variance[0] = variance
        for step in 0..<block.steps {
            let (u, w) = stream.uniforms(firstPath: path, step: UInt32(step))
            var (close, high, low) = (Lanes.zero, Lanes.zero, Lanes.zero)
            for lane in 0..<8 {
                let last = candle[lane]
                let move: (close: Double, high: Double, low: Double)
                if last >= 0, u[lane] >= start {
                    candle[lane] = last + 1 < fresh.count ? last + 1 : 0
                    move = following[candle[lane]]
                } else {
                    candle[lane] = min(Int(w[lane] * count), fresh.count - 1)
                    move = fresh[candle[lane]]
                }
                (close[lane], high[lane], low[lane]) = move
            }
            let before = block.spot[step]
            logarithm += close + Lanes(repeating: shift)
            let after = Lanes(repeating: spot) * exponential(PortableArithmetic.self, logarithm)
            block.spot[step + 1] = after
            block.variance[step + 1] = variance
            if block.hasRanges {
                block.high[step] = after.larger(before * exponential(PortableArithmetic.self, high))
                block.low[step] = after.smaller(before * exponential(PortableArithmetic.self, low))
            }
        }
    }
}
