import Foundation
import Surface
import Testing

/// Moves of a slice in a trader's terms, each measured on the curve itself.
struct SmileShiftTests {
    static let slices = [
        SVISlice(a: 0.004, b: 0.06, rho: -0.3, m: 0.02, sigma: 0.1),
        SVISlice(a: 0.01, b: 0.2, rho: 0.25, m: -0.05, sigma: 0.2),
        // Least at the money, and all but flat there: both wings alike.
        SVISlice(a: 0.02, b: 0.1, rho: 0, m: 0, sigma: 0.15),
        SVISlice(a: -0.001, b: 0.08, rho: -0.6, m: 0.01, sigma: 0.08),
    ]
    static let years = [0.02, 0.1, 0.7, 0.05]

    static func shift(_ change: (inout SmileShift) -> Void) -> SmileShift {
        var shift = SmileShift()
        change(&shift)
        return shift
    }

    /// Volatility at the money, ∂σ/∂k there, the wings' slopes over √w(0), and the least volatility, from values alone.
    private struct Measured {
        var level, skew, left, right, least: Double

        init(_ slice: SVISlice, _ years: Double) {
            func volatility(_ k: Double) -> Double { (slice.variance(at: k) / years).squareRoot() }
            level = volatility(0)
            let h = 1e-4
            skew = (8 * (volatility(h) - volatility(-h)) - volatility(2 * h) + volatility(-2 * h)) / (12 * h)
            let root = slice.variance(at: 0).squareRoot()
            left = (slice.variance(at: -2e4) - slice.variance(at: -1e4)) / 1e4 / root
            right = (slice.variance(at: 2e4) - slice.variance(at: 1e4)) / 1e4 / root
            var (low, high) = (-3.0, 3.0)
            while high - low > 1e-7 {
                let third = (high - low) / 3
                if slice.variance(at: low + third) < slice.variance(at: high - third) {
                    high -= third
                } else {
                    low += third
                }
            }
            least = volatility((low + high) / 2)
        }
    }

