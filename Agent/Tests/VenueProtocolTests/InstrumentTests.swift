import Testing
import VenueProtocol

struct InstrumentTests {
    @Test("Names are taken apart: decimals, combinations, days without a zero")
    func names() {
        #expect(InstrumentName("BTC-PERPETUAL")?.contract == .perpetual)
        #expect(InstrumentName("ETH_USDC-PERPETUAL")?.quote == "USDC")
        // 3 January 2026, 08:00 UTC.
        #expect(InstrumentName("BTC-3JAN26")?.contract == .future(expiry: 1_767_427_200_000))
        #expect(
            InstrumentName("BTC-27MAR26-60000-C")?.contract
                == .option(expiry: 1_774_598_400_000, strike: 60_000, type: .call))
        #expect(
            InstrumentName("XRP_USDC-30JUN23-1d02-P")?.contract
                == .option(expiry: 1_688_112_000_000, strike: 1.02, type: .put))
        #expect(InstrumentName("BTC_USDC")?.contract == .spot)
        #expect(
            InstrumentName("BTC-CS-19MAY26-70000_75000")?.contract
                == .combination(code: "CS", legs: "19MAY26-70000_75000"))
        #expect(
            InstrumentName("BTC-FS-29MAY26_PERP")?.contract == .combination(code: "FS", legs: "29MAY26_PERP"))
    }

    @Test(
        "What is no name is none",
        arguments: [
            "", "BTC", "-", "BTC-", "BTC-03JAN26", "BTC-31FEB26", "BTC-3XXX26", "BTC-3JAN26-60000",
            "BTC-3JAN26-0-C",
            "BTC-3JAN26-60000-X", "BTC-3JAN26--C", "BTC-3JAN26-1d-C", "BTC-3JAN26-1d0d2-C", "btc-PERPETUAL",
            "A_B_C-PERPETUAL", "BTC-3JAN26-6e4-C",
        ])
    func noNames(text: String) { #expect(InstrumentName(text) == nil) }

    @Test("Every day of a century has a code that leads back to it")
    func dates() {
        for day in 0..<36_525 {
            let time =
                VenueTime.daysSince1970(year: 2000, month: 1, day: 1) * VenueTime.day + day * VenueTime.day
            let expiry = time + VenueTime.settlementHour
            #expect(VenueTime.expiry(VenueTime.code(expiry: expiry)) == expiry)
        }
        // 2026-11-27 was a Friday.
        #expect(VenueTime.weekday(1_795_766_400_000) == 4)
    }

    @Test("Settlement is the next 08:00 UTC, and never now")
    func settlement() {
        let expiry = 1_767_427_200_000
        #expect(VenueTime.nextSettlement(after: expiry - 1) == expiry)
        #expect(VenueTime.nextSettlement(after: expiry) == expiry + VenueTime.day)
    }

    private static func option() -> Instrument {
        var option = Instrument()
        option.kind = .option
        option.type = .reversed
        option.tickSize = 0.0001
        option.tickSizeSteps = [.init(abovePrice: 0.005, tickSize: 0.0005)]
        option.contractSize = 1
        option.minimumTradeAmount = MessageAmount(0.1)
        return option
    }

    @Test("The step of ticks is that of the price: at the edge still the finer one")
    func ticks() {
        let option = Self.option()
        #expect(option.tickSize(at: 0.005) == 0.0001)
        #expect(option.tickSize(at: 0.0051) == 0.0005)
        #expect(option.isOnTick(0.0049))
        #expect(!option.isOnTick(0.0051))
        #expect(option.priceOnTick(0.01234, .buy) == 0.012)
        #expect(option.priceOnTick(0.01234, .sell) == 0.0125)
        #expect(option.priceOnTick(0.0123, .buy) == 0.012)
        #expect(!option.isOnTick(.nan))
    }

    @Test("An amount counts dollars for inverse futures and coins for options and linear contracts")
    func units() {
        var perpetual = Instrument()
        perpetual.type = .reversed
        perpetual.contractSize = 10
        perpetual.minimumTradeAmount = MessageAmount(10)
        let amount = MessageAmount(90_000)
        #expect(perpetual.size(of: amount) == .quote(QuoteAmount(90_000)))
        #expect(perpetual.contracts(of: amount) == ContractCount(9_000))
        #expect(perpetual.coins(of: amount, at: 90_000) == CoinAmount(1))
        #expect(!perpetual.isWholeAmount(MessageAmount(15)))
        perpetual.type = .linear
        #expect(perpetual.size(of: amount) == .coin(CoinAmount(90_000)))
        let option = Self.option()
        #expect(option.size(of: MessageAmount(0.3)) == .coin(CoinAmount(0.3)))
        #expect(option.isWholeAmount(MessageAmount(0.3)))
        #expect(!option.isWholeAmount(MessageAmount(0.05)))
        #expect(!option.isWholeAmount(MessageAmount(0.15)))
    }
}
