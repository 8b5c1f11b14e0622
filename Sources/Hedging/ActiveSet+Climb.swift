/// Newton's method on the dual, which is concave and piecewise quadratic: from any multipliers up to its top, where
/// corrections of a guess go round in circles.
extension ActiveSet {
    /// Raises the dual to its top, around the present centre of the trades: from the multipliers of the first guess or
    /// from those that it came with, where a guess with more rows than free instruments led far away.
    /// - Returns: whether it got there, where the guess is that of the top, or found that there is none.
    func climb() -> Outcome {
        let isNear = problem.dualValue(firstMultipliers) >= problem.dualValue(centreMultipliers)
        let first = isNear ? firstMultipliers : centreMultipliers
        for r in 0..<rowCount { multipliers[r] = problem.clamped(first[r], r) }
        respond()
        while pivots < Self.mostPivots {
            pivots += 1
            var error = positionRows()
            if snap(within: min(1e-3, error)) {
                respond()
                error = positionRows()
            }
            if error <= 0.1 * Self.tolerance { return .holds }
            let active = assemble(rowFloor: max(1e-9, 1e-3 * error))
            matrix.factorise(count: active, floor: 1e-14)
            for k in 0..<active {
                let r = Int(activeRows[k])
                right[k] = target(r, multipliers[r], rising: positions[r] == .atLow) - exposure[r]
            }
            matrix.solve(right, count: active)
            for r in 0..<rowCount {
                direction[r] = 0
                start[r] = multipliers[r]
            }
            for k in 0..<active { direction[Int(activeRows[k])] = right[k] }
            search()
            if problem.provesInfeasible(direction) || problem.provesInfeasible(multipliers) {
                return .infeasible
            }
        }
        return .open
    }

    /// Rows whose small multiplier is on its way to 0 are put there.
    private func snap(within limit: Double) -> Bool {
        var any = false
        for r in 0..<rowCount where multipliers[r] != 0 && multipliers[r].magnitude <= limit {
            guard problem.kinds[r] != .equality, problem.kinds[r] != .quadratic else { continue }
            let y = multipliers[r]
            if y * (target(r, y, rising: true) - exposure[r]) < 0 {
                multipliers[r] = 0
                any = true
            }
        }
        return any
    }

    /// The trades that the multipliers call for, their segments, and the exposures that they make. One pass over
    /// the coefficients, as the search along a direction does little else.
    private func respond() {
        let (columnStart, columnRow, coefficients) = (
            problem.columnStart, problem.columnRow, problem.coefficients
        )
        let (lower, upper, curvature) = (problem.lower, problem.upper, problem.curvature)
        let (costBuy, costSell, marginPerUnit) = (problem.costBuy, problem.costSell, problem.marginPerUnit)
        let (cashBuy, cashSell) = (problem.cashBuy, problem.cashSell)
        let (multipliers, exposure, price, trades) = (multipliers, exposure, price, trades)
        let (segments, centreTrades) = (segments, centreTrades)
        let marginPrice = multipliers[problem.marginRow]
        let cashPrice = multipliers[problem.cashRow]
        for r in 0..<rowCount { exposure[r] = 0 }
        var margin = 0.0
        var cash = 0.0
        var k = 0
        for i in 0..<count {
            let start = k
            let end = Int(columnStart[i + 1])
            var paid = 0.0
            while k < end {
                paid += coefficients[k] * multipliers[Int(columnRow[k])]
                k += 1
            }
            price[i] = paid
            var bend = curvature[i]
            var pull = 0.0
            if bend < Self.leastCurvature {
                bend += Self.leastCurvature
                pull = Self.leastCurvature * centreTrades[i]
            }
            let limits = marginPerUnit[i] * marginPrice
            let buy = costBuy[i] - paid - limits - cashBuy[i] * cashPrice
            let sell = -costSell[i] - paid + limits + cashSell[i] * cashPrice
            let (low, high) = (lower[i], upper[i])
            var x = max(low, 0) + min(high, 0)
            if high > 0, pull - buy > bend * x {
                x = (pull - buy) / bend
                segments[i] = x < high ? .buy : .upper
                x = min(x, high)
            } else if low < 0, pull - sell < bend * x {
                x = (pull - sell) / bend
                segments[i] = x > low ? .sell : .lower
                x = max(x, low)
            } else {
                segments[i] = problem.nearSegment(i)
            }
            trades[i] = x
            guard x != 0 else { continue }
            for k in start..<end { exposure[Int(columnRow[k])] += coefficients[k] * x }
            margin += marginPerUnit[i] * x.magnitude
            cash += x > 0 ? cashBuy[i] * x : -cashSell[i] * x
        }
        exposure[problem.marginRow] = margin
        exposure[problem.cashRow] = cash
    }

