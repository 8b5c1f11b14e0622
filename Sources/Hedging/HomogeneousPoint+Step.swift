/// Newton's step of the homogeneous embedding: the equations reduced to one row per band, their factor, the steps, and
/// how far they go.
extension HomogeneousPoint {
    /// - Returns: whether there is a step.
    func iterate(_ mean: N) -> Bool {
        factorise()
        solve(centre: N(0), keeps: N(0), corrects: false)
        let affine = length()
        guard affine.double.isFinite else { return false }
        let rest = N(1) - affine
        let share = rest * rest * rest
        solve(centre: share * mean, keeps: share, corrects: true)
        let length = length() * N(0.99)
        guard length.double.isFinite, length.double > 1e-14 else { return false }
        advance(length)
        return true
    }

    /// A D Aᵀ + E and its factor L Δ Lᵀ.
    private func factorise() {
        for k in matrix.indices { matrix[k] = N(0) }
        for c in 0..<columnCount where columns[c].isOpen {
            var curvature = columns[c].bend + columns[c].amount.dual / columns[c].amount.primal
            if columns[c].hasEnd { curvature += columns[c].end.dual / columns[c].end.primal }
            columns[c].weight = N(1) / curvature
            let weight = columns[c].weight
            forEachCoefficient(c) { row, coefficient in
                let weighted = coefficient * weight
                let base = row * rowCount
                forEachCoefficient(c) { column, other in
                    if column <= row { matrix[base + column] += weighted * other }
                }
            }
        }
        for r in 0..<rowCount {
            switch exact.kinds[r] {
            case .absent: rows[r].give = N(1)
            case .equality: rows[r].give = N(0)
            case .quadratic: rows[r].give = N(1) / rows[r].quadratic
            case .hard, .soft:
                let weight = weigh(&rows[r].sides.0, rows[r]) + weigh(&rows[r].sides.1, rows[r])
                rows[r].give = weight > N(0) ? N(1) / weight : N(1e150)
            }
            matrix[r * rowCount + r] += rows[r].give
        }
        // Rows that depend on others, up to rounding, keep their multiplier.
        for i in 0..<rowCount {
            let base = i * rowCount
            let diagonal = matrix[base + i]
            let begin = problem.shape.rowFirst[i]
            for j in begin..<i {
                var value = matrix[base + j]
                let other = j * rowCount
                for k in max(begin, problem.shape.rowFirst[j])..<j {
                    value -= matrix[base + k] * matrix[other + k]
                }
                matrix[base + j] = value
            }
            var pivot = diagonal
            for j in begin..<i {
                let value = matrix[base + j] / matrix[j * rowCount + j]
                pivot -= value * matrix[base + j]
                matrix[base + j] = value
            }
            matrix[base + i] = pivot > diagonal * N(N.noise) ? pivot : N(1e200)
        }
    }

    private func weigh(_ side: inout Side, _ row: Row) -> N {
        guard side.isThere else { return N(0) }
        var give = side.slack.primal / side.slack.dual
        if side.isSoft {
            side.give = N(1) / (row.quadratic + side.excess.dual / side.excess.primal)
            give += side.give
        }
        side.weight = N(1) / give
        return side.weight
    }

    /// All steps towards products of `centre`, with a share of the errors kept.
    private func solve(centre: N, keeps: N, corrects: Bool) {
        let share = keeps - N(1)
        scale.aim(centre, corrects: corrects)
        prepareColumns(centre, share, corrects)
        prepareRows(centre, share, corrects)
        solveForMultipliers()
        let step = stepOfScale(share)
        takeSteps(step, share)
    }

    /// What the columns' steps are before multipliers and τ move, and how much they are per step of τ.
    private func prepareColumns(_ centre: N, _ share: N, _ corrects: Bool) {
        for c in 0..<columnCount where columns[c].isOpen {
            columns[c].amount.aim(centre, corrects: corrects)
            var constant = share * columns[c].dualError + columns[c].amount.target / columns[c].amount.primal
            var rate = -columns[c].cost
            if columns[c].hasEnd {
                columns[c].end.aim(centre, corrects: corrects)
                let (end, dual) = (columns[c].end.primal, columns[c].end.dual)
                constant = constant - (columns[c].end.target - dual * share * columns[c].endError) / end
                rate += dual * columns[c].room / end
            }
            columns[c].constant = columns[c].weight * constant
            columns[c].rate = columns[c].weight * rate
        }
    }

