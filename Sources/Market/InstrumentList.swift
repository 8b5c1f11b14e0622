import Checks

/// Names of the facts of a contract in an exchange's list of instruments; dots lead to members of members.
public struct InstrumentLayout: Sendable {
    let exchange: any Exchange.Type
    let name, step, minimum, tick, quote, settlement: String
    /// A list of objects with a price and the tick from there on.
    let tickSteps: (list: String, above: String, tick: String)?
    /// Their product is how many coins or dollars a contract is.
    let multiplier: [String]
    /// Whether step and minimum count contracts rather than amounts.
    let isStepInContracts: Bool

    public init(
        _ exchange: any Exchange.Type, name: String, step: String, minimum: String, multiplier: [String],
        tick: String, tickSteps: (list: String, above: String, tick: String)?, quote: String,
        settlement: String, isStepInContracts: Bool
    ) {
        self.exchange = exchange
        self.name = name
        self.step = step
        self.minimum = minimum
        self.multiplier = multiplier
        self.tick = tick
        self.tickSteps = tickSteps
        self.quote = quote
        self.settlement = settlement
        self.isStepInContracts = isStepInContracts
    }
}

/// Facts of one contract.
public struct InstrumentFacts: Sendable, Equatable {
    /// In units of `Instrument.quantityUnit`.
    public let amount: TradedAmount
    /// Such units per contract.
    public let multiplier: Double
    /// Prices are multiples of it, and of those of `tickSteps` above their prices.
    public let tick: Double?
    public let tickSteps: [(above: Double, tick: Double)]
    public let quoteCurrency, settlementCurrency: String?

    public static func == (a: InstrumentFacts, b: InstrumentFacts) -> Bool {
        a.amount == b.amount && a.multiplier == b.multiplier && a.tick == b.tick
            && a.tickSteps.elementsEqual(b.tickSteps, by: ==) && a.quoteCurrency == b.quoteCurrency
            && a.settlementCurrency == b.settlementCurrency
    }

    /// The tick at a price.
    public func tick(at price: Double) -> Double? {
        tickSteps.last { price >= $0.above }?.tick ?? tick
    }
}

/// An exchange's list of instruments: the reply of `public/get_instruments` and its like, as JSON.
public struct InstrumentList: Sendable {
    private var facts: [Instrument.Key: (facts: InstrumentFacts, place: Place)] = [:]

    public init() {}

    public var count: Int { facts.count }

    /// The facts of a contract.
    public subscript(instrument: Instrument) -> InstrumentFacts? { facts[instrument.key]?.facts }

    /// The facts of the first exchange's contract of a name.
    public subscript(name: String) -> InstrumentFacts? {
        Exchanges.all.lazy.compactMap { facts[Instrument.Key(name, $0)]?.facts }.first
    }

    /// Reads lists, one or several in a file. Facts that a list leaves out may stand in another.
    /// - Throws: `MarketError`; errors of one instrument unless `badRows` skips them, `conflict` among them for a contract that
    ///   stands there twice with different facts.
    public init(_ sources: [Source], _ badRows: inout BadRows) throws(MarketError) {
        for source in sources {
            let (before, skipped) = (facts.count, badRows.skipped.count)
            var isRead = false
            var reader = JSONReader(source)
            var pending = Array(try reader.values().reversed())
            while let value = pending.popLast() {
                do throws(MarketError) {
                    let reply = Reply(value: value)
                    try reply.requireAnswer(in: source)
                    if let elements = value.array ?? value.objectsByName {
                        pending += elements.reversed()
                    } else if let inner = reply.content ?? reply.original(besides: []) {
                        pending.append(inner)
                    } else {
                        try add(value, source)
                        isRead = true
                    }
                } catch {
                    try badRows.note(error)
                }
            }
            if facts.count == before, badRows.skipped.count == skipped, !isRead {
                throw .empty(file: source.name)
            }
        }
    }

    private mutating func add(_ value: JSON, _ source: Source) throws(MarketError) {
        let fields = InstrumentFields(source: source, value: value)
        let layouts = Exchanges.all.map { $0.instrumentLayout }
        let best = Exchanges.best(layouts) {
            fields.member($0.name) != nil
        } count: { layout in
            let names = [layout.step, layout.minimum, layout.tick, layout.quote, layout.settlement]
            return (names + layout.multiplier).count { fields.member($0) != nil }
        }
        guard let layout = best, let name = fields.member(layout.name)?.string else {
            throw fields.failure(layouts[0].name, "is missing")
        }
        let canonical = (try? layout.exchange.instrument(named: name))?.name ?? name
        let key = Instrument.Key(canonical, layout.exchange)
        let (read, place) = (try fields.facts(layout), Place.line(file: source.name, value.line))
        guard let (known, earlier) = facts[key] else {
            facts[key] = (read, place)
            return
        }
        if let (column, own, other) = known.difference(from: read, in: layout) {
            throw .conflict(place, column: column, value: other, earlier: own, at: earlier)
        }
        facts[key] = (known.completed(by: read), earlier)
    }
}

