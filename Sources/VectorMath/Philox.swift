/// Philox 4×32 with ten rounds: 128 random bits as a function of a 128-bit counter and a 64-bit key, eight counters
/// at once. There is no state, so that any number of any sequence can be had alone and in any order.
///
/// - Accuracy: the published known answers (`PhiloxTests`); passes TestU01's BigCrush according to its authors.
/// - Source: Salmon, Moraes, Dror, Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011.
public enum Philox {
    /// Four words of 32 bits per lane, each in the low half of 64 bits.
    public typealias Words = (LaneBits, LaneBits, LaneBits, LaneBits)

    /// The words of eight counters. The high halves of `counter` must be 0.
    @inlinable @inline(__always)
    public static func words(counter: Words, key: UInt64) -> Words {
        var (a, b, c, d) = counter
        var low = UInt32(truncatingIfNeeded: key)
        var high = UInt32(truncatingIfNeeded: key >> 32)
        let half = LaneBits(repeating: 0xFFFF_FFFF)
        for _ in 0..<10 {
            let first = a &* LaneBits(repeating: 0xD251_1F53)
            let second = c &* LaneBits(repeating: 0xCD9E_8D57)
            a = (second &>> 32) ^ b ^ LaneBits(repeating: UInt64(low))
            b = second & half
            c = (first &>> 32) ^ d ^ LaneBits(repeating: UInt64(high))
            d = first & half
            // The golden ratio and √3 − 1.
            low &+= 0x9E37_79B9
            high &+= 0xBB67_AE85
        }
        return (a, b, c, d)
    }
}
