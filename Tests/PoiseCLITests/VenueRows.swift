import PoiseCLI
import Simulation
import Testing

/// Keys of `[[venue]]`.
enum VenueRows {
    typealias Row = EverySettingTests.Row

    static let rows: [Row] = venue + orderBook + pool + failures

    private static func venue(_ settings: SimulationSettings) -> Venue { settings.simulation.terms.venues[0] }
    private static func book(_ settings: SimulationSettings) throws -> OrderBookCosts {
        guard case .orderBook(let costs) = venue(settings).costs else {
            throw SettingIsElsewhere()
        }
        return costs
    }
    private static func pool(_ settings: SimulationSettings) throws -> PoolCosts {
        guard case .pool(let costs) = venue(settings).costs else { throw SettingIsElsewhere() }
        return costs
    }
    private struct SettingIsElsewhere: Error {}

    private static let pooled = [
        "venue.kind": "\"pool\"", "venue.liquidity": "50000", "venue.fee": "0.003", "venue.gas_usd": "4",
    ]
    private static let fromFile = pooled.merging([
        "venue.liquidity": "", "venue.liquidity_file": "\"pool.csv\"", "venue.liquidity_unit": "1",
    ]) { $1 }

    private static let venue: [Row] = [
        Row("venue.name", "a name", "\"here\"", 1, default: nil) { venue($0).name == "here" ? 1 : 0 },
        // Without the word, keys of a pool are unknown.
        Row("venue.kind", "a word", "\"pool\"", 1, default: nil, pooled) {
            _ = try pool($0); return 1
        },
        Row("venue.kind", "a word", "\"order_book\"", 1, default: 1) {
            _ = try book($0); return 1
        },
        Row("venue.latency_seconds", "seconds", "2", 2, default: 0) { venue($0).latencySeconds },
        Row("venue.largest_order_coins", "coins", "5", 5, default: .infinity) { venue($0).largestOrder },
    ]

    private static let orderBook: [Row] = [
        Row("venue.half_spread", "share of the price", "0.0003", 0.0003, default: 0) {
            try book($0).halfSpread
        },
        Row("venue.spread_widening", "per 1.00 of relative volatility", "0.7", 0.7, default: 0) {
            try book($0).spreadWidening
        },
        Row("venue.taker_fee", "share of the amount", "0.0004", 0.0004, default: 0) { try book($0).takerFee },
        Row("venue.maker_fee", "share of the amount", "-0.0001", -0.0001, default: 0) {
            try book($0).makerFee
        },
        Row("venue.order", "a word", "\"maker\"", 1, default: 0) { try book($0).isMaker ? 1 : 0 },
        Row("venue.order", "a word", "\"taker\"", 0, default: 0) { try book($0).isMaker ? 1 : 0 },
        Row("venue.linear_impact", "of the price, for the depth", "0.01", 0.01, default: 0) {
            try book($0).linearImpact
        },
        Row("venue.square_root_impact", "of the price, for the depth", "0.02", 0.02, default: 0) {
            try book($0).squareRootImpact
        },
        Row("venue.depth_usd", "USD", "3e5", 3e5, default: 1e6) { try book($0).depth },
        Row("venue.impact_half_life_hours", "hours", "2", 2, default: 0) { try book($0).impactHalfLifeHours },
    ]

    private static let pool: [Row] = [
        Row("venue.liquidity", "√(coin · USD)", "70000", 70_000, default: nil, pooled) {
            try pool($0).liquidity
        },
        // Of 1000, 2000, 4000 and 8000.
        Row("venue.liquidity_file", "a name", "\"pool.csv\"", 3000, default: nil, fromFile) {
            try pool($0).liquidity
        },
        Row("venue.liquidity_unit", "units of the file per √(coin · USD)", "10", 300, default: nil, fromFile)
        {
            try pool($0).liquidity
        },
        Row("venue.fee", "share of what is paid in", "0.001", 0.001, default: nil, pooled) {
            try pool($0).fee
        },
        Row("venue.gas_usd", "USD per transaction", "9", 9, default: nil, pooled) { try pool($0).gas },
        Row("venue.gas_spike", "times the usual", "20", 20, default: 1, pooled) { try pool($0).gasSpike },
        Row("venue.gas_spike_probability", "per step", "0.05", 0.05, default: 0, pooled) {
            try pool($0).gasSpikeProbability
        },
        Row("venue.gas_spike_return", "return of a step", "0.04", 0.04, default: .infinity, pooled) {
            try pool($0).gasSpikeReturn
        },
        Row("venue.failed_transactions", "share of them", "0.1", 0.1, default: 0, pooled) {
            try pool($0).failureProbability
        },
        Row("venue.block_seconds", "seconds", "2", 2, default: 12, pooled) { try pool($0).blockSeconds },
        Row("venue.blocks", "blocks", "3", 3, default: 1, pooled) { try pool($0).blocks },
    ]

    private static let failures: [Row] = [
        Row("venue.outages_from_to_hours", "hours", "[[3, 5], [9, 11]]", 2, default: 0) {
            Double(venue($0).failures.outages.count)
        },
        Row("venue.outages_from_to_hours", "hours", "[[3, 5]]", 305, default: -1) {
            venue($0).failures.outages.first.map { 100 * $0.fromHour + $0.toHour } ?? -1
        },
        Row("venue.stale_from_to_hours", "hours", "[[3, 5]]", 305, default: -1) {
            venue($0).failures.staleSpans.first.map { 100 * $0.fromHour + $0.toHour } ?? -1
        },
        Row("venue.outages_per_year", "outages per year", "12", 12, default: 0) {
            venue($0).failures.outagesPerYear
        },
        Row("venue.outage_hours", "hours", "3", 3, default: 1) { venue($0).failures.outageHours },
        Row("venue.crash_return", "return of a step", "0.06", 0.06, default: .infinity) {
            venue($0).failures.crashReturn
        },
        Row("venue.crash_outage_probability", "of a crash", "0.5", 0.5, default: 0) {
            venue($0).failures.crashOutageProbability
        },
        Row("venue.order_failure", "share of orders", "0.02", 0.02, default: 0) {
            venue($0).failures.orderFailure
        },
        Row("venue.partial_fill", "share of orders", "0.3", 0.3, default: 0) {
            venue($0).failures.partialFill
        },
        Row("venue.least_fill", "share of an order", "0.4", 0.4, default: 0) { venue($0).failures.leastFill },
    ]
}
