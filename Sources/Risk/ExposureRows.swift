import Greeks
// What exposures are is said beside the kernel that computes them; who reads exposures imports Risk alone.
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
    let base: UnsafeMutablePointer<Double>

    /// All exposures 0.
    init(count: Int) {
        self.count = count
        let size = max(8, (count + 7) / 8 * 8) * Self.stride
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: size * MemoryLayout<Double>.stride, alignment: 64)
        base = raw.bindMemory(to: Double.self, capacity: size)
        base.initialize(repeating: 0, count: size)
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }

    subscript(row: Int, greek: ExposureGreek) -> Double {
        get {
            precondition(row >= 0 && row < count, "row out of range")
            return base[row * Self.stride + greek.rawValue]
        }
        set {
            precondition(row >= 0 && row < count, "row out of range")
            base[row * Self.stride + greek.rawValue] = newValue
        }
    }
}

extension ExposureMap {
    /// Of an option.
    /// - Parameters:
    ///   - forward: F, the price of the option's own future.
    ///   - share: how much of the index's move F takes part in before expiry (`SettlementWindow`).
    init(isInverse: Bool, forward: Double, share: Double, in numeraire: Numeraire) {
        let left = SettlementWindow.Factors(share: share)
        var terms = ExposureTerms()
        terms.isInverse = isInverse
        terms.forward = forward
        terms.numeraire = numeraire
        terms.left = (left.delta, left.gamma, left.vanna, left.charm)
        self.init(terms)
    }
}
