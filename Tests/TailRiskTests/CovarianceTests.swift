import Foundation
import TailRisk
import Testing

struct CovarianceTests {
    static func difference(_ matrix: [Double], _ reference: [[Double]]) -> Double {
        let flat = Array(reference.joined())
        let scale = flat.map(abs).max() ?? 1
        return zip(matrix, flat).map { abs($0 - $1) }.max().map { $0 / scale } ?? .infinity
    }

    @Test("Covariances and shrinkages are those of numpy and scikit-learn")
    func estimators() throws {
        let fixture = try Fixture.read()
        let factors = Fixture.columns(fixture.moves)
        let names = factors.indices.map { "factor \($0)" }
        let references = fixture.covariances
        for (estimator, reference, intensity) in [
            (FactorCovariance.Estimator.sample, references.sample, 0),
            (.exponential(decayPerStep: references.decay), references.exponential, 0),
            (
                .ledoitWolf(standardised: false), references.ledoit_wolf.matrix,
                references.ledoit_wolf.intensity
            ),
            (
                .ledoitWolf(standardised: true), references.ledoit_wolf_standardised.matrix,
                references.ledoit_wolf_standardised.intensity
            ),
        ] {
            let covariance = try FactorCovariance(factors, names: names, estimator)
            let error = Self.difference(covariance.matrix, reference)
            print("covariance, \(estimator): \(error) of the largest entry")
            #expect(error < 1e-15, "\(estimator)")
            #expect(abs(covariance.shrinkage - intensity) < 1e-14, "\(estimator)")
            #expect(covariance.observationCount == fixture.moves.count)
        }
        #expect(references.ledoit_wolf.intensity > 0.01, "the fixture shrinks")
    }

    @Test("A Cholesky factor times its transpose is the covariance")
    func factor() throws {
        let fixture = try Fixture.read()
        let covariance = try FactorCovariance(
            Fixture.columns(fixture.moves), names: ["a", "b", "c", "d"], .sample)
        let factor = try covariance.choleskyFactor()
        for row in 0..<4 {
            for column in 0..<4 {
                let product = (0..<4).reduce(0) { $0 + factor[row * 4 + $1] * factor[column * 4 + $1] }
                let scale =
                    (covariance.matrix[row * 5] * covariance.matrix[column * 5]).squareRoot()
                #expect(abs(product - covariance.matrix[row * 4 + column]) < 1e-15 * scale)
                #expect(column <= row || factor[row * 4 + column] == 0)
            }
        }
    }

    static let singular: [[Double]] = [
        [1.0, 0.9, 0.2, 0.9, 1.0, 0.9, 0.2, 0.9, 1.0],  // correlations that contradict each other
        [1, 1, 0, 1, 1, 0, 0, 0, 1], [4, 2, 0, 2, 1, 0, 0, 0, 9],
        // Correlated but for rounding, which a factorisation alone lets pass.
        [1, 1 - 0x1p-50, 0, 1 - 0x1p-50, 1, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0, 0, 0, 1],
    ]

