import TestExchange
import VenueProtocol

/// What was traded in a while: a message of `chart.trades`. Volume is in the base currency, cost in the quote currency.
struct Candle: VenueRecord, Equatable {
    /// Milliseconds at which it began.
    var tick = 0
    var open = 0.0
    var high = 0.0
    var low = 0.0
    var close = 0.0
    var volume = 0.0
    var cost = 0.0

    init() {}
    /// One in which nothing was traded.
    init(tick: Int, price: Double) {
        self.tick = tick
        (open, high, low, close) = (price, price, price, price)
    }

    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("tick", &tick)
        try fields.field("open", &open)
        try fields.field("high", &high)
        try fields.field("low", &low)
        try fields.field("close", &close)
        try fields.field("volume", &volume)
        try fields.field("cost", &cost)
    }

    mutating func add(_ later: Candle) {
        high = max(high, later.high)
        low = min(low, later.low)
        close = later.close
        volume += later.volume
        cost += later.cost
    }
}

extension VenueService {
    static let minute = 60_000
    /// Minutes with trades that are kept of a contract.
    static let retainedMinutes = 1_440
    /// Minutes of a candle, by the exchange's word for it.
    static let resolutions = [
        "1": 1, "3": 3, "5": 5, "10": 10, "15": 15, "30": 30, "60": 60, "120": 120, "180": 180, "360": 360,
        "720": 720, "1D": 1_440,
    ]

    func chart(_ trade: ExchangeTrade) {
        let (price, amount) = (Scales.price(trade.price), Scales.amount(trade.amount))
        let instrument = exchange.instrument(trade.contract)
        var candle = Candle(tick: trade.time / Self.minute * Self.minute, price: price)
        let isInverseFuture = instrument.isInverse && instrument.kind == .future
        candle.volume = isInverseFuture ? amount / price : amount
        candle.cost = isInverseFuture ? amount : amount * price
        var minutes = candles[trade.contract] ?? []
        if let last = minutes.last, last.tick == candle.tick {
            minutes[minutes.count - 1].add(candle)
        } else {
            minutes.append(candle)
            if minutes.count > Self.retainedMinutes { minutes.removeFirst() }
        }
        candles[trade.contract] = minutes
    }

    /// The candle of a length that is under way; nil where nothing was traded in it.
    func candle(_ contract: Int, minutes: Int) -> Candle? {
        let length = minutes * Self.minute
        let begin = exchange.time / length * length
        let part = (candles[contract] ?? []).filter { $0.tick >= begin }
        guard var candle = part.first else { return nil }
        for later in part.dropFirst() { candle.add(later) }
        candle.tick = begin
        return candle
    }

    /// Candles from a time to a time, the last of which is under way. Where nothing was traded the price stays.
    func chartData(_ call: Call) throws(VenueFault) -> ChartData {
        let number = try contract(call)
        let selection: Selection = try read(call)
        guard let minutes = call.parameters["resolution"]?.string.flatMap({ Self.resolutions[$0] }) else {
            throw invalid("resolution")
        }
        guard let start = selection.startTimestamp, let end = selection.endTimestamp, start <= end, start >= 0
        else { throw invalid(selection.startTimestamp == nil ? "start_timestamp" : "end_timestamp") }
        let length = minutes * Self.minute
        var data = ChartData()
        let traded = candles[number] ?? []
        guard let first = traded.first else {
            data.status = "no_data"
            return data
        }
        var begin = max(start, first.tick) / length * length
        let last = min(end, exchange.time)
        var price = traded.last { $0.tick < begin }?.close ?? first.open
        while begin <= last, data.ticks.count < 5_000 {
            let part = traded.filter { $0.tick >= begin && $0.tick < begin + length }
            var candle = part.first ?? Candle(tick: begin, price: price)
            for later in part.dropFirst() { candle.add(later) }
            price = candle.close
            data.ticks.append(begin)
            data.open.append(candle.open)
            data.high.append(candle.high)
            data.low.append(candle.low)
            data.close.append(candle.close)
            data.volume.append(candle.volume)
            data.cost.append(candle.cost)
            begin += length
        }
        if data.ticks.isEmpty { data.status = "no_data" }
        return data
    }
}
