/// exp(x).
///
/// - Range: x at most 709; 0 below −708 (no subnormal results), NaN for NaN.
/// - Accuracy: see `AccuracyTests`; the result is a function of the input alone, the same bits on every
///   instruction set with fused multiply-add.
/// - Method: x = k ln 2 + r, |r| ≤ ½ ln 2, exp(r) by a polynomial, 2ᵏ by adding to the exponent bits.
@inlinable @inline(__always)
public func exponential<A: LaneArithmetic>(_ arithmetic: A.Type, _ x: Lanes) -> Lanes {
    let shifter = Lanes(repeating: exponentShifter)
    let shifted = A.multiplyAdd(x, Lanes(repeating: reciprocalLogOfTwo), shifter)
    let k = shifted - shifter
    var r = A.multiplyAdd(k, Lanes(repeating: -logOfTwoHigh), x)
    r = A.multiplyAdd(k, Lanes(repeating: -logOfTwoLow), r)
    return reducedExponential(arithmetic, r, shifted).kept(where: .!(x .< Lanes(repeating: -708)))
}

/// exp(x) and exp(y), the same bits as `exponential`.
///
/// Where all sixteen arguments are small, as rates times years mostly are, k is 0 and the range
/// reduction is skipped.
@inlinable @inline(__always)
public func exponentials<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ x: Lanes, _ y: Lanes
) -> (Lanes, Lanes) {
    // Below ½ ln 2 = 0.3466 the quotient rounds to 0.
    let small = Lanes(repeating: 0.34)
    if A.any((x.absolute .> small) .| (y.absolute .> small)) {
        return (exponential(arithmetic, x), exponential(arithmetic, y))
    }
    return (smallExponential(arithmetic, x), smallExponential(arithmetic, y))
}

/// exp(r) for |r| ≤ ½ ln 2.
@inlinable @inline(__always)
func smallExponential<A: LaneArithmetic>(_ arithmetic: A.Type, _ r: Lanes) -> Lanes {
    smallExponentialLessOne(arithmetic, r) + Lanes(repeating: 1)
}

/// exp(x) − 1 for |x| ≤ 0.34, accurate in the relative sense also next to 0.
@inlinable @inline(__always)
public func smallExponentialLessOne<A: LaneArithmetic>(_ arithmetic: A.Type, _ x: Lanes) -> Lanes {
    A.multiplyAdd(exponentialTail(arithmetic, x), x * x, x)
}

/// exp(r)·2ᵏ, with k in the low bits of `shifted`.
@inlinable @inline(__always)
func reducedExponential<A: LaneArithmetic>(_ arithmetic: A.Type, _ r: Lanes, _ shifted: Lanes) -> Lanes {
    let power = smallExponential(arithmetic, r)
    return Lanes(bits: power.bits &+ (shifted.bits &<< 52))
}

/// 1.5·2⁵²: added to x/ln 2 it leaves the rounded quotient in the low bits of the sum.
@inlinable @inline(__always) var exponentShifter: Double { 0x1.8p52 }
@inlinable @inline(__always) var reciprocalLogOfTwo: Double { 0x1.71547652b82fep0 }
