import Desk
import VenueProtocol

/// What a page, a metric or a watchdog sees of an agent: figures of one moment, and no secret.
public struct AgentView: VenueRecord {
    public struct Band: VenueRecord {
        public var book = ""
        public var underlying = ""
        public var greek = ""
        public var unit = ""
        public var value = 0.0
        public var low: Double?
        public var high: Double?
        public var outsideSince: Int?
        public var reason = ""

        public init() {}
        public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("book", &book)
            try fields.field("underlying", &underlying)
            try fields.field("greek", &greek)
            try fields.field("unit", &unit)
            try fields.field("value", &value)
            try fields.field("low", &low)
            try fields.field("high", &high)
            try fields.field("outside_since", &outsideSince)
            try fields.field("reason", &reason)
        }
    }

    public struct Working: VenueRecord {
        public var label = ""
        public var instrument = ""
        public var remaining = 0.0
        public var price = 0.0
        public var phase = ""

        public init() {}
        public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("label", &label)
            try fields.field("instrument", &instrument)
            try fields.field("remaining", &remaining)
            try fields.field("price", &price)
            try fields.field("phase", &phase)
        }
    }

    public struct Held: VenueRecord {
        public var book = ""
        public var instrument = ""
        public var amount = 0.0
        public var isBlocked = false

        public init() {}
        public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("book", &book)
            try fields.field("instrument", &instrument)
            try fields.field("amount", &amount)
            try fields.field("is_blocked", &isBlocked)
        }
    }

    public struct Money: VenueRecord {
        public var currency = ""
        public var equity = 0.0
        public var change = 0.0
        public var available = 0.0
        public var maintenanceMargin = 0.0
        public var age = 0

        public init() {}
        public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("currency", &currency)
            try fields.field("equity", &equity)
            try fields.field("change_today", &change)
            try fields.field("available_funds", &available)
            try fields.field("maintenance_margin", &maintenanceMargin)
            try fields.field("age_ms", &age)
        }
    }

    public struct Price: VenueRecord {
        public var name = ""
        public var price = 0.0
        public var age = 0

        public init() {}
        public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("name", &name)
            try fields.field("price", &price)
            try fields.field("age_ms", &age)
        }
    }

    public struct Age: VenueRecord {
        public var name = ""
        public var ticker = 0
        public var book = 0

        public init() {}
        public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("name", &name)
            try fields.field("ticker_age_ms", &ticker)
            try fields.field("book_age_ms", &book)
        }
    }

    public var time = 0
    public var name = ""
    public var mode = ""
    public var venue = ""
    public var run = 0
    /// Empty once everything is confirmed.
    public var notReady = ""
    public var kill = KillSwitch()
    public var bands: [Band] = []
    public var orders: [Working] = []
    public var holdings: [Held] = []
    public var money: [Money] = []
    public var prices: [Price] = []
    public var ages: [Age] = []
    public var counters = Counters()
    public var resultToday = 0.0
    public var drawdown = 0.0
    public var clockOffset: Double?
    public var journalRecords = 0
    public var mismatches: [String] = []
    /// The latest last.
    public var reports: [DeskReport] = []
    public var health = Health()

    public struct Health: VenueRecord {
        public var isUp = false
        public var openings = 0
        public var lostMarket = 0
        public var lostTrading = 0
        public var lastLoss = ""
        public var bookGaps = 0
        public var unreadable = 0
        public var roundTripMicroseconds = 0
        public var reconciledAt = 0
        /// Of message to order: how many, and the median's and the 99th percentile's class in microseconds.
        public var orders = 0
        public var median = 0.0
        public var percentile99 = 0.0

        public init() {}
        public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("is_up", &isUp)
            try fields.field("openings", &openings)
            try fields.field("lost_market", &lostMarket)
            try fields.field("lost_trading", &lostTrading)
            try fields.field("last_loss", &lastLoss)
            try fields.field("book_gaps", &bookGaps)
            try fields.field("unreadable", &unreadable)
            try fields.field("round_trip_us", &roundTripMicroseconds)
            try fields.field("reconciled_at", &reconciledAt)
            try fields.field("tick_to_order_count", &orders)
            try fields.field("tick_to_order_p50_us", &median)
            try fields.field("tick_to_order_p99_us", &percentile99)
        }
    }

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("time", &time)
        try fields.field("name", &name)
        try fields.field("mode", &mode)
        try fields.field("venue", &venue)
        try fields.field("run", &run)
        try fields.field("not_ready", &notReady)
        try fields.field("kill", &kill)
        try fields.field("bands", &bands)
        try fields.field("orders", &orders)
        try fields.field("holdings", &holdings)
        try fields.field("money", &money)
        try fields.field("prices", &prices)
        try fields.field("ages", &ages)
        try fields.field("counters", &counters)
        try fields.field("result_today_usd", &resultToday)
        try fields.field("drawdown_usd", &drawdown)
        try fields.field("clock_offset_ms", &clockOffset)
        try fields.field("journal_records", &journalRecords)
        try fields.field("mismatches", &mismatches)
        try fields.field("reports", &reports)
        try fields.field("health", &health)
    }
}

