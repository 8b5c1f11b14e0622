import VectorMath

/// Whether a price has an implied volatility.
public enum VolatilityStatus: UInt8, Sendable, CaseIterable {
    case ok = 0
    /// The price is below what exercise at the forward is worth, or below 0.
    case belowIntrinsic
    /// The price is at least what the option could ever be worth: the discounted spot of a call, the
    /// discounted strike of a put; or larger than `Domain` allows, infinite too; or its volatility would be.
    case aboveMaximum
    /// An input is not a number, another than the price is infinite, negative or outside `Domain`, or the type is
    /// neither call nor put.
    case notANumber
    /// No time is left, so that no volatility moves the price.
    case expired
    /// Two volatilities give the price, as of a digital that is out of the money.
    case two
}

/// Inputs of implied volatilities: columns as in `FullFormColumns`, with the price in place of
/// the volatility.
@unsafe public struct PriceColumns {
    /// 0 for a call, 1 for a put.
    public var type: UnsafePointer<UInt8>
    public var spot, strike, years, price, rate, dividend: UnsafePointer<Double>

    @inlinable
    public init(
        type: UnsafePointer<UInt8>, spot: UnsafePointer<Double>, strike: UnsafePointer<Double>,
        years: UnsafePointer<Double>, price: UnsafePointer<Double>, rate: UnsafePointer<Double>,
        dividend: UnsafePointer<Double>
    ) {
        self.type = type
        self.spot = spot
        self.strike = strike
        self.years = years
        self.price = price
        self.rate = rate
        self.dividend = dividend
    }
}

extension KernelTable {
    @inlinable @inline(never)
    public static func impliedVolatilities(
        _ input: PriceColumns, count: Int, volatility: UnsafeMutablePointer<Double>,
        status: UnsafeMutablePointer<UInt8>
    ) {
        // A temporary of up to 1,024 bytes is on the stack.
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 96) { scratch in
            let distances = scratch.baseAddress.unsafelyUnwrapped
            let prices = distances + 32
            let rooms = prices + 32
            var index = 0
            while index < count {
                let chunk = count &- index < 32 ? count &- index : 32
                var lane = 0
                while lane < chunk {
                    let problem = volatilityProblem(Arithmetic.self, input, at: index &+ lane)
                    store(problem.distance, to: distances, at: lane)
                    store(problem.price, to: prices, at: lane)
                    store(problem.room, to: rooms, at: lane)
                    store(problem.squareRootOfYears, to: volatility, at: index &+ lane)
                    UnsafeMutableRawPointer(status + index + lane).storeBytes(
                        of: SIMD8<UInt8>(truncatingIfNeeded: problem.status), as: SIMD8<UInt8>.self)
                    lane &+= 8
                }
                lane = 0
                while lane < chunk {
                    let guess = firstGuess(
                        Arithmetic.self, lanes(distances, lane), price: lanes(prices, lane),
                        room: lanes(rooms, lane))
                    store(guess.signedDeviation, to: prices, at: lane)
                    store(guess.signedTarget, to: rooms, at: lane)
                    lane &+= 8
                }
                // Two steps or so; a negative distance marks what is done.
                var step = 0
                var isMoving = true
                while isMoving && step < 6 {
                    isMoving = false
                    lane = 0
                    while lane < chunk {
                        let distance = lanes(distances, lane)
                        let isDone = isNegative(distance.bits)
                        let deviation = lanes(prices, lane)
                        let (next, isConverged) = householderStep(
                            Arithmetic.self, distance.absolute, signedDeviation: deviation,
                            signedTarget: lanes(rooms, lane))
                        // What is done stays: an option's result does not depend on its neighbours.
                        store(next.replacing(with: deviation, where: isDone), to: prices, at: lane)
                        let nowDone = isDone .| isConverged
                        store(
                            distance.absolute.replacing(with: distance.absolute.negated, where: nowDone),
                            to: distances, at: lane)
                        isMoving = Arithmetic.any(.!nowDone) || isMoving
                        lane &+= 8
                    }
                    step &+= 1
                }
                lane = 0
                while lane < chunk {
                    let root = lanes(UnsafePointer(volatility), index &+ lane)
                    let result = lanes(prices, lane).absolute / root
                    store(result, to: volatility, at: index &+ lane)
                    // What no formula accepts is no answer.
                    let isTooLarge = result .> Lanes(repeating: Domain.largestVolatility)
                    if Arithmetic.any(isTooLarge) {
                        store(
                            result.replacing(with: Lanes(repeating: .nan), where: isTooLarge), to: volatility,
                            at: index &+ lane)
                        // Their status was ok, which is 0.
                        var above = LaneBits.zero
                        above.replace(
                            with: LaneBits(repeating: UInt64(VolatilityStatus.aboveMaximum.rawValue)),
                            where: isTooLarge)
                        let statuses = UnsafeMutableRawPointer(status + index + lane)
                        statuses.storeBytes(
                            of: statuses.loadUnaligned(as: SIMD8<UInt8>.self)
                                | SIMD8<UInt8>(truncatingIfNeeded: above), as: SIMD8<UInt8>.self)
                    }
                    lane &+= 8
                }
                index &+= 32
            }
        }
    }
}

