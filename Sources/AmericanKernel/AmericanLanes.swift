import GreeksKernel
import VectorMath

/// Eight options, and which of them have a boundary to solve for. The others have harmless inputs in their place.
@usableFromInline
struct AmericanLanes {
    @usableFromInline let spot, strike, years, volatility, rate, dividend: Lanes
    @usableFromInline let root, logMoneyness, ratio: Lanes
    @usableFromInline let putSign: LaneBits
    @usableFromInline let isSolved: LaneMask
    @usableFromInline let isExpired, isNeverEarly, isDouble: LaneMask

    @inlinable @inline(__always)
    init<A: LaneArithmetic>(_ arithmetic: A.Type, _ input: FullFormColumns, at index: Int) {
        self.init(
            arithmetic, type: loaded(input.type, index), spot: loaded(input.spot, index),
            strike: loaded(input.strike, index), years: loaded(input.years, index),
            volatility: loaded(input.volatility, index), rate: loaded(input.rate, index),
            dividend: loaded(input.dividend, index))
    }

    @inlinable @inline(__always)
    init<A: LaneArithmetic>(
        _ arithmetic: A.Type, type: LaneBits, spot: Lanes, strike: Lanes, years: Lanes, volatility: Lanes,
        rate: Lanes, dividend: Lanes
    ) {
        let zero = Lanes.zero
        let one = Lanes(repeating: 1)
        putSign = type &<< 63
        let isPut = type .== LaneBits(repeating: 1)
        let put = unsafeBitCast(isPut, to: LaneMask.self)
        // What early exercise earns, and what it gives up.
        let earned = dividend.replacing(with: rate, where: put)
        let given = rate.replacing(with: dividend, where: put)
        isExpired = years .== zero
        isNeverEarly = .!isExpired .& (earned .<= zero) .& (given .>= earned)
        isDouble = .!isExpired .& (earned .< zero) .& (given .< earned)
        let squareRoot = A.squareRoot(years)
        let deviation = volatility * squareRoot
        let exponent = Lanes(repeating: AmericanDomain.largestExponent)
        let drift = Lanes(repeating: AmericanDomain.largestDrift) * deviation
        let isInside =
            (deviation .>= Lanes(repeating: AmericanDomain.leastDeviation))
            .& (deviation .<= Lanes(repeating: AmericanDomain.largestDeviation))
            .& ((rate * years).absolute .<= exponent) .& ((dividend * years).absolute .<= exponent)
            .& ((rate * years).absolute .<= drift) .& ((dividend * years).absolute .<= drift)
        let solved = isInside .& .!isExpired .& .!isNeverEarly .& .!isDouble
        isSolved = solved
        let floorSpot = spot.atLeast(Domain.leastPrice)
        let floorStrike = strike.atLeast(Domain.leastPrice)
        self.spot = floorSpot
        self.strike = floorStrike
        let rateElse = Lanes(repeating: 0.0625)
        self.years = one.replacing(with: years, where: solved)
        self.volatility = Lanes(repeating: 0.25).replacing(with: volatility, where: solved)
        self.rate = rateElse.replacing(with: rate, where: solved)
        self.dividend = rateElse.replacing(with: dividend, where: solved)
        root = one.replacing(with: squareRoot, where: solved)
        let keptSpot = one.replacing(with: floorSpot, where: solved)
        let keptStrike = one.replacing(with: floorStrike, where: solved)
        logMoneyness = logarithmOfRatio(arithmetic, keptSpot, keptStrike)
        ratio = keptSpot / keptStrike
    }

    @usableFromInline @inline(__always) var isPut: LaneMask { putSign .!= LaneBits(repeating: 0) }
}

extension AmericanLanes {
    /// How many times as far the volatility is moved for its third derivative, whose differences lose more digits.
    @inlinable @inline(__always) static var far: Double { 32 }

