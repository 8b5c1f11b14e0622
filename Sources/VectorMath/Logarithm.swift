/// ln(a/b) for normal positive a and b, accurate in the relative sense also where a ≈ b.
///
/// - Range: a, b and a/b in [2⁻¹⁰²⁰, 2¹⁰²⁰]; nothing is checked.
/// - Accuracy: see `AccuracyTests`. The difference a − b·2ᵏ is exact, so nothing is lost near a = b,
///   where ln a − ln b would keep only the last digits.
/// - Method: a/b = 2ᵏ·(1 + z)/(1 − z) with |z| ≤ 0.2011, ln = k ln 2 + 2 artanh z.
@inlinable @inline(__always)
public func logarithmOfRatio<A: LaneArithmetic>(_ arithmetic: A.Type, _ a: Lanes, _ b: Lanes) -> Lanes {
    let (k, scaledB) = scaledToMatch(a, b)
    let z = (a - scaledB) / (a + scaledB)
    let w = z * z
    let small = A.multiplyAdd(z * w, logarithmTail(arithmetic, w), k * Lanes(repeating: logOfTwoLow))
    return A.multiplyAdd(k, Lanes(repeating: logOfTwoHigh), z + z) + small
}

/// ln a as an unevaluated sum: `high` is the logarithm to half an ulp or so, high + low to
/// about 1e-19.
///
/// The difference of two such sums keeps what ln a − ln b would lose near a = b.
/// - Range: normal positive a; nothing is checked.
@inlinable @inline(__always)
public func logarithmInTwoParts<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ a: Lanes
) -> (high: Lanes, low: Lanes) {
    let (k, scaledOne) = scaledToMatch(a, Lanes(repeating: 1))
    // Both sums with their rounding errors (the numerator has none), then z to twice the precision.
    let numerator = a - scaledOne
    let denominator = a + scaledOne
    let denominatorError = roundingErrorOfSum(a, scaledOne, denominator)
    let z = numerator / denominator
    let product = z * denominator
    let remainder =
        (numerator - product) - A.productError(z, denominator, product) - z * denominatorError
    let zLow = remainder / denominator

    // ln a = k ln 2 + 2z + ⅔z³ + z⁵·rest, the first three to twice the precision.
    let w = z * z
    let cube = z * w
    let cubeLow = A.productError(z, w, cube) + z * A.productError(z, z, w)
    let cubic = cube * Lanes(repeating: twoThirdsHigh)
    let cubicLow =
        A.productError(cube, Lanes(repeating: twoThirdsHigh), cubic)
        + A.multiplyAdd(cube, Lanes(repeating: twoThirdsLow), cubeLow * Lanes(repeating: twoThirdsHigh))
    // d(2 artanh z) = 2/(1 − z²) dz.
    let steepness = A.multiplyAdd(w, w, w) + Lanes(repeating: 1)
    let lowPart = (zLow + zLow) * steepness
    let twiceZ = z + z
    let wholePart = k * Lanes(repeating: logOfTwoHigh)
    let sum = wholePart + twiceZ
    let sumLow = roundingErrorOfSum(wholePart, twiceZ, sum)
    let tail = A.multiplyAdd(
        cube * w, logarithmRest(arithmetic, w),
        A.multiplyAdd(k, Lanes(repeating: logOfTwoLow), cubicLow + lowPart))
    let upper = sum + cubic
    let rest = (roundingErrorOfSum(sum, cubic, upper) + sumLow) + tail
    let high = upper + rest
    return (high, roundingErrorOfSum(upper, rest, high))
}

/// k and b·2ᵏ such that a/(b·2ᵏ) lies in [2/3, 3/2].
@inlinable @inline(__always)
func scaledToMatch(_ a: Lanes, _ b: Lanes) -> (k: Lanes, scaledB: Lanes) {
    // The bit pattern of a double is nearly linear in its logarithm: the difference of two patterns,
    // added to that of 1 and rounded to a whole exponent, is the pattern of 2ᵏ.
    let oneAndHalfStep = LaneBits(repeating: 0x3FF8_0000_0000_0000)
    let ratio = a.bits &- b.bits &+ oneAndHalfStep
    let scale = Lanes(bits: ratio & LaneBits(repeating: 0x7FF0_0000_0000_0000))
    // k from the exponent field, through the bits of 2⁵² + field.
    let field = (ratio &>> 52) | LaneBits(repeating: 0x4330_0000_0000_0000)
    return (Lanes(bits: field) - Lanes(repeating: 0x1p52 + 1023), b * scale)
}

/// a + b − sum, exactly (Knuth).
@inlinable @inline(__always)
public func roundingErrorOfSum(_ a: Lanes, _ b: Lanes, _ sum: Lanes) -> Lanes {
    let partB = sum - a
    return (a - (sum - partB)) + (b - partB)
}

/// ln 2 in two parts; the first ends in so many zeros that its product with an exponent is exact.
@inlinable @inline(__always) var logOfTwoHigh: Double { 0x1.62e42feep-1 }
@inlinable @inline(__always) var logOfTwoLow: Double { 0x1.a39ef35793c76p-33 }

/// ⅔ in two parts.
@inlinable @inline(__always) var twoThirdsHigh: Double { 0x1.5555555555555p-1 }
@inlinable @inline(__always) var twoThirdsLow: Double { 0x1.5555555555555p-55 }
