import VectorMath

/// The entry points of the kernel, compiled for one instruction set: the table that an engine holds.
///
/// An instruction-set module conforms one type to it, naming its arithmetic. The bodies are this protocol's defaults,
/// inlined into that module's witnesses: the conformance is the table, and code of one instruction set has no name
/// that the linker could take for another's.
///
/// Columns are read as they are, at any alignment: callers validate (see `Greeks`). Counts of options are multiples
/// of 8. `streamed` entries write past the caches, to columns on cache lines. Nothing is allocated.
public protocol KernelTable: ModelTable, SendableMetatype {
    associatedtype Streaming: LaneWriter

    /// Whether all of `count` rows are within what the formulas accept. NaN is not; nor, though the formulas accept
    /// it, is a price of 0, or a time or a volatility of −0, so that false means "look at each row".
    ///
    /// As quick as reading the columns: callers from outside check every batch with it. A double in [0, h] is one
    /// whose bits, as an integer, and whose distance to the bits of h, have no sign: a subtraction and an "or", where
    /// comparisons have fewer units to run on.
    static func accepts(_ input: FullFormColumns, count: Int, _ range: AcceptedRange) -> Bool

    // Full form by levels, Black-Scholes-Merton; any other selection and model is in `ModelTable`.
    static func fullFormPrice(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns)
    static func fullFormBook(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns)
    static func fullFormAll(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns)
    static func fullFormBookStreamed(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns)
    static func fullFormAllStreamed(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns)

    // Slice form by levels, and for any selection.
    static func sliceFormPrice(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ count: Int,
        _ input: SliceFormColumns, _ output: GreekColumns)
    static func sliceFormBook(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ count: Int,
        _ input: SliceFormColumns, _ output: GreekColumns)
    static func sliceFormAll(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ count: Int,
        _ input: SliceFormColumns, _ output: GreekColumns)
    static func sliceFormBookStreamed(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ count: Int,
        _ input: SliceFormColumns, _ output: GreekColumns)
    static func sliceFormAllStreamed(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ count: Int,
        _ input: SliceFormColumns, _ output: GreekColumns)
    static func sliceFormSome(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ count: Int,
        _ input: SliceFormColumns, _ output: GreekColumns)

    /// Slice form straight into rows of exposures: row i, `WeightedRows.width` doubles long, holds those of option i
    /// in the order of `ExposureGreek`, by a map for each slice. What is behind them in a row is not for use.
    static func sliceExposures(
        _ slices: UnsafePointer<Slice>, _ maps: UnsafePointer<ExposureMap>, offsets: UnsafePointer<Int>,
        sliceCount: Int, _ input: SliceFormColumns, into rows: UnsafeMutablePointer<Double>)

    /// Fills `slices` from columns of spot, years, rate and dividend.
    static func prepareSlices(
        spot: UnsafePointer<Double>, years: UnsafePointer<Double>, rate: UnsafePointer<Double>,
        dividend: UnsafePointer<Double>, count: Int, into slices: UnsafeMutablePointer<Slice>)

    /// ln K in two parts for a column of strikes.
    static func logarithms(
        of strike: UnsafePointer<Double>, count: Int, high: UnsafeMutablePointer<Double>,
        low: UnsafeMutablePointer<Double>)

    /// Sums of a book along eight paths: the kernel in lanes across paths, so that strikes and times are broadcast
    /// and markets are vectors.
    ///
    /// - Parameters:
    ///   - markets: `steps` of them.
    ///   - expiries: `steps` × `expiryCount`, row by row.
    ///   - offsets: the options of expiry e are `offsets[e]` to `offsets[e + 1] − 1`.
    ///   - live: per step the first expiry that has not settled; expiries come in order of time.
    static func pathSums(
        _ markets: UnsafePointer<PathMarket>, steps: Int, _ expiries: UnsafePointer<PathExpiry>,
        offsets: UnsafePointer<Int>, expiryCount: Int, live: UnsafePointer<Int>,
        _ options: UnsafePointer<PathOption>, into sums: UnsafeMutablePointer<PathSums>)

