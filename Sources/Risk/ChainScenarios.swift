import Glibc
import Greeks
import Market

/// Gains of the contracts of a chain, and of the books that hold them, in every scenario of a grid.
///
/// Contracts are valued as `ChainGreeks` does: each at its own moment, off its own future. Profits are per unit of
/// quantity, in the numeraire, where a contract's own price moves from F to F₁ and an option's value from V to V₁:
///
/// | | US dollars | coin |
/// | --- | --- | --- |
/// | inverse option | V₁ − V | V₁/F₁ − V/F |
/// | linear option | V₁ − V | (V₁ − V)/F₁ |
/// | inverse future or perpetual, per dollar | F₁/F − 1 | 1/F − 1/F₁ |
/// | linear future or perpetual | F₁ − F | (F₁ − F)/F₁ |
/// | spot | F₁ − F | 0 |
///
/// A rate that is added discounts options and moves no price; where `rateHolds` is `spot`, what is dated rises by
/// exp(rate · T) beside, futures and the forwards of options alike.
///
/// Per 1.00 of relative move they rise by `ExposureGreek.delta` in dollars and by `netDelta` in coin, but for spot.
public struct ChainScenarios: Sendable {
    public let contracts: [Instrument]
    public let numeraire: Numeraire
    public let revaluation: ScenarioRevaluation
    private let chain: ChainGreeks
    private let smiles: [String: SmileCurve]
    private let surfaceMoves: SurfaceMoves
    /// `Instrument.series` of each contract, for the smiles.
    private let series: [String]
    /// The row of each contract: options first, padded to whole vectors, then the others.
    private let rows: [Int]
    private let contractOfRow: [Int]
    private let optionRows: Int
    private let columns: ScenarioOptionColumns

    public var grid: ScenarioGrid { revaluation.grid }

    /// - Parameters:
    ///   - chain: the contracts.
    ///   - market: tickers of all listed options, for the smiles where the grid needs them: `Chain.latestTickers`.
    ///   - surface: whose slices rules with smile terms move.
    ///   - betas: where rules take those of a history.
    /// - Throws: `missing` for an option of whose expiry `market` or `surface` has none; `invalidValue` where rates
    ///   times years become too large, where terms leave no slice, where the history has no betas for an expiry, or where
    ///   `market` has a price or volatility that the formulas do not accept.
    public init(
        _ chain: ChainGreeks, _ grid: ScenarioGrid, market: [Ticker], in numeraire: Numeraire = .usd,
        engine: GreeksEngine, surface: (any ScenarioSurface)? = nil, betas: HistoricalDynamics? = nil
    ) throws(RiskError) {
        self.chain = chain
        self.numeraire = numeraire
        contracts = chain.tickers.map(\.instrument)
        revaluation = ScenarioRevaluation(grid, engine: engine, pricedOff: .future)
        let options = contracts.indices.filter { chain.classes[$0].isOption }
        let others = contracts.indices.filter { !chain.classes[$0].isOption }
        let padding = options.last.map { Array(repeating: $0, count: (8 - options.count % 8) % 8) } ?? []
        contractOfRow = options + padding + others
        optionRows = options.count + padding.count
        var rows = contracts.map { _ in 0 }
        for (row, contract) in contractOfRow.enumerated().reversed() { rows[contract] = row }
        self.rows = rows
        columns = ScenarioOptionColumns(chain, contractOfRow[..<optionRows])
        for contract in options {
            for scenario in grid.scenarios {
                let exponent = (chain.options.rate[contract] + scenario.rate) * chain.options.years[contract]
                guard exponent.magnitude <= Domain.largestExponent else {
                    throw .invalidValue(
                        of: contracts[contract].name, field: "rate", value: scenario.rate,
                        reason: "moves the contract's own too far for its years")
                }
            }
        }
        series = grid.needsSmiles ? contracts.map(\.series) : []
        surfaceMoves = try SurfaceMoves(chain, options, series, grid, surface, betas)
        var smiles: [String: SmileCurve] = [:]
        if grid.followsSmiles {
            let listed = Dictionary(grouping: market.filter(\.instrument.isOption)) {
                $0.instrument.series
            }
            for contract in options {
                let name = series[contract]
                guard smiles[name] == nil else { continue }
                guard let tickers = listed[name] else { throw .missing(.smile, of: name) }
                smiles[name] = try SmileCurve(tickers)
            }
        }
        self.smiles = smiles
    }

