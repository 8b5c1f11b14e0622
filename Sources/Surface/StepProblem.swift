import SurfaceKernel
import VectorMath

/// A condition on one slice or on two neighbours, linear about the present ones: value + own·d + before·d' ≥ 0.
package struct Cut {
    /// The slice, and whether the one before it has part in it.
    package var slice: Int
    package var hasBefore = false
    package var own = SliceVector.zero
    package var before = SliceVector.zero
    package var value: Double
    /// What it is, for its second derivatives.
    package var kind = Kind.linear
    /// The multiplier that it is expected to have.
    package var multiplier = 0.0
    /// Above 0: no condition but a part of the objective, stiffness·(own·d + before·d')²/2.
    package var stiffness = 0.0

    package enum Kind {
        /// Linear, or nearly so.
        case linear
        /// g at a strike.
        case durrleman(k: Double)
        /// The gap of total variance at a strike, times a scale.
        case gap(k: Double, scale: Double)
    }

    package init(
        slice: Int, hasBefore: Bool = false, own: SliceVector = .zero, before: SliceVector = .zero,
        value: Double, kind: Kind = .linear, multiplier: Double = 0, stiffness: Double = 0
    ) {
        (self.slice, self.hasBefore) = (slice, hasBefore)
        (self.own, self.before, self.value) = (own, before, value)
        (self.kind, self.multiplier, self.stiffness) = (kind, multiplier, stiffness)
    }
}