extension LiveDesk {
    /// Figures of now. Asking changes nothing.
    public func view(reports: [DeskReport] = []) -> AgentView {
        var view = AgentView()
        view.time = clock.milliseconds(at: now)
        (view.name, view.mode, view.run) = (desk.configuration.name, mode.rawValue, run)
        view.venue = configuration.address.map { "\($0.host):\($0.port)" } ?? ""
        view.notReady = desk.notReady ?? ""
        view.kill = desk.killSwitch
        let blocked = Set(desk.blocked)
        view.bands = desk.lookedAt.map { exposure in
            var band = AgentView.Band()
            band.book = exposure.book ?? "all books"
            (band.underlying, band.greek, band.unit) = (exposure.underlying, exposure.greek, exposure.unit)
            band.value = exposure.value
            band.low = exposure.low.isFinite ? exposure.low : nil
            band.high = exposure.high.isFinite ? exposure.high : nil
            (band.outsideSince, band.reason) = (exposure.outsideSince, exposure.reason)
            return band
        }
        view.orders = desk.orders.map { order in
            var row = AgentView.Working()
            (row.label, row.instrument) = (order.label, order.instrumentName)
            (row.remaining, row.price, row.phase) = (
                order.remaining.amount, order.price, order.phase.rawValue
            )
            return row
        }
        view.holdings = desk.holdings.map { holding in
            var row = AgentView.Held()
            (row.book, row.instrument, row.amount) = (
                holding.book, holding.instrumentName, holding.quantity.amount
            )
            row.isBlocked = blocked.contains(holding.instrumentName)
            return row
        }
        view.money = desk.accounts.map { account in
            var row = AgentView.Money()
            (row.currency, row.equity) = (account.line.currency, account.line.equity)
            row.change = account.line.equity - account.start
            row.available = account.line.availableFunds
            row.maintenanceMargin = account.line.maintenanceMargin
            row.age = view.time - account.time
            return row
        }
        view.prices = desk.indices.map { index in
            var row = AgentView.Price()
            (row.name, row.price, row.age) = (index.name, index.price, view.time - index.time)
            return row
        }
        view.ages = desk.ages.map { age in
            var row = AgentView.Age()
            (row.name, row.ticker, row.book) = (age.name, age.ticker, age.book)
            return row
        }
        view.counters = desk.counters
        (view.resultToday, view.drawdown) = desk.result
        view.clockOffset = clock.offset
        view.journalRecords = journal?.last ?? 0
        view.mismatches = desk.mismatches
        view.reports = reports
        view.health = health
        return view
    }

    private var health: AgentView.Health {
        var health = AgentView.Health()
        health.isUp = line.isUp
        (health.openings, health.lostMarket) = (statistics.openings, statistics.lostMarket)
        (health.lostTrading, health.lastLoss) = (statistics.lostTrading, statistics.lastLoss)
        (health.bookGaps, health.unreadable) = (statistics.bookGaps, statistics.unreadable)
        (health.roundTripMicroseconds, health.reconciledAt) = (statistics.roundTrip, statistics.reconciledAt)
        health.orders = statistics.tickToOrder.count
        health.median = statistics.tickToOrder.quantile(0.5) * 1e6
        health.percentile99 = statistics.tickToOrder.quantile(0.99) * 1e6
        return health
    }
}

extension DurationHistogram {
    /// The upper bound of the class in which a quantile falls, in seconds; 0 where nothing was counted, the largest bound for
    /// what is beyond it.
    public func quantile(_ share: Double) -> Double {
        let wanted = Int((share * Double(count)).rounded(.up))
        guard wanted > 0 else { return 0 }
        var sum = 0
        for (place, bound) in Self.bounds.enumerated() {
            sum += counts[place]
            if sum >= wanted { return bound }
        }
        return Self.bounds.last ?? 0
    }
}
