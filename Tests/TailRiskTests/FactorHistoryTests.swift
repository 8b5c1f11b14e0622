import Foundation
import Market
import TailRisk
import TestSupport
import Testing

struct FactorHistoryTests {
    /// Candles at hours, with closes.
    static func candles(_ closes: [(hour: Int, close: Double)]) throws -> CandleTable {
        var badRows = BadRows(skip: false)
        let rows = closes.map {
            "\(1_640_995_200_000 + $0.hour * 3_600_000),\($0.close),\($0.close),\($0.close),\($0.close)\n"
        }
        return try CandleTable(
            Source(name: "candles.csv", text: "timestamp,open,high,low,close\n" + rows.joined()), &badRows)
    }

    @Test("No window begins, ends or passes where a candle of any coin is missing")
    func gaps() throws {
        let a = try Self.candles((0..<12).filter { $0 != 5 }.map { ($0, Double(100 + $0)) })
        let b = try Self.candles((1..<12).filter { $0 != 9 }.map { ($0, Double(200 + $0)) })
        let history = try FactorHistory(["A": a, "B": b], volatility: .constant)
        #expect(history.times.count == 9 && history.gaps.map(\.count) == [1, 1] && !history.hasVolatility)
        let moves = try history.moves(steps: 2)
        // Hours 1 to 4, 6 to 8, 10 to 11.
        #expect(moves.count == 3 && moves.starts.count == 3)
        for (scenario, hour) in [1.0, 2, 6].enumerated() {
            #expect(
                moves.price[0][scenario] == 2 / (100 + hour) && moves.price[1][scenario] == 2 / (200 + hour))
        }
        #expect(try history.moves(steps: 1, stride: 2).starts.count == 4)
        #expect(try history.moves(steps: 9).count == 0)
        for (steps, stride, field) in [(0, 1, "steps"), (-1, 1, "steps"), (1, 0, "stride")] {
            #expect(
                throws: TailRiskError.invalidValue(
                    field: field, value: Double(min(steps, stride)), reason: "must be from 1 to 1000000")
            ) { _ = try history.moves(steps: steps, stride: stride) }
        }
    }

    @Test("Realised volatility is the exponentially weighted sum")
    func realisedVolatility() throws {
        var random = SeededGenerator(seed: 4)
        var close = 100.0
        let closes = (0..<200).map { hour in
            close *= 1 + Double.random(in: -0.02...0.02, using: &random)
            return (hour, close)
        }
        // Ten hours of half-life.
        let decay = pow(0.5, 2.4)
        let history = try FactorHistory(
            ["A": try Self.candles(closes)], volatility: .realised(decayPerDay: decay))
        let moves = try history.moves(steps: 3)
        let hourly = pow(0.5, 0.1)
        func variance(_ end: Int) -> Double {
            let terms = (1...end).map { step -> (Double, Double) in
                let move = closes[step].1 / closes[step - 1].1 - 1
                let weight = pow(hourly, Double(end - step))
                return (weight * move * move, weight)
            }
            return terms.reduce(0) { $0 + $1.0 } / terms.reduce(0) { $0 + $1.1 }
        }
        // Weights add up to 90% after 34 hours.
        #expect(history.times.count == 200 - 34 && moves.count == history.times.count - 3)
        for scenario in [0, 50, moves.count - 1] {
            let start = 34 + scenario
            let expected = (variance(start + 3) / variance(start)).squareRoot() - 1
            #expect(abs(moves.volatility[0][scenario] - expected) < 1e-13)
            #expect(abs(moves.price[0][scenario] - (closes[start + 3].1 / closes[start].1 - 1)) < 1e-15)
        }
    }

    @Test("Moves of an index are relative to the window's start, and a coin without one is named")
    func volatilityIndex() throws {
        let prices = try Self.candles((0..<5).map { ($0, 100) })
        let index = try Self.candles((0..<5).map { ($0, Double(50 + $0)) })
        let history = try FactorHistory(["A": prices], volatility: .index(["A": index]))
        let expected: [Double] = [50, 51, 52, 53].map { 1 / $0 }
        #expect(try history.moves(steps: 1).volatility == [expected])
        #expect(throws: TailRiskError.missingVolatilityIndex(coin: "A")) {
            try FactorHistory(["A": prices], volatility: .index([:]))
        }
    }

    @Test("Two common times are one window, and one time is none; a stride of any size is taken or refused")
    func fewTimes() throws {
        let a = try Self.candles((0..<3).map { ($0, Double(100 + $0)) })
        let b = try Self.candles((1..<4).map { ($0, Double(200 + $0)) })
        let history = try FactorHistory(["A": a, "B": b], volatility: .constant)
        #expect(try history.moves(steps: 1).count == 1)
        let c = try Self.candles((2..<5).map { ($0, Double(200 + $0)) })
        #expect(throws: TailRiskError.tooFewWindows(0, needed: 1)) {
            try FactorHistory(["A": a, "C": c], volatility: .constant)
        }
        #expect(
            "\(TailRiskError.tooFewWindows(0, needed: 1))"
                == "0 windows without a gap in which all histories have prices: one is needed")
        #expect(try history.moves(steps: 1, stride: 1_000_000).count == 1)
        for (steps, stride) in [(1, Int.max), (1, 1_000_001), (Int.max, 1), (1_000_001, 1), (1, Int.min)] {
            #expect(throws: TailRiskError.self) { try history.moves(steps: steps, stride: stride) }
        }
        #expect("\(TailRiskError.missingVolatilityIndex(coin: "BTC"))" == "no volatility index of BTC")
    }

    @Test("Candles of unequal intervals or of no common time are refused by coin")
    func badInput() throws {
        let hourly = try Self.candles((0..<5).map { ($0, 100) })
        let twoHourly = try Self.candles((0..<5).map { (2 * $0, 100) })
        let later = try Self.candles((10..<15).map { ($0, 100) })
        #expect(throws: TailRiskError.incommensurable(coin: "B", interval: 7_200_000, expected: 3_600_000)) {
            try FactorHistory(["A": hourly, "B": twoHourly], volatility: .constant)
        }
        #expect(throws: TailRiskError.tooFewWindows(0, needed: 1)) {
            try FactorHistory(["A": hourly, "B": later], volatility: .constant)
        }
        #expect(throws: TailRiskError.tooFewWindows(0, needed: 1)) {
            try FactorHistory([:], volatility: .constant)
        }
        for decay in [0, 1, .nan] {
            #expect(throws: TailRiskError.self) {
                try FactorHistory(["A": hourly], volatility: .realised(decayPerDay: decay))
            }
        }
        // Prices that never move have no volatility.
        #expect(throws: TailRiskError.tooFewWindows(0, needed: 1)) {
            try FactorHistory(["A": hourly], volatility: .realised(decayPerDay: 0.01))
        }
    }
}
