import VectorMath

/// Sums of price and eight Greeks by quantity, one per slice, where nobody asks for the options' own: nothing is
/// stored but the sums.
public struct GreekSums: Sendable {
    public var price, delta, gamma, vega, theta, rho, vanna, volga, charm: Double

    /// All 0.
    @inlinable
    public init() {
        (price, delta, gamma, vega, theta, rho, vanna, volga, charm) = (0, 0, 0, 0, 0, 0, 0, 0, 0)
    }
}

/// Slice form summed by quantity as it is computed. Lane l of each sum takes options l, l + 8, …, and the lanes are
/// added in order, so that AVX2 and AVX-512 give the same bits.
@inlinable @inline(__always)
public func sliceSums<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ slices: UnsafePointer<Slice>, offsets: UnsafePointer<Int>, sliceCount: Int,
    _ input: SliceFormColumns, quantities: UnsafePointer<Double>, into sums: UnsafeMutablePointer<GreekSums>
) {
    var number = 0
    while number < sliceCount {
        let slice = slices + number
        let end = offsets[number &+ 1]
        var index = offsets[number]
        var price = Lanes.zero
        var delta = Lanes.zero
        var gamma = Lanes.zero
        var vega = Lanes.zero
        var theta = Lanes.zero
        var rho = Lanes.zero
        var vanna = Lanes.zero
        var volga = Lanes.zero
        var charm = Lanes.zero
        while index < end {
            let greeks = sliceForm(arithmetic, slice, input, at: index)
            let quantity = lanes(quantities, index)
            price = A.multiplyAdd(quantity, greeks.price, price)
            delta = A.multiplyAdd(quantity, greeks.delta, delta)
            gamma = A.multiplyAdd(quantity, greeks.gamma, gamma)
            vega = A.multiplyAdd(quantity, greeks.vega, vega)
            theta = A.multiplyAdd(quantity, greeks.theta, theta)
            rho = A.multiplyAdd(quantity, greeks.rho, rho)
            vanna = A.multiplyAdd(quantity, greeks.vanna, vanna)
            volga = A.multiplyAdd(quantity, greeks.volga, volga)
            charm = A.multiplyAdd(quantity, greeks.charm, charm)
            index &+= 8
        }
        let sum = sums + number
        sum.pointee.price = sumOfLanes(price)
        sum.pointee.delta = sumOfLanes(delta)
        sum.pointee.gamma = sumOfLanes(gamma)
        sum.pointee.vega = sumOfLanes(vega)
        sum.pointee.theta = sumOfLanes(theta)
        sum.pointee.rho = sumOfLanes(rho)
        sum.pointee.vanna = sumOfLanes(vanna)
        sum.pointee.volga = sumOfLanes(volga)
        sum.pointee.charm = sumOfLanes(charm)
        number &+= 1
    }
}

/// In pairs of halves: the same order on every instruction set.
@inlinable @inline(__always)
func sumOfLanes(_ lanes: Lanes) -> Double {
    let four = lanes.lowHalf + lanes.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
}