    @Test("Each term moves what it names by what is asked, and nothing else that is a term", arguments: 0..<4)
    func terms(_ number: Int) throws {
        let (slice, years) = (Self.slices[number], Self.years[number])
        let before = Measured(slice, years)
        for shift in [
            Self.shift { $0.level = 0.03 }, Self.shift { $0.level = -0.02 }, Self.shift { $0.skew = -0.04 },
            Self.shift { $0.leftWing = 0.3 }, Self.shift { $0.rightWing = -0.1 },
            Self.shift { ($0.level, $0.skew, $0.leftWing, $0.rightWing) = (0.05, 0.02, 0.1, 0.2) },
        ] {
            let after = Measured(try #require(slice.shifted(by: shift, years: years)), years)
            #expect((after.level - before.level - shift.level).magnitude < 1e-12, "\(shift)")
            #expect((after.skew - before.skew - shift.skew).magnitude < 1e-8, "\(shift)")
            #expect((after.left / before.left - 1 - shift.leftWing).magnitude < 1e-8, "\(shift)")
            #expect((after.right / before.right - 1 - shift.rightWing).magnitude < 1e-8, "\(shift)")
        }
    }

    @Test("The least volatility moves by what is asked, and the other terms stay", arguments: [0, 1, 3])
    func least(_ number: Int) throws {
        let (slice, years) = (Self.slices[number], Self.years[number])
        let before = Measured(slice, years)
        for least in [-0.002, 0.0005] {
            let moved = slice.shifted(by: Self.shift { $0.least = least }, years: years)
            let after = Measured(try #require(moved), years)
            #expect((after.least - before.least - least).magnitude < 1e-9, "\(least)")
            #expect((after.level - before.level).magnitude < 1e-12)
            #expect((after.skew - before.skew).magnitude < 1e-8)
            #expect((after.left / before.left - 1).magnitude < 1e-8)
            #expect((after.right / before.right - 1).magnitude < 1e-8)
        }
    }

    @Test("A level by itself stretches the smile: f σ(k/f)", arguments: 0..<4)
    func stretch(_ number: Int) throws {
        let (slice, years) = (Self.slices[number], Self.years[number])
        let level = slice.volatility(at: 0, years: years)
        for factor in [0.6, 1.1, 2.5] {
            let shift = Self.shift { $0.level = (factor - 1) * level }
            let moved = try #require(slice.shifted(by: shift, years: years))
            for k in stride(from: -1.5, through: 1.5, by: 0.125) {
                let expected = factor * slice.volatility(at: k / factor, years: years)
                #expect((moved.volatility(at: k, years: years) / expected - 1).magnitude < 1e-12, "\(k)")
            }
        }
    }

    @Test("Small moves change the curve by little, also where the least is at the money")
    func continuity() throws {
        for (slice, years) in zip(Self.slices, Self.years) {
            for shift in [
                Self.shift { $0.skew = 1e-6 }, Self.shift { $0.skew = -1e-6 },
                Self.shift { $0.leftWing = 1e-6 },
                Self.shift { $0.rightWing = -1e-6 }, Self.shift { $0.level = 1e-6 },
            ] {
                let moved = try #require(slice.shifted(by: shift, years: years))
                for k in stride(from: -1.0, through: 1.0, by: 0.1) {
                    let change = moved.volatility(at: k, years: years) - slice.volatility(at: k, years: years)
                    #expect(change.magnitude < 1e-5, "\(shift) at \(k): \(change)")
                }
            }
        }
    }

    @Test("Quotes around a moved slice, fitted anew, are that slice", arguments: [0, 1, 3])
    func refitted(_ number: Int) throws {
        let (slice, years) = (Self.slices[number], Self.years[number])
        let shift = Self.shift { ($0.level, $0.skew, $0.leftWing) = (0.04, -0.02, 0.15) }
        let moved = try #require(slice.shifted(by: shift, years: years))
        let quotes = stride(from: -0.5, through: 0.5, by: 0.05).map { k in
            let volatility = moved.volatility(at: k, years: years)
            return SmileQuote(strike: 100 * exp(k), bid: volatility - 0.005, ask: volatility + 0.005)
        }
        let smile = SmileQuotes(name: "X-1", underlying: "X", years: years, forward: 100, quotes: quotes)
        let fitted = try #require(SurfaceFit([smile], loss: .mid, rule: .none).slices[0].slice)
        for k in stride(from: -0.5, through: 0.5, by: 0.025) {
            let difference = fitted.volatility(at: k, years: years) - moved.volatility(at: k, years: years)
            #expect(difference.magnitude < 1e-8, "\(k): \(difference)")
        }
    }

    @Test("No move is the same slice, and what no slice has is none")
    func edges() {
        let slice = Self.slices[0]
        #expect(slice.shifted(by: SmileShift(), years: 0.02) == slice)
        let impossible = [
            Self.shift { $0.level = -5 }, Self.shift { $0.skew = 50 }, Self.shift { $0.skew = -50 },
            Self.shift { ($0.leftWing, $0.rightWing) = (-1, -1) }, Self.shift { $0.least = -3 },
            Self.shift { $0.least = 1 }, Self.shift { $0.level = .infinity }, Self.shift { $0.skew = .nan },
        ]
        for shift in impossible { #expect(slice.shifted(by: shift, years: 0.02) == nil, "\(shift)") }
        #expect(slice.shifted(by: Self.shift { $0.level = 0.1 }, years: 0) == nil)
        // A flat slice has a level alone.
        let flat = SVISlice(a: 0.04, b: 0, rho: 0, m: 0, sigma: 1)
        let raised = flat.shifted(by: Self.shift { $0.level = 0.1 }, years: 1)
        #expect((raised?.volatility(at: 0.3, years: 1) ?? 0).distance(to: 0.3).magnitude < 1e-15)
        #expect(flat.shifted(by: Self.shift { $0.skew = 0.1 }, years: 1) == nil)
    }
}