    /// The same of the rows.
    private func prepareRows(_ centre: N, _ share: N, _ corrects: Bool) {
        for r in 0..<rowCount {
            switch exact.kinds[r] {
            case .absent:
                rows[r].constant = N(0)
                rows[r].rate = N(0)
            case .equality, .quadratic:
                rows[r].constant = share * rows[r].error
                rows[r].rate = rows[r].limit
            case .hard, .soft:
                var (constant, rate) = (N(0), N(0))
                aim(&rows[r].sides.0, rows[r], centre, share, corrects, &constant, &rate)
                aim(&rows[r].sides.1, rows[r], centre, share, corrects, &constant, &rate)
                rows[r].constant = constant * rows[r].give
                rows[r].rate = rate * rows[r].give
            }
            rows[r].firstSum = N(0)
            rows[r].secondSum = N(0)
        }
    }

    /// The multipliers' steps, for both right sides. Columns with next to no curvature take the digits of a solution
    /// away: what is left is solved for again.
    private func solveForMultipliers() {
        for _ in 0..<2 {
            for r in 0..<rowCount {
                rows[r].first = rows[r].constant - rows[r].give * rows[r].firstSum
                rows[r].second = rows[r].rate - rows[r].give * rows[r].secondSum
            }
            for c in 0..<columnCount where columns[c].isOpen {
                var (paid, paidRate) = (N(0), N(0))
                forEachCoefficient(c) {
                    paid += $1 * rows[$0].firstSum
                    paidRate += $1 * rows[$0].secondSum
                }
                let constant = columns[c].constant + columns[c].weight * paid
                let rate = columns[c].rate + columns[c].weight * paidRate
                forEachCoefficient(c) {
                    rows[$0].first -= $1 * constant
                    rows[$0].second -= $1 * rate
                }
            }
            solveRows()
            for r in 0..<rowCount {
                rows[r].firstSum += rows[r].first
                rows[r].secondSum += rows[r].second
            }
        }
        for r in 0..<rowCount {
            rows[r].first = rows[r].firstSum
            rows[r].second = rows[r].secondSum
        }
    }

    /// The step of τ, in which all others are linear.
    private func stepOfScale(_ share: N) -> N {
        let tau = scale.primal
        let two = N(2) / tau
        var (constant, rate) = (N(0), N(0))
        for c in 0..<columnCount where columns[c].isOpen {
            var (first, second) = (N(0), N(0))
            forEachCoefficient(c) {
                first += $1 * rows[$0].first
                second += $1 * rows[$0].second
            }
            let weight = columns[c].weight
            let move = columns[c].constant + weight * first
            let moveRate = columns[c].rate + weight * second
            columns[c].constant = move
            columns[c].rate = moveRate
            let slope = columns[c].cost + two * columns[c].bend * columns[c].amount.primal
            constant += slope * move
            rate += slope * moveRate
            if columns[c].hasEnd {
                let room = columns[c].room
                let (end, dual) = (columns[c].end.primal, columns[c].end.dual)
                let endStep = share * columns[c].endError - move
                constant += room * (columns[c].end.target - dual * endStep) / end
                rate -= room * dual * (room - moveRate) / end
            }
        }
        for r in 0..<rowCount {
            let (first, second) = (rows[r].first, rows[r].second)
            switch exact.kinds[r] {
            case .absent: break
            case .equality:
                constant -= rows[r].limit * first
                rate -= rows[r].limit * second
            case .quadratic:
                let slope = two * rows[r].multiplier / rows[r].quadratic - rows[r].limit
                constant += slope * first
                rate += slope * second
            case .hard, .soft:
                let move = rows[r].constant - rows[r].give * first
                let moveRate = rows[r].rate - rows[r].give * second
                gather(rows[r].sides.0, rows[r], move, moveRate, two, &constant, &rate)
                gather(rows[r].sides.1, rows[r], move, moveRate, two, &constant, &rate)
            }
        }
        let denominator = rate - scale.dual / tau - quadraticForm / (tau * tau)
        return (share * scaleError - scale.target / tau - constant) / denominator
    }

    /// All other steps.
    private func takeSteps(_ step: N, _ share: N) {
        scale.setPrimalStep(step)
        for c in 0..<columnCount where columns[c].isOpen {
            let move = columns[c].constant + step * columns[c].rate
            columns[c].amount.setPrimalStep(move)
            if columns[c].hasEnd {
                columns[c].end.setPrimalStep(share * columns[c].endError + columns[c].room * step - move)
            }
        }
        for r in 0..<rowCount where exact.kinds[r] != .absent {
            rows[r].multiplierStep = rows[r].first + step * rows[r].second
            rows[r].exposureStep =
                rows[r].constant + rows[r].rate * step - rows[r].give * rows[r].multiplierStep
            finish(&rows[r].sides.0, rows[r], step)
            finish(&rows[r].sides.1, rows[r], step)
        }
    }

