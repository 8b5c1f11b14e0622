import Poise
import VenueProtocol

/// What is known of the market, each with the time at which it came.
extension Desk {
    // MARK: Contracts

    func list(_ instrument: VenueInstrument) {
        if let place = placeOfContract[instrument.name] {
            state.contracts[place].instrument = instrument
            if let now = instrument.state { state.contracts[place].state = now }
            return
        }
        guard instrument.kind == .future || instrument.kind == .option,
            (try? Deribit.instrument(named: instrument.name)) != nil
        else { return }
        var contract = Contract()
        contract.instrument = instrument
        contract.state = instrument.state ?? .open
        placeOfContract[instrument.name] = state.contracts.count
        state.contracts.append(contract)
        if let index = instrument.priceIndex,
            let known = state.indices.firstIndex(where: { $0.name == index })
        {
            // The list of an index's contracts has changed: the next price chooses again.
            state.indices[known].chosenPrice = 0
        }
    }

    func take(_ change: InstrumentStateChange) {
        guard let place = placeOfContract[change.instrumentName] else { return }
        let before = state.contracts[place].state
        state.contracts[place].state = change.state
        if change.state == .delivered || change.state == .archivized {
            return deliver(
                Delivery(
                    change.instrumentName, price: state.contracts[place].ticker?.deliveryPrice.value))
        }
        guard before != change.state, change.state != .open else { return }
        report(.alarm, change.instrumentName, "is \(change.state.rawValue) now: no orders until it opens")
    }

    /// A contract is over: the books hold nothing of it any more, whatever it paid.
    func deliver(_ delivery: Delivery) {
        let name = delivery.instrumentName
        guard let place = placeOfContract[name], !state.contracts[place].isDelivered else { return }
        state.contracts[place].isDelivered = true
        state.contracts[place].state = .delivered
        state.contracts[place].isCandidate = false
        for holding in state.holdings where holding.instrumentName == name {
            report(
                .delivered, name, "\(holding.book) held it at delivery", holding.quantity.amount,
                delivery.price)
        }
        state.holdings.removeAll { $0.instrumentName == name }
        state.dust.removeAll { $0.instrumentName == name }
        state.suspects.removeAll { $0.instrumentName == name }
        places.follow(state, placeOfContract)
        do throws(RiskError) { try engine.remove(name, books: configuration.books.map(\.name)) } catch {
            report(.alarm, name, "could not be taken off the exposures: \(error)")
        }
    }

    /// Contracts of which the desk wants tickers and order books, in the order of the venue's list.
    public var wanted: [String] {
        state.contracts.indices.filter { isWanted($0) }.map { state.contracts[$0].instrument.name }
    }

    func isWanted(_ place: Int) -> Bool {
        !state.contracts[place].isDelivered && (state.contracts[place].isCandidate || places.isHeld(place))
    }

    // MARK: Prices

    func take(_ ticker: MarketTicker) {
        guard let place = placeOfContract[ticker.instrumentName] else { return }
        // An older one, or one that is no price, changes nothing: its age will tell.
        let last = state.contracts[place].ticker?.timestamp ?? .min
        guard ticker.timestamp >= last, ticker.markPrice > 0, ticker.markPrice.isFinite else { return }
        if state.contracts[place].ticker == nil { places.figuresChanged() }
        state.contracts[place].ticker = ticker
        state.contracts[place].tickerTime = ticker.timestamp
        if let now = ticker.state, now != state.contracts[place].state {
            take(change(ticker.instrumentName, now))
        }
        enlist(place)
    }

    private func change(_ name: String, _ now: BookState) -> InstrumentStateChange {
        var change = InstrumentStateChange()
        (change.instrumentName, change.state, change.timestamp) = (name, now, state.time)
        return change
    }

