import Foundation
import Market
import Simulation
import TestSupport
import Testing
import VectorMath

/// Replays and bootstraps of candles.
struct HistoryTests {
    static let header = "timestamp,open,high,low,close\n"

    static func table(_ text: String) throws -> CandleTable {
        var badRows = BadRows(skip: false)
        return try CandleTable(Source(name: "candles.csv", text: text), &badRows)
    }

    /// Hours 0–3 and 6–8: a gap of two.
    static let rows: [(hour: Int, open: Double, high: Double, low: Double, close: Double)] = [
        (0, 100, 102, 99, 101), (1, 101, 104, 100, 103), (2, 104, 105, 102, 102), (3, 102, 102, 98, 99),
        (6, 90, 91, 80, 85), (7, 85, 88, 84, 88), (8, 88, 89, 87, 87),
    ]

    static func sample() throws -> CandleTable {
        let lines = rows.map { "2022-01-01 0\($0.hour):00:00,\($0.open),\($0.high),\($0.low),\($0.close)" }
        return try table(header + lines.joined(separator: "\n") + "\n")
    }

    @Test("Replayed candles start where no gap lies in between, with the funding of their hours")
    func replay() throws {
        let series = try CandleSeries(try Self.sample(), stamp: .start, gaps: .avoided)
        #expect(series.run == [4, 3, 2, 1, 3, 2, 1] && series.count == 7)
        #expect(abs(series.stepYears - TimeGrid.hour) < 1e-18)
        func time(_ hour: Int) -> Timestamp {
            Timestamp(milliseconds: series.starts[0].milliseconds + Int64(hour) * 3_600_000)
        }
        let replay = try CandleReplay(
            series, steps: 2, stride: 1,
            funding: [
                (time(0), 0.5), (time(2), 0.01), (time(7), -0.02), (time(8), 0.03), (time(9), 0.04),
                (time(10), 5), (time(30), 7),
            ])
        #expect(replay.starts == [0, 1, 2, 4, 5] && replay.pathCount == 5)
        #expect(replay.time(ofPath: 3, step: 1) == time(7))
        let block = PathBlock(steps: 2, hasRanges: true)
        replay.fill(block, seed: 1, firstPath: 0)
        #expect((0...2).map { block.spot[$0][1] } == [101, 103, 102])
        #expect(block.high[0][1] == 104 && block.low[1][1] == 102 && block.high[1][1] == 105)
        // Path 3 begins behind the gap; 5 begins anew.
        #expect((0...2).map { block.spot[$0][3] } == [90, 85, 88] && block.spot[2][5] == block.spot[2][0])
        // Paid at the end of hour 1, within hours 6–7 at its end, at the end of hour 7; what is paid at the very
        // start belongs to no step.
        #expect(block.funding[0][0] == 0 && block.funding[1][0] == 0.01)
        #expect(block.funding[0][3] == -0.02 && block.funding[1][3] == 0.03)
        // The last candle's end is paid as well, and nothing behind it.
        #expect(block.funding[0][4] == 0.03 && block.funding[1][4] == 0.04)
        #expect(abs(block.variance[0][0].squareRoot() - series.volatility) < 1e-12)

        let scaled = try CandleReplay(series, steps: 2, stride: 1, startPrice: 1, volatility: 0.7)
        scaled.fill(block, seed: 1, firstPath: 0)
        #expect(block.spot[0] == Lanes(repeating: 1) && abs(block.spot[2][3] - 88 / 90.0) < 1e-15)
        #expect(abs(block.variance[0][0] - 0.49) < 1e-15)

        // A time that is the candle's end moves the start by one candle.
        let ends = try CandleSeries(try Self.sample(), stamp: .end, gaps: .avoided)
        #expect(ends.starts[0].milliseconds == series.starts[0].milliseconds - 3_600_000)
    }

