/// What became of an option.
public enum AmericanStatus: UInt8, Sendable, CaseIterable {
    /// It is worth holding, and may be worth exercising before expiry.
    case ok = 0
    /// It is worth exercising at once: its price is what exercise gives.
    case exercise
    /// It is never worth exercising before expiry (a call where q ≤ 0 and q ≤ r, a put where r ≤ 0 and r ≤ q): it is the
    /// European option, to the bit.
    case neverEarly
    /// Refused: between two boundaries (a put where q < r < 0, a call where r < q < 0). NaN.
    case doubleBoundary
    /// Refused: a volatility, rate or time beyond `AmericanDomain`. NaN.
    case outsideRange
    /// It has expired: its price is what exercise gives.
    case expired
}

/// Ranges beyond the formulas' own that American options are computed for.
public enum AmericanDomain {
    /// The least and the largest σ√T.
    @inlinable @inline(__always) public static var leastDeviation: Double { 0x1p-20 }
    @inlinable @inline(__always) public static var largestDeviation: Double { 6 }
    /// The largest |r|T and |q|T.
    @inlinable @inline(__always) public static var largestExponent: Double { 12 }
    /// The largest |r|√T/σ and |q|√T/σ: how far rates carry the spot, in standard deviations.
    @inlinable @inline(__always) public static var largestDrift: Double { 20 }
    /// The least rate that is earned by exercising early; from 0 to here it counts as 0.
    @inlinable @inline(__always) public static var leastRatio: Double { 0x1p-100 }
}
