import GreeksKernel
import VectorMath

/// Eight volatilities being looked for.
@usableFromInline
struct VolatilitySearch {
    @usableFromInline let type: LaneBits
    @usableFromInline let spot, strike, years, rate, dividend: Lanes
    @usableFromInline let payoff, timeValue: Lanes
    @usableFromInline var volatility, low, high: Lanes
    /// The premium of the step before, and its volatility; NaN at first.
    @usableFromInline var lastVolatility, lastPremium: Lanes
    @usableFromInline var isMoving: LaneMask
    /// Statuses of lanes that do not move, and whether a bound of the bracket was ever moved.
    @usableFromInline var status: LaneBits
    @usableFromInline var hasLow, hasHigh: LaneMask

    @inlinable @inline(__always)
    init<A: LaneArithmetic>(_ arithmetic: A.Type, _ input: PriceColumns, at index: Int) {
        let zero = Lanes.zero
        let one = Lanes(repeating: 1)
        type = loaded(input.type, index)
        let price = loaded(input.price, index)
        let givenSpot = loaded(input.spot, index)
        let givenStrike = loaded(input.strike, index)
        let givenYears = loaded(input.years, index)
        let givenRate = loaded(input.rate, index)
        let givenDividend = loaded(input.dividend, index)
        let least = Lanes(repeating: Domain.leastPrice)
        let largest = Lanes(repeating: Domain.largestPrice)
        let exponent = Lanes(repeating: Domain.largestExponent)
        // Every comparison is false for NaN.
        let isNumber =
            (givenSpot .>= least) .& (givenSpot .<= largest) .& (givenStrike .>= least)
            .& (givenStrike .<= largest) .& (givenYears .>= zero)
            .& (givenYears .<= Lanes(repeating: Domain.largestYears)) .& (price .== price)
            .& ((givenRate * givenYears).absolute .<= exponent)
            .& ((givenDividend * givenYears).absolute .<= exponent)
            .& unsafeBitCast((type & ~1) .== 0, to: LaneMask.self)
        spot = one.replacing(with: givenSpot, where: isNumber)
        strike = one.replacing(with: givenStrike, where: isNumber)
        years = givenYears.kept(where: isNumber)
        rate = givenRate.kept(where: isNumber)
        dividend = givenDividend.kept(where: isNumber)
        let isPut = unsafeBitCast(type .== LaneBits(repeating: 1), to: LaneMask.self)
        payoff = (spot - strike).flippingSign(type &<< 63).atLeast(0)
        timeValue = price - payoff
        let earned = dividend.replacing(with: rate, where: isPut)
        let given = rate.replacing(with: dividend, where: isPut)
        let isExpired = years .== zero
        let isEuropean = (earned .<= zero) .& (given .>= earned)
        let isDouble = (earned .< zero) .& (given .< earned)

        // The bracket that `AmericanDomain` leaves.
        let root = A.squareRoot(one.replacing(with: years, where: years .> zero))
        let size = rate.absolute.larger(dividend.absolute)
        let leastDeviation = (size * years * Lanes(repeating: 1.0000001 / AmericanDomain.largestDrift))
            .atLeast(AmericanDomain.leastDeviation * 1.0000001)
        low = leastDeviation / root
        high = Lanes(repeating: AmericanDomain.largestDeviation * 0.9999999) / root
        let isOutside =
            ((size * years) .> Lanes(repeating: AmericanDomain.largestExponent)) .| (low .>= high)
        // Brenner and Subrahmanyam's volatility at the money.
        let guess = (price / spot) * Lanes(repeating: 2.5) / root
        volatility = low.larger(high.smaller(guess.atLeast(0x1p-10)).larger(high * Lanes(repeating: 0.02)))

        let bound = spot.replacing(with: strike, where: isPut)
        var status = LaneBits(repeating: 0).marked(
            AmericanVolatilityStatus.exercise.rawValue, where: timeValue .== zero)
        status = status.marked(
            AmericanVolatilityStatus.belowIntrinsic.rawValue,
            where: (timeValue .< zero) .| ((timeValue .== zero) .& (payoff .== zero)))
        status = status.marked(
            AmericanVolatilityStatus.aboveMaximum.rawValue, where: price .>= bound)
        status = status.marked(
            AmericanVolatilityStatus.outsideRange.rawValue, where: isOutside)
        status = status.marked(
            AmericanVolatilityStatus.doubleBoundary.rawValue, where: isDouble)
        status = status.marked(
            AmericanVolatilityStatus.european.rawValue, where: isEuropean)
        status = status.marked(
            AmericanVolatilityStatus.expired.rawValue, where: isExpired)
        status = status.marked(
            AmericanVolatilityStatus.notANumber.rawValue, where: .!isNumber)
        self.status = status
        isMoving = unsafeBitCast(status .== LaneBits(repeating: 0), to: LaneMask.self)
        (lastVolatility, lastPremium) = (Lanes(repeating: .nan), Lanes(repeating: .nan))
        (hasLow, hasHigh) = (LaneMask(repeating: false), LaneMask(repeating: false))
        low = one.replacing(with: low, where: isMoving)
        high = one.replacing(with: high, where: isMoving)
        volatility = one.replacing(with: volatility, where: isMoving)
    }

