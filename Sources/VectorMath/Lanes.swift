/// Eight doubles, worked on at once: one AVX-512 register, two AVX2 registers, four SSE2 or NEON ones.
public typealias Lanes = SIMD8<Double>

/// The operations on eight lanes whose best form depends on the instruction set.
///
/// Everything else that the bodies need (`+ - * /`, comparisons, bit operations) compiles to single
/// instructions from Swift's own `SIMD8<Double>`.
public protocol LaneArithmetic {
    /// a·b + c, rounded once where the instruction set can, else twice.
    static func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes
    /// The correctly rounded square root.
    static func squareRoot(_ a: Lanes) -> Lanes
}
