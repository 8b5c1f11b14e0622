import Foundation
import Market
import Surface
import TestSupport
import Testing

/// Whole answers about random smiles, beside what they were when somebody last looked at them.
struct PrintedTests {
    /// To five digits and no further than a millionth: what a fit leaves open differs between processors.
    private static func text(_ value: Double?, decimals most: Int = 6) -> String {
        guard let value else { return "none" }
        guard value.isFinite else { return "\(value)" }
        guard value.magnitude >= 0.5 * pow(10, -Double(most)) else { return "0" }
        let decimals = max(0, min(most, 4 - Int(log10(value.magnitude).rounded(.down))))
        return String(format: "%.\(decimals)f", value)
    }

    private static func text(_ values: [Double?], decimals: Int = 6) -> String {
        values.map { text($0, decimals: decimals) }.joined(separator: " ")
    }

    /// Where a function is least it is flat: the place is known to half of the digits.
    private static func text(_ least: LeastValue?) -> String {
        least.map { text($0.value) + String(format: " at %.4f", $0.at) } ?? "none"
    }

    /// Smiles of some expiries; a share of their quotes has one side or none, and their noise may leave arbitrage.
    private static func smiles(_ seed: UInt64, noise: Double) -> [SmileQuotes] {
        var generator = SeededGenerator(seed: seed)
        func uniform(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &generator) }
        return (0..<4).map { expiry in
            let years = 0.01 * pow(3, Double(expiry)) * uniform(0.8...1.2)
            let width = 0.6 * years.squareRoot()
            let slice = SVISlice(
                a: uniform(0.05...0.2) * years, b: uniform(0.1...0.4) * years.squareRoot(),
                rho: uniform(-0.7...0.3), m: uniform(-0.2...0.2) * width, sigma: uniform(0.2...0.7) * width)
            let forward = 100 + Double(expiry)
            let quotes = (-7...7).map { place in
                let k = width * (Double(place) / 3 + uniform(-0.1...0.1))
                let half = uniform(0.004...0.012) * (1 + 0.2 * Double(place.magnitude))
                let middle = slice.volatility(at: k, years: years) + noise * half * uniform(-1...1)
                let kind = uniform(0...1)
                return SmileQuote(
                    strike: forward * exp(k), bid: kind < 0.1 ? nil : middle - half,
                    ask: kind > 0.92 ? nil : middle + half, weight: uniform(0.5...2), tick: 1e-4,
                    age: uniform(0...60))
            }
            return SmileQuotes(
                name: "X-\(expiry)", underlying: "X", years: years, forward: forward, quotes: quotes)
        }
    }

    private static func lines(_ fit: SurfaceFit) -> [String] {
        var lines = fit.slices.map { slice in
            let volatilities = [-0.4, -0.2, 0, 0.2, 0.4].map { k in
                slice.slice?.volatility(at: k * slice.smile.years.squareRoot(), years: slice.smile.years)
            }
            let quality = slice.quality
            let words =
                "\(slice.smile.name) \(slice.status) \(slice.repair) \(quality?.quotes ?? 0) "
                + "\(quality?.dropped ?? 0)"
            return words + ": " + text(volatilities) + "; "
                + text([
                    quality?.rootMeanSquare, quality?.rootMeanSquareInHalfSpreads,
                    quality?.rootMeanSquareInTicks, quality?.largestError, quality?.largestErrorStrike,
                    quality?.insideShare, quality?.age,
                ])
        }
        lines += fit.calendar.map { "\($0.earlier) to \($0.later): \(text($0.least?.value))" }
        return lines
    }

    @Test("Fits under every loss and rule, and how good they are, are those that they were")
    func fits() throws {
        var lines: [String] = []
        for (seed, noise) in [(1, 0.5), (2, 0.5), (3, 3), (4, 3), (5, 8), (6, 8)] as [(UInt64, Double)] {
            let smiles = Self.smiles(seed, noise: noise)
            for loss in SmileLoss.allCases {
                for rule in ArbitrageRule.allCases {
                    lines.append("surface \(seed), \(loss), \(rule)")
                    lines += Self.lines(SurfaceFit(smiles, loss: loss, rule: rule))
                }
            }
        }
        let difference = try Printed.difference(lines.joined(separator: "\n"), from: "fits.txt")
        #expect(difference == nil)
    }

    @Test("A live surface goes the way that it went: states, losses and volatilities of every tick")
    func ticks() throws {
        var lines: [String] = []
        for (seed, loss, rule) in [
            (1, .mid, .none), (2, .band, .none), (3, .spread, .butterfly), (4, .band, .full),
        ] as [(UInt64, SmileLoss, ArbitrageRule)] {
            var generator = SeededGenerator(seed: seed)
            let smiles = Self.smiles(seed, noise: 0.5)
            var surface = try LiveSurface(smiles, loss: loss, rule: rule)
            var volatilities = Array(repeating: 0.0, count: surface.contractCount)
            for tick in 0..<30 {
                let place = tick % surface.slices.count
                let live = surface.slices[place]
                let smile = try #require(smiles.first { $0.name == live.name })
                let shift = (tick % 9 == 8 ? 0.05 : 0.002) * Double.random(in: -1...1, using: &generator)
                for (row, quote) in zip(live.contracts, smile.quotes) {
                    let isLeftOut = tick % 13 == 12 && row % 4 != 0
                    try surface.setQuote(
                        bid: isLeftOut ? nil : quote.bid.map { $0 + shift },
                        ask: isLeftOut ? nil : quote.ask.map { $0 + shift }, ofContract: row)
                }
                if tick % 5 == 4 {
                    try surface.setForward(live.forward * 1.002, years: live.years * 0.999, ofSlice: place)
                }
                if tick % 11 == 10 { try surface.requireAllStarts(ofSlice: place) }
                let gain = tick % 10 == 9 ? surface.refitFromAllStarts() : nil
                var span = volatilities.mutableSpan
                let count = try surface.refit(into: &span)
                let states = surface.slices.map { "\($0.state)" }.joined(separator: " ")
                lines.append("\(loss) \(rule) \(tick): \(count) \(states); gain \(Self.text(gain))")
                let losses: [Double] = surface.slices.map(\.loss)
                let levels: [Double] = surface.slices.map { $0.slice.volatility(at: 0.02, years: $0.years) }
                lines.append(Self.text(losses) + "; " + Self.text(levels + [volatilities.reduce(0, +)]))
            }
        }
        let difference = try Printed.difference(lines.joined(separator: "\n"), from: "ticks.txt")
        #expect(difference == nil)
    }

    @Test("Butterflies and calendar gaps of random slices: verdicts, least values, repairs by hand")
    func certificates() throws {
        var generator = SeededGenerator(seed: 8)
        func uniform(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &generator) }
        func verdict(_ value: Any) -> Substring { "\(value)".prefix { $0 != "(" } }
        var lines: [String] = []
        var before: SVISlice?
        for number in 0..<120 {
            let slice = SVISlice(
                a: uniform(-0.02...0.1), b: uniform(0.02...0.6), rho: uniform(-0.95...0.95),
                m: uniform(-0.4...0.4), sigma: uniform(0.01...0.6))
            guard slice.isCurve, slice.leastVariance > 0 else { continue }
            let least = slice.leastDurrleman
            let mended = SurfaceFit.mended(slice)
            let whole = mended.map { SVISlice($0.vector) }
            lines.append(
                "\(number) \(verdict(slice.butterfly)): \(Self.text(least)); "
                    + "\(mended.map { "\($0.repair)" } ?? "none") "
                    + Self.text([whole?.a, whole?.b, whole?.rho, whole?.m, whole?.sigma]))
            if let before {
                let gap = before.leastGap(to: slice)
                lines.append(
                    "  from before \(verdict(before.calendar(to: slice))): "
                        + Self.text(gap))
                let above = SVISlice(
                    a: slice.a + uniform(0...0.1), b: slice.b * uniform(1...1.5), rho: slice.rho,
                    m: slice.m + uniform(-0.1...0.1), sigma: slice.sigma * uniform(0.7...1.5))
                let rise = slice.leastGap(to: above)
                lines.append(
                    "  to above \(verdict(slice.calendar(to: above))): " + Self.text(rise))
                let surface = try VolatilitySurface([
                    .init(name: "1", years: 0.1, forward: 100, slice: slice),
                    .init(name: "2", years: 0.4, forward: 101, slice: above),
                ])
                let certificate = surface.certificate
                lines.append(
                    "  surface \(certificate.isFree) "
                        + (certificate.slices + certificate.between).map { "\(verdict($0))" }
                        .joined(separator: " ") + " "
                        + certificate.calendar.map { "\(verdict($0))" }.joined(separator: " "))
                for years in [0.05, 0.2, 0.7] {
                    lines.append(
                        "  \(years) \(surface.section(years: years).map { verdict($0.butterfly) } ?? "")")
                }
            }
            before = slice
        }
        let difference = try Printed.difference(lines.joined(separator: "\n"), from: "verdicts.txt")
        #expect(difference == nil)
    }

    @Test("What a surface says of any time and strike, by every kind of clock")
    func sections() throws {
        let fit = SurfaceFit(Self.smiles(1, noise: 0.5), loss: .spread, rule: .full)
        // A Thursday at noon.
        let start = Timestamp(milliseconds: 1_767_268_800_000)
        func later(_ days: Double) -> Timestamp {
            Timestamp(milliseconds: start.milliseconds + Int64(days * 86_400_000))
        }
        let events = [
            VarianceClock.Event(time: later(30), days: 2), .init(time: later(1.5), days: 0.5),
            .init(time: later(-2), days: 4),
        ]
        var lines: [String] = []
        for (name, clock) in [
            ("calendar", VarianceClock.calendar),
            ("weekends", try VarianceClock(from: start, weekendWeight: 0.4)),
            ("events", try VarianceClock(from: start, events: events)),
            ("average", try VarianceClock(from: start, averagingMilliseconds: 1_800_000)),
            (
                "all",
                try VarianceClock(
                    from: start, weekendWeight: 1.5, events: events, averagingMilliseconds: 3_600_000)
            ),
        ] {
            let surface = try VolatilitySurface(fit, spot: 98, clock: clock)
            let days = [0.01, 0.5, 1.5, 2, 4, 7, 11.5, 30, 60, 99, 200, 400.0]
            for day in days {
                let years = day / 365
                let (time, rate) = clock.time(years)
                let section = try #require(surface.section(years: years))
                lines.append(
                    "\(name) \(day): "
                        + Self.text([time, rate, surface.forward(years: years), section.forward]))
                for k in [-0.3, 0, 0.2] {
                    let point = try #require(surface.volatilityPoint(logMoneyness: k, years: years))
                    lines.append(
                        "  \(k): "
                            + Self.text([
                                point.volatility, point.slope, point.curvature, section.durrleman(at: k),
                                section.density(at: k), section.varianceRate(at: k),
                                surface.volatility(strike: 100 * exp(k), years: years),
                            ]))
                }
            }
            let rows = days.flatMap { day in [-0.1, 0.0, 0.1].map { (years: day / 365, k: $0) } }
            let (places, times) = (rows.map(\.k), rows.map(\.years))
            var (levels, slopes, curvatures) = (
                [Double](repeating: 0, count: rows.count), [Double](repeating: 0, count: rows.count),
                [Double](repeating: 0, count: rows.count)
            )
            var one = levels.mutableSpan
            var two = slopes.mutableSpan
            var three = curvatures.mutableSpan
            try surface.query(
                logMoneyness: places.span, years: times.span, into: &one, slopes: &two,
                curvatures: &three)
            lines.append("\(name) query: " + Self.text(levels + slopes + curvatures))
        }
        let difference = try Printed.difference(lines.joined(separator: "\n"), from: "sections.txt")
        #expect(difference == nil)
    }

    @Test("Movements of histories with every kind of gap, whole")
    func movements() throws {
        var lines: [String] = []
        for (name, forwardMove, hours, days) in [
            ("usual", 0.03, 4, 8), ("one forward", 0, 4, 6), ("a few days", 0.03, 6, 4),
            ("gaps", 0.02, 55, 30),
        ] as [(String, Double, Int64, Int)] {
            var generator = SeededGenerator(seed: 12)
            var history = SmileHistory()
            var forward = 100.0
            for step in 0..<days * 24 / Int(hours) {
                let time = Timestamp(milliseconds: 1_767_225_600_000 + Int64(step) * hours * 3_600_000)
                let smiles = [20.0, 100, 300].map { tenor in
                    let years = (tenor - Double(step) * Double(hours) / 24) / 365
                    let quotes = (-5...5).map { place in
                        let k = 0.06 * Double(place)
                        let level =
                            0.6 - 0.3 * k + 0.5 * k * k + 0.01 * Double.random(in: -1...1, using: &generator)
                        return SmileQuote(
                            strike: forward * exp(k), bid: place == 0 && step % 17 == 3 ? nil : level - 0.002,
                            ask: level + 0.002)
                    }
                    return SmileQuotes(
                        name: "X-\(tenor)", underlying: tenor > 200 ? "Y" : "X", years: years,
                        forward: forward, quotes: step % 7 == 6 ? [] : quotes)
                }
                history.add(SurfaceFit(smiles, loss: .mid, rule: .none), at: time)
                forward *= exp(forwardMove * Double.random(in: -1...1, using: &generator))
            }
            lines.append("\(name): \(history.points.count) \(history.surfaceCount) \(history.withoutCurve)")
            for found in history.dynamics(tenorDays: [30, 90], draws: 100, seed: 5) {
                let online = found.online
                lines.append(
                    "  \(found.underlying) \(found.tenorDays) \(found.moves) \(found.days) "
                        + Self.text(
                            [
                                found.unexplained, found.unexplainedAtOne, found.meanSkew, online.ratio,
                                online.interval.lowerBound, online.interval.upperBound, online.observations,
                                online.gain,
                            ], decimals: 3))
                for figure in [found.ratio, found.downBeta, found.upBeta] {
                    lines.append(
                        "    "
                            + Self.text(
                                [
                                    figure?.value, figure?.interval?.lowerBound, figure?.interval?.upperBound,
                                ], decimals: 3))
                }
            }
        }
        let difference = try Printed.difference(lines.joined(separator: "\n"), from: "movements.txt")
        #expect(difference == nil)
    }
}
