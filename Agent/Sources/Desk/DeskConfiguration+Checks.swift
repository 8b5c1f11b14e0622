import Poise
import VenueProtocol

/// What is wrong with a configuration.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    public let key: String
    public let reason: String

    public init(_ key: String, _ reason: String) { (self.key, self.reason) = (key, reason) }
    public var description: String { "\(key): \(reason)" }
}

extension DeskConfiguration {
    /// Reads a configuration. A key that there is not is an error: a misspelt setting must not be a silent default.
    /// - Throws: `VenueProtocolError` for what cannot be read, `ConfigurationError` for what cannot be.
    public init(checking json: JSONValue) throws {
        try KeyCheck.check(Self(), json)
        try self.init(json)
        try check()
    }

    /// - Throws: `ConfigurationError`.
    public func check() throws {
        func require(_ condition: Bool, _ key: String, _ reason: String) throws {
            guard condition else { throw ConfigurationError(key, reason) }
        }
        let isWord = name.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0 | 32) }
        try require((1...24).contains(name.utf8.count) && isWord, "name", "1 to 24 letters and digits")
        try require(!books.isEmpty, "books", "at least one")
        for (place, book) in books.enumerated() {
            try require(!book.name.isEmpty, "books[\(place)].name", "is empty")
            let isNew = !books[..<place].contains { $0.name == book.name }
            try require(isNew, "books[\(place)].name", "\(book.name) stands twice")
            for (row, position) in (book.positions ?? []).enumerated() {
                let key = "books[\(place)].positions[\(row)]"
                try require(InstrumentName(position.instrumentName) != nil, key, "no instrument's name")
                try require(Quantity(position.amount) != nil, key, "no amount")
            }
        }
        try require(!limits.isEmpty, "limits", "at least one")
        for (place, limit) in limits.enumerated() {
            try check(limit, "limits[\(place)]")
            let isNew = !limits[..<place].contains {
                $0.book == limit.book && $0.underlying == limit.underlying && $0.greek == limit.greek
            }
            try require(isNew, "limits[\(place)]", "there is a limit for the same exposure")
        }
        try require(candidates.optionExpiries >= 0, "candidates.option_expiries", "is below 0")
        try require(candidates.optionStrikes >= 1, "candidates.option_strikes", "is below 1")
        for (key, value) in [
            ("cross_after_ms", execution.crossAfter), ("decision_interval_ms", execution.decisionInterval),
            ("rest_ms", execution.rest), ("order_life_ms", execution.orderLife),
            ("answer_deadline_ms", execution.answerDeadline), ("retry_ms", execution.retry),
        ] {
            try require((1...3_600_000).contains(value), "execution.\(key)", "from 1 to 3600000")
        }
        try require(
            execution.answerDeadline > execution.orderLife, "execution.answer_deadline_ms",
            "must be above order_life_ms: an order that may still arrive is not to be given up")
        try require(
            surfaceSeconds >= 0.1 && surfaceSeconds <= 3_600, "surface_seconds", "from 0.1 to 3600")
        try checkGuards(require)
    }

    private func checkGuards(_ require: (Bool, String, String) throws -> Void) throws {
        let positive: [(String, Double?)] = [
            ("future_amount", guards.futureAmount), ("option_amount", guards.optionAmount),
            ("order_notional_usd", guards.orderNotional), ("collar_share", guards.collarShare),
            ("collar_points", guards.collarPoints), ("collar_ticks", guards.collarTicks),
            ("touch_share", guards.touchShare), ("touch_ticks", guards.touchTicks),
            ("repeated_seconds", guards.repeatedSeconds), ("delta_usd", guards.delta),
            ("gamma_usd_per_percent", guards.gamma), ("vega_usd_per_point", guards.vega),
            ("position_usd", guards.position), ("future_margin", guards.futureMargin),
            ("option_margin", guards.optionMargin), ("loss_usd", guards.loss),
            ("drawdown_usd", guards.drawdown), ("clock_offset_ms", guards.clockOffset),
            ("reference_deviation", guards.referenceDeviation),
        ]
        for (key, value) in positive {
            if let value { try require(value > 0 && value.isFinite, "guards.\(key)", "must be above 0") }
        }
        let counts: [(String, Int)] = [
            ("repeated_orders", guards.repeatedOrders), ("open_orders", guards.openOrders),
            ("orders_per_second", guards.ordersPerSecond), ("orders_per_day", guards.ordersPerDay),
            ("refusals_in_a_row", guards.refusalsInARow), ("ticker_age_ms", guards.tickerAge),
            ("book_age_ms", guards.bookAge), ("index_age_ms", guards.indexAge),
            ("account_age_ms", guards.accountAge), ("positions_age_ms", guards.positionsAge),
        ]
        for (key, value) in counts { try require(value >= 1, "guards.\(key)", "must be at least 1") }
        try require(guards.duplicateMilliseconds >= 0, "guards.duplicate_ms", "is below 0")
        try require((0..<1).contains(guards.marginReserve), "guards.margin_reserve", "from 0 to below 1")
        try require(guards.minutesToExpiry >= 0, "guards.minutes_to_expiry", "is below 0")
    }

    private func check(_ limit: LimitSetting, _ key: String) throws {
        guard let greek = limit.exposure else {
            let known = ExposureGreek.allCases.map(\.key).joined(separator: ", ")
            throw ConfigurationError("\(key).greek", "\(limit.greek) is none of \(known)")
        }
        if let book = limit.book, !books.contains(where: { $0.name == book }) {
            throw ConfigurationError("\(key).book", "there is no book \(book)")
        }
        guard !limit.underlying.isEmpty else { throw ConfigurationError("\(key).underlying", "is empty") }
        if let policy = limit.policy {
            guard limit.low == nil, limit.high == nil else {
                throw ConfigurationError(key, "has low or high beside a policy, which sets them")
            }
            do { _ = try policy.make(greek, landing: limit.landing) } catch let error as ConfigurationError {
                throw ConfigurationError("\(key).policy.\(error.key)", error.reason)
            } catch { throw ConfigurationError("\(key).policy", "\(error)") }
        } else {
            guard limit.low != nil || limit.high != nil else {
                throw ConfigurationError(key, "has neither low nor high nor a policy")
            }
            let (low, high) = (limit.low ?? -.infinity, limit.high ?? .infinity)
            guard low <= high else { throw ConfigurationError("\(key).high", "is below low") }
        }
        guard (0...1).contains(limit.landing ?? 0.5) else {
            throw ConfigurationError("\(key).landing", "from 0 to 1")
        }
    }
}

