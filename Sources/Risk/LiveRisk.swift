import Checks
import Greeks
import Market

/// A desk: figures of contracts and exposures of books, kept current tick by tick at a cost in proportion to what a tick
/// changes, while contracts are listed and expire, books come, and positions change.
///
/// Contracts stand in slices, which are priced off one price at one time: the options of an expiry and their
/// future, a perpetual, a coin. What changes a slice marks it; `update` computes the slices that are marked, and
/// the groups that their contracts can be in. Setters and `update` allocate nothing, but for what `fill` says.
/// To be used from one thread at a time; `snapshot` is for others.
///
/// Underlyings, slices, contracts and groups keep their numbers for as long as the desk lives, but for `group` and `rollOff`:
/// what is new stands behind. Whatever came and went, sums have the bits of a desk made anew of the same facts.
///
/// Prices are in quote currency, and count as US dollars. Where `ChainGreeks` values each contract at its own time stamp, all
/// of a slice are valued at one time, its latest.
public final class LiveRisk {
    /// Contracts priced off one price.
    public struct Slice: Sendable, Equatable {
        /// Place in `underlyings`.
        public let underlying: Int
        /// Nil for perpetuals and coins.
        public let expiry: Timestamp?
        /// Its name in messages: a contract's name up to the strike.
        public let name: String
        /// For how long before expiry the delivery price is averaged.
        let averagingMilliseconds: Int64
    }

    /// Where a listed contract stands.
    struct Listing {
        let row: ExposureRow
        let slice: Int
        let template: Int
        let isOption: Bool
    }

    public private(set) var numeraire = Numeraire.usd
    /// Coins: those of the start sorted.
    public private(set) var underlyings: [String] = []
    /// Those of the start sorted by underlying, then by expiry.
    public private(set) var slices: [Slice] = []
    /// The contracts: those of the start in the order of the chain's rows. Those that are listed no more keep their place.
    public private(set) var contracts: [Instrument] = []
    public private(set) var plan = LivePlan(by: [])
    /// One row per group; made anew where groups are added.
    public private(set) var exposures = Exposures(count: 0)
    /// What settlements have paid, and what has been added.
    public private(set) var cash = BookCash()
    /// How often underlyings, slices, contracts or groups have been added, have gone or been numbered anew.
    public private(set) var layoutVersion = 0

    /// By row.
    private var figures = UnitExposures(count: 0)
    private let engine: GreeksEngine
    private(set) var market = SliceMarket()
    private(set) var buckets = ExposureBuckets()

    /// By contract; nil where it is listed no more.
    private(set) var listings: [Listing?] = []
    /// The time of the contract's last own quote.
    private(set) var timesOfContracts: [Timestamp] = []
    private var contractOfName: [String: Int] = [:]
    private var contractOfRow: [Int] = []
    private var labelsOfContracts: [[GroupLabel]] = []

    /// By slice.
    private var slots: [SliceSlot] = []
    private(set) var timesOfSlices: [Timestamp] = []
    private var sliceOfName: [String: Int] = [:]
    private var stale = StaleSlices()

    /// By underlying: its slices, the one of which a tick is a new price, and that price. The slice is the last by expiry, then
    /// by name, of those that have contracts; where none has any more, there is none, and the price is its last.
    private var slicesOfUnderlyings: [[Int]] = []
    private var referenceSlices: [Int?] = []
    private var references: [Double] = []

    /// Takes over the inputs of a chain and the positions of books, and computes everything once.
    /// - Parameters:
    ///   - chain: one row per contract.
    ///   - groupings: what groups are made of beside the underlying, which always comes first, then expiry or
    ///     tenor, so that what a slice can change stands together. Every book has a group for each label that a contract
    ///     has, held or not.
    /// - Throws: `unknownContract` for a position that the chain does not list.
    public init(
        _ positions: [PositionTable.Position], _ chain: ChainGreeks, by groupings: [Grouping] = [.book],
        _ buckets: ExposureBuckets? = nil, in numeraire: Numeraire = .usd, engine: GreeksEngine
    ) throws(RiskError) {
        self.engine = engine
        adopt(
            try LiveState(positions, chain, groupings, buckets ?? ExposureBuckets(), numeraire),
            buckets ?? ExposureBuckets())
    }

