import ExchangeServer
import TestExchange
import VenueProtocol

/// A venue without a network: what it sends is kept.
final class Venue {
    static let start = 1_770_012_000_000
    static let perpetual = "BTC-PERPETUAL"

    let exchange: Exchange
    let service: VenueService
    let clock = Clock()
    let maker: Int
    let taker: Int
    /// What lets the exchange's time go on to a time: a market, where there is one.
    lazy var advance: (Int) -> Void = { [exchange] in exchange.advance(to: $0) }

    final class Clock {
        var microseconds = Venue.start * 1_000
        var secrets = 0
    }

    final class Client {
        let session: Session
        let inbox: Inbox
        private var requests = 0
        private let service: VenueService

        final class Inbox {
            var messages: [[UInt8]] = []
            var isClosed = false
        }

        init(_ service: VenueService) {
            self.service = service
            let inbox = Inbox()
            self.inbox = inbox
            session = service.connect(
                send: { inbox.messages.append($0) }, close: { _ in inbox.isClosed = true })
        }

        /// Sends a request and reads its reply.
        @discardableResult
        func call(_ method: String, _ parameters: String = "{}") throws -> Reply<JSONValue> {
            requests += 1
            service.receive(
                Array(
                    #"{"jsonrpc":"2.0","id":\#(requests),"method":"\#(method)","params":\#(parameters)}"#.utf8
                ),
                from: session)
            for message in inbox.messages.reversed() {
                if case .reply(let reply) = try VenueMessage(message), reply.id.value == .number(requests) {
                    return reply
                }
            }
            throw VenueFault(.internalError)
        }

        func result<Result: VenueValue>(
            _ method: String, _ parameters: String = "{}", as type: Result.Type = Result.self
        ) throws -> Result {
            let reply = try call(method, parameters)
            if let fault = reply.fault { throw fault }
            return try Result(reply.result ?? .null)
        }

        /// What a channel said since this was asked last.
        func take(_ channel: String) throws -> [JSONValue] {
            var result: [JSONValue] = []
            for message in inbox.messages {
                if case .notification(channel, let content) = try VenueMessage(message) {
                    result.append(content)
                }
            }
            return result
        }

        func authenticate(_ name: String = "alice") throws {
            let id = name
            try call(
                "public/auth",
                #"{"grant_type":"client_credentials","client_id":"\#(id)","client_secret":"secret of \#(id)"}"#
            )
        }
    }

    init(_ configuration: VenueConfiguration = VenueConfiguration()) {
        exchange = Exchange(
            ExchangeConfiguration(
                start: Venue.start, currencies: ["BTC", "ETH", "USDC"],
                indices: [
                    .init(name: "btc_usd", base: "BTC", price: 90_000),
                    .init(name: "eth_usd", base: "ETH", price: 3_000),
                ]))
        Listing(underlyings: [.bitcoin, .ether]).list(on: exchange)
        for contract in exchange.liveContracts {
            var option = OptionMark()
            option.volatility = 0.6
            option.underlyingPrice = 90_000
            let isOption = exchange.instrument(contract).kind == .option
            let price = exchange.index(of: contract) == 0 ? 90_000.0 : 3_000
            exchange.setMark(contract, price: isOption ? 0.02 : price, option: isOption ? option : nil)
        }
        for name in ["alice", "bob"] {
            let account = exchange.openAccount(name: name, clientID: name, clientSecret: "secret of \(name)")
            exchange.deposit(100 * Scales.money, currency: "BTC", to: account)
            exchange.deposit(100 * Scales.money, currency: "ETH", to: account)
        }
        maker = exchange.openAccount(name: "maker", clientID: "", clientSecret: "", isHouse: true)
        taker = exchange.openAccount(name: "taker", clientID: "", clientSecret: "", isHouse: true)
        let clock = clock
        service = VenueService(
            exchange, configuration, now: { clock.microseconds },
            makeSecret: {
                clock.secrets += 1
                return "token-\(clock.secrets)"
            }, sign: venueSignature)
        if let contract = exchange.contract(named: Venue.perpetual) {
            exchange.quote(
                contract, account: maker, .buy,
                [(899_995_000, 10_000 * Scales.units), (899_990_000, 20_000 * Scales.units)])
            exchange.quote(
                contract, account: maker, .sell,
                [(900_005_000, 10_000 * Scales.units), (900_010_000, 20_000 * Scales.units)])
        }
        _ = exchange.takeEvents()
    }

    func connect(as name: String? = nil) throws -> Client {
        let client = Client(service)
        if let name { try client.authenticate(name) }
        return client
    }

    /// Time of the wall and of the exchange goes on, tick by tick.
    func pass(seconds: Double) {
        for _ in 0..<Int(seconds * 10) {
            clock.microseconds += 100_000
            advance(exchange.time + 100)
            service.tick()
        }
    }
}
