/// Adds rows by weight to rows of sums: row `sumOfGroup[g]` of `sums` gains `weights[t]` times row `rowOfTerm[t]` for the
/// terms `offsets[g]` to `offsets[g + 1] − 1`, in this order. Rows and sums stand on cache lines, `stride` doubles apart,
/// `vectors` times eight doubles wide; products are rounded before they are added: the same bits on every instruction set.
///
/// `sumWeightedRows` replaces sums of 16 doubles, each in registers from its first term to its last; this adds to sums of
/// any width, 32 doubles at a time.
@inlinable @inline(__always)
public func addWeightedRows(
    rows: UnsafePointer<Double>, stride: Int, vectors: Int, rowOfTerm: UnsafePointer<Int32>,
    weights: UnsafePointer<Double>, sumOfGroup: UnsafePointer<Int32>, offsets: UnsafePointer<Int>,
    groupCount: Int, into sums: UnsafeMutablePointer<Double>
) {
    var group = 0
    while group < groupCount {
        let sum = UnsafeMutableRawPointer(sums + Int(sumOfGroup[group]) &* stride)
        var vector = 0
        while vector &+ 4 <= vectors {
            var (a, b, c, d) = (
                sum.load(fromByteOffset: 64 &* vector, as: Lanes.self),
                sum.load(fromByteOffset: 64 &* vector &+ 64, as: Lanes.self),
                sum.load(fromByteOffset: 64 &* vector &+ 128, as: Lanes.self),
                sum.load(fromByteOffset: 64 &* vector &+ 192, as: Lanes.self)
            )
            var term = offsets[group]
            while term < offsets[group &+ 1] {
                let weight = Lanes(repeating: weights[term])
                let row = UnsafeRawPointer(rows + Int(rowOfTerm[term]) &* stride)
                a += weight * row.load(fromByteOffset: 64 &* vector, as: Lanes.self)
                b += weight * row.load(fromByteOffset: 64 &* vector &+ 64, as: Lanes.self)
                c += weight * row.load(fromByteOffset: 64 &* vector &+ 128, as: Lanes.self)
                d += weight * row.load(fromByteOffset: 64 &* vector &+ 192, as: Lanes.self)
                term &+= 1
            }
            sum.storeBytes(of: a, toByteOffset: 64 &* vector, as: Lanes.self)
            sum.storeBytes(of: b, toByteOffset: 64 &* vector &+ 64, as: Lanes.self)
            sum.storeBytes(of: c, toByteOffset: 64 &* vector &+ 128, as: Lanes.self)
            sum.storeBytes(of: d, toByteOffset: 64 &* vector &+ 192, as: Lanes.self)
            vector &+= 4
        }
        while vector < vectors {
            var a = sum.load(fromByteOffset: 64 &* vector, as: Lanes.self)
            var term = offsets[group]
            while term < offsets[group &+ 1] {
                let row = UnsafeRawPointer(rows + Int(rowOfTerm[term]) &* stride)
                a +=
                    Lanes(repeating: weights[term]) * row.load(fromByteOffset: 64 &* vector, as: Lanes.self)
                term &+= 1
            }
            sum.storeBytes(of: a, toByteOffset: 64 &* vector, as: Lanes.self)
            vector &+= 1
        }
        group &+= 1
    }
}