    /// Takes over a state that fits together.
    init(_ state: LiveState, engine: GreeksEngine) {
        self.engine = engine
        adopt(state, state.buckets)
    }

    /// Forgets everything and takes over a state.
    func adopt(_ state: LiveState, _ buckets: ExposureBuckets) {
        numeraire = state.numeraire
        self.buckets = buckets
        market = SliceMarket()
        underlyings = state.underlyings.map(\.name)
        references = state.underlyings.map(\.reference)
        (slices, slots, timesOfSlices, sliceOfName) = ([], [], [], [:])
        stale = StaleSlices()
        slicesOfUnderlyings = underlyings.map { _ in [] }
        referenceSlices = underlyings.map { _ in nil }
        for _ in underlyings { stale.addUnderlying() }
        for slice in state.slices { addSlice(slice.slice, slice.price, slice.rate, slice.time) }

        plan = LivePlan(by: state.groupings)
        for book in state.books { _ = plan.add(book: book, desk: state.deskOfBook[book]) }
        let templates = state.contracts.map { plan.add(template: $0.labels) }
        plan.makeGroups(inOrderOf: state.groups)
        stale.makeLeads(plan.groupsOfLead.count)

        contracts = state.contracts.map(\.instrument)
        timesOfContracts = state.contracts.map(\.time)
        labelsOfContracts = state.contracts.map(\.labels)
        contractOfName = Dictionary(
            contracts.enumerated().map { ($0.element.name, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        listings = contracts.map { _ in nil }
        contractOfRow = []
        figures = UnitExposures(count: 0)
        // Options of a slice side by side, and those of neighbours; what is no option behind them all.
        let order = contracts.indices.filter { state.contracts[$0].isListed }.sorted {
            let (a, b) = (state.contracts[$0], state.contracts[$1])
            if a.instrument.isOption != b.instrument.isOption { return a.instrument.isOption }
            return a.slice != b.slice ? a.slice < b.slice : a.instrument.sortsBefore(b.instrument)
        }
        for contract in order {
            place(contract, state.contracts[contract].slice, templates[contract])
            guard let listing = listings[contract], contracts[contract].isOption else { continue }
            market.setVolatility(state.contracts[contract].volatility, at: listing.row)
        }
        plan.setLegs(
            state.positions.compactMap { position in
                guard let listing = listings[position.contract] else { return nil }
                return (listing.template, listing.row, position.book, position.quantity)
            })
        cash = BookCash()
        for amount in state.cash { cash.add(amount.amount, amount.currency, to: amount.book) }
        exposures = Exposures(count: plan.groups.count)
        layoutVersion += 1
        update()
    }

    // MARK: Places

    private func addUnderlying(_ name: String, _ reference: Double) -> Int {
        underlyings.append(name)
        references.append(reference)
        slicesOfUnderlyings.append([])
        referenceSlices.append(nil)
        stale.addUnderlying()
        return underlyings.count - 1
    }

    private func addSlice(_ slice: Slice, _ price: Double, _ rate: Double, _ time: Timestamp) {
        var slot: SliceSlot?
        for eight in stale.eights(of: slice.underlying) where slot == nil {
            slot = market.takeSlot(from: eight)
        }
        if slot == nil {
            let eight = market.addEightSlots()
            stale.add(eight: eight, of: slice.underlying)
            slot = market.takeSlot(from: eight)
        }
        guard let slot else { return }
        sliceOfName[slice.name] = slices.count
        slicesOfUnderlyings[slice.underlying].append(slices.count)
        slices.append(slice)
        slots.append(slot)
        timesOfSlices.append(time)
        market.setPrice(price, of: slot)
        market.setRate(rate, of: slot)
        market.setTime(time, slice, of: slot)
    }

    /// Gives a contract its row. Its volatility is 0 until it is set.
    private func place(_ contract: Int, _ slice: Int, _ template: Int) {
        let instrument = contracts[contract]
        let row: ExposureRow
        if case .option(let type, let strike, _) = instrument.kind {
            row = market.takeRow(
                slots[slice], type.rawValue, strike: strike, isInverse: instrument.isInverseOption, engine)
        } else {
            row = market.takeDeltaOneRow(slots[slice], ContractClass(instrument))
        }
        if market.rowCapacity > figures.count {
            figures = UnitExposures(figures, grownTo: market.rowCapacity)
            contractOfRow += Array(repeating: -1, count: market.rowCapacity - contractOfRow.count)
        }
        // The row may have been another contract's, whose figures would stand there until the next update.
        for greek in ExposureGreek.allCases { figures[row.index, greek] = 0 }
        contractOfRow[row.index] = contract
        listings[contract] = Listing(
            row: row, slice: slice, template: template, isOption: instrument.isOption)
        stale.add(lead: plan.lead(ofTemplate: template), of: slots[slice])
        mark(slice)
        if market.contractCount(of: slots[slice]) == 1 {
            chooseReference(ofUnderlying: slices[slice].underlying)
        }
    }

    /// Chooses the slice of which a tick is a new price, as one has come or gone.
    private func chooseReference(ofUnderlying underlying: Int) {
        func key(_ slice: Int) -> (Int64, String) {
            (slices[slice].expiry?.milliseconds ?? .max, slices[slice].name)
        }
        let listed = slicesOfUnderlyings[underlying].filter { isListed(slice: $0) }
        referenceSlices[underlying] = listed.max { key($0) < key($1) }
        if let slice = referenceSlices[underlying] { references[underlying] = price(ofSlice: slice) }
    }

    private func mark(_ slice: Int) { stale.mark(slots[slice], of: slices[slice].underlying) }

    private func isListed(slice: Int) -> Bool { market.contractCount(of: slots[slice]) > 0 }

    /// Makes the groups that the plan wants, and room for their sums.
    private func makeGroups() {
        plan.makeGroups()
        stale.makeLeads(plan.groupsOfLead.count)
        guard exposures.count < plan.groups.count else { return }
        exposures = Exposures(exposures, grownTo: plan.groups.count)
    }

    // MARK: What there is

    public var instructionSet: InstructionSet { engine.instructionSet }

    /// The place of a contract in `contracts`, also of one that is listed no more.
    public func index(of name: String) -> Int? { contractOfName[name] }

    /// The place of a slice in `slices`.
    public func index(ofSlice name: String) -> Int? { sliceOfName[name] }

    /// Whether a contract is there: listed, and neither delisted nor settled since.
    public func isListed(_ contract: Int) -> Bool { listings[contract] != nil }

    /// Number of contracts that are listed.
    public var listedCount: Int { slots.reduce(0) { $0 + market.contractCount(of: $1) } }

    /// One figure of one contract per unit of quantity, as of the last `update`; 0 of one that is listed no more.
    public func figure(_ contract: Int, _ greek: ExposureGreek) -> Double {
        listings[contract].map { figures[$0.row.index, greek] } ?? 0
    }

    /// What a contract is traded at.
    package struct Mark {
        /// Of its slice, in quote currency.
        package let price: Double
        /// Of a unit, as of the last `update`; 0 of one that is listed no more.
        package let value: Double
        /// At which it is valued.
        package let time: Timestamp
    }

    package func mark(of contract: Int) -> Mark {
        let slice = slice(of: contract)
        return Mark(
            price: market.price(of: slots[slice]), value: figure(contract, .value),
            time: timesOfSlices[slice])
    }

    /// The slice of a contract.
    public func slice(of contract: Int) -> Int {
        listings[contract]?.slice ?? sliceOfName[contracts[contract].series] ?? 0
    }

    /// The price of a slice, in quote currency.
    public func price(ofSlice slice: Int) -> Double { market.price(of: slots[slice]) }

    /// The interest rate of a slice, continuously compounded.
    public func rate(ofSlice slice: Int) -> Double { market.rate(of: slots[slice]) }

    /// The time at which a slice's contracts are valued.
    public func time(ofSlice slice: Int) -> Timestamp { timesOfSlices[slice] }

    /// The volatility of an option, per √year; nil for other contracts and what is listed no more.
    public func volatility(ofContract contract: Int) -> Double? {
        guard contracts[contract].isOption, let listing = listings[contract] else { return nil }
        return market.volatility(at: listing.row)
    }

    /// The price of which an underlying's ticks are new values: that of its slice that comes last by expiry, then by name, among
    /// those with contracts. Coins and perpetuals come behind futures and options.
    public func price(ofUnderlying underlying: Int) -> Double { references[underlying] }

    // MARK: What changes

    /// The underlying trades at a new price: all its slices move in proportion, keeping their basis.
    /// - Parameters:
    ///   - price: of the slice of `price(ofUnderlying:)`, which then stands at it. A move that `setPrice` or `quote` has brought
    ///     to that slice is not counted again.
    ///   - time: of the price, to which all slices of the underlying come. Nil leaves their times as they are.
    /// - Throws: `invalidValue` for a price that is not a positive number, also one to which it would bring a slice,
    ///   `timeRunsBack`; nothing has changed.
    public func tick(
        _ underlying: Int, price: Double, at time: Timestamp? = nil
    ) throws(RiskError) {
        try RiskError.require(Self.priceRule, price, "price", of: underlyings[underlying])
        let ratio = price / references[underlying]
        if let time { try requireForward(time, underlying: underlying) }
        if let (slot, moved) = market.multiplyPrices(
            ofEights: stale.eights(of: underlying), by: ratio, within: Self.priceRange)
        {
            let slice = slots.firstIndex(of: slot) ?? 0
            try RiskError.require(Self.priceRule, moved, "price", of: slices[slice].name)
        }
        references[underlying] = price
        // Not a rounding beside it, so that a desk made of the same prices goes on with the same bits.
        if let slice = referenceSlices[underlying] { market.setPrice(price, of: slots[slice]) }
        if let time { setTime(time, underlying: underlying) }
        stale.markAll(of: underlying, market)
    }

    /// A slice's own price: of its future, perpetual or coin.
    /// - Throws: `invalidValue` for a price that is not a positive number, `timeRunsBack`.
    public func setPrice(_ price: Double, ofSlice slice: Int, at time: Timestamp? = nil) throws(RiskError) {
        if !Self.priceRule.accepts(price) {
            try RiskError.require(Self.priceRule, price, "price", of: slices[slice].name)
        }
        if let time { try requireForward(time, slice) }
        market.setPrice(price, of: slots[slice])
        let underlying = slices[slice].underlying
        if referenceSlices[underlying] == slice { references[underlying] = price }
        if let time { setTime(time, slice) }
        mark(slice)
    }

    private static let priceRange = Domain.leastPrice...Domain.largestPrice
    static let priceRule = NumberRule.within(priceRange)
    static let volatilityRule = NumberRule.within(0...Domain.largestVolatility)
    static let rateRule = NumberRule.within(-1...1)

    /// An option's volatility, per √year (0.6 is 60%). Does nothing to other contracts.
    /// - Throws: `invalidValue` for one that is not a number from 0 to `Domain.largestVolatility`, `notListed`.
    public func setVolatility(_ volatility: Double, ofContract contract: Int) throws(RiskError) {
        // Names are looked up where they are wanted: this is called for thousands at a time.
        if !Self.volatilityRule.accepts(volatility) {
            try RiskError.require(
                Self.volatilityRule, volatility, "volatility", of: contracts[contract].name)
        }
        guard let listing = listings[contract] else { throw .notListed(contracts[contract].name) }
        guard listing.isOption else { return }
        market.setVolatility(volatility, at: listing.row)
        mark(listing.slice)
    }

    /// A slice's interest rate, continuously compounded.
    /// - Throws: `invalidValue` for one that is not a number from −1 to 1.
    public func setRate(_ rate: Double, ofSlice slice: Int) throws(RiskError) {
        try RiskError.require(Self.rateRule, rate, "rate", of: slices[slice].name)
        market.setRate(rate, of: slots[slice])
        mark(slice)
    }

    /// Time passes for all slices.
    /// - Throws: `timeRunsBack` where one is further already; nothing has changed.
    public func advance(to time: Timestamp) throws(RiskError) {
        for underlying in underlyings.indices { try requireForward(time, underlying: underlying) }
        for underlying in underlyings.indices {
            setTime(time, underlying: underlying)
            stale.markAll(of: underlying, market)
        }
    }

    /// Of all slices of an underlying that have contracts.
    private func requireForward(_ time: Timestamp, underlying: Int) throws(RiskError) {
        for slice in slicesOfUnderlyings[underlying] where isListed(slice: slice) {
            try requireForward(time, slice)
        }
    }

    private func setTime(_ time: Timestamp, underlying: Int) {
        for slice in slicesOfUnderlyings[underlying] where isListed(slice: slice) {
            setTime(time, slice)
        }
    }

    /// A contract's quote of that time has been taken.
    func note(_ time: Timestamp, ofContract contract: Int) { timesOfContracts[contract] = time }

    private func requireForward(_ time: Timestamp, _ slice: Int) throws(RiskError) {
        guard time >= timesOfSlices[slice] else {
            throw .timeRunsBack(of: slices[slice].name, from: timesOfSlices[slice], to: time)
        }
    }

    private func setTime(_ time: Timestamp, _ slice: Int) {
        timesOfSlices[slice] = time
        market.setTime(time, slices[slice], of: slots[slice])
    }

    // MARK: Positions

    /// The positions, in the order in which they came: also those that have come to 0, whose place is kept.
    public var positions: [PositionTable.Position] {
        plan.legs.map { leg in
            PositionTable.Position(
                book: plan.books[leg.book], instrument: contracts[contractOfRow[leg.row]],
                quantity: leg.quantity, line: leg.number)
        }
    }

    /// The book, contract and quantity of each leg, in the order in which they came.
    var legs: [LiveState.Position] {
        plan.legs.map {
            LiveState.Position(book: $0.book, contract: contractOfRow[$0.row], quantity: $0.quantity)
        }
    }

    /// What a book holds of a contract; 0 for books that are not there.
    public func quantity(book: String, contract: Int) -> Double {
        guard let listing = listings[contract], let number = plan.number(ofBook: book) else { return 0 }
        return plan.quantity(listing.template, listing.row, book: number)
    }

    /// A new book, for which there are groups from now on.
    /// - Parameter desk: what `Grouping.desk` has for it.
    /// - Throws: `alreadyThere`; `reservedName` for the label of books without a desk.
    public func addBook(_ name: String, desk: String? = nil) throws(RiskError) {
        guard plan.number(ofBook: name) == nil else { throw .alreadyThere(field: "book", name) }
        if let desk { try RiskError.requireDesk(desk) }
        if let desk { buckets.deskOfBook[name] = desk }
        _ = plan.add(book: name, desk: desk ?? buckets.deskOfBook[name])
        makeGroups()
        layoutVersion += 1
    }

    /// A trade: adds to what a book holds, in its place in the order of the positions, or behind the others. The exposure
    /// of its group is current at once, if nothing else has changed since the last `update`. Allocates where a book trades
    /// a contract that it has not held.
    /// - Throws: `notListed`, `unknownBook`, `invalidValue` for a quantity that is not finite or makes one that is not.
    public func fill(book: String, contract: Int, quantity: Double) throws(RiskError) {
        let (listing, number) = try place(book, contract, quantity)
        let held = plan.quantity(listing.template, listing.row, book: number)
        if !(held + quantity).isFinite {
            try RiskError.require(
                .finite, held + quantity, "quantity", of: "\(book), \(contracts[contract].name)")
        }
        sum(plan.fill(listing.template, listing.row, book: number, quantity))
    }

    /// Sets what a book holds of a contract, whatever it was.
    /// - Throws: as `fill` does.
    public func setPosition(book: String, contract: Int, quantity: Double) throws(RiskError) {
        let (listing, number) = try place(book, contract, quantity)
        sum(plan.set(listing.template, listing.row, book: number, quantity))
    }

    private func place(
        _ book: String, _ contract: Int, _ quantity: Double
    ) throws(RiskError) -> (Listing, Int) {
        guard let listing = listings[contract] else { throw .notListed(contracts[contract].name) }
        if !quantity.isFinite {
            try RiskError.require(.finite, quantity, "quantity", of: "\(book), \(contracts[contract].name)")
        }
        if let number = plan.number(ofBook: book) { return (listing, number) }
        // Books that no group names come by themselves.
        guard !plan.groupings.contains(.book), !plan.groupings.contains(.desk) else {
            throw .unknownBook(book)
        }
        return (listing, plan.add(book: book, desk: nil))
    }

    private func sum(_ group: Int) {
        plan.aggregate(figures, groups: group..<group + 1, into: exposures, engine)
    }

    /// Adds to the cash of a book: what it was paid or has paid out.
    /// - Throws: `unknownBook`, `invalidValue` for an amount that is not finite.
    public func addCash(_ amount: Double, _ currency: String, book: String) throws(RiskError) {
        guard plan.number(ofBook: book) != nil else { throw .unknownBook(book) }
        try RiskError.require(.finite, cash[book, currency] + amount, "cash", of: "\(book), \(currency)")
        cash.add(amount, currency, to: book)
    }

    // MARK: Contracts that come and go

    /// Lists a contract, with its ticker's volatility. One of a slice that is there takes over the slice's price, rate and
    /// time; the first of a slice brings its own, and its first option brings the rate. Nobody holds it, and `update` computes it.
    /// - Returns: its place in `contracts`: the old one where it was there before.
    /// - Throws: `alreadyThere`; `invalidValue` for what the formulas do not accept, for another contract of the same name,
    ///   and for one that is quoted in a currency that counts for no dollar.
    @discardableResult
    public func list(_ ticker: Ticker) throws(RiskError) -> Int {
        let instrument = ticker.instrument
        let known = contractOfName[instrument.name]
        if let known {
            guard listings[known] == nil else { throw .alreadyThere(field: "contract", instrument.name) }
            guard contracts[known] == instrument else {
                throw .invalidValue(
                    of: instrument.name, field: "contract", value: .nan,
                    reason: "another contract had that name: it can come when the other has rolled off")
            }
        }
        guard instrument.countsInDollars else { throw .noDollars(instrument) }
        let chain = try ChainGreeks.accepted(ticker)
        let name = instrument.series
        let (price, rate) = (chain.options.spot[0], instrument.isOption ? ticker.interestRate : 0)
        let slice: Int
        if let place = sliceOfName[name], isListed(slice: place) {
            slice = place
            if instrument.isOption, !market.hasOptions(slots[place]) {
                try RiskError.require(Self.rateRule, rate, "rate", of: name)
                market.setRate(rate, of: slots[place])
            }
        } else {
            try RiskError.require(Self.priceRule, price, "price", of: name)
            try RiskError.require(Self.rateRule, rate, "rate", of: name)
            if let place = sliceOfName[name] {
                market.setPrice(price, of: slots[place])
                market.setRate(rate, of: slots[place])
                setTime(max(ticker.timestamp, timesOfSlices[place]), place)
                slice = place
            } else {
                let underlying =
                    underlyings.firstIndex(of: instrument.base) ?? addUnderlying(instrument.base, price)
                slice = slices.count
                addSlice(
                    Slice(underlying: underlying, instrument, name), price, rate, ticker.timestamp)
            }
        }
        if buckets.hasEdges { buckets.add(ticker) }
        let template = plan.add(
            template: LivePlan.template(instrument, plan.groupings, buckets, [:]))
        makeGroups()
        let contract: Int
        if let known {
            contract = known
            timesOfContracts[known] = ticker.timestamp
            labelsOfContracts[known] = plan.labels(ofTemplate: template)
        } else {
            contract = contracts.count
            contracts.append(instrument)
            listings.append(nil)
            timesOfContracts.append(ticker.timestamp)
            labelsOfContracts.append(plan.labels(ofTemplate: template))
            contractOfName[instrument.name] = contract
        }
        place(contract, slice, template)
        if let row = listings[contract]?.row, instrument.isOption {
            market.setVolatility(chain.options.volatility[0], at: row)
        }
        layoutVersion += 1
        return contract
    }

    /// Takes a contract that nobody holds off the list.
    /// - Throws: `notListed`, `stillHeld`; nothing has changed.
    public func delist(_ contract: Int) throws(RiskError) {
        guard let listing = listings[contract] else { throw .notListed(contracts[contract].name) }
        if let leg = plan.holder(of: listing.row) {
            throw .stillHeld(
                contracts[contract].name, book: plan.books[leg.book], quantity: leg.quantity)
        }
        _ = plan.remove([listing.row])
        remove(contract)
        layoutVersion += 1
    }

    /// A contract is settled: what books hold of it becomes cash, and it is listed no more. Until then it stands at what it
    /// is worth at the price of its slice. Exposures follow with the next `update`.
    /// - Parameter deliveryPrice: in quote currency.
    /// - Throws: `notListed`; `notExpired` where the time of its slice is before the expiry; `invalidValue` for a price that
    ///   is not a positive number. Nothing has changed.
    @discardableResult
    public func settle(_ contract: Int, at deliveryPrice: Double) throws(RiskError) -> ContractSettlement {
        guard listings[contract] != nil else { throw .notListed(contracts[contract].name) }
        return try settle([contract], at: deliveryPrice)[0]
    }

    /// All contracts of a slice are settled at one price.
    /// - Throws: as for one; `notListed` where the slice has none.
    @discardableResult
    public func settle(slice: Int, at deliveryPrice: Double) throws(RiskError) -> [ContractSettlement] {
        let settled = contracts.indices.filter { listings[$0]?.slice == slice }
        guard !settled.isEmpty else { throw .notListed(slices[slice].name) }
        return try settle(settled, at: deliveryPrice)
    }

    private func settle(
        _ settled: [Int], at deliveryPrice: Double
    ) throws(RiskError) -> [ContractSettlement] {
        guard let slice = settled.first.flatMap({ listings[$0]?.slice }) else { return [] }
        let expiring = slices[slice]
        guard let expiry = expiring.expiry, timesOfSlices[slice] >= expiry else {
            throw .notExpired(expiring.name, expiry: expiring.expiry, now: timesOfSlices[slice])
        }
        try RiskError.require(Self.priceRule, deliveryPrice, "delivery price", of: expiring.name)
        let last = price(ofSlice: slice)
        let legs = plan.remove(settled.compactMap { listings[$0]?.row })
        var legsOfContract: [Int: [LivePlan.Leg]] = [:]
        for leg in legs { legsOfContract[contractOfRow[leg.row], default: []].append(leg) }
        var settlements: [ContractSettlement] = []
        for contract in settled {
            let instrument = contracts[contract]
            let perUnit = instrument.payment(delivery: deliveryPrice, last: last)
            var held: [(book: Int, quantity: Double)] = []
            for leg in legsOfContract[contract] ?? [] {
                if let place = held.firstIndex(where: { $0.book == leg.book }) {
                    held[place].quantity += leg.quantity
                } else {
                    held.append((leg.book, leg.quantity))
                }
            }
            let payments = held.filter { $0.quantity != 0 }.map {
                ContractSettlement.Payment(
                    book: plan.books[$0.book], quantity: $0.quantity, cash: $0.quantity * perUnit)
            }
            for payment in payments {
                cash.add(payment.cash, instrument.paymentCurrency, to: payment.book)
            }
            settlements.append(
                ContractSettlement(
                    instrument: instrument, deliveryPrice: deliveryPrice, lastPrice: last,
                    cashPerUnit: perUnit, currency: instrument.paymentCurrency, payments: payments))
            remove(contract)
        }
        layoutVersion += 1
        return settlements
    }

    /// Gives back the row of a contract that has no legs. Its groups are summed anew by `update`.
    private func remove(_ contract: Int) {
        guard let listing = listings[contract] else { return }
        market.giveBack(listing.row, of: slots[listing.slice])
        contractOfRow[listing.row.index] = -1
        listings[contract] = nil
        mark(listing.slice)
        if !isListed(slice: listing.slice) {
            chooseReference(ofUnderlying: slices[listing.slice].underlying)
        }
    }

    /// Contracts that have come to their expiry and are not settled: what waits for a delivery price.
    public var expired: [Int] {
        contracts.indices.filter {
            guard let listing = listings[$0], let expiry = contracts[$0].expiry else { return false }
            return timesOfSlices[listing.slice] >= expiry
        }
    }

    /// Positions are grouped in another way from now on. Groups are numbered anew; their sums are as of the last `update`.
    /// - Parameter buckets: the edges and the market for tenor and moneyness; nil keeps those that are there.
    public func group(by groupings: [Grouping], _ buckets: ExposureBuckets? = nil) {
        let buckets = buckets ?? self.buckets
        var state = state
        state.regroup(by: groupings, buckets)
        adopt(state, buckets)
    }

    /// Forgets what is listed no more, and positions of 0. Slices, contracts and groups are numbered anew, as on a desk that
    /// is made of what is left; it takes as long as making one.
    public func rollOff() {
        var state = state
        state.rollOff()
        adopt(state, buckets)
    }

    /// Everything that the desk knows.
    var state: LiveState {
        LiveState(
            numeraire: numeraire, groupings: plan.groupings,
            underlyings: zip(underlyings, references).map { ($0, $1) },
            slices: slices.indices.map {
                (slices[$0], price(ofSlice: $0), rate(ofSlice: $0), timesOfSlices[$0])
            },
            contracts: contracts.indices.map {
                LiveState.Contract(
                    instrument: contracts[$0], slice: slice(of: $0), isListed: listings[$0] != nil,
                    volatility: volatility(ofContract: $0) ?? 0, time: timesOfContracts[$0],
                    labels: labelsOfContracts[$0])
            },
            books: plan.books, groups: plan.groups, positions: legs, cash: cash.all,
            tenorDays: buckets.tenorDays, moneyness: buckets.moneyness, deskOfBook: buckets.deskOfBook)
    }

    // MARK: What follows

    /// Computes what changes have made stale: the figures of those slices, the exposures of their groups.
    /// - Returns: how many slices that were.
    @discardableResult
    public func update() -> Int {
        let count = stale.update(market, numeraire, into: figures, engine)
        if count > 0 { stale.sum(plan, figures, into: exposures, engine) }
        return count
    }

    /// What other threads may look at: a copy of everything that can be read here.
    public func snapshot() -> LiveSnapshot {
        LiveSnapshot(self, figures: figures, rows: listings.map { $0?.row.index ?? -1 })
    }

    /// Sums of groups as of the last `update`.
    public func sum(_ rollUp: ExposureRollUp, into sums: Exposures) {
        rollUp.aggregate(exposures, into: sums, engine)
    }
}
