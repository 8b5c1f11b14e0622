import Checks
import Market
import Poise
import Rebalancing

/// Reads `[hedge]` but its options, `[[venue]]`, `[margin]` and `[flow]`. What numbers must be, and what they are where
/// nothing is written, is said by what is made of them.
extension SimulationReader {
    func instrument(_ table: Settings) throws -> HedgeContract {
        var contract = HedgeContract(kind: try table.word("instrument"))
        contract.years = try table.number("days", default: contract.years * Year.days) / Year.days
        contract.basis = try table.number("basis_per_year", default: contract.basis)
        contract.premiumDeviation = try table.number("premium_deviation", default: contract.premiumDeviation)
        contract.premiumHalfLifeHours = try table.number(
            "premium_half_life_hours", default: contract.premiumHalfLifeHours)
        try table.checked { try contract.validate() }
        return contract
    }

    private enum FundingKind: String, CaseIterable {
        case none, constant, history, premium, replay
    }

    mutating func funding(_ table: Settings, _ instrument: HedgeContract.Kind) throws -> Funding {
        let source: FundingKind = try table.word("funding", default: FundingKind.none)
        if source != .none, !instrument.isPerpetual {
            throw table.failure("funding", "\(instrument.rawValue) pays none")
        }
        switch source {
        case .none: return .none
        case .constant:
            let funding = Funding.constant(try table.number("funding_rate_per_8_hours"))
            try table.checked { try funding.validate() }
            return funding
        case .premium: return .premium
        case .replay: return .fromPaths
        case .history:
            return .history(
                try FundingHistory(
                    try data(table.text("funding_file"), table, "funding_file"),
                    venue: try table.optionalText("funding_venue"),
                    symbol: try table.optionalText("funding_symbol")))
        }
    }

    private enum VenueKind: String, CaseIterable {
        case orderBook = "order_book"
        case pool
    }

    mutating func venues(_ root: Settings, _ grid: TimeGrid) throws -> [Venue] {
        var venues: [Venue] = []
        for table in try root.tables("venue") {
            let name = try table.text("name")
            let isPool = try table.word("kind", default: VenueKind.orderBook) == .pool
            var venue = Venue(
                name: name, costs: isPool ? .pool(try pool(table)) : .orderBook(try orderBook(table)),
                failures: try failures(table))
            if !isPool {
                venue.latencySeconds = try table.number("latency_seconds", default: venue.latencySeconds)
            }
            venue.largestOrder = try table.number("largest_order_coins", default: venue.largestOrder)
            try table.checked { try venue.validate(grid) }
            venues.append(venue)
        }
        guard !venues.isEmpty else { throw root.missing("venue", "is missing: expected tables [[venue]]") }
        return venues
    }

    private enum OrderKind: String, CaseIterable {
        case taker, maker
    }

    private func orderBook(_ table: Settings) throws -> OrderBookCosts {
        var costs = OrderBookCosts(isMaker: try table.word("order", default: OrderKind.taker) == .maker)
        costs.halfSpread = try table.number("half_spread", default: costs.halfSpread)
        costs.spreadWidening = try table.number("spread_widening", default: costs.spreadWidening)
        costs.takerFee = try table.number("taker_fee", default: costs.takerFee)
        costs.makerFee = try table.number("maker_fee", default: costs.makerFee)
        costs.linearImpact = try table.number("linear_impact", default: costs.linearImpact)
        costs.squareRootImpact = try table.number("square_root_impact", default: costs.squareRootImpact)
        costs.depth = try table.number("depth_usd", default: costs.depth)
        costs.impactHalfLifeHours = try table.number(
            "impact_half_life_hours", default: costs.impactHalfLifeHours)
        return costs
    }

