import Glibc
import VectorMath

/// A normally distributed underlying, for prices that may be negative and for spreads.
///
/// With F = S e^((r−q)T), s = σ√T and d = (F − K)/s: V = e^(−rT) (w (F − K) N(wd) + s n(d)).
/// - Units: σ in units of the price per √year; spot and strike of either sign.
/// - Edges: at T = 0 or σ = 0 the discounted forward intrinsic value and its derivatives, as in `Greek`.
/// - Accuracy: an out-of-the-money price is a difference, e^(−rT) s (n(d) − |d| N(−|d|)), and loses about d² units
///   in the last place; `ModelTests` states the limits.
/// - Source: L. Bachelier, Théorie de la spéculation, 1900; all derivatives were checked against numerical ones in
///   60 digits.
public enum Bachelier: PricingModel {
    public static var name: String { "bachelier" }
    public static var summary: String {
        "a normal one: vol in units of the price, spot and strike of either sign"
    }
    public static var range: AcceptedRange {
        AcceptedRange(
            leastPrice: 0, largestPrice: Domain.largestNormalPrice, allowsNegativePrices: true,
            largestVolatility: Domain.largestNormalPrice, largestExponent: Domain.largestNormalExponent)
    }
    public static var greeks: GreekSet { .standard }
    public static var inverse: ModelInverse { .ofOne { $0.normalVolatility() } }

    @inlinable @inline(__always)
    public static func greeks<A: LaneArithmetic>(
        _ arithmetic: A.Type, _ input: FullFormColumns, at index: Int
    ) -> GreekLanes {
        let one = Lanes(repeating: 1)
        let spot = lanes(input.spot, index)
        let strike = lanes(input.strike, index)
        let years = lanes(input.years, index)
        let rate = lanes(input.rate, index)
        let dividend = lanes(input.dividend, index)
        let volatility = lanes(input.volatility, index).atLeast(Floor.deviation)
        let root = A.squareRoot(years)
        let deviation = (volatility * root).atLeast(Floor.deviation)
        let isAlive = volatility * root .> Lanes(repeating: Floor.deviation)
        let sign = putSigns(input.type, index)

        let carry = rate - dividend
        let (dividendFactor, discount) = exponentials(
            arithmetic, (dividend * years).negated, (rate * years).negated)
        let growth = dividendFactor / discount
        let forward = spot * growth
        let reciprocalDeviation = one / deviation
        // Far beyond where the density is 0; without a bound, products with it would overflow.
        let d = ((forward - strike) * reciprocalDeviation).atLeast(-0x1p20).atMost(0x1p20)

        // N(−|d|) from the Mills ratio, N(w d) as it or its complement.
        let bell = gaussian(arithmetic, d)
        let (tail, _) = upperTails(arithmetic, d.absolute, d.absolute, scale: bell)
        let signed = d.bits ^ sign
        let isBelow = isNegative(signed)
        let probability = (one - tail).replacing(with: tail, where: isBelow)
        let density = bell * Lanes(repeating: reciprocalSquareRootOfTwoPi)

        // Intrinsic value and what is added to it: the time value falls with |d| on both sides alike.
        let intrinsic = (forward - strike).flippingSign(sign).atLeast(0)
        let timeValue = (deviation * A.multiplyAdd(d.absolute, tail.negated, density)).atLeast(0)
        let price = discount * (intrinsic + timeValue.kept(where: isAlive))

        let alive = density.kept(where: isAlive)
        let reciprocalYears = one / years.atLeast(Floor.years)
        let reciprocalVolatility = one / volatility
        let delta = dividendFactor * probability.flippingSign(sign)
        let gamma = dividendFactor * growth * alive * reciprocalDeviation
        let vega = discount * root * density
        let keptVega = discount * root * alive
        let halfReciprocalYears = Lanes(repeating: 0.5) * reciprocalYears
        // ∂d/∂T.
        let drift = A.multiplyAdd(carry * forward, reciprocalDeviation, (d * halfReciprocalYears).negated)
        let volga = keptVega * d * d * reciprocalVolatility
        let spotTimesDelta = spot * delta
        var greeks = GreekLanes()
        greeks[.price] = price
        greeks[.delta] = delta
        greeks[.gamma] = gamma
        greeks[.vega] = vega
        greeks[.theta] =
            rate * price - carry * spotTimesDelta - discount * alive * deviation * halfReciprocalYears
        greeks[.rho] = years * (spotTimesDelta - price)
        greeks[.phi] = (years * spotTimesDelta).negated
        greeks[.vanna] = (dividendFactor * alive * d * reciprocalVolatility).negated
        greeks[.volga] = volga
        greeks[.charm] = A.multiplyAdd(dividend, delta, (dividendFactor * alive * drift).negated)
        greeks[.speed] = (gamma * d * growth * reciprocalDeviation).negated
        greeks[.zomma] = gamma * (d * d - one) * reciprocalVolatility
        greeks[.color] = gamma * (dividend - carry + d * drift + halfReciprocalYears)
        greeks[.veta] = keptVega * (rate - halfReciprocalYears + d * drift)
        greeks[.ultima] = volga * (d * d - Lanes(repeating: 3)) * reciprocalVolatility
        return greeks
    }
}