    @Test("Histories with gaps, wrong times or too few candles are refused with their place")
    func refusals() throws {
        let table = try Self.sample()
        do {
            _ = try CandleSeries(table, stamp: .start)
            Issue.record("a gap was accepted")
        } catch {
            #expect(
                "\(error)".contains("candles.csv:6: column \"timestamp\": value \"2022-01-01 06:00:00 UTC\""))
            #expect("\(error)".contains("2 candles are missing since 2022-01-01 03:00:00 UTC"))
        }
        let series = try CandleSeries(table, stamp: .start, gaps: .avoided)
        func complaint(_ body: () throws -> Void) -> String {
            do {
                try body()
                return "accepted"
            } catch { return "\(error)" }
        }
        #expect(
            complaint { _ = try CandleReplay(series, steps: 5) }
                == "replay of candles.csv: steps: 5.0: is more than the 4 candles that follow each other without a gap"
        )
        #expect(complaint { _ = try CandleReplay(series, steps: 2, stride: 0) }.contains("stride"))
        #expect(
            complaint {
                _ = try CandleReplay(
                    series, steps: 2, funding: [(series.starts[1], 0.1), (series.starts[1], 0.1)])
            }.contains("is not after the one before"))
        #expect(
            complaint { _ = try BlockBootstrap(series, steps: 5, spot: 1, meanBlockLength: 0.5) }
                .contains("block_hours: 0.5"))
    }

    /// Stretches of a bootstrap are stretches of the past; lengths, starts and moments are as they should be.
    @Test("Stretches of a bootstrap are stretches of the past, with the past's moments")
    func bootstrap() throws {
        // Each candle has a return of its own: it tells where a step comes from.
        var text = Self.header
        var price = 100.0
        let count = 60
        var generator = SeededGenerator(seed: 11)
        for number in 0..<count {
            let close = price * exp(Double.random(in: -0.03...0.03, using: &generator))
            let (high, low) = (max(price, close) * 1.001, min(price, close) * 0.998)
            text +=
                "\(1_640_995_200_000 + (number + (number < 40 ? 0 : 5)) * 3_600_000),\(price),\(high),\(low),\(close)\n"
            price = close
        }
        let series = try CandleSeries(try Self.table(text), stamp: .start, gaps: .avoided)
        let moves = (0..<count).map { log(series.close[$0] / series.open[$0]) }
        let length = 8.0
        let model = try BlockBootstrap(series, steps: 50, spot: 70, meanBlockLength: length)
        var starts = Sample(), returns = Sample()
        var visits = [Double](repeating: 0, count: count)
        PathTests.forEachPath(model, count: 8_000, hasRanges: true) { block, lane in
            var last = -1
            for s in 0..<block.steps {
                let move = log(block.spot[s + 1][lane] / block.spot[s][lane])
                let candle = moves.indices.min { abs(moves[$0] - move) < abs(moves[$1] - move) } ?? 0
                guard abs(moves[candle] - move) < 1e-12 else {
                    Issue.record("a step of \(move) is in no candle")
                    return
                }
                visits[candle] += 1
                returns.add(move)
                let high = log(block.high[s][lane] / block.spot[s][lane])
                #expect(abs(high - log(series.high[candle] / series.open[candle])) < 1e-12)
                if last >= 0 { starts.add(candle == (last + 1) % count ? 0 : 1) }
                last = candle
            }
        }
        // A new stretch begins with probability 1/8, and one time in 60 where the last one would have gone on.
        #expect(abs(starts.score((1 - 1 / Double(count)) / length)) < 4.5)
        let expected = 8_000.0 * 50 / Double(count)
        // Stretches visit neighbours together: the deviation is about √15 times that of single draws.
        #expect(visits.allSatisfy { abs($0 / expected - 1) < 4.5 * (15 / expected).squareRoot() })
        #expect(abs(returns.mean - moves.reduce(0, +) / Double(count)) < 4.5 * 4 * returns.standardError)
        let drifted = try BlockBootstrap(series, steps: 50, spot: 70, meanBlockLength: 1, drift: 0.5)
        var sample = Sample()
        PathTests.forEachPath(drifted, count: 16_000) { block, lane in
            sample.add(log(block.spot[block.steps][lane] / 70))
        }
        #expect(abs(sample.score(0.5 * drifted.grid.duration)) < 4.5)
        PathTests.expectPathsAlone(model)
    }

    static let crashes = "data/btcusdt-1h-2019-12-to-2021-07.csv"
    static let minutes = "data/btc_perp_1m_20211231_20220120.csv.gz"
    static let hours = "data/btcusdt-1h-2022.csv"

    /// The exchange's own candles: crashes are where they were, and bootstrapped hours have the past's moments.
    @Test(
        "The exchange's crashes are replayed where they were",
        .enabled(if: SharedData.has([crashes]), "needs real candles in the shared folder"))
    func realCandles() throws {
        let path = SharedData.path(Self.crashes)
        var badRows = BadRows(skip: false)
        let table = try CandleTable(Source(path: path), &badRows)
        #expect(table.gaps.count == 7)
        #expect(throws: MarketError.self) { try CandleSeries(table, stamp: .start) }
        let series = try CandleSeries(table, stamp: .start, gaps: .avoided)
        let replay = try CandleReplay(series, steps: 24 * 7, stride: 24)
        let block = PathBlock(steps: 24 * 7, hasRanges: true)
        var worst = (move: 0.0, time: Timestamp(milliseconds: 0))
        for first in stride(from: 0, to: replay.starts.count, by: 8) {
            replay.fill(block, seed: 0, firstPath: first)
            for lane in 0..<min(8, replay.starts.count - first) {
                for s in 0..<block.steps {
                    let (open, close) = (block.spot[s][lane], block.spot[s + 1][lane])
                    #expect(block.low[s][lane] <= min(open, close) && block.high[s][lane] >= max(open, close))
                    let move = log(close / open)
                    if move < worst.move { worst = (move, replay.time(ofPath: first + lane, step: s)) }
                }
            }
        }
        print("\(replay.starts.count) weeks; worst hour \(worst.move) at \(worst.time)")
        #expect("\(worst.time)".hasPrefix("2020-03-12") && worst.move < -0.15)

        let bootstrap = try BlockBootstrap(series, steps: 24 * 7, spot: 10_000, meanBlockLength: 24)
        var squares = Sample()
        PathTests.forEachPath(bootstrap, count: 4_000) { block, lane in
            var sum = 0.0
            for s in 0..<block.steps {
                let move = log(block.spot[s + 1][lane] / block.spot[s][lane])
                sum += move * move
            }
            squares.add(sum / bootstrap.grid.duration)
        }
        let variance = series.volatility * series.volatility
        print(
            "variance of bootstrapped hours \(squares.mean) ± \(squares.standardError), of the past's \(variance)"
        )
        #expect(abs(squares.score(variance)) < 4.5)
    }

    /// Minutes stamped at their end are the hours stamped at their start, one market beside the other; read the other way
    /// they are a minute off.
    @Test(
        "Minutes stamped at their end are the hours stamped at their start",
        .enabled(if: SharedData.has([minutes, hours]), "needs real candles in the shared folder"))
    func minutesAndHours() throws {
        let (minutes, hours) = (SharedData.path(Self.minutes), SharedData.path(Self.hours))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", minutes]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let bytes = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        var badRows = BadRows(skip: false)
        let table = try CandleTable(Source(name: "minutes", bytes: Array(bytes)), &badRows)
        #expect(table.gaps.isEmpty && table.interval == 60_000)
        let hourly = try CandleSeries(try CandleTable(Source(path: hours), &badRows), stamp: .start)
        let closes = Dictionary(
            uniqueKeysWithValues: (0..<hourly.count).map {
                (hourly.starts[$0].milliseconds, hourly.close[$0])
            })
        /// Correlation of hourly returns with those from the close of each hour's last minute.
        func correlation(_ stamp: CandleSeries.Stamp) throws -> Double {
            let series = try CandleSeries(table, stamp: stamp)
            var (xx, xy, yy) = (0.0, 0.0, 0.0)
            var last: (Double, Double)?
            for index in 0..<series.count {
                let end = series.starts[index].milliseconds + 60_000
                guard end % 3_600_000 == 0, let close = closes[end - 3_600_000] else { continue }
                let now = (log(series.close[index]), log(close))
                if let last {
                    let (x, y) = (now.0 - last.0, now.1 - last.1)
                    xx += x * x
                    xy += x * y
                    yy += y * y
                }
                last = now
            }
            return xy / (xx * yy).squareRoot()
        }
        let (right, wrong) = (try correlation(.end), try correlation(.start))
        print("hourly returns of two files: correlation \(right), read as start-stamped \(wrong)")
        #expect(right > 0.999 && wrong < 0.995)
    }
}
