import Foundation
import Greeks
import Market
import Risk
import TailRisk
import TestSupport
import Testing

struct RevaluationTests {
    static let moves = (price: [0.011, -0.17, 0.08, -0.42, 0.9], volatility: [0.1, 0.6, -0.2, 1.1, 0.4])

    static func moves(_ coins: [String], scale: Double = 1) throws -> FactorMoves {
        // The second coin moves otherwise.
        let other = scale * -0.5
        return try FactorMoves(
            coins: coins, price: [moves.price.map { $0 * scale }, moves.price.map { $0 * other }],
            volatility: [moves.volatility.map { $0 * scale }, moves.volatility.map { $0 * other }])
    }

    /// Black-76 at rate 0 in the C library's arithmetic.
    static func value(_ type: Instrument.OptionType, _ f: Double, _ k: Double, _ t: Double, _ v: Double)
        -> Double
    {
        let w = type.sign
        guard t > 0 else { return max(0, w * (f - k)) }
        let s = v * t.squareRoot()
        let d1 = log(f / k) / s + s / 2
        func n(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }
        return w * (f * n(w * d1) - k * n(w * (d1 - s)))
    }

    @Test(
        "Every position of the sample gains what formulas say, in both numeraires, with and without time",
        arguments: Numeraire.allCases, [0.0, 3]) func contracts(_ numeraire: Numeraire, _ days: Double)
        throws
    {
        let valuation = try Books.sample()
        let moves = try Self.moves(["BTC", "ETH"])
        let book = try Books.revaluation(valuation, by: [.instrument], in: numeraire)
        let profits = try book.profits(moves, years: days / 365)
        var quantities: [String: Double] = [:]
        for position in valuation.positions {
            quantities[position.instrument.name, default: 0] += position.quantity
        }
        var worst = 0.0
        for (group, labels) in profits.groups.enumerated() {
            let row = try #require(valuation.contracts.firstIndex { $0.name == labels[0] })
            let contract = valuation.contracts[row]
            let price = valuation.greeks.options.spot[row]
            let years = valuation.greeks.options.years[row]
            let quantity = try #require(quantities[labels[0]])
            let response = min(1, (30 / max(30, years * 365 - days)).squareRoot())
            for (scenario, gain) in profits[group].enumerated() {
                let coin = contract.base == "BTC" ? 0 : 1
                let moved = price * (1 + moves.price[coin][scenario])
                var expected: Double
                if case .option(let type, let strike, _) = contract.kind {
                    let volatility = valuation.greeks.options.volatility[row]
                    let start = Self.value(type, price, strike, years, volatility)
                    let end = Self.value(
                        type, moved, strike, years - days / 365,
                        volatility * (1 + response * moves.volatility[coin][scenario]))
                    expected = numeraire == .usd ? end - start : end / moved - start / price
                } else {
                    // All of the sample's are inverse.
                    expected = numeraire == .usd ? moved / price - 1 : 1 / price - 1 / moved
                }
                let scale =
                    abs(quantity) * (numeraire == .usd ? price : 1) * (contract.isOption ? 1 : 1 / price)
                worst = max(worst, abs(gain - quantity * expected) / scale)
            }
        }
        print("revaluation in \(numeraire), \(days) days: worst \(worst) of the notional")
        #expect(worst < 2e-15 && profits.groups.count > 300)
    }

    @Test("Volatilities beyond a month move by (30 days/T) to the power that was asked for")
    func termPower() throws {
        for (power, expected) in [
            (0, 1), (0.25, 1 / 2.0.squareRoot()), (0.5, 0.5), (0.75, 0.5 / 2.0.squareRoot()), (1, 0.25),
        ] {
            let response = try VolatilityResponse(power: power)
            #expect((response.factor(years: 120.0 / 365) - expected).magnitude < 1e-15, "\(power)")
            #expect(response.factor(years: 30.0 / 365) == 1 && response.factor(years: 0) == 1)
        }
        for power in [-0.1, 1.1, .nan] {
            #expect(throws: TailRiskError.self) { try VolatilityResponse(power: power) }
        }
    }

