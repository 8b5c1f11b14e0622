/// Random numbers by address: a seed, a stream, a path, a step and a draw within the step name a pair of numbers, the
/// same on every machine, for any number of threads and in any order.
///
/// Streams keep what should be independent apart (returns, jumps, failures of a venue), so that adding to one leaves
/// the others as they were. Eight neighbouring paths are drawn at once.
public struct RandomStream: Sendable {
    @usableFromInline let seed: UInt64
    @usableFromInline let stream: UInt32

    public init(seed: UInt64, stream: UInt32) {
        self.seed = seed
        self.stream = stream
    }

    /// 128 random bits for each of the paths `firstPath` to `firstPath + 7`.
    @inlinable @inline(__always)
    public func words(firstPath: UInt32, step: UInt32, draw: UInt32 = 0) -> Philox.Words {
        let paths =
            (LaneBits(repeating: UInt64(firstPath)) &+ LaneBits(0, 1, 2, 3, 4, 5, 6, 7))
            & LaneBits(repeating: 0xFFFF_FFFF)
        return Philox.words(
            counter: (
                LaneBits(repeating: UInt64(draw)), LaneBits(repeating: UInt64(step)), paths,
                LaneBits(repeating: UInt64(stream))
            ), key: seed)
    }

    /// Two independent uniform numbers per path, odd multiples of 2⁻⁵³: never 0 or 1, and 1 − u is as likely as u.
    @inlinable @inline(__always)
    public func uniforms(firstPath: UInt32, step: UInt32, draw: UInt32 = 0) -> (Lanes, Lanes) {
        let (a, b, c, d) = words(firstPath: firstPath, step: step, draw: draw)
        return (uniform(a, b), uniform(c, d))
    }

    /// Two independent standard normal numbers per path, from the same bits as `uniforms`: for one draw take either.
    ///
    /// - Range: ±8.6; 0 does not occur.
    /// - Accuracy: 4 ulp of the exact function of the two uniforms (see `RandomTests`).
    /// - Method: √(−2 ln u)·(cos 2πv, sin 2πv).
    /// - Source: Box, Muller, A note on the generation of random normal deviates, 1958.
    @inlinable @inline(__always)
    public func normals<A: LaneArithmetic>(
        _ arithmetic: A.Type, firstPath: UInt32, step: UInt32, draw: UInt32 = 0
    ) -> (Lanes, Lanes) {
        let (u, v) = uniforms(firstPath: firstPath, step: step, draw: draw)
        return normalPair(arithmetic, u, v)
    }
}

/// The odd multiple of 2⁻⁵³ that the upper 52 of 64 bits name.
@inlinable @inline(__always)
func uniform(_ low: LaneBits, _ high: LaneBits) -> Lanes {
    // 1 + k·2⁻⁵², less almost 1: exact, as every such difference has 53 bits.
    let significand = (high &<< 20) | (low &>> 12)
    return Lanes(bits: significand | LaneBits(repeating: 0x3FF0_0000_0000_0000))
        - Lanes(repeating: 1 - 0x1p-53)
}

/// √(−2 ln u)·(cos 2πv, sin 2πv) for u and v in (0, 1).
@inlinable @inline(__always)
public func normalPair<A: LaneArithmetic>(_ arithmetic: A.Type, _ u: Lanes, _ v: Lanes) -> (Lanes, Lanes) {
    let radius = A.squareRoot(logarithmOfRatio(arithmetic, u, Lanes(repeating: 1)) * Lanes(repeating: -2))
    let (cosine, sine) = cosineAndSineOfTurns(arithmetic, v)
    return (radius * cosine, radius * sine)
}
