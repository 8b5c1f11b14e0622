import Glibc
import VectorMath

/// A digital that pays the underlying at expiry if it ends in the money, under a lognormal underlying.
///
/// V = S e^(−qT) N(w d1), with d1 and d2 as in `Greek`.
/// - Edges: at T = 0 or σ = 0 the discounted payoff of the forward, half of it exactly at the money; gamma and vega
///   are then 0.
/// - Source: M. Rubinstein, E. Reiner, "Unscrambling the binary code", Risk 4, 1991.
public enum AssetOrNothing: PricingModel {
    public static var name: String { "asset-or-nothing" }
    public static var summary: String { "pays the underlying if it ends in the money" }
    public static var range: AcceptedRange { .lognormal }
    public static var greeks: GreekSet { GreekSet([.price, .delta, .gamma, .vega]) }
    /// N(w d1) is the digital's probability with the sign of the logarithm turned.
    public static var inverse: ModelInverse {
        .ofOne {
            $0.volatility(
                ofProbability: $0.price / ($0.spot * $0.growth), -$0.logForwardMoneyness, isBelow: !$0.isPut)
        }
    }

    @inlinable @inline(__always)
    public static func greeks<A: LaneArithmetic>(
        _ arithmetic: A.Type, _ input: FullFormColumns, at index: Int
    ) -> GreekLanes {
        let one = Lanes(repeating: 1)
        let spot = lanes(input.spot, index).atLeast(Domain.leastPrice)
        let strike = lanes(input.strike, index).atLeast(Domain.leastPrice)
        let years = lanes(input.years, index)
        let dividend = lanes(input.dividend, index)
        let volatility = lanes(input.volatility, index)
        let root = A.squareRoot(years)
        let deviation = (volatility * root).atLeast(Floor.deviation)
        let isAlive = volatility * root .> Lanes(repeating: Floor.deviation)
        let sign = putSigns(input.type, index)

        let carry = lanes(input.rate, index) - dividend
        let reciprocal = one / deviation
        let standardised =
            A.multiplyAdd(carry, years, logarithmOfRatio(arithmetic, spot, strike)) * reciprocal
        let d1 = A.multiplyAdd(Lanes(repeating: 0.5), deviation, standardised)
        let d2 = d1 - deviation

        let bell = gaussian(arithmetic, d1)
        let (tail, _) = upperTails(arithmetic, d1.absolute, d1.absolute, scale: bell)
        let probability = (one - tail).replacing(with: tail, where: isNegative(d1.bits ^ sign))
        let growth = exponential(arithmetic, (dividend * years).negated)
        // w e^(−qT) n(d1): every derivative has it.
        let density = (growth * bell * Lanes(repeating: reciprocalSquareRootOfTwoPi)).kept(where: isAlive)
            .flippingSign(sign)

        var greeks = GreekLanes()
        greeks[.price] = spot * growth * probability
        greeks[.delta] = A.multiplyAdd(growth, probability, density * reciprocal)
        greeks[.gamma] = (density * d2 * reciprocal * reciprocal / spot).negated
        greeks[.vega] = (spot * density * d2 * root * reciprocal).negated
        return greeks
    }
}

extension PricedOption {
    /// e^(−qT), without which the underlying is worth what it pays.
    var growth: Double { exp(-dividend * years) }
}