extension LimitSetting {
    var exposure: ExposureGreek? { ExposureGreek.allCases.first { $0.key == greek } }
}

extension PolicySetting {
    /// - Throws: `ConfigurationError` for settings that are missing, the policies' own errors for values.
    func make(_ greek: ExposureGreek, landing: Double?) throws -> any RebalancingPolicy {
        let word = greek == .netDelta ? "delta" : greek.key
        guard let rebalanced = RebalancedGreek(rawValue: word) else {
            throw ConfigurationError("kind", "policies are about delta, gamma, vega or theta")
        }
        func required(_ value: Double?, _ key: String) throws -> Double {
            guard let value else { throw ConfigurationError(key, "is missing") }
            return value
        }
        var policy: any RebalancingPolicy
        switch kind {
        case .threshold:
            policy = try ThresholdPolicy(
                .limit(rebalanced, try required(halfWidth, "half_width")), landing: .inner(landing ?? 0.5))
        case .whalleyWilmott, .zakamouline:
            guard rebalanced == .delta else { throw ConfigurationError("kind", "is about delta") }
            let aversion = try required(riskAversion, "risk_aversion")
            policy =
                kind == .zakamouline
                ? try ZakamoulinePolicy(riskAversion: aversion)
                : try WhalleyWilmottPolicy(riskAversion: aversion)
        }
        if let referenceDepth {
            policy = try LiquidityAwarePolicy(policy, referenceDepth: referenceDepth)
        }
        if freshSeconds != nil || staleSeconds != nil {
            policy = try FreshDataPolicy(
                policy, freshSeconds: try required(freshSeconds, "fresh_seconds"),
                staleSeconds: try required(staleSeconds, "stale_seconds"))
        }
        return policy
    }
}

/// Looks for keys that a record does not have.
public struct KeyCheck: FieldVisitor {
    private let json: JSONValue
    private var known: Set<String> = []

    private init(_ json: JSONValue) { self.json = json }

    public static func check<R: VenueRecord>(_ record: R, _ json: JSONValue) throws(VenueProtocolError) {
        var record = record
        var check = KeyCheck(json)
        try record.visit(&check)
        for member in json.members ?? [] where !check.known.contains(member.key) {
            throw .unexpected(path: member.key, expected: "a known setting", found: member.key)
        }
    }

    public mutating func field<V: VenueValue>(_ name: StaticString, _ value: inout V)
        throws(VenueProtocolError)
    {
        try look(name, V.self)
    }
    public mutating func field<V: VenueValue>(_ name: StaticString, _ value: inout V?)
        throws(VenueProtocolError)
    {
        try look(name, V.self)
    }
    public mutating func field<V: VenueValue>(_ name: StaticString, _ value: inout Presence<V>)
        throws(VenueProtocolError)
    {
        try look(name, V.self)
    }

    private mutating func look<V: VenueValue>(_ name: StaticString, _: V.Type) throws(VenueProtocolError) {
        known.insert("\(name)")
        guard let inner = json[name] else { return }
        do throws(VenueProtocolError) {
            if let record = V.self as? any VenueRecord.Type { try Self.check(record.init(), inner) }
            if let list = V.self as? any RecordList.Type { try list.checkKeys(inner) }
        } catch {
            guard case .unexpected(let path, let expected, let found) = error else { throw error }
            throw .unexpected(path: "\(name).\(path)", expected: expected, found: found)
        }
    }
}

private protocol RecordList {
    static func checkKeys(_ json: JSONValue) throws(VenueProtocolError)
}

extension Array: RecordList where Element: VenueRecord {
    static func checkKeys(_ json: JSONValue) throws(VenueProtocolError) {
        for element in json.elements ?? [] { try KeyCheck.check(Element(), element) }
    }
}