    @Test(
        "What the error of an indefinite covariance names makes it definite, and little more",
        arguments: singular) func nearestFix(_ matrix: [Double]) throws
    {
        let covariance = try FactorCovariance(names: ["a", "b", "c"], matrix: matrix)
        let error = #expect(throws: TailRiskError.self) { try covariance.choleskyFactor() }
        guard
            case .notPositiveDefinite(let smallest, let largest, let shrinkage, let least, let distance) =
                error
        else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(smallest < 1e-12 && largest >= 1 && shrinkage > 0 && shrinkage < 1 && least > 0)
        _ = try covariance.shrunk(by: shrinkage).choleskyFactor()
        let raised = try covariance.raisingEigenvalues(to: least)
        _ = try raised.choleskyFactor()
        let change = zip(raised.matrix, matrix).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let norm = matrix.reduce(0) { $0 + $1 * $1 }
        #expect(abs(distance - (change / norm).squareRoot()) <= 1e-6 * distance + 1e-15)
        if smallest < -1e-6 {
            #expect(throws: TailRiskError.self) {
                try covariance.shrunk(by: shrinkage * 0.999).choleskyFactor()
            }
        }
        let text = "\(error.map { "\($0)" } ?? "")"
        #expect(text.contains("not positive definite") && text.contains("shrink it by"))
        #expect(text.contains("raise its eigenvalues to"))
    }

    @Test("What products of matrices are off the other way round passes, and shrinking twice adds up")
    func rounding() throws {
        let covariance = try FactorCovariance(names: ["a", "b"], matrix: [4, 0.5, 0.5 + 1e-15, 9])
        // A millionth of a millionth of the deviations is rounding, anything more is not.
        let least = 1e-12
        #expect(throws: Never.self) { try FactorCovariance(names: ["a", "b"], matrix: [1, 0, least, 1]) }
        #expect(throws: TailRiskError.self) {
            try FactorCovariance(names: ["a", "b"], matrix: [1, 0, least.nextUp, 1])
        }
        let twice = try covariance.shrunk(by: 0.2).shrunk(by: 0.5)
        let once = try covariance.shrunk(by: 0.6)
        #expect(abs(twice.shrinkage - 0.6) < 1e-15 && abs(once.shrinkage - 0.6) < 1e-15)
        #expect(Self.difference(twice.matrix, [Array(once.matrix[..<2]), Array(once.matrix[2...])]) < 1e-15)
        #expect(throws: TailRiskError.self) { try covariance.raisingEigenvalues(to: .nan) }
        #expect(try covariance.raisingEigenvalues(to: 0).matrix == covariance.matrix)
        #expect(try FactorCovariance(names: [], matrix: []).raisingEigenvalues(to: 1).matrix.isEmpty)
    }

    @Test("Constant factors, too few windows and bad decays are refused by name")
    func badInput() {
        let moves = [[0.1, -0.2, 0.3], [0.1, 0.1, 0.1]]
        let names = ["a", "b"]
        #expect(throws: TailRiskError.constantFactor("b")) {
            try FactorCovariance(moves, names: names, .ledoitWolf(standardised: true))
        }
        #expect(throws: TailRiskError.tooFewWindows(1, needed: 2)) {
            try FactorCovariance([[0.1], [0.1]], names: names, .sample)
        }
        // No entry, and none that is not the same the other way round but for rounding.
        for (matrix, words) in [
            ([1, .infinity, .infinity, 1], "covariance of a and b inf: must be finite"),
            ([.nan, 0, 0, 1], "covariance of a and a nan: must be finite"),
            ([4, 0.5, 0.6, 9], "covariance of a and b 0.5: is 0.6 the other way round"),
        ] {
            let error = #expect(throws: TailRiskError.self) {
                try FactorCovariance(names: names, matrix: matrix)
            }
            #expect("\(error as Any)".contains(words), "\(error as Any)")
        }
        #expect(throws: TailRiskError.self) {
            try FactorCovariance(names: names, matrix: [1, 0, 0, 1], shrinkage: .nan)
        }
        #expect(throws: TailRiskError.self) {
            try FactorCovariance([[1e200, -1e200], [0.1, 0.2]], names: names, .sample)
        }
        for decay in [0, 1, .nan, -1] {
            #expect(throws: TailRiskError.self) {
                try FactorCovariance(moves, names: names, .exponential(decayPerStep: decay))
            }
        }
        #expect(throws: TailRiskError.self) {
            try FactorCovariance([[0.1, .nan, 0.3], [0.1, 0.2, 0.1]], names: names, .sample)
        }
        #expect(throws: TailRiskError.self) {
            try FactorCovariance(names: ["a"], matrix: [1]).shrunk(by: 1.5)
        }
        #expect(throws: TailRiskError.self) {
            try FactorCovariance(names: ["a"], matrix: [.nan]).choleskyFactor()
        }
    }
}
