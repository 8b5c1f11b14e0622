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
    private var facts: [String: InstrumentFacts] = [:]

    public init() {}

    public var count: Int { facts.count }

    public subscript(name: String) -> InstrumentFacts? { facts[name] }

    /// Reads lists, one or several in a file.
    /// - Throws: `MarketError`; errors of one instrument unless `badRows` skips them.
    public init(_ sources: [Source], _ badRows: inout BadRows) throws(MarketError) {
        for source in sources {
            let (before, skipped) = (facts.count, badRows.skipped.count)
            var reader = JSONReader(source)
            var pending = Array(try reader.values().reversed())
            while let value = pending.popLast() {
                if let elements = value.array {
                    pending += elements.reversed()
                } else if let inner = ["result", "data", "list"].lazy.compactMap({ value[$0] }).first {
                    pending.append(inner)
                } else {
                    do throws(MarketError) { try add(value, source) } catch { try badRows.note(error) }
                }
            }
            if facts.count == before, badRows.skipped.count == skipped { throw .empty(file: source.name) }
        }
    }

    private mutating func add(_ value: JSON, _ source: Source) throws(MarketError) {
        func member(_ path: String) -> JSON? {
            var member: JSON? = value
            for part in path.split(separator: ".") { member = member?[String(part)] }
            return member.flatMap { $0.isNull ? nil : $0 }
        }
        func failure(_ path: String, _ reason: String) -> MarketError {
            MessageFields(source: source, value: value).failure(path, member(path), reason)
        }
        let layouts = Exchanges.all.map { $0.instrumentLayout }
        let best = Exchanges.best(layouts) {
            member($0.name) != nil
        } count: { layout in
            let fields = [layout.step, layout.minimum, layout.tick, layout.quote, layout.settlement]
            return (fields + layout.multiplier).count { member($0) != nil }
        }
        guard let layout = best, let name = member(layout.name)?.string else {
            throw failure(layouts[0].name, "is missing")
        }
        func number(_ path: String) throws(MarketError) -> Double? {
            guard let member = member(path) else { return nil }
            guard let number = member.number, NumberRule.positive.accepts(number) else {
                throw failure(path, NumberRule.positive.complaint)
            }
            return number
        }
        var multiplier = 1.0
        for factor in layout.multiplier { multiplier *= try number(factor) ?? 1 }
        let unit = layout.isStepInContracts ? multiplier : 1
        var steps: [(above: Double, tick: Double)] = []
        if let names = layout.tickSteps {
            for (index, step) in (member(names.list)?.array ?? []).enumerated() {
                guard let above = step[names.above]?.number, let tick = step[names.tick]?.number else {
                    throw failure(names.list, "[\(index)] must have \(names.above) and \(names.tick)")
                }
                steps.append((above, tick))
            }
        }
        let canonical = (try? layout.exchange.instrument(named: name))?.name ?? name
        guard let minimum = try number(layout.minimum) else { throw failure(layout.minimum, "is missing") }
        facts[canonical] = InstrumentFacts(
            amount: TradedAmount(step: (try number(layout.step) ?? minimum) * unit, minimum: minimum * unit),
            multiplier: multiplier, tick: try number(layout.tick),
            tickSteps: steps.sorted { $0.above < $1.above },
            quoteCurrency: member(layout.quote)?.string,
            settlementCurrency: member(layout.settlement)?.string)
    }
}
