// A scenario margin kept live: what a tick and a candidate cost, and how often they allocate.
//
//     MarginScan MODEL
//
// MODEL is a scan of 33 scenarios, Examples/margin/derive-pmrm2-eth.json. 128 options of eight expiries are held, each
// with 16 more candidates; what a trade does to the requirement is said for each in turn.
import CAllocationCounter
import Glibc
import Poise
import Timing

guard CommandLine.arguments.count == 2 else {
    print("usage: MarginScan MODEL")
    exit(2)
}
let engine = try GreeksEngine()
let model = try MarginModel(try Source(path: CommandLine.arguments[1]))
guard case .scan(let scan) = model.rule else { fatalError("a scan") }

/// Options of eight expiries, calls and puts in turn.
func market(_ count: Int) -> MarginMarket {
    var market = MarginMarket()
    var underlying = MarginMarket.Underlying("ETH", spot: 3000)
    underlying.perpetual = MarginMarket.Perpetual(price: 3001)
    underlying.expiries = (0..<8).map {
        MarginMarket.Expiry("e\($0)", seconds: 86400 * pow(2.2, Double($0)), forward: 3000 + 4 * Double($0))
    }
    market.underlyings = [underlying]
    for number in 0..<count {
        var contract = MarginMarket.Contract("o\(number)", .option, underlying: 0, expiry: number % 8)
        contract.type = number & 8 == 0 ? .call : .put
        contract.strike = 2000 + 50 * Double(number / 8 % 41)
        contract.volatility = 0.5 + 0.01 * Double(number % 30)
        market.contracts.append(contract)
    }
    return market
}

func live(_ count: Int, held: Int) throws -> LiveMargin {
    let market = market(count)
    let positions = (0..<held).map {
        CrossMarginAccount.Position(contract: $0, quantity: Double(($0 * 37) % 41) - 20)
    }
    return try LiveMargin(
        scan, CrossMarginAccount(currency: "USD", cash: 1e6, positions, in: market), in: market, engine)
}

/// A book whose index goes up and down.
final class Desk {
    let margin: LiveMargin
    var price = 3000.0
    var checksum = 0.0

    init(_ margin: LiveMargin) { self.margin = margin }

    func tick() {
        price = price == 3000 ? 3003 : 3000
        try? margin.setSpot(price)
        margin.update()
        checksum += margin.figures.initialMargin
    }

    func candidates(_ count: Int) {
        for place in 0..<count { checksum += margin.margin(after: place, quantity: 1.5).initialMargin }
    }
}

let book = Desk(try live(128, held: 128))
let candidates = Desk(try live(2048, held: 128))
let large = Desk(try live(5000, held: 5000))
let before = allocation_count()
candidates.candidates(1000)
for _ in 0..<100 { book.tick() }
let allocations = allocation_count() - before
let seconds = interleavedProcessorMedians(
    rounds: 15, [{ book.tick() }, { candidates.candidates(2048) }, { large.tick() }])
let checksum = book.checksum + candidates.checksum + large.checksum
print("\(engine.instructionSet), one thread, processor time, medians of 15; \(scan.grid.count) scenarios")
print("scan of 128 options       \(seconds[0] * 1e6) µs")
print("one candidate of 2,048    \(seconds[1] / 2048 * 1e9) ns")
print("scan of 5,000 options     \(seconds[2] * 1e6) µs")
print("allocations               \(allocations) in 1,000 candidates and 100 ticks (checksum \(checksum))")