    func take(_ marks: [MarkPrice]) {
        for mark in marks {
            guard let place = placeOfContract[mark.instrumentName], let volatility = mark.iv,
                volatility > 0, volatility.isFinite, mark.markPrice > 0,
                var ticker = state.contracts[place].ticker
            else { continue }
            let time = mark.timestamp ?? state.time
            guard time >= ticker.timestamp else { continue }
            (ticker.markIV, ticker.markPrice) = (volatility * 100, mark.markPrice)
            ticker.timestamp = time
            state.contracts[place].ticker = ticker
            state.contracts[place].tickerTime = time
            do throws(RiskError) { try engine.setVolatility(volatility, of: mark.instrumentName) } catch {
                refuse(place, "\(error)")
            }
        }
    }

    func take(_ book: BookView) {
        guard let place = placeOfContract[book.instrumentName] else { return }
        var book = book
        if let bid = book.bids.first, let ask = book.asks.first, bid.price >= ask.price {
            book.isValid = false
        }
        if !book.isValid { (book.bids, book.asks) = ([], []) }
        state.contracts[place].book = book
        state.contracts[place].bookTime = state.time
        places.bookChanged(place)
        if state.contracts[place].isCandidate, state.contracts[place].ticker != nil { enlist(place) }
    }

    func take(_ index: IndexPrice) {
        guard index.price > 0, index.price.isFinite else { return }
        if let place = state.indices.firstIndex(where: { $0.name == index.indexName }) {
            guard index.timestamp >= state.indices[place].time else { return }
            state.indices[place].price = index.price
            state.indices[place].time = index.timestamp
        } else {
            var fresh = IndexState()
            (fresh.name, fresh.price, fresh.time) = (index.indexName, index.price, index.timestamp)
            state.indices.append(fresh)
        }
        guard let place = state.indices.firstIndex(where: { $0.name == index.indexName }) else { return }
        let chosen = state.indices[place].chosenPrice
        guard chosen == 0 || (index.price - chosen).magnitude > 0.015 * chosen else { return }
        state.indices[place].chosenPrice = index.price
        chooseCandidates(index.indexName, price: index.price)
    }

    func take(_ price: ReferencePrice) {
        if let place = state.references.firstIndex(where: { $0.reference.underlying == price.underlying }) {
            state.references[place].reference = price
            state.references[place].time = state.time
        } else {
            var fresh = ReferenceState()
            (fresh.reference, fresh.time) = (price, state.time)
            state.references.append(fresh)
        }
    }

    /// Dollars of a unit of a currency; nil where no index says.
    func dollars(_ currency: String) -> Double? {
        if ["USD", "USDC", "USDT"].contains(currency) { return 1 }
        let prefix = currency.lowercased() + "_usd"
        return state.indices.first { $0.name == prefix }?.price
            ?? state.indices.first { $0.name.hasPrefix(prefix) }?.price
    }

    // MARK: The engine's picture

    /// Gives a contract's ticker to the engine, and with it, if it may be traded, its order book.
    func enlist(_ place: Int) {
        guard isWanted(place) else { return }
        let contract = state.contracts[place]
        guard let ticker = contract.ticker else { return }
        let name = contract.instrument.name
        let isNew = !engine.isListed(name)
        let taken: Ticker
        do {
            let none = BookView(name, bids: [], asks: [], isValid: false)
            taken = try DeskEngine.ticker(ticker, book: contract.book ?? none)
            try engine.take(taken)
            if isNew {
                for holding in state.holdings where holding.instrumentName == name {
                    try engine.setPosition(name, book: holding.book, holding.quantity)
                }
            }
        } catch { return refuse(place, "\(error)") }
        if state.contracts[place].refusal != nil {
            state.contracts[place].refusal = nil
            places.figuresChanged()
            report(.resolved, name, "its price is taken again")
        }
        guard contract.isCandidate else { return }
        guard !engine.isOffered(name) else { return }
        do throws(RiskError) {
            try engine.offer(taken, step: contract.step.amount, minimum: contract.minimum.amount)
        } catch { refuse(place, "\(error)") }
    }

