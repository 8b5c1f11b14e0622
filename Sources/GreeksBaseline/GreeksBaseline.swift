import CKernels
import GreeksKernel
import VectorMath

/// The lane operations of the instruction set that every processor of this architecture has: SSE2,
/// without fused multiply-add, on x86-64; NEON, with it, on arm64.
enum Arithmetic: RowArithmetic {
    @inline(__always)
    static func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
        #if arch(arm64)
            poise_fused_multiply_add(a, b, c)
        #else
            a * b + c
        #endif
    }

    @inline(__always)
    static func productError(_ a: Lanes, _ b: Lanes, _ product: Lanes) -> Lanes {
        #if arch(arm64)
            poise_fused_multiply_add(a, b, product.negated)
        #else
            splitProductError(a, b, product)
        #endif
    }

    @inline(__always)
    static func any(_ mask: LaneMask) -> Bool { poise_any(unsafeBitCast(mask, to: SIMD8<Int64>.self)) }

    @inline(__always)
    static func squareRoot(_ a: Lanes) -> Lanes { poise_square_root(a) }

    @inline(__always)
    static func storeTransposed(
        _ a: (Lanes, Lanes, Lanes, Lanes, Lanes, Lanes, Lanes, Lanes),
        to rows: UnsafeMutablePointer<Double>, stride: Int
    ) {
        poise_store_transposed(rows, stride, a.0, a.1, a.2, a.3, a.4, a.5, a.6, a.7)
    }

    @inline(__always)
    static func storeTransposed(
        _ a: (Lanes, Lanes), to rows: UnsafeMutablePointer<Double>, stride: Int
    ) {
        poise_store_pairs(rows, stride, a.0, a.1)
    }
}

/// The entry points: each body of `GreeksKernel` once per level, called through `InstructionSet`.
public enum GreeksBaseline {
    @inline(never)
    public static func accepts(_ input: FullFormColumns, _ count: Int, _ range: AcceptedRange) -> Bool {
        areAccepted(Arithmetic.self, input, count: count, range)
    }

    @inline(never)
    public static func fullFormPrice(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns) {
        fullForm(
            Arithmetic.self, BlackScholesMerton.self, PriceLevel.self, CachedWriter.self, input, count: count,
            into: output)
    }

    @inline(never)
    public static func fullFormBook(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns) {
        fullForm(
            Arithmetic.self, BlackScholesMerton.self, BookLevel.self, CachedWriter.self, input, count: count,
            into: output)
    }

    @inline(never)
    public static func fullFormAll(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns) {
        fullForm(
            Arithmetic.self, BlackScholesMerton.self, FullLevel.self, CachedWriter.self, input, count: count,
            into: output)
    }

    @inline(never)
    public static func fullFormSome(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns) {
        fullForm(
            Arithmetic.self, BlackScholesMerton.self, SomeLevel.self, CachedWriter.self, input, count: count,
            into: output)
    }

    @inline(never)
    public static func bachelier(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns) {
        fullForm(
            Arithmetic.self, Bachelier.self, SomeLevel.self, CachedWriter.self, input, count: count,
            into: output)
    }

    @inline(never)
    public static func cashOrNothing(_ input: FullFormColumns, _ count: Int, _ output: GreekColumns) {
        fullForm(
            Arithmetic.self, CashOrNothing.self, SomeLevel.self, CachedWriter.self, input, count: count,
            into: output)
    }

    @inline(never)
    public static func sliceFormPrice(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ sliceCount: Int,
        _ input: SliceFormColumns, _ output: GreekColumns
    ) {
        sliceForm(
            Arithmetic.self, PriceLevel.self, CachedWriter.self, slices, offsets: offsets,
            sliceCount: sliceCount, input,
            into: output)
    }

    @inline(never)
    public static func sliceFormBook(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ sliceCount: Int,
        _ input: SliceFormColumns, _ output: GreekColumns
    ) {
        sliceForm(
            Arithmetic.self, BookLevel.self, CachedWriter.self, slices, offsets: offsets,
            sliceCount: sliceCount, input,
            into: output)
    }

    @inline(never)
    public static func sliceFormAll(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ sliceCount: Int,
        _ input: SliceFormColumns, _ output: GreekColumns
    ) {
        sliceForm(
            Arithmetic.self, FullLevel.self, CachedWriter.self, slices, offsets: offsets,
            sliceCount: sliceCount, input,
            into: output)
    }

    @inline(never)
    public static func sliceFormSome(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ sliceCount: Int,
        _ input: SliceFormColumns, _ output: GreekColumns
    ) {
        sliceForm(
            Arithmetic.self, SomeLevel.self, CachedWriter.self, slices, offsets: offsets,
            sliceCount: sliceCount, input,
            into: output)
    }

    @inline(never)
    public static func sliceFigures(
        _ slices: UnsafePointer<Slice>, _ maps: UnsafePointer<FigureMap>, _ offsets: UnsafePointer<Int>,
        _ sliceCount: Int, _ input: SliceFormColumns, _ rows: UnsafeMutablePointer<Double>
    ) {
        GreeksKernel.sliceFigures(
            Arithmetic.self, slices, maps, offsets: offsets, sliceCount: sliceCount, input, into: rows)
    }

