import Checks
import Greeks
import Market

/// Figures of contracts and exposures of books, kept current tick by tick at a cost in proportion to what a tick
/// changes.
///
/// Contracts stand in slices, which are priced off one price at one time: the options of an expiry and their
/// future, a perpetual, a coin. What changes a slice marks it; `update` computes the slices that are marked, and
/// the groups that their contracts can be in. Setters and `update` allocate nothing, but for what `fill` says.
/// To be used from one thread at a time.
///
/// Where `ChainGreeks` values each contract at its own time stamp, all of a slice are valued at its latest: that
/// is what a desk has between two snapshots.
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

    public let numeraire: Numeraire
    /// Coins, sorted.
    public let underlyings: [String]
    /// Sorted by underlying, then by expiry.
    public let slices: [Slice]
    /// The contracts, in the order of the chain's rows.
    public let contracts: [Instrument]
    public private(set) var plan: ExposurePlan
    /// By row.
    let figures: UnitExposures
    public let exposures: Exposures

    private let engine: GreeksEngine
    private let market: SliceMarket
    private let rowOfContract: [ExposureRow]
    private let sliceOfContract: [Int]
    private let contractOfName: [String: Int]
    /// Futures, perpetuals and coins of each slice.
    private let deltaOnes: [[(row: ExposureRow, contractClass: ContractClass)]]
    /// The groups that a slice's contracts can be in.
    private let groupsOfSlice: [Range<Int>]
    /// The slices of each underlying, and the price by which a tick scales theirs.
    private let slicesOfUnderlying: [Range<Int>]
    private var references: [Double]
    private var isStale: [Bool]

    /// Takes over the inputs of a chain and the positions of books, and computes everything once.
    /// - Parameters:
    ///   - chain: one row per contract, all that fills may be in.
    ///   - groupings: what groups are made of beside the underlying, which always comes first, then expiry or
    ///     tenor, so that what a slice can change stands together.
    /// - Throws: `unknownContract` for a position that the chain does not list.
    public init(
        _ positions: [PositionTable.Position], _ chain: ChainGreeks, by groupings: [Grouping] = [.book],
        _ buckets: ExposureBuckets? = nil, in numeraire: Numeraire = .usd, engine: GreeksEngine
    ) throws(RiskError) {
        self.engine = engine
        self.numeraire = numeraire
        let contracts = chain.tickers.map(\.instrument)
        self.contracts = contracts
        contractOfName = Dictionary(
            contracts.enumerated().map { ($0.element.name, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        for position in positions where contractOfName[position.instrument.name] == nil {
            throw .unknownContract(position.instrument.name)
        }

        let layout = SliceLayout(chain)
        underlyings = layout.underlyings
        slices = layout.slices
        rowOfContract = layout.rowOfContract
        sliceOfContract = layout.sliceOfContract
        deltaOnes = layout.deltaOnes
        slicesOfUnderlying = layout.slicesOfUnderlying
        market = SliceMarket(layout, chain, engine)
        references = slicesOfUnderlying.map { [market] in market.price(ofSlice: $0.upperBound - 1) }
        isStale = Array(repeating: true, count: slices.count)

        let leading = [Grouping.underlying] + [.expiry, .tenor].filter(groupings.contains)
        let all = leading + groupings.filter { !leading.contains($0) }
        let plan = ExposurePlan(
            positions, contracts: contracts, rows: layout.rowOfContract.map(\.index), by: all, buckets,
            isComplete: true)
        self.plan = plan
        figures = UnitExposures(count: layout.rowCount)
        exposures = Exposures(plan)
        let ownBuckets = buckets ?? ExposureBuckets()
        var groupsOfLabels: [[String]: Range<Int>] = [:]
        for (group, labels) in plan.groups.enumerated() {
            let leadingLabels = Array(labels.prefix(leading.count))
            groupsOfLabels[leadingLabels] = (groupsOfLabels[leadingLabels]?.lowerBound ?? group)..<group + 1
        }
        var groupsOfSlice: [Range<Int>] = slices.map { _ in 0..<0 }
        for (contract, slice) in zip(contracts, sliceOfContract) {
            let labels = leading.map { $0.label(book: "", contract, ownBuckets, [:]).text }
            let groupsOfContract = groupsOfLabels[labels] ?? 0..<0
            let known = groupsOfSlice[slice]
            groupsOfSlice[slice] =
                known.isEmpty
                ? groupsOfContract
                : min(
                    known.lowerBound, groupsOfContract.lowerBound)..<max(
                        known.upperBound, groupsOfContract.upperBound)
        }
        self.groupsOfSlice = groupsOfSlice
        update()
    }

    // MARK: What there is

    public var instructionSet: InstructionSet { engine.instructionSet }

    /// The place of a contract in `contracts`.
    public func index(of name: String) -> Int? { contractOfName[name] }

    /// One figure of one contract per unit of quantity, as of the last `update`.
    public func figure(_ contract: Int, _ greek: ExposureGreek) -> Double {
        figures[rowOfContract[contract].index, greek]
    }

    /// The slice of a contract.
    public func slice(of contract: Int) -> Int { sliceOfContract[contract] }

    /// The price of a slice, in quote currency.
    public func price(ofSlice slice: Int) -> Double { market.price(ofSlice: slice) }

    /// The price by which an underlying's ticks are measured: of its coin, perpetual or last future.
    public func price(ofUnderlying underlying: Int) -> Double { references[underlying] }

    // MARK: What changes

    /// The underlying trades at a new price: all its slices move in proportion, keeping their basis.
    /// - Parameter time: when; the slices' options have been decaying until then. Nil leaves the time as it is.
    /// - Throws: `invalidValue` for a price that is not a positive number.
    public func tick(
        _ underlying: Int, price: Double, at time: Timestamp? = nil
    ) throws(RiskError) {
        try RiskError.require(Self.priceRule, price, "price", of: underlyings[underlying])
        let ratio = price / references[underlying]
        references[underlying] = price
        for slice in slicesOfUnderlying[underlying] {
            market.setPrice(market.price(ofSlice: slice) * ratio, ofSlice: slice)
            if let time { setTime(time, ofSlice: slice) }
            isStale[slice] = true
        }
    }

    /// A slice's own price: of its future, perpetual or coin.
    /// - Throws: `invalidValue` for a price that is not a positive number.
    public func setPrice(_ price: Double, ofSlice slice: Int, at time: Timestamp? = nil) throws(RiskError) {
        try RiskError.require(Self.priceRule, price, "price", of: slices[slice].name)
        market.setPrice(price, ofSlice: slice)
        if let time { setTime(time, ofSlice: slice) }
        isStale[slice] = true
    }

    private static let priceRule = NumberRule.within(Domain.leastPrice...Domain.largestPrice)

    /// An option's volatility, per √year (0.6 is 60%). Does nothing to other contracts.
    /// - Throws: `invalidValue` for one that is not a number from 0 to `Domain.largestVolatility`.
    public func setVolatility(_ volatility: Double, ofContract contract: Int) throws(RiskError) {
        try RiskError.require(
            .within(0...Domain.largestVolatility), volatility, "volatility", of: contracts[contract].name)
        guard contracts[contract].isOption else { return }
        market.setVolatility(volatility, at: rowOfContract[contract])
        isStale[sliceOfContract[contract]] = true
    }

    /// A slice's interest rate, continuously compounded.
    /// - Throws: `invalidValue` for one that is not a number from −1 to 1.
    public func setRate(_ rate: Double, ofSlice slice: Int) throws(RiskError) {
        try RiskError.require(.within(-1...1), rate, "rate", of: slices[slice].name)
        market.setRate(rate, ofSlice: slice)
        isStale[slice] = true
    }

    /// Time passes for all slices.
    public func advance(to time: Timestamp) {
        for slice in slices.indices {
            setTime(time, ofSlice: slice)
            isStale[slice] = true
        }
    }

    /// Sums of groups as of the last `update`.
    public func sum(_ rollUp: ExposureRollUp, into sums: Exposures) {
        rollUp.aggregate(exposures, into: sums, engine)
    }

    /// A trade: see `ExposurePlan.fill`. The exposure of its group is current at once, if nothing else has
    /// changed since the last `update`. Allocates where a book trades a contract that it has not held.
    public func fill(book: String, contract: Int, quantity: Double) throws(RiskError) {
        let group = try plan.fill(book: book, contracts[contract], quantity: quantity)
        plan.aggregate(figures, groups: group..<group + 1, into: exposures, engine)
    }

    private func setTime(_ time: Timestamp, ofSlice slice: Int) {
        market.setTime(time, slices[slice], ofSlice: slice)
    }

    // MARK: What follows

    /// Computes what changes have made stale: the figures of those slices, the exposures of their groups.
    /// - Returns: how many slices that were.
    @discardableResult
    public func update() -> Int {
        var count = 0
        var slice = 0
        var groups = 0..<0
        while slice < slices.count {
            guard isStale[slice] else {
                slice += 1
                continue
            }
            // Neighbours together, but no further than the underlying: what follows is prepared eight at a time.
            var end = slice + 1
            while end < slices.count, isStale[end], slices[end].underlying == slices[slice].underlying {
                end += 1
            }
            market.prepare(slice..<end, numeraire, engine)
            market.exposures(slice..<end, into: figures, engine)
            for stale in slice..<end {
                isStale[stale] = false
                for contract in deltaOnes[stale] {
                    figures.setDelta(
                        contract.row.index, contract.contractClass, price: market.price(ofSlice: stale),
                        share: market.share(ofSlice: stale), in: numeraire)
                }
                let groupsOfStale = groupsOfSlice[stale]
                if groups.isEmpty {
                    groups = groupsOfStale
                } else if groupsOfStale.lowerBound > groups.upperBound {
                    plan.aggregate(figures, groups: groups, into: exposures, engine)
                    groups = groupsOfStale
                } else {
                    groups =
                        min(
                            groups.lowerBound, groupsOfStale.lowerBound)..<max(
                            groups.upperBound, groupsOfStale.upperBound)
                }
            }
            count += end - slice
            slice = end
        }
        if !groups.isEmpty { plan.aggregate(figures, groups: groups, into: exposures, engine) }
        return count
    }
}
