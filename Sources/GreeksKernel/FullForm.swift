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

/// Every option with a market of its own.
@usableFromInline
struct FullForm: OptionForm {
    @_transparent @inlinable static var step: Int { 8 }
    @_transparent @inlinable static var isPaired: Bool { true }

    @usableFromInline let input: FullFormColumns

    @inlinable @inline(__always)
    init(_ input: FullFormColumns) { self.input = input }

    @_transparent @inlinable
    func moneyness<A: LaneArithmetic>(_ arithmetic: A.Type, at index: Int) -> StandardisedMoneyness {
        let years = lanes(input.years, index)
        let squareRootOfYears = A.squareRoot(years)
        let deviation = (lanes(input.volatility, index) * squareRootOfYears).atLeast(Floor.deviation)
        let rate = lanes(input.rate, index)
        let dividend = lanes(input.dividend, index)
        let (dividendFactor, discount) = exponentials(
            arithmetic, (dividend * years).negated, (rate * years).negated)
        return standardisedMoneyness(
            arithmetic,
            logForwardMoneyness: A.multiplyAdd(
                rate - dividend, years,
                logarithmOfRatio(arithmetic, price(input.spot, index), price(input.strike, index))),
            deviation: deviation, reciprocalDeviation: Lanes(repeating: 1) / deviation,
            squareRootOfYears: squareRootOfYears, dividendFactor: dividendFactor, discount: discount)
    }

    @_transparent @inlinable
    func terms<A: LaneArithmetic>(
        _ arithmetic: A.Type, _ moneyness: StandardisedMoneyness, at index: Int
    ) -> BlackScholesMertonTerms {
        let spot = price(input.spot, index)
        let years = lanes(input.years, index)
        let volatility = lanes(input.volatility, index)
        let rate = lanes(input.rate, index)
        let dividend = lanes(input.dividend, index)
        // 1/√T without a division. Where σ or T is 0 it is wrong but finite, and what it enters is 0.
        let reciprocalRoot = volatility * moneyness.reciprocalDeviation
        return BlackScholesMertonTerms(
            reciprocalSpot: Lanes(repeating: 1) / spot,
            discountedSpot: spot * moneyness.dividendFactor,
            discountedStrike: price(input.strike, index) * moneyness.discount,
            years: years,
            reciprocalYears: reciprocalRoot * reciprocalRoot,
            spotRootYears: spot * moneyness.squareRootOfYears,
            rate: rate,
            dividend: dividend,
            deviation: (volatility * moneyness.squareRootOfYears).atLeast(Floor.deviation),
            putSign: putSigns(input.type, index))
    }

    /// A spot or strike of 0 as the smallest that the formulas carry without overflow.
    @_transparent @inlinable
    func price(_ column: UnsafePointer<Double>, _ index: Int) -> Lanes {
        lanes(column, index).atLeast(Domain.leastPrice)
    }
}

extension ModelTable {
    /// Prices and Greeks of `count` options; `count` is a multiple of 8.
    @inlinable @inline(__always)
    static func fullForm<L: GreekLevel, W: LaneWriter>(
        _ level: L.Type, _ writer: W.Type, _ input: FullFormColumns, _ count: Int, _ output: GreekColumns
    ) {
        forEachEight(Arithmetic.self, FullForm(input), from: 0, to: count) { greeks, index in
            store(level, writer, greeks, to: output, at: index)
        }
        W.finish()
    }
}
