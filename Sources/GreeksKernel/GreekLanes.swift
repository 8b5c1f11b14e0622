import VectorMath

/// The outputs for eight options, by Greek.
///
/// A body computes all of them; the compiler removes what a loop never stores, and moves what it stores only where there
/// is a column behind the test for it.
public struct GreekLanes {
    @usableFromInline var lanes: GreekArray<Lanes>

    /// All 0.
    @inlinable @inline(__always)
    public init() { lanes = GreekArray(repeating: .zero) }

    /// The lanes of a Greek.
    @inlinable
    public subscript(greek: Greek) -> Lanes {
        @_transparent get { lanes[unchecked: greek.index] }
        @_transparent set { lanes[unchecked: greek.index] = newValue }
    }

    /// The lanes of a Greek by its raw value, for loops over all.
    @inlinable @inline(__always)
    public func lanes(_ index: Int) -> Lanes { lanes[unchecked: index] }

    /// Replaces the lanes of a Greek by its raw value.
    @inlinable @inline(__always)
    public mutating func set(_ lanes: Lanes, _ index: Int) { self.lanes[unchecked: index] = lanes }
}

/// The outputs: one column of doubles per Greek, any alignment; nil for what a call does not
/// compute.
@unsafe public struct GreekColumns {
    @usableFromInline var columns: GreekArray<UnsafeMutablePointer<Double>?>

    /// Whether bulk results may go around the caches. `GreekMatrix` says so from 2 MiB on, where it has asked for huge
    /// pages (the system may have refused): on pages of 4 KiB fifteen such streams wait for address translation longer
    /// than they save.
    public var allowsStreaming = false

    /// All columns from a function of the Greek.
    @inlinable
    public init(_ column: (Greek) -> UnsafeMutablePointer<Double>?) {
        columns = GreekArray { column(Greek(index: $0)) }
    }

    /// The column of a Greek.
    @inlinable
    public subscript(greek: Greek) -> UnsafeMutablePointer<Double>? {
        @_transparent get { columns[unchecked: greek.index] }
    }
}

@inlinable @inline(__always)
func store(_ lanes: Lanes, to column: UnsafeMutablePointer<Double>?, at index: Int) {
    UnsafeMutableRawPointer(column.unsafelyUnwrapped + index).storeBytes(of: lanes, as: Lanes.self)
}

/// The way in which a loop writes eight results.
public protocol LaneWriter {
    static func write(_ lanes: Lanes, to column: UnsafeMutablePointer<Double>?, at index: Int)
    /// After the last of a call: what was written can be read by all.
    static func finish()
}

/// Through the caches, to any address.
public enum CachedWriter: LaneWriter {
    @inlinable @inline(__always)
    public static func write(_ lanes: Lanes, to column: UnsafeMutablePointer<Double>?, at index: Int) {
        store(lanes, to: column, at: index)
    }

    @inlinable @inline(__always)
    public static func finish() {}
}

/// A level: which outputs a loop stores, chosen when the loop is compiled.
public protocol GreekLevel {
    /// The outputs stored; their columns must be there, unless `skipsMissing`.
    static var greeks: GreekSet { get }
    /// Whether those without a column are skipped. The choice costs a branch per Greek and eight options, always the
    /// same way.
    static var skipsMissing: Bool { get }
}

public enum PriceLevel: GreekLevel {
    @_transparent public static var greeks: GreekSet { .price }
    @_transparent public static var skipsMissing: Bool { false }
}

public enum BookLevel: GreekLevel {
    @_transparent public static var greeks: GreekSet { .book }
    @_transparent public static var skipsMissing: Bool { false }
}

public enum FullLevel: GreekLevel {
    @_transparent public static var greeks: GreekSet { .all }
    @_transparent public static var skipsMissing: Bool { false }
}

/// The Greeks that have a column.
public enum SomeLevel: GreekLevel {
    @_transparent public static var greeks: GreekSet { .all }
    @_transparent public static var skipsMissing: Bool { true }
}

/// Writes the outputs of a level.
@_transparent @inlinable
func store<L: GreekLevel, W: LaneWriter>(
    _ level: L.Type, _ writer: W.Type, _ greeks: GreekLanes, to output: GreekColumns, at index: Int
) {
    Greek.forEach { greek in
        guard L.greeks.contains(greek), !L.skipsMissing || output[greek] != nil else { return }
        W.write(greeks[greek], to: output[greek], at: index)
    }
}
