import Hedging
import TestSupport
import Testing

/// Arithmetic of 32 digits, against numbers that are known to more.
struct DoubleDoubleTests {
    private static func number(_ high: Double, _ low: Double) -> DoubleDouble {
        DoubleDouble(high) + DoubleDouble(low)
    }

    @Test("Sums and products of two doubles keep what a double would round away")
    func exact() {
        let one = DoubleDouble(1)
        for exponent in 30...52 {
            let small = DoubleDouble(Double(sign: .plus, exponent: -exponent, significand: 1))
            let square = -Double(sign: .plus, exponent: -2 * exponent, significand: 1)
            let product = (one + small) * (one - small)
            #expect((product.high, product.low) == (1, square), "2^-\(exponent)")
            #expect((product - one).double == square)
            #expect((one + small - one).double == small.double)
            #expect((small + one - small).double == 1)
        }
        // Whichever is the larger.
        #expect(Self.number(1e-20, 1) == Self.number(1, 1e-20))
        #expect((Self.number(1e-20, 1).high, Self.number(1e-20, 1).low) == (1, 1e-20))
        // Low parts in all places of a product: (3 + 2⁻⁶⁰)(5 + 2⁻⁵⁸) = 15 + 17 · 2⁻⁶⁰ + 2⁻¹¹⁸.
        let product = Self.number(3, 0x1p-60) * Self.number(5, 0x1p-58)
        #expect((product.high, product.low) == (15, 17 * 0x1p-60))
    }

    @Test("Quotients and roots have the digits of their series")
    func quotientsAndRoots() {
        let third = DoubleDouble(1) / DoubleDouble(3)
        #expect((third.high, third.low) == (0x1.5555555555555p-2, 0x1.5555555555555p-56))
        // 1.41421356237309504880168872420969807856967187537694…
        let root = DoubleDouble(2).squareRoot()
        #expect(root.high == 1.4142135623730951)
        #expect((root.low + 9.667293313452913e-17).magnitude <= 2e-32)
        var random = SeededGenerator(seed: 5)
        func draw() -> DoubleDouble {
            let high = Double.random(in: 0.5...2, using: &random)
            return Self.number(high, high * Double.random(in: -0x1p-54...0x1p-54, using: &random))
        }
        for _ in 0..<1000 {
            let (a, b) = (draw(), draw())
            #expect((a / b * b - a).double.magnitude <= 1e-31 * a.double)
            let root = a.squareRoot()
            #expect((root * root - a).double.magnitude <= 1e-31 * a.double)
            #expect((a - b + b - a).double.magnitude <= 1e-31)
            #expect((a * b - b * a).double == 0)
        }
    }

    @Test("Low parts decide between equal high ones; signs and magnitudes are of the whole")
    func order() {
        let (below, at, above) = (Self.number(1, -1e-20), DoubleDouble(1), Self.number(1, 1e-20))
        let ordered = [
            Self.number(-1, -1e-20), DoubleDouble(-1), DoubleDouble(0), below, at, above, DoubleDouble(2),
        ]
        for (i, a) in ordered.enumerated() {
            for (j, b) in ordered.enumerated() { #expect((a < b) == (i < j), "\(i) \(j)") }
        }
        #expect(Self.number(-1, -1e-20).magnitude == above && above.magnitude == above)
        #expect((-above).low == -1e-20)
    }

    @Test("What is no finite number stays what a double would make of it")
    func limits() {
        let (large, none) = (DoubleDouble(1e308), DoubleDouble(0))
        #expect((large * large).double == .infinity && (large + large).double == .infinity)
        #expect((large * large + DoubleDouble(1)).double == .infinity)
        #expect((large * large).low == 0 && (large + large).low == 0)
        #expect((DoubleDouble(1) / none).double == .infinity && (DoubleDouble(1) / none).low == 0)
        #expect(none.squareRoot().double == 0 && DoubleDouble(-1).squareRoot().double.isNaN)
        #expect(DoubleDouble(.infinity).squareRoot().double == .infinity)
    }
}
