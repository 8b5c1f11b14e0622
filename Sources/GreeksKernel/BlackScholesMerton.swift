import VectorMath

/// A lognormal underlying: the formulas of `Greek`.
public enum BlackScholesMerton: PricingModel {
    public static var name: String { "black-scholes-merton" }
    public static var summary: String { "a lognormal underlying" }
    public static var range: AcceptedRange { .lognormal }
    public static var greeks: GreekSet { .all }
    public static var inverse: ModelInverse { .ofLanes }

    @inlinable @inline(__always)
    public static func greeks<A: LaneArithmetic>(
        _ arithmetic: A.Type, _ input: FullFormColumns, at index: Int
    ) -> GreekLanes { fullForm(arithmetic, input, at: index) }
}

/// What `blackScholesMertonGreeks` reads of eight options: a value per lane, or one value of the slice in all lanes.
@usableFromInline
struct BlackScholesMertonTerms {
    /// 1/S.
    @usableFromInline var reciprocalSpot: Lanes
    /// a = S e^(−qT) and b = K e^(−rT).
    @usableFromInline var discountedSpot, discountedStrike: Lanes
    @usableFromInline var years, squareRootOfYears, reciprocalYears: Lanes
    /// S√T.
    @usableFromInline var spotRootYears: Lanes
    @usableFromInline var rate, dividend: Lanes
    /// σ√T and its reciprocal.
    @usableFromInline var deviation, reciprocalDeviation: Lanes
    /// ln(F/K).
    @usableFromInline var logForwardMoneyness: Lanes
    /// 0 for a call, 1 << 63 for a put.
    @usableFromInline var putSign: LaneBits

    @inlinable @inline(__always)
    init(
        reciprocalSpot: Lanes, discountedSpot: Lanes, discountedStrike: Lanes, years: Lanes,
        squareRootOfYears: Lanes, reciprocalYears: Lanes, spotRootYears: Lanes, rate: Lanes, dividend: Lanes,
        deviation: Lanes,
        reciprocalDeviation: Lanes, logForwardMoneyness: Lanes, putSign: LaneBits
    ) {
        self.reciprocalSpot = reciprocalSpot
        self.discountedSpot = discountedSpot
        self.discountedStrike = discountedStrike
        self.years = years
        self.squareRootOfYears = squareRootOfYears
        self.reciprocalYears = reciprocalYears
        self.spotRootYears = spotRootYears
        self.rate = rate
        self.dividend = dividend
        self.deviation = deviation
        self.reciprocalDeviation = reciprocalDeviation
        self.logForwardMoneyness = logForwardMoneyness
        self.putSign = putSign
    }
}

