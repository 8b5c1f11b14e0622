import VectorMath

/// Accepted ranges of spot, strike, volatility and |rate·years| under a model; other ranges (`Domain`) are the same for
/// all.
public struct AcceptedRange: Sendable {
    /// Prices are 0, or from `leastPrice` to `largestPrice`: in size, where they may be negative.
    public var leastPrice, largestPrice: Double
    public var allowsNegativePrices: Bool
    public var largestVolatility, largestExponent: Double

    /// Of a lognormal underlying.
    public static var lognormal: AcceptedRange {
        AcceptedRange(
            leastPrice: Domain.leastPrice, largestPrice: Domain.largestPrice, allowsNegativePrices: false,
            largestVolatility: Domain.largestVolatility, largestExponent: Domain.largestExponent)
    }

    /// Whether a spot or strike is accepted; NaN is not.
    public func accepts(price: Double) -> Bool {
        let size = allowsNegativePrices ? abs(price) : price
        return size == 0 || (size >= leastPrice && size <= largestPrice)
    }

    /// Whether a rate or dividend yield is accepted for these years; NaN is not.
    public func accepts(rate: Double, years: Double) -> Bool {
        abs(rate) <= Domain.largestRate && abs(rate * years) <= largestExponent
    }
}

extension KernelTable {
    @inlinable @inline(never)
    public static func accepts(
        _ input: FullFormColumns, count: Int, _ range: AcceptedRange
    ) -> Bool {
        // Most markets are well inside, which takes half of the work to see.
        acceptsUsual(input, count: count, range) || acceptsAny(input, count: count, range)
    }

    /// The same, but false where prices are below 0, rates beyond 100% or years beyond what those then allow.
    @inlinable @inline(__always)
    static func acceptsUsual(_ input: FullFormColumns, count: Int, _ range: AcceptedRange) -> Bool {
        let leastPrice = Lanes(repeating: range.leastPrice).bits
        let largestPrice = Lanes(repeating: range.largestPrice).bits
        let largestVolatility = Lanes(repeating: range.largestVolatility).bits
        let largestYears = Lanes(repeating: min(range.largestExponent, Domain.largestYears)).bits
        let largestRate = Lanes(repeating: min(1, Domain.largestRate)).bits
        // The sign is set where something is outside. Bits with a sign leave one in one of two differences.
        var outside = LaneBits.zero
        var types: UInt64 = 0
        var index = 0
        while index < count {
            let spot = lanes(input.spot, index).bits
            let strike = lanes(input.strike, index).bits
            let years = lanes(input.years, index).bits
            let volatility = lanes(input.volatility, index).bits
            outside |= (spot &- leastPrice) | (largestPrice &- spot)
            outside |= (strike &- leastPrice) | (largestPrice &- strike)
            outside |= years | (largestYears &- years)
            outside |= volatility | (largestVolatility &- volatility)
            outside |= largestRate &- lanes(input.rate, index).absolute.bits
            outside |= largestRate &- lanes(input.dividend, index).absolute.bits
            types |= UnsafeRawPointer(input.type + index).loadUnaligned(as: UInt64.self)
            index &+= 8
        }
        let isOutside = unsafeBitCast(outside, to: SIMD8<Int64>.self) .< 0
        return !Arithmetic.any(isOutside) && types & ~0x0101_0101_0101_0101 == 0
    }

    @inlinable @inline(never)
    static func acceptsAny(_ input: FullFormColumns, count: Int, _ range: AcceptedRange) -> Bool {
        // Prices of either sign count by their size.
        let priceBits = LaneBits(repeating: range.allowsNegativePrices ? 0x7FFF_FFFF_FFFF_FFFF : .max)
        let leastPrice = Lanes(repeating: range.leastPrice).bits
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
            outside |= spot | (spot &- leastPrice) | (largestPrice &- spot)
            outside |= strike | (strike &- leastPrice) | (largestPrice &- strike)
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
        return !Arithmetic.any(isOutside) && types & ~0x0101_0101_0101_0101 == 0
    }
}
