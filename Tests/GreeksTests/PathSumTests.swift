import Greeks
import TestSupport
import Testing
import VectorMath

/// A book along paths against the same options valued one by one, in full form.
struct PathSumTests {
    private struct Book {
        var options: [PathOption] = []
        var types: [UInt8] = []
        var offsets: [Int] = []
        var years: [Double] = []
        let rate = 0.03
        let dividend = 0.01

        init(_ engine: GreeksEngine) {
            var random = SeededGenerator(seed: 5)
            // Unequal counts, one expiry of a single option, one without any.
            for (expiry, count) in [7, 1, 0, 12].enumerated() {
                offsets.append(options.count)
                years.append(0.02 + 0.3 * Double(expiry))
                for _ in 0..<count {
                    var strikes = [Double](repeating: Double.random(in: 60...160, using: &random), count: 8)
                    var high = strikes
                    var low = strikes
                    engine.kernel.logarithms(of: &strikes, count: 8, high: &high, low: &low)
                    let isPut = Bool.random(using: &random)
                    types.append(isPut ? 1 : 0)
                    options.append(
                        PathOption(
                            strike: strikes[0], logStrikeHigh: high[0], logStrikeLow: low[0], isPut: isPut,
                            volatility: Double.random(in: 0.3...1, using: &random),
                            slope: Double.random(in: -0.2...0.2, using: &random),
                            quantity: Double.random(in: -5...5, using: &random)))
                }
            }
            offsets.append(options.count)
        }

        func sums(_ engine: GreeksEngine, _ markets: [PathMarket], live: [Int]) -> [PathSums] {
            let expiries = markets.indices.flatMap { step in
                years.map { years in
                    let left = max(0, years - 0.001 * Double(step))
                    return PathExpiry(
                        years: left, squareRootOfYears: left.squareRoot(), reciprocalYears: 1 / left,
                        discount: exponential(PortableArithmetic.self, Lanes(repeating: -rate * left))[0],
                        dividendDiscount: exponential(
                            PortableArithmetic.self, Lanes(repeating: -dividend * left))[0],
                        carry: (rate - dividend) * left, rate: rate, dividend: dividend, levelShare: 0.8)
                }
            }
            var sums = [PathSums](repeating: PathSums(), count: markets.count)
            engine.kernel.pathSums(
                markets, steps: markets.count, expiries, offsets: offsets, expiryCount: years.count,
                live: live, options, into: &sums)
            return sums
        }
    }

    private static let markets = (0..<9).map { step in
        PathMarket(
            spot: Lanes(80, 95, 99, 100, 101, 108, 130, 155) + Lanes(repeating: Double(step)),
            level: Lanes(repeating: 0.01 * Double(step)),
            logSpotShift: Lanes(-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3, 0.4),
            scale: Lanes(repeating: step == 8 ? 1.2 : 1))
    }
    private static let live = [0, 0, 0, 0, 1, 1, 1, 3, 4]

    @Test("sums along paths are those of single options", arguments: InstructionSet.supported)
    func matchFullForm(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        let book = Book(engine)
        let sums = book.sums(engine, Self.markets, live: Self.live)
        var worst = 0.0
        for (step, market) in Self.markets.enumerated() {
            let first = book.offsets[Self.live[step]]
            for lane in 0..<8 {
                let indices = first..<book.options.count
                let volatilities = indices.map { index in
                    let option = book.options[index]
                    return
                        (option.volatility + 0.8 * market.level[lane] + option.slope
                        * market.logSpotShift[lane])
                        * market.scale[lane]
                }
                let years = indices.map { index in
                    book.years[book.offsets.lastIndex { $0 <= index } ?? 0] - 0.001 * Double(step)
                }
                let count = indices.count
                let batch = try OptionBatch(
                    type: indices.map { book.types[$0] },
                    spot: [Double](repeating: market.spot[lane], count: count),
                    strike: indices.map { book.options[$0].strike }, years: years, volatility: volatilities,
                    rate: [Double](repeating: book.rate, count: count),
                    dividend: [Double](repeating: book.dividend, count: count))
                let greeks = engine.greeks(.all, of: batch)
                func check(_ lanes: Lanes, _ name: String, _ terms: [Double]) {
                    let quantities = indices.map { book.options[$0].quantity }
                    let expected = zip(quantities, terms).reduce(0) { $0 + $1.0 * $1.1 }
                    let scale = zip(quantities, terms).reduce(1e-300) { $0 + abs($1.0 * $1.1) }
                    worst = max(worst, abs(lanes[lane] - expected) / scale)
                    #expect(
                        abs(lanes[lane] - expected) <= 2e-13 * scale,
                        "\(name) step \(step) lane \(lane): \(lanes[lane]) expected \(expected)")
                }
                func column(_ greek: Greek) -> [Double] { greeks[greek].map(Array.init) ?? [] }
                check(sums[step].price, "price", column(.price))
                check(sums[step].delta, "delta", column(.delta))
                check(sums[step].gamma, "gamma", column(.gamma))
                check(sums[step].vega, "vega", column(.vega))
                check(sums[step].theta, "theta", column(.theta))
                let spot = market.spot[lane]
                check(
                    sums[step].gammaRent, "rent",
                    zip(column(.gamma), volatilities).map { 0.5 * spot * spot * $0 * $1 * $1 })
                check(sums[step].levelVega, "level vega", column(.vega).map { 0.8 * $0 })
                check(
                    sums[step].shiftVega, "shift vega",
                    zip(column(.vega), indices).map { $0 * book.options[$1].slope })
            }
        }
        print("\(set), path sums: worst difference \(worst) of the sum of magnitudes")
    }

    @Test("AVX2 and AVX-512 sum to the same bits")
    func sameBits() throws {
        let sets = InstructionSet.supported.filter { $0 != .baseline }
        guard let first = sets.first else { return }
        let expected = Book(try GreeksEngine(first)).sums(
            try GreeksEngine(first), Self.markets, live: Self.live)
        for set in sets.dropFirst() {
            let engine = try GreeksEngine(set)
            let sums = Book(engine).sums(engine, Self.markets, live: Self.live)
            for (a, b) in zip(sums, expected) {
                for (x, y) in [
                    (a.price, b.price), (a.delta, b.delta), (a.gamma, b.gamma), (a.vega, b.vega),
                    (a.theta, b.theta), (a.gammaRent, b.gammaRent), (a.levelVega, b.levelVega),
                    (a.shiftVega, b.shiftVega),
                ] {
                    #expect(x.bits == y.bits)
                }
            }
        }
    }
}
