/// Which Greeks a call computes. `price`, `book` and `all` have loops of their own, in which the others cost
/// nothing; any other set shares one that skips what it does not hold.
public struct GreekSet: OptionSet, Hashable, Sendable {
    /// Bit i stands for the Greek whose raw value is i.
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// One Greek.
    @inlinable
    public init(_ greek: Greek) { rawValue = 1 << UInt16(greek.rawValue) }

    /// Some Greeks.
    @inlinable
    public init(_ greeks: some Sequence<Greek>) {
        rawValue = greeks.reduce(0) { $0 | 1 << UInt16($1.rawValue) }
    }

    /// The price alone.
    public static let price = GreekSet(.price)
    /// Price, delta, gamma, vega, theta, rho, vanna, volga, charm: what a book is run on.
    public static let book = GreekSet([.price, .delta, .gamma, .vega, .theta, .rho, .vanna, .volga, .charm])
    /// All fifteen.
    public static let all = GreekSet(Greek.allCases)

    /// The Greeks that it holds, in `Greek` order.
    public var greeks: [Greek] { Greek.allCases.filter(contains) }

    /// Whether it holds a Greek.
    @inlinable
    public func contains(_ greek: Greek) -> Bool { rawValue & 1 << UInt16(greek.rawValue) != 0 }
}