    private mutating func pool(_ table: Settings) throws -> PoolCosts {
        let liquidity: Double
        if let path = try table.optionalText("liquidity_file") {
            let unit = try table.number("liquidity_unit", .positive)
            let column = try NumberColumn(try data(path, table, "liquidity_file"), column: "liquidity")
            liquidity = column.median / unit
        } else {
            liquidity = try table.number("liquidity")
        }
        var costs = PoolCosts(
            liquidity: liquidity, fee: try table.number("fee"), gas: try table.number("gas_usd"))
        costs.gasSpike = try table.number("gas_spike", default: costs.gasSpike)
        costs.gasSpikeProbability = try table.number(
            "gas_spike_probability", default: costs.gasSpikeProbability)
        costs.gasSpikeReturn = try table.number("gas_spike_return", default: costs.gasSpikeReturn)
        costs.failureProbability = try table.number("failed_transactions", default: costs.failureProbability)
        costs.blockSeconds = try table.number("block_seconds", default: costs.blockSeconds)
        costs.blocks = try table.number("blocks", default: costs.blocks)
        return costs
    }

    private func failures(_ table: Settings) throws -> VenueFailures {
        var failures = VenueFailures(
            outages: try spans(table, "outages_from_to_hours"),
            staleSpans: try spans(table, "stale_from_to_hours"))
        failures.outagesPerYear = try table.number("outages_per_year", default: failures.outagesPerYear)
        failures.outageHours = try table.number("outage_hours", default: failures.outageHours)
        failures.crashReturn = try table.number("crash_return", default: failures.crashReturn)
        failures.crashOutageProbability = try table.number(
            "crash_outage_probability", default: failures.crashOutageProbability)
        failures.orderFailure = try table.number("order_failure", default: failures.orderFailure)
        failures.partialFill = try table.number("partial_fill", default: failures.partialFill)
        failures.leastFill = try table.number("least_fill", default: failures.leastFill)
        return failures
    }

    /// Pairs `[[from, to], …]`, in order within each.
    private func spans(_ table: Settings, _ key: String) throws -> [Outage] {
        try table.array(key).enumerated().map { index, element in
            let name = "\(key)[\(index)]"
            guard let pair = element.array, pair.count == 2 else {
                throw table.failure(name, element, "must be a pair [from, to]")
            }
            let span = Outage(
                fromHour: try table.number(pair[0], name, .number),
                toHour: try table.number(pair[1], name, .number))
            try table.checked(name, of: element) { try span.validate(table.path, key) }
            return span
        }
    }

    /// The margin model that the table names.
    mutating func marginModel(_ table: Settings?) throws -> MarginModel? {
        guard let table, let path = try table.optionalText("model") else { return nil }
        for key in ["maintenance", "option_maintenance", "crossed"] where table.has(key) {
            throw table.failure(key, "stands beside a model, which decides")
        }
        return try MarginModel(try data(path, table, "model"))
    }

    func margin(_ table: Settings?, _ instrument: HedgeContract) throws -> MarginAccount? {
        guard let table else { return nil }
        var margin = MarginAccount(
            collateral: try table.number("collateral_usd"),
            maintenance: table.has("model") ? 0 : try table.number("maintenance"))
        margin.optionMaintenance = try table.number("option_maintenance", default: margin.optionMaintenance)
        margin.penalty = try table.number("penalty", default: margin.penalty)
        margin.isCrossed = try table.flag("crossed", default: margin.isCrossed)
        try table.checked { try margin.validate(instrument) }
        return margin
    }

    func flow(_ table: Settings?) throws -> ReflexiveFlow? {
        guard let table else { return nil }
        var flow = ReflexiveFlow(
            gammaPerPercent: try table.number("gamma_coins_per_percent"),
            impactPerCoin: try table.number("impact_per_coin"))
        flow.persistence = try table.number("persistence", default: flow.persistence)
        try table.checked { try flow.validate() }
        return flow
    }
}

/// One column of a table of positive numbers.
private struct NumberColumn {
    let values: [Double]

    init(_ source: Source, column: String) throws(MarketError) {
        let table = try TextTable(source)
        let place = try table.required(column)
        var values: [Double] = []
        var badRows = BadRows(skip: false)
        try table.forEachRow(&badRows) { row throws(MarketError) in
            values.append(try row.number(place, column, .positive))
        }
        guard !values.isEmpty else { throw .empty(file: source.name) }
        self.values = values
    }

    var median: Double {
        let sorted = values.sorted()
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }
}
