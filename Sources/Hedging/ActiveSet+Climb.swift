/// A way up the dual, which is concave and piecewise quadratic, from any multipliers to its top, for where
/// corrections of a guess go round in circles.
///
/// Instruments answer the multipliers at once; the rows that hold are brought to their limits, and then one that is
/// broken (of each underlying the worst) is taken in after the other. Each step ends where the first instrument
/// changes its segment or the first multiplier its row's position, so the dual rises at every one of them. As long as
/// no row that spans several underlyings has a say, the dual is a sum over underlyings, and each takes steps of its own
/// length. That is the dual method of D. Goldfarb and A. Idnani ("A numerically stable dual method for solving strictly
/// convex quadratic programs", Mathematical Programming 27, 1983) with the bounds taken out of the working set.
extension ActiveSet {
    /// What ends a step.
    enum Event {
        case none
        case instrument(Int, Segment)
        case row(Int, RowPosition, multiplier: Double)

        var isNone: Bool { if case .none = self { true } else { false } }
    }

    /// The group of rows that span several underlyings: margin, cash and risk factors too.
    private var spanning: Int { problem.shape.groupCount - 1 }

    /// Raises the dual to its top, around the present centre of the trades: from the multipliers of the first guess or
    /// from those that it came with, where a guess with more rows than free instruments led far away.
    /// - Returns: whether it got there within so many steps, where the guess is that of the top, or found that there is
    ///   none.
    func climb(most: Int) -> Outcome {
        let isNear = problem.dualValue(firstMultipliers) >= problem.dualValue(centreMultipliers)
        for r in 0..<rowCount {
            multipliers[r] = problem.clamped(isNear ? firstMultipliers[r] : centreMultipliers[r], r)
        }
        respond()
        for r in 0..<rowCount { positions[r] = position(r) }
        isSettled.fill(false)
        for steps in 0..<most {
            if problem.watch.isOver { return .open }
            pivots += 1
            var isWholeSettled = true
            for g in 0...spanning { isWholeSettled = isWholeSettled && isSettled[g] }
            // Without a top the multipliers grow until they prove it.
            if isWholeSettled || steps % 8 == 7, problem.provesInfeasible(multipliers) { return .infeasible }
            if !takeInBroken(isWholeSettled), isWholeSettled { return .holds }
            let active = assemble(rowFloor: 0)
            matrix.factorise(count: active, floor: 1e-9)
            var isJoint = false
            for k in 0..<active {
                let r = Int(activeRows[k])
                right[k] = target(r) - exposure[r]
                isJoint = isJoint || problem.shape.groupOfRow[r] == spanning
            }
            var longest = 1.0
            if findLevelDirection(active) {
                longest = .infinity
                isJoint = true
            } else {
                matrix.solve(right, count: active)
            }
            direction.fill(0)
            for k in 0..<active { direction[Int(activeRows[k])] = right[k] }
            if longest == .infinity, problem.provesInfeasible(direction) { return .infeasible }
            findEvents(longest, isJoint: isJoint)
            guard length[spanning] < .infinity else { return .open }
            for k in 0..<active {
                let r = Int(activeRows[k])
                multipliers[r] += length[isJoint ? spanning : problem.shape.groupOfRow[r]] * right[k]
            }
            for g in 0...spanning {
                switch event[g] {
                case .none: break
                case .instrument(let i, let segment): segments[i] = segment
                case .row(let r, let position, let multiplier):
                    positions[r] = position
                    multipliers[r] = multiplier
                }
                isSettled[g] = event[isJoint ? spanning : g].isNone
            }
            computeTrades()
        }
        return .open
    }

    /// Where rows that hold depend on each other: multipliers that move no trade, if the dual rises with them. They
    /// take the place of the right side.
    private func findLevelDirection(_ active: Int) -> Bool {
        for z in 0..<active where matrix.isDependent(z) {
            matrix.nullVector(start, of: z)
            var slope = 0.0
            var size = 0.0
            for k in 0...z {
                slope += start[k] * right[k]
                size = max(size, start[k].magnitude)
            }
            guard slope.magnitude > Self.tolerance * size else { continue }
            for k in 0..<active { right[k] = k > z ? 0 : slope > 0 ? start[k] : -start[k] }
            return true
        }
        return false
    }

