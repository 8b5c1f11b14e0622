import Checks

/// The values of one ticker, in whichever format they came.
package protocol TickerFields {
    var file: String { get }
    var line: Int { get }
    var place: Place { get }
    var layout: TickerLayout { get }
    /// The exchange whose contracts are meant, where neither a field nor the layout says.
    var exchange: (any Exchange.Type)? { get }
    /// A value as text; nil where it is missing.
    func text(_ field: TickerField) -> String?
    /// A value as a number; nil where it is missing.
    func number(_ field: TickerField, _ rule: NumberRule) throws(MarketError) -> Double?
    /// A value as a time; nil where it is missing.
    func time(_ field: TickerField) throws(MarketError) -> Timestamp?
    /// Levels of `[price, amount]`; nil where they are absent.
    func levels(_ field: TickerField) throws(MarketError) -> [OrderLevel]?
    /// The source's name of a field.
    func name(_ field: TickerField) -> String
    /// The error about a field that must have a value and has none.
    func missing(_ field: TickerField) -> MarketError
}

/// The content of a row or an object.
package enum TickerReading {
    /// A ticker, and what in it is doubtful.
    case ticker(Ticker, doubt: MarketError?)
    /// An instrument of a kind that risk knows nothing of, such as a combination.
    case otherKind(name: String)
}

extension TickerFields {
    package var place: Place { .line(file: file, line) }

    package func name(_ field: TickerField) -> String { layout.name(field) }

    package func missing(_ field: TickerField) -> MarketError { invalid(field, "", "is missing") }

    /// Levels of a text, `[[price, amount], …]`.
    package func levels(_ field: TickerField, of text: String) throws(MarketError) -> [OrderLevel] {
        if text == "[]" { return [] }
        var reader = JSONReader(Source(name: file, text: text))
        let values: [JSON]
        do throws(MarketError) { values = try reader.values() } catch { values = [] }
        guard values.count == 1, let pairs = values[0].pairs else {
            throw invalid(field, text, "must be a list of [price, amount]")
        }
        return try checked(field, pairs)
    }

    package func invalid(_ field: TickerField, _ value: String, _ reason: String) -> MarketError {
        .invalidValue(place, column: name(field), value: value, reason: reason)
    }

    private func required(_ field: TickerField, _ rule: NumberRule) throws(MarketError) -> Double {
        guard let value = try number(field, rule) else { throw missing(field) }
        return value
    }

    /// The instrument; nil where it is of a kind that risk knows nothing of.
    private func instrument() throws(MarketError) -> (name: String, Instrument?) {
        guard let name = text(.instrument) else { throw missing(.instrument) }
        if let kind = text(.kind), kind.hasSuffix("_combo") { return (name, nil) }
        var stated: (any Exchange.Type)?
        if let named = text(.exchange) {
            stated = Exchanges.named(named)
            if stated == nil { throw invalid(.exchange, named, Exchanges.unknown) }
        } else if layout.exchange != Exchanges.all[0] {
            // The first exchange's layout is that of tables from anywhere.
            stated = layout.exchange
        }
        do throws(InstrumentNameError) {
            if let stated { return (name, try stated.instrument(named: name)) }
            return (name, try Instrument(name: name, on: exchange))
        } catch .combination {
            return (name, nil)
        } catch {
            throw invalid(.instrument, name, "\(error)")
        }
    }

    /// The option that the fields name, whatever else is wrong with them.
    package var namedOption: Instrument? {
        guard let named = try? instrument().1, named.isOption else { return nil }
        return named
    }

    /// The ticker that the fields describe.
    package func reading() throws(MarketError) -> TickerReading {
        let (listed, known) = try instrument()
        guard let instrument = known else { return .otherKind(name: listed) }
        guard let timestamp = try time(.timestamp) else { throw missing(.timestamp) }
        if let expiry = instrument.expiry, timestamp >= expiry {
            throw invalid(
                .instrument, listed,
                "expired at \(expiry), \(timestamp == expiry ? "the time of this row" : "before this row's \(timestamp)")"
            )
        }
        let isOption = instrument.isOption
        let underlyingPrice =
            isOption ? try required(.underlyingPrice, .positive) : try number(.underlyingPrice, .positive)
        let markPrice =
            isOption ? try number(.markPrice, .notNegative) : try required(.markPrice, .positive)
        let interestRate = try number(.interestRate, .finite) ?? 0
        let published = try publishedGreeks()
        var (volatility, isImplied, doubt) = (Double?.none, false, MarketError?.none)
        if isOption, let underlyingPrice {
            let check = MarkCheck(instrument, at: timestamp, forward: underlyingPrice, rate: interestRate)
            (volatility, isImplied, doubt) = try self.volatility(check, mark: markPrice, published)
        }
        let (bids, asks) = try orderBook()
        return .ticker(
            Ticker(
                instrument: instrument, timestamp: timestamp, place: place, layout: layout,
                underlyingPrice: underlyingPrice, underlyingIndex: text(.underlyingIndex),
                indexPrice: try number(.indexPrice, .positive), markPrice: markPrice,
                markVolatility: volatility, isVolatilityImplied: isImplied, interestRate: interestRate,
                openInterest: try number(.openInterest, .notNegative), bids: bids, asks: asks,
                published: published),
            doubt: doubt)
    }

