/// Adds a matrix product to rows of sums: sum g gains the sum over rows k of `weights[(g/8 · rowCount + k) · 8 + g mod 8]`
/// times row k. Rows and sums are `stride` doubles apart and `vectors` whole vectors wide, all on cache lines; sums
/// stand in eights, and so do weights.
///
/// For some hundred rows at a time, which stay in the second-level cache while all sums take them in: so many numbers
/// are produced block by block (scenarios) and never stored as a whole. Each sum adds in the order of the rows,
/// rounding once: the same bits on AVX2 and AVX-512, and however many rows are added at a time. A library's product has
/// other bits on other processors, and needs the whole matrix to be fast.
@inlinable @inline(__always)
public func addRowProducts<A: LaneArithmetic>(
    _ arithmetic: A.Type, rows: UnsafePointer<Double>, rowCount: Int, stride: Int, vectors: Int,
    weights: UnsafePointer<Double>, eights: Int, into sums: UnsafeMutablePointer<Double>
) {
    var vector = 0
    while vector < vectors {
        let isWide = vector &+ 3 <= vectors
        // Read where it stands: copied side by side it took longer.
        let strip = rows + 8 &* vector
        var eight = 0
        while eight < eights {
            let own = weights + 8 &* eight &* rowCount
            let sum = sums + (8 &* eight &* stride &+ 8 &* vector)
            if A.hasManyRegisters {
                if isWide {
                    addEightProducts(arithmetic, ThreeLanes.self, strip, rowCount, stride, own, sum)
                } else {
                    addEightProducts(arithmetic, OneLane.self, strip, rowCount, stride, own, sum)
                }
            } else {
                var part = 0
                while part < (isWide ? 3 : 1) {
                    let (place, target) = (strip + 8 &* part, sum + 8 &* part)
                    addFourProducts(arithmetic, OneLane.self, place, rowCount, stride, own, target)
                    addFourProducts(
                        arithmetic, OneLane.self, place, rowCount, stride, own + 4, target + 4 &* stride)
                    part &+= 1
                }
            }
            eight &+= 1
        }
        vector &+= isWide ? 3 : 1
    }
}

/// Neighbouring vectors of a row.
@usableFromInline
protocol LaneStrip {
    init(_ row: UnsafePointer<Double>)
    func store(to row: UnsafeMutablePointer<Double>)
    mutating func add<A: LaneArithmetic>(_ arithmetic: A.Type, _ weight: Double, _ row: Self)
}

@usableFromInline
struct OneLane: LaneStrip {
    @usableFromInline var a: Lanes

    @inlinable @inline(__always)
    init(_ row: UnsafePointer<Double>) { a = UnsafeRawPointer(row).load(as: Lanes.self) }

    @inlinable @inline(__always)
    func store(to row: UnsafeMutablePointer<Double>) {
        UnsafeMutableRawPointer(row).storeBytes(of: a, as: Lanes.self)
    }

    @inlinable @inline(__always)
    mutating func add<A: LaneArithmetic>(_ arithmetic: A.Type, _ weight: Double, _ row: OneLane) {
        a = A.multiplyAdd(Lanes(repeating: weight), row.a, a)
    }
}

@usableFromInline
struct ThreeLanes: LaneStrip {
    @usableFromInline var a, b, c: Lanes

    @inlinable @inline(__always)
    init(_ row: UnsafePointer<Double>) {
        a = UnsafeRawPointer(row).load(as: Lanes.self)
        b = UnsafeRawPointer(row).load(fromByteOffset: 64, as: Lanes.self)
        c = UnsafeRawPointer(row).load(fromByteOffset: 128, as: Lanes.self)
    }

    @inlinable @inline(__always)
    func store(to row: UnsafeMutablePointer<Double>) {
        UnsafeMutableRawPointer(row).storeBytes(of: a, as: Lanes.self)
        UnsafeMutableRawPointer(row).storeBytes(of: b, toByteOffset: 64, as: Lanes.self)
        UnsafeMutableRawPointer(row).storeBytes(of: c, toByteOffset: 128, as: Lanes.self)
    }

    @inlinable @inline(__always)
    mutating func add<A: LaneArithmetic>(_ arithmetic: A.Type, _ weight: Double, _ row: ThreeLanes) {
        let weight = Lanes(repeating: weight)
        a = A.multiplyAdd(weight, row.a, a)
        b = A.multiplyAdd(weight, row.b, b)
        c = A.multiplyAdd(weight, row.c, c)
    }
}

/// Eight sums of one strip: with three vectors 24 accumulators, three loads and eight broadcasts for 24 multiply-adds.
@_transparent @inlinable
func addEightProducts<A: LaneArithmetic, S: LaneStrip>(
    _ arithmetic: A.Type, _ lanes: S.Type, _ strip: UnsafePointer<Double>, _ rowCount: Int, _ stride: Int,
    _ weights: UnsafePointer<Double>, _ sums: UnsafeMutablePointer<Double>
) {
    var (s0, s1, s2, s3) = (S(sums), S(sums + stride), S(sums + 2 &* stride), S(sums + 3 &* stride))
    var (s4, s5) = (S(sums + 4 &* stride), S(sums + 5 &* stride))
    var (s6, s7) = (S(sums + 6 &* stride), S(sums + 7 &* stride))
    var row = strip
    var weight = weights
    let end = weights + 8 &* rowCount
    while weight < end {
        let own = S(row)
        s0.add(arithmetic, weight[0], own)
        s1.add(arithmetic, weight[1], own)
        s2.add(arithmetic, weight[2], own)
        s3.add(arithmetic, weight[3], own)
        s4.add(arithmetic, weight[4], own)
        s5.add(arithmetic, weight[5], own)
        s6.add(arithmetic, weight[6], own)
        s7.add(arithmetic, weight[7], own)
        row += stride
        weight += 8
    }
    s0.store(to: sums)
    s1.store(to: sums + stride)
    s2.store(to: sums + 2 &* stride)
    s3.store(to: sums + 3 &* stride)
    s4.store(to: sums + 4 &* stride)
    s5.store(to: sums + 5 &* stride)
    s6.store(to: sums + 6 &* stride)
    s7.store(to: sums + 7 &* stride)
}

/// Four sums of one strip, for sixteen registers of half the width.
@_transparent @inlinable
func addFourProducts<A: LaneArithmetic, S: LaneStrip>(
    _ arithmetic: A.Type, _ lanes: S.Type, _ strip: UnsafePointer<Double>, _ rowCount: Int, _ stride: Int,
    _ weights: UnsafePointer<Double>, _ sums: UnsafeMutablePointer<Double>
) {
    var (s0, s1, s2, s3) = (S(sums), S(sums + stride), S(sums + 2 &* stride), S(sums + 3 &* stride))
    var row = strip
    var weight = weights
    let end = weights + 8 &* rowCount
    while weight < end {
        let own = S(row)
        s0.add(arithmetic, weight[0], own)
        s1.add(arithmetic, weight[1], own)
        s2.add(arithmetic, weight[2], own)
        s3.add(arithmetic, weight[3], own)
        row += stride
        weight += 8
    }
    s0.store(to: sums)
    s1.store(to: sums + stride)
    s2.store(to: sums + 2 &* stride)
    s3.store(to: sums + 3 &* stride)
}
