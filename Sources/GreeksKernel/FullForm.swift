import VectorMath

/// Full form: every option brings its own spot, strike, years, volatility, rate and dividend.
///
/// Columns of `count` doubles, any alignment, read as they are: callers validate (see `Greeks`).
@unsafe public struct FullFormColumns {
    /// 0 for a call, 1 for a put.
    public var type: UnsafePointer<UInt8>
    public var spot, strike, years, volatility, rate, dividend: UnsafePointer<Double>

    @inlinable
    public init(
        type: UnsafePointer<UInt8>, spot: UnsafePointer<Double>, strike: UnsafePointer<Double>,
        years: UnsafePointer<Double>, volatility: UnsafePointer<Double>, rate: UnsafePointer<Double>,
        dividend: UnsafePointer<Double>
    ) {
        self.type = type
        self.spot = spot
        self.strike = strike
        self.years = years
        self.volatility = volatility
        self.rate = rate
        self.dividend = dividend
    }
}

/// The Greeks of options `index` to `index + 7`.
@inlinable @inline(__always)
func fullForm<A: LaneArithmetic>(_ arithmetic: A.Type, _ input: FullFormColumns, at index: Int) -> GreekLanes
{
    let one = Lanes(repeating: 1)
    // Zero spot or strike as the smallest that the formulas carry without overflow.
    let spot = lanes(input.spot, index).atLeast(Domain.leastPrice)
    let strike = lanes(input.strike, index).atLeast(Domain.leastPrice)
    let years = lanes(input.years, index)
    let rate = lanes(input.rate, index)
    let dividend = lanes(input.dividend, index)

    let squareRootOfYears = A.squareRoot(years)
    let volatility = lanes(input.volatility, index)
    let deviation = (volatility * squareRootOfYears).atLeast(Floor.deviation)
    let reciprocalDeviation = one / deviation
    // 1/√T without a division. Where σ or T is 0 it is wrong but finite, and what it enters is 0.
    let reciprocalRoot = volatility * reciprocalDeviation
    let (dividendFactor, discount) = exponentials(
        arithmetic, (dividend * years).negated, (rate * years).negated)

    let terms = BlackScholesMertonTerms(
        reciprocalSpot: one / spot,
        discountedSpot: spot * dividendFactor,
        discountedStrike: strike * discount,
        years: years,
        squareRootOfYears: squareRootOfYears,
        reciprocalYears: reciprocalRoot * reciprocalRoot,
        spotRootYears: spot * squareRootOfYears,
        rate: rate,
        dividend: dividend,
        deviation: deviation,
        reciprocalDeviation: reciprocalDeviation,
        logForwardMoneyness: A.multiplyAdd(
            rate - dividend, years, logarithmOfRatio(arithmetic, spot, strike)),
        putSign: putSigns(input.type, index))
    return blackScholesMertonGreeks(arithmetic, terms)
}

extension ModelTable {
    /// Prices and Greeks of `count` options; `count` is a multiple of 8.
    @inlinable @inline(__always)
    static func fullForm<M: PricingModel, L: GreekLevel, W: LaneWriter>(
        _ model: M.Type, _ level: L.Type, _ writer: W.Type, _ input: FullFormColumns, _ count: Int,
        _ output: GreekColumns
    ) {
        var index = 0
        while index < count {
            store(level, writer, M.greeks(Arithmetic.self, input, at: index), to: output, at: index)
            index &+= 8
        }
        W.finish()
    }
}
