/// The part of its cost that an instrument is on.
enum Segment: UInt8 {
    /// At the lower end of its box, sold, not traded, bought, at the upper end.
    case lower, sell, zero, buy, upper

    /// Whether the amount is free to move.
    var isFree: Bool { self == .sell || self == .buy }
}

/// Where an exposure stands to its band.
enum RowPosition: UInt8 {
    /// Below a soft low limit, at the low limit, between, at the high limit, above a soft high limit.
    case belowLow, atLow, inside, atHigh, aboveHigh
}

extension ScaledProblem {
    /// Where an instrument rests that is not worth trading: at 0, or at the end of its box nearest to 0.
    func nearSegment(_ i: Int) -> Segment {
        lower[i] > 0 ? .lower : upper[i] < 0 ? .upper : .zero
    }

    /// How far down and up trades of the box can bring each row, margin and cash aside.
    private func findReach() {
        leastReach.fill(0)
        mostReach.fill(0)
        for i in 0..<count {
            for k in columns.places(i) {
                let r = columns.row(k)
                let (a, b) = (columns.values[k] * lower[i], columns.values[k] * upper[i])
                leastReach[r] += min(a, b)
                mostReach[r] += max(a, b)
            }
        }
    }

    /// Whether some hard limit stays broken by whatever the box allows, each row by itself.
    func isOutOfReach() -> Bool {
        findReach()
        for i in 0..<count { leastReach[cashRow] += min(cashBuy[i] * upper[i], -cashSell[i] * lower[i], 0) }
        mostReach[cashRow] = .infinity
        mostReach[marginRow] = .infinity
        for r in 0..<rowCount where kinds[r] == .hard || kinds[r] == .equality {
            let slack = 1e-9 * (1 + max(-leastReach[r], min(mostReach[r], 1e9)))
            if low[r] > mostReach[r] + slack || high[r] < leastReach[r] - slack { return true }
        }
        return false
    }

    /// Whether multipliers, whatever their size, prove that no trades of the box keep all hard limits (Farkas): what
    /// they pay for the limits is more than any trades earn. Multipliers of other rows count as 0.
    func provesInfeasible(_ multipliers: borrowing Vector) -> Bool {
        var value = 0.0
        var size = 0.0
        for r in 0..<rowCount {
            hardPrices[r] = 0
            guard kinds[r] == .hard || kinds[r] == .equality, multipliers[r] != 0 else { continue }
            let limit = multipliers[r] > 0 ? low[r] : high[r]
            guard limit.isFinite else { continue }
            hardPrices[r] = multipliers[r]
            value += limit * hardPrices[r]
            size += (limit * hardPrices[r]).magnitude
        }
        guard size > 0, size < .infinity else { return false }
        let marginPrice = hardPrices[marginRow]
        let cashPrice = hardPrices[cashRow]
        for i in 0..<count {
            var price = 0.0
            var terms = 0.0
            for k in columns.places(i) {
                let term = columns.values[k] * hardPrices[columns.row(k)]
                price += term
                terms += term.magnitude
            }
            let limits = marginPerUnit[i] * marginPrice
            // A slope that is but rounding is none, however far the limit.
            func slope(_ price: Double, _ cash: Double) -> Double {
                let slope = price - limits - cash
                return slope.magnitude <= Self.slopeNoise * (terms - limits + cash.magnitude) ? 0 : slope
            }
            let bought = Self.least(
                slope: slope(-price, cashBuy[i] * cashPrice), 0, max(lower[i], 0), max(upper[i], 0))
            let sold = Self.least(
                slope: slope(price, cashSell[i] * cashPrice), 0, max(-upper[i], 0), max(-lower[i], 0))
            let least = lower[i] > 0 ? bought : upper[i] < 0 ? sold : min(bought, sold)
            value += least
            size += least.magnitude
        }
        return value > 2e-11 * size
    }

    private static let slopeNoise = 1e-13

    /// What the most expensive trades of the box could cost: above any optimum that there is.
    func costCeiling() -> Double {
        var ceiling = 0.0
        for i in 0..<count {
            let bought = (costBuy[i] + 0.5 * curvature[i] * upper[i]) * upper[i]
            let sold = (-costSell[i] + 0.5 * curvature[i] * lower[i]) * lower[i]
            ceiling += max(bought, sold, 0)
        }
        findReach()
        for r in 0..<rowCount where kinds[r] == .soft || kinds[r] == .quadratic {
            let excess = max(low[r] - leastReach[r], mostReach[r] - high[r], 0)
            ceiling += penalty[r] * excess + 0.5 * penaltyQuadratic[r] * excess * excess
        }
        return ceiling * (1 + 1e-9) + 1e-9
    }

