import Greeks
// Exposures are defined beside the kernel that computes them; to read them, importing Risk is enough.
@_exported import enum GreeksKernel.ExposureGreek
@_exported import enum GreeksKernel.Numeraire
import Market
import VectorMath

/// Rows of exposures in memory: each starts on a cache line and is padded to whole vectors, and there
/// is room for whole eights of them.
final class ExposureRows: @unchecked Sendable {
    /// Doubles from one row to the next.
    static let stride = WeightedRows.width
    let count: Int
    private let storage: ColumnStorage<Double>

    /// All exposures 0.
    init(count: Int) {
        self.count = count
        storage = ColumnStorage(repeating: 0, count: max(8, (count + 7) / 8 * 8) * Self.stride)
    }

    /// The rows of others, and behind them more.
    init(_ others: ExposureRows, grownTo count: Int) {
        self.count = count
        storage = ColumnStorage(others.storage, grownTo: max(8, (count + 7) / 8 * 8) * Self.stride, 0)
    }

    /// The first row, for kernels; valid as long as the rows.
    var base: UnsafeMutablePointer<Double> { unsafe storage.pointer }

    subscript(row: Int, greek: ExposureGreek) -> Double {
        get {
            precondition(row >= 0 && row < count, "row out of range")
            return storage[row * Self.stride + greek.rawValue]
        }
        set {
            precondition(row >= 0 && row < count, "row out of range")
            storage[row * Self.stride + greek.rawValue] = newValue
        }
    }
}

extension ExposureTerms {
    /// Of an option.
    /// - Parameters:
    ///   - forward: F, the price of the option's own future.
    ///   - years: to expiry.
    ///   - share: how much of the index's move F takes part in before expiry (`SettlementWindow`).
    @inline(__always)
    init(isInverse: Bool, forward: Double, years: Double, share: Double, in numeraire: Numeraire) {
        let left = SettlementWindow.Factors(share: share)
        self.init()
        self.isInverse = isInverse
        self.forward = forward
        self.years = years
        self.numeraire = numeraire
        self.left = (left.delta, left.gamma, left.vanna, left.charm)
    }
}
