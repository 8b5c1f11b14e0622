import Poise
import Testing
import VenueProtocol

@testable import Desk

/// A desk with a perpetual and an option, and a venue that is the test itself.
final class Stand {
    static let start = 1_780_315_200_000
    static let perpetual = "BTC-PERPETUAL"
    /// Expires thirty days after the start.
    static let option = "BTC-1JUL26-90000-C"

    let desk: Desk
    var time = Stand.start
    private var numbers = 0

    init(
        low: Double = -50_000, high: Double = 50_000, _ change: (inout DeskConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = DeskConfiguration()
        configuration.limits = [LimitSetting("BTC", "delta", low: low, high: high, landing: 0.5)]
        change(&configuration)
        desk = try Desk(configuration, engine: GreeksEngine())
    }

    static func future() -> VenueInstrument {
        var instrument = VenueInstrument()
        instrument.name = perpetual
        instrument.kind = .future
        instrument.type = .reversed
        (instrument.baseCurrency, instrument.quoteCurrency) = ("BTC", "USD")
        instrument.settlementCurrency = "BTC"
        instrument.priceIndex = "btc_usd"
        instrument.settlementPeriod = .perpetual
        instrument.expirationTimestamp = VenueTime.never
        instrument.tickSize = 0.5
        instrument.contractSize = 10
        instrument.minimumTradeAmount = MessageAmount(10)
        instrument.takerCommission = 0.0005
        instrument.state = .open
        return instrument
    }

    static func call() -> VenueInstrument {
        var instrument = future()
        instrument.name = option
        instrument.kind = .option
        instrument.quoteCurrency = "BTC"
        instrument.settlementPeriod = .month
        instrument.expirationTimestamp = VenueTime.expiry("1JUL26")
        (instrument.strike, instrument.optionType) = (90_000, .call)
        instrument.tickSize = 0.0001
        instrument.tickSizeSteps = [.init(abovePrice: 0.005, tickSize: 0.0005)]
        instrument.contractSize = 1
        instrument.minimumTradeAmount = MessageAmount(0.1)
        instrument.takerCommission = 0.0003
        return instrument
    }

    // MARK: Telling

    @discardableResult
    func tell(_ content: DeskEvent.Content, after milliseconds: Int = 0) -> [DeskIntent] {
        time += milliseconds
        return desk.step(DeskEvent(content, at: time))
    }

    func index(_ price: Double = 90_000) -> DeskEvent.Content {
        var index = IndexPrice()
        (index.indexName, index.price, index.timestamp) = ("btc_usd", price, time)
        return .index(index)
    }

    func ticker(_ mark: Double = 90_000, name: String = Stand.perpetual) -> DeskEvent.Content {
        var ticker = MarketTicker()
        ticker.instrumentName = name
        (ticker.timestamp, ticker.state, ticker.markPrice) = (time, .open, mark)
        ticker.indexPrice = .value(90_000)
        if name != Stand.perpetual {
            (ticker.underlyingPrice, ticker.markIV, ticker.interestRate) = (90_000, 60, 0)
        }
        return .ticker(ticker)
    }

    func book(
        bid: Double = 89_999.5, ask: Double = 90_000, amount: Double = 1_000_000,
        name: String = Stand.perpetual
    ) -> DeskEvent.Content {
        .book(
            BookView(
                name, bids: [PriceLevel(price: bid, amount: MessageAmount(amount))],
                asks: [PriceLevel(price: ask, amount: MessageAmount(amount))]))
    }

    static func position(_ name: String, _ size: Double) -> Position {
        var position = Position()
        position.instrumentName = name
        position.size = MessageAmount(size)
        position.direction = size > 0 ? .buy : size < 0 ? .sell : .zero
        return position
    }

    static func account(_ equity: Double = 100, available: Double = 90) -> DeskEvent.Content {
        var line = AccountLine()
        (line.currency, line.equity, line.availableFunds) = ("BTC", equity, available)
        return .account(line)
    }

    /// Everything that a desk has to be told before it trades, the book's position last.
    @discardableResult
    func open(_ size: Double = 0, options: Double = 0) -> [DeskIntent] {
        tell(.started(RunStart(run: 1, version: "test")))
        tell(.line(LineState(isUp: true, cancelsOnDisconnect: true, clockOffset: 0)))
        tell(.instruments([Self.future(), Self.call()]))
        tell(index())
        tell(Self.account())
        tell(.openOrders([]))
        var positions: [Position] = []
        if size != 0 { positions.append(Self.position(Self.perpetual, size)) }
        if options != 0 { positions.append(Self.position(Self.option, options)) }
        tell(.positions(positions))
        if options != 0 { tell(ticker(0.0686, name: Self.option)) }
        tell(ticker())
        // Later than the decision that the first ticker led to.
        return tell(book(), after: 300)
    }

    /// Prices as they are, told again a while later.
    @discardableResult
    func refresh(after milliseconds: Int = 1_000) -> [DeskIntent] {
        time += milliseconds
        var intents = tell(index())
        intents += tell(ticker())
        if desk.position(Self.option) != .zero { intents += tell(ticker(0.0686, name: Self.option)) }
        return intents + tell(book())
    }

    /// The perpetual's prices alone, a second later.
    func refreshPerpetual() -> [DeskReport] {
        time += 1_000
        return (tell(index()) + tell(ticker()) + tell(book())).reports
    }

    // MARK: Answering

    func trade(
        _ request: OrderRequest, _ amount: Double, id: String? = nil, price: Double? = nil
    ) -> UserTrade {
        numbers += 1
        var trade = UserTrade()
        trade.tradeID = id ?? "\(numbers)"
        trade.orderID = "o-" + (request.label ?? "")
        trade.label = request.label
        (trade.instrumentName, trade.direction) = (request.instrumentName, request.direction)
        trade.amount = MessageAmount(amount)
        trade.price = price ?? request.price ?? 0
        (trade.timestamp, trade.feeCurrency) = (time, "BTC")
        return trade
    }

    func order(_ request: OrderRequest, _ state: OrderState, filled: Double = 0) -> VenueOrder {
        var order = VenueOrder()
        order.orderID = "o-" + (request.label ?? "")
        order.label = request.label ?? ""
        order.state = state
        (order.instrumentName, order.direction) = (request.instrumentName, request.direction)
        order.price = .limit(request.price ?? 0)
        order.amount = request.amount
        order.filledAmount = MessageAmount(filled)
        order.lastUpdateTimestamp = time
        return order
    }

    /// The venue fills an order whole and says so in its reply.
    @discardableResult
    func fill(_ request: OrderRequest) -> [DeskIntent] {
        let amount = request.amount?.value ?? 0
        let reply = OrderReply(
            order: order(request, .filled, filled: amount), trades: [trade(request, amount)])
        return tell(.reply(LabelledReply(request.label ?? "", reply)))
    }
}

extension [DeskIntent] {
    var placed: [OrderRequest] {
        compactMap { if case .place(let request) = $0 { request } else { nil } }
    }
    var reports: [DeskReport] {
        compactMap { if case .report(let report) = $0 { report } else { nil } }
    }
    var cancelled: [String] {
        compactMap { if case .cancel(_, let label) = $0 { label } else { nil } }
    }
    var lookedUp: [String] {
        compactMap { if case .lookUp(let label, _) = $0 { label } else { nil } }
    }
    func reported(_ kind: DeskReport.Kind) -> [DeskReport] { reports.filter { $0.kind == kind } }
    var cancelsAll: Bool {
        contains { if case .cancelAll = $0 { true } else { false } }
    }
}
