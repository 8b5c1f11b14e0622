import Desk
import Poise
import VenueProtocol

extension Journal {
    /// What a look at a whole journal found.
    public struct Findings: Sendable {
        public var records = 0
        public var orders = 0
        public var faults: [String] = []
    }

    /// Replays the journal from its oldest record on and checks it against itself: every order has a label of its own, and what
    /// the books hold is what was adopted, traded, delivered and accepted.
    /// - Throws: as `replay`.
    public func verify(engine: GreeksEngine) throws -> Findings {
        var findings = Findings()
        var labels: Set<String> = []
        var trades: Set<String> = []
        var held: [String: Quantity] = [:]
        var isAdopted = false
        var isWhole = true
        let replayed = try replay(fromLatest: false, engine: engine) { record in
            if record.number == 1 { isWhole = true } else if findings.records == 0 { isWhole = false }
            findings.records += 1
            for intent in (try? JSONTape(record.intents).root.elements) ?? [] {
                guard let place = intent["place"], let label = place["label"]?.string else { continue }
                findings.orders += 1
                if !labels.insert(label).inserted { findings.faults.append("\(label) was sent twice") }
            }
            func count(_ trade: UserTrade) {
                let name = InstrumentName(trade.instrumentName)
                let currency = name.map { $0.quote ?? $0.base } ?? ""
                guard trades.insert("\(currency) \(trade.tradeID)").inserted, isAdopted else { return }
                held[trade.instrumentName, default: .zero] += Quantity(trade.amount, trade.direction) ?? .zero
            }
            switch record.event.content {
            case .positions(let listed) where !isAdopted:
                isAdopted = true
                for position in listed { held[position.instrumentName] = Quantity(position.size) }
            case .trades(let list): list.forEach(count)
            case .reply(let reply): reply.reply.trades.forEach(count)
            case .delivered(let delivery): held[delivery.instrumentName] = nil
            case .command(let command):
                // A person has taken the venue's word: from here on the sum is another.
                if command.action == .accept { isWhole = false }
            default: break
            }
        }
        guard isWhole else { return findings }
        for name in Set(held.keys).union(replayed.desk.holdings.map(\.instrumentName)).sorted() {
            let (sum, books) = (held[name] ?? .zero, replayed.desk.position(name))
            if sum != books {
                findings.faults.append(
                    "\(name): the books hold \(books.amount), the trades add up to \(sum.amount)")
            }
        }
        return findings
    }
}
