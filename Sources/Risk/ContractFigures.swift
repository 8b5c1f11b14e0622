import Greeks
import Market
import VectorMath

/// The contract side of the matrix product: one row of `ExposureGreek` figures per contract, per unit of
/// quantity.
public final class ContractFigures: @unchecked Sendable {
    /// Doubles from one row to the next: the figures and padding to whole vectors.
    static let stride = WeightedRows.width
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
        let columns = chain.greeks.columns
        guard let price = columns.price, let delta = columns.delta, let gamma = columns.gamma,
            let vega = columns.vega, let theta = columns.theta, let rho = columns.rho,
            let vanna = columns.vanna, let volga = columns.volga, let charm = columns.charm
        else { return }
        for row in 0..<min(count, chain.tickers.count) {
            let share = chain.settlementShares[row]
            let forward = chain.options.spot[row]
            let contractClass = chain.classes[row]
            guard contractClass.isOption else {
                setDelta(row, contractClass, price: forward, share: share, in: numeraire)
                continue
            }
            let figures = rows + row * Self.stride
            func set(_ greek: ExposureGreek, _ value: Double) { figures[greek.rawValue] = value }
            let isInverse = contractClass == .inverseOption
            let coinPrice = price[row] / forward
            let net = isInverse ? delta[row] - coinPrice : delta[row]
            // Multiplied, since ten divisions would cost more than the Greeks themselves.
            let hundredth = 0.01
            let perDay = 1.0 / 365
            switch numeraire {
            case .usd:
                set(.value, price[row])
                set(.delta, share * delta[row] * forward)
                set(.netDelta, share * net * forward)
                set(.gamma, gamma[row] * forward * forward * hundredth)
                set(.vega, vega[row] * hundredth)
                set(.theta, theta[row] * perDay)
                set(.rho, rho[row] * hundredth)
                set(.vanna, vanna[row] * forward * hundredth)
                set(.volga, volga[row] * (hundredth * hundredth))
                set(.charm, charm[row] * forward * perDay)
            case .coin:
                // What the premium adds to the derivatives of the net delta Δ − V/F.
                let premium = isInverse ? 1.0 : 0.0
                let coins = 1 / forward
                set(.value, coinPrice)
                set(.delta, share * delta[row])
                set(.netDelta, share * net)
                set(.gamma, (gamma[row] * forward - premium * net) * hundredth)
                set(.vega, vega[row] * coins * hundredth)
                set(.theta, theta[row] * coins * perDay)
                set(.rho, rho[row] * coins * hundredth)
                set(.vanna, (vanna[row] - premium * vega[row] * coins) * hundredth)
                set(.volga, volga[row] * coins * (hundredth * hundredth))
                set(.charm, (charm[row] - premium * theta[row] * coins) * perDay)
            }
        }
    }

    /// Futures, perpetuals and coins: a price and a delta.
    ///
    /// A dollar of an inverse contract is 1/F coins: without gamma in dollars, with −1/F² in coin.
    private func setDelta(
        _ row: Int, _ contractClass: ContractClass, price: Double, share: Double, in numeraire: Numeraire
    ) {
        let isInverse = contractClass == .inverseFuture
        let coins = isInverse ? 1 / price : 1
        let delta = share * (numeraire == .usd ? coins * price : coins)
        self[row, .delta] = delta
        self[row, .netDelta] = delta
        if contractClass == .spot { self[row, .value] = numeraire == .usd ? price : 1 }
        if isInverse, numeraire == .coin { self[row, .gamma] = -coins / 100 }
    }
}

/// What decides how a contract's Greeks become figures of a book.
enum ContractClass: UInt8, Sendable {
    case inverseOption, linearOption
    /// Dated futures and perpetuals.
    case inverseFuture, linearFuture
    case spot

    init(_ instrument: Instrument) {
        switch (instrument.kind, instrument.settlement) {
        case (.option, .inverse): self = .inverseOption
        case (.option, .linear): self = .linearOption
        case (.spot, _): self = .spot
        case (_, .inverse): self = .inverseFuture
        case (_, .linear): self = .linearFuture
        }
    }

    var isOption: Bool { self == .inverseOption || self == .linearOption }
}
