import COpenBLAS

/// The covariance of factors over one step of their history, and how it was estimated.
public struct FactorCovariance: Sendable {
    public enum Estimator: Sendable, Equatable {
        /// Around the mean, all steps alike: sums of products divided by the number of steps, not by one less.
        case sample
        /// Around 0, the last step first: weights fall by this factor from step to step and add up to 1.
        /// - Source: RiskMetrics technical document, 4th ed., 1996.
        case exponential(decayPerStep: Double)
        /// The sample's, shrunk towards its mean variance times the identity by the intensity that is optimal in
        /// the limit; where `standardised`, that is done to the correlation, so that factors may have any units.
        /// - Source: Ledoit, Wolf, A well-conditioned estimator for large-dimensional covariance matrices, Journal
        ///   of Multivariate Analysis 88, 2004.
        case ledoitWolf(standardised: Bool)
    }

    public let names: [String]
    /// Row by row, symmetric and finite; products of the factors' moves (no unit), per step.
    public let matrix: [Double]
    /// Steps that it was estimated from.
    public let observationCount: Int
    /// The intensity, from 0 to 1, by which it is shrunk: the target's share. Of shrinkages one after the other, where the first is
    /// a standardised one's, whose target is another, it is what is not left of the sample.
    public let shrinkage: Double

    public var size: Int { names.count }

    /// - Parameter factors: a column of moves per factor.
    /// - Throws: `tooFewWindows` for fewer than two moves; `invalidValue` for a move that is not finite or a decay
    ///   outside 0 to 1, and where products of moves are too large; `constantFactor` where a correlation is asked of one.
    public init(
        _ factors: [[Double]], names: [String], _ estimator: Estimator
    ) throws(TailRiskError) {
        precondition(factors.count == names.count, "a name per factor")
        let count = factors.first?.count ?? 0
        precondition(factors.allSatisfy { $0.count == count }, "columns of one length")
        guard count > 1 else { throw .tooFewWindows(count, needed: 2) }
        for (name, column) in zip(names, factors) {
            for value in column { try TailRiskError.require(.finite, value, name) }
        }
        self.names = names
        observationCount = count
        let size = factors.count
        switch estimator {
        case .sample:
            matrix = Self.products(Self.centred(factors), size)
            shrinkage = 0
        case .exponential(let decay):
            try TailRiskError.require(.between(0, 1), decay, "decay per step")
            var weights = Array(repeating: 0.0, count: count)
            var weight = 1.0
            var total = 0.0
            for step in stride(from: count - 1, through: 0, by: -1) {
                weights[step] = weight
                total += weight
                weight *= decay
            }
            matrix = Self.products(factors, size) { weights[$0] / total }
            shrinkage = 0
        case .ledoitWolf(let standardised):
            var columns = Self.centred(factors)
            var deviations = Array(repeating: 1.0, count: size)
            if standardised {
                let sample = Self.products(columns, size)
                for factor in 0..<size {
                    deviations[factor] = sample[factor * size + factor].squareRoot()
                    // More than the rounding of the mean.
                    let largest = factors[factor].reduce(0) { max($0, abs($1)) }
                    guard deviations[factor] > 1e-14 * largest else { throw .constantFactor(names[factor]) }
                    for step in 0..<count { columns[factor][step] /= deviations[factor] }
                }
            }
            let sample = Self.products(columns, size)
            let intensity = Self.intensity(columns, sample, size)
            var shrunk = Self.shrunk(sample, size, by: intensity)
            for row in 0..<size {
                for column in 0..<size { shrunk[row * size + column] *= deviations[row] * deviations[column] }
            }
            matrix = shrunk
            shrinkage = intensity
        }
        try requireSymmetry()
    }

    /// A given matrix, row by row.
    /// - Throws: `invalidValue` for an entry that is not finite, or not that of its factors the other way round but for
    ///   rounding, and for a shrinkage that is not from 0 to 1.
    public init(
        names: [String], matrix: [Double], observationCount: Int = 0, shrinkage: Double = 0
    ) throws(TailRiskError) {
        try TailRiskError.require(.share, shrinkage, "shrinkage")
        self.init(checked: matrix, names, observationCount: observationCount, shrinkage: shrinkage)
        try requireSymmetry()
    }

    /// Every entry is finite, and that of its factors the other way round: to 10⁻¹² of their deviations, which products of
    /// matrices may be off.
    private func requireSymmetry() throws(TailRiskError) {
        for row in 0..<size {
            for column in 0..<size {
                let (value, other) = (matrix[row * size + column], matrix[column * size + row])
                let field = "covariance of \(names[row]) and \(names[column])"
                try TailRiskError.require(.finite, value, field)
                let scale = (matrix[row * size + row] * matrix[column * size + column]).magnitude.squareRoot()
                guard value == other || (value - other).magnitude <= 1e-12 * scale else {
                    throw .invalidValue(
                        field: field, value: value, reason: "is \(other) the other way round")
                }
            }
        }
    }

    private init(checked matrix: [Double], _ names: [String], observationCount: Int, shrinkage: Double) {
        precondition(matrix.count == names.count * names.count, "a square matrix")
        self.names = names
        self.matrix = matrix
        self.observationCount = observationCount
        self.shrinkage = shrinkage
    }

    /// Shrunk towards the mean variance times the identity.
    /// - Parameter intensity: from 0, which changes nothing, to 1.
    /// - Throws: `invalidValue` for any other.
    public func shrunk(by intensity: Double) throws(TailRiskError) -> FactorCovariance {
        try TailRiskError.require(.share, intensity, "shrinkage")
        return FactorCovariance(
            checked: Self.shrunk(matrix, size, by: intensity), names, observationCount: observationCount,
            shrinkage: 1 - (1 - shrinkage) * (1 - intensity))
    }

