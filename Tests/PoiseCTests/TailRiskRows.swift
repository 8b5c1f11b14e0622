import CPoise
import Foundation
import Testing

/// Fields of tail risk, by what two perpetuals gain in moves of a price that stand here.
enum TailRiskRows {
    typealias Row = EveryFieldTests.Row

    /// Closes, an hour apart.
    private static let closes = [100.0, 110, 99, 120, 108, 115, 90, 95]
    private static let hour: Int64 = 3_600_000

    static func candles(_ closes: [Double]) -> String {
        var text = "timestamp,open,high,low,close\n"
        for (place, close) in closes.enumerated() {
            text += "\(SmallMarket.time + Int64(place) * hour),\(close),\(close),\(close),\(close)\n"
        }
        return text
    }

    /// Runs `body` with sources of texts.
    private static func withSources<R>(_ texts: [String], _ body: ([poise_source]) throws -> R) rethrows -> R
    {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return try body(
            copies.map {
                var source = poise_source()
                source.size = MemoryLayout<poise_source>.stride
                (source.text, source.length) = (UnsafePointer($0), strlen($0!))
                return source
            })
    }

    static func options() -> poise_tail_options {
        var options = poise_tail_options()
        options.size = MemoryLayout<poise_tail_options>.stride
        options.horizon_hours = 1
        options.volatility = POISE_TAIL_VOLATILITY_STILL
        return options
    }

    /// Calls the function with BTC's history; `set` changes what is passed.
    static func create(
        _ positions: Handle, _ options: poise_tail_options, prices: [[Double]] = [closes],
        indices: [[Double]] = [], coin: String = "BTC", buckets: UnsafePointer<poise_buckets>? = nil,
        _ set: (inout poise_history) -> Void = { _ in }
    ) throws -> (status: poise_status, made: OpaquePointer?) {
        let (engine, chain) = (try makeEngine(), try SmallMarket().chain())
        var (options, made) = (options, OpaquePointer?.none)
        let status = withSources(prices.map(candles)) { candles in
            withSources(indices.map(Self.candles)) { index in
                candles.withUnsafeBufferPointer { candles in
                    index.withUnsafeBufferPointer { index in
                        coin.withCString { coin in
                            var history = poise_history(
                                coin: coin, candles: candles.baseAddress, candle_count: candles.count,
                                volatility_index: index.baseAddress, volatility_index_count: index.count)
                            set(&history)
                            return poise_tail_risk_create(
                                engine.pointer, chain.pointer, positions.pointer, &history, 1, &options,
                                buckets, &made)
                        }
                    }
                }
            }
        }
        return (status, made)
    }

    /// Gains of the groups, by label.
    private static func gains(
        _ options: poise_tail_options, of held: [(String, String, Double)] = perpetuals,
        prices: [[Double]] = [closes], indices: [[Double]] = [],
        _ set: (inout poise_history) -> Void = { _ in }
    ) throws -> [[Double]] {
        let positions = try SmallMarket.positions(held.map { (book: $0.0, instrument: $0.1, quantity: $0.2) })
        let (status, made) = try create(positions, options, prices: prices, indices: indices, set)
        try #require(status == POISE_OK, "\(lastError)")
        defer { poise_tail_risk_free(made) }
        return try (0..<poise_tail_risk_count(made)).map { group in
            var gains = [Double](repeating: .nan, count: poise_tail_risk_scenario_count(made))
            let status = gains.withUnsafeMutableBufferPointer {
                poise_tail_risk_gains(made, group, poise_column(data: $0.baseAddress, stride: 0))
            }
            try #require(status == POISE_OK, "\(lastError)")
            return gains
        }
    }

    private static let perpetuals = [("a", "BTC_USDC-PERPETUAL", 2.0), ("b", "BTC_USDC-PERPETUAL", -0.5)]
    private static let call = [("a", "BTC_USDC-27MAR26-60000-C", 1.0)]

    private static func moves(_ steps: Int = 1, every: Int = 1, of closes: [Double] = closes) -> [Double] {
        stride(from: 0, to: closes.count - steps, by: every).map { closes[$0 + steps] / closes[$0] - 1 }
    }

    private static func areNear(_ a: [Double], _ b: [Double]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { isNear($0, $1, 1e-10) }
    }

    private static func expect(
        _ options: poise_tail_options, _ expected: [Double], prices: [[Double]] = [closes]
    ) throws {
        let found = try gains(options, prices: prices)
        #expect(areNear(found[0], expected.map { 120_000 * $0 }))
        #expect(areNear(found[1], expected.map { -30_000 * $0 }))
    }

