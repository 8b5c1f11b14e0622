import Checks
import Market

/// How volatility at the money followed the price, by underlying and tenor, as a history of surfaces has it.
public struct HistoricalDynamics: Sendable {
    public struct Bucket: Sendable, Equatable {
        public let underlying: String
        /// Days to expiry: above the first (from it on where that is 0), up to the second; nil without end.
        public let fromDays: Double
        public let toDays: Double?
        /// ∂σ/∂ln F over falls and over rises; nil where the history has no such move.
        public let downBeta, upBeta: Double?
        /// Skew stickiness R as estimated with decay, and the share of squared moves that earlier estimates of it would have
        /// saved out of sample against sticky strike.
        public let stickiness, gain: Double?

        public init(
            underlying: String, fromDays: Double, toDays: Double?, downBeta: Double? = nil,
            upBeta: Double? = nil, stickiness: Double? = nil, gain: Double? = nil
        ) {
            (self.underlying, self.fromDays, self.toDays) = (underlying, fromDays, toDays)
            (self.downBeta, self.upBeta) = (downBeta, upBeta)
            (self.stickiness, self.gain) = (stickiness, gain)
        }
    }

    /// What errors call it.
    public let name: String
    public let buckets: [Bucket]

    public init(name: String, _ buckets: [Bucket]) {
        (self.name, self.buckets) = (name, buckets)
    }

    /// Reads what `poise surface --history … --format json` writes: of `dynamics[]` the members `underlying`, `days_from`,
    /// `days_to`, `beta_down`, `beta_up`, `r_online` and `gain`.
    public init(_ source: Source) throws(MarketError) {
        let settings = try Settings(json: source)
        let range = ScenarioGrid.SpotBetas.range
        var buckets: [Bucket] = []
        for row in try settings.tables("dynamics") {
            let from = try row.number("days_from", .within(0...1e6))
            buckets.append(
                Bucket(
                    underlying: try row.text("underlying"), fromDays: from,
                    toDays: try row.optionalNumber("days_to", .above(from, upTo: 1e9)),
                    downBeta: try row.optionalNumber("beta_down", range),
                    upBeta: try row.optionalNumber("beta_up", range),
                    stickiness: try row.optionalNumber("r_online", range),
                    gain: try row.optionalNumber("gain", .finite)))
        }
        guard !buckets.isEmpty else { throw settings.failure("dynamics", "there is none") }
        self.init(name: source.name, buckets)
    }

    /// The bucket that a time to expiry is in; one on an edge is in the bucket below.
    public func bucket(of underlying: String, days: Double) -> Bucket? {
        buckets.first {
            $0.underlying == underlying && (days > $0.fromDays || $0.fromDays == 0)
                && days <= $0.toDays ?? .infinity
        }
    }

    /// The beta of falls or of rises.
    /// - Throws: `invalidValue` where the history has none for the tenor, or one that is out of range.
    func beta(of underlying: String, days: Double, isDown: Bool) throws(RiskError) -> Double {
        let bucket = bucket(of: underlying, days: days)
        guard let beta = isDown ? bucket?.downBeta : bucket?.upBeta else {
            throw .invalidValue(
                of: name, field: "days", value: days,
                reason: "no \(isDown ? "beta_down" : "beta_up") of \(underlying) at so many days to expiry")
        }
        try RiskError.require(
            ScenarioGrid.SpotBetas.range, beta, isDown ? "beta_down" : "beta_up", of: name)
        return beta
    }
}
