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
    ) -> GreekLanes { blackScholesMertonGreeks(arithmetic, FullForm(input), at: index) }
}

/// Where eight options stand: all that is kept of them while their Mills ratios are computed.
@usableFromInline
struct StandardisedMoneyness {
    @usableFromInline var d1, d2: Lanes
    /// exp(−d1²/2).
    @usableFromInline var bell: Lanes
    /// 1/(σ√T).
    @usableFromInline var reciprocalDeviation: Lanes
    @usableFromInline var squareRootOfYears: Lanes
    /// e^(−qT) and e^(−rT).
    @usableFromInline var dividendFactor, discount: Lanes

    @inlinable @inline(__always)
    init(
        d1: Lanes, d2: Lanes, bell: Lanes, reciprocalDeviation: Lanes, squareRootOfYears: Lanes,
        dividendFactor: Lanes, discount: Lanes
    ) {
        self.d1 = d1
        self.d2 = d2
        self.bell = bell
        self.reciprocalDeviation = reciprocalDeviation
        self.squareRootOfYears = squareRootOfYears
        self.dividendFactor = dividendFactor
        self.discount = discount
    }
}

/// From ln(F/K), σ√T, its reciprocal, √T, e^(−qT) and e^(−rT).
@_transparent @inlinable
func standardisedMoneyness<A: LaneArithmetic>(
    _ arithmetic: A.Type, logForwardMoneyness: Lanes, deviation: Lanes, reciprocalDeviation: Lanes,
    squareRootOfYears: Lanes, dividendFactor: Lanes, discount: Lanes
) -> StandardisedMoneyness {
    let halfDeviation = deviation * Lanes(repeating: 0.5)
    let standardised = logForwardMoneyness * reciprocalDeviation
    let d1 = standardised + halfDeviation
    return StandardisedMoneyness(
        d1: d1, d2: standardised - halfDeviation, bell: gaussian(arithmetic, d1),
        reciprocalDeviation: reciprocalDeviation, squareRootOfYears: squareRootOfYears,
        dividendFactor: dividendFactor, discount: discount)
}

/// What `blackScholesMertonGreeks` reads of eight options beside their standardised moneyness: a value per lane, or one
/// value of the slice in all lanes.
@usableFromInline
struct BlackScholesMertonTerms {
    /// 1/S.
    @usableFromInline var reciprocalSpot: Lanes
    /// a = S e^(−qT) and b = K e^(−rT).
    @usableFromInline var discountedSpot, discountedStrike: Lanes
    @usableFromInline var years, reciprocalYears: Lanes
    /// S√T.
    @usableFromInline var spotRootYears: Lanes
    @usableFromInline var rate, dividend: Lanes
    /// σ√T.
    @usableFromInline var deviation: Lanes
    /// 0 for a call, 1 << 63 for a put.
    @usableFromInline var putSign: LaneBits

    @inlinable @inline(__always)
    init(
        reciprocalSpot: Lanes, discountedSpot: Lanes, discountedStrike: Lanes, years: Lanes,
        reciprocalYears: Lanes, spotRootYears: Lanes, rate: Lanes, dividend: Lanes, deviation: Lanes,
        putSign: LaneBits
    ) {
        self.reciprocalSpot = reciprocalSpot
        self.discountedSpot = discountedSpot
        self.discountedStrike = discountedStrike
        self.years = years
        self.reciprocalYears = reciprocalYears
        self.spotRootYears = spotRootYears
        self.rate = rate
        self.dividend = dividend
        self.deviation = deviation
        self.putSign = putSign
    }
}

/// A form: columns of options and what they share, as the formula reads them, eight at a time. It is read twice, before
/// and after the Mills ratios: what is read again, or computed again from what was read, need not stay in a register.
@usableFromInline
protocol OptionForm {
    /// What is added to an index for the next eight lanes.
    static var step: Int { get }
    /// Whether two eights are worked on at once where registers are many. Not where sums are in registers, too.
    static var isPaired: Bool { get }
    func moneyness<A: LaneArithmetic>(_ arithmetic: A.Type, at index: Int) -> StandardisedMoneyness
    func terms<A: LaneArithmetic>(
        _ arithmetic: A.Type, _ moneyness: StandardisedMoneyness, at index: Int
    ) -> BlackScholesMertonTerms
}

