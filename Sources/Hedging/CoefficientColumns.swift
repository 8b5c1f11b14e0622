/// What one unit of each instrument adds to each row: a matrix by columns, of which only what may be other than 0 is
/// stored. Its shape never changes.
struct CoefficientColumns: ~Copyable {
    /// Column after column, by row within each.
    let values: Vector
    private let starts, rows: SolverVector<Int32>

    /// - Parameter columns: the rows of each column, ascending, none twice.
    init(_ columns: [[Int]], rowCount: Int) {
        precondition(columns.joined().allSatisfy { $0 >= 0 && $0 < rowCount }, "row out of range")
        starts = SolverVector(columns.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int32($1.count)) })
        rows = SolverVector(columns.joined().map { Int32($0) })
        values = Vector(rows.count)
    }

    /// Where a column stands in `values`.
    @inline(__always)
    func places(_ column: Int) -> Range<Int> {
        unsafe Range(uncheckedBounds: (Int(starts[column]), Int(starts[column + 1])))
    }

    /// The row of a place.
    @inline(__always) func row(_ place: Int) -> Int { Int(rows[place]) }

    /// Σ coefficient·y of a column.
    @inline(__always)
    func product(_ column: Int, _ y: borrowing Vector) -> Double {
        var sum = 0.0
        for k in places(column) { sum += values[k] * y[row(k)] }
        return sum
    }

    /// y += coefficient·x of a column.
    @inline(__always)
    func add(_ column: Int, times x: Double, to y: borrowing Vector) {
        for k in places(column) { y[row(k)] += values[k] * x }
    }

    /// Adds x·a·aᵀ of a column a to the lower triangle of a matrix.
    @inline(__always)
    func addSquare(_ column: Int, times x: Double, to matrix: borrowing Envelope) {
        let places = places(column)
        for k in places {
            let row = matrix.start(row(k))
            let weighted = values[k] * x
            for l in unsafe Range(uncheckedBounds: (places.lowerBound, k + 1)) {
                matrix.values[row &+ self.row(l)] += weighted * values[l]
            }
        }
    }

    /// The same of the rows that have a rank in the matrix, which rises with them; −1 is none. It is called, so that the
    /// vectors stay in registers: inlined into a loop over instruments they would be read from their owner each time.
    @inline(never)
    func addSquare(
        _ column: Int, times x: Double, rank: borrowing SolverVector<Int32>, to matrix: borrowing Envelope
    ) {
        let places = places(column)
        for k in places {
            let rowRank = Int(rank[row(k)])
            guard rowRank >= 0 else { continue }
            let row = matrix.start(rowRank)
            let weighted = values[k] * x
            for l in unsafe Range(uncheckedBounds: (places.lowerBound, k + 1)) {
                let other = Int(rank[self.row(l)])
                if other >= 0 { matrix.values[row &+ other] += weighted * values[l] }
            }
        }
    }
}