    /// Implied volatilities with a status each; NaN where there is none. Nothing need be checked before: every input
    /// has a status.
    ///
    /// Works on 32 options at a time, each step for all of them before the next: a step is a long chain of
    /// dependent operations, and the chains of neighbours run side by side.
    static func impliedVolatilities(
        _ input: PriceColumns, count: Int, volatility: UnsafeMutablePointer<Double>,
        status: UnsafeMutablePointer<UInt8>)

    // Full revaluation of `count` legs in every scenario of a plan: see `scenarioForm`.
    static func scenarioFormPrice(
        _ plan: ScenarioPlan, _ legs: ScenarioColumns, _ count: Int, _ rows: UnsafeMutablePointer<Double>,
        _ stride: Int)
    static func scenarioFormProfit(
        _ plan: ScenarioPlan, _ legs: ScenarioColumns, _ count: Int, _ rows: UnsafeMutablePointer<Double>,
        _ stride: Int)
    static func scenarioFormCoinProfit(
        _ plan: ScenarioPlan, _ legs: ScenarioColumns, _ count: Int, _ rows: UnsafeMutablePointer<Double>,
        _ stride: Int)

    /// Rows of exposures summed with a weight for every contract and group, as a matrix product. A row has `width` of
    /// them, 10 or 12: five or six accumulators at a time are few enough for the sixteen registers of AVX2, and
    /// enough to keep the units busy.
    ///
    /// Weights stand in eights of groups: those of groups 8b to 8b + 7 for contract k are the eight doubles at
    /// `weights[(b · rowCount + k) · 8]`. Row g of `sums`, `WeightedRows.width` doubles long, gets group g's; its
    /// columns behind the exposures become 0. Each sum adds in the order of the contracts, rounding once, so that
    /// AVX2 and AVX-512 give the same bits.
    static func exposureProducts(
        rows: UnsafePointer<Double>, rowCount: Int, weights: UnsafePointer<Double>, groupEights: Int,
        width: Int, into sums: UnsafeMutablePointer<Double>)

    /// Sums rows by weight, one row of sums per group: the same bits on every instruction set.
    static func sumWeightedRows(_ input: WeightedRows, into sums: UnsafeMutablePointer<Double>)

    /// Adds rows of any width by weight to rows of sums: the same bits on every instruction set.
    /// - Parameters:
    ///   - stride: doubles from one row, and one sum, to the next; all on cache lines.
    ///   - vectors: how wide rows are, in eights.
    ///   - sumOfGroup: the row of sums to which group g adds its terms `offsets[g]` to `offsets[g + 1] − 1`.
    static func addWeightedRows(
        _ rows: UnsafePointer<Double>, stride: Int, vectors: Int, rowOfTerm: UnsafePointer<Int32>,
        weights: UnsafePointer<Double>, sumOfGroup: UnsafePointer<Int32>, offsets: UnsafePointer<Int>,
        groupCount: Int, into sums: UnsafeMutablePointer<Double>)

    /// Adds a matrix product of rows of any width to rows of sums, in eights of sums: see
    /// `VectorMath.addRowProducts`.
    static func addRowProducts(
        _ rows: UnsafePointer<Double>, rowCount: Int, stride: Int, vectors: Int,
        weights: UnsafePointer<Double>, eights: Int, into sums: UnsafeMutablePointer<Double>)
}

// What is compiled for a level, a result or another room's body; the other bodies stand with their formulas.
extension KernelTable {
    @inlinable @inline(never)
    public static func fullFormPrice(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns) {
        fullForm(PriceLevel.self, CachedWriter.self, input, count, output)
    }

    @inlinable @inline(never)
    public static func fullFormBook(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns) {
        fullForm(BookLevel.self, CachedWriter.self, input, count, output)
    }

    @inlinable @inline(never)
    public static func fullFormAll(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns) {
        fullForm(FullLevel.self, CachedWriter.self, input, count, output)
    }

    @inlinable @inline(never)
    public static func fullFormBookStreamed(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns) {
        fullForm(BookLevel.self, Streaming.self, input, count, output)
    }

    @inlinable @inline(never)
    public static func fullFormAllStreamed(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns) {
        fullForm(FullLevel.self, Streaming.self, input, count, output)
    }