    @Test(
        "Where all coins move alike, gains are those of the scenario grid's own kernel",
        arguments: Numeraire.allCases, [0.0, 2]) func scenarioGrid(_ numeraire: Numeraire, _ days: Double)
        throws
    {
        let valuation = try Books.sample()
        var rules: [(String, ScenarioGrid.VolatilityRule)] = []
        var scenarios: [ScenarioGrid.Scenario] = []
        for (number, (price, volatility)) in zip(Self.moves.price, Self.moves.volatility).enumerated() {
            var rule = ScenarioGrid.VolatilityRule()
            rule.relative = volatility
            rule.longTermPower = 0.5
            rules.append(("\(number)", rule))
            var scenario = ScenarioGrid.Scenario()
            scenario.spot = price
            scenario.rule = number
            scenario.days = days
            scenarios.append(scenario)
        }
        let book = try Books.revaluation(valuation, in: numeraire)
        let grid = try ChainScenarios(
            valuation.greeks, try ScenarioGrid(name: "moves", rules: rules, scenarios: scenarios), market: [],
            in: numeraire, engine: try GreeksEngine())
        let others = grid.profits(of: book.plan)
        let moves = try FactorMoves(
            coins: ["BTC", "ETH"], price: [Self.moves.price, Self.moves.price],
            volatility: [Self.moves.volatility, Self.moves.volatility])
        let own = try book.profits(moves, years: days / 365)
        for group in own.groups.indices {
            let scale = own[group].reduce(0) { max($0, abs($1)) }
            for scenario in 0..<own.count {
                let difference = own[group][group * own.count + scenario] - others[group, scenario]
                #expect(abs(difference) <= 1e-11 * scale, "\(own.groups[group]), scenario \(scenario)")
            }
        }
    }

    @Test("A long inverse position of 0.31335083 coins loses x/(1 − x) of it, as the exchange shows")
    func inverseVector() throws {
        let price = 65_000.0
        let valuation = try Books.valuation(
            tickers: [
                "\"instrument_name\": \"BTC-PERPETUAL\", \"timestamp\": 1700000000000, \"mark_price\": \(price)"
            ],
            positions: ["a,BTC-PERPETUAL,\(0.31335083 * price)"])
        let moves = try FactorMoves(coins: ["BTC"], price: [[-0.16, -0.12, -0.08, -0.04, 0]])
        let gains = try Books.revaluation(valuation, in: .coin).profits(moves)[0]
        for (gain, published) in zip(gains, [-0.059685872, -0.042729659, -0.027247899, -0.013056284, 0]) {
            #expect(abs(gain - published) < 1e-9)
        }
    }

    @Test(
        "Linear contracts gain in quote currency, in coin exchanged at the price of the end",
        arguments: Numeraire.allCases) func linearContracts(_ numeraire: Numeraire) throws
    {
        let stamp = "\"timestamp\": 1700000000000"
        let valuation = try Books.valuation(
            tickers: [
                """
                "instrument_name": "XRP_USDC-29DEC23-0d6-C", \(stamp), "underlying_price": 0.62, \
                "underlying_index": "XRP_USDC-29DEC23", "mark_price": 0.06, "mark_iv": 80
                """,
                "\"instrument_name\": \"XRP_USDC-29DEC23\", \(stamp), \"mark_price\": 0.62",
                "\"instrument_name\": \"XRP_USDC\", \(stamp), \"mark_price\": 0.61",
            ],
            positions: ["o,XRP_USDC-29DEC23-0d6-C,1000", "f,XRP_USDC-29DEC23,500", "s,XRP_USDC,300"])
        let moves = try FactorMoves(coins: ["XRP"], price: [[-0.3, 0.25]])
        let profits = try Books.revaluation(valuation, in: numeraire).profits(moves)
        let years = valuation.greeks.options.years[0]
        for (scenario, move) in [-0.3, 0.25].enumerated() {
            let end = 0.62 * (1 + move)
            let change = Self.value(.call, end, 0.6, years, 0.8) - Self.value(.call, 0.62, 0.6, years, 0.8)
            let exchange = numeraire == .usd ? 1 : 1 / end
            let expected = [
                500 * 0.62 * move * exchange, 1000 * change * exchange,
                numeraire == .usd ? 300 * 0.61 * move : 0,
            ]
            for group in 0..<3 {
                let gain = profits[group][group * profits.count + scenario]
                #expect(abs(gain - expected[group]) < 1e-12, "\(profits.groups[group])")
            }
        }
    }

