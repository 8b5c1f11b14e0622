import Glibc
import Market

/// Joint moves of the past: for each coin its price and, where wanted, the level of its volatilities, at the
/// times at which all histories have a candle.
public struct FactorHistory: Sendable {
    /// The source of the level of volatilities.
    public enum VolatilitySource: Sendable {
        /// Volatilities stay as they are.
        case constant
        /// The exponentially weighted volatility of the coin's own returns: the weight that is left after a day (RiskMetrics: 0.94).
        /// A proxy: what the market implies is steadier, and rises earlier.
        case realised(decayPerDay: Double)
        /// Closes of a volatility index, one per coin.
        case index([String: CandleTable])
    }

    public let coins: [String]
    /// Milliseconds from one time to the next, where there is no gap.
    public let interval: Int64
    /// Times that all histories have, ascending.
    public let times: [Timestamp]
    /// Stretches between them that lack some history.
    public let gaps: [CandleTable.Gap]
    public let hasVolatility: Bool
    /// By coin: prices, and levels of volatility up to a factor (empty without).
    let prices, volatilities: [[Double]]

    /// - Parameter candles: one table per coin; their closes are the prices.
    /// - Throws: `TailRiskError.incommensurable`, `.invalidValue` for the decay, `.missingVolatilityIndex`, `.tooFewWindows` for
    ///   fewer than two common times, between which there is a window.
    public init(
        _ candles: [String: CandleTable], volatility source: VolatilitySource
    ) throws(TailRiskError) {
        let coins = candles.keys.sorted()
        self.coins = coins
        var tables = coins.compactMap { candles[$0] }
        switch source {
        case .constant: hasVolatility = false
        case .realised(let decayPerDay):
            try TailRiskError.require(.between(0, 1), decayPerDay, "decay per day")
            hasVolatility = true
        case .index(let indices):
            hasVolatility = true
            for coin in coins {
                guard let index = indices[coin] else { throw .missingVolatilityIndex(coin: coin) }
                tables.append(index)
            }
        }
        guard let interval = tables.first?.interval else { throw .tooFewWindows(0, needed: 1) }
        self.interval = interval
        for (table, coin) in zip(tables, coins + coins) where table.interval != interval {
            throw .incommensurable(coin: coin, interval: table.interval, expected: interval)
        }
        // Levels of realised volatility belong to the history that they come from, gaps and all.
        var columns = tables.map { table in table.candles.map { ($0.timestamp, $0.close) } }
        if case .realised(let decayPerDay) = source {
            columns += tables.map { Self.realisedVolatility($0, decayPerDay: decayPerDay) }
        }
        (times, columns) = Self.common(columns)
        guard times.count > 1 else { throw .tooFewWindows(0, needed: 1) }
        let values = columns.map { $0.map(\.1) }
        prices = Array(values[..<coins.count])
        volatilities = Array(values[coins.count...])
        gaps = zip(times, times.dropFirst()).compactMap { last, next in
            let steps = (next.milliseconds - last.milliseconds) / interval
            return steps == 1 ? nil : CandleTable.Gap(last: last, next: next, count: Int(steps) - 1)
        }
    }

    /// Relative moves over a number of steps from every `stride`-th time from which no step is missing: S₁/S₀ − 1. None
    /// where the history is shorter.
    /// - Throws: `invalidValue` for steps or a stride that is not from 1 to a million.
    public func moves(steps: Int, stride: Int = 1) throws(TailRiskError) -> FactorMoves {
        try TailRiskError.require(.within(1...1_000_000), Double(steps), "steps")
        try TailRiskError.require(.within(1...1_000_000), Double(stride), "stride")
        var starts: [Int] = []
        var next = 0
        for start in 0..<max(0, times.count - steps) {
            let span = times[start + steps].milliseconds - times[start].milliseconds
            guard start >= next, span == Int64(steps) * interval else { continue }
            starts.append(start)
            next = start + stride
        }
        func moves(_ levels: [Double]) -> [Double] {
            starts.map { (levels[$0 + steps] - levels[$0]) / levels[$0] }
        }
        return FactorMoves(
            coins: coins, price: prices.map(moves), volatility: volatilities.map(moves),
            starts: starts.map { times[$0] }, count: starts.count)
    }

    /// The weight that is left after a step of `interval` milliseconds, where `perDay` is left after a day.
    public static func decay(perDay: Double, interval: Int64) -> Double {
        pow(perDay, Double(interval) / 86_400_000)
    }

    /// The root of the exponentially weighted mean of squared returns over one step. Steps across gaps don't change it,
    /// and the first times are left out, until the weights of the mean add up to 90%.
    private static func realisedVolatility(
        _ table: CandleTable, decayPerDay: Double
    ) -> [(Timestamp, Double)] {
        let candles = table.candles
        let decay = Self.decay(perDay: decayPerDay, interval: table.interval)
        var levels: [(Timestamp, Double)] = []
        var variance = 0.0
        var weight = 0.0
        for index in 1..<candles.count {
            let step = candles[index].timestamp.milliseconds - candles[index - 1].timestamp.milliseconds
            if step == table.interval {
                let move = candles[index].close / candles[index - 1].close - 1
                variance = decay * variance + (1 - decay) * move * move
                weight = decay * weight + (1 - decay)
            }
            // Level prices have no volatility, of which there are no relative moves.
            if weight >= 0.9, variance > 0 {
                levels.append((candles[index].timestamp, (variance / weight).squareRoot()))
            }
        }
        return levels
    }

    /// The times that stand in all columns, and the columns at these times.
    private static func common(
        _ columns: [[(Timestamp, Double)]]
    ) -> ([Timestamp], [[(Timestamp, Double)]]) {
        var times = columns.first?.map(\.0) ?? []
        for column in columns.dropFirst() {
            let other = Set(column.map(\.0))
            times.removeAll { !other.contains($0) }
        }
        let kept = Set(times)
        return (times, columns.map { $0.filter { kept.contains($0.0) } })
    }
}
