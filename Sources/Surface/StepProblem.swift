import SurfaceKernel
import VectorMath

/// A condition on one slice or on two neighbours, linear about the present ones: value + own·d + before·d' ≥ 0.
struct Cut {
    /// The slice, and whether the one before it has part in it.
    var slice: Int
    var hasBefore = false
    var own = SliceVector.zero
    var before = SliceVector.zero
    var value: Double
    /// Whether steps cannot break it once it holds.
    var isLinear = false
}

/// The step that lowers a sum of quadratic losses, one per slice, most, under cuts: a convex quadratic program with a
/// block-diagonal Hessian.
///
/// Its dual has a variable per cut. An active set of cuts grows by the one that is broken most and loses those whose
/// multiplier would be below 0 (Lawson and Hanson's method).
struct StepProblem {
    /// Factors of the Hessians (lower triangles by rows), and the free step in their coordinates.
    private var factors: [InlineArray<5, Lanes>] = []
    private var free: [SliceVector] = []
    private(set) var multipliers: [Double] = []
    private(set) var steps: [SliceVector] = []

    /// - Returns: false where a Hessian is not positive definite.
    mutating func add(gradient: SliceVector, hessian: InlineArray<5, Lanes>, damping: Double) -> Bool {
        var factor = hessian
        for i in 0..<5 {
            for j in 0...i {
                var sum = hessian[i][j]
                if i == j { sum += damping * max(sum.magnitude, 1e-300) }
                for k in 0..<j { sum -= factor[i][k] * factor[j][k] }
                if i == j {
                    guard sum > 1e-13 * hessian[i][i].magnitude else { return false }
                    factor[i][i] = sum.squareRoot()
                } else {
                    factor[i][j] = sum / factor[j][j]
                }
            }
        }
        factors.append(factor)
        free.append(-solvedLower(factor, gradient))
        return true
    }

    mutating func removeAll() {
        factors.removeAll(keepingCapacity: true)
        free.removeAll(keepingCapacity: true)
    }

    /// L⁻¹ v.
    private func solvedLower(_ factor: InlineArray<5, Lanes>, _ v: SliceVector) -> SliceVector {
        var result = v
        for i in 0..<5 {
            for k in 0..<i { result[i] -= factor[i][k] * result[k] }
            result[i] /= factor[i][i]
        }
        return result
    }

    /// L⁻ᵀ v.
    private func solvedUpper(_ factor: InlineArray<5, Lanes>, _ v: SliceVector) -> SliceVector {
        var result = v
        for i in (0..<5).reversed() {
            for k in (i + 1)..<5 { result[i] -= factor[k][i] * result[k] }
            result[i] /= factor[i][i]
        }
        return result
    }

    // Of the cuts: in the coordinates of the factors, their norms, and what the free step leaves of each.
    private var own: [SliceVector] = []
    private var before: [SliceVector] = []
    private var norms: [Double] = []
    private var shortfalls: [Double] = []
    /// Cuts that hold with equality, and the factor of their products, by rows of `width`.
    private var active: [Int] = []
    private var isActive: [Bool] = []
    private var triangle: [Double] = []
    private var width = 0
    private var solved: [Double] = []

    /// Finds the step of each slice and the multiplier of each cut.
    mutating func solve(_ cuts: [Cut]) {
        prepare(cuts)
        var moved = free
        var refused = Set<Int>()
        // What counts as broken, by what is broken most: beyond are roundings.
        var farthest = 0.0
        for j in cuts.indices { farthest = max(farthest, -shortfalls[j] / norms[j]) }
        let tolerance = -1e-8 * farthest
        for _ in 0..<(cuts.count + 10) {
            var worst = tolerance
            var entering = -1
            for (j, cut) in cuts.enumerated() where !isActive[j] && !refused.contains(j) {
                var slack = cut.value + (own[j] * moved[cut.slice]).sum()
                if cut.hasBefore { slack += (before[j] * moved[cut.slice - 1]).sum() }
                if slack < worst * norms[j] { (worst, entering) = (slack / norms[j], j) }
            }
            guard entering >= 0 else { break }
            enter(entering, cuts)
            // As many as must leave, one by one, until all multipliers are above 0.
            while !active.isEmpty {
                solveActive()
                var ratio = 1.0
                var leaving = -1
                for (place, j) in active.enumerated() where !(solved[place] > 0) {
                    let fall = multipliers[j] - solved[place]
                    let step = fall > 0 ? multipliers[j] / fall : 0
                    if leaving < 0 || step < ratio { (ratio, leaving) = (step, place) }
                }
                for (place, j) in active.enumerated() {
                    multipliers[j] += ratio * (solved[place] - multipliers[j])
                }
                guard leaving >= 0 else { break }
                let j = active[leaving]
                multipliers[j] = 0
                if j == entering { refused.insert(j) }
                leave(leaving, cuts)
            }
            if isActive[entering] { refused.removeAll(keepingCapacity: true) }
            moved = free
            for j in active {
                moved[cuts[j].slice] += multipliers[j] * own[j]
                if cuts[j].hasBefore { moved[cuts[j].slice - 1] += multipliers[j] * before[j] }
            }
        }
        steps.removeAll(keepingCapacity: true)
        for (slice, factor) in factors.enumerated() { steps.append(solvedUpper(factor, moved[slice])) }
    }