    /// The expansion's error is of third order in the moves, without its second-order terms of second order, and so on:
    /// halving the moves divides it by 8, 4, 2.
    @Test(
        "The expansion's error shrinks at the order of what it leaves out",
        arguments: Numeraire.allCases) func orderOfConvergence(_ numeraire: Numeraire) throws
    {
        let valuation = try Books.sample()
        let book = try Books.revaluation(valuation, by: [.book, .underlying], in: numeraire)
        let expansion = DeltaGammaVega(book)
        let coins = book.coins
        // Few enough terms that each order shows, and time as small as the square of a move.
        func errors(_ scale: Double) throws -> (none: Double, first: Double, second: Double) {
            let moves = try FactorMoves(
                coins: coins, price: [[0.07 * scale], [-0.05 * scale]],
                volatility: [[0.2 * scale], [0.15 * scale]])
            let years = 0.5 / 365 * scale * scale
            let exact = try book.profits(moves, years: years)
            let second = try expansion.profits(moves, years: years)
            var sums = (none: 0.0, first: 0.0, second: 0.0)
            for group in exact.groups.indices {
                let gain = exact[group][group]
                var first = 0.0
                for coin in coins.indices {
                    first += expansion[group, coin, .delta] * moves.price[coin][0]
                    first += expansion[group, coin, .vega] * moves.volatility[coin][0]
                }
                sums.none += abs(gain)
                sums.first += abs(gain - first)
                sums.second += abs(gain - second[group][group])
            }
            return sums
        }
        let coarse = try errors(1.0 / 16)
        let fine = try errors(1.0 / 32)
        let orders = [coarse.none / fine.none, coarse.first / fine.first, coarse.second / fine.second].map(
            log2)
        print(
            "order of the error in \(numeraire): of nothing \(orders[0]), first order \(orders[1]), all \(orders[2])"
        )
        for (order, expected) in zip(orders, [1.0, 2, 3]) { #expect(abs(order - expected) < 0.1) }
        #expect(fine.second < 1e-2 * fine.none)
    }

    /// The same bits on every instruction set with fused multiply-add and for any number of threads, and scenarios
    /// are the same however many are drawn.
    @Test("Gains have the same bits on every instruction set and for any number of threads")
    func sameBits() throws {
        let valuation = try Books.sample()
        let names = ["BTC price", "ETH price", "BTC volatility", "ETH volatility"]
        var matrix = Array(repeating: 1e-5, count: 16)
        for factor in 0..<4 { matrix[factor * 5] = 4e-5 }
        let covariance = try FactorCovariance(names: names, matrix: matrix)
        func draw(_ count: Int, _ distribution: FactorMoves.Distribution = .lognormal) throws -> FactorMoves {
            try FactorMoves.gaussian(
                covariance, coins: ["BTC", "ETH"], steps: 24, count: count, seed: 11, distribution)
        }
        let moves = try draw(1001)
        let fewer = try draw(13)
        for (long, short) in zip(moves.factors, fewer.factors) { #expect(Array(long[..<13]) == short) }
        let reference = try Books.revaluation(valuation).profits(moves)
        for set in InstructionSet.supported where set != .baseline {
            for threads in [1, 3] {
                let own = try Books.revaluation(valuation, set, threads: threads).profits(moves)
                #expect(own.total == reference.total, "\(set), \(threads) threads")
            }
        }
        let expansion = try DeltaGammaVega(Books.revaluation(valuation)).profits(try draw(1001, .normal))
        for set in InstructionSet.supported {
            let own = try DeltaGammaVega(Books.revaluation(valuation, set))
            // Greeks of the baseline differ in the last digits; the sums of equal coefficients don't.
            if set != .baseline { #expect(try own.profits(try draw(1001, .normal)).total == expansion.total) }
        }
        // Groups' gains are added in their order.
        for scenario in [0, 500, 1000] {
            let sum = reference.groups.indices.reduce(0) {
                $0 + reference[$1][$1 * reference.count + scenario]
            }
            #expect(sum == reference.total[scenario])
        }
    }

    @Test("Drawn moves have the moments that they are drawn from")
    func drawnCovariance() throws {
        let matrix: [Double] = [4e-4, 2.7e-4, -1e-4, 2.7e-4, 9e-4, 2e-4, -1e-4, 2e-4, 2.5e-3]
        let count = 100_000
        let moves = try FactorMoves.gaussian(
            FactorCovariance(names: ["a", "b", "c"], matrix: matrix), coins: ["a", "b", "c"], steps: 0.5,
            count: count, seed: 5, .normal)
        for row in 0..<3 {
            for column in 0..<3 {
                let mean =
                    (0..<count).reduce(0) { $0 + moves.price[row][$1] * moves.price[column][$1] }
                    / Double(count)
                let exact = matrix[row * 3 + column] / 2
                let own = matrix[row * 4] * matrix[column * 4] / 4
                #expect(abs(mean - exact) < 4 * ((own + exact * exact) / Double(count)).squareRoot())
            }
        }
    }

    @Test("Missing histories and impossible moves are refused by coin and value")
    func badInput() throws {
        let valuation = try Books.sample()
        let book = try Books.revaluation(valuation)
        let moves = try FactorMoves(coins: ["BTC"], price: [[0.1]])
        #expect(throws: TailRiskError.missingHistory(coin: "ETH")) { try book.profits(moves) }
        #expect(throws: TailRiskError.missingHistory(coin: "ETH")) { try DeltaGammaVega(book).profits(moves) }
        let both = try FactorMoves(coins: ["ETH", "BTC"], price: [[0.1], [0.2]])
        for years in [-1e-9, .nan, .infinity] {
            #expect(throws: TailRiskError.self) { try book.profits(both, years: years) }
            #expect(throws: TailRiskError.self) { try DeltaGammaVega(book).profits(both, years: years) }
        }
        let response = try VolatilityResponse()
        #expect(response.factor(years: .nan).isNaN && response.factor(years: 0) == 1)
        for move in [-1, .nan, .infinity] {
            #expect(throws: TailRiskError.self) { try FactorMoves(coins: ["BTC"], price: [[move]]) }
        }
        #expect(throws: TailRiskError.self) {
            try FactorMoves(coins: ["BTC"], price: [[0.1]], volatility: [[-1.1]])
        }
        #expect(throws: TailRiskError.self) { try VolatilityResponse(power: .nan) }
        let covariance = try FactorCovariance(names: ["a"], matrix: [1])
        for (steps, count) in [(0.0, 10), (.nan, 10), (1, 0), (1, 1 << 27)] {
            #expect(throws: TailRiskError.self) {
                try FactorMoves.gaussian(
                    covariance, coins: ["a"], steps: steps, count: count, seed: 1, .normal)
            }
        }
        let large = try Books.coins(["AAA"], ["a,AAA_USDC,1e300", "a,AAA_USDC,-1e300"])
        let far = try FactorMoves(coins: ["AAA"], price: [[1e10]])
        #expect(throws: TailRiskError.notFinite(group: "a")) { try large.profits(far) }
    }
}
