import Checks
import Greeks
import Market

/// Everything that a desk knows, as a value: what it is made of, what is saved, and what comes back.
struct LiveState {
    struct Contract {
        let instrument: Instrument
        let slice: Int
        let isListed: Bool
        /// 0 of contracts that have none.
        let volatility: Double
        /// Of its last quote.
        let time: Timestamp
        /// What it says about its groups (`LivePlan.template`).
        let labels: [GroupLabel]
    }

    struct Position {
        let book, contract: Int
        let quantity: Double
    }

    var numeraire: Numeraire
    /// In the order of `LivePlan.ordered`.
    var groupings: [Grouping]
    var underlyings: [(name: String, reference: Double)]
    var slices: [(slice: LiveRisk.Slice, price: Double, rate: Double, time: Timestamp)]
    var contracts: [Contract]
    var books: [String]
    /// The labels of groups in their order; those that follow from books and contracts and are not among them come
    /// behind.
    var groups: [[String]]
    /// In the order in which they came, of listed contracts.
    var positions: [Position]
    var cash: [BookCash.Amount]
    var tenorDays, moneyness: [Double]
    var deskOfBook: [String: String]

    var buckets: ExposureBuckets { ExposureBuckets(edges: tenorDays, moneyness, deskOfBook: deskOfBook) }
}

