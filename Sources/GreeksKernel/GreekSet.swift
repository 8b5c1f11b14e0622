/// The Greeks that a call computes. `price`, `book` and `all` have loops of their own, in which the others cost
/// nothing; any other set shares one that skips what it does not hold.
public struct GreekSet: OptionSet, Hashable, Sendable {
    /// Bit i stands for the Greek whose raw value is i.
    public let rawValue: UInt32

    @_transparent
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// One Greek.
    @inlinable
    public init(_ greek: Greek) { rawValue = 1 << UInt32(greek.rawValue) }

    /// Some Greeks.
    @inlinable
    public init(_ greeks: some Sequence<Greek>) {
        rawValue = greeks.reduce(0) { $0 | 1 << UInt32($1.rawValue) }
    }

    /// The Greeks that it holds, in `Greek` order.
    public var greeks: [Greek] { Greek.allCases.filter(contains) }

    /// Whether it holds a Greek.
    @_transparent
    public func contains(_ greek: Greek) -> Bool {
        rawValue & 1 &<< UInt32(truncatingIfNeeded: greek.index) != 0
    }
}
