import Hedging
import TestSupport
import Testing

/// Σ = L·Lᵀ, in doubles and in twice their digits.
struct CovarianceFactorTests {
    static func factor(_ covariance: [Double], _ size: Int) throws -> (factor: [Double], rank: Int) {
        let factor = CovarianceFactor(size: size)
        let rank = try factor.compute(covariance)
        var values: [Double] = []
        for row in 0..<size { for column in 0..<size { values.append(factor[row, column]) } }
        return (values, rank)
    }

    @Test("A factor multiplies back to its covariance, with as many columns as the covariance has rank")
    func random() throws {
        var generator = SeededGenerator(seed: 9)
        for size in 1...6 {
            for rank in 0...size {
                let loads = (0..<size * rank).map { _ in Double.random(in: -1...1, using: &generator) }
                var covariance = [Double](repeating: 0, count: size * size)
                for u in 0..<size {
                    for v in 0..<size {
                        for k in 0..<rank {
                            covariance[u * size + v] += loads[u * rank + k] * loads[v * rank + k]
                        }
                    }
                }
                let (doubles, found) = try Self.factor(covariance, size)
                let (digits, _) = CovarianceFactor.exact(covariance, size: size) as ([DoubleDouble], Int)
                #expect(found == rank)
                for u in 0..<size {
                    for v in 0..<size {
                        var (sum, exact) = (
                            -covariance[u * size + v], DoubleDouble(-covariance[u * size + v])
                        )
                        for k in 0..<size {
                            sum += doubles[u * size + k] * doubles[v * size + k]
                            exact += digits[u * size + k] * digits[v * size + k]
                        }
                        #expect(sum.magnitude < 1e-13)
                        // What rounding the covariance left beside its rank is no variance.
                        #expect(exact.double.magnitude < (rank == size ? 1e-28 : 1e-14), "\(u) \(v)")
                    }
                    for k in found..<size { #expect(doubles[u * size + k] == 0) }
                }
            }
        }
    }

    @Test("The largest variance comes first; what depends on it adds nothing")
    func byHand() throws {
        // Of the second, 3², the first is −2/3: 4 − 4 is left of it.
        #expect(try Self.factor([4, -6, -6, 9], 2) == ([-2, 0, 3, 0], 1))
        let (digits, rank) = CovarianceFactor.exact([4, -6, -6, 9], size: 2) as ([DoubleDouble], Int)
        #expect(digits.map(\.double) == [-2, 0, 3, 0] && rank == 1)
        #expect(try Self.factor([1, 0, 0, 16], 2) == ([0, 1, 4, 0], 2))
        #expect(try Self.factor([0], 1) == ([0], 0))
    }
}
