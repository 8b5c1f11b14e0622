import Greeks
import Market
import Risk
import VectorMath

/// Positions valued anew in any scenario: every contract once per scenario, by the kernel, and spread to the groups.
///
/// A coin's move is that of all its futures, its perpetual and itself; a move of its volatilities reaches an option
/// by `VolatilityResponse`. While the exchange averages its delivery price, a contract takes part in the moves by the
/// share that is not yet averaged. What one unit gains, see `ChainScenarios`.
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
        _ valuation: BookValuation, by groupings: [Grouping], _ buckets: ExposureBuckets? = nil,
        in numeraire: Numeraire, _ response: VolatilityResponse, _ pool: GreeksPool
    ) {
        self.valuation = valuation
        self.numeraire = numeraire
        self.response = response
        self.pool = pool
        let contracts = valuation.contracts
        plan = ExposurePlan(valuation.positions, contracts: contracts, by: groupings, buckets)
        let coins = Array(Set(contracts.map(\.base))).sorted()
        self.coins = coins
        coinOfContract = contracts.map { coins.firstIndex(of: $0.base) ?? 0 }
    }

    var engine: GreeksEngine { pool.engine }

    /// Gains of the groups.
    /// - Parameter years: time that passes, at least 0; options that expire meanwhile are worth their intrinsic value.
    /// - Parameter isCancelled: asked now and then; true ends it.
    /// - Throws: `missingHistory`; `invalidValue` for the time; `notFinite` for positions too large to be added; `cancelled`.
    public func profits(
        _ moves: FactorMoves, years passed: Double = 0, isCancelled: (() -> Bool)? = nil
    ) throws(TailRiskError) -> ScenarioProfits {
        try TailRiskError.require(.notNegative, passed, "years")
        let places = try moves.places(of: coins)
        let width = WeightedRows.width
        let greeks = valuation.greeks
        let options = (0..<greeks.tickers.count).filter { greeks.isOption(row: $0) }
        let others = (0..<greeks.tickers.count).filter { !greeks.isOption(row: $0) }
        let inputs = greeks.options
        let columns = OptionLanes(inputs, options, years: passed)
        // Contract by contract 16 lanes each: prices of the others, and gains of all.
        let prices = ColumnStorage<Double>(repeating: 0, count: width)
        let rows = ColumnStorage<Double>(repeating: 0, count: greeks.tickers.count * width)
        let values = GreekMatrix(.price, count: options.count * width)
        guard let valueColumn = values[.price] else { preconditionFailure("prices are selected") }
        let contracts = (0..<greeks.tickers.count).map { row in
            (
                coin: coinOfContract[row], forward: inputs.spot[row],
                share: greeks.settlementShare(ofRow: row), volatility: inputs.volatility[row],
                response: response.factor(years: max(0, inputs.years[row] - passed))
            )
        }
        var priceMoves = Array(repeating: (Lanes.zero, Lanes.zero), count: coins.count)
        var volatilityMoves = priceMoves
        return try ScenarioProfits(groups: plan.groups, count: moves.count, isCancelled: isCancelled) {
            first, sums in
            for (coin, place) in places.enumerated() {
                priceMoves[coin] = Self.lanes(moves.price[place], from: first)
                if !moves.volatility.isEmpty {
                    volatilityMoves[coin] = Self.lanes(moves.volatility[place], from: first)
                }
            }
            for (number, row) in options.enumerated() {
                let option = contracts[row]
                Self.store(
                    priceMoves[option.coin], option.forward, option.share, columns.spot, number * width)
                Self.store(
                    volatilityMoves[option.coin], option.volatility, option.response, columns.volatility,
                    number * width)
            }
            let inputs = OptionColumns(
                ofEqualLength: columns.type.span, spot: columns.spot.span, strike: columns.strike.span,
                years: columns.years.span, volatility: columns.volatility.span, rate: columns.rate.span,
                dividend: columns.rate.span)
            pool.fullForm(.price, inputs, into: values)
            for (number, row) in options.enumerated() {
                let lanes = number * width..<(number + 1) * width
                greeks.profits(
                    ofRow: row, to: columns.spot.span.extracting(lanes),
                    values: valueColumn.span.extracting(lanes),
                    in: numeraire, into: rows, from: row * width)
            }
            for row in others {
                let contract = contracts[row]
                Self.store(priceMoves[contract.coin], contract.forward, contract.share, prices, 0)
                greeks.profits(
                    ofRow: row, to: prices.span, values: prices.span, in: numeraire, into: rows,
                    from: row * width)
            }
            plan.aggregate(rows, into: sums, engine)
        }
    }

    /// Sixteen moves; 0 behind the last.
    private static func lanes(_ moves: [Double], from first: Int) -> (Lanes, Lanes) {
        var lanes = (Lanes.zero, Lanes.zero)
        for lane in 0..<min(8, moves.count - first) { lanes.0[lane] = moves[first + lane] }
        for lane in 0..<max(0, min(8, moves.count - first - 8)) { lanes.1[lane] = moves[first + 8 + lane] }
        return lanes
    }

    /// level·(1 + share·move).
    private static func store(
        _ moves: (Lanes, Lanes), _ level: Double, _ share: Double,
        _ column: borrowing ColumnStorage<Double>, _ place: Int
    ) {
        let one = Lanes(repeating: 1)
        column.store((one + moves.0 * share) * level, at: place)
        column.store((one + moves.1 * share) * level, at: place + 8)
    }
}

/// The kernel's inputs of options, option by option 16 lanes each, a scenario in each lane; spots and volatilities are 0 until
/// scenarios fill them in.
private struct OptionLanes: ~Copyable {
    let type: ColumnStorage<UInt8>
    let spot, strike, years, volatility, rate: ColumnStorage<Double>

    /// - Parameters:
    ///   - options: rows of `inputs`.
    ///   - passed: time that passes.
    init(_ inputs: OptionBatch, _ options: [Int], years passed: Double) {
        let width = WeightedRows.width
        let count = options.count * width
        type = ColumnStorage(repeating: 0, count: count)
        spot = ColumnStorage(repeating: 0, count: count)
        strike = ColumnStorage(repeating: 0, count: count)
        years = ColumnStorage(repeating: 0, count: count)
        volatility = ColumnStorage(repeating: 0, count: count)
        rate = ColumnStorage(repeating: 0, count: count)
        for (number, row) in options.enumerated() {
            for lane in number * width..<(number + 1) * width {
                type[lane] = inputs.type[row]
                strike[lane] = inputs.strike[row]
                years[lane] = max(0, inputs.years[row] - passed)
                rate[lane] = inputs.rate[row]
            }
        }
    }
}
