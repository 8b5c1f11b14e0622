import VectorMath

/// Inputs shared by the options of one expiry at one step of a simulation, the same on every path.
public struct PathExpiry: Sendable {
    /// T and √T, 1/T (bounded for T = 0), e^(−rT), e^(−qT), (r − q)T, r, q.
    public var years, squareRootOfYears, reciprocalYears: Double
    public var discount, dividendDiscount, carry, rate, dividend: Double
    /// Change of this expiry's volatilities for a change of `PathMarket.level` by 1.
    public var levelShare: Double

    @inlinable
    public init(
        years: Double, squareRootOfYears: Double, reciprocalYears: Double, discount: Double,
        dividendDiscount: Double, carry: Double, rate: Double, dividend: Double, levelShare: Double
    ) {
        self.years = years
        self.squareRootOfYears = squareRootOfYears
        self.reciprocalYears = reciprocalYears
        self.discount = discount
        self.dividendDiscount = dividendDiscount
        self.carry = carry
        self.rate = rate
        self.dividend = dividend
        self.levelShare = levelShare
    }
}

/// An option that eight paths value at once: the same contract, eight markets.
public struct PathOption: Sendable {
    /// K, and ln K as an unevaluated sum (from `logarithms`).
    public var strike, logStrikeHigh, logStrikeLow: Double
    /// 0 for a call, 1 << 63 for a put.
    public var putSign: UInt64
    /// Its volatility at level and shift 0, and what a shift of 1 adds (see `PathMarket`).
    public var volatility, slope: Double
    /// Contracts, long above 0.
    public var quantity: Double

    @inlinable
    public init(
        strike: Double, logStrikeHigh: Double, logStrikeLow: Double, isPut: Bool, volatility: Double,
        slope: Double, quantity: Double
    ) {
        self.strike = strike
        self.logStrikeHigh = logStrikeHigh
        self.logStrikeLow = logStrikeLow
        putSign = isPut ? 1 << 63 : 0
        self.volatility = volatility
        self.slope = slope
        self.quantity = quantity
    }
}

/// Eight markets at one step: an option's volatility is that of the option, + `level` times the share of its expiry,
/// + `logSpotShift` times its slope, all times `scale`, and at least `leastVolatility`.
public struct PathMarket: BitwiseCopyable, Sendable {
    public var spot, level, logSpotShift, scale: Lanes

    @inlinable
    public init(spot: Lanes, level: Lanes, logSpotShift: Lanes, scale: Lanes = Lanes(repeating: 1)) {
        self.spot = spot
        self.level = level
        self.logSpotShift = logSpotShift
        self.scale = scale
    }
}

/// A book on eight paths at one step: sums over its options by quantity.
public struct PathSums: BitwiseCopyable, Sendable {
    public var price, delta, gamma, vega, theta: Lanes
    /// ½ΓS²σ², each option by its own volatility: what the market charges per year for the gamma, so that
    /// theta + gammaRent is what interest makes of it.
    public var gammaRent: Lanes
    /// Vega times the share of its expiry, and times its slope: ∂V/∂level and ∂V/∂logSpotShift.
    public var levelVega, shiftVega: Lanes

    /// All 0.
    @inlinable
    public init() {
        (price, delta, gamma, vega, theta) = (.zero, .zero, .zero, .zero, .zero)
        (gammaRent, levelVega, shiftVega) = (.zero, .zero, .zero)
    }

    /// Takes another's sums over in some lanes.
    @inlinable
    public mutating func replace(with other: PathSums, where mask: LaneMask) {
        price.replace(with: other.price, where: mask)
        delta.replace(with: other.delta, where: mask)
        gamma.replace(with: other.gamma, where: mask)
        vega.replace(with: other.vega, where: mask)
        theta.replace(with: other.theta, where: mask)
        gammaRent.replace(with: other.gammaRent, where: mask)
        levelVega.replace(with: other.levelVega, where: mask)
        shiftVega.replace(with: other.shiftVega, where: mask)
    }
}

