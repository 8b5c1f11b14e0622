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
    func signOfGap(to later: SVISlice, less bound: Double) -> SignVerdict {
        let gap = Gap(earlier: self, later: later, bound: bound)
        var budget = SignBudget()
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

    /// The sign of the gap on one side of the centre. Without a zero of the quartic it is that of one point; around its
    /// other zeros the slopes decide, which rise along both curves.
    func sign(
        _ quartic: HalfLinePolynomial<5>, side: Double, _ budget: inout SignBudget, depth: Int
    ) -> SignVerdict {
        let k = centre + side * scale * quartic.middle
        let (value, error) = (at(k), error(k))
        if value < -error { return .negative(at: k) }
        if value > error {
            if quartic.isPositive || quartic.isNegative { return .positive }
            let ends = [centre + side * scale * quartic.lowEnd, centre + side * scale * quartic.highEnd]
            let (low, high) = (min(ends[0], ends[1]), max(ends[0], ends[1]))
            if low > -.infinity, high < .infinity {
                let fall = later[low].slope - earlier[high].slope
                let rise = later[high].slope - earlier[low].slope
                let most = max(0, -fall * (high - k), rise * (k - low))
                if value - most > 2 * error { return .positive }
            }
        }
        if depth == 0 || (quartic.isNoise && value <= error) || budget.isSpent { return .undecided(near: k) }
        let (left, right) = quartic.halves
        let first = sign(left, side: side, &budget, depth: depth - 1)
        if case .negative = first { return first }
        let second = sign(right, side: side, &budget, depth: depth - 1)
        if case .negative = second { return second }
        return first == .positive ? second : first
    }
}