    /// A multiplier that the row can have: nearest to `y`.
    func clamped(_ y: Double, _ r: Int) -> Double {
        switch kinds[r] {
        case .absent: return 0
        case .equality, .quadratic: return y
        case .hard: break
        case .soft:
            guard penaltyQuadratic[r] > 0 else {
                return max(
                    high[r] < .infinity ? -penalty[r] : 0, min(low[r] > -.infinity ? penalty[r] : 0, y))
            }
        }
        if y > 0 { return low[r] > -.infinity ? y : 0 }
        return high[r] < .infinity ? y : 0
    }

    /// What a row's multiplier contributes to the dual.
    private func rowDual(_ y: Double, _ r: Int) -> Double {
        guard y != 0 else { return 0 }
        let limit = (y > 0 ? low[r] : high[r]) * y
        guard kinds[r] == .soft || kinds[r] == .quadratic, penaltyQuadratic[r] > 0 else { return limit }
        let excess = max(y.magnitude - penalty[r], 0)
        return limit - 0.5 * excess * excess / penaltyQuadratic[r]
    }

    /// Slopes of cost less price on both sides of 0, per unit bought and per unit sold.
    @inline(__always)
    private func slopes(_ i: Int, _ multipliers: borrowing Vector) -> (buy: Double, sell: Double) {
        let price = columns.product(i, multipliers)
        let limits = marginPerUnit[i] * multipliers[marginRow]
        let cash = multipliers[cashRow]
        return (
            costBuy[i] - price - limits - cashBuy[i] * cash, costSell[i] + price - limits - cashSell[i] * cash
        )
    }

    /// The dual's value: no trades that keep all limits cost less. Multipliers that a row cannot have are
    /// moved to the nearest that it can.
    /// - Parameter most: what the trades that are looked for cost at most, whatever they earn, which limits each.
    func dualValue(_ multipliers: borrowing Vector, most: Double = .infinity) -> Double {
        var value = 0.0
        for r in 0..<rowCount {
            multipliers[r] = clamped(multipliers[r], r)
            value += rowDual(multipliers[r], r)
        }
        for i in 0..<count {
            let (buy, sell) = slopes(i, multipliers)
            let (lowest, highest) = box(i, most: most)
            let bought = Self.least(slope: buy, curvature[i], max(lowest, 0), max(highest, 0))
            let sold = Self.least(slope: sell, curvature[i], max(-highest, 0), max(-lowest, 0))
            // A box on one side of 0 has no say in the other.
            value += lowest > 0 ? bought : highest < 0 ? sold : min(bought, sold)
        }
        return value
    }

    /// The part of an instrument's box that trades of a cost can be in.
    @inline(__always)
    private func box(_ i: Int, most: Double) -> (lowest: Double, highest: Double) {
        guard most < .infinity else { return (lower[i], upper[i]) }
        let bought = max(Self.affordable(most, costBuy[i], curvature[i]), lower[i])
        let sold = max(Self.affordable(most, costSell[i], curvature[i]), -upper[i])
        return (max(lower[i], -sold), min(upper[i], bought))
    }

    /// The most of an instrument that trades of a cost can hold; infinite where it costs nothing.
    static func affordable(_ most: Double, _ cost: Double, _ curvature: Double) -> Double {
        var amount = Double.infinity
        if cost > 0 { amount = most / cost }
        guard curvature > 0 else { return amount }
        return min(amount, (2 * most / curvature).squareRoot() + 2 * max(-cost, 0) / curvature)
    }

    /// The most that trades of the box can earn.
    var earnings: Double {
        var earnings = 0.0
        for i in 0..<count where costBuy[i] < 0 || costSell[i] < 0 {
            earnings -= min(
                Self.least(slope: costBuy[i], curvature[i], 0, max(upper[i], 0)),
                Self.least(slope: costSell[i], curvature[i], 0, max(-lower[i], 0)))
        }
        return earnings
    }

