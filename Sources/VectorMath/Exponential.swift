/// exp(x + low), with a correction `low` too small to be added to x.
///
/// - Range: 0 below −708 (no subnormal results), NaN for NaN; x must not exceed 709.
/// - Accuracy: see `AccuracyTests`; the result is a function of the inputs alone, the same bits on every
///   instruction set with fused multiply-add.
/// - Method: x = k ln 2 + r, |r| ≤ ½ ln 2, exp(r) by a polynomial, 2ᵏ by adding to the exponent bits.
@inlinable @inline(__always)
public func exponential<A: LaneArithmetic>(_ arithmetic: A.Type, _ x: Lanes, low: Lanes) -> Lanes {
    // Adding 1.5·2⁵² leaves round(x/ln 2) in the low bits of the sum.
    let shifter = Lanes(repeating: 0x1.8p52)
    let shifted = A.multiplyAdd(x, Lanes(repeating: 0x1.71547652b82fep0), shifter)
    let k = shifted - shifter
    var r = A.multiplyAdd(k, Lanes(repeating: -logOfTwoHigh), x)
    r = A.multiplyAdd(k, Lanes(repeating: -logOfTwoLow), r) + low
    let tail = exponentialTail(arithmetic, r)
    let one = Lanes(repeating: 1)
    let power = A.multiplyAdd(tail, r * r, r) + one
    let scaled = Lanes(bits: power.bits &+ (shifted.bits &<< 52))
    return scaled.kept(where: .!(x .< Lanes(repeating: -708)))
}

/// exp(x) for x in [−708, 709]; 0 below.
@inlinable @inline(__always)
public func exponential<A: LaneArithmetic>(_ arithmetic: A.Type, _ x: Lanes) -> Lanes {
    exponential(arithmetic, x, low: Lanes.zero)
}