    @inlinable @inline(never)
    public static func sliceFormPrice(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ count: Int,
        _ input: SliceFormColumns, _ output: GreekColumns
    ) {
        sliceForm(PriceLevel.self, CachedWriter.self, slices, offsets, count, input, output)
    }

    @inlinable @inline(never)
    public static func sliceFormBook(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ count: Int,
        _ input: SliceFormColumns, _ output: GreekColumns
    ) {
        sliceForm(BookLevel.self, CachedWriter.self, slices, offsets, count, input, output)
    }

    @inlinable @inline(never)
    public static func sliceFormAll(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ count: Int,
        _ input: SliceFormColumns, _ output: GreekColumns
    ) {
        sliceForm(FullLevel.self, CachedWriter.self, slices, offsets, count, input, output)
    }

    @inlinable @inline(never)
    public static func sliceFormBookStreamed(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ count: Int,
        _ input: SliceFormColumns, _ output: GreekColumns
    ) {
        sliceForm(BookLevel.self, Streaming.self, slices, offsets, count, input, output)
    }

    @inlinable @inline(never)
    public static func sliceFormAllStreamed(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ count: Int,
        _ input: SliceFormColumns, _ output: GreekColumns
    ) {
        sliceForm(FullLevel.self, Streaming.self, slices, offsets, count, input, output)
    }

    @inlinable @inline(never)
    public static func sliceFormSome(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ count: Int,
        _ input: SliceFormColumns, _ output: GreekColumns
    ) {
        sliceForm(SomeLevel.self, CachedWriter.self, slices, offsets, count, input, output)
    }

    @inlinable @inline(never)
    public static func scenarioFormPrice(
        _ plan: ScenarioPlan, _ legs: ScenarioColumns, _ count: Int, _ rows: UnsafeMutablePointer<Double>,
        _ stride: Int
    ) {
        scenarioForm(
            Arithmetic.self, ScenarioPrice.self, plan, legs, count: count, into: rows, stride: stride)
    }

    @inlinable @inline(never)
    public static func scenarioFormProfit(
        _ plan: ScenarioPlan, _ legs: ScenarioColumns, _ count: Int, _ rows: UnsafeMutablePointer<Double>,
        _ stride: Int
    ) {
        scenarioForm(
            Arithmetic.self, ScenarioProfit.self, plan, legs, count: count, into: rows, stride: stride)
    }

    @inlinable @inline(never)
    public static func scenarioFormCoinProfit(
        _ plan: ScenarioPlan, _ legs: ScenarioColumns, _ count: Int, _ rows: UnsafeMutablePointer<Double>,
        _ stride: Int
    ) {
        scenarioForm(
            Arithmetic.self, ScenarioCoinProfit.self, plan, legs, count: count, into: rows, stride: stride)
    }

    @inlinable @inline(never)
    public static func sumWeightedRows(_ input: WeightedRows, into sums: UnsafeMutablePointer<Double>) {
        VectorMath.sumWeightedRows(input, into: sums)
    }

    @inlinable @inline(never)
    public static func addWeightedRows(
        _ rows: UnsafePointer<Double>, stride: Int, vectors: Int, rowOfTerm: UnsafePointer<Int32>,
        weights: UnsafePointer<Double>, sumOfGroup: UnsafePointer<Int32>, offsets: UnsafePointer<Int>,
        groupCount: Int, into sums: UnsafeMutablePointer<Double>
    ) {
        VectorMath.addWeightedRows(
            rows: rows, stride: stride, vectors: vectors, rowOfTerm: rowOfTerm, weights: weights,
            sumOfGroup: sumOfGroup, offsets: offsets, groupCount: groupCount, into: sums)
    }

    @inlinable @inline(never)
    public static func addRowProducts(
        _ rows: UnsafePointer<Double>, rowCount: Int, stride: Int, vectors: Int,
        weights: UnsafePointer<Double>, eights: Int, into sums: UnsafeMutablePointer<Double>
    ) {
        VectorMath.addRowProducts(
            Arithmetic.self, rows: rows, rowCount: rowCount, stride: stride, vectors: vectors,
            weights: weights, eights: eights, into: sums)
    }
}
