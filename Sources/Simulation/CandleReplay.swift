import Checks
import Market
import VectorMath

/// Stretches of the past, one path each, as they happened.
///
/// Path i begins `i · stride` candles into the series, not counting stretches with a gap inside. A path
/// starts at the open of its first candle and goes from close to close.
public struct CandleReplay: PathModel {
    public let series: CandleSeries
    public let grid: TimeGrid
    /// The variance column as a volatility: replayed prices have none that is known.
    public let volatility: Double
    /// Price at which every path starts; nil for that of its time.
    public let startPrice: Double?
    /// Index of the first candle of each path.
    public let starts: [Int]
    /// Funding paid in each step of the series, as a share of the value of a long perpetual.
    private let funding: [Double]?

    /// - Parameters:
    ///   - stride: candles from the start of one path to that of the next; nil for paths end to end.
    ///   - funding: rates by the time at which they are paid, ascending.
    /// - Throws: where the series is too short for one path.
    public init(
        _ series: CandleSeries, steps: Int, stride: Int? = nil, startPrice: Double? = nil,
        volatility: Double? = nil, funding: [(time: Timestamp, rate: Double)] = []
    ) throws(SimulationError) {
        let model = "replay of \(series.file)"
        let stride = stride ?? steps
        try SimulationError.require(
            stride > 0, model, "stride", Double(stride), "must be at least one candle")
        if let startPrice { try SimulationError.require(startPrice, .spot, model, "spot_usd") }
        grid = try TimeGrid(steps: steps, stepYears: series.stepYears)
        self.series = series
        self.startPrice = startPrice
        self.volatility = volatility ?? series.volatility
        try SimulationError.require(self.volatility, .within(0...20), model, "volatility")
        starts = Swift.stride(from: 0, to: series.count, by: stride).filter { series.run[$0] >= steps }
        try SimulationError.require(
            !starts.isEmpty, model, "steps", Double(steps),
            "is more than the \(series.run.max() ?? 0) candles that follow each other without a gap")
        self.funding = funding.isEmpty ? nil : try Self.perStep(series, funding, model)
    }

    public var pathCount: Int? { starts.count }

    /// The time at a step of a path.
    public func time(ofPath path: Int, step: Int) -> Timestamp {
        let first = series.starts[starts[path % starts.count]].milliseconds
        return Timestamp(milliseconds: first + Int64(step) * series.interval)
    }

    public func fill(_ block: PathBlock, seed: UInt64, firstPath: Int) {
        let variance = Lanes(repeating: volatility * volatility)
        for step in 0...block.steps { block.variance[step] = variance }
        for lane in 0..<8 {
            let first = starts[(firstPath + lane) % starts.count]
            let scale = startPrice.map { $0 / series.open[first] } ?? 1
            var last = series.open[first] * scale
            block.spot[0][lane] = last
            for step in 0..<block.steps {
                let candle = first + step
                let close = series.close[candle] * scale
                block.spot[step + 1][lane] = close
                block.funding[step][lane] = funding?[candle] ?? 0
                if block.hasRanges {
                    // A candle may open away from the last close.
                    block.high[step][lane] = max(series.high[candle] * scale, last)
                    block.low[step][lane] = min(series.low[candle] * scale, last)
                }
                last = close
            }
        }
    }

    /// Sums of the rates that are paid after the start of each candle, up to its end.
    private static func perStep(
        _ series: CandleSeries, _ funding: [(time: Timestamp, rate: Double)], _ model: String
    ) throws(SimulationError) -> [Double] {
        var rates = [Double](repeating: 0, count: series.count)
        var (next, last) = (0, Int64.min)
        for (time, rate) in funding {
            try SimulationError.require(rate, .finite, model, "funding at \(time)")
            try SimulationError.require(
                time.milliseconds > last, model, "funding at \(time)", rate, "is not after the one before")
            last = time.milliseconds
            while next < series.count, series.starts[next].milliseconds + series.interval < last { next += 1 }
            guard next < series.count else { break }
            if last > series.starts[next].milliseconds { rates[next] += rate }
        }
        return rates
    }
}
