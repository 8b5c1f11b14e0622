/// A whole number of 256 bits, as contracts on chains count: what does not fit is nil.
public struct UInt256: Sendable, Hashable, Comparable {
    public var high: UInt128
    public var low: UInt128

    public init(_ value: UInt128) { (high, low) = (0, value) }

    public init(high: UInt128, low: UInt128) { (self.high, self.low) = (high, low) }

    public static let max = UInt256(high: .max, low: .max)

    public static func < (a: UInt256, b: UInt256) -> Bool { (a.high, a.low) < (b.high, b.low) }

    public var isZero: Bool { high == 0 && low == 0 }

    /// The nearest double, or one next to it.
    public var double: Double { Double(high) * 0x1p128 + Double(low) }

    /// Decimal digits.
    public init?(_ text: String) {
        self.init(0)
        guard !text.isEmpty else { return nil }
        for character in text.utf8 {
            guard character >= 48, character <= 57, let ten = times(UInt256(10)),
                let sum = ten.plus(UInt256(UInt128(character - 48)))
            else { return nil }
            self = sum
        }
    }

    public func plus(_ other: UInt256) -> UInt256? {
        let (sum, carry) = low.addingReportingOverflow(other.low)
        let (top, over) = high.addingReportingOverflow(other.high)
        let (all, more) = top.addingReportingOverflow(carry ? 1 : 0)
        return over || more ? nil : UInt256(high: all, low: sum)
    }

    public func minus(_ other: UInt256) -> UInt256? {
        guard self >= other else { return nil }
        let (difference, borrow) = low.subtractingReportingOverflow(other.low)
        return UInt256(high: high &- other.high &- (borrow ? 1 : 0), low: difference)
    }

    public func times(_ other: UInt256) -> UInt256? {
        let (top, bottom) = fullProduct(other)
        return top.isZero ? bottom : nil
    }

    /// All 512 bits of a product.
    private func fullProduct(_ other: UInt256) -> (high: UInt256, low: UInt256) {
        let ll = low.multipliedFullWidth(by: other.low)
        let lh = low.multipliedFullWidth(by: other.high)
        let hl = high.multipliedFullWidth(by: other.low)
        let hh = high.multipliedFullWidth(by: other.high)
        let (a, carryA) = ll.high.addingReportingOverflow(lh.low)
        let (b, carryB) = a.addingReportingOverflow(hl.low)
        var top = UInt256(high: hh.high, low: hh.low)
        let carries: UInt128 = (carryA ? 1 : 0) + (carryB ? 1 : 0)
        for part in [lh.high, hl.high, carries] {
            let (sum, carry) = top.low.addingReportingOverflow(part)
            top = UInt256(high: top.high &+ (carry ? 1 : 0), low: sum)
        }
        return (top, UInt256(high: b, low: ll.low))
    }

    /// This times 2 to a power; nil for one below 0.
    public func shiftedLeft(_ count: Int) -> UInt256? {
        guard count >= 0 else { return nil }
        var value = self
        // No more than that is left of anything but 0.
        for _ in 0..<min(count, 256) {
            guard value.high >> 127 == 0 else { return nil }
            value = value.doubled
        }
        return value
    }

    private var doubled: UInt256 { UInt256(high: high << 1 | low >> 127, low: low << 1) }

    /// this · factor / divisor, rounded down or up, with all bits of the product: nil where it does not fit.
    public func times(_ factor: UInt256, over divisor: UInt256, roundingUp: Bool = false) -> UInt256? {
        guard !divisor.isZero else { return nil }
        let product = fullProduct(factor)
        guard product.high < divisor else { return nil }
        // Bit by bit: the remainder stays below the divisor, but may need a bit more than there is on the way.
        var (remainder, quotient) = (product.high, UInt256(0))
        for bit in (0..<256).reversed() {
            let overflows = remainder.high >> 127 == 1
            let word = bit < 128 ? product.low.low >> UInt128(bit) : product.low.high >> UInt128(bit - 128)
            remainder = remainder.doubled
            remainder.low |= word & 1
            quotient = quotient.doubled
            if overflows || remainder >= divisor {
                let (difference, borrow) = remainder.low.subtractingReportingOverflow(divisor.low)
                remainder = UInt256(
                    high: remainder.high &- divisor.high &- (borrow ? 1 : 0), low: difference)
                quotient.low |= 1
            }
        }
        return roundingUp && !remainder.isZero ? quotient.plus(UInt256(1)) : quotient
    }

    public func over(_ divisor: UInt256, roundingUp: Bool = false) -> UInt256? {
        times(UInt256(1), over: divisor, roundingUp: roundingUp)
    }
}