    /// A row per contract: gains times the scenario's dampening.
    public func profits() -> ScenarioMatrix {
        let result = ScenarioMatrix(rowCount: contracts.count, scenarioCount: grid.count)
        forEachBlock { block, matrix in
            for row in block {
                let contract = contractOfRow[row]
                guard rows[contract] == row else { continue }
                result.copyRow(row - block.lowerBound, of: matrix, to: contract)
            }
        }
        result.dampen(grid)
        return result
    }

    /// Gains of groups of positions, a row per group of `plan`: sums times the scenario's dampening, whatever rules the
    /// grid has for expiries.
    /// - Parameters:
    ///   - plan: made for `contracts`, without rows of its own.
    ///   - path: the one that costs less where it is nil.
    public func profits(
        of plan: ExposurePlan, path: SummationPath? = nil, progress: ((Int) -> Void)? = nil
    ) -> ScenarioMatrix {
        let result = sums(of: plan, path: path, progress: progress)
        result.dampen(grid)
        return result
    }

    /// Gains of groups of positions, with their labels; where the grid charges profits expiry by expiry, by its rules
    /// (`ExpirySums`).
    public func profits(
        of positions: [PositionTable.Position], by groupings: [Grouping], _ buckets: ExposureBuckets? = nil,
        progress: ((Int) -> Void)? = nil
    ) -> (groups: [[String]], profits: ScenarioMatrix) {
        let plan = ExposurePlan(positions, contracts: contracts, by: groupings, buckets)
        guard grid.isByExpiry else { return (plan.groups, profits(of: plan, progress: progress)) }
        let parts = ExposurePlan.byExpiry(positions, contracts: contracts, by: groupings, buckets)
        let combined = ExpirySums.combined(
            sums(of: parts, path: nil, progress: progress), expiryParts(parts, of: plan),
            groupCount: plan.groups.count, grid)
        return (plan.groups, combined)
    }

    /// The groups of a plan by expiry as parts of those of another: what their options are worth, and the time and rate that
    /// these are marked at, those of the option with the earliest ticker; of several the first by strike and name, so that
    /// positions may come in any order.
    private func expiryParts(_ parts: ExposurePlan, of plan: ExposurePlan) -> [ExpirySums.Part] {
        let numbers = Dictionary(uniqueKeysWithValues: plan.labels.enumerated().map { ($1, $0) })
        var expiries = parts.labels.map { labels in
            ExpirySums.Part(
                group: numbers[Array(labels.prefix(plan.groupings.count))] ?? 0, value: 0, years: nil, rate: 0
            )
        }
        var prices = contracts.map { _ in 0.0 }
        var column = prices.mutableSpan
        revaluation.engine.fullForm(.price, chain.options.columns, into: &column, stride: contracts.count)
        var earliest: [Int?] = expiries.map { _ in nil }
        func comesFirst(_ a: Int, _ b: Int) -> Bool {
            let (first, second) = (chain.tickers[a], chain.tickers[b])
            return first.timestamp == second.timestamp
                ? first.instrument.sortsBefore(second.instrument) : first.timestamp < second.timestamp
        }
        parts.forEachLeg { group, contract, quantity in
            guard chain.classes[contract].isOption else { return }
            if earliest[group].map({ comesFirst(contract, $0) }) ?? true {
                earliest[group] = contract
                expiries[group].years = chain.options.years[contract]
                expiries[group].rate = chain.options.rate[contract]
            }
            let value = prices[contract]
            expiries[group].value +=
                quantity * (numeraire == .usd ? value : value / chain.options.spot[contract])
        }
        return expiries
    }

