import Foundation
import Surface
import TestSupport
import Testing

/// Slices of the literature and random ones, with figures in 50 digits by mpmath (`scripts/generate-surface`).
struct SVISliceTests {
    private static func slices() throws -> [(row: Fixture.Row, slice: SVISlice)] {
        try Fixture("slices.csv").rows.map {
            ($0, SVISlice(a: $0("a"), b: $0("b"), rho: $0("rho"), m: $0("m"), sigma: $0("sigma")))
        }
    }

    @Test("Total variance, its derivatives, g and density have the values of 50 digits")
    func values() throws {
        for (row, slice) in try Self.slices() {
            for k in row.list("k").enumerated() {
                let place = "\(row.text("name")) at \(k.element)"
                func expected(_ column: String) -> Double { row.list(column)[k.offset] }
                let point = slice[k.element]
                let slopes = slice.leftSlope + slice.rightSlope
                #expect(abs(point.variance - expected("w")) <= 4e-15 * expected("w"), "w of \(place)")
                #expect(abs(point.slope - expected("slope")) <= 4e-15 * slopes, "w' of \(place)")
                #expect(
                    abs(point.curvature - expected("curvature")) <= 4e-15 * expected("curvature"),
                    "w'' of \(place)")
                let g = slice.durrleman(at: k.element)
                #expect(abs(g - expected("g")) <= 1e-12 * (1 + abs(expected("g"))), "g of \(place): \(g)")
                let density = slice.density(at: k.element)
                #expect(
                    abs(density - expected("density")) <= 1e-11 * abs(expected("density")) + 1e-14,
                    "density of \(place): \(density)")
            }
        }
    }

    @Test("Jump wings have the values of 50 digits, and lead back to the slice")
    func jumpWings() throws {
        for (row, slice) in try Self.slices() where slice.leastVariance > 0 {
            let name = row.text("name")
            let wings = JumpWings(slice, years: row("t"))
            for (value, column) in [
                (wings.variance, "v"), (wings.skew, "psi"), (wings.leftWing, "p"), (wings.rightWing, "c"),
                (wings.leastVariance, "v_min"),
            ] {
                let error = abs(value - row(column))
                #expect(error <= 1e-13 * max(abs(row(column)), 1e-2), "\(column) of \(name): \(value)")
            }
            guard row("rise") > 1e-4 else { continue }
            let back = try #require(wings.slice(years: row("t")), "\(name) comes back")
            for k in row.list("k") {
                let (before, after) = (slice.variance(at: k), back.variance(at: k))
                #expect(abs(after - before) <= 1e-10 * before, "\(name) at \(k): \(after), not \(before)")
            }
        }
    }

    @Test("Wings that no slice has, and wings that leave it open, give none")
    func impossibleWings() {
        func slice(_ v: Double, _ psi: Double, _ p: Double, _ c: Double, _ least: Double) -> SVISlice? {
            JumpWings(variance: v, skew: psi, leftWing: p, rightWing: c, leastVariance: least).slice(years: 1)
        }
        #expect(slice(0.04, -0.1, 0.5, 0.6, 0.03) != nil)
        #expect(slice(0.04, -0.3, 0.5, 0.6, 0.03) == nil, "a skew steeper than its wing")
        #expect(slice(0.04, 0.31, 0.5, 0.6, 0.03) == nil)
        #expect(slice(0.04, -0.1, 0.5, 0.6, 0.05) == nil, "a least variance above that at the money")
        #expect(slice(0.04, 0, 0.5, 0.6, 0.04) == nil, "the least variance at the money: any sigma has it")
        #expect(slice(.nan, -0.1, 0.5, 0.6, 0.03) == nil)
        #expect(slice(0.04, -0.1, .nan, 0.6, 0.03) == nil)
        #expect(slice(0.04, -0.1, 0, 0, 0.03) == nil)
    }

    @Test("The least g and where it lies, to 1e-9, and what the certificate says of it")
    func leastDurrleman() throws {
        for (row, slice) in try Self.slices() where slice.leastVariance > 0 {
            let least = slice.leastDurrleman
            let name = row.text("name")
            #expect(
                abs(least.value - row("least_g")) <= 1e-9 * (1 + abs(row("least_g"))), "\(name): \(least)")
            if row("at").isFinite {
                #expect(abs(least.at - row("at")) <= 1e-9 * (1 + abs(row("at"))), "\(name): \(least)")
            } else {
                #expect(least.at == row("at"), "\(name): \(least)")
            }
            let steep = max(slice.leftSlope, slice.rightSlope) > 2
            switch slice.butterfly {
            case .free: #expect(row("least_g") >= 0 && !steep, "\(name)")
            case .steepWing: #expect(steep, "\(name)")
            case .arbitrage(let k):
                #expect(row("least_g") < 0 && slice.durrleman(at: k) < 1e-12, "\(name) at \(k)")
            case .border, .noVariance: Issue.record("\(name) is decided: \(slice.butterfly)")
            }
        }
    }

    @Test("A least g that is a wing's limit lies at that wing's end, not at a strike that nearly has it")
    func leastInWing() {
        let slice = SVISlice(
            a: 0.00169737, b: 0.00108231, rho: -0.83155, m: 0.00177315, sigma: 0.000465452)
        let least = slice.leastDurrleman
        #expect(least.at == -.infinity && least.value == (4 - slice.leftSlope * slice.leftSlope) / 16)
        let mirrored = slice.mirrored.leastDurrleman
        #expect(mirrored.at == .infinity && mirrored.value == least.value)
    }

    @Test("The implied density integrates to 1, however steep the wings")
    func density() throws {
        for (row, slice) in try Self.slices() where slice.butterfly == .free {
            // Steep wings keep mass a thousand deviations out: steps grow from the middle on.
            var mass = 0.0
            let step = 1.0 / 256
            for place in -2560...2560 {
                let t = Double(place) * step
                mass += slice.density(at: slice.m + slice.sigma * sinh(t)) * slice.sigma * cosh(t) * step
            }
            #expect(abs(mass - 1) < 1e-8, "\(row.text("name")): \(mass)")
        }
    }

    @Test("A mirrored slice is the slice seen from the other side")
    func mirrored() throws {
        for (row, slice) in try Self.slices() {
            for k in row.list("k") {
                let (one, other) = (slice.mirrored.variance(at: -k), slice.variance(at: k))
                #expect(abs(one - other) <= 4e-16 * (other + slice.b * abs(k)), "\(row.text("name"))")
            }
        }
    }

    @Test("Pairs cross where 50 digits say, and the least gap is theirs")
    func calendar() throws {
        for row in try Fixture("pairs.csv").rows {
            func slice(_ prefix: String) -> SVISlice {
                SVISlice(
                    a: row(prefix + "a"), b: row(prefix + "b"), rho: row(prefix + "rho"),
                    m: row(prefix + "m"),
                    sigma: row(prefix + "sigma"))
            }
            let (earlier, later) = (slice("earlier_"), slice("later_"))
            let name = row.text("name")
            let least = row("least_gap")
            switch earlier.calendar(to: later) {
            case .free: #expect(least >= 0, "\(name)")
            case .arbitrage: #expect(least < 0, "\(name)")
            case .flatterWing: #expect(least == -.infinity, "\(name)")
            case .border: Issue.record("\(name) is decided")
            }
            if least.isFinite {
                let gap = try #require(earlier.leastGap(to: later), "\(name)")
                #expect(abs(gap.value - least) <= 1e-9 * abs(least) + 1e-15, "\(name): \(gap), not \(least)")
            } else {
                #expect(earlier.leastGap(to: later) == nil, "\(name)")
            }
        }
    }

    @Test("Between wings of one slope the gap ends at that of the asymptotes, on either side")
    func gapOfWings() throws {
        let earlier = SVISlice(a: 0.04, b: 0.1, rho: -0.3, m: 0.05, sigma: 0.1)
        // Later by `lift`, wider, and shifted: what a shift lowers on one side it raises on the other.
        for shift in [-0.02, 0.02] {
            let later = SVISlice(a: 0.07, b: 0.1, rho: -0.3, m: earlier.m + shift, sigma: 0.2)
            let gap = try #require(earlier.leastGap(to: later))
            let left = 0.03 + earlier.leftSlope * shift
            let right = 0.03 - earlier.rightSlope * shift
            #expect(gap.at == (shift < 0 ? -.infinity : .infinity), "\(gap)")
            #expect((gap.value - min(left, right)).magnitude < 1e-15, "\(gap)")
        }
        // A slope more than the other's has no such end.
        let steeper = SVISlice(a: 0.07, b: 0.11, rho: -0.3, m: 0.05, sigma: 0.2)
        #expect(try #require(earlier.leastGap(to: steeper)).at.isFinite)
        #expect(steeper.leastGap(to: earlier) == nil)
        for rho in [-0.2, -0.4] {
            // Flatter on one side alone.
            let turned = SVISlice(a: 0.07, b: 0.1, rho: rho, m: 0.05, sigma: 0.2)
            #expect(earlier.leastGap(to: turned) == nil, "\(rho)")
        }
    }
}
