import ArgumentParser
import Desk
import ExchangeServer
import Foundation
import HTTPService
import Journal
import Live
import Rehearsal
import TestExchange
import TestMarket
import VenueClient
import VenueProtocol

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "A test exchange and an agent on it, over real sockets, with the agent's page in a browser."
    )

    @OptionGroup var options: SessionOptions

    @Option(help: "How many seconds of the market go by in one.")
    var speed: Double = 10

    @OptionGroup var ending: EndingOption

    @Option(help: "The page's port; 0 is any that is free.")
    var port = 0

    @Flag(help: "Print figures alone, not what is decided and done.")
    var quiet = false

    func run() async throws {
        guard speed >= 0.1, speed <= 100 else { throw ValidationError("--speed: from 0.1 to 100") }
        guard (0...65_535).contains(port) else { throw ValidationError("--port: from 0 to 65535") }
        let exchange = try await DemoExchange.start(
            seed: options.seed, speed: speed, position: options.position)
        var settings = AgentConfiguration()
        settings.venue.url = "ws://127.0.0.1:\(exchange.server.port)/ws/api/v2"
        settings.venue.clockSpeed = speed
        settings.venue.reviewSeconds = 5
        settings.control.port = port
        settings.desk = try options.desk()
        settings.journal.file = try options.newJournal()
        var process = AgentProcess.Options()
        process.mode = options.dryRun ? .dry : .live
        process.version = agentVersion
        process.credentials = Credentials(clientID: DemoExchange.client, secret: DemoExchange.secret)
        let isQuiet = quiet
        process.said = { report in
            if !isQuiet, report.kind != .order { Terminal.say(Terminal.report(report)) }
        }
        let agent = try await AgentProcess.start(settings, process)
        Terminal.say(
            """
            page       \(agent.page ?? "")
            venue      \(settings.venue.url), \(speed) times as fast as the wall's clock
            journal    \(settings.journal.file)
            Ctrl-C ends both, with no order left

            """)
        let ticker = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(isQuiet ? 1 : 5))
                Terminal.say(Terminal.figures(try await agent.view()))
            }
        }
        let ended: AgentProcess.Ending
        do { ended = try await AgentSession(agent, seconds: ending.seconds).wait() } catch {
            ticker.cancel()
            try await exchange.server.stop()
            throw error
        }
        ticker.cancel()
        Terminal.say(Terminal.figures(ended.view))
        try await exchange.server.stop()
        try AgentSession.report(ended)
    }
}

/// The test exchange of a demonstration, in this process and on the loopback address.
struct DemoExchange {
    static let client = "demo"
    static let secret = "secret-of-demo"

    let server: ExchangeServer

    static func start(seed: UInt64, speed: Double, position: Double) async throws -> DemoExchange {
        let server = try await ExchangeServer.start(.init()) {
            try contents(seed: seed, speed: speed, position: position)
        }
        return DemoExchange(server: server)
    }

    private static func microseconds() -> Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1_000
    }

    private static func contents(
        seed: UInt64, speed: Double, position: Double
    ) throws -> ExchangeServer.Contents {
        let price = 90_000.0
        let begin = microseconds() / 1_000
        let exchange = Exchange(
            ExchangeConfiguration(
                start: begin, currencies: ["BTC", "ETH", "USDC"],
                indices: [.init(name: "btc_usd", base: "BTC", price: price)]))
        let account = exchange.openAccount(name: client, clientID: client, clientSecret: secret)
        exchange.deposit(Scales.money(100) ?? 0, currency: "BTC", to: account)
        var listing = Listing(underlyings: [.bitcoin])
        listing.underlyings[0].strikesPerSide = 4
        (listing.days, listing.weeks, listing.months, listing.quarters) = (1, 1, 1, 0)
        var living = MarketConfiguration()
        (living.seed, living.step) = (seed, max(1, Int((250 * speed).rounded())))
        living.volatility = 0.55
        let market = try Market(exchange, listing, living)
        exchange.openBook(ofOptions: position, account: account, index: "btc_usd", price: price)
        let service = VenueService(
            exchange, VenueConfiguration(), now: microseconds, makeSecret: secretToken,
            faults: FaultPlan(seed: seed))
        let pace = VenuePace(service, speed: speed, step: living.step, clock: microseconds) {
            market.run(to: $0)
        }
        return ExchangeServer.Contents(service: service) { pace.advance() }
    }
}
