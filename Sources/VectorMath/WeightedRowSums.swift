/// Adds rows by weight to rows of sums: sum g gains `weights[t]` times row `rowOfTerm[t]` for the terms
/// `offsets[g]` to `offsets[g + 1] − 1`, in this order. Rows and sums are `stride` doubles apart and whole vectors
/// wide; products are rounded before they are added: the same bits on every instruction set.
///
/// Where `WeightedRows` has short rows and keeps a sum in registers, these may be of any width and stay in memory;
/// 32 doubles of a sum are in registers at a time.
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

/// The same with a weight for every row and group, as a matrix product: row g of `sums` becomes the sum over rows k
/// of `weights[g · weightStride + k]` times row k, for rows of two vectors (`WeightedRows.width`) and a multiple of
/// eight groups.
///
/// Eight groups at a time share each row. Multiply-adds round once, so AVX2 and AVX-512 give the same bits.
@inlinable @inline(__always)
public func denseWeightedRows<A: LaneArithmetic>(
    _ arithmetic: A.Type, rows: UnsafePointer<Double>, rowCount: Int, weights: UnsafePointer<Double>,
    weightStride: Int, groupCount: Int, into sums: UnsafeMutablePointer<Double>
) {
    var group = 0
    while group < groupCount {
        let w0 = weights + group &* weightStride
        let w1 = w0 + weightStride
        let w2 = w1 + weightStride
        let w3 = w2 + weightStride
        let w4 = w3 + weightStride
        let w5 = w4 + weightStride
        let w6 = w5 + weightStride
        let w7 = w6 + weightStride
        var (a0, a1, a2, a3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (a4, a5, a6, a7) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (b0, b1, b2, b3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (b4, b5, b6, b7) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var k = 0
        while k < rowCount {
            let row = UnsafeRawPointer(rows + k &* WeightedRows.width)
            let low = row.load(as: Lanes.self)
            let high = row.load(fromByteOffset: 64, as: Lanes.self)
            a0 = A.multiplyAdd(Lanes(repeating: w0[k]), low, a0)
            b0 = A.multiplyAdd(Lanes(repeating: w0[k]), high, b0)
            a1 = A.multiplyAdd(Lanes(repeating: w1[k]), low, a1)
            b1 = A.multiplyAdd(Lanes(repeating: w1[k]), high, b1)
            a2 = A.multiplyAdd(Lanes(repeating: w2[k]), low, a2)
            b2 = A.multiplyAdd(Lanes(repeating: w2[k]), high, b2)
            a3 = A.multiplyAdd(Lanes(repeating: w3[k]), low, a3)
            b3 = A.multiplyAdd(Lanes(repeating: w3[k]), high, b3)
            a4 = A.multiplyAdd(Lanes(repeating: w4[k]), low, a4)
            b4 = A.multiplyAdd(Lanes(repeating: w4[k]), high, b4)
            a5 = A.multiplyAdd(Lanes(repeating: w5[k]), low, a5)
            b5 = A.multiplyAdd(Lanes(repeating: w5[k]), high, b5)
            a6 = A.multiplyAdd(Lanes(repeating: w6[k]), low, a6)
            b6 = A.multiplyAdd(Lanes(repeating: w6[k]), high, b6)
            a7 = A.multiplyAdd(Lanes(repeating: w7[k]), low, a7)
            b7 = A.multiplyAdd(Lanes(repeating: w7[k]), high, b7)
            k &+= 1
        }
        storeRow(a0, b0, sums, group)
        storeRow(a1, b1, sums, group &+ 1)
        storeRow(a2, b2, sums, group &+ 2)
        storeRow(a3, b3, sums, group &+ 3)
        storeRow(a4, b4, sums, group &+ 4)
        storeRow(a5, b5, sums, group &+ 5)
        storeRow(a6, b6, sums, group &+ 6)
        storeRow(a7, b7, sums, group &+ 7)
        group &+= 8
    }
}

@inlinable @inline(__always)
func storeRow(_ low: Lanes, _ high: Lanes, _ rows: UnsafeMutablePointer<Double>, _ number: Int) {
    let row = UnsafeMutableRawPointer(rows + number &* WeightedRows.width)
    row.storeBytes(of: low, as: Lanes.self)
    row.storeBytes(of: high, toByteOffset: 64, as: Lanes.self)
}
