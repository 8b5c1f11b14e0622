import ExchangeServer
import TestExchange
import VenueProtocol

/// One book and three accounts that place, take and cancel at random: the same orders every time.
final class MatchingFloor {
    private(set) var trades = 0
    private(set) var refused = 0
    private let exchange: Exchange
    private let service: VenueService
    private var random = SplitMix(seed: 7)
    private var sessions: [Session] = []
    private var accounts: [Int] = []
    /// Orders that may be open, oldest first, with their account.
    private var open: [(id: Int, account: Int)] = []

    init() throws {
        exchange = Exchange(
            ExchangeConfiguration(
                start: LoadLine.start, currencies: ["BTC"],
                indices: [.init(name: "btc_usd", base: "BTC", price: 90_000)]))
        Listing(underlyings: [.bitcoin]).list(on: exchange)
        guard let contract = exchange.contract(named: LoadLine.perpetual) else {
            throw VenueFault(.invalidInstrument)
        }
        exchange.setMark(contract, price: 90_000)
        var venue = VenueConfiguration()
        venue.limits.isEnforced = false
        var clock = LoadLine.start * 1_000
        service = VenueService(
            exchange, venue,
            now: {
                clock += 1
                return clock
            }, makeSecret: { "token" })
        for name in ["alice", "bob", "carol"] {
            let account = exchange.openAccount(name: name, clientID: name, clientSecret: name)
            exchange.deposit(100_000 * Scales.money, currency: "BTC", to: account)
            accounts.append(account)
            let session = service.connect(send: { _ in }, close: { _ in })
            service.receive(
                Array(
                    #"{"jsonrpc":"2.0","id":1,"method":"public/auth","params":{"grant_type":"client_credentials","client_id":"\#(name)","client_secret":"\#(name)"}}"#
                        .utf8), from: session)
            sessions.append(session)
        }
    }

    func run(_ count: Int, overProtocol: Bool) throws {
        for number in 0..<count {
            let who = number % accounts.count
            // A sixth of what happens are cancels of what has rested for a while.
            if open.count > 600, random.uniform() < 0.5 {
                let (id, account) = open.removeFirst()
                _ = try? exchange.cancel(id, account: account)
            }
            let side: Direction = random.next() & 1 == 0 ? .buy : .sell
            // Half a tick up to forty from the middle, a third of them beyond it.
            let ticks = Int(random.uniform() * 60) - 20
            let price = 90_000 - Double(side.sign * ticks) * 0.5
            let amount = Double(10 * (1 + Int(random.uniform() * 20)))
            if overProtocol {
                let method = side == .buy ? "private/buy" : "private/sell"
                service.receive(
                    Array(
                        #"{"jsonrpc":"2.0","id":\#(number),"method":"\#(method)","params":{"instrument_name":"BTC-PERPETUAL","amount":\#(amount),"price":\#(price),"label":"\#(number)"}}"#
                            .utf8), from: sessions[who])
                if number % 600 < accounts.count {
                    service.receive(
                        Array(
                            #"{"jsonrpc":"2.0","id":\#(number),"method":"private/cancel_all","params":{}}"#
                                .utf8
                        ), from: sessions[who])
                }
                continue
            }
            do {
                let (order, made) = try exchange.place(
                    OrderRequest(
                        side, LoadLine.perpetual, amount: MessageAmount(amount), price: price),
                    account: accounts[who])
                trades += made.count
                if order.state == .open { open.append((order.id, accounts[who])) }
                if number % 64 == 0 { _ = exchange.takeEvents() }
            } catch { refused += 1 }
        }
        if overProtocol { trades = accounts.reduce(0) { $0 + exchange.trades(of: $1).count } / 2 }
    }
}