    /// Takes in what is broken, the worst of every underlying whose rows are at their limits: they only meet in rows
    /// that span several of them, and those wait for all.
    /// - Returns: whether there is any.
    private func takeInBroken(_ isWholeSettled: Bool) -> Bool {
        groupError.fill(Self.tolerance)
        var any = false
        for r in 0..<rowCount {
            let g = problem.shape.groupOfRow[r]
            guard isSettled[g], g < spanning || isWholeSettled else { continue }
            let (position, error) = broken(r)
            guard error > groupError[g] else { continue }
            groupError[g] = error
            groupWorst[g] = Int32(r)
            groupPosition[g] = position
            any = true
        }
        guard any else { return false }
        for g in 0..<problem.shape.groupCount where groupError[g] > Self.tolerance {
            positions[Int(groupWorst[g])] = groupPosition[g]
        }
        return true
    }

    /// How far a row without say is outside of where its multiplier lets it be, and the position to take it in at.
    @inline(__always)
    private func broken(_ r: Int) -> (RowPosition, Double) {
        let g = exposure[r]
        switch positions[r] {
        case .inside:
            guard problem.kinds[r] != .absent else { return (.inside, 0) }
            let (below, above) = (problem.low[r] - g, g - problem.high[r])
            return below > above ? (.atLow, below) : (.atHigh, above)
        case .belowLow where problem.kinds[r] == .soft && problem.penaltyQuadratic[r] == 0:
            return (.atLow, g - problem.low[r])
        case .aboveHigh where problem.kinds[r] == .soft && problem.penaltyQuadratic[r] == 0:
            return (.atHigh, problem.high[r] - g)
        default: return (positions[r], 0)
        }
    }

    /// The position that goes with a multiplier.
    private func position(_ r: Int) -> RowPosition {
        let y = multipliers[r]
        switch problem.kinds[r] {
        case .absent: return .inside
        case .quadratic: return .belowLow
        case .equality: return .atLow
        case .hard: return y == 0 ? .inside : y > 0 ? .atLow : .atHigh
        case .soft:
            if y == 0 { return .inside }
            let isBeyond = y.magnitude >= problem.penalty[r]
            return y > 0 ? (isBeyond ? .belowLow : .atLow) : isBeyond ? .aboveHigh : .atHigh
        }
    }

    /// The exposure that a row with a say is to have.
    @inline(__always) func target(_ r: Int) -> Double {
        let (y, penalty, quadratic) = (multipliers[r], problem.penalty[r], problem.penaltyQuadratic[r])
        switch positions[r] {
        case .atLow, .inside: return problem.low[r]
        case .atHigh: return problem.high[r]
        case .belowLow: return problem.low[r] - (y - penalty) / quadratic
        case .aboveHigh: return problem.high[r] - (y + penalty) / quadratic
        }
    }

    private static let noise = 1e-13

    /// The first thing that happens along the direction if it is nearer than `longest`, in each group or, where they
    /// move together, in all: `event`, and how far away it is, `length`.
    private func findEvents(_ longest: Double, isJoint: Bool) {
        length.fill(longest)
        event.fill(.none)
        var size = 0.0
        for r in 0..<rowCount where direction[r] != 0 {
            size = max(size, direction[r].magnitude)
            guard let next = nextPosition(r) else { continue }
            let distance = max((next.end - multipliers[r]) / direction[r], 0)
            let g = isJoint ? spanning : problem.shape.groupOfRow[r]
            if distance < length[g] {
                length[g] = distance
                event[g] = .row(r, next.position, multiplier: next.end)
            }
        }
        // Of a direction that moves next to no trade, rounding is left.
        let noise = Self.noise * size
        let marginRate = direction[problem.marginRow]
        let cashRate = direction[problem.cashRow]
        for i in 0..<count where problem.lower[i] < problem.upper[i] {
            let rate = problem.columns.product(i, direction)
            let limits = problem.marginPerUnit[i] * marginRate
            let next = nextSegment(
                i, noise, buyRate: rate + limits + problem.cashBuy[i] * cashRate,
                sellRate: rate - limits - problem.cashSell[i] * cashRate)
            let distance = max(next.distance, 0)
            let g = isJoint ? spanning : problem.shape.underlyingOf[i]
            if distance < length[g] {
                length[g] = distance
                event[g] = .instrument(i, next.segment)
            }
        }
    }

