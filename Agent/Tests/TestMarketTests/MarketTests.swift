import TestExchange
import TestMarket
import Testing
import VenueProtocol

struct MarketTests {
    private static let start = 1_770_012_000_000

    private func market(
        seed: UInt64 = 1, step: Int = 60_000
    ) throws -> (exchange: Exchange, market: Market, alice: Int) {
        let exchange = Exchange(
            ExchangeConfiguration(
                start: Self.start, currencies: ["BTC", "ETH", "USDC"],
                indices: [
                    .init(name: "btc_usd", base: "BTC", price: 90_000),
                    .init(name: "eth_usd", base: "ETH", price: 3_000),
                    .init(name: "btc_usdc", base: "BTC", price: 90_000),
                ]))
        let alice = exchange.openAccount(name: "alice", clientID: "a", clientSecret: "a")
        exchange.deposit(100 * Scales.money, currency: "BTC", to: alice)
        var configuration = MarketConfiguration()
        configuration.seed = seed
        configuration.step = step
        var listing = Listing(underlyings: [.bitcoin, .ether, .linearBitcoin])
        for place in listing.underlyings.indices { listing.underlyings[place].strikesPerSide = 4 }
        return (exchange, try Market(exchange, listing, configuration), alice)
    }

    @Test(
        "Every contract is quoted on both sides but for what is worth less than a tick, and no book is crossed"
    )
    func quotes() throws {
        let (exchange, market, _) = try market()
        for minute in 1...30 {
            market.run(to: Self.start + minute * 60_000)
            for contract in exchange.liveContracts {
                let ticker = exchange.ticker(contract)
                let tick = exchange.instrument(contract).tickSize
                #expect(ticker.bestAsk != nil, "\(ticker.instrumentName)")
                if ticker.markPrice > 10 * tick {
                    #expect(ticker.bestBid != nil, "\(ticker.instrumentName) \(ticker.markPrice)")
                }
                if let bid = ticker.bestBid, let ask = ticker.bestAsk {
                    #expect(bid.price < ask.price)
                    #expect(exchange.instrument(contract).isOnTick(bid.price))
                    #expect(exchange.instrument(contract).isOnTick(ask.price))
                }
            }
        }
        #expect(exchange.liveContracts.contains { exchange.ticker($0).stats.volume.value ?? 0 > 0 })
    }

    @Test("Marks keep put-call parity: C − P is F − K, in coins for inverse options")
    func parity() throws {
        let (exchange, market, _) = try market()
        market.run(to: Self.start + 600_000)
        var pairs = 0
        for contract in exchange.liveContracts {
            let call = exchange.ticker(contract)
            guard call.instrumentName.hasSuffix("-C"), let strike = exchange.instrument(contract).strike,
                let put = exchange.contract(named: String(call.instrumentName.dropLast()) + "P"),
                let forward = call.underlyingPrice
            else { continue }
            let difference = call.markPrice - exchange.ticker(put).markPrice
            let expected = exchange.instrument(contract).isInverse ? 1 - strike / forward : forward - strike
            // Marks are rounded to a millionth, the forward to a hundredth of a cent.
            let limit = exchange.instrument(contract).isInverse ? 3e-6 : 1e-4
            #expect(abs(difference - expected) < limit, "\(call.instrumentName)")
            #expect(abs((call.greeks?.delta ?? 0) - (exchange.ticker(put).greeks?.delta ?? 0) - 1) < 3e-5)
            pairs += 1
        }
        #expect(pairs > 100)
    }

    @Test("The same seed and the same orders give the same bits, another seed another market")
    func determinism() throws {
        func run(_ seed: UInt64) throws -> [String] {
            let (exchange, market, alice) = try market(seed: seed)
            var lines: [String] = []
            for minute in 1...20 {
                market.run(to: Self.start + minute * 60_000)
                let order = OrderRequest(
                    minute % 2 == 0 ? .buy : .sell, "BTC-PERPETUAL", amount: MessageAmount(1_000),
                    type: .market)
                _ = try exchange.place(order, account: alice)
                lines += exchange.takeEvents().map { "\($0)" }
            }
            return lines
        }
        let first = try run(1)
        #expect(try run(1) == first)
        #expect(try run(2) != first)
    }

    @Test(
        "Three days with settlements, expiries and new listings: nothing is lost, and every day has its contracts"
    )
    func days() throws {
        let (exchange, market, alice) = try market(step: 600_000)
        _ = exchange.takeEvents()
        let cash = exchange.totals().cash
        for hour in 1...72 {
            market.run(to: Self.start + hour * 3_600_000)
            let order = OrderRequest(
                hour % 3 == 0 ? .sell : .buy, "BTC-PERPETUAL", amount: MessageAmount(2_000), type: .market)
            _ = try? exchange.place(order, account: alice)
            let totals = exchange.totals()
            #expect(totals.cash == cash)
            #expect(totals.size.allSatisfy { $0 == 0 } && totals.cost.allSatisfy { $0 == 0 })
            for contract in exchange.liveContracts {
                #expect(exchange.instrument(contract).expirationTimestamp ?? 0 > exchange.time)
            }
            let next = VenueTime.code(expiry: VenueTime.nextSettlement(after: exchange.time))
            #expect(exchange.liveContracts.contains { exchange.name(of: $0).hasPrefix("BTC-\(next)-") })
        }
        let settlements = exchange.log(of: alice).filter { $0.type == "settlement" }
        #expect(settlements.count == 3)
    }
}
