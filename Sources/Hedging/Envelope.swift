/// A symmetric positive definite matrix of which each row is stored from its first entry on, and its Cholesky
/// factor in the same place. Rows of different underlyings share no instrument, so with the rows that span
/// several of them last, nothing fills in between.
struct Envelope {
    let stride: Int
    /// Row by row, lower triangle.
    let values: UnsafeMutablePointer<Double>
    /// First column of each row.
    let first: UnsafeMutablePointer<Int32>
    /// 1/Lᵢᵢ.
    private let inverseDiagonal: UnsafeMutablePointer<Double>

    init(
        stride: Int, values: UnsafeMutablePointer<Double>, first: UnsafeMutablePointer<Int32>,
        inverseDiagonal: UnsafeMutablePointer<Double>
    ) {
        self.stride = stride
        self.values = values
        self.first = first
        self.inverseDiagonal = inverseDiagonal
    }

    private static let leftOut = 1e100

    func row(_ index: Int) -> UnsafeMutablePointer<Double> { values + index * stride }

    /// Sets rows 0..<count to 0 within the envelope.
    func clear(count: Int) {
        for i in 0..<count {
            let row = row(i)
            for j in Int(first[i])...i { row[j] = 0 }
        }
    }

    /// Cholesky factor in place. A row whose pivot rounding leaves below `floor` times its diagonal depends on
    /// the ones before: it is left out, its unknown 0.
    /// - Returns: whether none is.
    @discardableResult
    func factorise(count: Int, floor: Double) -> Bool {
        var isWhole = true
        for i in 0..<count {
            let row = row(i)
            let firstOfRow = Int(first[i])
            let diagonal = row[i]
            for j in firstOfRow..<i {
                let other = self.row(j)
                row[j] =
                    (row[j] - Self.dot(row, other, from: max(firstOfRow, Int(first[j])), to: j))
                    * inverseDiagonal[j]
            }
            let pivot = diagonal - Self.dot(row, row, from: firstOfRow, to: i)
            let isOwn = pivot > floor * diagonal
            isWhole = isWhole && isOwn
            let root = isOwn ? pivot.squareRoot() : Self.leftOut
            row[i] = root
            inverseDiagonal[i] = 1 / root
        }
        return isWhole
    }

    /// Whether `factorise` left a row out.
    func isDependent(_ index: Int) -> Bool { row(index)[index] == Self.leftOut }

    /// Of a row that was left out: the weights, 1 of its own, with which it and the rows before add up to 0.
    func nullVector(_ weights: UnsafeMutablePointer<Double>, of index: Int) {
        let own = row(index)
        for j in 0..<index { weights[j] = j < Int(first[index]) ? 0 : -own[j] }
        weights[index] = 1
        solveTransposed(weights, count: index)
    }

    /// Solves in place with the factor.
    func solve(_ b: UnsafeMutablePointer<Double>, count: Int) {
        for i in 0..<count {
            b[i] = (b[i] - Self.dot(row(i), b, from: Int(first[i]), to: i)) * inverseDiagonal[i]
        }
        solveTransposed(b, count: count)
    }

    private func solveTransposed(_ b: UnsafeMutablePointer<Double>, count: Int) {
        for i in (0..<count).reversed() {
            let value = b[i] * inverseDiagonal[i]
            b[i] = value
            let row = row(i)
            for j in Int(first[i])..<i { b[j] -= value * row[j] }
        }
    }

    /// Four running sums, in a fixed order.
    @inline(__always)
    private static func dot(
        _ a: UnsafeMutablePointer<Double>, _ b: UnsafeMutablePointer<Double>, from start: Int, to end: Int
    ) -> Double {
        var sums = SIMD4<Double>()
        var i = start
        while i + 4 <= end {
            let x = UnsafeRawPointer(a + i).loadUnaligned(as: SIMD4<Double>.self)
            let y = UnsafeRawPointer(b + i).loadUnaligned(as: SIMD4<Double>.self)
            sums += x * y
            i += 4
        }
        var sum = (sums[0] + sums[1]) + (sums[2] + sums[3])
        while i < end {
            sum += a[i] * b[i]
            i += 1
        }
        return sum
    }
}
