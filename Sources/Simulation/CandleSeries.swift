import Market
import VectorMath

/// Prices of the past as a chain of steps, from which replays and bootstraps take their paths.
public struct CandleSeries: Sendable {
    /// Whether a candle's time is its start or its end.
    public enum Stamp: String, Sendable {
        case start, end
    }

    /// The treatment of stretches without candles.
    public enum Gaps: Sendable {
        /// They are refused.
        case refused
        /// No path leads across one.
        case avoided
    }

    public let file: String
    /// Years that a candle covers.
    public let stepYears: Double
    /// Milliseconds.
    public let interval: Int64
    /// The start of each candle.
    public let starts: [Timestamp]
    public let open, high, low, close: [Double]
    /// Number of candles until the next gap, this one counted in.
    public let run: [Int]

    /// - Throws: `invalidValue` with the line behind the first gap, where gaps are refused.
    public init(
        _ table: CandleTable, stamp: Stamp, gaps: Gaps = .refused
    ) throws(MarketError) {
        if case .refused = gaps, let gap = table.gaps.first {
            let line = table.candles.first { $0.timestamp == gap.next }?.line ?? 0
            throw .invalidValue(
                file: table.file, line: line, column: "timestamp", value: "\(gap.next)",
                reason:
                    "\(gap.count) \(gap.count == 1 ? "candle is" : "candles are") missing since \(gap.last)")
        }
        file = table.file
        interval = table.interval
        let shift = stamp == .end ? table.interval : 0
        starts = table.candles.map { Timestamp(milliseconds: $0.timestamp.milliseconds - shift) }
        stepYears = Double(table.interval) / (365 * 86_400_000)
        open = table.candles.map(\.open)
        high = table.candles.map(\.high)
        low = table.candles.map(\.low)
        close = table.candles.map(\.close)
        var run = [Int](repeating: 1, count: starts.count)
        for index in run.indices.dropLast().reversed()
        where starts[index + 1].milliseconds - starts[index].milliseconds == table.interval {
            run[index] = run[index + 1] + 1
        }
        self.run = run
    }

    public var count: Int { starts.count }

    /// Close-to-close volatility of the whole series, per square root of a year; gaps are left out.
    public var volatility: Double {
        var (sum, count) = (0.0, 0)
        for index in 0..<self.count where run[index] > 1 {
            let move = naturalLogarithm(close[index + 1] / close[index])
            sum += move * move
            count += 1
        }
        return count > 0 ? (sum / (Double(count) * stepYears)).squareRoot() : 0
    }
}
