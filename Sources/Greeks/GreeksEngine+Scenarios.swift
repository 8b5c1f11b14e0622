import GreeksBaseline
import GreeksKernel
import VectorMath

#if arch(x86_64)
    import GreeksAVX2
    import GreeksAVX512
#endif

extension GreeksEngine {
    /// What legs are worth, or gain, in every scenario of a plan: see `scenarioForm`.
    public enum ScenarioResult: Sendable {
        /// V', in quote currency.
        case price
        /// V' − V, in quote currency.
        case profit
        /// V'/S' − V/S where the premium is paid in coin, (V' − V)/S' where it is paid in quote currency.
        case coinProfit
    }

    /// Full revaluation of `count` legs (a multiple of 8) in every scenario of a plan. Row i, `stride` doubles after
    /// the one before, is leg i's.
    public func scenarioForm(
        _ result: ScenarioResult, _ plan: ScenarioPlan, _ legs: ScenarioColumns, count: Int,
        into rows: UnsafeMutablePointer<Double>, stride: Int
    ) {
        switch (instructionSet, result) {
        #if arch(x86_64)
            case (.avx512, .price): GreeksAVX512.scenarioFormPrice(plan, legs, count, rows, stride)
            case (.avx512, .profit): GreeksAVX512.scenarioFormProfit(plan, legs, count, rows, stride)
            case (.avx512, .coinProfit): GreeksAVX512.scenarioFormCoinProfit(plan, legs, count, rows, stride)
            case (.avx2, .price): GreeksAVX2.scenarioFormPrice(plan, legs, count, rows, stride)
            case (.avx2, .profit): GreeksAVX2.scenarioFormProfit(plan, legs, count, rows, stride)
            case (.avx2, .coinProfit): GreeksAVX2.scenarioFormCoinProfit(plan, legs, count, rows, stride)
        #endif
        case (_, .price): GreeksBaseline.scenarioFormPrice(plan, legs, count, rows, stride)
        case (_, .profit): GreeksBaseline.scenarioFormProfit(plan, legs, count, rows, stride)
        case (_, .coinProfit): GreeksBaseline.scenarioFormCoinProfit(plan, legs, count, rows, stride)
        }
    }

    /// Adds rows of any width by weight to rows of sums: the same bits on every instruction set.
    /// - Parameters:
    ///   - stride: doubles from one row, and one sum, to the next; all on cache lines.
    ///   - vectors: how wide rows are, in eights.
    ///   - sumOfGroup: the row of sums to which group g adds its terms `offsets[g]` to `offsets[g + 1] − 1`.
    public func addWeightedRows(
        _ rows: UnsafePointer<Double>, stride: Int, vectors: Int, rowOfTerm: UnsafePointer<Int32>,
        weights: UnsafePointer<Double>, sumOfGroup: UnsafePointer<Int32>, offsets: UnsafePointer<Int>,
        groupCount: Int, into sums: UnsafeMutablePointer<Double>
    ) {
        switch instructionSet {
        #if arch(x86_64)
            case .avx512:
                GreeksAVX512.addWeightedRows(
                    rows, stride, vectors, rowOfTerm, weights, sumOfGroup, offsets, groupCount, sums)
            case .avx2:
                GreeksAVX2.addWeightedRows(
                    rows, stride, vectors, rowOfTerm, weights, sumOfGroup, offsets, groupCount, sums)
        #endif
        default:
            GreeksBaseline.addWeightedRows(
                rows, stride, vectors, rowOfTerm, weights, sumOfGroup, offsets, groupCount, sums)
        }
    }

    /// Adds a matrix product of rows of any width to rows of sums, in eights of sums: see
    /// `VectorMath.addRowProducts`.
    public func addRowProducts(
        _ rows: UnsafePointer<Double>, rowCount: Int, stride: Int, vectors: Int,
        weights: UnsafePointer<Double>, eights: Int, into sums: UnsafeMutablePointer<Double>
    ) {
        switch instructionSet {
        #if arch(x86_64)
            case .avx512:
                GreeksAVX512.addRowProducts(rows, rowCount, stride, vectors, weights, eights, sums)
            case .avx2:
                GreeksAVX2.addRowProducts(rows, rowCount, stride, vectors, weights, eights, sums)
        #endif
        default: GreeksBaseline.addRowProducts(rows, rowCount, stride, vectors, weights, eights, sums)
        }
    }

    /// Rows of figures summed with a weight for every contract and group, in eights of groups: see
    /// `GreeksKernel.figureProducts`.
    public func figureProducts(
        _ rows: UnsafePointer<Double>, rowCount: Int, weights: UnsafePointer<Double>, groupEights: Int,
        figureCount: Int, into sums: UnsafeMutablePointer<Double>
    ) {
        switch instructionSet {
        #if arch(x86_64)
            case .avx512:
                GreeksAVX512.figureProducts(
                    rows, rowCount, weights, groupEights, figureCount, sums)
            case .avx2:
                GreeksAVX2.figureProducts(
                    rows, rowCount, weights, groupEights, figureCount, sums)
        #endif
        default:
            GreeksBaseline.figureProducts(
                rows, rowCount, weights, groupEights, figureCount, sums)
        }
    }
}
