/// Names of the facts of a contract in an exchange's list of instruments; dots lead to members of members.
public struct InstrumentLayout: Sendable {
    let exchange: any Exchange.Type
    let name, step, minimum, tick, tickSteps, quote, settlement: String?
    /// Their product is how many coins or dollars a contract is.
    let multiplier: [String]
    /// Whether step and minimum count contracts rather than amounts.
    let isStepInContracts: Bool

    public init(
        _ exchange: any Exchange.Type, name: String, step: String, minimum: String, multiplier: [String],
        tick: String, tickSteps: String?, quote: String, settlement: String, isStepInContracts: Bool
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
    /// - Throws: `MarketError`; errors of one instrument go to `badRows` first.
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
        func member(_ path: String?) -> JSON? {
            var member: JSON? = path == nil ? nil : value
            for part in path?.split(separator: ".") ?? [] { member = member?[String(part)] }
            return member.flatMap { $0.isNull ? nil : $0 }
        }
        func failure(_ path: String?, _ reason: String) -> MarketError {
            MessageFields(source: source, value: value).failure(path ?? "", member(path), reason)
        }
        let layouts = Exchanges.all.map { $0.instrumentLayout }
        guard let layout = layouts.first(where: { member($0.name) != nil }),
            let name = member(layout.name)?.string
        else { throw failure(layouts[0].name, "is missing") }
        func number(_ path: String?) throws(MarketError) -> Double? {
            guard let member = member(path) else { return nil }
            guard let number = member.number, number > 0, number < .infinity else {
                throw failure(path, "must be a number above 0")
            }
            return number
        }
        func required(_ path: String?) throws(MarketError) -> Double {
            guard let number = try number(path) else { throw failure(path, "is missing") }
            return number
        }
        var multiplier = 1.0
        for factor in layout.multiplier { multiplier *= try number(factor) ?? 1 }
        let unit = layout.isStepInContracts ? multiplier : 1
        var steps: [(above: Double, tick: Double)] = []
        for (index, step) in (member(layout.tickSteps)?.array ?? []).enumerated() {
            guard let above = step["above_price"]?.number, let tick = step["tick_size"]?.number else {
                throw failure(layout.tickSteps, "[\(index)] must have above_price and tick_size")
            }
            steps.append((above, tick))
        }
        let canonical = (try? layout.exchange.instrument(named: name))?.name ?? name
        let minimum = try required(layout.minimum)
        facts[canonical] = InstrumentFacts(
            amount: TradedAmount(step: (try number(layout.step) ?? minimum) * unit, minimum: minimum * unit),
            multiplier: multiplier, tick: try number(layout.tick),
            tickSteps: steps.sorted { $0.above < $1.above },
            quoteCurrency: member(layout.quote)?.string,
            settlementCurrency: member(layout.settlement)?.string)
    }
}