/// Eight options reduced to what the solver needs.
@usableFromInline
struct VolatilityProblem {
    /// x, b and the room above b, as `firstGuess` takes them; something harmless where there is no solution.
    @usableFromInline var distance, price, room: Lanes
    /// The divisor of σ√T: √T, infinity where the volatility is 0, NaN where there is none.
    @usableFromInline var squareRootOfYears: Lanes
    @usableFromInline var status: LaneBits

    @inlinable @inline(__always)
    init(distance: Lanes, price: Lanes, room: Lanes, squareRootOfYears: Lanes, status: LaneBits) {
        self.distance = distance
        self.price = price
        self.room = room
        self.squareRootOfYears = squareRootOfYears
        self.status = status
    }
}

/// Checks and reduces options `index` to `index + 7`.
@_transparent @inlinable
func volatilityProblem<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ input: PriceColumns, at index: Int
) -> VolatilityProblem {
    let spot = lanes(input.spot, index)
    let strike = lanes(input.strike, index)
    let years = lanes(input.years, index)
    let price = lanes(input.price, index)
    let rate = lanes(input.rate, index)
    let dividend = lanes(input.dividend, index)
    let type = types(input.type, index)
    let putSign = type &<< 63

    // Every comparison is false for NaN.
    let largest = Lanes(repeating: Domain.largestPrice)
    let exponent = Lanes(repeating: Domain.largestExponent)
    let largestRate = Lanes(repeating: Domain.largestRate)
    let isNumber =
        (spot .>= Lanes(repeating: Domain.leastPrice)) .& (spot .<= largest)
        .& (strike .>= Lanes(repeating: Domain.leastPrice)) .& (strike .<= largest)
        .& (years .>= Lanes.zero) .& (years .<= Lanes(repeating: Domain.largestYears))
        .& (price .== price)
        .& (rate.absolute .<= largestRate) .& ((rate * years).absolute .<= exponent)
        .& (dividend.absolute .<= largestRate) .& ((dividend * years).absolute .<= exponent)
        .& ((type & ~1) .== 0)

    let (dividendFactor, discount) = exponentials(
        arithmetic, (dividend * years).negated.kept(where: isNumber),
        (rate * years).negated.kept(where: isNumber))
    let one = Lanes(repeating: 1)
    let discountedSpot = one.replacing(with: spot * dividendFactor, where: isNumber)
    let discountedStrike = one.replacing(with: strike * discount, where: isNumber)

    // V less what exercise at the forward is worth, and what V lacks to its maximum.
    // Near the money the difference of the discounted prices has lost the digits that the logarithm has.
    let logForwardMoneyness = preciseLogForwardMoneyness(
        arithmetic, one.replacing(with: spot, where: isNumber), one.replacing(with: strike, where: isNumber),
        years.kept(where: isNumber), rate.kept(where: isNumber), dividend.kept(where: isNumber))
    let isNear = logForwardMoneyness.absolute .< Lanes(repeating: 0.34)
    let nearDifference =
        discountedStrike
        * smallExponentialLessOne(arithmetic, logForwardMoneyness.kept(where: isNear))
    let forwardValue = (discountedSpot - discountedStrike).replacing(with: nearDifference, where: isNear)
        .flippingSign(putSign)
    let timeValue = price - forwardValue.atLeast(0)
    let bound = discountedSpot.replacing(with: discountedStrike, where: isNegative(putSign))
    let room = bound - price
    // The rounding of the discounted prices, which a price of just the intrinsic value may fall short by.
    let larger = discountedSpot.replacing(with: discountedStrike, where: discountedStrike .> discountedSpot)
    let isBelow = (timeValue .< larger * Lanes(repeating: -0x1p-50)) .| (price .< Lanes.zero)
    let isAbove = .!((room .> Lanes.zero) .& (price .<= largest))
    let hasTime = years .> Lanes.zero
    let isSolvable = isNumber .& hasTime .& .!isBelow .& .!isAbove
    // Nothing but the intrinsic value, to the last digit: no volatility.
    let hasTimeValue = timeValue .>= larger * Lanes(repeating: leastTimeValue)

    // What is not to be solved is replaced by something harmless.
    let isSolved = isSolvable .& hasTimeValue
    let reciprocalScale = one / A.squareRoot(discountedSpot * discountedStrike)
    var status = LaneBits.zero
    status.replace(with: LaneBits(repeating: UInt64(VolatilityStatus.aboveMaximum.rawValue)), where: isAbove)
    status.replace(
        with: LaneBits(repeating: UInt64(VolatilityStatus.belowIntrinsic.rawValue)), where: isBelow)
    status.replace(with: LaneBits(repeating: UInt64(VolatilityStatus.expired.rawValue)), where: .!hasTime)
    status.replace(with: LaneBits(repeating: UInt64(VolatilityStatus.notANumber.rawValue)), where: .!isNumber)
    let root = Lanes(repeating: .infinity).replacing(with: A.squareRoot(years), where: isSolved)
    return VolatilityProblem(
        distance: logForwardMoneyness.absolute.kept(where: isSolved),
        price: Lanes(repeating: 0.25).replacing(with: timeValue * reciprocalScale, where: isSolved),
        room: Lanes(repeating: 0.75).replacing(with: room * reciprocalScale, where: isSolved),
        squareRootOfYears: Lanes(repeating: .nan).replacing(with: root, where: isSolvable), status: status)
}

