/// cos 2πx and sin 2πx.
///
/// - Range: |x| at most 2⁵⁰; nothing is checked.
/// - Accuracy: see `RandomTests`; also next to the zeros in the relative sense, as the reduction is exact.
/// - Method: the nearest quarter turn is taken off; then Taylor series on |θ| ≤ π/4, whose first neglected terms are
///   8e-20 and 2e-18 of the results.
@inlinable @inline(__always)
public func cosineAndSineOfTurns<A: LaneArithmetic>(_ arithmetic: A.Type, _ x: Lanes) -> (Lanes, Lanes) {
    // 1.5·2⁵² leaves the rounded number of quarter turns in the low bits.
    let shifter = Lanes(repeating: 0x1.8p52)
    let shifted = x * Lanes(repeating: 4) + shifter
    let quarter = shifted.bits
    let rest = x - (shifted - shifter) * Lanes(repeating: 0.25)
    let angle = rest * Lanes(repeating: 2 * Double.pi)
    let square = angle * angle

    var sine = Lanes(repeating: 1 / 355_687_428_096_000)
    sine = A.multiplyAdd(sine, square, Lanes(repeating: -1 / 1_307_674_368_000))
    sine = A.multiplyAdd(sine, square, Lanes(repeating: 1 / 6_227_020_800))
    sine = A.multiplyAdd(sine, square, Lanes(repeating: -1 / 39_916_800))
    sine = A.multiplyAdd(sine, square, Lanes(repeating: 1 / 362_880))
    sine = A.multiplyAdd(sine, square, Lanes(repeating: -1 / 5_040))
    sine = A.multiplyAdd(sine, square, Lanes(repeating: 1 / 120))
    sine = A.multiplyAdd(sine, square, Lanes(repeating: -1.0 / 6))
    sine = A.multiplyAdd(sine * square, angle, angle)

    var cosine = Lanes(repeating: 1 / 20_922_789_888_000)
    cosine = A.multiplyAdd(cosine, square, Lanes(repeating: -1 / 87_178_291_200))
    cosine = A.multiplyAdd(cosine, square, Lanes(repeating: 1 / 479_001_600))
    cosine = A.multiplyAdd(cosine, square, Lanes(repeating: -1 / 3_628_800))
    cosine = A.multiplyAdd(cosine, square, Lanes(repeating: 1 / 40_320))
    cosine = A.multiplyAdd(cosine, square, Lanes(repeating: -1 / 720))
    cosine = A.multiplyAdd(cosine, square, Lanes(repeating: 1.0 / 24))
    cosine = A.multiplyAdd(cosine, square, Lanes(repeating: -0.5))
    cosine = A.multiplyAdd(cosine, square, Lanes(repeating: 1))

    // Odd quarters swap the two; cosine is negative in quarters 1 and 2, sine in 2 and 3.
    let odd: LaneMask = (quarter & LaneBits(repeating: 1)) .!= LaneBits.zero
    let one = LaneBits(repeating: 1)
    let cosineSign = ((quarter &+ one) &<< 62) & LaneBits(repeating: 1 << 63)
    let sineSign = (quarter &<< 62) & LaneBits(repeating: 1 << 63)
    return (
        cosine.replacing(with: sine, where: odd).flippingSign(cosineSign),
        sine.replacing(with: cosine, where: odd).flippingSign(sineSign)
    )
}