    /// The volatility that is given or else that of the mark, and what is doubtful about it.
    /// - Throws: where a unit is mixed up, or where there is none.
    private func volatility(
        _ check: MarkCheck, mark: Double?, _ published: PublishedGreeks?
    ) throws(MarketError) -> (Double, isImplied: Bool, doubt: MarketError?) {
        guard let given = try number(.markVolatility, .notNegative) else {
            guard let mark else { throw missing(.markVolatility) }
            guard let implied = check.volatility(ofMark: mark) else {
                throw invalid(
                    .markVolatility, "",
                    "is missing, and no volatility gives the \(name(.markPrice)) of \(mark)")
            }
            return (implied, true, nil)
        }
        let volatility = given / layout.volatilityUnit.rawValue
        // Greeks that are all 0 stand for none; a delta may stand alone.
        let alone = try number(.delta, .finite).flatMap { $0 == 0 ? nil : $0 }
        let delta = published.map { $0.delta == 0 && $0.vega == 0 ? nil : $0.delta } ?? alone
        guard let found = check.contradiction(volatility: volatility, mark: mark, delta: delta) else {
            return (volatility, false, nil)
        }
        let facts: [(field: TickerField, value: Double)] = [
            (.markVolatility, given),
            found.isOfDelta ? (.delta, delta ?? .nan) : (.markPrice, mark ?? .nan),
        ]
        let (accused, other) = found.isOfDelta ? (facts[1], facts[0]) : (facts[0], facts[1])
        let reason =
            "contradicts \(name(other.field)) \(other.value): the volatility gives \(Float(found.expected))"
        guard let guess = found.guess else {
            return (volatility, false, invalid(accused.field, "\(accused.value)", reason))
        }
        throw invalid(accused.field, "\(accused.value)", "\(reason); \(guess)")
    }

    /// The levels, or where a reply has none the best prices; a price of 0 stands for no quote.
    private func orderBook() throws(MarketError) -> (bids: [OrderLevel], asks: [OrderLevel]) {
        typealias Side = (field: TickerField, levels: [OrderLevel])
        func side(_ field: TickerField, _ best: TickerField, _ amount: TickerField) throws(MarketError)
            -> Side
        {
            if let levels = try levels(field) { return (field, levels) }
            guard let price = try number(best, .notNegative), price > 0 else { return (best, []) }
            return (best, [OrderLevel(price: price, amount: try number(amount, .notNegative) ?? 0)])
        }
        let bids = try side(.bids, .bidPrice, .bidAmount)
        let asks = try side(.asks, .askPrice, .askAmount)
        if let complaint = OrderLevel.complaint(bids: bids.levels, asks: asks.levels) {
            throw invalid(bids.field, "\(bids.levels.first?.price ?? .nan)", complaint)
        }
        return (bids.levels, asks.levels)
    }

    private func publishedGreeks() throws(MarketError) -> PublishedGreeks? {
        guard let delta = try number(.delta, .finite), let gamma = try number(.gamma, .finite),
            let vega = try number(.vega, .finite), let theta = try number(.theta, .finite)
        else { return nil }
        return PublishedGreeks(
            delta: delta, gamma: gamma, vega: vega, theta: theta, rho: try number(.rho, .finite))
    }

    /// Checked levels from pairs of numbers: best first.
    func checked(_ field: TickerField, _ pairs: [(Double, Double)]) throws(MarketError) -> [OrderLevel] {
        var levels: [OrderLevel] = []
        for (price, amount) in pairs {
            if let last = levels.last?.price, field == .bids ? price > last : price < last {
                throw invalid(field, "\(price)", "is better than the level before it, \(last): best first")
            }
            for (value, rule) in [(price, NumberRule.positive), (amount, .notNegative)]
            where !rule.accepts(value) {
                throw invalid(field, "\(value)", rule.complaint)
            }
            // Of nothing there is no level, as exchanges tell of one that is gone.
            if amount > 0 { levels.append(OrderLevel(price: price, amount: amount)) }
        }
        return levels
    }
}
