import VectorMath

/// Inputs shared by all options of one underlying and expiry, with everything that can be computed once.
///
/// Made by `prepareSlices`, eight at a time.
public struct Slice: BitwiseCopyable, Sendable {
    public var spot, years, rate, dividend: Double
    /// 1/S, S e^(−qT), e^(−rT), √T, 1/T, S√T.
    public var reciprocalSpot, discountedSpot, discount, squareRootOfYears, reciprocalYears: Double
    public var spotRootYears: Double
    /// ln F as an unevaluated sum.
    public var logForwardHigh, logForwardLow: Double

    @inlinable
    public init(
        spot: Double, years: Double, rate: Double, dividend: Double, reciprocalSpot: Double,
        discountedSpot: Double, discount: Double, squareRootOfYears: Double, reciprocalYears: Double,
        spotRootYears: Double, logForwardHigh: Double, logForwardLow: Double
    ) {
        self.spot = spot
        self.years = years
        self.rate = rate
        self.dividend = dividend
        self.reciprocalSpot = reciprocalSpot
        self.discountedSpot = discountedSpot
        self.discount = discount
        self.squareRootOfYears = squareRootOfYears
        self.reciprocalYears = reciprocalYears
        self.spotRootYears = spotRootYears
        self.logForwardHigh = logForwardHigh
        self.logForwardLow = logForwardLow
    }
}

/// The options of slices, contiguous; each slice starts at a multiple of 8 and is padded to one.
@unsafe public struct SliceFormColumns {
    /// 0 for a call, 1 for a put.
    public var type: UnsafePointer<UInt8>
    /// K, and ln K as an unevaluated sum (from `logarithms`).
    public var strike, logStrikeHigh, logStrikeLow: UnsafePointer<Double>
    public var volatility: UnsafePointer<Double>

    @inlinable
    public init(
        type: UnsafePointer<UInt8>, strike: UnsafePointer<Double>, logStrikeHigh: UnsafePointer<Double>,
        logStrikeLow: UnsafePointer<Double>, volatility: UnsafePointer<Double>
    ) {
        self.type = type
        self.strike = strike
        self.logStrikeHigh = logStrikeHigh
        self.logStrikeLow = logStrikeLow
        self.volatility = volatility
    }
}

extension KernelTable {
    @inlinable @inline(never)
    public static func prepareSlices(
        spot: UnsafePointer<Double>, years: UnsafePointer<Double>,
        rate: UnsafePointer<Double>, dividend: UnsafePointer<Double>, count: Int,
        into slices: UnsafeMutablePointer<Slice>
    ) {
        var index = 0
        while index < count {
            let spots = lanes(spot, index).atLeast(Domain.leastPrice)
            let time = lanes(years, index)
            let rates = lanes(rate, index)
            let dividends = lanes(dividend, index)
            let reciprocal = Lanes(repeating: 1) / spots
            let discountedSpot = spots * exponential(Arithmetic.self, (dividends * time).negated)
            let discount = exponential(Arithmetic.self, (rates * time).negated)
            let root = Arithmetic.squareRoot(time)
            let reciprocalYears = Lanes(repeating: 1) / time.atLeast(Floor.years)
            // ln F = ln S + (r − q)T, the sum's rounding error kept.
            let (logHigh, logLow) = logarithmInTwoParts(Arithmetic.self, spots)
            let carry = (rates - dividends) * time
            let high = logHigh + carry
            let low = logLow + roundingErrorOfSum(logHigh, carry, high)
            var lane = 0
            while lane < 8 {
                slices[index &+ lane] = Slice(
                    spot: spots[lane], years: time[lane], rate: rates[lane], dividend: dividends[lane],
                    reciprocalSpot: reciprocal[lane], discountedSpot: discountedSpot[lane],
                    discount: discount[lane], squareRootOfYears: root[lane],
                    reciprocalYears: reciprocalYears[lane], spotRootYears: (spots * root)[lane],
                    logForwardHigh: high[lane],
                    logForwardLow: low[lane])
                lane &+= 1
            }
            index &+= 8
        }
    }
}