    /// What the venue says of a contract did not come into the exposures. That is said once, until it does.
    private func refuse(_ place: Int, _ reason: String) {
        guard state.contracts[place].refusal == nil else { return }
        state.contracts[place].refusal = reason
        places.figuresChanged()
        report(.alarm, state.contracts[place].instrument.name, "its price was refused: \(reason)")
    }

    // MARK: Candidates

    /// Chooses what hedges of an index's underlying may be made with: perpetuals, futures, and options about the money.
    private func chooseCandidates(_ index: String, price: Double) {
        let settings = configuration.candidates
        var names: Set<String> = []
        var underlying = ""
        func isOfIndex(_ contract: Contract) -> Bool {
            contract.instrument.priceIndex == index && !contract.isDelivered
                && (contract.instrument.isInverse ? settings.inverse : settings.linear)
        }
        var expiries: [Int] = []
        for contract in state.contracts where isOfIndex(contract) {
            underlying = contract.instrument.baseCurrency
            let days = contract.daysLeft(at: state.time)
            switch (contract.instrument.kind, contract.isPerpetual) {
            case (.future, true): if settings.perpetuals { names.insert(contract.instrument.name) }
            case (.future, false):
                if settings.futures, days >= settings.leastDays { names.insert(contract.instrument.name) }
            default:
                if let expiry = contract.instrument.expirationTimestamp, days >= settings.leastDays,
                    !expiries.contains(expiry)
                {
                    expiries.append(expiry)
                }
            }
        }
        guard configuration.limits.contains(where: { $0.underlying == underlying }) else { return }
        for expiry in expiries.sorted().prefix(settings.optionExpiries) {
            let listed = state.contracts.filter {
                isOfIndex($0) && $0.instrument.kind == .option
                    && $0.instrument.expirationTimestamp == expiry
            }
            let strikes = Set(listed.compactMap(\.instrument.strike)).sorted()
            let near =
                strikes.filter { $0 <= price }.suffix(settings.optionStrikes)
                + strikes.filter { $0 > price }.prefix(settings.optionStrikes)
            for contract in listed where near.contains(contract.instrument.strike ?? 0) {
                names.insert(contract.instrument.name)
            }
        }
        for place in state.contracts.indices where state.contracts[place].instrument.priceIndex == index {
            state.contracts[place].isCandidate = names.contains(state.contracts[place].instrument.name)
        }
        let all = Set(
            state.contracts.filter { $0.isCandidate && $0.instrument.baseCurrency == underlying }
                .map(\.instrument.name))
        places.follow(state, placeOfContract)
        engine.choose(all, underlying: underlying)
        for place in state.contracts.indices where state.contracts[place].isCandidate { enlist(place) }
    }
}

extension Contract {
    var isPerpetual: Bool { instrument.settlementPeriod == .perpetual }
    var isOption: Bool { instrument.kind == .option }
    /// In which trades, orders and fees of it are counted.
    var currency: String {
        instrument.settlementCurrency
            ?? (instrument.isInverse ? instrument.baseCurrency : instrument.quoteCurrency)
    }

    func daysLeft(at time: Int) -> Double {
        guard !isPerpetual, let expiry = instrument.expirationTimestamp else { return .infinity }
        return Double(expiry - time) / Double(VenueTime.day)
    }

    var minimum: Quantity { Quantity(instrument.minimumTradeAmount) ?? .zero }

    /// Amounts are whole numbers of it.
    var step: Quantity {
        let least = instrument.minimumTradeAmount.value
        return Quantity(isOption ? least : min(instrument.contractSize, least)) ?? .zero
    }

    /// What a unit of it stands for, in dollars.
    func notional(perUnitAt index: Double) -> Double { instrument.isInverse && !isOption ? 1 : index }

    /// Dollars that a long unit gains when its price rises by one; `price` is near where it trades.
    func dollarsPerPrice(at price: Double, index: Double) -> Double {
        guard instrument.isInverse else { return 1 }
        return isOption ? index : 1 / price
    }
}
