import Checks
import Foundation
import Market

/// A volatility surface of one underlying, at any strike and time: slices at their expiries, and what lies between.
///
/// - Between expiries total variance is linear in the clock's time at equal log-forward-moneyness, so that slices that do
///   not cross leave no calendar spread anywhere.
/// - Before the first it is the first one's by the share of the clock's time.
/// - Beyond the last the whole slice rises by the forward variance at the money between the last two (with one slice: since
///   the start), so that its wings stay as steep.
/// - Logarithms of forwards are linear in years between expiries, as beyond them: before the first from `spot`, or else
///   from the first forward; beyond the last at the rate between the last two.
/// - Source: Gatheral and Jacquier, Arbitrage-free SVI volatility surfaces, 2014, section 4; Gatheral, The Volatility
///   Surface, 2006, chapter 1.
public struct VolatilitySurface: Sendable {
    /// One fitted slice.
    public struct Expiry: Sendable, Equatable {
        public let name: String
        public let years, forward: Double
        public let slice: SVISlice

        public init(name: String, years: Double, forward: Double, slice: SVISlice) {
            self.name = name
            self.years = years
            self.forward = forward
            self.slice = slice
        }
    }

    /// In order of time.
    public let expiries: [Expiry]
    /// In which total variance is linear.
    public let clock: VarianceClock
    public let spot: Double?
    private let isCalendar: Bool
    /// Years, slices and what the clock shows, at the expiries.
    private let years: [Double]
    private let slices: [SVISlice]
    private let times: [Double]
    /// One over what the clock shows from each expiry to the next.
    private let perSpan: [Double]
    private let logForwards: [Double]
    /// Growth of the logarithm of the forward per year before the first expiry, and beyond the last.
    private let firstGrowth, lastGrowth: Double
    /// Forward variance at the money beyond the last expiry, by the clock's time.
    private let lastVariance: Double

    /// - Parameters:
    ///   - expiries: in any order.
    ///   - spot: the price of the underlying now, for forwards before the first expiry.
    /// - Throws: `SurfaceError` for a slice that is no curve or has a least variance of 0, years or forwards that are not
    ///   above 0, and two slices of one time.
    public init(
        _ expiries: [Expiry], spot: Double? = nil, clock: VarianceClock = .calendar
    ) throws(SurfaceError) {
        if let spot { try SurfaceError.require(.positive, spot, "spot", of: "surface") }
        guard !expiries.isEmpty else { throw .noSlices(of: "surface") }
        for expiry in expiries {
            try SurfaceError.require(.positive, expiry.years, "years", of: expiry.name)
            try SurfaceError.require(.positive, expiry.forward, "forward", of: expiry.name)
            guard expiry.slice.isCurve, expiry.slice.leastVariance > 0 else {
                throw .invalidValue(
                    of: expiry.name, field: "least_variance", value: expiry.slice.leastVariance,
                    reason: "must be that of a curve, above 0")
            }
        }
        let ascending = expiries.sorted { $0.years < $1.years }
        for (one, other) in zip(ascending, ascending.dropFirst()) where one.years == other.years {
            throw .sameExpiry(of: other.name, other: one.name)
        }
        self.expiries = ascending
        self.clock = clock
        isCalendar = clock.isCalendar
        self.spot = spot
        let times = ascending.map { clock.time($0.years).value }
        let logForwards = ascending.map { log($0.forward) }
        self.times = times
        perSpan = zip(times.dropFirst(), times).map { 1 / ($0 - $1) }
        years = ascending.map(\.years)
        slices = ascending.map(\.slice)
        self.logForwards = logForwards
        firstGrowth = spot.map { (logForwards[0] - log($0)) / ascending[0].years } ?? 0
        let last = ascending.count - 1
        let end = ascending[last]
        if last > 0 {
            let before = ascending[last - 1]
            lastGrowth = (logForwards[last] - logForwards[last - 1]) / (end.years - before.years)
            lastVariance = max(
                0,
                (end.slice.variance(at: 0) - before.slice.variance(at: 0)) / (times[last] - times[last - 1]))
        } else {
            lastGrowth = firstGrowth
            lastVariance = end.slice.variance(at: 0) / times[0]
        }
    }

    /// The surface of fitted smiles; those without a slice are not in it.
    ///
    /// - Parameter underlying: which one, where there are several.
    public init(
        _ fit: SurfaceFit, underlying: String? = nil, spot: Double? = nil, clock: VarianceClock = .calendar
    ) throws(SurfaceError) {
        let first = fit.slices.first?.smile.underlying ?? ""
        if underlying == nil, let other = fit.slices.first(where: { $0.smile.underlying != first }) {
            throw .severalUnderlyings(first, other.smile.underlying)
        }
        let wanted = underlying ?? first
        var expiries: [Expiry] = []
        for fit in fit.slices where fit.smile.underlying == wanted {
            guard let slice = fit.slice else { continue }
            expiries.append(
                Expiry(
                    name: fit.smile.name, years: fit.smile.years, forward: fit.smile.forward, slice: slice))
        }
        guard !expiries.isEmpty else { throw .noSlices(of: wanted) }
        try self.init(expiries, spot: spot, clock: clock)
    }

    /// How many expiries come at a time or before it.
    @inline(__always)
    private func count(upTo years: Double) -> Int {
        var first = 0
        var size = self.years.count
        while size > 1 {
            let half = size / 2
            first += self.years[first + half - 1] <= years ? half : 0
            size -= half
        }
        return first + (self.years[first] <= years ? 1 : 0)
    }

