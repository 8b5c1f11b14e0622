import VectorMath

/// A digital that pays 1 in quote currency at expiry if it ends in the money, under a lognormal underlying.
///
/// V = e^(−rT) N(w d2), with d1 and d2 as in `Greek`.
/// - Edges: at T = 0 or σ = 0 the discounted payoff of the forward, half of it exactly at the money; all
///   Greeks but price, theta and rho are then 0.
/// - Source: M. Rubinstein, E. Reiner, "Unscrambling the binary code", Risk 4, 1991; all derivatives were checked
///   against numerical ones in 60 digits.
public enum CashOrNothing: PricingModel {
    public static var name: String { "cash-or-nothing" }
    public static var summary: String { "pays 1 if it ends in the money" }
    public static var range: AcceptedRange { .lognormal }
    public static var greeks: GreekSet { .standard }
    public static var inverse: ModelInverse {
        .ofOne {
            $0.volatility(
                ofProbability: $0.price / $0.discount, $0.logForwardMoneyness, isBelow: $0.isPut)
        }
    }

    @inlinable @inline(__always)
    public static func greeks<A: LaneArithmetic>(
        _ arithmetic: A.Type, _ input: FullFormColumns, at index: Int
    ) -> GreekLanes {
        let one = Lanes(repeating: 1)
        let two = Lanes(repeating: 2)
        let spot = lanes(input.spot, index).atLeast(Domain.leastPrice)
        let strike = lanes(input.strike, index).atLeast(Domain.leastPrice)
        let years = lanes(input.years, index)
        let rate = lanes(input.rate, index)
        let dividend = lanes(input.dividend, index)
        let volatility = lanes(input.volatility, index)
        let root = A.squareRoot(years)
        let deviation = (volatility * root).atLeast(Floor.deviation)
        let isAlive = volatility * root .> Lanes(repeating: Floor.deviation)
        let sign = putSigns(input.type, index)

        let carry = rate - dividend
        let discount = exponential(arithmetic, (rate * years).negated)
        let reciprocal = one / deviation
        let standardised =
            A.multiplyAdd(carry, years, logarithmOfRatio(arithmetic, spot, strike)) * reciprocal
        let d1 = A.multiplyAdd(Lanes(repeating: 0.5), deviation, standardised)
        let d2 = d1 - deviation

        let bell = gaussian(arithmetic, d2)
        let (tail, _) = upperTails(arithmetic, d2.absolute, d2.absolute, scale: bell)
        let probability = (one - tail).replacing(with: tail, where: isNegative(d2.bits ^ sign))
        let price = discount * probability
        // w e^(−rT) n(d2): every derivative has it.
        let density = (discount * bell * Lanes(repeating: reciprocalSquareRootOfTwoPi)).kept(where: isAlive)
            .flippingSign(sign)

        let reciprocalSpot = one / spot
        let reciprocalVolatility = root * reciprocal
        let reciprocalYears = one / years.atLeast(Floor.years)
        let halfReciprocalYears = Lanes(repeating: 0.5) * reciprocalYears
        // ∂d1/∂T and ∂d2/∂T.
        let drift1 = A.multiplyAdd(carry, reciprocal, (d2 * halfReciprocalYears).negated)
        let drift2 = A.multiplyAdd(carry, reciprocal, (d1 * halfReciprocalYears).negated)
        let product = d1 * d2
        let delta = density * reciprocal * reciprocalSpot
        let perVolatility = density * reciprocalVolatility
        let gammaScale = delta * reciprocal * reciprocalSpot
        let bend = d1 + d2 - product * d1
        let rateTerm = perVolatility * root
        let decay = A.multiplyAdd(d2, drift2, rate)
        var greeks = GreekLanes()
        greeks[.price] = price
        greeks[.delta] = delta
        greeks[.gamma] = (gammaScale * d1).negated
        greeks[.vega] = (perVolatility * d1).negated
        greeks[.theta] = A.multiplyAdd(rate, price, (density * drift2).negated)
        greeks[.rho] = A.multiplyAdd(years, price.negated, rateTerm)
        greeks[.phi] = rateTerm.negated
        greeks[.vanna] = delta * (product - one) * reciprocalVolatility
        greeks[.volga] = perVolatility * reciprocalVolatility * bend
        greeks[.charm] = delta * (decay + halfReciprocalYears)
        greeks[.speed] = gammaScale * reciprocalSpot * (d1 * A.multiplyAdd(d2, reciprocal, two) - reciprocal)
        greeks[.zomma] = (gammaScale * reciprocalVolatility * (d1 * (product - two) - d2)).negated
        greeks[.color] = gammaScale * (drift1 - d1 * (decay + reciprocalYears))
        greeks[.veta] = perVolatility * (drift1 - d1 * decay)
        greeks[.ultima] =
            perVolatility * reciprocalVolatility * reciprocalVolatility
            * (bend * (product - two) - d1 - d2 + two * product * d2 + d1 * d1 * d1)
        return greeks
    }
}