    @inline(never)
    public static func sliceSums(
        _ slices: UnsafePointer<Slice>, _ offsets: UnsafePointer<Int>, _ sliceCount: Int,
        _ input: SliceFormColumns, _ quantities: UnsafePointer<Double>,
        _ sums: UnsafeMutablePointer<GreekSums>
    ) {
        GreeksKernel.sliceSums(
            Arithmetic.self, slices, offsets: offsets, sliceCount: sliceCount, input, quantities: quantities,
            into: sums)
    }

    @inline(never)
    public static func pathSums(
        _ markets: UnsafePointer<PathMarket>, _ steps: Int, _ expiries: UnsafePointer<PathExpiry>,
        _ offsets: UnsafePointer<Int>, _ expiryCount: Int, _ live: UnsafePointer<Int>,
        _ options: UnsafePointer<PathOption>, _ sums: UnsafeMutablePointer<PathSums>
    ) {
        GreeksKernel.pathSums(
            Arithmetic.self, markets, steps: steps, expiries, offsets: offsets, expiryCount: expiryCount,
            live: live, options, into: sums)
    }

    @inline(never)
    public static func prepareSlices(
        _ spot: UnsafePointer<Double>, _ years: UnsafePointer<Double>, _ rate: UnsafePointer<Double>,
        _ dividend: UnsafePointer<Double>, _ count: Int, _ slices: UnsafeMutablePointer<Slice>
    ) {
        GreeksKernel.prepareSlices(
            Arithmetic.self, spot: spot, years: years, rate: rate, dividend: dividend, count: count,
            into: slices)
    }

    @inline(never)
    public static func logarithms(
        _ strike: UnsafePointer<Double>, _ count: Int, _ high: UnsafeMutablePointer<Double>,
        _ low: UnsafeMutablePointer<Double>
    ) {
        GreeksKernel.logarithms(Arithmetic.self, of: strike, count: count, high: high, low: low)
    }

    @inline(never)
    public static func impliedVolatilities(
        _ input: PriceColumns, _ count: Int, _ volatility: UnsafeMutablePointer<Double>,
        _ status: UnsafeMutablePointer<UInt8>
    ) {
        GreeksKernel.impliedVolatilities(
            Arithmetic.self, input, count: count, volatility: volatility, status: status)
    }

    @inline(never)
    public static func sumWeightedRows(_ input: WeightedRows, _ sums: UnsafeMutablePointer<Double>) {
        VectorMath.sumWeightedRows(input, into: sums)
    }

    @inline(never)
    public static func scenarioFormPrice(
        _ plan: ScenarioPlan, _ legs: ScenarioColumns, _ count: Int, _ rows: UnsafeMutablePointer<Double>,
        _ stride: Int
    ) {
        scenarioForm(
            Arithmetic.self, ScenarioPrice.self, plan, legs, count: count, into: rows, stride: stride)
    }

    @inline(never)
    public static func scenarioFormProfit(
        _ plan: ScenarioPlan, _ legs: ScenarioColumns, _ count: Int, _ rows: UnsafeMutablePointer<Double>,
        _ stride: Int
    ) {
        scenarioForm(
            Arithmetic.self, ScenarioProfit.self, plan, legs, count: count, into: rows, stride: stride)
    }

    @inline(never)
    public static func scenarioFormCoinProfit(
        _ plan: ScenarioPlan, _ legs: ScenarioColumns, _ count: Int, _ rows: UnsafeMutablePointer<Double>,
        _ stride: Int
    ) {
        scenarioForm(
            Arithmetic.self, ScenarioCoinProfit.self, plan, legs, count: count, into: rows, stride: stride)
    }

    @inline(never)
    public static func addWeightedRows(
        _ rows: UnsafePointer<Double>, _ stride: Int, _ vectors: Int, _ rowOfTerm: UnsafePointer<Int32>,
        _ weights: UnsafePointer<Double>, _ sumOfGroup: UnsafePointer<Int32>, _ offsets: UnsafePointer<Int>,
        _ groupCount: Int, _ sums: UnsafeMutablePointer<Double>
    ) {
        VectorMath.addWeightedRows(
            rows: rows, stride: stride, vectors: vectors, rowOfTerm: rowOfTerm, weights: weights,
            sumOfGroup: sumOfGroup, offsets: offsets, groupCount: groupCount, into: sums)
    }

    @inline(never)
    public static func figureProducts(
        _ rows: UnsafePointer<Double>, _ rowCount: Int, _ weights: UnsafePointer<Double>,
        _ groupEights: Int, _ figureCount: Int, _ sums: UnsafeMutablePointer<Double>
    ) {
        GreeksKernel.figureProducts(
            Arithmetic.self, rows: rows, rowCount: rowCount, weights: weights, groupEights: groupEights,
            figureCount: figureCount, into: sums)
    }

    @inline(never)
    public static func addRowProducts(
        _ rows: UnsafePointer<Double>, _ rowCount: Int, _ stride: Int, _ vectors: Int,
        _ weights: UnsafePointer<Double>, _ eights: Int, _ sums: UnsafeMutablePointer<Double>
    ) {
        VectorMath.addRowProducts(
            Arithmetic.self, rows: rows, rowCount: rowCount, stride: stride, vectors: vectors,
            weights: weights, eights: eights, into: sums)
    }
}
