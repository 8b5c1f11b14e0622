import Glibc
import GreeksKernel

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

extension GreeksEngine {
    /// The volatilities that prices imply under a model, in its own units: per √year, or in units of the price per √year
    /// under `.bachelier`. Every price that is a number has one or a side on which it is impossible.
    public func impliedVolatilities(of batch: PriceBatch, model: OptionModel) -> [ImpliedVolatility] {
        guard model != .blackScholesMerton else {
            let (volatility, status) = impliedVolatilities(of: batch)
            return zip(volatility, status).map { $1 == .ok ? .one($0) : .none($1) }
        }
        return (0..<batch.count).map { VolatilityTerms(batch, $0).volatility(model) }
    }

    /// The same of columns, with a `VolatilityStatus` each; NaN where a price implies none or two. Allocates nothing.
    package func impliedVolatilities(
        _ input: PriceColumns, _ model: OptionModel, count: Int, volatility: UnsafeMutablePointer<Double>,
        status: UnsafeMutablePointer<UInt8>
    ) {
        guard model != .blackScholesMerton else {
            return unsafe impliedVolatilities(input, count: count, volatility: volatility, status: status)
        }
        for row in 0..<count {
            let implied = unsafe VolatilityTerms(input, row).volatility(model)
            unsafe volatility[row] = implied.volatility ?? .nan
            unsafe status[row] = implied.status.rawValue
        }
    }
}

/// One option whose volatility is asked for, by formulas of one number at a time.
private struct VolatilityTerms {
    let isPut: Bool
    let hasType: Bool
    let spot, strike, years, price, rate, dividend: Double

    init(_ batch: PriceBatch, _ row: Int) {
        self.init(
            batch.type[row], batch.spot[row], batch.strike[row], batch.years[row], batch.price[row],
            batch.rate[row], batch.dividend[row])
    }

    init(_ input: PriceColumns, _ row: Int) {
        unsafe self.init(
            input.type[row], input.spot[row], input.strike[row], input.years[row], input.price[row],
            input.rate[row], input.dividend[row])
    }

    private init(
        _ type: UInt8, _ spot: Double, _ strike: Double, _ years: Double, _ price: Double, _ rate: Double,
        _ dividend: Double
    ) {
        (isPut, hasType) = (type == 1, type <= 1)
        (self.spot, self.strike, self.years, self.price) = (spot, strike, years, price)
        (self.rate, self.dividend) = (rate, dividend)
    }

    func volatility(_ model: OptionModel) -> ImpliedVolatility {
        guard areWithin(model) else { return .none(.notANumber) }
        guard years > 0 else { return .none(.expired) }
        return model == .bachelier ? normalVolatility() : digitalVolatility()
    }

    /// Comparisons, which NaN fails.
    func areWithin(_ model: OptionModel) -> Bool {
        let isNormal = model == .bachelier
        let least = isNormal ? -Domain.largestNormalPrice : Domain.leastPrice
        let largest = isNormal ? Domain.largestNormalPrice : Domain.largestPrice
        let exponent = isNormal ? Domain.largestNormalExponent : Domain.largestExponent
        return hasType && price == price && spot >= least && spot <= largest && strike >= least
            && strike <= largest && years >= 0 && years <= Domain.largestYears
            && abs(rate * years) <= exponent && abs(dividend * years) <= exponent
    }

    private var discount: Double { exp(-rate * years) }

    /// Bachelier's: with a = |F − K|, c the time value at expiry, s = σ√T and u = a/s,
    ///
    ///     c = s n(u) − a N(−u).
    func normalVolatility() -> ImpliedVolatility {
        let (held, owed) = (spot * exp(-dividend * years), strike * discount)
        let forwardValue = isPut ? owed - held : held - owed
        let timeValue = price - max(0, forwardValue)
        // The rounding of the discounted prices, which a price of just the intrinsic value may fall short by.
        let rounding = max(abs(held), abs(owed)) * 0x1p-50
        guard price >= 0, timeValue >= -rounding else { return .none(.belowIntrinsic) }
        guard price < .infinity else { return .none(.aboveMaximum) }
        guard timeValue > (forwardValue > 0 ? rounding / 4 : 0) else { return .one(0) }
        let deviation = Self.normalDeviation(timeValue / discount, distance: abs(forwardValue) / discount)
        let volatility = deviation / years.squareRoot()
        return volatility <= Domain.largestNormalPrice ? .one(volatility) : .none(.aboveMaximum)
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

    /// A digital's: with x = ln(F/K), s = σ√T and N(z) the probability of ending above the strike, x/s − s/2 = z.
    func digitalVolatility() -> ImpliedVolatility {
        let probability = price / discount
        guard price >= 0 else { return .none(.belowIntrinsic) }
        guard probability <= 1 else { return .none(.aboveMaximum) }
        let x = log(spot / strike) + (rate - dividend) * years
        // Certain, either way: without any volatility, if the forward ends there.
        if probability == 0 || probability == 1 {
            let endsInside = isPut ? x < 0 : x > 0
            if probability == 1 { return endsInside ? .one(0) : .none(.aboveMaximum) }
            return endsInside || x == 0 ? .none(.belowIntrinsic) : .one(0)
        }
        let quantile = Self.normalQuantile(probability)
        let z = isPut ? -quantile : quantile
        let root = years.squareRoot()
        let square = z * z + 2 * x
        if x > 0 {
            let rooted = square.squareRoot()
            return .one((z > 0 ? 2 * x / (z + rooted) : rooted - z) / root)
        }
        // From the strike or below it, no volatility makes ending above likelier than z = −√(−2x).
        guard z < 0, square >= 0 else { return .none(isPut ? .belowIntrinsic : .aboveMaximum) }
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
