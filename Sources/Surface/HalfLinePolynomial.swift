/// What is known of a function's sign on an interval.
package enum SignVerdict: Sendable, Equatable {
    /// Above 0 everywhere.
    case positive
    /// Below 0 at this point.
    case negative(at: Double)
    /// 0 to within rounding at about this point, and nowhere below it by more.
    case undecided(near: Double)
}

/// A polynomial on (0, ∞), whose coefficients are known to within bounds.
///
/// With u = t/(1 − t), (1 − t)ⁿ P(u) has the coefficients cᵢ/C(n, i) in Bernstein's basis on [0, 1]. Where none is below
/// 0, P isn't either; halving an interval is rows of averages (de Casteljau), and averages of bounds bound the result, so
/// that rounding never decides.
package struct HalfLinePolynomial<let count: Int> {
    private var value: InlineArray<count, Double>
    /// How far off each coefficient may be; 0 for one that is exactly 0.
    private var error: InlineArray<count, Double>
    /// The part of t ∈ [0, 1] that they belong to.
    private(set) var low = 0.0
    private(set) var high = 1.0

    /// - Parameters:
    ///   - coefficients: lowest power first.
    ///   - magnitudes: sums of the absolute values of what each was added up from, in some thirty roundings at most.
    package init(coefficients: InlineArray<count, Double>, magnitudes: InlineArray<count, Double>) {
        value = coefficients
        error = magnitudes
        var binomial = 1.0
        for i in 0..<count {
            value[i] /= binomial
            error[i] *= 32 * unit / binomial
            binomial = binomial * Double(count - 1 - i) / Double(i + 1)
        }
    }

    /// Whether the polynomial is surely above 0 within the interval, or surely below.
    package var isPositive: Bool { isDefinite(1) }
    package var isNegative: Bool { isDefinite(-1) }

    private func isDefinite(_ sign: Double) -> Bool {
        var isZero = true
        for i in 0..<count {
            if sign * value[i] > error[i] {
                isZero = false
            } else if value[i] != 0 || error[i] != 0 {
                return false
            }
        }
        return !isZero
    }

    /// Whether all that is known of it is rounding.
    var isNoise: Bool {
        for i in 0..<count where !(value[i].magnitude <= 4 * error[i]) { return false }
        return true
    }

    /// The interval's ends, as values of u.
    package var lowEnd: Double { low / (1 - low) }
    package var highEnd: Double { high / (1 - high) }
    package var middle: Double {
        let t = 0.5 * (low + high)
        return t / (1 - t)
    }

    /// The polynomial on the two halves of the interval.
    package var halves: (Self, Self) {
        var left = self
        var right = self
        for level in 1..<count {
            for i in 0..<(count - level) {
                right.value[i] = 0.5 * (right.value[i] + right.value[i + 1])
                right.error[i] =
                    0.5 * (right.error[i] + right.error[i + 1]) * (1 + 4 * unit)
                    + right.value[i].magnitude * unit
            }
            left.value[level] = right.value[0]
            left.error[level] = right.error[0]
        }
        left.high = 0.5 * (low + high)
        right.low = left.high
        return (left, right)
    }

    /// The sign within the interval: halves are looked at until each is decided, or so many have been looked at.
    package func sign() -> SignVerdict {
        var budget = SignBudget()
        return sign(&budget, depth: 60)
    }

    private func sign(_ budget: inout SignBudget, depth: Int) -> SignVerdict {
        if isPositive { return .positive }
        if value[0] < -error[0], low > 0 { return .negative(at: lowEnd) }
        if value[count - 1] < -error[count - 1], high < 1 { return .negative(at: highEnd) }
        if depth == 0 || isNoise || budget.isSpent { return .undecided(near: middle) }
        let (left, right) = halves
        let first = left.sign(&budget, depth: depth - 1)
        if case .negative = first { return first }
        let second = right.sign(&budget, depth: depth - 1)
        if case .negative = second { return second }
        return first == .positive ? second : first
    }
}

/// How many intervals a certificate looks at: curves that touch along a stretch would have it look at all of them.
struct SignBudget {
    private var left: Int

    init(intervals: Int = 600) { left = intervals }

    var isSpent: Bool {
        mutating get {
            left -= 1
            return left < 0
        }
    }
}

/// Half of the distance from 1 to the next double: what a rounding may take.
private var unit: Double { 0x1p-53 }