/// The members of one instrument of a list.
private struct InstrumentFields {
    let source: Source
    let value: JSON

    /// A member of members; nil for one that is missing.
    func member(_ path: String) -> JSON? {
        var member: JSON? = value
        for part in path.split(separator: ".") { member = member?[String(part)] }
        return member.flatMap { $0.isMissing ? nil : $0 }
    }

    func failure(_ path: String, _ reason: String) -> MarketError {
        MessageFields(source: source, value: value).failure(path, member(path), reason)
    }

    private func number(_ path: String) throws(MarketError) -> Double? {
        guard let member = member(path) else { return nil }
        guard let number = member.number else { throw failure(path, "is not a number") }
        guard NumberRule.positive.accepts(number) else { throw failure(path, NumberRule.positive.complaint) }
        return number
    }

    func facts(_ layout: InstrumentLayout) throws(MarketError) -> InstrumentFacts {
        var multiplier = 1.0
        for factor in layout.multiplier { multiplier *= try number(factor) ?? 1 }
        let unit = layout.isStepInContracts ? multiplier : 1
        var steps: [(above: Double, tick: Double)] = []
        if let names = layout.tickSteps {
            for (index, step) in (member(names.list)?.array ?? []).enumerated() {
                guard let above = step[names.above]?.number, NumberRule.notNegative.accepts(above),
                    let tick = step[names.tick]?.number, NumberRule.positive.accepts(tick)
                else {
                    throw failure(
                        names.list, "[\(index)] must have \(names.above) and \(names.tick), a number above 0")
                }
                steps.append((above, tick))
            }
        }
        guard let minimum = try number(layout.minimum) else { throw failure(layout.minimum, "is missing") }
        return InstrumentFacts(
            amount: TradedAmount(step: (try number(layout.step) ?? minimum) * unit, minimum: minimum * unit),
            multiplier: multiplier, tick: try number(layout.tick),
            tickSteps: steps.sorted { $0.above < $1.above },
            quoteCurrency: member(layout.quote)?.string,
            settlementCurrency: member(layout.settlement)?.string)
    }
}

extension InstrumentFacts {
    /// The first fact that both know and in which they differ, by its name in a list.
    fileprivate func difference(
        from other: InstrumentFacts, in layout: InstrumentLayout
    ) -> (column: String, own: String, other: String)? {
        let numbers: [(String, Double?, Double?)] = [
            (layout.step, amount.step, other.amount.step),
            (layout.minimum, amount.minimum, other.amount.minimum),
            (layout.multiplier.first ?? "", multiplier, other.multiplier), (layout.tick, tick, other.tick),
        ]
        for case (let name, let own?, let others?) in numbers where own != others {
            return (name, own.shown, others.shown)
        }
        if let names = layout.tickSteps, !tickSteps.isEmpty, !other.tickSteps.isEmpty,
            !tickSteps.elementsEqual(other.tickSteps, by: ==)
        {
            func shown(_ steps: [(above: Double, tick: Double)]) -> String {
                steps.map { "\($0.tick.shown) from \($0.above.shown)" }.joined(separator: ", ")
            }
            return (names.list, shown(tickSteps), shown(other.tickSteps))
        }
        let texts = [
            (layout.quote, quoteCurrency, other.quoteCurrency),
            (layout.settlement, settlementCurrency, other.settlementCurrency),
        ]
        for case (let name, let own?, let others?) in texts where own != others { return (name, own, others) }
        return nil
    }

    /// The same with what another knows beside.
    fileprivate func completed(by other: InstrumentFacts) -> InstrumentFacts {
        InstrumentFacts(
            amount: amount, multiplier: multiplier, tick: tick ?? other.tick,
            tickSteps: tickSteps.isEmpty ? other.tickSteps : tickSteps,
            quoteCurrency: quoteCurrency ?? other.quoteCurrency,
            settlementCurrency: settlementCurrency ?? other.settlementCurrency)
    }
}
