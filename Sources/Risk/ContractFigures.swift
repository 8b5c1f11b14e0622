import Greeks
import Market

/// The contract side of the matrix product: one row of `ExposureGreek` figures per contract, per unit of
/// quantity.
public final class ContractFigures: @unchecked Sendable {
    /// Doubles from one row to the next: the figures and padding to whole vectors.
    static let stride = 16
    public let count: Int
    let rows: UnsafeMutablePointer<Double>

    /// Room for `count` contracts, all figures 0.
    public init(count: Int) {
        self.count = count
        rows = .allocate(capacity: max(1, count) * Self.stride)
        rows.initialize(repeating: 0, count: max(1, count) * Self.stride)
    }

    deinit { rows.deallocate() }

    /// One figure of one contract.
    public subscript(contract: Int, greek: ExposureGreek) -> Double {
        get { rows[contract * Self.stride + greek.rawValue] }
        set { rows[contract * Self.stride + greek.rawValue] = newValue }
    }

    /// Fills the rows of contracts from their Greeks: row i from row i of `chain`. Allocates nothing.
    public func update(from chain: ChainGreeks, in numeraire: Numeraire) {
        let g = chain.greeks
        guard let price = g[.price], let delta = g[.delta], let gamma = g[.gamma], let vega = g[.vega],
            let theta = g[.theta], let rho = g[.rho], let vanna = g[.vanna], let volga = g[.volga],
            let charm = g[.charm]
        else { return }
        chain.tickers.withUnsafeBufferPointer { tickers in
            for row in 0..<min(count, tickers.count) {
                let instrument = tickers[row].instrument
                let share = SettlementWindow.remainingShare(
                    at: tickers[row].timestamp, expiry: instrument.expiry)
                let forward = chain.options.spot[row]
                guard instrument.isOption else {
                    setDelta(row, instrument, price: forward, share: share, in: numeraire)
                    continue
                }
                let isInverse = instrument.settlement == .inverse
                let coinPrice = price[row] / forward
                let net = isInverse ? delta[row] - coinPrice : delta[row]
                switch numeraire {
                case .usd:
                    self[row, .value] = price[row]
                    self[row, .delta] = share * delta[row] * forward
                    self[row, .netDelta] = share * net * forward
                    self[row, .gamma] = gamma[row] * forward * forward / 100
                    self[row, .vega] = vega[row] / 100
                    self[row, .theta] = theta[row] / 365
                    self[row, .rho] = rho[row] / 100
                    self[row, .vanna] = vanna[row] * forward / 100
                    self[row, .volga] = volga[row] / 10_000
                    self[row, .charm] = charm[row] * forward / 365
                case .coin:
                    // What the premium adds to the derivatives of the net delta Δ − V/F.
                    let premium = isInverse ? 1.0 : 0.0
                    self[row, .value] = coinPrice
                    self[row, .delta] = share * delta[row]
                    self[row, .netDelta] = share * net
                    self[row, .gamma] = (gamma[row] * forward - premium * net) / 100
                    self[row, .vega] = vega[row] / forward / 100
                    self[row, .theta] = theta[row] / forward / 365
                    self[row, .rho] = rho[row] / forward / 100
                    self[row, .vanna] = (vanna[row] - premium * vega[row] / forward) / 100
                    self[row, .volga] = volga[row] / forward / 10_000
                    self[row, .charm] = (charm[row] - premium * theta[row] / forward) / 365
                }
            }
        }
    }

    /// Futures, perpetuals and coins: a price and a delta.
    ///
    /// A dollar of an inverse contract is 1/F coins: without gamma in dollars, with −1/F² in coin.
    private func setDelta(
        _ row: Int, _ instrument: Instrument, price: Double, share: Double, in numeraire: Numeraire
    ) {
        let isInverse = instrument.settlement == .inverse
        let coins = isInverse ? 1 / price : 1
        let delta = share * (numeraire == .usd ? coins * price : coins)
        self[row, .delta] = delta
        self[row, .netDelta] = delta
        if instrument.kind == .spot { self[row, .value] = numeraire == .usd ? price : 1 }
        if isInverse, numeraire == .coin { self[row, .gamma] = -coins / 100 }
    }
}
