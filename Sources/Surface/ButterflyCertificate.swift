extension SVISlice {
    /// Whether a slice allows a butterfly that loses nothing and may win, decided for all strikes.
    public enum Butterfly: Sendable, Equatable {
        /// None: total variance is above 0, no wing is steeper than 2, and g is above 0 everywhere.
        case free
        /// A wing is steeper than 2: far out a call spread has a negative price.
        case steepWing
        /// Total variance is 0 or less somewhere.
        case noVariance
        /// g is below 0 at this log-moneyness.
        case arbitrage(at: Double)
        /// g is 0 to within rounding at about this log-moneyness, and nowhere below it by more.
        case border(near: Double)
    }

    /// Whether a butterfly is left at any strike.
    ///
    /// With (k − m)/σ = (u − 1/u)/2, u > 0, g(k) has the sign of a polynomial of degree 10 in u: see `durrlemanPolynomial`.
    public var butterfly: Butterfly {
        guard isCurve, leastVariance > 0, surelyPositive else { return .noVariance }
        guard leftSlope <= 2, rightSlope <= 2 else { return .steepWing }
        return switch signOfDurrleman(less: 0) {
        case .positive: .free
        case .negative(let k): .arbitrage(at: k)
        case .undecided(let k): .border(near: k)
        }
    }

    /// The sign of g(k) − bound over all k, with k where it is not positive.
    package func signOfDurrleman(less bound: Double) -> SignVerdict {
        if b == 0 { return bound < 1 ? .positive : .negative(at: 0) }
        return switch durrlemanPolynomial(less: bound).sign() {
        case .positive: .positive
        case .negative(let u): .negative(at: logMoneyness(u))
        case .undecided(let u): .undecided(near: logMoneyness(u))
        }
    }

    /// Whether the least variance is above 0 by more than rounding.
    private var surelyPositive: Bool {
        a >= 0 || leastVariance > 0x1p-48 * a.magnitude
    }

    private func logMoneyness(_ u: Double) -> Double { m + 0.5 * sigma * (u - 1 / u) }

    /// 16σN²D³(g − bound) for u > 0, where w = σN/u, N = ½p + αu + ½cu², D = 1 + u², with the wings' slopes p and c and
    /// α = a/σ. With M = −p + cu² (w' = M/D), L = −½ + μu + ½u² (k = σL/u, μ = m/σ) and A = 2ND − LM it is
    /// 4σA²D − 4uM²ND − σM²DN² + 64bu³N² − 16·bound·σN²D³.
    private func durrlemanPolynomial(less bound: Double) -> HalfLinePolynomial<11> {
        let (p, c) = (leftSlope, rightSlope)
        let n = Tracked<3>([p / 2, a / sigma, c / 2])
        let l = Tracked<3>([-0.5, m / sigma, 0.5])
        let d = Tracked<3>([1, 0, 1])
        let slope = Tracked<3>([-p, 0, c])
        let nd: Tracked<5> = n.times(d)
        let nn: Tracked<5> = n.times(n)
        let mm: Tracked<5> = slope.times(slope)
        let square: Tracked<5> = nd.scaled(by: 2).plus(l.times(slope), times: -1)
        let curved: Tracked<11> = (square.times(square) as Tracked<9>).times(d)
        let steep: Tracked<9> = mm.times(nd)
        let wide: Tracked<11> = (mm.times(d) as Tracked<7>).times(nn)
        var sum = curved.scaled(by: 4 * sigma)
        sum = sum.plus(steep.shifted(by: 1), times: -4)
        sum = sum.plus(wide, times: -sigma)
        sum = sum.plus(nn.shifted(by: 3), times: 64 * b)
        if bound != 0 {
            let cubed: Tracked<11> = nn.times((d.times(d) as Tracked<5>).times(d) as Tracked<7>)
            sum = sum.plus(cubed, times: -16 * bound * sigma)
        }
        return HalfLinePolynomial(coefficients: sum.value, magnitudes: sum.magnitude)
    }
}

/// A polynomial with the sums of the absolute values that its coefficients were added up from.
struct Tracked<let count: Int> {
    private(set) var value: InlineArray<count, Double>
    private(set) var magnitude: InlineArray<count, Double>

    init(_ value: InlineArray<count, Double>) {
        self.value = value
        magnitude = value
        for i in 0..<count { magnitude[i] = value[i].magnitude }
    }

    private init() {
        value = InlineArray(repeating: 0)
        magnitude = InlineArray(repeating: 0)
    }

    /// The product, in as many coefficients as it has: what the caller says that they are.
    func times<let others: Int, let product: Int>(_ other: Tracked<others>) -> Tracked<product> {
        var result = Tracked<product>()
        for i in 0..<count {
            for j in 0..<others {
                result.value[i + j] += value[i] * other.value[j]
                result.magnitude[i + j] += magnitude[i] * other.magnitude[j]
            }
        }
        return result
    }

    func scaled(by factor: Double) -> Tracked {
        var result = self
        for i in 0..<count {
            result.value[i] *= factor
            result.magnitude[i] *= factor.magnitude
        }
        return result
    }

    func plus(_ other: Tracked, times factor: Double) -> Tracked {
        var result = self
        for i in 0..<count {
            result.value[i] += factor * other.value[i]
            result.magnitude[i] += factor.magnitude * other.magnitude[i]
        }
        return result
    }

    /// The product with a power of the variable.
    func shifted<let others: Int>(by power: Int) -> Tracked<others> {
        var result = Tracked<others>()
        for i in 0..<count {
            result.value[i + power] = value[i]
            result.magnitude[i + power] = magnitude[i]
        }
        return result
    }
}
