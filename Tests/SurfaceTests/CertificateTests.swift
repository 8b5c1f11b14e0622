import Foundation
import Surface
import TestSupport
import Testing

/// What certificates prove, at and beside the values at which their answer changes.
struct CertificateTests {
    private static func slice(_ row: Fixture.Row, _ prefix: String = "") -> SVISlice {
        SVISlice(
            a: row(prefix + "a"), b: row(prefix + "b"), rho: row(prefix + "rho"), m: row(prefix + "m"),
            sigma: row(prefix + "sigma"))
    }

    @Test("g lies above every bound below its least value, and below every other at the place that is named")
    func durrlemanBounds() throws {
        for row in try Fixture("slices.csv").rows {
            let slice = Self.slice(row)
            guard slice.leastVariance > 0, row("least_g").isFinite else { continue }
            let least = row("least_g")
            for share in [1e-6, 1e-3, 0.1] {
                let step = share * (1 + abs(least))
                #expect(
                    slice.signOfDurrleman(less: least - step) == .positive, "\(row.text("name")) \(share)")
                guard case .negative(let k) = slice.signOfDurrleman(less: least + step) else {
                    Issue.record("\(row.text("name")): nothing below \(least + step)")
                    continue
                }
                #expect(slice.durrleman(at: k) < least + step + 1e-9, "\(row.text("name")) at \(k)")
            }
        }
        let flat = SVISlice(a: 0.04, b: 0, rho: 0, m: 0, sigma: 0.1)
        #expect(flat.signOfDurrleman(less: 0.99) == .positive && flat.butterfly == .free)
        #expect(flat.signOfDurrleman(less: 1) != .positive)
        #expect(flat.leastDurrleman.value == 1 && flat.leastDurrleman.at == .infinity)
    }

    @Test(
        "A gap lies above every bound below its least value, and below every other at the place that is named"
    )
    func gapBounds() throws {
        for row in try Fixture("pairs.csv").rows where row("least_gap").isFinite {
            let (earlier, later) = (Self.slice(row, "earlier_"), Self.slice(row, "later_"))
            let least = row("least_gap")
            for share in [1e-7, 1e-4, 0.1] {
                let step = share * (abs(least) + later.leastVariance)
                #expect(earlier.signOfGap(to: later, less: least - step) == .positive, "\(row.text("name"))")
                guard case .negative(let k) = earlier.signOfGap(to: later, less: least + step) else {
                    Issue.record("\(row.text("name")): nothing below \(least + step)")
                    continue
                }
                #expect(
                    later.variance(at: k) - earlier.variance(at: k) < least + step,
                    "\(row.text("name")) at \(k)")
            }
            // Lifted by what it lacks it is free, by a little less it is not.
            for (lift, isFree) in [(1e-6, true), (-1e-6, false)] {
                let moved = SVISlice(
                    a: later.a - least + lift * (abs(least) + 1e-3), b: later.b, rho: later.rho,
                    m: later.m, sigma: later.sigma)
                #expect((earlier.calendar(to: moved) == .free) == isFree, "\(row.text("name")) \(lift)")
            }
        }
    }

    @Test("Curves that touch are on the border, or as far from it as their numbers are rounded")
    func touching() {
        let one = SVISlice(a: 0.03, b: 0.2, rho: -0.35, m: 0.03, sigma: 0.15)
        #expect(one.calendar(to: one) != .free)
        guard case .border = one.calendar(to: one) else {
            Issue.record("\(one.calendar(to: one))")
            return
        }
        for share in [1e-3, 1e-4, 1e-5] {
            #expect(one.calendar(to: one.scaled(by: 1 + share)) == .free, "\(share)")
            let less = one.scaled(by: 1 - share).calendar(to: one.scaled(by: 1 - 2 * share))
            #expect(less == .flatterWing)
            // Moved aside, both wings as steep: one wing lies lower.
            let aside = SVISlice(a: one.a, b: one.b, rho: one.rho, m: one.m + share, sigma: one.sigma)
            guard case .arbitrage(let k) = one.calendar(to: aside) else {
                Issue.record("\(share): \(one.calendar(to: aside))")
                continue
            }
            #expect(aside.variance(at: k) < one.variance(at: k))
            // And lifted by more than that.
            let steepest = max(one.leftSlope, one.rightSlope)
            let lifted = SVISlice(
                a: one.a + 1.01 * share * steepest, b: one.b, rho: one.rho, m: one.m + share, sigma: one.sigma
            )
            #expect(one.calendar(to: lifted) == .free, "\(share)")
            // A narrower hollow reaches lower.
            let narrow = SVISlice(a: one.a, b: one.b, rho: one.rho, m: one.m, sigma: one.sigma * (1 - share))
            guard case .arbitrage = one.calendar(to: narrow) else {
                Issue.record("\(share): \(one.calendar(to: narrow))")
                continue
            }
            // Their wings meet far out, unless the wider one is lifted.
            let higher = SVISlice(a: one.a + 0.01 * share, b: one.b, rho: one.rho, m: one.m, sigma: one.sigma)
            #expect(
                narrow.calendar(to: one) != .flatterWing && narrow.calendar(to: higher) == .free, "\(share)")
        }
    }

    @Test("Wings of 2 are steep enough, variance of 0 is too low, parameters that are no curve have none")
    func edges() {
        func verdict(
            a: Double = 0.5, b: Double = 1, rho: Double = 0, m: Double = 0, sigma: Double = 1
        ) -> SVISlice.Butterfly { SVISlice(a: a, b: b, rho: rho, m: m, sigma: sigma).butterfly }
        #expect(verdict() == .free)
        #expect(verdict(a: 2, b: 2 + 1e-9) == .steepWing)
        #expect(
            verdict(a: 2, b: 1.2, rho: 0.7) == .steepWing && verdict(a: 2, b: 1.2, rho: -0.7) == .steepWing)
        #expect(
            verdict(a: 2, b: 1.2, rho: 0.6) != .steepWing && verdict(a: 2, b: 1.2, rho: -0.6) != .steepWing)
        #expect(verdict(a: -1) == .noVariance && verdict(a: -1.1) == .noVariance)
        #expect(verdict(a: 0, b: 0) == .noVariance && verdict(a: 0.01, b: 0) == .free)
        for bad in [
            SVISlice(a: .nan, b: 1, rho: 0, m: 0, sigma: 1),
            SVISlice(a: .infinity, b: 1, rho: 0, m: 0, sigma: 1),
            SVISlice(a: 1, b: -0.1, rho: 0, m: 0, sigma: 1),
            SVISlice(a: 1, b: .infinity, rho: 0, m: 0, sigma: 1),
            SVISlice(a: 1, b: 1, rho: 1.01, m: 0, sigma: 1), SVISlice(a: 1, b: 1, rho: -1.01, m: 0, sigma: 1),
            SVISlice(a: 1, b: 1, rho: 0, m: .infinity, sigma: 1),
            SVISlice(a: 1, b: 1, rho: 0, m: 0, sigma: 0),
            SVISlice(a: 1, b: 1, rho: 0, m: 0, sigma: .infinity),
            SVISlice(a: -1.1, b: 1, rho: 0, m: 0, sigma: 1),
        ] { #expect(!bad.isCurve && bad.butterfly == .noVariance, "\(bad)") }
        for good in [
            SVISlice(a: -1, b: 1, rho: 0, m: 0, sigma: 1), SVISlice(a: 0, b: 0, rho: 0, m: 0, sigma: 1),
            SVISlice(a: 0, b: 1, rho: 1, m: 0, sigma: 1), SVISlice(a: 0, b: 1, rho: -1, m: 0, sigma: 1),
        ] { #expect(good.isCurve, "\(good)") }
    }

    /// A polynomial by its roots, lowest power first, with how large its terms were.
    private static func polynomial(
        _ roots: [Double], plus lift: Double = 0
    ) -> HalfLinePolynomial<5> {
        var coefficients = [1.0]
        var sizes = [1.0]
        for root in roots {
            coefficients = zip([0] + coefficients, coefficients + [0]).map { $0 - root * $1 }
            sizes = zip([0] + sizes, sizes + [0]).map { $0 + abs(root) * $1 }
        }
        coefficients[0] += lift
        sizes[0] += abs(lift)
        while coefficients.count < 5 { (coefficients, sizes) = (coefficients + [0], sizes + [0]) }
        var (value, size) = (InlineArray<5, Double>(repeating: 0), InlineArray<5, Double>(repeating: 0))
        for i in 0..<5 { (value[i], size[i]) = (coefficients[i], sizes[i]) }
        return HalfLinePolynomial(coefficients: value, magnitudes: size)
    }

    @Test("A polynomial's sign on the half line: roots below 0 do not matter, double ones are undecided")
    func polynomials() {
        #expect(Self.polynomial([-1, -2, -3, -4]).sign() == .positive)
        #expect(Self.polynomial([-1, -2, -3, -4]).isPositive && !Self.polynomial([-1, -2]).isNegative)
        // (u − 2)²(u − 5)² with a lift above what rounding may do, and below.
        for lift in [1.0, 1e-6, 1e-10] {
            #expect(Self.polynomial([2, 2, 5, 5], plus: lift).sign() == .positive)
        }
        guard case .undecided(let near) = Self.polynomial([2, 2, 5, 5]).sign() else {
            Issue.record("a double root")
            return
        }
        #expect(abs(near - 2) < 1e-2 || abs(near - 5) < 1e-2, "\(near)")
        for lift in [-1.0, -1e-6, -1e-10] {
            guard case .negative(let u) = Self.polynomial([2, 2, 5, 5], plus: lift).sign() else {
                Issue.record("\(lift)")
                continue
            }
            #expect((u - 2) * (u - 2) * (u - 5) * (u - 5) < -lift)
        }
        for (low, high) in [(1.0, 3.0), (0.01, 0.011), (90, 91), (1, 1.0001), (1e-3, 1e3), (0, 1)] {
            guard case .negative(let u) = Self.polynomial([low, high, -1, -1]).sign() else {
                Issue.record("\(low), \(high)")
                continue
            }
            #expect(u > low && u < high)
        }
        // Odd ones are below 0 at an end.
        guard case .negative(let below) = Self.polynomial([7]).sign() else {
            Issue.record("a line")
            return
        }
        #expect(below < 7)
        let none = HalfLinePolynomial<5>(
            coefficients: InlineArray(repeating: 0), magnitudes: InlineArray(repeating: 0))
        #expect(!none.isPositive && !none.isNegative)
        guard case .undecided = none.sign() else {
            Issue.record("nothing")
            return
        }
    }

    @Test("Halves of an interval are the same polynomial on each of them")
    func halves() {
        let whole = Self.polynomial([1, 3, -2])
        #expect(whole.lowEnd == 0 && whole.highEnd == .infinity && whole.middle == 1)
        let (left, right) = whole.halves
        #expect(left.lowEnd == 0 && left.highEnd == 1 && abs(left.middle - 1.0 / 3) < 1e-15)
        #expect(right.lowEnd == 1 && right.highEnd == .infinity && abs(right.middle - 3) < 1e-15)
        #expect(!left.isNegative && !right.isPositive && !right.isNegative)
        let below = HalfLinePolynomial<5>(
            coefficients: InlineArray(repeating: -1), magnitudes: InlineArray(repeating: 1))
        #expect(
            below.isNegative && !below.isPositive && below.halves.0.isNegative && below.halves.1.isNegative)
        let above = Self.polynomial([-1, -2, -3, -4]).halves
        #expect(above.0.isPositive && above.1.isPositive && !above.0.isNegative)
        // Between 1 and 3, the next cut, it is below 0; beyond it is above.
        let (inner, outer) = right.halves
        #expect(abs(inner.highEnd - 3) < 1e-12 && !inner.isPositive && !outer.isNegative)
        let (near, far) = Self.polynomial([1, 3.5, -2]).halves.1.halves
        #expect(near.halves.1.isNegative && !far.halves.0.isPositive && far.halves.1.isPositive)
        var inside = Self.polynomial([0.5, 8, -1])
        for _ in 0..<2 { inside = inside.halves.1 }
        #expect(!inside.isPositive && !inside.isNegative && inside.lowEnd == 3)
        #expect(Self.polynomial([0.5, 8, -1]).halves.1.halves.0.isNegative)
    }
}