extension PricedOption {
    /// With a = |F − K|, c the time value at expiry, s = σ√T and u = a/s,
    ///
    ///     c = s n(u) − a N(−u).
    func normalVolatility() -> ImpliedVolatility {
        let (discountedSpot, discountedStrike) = (spot * exp(-dividend * years), strike * discount)
        let forwardValue = isPut ? discountedStrike - discountedSpot : discountedSpot - discountedStrike
        let timeValue = price - max(0, forwardValue)
        // The rounding of the discounted prices, which a price of just the intrinsic value may fall short by.
        let rounding = max(abs(discountedSpot), abs(discountedStrike)) * 0x1p-50
        guard price >= 0, timeValue >= -rounding else { return .none(.belowIntrinsic) }
        guard price < .infinity else { return .none(.aboveMaximum) }
        guard timeValue > (forwardValue > 0 ? rounding / 4 : 0) else { return .one(0) }
        let deviation = Self.normalDeviation(timeValue / discount, distance: abs(forwardValue) / discount)
        return .one(deviation / years.squareRoot())
    }

    /// The s of which c = s n(u) − a N(−u), by Newton's method from the side from which it cannot overshoot.
    private static func normalDeviation(_ value: Double, distance: Double) -> Double {
        let root = (2 * Double.pi).squareRoot()
        guard distance > 0, value / distance < 1e18 else { return root * value }
        let ratio = value / distance
        guard ratio < 0.004 else {
            // c is convex in s, and at most s/√(2π) − a/2 below it: this begins above the solution.
            var s = root * (value + distance / 2)
            for _ in 0..<100 {
                let u = distance / s
                let density = exp(-u * u / 2) / root
                let next = s - (s * density - distance * erfc(u * 0.5.squareRoot()) / 2 - value) / density
                guard next < s else { break }
                s = next
            }
            return s
        }
        // ln(c/a) = ln(n(u)/u − N(−u)) is concave in u from 2 on: this begins beyond the solution.
        let logarithm = log(ratio)
        var u = (-2 * logarithm).squareRoot()
        for _ in 0..<100 {
            let excess = excessRatio(u)
            let next = u + (log(excess) - u * u / 2 - log(root) - logarithm) * excess * u * u
            guard next < u else { break }
            u = next
        }
        return distance / u
    }

    /// 1/u − N(−u)/n(u), for u above 2: an asymptotic series where the difference would cancel.
    private static func excessRatio(_ u: Double) -> Double {
        guard u >= 10 else {
            return 1 / u - erfc(u * 0.5.squareRoot()) / 2 * (2 * Double.pi).squareRoot() * exp(u * u / 2)
        }
        var (term, sum) = (1 / u, 0.0)
        for k in 1...20 {
            term *= -Double(2 * k - 1) / (u * u)
            sum -= term
        }
        return sum
    }
}