/// The least volatility that a simulated option is valued at.
@inlinable @inline(__always) public var leastVolatility: Double { 0x1p-10 }

extension KernelTable {
    @inlinable @inline(never)
    public static func pathSums(
        _ markets: UnsafePointer<PathMarket>, steps: Int,
        _ expiries: UnsafePointer<PathExpiry>, offsets: UnsafePointer<Int>, expiryCount: Int,
        live: UnsafePointer<Int>, _ options: UnsafePointer<PathOption>,
        into sums: UnsafeMutablePointer<PathSums>
    ) {
        var step = 0
        while step < steps {
            let market = markets + step
            let spot = market.pointee.spot.atLeast(Domain.leastPrice)
            let reciprocalSpot = Lanes(repeating: 1) / spot
            let (logHigh, logLow) = logarithmInTwoParts(Arithmetic.self, spot)
            let halfSquare = spot * spot * Lanes(repeating: 0.5)
            // Sums over the expiries; a block of zeros in memory would be a call.
            var stepPrice = Lanes.zero
            var stepDelta = Lanes.zero
            var stepGamma = Lanes.zero
            var stepVega = Lanes.zero
            var stepTheta = Lanes.zero
            var stepRent = Lanes.zero
            var stepLevelVega = Lanes.zero
            var stepShiftVega = Lanes.zero
            var number = live[step]
            while number < expiryCount {
                let expiry = expiries + (step &* expiryCount &+ number)
                // ln F = ln S + (r − q)T, the sum's rounding error kept.
                let carry = Lanes(repeating: expiry.pointee.carry)
                let forwardHigh = logHigh + carry
                let forwardLow = logLow + roundingErrorOfSum(logHigh, carry, forwardHigh)
                let form = PathForm(
                    market: market, expiry: expiry, options: options, spot: spot,
                    reciprocalSpot: reciprocalSpot, forwardHigh: forwardHigh, forwardLow: forwardLow,
                    shift: market.pointee.level * Lanes(repeating: expiry.pointee.levelShare))
                var price = Lanes.zero
                var delta = Lanes.zero
                var gamma = Lanes.zero
                var vega = Lanes.zero
                var theta = Lanes.zero
                var variance = Lanes.zero
                var shiftVega = Lanes.zero
                forEachEight(
                    Arithmetic.self, form, from: offsets[number], to: offsets[number &+ 1]
                ) { greeks, index in
                    let volatility = form.volatility(Arithmetic.self, at: index)
                    let quantity = Lanes(repeating: options[index].quantity)
                    let ownGamma = quantity * greeks[.gamma]
                    let ownVega = quantity * greeks[.vega]
                    price = Arithmetic.multiplyAdd(quantity, greeks[.price], price)
                    delta = Arithmetic.multiplyAdd(quantity, greeks[.delta], delta)
                    gamma = gamma + ownGamma
                    vega = vega + ownVega
                    theta = Arithmetic.multiplyAdd(quantity, greeks[.theta], theta)
                    variance = Arithmetic.multiplyAdd(ownGamma, volatility * volatility, variance)
                    shiftVega = Arithmetic.multiplyAdd(
                        Lanes(repeating: options[index].slope), ownVega, shiftVega)
                }
                stepPrice = stepPrice + price
                stepDelta = stepDelta + delta
                stepGamma = stepGamma + gamma
                stepVega = stepVega + vega
                stepTheta = stepTheta + theta
                stepRent = Arithmetic.multiplyAdd(halfSquare, variance, stepRent)
                stepLevelVega = Arithmetic.multiplyAdd(
                    vega, Lanes(repeating: expiry.pointee.levelShare), stepLevelVega)
                stepShiftVega = stepShiftVega + shiftVega
                number &+= 1
            }
            let sum = sums + step
            sum.pointee.price = stepPrice
            sum.pointee.delta = stepDelta
            sum.pointee.gamma = stepGamma
            sum.pointee.vega = stepVega
            sum.pointee.theta = stepTheta
            sum.pointee.gammaRent = stepRent
            sum.pointee.levelVega = stepLevelVega
            sum.pointee.shiftVega = stepShiftVega
            step &+= 1
        }
    }
}

