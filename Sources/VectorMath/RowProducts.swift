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

/// Four sums of one strip.
@usableFromInline
struct FourSums<S: LaneStrip> {
    @usableFromInline var a, b, c, d: S

    @inlinable @inline(__always)
    init(_ sums: UnsafePointer<Double>, _ stride: Int) {
        (a, b) = (S(sums), S(sums + stride))
        (c, d) = (S(sums + 2 &* stride), S(sums + 3 &* stride))
    }

    @inlinable @inline(__always)
    func store(to sums: UnsafeMutablePointer<Double>, _ stride: Int) {
        a.store(to: sums)
        b.store(to: sums + stride)
        c.store(to: sums + 2 &* stride)
        d.store(to: sums + 3 &* stride)
    }

    @inlinable @inline(__always)
    mutating func add<A: LaneArithmetic>(_ arithmetic: A.Type, _ weights: UnsafePointer<Double>, _ row: S) {
        a.add(arithmetic, weights[0], row)
        b.add(arithmetic, weights[1], row)
        c.add(arithmetic, weights[2], row)
        d.add(arithmetic, weights[3], row)
    }
}

/// Eight sums of one strip: with three vectors 24 accumulators, three loads and eight broadcasts for 24 multiply-adds.
@_transparent @inlinable
func addEightProducts<A: LaneArithmetic, S: LaneStrip>(
    _ arithmetic: A.Type, _ lanes: S.Type, _ strip: UnsafePointer<Double>, _ rowCount: Int, _ stride: Int,
    _ weights: UnsafePointer<Double>, _ sums: UnsafeMutablePointer<Double>
) {
    var first = FourSums<S>(sums, stride)
    var last = FourSums<S>(sums + 4 &* stride, stride)
    var row = strip
    var weight = weights
    let end = weights + 8 &* rowCount
    while weight < end {
        let own = S(row)
        first.add(arithmetic, weight, own)
        last.add(arithmetic, weight + 4, own)
        row += stride
        weight += 8
    }
    first.store(to: sums, stride)
    last.store(to: sums + 4 &* stride, stride)
}

/// Four sums of one strip, for sixteen registers of half the width.
@_transparent @inlinable
func addFourProducts<A: LaneArithmetic, S: LaneStrip>(
    _ arithmetic: A.Type, _ lanes: S.Type, _ strip: UnsafePointer<Double>, _ rowCount: Int, _ stride: Int,
    _ weights: UnsafePointer<Double>, _ sums: UnsafeMutablePointer<Double>
) {
    var own = FourSums<S>(sums, stride)
    var row = strip
    var weight = weights
    let end = weights + 8 &* rowCount
    while weight < end {
        own.add(arithmetic, weight, S(row))
        row += stride
        weight += 8
    }
    own.store(to: sums, stride)
}
