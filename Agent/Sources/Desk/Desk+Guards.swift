import Poise
import VenueProtocol

/// An order that is about to be sent.
struct Proposal {
    let contract: Contract
    /// Positive buys.
    let quantity: Quantity
    let price: Double
    let isFlattening: Bool

    var name: String { contract.instrument.name }
    var direction: Direction { quantity.direction }
}

/// The guards, by the names that reports have.
public enum Guard: String, Sendable, CaseIterable {
    case killSwitch = "kill_switch"
    case readiness
    case state
    case expiry
    case blocked
    case staleTicker = "stale_ticker"
    case staleBook = "stale_book"
    case staleIndex = "stale_index"
    case staleAccount = "stale_account"
    case stalePositions = "stale_positions"
    case reference
    case amount
    case notional
    case collarMark = "collar_mark"
    case collarTouch = "collar_touch"
    case selfCross = "self_cross"
    case duplicate
    case repeated
    case openOrders = "open_orders"
    case rate
    case day
    case position
    case exposure
    case margin
}

/// Why an order is not sent.
struct Refusal {
    let by: Guard
    let text: String
    var figure: Double?
    var bound: Double?
    /// Whether it may be sent a little later.
    var mayWait = false
}

extension Desk {
    /// The only way out. Orders that reduce a position pass the guards of risk, and no order passes those of prices and rates.
    func refusal(of order: Proposal) -> Refusal? {
        refusalByState(order) ?? refusalByAge(order) ?? refusalByPrice(order) ?? refusalByCount(order)
            ?? (isReducing(order) ? nil : refusalByRisk(order))
    }

    /// Whether an order, and all that works beside it, leaves less of the position and does not turn it.
    func isReducing(_ order: Proposal) -> Bool {
        let held = position(order.name)
        let working = state.orders.reduce(into: Quantity.zero) { sum, other in
            if other.isWorking, other.instrumentName == order.name,
                other.quantity.direction == order.direction
            {
                sum += other.remaining
            }
        }
        return held != .zero && held.direction != order.direction
            && (order.quantity + working).magnitude <= held.magnitude
    }

    // MARK: Whether anything may be sent

    private func refusalByState(_ order: Proposal) -> Refusal? {
        let level = state.kill.level
        if level != .none, !(level == .flatten && order.isFlattening && isReducing(order)) {
            return Refusal(by: .killSwitch, text: "\(level.rawValue): \(state.kill.reason)")
        }
        if let reason = notReady { return Refusal(by: .readiness, text: reason) }
        let contract = order.contract
        if contract.state != .open || !contract.instrument.isActive || contract.isDelivered {
            return Refusal(by: .state, text: "the book is \(contract.state.rawValue)")
        }
        let minutes = contract.daysLeft(at: state.time) * 1_440
        if minutes < configuration.guards.minutesToExpiry {
            return Refusal(
                by: .expiry, text: "it expires too soon", figure: minutes,
                bound: configuration.guards.minutesToExpiry)
        }
        if contract.isBlocked, !order.isFlattening {
            return Refusal(by: .blocked, text: "its position is not explained")
        }
        return nil
    }

    private func refusalByAge(_ order: Proposal) -> Refusal? {
        let guards = configuration.guards
        let currency = order.contract.currency
        let account = state.accounts.first { $0.line.currency == currency }?.time
        let index = state.indices.first { $0.name == order.contract.instrument.priceIndex }?.time
        let ticker = order.contract.ticker == nil ? nil : order.contract.tickerTime
        let book = order.contract.book?.isValid ?? false ? order.contract.bookTime : nil
        let ages: [(Guard, Int?, Int)] = [
            (.staleTicker, ticker, guards.tickerAge), (.staleBook, book, guards.bookAge),
            (.staleIndex, index, guards.indexAge), (.staleAccount, account, guards.accountAge),
            (.stalePositions, state.confirmed.positionsTime, guards.positionsAge),
        ]
        for (name, time, most) in ages {
            guard let time, time > 0 else {
                return Refusal(by: name, text: "there is none", bound: Double(most))
            }
            if state.time - time > most {
                return Refusal(
                    by: name, text: "too old, in milliseconds", figure: Double(state.time - time),
                    bound: Double(most))
            }
        }
        return nil
    }

    // MARK: The order by itself

