import Greeks
import Market
import Risk
import VectorMath

/// Positions valued anew in any scenario: every contract once per scenario, by the kernel, and spread to the groups.
///
/// A coin's move is that of all its futures, its perpetual and itself; a move of its volatilities reaches an option
/// by `VolatilityResponse`. A contract in its last half hour takes part in the moves by the share that is not yet
/// averaged. What one unit gains, see `ValueDerivatives`.
public final class BookRevaluation: @unchecked Sendable {
    public let numeraire: Numeraire
    public let plan: ExposurePlan
    /// Coins that the positions depend on.
    public let coins: [String]
    let valuation: BookValuation
    let coinOfContract: [Int]
    let response: VolatilityResponse
    private let pool: GreeksPool

    /// - Parameters:
    ///   - valuation: whose Greeks are computed.
    ///   - pool: prices on all its threads; the results are the same for any number.
    public init(
        _ valuation: BookValuation, by groupings: [Grouping], in numeraire: Numeraire,
        _ response: VolatilityResponse, _ pool: GreeksPool
    ) {
        self.valuation = valuation
        self.numeraire = numeraire
        self.response = response
        self.pool = pool
        let contracts = valuation.contracts
        plan = ExposurePlan(valuation.positions, contracts: contracts, by: groupings)
        let coins = Array(Set(contracts.map(\.base))).sorted()
        self.coins = coins
        coinOfContract = contracts.map { coins.firstIndex(of: $0.base) ?? 0 }
    }

    var engine: GreeksEngine { pool.engine }

    /// The columns of moves of each of `coins`.
    /// - Throws: `missingHistory`.
    func columns(_ moves: FactorMoves) throws(TailRiskError) -> [Int] {
        var places: [Int] = []
        for coin in coins {
            guard let place = moves.coins.firstIndex(of: coin) else { throw .missingHistory(coin: coin) }
            places.append(place)
        }
        return places
    }

    /// What the groups gain.
    /// - Parameter years: time that passes; options that expire meanwhile are worth their intrinsic value.
    /// - Throws: `missingHistory`; `notFinite` for positions too large to be added.
    public func profits(_ moves: FactorMoves, years passed: Double = 0) throws(TailRiskError)
        -> ScenarioProfits
    {
        let places = try columns(moves)
        let width = WeightedRows.width
        let greeks = valuation.greeks
        let options = (0..<greeks.tickers.count).filter { greeks.isOption(row: $0) }
        let others = (0..<greeks.tickers.count).filter { !greeks.isOption(row: $0) }
        let inputs = greeks.options
        let count = options.count * width
        // Columns of inputs, option by option 16 lanes each.
        let columns = UnsafeMutablePointer<Double>.allocate(capacity: 5 * count + 1)
        let type = UnsafeMutablePointer<UInt8>.allocate(capacity: count + 1)
        let rows = UnsafeMutablePointer<Double>.allocate(capacity: greeks.tickers.count * width + 1)
        defer {
            columns.deallocate()
            type.deallocate()
            rows.deallocate()
        }
        let (spot, strike, years) = (columns, columns + count, columns + 2 * count)
        let (volatility, rate) = (columns + 3 * count, columns + 4 * count)
        for (number, row) in options.enumerated() {
            for lane in number * width..<(number + 1) * width {
                type[lane] = inputs.type[row]
                strike[lane] = inputs.strike[row]
                years[lane] = max(0, inputs.years[row] - passed)
                rate[lane] = inputs.rate[row]
            }
        }
        let present = options.map { row -> Double in
            let price = greeks.greeks[.price]?[row] ?? .nan
            return numeraire == .usd ? price : price / inputs.spot[row]
        }
        let matrix = GreekMatrix(.price, count: count)
        let coefficients = options.map { row in
            (
                coin: places[coinOfContract[row]], forward: inputs.spot[row],
                share: greeks.settlementShare(ofRow: row), volatility: inputs.volatility[row],
                response: response.factor(years: inputs.years[row])
            )
        }
        return try ScenarioProfits(groups: plan.groups, count: moves.count) { first, sums in
            let inUse = min(width, moves.count - first)
            for (number, option) in coefficients.enumerated() {
                let base = number * width
                for lane in 0..<inUse {
                    spot[base + lane] =
                        option.forward * (1 + option.share * moves.price[option.coin][first + lane])
                    volatility[base + lane] = option.volatility
                }
                if !moves.volatility.isEmpty {
                    for lane in 0..<inUse {
                        volatility[base + lane] *=
                            1 + option.response * moves.volatility[option.coin][first + lane]
                    }
                }
                for lane in inUse..<width {
                    spot[base + lane] = option.forward
                    volatility[base + lane] = option.volatility
                }
            }
            pool.fullForm(
                .price,
                FullFormColumns(
                    type: type, spot: spot, strike: strike, years: years, volatility: volatility, rate: rate,
                    dividend: rate), count: count, into: matrix.columns)
            if let prices = matrix[.price]?.pointer {
                for (number, row) in options.enumerated() {
                    for lane in 0..<width {
                        let price = prices[number * width + lane]
                        let value = numeraire == .usd ? price : price / spot[number * width + lane]
                        rows[row * width + lane] = value - present[number]
                    }
                }
            }
            for row in others {
                let price = inputs.spot[row]
                let share = greeks.settlementShare(ofRow: row)
                let column = moves.price[places[coinOfContract[row]]]
                for lane in 0..<width {
                    let move = lane < inUse ? share * column[first + lane] : 0
                    rows[row * width + lane] = greeks.profit(
                        ofRow: row, to: price * (1 + move), in: numeraire)
                }
            }
            plan.aggregate(rows, groups: 0..<plan.groups.count, into: sums, engine)
        }
    }
}
