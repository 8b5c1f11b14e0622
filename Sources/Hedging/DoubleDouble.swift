/// A sum of two doubles, the second below half a unit in the last place of the first: some 32 digits. Without
/// hardware of its own, the same on every machine.
///
/// Source: T. J. Dekker, "A floating-point technique for extending the available precision", Numerische
/// Mathematik 18 (1971); products by the fused multiply-add.
package struct DoubleDouble: HedgeNumber {
    package var high: Double
    package var low: Double

    package static var isPrecise: Bool { true }
    package static var noise: Double { 1e-29 }

    @inline(__always) package init(_ value: Double) { (high, low) = (value, 0) }

    @inline(__always) private init(high: Double, low: Double) { (self.high, self.low) = (high, low) }

    /// The sum of two doubles of which the first is not the smaller, exactly.
    @inline(__always) private init(larger a: Double, smaller b: Double) {
        let sum = a + b
        self.init(high: sum, low: sum.isFinite ? b - (sum - a) : 0)
    }

    @inline(__always) package var double: Double { high }
    @inline(__always) package var magnitude: DoubleDouble { high < 0 ? -self : self }

    @inline(__always) package static prefix func - (a: DoubleDouble) -> DoubleDouble {
        DoubleDouble(high: -a.high, low: -a.low)
    }

    @inline(__always) package static func + (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
        let sum = a.high + b.high
        let part = sum - a.high
        let error = (a.high - (sum - part)) + (b.high - part)
        return DoubleDouble(larger: sum, smaller: sum.isFinite ? error + (a.low + b.low) : 0)
    }

    @inline(__always) package static func - (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble { a + -b }

    @inline(__always) package static func * (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
        let product = a.high * b.high
        guard product.isFinite else { return DoubleDouble(product) }
        let error = (-product).addingProduct(a.high, b.high)
        return DoubleDouble(larger: product, smaller: error + (a.high * b.low + a.low * b.high))
    }

    package static func / (a: DoubleDouble, b: DoubleDouble) -> DoubleDouble {
        let first = a.high / b.high
        guard first.isFinite else { return DoubleDouble(first) }
        let rest = a - b * DoubleDouble(first)
        let second = rest.high / b.high
        let last = rest - b * DoubleDouble(second)
        return DoubleDouble(larger: first, smaller: second) + DoubleDouble(last.high / b.high)
    }

    package func squareRoot() -> DoubleDouble {
        guard high > 0, high.isFinite else { return DoubleDouble(high.squareRoot()) }
        let root = DoubleDouble(high.squareRoot())
        return root + (self - root * root) / (root + root)
    }

    @inline(__always) package static func < (a: DoubleDouble, b: DoubleDouble) -> Bool {
        a.high < b.high || (a.high == b.high && a.low < b.low)
    }
}

/// The numbers that a certificate is computed in.
package protocol HedgeNumber: Comparable, BitwiseCopyable {
    /// Whether they have more digits than a double.
    static var isPrecise: Bool { get }
    /// The residue that rounding leaves of a sum that is 0.
    static var noise: Double { get }
    init(_ value: Double)
    var double: Double { get }
    var magnitude: Self { get }
    func squareRoot() -> Self
    static func + (a: Self, b: Self) -> Self
    static func - (a: Self, b: Self) -> Self
    static func * (a: Self, b: Self) -> Self
    static func / (a: Self, b: Self) -> Self
    static prefix func - (a: Self) -> Self
}

extension HedgeNumber {
    @inline(__always) package static func += (a: inout Self, b: Self) { a = a + b }
    @inline(__always) package static func -= (a: inout Self, b: Self) { a = a - b }
}

extension Double: HedgeNumber {
    package static var isPrecise: Bool { false }
    package static var noise: Double { 1e-14 }
    @inline(__always) package var double: Double { self }
}
