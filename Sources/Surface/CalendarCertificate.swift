extension SVISlice {
    /// Whether a later slice's total variance lies above an earlier one's, decided for all log-moneynesses.
    public enum Calendar: Sendable, Equatable {
        /// The later one is nowhere below.
        case free
        /// A wing of the later one is flatter.
        case flatterWing
        /// The later one is below at this log-moneyness.
        case arbitrage(at: Double)
        /// They touch to within rounding at about this log-moneyness.
        case border(near: Double)
    }

    /// Whether a calendar spread is left between this slice and a later one at any log-moneyness (of each expiry's own
    /// forward).
    public func calendar(to later: SVISlice) -> Calendar {
        guard later.leftSlope >= leftSlope, later.rightSlope >= rightSlope else { return .flatterWing }
        return switch signOfGap(to: later, less: 0) {
        case .positive: .free
        case .negative(let k): .arbitrage(at: k)
        case .undecided(let k): .border(near: k)
        }
    }

    /// The sign of later − this − bound over all k, wings apart.
    package func signOfGap(to later: SVISlice, less bound: Double) -> SignVerdict {
        let gap = Gap(earlier: self, later: later, bound: bound)
        var budget = SignBudget(intervals: 6000)
        let right = gap.sign(gap.quartic(side: 1), side: 1, &budget, depth: 60)
        if case .negative = right { return right }
        let left = gap.sign(gap.quartic(side: -1), side: -1, &budget, depth: 60)
        if case .negative = left { return left }
        return right == .positive ? left : right
    }
}

/// later(k) − earlier(k) − bound.
private struct Gap {
    let earlier, later: SVISlice
    let bound: Double
    /// k = centre ± scale·u.
    let centre, scale: Double

    init(earlier: SVISlice, later: SVISlice, bound: Double) {
        self.earlier = earlier
        self.later = later
        self.bound = bound
        centre = 0.5 * (earlier.m + later.m)
        scale = max(earlier.sigma, later.sigma, (earlier.m - later.m).magnitude)
    }

    func at(_ k: Double) -> Double { later.variance(at: k) - earlier.variance(at: k) - bound }

    /// What rounding may make of `at`.
    func error(_ k: Double) -> Double {
        let lift = earlier.a.magnitude + later.a.magnitude + bound.magnitude
        return 0x1p-49 * (lift + later.variance(at: k) + earlier.variance(at: k) + later.a.magnitude)
    }

    /// (b₂²Q₂ − b₁²Q₁ − Λ²)² − 4b₁²Λ²Q₁ in u > 0, with Qᵢ = (k − mᵢ)² + σᵢ² and Λ the gap without the roots: 0 wherever
    /// the curves meet, and in other places, too.
    func quartic(side: Double) -> HalfLinePolynomial<5> {
        let unit = side * scale
        let (x1, x2) = (centre - earlier.m, centre - later.m)
        let h1 = 0.5 * (earlier.rightSlope - earlier.leftSlope)
        let h2 = 0.5 * (later.rightSlope - later.leftSlope)
        func square(_ x: Double, _ sigma: Double, _ b: Double) -> Tracked<3> {
            Tracked([x * x + sigma * sigma, 2 * x * unit, unit * unit]).scaled(by: b * b)
        }
        // Λ = a₁ − a₂ + bound + h₁x₁ − h₂x₂, so that a meeting is b₂√Q₂ − b₁√Q₁ = Λ.
        let line = Tracked<2>([earlier.a, 0]).plus(Tracked([later.a, 0]), times: -1)
            .plus(Tracked([bound, 0]), times: 1).plus(Tracked([x1, unit]), times: h1)
            .plus(Tracked([x2, unit]), times: -h2)
        let q1 = square(x1, earlier.sigma, earlier.b)
        let q2 = square(x2, later.sigma, later.b)
        let ll: Tracked<3> = line.times(line)
        let e = q2.plus(q1, times: -1).plus(ll, times: -1)
        let quartic: Tracked<5> = (e.times(e) as Tracked<5>).plus(ll.times(q1), times: -4)
        return HalfLinePolynomial(coefficients: quartic.value, magnitudes: quartic.magnitude)
    }