    private func sums(of plan: ExposurePlan, path: SummationPath?, progress: ((Int) -> Void)?)
        -> ScenarioMatrix
    {
        precondition(plan.contracts == contracts, "the plan is for other contracts")
        let block = ScenarioRevaluation.block
        let result = ScenarioMatrix(rowCount: plan.groups.count, scenarioCount: grid.count)
        var terms = Array(repeating: LegSums(), count: (contractOfRow.count + block - 1) / block)
        plan.forEachLeg { group, contract, quantity in
            let row = rows[contract]
            terms[row / block].append(row: row % block, weight: quantity, to: group)
        }
        let path = path ?? cheaperPath(plan)
        let eights = (plan.groups.count + 7) / 8
        var quantities: [Double] = []
        if path == .dense { quantities = Array(repeating: 0, count: eights * 8 * block) }
        forEachBlock { range, matrix in
            var own = terms[range.lowerBound / block]
            switch path {
            case .sparse:
                own.add(matrix, 0..<matrix.stride / 8, to: result, revaluation.engine)
            case .dense:
                own.fill(&quantities, rowCount: range.count)
                unsafe revaluation.engine.kernel.addRowProducts(
                    matrix.base, rowCount: range.count, stride: matrix.stride, vectors: matrix.stride / 8,
                    weights: quantities, eights: eights, into: result.base)
            }
            progress?(range.upperBound)
        }
        return result
    }

    private func cheaperPath(_ plan: ExposurePlan) -> SummationPath {
        SummationPath.cheaper(
            legs: plan.legCount, sparseCost: Self.sparseCost, groups: plan.groups.count,
            rows: contractOfRow.count, denseCost: Self.denseCost)
    }

    /// Nanoseconds per leg, or per cell of the dense matrix, and scenario: measured, see `Benchmarks/README.md`.
    private static let sparseCost = 0.10
    private static let denseCost = 0.04

    /// Calls `body` with 256 contracts at a time: their rows, and what they gain, the first in row 0.
    private func forEachBlock(_ body: (Range<Int>, ScenarioMatrix) -> Void) {
        let block = ScenarioRevaluation.block
        let sources = revaluation.layout.sources
        let matrix = ScenarioMatrix(rowCount: block, scenarioCount: grid.count)
        let smiled = ColumnStorage<Double>(repeating: 0, count: sources.count * block)
        unsafe revaluation.layout.withPlan { plan in
            for start in stride(from: 0, to: contractOfRow.count, by: block) {
                let range = start..<min(start + block, contractOfRow.count)
                let count = max(0, min(range.upperBound, optionRows) - start)
                if count > 0 {
                    for (number, source) in sources.enumerated() {
                        fill(smiled, from: number * block, source, start..<start + count)
                    }
                    unsafe columns.revalue(
                        start..<start + count, numeraire == .usd ? .profit : .coinProfit, plan,
                        smiled: smiled, sourceCount: sources.count, into: matrix, revaluation.engine)
                }
                for row in range where row >= optionRows {
                    fillDeltaOne(contractOfRow[row], matrix, row: row - start)
                }
                body(range, matrix)
            }
        }
    }

    /// The volatilities that smiles and surface give when prices move and time passes.
    private func fill(
        _ column: borrowing ColumnStorage<Double>, from first: Int, _ source: ScenarioLayout.Source,
        _ range: Range<Int>
    ) {
        var later: [String: SmileCurve.Later] = [:]
        for row in range {
            let contract = contractOfRow[row]
            let name = series[contract]
            let volatility = columns.volatility[row]
            guard columns.strike[row] > 0 else {
                // Worth its future whatever the volatility, and on no smile.
                column[first + row - range.lowerBound] = volatility
                continue
            }
            let k = log(columns.strike[row] / columns.spot[row])
            let move = log1p(source.spot * columns.share[row])
            var change = 0.0
            if source.stickiness != .strike, let smile = smiles[name] {
                if source.days > 0 {
                    let curve = later[name] ?? smile.later(by: source.days / 365)
                    later[name] = curve
                    change = curve.change(from: k, to: k - move)
                } else {
                    change = smile.change(from: k, to: k - move)
                }
            }
            if let rule = source.rule {
                let place = source.stickiness == .strike ? k : k - move
                change += surfaceMoves.change(rule, contract, name, at: place, move: move)
            }
            // A comparison of numbers alone: `max` would make 0 of what is none.
            precondition(!change.isNaN, "a surface gives no volatility for \(contracts[contract].name)")
            column[first + row - range.lowerBound] = max(0, volatility + change)
        }
    }

