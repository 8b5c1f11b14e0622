import Checks
import Greeks
import Market

/// The form of a saved desk: a line with the version and the checksum of what follows, then JSON with all digits of each
/// number.
extension LiveState {
    static let version = 1
    private static let title = "poise desk"

    /// The file.
    var text: String {
        var templates: [[GroupLabel]] = []
        var numbers: [[GroupLabel]: Int] = [:]
        for contract in contracts where numbers[contract.labels] == nil {
            numbers[contract.labels] = templates.count
            templates.append(contract.labels)
        }
        var json = JSONWriter()
        json.object { json in
            json.member("numeraire", numeraire.rawValue)
            json.member("groupings", groupings.map(\.rawValue))
            json.array("underlyings", lines: 2) { json in
                for underlying in underlyings {
                    json.array { json in
                        json.value(underlying.name)
                        json.value(underlying.reference)
                    }
                }
            }
            json.array("slices", lines: 2) { json in
                for slice in slices {
                    json.array { json in
                        json.value(slice.slice.underlying)
                        json.value(slice.slice.name)
                        json.value(slice.price)
                        json.value(slice.rate)
                        json.value(slice.time.milliseconds)
                    }
                }
            }
            json.array("templates", lines: 2) { json in
                for template in templates {
                    json.array { json in
                        for label in template {
                            json.value(label.text)
                            // The last of all has no number that JSON keeps.
                            json.value(label.rank == .max ? -1 : label.rank)
                        }
                    }
                }
            }
            json.array("contracts", lines: 2) { json in
                for contract in contracts {
                    json.array { json in
                        contract.instrument.write(to: &json)
                        json.value(contract.slice)
                        json.value(contract.isListed)
                        json.value(contract.volatility)
                        json.value(contract.time.milliseconds)
                        json.value(numbers[contract.labels] ?? 0)
                    }
                }
            }
            json.member("books", books)
            json.array("groups", lines: 2) { json in for group in groups { json.value(group) } }
            json.array("positions", lines: 2) { json in
                for position in positions {
                    json.array { json in
                        json.value(position.book)
                        json.value(position.contract)
                        json.value(position.quantity)
                    }
                }
            }
            json.array("cash", lines: 2) { json in
                for amount in cash {
                    json.array { json in
                        json.value(amount.book)
                        json.value(amount.currency)
                        json.value(amount.amount)
                    }
                }
            }
            json.member("tenor_days", tenorDays)
            json.member("moneyness", moneyness)
            json.object("desks") { json in
                for (book, desk) in deskOfBook.sorted(by: { $0.key < $1.key }) { json.member(book, desk) }
            }
        }
        let body = json.take() + "\n"
        return "\(Self.title) \(Self.version) \(Self.checksum(of: body))\n" + body
    }

