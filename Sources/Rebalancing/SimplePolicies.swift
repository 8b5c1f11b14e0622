import Market
import VectorMath

/// Never trades: the book as it is.
public struct NeverRebalance: RebalancingPolicy {
    public init() {}
    public var name: String { "never" }
    public func band(_ state: borrowing RebalancingState) -> RebalancingBand { .hold }
}

/// Back to neutral at every step.
public struct AlwaysRebalance: RebalancingPolicy {
    public init() {}
    public var name: String { "always" }
    public func band(_ state: borrowing RebalancingState) -> RebalancingBand { .neutral }
}

extension NeverRebalance: ConfiguredPolicy {
    package static var kind: String { "never" }

    package static func family(
        _ settings: Settings, _ market: PolicyMarket
    ) throws -> PolicyFamily { PolicyFamily("never", NeverRebalance()) }
}

extension AlwaysRebalance: ConfiguredPolicy {
    package static var kind: String { "always" }

    package static func family(
        _ settings: Settings, _ market: PolicyMarket
    ) throws -> PolicyFamily { PolicyFamily("every step", AlwaysRebalance()) }
}
