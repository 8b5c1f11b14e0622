import Checks
import Market

/// How fast variance comes: the time in which a surface is linear between its expiries.
///
/// Years from a start, with days of weekends that count less (or more) than others, days added by scheduled events, and the
/// last minutes before an expiry, in which its price is averaged. Only ratios of what the clock shows matter.
public struct VarianceClock: Sendable, Equatable {
    /// Something at a known moment that moves prices.
    public struct Event: Sendable, Equatable {
        public let time: Timestamp
        /// How many ordinary days bring as much variance.
        public let days: Double

        public init(time: Timestamp, days: Double) {
            self.time = time
            self.days = days
        }
    }

    /// Every hour counts alike, to the end.
    public static let calendar = VarianceClock()

    /// What a day from Saturday to Sunday, UTC, counts.
    public let weekendWeight: Double
    /// For how long before expiry the settlement price is averaged, in years.
    public let averagingYears: Double
    /// Years from the start at which an event comes, ascending, and how many years all up to it add.
    private let eventTimes: [Double]
    private let eventYears: [Double]
    /// Days from the beginning of a Saturday to the start.
    private let startDay: Double
    private let weekendDaysBefore: Double

    private init() {
        (weekendWeight, averagingYears) = (1, 0)
        (eventTimes, eventYears) = ([], [])
        (startDay, weekendDaysBefore) = (0, 0)
    }

    /// - Parameters:
    ///   - start: the moment from which years are counted.
    ///   - events: those before the start are over.
    ///   - averagingMilliseconds: see `Instrument.exchange`; 0 is no average.
    /// - Throws: `SurfaceError.invalidValue` for a weight that is not above 0, days that are below 0, a time below 0.
    public init(
        from start: Timestamp, weekendWeight: Double = 1, events: [Event] = [],
        averagingMilliseconds: Int64 = 0
    ) throws(SurfaceError) {
        try SurfaceError.require(.positive, weekendWeight, "weekend_weight", of: "clock")
        try SurfaceError.require(
            .notNegative, Double(averagingMilliseconds), "averaging_milliseconds", of: "clock")
        for event in events {
            try SurfaceError.require(.notNegative, event.days, "days", of: "event \(event.time)")
        }
        self.weekendWeight = weekendWeight
        averagingYears = SettlementWindow.years(milliseconds: averagingMilliseconds)
        let coming = events.filter { $0.time > start }.sorted { $0.time < $1.time }
        eventTimes = coming.map { start.years(until: $0.time) }
        var sum = 0.0
        eventYears = coming.map { event in
            sum += event.days / 365
            return sum
        }
        // 1970-01-03 was a Saturday.
        let week: Int64 = 7 * 86_400_000
        let sinceSaturday = (start.milliseconds - 2 * 86_400_000) % week
        startDay = Double(sinceSaturday < 0 ? sinceSaturday + week : sinceSaturday) / 86_400_000
        weekendDaysBefore = Self.weekendDays(startDay)
    }

    /// Whether years are all that counts.
    var isCalendar: Bool { weekendWeight == 1 && averagingYears == 0 && eventTimes.isEmpty }

    private static func weekendDays(_ day: Double) -> Double {
        let weeks = (day / 7).rounded(.down)
        return 2 * weeks + min(2, day - 7 * weeks)
    }

    /// What the clock shows after so many years, and how fast it goes then; averages apart.
    private func running(_ years: Double) -> (value: Double, rate: Double) {
        var (value, rate) = (years, 1.0)
        if weekendWeight != 1 {
            let day = startDay + 365 * years
            let weekend = Self.weekendDays(day) - weekendDaysBefore
            value += (weekendWeight - 1) * weekend / 365
            if day - 7 * (day / 7).rounded(.down) < 2 { rate = weekendWeight }
        }
        var low = 0
        var high = eventTimes.count
        while low < high {
            let middle = (low + high) / 2
            if eventTimes[middle] <= years { low = middle + 1 } else { high = middle }
        }
        if low > 0 { value += eventYears[low - 1] }
        return (value, rate)
    }

    /// The time in which variance comes until an expiry, and its derivative by the years to that expiry.
    ///
    /// While the settlement price is averaged, variance counts by the square of the share that is still to come
    /// (`SettlementWindow`): by a third over the whole window.
    public func time(_ years: Double) -> (value: Double, rate: Double) {
        if isCalendar { return (years, 1) }
        let end = running(years)
        guard averagingYears > 0 else { return end }
        let start = years >= averagingYears ? running(years - averagingYears) : (value: 0, rate: 0)
        let average = SettlementWindow.varianceShare(years: years, window: averagingYears)
        return (
            start.value + (end.value - start.value) * average.value,
            start.rate + (end.rate - start.rate) * average.value + (end.value - start.value) * average.rate
        )
    }
}