extension KernelTable {
    @inlinable @inline(never)
    public static func logarithms(
        of strike: UnsafePointer<Double>, count: Int,
        high: UnsafeMutablePointer<Double>, low: UnsafeMutablePointer<Double>
    ) {
        var index = 0
        while index < count {
            let parts = logarithmInTwoParts(Arithmetic.self, lanes(strike, index).atLeast(Domain.leastPrice))
            store(parts.high, to: high, at: index)
            store(parts.low, to: low, at: index)
            index &+= 8
        }
    }
}

extension KernelTable {
    /// Prices and Greeks of the options `offsets[s]` to `offsets[s + 1] − 1` of each of `count` slices s.
    @inlinable @inline(__always)
    static func sliceForm<L: GreekLevel, W: LaneWriter>(
        _ level: L.Type, _ writer: W.Type, _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>,
        _ count: Int, _ input: SliceFormColumns, _ output: GreekColumns
    ) {
        var number = 0
        while number < count {
            forEachEight(
                Arithmetic.self, SliceForm(slices + number, input), from: offsets[number],
                to: offsets[number &+ 1]
            ) { greeks, index in store(level, writer, greeks, to: output, at: index) }
            number &+= 1
        }
        W.finish()
    }
}

/// The options of one slice.
///
/// No logarithm, no square root: a slice brings its own, and ln F − ln K is taken in two parts.
@usableFromInline
struct SliceForm: OptionForm {
    @_transparent @inlinable static var step: Int { 8 }
    @_transparent @inlinable static var isPaired: Bool { true }

    @usableFromInline let slice: UnsafePointer<Slice>
    @usableFromInline let input: SliceFormColumns

    @inlinable @inline(__always)
    init(_ slice: UnsafePointer<Slice>, _ input: SliceFormColumns) {
        self.slice = slice
        self.input = input
    }

    @_transparent @inlinable
    func moneyness<A: LaneArithmetic>(_ arithmetic: A.Type, at index: Int) -> StandardisedMoneyness {
        let deviation = deviation(at: index)
        return standardisedMoneyness(
            arithmetic,
            logForwardMoneyness: (Lanes(repeating: slice.pointee.logForwardHigh)
                - lanes(input.logStrikeHigh, index))
                + (Lanes(repeating: slice.pointee.logForwardLow) - lanes(input.logStrikeLow, index)),
            deviation: deviation, reciprocalDeviation: Lanes(repeating: 1) / deviation,
            squareRootOfYears: Lanes(repeating: slice.pointee.squareRootOfYears),
            // The slice has its spot discounted.
            dividendFactor: .zero, discount: Lanes(repeating: slice.pointee.discount))
    }

    @_transparent @inlinable
    func terms<A: LaneArithmetic>(
        _ arithmetic: A.Type, _ moneyness: StandardisedMoneyness, at index: Int
    ) -> BlackScholesMertonTerms {
        BlackScholesMertonTerms(
            reciprocalSpot: Lanes(repeating: slice.pointee.reciprocalSpot),
            discountedSpot: Lanes(repeating: slice.pointee.discountedSpot),
            discountedStrike: lanes(input.strike, index) * Lanes(repeating: slice.pointee.discount),
            years: Lanes(repeating: slice.pointee.years),
            reciprocalYears: Lanes(repeating: slice.pointee.reciprocalYears),
            spotRootYears: Lanes(repeating: slice.pointee.spotRootYears),
            rate: Lanes(repeating: slice.pointee.rate),
            dividend: Lanes(repeating: slice.pointee.dividend),
            deviation: deviation(at: index),
            putSign: putSigns(input.type, index))
    }

    @_transparent @inlinable
    func deviation(at index: Int) -> Lanes {
        (lanes(input.volatility, index) * Lanes(repeating: slice.pointee.squareRootOfYears))
            .atLeast(Floor.deviation)
    }
}
