import VectorMath

/// What a value means: from the columns of eight options to their price and Greeks.
///
/// A model is one page: this function, in terms of lanes. Loops, levels, instruction sets, tails and threads are
/// the same for all.
public protocol PricingModel {
    static func greeks<A: LaneArithmetic>(
        _ arithmetic: A.Type, _ input: FullFormColumns, at index: Int
    ) -> GreekLanes
}

/// A lognormal underlying: the formulas of `Greek`.
public enum BlackScholesMerton: PricingModel {
    @inlinable @inline(__always)
    public static func greeks<A: LaneArithmetic>(
        _ arithmetic: A.Type, _ input: FullFormColumns, at index: Int
    ) -> GreekLanes { fullForm(arithmetic, input, at: index) }
}
