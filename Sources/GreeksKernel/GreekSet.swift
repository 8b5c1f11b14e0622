import VectorMath

/// Which Greeks a call computes. Under Black–Scholes–Merton `price`, `book` and `all` have loops of their own, in which the
/// others cost nothing; any other set, and any other model, shares one that skips what has no column.
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

extension GreekSet {
    /// The price alone.
    @_transparent public static var price: GreekSet { GreekSet(rawValue: 0x1) }
    /// Price, delta, gamma, vega, theta, rho, vanna, volga, charm: what a book is run on.
    @_transparent public static var book: GreekSet { GreekSet(rawValue: 0x3BF) }
    /// The fifteen that every model computes.
    @_transparent public static var standard: GreekSet { GreekSet(rawValue: 0x7FFF) }
    /// All that there are.
    @_transparent public static var all: GreekSet {
        GreekSet(rawValue: 1 &<< UInt32(truncatingIfNeeded: GreekArray<Lanes>.count) &- 1)
    }
}