    /// By how much each input is moved, up and down: the volatility by 2⁻¹⁰ of itself, rates by 2⁻¹³, but what exercise
    /// earns never below 0, where there is no exercise.
    @inlinable @inline(__always)
    func moves() -> (
        volatility: Lanes, rateUp: Lanes, rateDown: Lanes, dividendUp: Lanes, dividendDown: Lanes
    ) {
        let put = isPut
        let small = Lanes(repeating: 0x1p-13)
        let eighth = Lanes(repeating: 0.125)
        let earned = dividend.replacing(with: rate, where: put)
        let given = rate.replacing(with: dividend, where: put)
        let isZero = earned .<= Lanes.zero
        let down = (earned * eighth).smaller(small)
        let up = down.replacing(with: small, where: isZero)
        let side = small.replacing(with: (given.absolute * eighth).smaller(small), where: isZero)
        return (
            volatility * Lanes(repeating: 0x1p-10), side.replacing(with: up, where: put),
            side.replacing(with: down, where: put), up.replacing(with: side, where: put),
            down.replacing(with: side, where: put)
        )
    }

    /// A variant's inputs.
    @inlinable @inline(__always)
    func moved(_ variant: Int) -> MovedOptions {
        var (volatility, rate, dividend) = (volatility, rate, dividend)
        let moves = moves()
        switch variant {
        case 1: volatility += moves.volatility
        case 2: volatility -= moves.volatility
        case 3: rate += moves.rateUp
        case 4: rate -= moves.rateDown
        case 5: dividend += moves.dividendUp
        case 6: dividend -= moves.dividendDown
        case 7: volatility += Lanes(repeating: AmericanLanes.far) * moves.volatility
        case 8: volatility -= Lanes(repeating: AmericanLanes.far) * moves.volatility
        default: break
        }
        let put = isPut
        return MovedOptions(
            puts: MirroredPuts(
                years: years, squareRootOfYears: root, volatility: volatility,
                rate: dividend.replacing(with: rate, where: put),
                yield: rate.replacing(with: dividend, where: put)),
            input: PremiumInput(
                logMoneyness: logMoneyness, ratio: ratio, rate: rate, dividend: dividend, putSign: putSign))
    }

    /// ln(B/K) of today's boundary, from √H of the mirrored put.
    @inlinable @inline(__always)
    func logBoundary<A: LaneArithmetic>(_ arithmetic: A.Type, root: Lanes) -> Lanes {
        (logOfLimit(arithmetic, moved(0).puts) - root).negated.flippingSign(putSign)
    }

