import Desk
import VenueProtocol

/// An account that is not there: orders are filled against the venue's live books as they are, and change nothing in them.
///
/// What crosses is filled by the levels that it meets; what waits is filled, whole, when the other side comes to its price.
/// A level can be taken again and again, so that fills are better than a venue's where orders are large.
public struct PaperVenue {
    /// A position and what was paid for it, in the currency in which it settles.
    private struct Holding {
        var name: String
        var quantity = Quantity.zero
        /// For an inverse future Σ amount/price, else Σ amount·price.
        var paid = 0.0
        /// What was there at the beginning: it counts from the first mark on.
        var unpriced = Quantity.zero
    }

    private struct Order {
        var view: VenueOrder
        var quantity: Quantity
        var filled = Quantity.zero
        let instrument: VenueInstrument
    }

    private var deposits: [(currency: String, amount: Double)]
    private var fees: [String: Double] = [:]
    private var holdings: [Holding] = []
    private var open: [Order] = []
    private var nextOrder = 1
    private var nextTrade = 1
    private let run: Int
    /// Waits to be told.
    private var news: [DeskEvent.Content] = []

    /// - Parameters:
    ///   - run: of the process, so that numbers are used once.
    ///   - positions: what the account begins with.
    public init(_ settings: PaperSettings, run: Int, positions: [(name: String, quantity: Quantity)]) {
        deposits = settings.deposits.values.map { ($0.name, $0.value) }
        self.run = run
        holdings = positions.map { Holding(name: $0.name, quantity: $0.quantity, unpriced: $0.quantity) }
    }

    public mutating func takeNews() -> [DeskEvent.Content] {
        defer { news.removeAll() }
        return news
    }

    // MARK: Orders

    /// Takes an order as a venue would.
    public mutating func place(
        _ request: OrderRequest, _ instrument: VenueInstrument, _ book: BookView?, index: Double, at time: Int
    ) {
        let label = request.label ?? ""
        guard let amount = request.amount, let price = request.price,
            let quantity = Quantity(amount, request.direction), let book, book.isValid
        else { return news.append(.refused(LabelledFault(label, VenueFault(.bookClosed)))) }
        if let until = request.validUntil, time > until {
            return news.append(.refused(LabelledFault(label, VenueFault(.timedOut))))
        }
        var order = Order(view: VenueOrder(), quantity: quantity, instrument: instrument)
        order.view.orderID = "paper-\(run)-\(nextOrder)"
        nextOrder += 1
        (order.view.label, order.view.instrumentName) = (label, request.instrumentName)
        (order.view.direction, order.view.price) = (request.direction, .limit(price))
        (order.view.amount, order.view.filledAmount) = (amount, .zero)
        order.view.timeInForce = request.timeInForce ?? .goodTilCancelled
        order.view.isPostOnly = request.isPostOnly ?? false
        (order.view.creationTimestamp, order.view.lastUpdateTimestamp) = (time, time)
        let sign = Double(request.direction.sign)
        let touch = book.levels(against: request.direction).first?.price
        let crosses = touch.map { sign * price >= sign * $0 } ?? false
        if order.view.isPostOnly, crosses {
            return news.append(.refused(LabelledFault(label, VenueFault(.postOnlyReject))))
        }
        var trades: [UserTrade] = []
        if crosses {
            for level in book.levels(against: request.direction) where sign * level.price <= sign * price {
                let left = order.quantity - order.filled
                let taken = min(left.magnitude, Quantity(level.amount) ?? .zero)
                guard taken > .zero else { break }
                let filled = request.direction == .buy ? taken : -taken
                trades.append(fill(&order, filled, level.price, .taker, index: index, at: time))
            }
        }
        if order.filled != order.quantity, order.view.timeInForce != .goodTilCancelled {
            order.view.state = .cancelled
        }
        news.append(.reply(LabelledReply(label, OrderReply(order: order.view, trades: trades))))
        if order.view.state == .open { open.append(order) }
    }

    public mutating func cancel(_ orderID: String, label: String, at time: Int) {
        guard let place = open.firstIndex(where: { $0.view.orderID == orderID }) else {
            return news.append(.cancelRefused(LabelledFault(label, VenueFault(.notOpenOrder))))
        }
        var order = open.remove(at: place)
        (order.view.state, order.view.lastUpdateTimestamp) = (.cancelled, time)
        news.append(.order(order.view))
    }