    private static func checksum(of body: some StringProtocol) -> String {
        let digits = String(Checksum.of(body.utf8), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Reads the file.
    /// - Throws: `unreadableState` for what is no saved desk, of a later version, damaged, or does not fit together.
    init(_ source: Source) throws(RiskError) {
        let text = String(decoding: source.bytes, as: UTF8.self)
        guard let end = text.utf8.firstIndex(of: UInt8(ascii: "\n")) else {
            throw .unreadableState("\(source.name) is no saved desk: it has no first line")
        }
        let words = text[..<end].split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 4, words[0] + " " + words[1] == Self.title, let version = Int(words[2]) else {
            throw .unreadableState(
                "\(source.name) is no saved desk: it does not begin with \"\(Self.title)\"")
        }
        guard version == Self.version else {
            throw .unreadableState(
                "\(source.name) is of version \(version), and this library reads \(Self.version)")
        }
        let body = text[text.utf8.index(after: end)...]
        guard words[3] == Self.checksum(of: body) else {
            throw .unreadableState("\(source.name) is damaged: its checksum is not the one of its first line")
        }
        var reader = JSONReader(Source(name: source.name, bytes: Array(body.utf8)))
        do throws(MarketError) {
            guard let value = try reader.values().first else {
                throw MarketError.empty(file: source.name)
            }
            try self.init(StateReader(name: source.name, value: value))
        } catch {
            throw .unreadableState("\(source.name): \(error.reason)")
        }
        try check(source.name)
    }

    private init(_ file: StateReader) throws(MarketError) {
        let groupings = try file.texts("groupings").map { Grouping(rawValue: $0) }
        let numeraire = Numeraire(rawValue: try file.text(file.member("numeraire")))
        guard let numeraire, !groupings.contains(nil) else { throw file.failure("groupings") }
        let underlyings = try file.rows("underlyings", 2) { row throws(MarketError) in
            (try file.text(row[0]), try file.number(row[1]))
        }
        var slices: [(slice: LiveRisk.Slice, price: Double, rate: Double, time: Timestamp)] = []
        var names: [String] = []
        var places: [(underlying: Int, price: Double, rate: Double, time: Timestamp)] = []
        for row in try file.rows("slices", 5, { row throws(MarketError) in row }) {
            names.append(try file.text(row[1]))
            places.append(
                (
                    try file.place(row[0], below: underlyings.count), try file.number(row[2]),
                    try file.number(row[3]), try file.time(row[4])
                ))
        }
        let templates = try file.rows("templates", 2 * groupings.count) { row throws(MarketError) in
            var labels: [GroupLabel] = []
            for place in 0..<row.count / 2 {
                let rank = try file.integer(row[2 * place + 1])
                labels.append(
                    GroupLabel(text: try file.text(row[2 * place]), rank: rank < 0 ? .max : rank))
            }
            return labels
        }
        var sliceInstruments: [Int: Instrument] = [:]
        var contracts: [Contract] = []
        for row in try file.rows("contracts", 6, { row throws(MarketError) in row }) {
            let instrument = try file.instrument(row[0])
            let slice = try file.place(row[1], below: names.count)
            guard instrument.series == names[slice],
                underlyings[places[slice].underlying].0 == instrument.base
            else { throw file.failure("contracts") }
            sliceInstruments[slice] = sliceInstruments[slice] ?? instrument
            guard case .boolean(let isListed) = row[2].content else { throw file.failure("contracts") }
            contracts.append(
                Contract(
                    instrument: instrument, slice: slice, isListed: isListed,
                    volatility: try file.number(row[3]), time: try file.time(row[4]),
                    labels: templates[try file.place(row[5], below: templates.count)]))
        }
        for (slice, name) in names.enumerated() {
            guard let instrument = sliceInstruments[slice] else { throw file.failure("slices") }
            let place = places[slice]
            slices.append(
                (
                    LiveRisk.Slice(underlying: place.underlying, instrument, name), place.price, place.rate,
                    place.time
                ))
        }
        let books = try file.texts("books")
        let positions = try file.rows("positions", 3) { row throws(MarketError) in
            Position(
                book: try file.place(row[0], below: books.count),
                contract: try file.place(row[1], below: contracts.count), quantity: try file.number(row[2]))
        }
        var groups: [[String]] = []
        for row in try file.rows("groups", groupings.count, { row throws(MarketError) in row }) {
            groups.append(try row.map(file.text))
        }
        let cash = try file.rows("cash", 3) { row throws(MarketError) in
            BookCash.Amount(
                book: try file.text(row[0]), currency: try file.text(row[1]), amount: try file.number(row[2]))
        }
        var deskOfBook: [String: String] = [:]
        guard case .object(let desks) = file.value["desks"]?.content else { throw file.failure("desks") }
        for (book, desk) in desks { deskOfBook[book] = try file.text(desk) }
        self.init(
            numeraire: numeraire, groupings: groupings.compactMap { $0 },
            underlyings: underlyings.map { ($0.0, $0.1) }, slices: slices, contracts: contracts, books: books,
            groups: groups, positions: positions, cash: cash, tenorDays: try file.numbers("tenor_days"),
            moneyness: try file.numbers("moneyness"), deskOfBook: deskOfBook)
    }

    /// Whether it is what a desk can be made of.
    private func check(_ name: String) throws(RiskError) {
        func require(_ isRight: Bool, _ what: String) throws(RiskError) {
            if !isRight { throw .unreadableState("\(name): \(what) do not fit together") }
        }
        try require(
            groupings == LivePlan.ordered(groupings) && Set(groupings).count == groupings.count, "groupings")
        try require(
            Set(underlyings.map(\.name)).count == underlyings.count
                && underlyings.allSatisfy { LiveRisk.priceRule.accepts($0.reference) }, "underlyings")
        try require(
            Set(slices.map(\.slice.name)).count == slices.count
                && slices.allSatisfy {
                    LiveRisk.priceRule.accepts($0.price) && LiveRisk.rateRule.accepts($0.rate)
                }, "slices")
        let listed = contracts.filter(\.isListed).map(\.instrument.name)
        try require(
            Set(listed).count == listed.count
                && contracts.allSatisfy { contract in
                    guard case .option(_, let strike, _) = contract.instrument.kind else { return true }
                    return LiveRisk.volatilityRule.accepts(contract.volatility) && strike >= 0
                        && strike <= Domain.largestPrice
                }, "contracts")
        try require(Set(books).count == books.count, "books")
        try require(
            positions.allSatisfy { contracts[$0.contract].isListed && $0.quantity.isFinite }, "positions")
        try require(cash.allSatisfy { $0.amount.isFinite }, "amounts of cash")
    }
}

/// Reads the parts of a saved desk.
private struct StateReader {
    let name: String
    let value: JSON

    func failure(_ part: String) -> MarketError {
        .unreadable(file: name, reason: "\(part) are not as this version writes them")
    }

    func member(_ name: String) throws(MarketError) -> JSON {
        guard let member = value[name] else { throw failure(name) }
        return member
    }

    func text(_ value: JSON) throws(MarketError) -> String {
        guard let text = value.string else { throw failure("texts") }
        return text
    }

    func number(_ value: JSON) throws(MarketError) -> Double {
        guard case .number(let number) = value.content else { throw failure("numbers") }
        return number
    }

    func integer(_ value: JSON) throws(MarketError) -> Int {
        guard let integer = Int(exactly: try number(value)) else { throw failure("whole numbers") }
        return integer
    }

    func place(_ value: JSON, below count: Int) throws(MarketError) -> Int {
        let place = try integer(value)
        guard (0..<count).contains(place) else { throw failure("places") }
        return place
    }

    func time(_ value: JSON) throws(MarketError) -> Timestamp {
        let milliseconds = try integer(value)
        guard (0..<Timestamp.acceptedMilliseconds.upperBound).contains(Int64(milliseconds)) else {
            throw failure("times")
        }
        return Timestamp(milliseconds: Int64(milliseconds))
    }

    func texts(_ name: String) throws(MarketError) -> [String] {
        guard let elements = try member(name).array else { throw failure(name) }
        return try elements.map(text)
    }

    func numbers(_ name: String) throws(MarketError) -> [Double] {
        guard let elements = try member(name).array else { throw failure(name) }
        return try elements.map(number)
    }

    func rows<Row>(
        _ name: String, _ count: Int, _ read: ([JSON]) throws(MarketError) -> Row
    ) throws(MarketError) -> [Row] {
        guard let elements = try member(name).array else { throw failure(name) }
        var rows: [Row] = []
        for element in elements {
            guard let row = element.array, row.count == count else { throw failure(name) }
            rows.append(try read(row))
        }
        return rows
    }

    func instrument(_ value: JSON) throws(MarketError) -> Instrument {
        guard let parts = value.array, parts.count == 8,
            let exchange = Exchanges.named(try text(parts[1])),
            let settlement = Settlement(rawValue: try text(parts[4]))
        else { throw failure("contracts") }
        let kind: Instrument.Kind
        switch try text(parts[5]) {
        case "call":
            kind = .option(.call, strike: try number(parts[6]), expiry: try time(parts[7]))
        case "put":
            kind = .option(.put, strike: try number(parts[6]), expiry: try time(parts[7]))
        case "future": kind = .future(expiry: try time(parts[7]))
        case "perpetual": kind = .perpetual
        case "spot": kind = .spot
        default: throw failure("contracts")
        }
        return Instrument(
            name: try text(parts[0]), base: try text(parts[2]), quote: try text(parts[3]),
            settlement: settlement, kind: kind, exchange: exchange)
    }
}

extension Instrument {
    /// All of it, as a row.
    fileprivate func write(to json: inout JSONWriter) {
        var (word, strike) = ("spot", 0.0)
        switch kind {
        case .option(let type, let itsStrike, _): (word, strike) = (type == .call ? "call" : "put", itsStrike)
        case .future: word = "future"
        case .perpetual: word = "perpetual"
        case .spot: break
        }
        json.array { json in
            for text in [name, exchange.name, base, quote, settlement.rawValue, word] { json.value(text) }
            json.value(strike)
            json.value(expiry?.milliseconds ?? 0)
        }
    }
}

extension LiveRisk {
    /// The desk as a file: everything that it takes to go on. What has been changed since the last `update` is in it.
    public func save() -> Source {
        Source(name: "desk", text: state.text)
    }

    /// A desk that goes on where another was saved: the same numbers of contracts, slices and groups, and the same bits
    /// from there on, on AVX2 and AVX-512.
    /// - Throws: `unreadableState` for what is no saved desk, of another version, damaged, or does not fit together.
    public convenience init(restoring source: Source, engine: GreeksEngine) throws(RiskError) {
        self.init(try LiveState(source), engine: engine)
    }
}
