/// A symmetric positive definite matrix of which each row is stored from its first entry on, and its Cholesky
/// factor in the same place. Rows of different underlyings share no instrument, so with the rows that span
/// several of them last, nothing fills in between.
struct Envelope: ~Copyable {
    private let stride: Int
    /// Row by row, lower triangle.
    let values: Vector
    /// First column of each row.
    private let first: SolverVector<Int32>
    /// 1/Lᵢᵢ.
    private let inverseDiagonal: Vector

    init(size: Int) {
        stride = (size + 7) / 8 * 8
        values = Vector(size * stride)
        first = SolverVector(repeating: 0, count: size)
        inverseDiagonal = Vector(size)
    }

    private static let leftOut = 1e100

    /// Says where a row begins.
    @inline(__always)
    func begin(_ row: Int, at column: Int) { first[row] = Int32(truncatingIfNeeded: column) }

    /// Where a row stands in `values`.
    @inline(__always) func start(_ row: Int) -> Int { row &* stride }

    subscript(row: Int, column: Int) -> Double {
        @inline(__always) get { values[start(row) &+ column] }
        @inline(__always) nonmutating set { values[start(row) &+ column] = newValue }
    }

    /// Sets rows 0..<count to 0 within the envelope.
    func clear(count: Int) {
        for i in 0..<count {
            let row = start(i)
            for j in Int(first[i])...i { values[row &+ j] = 0 }
        }
    }

    /// Cholesky factor in place. A row whose pivot rounding leaves below `floor` times its diagonal depends on
    /// the ones before: it is left out, its unknown 0.
    /// - Returns: whether none is.
    @discardableResult
    func factorise(count: Int, floor: Double) -> Bool {
        var isWhole = true
        for i in 0..<count {
            let row = start(i)
            let firstOfRow = Int(first[i])
            let diagonal = values[row &+ i]
            for j in firstOfRow..<i {
                let shared = max(firstOfRow, Int(first[j]))
                values[row &+ j] =
                    (values[row &+ j] - dot(row, values, start(j), from: shared, to: j)) * inverseDiagonal[j]
            }
            let pivot = diagonal - dot(row, values, row, from: firstOfRow, to: i)
            let isOwn = pivot > floor * diagonal
            isWhole = isWhole && isOwn
            let root = isOwn ? pivot.squareRoot() : Self.leftOut
            values[row &+ i] = root
            inverseDiagonal[i] = 1 / root
        }
        return isWhole
    }

    /// Whether `factorise` left a row out.
    func isDependent(_ index: Int) -> Bool { self[index, index] == Self.leftOut }

    /// Of a row that was left out: the weights, 1 of its own, with which it and the rows before add up to 0.
    func nullVector(_ weights: borrowing Vector, of index: Int) {
        for j in 0..<index { weights[j] = j < Int(first[index]) ? 0 : -self[index, j] }
        weights[index] = 1
        solveTransposed(weights, count: index)
    }

    /// Solves in place with the factor.
    func solve(_ b: borrowing Vector, count: Int) {
        for i in 0..<count {
            b[i] = (b[i] - dot(start(i), b, 0, from: Int(first[i]), to: i)) * inverseDiagonal[i]
        }
        solveTransposed(b, count: count)
    }

    private func solveTransposed(_ b: borrowing Vector, count: Int) {
        for i in (0..<count).reversed() {
            let value = b[i] * inverseDiagonal[i]
            b[i] = value
            let row = start(i)
            for j in Int(first[i])..<i { b[j] -= value * values[row &+ j] }
        }
    }

    /// Σ of a row's elements times those of another vector from a place on: four running sums, in a fixed order.
    @inline(__always)
    private func dot(
        _ row: Int, _ other: borrowing Vector, _ place: Int, from start: Int, to end: Int
    ) -> Double {
        var sums = SIMD4<Double>()
        var i = start
        while i + 4 <= end {
            sums += values.four(from: row &+ i) * other.four(from: place &+ i)
            i += 4
        }
        var sum = (sums[0] + sums[1]) + (sums[2] + sums[3])
        while i < end {
            sum += values[row &+ i] * other[place &+ i]
            i += 1
        }
        return sum
    }
}
