import VectorMath

/// How the Greeks of a contract become the figures that books sum: a linear map, in which units, settlement and
/// the currency of account are already worked in.
///
/// Figures in a row: value, delta, net delta, gamma, vega, theta, rho, vanna, volga, charm. Each is its own Greek
/// times the factor of its name, and four take a share of another Greek, too.
public struct FigureMap: Sendable {
    public var value, delta, gamma, vega, theta, rho, vanna, volga, charm: Double
    /// Of the price in the net delta, whose share of delta is `delta`; of delta and price in gamma; of vega in
    /// vanna; of theta in charm.
    public var netDeltaFromPrice, gammaFromDelta, gammaFromPrice, vannaFromVega, charmFromTheta: Double

    /// All figures 0.
    @inlinable
    public init() {
        (value, delta, gamma, vega, theta, rho, vanna, volga, charm) = (0, 0, 0, 0, 0, 0, 0, 0, 0)
        (netDeltaFromPrice, gammaFromDelta, gammaFromPrice, vannaFromVega, charmFromTheta) = (0, 0, 0, 0, 0)
    }
}

/// Arithmetic that can also turn columns into rows, for which Swift's vectors have no operation.
public protocol RowArithmetic: LaneArithmetic {
    /// Stores eight vectors as rows of eight, `stride` doubles apart: row i gets lane i of each.
    static func storeTransposed(
        _ columns: (Lanes, Lanes, Lanes, Lanes, Lanes, Lanes, Lanes, Lanes),
        to rows: UnsafeMutablePointer<Double>, stride: Int)
    /// Stores two vectors as rows of two, `stride` doubles apart.
    static func storeTransposed(_ columns: (Lanes, Lanes), to rows: UnsafeMutablePointer<Double>, stride: Int)
}

/// Slice form straight into rows of figures: row i, `WeightedRows.width` doubles long, holds those of option i.
/// What is behind the tenth figure of a row is left alone.
///
/// The Greeks never leave the registers: books read rows, and columns would be written to be transposed.
@inlinable @inline(__always)
public func sliceFigures<A: RowArithmetic>(
    _ arithmetic: A.Type, _ slices: UnsafePointer<Slice>, _ maps: UnsafePointer<FigureMap>,
    offsets: UnsafePointer<Int>, sliceCount: Int, _ input: SliceFormColumns,
    into rows: UnsafeMutablePointer<Double>
) {
    var number = 0
    while number < sliceCount {
        let slice = slices + number
        let map = maps + number
        let end = offsets[number &+ 1]
        var index = offsets[number]
        while index < end {
            let greeks = sliceForm(arithmetic, slice, input, at: index)
            let delta = greeks.delta * map.pointee.delta
            let ownGamma = A.multiplyAdd(
                greeks.delta, Lanes(repeating: map.pointee.gammaFromDelta), greeks.gamma * map.pointee.gamma)
            let row = rows + index * WeightedRows.width
            A.storeTransposed(
                (
                    greeks.price * map.pointee.value,
                    delta,
                    A.multiplyAdd(greeks.price, Lanes(repeating: map.pointee.netDeltaFromPrice), delta),
                    A.multiplyAdd(greeks.price, Lanes(repeating: map.pointee.gammaFromPrice), ownGamma),
                    greeks.vega * map.pointee.vega,
                    greeks.theta * map.pointee.theta,
                    greeks.rho * map.pointee.rho,
                    A.multiplyAdd(
                        greeks.vega, Lanes(repeating: map.pointee.vannaFromVega),
                        greeks.vanna * map.pointee.vanna)
                ), to: row, stride: WeightedRows.width)
            A.storeTransposed(
                (
                    greeks.volga * map.pointee.volga,
                    A.multiplyAdd(
                        greeks.theta, Lanes(repeating: map.pointee.charmFromTheta),
                        greeks.charm * map.pointee.charm)
                ), to: row + 8, stride: WeightedRows.width)
            index &+= 8
        }
        number &+= 1
    }
}