/// ln(S/K) + (r − q)T, in twice the precision where the two all but cancel.
@_transparent @inlinable
func preciseLogForwardMoneyness<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ spot: Lanes, _ strike: Lanes, _ years: Lanes, _ rate: Lanes, _ dividend: Lanes
) -> Lanes {
    let difference = rate - dividend
    let carry = difference * years
    let plain = logarithmOfRatio(arithmetic, spot, strike) + carry
    let cancels = plain.absolute * Lanes(repeating: 16) .< carry.absolute
    guard A.any(cancels) else { return plain }
    let (spotHigh, spotLow) = logarithmInTwoParts(arithmetic, spot)
    let (strikeHigh, strikeLow) = logarithmInTwoParts(arithmetic, strike)
    let ratio = spotHigh - strikeHigh
    let sum = ratio + carry
    let carryLow =
        A.productError(difference, years, carry)
        + roundingErrorOfSum(rate, dividend.negated, difference) * years
    let low =
        (roundingErrorOfSum(spotHigh, strikeHigh.negated, ratio) + (spotLow - strikeLow))
        + (carryLow + roundingErrorOfSum(ratio, carry, sum))
    return plain.replacing(with: sum + low, where: cancels)
}

/// A first guess of the σ√T of an out-of-the-money option, and which part of the curve it is on.
///
/// All in units of the square root of the product of discounted spot and strike, where the price is a
/// function of x = |ln(F/K)| and s = σ√T alone: with h = x/s, t = s/2, E = exp(−(h² + t²)/2) and
/// M(y) = N(−y)/exp(−y²/2),
///
///     b = E (M(h − t) − M(h + t)),   e^(−x/2) − b = E (M(t − h) + M(t + h)),   ∂b/∂s = E/√(2π).
///
/// Three parts: lower, below the inflection s² = 2x; upper, above half of the maximum e^(−x/2), where what is
/// solved for is the room above the price; and the middle.
///
/// - Parameters:
///   - x: |ln(F/K)|.
///   - price: b, at least 2⁻¹⁰²⁰.
///   - room: e^(−x/2) − b, above 0.
/// - Returns: s, negative on the lower part, and what to solve for, negative on the upper one. s is within 8%
///   (70% far above), so that two of Householder's steps are enough for nearly all.
@_transparent @inlinable
func firstGuess<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ x: Lanes, price: Lanes, room: Lanes
) -> (signedDeviation: Lanes, signedTarget: Lanes) {
    let one = Lanes(repeating: 1)
    let half = Lanes(repeating: 0.5)
    let density = Lanes(repeating: reciprocalSquareRootOfTwoPi)

    // At the inflection s² = 2x, where h = t.
    let inflection = A.squareRoot(x + x)
    let (tail, _) = upperTails(arithmetic, inflection, inflection, scale: one)
    let maximum = price + room
    let priceAtInflection = maximum * (half - tail)
    let isLower = price .< priceAtInflection
    let isUpper = .!isLower .& (price .> half * maximum)

    // Upper: the exponents matched exactly, M(t − h) + M(t + h) as at the inflection.
    let target = price.replacing(with: room, where: isUpper)
    let quotient = logarithmOfRatio(
        arithmetic,
        one.replacing(with: half + tail, where: isUpper).replacing(with: x * density, where: isLower),
        target)
    let upperGuess =
        A.squareRoot(
            (quotient + A.squareRoot((quotient * quotient - x * x * Lanes(repeating: 0.25)).atLeast(0)))
                .atLeast(0)) * Lanes(repeating: 2)
    let lowerGuess =
        x
        / lowerDistance(
            arithmetic, quotient, one.replacing(with: x, where: isLower), target, inflection * half)
    // In between, and next to the inflection, the tangent there.
    let tangent = inflection + (price - priceAtInflection) / (density * maximum)
    let isFarBelow = isLower .& (price .< priceAtInflection * Lanes(repeating: 0.3))
    let s = tangent.replacing(with: upperGuess, where: isUpper).replacing(with: lowerGuess, where: isFarBelow)
    return (
        s.flippingSign(LaneBits.zero.replacing(with: signBit, where: isLower)),
        target.flippingSign(LaneBits.zero.replacing(with: signBit, where: isUpper))
    )
}

