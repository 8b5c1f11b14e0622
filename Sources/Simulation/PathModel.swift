import VectorMath

/// The source of paths: a process, or prices of the past.
public protocol PathModel: Sendable {
    /// Number of different paths; nil for any number.
    var pathCount: Int? { get }
    /// The steps that a path takes, where the model decides it: replays have the steps of their data.
    var grid: TimeGrid { get }

    /// Fills a block with the paths `firstPath` to `firstPath + 7`.
    ///
    /// Path and seed alone decide what is written, the same bits on every machine: any path can be had again
    /// alone, in any lane. Beyond `pathCount` paths begin anew.
    /// - Parameter block: with as many steps as the grid.
    func fill(_ block: PathBlock, seed: UInt64, firstPath: Int)
}

extension PathModel {
    public var pathCount: Int? { nil }
}

/// The streams of random numbers, kept apart so that one more draw in one of them leaves all others as they
/// were. Those from 64 on are free for what happens to an order: failures, fills, gas.
public enum PathStream {
    public static let returns: UInt32 = 0
    public static let variance: UInt32 = 1
    public static let jumps: UInt32 = 2
    public static let regimes: UInt32 = 3
    public static let ranges: UInt32 = 4
    public static let blocks: UInt32 = 5
    public static let surface: UInt32 = 6
    public static let free: UInt32 = 64
}