    /// Futures, perpetuals and coins.
    private func fillDeltaOne(_ contract: Int, _ matrix: ScenarioMatrix, row: Int) {
        let price = chain.options.spot[contract]
        let share = chain.settlementShares[contract]
        let ticker = chain.tickers[contract]
        let years = ticker.instrument.expiry.map { ticker.timestamp.years(until: $0) } ?? 0
        for (number, scenario) in grid.scenarios.enumerated() {
            var move = share * scenario.spot
            // A dated future rises with the options' forwards, by the time that is left.
            if scenario.rateHolds == .spot, scenario.rate != 0, years > 0 {
                move += (1 + move) * expm1(scenario.rate * max(0, years - scenario.days / 365))
            }
            let profit: Double
            switch (chain.classes[contract], numeraire) {
            case (.inverseFuture, .usd): profit = move
            case (.inverseFuture, .coin): profit = move / (1 + move) / price
            case (.spot, .coin): profit = 0
            case (_, .usd): profit = price * move
            case (_, .coin): profit = move / (1 + move)
            }
            matrix[row, number] = profit
        }
        matrix.clearPadding(ofRow: row)
    }
}

/// The options of a chain in the kernel's layout.
private final class ScenarioOptionColumns: @unchecked Sendable {
    let spot, strike, years, volatility, rate, share: ColumnStorage<Double>
    private let type, isLinear: ColumnStorage<UInt8>

    /// - Parameter options: rows of the chain, a multiple of 8 of them.
    init(_ chain: ChainGreeks, _ options: ArraySlice<Int>) {
        let batch = chain.options
        spot = ColumnStorage(options.map { batch.spot[$0] })
        strike = ColumnStorage(options.map { batch.strike[$0] })
        years = ColumnStorage(options.map { batch.years[$0] })
        volatility = ColumnStorage(options.map { batch.volatility[$0] })
        rate = ColumnStorage(options.map { batch.rate[$0] })
        share = ColumnStorage(options.map { chain.settlementShares[$0] })
        type = ColumnStorage(options.map { batch.type[$0] })
        isLinear = ColumnStorage(options.map { chain.classes[$0] == .linearOption ? 1 : 0 })
    }

    /// Whether some option of these moves less than its price.
    private func someMoveLess(_ rows: Range<Int>) -> Bool { rows.contains { share[$0] != 1 } }

    /// Fills the first rows of a matrix with what options gain.
    /// - Parameters:
    ///   - rows: eights of options, at most as many as the matrix has rows.
    ///   - plan: for scenarios of the matrix.
    ///   - smiled: a block of volatilities for each of the plan's sources behind the first.
    @unsafe func revalue(
        _ rows: Range<Int>, _ result: GreeksEngine.ScenarioResult, _ plan: ScenarioPlan,
        smiled: borrowing ColumnStorage<Double>, sourceCount: Int, into matrix: ScenarioMatrix,
        _ engine: GreeksEngine
    ) {
        let start = rows.lowerBound
        precondition(rows.upperBound <= spot.count && rows.count <= matrix.rowCount, "rows out of range")
        let block = ScenarioRevaluation.block
        var volatilities = unsafe [UnsafePointer(volatility.pointer + start)]
        for source in 0..<sourceCount { unsafe volatilities.append(smiled.pointer + source * block) }
        unsafe engine.scenarioForm(
            result, plan,
            ScenarioColumns(
                market: FullFormColumns(
                    type: type.pointer + start, spot: spot.pointer + start, strike: strike.pointer + start,
                    years: years.pointer + start, volatility: volatility.pointer + start,
                    rate: rate.pointer + start, dividend: rate.pointer + start),
                volatilities: volatilities.span.start,
                share: someMoveLess(rows) ? share.pointer + start : nil, isLinear: isLinear.pointer + start),
            count: rows.count, into: matrix.base, stride: matrix.stride)
        unsafe extendLifetime(volatilities)
    }
}