/// One step of Householder's iteration of third order (Jäckel, Let's be rational, 2015) on ln b, or on the
/// logarithm of the room on the upper part. E drops out of both b and its derivative, so that a step needs
/// two Mills ratios and one logarithm.
/// - Returns: the next signed deviation, and where it moved so little that the error left, of the fourth
///   order of the step (3 times it on the lower part, a 16th elsewhere), is below the rounding.
@_transparent @inlinable
func householderStep<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ x: Lanes, signedDeviation: Lanes, signedTarget: Lanes
) -> (Lanes, LaneMask) {
    let one = Lanes(repeating: 1)
    let half = Lanes(repeating: 0.5)
    let density = Lanes(repeating: reciprocalSquareRootOfTwoPi)
    let reciprocalDensity = Lanes(repeating: 2.5066282746310005)
    let isLower = isNegative(signedDeviation.bits)
    let isUpper = isNegative(signedTarget.bits)
    let slopeSign = signedTarget.bits & signBit
    let s = signedDeviation.absolute
    let target = signedTarget.absolute
    let inflection = A.squareRoot(x + x)

    let reciprocal = one / s
    let h = x / s
    let t = s * half
    let (near, far) = upperTails(arithmetic, (h - t).absolute, h + t, scale: one)
    // b/E, or the room over E.
    var scaled = (near + far).replacing(with: near - far, where: isLower)
    let isMiddle = .!(isLower .| isUpper)
    if A.any(isMiddle) {
        let below = exponential(arithmetic, ((h - t) * (h - t) * half).atMost(700))
        scaled.replace(with: below - (near + far), where: isMiddle)
    }
    let isSmall = (t .<= Lanes(repeating: 1.0 / 16)) .& .!isUpper
    if A.any(isSmall) {
        scaled.replace(with: smallMillsDifference(arithmetic, h, t.atMost(1.0 / 16)), where: isSmall)
    }
    let squares = A.multiplyAdd(h, h, t * t)
    let error = A.multiplyAdd(squares, half.negated, logarithmOfRatio(arithmetic, scaled, target))
    // ∂ ln/∂s and the ratios of the second and third derivative of the price to the first.
    let slope = (density / scaled).flippingSign(slopeSign)
    let second = A.multiplyAdd(h, h, (t * t).negated) * reciprocal
    let third = A.multiplyAdd(
        second, second,
        A.multiplyAdd(Lanes(repeating: -3) * h * h, reciprocal * reciprocal, Lanes(repeating: -0.25)))
    let newton = (error * scaled * reciprocalDensity).flippingSign(slopeSign ^ signBit)
    let curvature = second - slope
    let bend = A.multiplyAdd(
        slope, A.multiplyAdd(slope, Lanes(repeating: 2), second * Lanes(repeating: -3)), third)
    let numerator = A.multiplyAdd(curvature * newton, half, one)
    let denominator = A.multiplyAdd(
        newton, A.multiplyAdd(bend * newton, Lanes(repeating: 1.0 / 6), curvature), one)
    let step = newton * (numerator / denominator)

    // Each part keeps its side of the inflection.
    let next = s + step
    let least = inflection.replacing(with: s * Lanes(repeating: 0.25), where: isLower)
    let most = Lanes(repeating: 0x1p60).replacing(with: inflection, where: isLower)
    let raised = least.replacing(with: next, where: next .> least)
    let kept = most.replacing(with: raised, where: raised .< most)
    let moved = (kept - s).absolute
    let small = Lanes(repeating: 0x1p-12).replacing(with: Lanes(repeating: 0x1p-13), where: isLower)
    return (kept.flippingSign(signedDeviation.bits & signBit), moved .<= s * small)
}

