import COpenBLAS

/// Σ = L·Lᵀ of a positive semidefinite matrix.
package struct CovarianceFactor: ~Copyable {
    private let size: Int
    /// L, row by row; columns from the rank on are 0.
    private let values: Vector
    /// Variances that the columns so far leave, and which rows had their turn.
    private let left: Vector
    private let isUsed: SolverVector<Bool>

    package init(size: Int) {
        self.size = size
        values = Vector(size * size)
        left = Vector(size)
        isUsed = SolverVector(repeating: false, count: size)
    }

    package subscript(row: Int, column: Int) -> Double { values[row * size + column] }

    /// Makes L, and returns the rank.
    /// - Throws: `notPositiveSemidefinite`.
    package func compute(_ covariance: [Double]) throws(HedgeError) -> Int {
        // Pivoted Cholesky: always the largest variance that is left.
        var largest = 0.0
        for u in 0..<size {
            left[u] = covariance[u * size + u]
            isUsed[u] = false
            largest = max(largest, left[u])
        }
        values.fill(0)
        let tolerance = 1e-13 * largest * Double(size)
        var rank = 0
        while rank < size {
            var pivot = -1
            for u in 0..<size where !isUsed[u] && (pivot < 0 || left[u] > left[pivot]) { pivot = u }
            guard left[pivot] > tolerance else { break }
            let root = left[pivot].squareRoot()
            isUsed[pivot] = true
            for u in 0..<size where !isUsed[u] || u == pivot {
                let value = rest(covariance, u, pivot, rank)
                values[u * size + rank] = u == pivot ? root : value / root
                left[u] -= self[u, rank] * self[u, rank]
            }
            rank += 1
        }
        // What is left must be 0: of a negative variance the factor would know nothing.
        for u in 0..<size {
            for v in 0...u where !(rest(covariance, u, v, rank).magnitude <= 1e-10 * largest) {
                throw Self.indefinite(covariance, size)
            }
        }
        return rank
    }

    /// What the columns before `rank` leave of a covariance.
    private func rest(_ covariance: [Double], _ u: Int, _ v: Int, _ rank: Int) -> Double {
        var value = covariance[u * size + v]
        for k in 0..<rank { value -= self[u, k] * self[v, k] }
        return value
    }

    /// L to all digits of N, as far as what is left is positive.
    package static func exact<N: HedgeNumber>(_ covariance: [Double], size: Int) -> (factor: [N], rank: Int) {
        var factor = [N](repeating: N(0), count: size * size)
        var left = (0..<size).map { N(covariance[$0 * size + $0]) }
        var open = Array(0..<size)
        var rank = 0
        while let pivot = open.max(by: { left[$0] < left[$1] }), left[pivot] > N(0) {
            let root = left[pivot].squareRoot()
            open.removeAll { $0 == pivot }
            factor[pivot * size + rank] = root
            for u in open {
                var value = N(covariance[u * size + pivot])
                for k in 0..<rank { value -= factor[u * size + k] * factor[pivot * size + k] }
                value = value / root
                factor[u * size + rank] = value
                left[u] -= value * value
            }
            rank += 1
        }
        return (factor, rank)
    }

    private static func indefinite(_ covariance: [Double], _ size: Int) -> HedgeError {
        var matrix = covariance
        var eigenvalues = [Double](repeating: 0, count: size)
        let order = Int32(size)
        unsafe LAPACKE_dsyev(
            LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "N")), CChar(UInt8(ascii: "U")), order, &matrix, order,
            &eigenvalues)
        return .notPositiveSemidefinite(
            smallestEigenvalue: eigenvalues.first ?? 0, largestEigenvalue: eigenvalues.last ?? 0)
    }
}