/// The options of one expiry on eight paths: one option a step.
@usableFromInline
struct PathForm: OptionForm {
    @usableFromInline let market: UnsafePointer<PathMarket>
    @usableFromInline let expiry: UnsafePointer<PathExpiry>
    @usableFromInline let options: UnsafePointer<PathOption>
    @usableFromInline let spot, reciprocalSpot: Lanes
    /// ln F in two parts.
    @usableFromInline let forwardHigh, forwardLow: Lanes
    /// What the market's level adds to volatilities.
    @usableFromInline let shift: Lanes

    @inlinable @inline(__always)
    init(
        market: UnsafePointer<PathMarket>, expiry: UnsafePointer<PathExpiry>,
        options: UnsafePointer<PathOption>, spot: Lanes, reciprocalSpot: Lanes, forwardHigh: Lanes,
        forwardLow: Lanes, shift: Lanes
    ) {
        self.market = market
        self.expiry = expiry
        self.options = options
        self.spot = spot
        self.reciprocalSpot = reciprocalSpot
        self.forwardHigh = forwardHigh
        self.forwardLow = forwardLow
        self.shift = shift
    }

    @_transparent @inlinable static var step: Int { 1 }
    @_transparent @inlinable static var isPaired: Bool { false }

    @_transparent @inlinable
    func volatility<A: LaneArithmetic>(_ arithmetic: A.Type, at index: Int) -> Lanes {
        let ownVolatility = A.multiplyAdd(
            Lanes(repeating: options[index].slope), market.pointee.logSpotShift,
            Lanes(repeating: options[index].volatility) + shift)
        return (ownVolatility * market.pointee.scale).atLeast(leastVolatility)
    }

    @_transparent @inlinable
    func deviation<A: LaneArithmetic>(_ arithmetic: A.Type, at index: Int) -> Lanes {
        (volatility(arithmetic, at: index) * Lanes(repeating: expiry.pointee.squareRootOfYears))
            .atLeast(Floor.deviation)
    }

    @_transparent @inlinable
    func moneyness<A: LaneArithmetic>(_ arithmetic: A.Type, at index: Int) -> StandardisedMoneyness {
        let deviation = deviation(arithmetic, at: index)
        return standardisedMoneyness(
            arithmetic,
            logForwardMoneyness: (forwardHigh - Lanes(repeating: options[index].logStrikeHigh))
                + (forwardLow - Lanes(repeating: options[index].logStrikeLow)),
            deviation: deviation, reciprocalDeviation: Lanes(repeating: 1) / deviation,
            squareRootOfYears: Lanes(repeating: expiry.pointee.squareRootOfYears),
            dividendFactor: Lanes(repeating: expiry.pointee.dividendDiscount),
            discount: Lanes(repeating: expiry.pointee.discount))
    }

    @_transparent @inlinable
    func terms<A: LaneArithmetic>(
        _ arithmetic: A.Type, _ moneyness: StandardisedMoneyness, at index: Int
    ) -> BlackScholesMertonTerms {
        BlackScholesMertonTerms(
            reciprocalSpot: reciprocalSpot,
            discountedSpot: spot * Lanes(repeating: expiry.pointee.dividendDiscount),
            discountedStrike: Lanes(repeating: options[index].strike * expiry.pointee.discount),
            years: Lanes(repeating: expiry.pointee.years),
            reciprocalYears: Lanes(repeating: expiry.pointee.reciprocalYears),
            spotRootYears: spot * Lanes(repeating: expiry.pointee.squareRootOfYears),
            rate: Lanes(repeating: expiry.pointee.rate), dividend: Lanes(repeating: expiry.pointee.dividend),
            deviation: deviation(arithmetic, at: index),
            putSign: LaneBits(repeating: options[index].putSign))
    }
}
