// A day of a desk, from Swift: a listing, an expiry, a restart. See docs/live.md.
//
//     swift run -c release day
@preconcurrency import Glibc
import Poise

/// What an exchange says of a contract.
func ticker(
    _ name: String, _ price: Double, volatility: Double? = nil, bid: Double, ask: Double, at time: Timestamp
) throws -> Ticker {
    let instrument = try Instrument(name: name)
    return Ticker(
        instrument: instrument, timestamp: time, underlyingPrice: instrument.isOption ? price : nil,
        underlyingIndex: nil, indexPrice: price, markPrice: instrument.isOption ? (bid + ask) / 2 : price,
        markVolatility: volatility, openInterest: nil,
        bids: [OrderLevel(price: bid, amount: instrument.isOption ? 50 : 2e6)],
        asks: [OrderLevel(price: ask, amount: instrument.isOption ? 50 : 2e6)], published: nil)
}

do {
    let engine = try GreeksEngine()
    let morning = Timestamp(Day(year: 2026, month: 3, day: 2)!, hour: 9)
    let expiry = Timestamp(Day(year: 2026, month: 3, day: 3)!, hour: 8)
    var market = [
        try ticker("BTC-3MAR26-60000-C", 60_200, volatility: 0.5, bid: 0.0115, ask: 0.0125, at: morning),
        try ticker("BTC-27MAR26-60000-C", 60_400, volatility: 0.55, bid: 0.058, ask: 0.06, at: morning),
        try ticker("BTC-PERPETUAL", 60_150, bid: 60_145, ask: 60_155, at: morning),
    ]

    // The desk: two books short of options, and limits on all of it.
    var badRows = BadRows(skip: false)
    let positions: [PositionTable.Position] = [
        .init(book: "rates", instrument: market[0].instrument, quantity: -20, line: 0),
        .init(book: "vol", instrument: market[1].instrument, quantity: -5, line: 1),
    ]
    var desk = try LiveRisk(positions, try ChainGreeks(market, .exposures, &badRows), engine: engine)
    let limits = [
        LimitTable.Limit(underlying: "BTC", greek: ExposureGreek.netDelta, low: -20_000, high: 20_000),
        LimitTable.Limit(underlying: "BTC", greek: ExposureGreek.vega, low: -150, high: 150),
    ]
    var hedge = try LiveHedge(desk, book: nil, limits, BookHedge.Options())
    for ticker in market { try hedge.add(ticker) }

    func hedgeNow(_ moment: String) throws {
        guard case .hedge(.optimal) = try hedge.decide() else { return print("\(moment): nothing to trade") }
        print("\(moment): cost \(Int(hedge.solution.cost.total)) USD")
        for (candidate, trade) in zip(hedge.candidates, hedge.solution.trades) where trade != 0 {
            print("    \(trade > 0 ? "buy " : "sell") \(Float(trade.magnitude)) \(candidate.instrument.name)")
        }
        try hedge.book(hedge.solution.trades, in: "vol")
    }
    try hedgeNow("in the morning")

    // Noon: a new expiry is listed. Nothing else stops.
    let noon = Timestamp(milliseconds: morning.milliseconds + 3 * 3_600_000)
    try desk.tick(0, price: 61_000, at: noon)
    market.append(try ticker("BTC-24APR26-62000-C", 61_700, volatility: 0.56, bid: 0.078, ask: 0.081, at: noon))
    try desk.list(market[3])
    try hedge.add(market[3])
    try hedgeNow("after the listing")

    // Midnight: the process ends, and another one begins.
    let saved = desk.save()
    desk = try LiveRisk(restoring: saved, engine: engine)
    hedge = try LiveHedge(desk, book: nil, limits, BookHedge.Options())
    for ticker in market { try hedge.add(ticker) }
    try hedgeNow("after the restart")

    // Eight in the morning: the first expiry is delivered, and its cash is there.
    try desk.advance(to: expiry)
    for contract in desk.expired {
        let settled = try desk.settle(contract, at: 61_250)
        for payment in settled.payments {
            print("\(settled.instrument.name): \(payment.book) gets \(Float(payment.cash)) \(settled.currency)")
        }
    }
    try hedgeNow("after the expiry")
    desk.rollOff()
    print("\(desk.listedCount) contracts are listed; cash:")
    for amount in desk.cash.all { print("    \(amount.book): \(Float(amount.amount)) \(amount.currency)") }
} catch {
    fputs("\(error)\n", stderr)
    exit(1)
}