    private func refusalByPrice(_ order: Proposal) -> Refusal? {
        let guards = configuration.guards
        let amount = order.quantity.magnitude.amount
        if let most = order.contract.isOption ? guards.optionAmount : guards.futureAmount, amount > most {
            return Refusal(by: .amount, text: "too large", figure: amount, bound: most)
        }
        let notional = notional(order.contract, order.quantity)
        if !(notional <= guards.orderNotional) {
            return Refusal(
                by: .notional, text: "too large, in dollars", figure: notional, bound: guards.orderNotional)
        }
        let sign = Double(order.direction.sign)
        if let bound = markCollar(order.contract, order.direction) {
            if sign * order.price > sign * bound * (1 + sign * 1e-12) {
                return Refusal(
                    by: .collarMark, text: "too far from the mark", figure: order.price, bound: bound)
            }
        } else {
            return Refusal(by: .collarMark, text: "there is no mark to hold it against")
        }
        if let bound = touchCollar(order.contract, order.direction),
            sign * order.price > sign * bound * (1 + sign * 1e-12)
        {
            return Refusal(
                by: .collarTouch, text: "too far through the touch", figure: order.price, bound: bound)
        }
        let crossed = state.orders.first {
            $0.isWorking && $0.instrumentName == order.name && $0.quantity.direction != order.direction
                && sign * order.price >= sign * $0.price
        }
        if let crossed {
            return Refusal(
                by: .selfCross, text: "would meet \(crossed.label)", figure: order.price,
                bound: crossed.price,
                mayWait: true)
        }
        return nil
    }

    /// The worst price that the mark allows.
    func markCollar(_ contract: Contract, _ direction: Direction) -> Double? {
        guard let mark = contract.ticker?.markPrice, mark > 0 else { return nil }
        let guards = configuration.guards
        let sign = Double(direction.sign)
        guard contract.isOption else { return mark * (1 + sign * guards.collarShare) }
        let index = dollars(contract.instrument.baseCurrency) ?? 0
        let vega = engine.figure(contract.instrument.name, .vega) ?? 0
        let perPrice = contract.dollarsPerPrice(at: mark, index: index)
        let points = perPrice > 0 ? guards.collarPoints * vega / perPrice : 0
        return mark + sign * max(points, guards.collarTicks * contract.instrument.tickSize(at: mark))
    }

    /// The worst price that the order book allows; nil where nobody quotes the other side.
    func touchCollar(_ contract: Contract, _ direction: Direction) -> Double? {
        guard let touch = contract.book?.levels(against: direction).first?.price else { return nil }
        let guards = configuration.guards
        let sign = Double(direction.sign)
        return contract.isOption
            ? touch + sign * guards.touchTicks * contract.instrument.tickSize(at: touch)
            : touch * (1 + sign * guards.touchShare)
    }

    func notional(_ contract: Contract, _ quantity: Quantity) -> Double {
        guard let index = dollars(contract.instrument.baseCurrency) else { return .nan }
        return quantity.magnitude.amount * contract.notional(perUnitAt: index)
    }

    // MARK: Orders together

    private func refusalByCount(_ order: Proposal) -> Refusal? {
        let guards = configuration.guards
        func count(_ milliseconds: Int, _ isCounted: (SentOrder) -> Bool = { _ in true }) -> Int {
            state.counters.recent.count { $0.time > state.time - milliseconds && isCounted($0) }
        }
        let open = state.orders.count(where: \.isWorking)
        if open >= guards.openOrders {
            return Refusal(
                by: .openOrders, text: "so many work already", figure: Double(open),
                bound: Double(guards.openOrders), mayWait: true)
        }
        let second = count(1_000)
        if second >= guards.ordersPerSecond {
            return Refusal(
                by: .rate, text: "in the last second", figure: Double(second),
                bound: Double(guards.ordersPerSecond), mayWait: true)
        }
        if state.counters.sentToday >= guards.ordersPerDay {
            return Refusal(
                by: .day, text: "today", figure: Double(state.counters.sentToday),
                bound: Double(guards.ordersPerDay))
        }
        let same = count(guards.duplicateMilliseconds) {
            $0.instrumentName == order.name && $0.quantity == order.quantity && $0.price == order.price
        }
        if same > 0 {
            return Refusal(by: .duplicate, text: "the same order was just sent", mayWait: true)
        }
        let alike = count(Int(guards.repeatedSeconds * 1_000)) {
            $0.instrumentName == order.name && $0.quantity.direction == order.direction
        }
        if alike >= guards.repeatedOrders {
            return Refusal(
                by: .repeated, text: "orders alike in \(guards.repeatedSeconds) s", figure: Double(alike),
                bound: Double(guards.repeatedOrders))
        }
        return nil
    }

    // MARK: What the desk would hold

    private func refusalByRisk(_ order: Proposal) -> Refusal? {
        refusalByReference(order) ?? refusalByPosition(order) ?? refusalByExposure(order)
            ?? refusalByMargin(order)
    }

