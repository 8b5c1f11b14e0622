/// Whole trades near a relaxation's: rounded, and improved as long as single lots or pairs of them help.
extension BranchAndBound {
    /// Trades, in the problem's units, near which whole ones may be good.
    func offer(_ trades: [Double]) {
        for i in 0..<count { trial[i] = trades[i] / scaled.instrumentScale[i] }
        round(thorough: true)
    }

    /// Rounds the trial trades and improves them by single lots, then pairs of them; keeps them where they are the
    /// best. The costs in `scaled` are those of the problem itself from then on.
    func round(thorough: Bool) {
        for i in 0..<count {
            let (below, above) = neighbours(i, trial[i])
            let nearest = trial[i] - below < above - trial[i] ? below : above
            trial[i] = max(lowest[i], min(highest[i], nearest))
            scaled.costBuy[i] = baseBuy[i]
            scaled.costSell[i] = baseSell[i]
        }
        var value = penalised()
        for i in sliding { value += slide(i) }
        for _ in 0..<100 where !scaled.watch.isOver {
            var improved = false
            for i in 0..<count {
                value = tryMoves(i, value, &improved)
            }
            if improved { for i in sliding { value += slide(i) } }
            if !improved, thorough, sliding.count <= Self.mostSliding {
                for i in 0..<count { value = trySlides(i, value, &improved) }
            }
            if !improved, thorough { value = tryPairs(value, &improved) }
            if !improved { break }
        }
        // The exact value, without what the moves have accumulated.
        value = scaled.value(trial, exposure: exposure, tolerance: Self.tolerance) + fixedTotal()
        if value < best {
            best = value
            incumbent.copy(trial)
        }
    }

    private func fixedTotal() -> Double {
        var sum = 0.0
        for i in 0..<count where trial[i] != 0 { sum += fixedCost[i] }
        return sum
    }

    /// What the moves pay for being outside of a hard limit, per scaled unit.
    private static let hardPenalty = 1e6

    @inline(__always) private func rowPrice(_ r: Int, _ g: Double) -> Double {
        let cost = scaled.rowCost(r, g)
        return cost < .infinity ? cost : Self.hardPenalty * scaled.outside(r, g)
    }

    private func penalised() -> Double {
        _ = scaled.value(trial, exposure: exposure, tolerance: .infinity)
        var value = fixedTotal()
        for i in 0..<count { value += scaled.tradeCost(i, trial[i]) }
        for r in 0..<scaled.rowCount {
            paid[r] = rowPrice(r, exposure[r])
            value += paid[r]
        }
        return value
    }

    /// What changing a trade to `target` changes.
    private func change(_ i: Int, to target: Double) -> Double {
        let x = trial[i]
        let move = target - x
        var change = scaled.tradeCost(i, target) - scaled.tradeCost(i, x)
        if fixedCost[i] > 0 { change += (target != 0 ? fixedCost[i] : 0) - (x != 0 ? fixedCost[i] : 0) }
        for k in scaled.columns.places(i) {
            let r = scaled.columns.row(k)
            change += rowPrice(r, exposure[r] + scaled.columns.values[k] * move) - paid[r]
        }
        let margin = scaled.marginPerUnit[i] * (target.magnitude - x.magnitude)
        let cash = cashOf(i, target) - cashOf(i, x)
        let (m, c) = (scaled.marginRow, scaled.cashRow)
        change += rowPrice(m, exposure[m] + margin) - paid[m]
        return change + rowPrice(c, exposure[c] + cash) - paid[c]
    }

    private func cashOf(_ i: Int, _ x: Double) -> Double {
        x > 0 ? scaled.cashBuy[i] * x : -scaled.cashSell[i] * x
    }

    private func apply(_ i: Int, _ target: Double) {
        let move = target - trial[i]
        for k in scaled.columns.places(i) {
            let r = scaled.columns.row(k)
            exposure[r] += scaled.columns.values[k] * move
            paid[r] = rowPrice(r, exposure[r])
        }
        let (m, c) = (scaled.marginRow, scaled.cashRow)
        exposure[m] += scaled.marginPerUnit[i] * (target.magnitude - trial[i].magnitude)
        exposure[c] += cashOf(i, target) - cashOf(i, trial[i])
        paid[m] = rowPrice(m, exposure[m])
        paid[c] = rowPrice(c, exposure[c])
        trial[i] = target
    }