    @inlinable @inline(__always)
    func options<A: LaneArithmetic>(_ arithmetic: A.Type) -> AmericanLanes {
        AmericanLanes(
            arithmetic, type: type, spot: spot, strike: strike, years: years, volatility: volatility,
            rate: rate, dividend: dividend)
    }

    /// NaN where there is no volatility.
    @inlinable @inline(__always)
    var result: Lanes {
        Lanes(repeating: .nan).replacing(
            with: volatility, where: unsafeBitCast(status .== LaneBits(repeating: 0), to: LaneMask.self))
    }

    /// The next volatilities, from the prices at these.
    @inlinable @inline(__always)
    mutating func advance<A: LaneArithmetic>(
        _ arithmetic: A.Type, european: Lanes, vega: Lanes, premium: Lanes, halves: Bool
    ) {
        let zero = Lanes.zero
        let one = Lanes(repeating: 1)
        let value = european + premium - payoff
        let isLow = value .< timeValue
        let isHigh = value .> timeValue
        low = low.replacing(with: volatility, where: isMoving .& isLow)
        high = high.replacing(with: volatility, where: isMoving .& isHigh)
        hasLow = hasLow .| (isMoving .& isLow)
        hasHigh = hasHigh .| (isMoving .& isHigh)
        // Newton in ln(value), or by halves of the bracket where that leaves it.
        let hasValue = isMoving .& (value .> Lanes(repeating: 0x1p-900))
        let safeValue = one.replacing(with: value, where: hasValue)
        let safeTarget = one.replacing(
            with: timeValue, where: hasValue .& (timeValue .> Lanes(repeating: 0x1p-900)))
        let gap = logarithmOfRatio(arithmetic, safeTarget, safeValue)
        let secant = (premium - lastPremium) / (volatility - lastVolatility)
        let slope = vega + zero.replacing(with: secant, where: secant .> -0.9 * vega)
        let step = gap * safeValue / slope
        let newton = volatility + step
        let middle = A.squareRoot(low) * A.squareRoot(high)
        let isTried = LaneMask(repeating: !halves)
        let isInside = isTried .& hasValue .& (newton .> low) .& (newton .< high)
        let next = middle.replacing(with: newton, where: isInside)
        lastVolatility = volatility
        lastPremium = premium
        let isDone =
            (value .== timeValue) .| (isInside .& (step.absolute .<= volatility * Lanes(repeating: 0x1p-46)))
            .| ((high - low) .<= high * Lanes(repeating: 0x1p-50))
        volatility = volatility.replacing(with: next, where: isMoving .& .!(value .== timeValue))
        // A bracket that closed on its own end has no volatility inside.
        let isGone =
            isMoving .& isDone .& (value .!= timeValue) .& (.!hasLow .| .!hasHigh)
            .& ((high - low) .<= high * Lanes(repeating: 0x1p-40))
        status = status.marked(AmericanVolatilityStatus.outsideRange.rawValue, where: isGone)
        isMoving = isMoving .& .!isDone
    }
}