/// A guess of h = x/s below the inflection, where h is at least `least`.
///
/// With M(h − t) − M(h + t) as 2t/(√(2π)(1 + 1.2533h + h²)), which has the right limits for small and large
/// h, b is a function of h alone but for t = x/(2h): ln(h (1 + 1.2533h + h²)) + h²/2 + t²/2 =
/// `logarithm` = ln(x/(√(2π) b)), solved by two of Newton's steps.
@_transparent @inlinable
func lowerDistance<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ logarithm: Lanes, _ x: Lanes, _ price: Lanes, _ least: Lanes
) -> Lanes {
    let one = Lanes(repeating: 1)
    let linear = Lanes(repeating: 1.2533141373155003)
    let ratio = (x * Lanes(repeating: reciprocalSquareRootOfTwoPi) / price).atMost(0x1p500)
    let start = logarithmOfRatio(
        arithmetic, A.multiplyAdd(ratio * Lanes(repeating: 0.5), ratio, one), one)
    let floor = one.replacing(with: least, where: least .> Lanes(repeating: 0x1p-500))
    var h = A.squareRoot(start + start)
    h = floor.replacing(with: h, where: h .> floor)
    var step = 0
    while step < 2 {
        let reciprocal = one / h
        let t = x * reciprocal * Lanes(repeating: 0.5)
        let halfSquare = t * t * Lanes(repeating: 0.5)
        let quadratic = A.multiplyAdd(h, h + linear, one)
        let error =
            logarithmOfRatio(arithmetic, h * quadratic, one)
            + (A.multiplyAdd(h * h, Lanes(repeating: 0.5), halfSquare) - logarithm)
        let slope =
            (A.multiplyAdd(h, Lanes(repeating: 2), linear) / quadratic)
            + (A.multiplyAdd(halfSquare, Lanes(repeating: -2), one) * reciprocal + h)
        let next = h - error / slope
        let bound = h * Lanes(repeating: 0.1)
        let lowest = floor.replacing(with: bound, where: bound .> floor)
        h = lowest.replacing(with: next, where: next .> lowest)
        step &+= 1
    }
    return h
}

/// The least time value, over the larger of discounted spot and strike, that has a volatility.
@inlinable @inline(__always) var leastTimeValue: Double { 0x1p-1020 }