    /// What trades cost, soft bands and risk included; infinite where they break a hard limit by more than
    /// `tolerance`.
    func value(_ trades: borrowing Vector, exposure: borrowing Vector, tolerance: Double) -> Double {
        exposure.fill(0)
        var value = 0.0
        for i in 0..<count {
            let x = trades[i]
            guard x != 0 else { continue }
            columns.add(i, times: x, to: exposure)
            exposure[marginRow] += marginPerUnit[i] * x.magnitude
            exposure[cashRow] += x > 0 ? cashBuy[i] * x : -cashSell[i] * x
            value += tradeCost(i, x)
        }
        for r in 0..<rowCount {
            let cost = rowCost(r, exposure[r])
            guard cost < .infinity || outside(r, exposure[r]) <= tolerance else { return .infinity }
            if cost < .infinity { value += cost }
        }
        return value
    }

    /// Linear cost and impact of one trade.
    @inline(__always) func tradeCost(_ i: Int, _ x: Double) -> Double {
        (x > 0 ? costBuy[i] : -costSell[i]) * x + 0.5 * curvature[i] * x * x
    }

    /// How far outside of its limits a row is.
    @inline(__always) func outside(_ r: Int, _ g: Double) -> Double {
        kinds[r] == .absent ? 0 : max(low[r] - g, g - high[r], 0)
    }

    /// Penalty of a row; infinite outside of a hard limit.
    @inline(__always) func rowCost(_ r: Int, _ g: Double) -> Double {
        let outside = outside(r, g)
        guard outside > 0 else { return 0 }
        guard kinds[r] == .soft || kinds[r] == .quadratic else { return .infinity }
        return (penalty[r] + 0.5 * penaltyQuadratic[r] * outside) * outside
    }

    /// The trades of an instrument that the dual, at these multipliers, lets cost no more than `slack` above the
    /// cheapest of its box, as far as trades that cost `most` can be in it: others are in no solution whose cost is
    /// within `slack` of the dual's value for those. First above second where there are none.
    func affordable(_ i: Int, _ multipliers: borrowing Vector, slack: Double, most: Double) -> (
        Double, Double
    ) {
        let (buy, sell) = slopes(i, multipliers)
        let (lowest, highest) = box(i, most: most)
        let bought = Self.least(slope: buy, curvature[i], max(lowest, 0), max(highest, 0))
        let sold = Self.least(slope: sell, curvature[i], max(-highest, 0), max(-lowest, 0))
        let limit = slack + (lowest > 0 ? bought : highest < 0 ? sold : min(bought, sold))
        // Each side is a convex function of the amount, and together they are one of the trade.
        let canBuy = highest > 0 && bought <= limit
        let canSell = lowest < 0 && sold <= limit
        guard canBuy || canSell else { return lowest == 0 && highest == 0 ? (0, 0) : (1, -1) }
        let purchases = canBuy ? Self.below(limit, slope: buy, curvature[i]) : (0, 0)
        let sales = canSell ? Self.below(limit, slope: sell, curvature[i]) : (0, 0)
        return (
            canSell ? max(lowest, -sales.1) : max(lowest, purchases.0),
            canBuy ? min(highest, purchases.1) : min(highest, -sales.0)
        )
    }

    /// Where (slope + ½ curvature x) x ≤ limit, for amounts from 0 on, given that it is somewhere.
    private static func below(_ limit: Double, slope: Double, _ curvature: Double) -> (Double, Double) {
        guard curvature > 0 else {
            if slope > 0 { return (0, max(limit / slope, 0)) }
            return (slope < 0 ? max(limit / slope, 0) : 0, .infinity)
        }
        // The roots by sum and product, so that neither is a difference of nearly equal numbers.
        let root = max(slope * slope + 2 * curvature * limit, 0).squareRoot()
        let far = slope <= 0 ? (root - slope) / curvature : limit > 0 ? 2 * limit / (root + slope) : 0
        let near = slope < 0 && limit < 0 ? -2 * limit / (root - slope) : 0
        return (near, far)
    }

    /// min of slope·x + curvature·x²/2 over a range.
    static func least(slope: Double, _ curvature: Double, _ lower: Double, _ upper: Double) -> Double {
        var x = slope < 0 ? upper : lower
        if curvature > 0 { x = max(lower, min(upper, -slope / curvature)) }
        // An end may be infinite.
        return x == 0 ? 0 : curvature > 0 ? (slope + 0.5 * curvature * x) * x : slope * x
    }

    /// min of slope·x + curvature·x²/2 over 0...end, where the slope is below 0.
    static func least<N: HedgeNumber>(slope: N, _ curvature: Double, _ end: Double) -> N {
        guard end > 0 else { return N(0) }
        guard curvature > 0 else { return slope * N(end) }
        let top = -slope / N(curvature)
        let x = top < N(end) ? top : N(end)
        return (slope + N(0.5 * curvature) * x) * x
    }
}
