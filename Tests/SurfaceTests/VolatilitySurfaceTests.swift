import Foundation
import Market
import Surface
import TestSupport
import Testing

struct VolatilitySurfaceTests {
    private typealias Expiry = VolatilitySurface.Expiry

    /// Three slices that do not cross, with forwards that rise.
    private static let expiries = [
        Expiry(
            name: "X-1", years: 0.1, forward: 100,
            slice: SVISlice(a: 0.004, b: 0.06, rho: -0.3, m: 0.01, sigma: 0.08)),
        Expiry(
            name: "X-2", years: 0.25, forward: 101,
            slice: SVISlice(a: 0.012, b: 0.09, rho: -0.35, m: 0.02, sigma: 0.15)),
        Expiry(
            name: "X-3", years: 1, forward: 104,
            slice: SVISlice(a: 0.07, b: 0.14, rho: -0.4, m: 0.05, sigma: 0.4)),
    ]

    private static func surface(
        _ clock: VarianceClock = .calendar, spot: Double? = nil
    ) throws -> VolatilitySurface {
        try VolatilitySurface(Array(expiries.reversed()), spot: spot, clock: clock)
    }

    private static let times = [0.02, 0.1, 0.13, 0.25, 0.4, 0.99, 1, 1.7]
    private static let places = (-30...30).map { 0.05 * Double($0) }