/// The step that lowers a sum of quadratic losses, one per slice, most, under cuts: a convex quadratic program with a
/// block-diagonal Hessian, but for what cuts of two neighbours add.
///
/// A primal-dual interior-point method with predictor and corrector (Mehrotra). In coordinates in which each slice's
/// Hessian is the unit matrix and each cut has a normal of length 1, slacks and multipliers are distances: what they start
/// from and when they are small enough needs no scale. A step of it is a block-tridiagonal Cholesky factor, five by five.
package struct StepProblem {
    /// Factors of the Hessians (lower triangles by rows, diagonals inverted), and the free step in their coordinates.
    private var factors: [InlineArray<5, Lanes>] = []
    private var free: [SliceVector] = []
    package private(set) var multipliers: [Double] = []
    package private(set) var steps: [SliceVector] = []

    /// A cut that may hold with equality.
    private struct Row {
        var cut: Int
        var slice: Int
        var hasBefore: Bool
        var own, before: SliceVector
        /// What it is at no step at all, and the norm that it was divided by.
        var value, norm: Double
        var slack = 0.0
        /// After the free step.
        var freeSlack = 0.0
        var multiplier = 0.0
        /// Whether it is expected to hold with equality, and whether it does so far.
        var guess = false
        var isHeld = false
        /// Of a step of the method.
        /// How far it is from its slack, and what slack times multiplier should lose.
        var miss = 0.0
        var excess = 0.0
        var slackStep = 0.0
        var multiplierStep = 0.0
    }
    private var rows: [Row] = []
    private var parts: [Row] = []
    private var moved: [SliceVector] = []
    /// How long the free step is.
    private var length = 0.0
    package private(set) var iterations = 0
    private var change: [SliceVector] = []
    private var residual: [SliceVector] = []
    /// The tridiagonal matrix and its factor: blocks on the diagonal, and those to the left of them.
    private var diagonal: [InlineArray<5, Lanes>] = []
    private var left: [InlineArray<5, Lanes>] = []

    /// How much a condition gives way to its multiplier, so that conditions that contradict each other have a solution.
    private static let give = 1e-11

    package init() {}

    /// - Returns: false where a Hessian is not positive definite.
    package mutating func add(gradient: SliceVector, hessian: InlineArray<5, Lanes>, damping: Double) -> Bool
    {
        var factor = hessian
        for i in 0..<5 { factor[i][i] += damping * max(hessian[i][i].magnitude, 1e-300) }
        guard Self.factorise(&factor, least: 1e-13) else { return false }
        factors.append(factor)
        free.append(-Self.solvedLower(factor, gradient))
        return true
    }

    /// How many slices have been added.
    package var count: Int { factors.count }

    package mutating func removeAll() {
        factors.removeAll(keepingCapacity: true)
        free.removeAll(keepingCapacity: true)
    }

    /// Makes room for so many cuts and slices.
    package mutating func reserve(cuts: Int, slices: Int) {
        rows.reserveCapacity(cuts)
        parts.reserveCapacity(cuts)
        multipliers.reserveCapacity(cuts)
        factors.reserveCapacity(slices)
        free.reserveCapacity(slices)
        steps.reserveCapacity(slices)
        moved.reserveCapacity(slices)
        change.reserveCapacity(slices)
        residual.reserveCapacity(slices)
        diagonal.reserveCapacity(slices)
        left.reserveCapacity(slices)
    }

    /// Takes steps back that were found before.
    package mutating func setSteps(_ earlier: [SliceVector]) {
        for slice in steps.indices { steps[slice] = earlier[slice] }
    }

    /// The lower Cholesky factor of a matrix of five rows, its diagonal inverted.
    @inline(__always)
    private static func factorise(_ matrix: inout InlineArray<5, Lanes>, least: Double) -> Bool {
        for i in 0..<5 {
            for j in 0...i {
                var sum = matrix[i][j]
                for k in 0..<j { sum -= matrix[i][k] * matrix[j][k] }
                if i == j {
                    guard sum > least * matrix[i][i].magnitude else { return false }
                    matrix[i][i] = 1 / sum.squareRoot()
                } else {
                    matrix[i][j] = sum * matrix[j][j]
                }
            }
        }
        return true
    }

    /// L⁻¹ v.
    @inline(__always)
    private static func solvedLower(_ factor: InlineArray<5, Lanes>, _ v: SliceVector) -> SliceVector {
        var result = v
        for i in 0..<5 {
            for k in 0..<i { result[i] -= factor[i][k] * result[k] }
            result[i] *= factor[i][i]
        }
        return result
    }

    /// L⁻ᵀ v.
    @inline(__always)
    private static func solvedUpper(_ factor: InlineArray<5, Lanes>, _ v: SliceVector) -> SliceVector {
        var result = v
        for i in (0..<5).reversed() {
            for k in (i + 1)..<5 { result[i] -= factor[k][i] * result[k] }
            result[i] *= factor[i][i]
        }
        return result
    }

    /// Finds the step of each slice and the multiplier of each cut.
    package mutating func solve(_ cuts: [Cut]) {
        prepare(cuts)
        let farthest = startRows()
        if farthest > 0 || !parts.isEmpty, !solveGuess(farthest) {
            for place in rows.indices {
                rows[place].slack = max(rows[place].freeSlack, 0.3 * farthest)
                rows[place].multiplier = min(0.3 * farthest, farthest * farthest / rows[place].slack)
            }
            for slice in free.indices { moved[slice] = free[slice] }
            for _ in 0..<40 {
                let gap = complementarity()
                let miss = evaluateResidual()
                if gap <= 1e-13 * farthest * farthest, miss <= 1e-12 * farthest + 1e-14 * length { break }
                guard advance(gap) else { break }
                iterations += 1
            }
        }
        for place in rows.indices where rows[place].multiplier > rows[place].slack {
            multipliers[rows[place].cut] = rows[place].multiplier / rows[place].norm
        }
        steps.removeAll(keepingCapacity: true)
        for slice in factors.indices { steps.append(Self.solvedUpper(factors[slice], moved[slice])) }
    }

    /// Cuts in the coordinates of the factors; those that no step reaches are left out.
    private mutating func prepare(_ cuts: [Cut]) {
        rows.removeAll(keepingCapacity: true)
        parts.removeAll(keepingCapacity: true)
        multipliers.removeAll(keepingCapacity: true)
        moved.removeAll(keepingCapacity: true)
        moved.append(contentsOf: free)
        length = 0
        for step in free { length += (step * step).sum() }
        length = length.squareRoot()
        var current = -1
        var factor = InlineArray<5, Lanes>(repeating: .zero)
        for (place, cut) in cuts.enumerated() {
            multipliers.append(0)
            if cut.slice != current {
                current = cut.slice
                factor = factors[current]
            }
            let mine = Self.solvedLower(factor, cut.own)
            var other = SliceVector.zero
            var square = (mine * mine).sum()
            var along = (mine * free[cut.slice]).sum()
            if cut.hasBefore {
                other = Self.solvedLower(factors[cut.slice - 1], cut.before)
                square += (other * other).sum()
                along += (other * free[cut.slice - 1]).sum()
            }
            let norm = max(square.squareRoot(), 1e-300)
            if cut.stiffness > 0 {
                parts.append(
                    Row(
                        cut: place, slice: cut.slice, hasBefore: cut.hasBefore, own: mine, before: other,
                        value: cut.stiffness, norm: 1))
                continue
            }
            let slack = (cut.value + along) / norm
            // No step at all keeps what is kept now: the solution is no farther from the free step than that.
            if slack > 1.5 * length + 3 * max(0, -cut.value / norm) { continue }
            rows.append(
                Row(
                    cut: place, slice: cut.slice, hasBefore: cut.hasBefore, own: mine / norm,
                    before: other / norm, value: cut.value / norm, norm: norm, slack: slack, freeSlack: slack,
                    guess: cut.multiplier > 0))
        }
    }

    /// Slacks and multipliers to start from; how far the free step breaks the cut that it breaks most.
    private mutating func startRows() -> Double {
        var farthest = 0.0
        for place in rows.indices { farthest = max(farthest, -rows[place].slack) }
        if farthest <= 1e-12 * length { farthest = 0 }
        return farthest > 0 ? farthest : (parts.isEmpty ? 0 : 1e-3)
    }

    /// The solution by conditions that are expected to hold with equality, those of a multiplier so far; those that turn
    /// out to be broken come in and those that pull leave, a few times.
    ///
    /// - Returns: false where it has not come to an end.
    private mutating func solveGuess(_ farthest: Double) -> Bool {
        var isGuess = false
        for place in rows.indices {
            rows[place].isHeld = rows[place].guess
            if rows[place].guess { isGuess = true }
        }
        guard isGuess else { return false }
        let weight = 1e6
        let tolerance = 1e-12 * farthest + 1e-14 * length
        for _ in 0..<6 {
            clearMatrix()
            for part in parts { add(part, weight: part.value) }
            for place in rows.indices {
                rows[place].multiplier = 0
                if rows[place].isHeld { addRow(place, weight: weight) }
            }
            guard factorMatrix() else { return false }
            var miss = Double.infinity
            for _ in 0..<8 {
                // What is to be lowered with the multipliers so far, and from where it is lowest on.
                change.removeAll(keepingCapacity: true)
                change.append(contentsOf: free)
                for place in rows.indices where rows[place].isHeld {
                    let push = rows[place].multiplier - weight * rows[place].value
                    change[rows[place].slice] += push * rows[place].own
                    if rows[place].hasBefore { change[rows[place].slice - 1] += push * rows[place].before }
                }
                solveMatrix()
                for slice in moved.indices { moved[slice] = change[slice] }
                var own = 0.0
                for place in rows.indices where rows[place].isHeld {
                    let left = valueOf(place)
                    rows[place].multiplier -= weight * left
                    own = max(own, left.magnitude)
                }
                if own <= tolerance || own > 0.5 * miss {
                    miss = own
                    break
                }
                miss = own
            }
            iterations += 1
            guard miss <= 1e3 * tolerance else { return false }
            var isChanged = false
            for place in rows.indices {
                if rows[place].isHeld {
                    rows[place].slack = 0
                    if !(rows[place].multiplier > 0) { (rows[place].isHeld, isChanged) = (false, true) }
                } else {
                    rows[place].slack = max(0, valueOf(place))
                    if valueOf(place) < -1e-9 * farthest { (rows[place].isHeld, isChanged) = (true, true) }
                }
            }
            if !isChanged { return true }
        }
        return false
    }

    /// What a cut is after the step so far.
    @inline(__always)
    private func valueOf(_ place: Int) -> Double {
        let slice = rows[place].slice
        var sum = rows[place].value + dot(rows[place].own, moved[slice])
        if rows[place].hasBefore { sum += dot(rows[place].before, moved[slice - 1]) }
        return sum
    }

    private func complementarity() -> Double {
        var sum = 0.0
        for place in rows.indices { sum += rows[place].slack * rows[place].multiplier }
        return rows.isEmpty ? 0 : sum / Double(rows.count)
    }

    /// d − f + Σ stiffness·(part·d) part − Σ z a into `residual`; how large it and the misses of the slacks are.
    private mutating func evaluateResidual() -> Double {
        residual.removeAll(keepingCapacity: true)
        for slice in free.indices { residual.append(moved[slice] - free[slice]) }
        for part in parts {
            var along = (part.own * moved[part.slice]).sum()
            if part.hasBefore { along += (part.before * moved[part.slice - 1]).sum() }
            residual[part.slice] += part.value * along * part.own
            if part.hasBefore { residual[part.slice - 1] += part.value * along * part.before }
        }
        var miss = 0.0
        for place in rows.indices {
            let slice = rows[place].slice
            let multiplier = rows[place].multiplier
            residual[slice] -= multiplier * rows[place].own
            // a·d + v + give·z − s.
            var own =
                rows[place].value + Self.give * multiplier - rows[place].slack
                + dot(rows[place].own, moved[slice])
            if rows[place].hasBefore {
                residual[slice - 1] -= multiplier * rows[place].before
                own += dot(rows[place].before, moved[slice - 1])
            }
            rows[place].miss = own
            miss = max(miss, own.magnitude)
        }
        for slice in residual.indices { miss = max(miss, residual[slice].absolute.max()) }
        return miss
    }

    /// Of the first five lanes.
    @inline(__always)
    private func dot(_ a: SliceVector, _ b: SliceVector) -> Double {
        let product = a * b
        return (product[0] + product[1]) + (product[2] + product[3]) + product[4]
    }

    /// A step of the method: where the complementarity would be 0, then towards what that leaves to be hoped for.
    private mutating func advance(_ gap: Double) -> Bool {
        guard factor() else { return false }
        solve(centring: 0, hasCorrection: false)
        let (primal, dual) = lengths(share: 1)
        var hoped = 0.0
        for place in rows.indices {
            let slack = rows[place].slack + primal * rows[place].slackStep
            hoped += slack * (rows[place].multiplier + dual * rows[place].multiplierStep)
        }
        hoped /= Double(max(1, rows.count))
        let ratio = gap > 0 ? hoped / gap : 0
        solve(centring: gap * ratio * ratio * ratio, hasCorrection: true)
        let lengths = lengths(share: 0.995)
        let step = min(lengths.primal, lengths.dual)
        for place in rows.indices {
            rows[place].slack += step * rows[place].slackStep
            rows[place].multiplier += step * rows[place].multiplierStep
        }
        for slice in moved.indices { moved[slice] += step * change[slice] }
        return step > 1e-10
    }

    /// How far slacks and multipliers may go and stay above 0.
    private func lengths(share: Double) -> (primal: Double, dual: Double) {
        var (primal, dual) = (1.0, 1.0)
        for place in rows.indices {
            let (slack, multiplier) = (rows[place].slackStep, rows[place].multiplierStep)
            if slack < 0 { primal = min(primal, -share * rows[place].slack / slack) }
            if multiplier < 0 { dual = min(dual, -share * rows[place].multiplier / multiplier) }
        }
        return (primal, dual)
    }

    /// 1 + Σ weight·a aᵀ, factored.
    private mutating func factor() -> Bool {
        clearMatrix()
        for part in parts { add(part, weight: part.value) }
        for place in rows.indices {
            let multiplier = rows[place].multiplier
            addRow(place, weight: multiplier / (rows[place].slack + Self.give * multiplier))
        }
        return factorMatrix()
    }

    private mutating func clearMatrix() {
        let count = factors.count
        while diagonal.count < count {
            diagonal.append(InlineArray(repeating: .zero))
            left.append(InlineArray(repeating: .zero))
        }
        for slice in 0..<count {
            for i in 0..<5 {
                diagonal[slice][i] = .zero
                diagonal[slice][i][i] = 1
                left[slice][i] = .zero
            }
        }
    }

    private mutating func factorMatrix() -> Bool {
        for slice in factors.indices {
            var own = diagonal[slice]
            if slice > 0 {
                let before = diagonal[slice - 1]
                var side = left[slice]
                for i in 0..<5 { side[i] = Self.solvedLower(before, side[i]) }
                for i in 0..<5 {
                    for j in 0...i { own[i][j] -= dot(side[i], side[j]) }
                }
                left[slice] = side
            }
            guard Self.factorise(&own, least: 0) else { return false }
            diagonal[slice] = own
        }
        return true
    }

    /// The matrix's inverse times `change`, in place.
    private mutating func solveMatrix() {
        var before = SliceVector.zero
        for slice in change.indices {
            var own = change[slice]
            if slice > 0 {
                let side = left[slice]
                for i in 0..<5 { own[i] -= dot(side[i], before) }
            }
            let factor = diagonal[slice]
            before = Self.solvedLower(factor, own)
            change[slice] = before
        }
        var next = SliceVector.zero
        for slice in change.indices.reversed() {
            var own = change[slice]
            if slice + 1 < change.count {
                let side = left[slice + 1]
                for i in 0..<5 { own -= next[i] * side[i] }
            }
            let factor = diagonal[slice]
            next = Self.solvedUpper(factor, own)
            change[slice] = next
        }
    }

    @inline(__always)
    private mutating func add(_ row: Row, weight: Double) {
        add(row.slice, row.hasBefore, row.own, row.before, weight)
    }

    @inline(__always)
    private mutating func add(
        _ slice: Int, _ hasBefore: Bool, _ own: SliceVector, _ before: SliceVector, _ weight: Double
    ) {
        let mine = weight * own
        for i in 0..<5 { diagonal[slice][i] += mine[i] * own }
        guard hasBefore else { return }
        let other = weight * before
        for i in 0..<5 {
            diagonal[slice - 1][i] += other[i] * before
            left[slice][i] += mine[i] * before
        }
    }

    /// The same for a condition.
    @inline(__always)
    private mutating func addRow(_ place: Int, weight: Double) {
        add(rows[place].slice, rows[place].hasBefore, rows[place].own, rows[place].before, weight)
    }

    /// The change of the step, and what slacks and multipliers do with it.
    private mutating func solve(centring: Double, hasCorrection: Bool) {
        change.removeAll(keepingCapacity: true)
        for slice in residual.indices { change.append(-residual[slice]) }
        for place in rows.indices {
            // What s·z should lose.
            var excess = rows[place].slack * rows[place].multiplier - centring
            if hasCorrection { excess += rows[place].slackStep * rows[place].multiplierStep }
            let push =
                (excess + rows[place].multiplier * rows[place].miss)
                / (rows[place].slack + Self.give * rows[place].multiplier)
            rows[place].excess = excess
            let slice = rows[place].slice
            change[slice] -= push * rows[place].own
            if rows[place].hasBefore { change[slice - 1] -= push * rows[place].before }
        }
        solveMatrix()
        for place in rows.indices {
            let slice = rows[place].slice
            var along = dot(rows[place].own, change[slice]) + rows[place].miss
            if rows[place].hasBefore { along += dot(rows[place].before, change[slice - 1]) }
            let step =
                -(rows[place].excess + rows[place].multiplier * along)
                / (rows[place].slack + Self.give * rows[place].multiplier)
            rows[place].multiplierStep = step
            rows[place].slackStep = along + Self.give * step
        }
    }
}