    private mutating func prepare(_ cuts: [Cut]) {
        own.removeAll(keepingCapacity: true)
        before.removeAll(keepingCapacity: true)
        norms.removeAll(keepingCapacity: true)
        shortfalls.removeAll(keepingCapacity: true)
        multipliers.removeAll(keepingCapacity: true)
        isActive.removeAll(keepingCapacity: true)
        active.removeAll(keepingCapacity: true)
        for cut in cuts {
            let mine = solvedLower(factors[cut.slice], cut.own)
            var other = SliceVector.zero
            var rest = cut.value + (mine * free[cut.slice]).sum()
            var square = (mine * mine).sum()
            if cut.hasBefore {
                other = solvedLower(factors[cut.slice - 1], cut.before)
                rest += (other * free[cut.slice - 1]).sum()
                square += (other * other).sum()
            }
            own.append(mine)
            before.append(other)
            shortfalls.append(rest)
            norms.append(max(square.squareRoot(), 1e-300))
            multipliers.append(0)
            isActive.append(false)
        }
        // No more than its own unknowns can hold a slice; those that depend on each other are a few more.
        width = min(cuts.count, 8 * factors.count + 8)
        if triangle.count < width * width { triangle = Array(repeating: 0, count: width * width) }
        if solved.count < width { solved = Array(repeating: 0, count: width) }
    }

    private func product(_ i: Int, _ j: Int, _ cuts: [Cut]) -> Double {
        let (a, b) = (cuts[i], cuts[j])
        if a.slice == b.slice { return (own[i] * own[j] + before[i] * before[j]).sum() }
        if a.hasBefore, a.slice == b.slice + 1 { return (before[i] * own[j]).sum() }
        if b.hasBefore, b.slice == a.slice + 1 { return (own[i] * before[j]).sum() }
        return 0
    }

    private mutating func enter(_ j: Int, _ cuts: [Cut]) {
        isActive[j] = true
        if active.count == width { leave(0, cuts) }
        active.append(j)
        factorRow(active.count - 1, cuts)
    }

    private mutating func leave(_ place: Int, _ cuts: [Cut]) {
        isActive[active[place]] = false
        active.remove(at: place)
        for row in place..<active.count { factorRow(row, cuts) }
    }

    /// A row of the Cholesky factor, those above it being there.
    private mutating func factorRow(_ i: Int, _ cuts: [Cut]) {
        for j in 0...i {
            var sum = product(active[i], active[j], cuts)
            let diagonal = sum
            for k in 0..<j { sum -= triangle[i * width + k] * triangle[j * width + k] }
            // Cuts that depend on each other hold as nearly as they can.
            triangle[i * width + j] =
                i == j ? max(sum, 1e-7 * diagonal, 1e-300).squareRoot() : sum / triangle[j * width + j]
        }
    }

    /// Multipliers with which all cuts of the set hold with equality.
    private mutating func solveActive() {
        let n = active.count
        for i in 0..<n {
            var sum = -shortfalls[active[i]]
            for k in 0..<i { sum -= triangle[i * width + k] * solved[k] }
            solved[i] = sum / triangle[i * width + i]
        }
        for i in (0..<n).reversed() {
            var sum = solved[i]
            for k in (i + 1)..<n { sum -= triangle[k * width + i] * solved[k] }
            solved[i] = sum / triangle[i * width + i]
        }
    }
}
