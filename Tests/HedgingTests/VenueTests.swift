import Foundation
import Hedging
import Market
import TestSupport
import Testing

/// Whole-number arithmetic of pools, and contracts on several venues.
@Suite struct VenueTests {
    private static func number(_ text: String) -> UInt256 { UInt256(text) ?? .max }

    @Test("The ladder of ticks ends where the contracts' ladder ends, and inverts")
    func ladder() {
        #expect(TickLadder.rootPrice(atTick: -887_272) == Self.number("4295128739"))
        #expect(
            TickLadder.rootPrice(atTick: 887_272)
                == Self.number("1461446703485210103287273052203988822378723970342"))
        #expect(TickLadder.rootPrice(atTick: 0) == UInt256(1 << 96))
        #expect(TickLadder.rootPrice(atTick: 887_273) == nil)
        #expect(TickLadder.rootPrice(atTick: -887_273) == nil)
        #expect(TickLadder.tick(atRootPrice: Self.number("4295128738")) == nil)
        #expect(
            TickLadder.tick(atRootPrice: Self.number("1461446703485210103287273052203988822378723970341"))
                == 887_271)
        for tick in stride(from: -887_272, to: 887_272, by: 9973) {
            guard let root = TickLadder.rootPrice(atTick: tick) else {
                Issue.record("no root price at \(tick)")
                continue
            }
            #expect(TickLadder.tick(atRootPrice: root) == tick)
            // Against a power of doubles.
            let expected = pow(1.0001, Double(tick) / 2) * 0x1p96
            #expect((root.double / expected - 1).magnitude < 1e-9, "\(tick)")
        }
    }

    /// As published with the contracts' own tests.
    struct Published {
        let from, to: String
        let liquidity: UInt128
        let remaining: SwapStep.Remaining
        let fee: UInt32
        let amountIn, amountOut, feeAmount: String
        let end: String?

        static let one = "79228162514264337593543950336"
        static let above = "79623317895830914510639640423"
        static let e18: UInt128 = 1_000_000_000_000_000_000
        static let low = "20282409603651670423947251286016"

        static let all = [
            Published(
                from: one, to: above, liquidity: 2 * e18, remaining: .input(UInt256(e18)), fee: 600,
                amountIn: "9975124224178055", amountOut: "9925619580021728", feeAmount: "5988667735148",
                end: above),
            Published(
                from: one, to: above, liquidity: 2 * e18, remaining: .output(UInt256(e18)), fee: 600,
                amountIn: "9975124224178055", amountOut: "9925619580021728", feeAmount: "5988667735148",
                end: above),
            Published(
                from: one, to: "250541448375047931186413801569", liquidity: 2 * e18,
                remaining: .input(UInt256(e18)), fee: 600, amountIn: "999400000000000000",
                amountOut: "666399946655997866", feeAmount: "600000000000000", end: nil),
            Published(
                from: one, to: "792281625142643375935439503360", liquidity: 2 * e18,
                remaining: .output(UInt256(e18)), fee: 600, amountIn: "2000000000000000000",
                amountOut: "1000000000000000000", feeAmount: "1200720432259356", end: nil),
            Published(
                from: "417332158212080721273783715441582", to: "1452870262520218020823638996",
                liquidity: 159_344_665_391_607_089_467_575_320_103, remaining: .output(UInt256(1)), fee: 1,
                amountIn: "1", amountOut: "1", feeAmount: "1", end: "417332158212080721273783715441581"),
            Published(
                from: "2", to: "1", liquidity: 1,
                remaining: .input(UInt256(3_915_081_100_057_732_413_702_495_386_755_767)), fee: 1,
                amountIn: "39614081257132168796771975168", amountOut: "0",
                feeAmount: "39614120871253040049813", end: "1"),
            Published(
                from: "2413", to: "79887613182836312", liquidity: 1_985_041_575_832_132_834_610_021_537_970,
                remaining: .input(UInt256(10)), fee: 1872, amountIn: "0", amountOut: "0", feeAmount: "10",
                end: "2413"),
            Published(
                from: low, to: "22310650564016837466341976414617", liquidity: 1024,
                remaining: .output(UInt256(4)), fee: 3000, amountIn: "26215", amountOut: "0",
                feeAmount: "79", end: "22310650564016837466341976414617"),
            Published(
                from: low, to: "18254168643286503381552526157414", liquidity: 1024,
                remaining: .output(UInt256(263_000)), fee: 3000, amountIn: "1", amountOut: "26214",
                feeAmount: "1", end: "18254168643286503381552526157414"),
        ]
    }

    @Test("Swap steps are those that are published, to the last unit")
    func swapSteps() throws {
        for (index, row) in Published.all.enumerated() {
            let step = try #require(
                SwapStep(
                    from: Self.number(row.from), to: Self.number(row.to), liquidity: row.liquidity,
                    remaining: row.remaining, feePips: row.fee), "\(index)")
            #expect(step.amountIn == Self.number(row.amountIn), "\(index)")
            #expect(step.amountOut == Self.number(row.amountOut), "\(index)")
            #expect(step.fee == Self.number(row.feeAmount), "\(index)")
            if let end = row.end { #expect(step.rootPrice == Self.number(end), "\(index)") }
        }
    }

    @Test("What does not fit is nil, and products keep all bits on the way to a quotient")
    func wideNumbers() {
        let big = UInt256.max
        #expect(big.plus(UInt256(1)) == nil)
        #expect(UInt256(0).minus(UInt256(1)) == nil)
        #expect(big.times(UInt256(2)) == nil)
        #expect(big.times(big, over: big) == big)
        #expect(big.times(big, over: UInt256(1)) == nil)
        #expect(big.over(UInt256(0)) == nil)
        #expect(UInt256(7).over(UInt256(2)) == UInt256(3))
        #expect(UInt256(7).over(UInt256(2), roundingUp: true) == UInt256(4))
        #expect(UInt256(1).shiftedLeft(255) == UInt256(high: 1 << 127, low: 0))
        #expect(UInt256(1).shiftedLeft(256) == nil)
        #expect(UInt256(1).shiftedLeft(.max) == nil && UInt256(1).shiftedLeft(-1) == nil)
        #expect(UInt256(0).shiftedLeft(.max) == UInt256(0))
        #expect(
            UInt256("115792089237316195423570985008687907853269984665640564039457584007913129639935") == big)
        #expect(
            UInt256("115792089237316195423570985008687907853269984665640564039457584007913129639936") == nil)
        #expect(UInt256("1x") == nil)
    }

    /// Liquidity around tick 200,000 in three overlapping ranges.
    private static func pool() throws -> ConcentratedPool {
        let root = try #require(TickLadder.rootPrice(atTick: 200_013))
        let pool = ConcentratedPool(
            rootPrice: root, liquidity: 9_000_000_000_000_000_000_000, feePips: 3000, tickSpacing: 60,
            ticks: [
                .init(index: 198_000, liquidityNet: 4_000_000_000_000_000_000_000),
                .init(index: 199_980, liquidityNet: 5_000_000_000_000_000_000_000),
                .init(index: 200_400, liquidityNet: -5_000_000_000_000_000_000_000),
                .init(index: 202_020, liquidityNet: -4_000_000_000_000_000_000_000),
            ])
        return try #require(pool)
    }

    @Test("A swap in whole units over several ranges costs what the pool's curve says")
    func poolsAgree() throws {
        let pool = try Self.pool()
        let curve = LiquidityCurve(pool, coinDecimals: 18, moneyDecimals: 18)
        let scale = 1e18
        for (amount, isBuy) in [
            (1e-3, true), (5e-3, true), (0.015, true), (2e-4, false), (5e-3, false), (0.015, false),
        ] {
            var swapped = pool
            let units = UInt256(UInt128(amount * scale))
            // Buying coins takes token 0 out; selling pays it in.
            let swap =
                isBuy
                ? swapped.swap(.output(units), paysFirst: false)
                : swapped.swap(.input(units), paysFirst: true)
            let result = try #require(swap)
            let market = VenueMarket([TradingVenue("pool", .pool(curve))], reference: 0)
            let split = try #require(try market.split(isBuy ? amount : -amount))
            let money = (isBuy ? result.paid : result.taken).double / scale
            #expect((split.cost.magnitude / money - 1).magnitude < 1e-9, "\(amount) \(isBuy)")
            #expect((isBuy ? result.taken : result.paid) == units)
        }
        // Where liquidity ends, less is taken than was asked for.
        var emptied = pool
        let all = emptied.swap(.output(UInt256(1 << 90)), paysFirst: false)
        #expect(try #require(all).taken < UInt256(1 << 90))
    }

    /// More is taken off at the third tick than there is.
    @Test("A change of liquidity at the last tick of a word of the pool's map counts")
    func lastTickOfWord() throws {
        let root = try #require(TickLadder.rootPrice(atTick: 200_013))
        // 3,583 spacings: the last of 256 that are looked at together.
        let pool = try #require(
            ConcentratedPool(
                rootPrice: root, liquidity: 4_000_000_000_000_000_000_000, feePips: 3000, tickSpacing: 60,
                ticks: [
                    .init(index: 198_000, liquidityNet: 4_000_000_000_000_000_000_000),
                    .init(index: 214_980, liquidityNet: -2_000_000_000_000_000_000_000),
                    .init(index: 216_000, liquidityNet: -2_000_000_000_000_000_000_000),
                ]))
        var emptied = pool
        let drained = emptied.swap(.output(UInt256(1 << 90)), paysFirst: false)
        let all = try #require(drained).taken
        var swapped = pool
        let units = try #require(all.minus(UInt256(1_000_000_000_000_000)))
        let swap = swapped.swap(.output(units), paysFirst: false)
        let result = try #require(swap)
        #expect(result.taken == units)
        let curve = LiquidityCurve(pool, coinDecimals: 18, moneyDecimals: 18)
        let market = VenueMarket([TradingVenue("pool", .pool(curve))], reference: 0)
        let split = try #require(try market.split(units.double / 1e18))
        #expect((split.cost / (result.paid.double / 1e18) - 1).magnitude < 1e-9)
    }

    @Test("A swap that cannot be leaves the pool as it was, and no tick or spacing is too large for a number")
    func impossibleSwaps() throws {
        let good = try Self.pool()
        func pool(_ place: Int, _ net: Int128, spacing: Int = 60) -> ConcentratedPool? {
            var ticks = good.ticks
            ticks[place].liquidityNet = net
            return ConcentratedPool(
                rootPrice: good.rootPrice, liquidity: good.liquidity, feePips: 3000, tickSpacing: spacing,
                ticks: spacing == 60 ? ticks : [])
        }
        for (place, net, paysFirst) in [
            (2, -9_000_000_000_000_000_000_001, false), (2, Int128.min, false),
            (1, 9_000_000_000_000_000_000_001, true), (1, .max, true),
        ] as [(Int, Int128, Bool)] {
            let before = try #require(pool(place, net))
            var swapped = before
            let all = SwapStep.Remaining.input(UInt256(1 << 100))
            let refused = swapped.swap(all, paysFirst: paysFirst)
            #expect(refused == nil && swapped == before, "\(place) \(net)")
            // As far as the tick it goes.
            let little = swapped.swap(.input(UInt256(1 << 40)), paysFirst: paysFirst)
            #expect(little?.paid == UInt256(1 << 40) && swapped != before)
        }
        // Crossed downwards the least number adds.
        var added = try #require(pool(1, .min))
        let down = added.swap(.input(UInt256(1 << 100)), paysFirst: true)
        #expect(down != nil && added.liquidity > 1 << 126)
        for spacing in [Int.min, 0, ConcentratedPool.largestSpacing + 1, .max] {
            #expect(pool(0, 1, spacing: spacing) == nil, "\(spacing)")
        }
        for paysFirst in [false, true] {
            var wide = try #require(pool(0, 1, spacing: ConcentratedPool.largestSpacing))
            let little = wide.swap(.input(UInt256(1 << 40)), paysFirst: paysFirst)
            #expect(little != nil)
        }
        let curves = [Int.min, 0, 18, 255, .max].flatMap { coin in
            [Int.min, 0, 18, 255, .max].map { LiquidityCurve(good, coinDecimals: coin, moneyDecimals: $0) }
        }
        #expect(Set(curves.map(\.rootPrice)).count > 1 && curves.allSatisfy { $0.rootPrice > 0 })
    }

    @Test("A number of a venue that cannot be is refused by name, in a split and in a hedge")
    func badVenues() throws {
        let pool = try #require(LiquidityCurve(coins: 100, money: 200_000, fee: 0.003))
        let book = TradingVenue(
            "book", .book(bids: [], asks: [OrderLevel(price: 2001, amount: 5)], feeRate: 0))
        let fields: [(WritableKeyPath<TradingVenue, Double>, String, [Double])] = [
            (\.transferCost, "transferCost", [.nan, .infinity, -.infinity]),
            (\.fixedCost, "fixedCost", [.nan, .infinity, -1]), (\.delay, "delay", [.nan, .infinity, -1]),
            (\.volatility, "volatility", [.nan, .infinity, -0.5]),
            (\.maximumBuy, "maximumBuy", [.nan, -1]), (\.maximumSell, "maximumSell", [.nan, -1]),
        ]
        for (field, name, values) in fields {
            for value in values {
                var venue = TradingVenue("pool", .pool(pool))
                venue[keyPath: field] = value
                let market = VenueMarket([book, venue], reference: 2000)
                let error = #expect(throws: HedgeError.self) { try market.split(2) }
                let start = "venues[1].\(name) (pool): value \(value): must be"
                #expect(error.map { "\($0)".hasPrefix(start) } ?? false, "\(start)")
                var down = market
                down.venues[1].isUp = false
                #expect(try down.split(2)?.cost == 2, "\(name) \(value)")
            }
        }
        var paid = book
        for feeRate in [Double.nan, .infinity] {
            paid.depth = .book(bids: [], asks: [], feeRate: feeRate)
            #expect(throws: HedgeError.self) { try VenueMarket([paid], reference: 2000).split(1) }
        }
        // A problem has no place for the venue's number but its own.
        for fixedCost in [-1, Double.nan] {
            var venue = TradingVenue("pool", .pool(pool))
            venue.fixedCost = fixedCost
            var problem = HedgeProblem(underlyings: ["ETH"])
            let added = problem.add(
                "ETH", HedgeInstrument(costBuy: 0, costSell: 0, maximumBuy: 5, maximumSell: 5),
                on: VenueMarket([book, venue], reference: 2000))
            #expect(added.map(\.venue) == [nil, 1])
            let error = #expect(throws: HedgeError.self) { try problem.validate() }
            let start = "instruments[1].fixed (ETH at pool): value \(fixedCost)"
            #expect(error.map { "\($0)".hasPrefix(start) } ?? false, "\(start)")
        }
    }

    @Test("A constant product is kept but for the fee")
    func constantProduct() throws {
        let pool = try #require(LiquidityCurve(coins: 100, money: 200_000, fee: 0.003))
        let market = VenueMarket([TradingVenue("pool", .pool(pool))], reference: 2000)
        let bought = try #require(try market.split(10)).parts[0]
        // (100 − 10)(200,000 + m (1 − f)) = 100 · 200,000.
        let paid = (20_000_000 / 90.0 - 200_000) / 0.997
        #expect((bought.cost - (paid - 20_000)).magnitude < 1e-8)
        #expect((bought.marginal - (20_000_000 / 8100.0 / 0.997 - 2000)).magnitude < 1e-9)
        let sold = try #require(try market.split(-10)).parts[0]
        let received = 200_000 - 20_000_000 / (100 + 10 * 0.997)
        #expect((sold.cost - (20_000 - received)).magnitude < 1e-8)
        #expect(try market.split(100) == nil)
        #expect(LiquidityCurve(coins: 0, money: 1, fee: 0) == nil)
    }

    // MARK: Several venues

    static func market(_ number: Int, gas: Bool = false) -> VenueMarket {
        var random = SeededGenerator(seed: 0x7E_0000 + UInt64(number))
        func uniform(_ low: Double, _ high: Double) -> Double {
            low + (high - low) * Double(random.next() >> 11) * 0x1p-53
        }
        let reference = 2000.0
        var venues: [TradingVenue] = []
        for k in 0..<Int(uniform(2, 6)) {
            let middle = reference * uniform(0.998, 1.002)
            var venue: TradingVenue
            switch Int(uniform(0, 3)) {
            case 0:
                func side(_ sign: Double) -> [OrderLevel] {
                    var price = middle * (1 + sign * 2e-4)
                    return (0..<8).map { _ in
                        price *= 1 + sign * uniform(1e-5, 6e-4)
                        return OrderLevel(price: price, amount: uniform(0.5, 9))
                    }
                }
                venue = TradingVenue("book \(k)", .book(bids: side(-1), asks: side(1), feeRate: 4e-4))
            case 1:
                let coins = uniform(500, 5000)
                guard let pool = LiquidityCurve(coins: coins, money: coins * middle, fee: 0.003) else {
                    continue
                }
                venue = TradingVenue("product \(k)", .pool(pool))
            default:
                let tick = Int(log(middle) / log(1.0001))
                let near = tick / 60 * 60
                let net = Int128(uniform(1, 6) * 1e22)
                guard let root = TickLadder.rootPrice(atTick: tick),
                    let pool = ConcentratedPool(
                        rootPrice: root, liquidity: UInt128(3 * net), feePips: 500, tickSpacing: 60,
                        ticks: [
                            .init(index: near - 6000, liquidityNet: net),
                            .init(index: near - 120, liquidityNet: 2 * net),
                            .init(index: near + 180, liquidityNet: -2 * net),
                            .init(index: near + 6000, liquidityNet: -net),
                        ])
                else { continue }
                venue = TradingVenue(
                    "range \(k)", .pool(LiquidityCurve(pool, coinDecimals: 18, moneyDecimals: 18)))
            }
            venue.transferCost = uniform(0, 0.4)
            venue.delay = uniform(0, 20)
            venue.volatility = 0.6
            if uniform(0, 1) < 0.2 { venue.maximumBuy = uniform(1, 10) }
            if gas { venue.fixedCost = uniform(0, 1) < 0.5 ? uniform(0.5, 30) : 0 }
            if uniform(0, 1) < 0.1 { venue.isUp = false }
            venues.append(venue)
        }
        return VenueMarket(venues, reference: reference)
    }

    @Test("A split trades the next unit at the same cost everywhere, and costs no more than any other")
    func splitsAreTheCheapest() throws {
        var count = 0
        for number in 0..<300 {
            let market = Self.market(number)
            for trade in [7.0, -11, 30] {
                guard let split = try market.split(trade) else { continue }
                count += 1
                #expect((split.parts.reduce(0) { $0 + $1.amount } - trade).magnitude < 1e-9)
                #expect(split.parts.allSatisfy { market.venues[$0.venue].isUp })
                let pools = split.parts.filter { part in
                    let venue = market.venues[part.venue]
                    guard case .pool = venue.depth else { return false }
                    return part.amount < 0 || part.amount < venue.maximumBuy * (1 - 1e-9)
                }
                if let marginal = pools.map(\.marginal).max() {
                    #expect(pools.allSatisfy { marginal - $0.marginal < 1e-6 }, "\(number)")
                    #expect(split.parts.allSatisfy { $0.marginal < marginal + 1e-6 }, "\(number)")
                }
                // Never dearer than one venue alone.
                for index in market.venues.indices {
                    let alone = VenueMarket([market.venues[index]], reference: market.reference)
                    if let one = try alone.split(trade) {
                        #expect(split.cost <= one.cost + 1e-9 * one.cost.magnitude)
                    }
                }
                // The curve's cost is the split's but for what its pieces miss: from above in buying, as the marginal
                // price bends upwards, from below in selling.
                var problem = HedgeProblem(underlyings: ["X"])
                problem.add(
                    "x",
                    HedgeInstrument(costBuy: 0, costSell: 0, maximumBuy: .infinity, maximumSell: .infinity),
                    market.curve)
                let cost = problem.cost(trades: [trade]).total
                let missed = trade > 0 ? cost - split.cost : split.cost - cost
                #expect(missed > -1e-9 * 2000 && missed < 1e-3 * max(split.cost.magnitude, 10), "\(number)")
            }
        }
        #expect(count > 500)
    }

    @Test("A venue that is down is left out, and its limits are kept")
    func stateAndLimits() throws {
        let asks = [OrderLevel(price: 101, amount: 5)]
        var first = TradingVenue("a", .book(bids: [], asks: asks, feeRate: 0))
        let second = TradingVenue(
            "b", .book(bids: [], asks: [OrderLevel(price: 103, amount: 5)], feeRate: 0))
        first.maximumBuy = 3
        var market = VenueMarket([first, second], reference: 100)
        let split = try #require(try market.split(4))
        #expect(split.parts.map(\.amount) == [3, 1])
        #expect(split.cost == 6)
        #expect(market.curve.buy == [.init(upTo: 3, price: 1), .init(upTo: 8, price: 3)])
        market.venues[0].isUp = false
        #expect(try #require(try market.split(4)).cost == 12)
        #expect(market.curve.buy == [.init(upTo: 5, price: 3)])
        #expect(try market.split(6) == nil)
    }

    @Test("Gas decides whether a venue is worth it, in a split and in a hedge alike")
    func gas() throws {
        var near = TradingVenue(
            "near", .book(bids: [], asks: [OrderLevel(price: 102, amount: 10)], feeRate: 0))
        near.delay = 0
        var pool = TradingVenue(
            "pool", .book(bids: [], asks: [OrderLevel(price: 101, amount: 10)], feeRate: 0))
        pool.fixedCost = 5
        let market = VenueMarket([near, pool], reference: 100)
        #expect(try #require(try market.split(4)).parts.map(\.venue) == [0])
        #expect(try #require(try market.split(6)).parts.map(\.venue) == [1])
        for (amount, cost) in [(4.0, 8.0), (6, 11), (15, 10 + 5 + 10)] {
            var problem = HedgeProblem(underlyings: ["X"])
            let added = problem.add(
                "x", HedgeInstrument(costBuy: 0, costSell: 0, maximumBuy: .infinity, maximumSell: .infinity),
                on: market)
            #expect(added.map(\.venue) == [nil, 1])
            problem.add(
                "d", HedgeBand(hard: 0, 0, current: -amount),
                coefficients: added.map { (instrument: $0.instrument, coefficient: 1) })
            let solver = HedgeSolver()
            #expect(try solver.solve(problem) == .optimal)
            #expect((solver.solution.cost.total - cost).magnitude < 1e-9)
            #expect((try #require(try market.split(amount)).cost - cost).magnitude < 1e-9)
        }
    }

    @Test("Venues without a fixed cost that are up are one instrument, and none where there is no such venue")
    func instrumentsOfVenues() throws {
        func venue(_ name: String, fixedCost: Double, isUp: Bool) -> TradingVenue {
            var venue = TradingVenue(
                name, .book(bids: [], asks: [OrderLevel(price: 101, amount: 10)], feeRate: 0))
            (venue.fixedCost, venue.isUp) = (fixedCost, isUp)
            return venue
        }
        for (venues, expected) in [
            ([venue("a", fixedCost: 0, isUp: true), venue("b", fixedCost: 0, isUp: true)], [nil]),
            ([venue("a", fixedCost: 0, isUp: false), venue("b", fixedCost: 1, isUp: true)], [1]),
            ([venue("a", fixedCost: 1, isUp: true), venue("b", fixedCost: 2, isUp: false)], [0]),
            ([venue("a", fixedCost: 1, isUp: true), venue("b", fixedCost: 0, isUp: true)], [nil, 0]),
            ([venue("a", fixedCost: 0, isUp: false)], []),
        ] as [([TradingVenue], [Int?])] {
            var problem = HedgeProblem(underlyings: ["X"])
            let added = problem.add(
                "x", HedgeInstrument(costBuy: 0, costSell: 0, maximumBuy: 5, maximumSell: 5),
                on: VenueMarket(venues, reference: 100))
            #expect(added.map(\.venue) == expected && problem.instruments.count == expected.count)
        }
    }

    @Test("The cost of a delay grows with its root: half a straddle at the money over it")
    func delay() {
        var venue = TradingVenue("chain", .book(bids: [], asks: [], feeRate: 0))
        (venue.delay, venue.volatility) = (12, 0.8)
        let year = 365 * 86_400.0
        let expected = 2000 * 0.8 * (12 / year).squareRoot() / (2 * Double.pi).squareRoot()
        #expect((venue.delayCost(price: 2000) / expected - 1).magnitude < 1e-14)
        let once = venue.delayCost(price: 2000)
        venue.delay = 48
        #expect((venue.delayCost(price: 2000) / once - 2).magnitude < 1e-14)
    }

    @Test(
        "Splits for the checking script",
        .enabled(if: ProcessInfo.processInfo.environment["POISE_SPLITS"] != nil))
    func exportSplits() throws {
        let environment = ProcessInfo.processInfo.environment
        let count = Int(environment["POISE_SPLITS"] ?? "") ?? 0
        var lines: [String] = []
        func list(_ values: [Double]) -> String {
            "[\(values.map { $0.isFinite ? "\($0)" : "null" }.joined(separator: ","))]"
        }
        for number in 0..<count {
            let market = Self.market(number)
            let trade = number % 2 == 0 ? Double(5 + number % 37) : -Double(5 + number % 31)
            guard let split = try market.split(trade) else { continue }
            let side = trade > 0
            let venues = market.venues.map { venue in
                let unit = venue.transferCost + venue.delayCost(price: market.reference)
                let limit = venue.isUp ? (side ? venue.maximumBuy : venue.maximumSell) : 0
                var text = "{\"unit\": \(unit), \"limit\": \(limit.isFinite ? "\(limit)" : "null"), "
                switch venue.depth {
                case .book(let bids, let asks, let rate):
                    let levels = side ? asks : bids
                    text +=
                        "\"prices\": \(list(levels.map { side ? $0.price * (1 + rate) : $0.price * (1 - rate) })), "
                    text += "\"amounts\": \(list(levels.map(\.amount)))}"
                case .pool(let pool):
                    text += "\"root\": \(pool.rootPrice), \"fee\": \(pool.fee), "
                    text +=
                        "\"low\": \(list(pool.ranges.map(\.low))), \"high\": \(list(pool.ranges.map(\.high))), "
                    text += "\"liquidity\": \(list(pool.ranges.map(\.liquidity)))}"
                }
                return text
            }
            var amounts = market.venues.map { _ in 0.0 }
            for part in split.parts { amounts[part.venue] = part.amount.magnitude }
            lines.append(
                "{\"trade\": \(trade), \"reference\": \(market.reference), \"venues\": [\(venues.joined(separator: ", "))], "
                    + "\"amounts\": \(list(amounts)), \"cost\": \(split.cost)}")
        }
        try Data(lines.joined(separator: "\n").utf8).write(
            to: URL(fileURLWithPath: environment["POISE_HEDGE_EXPORT"] ?? ""))
    }
}
