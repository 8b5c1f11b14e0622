import Checks
import Market
import Poise
import Rebalancing

/// Reads `[hedge]` but its options, `[[venue]]`, `[margin]` and `[flow]`. What numbers must be is checked by what is made
/// of them.
extension SimulationReader {
    func instrument(_ table: Settings) throws -> HedgeContract {
        let contract = HedgeContract(
            kind: try table.word("instrument"), years: try table.number("days", default: 90) / Year.days,
            basis: try table.number("basis_per_year", default: 0),
            premiumDeviation: try table.number("premium_deviation", default: 0),
            premiumHalfLifeHours: try table.number("premium_half_life_hours", default: 8))
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
        case .constant: return .constant(try table.number("funding_rate_per_8_hours", .within(-0.1...0.1)))
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
            let venue = Venue(
                name: name, costs: isPool ? .pool(try pool(table)) : .orderBook(try orderBook(table)),
                failures: try failures(table),
                latencySeconds: isPool ? 0 : try table.number("latency_seconds", default: 0),
                largestOrder: try table.number("largest_order_coins", default: .infinity))
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
        OrderBookCosts(
            halfSpread: try table.number("half_spread", default: 0),
            spreadWidening: try table.number("spread_widening", default: 0),
            takerFee: try table.number("taker_fee", default: 0),
            makerFee: try table.number("maker_fee", default: 0),
            isMaker: try table.word("order", default: OrderKind.taker) == .maker,
            linearImpact: try table.number("linear_impact", default: 0),
            squareRootImpact: try table.number("square_root_impact", default: 0),
            depth: try table.number("depth_usd", default: 1e6),
            impactHalfLifeHours: try table.number("impact_half_life_hours", default: 0))
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
        return PoolCosts(
            liquidity: liquidity, fee: try table.number("fee"), gas: try table.number("gas_usd"),
            gasSpike: try table.number("gas_spike", .atLeast(1), default: 1),
            gasSpikeProbability: try table.number("gas_spike_probability", default: 0),
            gasSpikeReturn: try table.number("gas_spike_return", default: .infinity),
            failureProbability: try table.number("failed_transactions", default: 0),
            blockSeconds: try table.number("block_seconds", default: 12),
            blocks: try table.number("blocks", default: 1))
    }

    private func failures(_ table: Settings) throws -> VenueFailures {
        VenueFailures(
            outages: try spans(table, "outages_from_to_hours"),
            staleSpans: try spans(table, "stale_from_to_hours"),
            outagesPerYear: try table.number("outages_per_year", default: 0),
            outageHours: try table.number("outage_hours", default: 1),
            crashReturn: try table.number("crash_return", default: .infinity),
            crashOutageProbability: try table.number("crash_outage_probability", default: 0),
            orderFailure: try table.number("order_failure", default: 0),
            partialFill: try table.number("partial_fill", default: 0),
            leastFill: try table.number("least_fill", default: 0))
    }

    /// Pairs `[[from, to], …]`, in order within each.
    private func spans(_ table: Settings, _ key: String) throws -> [Outage] {
        try table.array(key).enumerated().map { index, element in
            let name = "\(key)[\(index)]"
            guard let pair = element.array, pair.count == 2 else {
                throw table.failure(name, element, "must be a pair [from, to]")
            }
            let span = Outage(
                fromHour: try table.number(pair[0], name, .notNegative),
                toHour: try table.number(pair[1], name, .notNegative))
            guard span.fromHour < span.toHour else {
                throw table.failure(name, element, "the first is not below the second")
            }
            return span
        }
    }

    func margin(_ table: Settings?, _ instrument: HedgeContract) throws -> MarginAccount? {
        guard let table else { return nil }
        let margin = MarginAccount(
            collateral: try table.number("collateral_usd"), maintenance: try table.number("maintenance"),
            optionMaintenance: try table.number("option_maintenance", default: 0),
            penalty: try table.number("penalty", default: 0.005),
            isCrossed: try table.flag("crossed", default: false))
        try table.checked { try margin.validate(instrument) }
        return margin
    }

    func flow(_ table: Settings?) throws -> ReflexiveFlow? {
        guard let table else { return nil }
        let flow = ReflexiveFlow(
            gammaPerPercent: try table.number("gamma_coins_per_percent"),
            impactPerCoin: try table.number("impact_per_coin"),
            persistence: try table.number("persistence", default: 1))
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