    /// The next amount in a direction that may be traded, nil where there is none.
    private func target(_ i: Int, _ direction: Double) -> Double? {
        let (x, least) = (trial[i], least[i])
        var target: Double
        if lot[i] > 0 {
            target = ((x / lot[i]).rounded() + direction) * lot[i]
        } else if least > 0, x.magnitude <= least {
            target = x == 0 ? direction * least : 0
            if x != 0, x * direction > 0 { return nil }
        } else {
            return nil
        }
        if target != 0, target.magnitude < least * (1 - 1e-9) {
            target = target.magnitude > x.magnitude ? direction * least : 0
        }
        let slip = 1e-9 * max(lot[i], least)
        return target > highest[i] + slip || target < lowest[i] - slip ? nil : target
    }

    private func tryMoves(_ i: Int, _ value: Double, _ improved: inout Bool) -> Double {
        var value = value
        for direction in [1.0, -1, 0] {
            // Not trading at all is a move of its own.
            guard let target = direction == 0 ? 0 : target(i, direction), target != trial[i] else { continue }
            if lot[i] == 0, least[i] == 0, fixedCost[i] == 0 { continue }
            let change = change(i, to: target)
            if change < -1e-12 * max(1, value.magnitude) {
                apply(i, target)
                value += change
                improved = true
                return value
            }
        }
        return value
    }

    /// Moves a trade that may be any amount to where it costs least beside the others: an end of its box, none, or the amount
    /// that brings a row to its limit.
    /// - Returns: what that changes, at most 0.
    private func slide(_ i: Int) -> Double {
        let x = trial[i]
        var (best, target) = (0.0, x)
        func consider(_ amount: Double) {
            let amount = max(lowest[i], min(highest[i], amount))
            guard amount.isFinite, amount != x else { return }
            let change = change(i, to: amount)
            if change < best { (best, target) = (change, amount) }
        }
        consider(0)
        for k in scaled.columns.places(i) {
            let (r, slope) = (scaled.columns.row(k), scaled.columns.values[k])
            guard slope != 0 else { continue }
            if scaled.low[r] > -.infinity { consider(x + (scaled.low[r] - exposure[r]) / slope) }
            if scaled.high[r] < .infinity { consider(x + (scaled.high[r] - exposure[r]) / slope) }
        }
        if target != x { apply(i, target) }
        return best
    }

    /// Beyond so many that may be any amount, lots are not moved together with them.
    private static let mostSliding = 4

    /// A lot more or less, and what may be any amount moved after it: what stands for a sum of lots, say.
    private func trySlides(_ i: Int, _ value: Double, _ improved: inout Bool) -> Double {
        guard !scaled.watch.isOver else { return value }
        for direction in [1.0, -1] {
            guard let target = target(i, direction) else { continue }
            let old = trial[i]
            for (place, j) in sliding.enumerated() { slid[place] = trial[j] }
            var total = change(i, to: target)
            apply(i, target)
            for j in sliding where sharesRow[i * count + j] { total += slide(j) }
            if total < -1e-12 * max(1, value.magnitude) {
                improved = true
                return value + total
            }
            apply(i, old)
            for (place, j) in sliding.enumerated() where trial[j] != slid[place] { apply(j, slid[place]) }
        }
        return value
    }

    /// Two that share no band gain nothing together that they don't gain alone.
    private func tryPairs(_ value: Double, _ improved: inout Bool) -> Double {
        for i in 0..<count where !scaled.watch.isOver {
            for first in [1.0, -1] {
                guard let moved = target(i, first) else { continue }
                let old = trial[i]
                let own = change(i, to: moved)
                apply(i, moved)
                for j in (i + 1)..<max(count, i + 1) where sharesRow[i * count + j] {
                    for second in [1.0, -1] {
                        guard let target = target(j, second) else { continue }
                        let total = own + change(j, to: target)
                        if total < -1e-12 * max(1, value.magnitude) {
                            apply(j, target)
                            improved = true
                            return value + total
                        }
                    }
                }
                apply(i, old)
            }
        }
        return value
    }
}