/// All Greeks of eight options from one exponential and one division.
///
/// With E = exp(−d1²/2) and M(x) = N(−x)/exp(−x²/2), both tails follow from the same product, since
/// b exp(−d2²/2) = a exp(−d1²/2): a N(−|d1|) = a E M(|d1|) and b N(−|d2|) = a E M(|d2|). The larger side
/// is the complement. No term is a difference of nearly equal cumulative probabilities except the
/// out-of-the-money price, whose cancellation is that of M(|d1|) − M(|d2|).
@_transparent @inlinable
func blackScholesMertonGreeks<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ t: BlackScholesMertonTerms
) -> GreekLanes {
    let half = Lanes(repeating: 0.5)
    let one = Lanes(repeating: 1)

    let halfDeviation = t.deviation * half
    let standardised = t.logForwardMoneyness * t.reciprocalDeviation
    let d1 = standardised + halfDeviation
    let d2 = standardised - halfDeviation

    let scale = t.discountedSpot * gaussian(arithmetic, d1)
    let (spotTail, strikeTail) = upperTails(arithmetic, d1.absolute, d2.absolute, scale: scale)

    // a N(w d1) and b N(w d2), each as base (0 or the whole) plus or minus the tail: plus where the sign of
    // w d1 (w d2) is negative. The sign bit decides both, so that −0 is consistent.
    let sign1 = d1.bits ^ t.putSign
    let sign2 = d2.bits ^ t.putSign
    let spotBase = t.discountedSpot.kept(where: .!isNegative(sign1))
    let strikeBase = t.discountedStrike.kept(where: .!isNegative(sign2))
    let spotRest = spotTail.flippingSign(~sign1 & signBit)
    let strikeRest = strikeTail.flippingSign(~sign2 & signBit)
    let spotPart = (spotBase + spotRest).flippingSign(t.putSign)
    let strikePart = (strikeBase + strikeRest).flippingSign(t.putSign)
    let price = ((spotBase - strikeBase) + (spotRest - strikeRest)).flippingSign(t.putSign).atLeast(0)

    // Density terms; those that are divided by σ√T vanish where it is 0.
    let spotDensity = scale * Lanes(repeating: reciprocalSquareRootOfTwoPi)
    let keptDensity = spotDensity.kept(where: t.deviation .> Lanes(repeating: Floor.deviation))
    let density = keptDensity * t.reciprocalSpot
    let densityOverDeviation = density * t.reciprocalDeviation
    let gamma = densityOverDeviation * t.reciprocalSpot
    let densityOverVolatility = densityOverDeviation * t.squareRootOfYears
    // Vanna is −n(d1) e^(−qT) d2/σ; volga is its negative times d1 S√T.
    let vannaNegated = densityOverVolatility * d2
    let volga = vannaNegated * d1 * t.spotRootYears
    let delta = spotPart * t.reciprocalSpot

    let halfReciprocalYears = half * t.reciprocalYears
    let decay = keptDensity * (t.deviation * halfReciprocalYears)
    let theta = A.multiplyAdd(t.dividend, spotPart, A.multiplyAdd(t.rate, strikePart, decay).negated)
    // ∂d1/∂T.
    let drift = A.multiplyAdd(t.rate - t.dividend, t.reciprocalDeviation, (d2 * halfReciprocalYears).negated)

    // Third order, from gamma and vega.
    let reciprocalVolatility = t.squareRootOfYears * t.reciprocalDeviation
    let product = d1 * d2
    let productLessOne = product - one
    let d1Drift = d1 * drift
    let keptVega = keptDensity * t.squareRootOfYears
    let squares = A.multiplyAdd(d1, d1, d2 * d2)

    var greeks = GreekLanes()
    greeks[.price] = price
    greeks[.delta] = delta
    greeks[.gamma] = gamma
    greeks[.vega] = spotDensity * t.squareRootOfYears
    greeks[.theta] = theta
    greeks[.rho] = t.years * strikePart
    greeks[.phi] = (t.years * spotPart).negated
    greeks[.vanna] = vannaNegated.negated
    greeks[.volga] = volga
    greeks[.charm] = A.multiplyAdd(t.dividend, delta, (density * drift).negated)
    greeks[.speed] = (gamma * t.reciprocalSpot * A.multiplyAdd(d1, t.reciprocalDeviation, one)).negated
    greeks[.zomma] = gamma * productLessOne * reciprocalVolatility
    greeks[.color] = gamma * (t.dividend + halfReciprocalYears + d1Drift)
    greeks[.veta] = keptVega * (t.dividend - halfReciprocalYears + d1Drift)
    greeks[.ultima] =
        keptVega * (reciprocalVolatility * reciprocalVolatility)
        * A.multiplyAdd(product, productLessOne, squares.negated)
    return greeks
}

/// The sign bit of every lane.
@inlinable @inline(__always) var signBit: LaneBits { LaneBits(repeating: 1 << 63) }

@inlinable @inline(__always)
func isNegative(_ bits: LaneBits) -> LaneMask {
    unsafeBitCast(bits, to: SIMD8<Int64>.self) .< SIMD8<Int64>.zero
}