    /// The nearest matrix, in the Frobenius norm, whose eigenvalues are at least `least`.
    /// - Throws: `invalidValue` for a bound that is not finite, and where LAPACK finds no eigenvalues.
    public func raisingEigenvalues(to least: Double) throws(TailRiskError) -> FactorCovariance {
        try TailRiskError.require(.finite, least, "least eigenvalue")
        let (values, vectors) = try eigen(withVectors: true)
        var raised = matrix
        for (place, value) in values.enumerated() where !(value >= least) {
            for row in 0..<size {
                for column in 0..<size {
                    raised[row * size + column] +=
                        (least - value) * vectors[row * size + place] * vectors[column * size + place]
                }
            }
        }
        return FactorCovariance(
            checked: raised, names, observationCount: observationCount, shrinkage: shrinkage)
    }

    /// L with L·Lᵀ = Σ, row by row, 0 above the diagonal.
    /// - Throws: `notPositiveDefinite`, also where the variance that is left to a factor, given those before it, is
    ///   no more than rounding.
    public func choleskyFactor() throws(TailRiskError) -> [Double] {
        guard size > 0 else { return [] }
        var factor = matrix
        let order = Int32(size)
        let status = unsafe LAPACKE_dpotrf(
            LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "L")), order, &factor, order)
        var isDefinite = status == 0
        for row in 0..<size {
            let left = factor[row * size + row] * factor[row * size + row]
            // NaN is not definite either.
            isDefinite = isDefinite && left > 1e-13 * Double(size) * matrix[row * size + row]
            for column in row + 1..<size { factor[row * size + column] = 0 }
        }
        guard isDefinite else { throw try indefinite() }
        return factor
    }

    private func indefinite() throws(TailRiskError) -> TailRiskError {
        let (values, _) = try eigen(withVectors: false)
        let smallest = values.first ?? 0
        let largest = values.last ?? 0
        let mean = values.reduce(0, +) / Double(size)
        let least = 1e-8 * mean
        // (1 − s) λ + s m is the least that is wanted.
        let shrinkage = smallest < mean ? min(1, max(0, (least - smallest) / (mean - smallest))) : 1
        var change = 0.0
        var norm = 0.0
        for value in values {
            norm += value * value
            if value < least { change += (least - value) * (least - value) }
        }
        return .notPositiveDefinite(
            smallestEigenvalue: smallest, largestEigenvalue: largest, shrinkage: shrinkage, least: least,
            distance: norm > 0 ? (change / norm).squareRoot() : 0)
    }

    /// Ascending eigenvalues, and where wanted their vectors as columns.
    private func eigen(withVectors: Bool) throws(TailRiskError) -> (values: [Double], vectors: [Double]) {
        guard size > 0 else { return ([], []) }
        var vectors = matrix
        var values = Array(repeating: 0.0, count: size)
        let order = Int32(size)
        let status = unsafe LAPACKE_dsyev(
            LAPACK_ROW_MAJOR, CChar(withVectors ? UInt8(ascii: "V") : UInt8(ascii: "N")),
            CChar(UInt8(ascii: "L")), order,
            &vectors, order, &values)
        guard status == 0 else {
            throw .invalidValue(
                field: "covariance", value: .nan, reason: "LAPACK finds no eigenvalues (status \(status))")
        }
        return (values, vectors)
    }

    // MARK: Estimation

    private static func centred(_ factors: [[Double]]) -> [[Double]] {
        factors.map { column in
            let mean = column.reduce(0, +) / Double(column.count)
            return column.map { $0 - mean }
        }
    }

    /// Weighted means of products; equal weights where none are given.
    private static func products(
        _ columns: [[Double]], _ size: Int, weight: ((Int) -> Double)? = nil
    ) -> [Double] {
        let count = columns.first?.count ?? 0
        var matrix = Array(repeating: 0.0, count: size * size)
        for row in 0..<size {
            for column in 0...row {
                var sum = 0.0
                for step in 0..<count {
                    let product = columns[row][step] * columns[column][step]
                    sum += weight.map { $0(step) * product } ?? product
                }
                if weight == nil { sum /= Double(count) }
                matrix[row * size + column] = sum
                matrix[column * size + row] = sum
            }
        }
        return matrix
    }

    private static func shrunk(_ matrix: [Double], _ size: Int, by intensity: Double) -> [Double] {
        let mean = (0..<size).reduce(0) { $0 + matrix[$1 * size + $1] } / Double(max(size, 1))
        var shrunk = matrix.map { $0 * (1 - intensity) }
        for row in 0..<size { shrunk[row * size + row] += intensity * mean }
        return shrunk
    }

    /// b²/d²: how far the sample is from the target, and how much of that is noise.
    private static func intensity(_ columns: [[Double]], _ sample: [Double], _ size: Int) -> Double {
        let count = columns.first?.count ?? 0
        let mean = (0..<size).reduce(0) { $0 + sample[$1 * size + $1] } / Double(max(size, 1))
        var distance = 0.0
        var square = 0.0
        for row in 0..<size {
            for column in 0..<size {
                let value = sample[row * size + column] - (row == column ? mean : 0)
                distance += value * value
                square += sample[row * size + column] * sample[row * size + column]
            }
        }
        // ‖x xᵀ − S‖² summed over steps is Σ‖x‖⁴ − n‖S‖².
        var fourth = 0.0
        for step in 0..<count {
            let norm = columns.reduce(0) { $0 + $1[step] * $1[step] }
            fourth += norm * norm
        }
        let n = Double(count)
        let noise = min(distance, max(0, (fourth / n - square) / n))
        return distance > 0 ? noise / distance : 0
    }
}
