/// Eight doubles, worked on at once: one AVX-512 register, two AVX2 registers, four SSE2 or NEON ones.
public typealias Lanes = SIMD8<Double>

/// The bit patterns of eight doubles.
public typealias LaneBits = SIMD8<UInt64>

/// A truth value per lane.
public typealias LaneMask = SIMDMask<SIMD8<Int64>>

/// The operations on eight lanes whose best form depends on the instruction set.
///
/// All else that the bodies need (`+ - * /`, comparisons, bit operations) is Swift's own `SIMD8<Double>`: eight scalar
/// operations, which LLVM's vectorizer joins again (`scripts/check-kernel` counts where it does not). It cannot join
/// `addingProduct` and `squareRoot`, which are eight calls: each instruction-set module supplies them.
public protocol LaneArithmetic {
    /// a·b + c, rounded once where the instruction set can, else twice.
    static func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes
    /// The rounding error of `product` = a·b: exactly a·b − product.
    static func productError(_ a: Lanes, _ b: Lanes, _ product: Lanes) -> Lanes
    /// Whether a mask holds in any lane.
    static func any(_ mask: LaneMask) -> Bool
    /// The correctly rounded square root.
    static func squareRoot(_ a: Lanes) -> Lanes
    /// Of a table of eight the entry that the low three bits of each lane name.
    static func entries(of table: Lanes, at index: LaneBits) -> Lanes
    /// A power of two by which the second of two polynomials in lockstep is scaled, without effect on the
    /// result. 1 lets both share each constant in a register; 2 makes the constants differ, so that each
    /// is used once and becomes part of the instruction that uses it, where the instruction set can.
    static var secondScale: Double { get }
    /// Whether 24 sums of eight doubles can stay in registers.
    static var hasManyRegisters: Bool { get }
    /// After it, the compiler reads again what it has read before. With many registers in use, keeping what a load or
    /// two give back costs more: a spill is a store, which on Zen 5 takes the place of two multiply-adds.
    static func forgetMemory()
}

extension LaneArithmetic {
    @inlinable @inline(__always) public static var secondScale: Double { 1 }
    @inlinable @inline(__always) public static var hasManyRegisters: Bool { false }
    @inlinable @inline(__always) public static func forgetMemory() {}

    @inlinable @inline(__always)
    public static func entries(of table: Lanes, at index: LaneBits) -> Lanes {
        var result = Lanes.zero
        for lane in 0..<8 { result[lane] = table[Int(truncatingIfNeeded: index[lane] & 7)] }
        return result
    }

    /// `productError` without fused multiply-add: Dekker's splitting into halves of 26 bits.
    /// Not exact for |a| or |b| above 2⁹⁹⁵.
    @inlinable @inline(__always)
    public static func splitProductError(_ a: Lanes, _ b: Lanes, _ product: Lanes) -> Lanes {
        let splitter = Lanes(repeating: 0x1p27 + 1)
        let scaledA = a * splitter
        let highA = scaledA - (scaledA - a)
        let lowA = a - highA
        let scaledB = b * splitter
        let highB = scaledB - (scaledB - b)
        let lowB = b - highB
        return ((highA * highB - product) + highA * lowB + lowA * highB) + lowA * lowB
    }
}

extension SIMD8<Double> {
    /// The lanes as bit patterns.
    @inlinable @inline(__always)
    public var bits: LaneBits { unsafeBitCast(self, to: LaneBits.self) }

    /// The lanes whose bit patterns these are.
    @inlinable @inline(__always)
    public init(bits: LaneBits) { self = unsafeBitCast(bits, to: Lanes.self) }

    /// |x|.
    @inlinable @inline(__always)
    public var absolute: Lanes { Lanes(bits: bits & LaneBits(repeating: 0x7FFF_FFFF_FFFF_FFFF)) }

    /// −x. Swift's own prefix operator computes 0 − x, which does not become part of a multiply-add.
    @inlinable @inline(__always)
    public var negated: Lanes { Lanes(repeating: -0.0) - self }

    /// The lanes with their signs flipped where `signBit` is 1 << 63, unchanged where it is 0.
    @inlinable @inline(__always)
    public func flippingSign(_ signBit: LaneBits) -> Lanes { Lanes(bits: bits ^ signBit) }

    /// The smaller of each lane and the bound; the bound for NaN.
    @inlinable @inline(__always)
    public func atMost(_ bound: Double) -> Lanes {
        let bound = Lanes(repeating: bound)
        return bound.replacing(with: self, where: self .< bound)
    }

    /// The larger of each lane and the bound; the bound for NaN.
    @inlinable @inline(__always)
    public func atLeast(_ bound: Double) -> Lanes {
        let bound = Lanes(repeating: bound)
        return bound.replacing(with: self, where: self .> bound)
    }

    /// The larger of two lanes; `other` where this one is NaN.
    @inlinable @inline(__always)
    public func larger(_ other: Lanes) -> Lanes { other.replacing(with: self, where: self .> other) }

    /// The smaller of two lanes; `other` where this one is NaN.
    @inlinable @inline(__always)
    public func smaller(_ other: Lanes) -> Lanes { other.replacing(with: self, where: self .< other) }

    /// The lanes where the mask holds, 0 elsewhere.
    @inlinable @inline(__always)
    public func kept(where mask: LaneMask) -> Lanes {
        Lanes.zero.replacing(with: self, where: mask)
    }
}