    /// The forward for delivery in so many years; nil where these are below 0 or not finite, or where growth as steep as
    /// that between spot and the nearest expiry leaves none that is a number above 0.
    public func forward(years: Double) -> Double? {
        guard years >= 0, years < .infinity else { return nil }
        let forward = forward(years, after: count(upTo: years))
        return NumberRule.positive.accepts(forward) ? forward : nil
    }

    private func forward(_ years: Double, after place: Int) -> Double {
        if place > 0, self.years[place - 1] == years { return expiries[place - 1].forward }
        let last = slices.count - 1
        if place == 0 {
            return firstGrowth == 0
                ? expiries[0].forward : exp(logForwards[0] + firstGrowth * (years - self.years[0]))
        }
        if place > last { return exp(logForwards[last] + lastGrowth * (years - self.years[last])) }
        let (before, after) = (self.years[place - 1], self.years[place])
        let share = (years - before) / (after - before)
        return exp(logForwards[place - 1] + share * (logForwards[place] - logForwards[place - 1]))
    }

    /// Below it, variances may be too small for all digits of a number.
    private static var leastYears: Double { 1e-300 }

    /// The smile of an expiry; nil where years are not finite or below 1e-300, or there is no forward.
    public func section(years: Double) -> SmileSection? {
        guard years >= Self.leastYears, let forward = forward(years: years) else { return nil }
        return section(years, after: count(upTo: years), forward: forward)
    }

    /// Volatility with its slope and curvature by log-moneyness, where the forward is not asked for; nil where years are
    /// not finite or below 1e-300.
    public func volatilityPoint(logMoneyness k: Double, years: Double) -> VolatilityPoint? {
        guard years >= Self.leastYears, years <= .greatestFiniteMagnitude else { return nil }
        let place = count(upTo: years)
        guard place > 0, place < slices.count, isCalendar else {
            return sectionPoint(logMoneyness: k, years, after: place)
        }
        let share = (years - times[place - 1]) * perSpan[place - 1]
        return VolatilityPoint(
            SVISlice.mixed(
                slices[place - 1], slices[place], SIMD2(1 - share, share), lift: 0, at: k), years: years)
    }

    @inline(never)
    private func sectionPoint(logMoneyness k: Double, _ years: Double, after place: Int) -> VolatilityPoint {
        section(years, after: place, forward: 1).volatilityPoint(at: k)
    }

    private func section(_ years: Double, after place: Int, forward: Double) -> SmileSection {
        let now = clock.time(years)
        let last = slices.count - 1
        if place == 0 {
            return SmileSection(
                years: years, forward: forward, near: slices[0], far: slices[0],
                weights: (now.value / times[0], 0), rates: (now.rate / times[0], 0))
        }
        if place > last {
            return SmileSection(
                years: years, forward: forward, near: slices[last], far: slices[last], weights: (1, 0),
                rates: (0, 0), lift: lastVariance * (now.value - times[last]),
                liftRate: lastVariance * now.rate)
        }
        let share = (now.value - times[place - 1]) * perSpan[place - 1]
        let rate = now.rate * perSpan[place - 1]
        return SmileSection(
            years: years, forward: forward, near: slices[place - 1], far: slices[place],
            weights: (1 - share, share), rates: (-rate, rate))
    }

    /// The volatility of a strike; nil where there is no section, or its ratio to the forward is no number above 0.
    public func volatility(strike: Double, years: Double) -> Double? {
        guard let section = section(years: years), case let k = section.logMoneyness(ofStrike: strike),
            k.isFinite
        else { return nil }
        return section.volatility(at: k)
    }
}

// Many strikes and expiries.
extension VolatilitySurface {
    /// Volatility and total variance's slope and curvature at many log-moneynesses and times, eight of one time at a time:
    /// fastest where rows of one expiry stand together.
    ///
    /// - Parameters:
    ///   - logMoneyness: ln(strike/forward).
    ///   - volatilities, slopes, curvatures: √(w/T), w' and w'' by log-moneyness.
    /// - Throws: `SurfaceError` where columns differ in length, and for the first row whose years are not above 0 or whose
    ///   log-moneyness is not finite; nothing is written then.
    public func query(
        logMoneyness: Span<Double>, years: Span<Double>, into volatilities: inout MutableSpan<Double>,
        slopes: inout MutableSpan<Double>, curvatures: inout MutableSpan<Double>
    ) throws(SurfaceError) {
        let count = logMoneyness.count
        try SurfaceError.require(years.count, "years", is: count)
        try SurfaceError.require(volatilities.count, "volatilities", is: count)
        try SurfaceError.require(slopes.count, "slopes", is: count)
        try SurfaceError.require(curvatures.count, "curvatures", is: count)
        var isGood = true
        for row in 0..<count {
            let isTime = years[row] > 0 && years[row] < .infinity
            if !(isTime && logMoneyness[row].magnitude < .infinity) { isGood = false }
        }
        for row in 0..<(isGood ? 0 : count) {
            try SurfaceError.require(.positive, years[row], "years", row: row)
            try SurfaceError.require(.finite, logMoneyness[row], "log_moneyness", row: row)
        }
        var row = 0
        while row < count {
            var end = row + 1
            while end < count, years[end] == years[row] { end += 1 }
            section(years[row], after: self.count(upTo: years[row]), forward: 1)
                .query(logMoneyness, rows: row..<end, &volatilities, &slopes, &curvatures)
            row = end
        }
    }
}