    private func aim(
        _ side: inout Side, _ row: Row, _ centre: N, _ share: N, _ corrects: Bool, _ constant: inout N,
        _ rate: inout N
    ) {
        guard side.isThere else { return }
        side.slack.aim(centre, corrects: corrects)
        side.constant = side.slack.target / side.slack.dual + share * side.error
        side.rate = side.sign * side.limit
        if side.isSoft {
            side.excess.aim(centre, corrects: corrects)
            side.excessConstant = share * side.excessError + side.excess.target / side.excess.primal
            side.constant -= side.give * side.excessConstant
            side.rate += side.give * row.penalty
        }
        constant += side.sign * side.weight * side.constant
        rate += side.sign * side.weight * side.rate
    }

    private func gather(
        _ side: Side, _ row: Row, _ move: N, _ moveRate: N, _ two: N, _ constant: inout N, _ rate: inout N
    ) {
        guard side.isThere else { return }
        let step = side.weight * (side.constant - side.sign * move)
        let stepRate = side.weight * (side.rate - side.sign * moveRate)
        constant -= side.sign * side.limit * step
        rate -= side.sign * side.limit * stepRate
        guard side.isSoft else { return }
        let slope = row.penalty + two * row.quadratic * side.excess.primal
        constant += slope * side.give * (step + side.excessConstant)
        rate += slope * side.give * (stepRate - row.penalty)
    }

    private func finish(_ side: inout Side, _ row: Row, _ tauStep: N) {
        guard side.isThere else { return }
        let step = side.weight * (side.constant + side.rate * tauStep - side.sign * row.exposureStep)
        side.slack.setDualStep(step)
        guard side.isSoft else { return }
        side.excess.setPrimalStep(side.give * (step + side.excessConstant - row.penalty * tauStep))
    }

    private func solveRows() {
        for i in 0..<rowCount {
            var (a, b) = (rows[i].first, rows[i].second)
            let base = i * rowCount
            for j in problem.shape.rowFirst[i]..<i {
                a -= matrix[base + j] * rows[j].first
                b -= matrix[base + j] * rows[j].second
            }
            rows[i].first = a
            rows[i].second = b
        }
        for i in 0..<rowCount {
            let pivot = matrix[i * rowCount + i]
            rows[i].first = rows[i].first / pivot
            rows[i].second = rows[i].second / pivot
        }
        for i in (0..<rowCount).reversed() {
            let (a, b) = (rows[i].first, rows[i].second)
            let base = i * rowCount
            for j in problem.shape.rowFirst[i]..<i {
                rows[j].first -= matrix[base + j] * a
                rows[j].second -= matrix[base + j] * b
            }
        }
    }

    private func length() -> N {
        var length = N(1)
        scale.shorten(&length)
        for c in 0..<columnCount where columns[c].isOpen {
            columns[c].amount.shorten(&length)
            if columns[c].hasEnd { columns[c].end.shorten(&length) }
        }
        for r in 0..<rowCount {
            for side in [rows[r].sides.0, rows[r].sides.1] where side.isThere {
                side.slack.shorten(&length)
                if side.isSoft { side.excess.shorten(&length) }
            }
        }
        return length
    }

    private func advance(_ length: N) {
        scale.advance(length)
        for c in 0..<columnCount where columns[c].isOpen {
            columns[c].amount.advance(length)
            if columns[c].hasEnd { columns[c].end.advance(length) }
        }
        for r in 0..<rowCount where exact.kinds[r] != .absent {
            advance(&rows[r].sides.0, length)
            advance(&rows[r].sides.1, length)
            switch exact.kinds[r] {
            case .hard, .soft:
                rows[r].multiplier =
                    (rows[r].sides.0.isThere ? rows[r].sides.0.slack.dual : N(0))
                    - (rows[r].sides.1.isThere ? rows[r].sides.1.slack.dual : N(0))
            default: rows[r].multiplier += length * rows[r].multiplierStep
            }
        }
    }

    private func advance(_ side: inout Side, _ length: N) {
        guard side.isThere else { return }
        side.slack.advance(length)
        if side.isSoft { side.excess.advance(length) }
    }
}