extension LiveState {
    /// Of a chain and positions.
    /// - Throws: `unknownContract` for a position that the chain does not list; `invalidValue` for what no desk could be
    ///   restored with: a price or rate of a slice, a quantity.
    init(
        _ positions: [PositionTable.Position], _ chain: ChainGreeks, _ groupings: [Grouping],
        _ buckets: ExposureBuckets, _ numeraire: Numeraire
    ) throws(RiskError) {
        let instruments = chain.tickers.map(\.instrument)
        let numbers = Dictionary(
            instruments.enumerated().map { ($0.element.name, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        let names = Array(Set(instruments.map(\.base))).sorted()
        let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($0.element, $0.offset) })

        // The facts of a slice are those of its latest ticker; the rate is its latest option's, as a future's ticker names none.
        typealias Facts = (slice: LiveRisk.Slice, price: Double, rate: Double, time: Timestamp)
        let series = instruments.map(\.series)
        var facts: [String: Facts] = [:]
        var timesOfRates: [String: Timestamp] = [:]
        for (row, ticker) in chain.tickers.enumerated() {
            let name = series[row]
            var known =
                facts[name]
                ?? (
                    LiveRisk.Slice(underlying: places[ticker.instrument.base] ?? 0, ticker.instrument, name),
                    1, 0,
                    Timestamp(milliseconds: .min)
                )
            if ticker.timestamp >= known.time {
                known.time = ticker.timestamp
                known.price = chain.options.spot[row]
            }
            if ticker.instrument.isOption, ticker.timestamp >= timesOfRates[name] ?? ticker.timestamp {
                timesOfRates[name] = ticker.timestamp
                known.rate = chain.options.rate[row]
            }
            facts[name] = known
        }
        for (name, known) in facts.sorted(by: { $0.key < $1.key }) {
            try RiskError.require(LiveRisk.priceRule, known.price, "price", of: name)
            try RiskError.require(LiveRisk.rateRule, known.rate, "rate", of: name)
        }
        let slices = facts.values.sorted {
            ($0.slice.underlying, $0.slice.expiry?.milliseconds ?? .max, $0.slice.name)
                < ($1.slice.underlying, $1.slice.expiry?.milliseconds ?? .max, $1.slice.name)
        }
        let sliceOfName = Dictionary(
            uniqueKeysWithValues: slices.enumerated().map { ($0.element.slice.name, $0.offset) })
        var references = names.map { _ in 1.0 }
        for slice in slices { references[slice.slice.underlying] = slice.price }

        let groupings = LivePlan.ordered(groupings)
        let ranks = Grouping.ranks(instruments)
        var bookNumbers: [String: Int] = [:]
        var books: [String] = []
        var held: [Position] = []
        for position in positions {
            // Of two contracts of one name the first is listed.
            guard let contract = numbers[position.instrument.name],
                numbers.count == instruments.count || instruments[contract] == position.instrument
            else {
                throw .unknownContract(position.instrument.name)
            }
            try RiskError.require(
                .finite, position.quantity, "quantity", of: "\(position.book), \(position.instrument.name)")
            if bookNumbers[position.book] == nil {
                bookNumbers[position.book] = books.count
                books.append(position.book)
            }
            held.append(
                Position(
                    book: bookNumbers[position.book] ?? 0, contract: contract, quantity: position.quantity))
        }
        self.init(
            numeraire: numeraire, groupings: groupings,
            underlyings: zip(names, references).map { ($0, $1) }, slices: slices,
            contracts: chain.tickers.enumerated().map { row, ticker in
                Contract(
                    instrument: ticker.instrument, slice: sliceOfName[series[row]] ?? 0,
                    isListed: numbers[ticker.instrument.name] == row,
                    volatility: chain.options.volatility[row], time: ticker.timestamp,
                    labels: LivePlan.template(ticker.instrument, groupings, buckets, ranks))
            },
            books: books, groups: [], positions: held, cash: [], tenorDays: buckets.tenorDays,
            moneyness: buckets.moneyness, deskOfBook: buckets.deskOfBook)
    }

    /// Other groupings, with the same positions.
    mutating func regroup(by groupings: [Grouping], _ buckets: ExposureBuckets) {
        self.groupings = LivePlan.ordered(groupings)
        groups = []
        (tenorDays, moneyness, deskOfBook) = (buckets.tenorDays, buckets.moneyness, buckets.deskOfBook)
        let ranks = Grouping.ranks(contracts.filter(\.isListed).map(\.instrument))
        contracts = contracts.map {
            Contract(
                instrument: $0.instrument, slice: $0.slice, isListed: $0.isListed, volatility: $0.volatility,
                time: $0.time, labels: LivePlan.template($0.instrument, self.groupings, buckets, ranks))
        }
    }

    /// Without contracts that are listed no more, slices and underlyings that have none, and positions of 0.
    mutating func rollOff() {
        groups = []
        let used = Set(contracts.filter(\.isListed).map(\.slice))
        var newUnderlyings: [Int: Int] = [:]
        var keptUnderlyings: [(name: String, reference: Double)] = []
        let wanted = Set(used.map { slices[$0].slice.underlying })
        for (number, underlying) in underlyings.enumerated() where wanted.contains(number) {
            newUnderlyings[number] = keptUnderlyings.count
            keptUnderlyings.append(underlying)
        }
        var newSlices: [Int: Int] = [:]
        var keptSlices: [(slice: LiveRisk.Slice, price: Double, rate: Double, time: Timestamp)] = []
        for (number, slice) in slices.enumerated() where used.contains(number) {
            newSlices[number] = keptSlices.count
            let moved = LiveRisk.Slice(
                underlying: newUnderlyings[slice.slice.underlying] ?? 0, expiry: slice.slice.expiry,
                name: slice.slice.name, averagingMilliseconds: slice.slice.averagingMilliseconds)
            keptSlices.append((moved, slice.price, slice.rate, slice.time))
        }
        var newContracts: [Int: Int] = [:]
        var keptContracts: [Contract] = []
        for (number, contract) in contracts.enumerated() where contract.isListed {
            newContracts[number] = keptContracts.count
            keptContracts.append(
                Contract(
                    instrument: contract.instrument, slice: newSlices[contract.slice] ?? 0, isListed: true,
                    volatility: contract.volatility, time: contract.time, labels: contract.labels))
        }
        positions = positions.compactMap { position in
            guard position.quantity != 0, let contract = newContracts[position.contract] else { return nil }
            return Position(book: position.book, contract: contract, quantity: position.quantity)
        }
        (underlyings, slices, contracts) = (keptUnderlyings, keptSlices, keptContracts)
    }
}

extension LiveRisk.Slice {
    /// The slice of a contract.
    init(underlying: Int, _ instrument: Instrument, _ name: String) {
        self.init(
            underlying: underlying, expiry: instrument.expiry, name: name,
            averagingMilliseconds: instrument.expiry.map { instrument.exchange.averagingMilliseconds(of: $0) }
                ?? 0)
    }
}