    private func refusalByReference(_ order: Proposal) -> Refusal? {
        let underlying = order.contract.instrument.baseCurrency
        let found = state.references.first { $0.reference.underlying == underlying }
        guard let found else {
            return configuration.guards.needsReference
                ? Refusal(by: .reference, text: "there is no reference price of \(underlying)") : nil
        }
        guard let price = found.reference.price, state.time - found.time <= configuration.guards.indexAge
        else {
            return Refusal(by: .reference, text: "the sources have no price of \(underlying)")
        }
        guard let index = dollars(underlying) else { return nil }
        let deviation = (index / price - 1).magnitude
        guard deviation <= configuration.guards.referenceDeviation else {
            return Refusal(
                by: .reference, text: "the index is that far from the reference price", figure: deviation,
                bound: configuration.guards.referenceDeviation)
        }
        return nil
    }

    private func refusalByPosition(_ order: Proposal) -> Refusal? {
        guard let most = configuration.guards.position else { return nil }
        let working = state.orders.reduce(into: Quantity.zero) { sum, other in
            if other.isWorking, other.instrumentName == order.name,
                other.quantity.direction == order.direction
            {
                sum += other.remaining
            }
        }
        let after = notional(order.contract, position(order.name) + working + order.quantity)
        guard after > most else { return nil }
        return Refusal(by: .position, text: "in dollars", figure: after, bound: most)
    }

    /// With all working orders of the underlying filled at the worst: those that add alone.
    private func refusalByExposure(_ order: Proposal) -> Refusal? {
        let guards = configuration.guards
        let underlying = order.contract.instrument.baseCurrency
        let bounds: [(ExposureGreek, Double?)] = [
            (.delta, guards.delta), (.gamma, guards.gamma), (.vega, guards.vega),
        ]
        for (greek, bound) in bounds {
            guard let bound else { continue }
            guard let unit = engine.figure(order.name, greek) else {
                return Refusal(by: .exposure, text: "its \(greek.name) is not known", bound: bound)
            }
            let held = exposure(underlying, greek)
            let change = order.quantity.amount * unit
            var (up, down) = (max(0, change), min(0, change))
            for other in state.orders where other.isWorking {
                guard let place = placeOfContract[other.instrumentName],
                    state.contracts[place].instrument.baseCurrency == underlying,
                    let figure = engine.figure(other.instrumentName, greek)
                else { continue }
                let effect = other.remaining.amount * figure
                (up, down) = (up + max(0, effect), down + min(0, effect))
            }
            let worst = max((held + up).magnitude, (held + down).magnitude)
            // What brings an exposure back that is too large already is no new risk.
            if change * held < 0, change > 0 ? held + up <= bound : held + down >= -bound {
                continue
            }
            if worst > bound {
                return Refusal(by: .exposure, text: greek.column(.usd), figure: worst, bound: bound)
            }
        }
        return nil
    }

    /// An exposure of all books together in an underlying, in US dollars.
    func exposure(_ underlying: String, _ greek: ExposureGreek) -> Double {
        state.holdings.reduce(into: 0.0) { sum, holding in
            guard let place = placeOfContract[holding.instrumentName],
                state.contracts[place].instrument.baseCurrency == underlying,
                let figure = engine.figure(holding.instrumentName, greek)
            else { return }
            sum += holding.quantity.amount * figure
        }
    }

    /// What the order may ask for, by rates, out of what the venue says is available, less what was sent since.
    private func refusalByMargin(_ order: Proposal) -> Refusal? {
        let currency = order.contract.currency
        guard let account = state.accounts.first(where: { $0.line.currency == currency }) else {
            return Refusal(by: .margin, text: "nothing is known of the account in \(currency)")
        }
        var needed = margin(order.contract, order.quantity, order.price)
        for other in state.orders where other.isWorking && other.sentAt >= account.time {
            guard let place = placeOfContract[other.instrumentName],
                state.contracts[place].currency == currency
            else { continue }
            needed += margin(state.contracts[place], other.remaining, other.price)
        }
        let left = account.line.availableFunds - needed
        let least = configuration.guards.marginReserve * account.line.equity
        guard !(left >= least) else { return nil }
        return Refusal(by: .margin, text: "would be left of \(currency)", figure: left, bound: least)
    }

    private func margin(_ contract: Contract, _ quantity: Quantity, _ price: Double) -> Double {
        let amount = quantity.magnitude.amount
        let index = dollars(contract.instrument.baseCurrency) ?? .nan
        let guards = configuration.guards
        guard contract.isOption else {
            let coins = contract.instrument.isInverse ? amount / price : amount * price
            return coins * guards.futureMargin
        }
        if quantity > .zero { return amount * price }
        return amount * guards.optionMargin * (contract.instrument.isInverse ? 1 : index)
    }
}
