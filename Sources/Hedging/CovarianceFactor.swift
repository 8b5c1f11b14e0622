import COpenBLAS

/// Σ = L·Lᵀ of a positive semidefinite matrix.
enum CovarianceFactor {
    /// Writes L (size × size, row by row; columns from the rank on are 0) and returns the rank. `scratch`
    /// holds size·(size + 2) doubles, of which the first size·size are L.
    /// - Throws: `notPositiveSemidefinite`.
    static func compute(
        _ covariance: [Double], size: Int, into factor: UnsafeMutablePointer<Double>
    ) throws(HedgeError) -> Int {
        // Pivoted Cholesky: always the largest variance that is left.
        let left = factor + size * size
        let used = left + size
        var largest = 0.0
        for u in 0..<size {
            left[u] = covariance[u * size + u]
            used[u] = 0
            largest = max(largest, left[u])
        }
        for k in 0..<size * size { factor[k] = 0 }
        let tolerance = 1e-13 * largest * Double(size)
        var rank = 0
        while rank < size {
            var pivot = -1
            for u in 0..<size where used[u] == 0 && (pivot < 0 || left[u] > left[pivot]) { pivot = u }
            guard left[pivot] > tolerance else { break }
            let root = left[pivot].squareRoot()
            used[pivot] = 1
            for u in 0..<size where used[u] == 0 || u == pivot {
                var value = covariance[u * size + pivot]
                for k in 0..<rank { value -= factor[u * size + k] * factor[pivot * size + k] }
                factor[u * size + rank] = u == pivot ? root : value / root
                left[u] -= factor[u * size + rank] * factor[u * size + rank]
            }
            rank += 1
        }
        // What is left must be 0: of a negative variance the factor would know nothing.
        for u in 0..<size {
            for v in 0...u {
                var value = covariance[u * size + v]
                for k in 0..<rank { value -= factor[u * size + k] * factor[v * size + k] }
                guard value.magnitude <= 1e-10 * largest else { throw indefinite(covariance, size) }
            }
        }
        return rank
    }

    /// L to all digits of N, as far as what is left is positive.
    static func exact<N: HedgeNumber>(_ covariance: [Double], size: Int) -> (factor: [N], rank: Int) {
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
        LAPACKE_dsyev(
            LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "N")), CChar(UInt8(ascii: "U")), order, &matrix, order,
            &eigenvalues)
        return .notPositiveSemidefinite(
            smallestEigenvalue: eigenvalues.first ?? 0, largestEigenvalue: eigenvalues.last ?? 0)
    }
}
