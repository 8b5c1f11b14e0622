/// Ranges that the formulas accept, checked at the door by `Greeks`.
public enum Domain {
    /// The least positive spot or strike; the formulas have cubes of their reciprocals. 0 is computed as this: right
    /// for all but prices that are themselves of this size.
    @inlinable @inline(__always) public static var leastPrice: Double { 0x1p-250 }
    /// The largest spot or strike.
    @inlinable @inline(__always) public static var largestPrice: Double { 0x1p250 }
    /// The largest |spot|, |strike| and volatility of the Bachelier model, whose Greeks have cubes of their
    /// quotients.
    @inlinable @inline(__always) public static var largestNormalPrice: Double { 0x1p100 }
    /// The largest |rate·years| and |dividend·years|: the largest price discounted by it stays finite.
    @inlinable @inline(__always) public static var largestExponent: Double { 350 }
    /// The same for the Bachelier model, where a forward as far from its spot would meet densities that are 0.
    @inlinable @inline(__always) public static var largestNormalExponent: Double { 100 }
    /// The largest |rate| and |dividend|.
    @inlinable @inline(__always) public static var largestRate: Double { 350e6 }
    /// The largest years and volatility.
    @inlinable @inline(__always) public static var largestYears: Double { 1e6 }
    @inlinable @inline(__always) public static var largestVolatility: Double { 1e6 }
}

/// Bounds that keep every intermediate finite at T = 0 and σ = 0; far below anything a market quotes.
@usableFromInline
enum Floor {
    /// The least σ√T that is divided by. At or below it the density terms are 0. Large enough that d1², and
    /// the polynomials in d1, stay finite for any spot and strike.
    @inlinable @inline(__always) static var deviation: Double { 0x1p-60 }
    /// The least T that is divided by.
    @inlinable @inline(__always) static var years: Double { 0x1p-200 }
}
