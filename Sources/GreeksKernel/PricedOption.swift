import Glibc

/// The volatilities that a price implies under a model.
public enum ImpliedVolatility: Sendable, Equatable {
    case one(Double)
    /// Both give the price: a digital that is out of the money gains by volatility at first, then loses by it.
    case two(Double, Double)
    /// No volatility; never `.ok`.
    case none(VolatilityStatus)

    /// The volatility, where there is exactly one.
    public var volatility: Double? { if case .one(let volatility) = self { volatility } else { nil } }

    public var status: VolatilityStatus {
        switch self {
        case .one: .ok
        case .two: .two
        case .none(let status): status
        }
    }
}

/// How a model's volatilities are found.
public enum ModelInverse {
    /// By the kernel, eight at a time: Black–Scholes–Merton.
    case ofLanes
    /// By a function of one option with time left and all inputs in the model's range.
    case ofOne((PricedOption) -> ImpliedVolatility)
}

/// An option of which the price is known, and not the volatility.
public struct PricedOption: Sendable {
    /// 0 for a call, 1 for a put.
    public var type: UInt8
    public var spot, strike, years, price, rate, dividend: Double

    public init(
        type: UInt8, spot: Double, strike: Double, years: Double, price: Double, rate: Double,
        dividend: Double
    ) {
        self.type = type
        self.spot = spot
        self.strike = strike
        self.years = years
        self.price = price
        self.rate = rate
        self.dividend = dividend
    }

    var isPut: Bool { type == 1 }
    /// e^(−rT).
    var discount: Double { exp(-rate * years) }
    /// ln(F/K).
    var logForwardMoneyness: Double { log(spot / strike) + (rate - dividend) * years }

    /// What the price implies under a model with this range and inverse.
    public func volatility(
        _ range: AcceptedRange, _ inverse: (PricedOption) -> ImpliedVolatility
    ) -> ImpliedVolatility {
        guard isWithin(range) else { return .none(.notANumber) }
        guard years > 0 else { return .none(.expired) }
        let largest = range.largestVolatility
        return switch inverse(self) {
        // Comparisons, which NaN fails: what no formula accepts is no answer.
        case .one(let volatility) where !(volatility <= largest): .none(.aboveMaximum)
        case .two(let smaller, let larger) where !(larger <= largest):
            smaller <= largest ? .one(smaller) : .none(.aboveMaximum)
        case let found: found
        }
    }

    /// Whether all inputs are in a model's range, and the price is a number; a lognormal spot or strike of 0 says nothing.
    private func isWithin(_ range: AcceptedRange) -> Bool {
        // Comparisons, which NaN fails.
        type <= 1 && price == price && accepts(spot, range) && accepts(strike, range) && years >= 0
            && years <= Domain.largestYears && range.accepts(rate: rate, years: years)
            && range.accepts(rate: dividend, years: years)
    }

    private func accepts(_ price: Double, _ range: AcceptedRange) -> Bool {
        range.accepts(price: price) && (price != 0 || range.allowsNegativePrices)
    }

    /// The σ of which N(z), with x/s − s/2 = z and s = σ√T, is a probability; below, N(−z) is. With x = ln(F/K) that of
    /// ending above or below the strike.
    func volatility(ofProbability probability: Double, _ x: Double, isBelow: Bool) -> ImpliedVolatility {
        guard probability >= 0 else { return .none(.belowIntrinsic) }
        guard probability <= 1 else { return .none(.aboveMaximum) }
        // Certain, either way: without any volatility, if the forward ends there.
        if probability == 0 || probability == 1 {
            let endsInside = isBelow ? x < 0 : x > 0
            if probability == 1 { return endsInside ? .one(0) : .none(.aboveMaximum) }
            return endsInside || x == 0 ? .none(.belowIntrinsic) : .one(0)
        }
        let quantile = Self.normalQuantile(probability)
        let z = isBelow ? -quantile : quantile
        let root = years.squareRoot()
        let square = z * z + 2 * x
        if x > 0 {
            let rooted = square.squareRoot()
            return .one((z > 0 ? 2 * x / (z + rooted) : rooted - z) / root)
        }
        // From the strike or below it, no volatility makes ending above likelier than z = −√(−2x).
        guard z < 0, square >= 0 else { return .none(isBelow ? .belowIntrinsic : .aboveMaximum) }
        let larger = square.squareRoot() - z
        if x == 0 || square == 0 { return .one(larger / root) }
        return .two(-2 * x / larger / root, larger / root)
    }

    /// The z of which N(z) is the probability, above 0 and below 1.
    private static func normalQuantile(_ probability: Double) -> Double {
        let tail = min(probability, 1 - probability)
        // Abramowitz & Stegun 26.2.23, to 4.5e-4; then Halley's method.
        let t = (-2 * log(tail)).squareRoot()
        var z =
            t - (2.515517 + t * (0.802853 + t * 0.010328))
            / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
        for _ in 0..<3 {
            let upper = erfc(z * 0.5.squareRoot()) / 2
            let step = (upper - tail) * (2 * Double.pi).squareRoot() * exp(z * z / 2)
            z += step / (1 + z * step / 2)
        }
        return probability < 0.5 ? -z : z
    }
}
