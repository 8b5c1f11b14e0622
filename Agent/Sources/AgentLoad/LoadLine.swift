import ExchangeServer
import TestExchange
import TestMarket
import VenueClient
import VenueProtocol

/// A living venue and a client of it in one thread, without a network, under a clock of their own.
final class LoadLine {
    static let start = 1_770_012_000_000
    static let perpetual = "BTC-PERPETUAL"

    let exchange: Exchange
    let service: VenueService
    let wire: Wire
    var core: VenueLinkCore { wire.core }
    private let market: Market
    private let clock = Wire.Clock(LoadLine.start)

    init() throws {
        exchange = Exchange(
            ExchangeConfiguration(
                start: Self.start, currencies: ["BTC", "ETH", "USDC"],
                indices: [
                    .init(name: "btc_usd", base: "BTC", price: 90_000),
                    .init(name: "eth_usd", base: "ETH", price: 3_000),
                    .init(name: "btc_usdc", base: "BTC", price: 90_000),
                ]))
        let account = exchange.openAccount(name: "alice", clientID: "alice", clientSecret: "secret")
        exchange.deposit(1_000 * Scales.money, currency: "BTC", to: account)
        var configuration = MarketConfiguration()
        configuration.step = 100
        configuration.takersPerMinute = 600
        market = try Market(
            exchange, Listing(underlyings: [.bitcoin, .ether, .linearBitcoin]), configuration)
        var venue = VenueConfiguration()
        venue.limits.isEnforced = false
        let clock = clock
        service = VenueService(
            exchange, venue, now: { clock.microseconds }, makeSecret: clock.secret)
        var link = VenueLinkConfiguration(
            address: .init(host: "", port: 0, tls: nil),
            credentials: Credentials(clientID: "alice", secret: "secret"))
        // Every contract of both currencies.
        link.followsBook = { _ in true }
        link.followsTicker = { _ in true }
        link.followsTrades = { _ in true }
        link.chainInterval = nil
        link.connection.orders = RateLimit(burst: 1 << 30, rate: 1 << 30)
        link.connection.requests = RateLimit(burst: 1 << 30, rate: 1 << 30)
        link.connection.buckets = []
        wire = Wire(VenueLinkCore(link, at: clock.microseconds, random: { 0.5 }), service, clock)
        var tries = 0
        while !core.isReady {
            pass()
            tries += 1
            guard tries < 600 else { throw VenueFault(.internalError) }
        }
        for _ in 0..<10 { pass() }
    }

    var now: Int { clock.microseconds }

    /// A tenth of a second at both ends.
    func pass() {
        clock.microseconds += 100_000
        market.run(to: exchange.time + 100)
        service.tick()
        core.tick(at: now)
        wire.carry()
    }

    /// Notifications of the market, with a snapshot of every book first, so that they can be taken again and again.
    func capture(_ count: Int) -> [[UInt8]] {
        wire.captured = []
        // Whoever missed events begins all books anew.
        core.setOverflowing(true, at: now)
        core.setOverflowing(false, at: now)
        wire.carry()
        while wire.captured?.count ?? 0 < count { pass() }
        defer { wire.captured = nil }
        return (wire.captured ?? []).filter { $0.starts(with: Self.notification) }
    }

    private static let notification = Array(#"{"jsonrpc":"2.0","method":"subscription""#.utf8)
}
