import Greeks

/// What parts of an account that pool their collateral under one model have in its requirement: sub-accounts of a vault, books.
public struct MarginShares: Sendable, Equatable {
    public struct Share: Sendable, Equatable {
        public var name: String
        /// Below 0 where the part relieves the others.
        public var maintenance, initial: Double
        /// What would be required of it alone, beside what belongs to no part.
        public var maintenanceAlone, initialAlone: Double
    }

    /// They and what is common add up to the requirement.
    public var shares: [Share]
    /// Required without any part: haircuts of collateral, reserves, positions of no part.
    public var commonMaintenance, commonInitial: Double
}

extension MarginModel {
    /// The requirement shared among parts of an account by their marginal contribution, averaged while all of them grow together
    /// from nothing to what they are (Aumann and Shapley). Of a rule that grows in proportion this is what a part adds at the
    /// margin: its loss in the scenario that decides.
    /// - Parameter parts: the quantities of each, by contract of the market. What the account holds beside them is common.
    /// - Returns: shares that add up to what is required beyond what is common.
    /// - Throws: what `requirement` throws; a part that is not of the market's size.
    /// - Source: Billera, Heath, Raanan, Internal telephone billing rates, Operations Research 26, 1978.
    public func shares(
        of account: CrossMarginAccount, among parts: [(name: String, quantities: [Double])],
        in market: MarginMarket, _ engine: GreeksEngine
    ) throws(MarginError) -> MarginShares {
        try market.validate()
        try account.validate()
        try refuseEntries(of: account)
        for (name, quantities) in parts where quantities.count != market.contracts.count {
            throw MarginError(
                .name(name), field: "quantities", value: "\(quantities.count)",
                reason: "must be as many as contracts of the market")
        }
        let pool = PooledAccount(
            model: self, account: account, parts: parts.map(\.quantities), market, engine)
        let whole = parts.map { _ in 1.0 }
        let nothing = parts.map { _ in 0.0 }
        let all = try pool.margins(whole)
        let common = try pool.margins(nothing)
        let half = try pool.margins(whole.map { _ in 0.5 })
        let quarter = try pool.margins(whole.map { _ in 0.25 })
        // What grows in proportion is the same everywhere on the way.
        func isStraight(_ point: Margins, _ share: Double) -> Bool {
            let error = point - common - (all - common) * share
            let size = (all - common).magnitude + common.magnitude
            return error.magnitude <= 1e-12 * size
        }
        let steps = isStraight(half, 0.5) && isStraight(quarter, 0.25) ? 1 : 64
        var sums = parts.map { _ in Margins() }
        var before = common
        for step in 0..<steps {
            let after =
                step + 1 == steps
                ? all : try pool.margins(whole.map { _ in Double(step + 1) / Double(steps) })
            // What grows in proportion is taken where it is largest, that rounding counts least.
            let middle = steps == 1 ? 1.0 : (Double(step) + 0.5) / Double(steps)
            var slopes: [Margins] = []
            for part in parts.indices { slopes.append(try pool.slope(part, at: middle)) }
            for slope in slopes.indices { slopes[slope] = slopes[slope] * (1 / Double(steps)) }
            let total = slopes.reduce(Margins(), +)
            let missing = after - before - total
            let sizes = slopes.reduce(Margins()) { $0 + $1.absolute }
            for part in parts.indices {
                sums[part] = sums[part] + slopes[part]
                sums[part].maintenance += MarginShares.piece(
                    missing.maintenance, slopes[part].maintenance, sizes.maintenance, parts.count)
                sums[part].initial += MarginShares.piece(
                    missing.initial, slopes[part].initial, sizes.initial, parts.count)
            }
            before = after
        }
        var shares: [MarginShares.Share] = []
        for (part, sum) in sums.enumerated() {
            var alone = nothing
            alone[part] = 1
            let own = try pool.margins(alone)
            shares.append(
                MarginShares.Share(
                    name: parts[part].name, maintenance: sum.maintenance, initial: sum.initial,
                    maintenanceAlone: own.maintenance, initialAlone: own.initial))
        }
        return MarginShares(
            shares: shares, commonMaintenance: common.maintenance, commonInitial: common.initial)
    }
}

extension MarginShares {
    /// A part's piece of what slopes at one point leave of a step: by their sizes.
    fileprivate static func piece(
        _ missing: Double, _ slope: Double, _ size: Double, _ count: Int
    ) -> Double { missing * (size > 0 ? slope.magnitude / size : 1 / Double(count)) }
}

/// Both margins.
private struct Margins {
    var maintenance = 0.0
    var initial = 0.0

    var magnitude: Double { max(maintenance.magnitude, initial.magnitude) }
    var absolute: Margins { Margins(maintenance: maintenance.magnitude, initial: initial.magnitude) }

    static func + (one: Margins, other: Margins) -> Margins {
        Margins(maintenance: one.maintenance + other.maintenance, initial: one.initial + other.initial)
    }

    static func - (one: Margins, other: Margins) -> Margins { one + other * -1 }

    static func * (one: Margins, factor: Double) -> Margins {
        Margins(maintenance: one.maintenance * factor, initial: one.initial * factor)
    }
}

/// An account with its parts at other sizes.
private struct PooledAccount {
    let model: MarginModel
    let account: CrossMarginAccount
    let parts: [[Double]]
    let market: MarginMarket
    let engine: GreeksEngine
    /// What belongs to no part.
    private let rest: [Double]

    init(
        model: MarginModel, account: CrossMarginAccount, parts: [[Double]], _ market: MarginMarket,
        _ engine: GreeksEngine
    ) {
        (self.model, self.account, self.parts) = (model, account, parts)
        (self.market, self.engine) = (market, engine)
        rest = account.quantities.indices.map { place in
            let own = parts.map { $0[place] }
            let left = account.quantities[place] - own.reduce(0, +)
            let size = own.reduce(account.quantities[place].magnitude) { $0 + $1.magnitude }
            // What rounding leaves is not a position.
            return left.magnitude <= 1e-12 * size ? 0 : left
        }
    }

    func margins(_ sizes: [Double]) throws(MarginError) -> Margins {
        var quantities = rest
        for (part, size) in zip(parts, sizes) where size != 0 {
            for place in quantities.indices { quantities[place] += size * part[place] }
        }
        let requirement = try model.unchecked(account.holding(quantities), market, engine)
        return Margins(
            maintenance: requirement.maintenanceMargin, initial: requirement.initialMargin)
    }

    /// How the margins change with a part's size, while all are at one: the mean of both sides.
    func slope(_ part: Int, at size: Double) throws(MarginError) -> Margins {
        let step = 1e-5 * size
        var (up, down) = (parts.map { _ in size }, parts.map { _ in size })
        up[part] += step
        down[part] -= step
        return (try margins(up) - margins(down)) * (1 / (2 * step))
    }
}