    private static let histories: [Row] = [
        Row("history", "coin", "another coin's history leaves the position's missing") {
            let positions = try SmallMarket.positions([("a", "BTC_USDC-PERPETUAL", 2)])
            #expect(try create(positions, options(), coin: "ETH").status == POISE_ERROR_VALUE)
            #expect(lastError.contains("BTC"))
        },
        Row("history", "candles, candle_count", "two sources are joined") {
            try expect(options(), moves())
            let (status, _) = try create(SmallMarket.positions(), options()) { $0.candle_count = 0 }
            #expect(status == POISE_ERROR_COUNT)
            let shifted = [Double](closes[0..<4])
            let found = try gains(options(), prices: [closes, shifted]) { $0.candle_count = 1 }
            #expect(areNear(found[0], moves().map { 120_000 * $0 }))
        },
        Row("history", "volatility_index, volatility_index_count", "a call's volatility moves with the index")
        {
            let index = [50.0, 55, 44, 50, 60, 45, 50, 52]
            let found = try gains(options(), of: call, indices: [index])[0]
            // Twenty days: in full.
            let years = 20.0 / 365
            let expected = zip(moves(), moves(of: index)).map {
                blackScholes(60_000 * (1 + $0), 60_000, years, 0.6 * (1 + $1))
                    - blackScholes(60_000, 60_000, years, 0.6)
            }
            #expect(areNear(found, expected))
            let still = try gains(options(), of: call, indices: [index]) { $0.volatility_index_count = 0 }[0]
            #expect(
                areNear(
                    still,
                    moves().map {
                        blackScholes(60_000 * (1 + $0), 60_000, years, 0.6)
                            - blackScholes(60_000, 60_000, years, 0.6)
                    }))
            // What is more than any memory holds is a mistake, not nothing.
            let positions = try SmallMarket.positions([("a", "BTC_USDC-PERPETUAL", 1)])
            let absurd = try create(positions, options(), indices: [index]) { $0.volatility_index_count = -1 }
            #expect(absurd.status == POISE_ERROR_COUNT && lastField == "volatility_index")
        },
    ]

    private static func with(_ set: (inout poise_tail_options) -> Void) -> poise_tail_options {
        var options = options()
        set(&options)
        return options
    }

    /// Draws of BTC's moves through the Greeks: mean and standard deviation of what one perpetual gains, per dollar.
    private static func deviation(_ set: (inout poise_tail_options) -> Void) throws -> Double {
        let found = try gains(
            with {
                $0.method = POISE_TAIL_DELTA_GAMMA_VEGA
                $0.covariance = POISE_TAIL_COVARIANCE_SAMPLE
                $0.scenarios = 40_000
                set(&$0)
            })[0]
        let mean = found.reduce(0, +) / Double(found.count)
        return (found.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(found.count)).squareRoot()
            / 120_000
    }

    private static var sampleDeviation: Double {
        let moves = moves()
        let mean = moves.reduce(0, +) / Double(moves.count)
        let square = moves.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (square / Double(moves.count)).squareRoot()
    }

    private static let settings: [Row] = [
        Row("tail_options", "size", "another than the struct's is refused") {
            let positions = try SmallMarket.positions()
            #expect(try create(positions, with { $0.size -= 8 }).status == POISE_ERROR_SIZE)
        },
        Row("tail_options", "exposures", "one group by underlying, in coin per 60,000 dollars moved") {
            let found = try gains(
                with {
                    $0.exposures.size = MemoryLayout<poise_exposure_options>.stride
                    $0.exposures.grouping_count = 1
                    $0.exposures.groupings.0 = POISE_BY_UNDERLYING
                })
            #expect(found.count == 1 && areNear(found[0], moves().map { 90_000 * $0 }))
        },
        Row("tail_options", "method, scenarios, seed", "draws: as many as asked for, others for another seed")
        {
            let draw = try gains(with { ($0.method, $0.scenarios) = (POISE_TAIL_MONTE_CARLO, 100) })[0]
            let same = try gains(with { ($0.method, $0.scenarios) = (POISE_TAIL_MONTE_CARLO, 100) })[0]
            let other = try gains(
                with { ($0.method, $0.scenarios, $0.seed) = (POISE_TAIL_MONTE_CARLO, 100, 7) })[0]
            #expect(draw.count == 100 && sameBits(draw, same) && !sameBits(draw, other))
            #expect(draw.allSatisfy { $0 > -120_000 })
        },
        Row(
            "tail_options", "volatility",
            "realised: the call gains otherwise than with volatilities that stay"
        ) {
            let long = (0..<200).map { 100 + 10 * sin(Double($0) * Double($0)) }
            let still = try gains(options(), of: call, prices: [long])[0]
            let moved = try gains(
                with { ($0.volatility, $0.decay) = (POISE_TAIL_VOLATILITY_REALISED, 0.01) }, of: call,
                prices: [long])[0]
            #expect(moved.count < still.count && moved.count > 100)
            #expect(!areNear(Array(still.suffix(moved.count)), moved))
        },
        Row("tail_options", "covariance", "the sample's deviation; the exponential one is another") {
            #expect(try (deviation { _ in } / sampleDeviation - 1).magnitude < 0.02)
            let weighted = try deviation { $0.covariance = POISE_TAIL_COVARIANCE_EXPONENTIAL }
            // About 0, all but evenly.
            let zero = (moves().reduce(0) { $0 + $1 * $1 } / Double(moves().count)).squareRoot()
            #expect((weighted / zero - 1).magnitude < 0.03)
        },
        Row("tail_options", "time_passes", "a call decays where prices stand still") {
            let flat = [[Double](repeating: 100, count: 5)]
            let found = try gains(with { $0.time_passes = 1 }, of: call, prices: flat)[0]
            let decay =
                blackScholes(60_000, 60_000, 20.0 / 365 - 1 / 8_760, 0.6)
                - blackScholes(60_000, 60_000, 20.0 / 365, 0.6)
            #expect(areNear(found, [decay, decay, decay, decay]))
        },
        Row("tail_options", "horizon_hours", "moves over two hours") {
            try expect(with { $0.horizon_hours = 2 }, moves(2))
        },
        Row("tail_options", "stride", "every third candle") {
            try expect(with { $0.stride = 3 }, moves(every: 3))
        },
        Row("tail_options", "term_power", "from 0 to 1") {
            let positions = try SmallMarket.positions()
            #expect(try create(positions, with { $0.term_power = 1.5 }).status == POISE_ERROR_ARGUMENT)
            #expect(lastField == "term_power")
        },
        Row("tail_options", "decay", "the weight that is left after a day") {
            // An hour keeps 1e-6^(1/24) of it: the last moves count most.
            let decay = pow(1e-6, 1.0 / 24)
            var (sum, weights, weight) = (0.0, 0.0, 1.0)
            for move in moves().reversed() {
                sum += weight * move * move
                weights += weight
                weight *= decay
            }
            let found = try deviation {
                ($0.covariance, $0.decay) = (POISE_TAIL_COVARIANCE_EXPONENTIAL, 1e-6)
            }
            #expect((found / (sum / weights).squareRoot() - 1).magnitude < 0.03)
        },
        Row("tail_options", "shrinkage", "of one factor changes nothing; above 1 is refused") {
            #expect(try (deviation { $0.shrinkage = 0.5 } / sampleDeviation - 1).magnitude < 0.02)
            let positions = try SmallMarket.positions()
            #expect(try create(positions, with { $0.shrinkage = 1.5 }).status == POISE_ERROR_ARGUMENT)
        },
        Row("tail_options", "is_cancelled, context", "asked, ends the call; a struct may end before them") {
            let positions = try SmallMarket.positions()
            var answer: Int32 = 1
            try withUnsafeMutablePointer(to: &answer) { answer in
                let asking = with {
                    $0.is_cancelled = { $0?.load(as: Int32.self) ?? 0 }
                    $0.context = UnsafeMutableRawPointer(answer)
                }
                for method in [POISE_TAIL_HISTORICAL, POISE_TAIL_DELTA_GAMMA_VEGA, POISE_TAIL_MONTE_CARLO] {
                    var asking = asking
                    asking.method = method
                    answer.pointee = 1
                    let ended = try create(positions, asking)
                    #expect(ended.status == POISE_ERROR_CANCELLED && ended.made == nil)
                    #expect(lastError.contains("cancelled"))
                    answer.pointee = 0
                    let whole = try create(positions, asking)
                    #expect(whole.status == POISE_OK)
                    poise_tail_risk_free(whole.made)
                }
            }
            let earlier = try create(
                positions,
                with { $0.size = MemoryLayout<poise_tail_options>.offset(of: \.is_cancelled) ?? 0 })
            #expect(earlier.status == POISE_OK)
            poise_tail_risk_free(earlier.made)
        },
    ]

    /// Quantiles as numpy has them.
    private static func lossQuantile(_ gains: [Double], _ level: Double) -> Double {
        let sorted = gains.sorted()
        let rank = Double(sorted.count - 1) * (1 - level)
        let below = Int(rank)
        return
            -(sorted[below] + (rank - Double(below))
                * (sorted[min(below + 1, sorted.count - 1)] - sorted[below]))
    }

    private static let measures: [Row] = [
        Row(
            "tail_columns",
            "size, value_at_risk, expected_shortfall, value_at_risk_component, expected_shortfall_component",
            "of two books whose gains are multiples of one move"
        ) {
            let positions = try SmallMarket.positions([
                ("a", "BTC_USDC-PERPETUAL", 2), ("b", "BTC_USDC-PERPETUAL", -0.5),
            ])
            let made = try create(positions, options()).made
            defer { poise_tail_risk_free(made) }
            var numbers = [Double](repeating: .nan, count: 8)
            var totals = [poise_tail_total()]
            let status = numbers.withUnsafeMutableBufferPointer { numbers in
                func column(_ place: Int) -> poise_column {
                    poise_column(data: numbers.baseAddress! + 2 * place, stride: 0)
                }
                var columns = poise_tail_columns(
                    size: MemoryLayout<poise_tail_columns>.stride, value_at_risk: column(0),
                    expected_shortfall: column(1), value_at_risk_component: column(2),
                    expected_shortfall_component: column(3))
                return poise_tail_risk_measures(made, 0.75, &columns, &totals)
            }
            try #require(status == POISE_OK, "\(lastError)")
            let (own, short) = (moves().map { 120_000 * $0 }, moves().map { -30_000 * $0 })
            #expect(isNear(numbers[0], lossQuantile(own, 0.75), 1e-10))
            #expect(isNear(numbers[1], lossQuantile(short, 0.75), 1e-10))
            // The lowest of seven in full, the next for three quarters.
            func shortfall(_ gains: [Double]) -> Double {
                let sorted = gains.sorted()
                return -(sorted[0] + 0.75 * sorted[1]) / 1.75
            }
            #expect(isNear(numbers[2], shortfall(own), 1e-10) && isNear(numbers[3], shortfall(short), 1e-10))
            let sum = totals[0]
            #expect(isNear(sum.value_at_risk, lossQuantile(moves().map { 90_000 * $0 }, 0.75), 1e-10))
            #expect(isNear(sum.expected_shortfall, shortfall(moves().map { 90_000 * $0 }), 1e-10))
            #expect(isNear(numbers[4], sum.value_at_risk * 4 / 3, 1e-9))
            #expect(isNear(numbers[5], -sum.value_at_risk / 3, 1e-9))
            #expect(isNear(numbers[6] + numbers[7], sum.expected_shortfall, 1e-9))
            var wrong = poise_tail_columns()
            wrong.size = 8
            #expect(poise_tail_risk_measures(made, 0.75, &wrong, nil) == POISE_ERROR_SIZE)
            #expect(poise_tail_risk_measures(made, 0.3, nil, nil) == POISE_ERROR_ARGUMENT)
        },
        Row(
            "tail_total", "value_at_risk, expected_shortfall, value_at_risk_error, expected_shortfall_error",
            "of normal draws: quantile and tail mean of the normal distribution, within a few errors"
        ) {
            let positions = try SmallMarket.positions([("a", "BTC_USDC-PERPETUAL", 1)])
            let drawn = with {
                ($0.method, $0.covariance) = (POISE_TAIL_DELTA_GAMMA_VEGA, POISE_TAIL_COVARIANCE_SAMPLE)
                $0.scenarios = 100_000
            }
            let made = try create(positions, drawn).made
            defer { poise_tail_risk_free(made) }
            var totals = [poise_tail_total()]
            try #require(poise_tail_risk_measures(made, 0.95, nil, &totals) == POISE_OK)
            let deviation = 60_000 * sampleDeviation
            let sum = totals[0]
            // Φ⁻¹(0.95), and φ of it over 0.05.
            #expect((sum.value_at_risk - 1.6448536 * deviation).magnitude < 4 * sum.value_at_risk_error)
            #expect(
                (sum.expected_shortfall - 2.0627128 * deviation).magnitude < 4 * sum.expected_shortfall_error)
            // √(p(1−p)/n)/φ for the quantile.
            let error = (0.05 * 0.95 / 1e5).squareRoot() / 0.1031356 * deviation
            #expect((sum.value_at_risk_error / error - 1).magnitude < 0.2)
            #expect(sum.expected_shortfall_error > 0 && sum.expected_shortfall_error < 2 * error)
        },
    ]

    static let rows: [Row] = histories + settings + measures
}
