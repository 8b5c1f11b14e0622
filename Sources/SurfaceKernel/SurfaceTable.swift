import VectorMath

/// The entry points of fits, scans and queries, compiled for one instruction set: the bodies are this protocol's defaults,
/// inlined into the conforming module. Vectors go in and out through memory: how they are passed in registers depends on
/// the instruction set. Nothing is allocated.
public protocol SurfaceTable: SendableMetatype {
    associatedtype Arithmetic: SliceArithmetic

    /// The loss alone; NaN where a total variance is below 0.
    static func loss(_ quotes: UnsafePointer<QuoteColumns>, _ vector: UnsafePointer<SliceVector>) -> Double
    /// - Parameter isExact: all second derivatives; else without those of volatility by the parameters.
    static func expand(
        _ quotes: UnsafePointer<QuoteColumns>, _ vector: UnsafePointer<SliceVector>, isExact: Bool,
        into expansion: UnsafeMutablePointer<LossExpansion>)
    static func starts(
        _ quotes: UnsafePointer<QuoteColumns>, isWide: Bool, into starts: UnsafeMutablePointer<SliceStarts>)
    static func fit(_ quotes: UnsafePointer<QuoteColumns>, _ fit: UnsafeMutablePointer<SliceFit>)
    static func scanDurrleman(
        _ slice: UnsafePointer<SliceShape>, _ places: UnsafePointer<ScanPlaces>, blocks: Int,
        below limit: Double, into scan: UnsafePointer<ScanRows>
    ) -> Int
    static func scanGap(
        _ earlier: UnsafePointer<SliceShape>, _ later: UnsafePointer<SliceShape>, m: Double, sigma: Double,
        _ places: UnsafePointer<ScanPlaces>, blocks: Int, below limit: Double,
        into scan: UnsafePointer<ScanRows>
    ) -> Int
    static func query(
        _ section: UnsafePointer<SectionShape>, _ k: UnsafePointer<Double>, _ count: Int,
        _ columns: UnsafePointer<SectionColumns>)
}

extension SurfaceTable {
    @inlinable
    public static func loss(
        _ quotes: UnsafePointer<QuoteColumns>, _ vector: UnsafePointer<SliceVector>
    ) -> Double {
        let vector = vector.pointee
        let sigma = exponential(Arithmetic.self, Lanes(repeating: vector[4]))[0]
        return SliceKernel<Arithmetic>.loss(quotes.pointee, vector, sigma: sigma)
    }

    @inlinable
    public static func expand(
        _ quotes: UnsafePointer<QuoteColumns>, _ vector: UnsafePointer<SliceVector>, isExact: Bool,
        into expansion: UnsafeMutablePointer<LossExpansion>
    ) {
        let vector = vector.pointee
        let sigma = exponential(Arithmetic.self, Lanes(repeating: vector[4]))[0]
        expansion.pointee = SliceKernel<Arithmetic>.expansion(
            quotes.pointee, vector, sigma: sigma, isExact: isExact)
    }

    @inlinable
    public static func starts(
        _ quotes: UnsafePointer<QuoteColumns>, isWide: Bool, into starts: UnsafeMutablePointer<SliceStarts>
    ) {
        starts.pointee = StartGrid<Arithmetic>.starts(quotes.pointee, isWide: isWide)
    }

    @inlinable
    public static func fit(_ quotes: UnsafePointer<QuoteColumns>, _ fit: UnsafeMutablePointer<SliceFit>) {
        SliceFitting<Arithmetic>.run(quotes.pointee, &fit.pointee)
    }

    @inlinable
    public static func scanDurrleman(
        _ slice: UnsafePointer<SliceShape>, _ places: UnsafePointer<ScanPlaces>, blocks: Int,
        below limit: Double, into scan: UnsafePointer<ScanRows>
    ) -> Int {
        SliceKernel<Arithmetic>.scanDurrleman(
            slice.pointee, places, blocks: blocks, below: limit, into: scan.pointee)
    }

    @inlinable
    public static func scanGap(
        _ earlier: UnsafePointer<SliceShape>, _ later: UnsafePointer<SliceShape>, m: Double, sigma: Double,
        _ places: UnsafePointer<ScanPlaces>, blocks: Int, below limit: Double,
        into scan: UnsafePointer<ScanRows>
    ) -> Int {
        SliceKernel<Arithmetic>.scanGap(
            earlier.pointee, later.pointee, m: m, sigma: sigma, places, blocks: blocks, below: limit,
            into: scan.pointee)
    }

    @inlinable
    public static func query(
        _ section: UnsafePointer<SectionShape>, _ k: UnsafePointer<Double>, _ count: Int,
        _ columns: UnsafePointer<SectionColumns>
    ) {
        SliceKernel<Arithmetic>.query(section.pointee, k, count, columns.pointee)
    }
}