    /// European Greeks and premiums put together.
    @inlinable @inline(__always)
    func greeks<A: LaneArithmetic>(
        _ arithmetic: A.Type, _ european: GreekLanes, _ premiums: UnsafePointer<Premium>, _ boundary: Lanes,
        _ bumped: VariantSet
    ) -> (greeks: GreekLanes, status: LaneBits) {
        let zero = Lanes.zero
        let one = Lanes(repeating: 1)
        let payoff = (spot - strike).flippingSign(putSign).atLeast(0)
        let isPut = isPut
        let isExercised =
            isSolved
            .& ((isPut .& (spot .<= boundary)) .| (.!isPut .& (spot .>= boundary)))
        let base = premiums[0]
        let perStrike = one / strike
        let value = strike * base.value.atLeast(0)
        let (slope, bend, twist) = (base.slope, base.bend * perStrike, base.twist * perStrike * perStrike)
        let snap = base.snap * perStrike * perStrike * perStrike
        let carry = (rate - dividend) * spot
        let half = Lanes(repeating: 0.5)
        let variance = volatility * volatility * spot
        var added = GreekLanes()
        added[.price] = value
        added[.delta] = slope
        added[.gamma] = bend
        added[.speed] = twist
        // The equation of Black and Scholes gives what time does.
        added[.theta] = rate * value - carry * slope - half * variance * spot * bend
        added[.charm] = dividend * slope - (carry + variance) * bend - half * variance * spot * twist
        added[.color] =
            dividend * bend - (rate - dividend + volatility * volatility) * (bend + spot * twist)
            - variance * twist - half * variance * spot * snap
        let moves = moves()
        if bumped.hasVolatility {
            let (up, down) = (premiums[1], premiums[2])
            let perMove = one / moves.volatility
            let halfMove = half * perMove
            let vega = strike * (up.value - down.value) * halfMove
            added[.vega] = vega
            added[.volga] = strike * ((up.value - base.value) - (base.value - down.value)) * perMove * perMove
            let vanna = (up.slope - down.slope) * halfMove
            let zomma = (up.bend - down.bend) * halfMove * perStrike
            added[.vanna] = vanna
            added[.zomma] = zomma
            added[.veta] =
                rate * vega - carry * vanna - volatility * spot * spot * bend - half * variance * spot * zomma
        }
        if bumped.hasFarVolatility {
            // Differences over both moves are f′ + h²f‴/6: what is left is theirs, by the fifth derivative.
            let near = (premiums[1].value - premiums[2].value) * Lanes(repeating: AmericanLanes.far)
            let wide = premiums[7].value - premiums[8].value
            let move = moves.volatility * Lanes(repeating: AmericanLanes.far)
            added[.ultima] =
                strike * (wide - near)
                * Lanes(repeating: 3 / (1 - 1 / (AmericanLanes.far * AmericanLanes.far)))
                / (move * move * move)
        }
        if bumped.hasRate {
            added[.rho] =
                strike * (premiums[3].value - premiums[4].value) / (moves.rateUp + moves.rateDown)
        }
        if bumped.hasDividend {
            added[.phi] =
                strike * (premiums[5].value - premiums[6].value) / (moves.dividendUp + moves.dividendDown)
        }
        let isRefused = .!isSolved .& .!isExpired .& .!isNeverEarly
        let nan = Lanes(repeating: .nan)
        var result = GreekLanes()
        var index = 0
        while index < GreekArray<Lanes>.count {
            let sum = european.lanes(index)
                .replacing(with: european.lanes(index) + added.lanes(index), where: isSolved)
            result.set(
                zero.replacing(with: sum, where: .!isExercised).replacing(with: nan, where: isRefused),
                index)
            index &+= 1
        }
        result[.price] = result[.price].replacing(with: payoff, where: isExercised)
        result[.delta] = result[.delta].replacing(with: one.flippingSign(putSign), where: isExercised)
        // Rounding, and the level's error near the boundary.
        result[.price] = result[.price].replacing(
            with: payoff, where: isSolved .& (result[.price] .< payoff))
        var status = LaneBits(repeating: 0).marked(AmericanStatus.outsideRange.rawValue, where: isRefused)
        status = status.marked(AmericanStatus.exercise.rawValue, where: isExercised)
        status = status.marked(AmericanStatus.neverEarly.rawValue, where: isNeverEarly)
        status = status.marked(AmericanStatus.doubleBoundary.rawValue, where: isDouble)
        status = status.marked(AmericanStatus.expired.rawValue, where: isExpired)
        return (result, status)
    }
}

@inlinable @inline(__always)
func loaded(_ column: UnsafePointer<Double>, _ index: Int) -> Lanes {
    UnsafeRawPointer(column + index).loadUnaligned(as: Lanes.self)
}

/// Types: 0 for a call, 1 for a put.
@inlinable @inline(__always)
func loaded(_ column: UnsafePointer<UInt8>, _ index: Int) -> LaneBits {
    LaneBits(truncatingIfNeeded: UnsafeRawPointer(column + index).loadUnaligned(as: SIMD8<UInt8>.self))
}

extension SIMD8<UInt64> {
    /// A status where the mask holds.
    @inlinable @inline(__always)
    func marked(_ status: UInt8, where mask: LaneMask) -> LaneBits {
        replacing(with: LaneBits(repeating: UInt64(status)), where: mask)
    }
}
