import GreeksKernel
import VectorMath

/// The entry points of American options, compiled for one instruction set: the bodies are this protocol's defaults,
/// inlined into the conforming module. Nothing is allocated.
public protocol AmericanTable: SendableMetatype {
    associatedtype Arithmetic: LaneArithmetic

    /// Prices and Greeks of eights of options.
    static func greeks(
        _ input: FullFormColumns, _ count: Int, _ rule: UnsafePointer<AmericanRule>,
        _ working: UnsafeMutablePointer<Double>, _ output: UnsafePointer<AmericanColumns>)
    /// Volatilities that prices imply, of eights of options.
    static func impliedVolatilities(
        _ input: PriceColumns, _ count: Int, _ rule: UnsafePointer<AmericanRule>,
        _ working: UnsafeMutablePointer<Double>, volatility: UnsafeMutablePointer<Double>,
        status: UnsafeMutablePointer<UInt8>)
}

/// Where results go: of the Greek with raw value i, where the selection has it, to the column i · `stride` doubles behind
/// `greeks`.
@unsafe public struct AmericanColumns {
    public var greeks: UnsafeMutablePointer<Double>
    public var stride: Int
    public var selection: GreekSet
    /// The spot at which the option is exercised today; NaN where it never is.
    public var boundary: UnsafeMutablePointer<Double>
    public var status: UnsafeMutablePointer<UInt8>

    @inlinable
    public init(
        greeks: UnsafeMutablePointer<Double>, stride: Int, selection: GreekSet,
        boundary: UnsafeMutablePointer<Double>, status: UnsafeMutablePointer<UInt8>
    ) {
        self.greeks = greeks
        self.stride = stride
        self.selection = selection
        self.boundary = boundary
        self.status = status
    }

    @inlinable @inline(__always)
    func column(_ index: Int) -> UnsafeMutablePointer<Double>? {
        selection.rawValue &>> UInt32(truncatingIfNeeded: index) & 1 == 0 ? nil : greeks + index * stride
    }
}

extension GreekSet {
    /// What is computed of American options.
    public static var american: GreekSet { standard }
}

/// Which input of a premium is moved to differentiate by it.
@usableFromInline
enum PremiumVariant {
    @inlinable @inline(__always) static var count: Int { 9 }
    @inlinable @inline(__always) static var base: Int { 0 }
    @inlinable @inline(__always) static var volatility: Int { 1 }
    @inlinable @inline(__always) static var rate: Int { 3 }
    @inlinable @inline(__always) static var dividend: Int { 5 }
    /// The volatility moved further, for its third derivative.
    @inlinable @inline(__always) static var farVolatility: Int { 7 }
}

extension AmericanTable {
    @inlinable
    public static func greeks(
        _ input: FullFormColumns, _ count: Int, _ rule: UnsafePointer<AmericanRule>,
        _ working: UnsafeMutablePointer<Double>, _ output: UnsafePointer<AmericanColumns>
    ) {
        AmericanKernel<Arithmetic>.greeks(input, count, rule.pointee, working, output.pointee)
    }

    @inlinable
    public static func impliedVolatilities(
        _ input: PriceColumns, _ count: Int, _ rule: UnsafePointer<AmericanRule>,
        _ working: UnsafeMutablePointer<Double>, volatility: UnsafeMutablePointer<Double>,
        status: UnsafeMutablePointer<UInt8>
    ) {
        AmericanKernel<Arithmetic>.impliedVolatilities(
            input, count, rule.pointee, working, volatility: volatility, status: status)
    }
}