    /// The limit that a row's multiplier pulls to; at 0 the one in the direction of rising or falling.
    private func target(_ r: Int, _ y: Double, rising: Bool) -> Double {
        let isLow = y > 0 || (y == 0 && rising)
        var target = isLow ? problem.low[r] : problem.high[r]
        let quadratic = problem.penaltyQuadratic[r]
        if quadratic > 0, y.magnitude > problem.penalty[r] {
            target -= (y.magnitude - problem.penalty[r]) / (isLow ? quadratic : -quadratic)
        }
        return target
    }

    /// Which rows can move, and how far the worst is from where its multiplier pulls.
    private func positionRows() -> Double {
        var worst = 0.0
        for r in 0..<rowCount {
            let kind = problem.kinds[r]
            let (y, g) = (multipliers[r], exposure[r])
            guard kind != .absent else {
                positions[r] = .inside
                continue
            }
            if y == 0 && kind != .quadratic && kind != .equality {
                let (low, high) = (problem.low[r], problem.high[r])
                positions[r] = g < low ? .atLow : g > high ? .atHigh : .inside
                worst = max(worst, low - g, g - high)
                continue
            }
            let error = target(r, y, rising: true) - g
            positions[r] = kind == .equality || y > 0 ? .atLow : .atHigh
            if kind == .quadratic {
                positions[r] = .belowLow
            } else if kind == .soft, y.magnitude >= problem.penalty[r] {
                // At the cap of a linear penalty the multiplier can only come back.
                let isBeyond = y > 0 ? error >= 0 : error <= 0
                if problem.penaltyQuadratic[r] > 0 {
                    if y.magnitude > problem.penalty[r] || isBeyond {
                        positions[r] = y > 0 ? .belowLow : .aboveHigh
                    }
                } else if isBeyond {
                    positions[r] = y > 0 ? .belowLow : .aboveHigh
                    continue
                }
            }
            worst = max(worst, error.magnitude)
        }
        return worst
    }

    /// Goes along the direction, each multiplier no further than its sign or its cap allows, to where the
    /// dual stops rising.
    private func search() {
        var left = 0.0
        var right = 1.0
        var atLeft = 0.0
        var atRight = advance(1)
        guard atRight < 0 else { return }
        // Directions that no trade supports are huge: come down in large strides.
        while true {
            let trial = right * 0.1
            let value = advance(trial)
            if value >= 0 || trial < 1e-14 {
                (left, atLeft) = (trial, value)
                break
            }
            (right, atRight) = (trial, value)
        }
        // Near enough to the top: the next direction is worth more than the last digits of this length.
        let first = max(atLeft, 1e-300)
        var isAtLeft = true
        for round in 0..<8 where atLeft > 0.2 * first || atRight < -first {
            var middle = left + (right - left) * atLeft / (atLeft - atRight)
            if round % 3 == 2 { middle = 0.5 * (left + right) }
            let value = advance(middle)
            isAtLeft = value >= 0
            if isAtLeft { (left, atLeft) = (middle, value) } else { (right, atRight) = (middle, value) }
        }
        if !isAtLeft { _ = advance(left) }
    }

    /// Sets the multipliers that far along the direction; returns the dual's derivative there, or −1 where the top
    /// has been passed unseen: behind multipliers that stop at 0 the way has a kink, and may rise again, or be
    /// level, lower than where it began.
    private func advance(_ length: Double) -> Double {
        var isBent = false
        for r in 0..<rowCount where direction[r] != 0 {
            var y = start[r] + length * direction[r]
            let kind = problem.kinds[r]
            if kind == .hard || kind == .soft {
                // A multiplier of 0 leaves it only to the side that its row is violated on.
                let sign = start[r] != 0 ? start[r] : positions[r] == .atLow ? 1 : -1
                if y * sign < 0 {
                    y = 0
                    isBent = true
                }
                if kind == .soft, problem.penaltyQuadratic[r] == 0 {
                    y = max(-problem.penalty[r], min(problem.penalty[r], y))
                }
            }
            multipliers[r] = y
        }
        respond()
        var slope = 0.0
        for r in 0..<rowCount where direction[r] != 0 {
            let y = multipliers[r]
            let kind = problem.kinds[r]
            if y == 0, kind == .hard || kind == .soft, length > 0 { continue }
            if kind == .soft, problem.penaltyQuadratic[r] == 0, y.magnitude == problem.penalty[r] { continue }
            slope += direction[r] * (target(r, y, rising: direction[r] > 0) - exposure[r])
        }
        if slope >= 0, isBent, problem.dualValue(multipliers) < problem.dualValue(start) { return -1 }
        return slope
    }
}
