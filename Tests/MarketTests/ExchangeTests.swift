import Foundation
import Market
import TestSupport
import Testing

/// What is particular to exchanges: names, fields, units, rules.
struct ExchangeTests {
    static func time(_ year: Int, _ month: Int, _ day: Int) throws -> Timestamp {
        Timestamp(try #require(Day(year: year, month: month, day: day)), hour: 8)
    }

    static func chain(_ text: String, skip: Bool = false) throws -> Chain {
        var badRows = BadRows(skip: skip)
        return try Chain(Source(name: "chain", text: text), &badRows)
    }

    static func error(_ text: String) -> String {
        do {
            _ = try chain(text)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test("A name of another exchange says the same as its parts")
    func otherNames() throws {
        let december = try Self.time(2025, 12, 26)
        let march = try Self.time(2024, 3, 29)
        let cases: [(String, any Exchange.Type, String, String, Settlement, Instrument.Kind)] = [
            (
                "BTC-USD-251226-100000-C", OKX.self, "BTC", "USD", .inverse,
                .option(.call, strike: 1e5, expiry: december)
            ),
            (
                "ETH-USD-251226-2500.5-P", OKX.self, "ETH", "USD", .inverse,
                .option(.put, strike: 2500.5, expiry: december)
            ),
            ("BTC-USD-251226", OKX.self, "BTC", "USD", .inverse, .future(expiry: december)),
            ("BTC-USDT-251226", OKX.self, "BTC", "USDT", .linear, .future(expiry: december)),
            ("BTC-USD-SWAP", OKX.self, "BTC", "USD", .inverse, .perpetual),
            ("ETH-USDT-SWAP", OKX.self, "ETH", "USDT", .linear, .perpetual),
            ("BTC-USDT", OKX.self, "BTC", "USDT", .linear, .spot),
            (
                "BTC-29MAR24-70000-C-USDT", Bybit.self, "BTC", "USDT", .linear,
                .option(.call, strike: 7e4, expiry: march)
            ),
            (
                "XRP-29MAR24-0.55-P-USDC", Bybit.self, "XRP", "USDC", .linear,
                .option(.put, strike: 0.55, expiry: march)
            ),
            ("BTCUSDT", Bybit.self, "BTC", "USDT", .linear, .perpetual),
            ("BTCPERP", Bybit.self, "BTC", "USDC", .linear, .perpetual),
            ("BTCUSD", Bybit.self, "BTC", "USD", .inverse, .perpetual),
        ]
        for (name, exchange, base, quote, settlement, kind) in cases {
            #expect(
                try Instrument(name: name)
                    == Instrument(
                        name: name, base: base, quote: quote, settlement: settlement, kind: kind,
                        exchange: exchange), "\(name)")
        }
        // Deribit's name too: only a file that says so makes it Bybit's.
        #expect(try Instrument(name: "BTC-29MAR24-70000-C").settlement == .inverse)
        #expect(try Bybit.instrument(named: "BTC-29MAR24-70000-C").settlement == .linear)
    }

    @Test(
        "Contracts of an expiry share a series and know their perpetual",
        arguments: [
            ("BTC-27JUN25-60000-C", "BTC-27JUN25", "BTC-PERPETUAL"),
            ("XRP_USDC-27JUN25-1d25-P", "XRP_USDC-27JUN25", "XRP_USDC-PERPETUAL"),
            ("BTC-PERPETUAL", "BTC-PERPETUAL", "BTC-PERPETUAL"),
            ("ETH_USDC", "ETH_USDC", "ETH_USDC-PERPETUAL"),
            ("BTC-USD-251226-100000-C", "BTC-USD-251226", "BTC-USD-SWAP"),
            ("BTC-29MAR24-70000-C-USDT", "BTCUSDT-29MAR24", "BTCUSDT"),
            ("XRP-29MAR24-0.55-P-USDC", "XRP-29MAR24", "XRPPERP"),
        ])
    func series(_ name: String, _ series: String, _ perpetual: String) throws {
        let instrument = try Instrument(name: name)
        #expect(instrument.series == series)
        #expect(instrument.exchange.perpetual(of: instrument) == perpetual)
    }

    @Test("An exchange's other names are those under which its contracts' names mean the same")
    func aliases() {
        #expect(
            Market.Exchanges.named("OKEX-Swap") == OKX.self
                && Market.Exchanges.named("bybit-options") == Bybit.self)
        // There `BTCUSDT` is a pair, not the perpetual.
        #expect(Market.Exchanges.named("bybit-spot") == nil)
        let error = Self.error(
            "exchange,symbol,timestamp,underlying_price,mark_price,mark_iv\nbybit-spot,BTCUSDT,1756000000123,,65000,"
        )
        #expect(error == "chain:2: column \"exchange\": value \"bybit-spot\": is no exchange that is known")
    }

    @Test("Sizes that count contracts are not taken for coins")
    func okxSizes() throws {
        let ticker = try #require(
            Self.chain(
                """
                [{"instId": "BTC-USD-251226-100000-C", "markVol": "0.4337", "fwdPx": "112782.12", "ts": "1752000000000",
                  "bidPx": "0.15", "bidSz": "300", "askPx": "0.17", "askSz": "200"}]
                """
            ).tickers.first)
        #expect(
            ticker.bids == [OrderLevel(price: 0.15, amount: 0)]
                && ticker.asks == [OrderLevel(price: 0.17, amount: 0)])
    }

    @Test("Deribit's tick of options changes at a price as in its own list: from it on")
    func ticks() throws {
        let option = try Instrument(name: "BTC-27JUN25-60000-C")
        var badRows = BadRows(skip: false)
        let list = """
            [{"instrument_name": "BTC-27JUN25-60000-C", "min_trade_amount": 0.1, "contract_size": 1, "tick_size": 0.0001,
              "tick_size_steps": [{"above_price": 0.005, "tick_size": 0.0005}]}]
            """
        let facts = try #require(InstrumentList([Source(name: "l", text: list)], &badRows)[option])
        for price in [0.0049, 0.005, 0.0055] {
            #expect(Deribit.assumedTick(of: option, at: price) == facts.tick(at: price), "\(price)")
        }
    }

    @Test(
        "An option's series is that of its future",
        arguments: [
            ("BTC-27JUN25-60000-C", "BTC-27JUN25"), ("XRP_USDC-27JUN25-1d25-P", "XRP_USDC-27JUN25"),
            ("BTC-USD-251226-100000-C", "BTC-USD-251226"), ("BTC-29MAR24-70000-C-USDT", "BTCUSDT-29MAR24"),
            ("XRP-29MAR24-0.55-P-USDC", "XRP-29MAR24"),
        ])
    func seriesOfFuture(_ option: String, _ name: String) throws {
        let option = try Instrument(name: option)
        let future = try option.exchange.instrument(named: name)
        #expect(option.series == future.series && option.expiry == future.expiry)
        #expect(option.base == future.base && !future.isOption)
    }

    @Test("A name that one exchange refuses may be another's; else the first refusal that says why counts")
    func laterExchange() throws {
        // Deribit takes the first for a combination and misses its own decimal point in the second.
        let euros = try Instrument(name: "BTC-EUR-251226")
        let expiry = try Self.time(2025, 12, 26)
        #expect(
            euros.exchange == OKX.self && euros.quote == "EUR"
                && euros.expiry == expiry)
        let ripple = try Instrument(name: "XRP-29MAR24-0.55-P")
        #expect(ripple.exchange == Bybit.self && ripple.quote == "USDC")
        #expect(throws: InstrumentNameError.combination) { try Instrument(name: "BTC-FS-29MAR24_PERP") }
        #expect(throws: InstrumentNameError.invalidExpiry("27XXX24", example: "27JUN25")) {
            try Instrument(name: "BTC-27XXX24-70000-C")
        }
    }

    @Test("A vendor's capital decimal point is the exchange's small one")
    func capitalPoint() throws {
        let instrument = try Instrument(name: "XRP_USDC-26DEC25-4D6-C")
        #expect(instrument.name == "XRP_USDC-26DEC25-4d6-C")
        #expect(instrument == (try Instrument(name: "XRP_USDC-26DEC25-4d6-C")))
    }

    @Test("The averaging of OKX's delivery price takes an hour, from 18 March 2026 on half of one")
    func window() throws {
        for (name, minutes, share) in [
            ("BTC-USD-251226", 45.0, 0.75), ("BTC-USD-260327", 45, 1), ("BTC-USD-260327", 15, 0.5),
            ("BTC-27MAR26", 15, 0.5), ("BTC-27MAR26", 45, 1),
        ] {
            let future = try Instrument(name: name)
            let expiry = try #require(future.expiry)
            let now = Timestamp(milliseconds: expiry.milliseconds - Int64(minutes * 60_000))
            #expect(abs(SettlementWindow.remainingShare(at: now, of: future) - share) < 1e-15, "\(name)")
        }
    }

    /// Black's formula, to compare with.
    static func black(_ forward: Double, _ strike: Double, _ years: Double, _ volatility: Double)
        -> NaturalGreeks
    {
        func normal(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
        let deviation = volatility * years.squareRoot()
        let d1 = log(forward / strike) / deviation + deviation / 2
        let density = exp(-d1 * d1 / 2) / (2 * Double.pi).squareRoot()
        return NaturalGreeks(
            forward: forward, years: years, value: forward * normal(d1) - strike * normal(d1 - deviation),
            delta: normal(d1), gamma: density / (forward * deviation),
            vega: forward * density * years.squareRoot(),
            theta: -forward * density * volatility / (2 * years.squareRoot()),
            rho: strike * years * normal(d1 - deviation))
    }

    @Test("OKX's two sets of Greeks of BTC-USD-251226-100000-C on 9 July 2025 are those it published")
    func okxGreeks() {
        // Its volatility and time are not published with it: those that give its delta and rate.
        let greeks = OKXGreeks(Self.black(112_782.12, 100_000, 0.4646, 0.43372), spot: 109_513.5)
        let pairs: [(String, Double, Double)] = [
            ("deltaBS", greeks.dollars.delta, 0.71045), ("gammaBS", greeks.dollars.gamma, 1.0566e-5),
            ("vegaBS", greeks.dollars.vega, 255.23), ("thetaBS", greeks.dollars.theta, -42.78),
            ("delta", greeks.coin.delta, 0.53399), ("gamma", greeks.coin.gamma, 0.08914),
            ("vega", greeks.coin.vega, 0.0023306), ("theta", greeks.coin.theta, -2.978e-4),
        ]
        for (name, own, published) in pairs {
            #expect(abs(own / published - 1) < 1.5e-3, "\(name): \(own), published \(published)")
        }
    }

    @Test("OKX's coin Greeks are derivatives of the coin value by the spot price")
    func okxCoinGreeks() {
        let (spot, carry, strike, years) = (50_000.0, 1.02, 55_000.0, 0.3)
        func coinValue(_ spot: Double) -> Double {
            // Discounted to today's spot: V/S = V_forward/F.
            Self.black(spot * carry, strike, years, 0.6).value / (spot * carry)
        }
        let greeks = OKXGreeks(Self.black(spot * carry, strike, years, 0.6), spot: spot).coin
        let step = 5.0
        let (down, here, up) = (coinValue(spot - step), coinValue(spot), coinValue(spot + step))
        #expect(abs(greeks.delta - spot * (up - down) / (2 * step)) < 1e-6)
        #expect(abs(greeks.gamma - spot * spot * (up - 2 * here + down) / (step * step)) < 1e-4)
    }

    @Test("OKX's option summary is read with volatilities as fractions and numbers as texts")
    func okxSummary() throws {
        let chain = try Self.chain(
            """
            {"code": "0", "msg": "", "data": [{"instType": "OPTION", "instId": "BTC-USD-251226-100000-C", "uly": "BTC-USD",
             "delta": "0.53", "gamma": "0.08", "vega": "0.0023", "theta": "-0.0003", "deltaBS": "0.71039", "gammaBS": "0.00001",
             "vegaBS": "255.2", "thetaBS": "-42.8", "markVol": "0.4337", "fwdPx": "112782.12", "ts": "1752000000000"}]}
            """)
        let ticker = try #require(chain.tickers.first)
        #expect(ticker.instrument.exchange == OKX.self && ticker.markVolatility == 0.4337)
        #expect(ticker.underlyingPrice == 112_782.12 && ticker.published?.delta == 0.71039)
        #expect(ticker.published?.rho == nil && ticker.timestamp.milliseconds == 1_752_000_000_000)
        #expect(
            Self.error("{\"code\": \"51000\", \"msg\": \"Parameter error\", \"data\": []}").contains(
                "the exchange refused the request"))
    }

    @Test("Bybit's tickers take the time of their reply, and a name without an ending is settled in USDC")
    func bybitTickers() throws {
        let chain = try Self.chain(
            """
            {"retCode": 0, "retMsg": "OK", "time": 1711162433203, "result": {"category": "option", "list": [
             {"symbol": "BTC-27DEC24-55000-P", "bid1Price": "11700", "bid1Size": "2", "ask1Price": "11900", "ask1Size": "3",
              "markPrice": "11823.35972129", "indexPrice": "63783.9", "markIv": "0.8866", "underlyingPrice": "71652.59",
              "delta": "-0.23305856", "gamma": "0.00000551", "vega": "191.69986811", "theta": "-30.43549743"}]}}
            """)
        let ticker = try #require(chain.tickers.first)
        #expect(ticker.instrument.settlement == .linear && ticker.instrument.quote == "USDC")
        #expect(ticker.markVolatility == 0.8866 && ticker.timestamp.milliseconds == 1_711_162_433_203)
        #expect(ticker.bids == [OrderLevel(price: 11_700, amount: 2)] && chain.remarks.isEmpty)
    }

    @Test("Bybit's last day scales gamma and theta by the time that is left, and theta has no cap")
    func bybitLastDay() throws {
        let option = try Instrument(name: "BTC-29MAR24-70000-C-USDT")
        let natural = Self.black(60_000, 70_000, 0.5 / 365, 0.5)
        let figures = Bybit.published(natural, of: option).greeks
        #expect(figures.gamma == natural.gamma * 0.5 && abs(figures.theta - natural.theta / 730) < 1e-12)
        #expect(figures.theta < -natural.value)
        // Deribit's cap is the option's worth.
        let inverse = try Instrument(name: "BTC-29MAR24-70000-C")
        #expect(Deribit.published(natural, of: inverse).greeks.theta == -natural.value)
    }
}