    /// The multiplier at which a row changes its position along the direction, and to which.
    @inline(__always)
    private func nextPosition(_ r: Int) -> (end: Double, position: RowPosition)? {
        let kind = problem.kinds[r]
        guard kind == .hard || kind == .soft else { return nil }
        let (slope, penalty) = (direction[r], problem.penalty[r])
        switch positions[r] {
        case .atLow where slope < 0: return (0, .inside)
        case .atHigh where slope > 0: return (0, .inside)
        case .atLow where kind == .soft: return (penalty, .belowLow)
        case .atHigh where kind == .soft: return (-penalty, .aboveHigh)
        case .belowLow where slope < 0: return (penalty, .atLow)
        case .aboveHigh where slope > 0: return (-penalty, .atHigh)
        default: return nil
        }
    }

    /// How far along the direction an instrument changes its segment, and to which: infinitely where it does not.
    @inline(__always)
    private func nextSegment(
        _ i: Int, _ noise: Double, buyRate: Double, sellRate: Double
    ) -> (distance: Double, segment: Segment) {
        let (low, high, x) = (problem.lower[i], problem.upper[i], trades[i])
        let segment = segments[i]
        switch segment {
        case .buy:
            let speed = buyRate * weight[i]
            if buyRate > noise { return ((high - x) / speed, .upper) }
            if buyRate < -noise { return ((max(low, 0) - x) / speed, problem.nearSegment(i)) }
        case .sell:
            let speed = sellRate * weight[i]
            if sellRate < -noise { return ((low - x) / speed, .lower) }
            if sellRate > noise { return ((min(high, 0) - x) / speed, problem.nearSegment(i)) }
        case .zero:
            let canBuy = buyRate > noise && high > 0
            let canSell = sellRate < -noise && low < 0
            let bought = canBuy ? slopeOfBuying(i, 0) / buyRate : .infinity
            let sold = canSell ? slopeOfSelling(i, 0) / sellRate : .infinity
            if sold < bought { return (sold, .sell) }
            if canBuy { return (bought, .buy) }
        case .upper:
            if high > 0 {
                if buyRate < -noise { return (slopeOfBuying(i, high) / buyRate, .buy) }
            } else if sellRate < -noise {
                return (slopeOfSelling(i, high) / sellRate, .sell)
            }
        case .lower:
            if low < 0 {
                if sellRate > noise { return (slopeOfSelling(i, low) / sellRate, .sell) }
            } else if buyRate > noise {
                return (slopeOfBuying(i, low) / buyRate, .buy)
            }
        }
        return (.infinity, segment)
    }

    /// The trades that the multipliers call for, their segments, and the exposures that they make. One pass over
    /// the coefficients, as the search along a direction does little else.
    private func respond() {
        let marginPrice = multipliers[problem.marginRow]
        let cashPrice = multipliers[problem.cashRow]
        exposure.fill(0)
        var margin = 0.0
        var cash = 0.0
        for i in 0..<count {
            let paid = problem.columns.product(i, multipliers)
            price[i] = paid
            var bend = problem.curvature[i]
            var pull = 0.0
            if bend < Self.leastCurvature {
                bend += Self.leastCurvature
                pull = Self.leastCurvature * centreTrades[i]
            }
            let limits = problem.marginPerUnit[i] * marginPrice
            let buy = problem.costBuy[i] - paid - limits - problem.cashBuy[i] * cashPrice
            let sell = -problem.costSell[i] - paid + limits + problem.cashSell[i] * cashPrice
            let (low, high) = (problem.lower[i], problem.upper[i])
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
            problem.columns.add(i, times: x, to: exposure)
            margin += problem.marginPerUnit[i] * x.magnitude
            cash += x > 0 ? problem.cashBuy[i] * x : -problem.cashSell[i] * x
        }
        exposure[problem.marginRow] = margin
        exposure[problem.cashRow] = cash
    }
}