/// The Greeks of options `index` to `index + 7`.
@_transparent @inlinable
func blackScholesMertonGreeks<A: LaneArithmetic, F: OptionForm>(
    _ arithmetic: A.Type, _ form: F, at index: Int
) -> GreekLanes {
    let moneyness = form.moneyness(arithmetic, at: index)
    let mills = millsFractions(arithmetic, moneyness.d1.absolute, moneyness.d2.absolute)
    return blackScholesMertonGreeks(
        arithmetic, form.terms(arithmetic, moneyness, at: index), moneyness, mills)
}

/// Calls `body` with the Greeks of options `start` to `end` − 1, eight lanes at a time.
///
/// With registers enough, two eights in lockstep where it counts: the Mills ratios of one are four chains of dependent
/// multiply-adds, which leave two multiply-adders of four steps each half idle.
@_transparent @inlinable
func forEachEight<A: LaneArithmetic, F: OptionForm>(
    _ arithmetic: A.Type, _ form: F, from start: Int, to end: Int, _ body: (GreekLanes, Int) -> Void
) {
    var index = start
    while A.hasManyRegisters && F.isPaired && index &+ F.step < end {
        let next = index &+ F.step
        let first = form.moneyness(arithmetic, at: index)
        let second = form.moneyness(arithmetic, at: next)
        let mills = millsFractions(
            arithmetic, first.d1.absolute, first.d2.absolute, second.d1.absolute, second.d2.absolute)
        A.forgetMemory()
        let termsOfFirst = form.terms(arithmetic, first, at: index)
        body(blackScholesMertonGreeks(arithmetic, termsOfFirst, first, mills.0), index)
        A.forgetMemory()
        let termsOfSecond = form.terms(arithmetic, second, at: next)
        body(blackScholesMertonGreeks(arithmetic, termsOfSecond, second, mills.1), next)
        index = next &+ F.step
    }
    while index < end {
        body(blackScholesMertonGreeks(arithmetic, form, at: index), index)
        index &+= F.step
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
    _ arithmetic: A.Type, _ t: BlackScholesMertonTerms, _ m: StandardisedMoneyness, _ mills: MillsFractions
) -> GreekLanes {
    let half = Lanes(repeating: 0.5)
    let one = Lanes(repeating: 1)
    let (d1, d2) = (m.d1, m.d2)

    let scale = t.discountedSpot * m.bell
    let (spotTail, strikeTail) = upperTails(mills, scale: scale)

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
    let densityOverDeviation = density * m.reciprocalDeviation
    let gamma = densityOverDeviation * t.reciprocalSpot
    let densityOverVolatility = densityOverDeviation * m.squareRootOfYears
    // Vanna is −n(d1) e^(−qT) d2/σ; volga is its negative times d1 S√T.
    let vannaNegated = densityOverVolatility * d2
    let volga = vannaNegated * d1 * t.spotRootYears
    let delta = spotPart * t.reciprocalSpot

    let halfReciprocalYears = half * t.reciprocalYears
    let decay = keptDensity * (t.deviation * halfReciprocalYears)
    let theta = A.multiplyAdd(t.dividend, spotPart, A.multiplyAdd(t.rate, strikePart, decay).negated)
    // ∂d1/∂T.
    let drift = A.multiplyAdd(t.rate - t.dividend, m.reciprocalDeviation, (d2 * halfReciprocalYears).negated)

    // Third order, from gamma and vega.
    let reciprocalVolatility = m.squareRootOfYears * m.reciprocalDeviation
    let product = d1 * d2
    let productLessOne = product - one
    let d1Drift = d1 * drift
    let keptVega = keptDensity * m.squareRootOfYears
    let squares = A.multiplyAdd(d1, d1, d2 * d2)

    var greeks = GreekLanes()
    greeks[.price] = price
    greeks[.delta] = delta
    greeks[.gamma] = gamma
    greeks[.vega] = spotDensity * m.squareRootOfYears
    greeks[.theta] = theta
    greeks[.rho] = t.years * strikePart
    greeks[.phi] = (t.years * spotPart).negated
    greeks[.vanna] = vannaNegated.negated
    greeks[.volga] = volga
    greeks[.charm] = A.multiplyAdd(t.dividend, delta, (density * drift).negated)
    greeks[.speed] = (gamma * t.reciprocalSpot * A.multiplyAdd(d1, m.reciprocalDeviation, one)).negated
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
