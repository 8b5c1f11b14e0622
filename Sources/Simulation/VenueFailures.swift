import Checks

/// A span of the simulation in which something does not work, in hours from its start.
public struct Outage: Sendable, Equatable {
    public var fromHour, toHour: Double

    public init(fromHour: Double, toHour: Double) {
        self.fromHour = fromHour
        self.toHour = toHour
    }
}

extension Outage {
    /// - Parameters:
    ///   - venue: as errors name it.
    ///   - field: the key that says when.
    package func validate(_ venue: String, _ field: String) throws(SimulationError) {
        for hour in [fromHour, toHour] { try SimulationError.require(hour, .notNegative, venue, field) }
        try SimulationError.require(
            fromHour < toHour, venue, field, fromHour, "the first is not below the second")
    }
}

/// Failures of a venue.
public struct VenueFailures: Sendable, Equatable {
    /// Planned spans without trading, and without fresh prices (the policy then sees the last one).
    public var outages, staleSpans: [Outage]
    /// Outages per year that begin by chance, and their mean duration.
    public var outagesPerYear, outageHours: Double
    /// A step's |return| from which the venue goes down with that probability.
    public var crashReturn, crashOutageProbability: Double
    /// Of an order to be refused.
    public var orderFailure: Double
    /// Of a fill to be partial, and the least part then filled (uniform up to 1).
    public var partialFill, leastFill: Double

    public init(
        outages: [Outage] = [], staleSpans: [Outage] = [], outagesPerYear: Double = 0,
        outageHours: Double = 1,
        crashReturn: Double = .infinity, crashOutageProbability: Double = 0, orderFailure: Double = 0,
        partialFill: Double = 0, leastFill: Double = 0
    ) {
        self.outages = outages
        self.staleSpans = staleSpans
        self.outagesPerYear = outagesPerYear
        self.outageHours = outageHours
        self.crashReturn = crashReturn
        self.crashOutageProbability = crashOutageProbability
        self.orderFailure = orderFailure
        self.partialFill = partialFill
        self.leastFill = leastFill
    }
}

extension VenueFailures {
    /// - Parameter venue: as errors name it; fields are named as configurations do.
    func validate(_ venue: String) throws(SimulationError) {
        for (name, spans) in [("outages_from_to_hours", outages), ("stale_from_to_hours", staleSpans)] {
            for span in spans { try span.validate(venue, name) }
        }
        for (name, value, rule) in [
            ("outages_per_year", outagesPerYear, .within(0...1e9)),
            ("outage_hours", outageHours, .positiveUpTo(1e9)), ("crash_return", crashReturn, .allowance),
            ("crash_outage_probability", crashOutageProbability, .share),
            ("order_failure", orderFailure, .share), ("partial_fill", partialFill, .share),
            ("least_fill", leastFill, .share),
        ] as [(String, Double, NumberRule)] {
            try SimulationError.require(value, rule, venue, name)
        }
    }
}
