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

    public internal(set) var numeraire = Numeraire.usd
    /// Coins: those of the start sorted.
    public internal(set) var underlyings: [String] = []
    /// Those of the start sorted by underlying, then by expiry.
    public internal(set) var slices: [Slice] = []
    /// The contracts: those of the start in the order of the chain's rows. Those that are listed no more keep their place.
    public internal(set) var contracts: [Instrument] = []
    public internal(set) var plan = LivePlan(by: [])
    /// One row per group; made anew where groups are added.
    public internal(set) var exposures = Exposures(count: 0)
    /// What settlements have paid, and what has been added.
    public internal(set) var cash = BookCash()
    /// How often underlyings, slices, contracts or groups have been added, have gone or been numbered anew.
    public internal(set) var layoutVersion = 0

    /// By row.
    var figures = UnitExposures(count: 0)
    let engine: GreeksEngine
    var market = SliceMarket()
    var buckets = ExposureBuckets()

    /// By contract; nil where it is listed no more.
    var listings: [Listing?] = []
    /// The time of the contract's last own quote.
    var timesOfContracts: [Timestamp] = []
    var contractOfName: [String: Int] = [:]
    var contractOfRow: [Int] = []
    var labelsOfContracts: [[GroupLabel]] = []

    /// By slice.
    var slots: [SliceSlot] = []
    var timesOfSlices: [Timestamp] = []
    var sliceOfName: [String: Int] = [:]
    var stale = StaleSlices()

    /// By underlying: its slices, the one of which a tick is a new price, and that price. The slice is the last by expiry, then
    /// by name, of those that have contracts; where none has any more, there is none, and the price is its last.
    var slicesOfUnderlyings: [[Int]] = []
    var referenceSlices: [Int?] = []
    var references: [Double] = []

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

    func addUnderlying(_ name: String, _ reference: Double) -> Int {
        underlyings.append(name)
        references.append(reference)
        slicesOfUnderlyings.append([])
        referenceSlices.append(nil)
        stale.addUnderlying()
        return underlyings.count - 1
    }

    func addSlice(_ slice: Slice, _ price: Double, _ rate: Double, _ time: Timestamp) {
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
    func place(_ contract: Int, _ slice: Int, _ template: Int) {
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
    func chooseReference(ofUnderlying underlying: Int) {
        func key(_ slice: Int) -> (Int64, String) {
            (slices[slice].expiry?.milliseconds ?? .max, slices[slice].name)
        }
        let listed = slicesOfUnderlyings[underlying].filter { isListed(slice: $0) }
        referenceSlices[underlying] = listed.max { key($0) < key($1) }
        if let slice = referenceSlices[underlying] { references[underlying] = price(ofSlice: slice) }
    }

    func mark(_ slice: Int) { stale.mark(slots[slice], of: slices[slice].underlying) }

    func isListed(slice: Int) -> Bool { market.contractCount(of: slots[slice]) > 0 }

    /// Makes the groups that the plan wants, and room for their sums.
    func makeGroups() {
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
