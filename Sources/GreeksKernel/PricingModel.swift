import VectorMath

/// A pricing model: from the columns of eight options to their price and Greeks.
///
/// A model is one page: this function, in terms of lanes. Loops, levels, instruction sets, tails and threads are
/// the same for all.
public protocol PricingModel {
    /// As in tables and on the command line.
    static var name: String { get }
    /// What is special about it, for those who choose: `prices of either sign`.
    static var summary: String { get }
    /// The range that it accepts.
    static var range: AcceptedRange { get }
    /// The Greeks that its function assigns.
    static var greeks: GreekSet { get }
    /// How a price gives the volatility back.
    static var inverse: ModelInverse { get }

    static func greeks<A: LaneArithmetic>(
        _ arithmetic: A.Type, _ input: FullFormColumns, at index: Int
    ) -> GreekLanes
}

/// The models that there are; raw values are those of the C interface.
public enum OptionModel: Int, Sendable, CaseIterable {
    case blackScholesMerton
    case bachelier
    case cashOrNothing

    /// Its page.
    public var definition: any PricingModel.Type {
        switch self {
        case .blackScholesMerton: BlackScholesMerton.self
        case .bachelier: Bachelier.self
        case .cashOrNothing: CashOrNothing.self
        }
    }

    /// As in tables and on the command line.
    public var name: String { definition.name }

    /// What is special about it.
    public var summary: String { definition.summary }

    /// The range that it accepts.
    public var range: AcceptedRange { definition.range }

    /// The Greeks that it computes.
    public var greeks: GreekSet { definition.greeks }
}

/// The entry points of models, one each, for any selection of Greeks.
public protocol ModelTable {
    associatedtype Arithmetic: RowArithmetic

    static func blackScholesMerton(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns)
    static func bachelier(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns)
    static func cashOrNothing(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns)
}

extension ModelTable {
    @inlinable @inline(never)
    public static func blackScholesMerton(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns) {
        fullForm(SomeLevel.self, CachedWriter.self, input, count, output)
    }

    @inlinable @inline(never)
    public static func bachelier(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns) {
        anyGreeks(Bachelier.self, input, count, output)
    }

    @inlinable @inline(never)
    public static func cashOrNothing(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns) {
        anyGreeks(CashOrNothing.self, input, count, output)
    }

    @inlinable @inline(__always)
    static func anyGreeks<M: PricingModel>(
        _ model: M.Type, _ input: FullFormColumns, _ count: Int, _ output: GreekColumns
    ) {
        var index = 0
        while index < count {
            store(
                SomeLevel.self, CachedWriter.self, M.greeks(Arithmetic.self, input, at: index), to: output,
                at: index)
            index &+= 8
        }
    }
}

extension OptionModel {
    /// Calls its entry point.
    public func compute(
        _ table: any ModelTable.Type, _ input: FullFormColumns, _ count: Int, _ output: GreekColumns
    ) {
        switch self {
        case .blackScholesMerton: table.blackScholesMerton(input, count, output)
        case .bachelier: table.bachelier(input, count, output)
        case .cashOrNothing: table.cashOrNothing(input, count, output)
        }
    }
}
