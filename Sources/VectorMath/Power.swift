/// xᵖ for x ≥ 0, lane by lane: 0 at 0 for every positive p, NaN for negative x or NaN.
///
/// - Range: normal x in [2⁻¹⁰²⁰, 2¹⁰²⁰] or 0, |p ln x| at most 700.
/// - Accuracy: 4.4·(1 + |p ln x|/2) ulp: the exponent's rounding, passed on (see `AccuracyTests`).
@inlinable @inline(__always)
public func power<A: LaneArithmetic>(_ arithmetic: A.Type, _ x: Lanes, _ p: Lanes) -> Lanes {
    let positive = x .> Lanes.zero
    let safe = Lanes(repeating: 1).replacing(with: x, where: positive)
    let raised = exponential(arithmetic, p * logarithmOfRatio(arithmetic, safe, Lanes(repeating: 1)))
    // 0 where x is 0, NaN where it is neither positive nor 0.
    return (x * Lanes(repeating: .nan)).replacing(with: raised, where: positive)
        .replacing(with: Lanes.zero, where: x .== Lanes.zero)
}
