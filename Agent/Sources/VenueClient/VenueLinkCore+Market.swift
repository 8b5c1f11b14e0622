import VenueProtocol

/// The market's line: what is listed, which channels that makes, and what they say.
extension VenueLinkCore {
    /// The connection is ready; instruments have to be listed, and what is followed of them subscribed.
    func beginMarket(at time: Int) {
        unlisted = Set(configuration.currencies)
        chainAt = configuration.chainInterval == nil ? .max : time
        for channel in marketLine.channels {
            lastSpoken[channel] = time
            if case .book? = ChannelName(channel) {
                awaitsSnapshot[channel] = awaitsSnapshot[channel] ?? time
            }
        }
        knowsStatus = false
        ask(.status, "public/status", Selection(), at: time)
        listInstruments(at: time)
    }

    private func listInstruments(at time: Int) {
        instrumentsAt = time + configuration.instrumentsInterval
        for currency in configuration.currencies {
            var selection = Selection()
            selection.currency = currency
            selection.isExpired = false
            ask(.instruments(currency: currency), "public/get_instruments", selection, at: time)
        }
    }

    private func ask(_ question: Question, _ method: String, _ selection: Selection, at time: Int) {
        questions[marketLine.request(method, selection, at: time)] = question
    }

    /// What is due by the clock.
    func keepMarket(at time: Int) {
        if instrumentsAt <= time {
            listInstruments(at: time)
            if !knowsStatus { ask(.status, "public/status", Selection(), at: time) }
        }
        if chainAt <= time, let interval = configuration.chainInterval {
            chainAt = time + interval
            for currency in configuration.currencies {
                var selection = Selection()
                selection.currency = currency
                ask(.chain(currency: currency), "public/get_book_summary_by_currency", selection, at: time)
            }
        }
        // A snapshot may have been lost too.
        let late = awaitsSnapshot.filter { time - $0.value > configuration.connection.deadline }
        restartBooks(late.keys.sorted(), at: time)
        for index in configuration.indices {
            for channel in ["deribit_price_index.\(index)", "markprice.options.\(index)"]
            where time - (lastSpoken[channel] ?? time) > configuration.longestSilence {
                lastSpoken[channel] = time
                emit(.silent(channel), at: time)
                marketLine.restart([channel], at: time)
            }
        }
    }

    /// Asks for books anew: their channels begin with a snapshot.
    func restartBooks(_ channels: [String], at time: Int) {
        for channel in channels { awaitsSnapshot[channel] = time }
        marketLine.restart(channels, at: time)
    }

    func answered(_ question: Question, _ outcome: ClientConnection.Outcome, at time: Int) {
        guard case .result(let result) = outcome else {
            // Asked again in a second; a chain comes round by itself.
            switch question {
            case .status, .instruments, .instrument: instrumentsAt = min(instrumentsAt, time + 1_000_000)
            case .chain, .call: break
            }
            return
        }
        do throws(VenueProtocolError) {
            switch question {
            case .status:
                _ = tell(.status(try PlatformStatus(result)), at: time)
                knowsStatus = true
            case .instruments(let currency):
                let list = try [Instrument](result)
                let gone = market.instruments.values.filter { MarketPicture.isOf(currency, $0) }.map(\.name)
                _ = tell(.instruments(currency: currency, list), at: time)
                leave(gone.filter { market.instruments[$0] == nil }, at: time)
                unlisted.remove(currency)
                join(list, at: time)
            case .instrument:
                let instrument = try Instrument(result)
                _ = tell(.instrument(instrument), at: time)
                join([instrument], at: time)
            case .chain(let currency):
                _ = tell(.chain(currency: currency, try [BookSummary](result)), at: time)
            case .call: break
            }
        } catch {
            emit(.unreadable(channel: "\(question)", reason: error.description), at: time)
            instrumentsAt = min(instrumentsAt, time + 1_000_000)
        }
    }

    // MARK: Channels

    private func channels(of instrument: Instrument) -> [String] {
        let (name, interval) = (instrument.name, configuration.interval)
        var result: [String] = []
        if configuration.followsBook(instrument) { result.append("book.\(name).\(interval.rawValue)") }
        if configuration.followsTicker(instrument) { result.append("ticker.\(name).\(interval.rawValue)") }
        if configuration.followsTrades(instrument) { result.append("trades.\(name).\(interval.rawValue)") }
        return result
    }

    private func join(_ list: [Instrument], at time: Int) {
        let known = Set(marketLine.channels)
        let new = list.filter { !($0.state?.isOver ?? false) }.flatMap { channels(of: $0) }
            .filter { !known.contains($0) }
        unconfirmed.formUnion(new)
        for channel in new {
            if case .book? = ChannelName(channel) { awaitsSnapshot[channel] = time }
        }
        marketLine.add(new, at: time)
    }

    private func leave(_ names: [String], at time: Int) {
        guard !names.isEmpty else { return }
        let gone = Set(names)
        let channels = marketLine.channels.filter { ChannelName($0)?.instrument.map(gone.contains) ?? false }
        unconfirmed.subtract(channels)
        for channel in channels { awaitsSnapshot[channel] = nil }
        marketLine.remove(channels, at: time)
    }

    // MARK: Notifications

    func noteMarket(_ channel: String, _ json: JSONValue, at time: Int) {
        lastSpoken[channel] = time
        do throws(VenueProtocolError) {
            let content = try Self.content(of: channel, json)
            let fault = tell(content, at: time)
            if case .book(let message) = content {
                guard let fault else {
                    awaitsSnapshot[channel] = nil
                    return
                }
                // Those that come between the gap and the new snapshot are expected.
                guard fault.wasValid else { return }
                let reason = "\(fault.reason)"
                _ = tell(.bookInvalid(instrument: message.instrumentName, reason: reason), at: time)
                restartBooks([channel], at: time)
            }
            if case .instrumentState(let change) = content { changed(change, at: time) }
        } catch {
            emit(.unreadable(channel: channel, reason: error.description), at: time)
            guard case .book(let instrument, _)? = ChannelName(channel) else { return }
            // A change that cannot be read is a gap.
            _ = tell(.bookInvalid(instrument: instrument, reason: error.description), at: time)
            restartBooks([channel], at: time)
        }
    }

    private func changed(_ change: InstrumentStateChange, at time: Int) {
        if change.state.isOver {
            leave([change.instrumentName], at: time)
        } else if market.instruments[change.instrumentName] == nil {
            var selection = Selection()
            selection.instrumentName = change.instrumentName
            ask(.instrument(name: change.instrumentName), "public/get_instrument", selection, at: time)
        }
    }

    private static func content(
        of channel: String, _ json: JSONValue
    ) throws(VenueProtocolError) -> VenueEvent.Content {
        switch ChannelName(channel) {
        case .book: .book(try BookMessage(json))
        case .ticker: .ticker(try MarketTicker(json))
        case .markPrices(let index): .marks(index: index, try [MarkPrice](json))
        case .priceIndex: .index(try IndexPrice(json))
        case .trades: .trades(try [PublicTrade](json))
        case .platformState: .platform(try PlatformState(json))
        case .instrumentState: .instrumentState(try InstrumentStateChange(json))
        default: .other(channel: channel, json)
        }
    }
}

extension ChannelName {
    /// The one instrument that it is about.
    var instrument: String? {
        switch self {
        case .book(let name, _), .groupedBook(let name, _, _, _), .ticker(let name, _),
            .incrementalTicker(let name), .quote(let name), .perpetual(let name, _),
            .trades(.instrument(let name), _):
            name
        default: nil
        }
    }
}
