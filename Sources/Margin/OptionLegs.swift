import Checks
import Greeks
import Market
import Risk

/// The options of an account as columns of the kernel: Black-76 on the forward of their expiry.
struct OptionLegs: Sendable {
    /// Places in the market's contracts.
    let contracts: [Int]
    /// Places of their expiries in `expiries`.
    let groups: [Int]
    /// The distinct expiries, by underlying and place, ascending.
    let expiries: [(underlying: Int, expiry: Int)]
    private let batch: OptionBatch
    private let shares: [Double]

    /// - Parameters:
    ///   - contracts: options with a volatility.
    ///   - discounted: whether they are worth e^(−max(rate, 0) T) of Black-76.
    /// - Throws: what an option lacks, or the value that cannot be priced.
    init(
        _ market: MarginMarket, _ contracts: [Int], discounted: Bool, for model: String,
        sharesOf move: (MarginMarket.Expiry, MarginMarket.Underlying) -> Double = { expiry, _ in
            expiry.openShare
        }
    ) throws(MarginError) {
        self.contracts = contracts
        var (type, forward, strike, years): ([UInt8], [Double], [Double], [Double]) = ([], [], [], [])
        var (volatility, rate, shares): ([Double], [Double], [Double]) = ([], [], [])
        var keys: [Int] = []
        for place in contracts {
            let contract = market.contracts[place]
            let expiry = try market.expiry(of: contract, for: model)
            guard let vol = contract.volatility else {
                throw .missing("vol", of: contract.name, for: model)
            }
            type.append(try market.type(of: contract, for: model).rawValue)
            strike.append(try market.strike(of: contract, for: model))
            forward.append(expiry.forward)
            years.append(expiry.years)
            volatility.append(vol)
            rate.append(discounted ? max(0, expiry.rate) : 0)
            shares.append(move(expiry, market.underlying(of: contract)))
            keys.append(contract.underlying << 32 | (contract.expiry ?? 0))
        }
        let distinct = Array(Set(keys)).sorted()
        expiries = distinct.map { (underlying: $0 >> 32, expiry: $0 & 0xFFFF_FFFF) }
        let places = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, $0) })
        groups = keys.map { places[$0] ?? 0 }
        self.shares = shares
        do throws(GreeksError) {
            batch = try OptionBatch(
                type: type, spot: forward, strike: strike, years: years, volatility: volatility, rate: rate,
                dividend: rate)
        } catch {
            guard case .invalidInput(let row, _, let value, _) = error else {
                throw MarginError(nil, field: "option", reason: "\(error)")
            }
            throw MarginError(
                .name(market.contracts[contracts[row]].name), field: "option", value: value.shown,
                reason: "cannot be priced")
        }
    }

    var count: Int { contracts.count }

    /// What each is worth, in dollars.
    func values(_ engine: GreeksEngine) -> [Double] {
        guard count > 0 else { return [] }
        return engine.greeks(.price, of: batch)[.price].map(Array.init) ?? []
    }

    /// Φ(d1) of calls, −Φ(−d1) of puts, undiscounted where rates are 0.
    func deltas(_ engine: GreeksEngine) -> [Double] {
        guard count > 0 else { return [] }
        return engine.greeks(GreekSet(.delta), of: batch)[.delta].map(Array.init) ?? []
    }

    /// What a unit of each gains in each scenario, not dampened: a row per leg.
    func gains(
        _ revaluation: ScenarioRevaluation, in numeraire: Numeraire = .usd
    ) throws(MarginError) -> ScenarioMatrix {
        guard count > 0 else {
            return ScenarioMatrix(rowCount: 0, scenarioCount: revaluation.grid.count)
        }
        let ones = Array(repeating: 1.0, count: count)
        let rows = (0..<count).map { Int32($0) }
        do throws(RiskError) {
            return try revaluation.sums(
                of: batch.columns, quantities: ones.span, books: rows.span, bookCount: count, in: numeraire,
                share: shares.span)
        } catch {
            throw MarginError(error.place, field: error.field, value: error.value, reason: error.reason)
        }
    }
}
