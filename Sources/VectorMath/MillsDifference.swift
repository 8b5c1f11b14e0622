/// M(x − t) − M(x + t) with M = N(−x)/exp(−x²/2), for 0 ≤ t ≤ 1/16 and x ≥ 0, where the difference of the
/// two would keep only its last digits.
/// - Accuracy: see `AccuracyTests`.
/// - Method: 2(t m + t³m″/3! + t⁵m⁗/5! + …) with m = −M′. M′ = x M − 1/√(2π) gives m′ = x m − M and from
///   there m⁽ⁿ⁺¹⁾ = x m⁽ⁿ⁾ + (n + 1) m⁽ⁿ⁻¹⁾. These cancel as x grows, but then their terms hardly count.
@inlinable @inline(__always)
public func smallMillsDifference<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ x: Lanes, _ t: Lanes
) -> Lanes {
    let (p, q) = millsDecline(arithmetic, x)
    let m0 = p / q
    let (mills, _) = upperTails(arithmetic, x, x, scale: Lanes(repeating: 1))
    let m1 = A.multiplyAdd(x, m0, mills.negated)
    let m2 = A.multiplyAdd(x, m1, m0 * Lanes(repeating: 2))
    let m3 = A.multiplyAdd(x, m2, m1 * Lanes(repeating: 3))
    let m4 = A.multiplyAdd(x, m3, m2 * Lanes(repeating: 4))
    let m5 = A.multiplyAdd(x, m4, m3 * Lanes(repeating: 5))
    let m6 = A.multiplyAdd(x, m5, m4 * Lanes(repeating: 6))
    let m7 = A.multiplyAdd(x, m6, m5 * Lanes(repeating: 7))
    let m8 = A.multiplyAdd(x, m7, m6 * Lanes(repeating: 8))
    // Horner in t², 1/(2k + 1)! as quotients of neighbours.
    let w = t * t
    var sum = A.multiplyAdd(m8, w * Lanes(repeating: 1.0 / 72), m6)
    sum = A.multiplyAdd(sum, w * Lanes(repeating: 1.0 / 42), m4)
    sum = A.multiplyAdd(sum, w * Lanes(repeating: 1.0 / 20), m2)
    sum = A.multiplyAdd(sum, w * Lanes(repeating: 1.0 / 6), m0)
    return (t + t) * sum
}