    /// The sign of the gap on one side of the centre. Where the quartic has no zero it is that of one point; elsewhere the
    /// gap's derivatives bound it, and far out the curves' asymptotes.
    func sign(
        _ quartic: HalfLinePolynomial<5>, side: Double, _ budget: inout SignBudget, depth: Int
    ) -> SignVerdict {
        let k = centre + side * scale * quartic.middle
        let (value, error) = (at(k), error(k))
        if value < -error { return .negative(at: k) }
        if value > error {
            if quartic.isPositive || quartic.isNegative { return .positive }
            let near = centre + side * scale * quartic.lowEnd
            let far = centre + side * scale * quartic.highEnd
            let isAbove =
                far.isFinite
                ? value - 2 * error > mostFall(from: k, low: min(near, far), high: max(near, far))
                : isPositiveBeyond(near, side)
            if isAbove { return .positive }
        }
        if depth == 0 || (quartic.isNoise && value <= error) || budget.isSpent { return .undecided(near: k) }
        let (left, right) = quartic.halves
        let first = sign(left, side: side, &budget, depth: depth - 1)
        if case .negative = first { return first }
        let second = sign(right, side: side, &budget, depth: depth - 1)
        if case .negative = second { return second }
        return first == .positive ? second : first
    }

    /// By how much the gap may fall from k to any place of an interval: Taylor's expansion with a bound of the third
    /// derivative.
    private func mostFall(from k: Double, low: Double, high: Double) -> Double {
        let (one, other) = (earlier[k], later[k])
        let slope = other.slope - one.slope
        let bend = other.curvature - one.curvature
        let reach = max(k - low, high - k)
        func quadratic(_ x: Double) -> Double { x * (slope + 0.5 * bend * x) }
        var least = min(0, quadratic(low - k), quadratic(high - k))
        if bend > 0, case let x = -slope / bend, x > low - k, x < high - k {
            least = min(least, quadratic(x))
        }
        let rounding =
            0x1p-49 * reach * (2 * (earlier.b + later.b) + reach * (one.curvature + other.curvature))
        return rounding + thirdDerivative(low, high) * reach * reach * reach / 6 - least
    }

    /// A bound of the gap's third derivative on an interval: by the curves' own or, where they are nearly the same, by what
    /// their parameters differ in.
    ///
    /// The gap is a line plus (b₂ − b₁)r₂ + b₁(r₂ − r₁), and r₂ − r₁ = N/(r₁ + r₂) with N = r₂² − r₁², a line, too.
    private func thirdDerivative(_ low: Double, _ high: Double) -> Double {
        func least(_ slice: SVISlice) -> Double {
            let distance = max(0, low - slice.m, slice.m - high)
            return (distance * distance + slice.sigma * slice.sigma).squareRoot()
        }
        let (r1, r2) = (least(earlier), least(later))
        // Of r: σ²/r³ and at most 3σ²/r⁴.
        let (second1, second2) = (square(earlier.sigma / r1) / r1, square(later.sigma / r2) / r2)
        let (third1, third2) = (3 * second1 / r1, 3 * second2 / r2)
        let apart = earlier.b * third1 + later.b * third2
        let shift = earlier.m - later.m
        let rest = (later.sigma - earlier.sigma) * (later.sigma + earlier.sigma)
        let atLow = shift * ((low - earlier.m) + (low - later.m)) + rest
        let atHigh = shift * ((high - earlier.m) + (high - later.m)) + rest
        let product = max(atLow.magnitude, atHigh.magnitude)
        // Derivatives of 1/(r₁ + r₂), whose slope is at most 2.
        let inverse = 1 / (r1 + r2)
        let second = second1 + second2
        let byTwo = inverse * inverse * (second + 8 * inverse)
        let byThree = inverse * inverse * (third1 + third2 + inverse * (12 * second + 48 * inverse))
        let together =
            (later.b - earlier.b).magnitude * third2
            + earlier.b * (product * byThree + 6 * shift.magnitude * byTwo)
        return 1.0001 * min(apart, together)
    }

    private func square(_ x: Double) -> Double { x * x }

    /// Whether the gap is surely above 0 from k on to a side: the asymptotes' gap, which does not fall there, is more than
    /// the earlier curve lies above its own.
    private func isPositiveBeyond(_ k: Double, _ side: Double) -> Bool {
        let (one, other) = (side * (k - earlier.m), side * (k - later.m))
        guard one > 0, other > 0 else { return false }
        let (near, far) =
            side > 0
            ? (earlier.rightSlope, later.rightSlope) : (earlier.leftSlope, later.leftSlope)
        let reach = (one * one + earlier.sigma * earlier.sigma).squareRoot() + one
        let above = earlier.b * earlier.sigma * earlier.sigma / reach
        let asymptotes = later.a - earlier.a - bound + far * other - near * one
        let rounding =
            0x1p-48
            * (later.a.magnitude + earlier.a.magnitude + bound.magnitude + far * other + near * one)
        return far >= near && asymptotes - above > rounding
    }
}
