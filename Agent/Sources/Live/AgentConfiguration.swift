import Desk
import VenueClient
import VenueProtocol

/// What `poise-agent run` is told: where the venue is, what is kept, who may look, and the desk's own settings beside them.
public struct AgentConfiguration: VenueRecord {
    public var venue = VenueSettings()
    public var journal = JournalSettings()
    public var control = ControlSettings()
    public var paper: PaperSettings?
    public var desk = DeskConfiguration()

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("venue", &venue)
        try fields.field("journal", &journal)
        try fields.setting("control", &control)
        try fields.field("paper", &paper)
        try desk.visit(&fields)
    }
}

/// `[venue]`: never a secret, which comes from the environment or from a file that only its owner can read.
public struct VenueSettings: VenueRecord, Equatable {
    public var url = ""
    public var credentialsFile: String?
    /// In which contracts are settled; of what the limits name where it is left out.
    public var currencies: [String]?
    public var indices: [String]?
    public var interval = ChannelInterval.hundredMilliseconds
    public var heartbeatSeconds = 10
    /// How many times faster than the wall's the venue's clock goes: of a test exchange.
    public var clockSpeed = 1.0
    public var reviewSeconds = 30.0

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("url", &url)
        try fields.field("credentials_file", &credentialsFile)
        try fields.field("currencies", &currencies)
        try fields.field("indices", &indices)
        try fields.setting("interval", &interval)
        try fields.setting("heartbeat_seconds", &heartbeatSeconds)
        try fields.setting("clock_speed", &clockSpeed)
        try fields.setting("review_seconds", &reviewSeconds)
    }
}

/// `[journal]`.
public struct JournalSettings: VenueRecord, Equatable {
    public var file = ""
    public var snapshotMinutes = 10.0
    /// How many snapshots, with the records since, are kept.
    public var keepSnapshots = 144

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("file", &file)
        try fields.setting("snapshot_minutes", &snapshotMinutes)
        try fields.setting("keep_snapshots", &keepSnapshots)
    }
}

/// `[control]`: the page, metrics and commands, on the loopback address alone.
public struct ControlSettings: VenueRecord, Equatable {
    public var isEnabled = true
    /// 0 is any that is free.
    public var port = 0

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.setting("enabled", &isEnabled)
        try fields.setting("port", &port)
    }
}

/// `[paper]`: what an account that is not there has.
public struct PaperSettings: VenueRecord {
    public var deposits = NamedValues<Double>()

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("deposits", &deposits)
    }
}

// MARK: Checks

extension AgentConfiguration {
    /// - Throws: `ConfigurationError` with the key.
    public func check() throws {
        func require(_ condition: Bool, _ key: String, _ reason: String) throws {
            guard condition else { throw ConfigurationError(key, reason) }
        }
        try require(address != nil, "venue.url", "ws:// or wss:// with a host is wanted: \(venue.url)")
        try require(
            venue.clockSpeed >= 0.01 && venue.clockSpeed <= 10_000, "venue.clock_speed",
            "from 0.01 to 10000: \(venue.clockSpeed)")
        try require(
            (10...600).contains(venue.heartbeatSeconds), "venue.heartbeat_seconds",
            "from 10 to 600: \(venue.heartbeatSeconds)")
        try require(
            venue.reviewSeconds >= 1 && venue.reviewSeconds <= 3_600, "venue.review_seconds",
            "from 1 to 3600: \(venue.reviewSeconds)")
        for (key, list) in [("currencies", venue.currencies), ("indices", venue.indices)] {
            try require(list.map { !$0.isEmpty } ?? true, "venue.\(key)", "is empty")
        }
        try require(!journal.file.isEmpty, "journal.file", "is empty")
        try require(
            journal.snapshotMinutes >= 0.1 && journal.snapshotMinutes <= 1_440, "journal.snapshot_minutes",
            "from 0.1 to 1440: \(journal.snapshotMinutes)")
        try require(
            (1...1_000_000).contains(journal.keepSnapshots), "journal.keep_snapshots",
            "from 1 to 1000000: \(journal.keepSnapshots)")
        try require(
            (0...65_535).contains(control.port), "control.port", "from 0 to 65535: \(control.port)")
        for (currency, amount) in paper?.deposits.values ?? [] {
            try require(
                amount >= 0 && amount < 1e12, "paper.deposits.\(currency)", "from 0 to 1e12: \(amount)")
        }
        try desk.check()
    }

    public var address: VenueSocket.Address? { VenueSocket.Address(url: venue.url) }

    /// Coins that limits are about, in their order.
    public var underlyings: [String] {
        desk.limits.reduce(into: []) { list, limit in
            if !list.contains(limit.underlying) { list.append(limit.underlying) }
        }
    }

    /// In which the contracts that may be traded are settled.
    public var currencies: [String] {
        venue.currencies ?? (underlyings + (desk.candidates.linear ? ["USDC"] : []))
    }

    public var indices: [String] {
        venue.indices
            ?? underlyings.flatMap { underlying in
                let coin = underlying.lowercased()
                return ["\(coin)_usd"] + (desk.candidates.linear ? ["\(coin)_usdc"] : [])
            }
    }

    /// The desk's settings by the venue's clock: deadlines and ages are meant by the wall's.
    public var deskByVenueClock: DeskConfiguration {
        guard venue.clockSpeed > 1 else { return desk }
        var desk = desk
        func stretch(_ value: inout Int) { value = Int((Double(value) * venue.clockSpeed).rounded()) }
        stretch(&desk.execution.orderLife)
        stretch(&desk.execution.answerDeadline)
        stretch(&desk.execution.retry)
        stretch(&desk.execution.rest)
        stretch(&desk.execution.decisionInterval)
        stretch(&desk.guards.tickerAge)
        stretch(&desk.guards.bookAge)
        stretch(&desk.guards.indexAge)
        stretch(&desk.guards.accountAge)
        stretch(&desk.guards.positionsAge)
        return desk
    }
}

extension AgentConfiguration {
    /// The link that an agent's desk stands on.
    /// - Parameters:
    ///   - credentials: nil for the market alone.
    ///   - since: as `LiveDesk.tradesSince`.
    public func link(_ credentials: Credentials?, tradesSince since: [String: Int]) -> VenueLinkConfiguration
    {
        var settings = VenueLinkConfiguration(
            address: address ?? .init(host: "", port: 0, tls: nil), credentials: credentials)
        (settings.currencies, settings.indices, settings.interval) = (currencies, indices, venue.interval)
        // What the desk wants is followed as it comes to want it.
        settings.followsBook = { _ in false }
        settings.followsTicker = { _ in false }
        settings.chainInterval = nil
        settings.tickInterval = 250_000
        settings.tradesSince = since
        // The desk says itself until when an order may be taken.
        settings.orderLife = nil
        settings.reviewInterval = Int(venue.reviewSeconds * 1e6)
        settings.connection.heartbeat = venue.heartbeatSeconds
        settings.connection.cancelsOnDisconnect = true
        settings.connection.clockInterval = 20_000_000
        return settings
    }
}
