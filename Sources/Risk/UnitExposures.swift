import Greeks
import Market

/// The contract side of the matrix product: one row of `ExposureGreek` figures per contract, per unit of
/// quantity. Copies share their rows: what is written to one is in all.
public struct UnitExposures: Sendable {
    let rows: ExposureRows

    public var count: Int { rows.count }

    /// Room for `count` contracts, all figures 0.
    public init(count: Int) { rows = ExposureRows(count: count) }

    /// The figures of others, and behind them room for more, all figures 0.
    init(_ others: UnitExposures, grownTo count: Int) { rows = ExposureRows(others.rows, grownTo: count) }

    /// One figure of one contract.
    public subscript(contract: Int, greek: ExposureGreek) -> Double {
        get { rows[contract, greek] }
        nonmutating set { rows[contract, greek] = newValue }
    }

    /// Fills the rows of contracts from their Greeks: row i from row i of `chain`, whatever it was before. Allocates nothing.
    /// - Precondition: the chain's selection has all Greeks that exposures are made of, `GreekSet.exposures`.
    public func update(from chain: ChainGreeks, in numeraire: Numeraire) {
        precondition(
            chain.greeks.selection.isSuperset(of: .exposures),
            "the chain was made without some of the Greeks that exposures are made of")
        let columns = unsafe chain.greeks.columns
        for row in 0..<min(count, chain.tickers.count) {
            let share = chain.settlementShares[row]
            let ticker = chain.tickers[row]
            let years = ticker.instrument.expiry.map { ticker.timestamp.years(until: $0) } ?? 0
            let fading = SettlementWindow.fading(share: share, years: years)
            let forward = chain.options.spot[row]
            let contractClass = chain.classes[row]
            guard contractClass.isOption else {
                setDelta(row, contractClass, price: forward, share: share, in: numeraire)
                fadeCharm(row, fading, in: numeraire)
                continue
            }
            var map = ExposureMap(
                ExposureTerms(
                    isInverse: contractClass == .inverseOption, forward: forward,
                    years: chain.options.years[row], share: share, in: numeraire)
            )
            // Rows of both, and columns that the selection has.
            let exposures = unsafe rows.base + row * ExposureRows.stride
            unsafe ExposureMap.forEach(
                &map, { unsafe columns[$0].unsafelyUnwrapped[row] }, { $0 * $1 }, { $0 * $1 + $2 },
                { unsafe exposures[$0.index] = $1 })
            fadeCharm(row, fading, in: numeraire)
        }
    }

    /// Adds to the charm of a contract what its delta loses by the share that falls: charm is the change of the delta shown.
    /// - Parameter fading: of `SettlementWindow`, per day.
    @inline(__always)
    func fadeCharm(_ row: Int, _ fading: Double, in numeraire: Numeraire) {
        guard fading != 0 else { return }
        rows[row, .charm] += fading * rows[row, numeraire == .usd ? .delta : .netDelta]
    }

    /// All exposures of a future, perpetual or coin: those that follow from its price and delta, and 0.
    ///
    /// A dollar of an inverse contract is 1/F coins: without gamma in dollars; in coin its delta of 1/F falls by 1/(100F)
    /// as F rises by 1%.
    func setDelta(
        _ row: Int, _ contractClass: ContractClass, price: Double, share: Double, in numeraire: Numeraire
    ) {
        let isInverse = contractClass == .inverseFuture
        let coinsPerUnit = isInverse ? 1 / price : 1
        let left = SettlementWindow.Factors(share: share)
        let delta = left.delta * (numeraire == .usd ? coinsPerUnit * price : coinsPerUnit)
        // The row may have been another contract's, or in another currency.
        ExposureGreek.forEach { rows[row, $0] = 0 }
        rows[row, .delta] = delta
        rows[row, .netDelta] = delta
        if contractClass == .spot { rows[row, .value] = numeraire == .usd ? price : 1 }
        if isInverse, numeraire == .coin { rows[row, .gamma] = -left.gamma * coinsPerUnit / 100 }
    }
}

extension SettlementWindow {
    /// How fast the remaining share falls, as a share of itself, per day: −1 over the days that are left, 0 before the window
    /// and from expiry on. What is shown of a sensitivity changes by that times itself, beside what it does of itself.
    static func fading(share: Double, years: Double) -> Double {
        share < 1 && years > 0 ? -1 / (365 * years) : 0
    }
}
