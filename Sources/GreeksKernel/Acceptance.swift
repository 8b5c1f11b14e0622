import VectorMath

/// What a model accepts of spots, strikes and volatilities; the rest is the same for all.
public struct AcceptedRange: Sendable {
    public var leastPrice, largestPrice, largestVolatility: Double

    @inlinable
    public init(leastPrice: Double, largestPrice: Double, largestVolatility: Double) {
        self.leastPrice = leastPrice
        self.largestPrice = largestPrice
        self.largestVolatility = largestVolatility
    }
}

/// Whether all of `count` rows, a multiple of 8, are within what the formulas accept. Comparisons that NaN fails.
///
/// As quick as reading the columns: callers from outside check every batch with it, and look row by row only where it
/// finds something.
@inlinable @inline(__always)
public func areAccepted<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ input: FullFormColumns, count: Int, _ range: AcceptedRange
) -> Bool {
    let leastPrice = Lanes(repeating: range.leastPrice)
    let largestPrice = Lanes(repeating: range.largestPrice)
    let largestVolatility = Lanes(repeating: range.largestVolatility)
    let largestYears = Lanes(repeating: Domain.largestYears)
    let largestRate = Lanes(repeating: Domain.largestRate)
    let largestExponent = Lanes(repeating: Domain.largestExponent)
    var isOutside = LaneMask(repeating: false)
    var types: UInt64 = 0
    var index = 0
    while index < count {
        let spot = lanes(input.spot, index)
        let strike = lanes(input.strike, index)
        let years = lanes(input.years, index)
        let volatility = lanes(input.volatility, index)
        let rate = lanes(input.rate, index).absolute
        let dividend = lanes(input.dividend, index).absolute
        let prices =
            (spot .>= leastPrice) .& (spot .<= largestPrice) .& (strike .>= leastPrice)
            .& (strike .<= largestPrice)
        let others =
            (years .>= .zero) .& (years .<= largestYears) .& (volatility .>= .zero)
            .& (volatility .<= largestVolatility)
        let rates =
            (rate .<= largestRate) .& (rate * years .<= largestExponent) .& (dividend .<= largestRate)
            .& (dividend * years .<= largestExponent)
        isOutside = isOutside .| .!(prices .& others .& rates)
        types |= UnsafeRawPointer(input.type + index).loadUnaligned(as: UInt64.self)
        index &+= 8
    }
    return !A.any(isOutside) && types & ~0x0101_0101_0101_0101 == 0
}