    public mutating func cancelAll(at time: Int) {
        for order in open { cancel(order.view.orderID, label: order.view.label, at: time) }
    }

    /// A book has moved: what waits there may have been met.
    public mutating func moved(_ book: BookView, index: Double, at time: Int) {
        guard book.isValid else { return }
        for place in open.indices.reversed() where open[place].view.instrumentName == book.instrumentName {
            var order = open[place]
            guard case .limit(let price) = order.view.price else { continue }
            let sign = Double(order.view.direction.sign)
            guard let touch = book.levels(against: order.view.direction).first?.price,
                sign * touch <= sign * price
            else { continue }
            let left = order.quantity - order.filled
            let trade = fill(&order, left, price, .maker, index: index, at: time)
            open.remove(at: place)
            news += [.trades([trade]), .order(order.view)]
        }
    }

    private mutating func fill(
        _ order: inout Order, _ quantity: Quantity, _ price: Double, _ liquidity: Liquidity, index: Double,
        at time: Int
    ) -> UserTrade {
        let instrument = order.instrument
        var trade = UserTrade()
        trade.tradeID = "paper-\(run)-\(nextTrade)"
        nextTrade += 1
        (trade.orderID, trade.label) = (order.view.orderID, order.view.label)
        (trade.timestamp, trade.instrumentName, trade.price) = (time, instrument.name, price)
        (trade.amount, trade.direction) = (quantity.messageAmount, quantity.direction)
        (trade.liquidity, trade.indexPrice, trade.markPrice) = (liquidity, index, price)
        trade.feeCurrency = instrument.settlementCurrency ?? instrument.baseCurrency
        let rate = liquidity == .taker ? instrument.takerCommission : instrument.makerCommission
        let amount = quantity.magnitude.amount
        let isFuture = instrument.kind == .future
        let underlying =
            instrument.isInverse ? (isFuture ? amount / price : amount) : amount * (isFuture ? price : index)
        // As the venue: an option's fee is never above an eighth of its premium.
        trade.fee = isFuture ? rate * underlying : min(rate * underlying, 0.125 * price * amount)
        fees[trade.feeCurrency, default: 0] += trade.fee
        let place =
            holdings.firstIndex { $0.name == instrument.name }
            ?? {
                holdings.append(Holding(name: instrument.name))
                return holdings.count - 1
            }()
        holdings[place].quantity += quantity
        holdings[place].paid += Self.worth(instrument, quantity, price)
        order.filled += quantity
        order.view.filledAmount = order.filled.messageAmount
        order.view.lastUpdateTimestamp = time
        order.view.state = order.filled == order.quantity ? .filled : .open
        return trade
    }

    /// What is paid for a quantity at a price. An inverse future's loses value in coins as the price rises.
    private static func worth(_ instrument: VenueInstrument, _ quantity: Quantity, _ price: Double) -> Double
    {
        instrument.isInverse && instrument.kind == .future
            ? -quantity.amount / price : quantity.amount * price
    }

    // MARK: Lists

    public var openOrders: [VenueOrder] { open.map(\.view) }

    public var positions: [Position] {
        holdings.filter { $0.quantity != .zero }.map { holding in
            var position = Position()
            position.instrumentName = holding.name
            position.size = MessageAmount(holding.quantity.amount)
            position.direction = holding.quantity > .zero ? .buy : .sell
            return position
        }
    }

    /// A contract has come to its end: what it was worth becomes money.
    public mutating func deliver(_ name: String) { holdings.removeAll { $0.name == name } }

    /// Deposits, fees, and what holdings have gained since they were bought, at their marks; margin is not reckoned.
    public mutating func accounts(mark: (String) -> (instrument: VenueInstrument, price: Double)?)
        -> [AccountLine]
    {
        var gains = fees.mapValues { -$0 }
        for place in holdings.indices {
            guard let (instrument, price) = mark(holdings[place].name) else { continue }
            if holdings[place].unpriced != .zero {
                holdings[place].paid += Self.worth(instrument, holdings[place].unpriced, price)
                holdings[place].unpriced = .zero
            }
            let holding = holdings[place]
            let currency = instrument.settlementCurrency ?? instrument.baseCurrency
            gains[currency, default: 0] += Self.worth(instrument, holding.quantity, price) - holding.paid
        }
        return deposits.map { currency, amount in
            var line = AccountLine()
            line.currency = currency
            line.equity = amount + (gains[currency] ?? 0)
            line.availableFunds = line.equity
            return line
        }
    }
}
