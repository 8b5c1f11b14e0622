/// The way from rows of contracts to sums of groups. Both give the same numbers but for the last digits.
public enum SummationPath: Sendable {
    /// Leg by leg: the same bits on every machine.
    case sparse
    /// As a matrix product, for groups that hold much of what there is: the same bits on AVX2 and AVX-512.
    case dense

    /// By the cost of a leg and that of a cell of the matrix. Measured once and for all: the same positions take the
    /// same path on every machine.
    static func cheaper(
        legs: Int, sparseCost: Double, groups: Int, rows: Int, denseCost: Double
    ) -> SummationPath {
        // Groups come in eights.
        let cells = Double((groups + 7) / 8 * 8) * Double(rows)
        return cells * denseCost < Double(legs) * sparseCost ? .dense : .sparse
    }
}
