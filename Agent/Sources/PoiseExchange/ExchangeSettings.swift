import ExchangeServer
import Foundation
import HTTPService
import TestExchange
import TestMarket
import VenueProtocol

/// What `--config` says; each key may be left out.
struct ExchangeSettings: Sendable {
    struct Account: VenueRecord {
        var name = ""
        var clientID = ""
        var clientSecret = ""
        /// Deposits by currency.
        var deposits = NamedValues<Double>([("BTC", 100), ("ETH", 1_000), ("USDC", 1_000_000)])

        /// Coins of each of eight options near the money that it has at the start; negative is short.
        var options: NamedValues<Double>?

        init() {}
        init(_ name: String) {
            self.name = name
            clientID = name
            clientSecret = "secret-of-\(name)"
        }

        mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("name", &name)
            try fields.field("client_id", &clientID)
            try fields.field("client_secret", &clientSecret)
            var some: NamedValues<Double>? = deposits
            try fields.field("deposits", &some)
            deposits = some ?? deposits
            try fields.field("options", &options)
        }
    }

    private struct File: VenueRecord {
        var accounts: [Account]?
        var prices: NamedValues<Double>?
        var seed: Int?
        var speed: Double?
        var port: Int?
        var volatility: Double?
        var takersPerMinute: Double?
        var start: Int?
        var isLenient: Bool?
        var enforcesLimits: Bool?
        var requiresFreshNonces: Bool?
        var tokenSeconds: Int?
        var strikesPerSide: Int?
        var faults: [JSONValue]?
        var controlPort: Int?

        mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("accounts", &accounts)
            try fields.field("prices", &prices)
            try fields.field("seed", &seed)
            try fields.field("speed", &speed)
            try fields.field("port", &port)
            try fields.field("volatility", &volatility)
            try fields.field("takers_per_minute", &takersPerMinute)
            try fields.field("start", &start)
            try fields.field("lenient", &isLenient)
            try fields.field("enforce_limits", &enforcesLimits)
            try fields.field("fresh_nonces", &requiresFreshNonces)
            try fields.field("token_seconds", &tokenSeconds)
            try fields.field("strikes_per_side", &strikesPerSide)
            try fields.field("faults", &faults)
            try fields.field("control_port", &controlPort)
        }

        static let keys: Set<String> = [
            "accounts", "prices", "seed", "speed", "port", "volatility", "takers_per_minute", "start",
            "lenient", "enforce_limits", "fresh_nonces", "token_seconds", "strikes_per_side", "faults",
            "control_port",
        ]
    }

    var accounts = [Account("alice"), Account("bob")]
    /// Of the indices at the start, in dollars.
    var prices: [(name: String, base: String, price: Double)] = [
        ("btc_usd", "BTC", 90_000), ("eth_usd", "ETH", 3_000), ("btc_usdc", "BTC", 90_000),
    ]
    var speed = 1.0
    var port = 8080
    /// Milliseconds since 1970; nil is now.
    var start: Int?
    var market = MarketConfiguration()
    var venue = VenueConfiguration()
    var strikesPerSide = 8
    /// What goes wrong from the start on.
    var faults: [FaultRule] = []
    var controlPort = 0

    init() {}

    /// - Throws: for a file that cannot be read, is neither JSON nor TOML, or has a key that there is not.
    init(path: String) throws {
        let tape = try JSONTape(try settings(path: path))
        for member in tape.root.members ?? [] where !File.keys.contains(member.key) {
            throw VenueProtocolError.unexpected(
                path: member.key, expected: "a known setting", found: member.key)
        }
        let file = try File(tape.root)
        accounts = file.accounts ?? accounts
        for (name, price) in file.prices?.values ?? [] {
            guard let place = prices.firstIndex(where: { $0.name == name }), price > 0, price < 1e9 else {
                throw VenueProtocolError.unexpected(
                    path: "prices", expected: "prices of indices", found: name)
            }
            prices[place].price = price
        }
        if let seed = file.seed { market.seed = UInt64(bitPattern: Int64(seed)) }
        speed = file.speed ?? speed
        port = file.port ?? port
        market.volatility = file.volatility ?? market.volatility
        market.takersPerMinute = file.takersPerMinute ?? market.takersPerMinute
        start = file.start
        venue.isLenient = file.isLenient ?? venue.isLenient
        venue.limits.isEnforced = file.enforcesLimits ?? venue.limits.isEnforced
        venue.requiresFreshNonces = file.requiresFreshNonces ?? venue.requiresFreshNonces
        venue.tokenSeconds = file.tokenSeconds ?? venue.tokenSeconds
        strikesPerSide = file.strikesPerSide ?? strikesPerSide
        controlPort = file.controlPort ?? controlPort
        for (place, json) in (file.faults ?? []).enumerated() {
            do { faults.append(try FaultRule(checked: json)) } catch {
                throw VenueProtocolError.unexpected(
                    path: "faults[\(place)]", expected: "a fault", found: "\(error)")
            }
        }
    }

    private static func microseconds() -> Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1_000
    }

    /// Exchange, market and service; called by the thread that will own them.
    /// - Parameter path: of a file to which what happens is written; nil for none.
    func contents(recordingTo path: String?) throws -> ExchangeServer.Contents {
        let file = try path.map { try RunFile(path: $0) }
        let recording = file.map { file in
            VenueRecording(clock: Self.microseconds, makeSecret: secretToken) { file.write($0) }
        }
        let begin = start ?? Self.microseconds() / 1_000
        recording?.line(RunFile.header(self, begin: begin))
        let (service, market) = try makeVenue(
            begin: begin, now: recording?.now ?? Self.microseconds,
            makeSecret: recording?.secret ?? secretToken)
        service.recording = recording
        let pace = VenuePace(
            service, speed: speed, step: market.configuration.step, clock: Self.microseconds
        ) { market.run(to: $0) }
        return ExchangeServer.Contents(service: service) {
            pace.advance()
            file?.flush()
        }
    }

    /// The venue without anything that drives it.
    func makeVenue(begin: Int, now: @escaping () -> Int, makeSecret: @escaping () -> String) throws -> (
        VenueService, Market
    ) {
        let exchange = Exchange(
            ExchangeConfiguration(
                start: begin, currencies: ["BTC", "ETH", "USDC"],
                indices: prices.map { .init(name: $0.name, base: $0.base, price: $0.price) }))
        var opened: [Int] = []
        for settings in accounts {
            let account = exchange.openAccount(
                name: settings.name, clientID: settings.clientID, clientSecret: settings.clientSecret)
            opened.append(account)
            for (currency, amount) in settings.deposits.values {
                exchange.deposit(Scales.money(amount) ?? 0, currency: currency, to: account)
            }
        }
        var underlyings: [Listing.Underlying] = [.bitcoin, .ether, .linearBitcoin]
        for place in underlyings.indices { underlyings[place].strikesPerSide = strikesPerSide }
        var configuration = market
        // Four steps a second of the wall's clock.
        configuration.step = max(1, Int((250 * speed).rounded()))
        let market = try Market(exchange, Listing(underlyings: underlyings), configuration)
        for (number, settings) in accounts.enumerated() {
            for (index, coins) in settings.options?.values ?? [] {
                guard let price = prices.first(where: { $0.name == index })?.price else {
                    throw VenueProtocolError.unexpected(
                        path: "accounts[\(number)].options", expected: "an index", found: index)
                }
                exchange.openBook(ofOptions: coins, account: opened[number], index: index, price: price)
            }
        }
        let service = VenueService(
            exchange, venue, now: now, makeSecret: makeSecret, faults: FaultPlan(seed: self.market.seed))
        for rule in faults { service.faults.add(rule, at: begin) }
        return (service, market)
    }
}
