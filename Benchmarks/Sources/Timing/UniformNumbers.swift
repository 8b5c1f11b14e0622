/// Seeded numbers in [0, 1): the same inputs in every run.
public struct UniformNumbers {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    public init() {}

    /// The next number (xorshift, 53 bits).
    public mutating func callAsFunction() -> Double {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Double(state >> 11) * 0x1p-53
    }
}