    @Test("At an expiry the surface is its slice, to the bit; between, variance is linear at equal moneyness")
    func interpolation() throws {
        let surface = try Self.surface()
        for expiry in Self.expiries {
            let section = try #require(surface.section(years: expiry.years))
            #expect(section.forward == expiry.forward)
            for k in Self.places { #expect(section[k] == expiry.slice[k]) }
        }
        let (first, second, third) = (
            Self.expiries[0].slice, Self.expiries[1].slice, Self.expiries[2].slice
        )
        let mid = try #require(surface.section(years: 0.2))
        let early = try #require(surface.section(years: 0.03))
        let late = try #require(surface.section(years: 2))
        for k in Self.places {
            let between = first.variance(at: k) / 3 + second.variance(at: k) * 2 / 3
            #expect(abs(mid.variance(at: k) - between) < 1e-15)
            #expect(abs(early.variance(at: k) - 0.3 * first.variance(at: k)) < 1e-16)
            let rise = (third.variance(at: 0) - second.variance(at: 0)) / 0.75
            #expect(abs(late.variance(at: k) - third.variance(at: k) - rise) < 1e-15)
        }
        #expect(abs(mid.forward - 100 * pow(1.01, 2.0 / 3)) < 1e-12)
        #expect(abs(late.forward - 104 * pow(104.0 / 101, 1 / 0.75)) < 1e-11)
        #expect(early.forward == 100)
        #expect(abs(try #require(Self.surface(spot: 99).forward(years: 0)) - 99) < 1e-12)
        #expect(
            abs(try #require(Self.surface(spot: 99).forward(years: 0.05)) - (9900.0).squareRoot()) < 1e-12)
        let strike = 95.0
        let volatility = try #require(surface.volatility(strike: strike, years: 0.2))
        #expect(volatility == mid.volatility(at: log(strike / mid.forward)))
    }

    @Test("Variance grows with time at every moneyness, and its rate is the difference over time")
    func growth() throws {
        let start = Timestamp(milliseconds: 1_704_700_800_000)  // a Monday
        let events = [VarianceClock.Event(time: Timestamp(milliseconds: 1_706_000_000_000), days: 2)]
        for clock in [
            VarianceClock.calendar, try VarianceClock(from: start, weekendWeight: 0.4, events: events),
            try VarianceClock(from: start, averagingMilliseconds: 1_800_000),
        ] {
            let surface = try Self.surface(clock)
            for k in Self.places {
                var before = 0.0
                for step in 1...300 {
                    let years = 0.005 * Double(step)
                    let section = try #require(surface.section(years: years))
                    let variance = section.variance(at: k)
                    #expect(variance > before, "\(years) at \(k)")
                    before = variance
                    let next = try #require(surface.section(years: years + 1e-7)).variance(at: k)
                    let rate = section.varianceRate(at: k)
                    #expect(abs((next - variance) / 1e-7 - rate) < 1e-5 * rate + 1e-6, "\(years) at \(k)")
                }
            }
        }
    }

    @Test("A weekend counts its share, an event its days, and an average a third of its window")
    func clock() throws {
        let day = 1 / 365.0
        // Friday, 2024-01-05 12:00 UTC.
        let start = Timestamp(milliseconds: 1_704_456_000_000)
        let clock = try VarianceClock(
            from: start, weekendWeight: 0.25,
            events: [
                .init(time: Timestamp(milliseconds: start.milliseconds + 4 * 86_400_000), days: 1.5),
                .init(time: Timestamp(milliseconds: start.milliseconds - 1), days: 9),
            ])
        for (days, shown) in [
            (0.25, 0.25), (0.5, 0.5), (1.5, 0.75), (2.5, 1), (3, 1.5), (3.99, 2.49), (4, 4), (7, 7), (9.5, 8),
        ] {
            #expect(abs(clock.time(days * day).value - shown * day) < 1e-12, "\(days)")
        }
        #expect(clock.time(0.2 * day).rate == 1 && clock.time(day).rate == 0.25)
        // The variance of an average is the integral of the squared shares that are still to come.
        let window = 30 * 60_000.0 / (365 * 86_400_000)
        let averaged = try VarianceClock(from: start, averagingMilliseconds: 1_800_000)
        for minutes in [3.0, 17, 29.9, 30, 31, 600] {
            let years = minutes / 30 * window
            var sum = 0.0
            let steps = 200_000
            for step in 0..<steps {
                let left = years * (Double(step) + 0.5) / Double(steps)
                let share = min(1, left / window)
                sum += share * share * years / Double(steps)
            }
            #expect(abs(averaged.time(years).value - sum) < 1e-9 * sum, "\(minutes)")
            let rate = (averaged.time(years + 1e-9).value - averaged.time(years - 1e-9).value) / 2e-9
            #expect(abs(averaged.time(years).rate - rate) < 1e-4, "\(minutes)")
        }
        #expect(throws: SurfaceError.self) { _ = try VarianceClock(from: start, weekendWeight: 0) }
        #expect(throws: SurfaceError.self) {
            _ = try VarianceClock(from: start, events: [.init(time: start, days: .nan)])
        }
    }

    @Test("The implied density of every section integrates to 1")
    func density() throws {
        let surface = try Self.surface()
        for years in Self.times {
            let section = try #require(surface.section(years: years))
            var mass = 0.0
            let step = 1.0 / 256
            for place in -2560...2560 {
                let t = Double(place) * step
                mass += section.density(at: 0.1 * sinh(t)) * 0.1 * cosh(t) * step
            }
            #expect(abs(mass - 1) < 1e-8, "\(years): \(mass)")
        }
    }

    @Test("Local variance is above 0 on and beyond the quotes, and the one of Dupire's formula in prices")
    func localVariance() throws {
        let flat = try VolatilitySurface(
            Self.expiries.map { Expiry(name: $0.name, years: $0.years, forward: 100, slice: $0.slice) })
        func call(_ strike: Double, _ years: Double) throws -> Double {
            let section = try #require(flat.section(years: years))
            let k = log(strike / 100)
            let root = section.variance(at: k).squareRoot()
            let (d1, d2) = (-k / root + root / 2, -k / root - root / 2)
            return 100 * 0.5 * erfc(-d1 / 2.0.squareRoot()) - strike * 0.5 * erfc(-d2 / 2.0.squareRoot())
        }
        for years in [0.05, 0.17, 0.6, 1.3] {
            let section = try #require(flat.section(years: years))
            for k in stride(from: -2.0, through: 2, by: 0.01) { #expect(section.localVariance(at: k) > 0) }
            for k in [-0.3, -0.1, 0, 0.15, 0.3] where abs(k) < 3 * section.variance(at: 0).squareRoot() {
                let strike = 100 * exp(k)
                let (dt, dk) = (1e-4, 0.02)
                let byTime = try (call(strike, years + dt) - call(strike, years - dt)) / (2 * dt)
                let byStrike =
                    try (call(strike + dk, years) - 2 * call(strike, years) + call(strike - dk, years))
                    / (dk * dk)
                let expected = 2 * byTime / (strike * strike * byStrike)
                let found = section.localVariance(at: k)
                #expect(abs(found - expected) < 2e-4 * expected, "\(years), \(k): \(found), not \(expected)")
            }
        }
        // A flat surface's is its variance.
        let level = try VolatilitySurface([
            Expiry(
                name: "F", years: 0.5, forward: 100, slice: SVISlice(a: 0.08, b: 0, rho: 0, m: 0, sigma: 1))
        ])
        for years in [0.1, 0.5, 3] {
            let section = try #require(level.section(years: years))
            #expect(abs(section.localVariance(at: 0.7) - 0.16) < 1e-15)
            #expect(abs(section.volatility(at: -1) - 0.4) < 1e-15)
        }
    }

    @Test("The certificate of what lies between two slices agrees with a scan of strikes and times")
    func certificate() throws {
        let surface = try Self.surface()
        #expect(surface.certificate.isFree)
        #expect(surface.certificate.between.count == 2)
        var generator = SeededGenerator(seed: 3)
        func random() -> SVISlice {
            SVISlice(
                a: Double.random(in: -0.02...0.05, using: &generator),
                b: pow(10, Double.random(in: -1.7...0, using: &generator)),
                rho: Double.random(in: -0.9...0.9, using: &generator),
                m: Double.random(in: -0.4...0.4, using: &generator),
                sigma: pow(10, Double.random(in: -1.3 ... -0.2, using: &generator)))
        }
        var counts = (free: 0, arbitrage: 0, border: 0)
        for round in 0..<400 {
            let (one, other) = (random(), random())
            guard one.isCurve, other.isCurve, one.leastVariance > 0, other.leastVariance > 0 else { continue }
            let pair = try VolatilitySurface([
                Expiry(name: "1", years: 0.5, forward: 1, slice: one),
                Expiry(name: "2", years: 1, forward: 1, slice: other),
            ])
            var least = Double.infinity
            for share in stride(from: 0.5, through: 1, by: 0.05) {
                let section = try #require(pair.section(years: share))
                for place in -800...800 {
                    least = min(least, section.durrleman(at: 0.3 * sinh(0.01 * Double(place))))
                }
            }
            switch pair.certificate.between[0] {
            case .free:
                counts.free += 1
                #expect(least >= 0, "\(round): \(least)")
            case .arbitrage, .steepWing:
                counts.arbitrage += 1
            case .border:
                counts.border += 1
                #expect(abs(least) < 1e-3, "\(round): \(least)")
            case .noVariance: Issue.record("\(round)")
            }
            if least < 0 { #expect(pair.certificate.between[0] != .free) }
        }
        #expect(counts.free > 50 && counts.arbitrage > 50 && counts.border < 10, "\(counts)")
    }

    @Test("Vogt's butterfly is seen in a mix as far as it is there")
    func vogt() throws {
        let vogt = SVISlice(a: -0.041, b: 0.1331, rho: 0.306, m: 0.3586, sigma: 0.4153)
        let high = SVISlice(a: 0.2, b: 0.1331, rho: 0.306, m: 0.3586, sigma: 0.4153)
        let surface = try VolatilitySurface([
            Expiry(name: "V", years: 1, forward: 1, slice: vogt),
            Expiry(name: "H", years: 2, forward: 1, slice: high),
        ])
        #expect(!surface.certificate.isFree)
        guard case .arbitrage(let k)? = surface.section(years: 1.001)?.butterfly else {
            Issue.record("a butterfly")
            return
        }
        #expect(k > 0.64 && k < 1.26)
        #expect(surface.section(years: 1.5)?.butterfly == .free)
        #expect(surface.section(years: 3)?.butterfly == .free)
        guard case .arbitrage? = surface.section(years: 1)?.butterfly else {
            Issue.record("a butterfly")
            return
        }
    }

    @Test("Volatility's slope and curvature are differences of volatilities")
    func volatilityPoint() throws {
        let section = try #require(try Self.surface().section(years: 0.4))
        for k in Self.places {
            let point = section.volatilityPoint(at: k)
            let h = 1e-4
            let (up, down) = (section.volatility(at: k + h), section.volatility(at: k - h))
            #expect(point.volatility == section.volatility(at: k))
            #expect(abs(point.slope - (up - down) / (2 * h)) < 1e-6)
            #expect(abs(point.curvature - (up - 2 * point.volatility + down) / (h * h)) < 1e-5)
        }
    }

    @Test("Half the volatility for four times as long is the same surface in variances")
    func scaling() throws {
        let surface = try Self.surface()
        let slow = try VolatilitySurface(
            Self.expiries.map {
                Expiry(name: $0.name, years: 4 * $0.years, forward: 7 * $0.forward, slice: $0.slice)
            })
        for years in Self.times {
            let (one, other) = try (
                #require(surface.section(years: years)), #require(slow.section(years: 4 * years))
            )
            for k in Self.places {
                #expect(abs(one.variance(at: k) - other.variance(at: k)) < 1e-14)
                #expect(abs(one.volatility(at: k) - 2 * other.volatility(at: k)) < 1e-14)
                #expect(abs(one.density(at: k) - other.density(at: k)) < 1e-11)
                let (local, slower) = (one.localVariance(at: k), other.localVariance(at: k))
                #expect(abs(local - 4 * slower) < 1e-12)
            }
        }
    }

    @Test("A mirrored surface has the same variance on the other side")
    func mirror() throws {
        let surface = try Self.surface()
        let mirrored = try VolatilitySurface(
            Self.expiries.map {
                Expiry(name: $0.name, years: $0.years, forward: $0.forward, slice: $0.slice.mirrored)
            })
        for years in Self.times {
            let (one, other) = try (
                #require(surface.section(years: years)), #require(mirrored.section(years: years))
            )
            for k in Self.places {
                let (point, opposite) = (one[k], other[-k])
                #expect(abs(point.variance - opposite.variance) < 1e-15)
                #expect(abs(point.slope + opposite.slope) < 1e-15)
                #expect(abs(point.curvature - opposite.curvature) < 1e-14)
            }
        }
    }

    private static func query(
        _ surface: VolatilitySurface, _ k: [Double], _ years: [Double], _ count: Int
    ) throws -> ([Double], [Double], [Double]) {
        var volatilities = Array(repeating: 7.0, count: count)
        var (slopes, curvatures) = (volatilities, volatilities)
        var outputs = volatilities.mutableSpan
        var more = slopes.mutableSpan
        var rest = curvatures.mutableSpan
        try surface.query(
            logMoneyness: k.span, years: years.span, into: &outputs, slopes: &more, curvatures: &rest)
        return (volatilities, slopes, curvatures)
    }

    @Test("Batches of any length and of several times give what single queries give")
    func batches() throws {
        let surface = try Self.surface()
        for count in [0, 1, 7, 8, 9, 61, 64] {
            let k = (0..<count).map { 0.03 * Double($0) - 0.8 }
            let years = (0..<count).map { Self.times[$0 / 13 % Self.times.count] }
            let (volatilities, slopes, curvatures) = try Self.query(surface, k, years, count)
            for row in 0..<count {
                let section = try #require(surface.section(years: years[row]))
                let point = section[k[row]]
                #expect(abs(volatilities[row] - section.volatility(at: k[row])) < 1e-14)
                #expect(abs(slopes[row] - point.slope) < 1e-14)
                #expect(abs(curvatures[row] - point.curvature) < 1e-13)
            }
        }
    }

    @Test("Where growth leaves no forward, or a strike is too far from it, there is no answer")
    func noForward() throws {
        let slice = SVISlice(a: 0.03, b: 0.2, rho: -0.35, m: 0.03, sigma: 0.15)
        let expiry = VolatilitySurface.Expiry(name: "X", years: 0.1, forward: 100, slice: slice)
        for spot in [1e308, 1e-308] {
            let surface = try VolatilitySurface([expiry], spot: spot)
            #expect(surface.forward(years: 10) == nil && surface.section(years: 10) == nil)
            #expect(surface.volatility(strike: 100, years: 10) == nil)
            let volatility = try #require(surface.volatility(strike: 100, years: 0.1))
            #expect(abs(volatility - expiry.slice.volatility(at: 0, years: 0.1)) < 1e-15)
        }
        let surface = try VolatilitySurface([expiry])
        #expect(surface.volatility(strike: 5e-324, years: 0.1) == nil)
        #expect(surface.volatility(strike: 100, years: 5e-324) == nil)
        #expect(surface.volatilityPoint(logMoneyness: 0, years: 5e-324) == nil)
    }

    @Test("What is no surface and what is no query is refused with place, field and value")
    func refusals() throws {
        let first = Self.expiries[0]
        func error(_ expiries: [VolatilitySurface.Expiry], spot: Double? = nil) -> String {
            do {
                _ = try VolatilitySurface(expiries, spot: spot)
                return ""
            } catch { return "\(error)" }
        }
        #expect(error([]) == "surface: underlying: has no fitted slice")
        #expect(error([first, first]) == "X-1: years: expires together with X-1")
        let late = Expiry(name: "L", years: .nan, forward: 1, slice: first.slice)
        #expect(error([first, late]) == "L: years: nan: must be above 0 and finite")
        let free = Expiry(name: "L", years: 1, forward: 0, slice: first.slice)
        #expect(error([first, free]) == "L: forward: 0.0: must be above 0 and finite")
        let none = Expiry(
            name: "L", years: 1, forward: 1, slice: SVISlice(a: -1, b: 0.1, rho: 0, m: 0, sigma: 1))
        #expect(error([none]) == "L: least_variance: -0.9: must be that of a curve, above 0")
        #expect(error([first], spot: -1) == "surface: spot: -1.0: must be above 0 and finite")
        let surface = try Self.surface()
        for years in [0, -1, Double.nan, .infinity] {
            #expect(surface.section(years: years) == nil)
            #expect(surface.volatility(strike: 100, years: years) == nil)
        }
        for strike in [0, -1, Double.nan, .infinity] {
            #expect(surface.volatility(strike: strike, years: 1) == nil)
        }
        func query(_ k: [Double], _ years: [Double], _ count: Int) -> String {
            do {
                _ = try Self.query(surface, k, years, count)
                return ""
            } catch { return "\(error)" }
        }
        #expect(query([0, 0], [1], 2) == "years: 1: must have as many rows as the others, 2")
        #expect(query([0, 0], [1, 1], 3) == "volatilities: 3: must have as many rows as the others, 2")
        #expect(query([0, 0], [1, 0], 2) == "row 1: years: 0.0: must be above 0 and finite")
        #expect(query([.nan, 0], [1, 1], 2) == "row 0: log_moneyness: nan: must be finite")
    }

    @Test("A fit becomes a surface of one underlying, which is to be named where there are several")
    func fromFit() throws {
        func smile(_ name: String, _ expiry: VolatilitySurface.Expiry) -> SmileQuotes {
            SmileQuotes(
                name: name, underlying: String(name.prefix(1)), years: expiry.years, forward: expiry.forward,
                quotes: (-8...8).map { place in
                    let k = 0.04 * Double(place)
                    let volatility = expiry.slice.volatility(at: k, years: expiry.years)
                    return SmileQuote(
                        strike: expiry.forward * exp(k), bid: volatility - 0.005, ask: volatility + 0.005)
                })
        }
        let smiles = Self.expiries.map { smile($0.name, $0) }
        let fit = SurfaceFit(smiles + [smile("Y-1", Self.expiries[0])], loss: .mid, rule: .full)
        #expect(throws: SurfaceError.severalUnderlyings("X", "Y")) { _ = try VolatilitySurface(fit) }
        #expect(throws: SurfaceError.noSlices(of: "Z")) { _ = try VolatilitySurface(fit, underlying: "Z") }
        let surface = try VolatilitySurface(fit, underlying: "X")
        #expect(surface.expiries.map(\.name) == ["X-1", "X-2", "X-3"] && surface.certificate.isFree)
        let expected = try Self.surface()
        for years in Self.times {
            for k in [-0.2, 0, 0.2] {
                let (one, other) = try (
                    #require(surface.section(years: years)), #require(expected.section(years: years))
                )
                #expect(abs(one.volatility(at: k) - other.volatility(at: k)) < 1e-8)
            }
        }
    }
}
