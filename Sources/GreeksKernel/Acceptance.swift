import VectorMath

/// What a model accepts of spots, strikes, volatilities and |rate·years|; the rest is the same for all.
public struct AcceptedRange: Sendable {
    public var leastPrice, largestPrice, largestVolatility, largestExponent: Double

    @inlinable
    public init(
        leastPrice: Double, largestPrice: Double, largestVolatility: Double, largestExponent: Double
    ) {
        self.leastPrice = leastPrice
        self.largestPrice = largestPrice
        self.largestVolatility = largestVolatility
        self.largestExponent = largestExponent
    }
}

/// Whether all of `count` rows, a multiple of 8, are within what the formulas accept. NaN is not; nor, though the
/// formulas accept it, is a price, a time or a volatility of −0, so that false means "look at each row".
///
/// As quick as reading the columns: callers from outside check every batch with it. A double in [0, h] is one whose bits,
/// as an integer, and whose distance to the bits of h, have no sign: a subtraction and an "or", where comparisons
/// have fewer units to run on.
@inlinable @inline(__always)
public func areAccepted<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ input: FullFormColumns, count: Int, _ range: AcceptedRange
) -> Bool {
    // Prices of either sign count by their size.
    let priceBits = LaneBits(repeating: range.leastPrice < 0 ? 0x7FFF_FFFF_FFFF_FFFF : .max)
    let largestPrice = Lanes(repeating: range.largestPrice).bits
    let largestVolatility = Lanes(repeating: range.largestVolatility).bits
    let largestYears = Lanes(repeating: Domain.largestYears).bits
    let largestRate = Lanes(repeating: Domain.largestRate).bits
    let largestExponent = Lanes(repeating: range.largestExponent).bits
    // The sign is set where something is outside.
    var outside = LaneBits.zero
    var types: UInt64 = 0
    var index = 0
    while index < count {
        let spot = lanes(input.spot, index).bits & priceBits
        let strike = lanes(input.strike, index).bits & priceBits
        let years = lanes(input.years, index)
        let volatility = lanes(input.volatility, index).bits
        let rate = lanes(input.rate, index).absolute
        let dividend = lanes(input.dividend, index).absolute
        let rateExponent = (rate * years).bits
        let dividendExponent = (dividend * years).bits
        outside |= spot | (largestPrice &- spot)
        outside |= strike | (largestPrice &- strike)
        outside |= years.bits | (largestYears &- years.bits)
        outside |= volatility | (largestVolatility &- volatility)
        outside |= largestRate &- rate.bits
        outside |= largestRate &- dividend.bits
        outside |= rateExponent | (largestExponent &- rateExponent)
        outside |= dividendExponent | (largestExponent &- dividendExponent)
        types |= UnsafeRawPointer(input.type + index).loadUnaligned(as: UInt64.self)
        index &+= 8
    }
    let isOutside = unsafeBitCast(outside, to: SIMD8<Int64>.self) .< 0
    return !A.any(isOutside) && types & ~0x0101_0101_0101_0101 == 0
}
