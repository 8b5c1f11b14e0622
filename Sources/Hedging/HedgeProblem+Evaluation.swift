/// What a hedge costs, by cause, in the problem's currency.
public struct HedgeCost: Sendable, Equatable {
    /// Spread, fees and carry: what is proportional to the amount.
    public var linear = 0.0
    public var impact = 0.0
    public var fixed = 0.0
    /// Of soft bands that are left.
    public var penalty = 0.0
    /// Of the variance that stays.
    public var risk = 0.0

    public var total: Double { linear + impact + fixed + penalty + risk }
}

/// How far an answer is from perfect, computed from the problem's own numbers.
public struct HedgeCertificate: Sendable, Equatable {
    /// Cost of the trades less the bound of the multipliers, relative to the cost (or, where the cost is next
    /// to nothing, to a millionth of what the largest trades would cost). No other trades are cheaper by more.
    public var gap = Double.infinity
    /// Largest violation of a hard limit, relative to what the instruments can move it.
    public var violation = Double.infinity
    /// Largest difference between the marginal cost of an instrument and what the multipliers pay for it,
    /// relative to the two.
    public var stationarity = Double.infinity

    /// Whether the trades are optimal to 1e-9.
    public var holds: Bool { gap <= 1e-9 && violation <= 1e-9 }
}

extension HedgeProblem {
    /// Dollar delta of an underlying after the trades.
    private func dollarDelta(_ risk: HedgeRisk, _ underlying: Int, _ trades: [Double]) -> Double {
        var delta = risk.dollarDelta[underlying]
        for i in instruments.indices where instruments[i].underlying == underlying {
            delta += risk.exposure[i] * trades[i]
        }
        return delta
    }

    /// A band's exposure after the trades.
    public func exposure(ofBand band: Int, trades: [Double]) -> Double {
        var exposure = bands[band].current
        for k in bands[band].entries {
            exposure += entries[k].coefficient * trades[entries[k].instrument]
        }
        return exposure
    }

    /// Margin that the trades take up.
    public func margin(trades: [Double]) -> Double {
        var margin = 0.0
        for i in instruments.indices { margin += instruments[i].margin * trades[i].magnitude }
        return margin
    }

    /// Cash that the trades spend.
    public func cash(trades: [Double]) -> Double {
        var cash = 0.0
        for i in instruments.indices {
            cash += instruments[i].cash * trades[i] + Self.linearCost(instruments[i], trades[i])
        }
        return cash
    }

    private static func linearCost(_ instrument: HedgeInstrument, _ x: Double) -> Double {
        x > 0 ? instrument.costBuy * x : -instrument.costSell * x
    }

    /// The cost of trades, fixed costs of traded instruments included.
    public func cost(trades: [Double]) -> HedgeCost {
        var cost = HedgeCost()
        for i in instruments.indices where trades[i] != 0 {
            cost.linear += Self.linearCost(instruments[i], trades[i])
            cost.impact += instruments[i].impact * trades[i] * trades[i]
            cost.fixed += instruments[i].fixedCost
        }
        for r in bands.indices where !bands[r].isHard {
            let exposure = exposure(ofBand: r, trades: trades)
            let outside = max(exposure - bands[r].high, bands[r].low - exposure, 0)
            cost.penalty += (bands[r].penalty + 0.5 * bands[r].penaltyQuadratic * outside) * outside
        }
        if let risk, risk.riskAversion > 0 { cost.risk = riskCost(risk, trades) }
        return cost
    }

    private func riskCost(_ risk: HedgeRisk, _ trades: [Double]) -> Double {
        let size = underlyings.count
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: size) { delta in
            for u in 0..<size { delta[u] = dollarDelta(risk, u, trades) }
            var variance = 0.0
            for u in 0..<size {
                for v in 0..<size { variance += delta[u] * risk.covariance[u * size + v] * delta[v] }
            }
            return risk.riskAversion * variance
        }
    }

    /// The largest violation of a hard limit, relative to what the instruments can move it.
    public func violation(trades: [Double]) -> Double {
        var worst = 0.0
        var marginReach = 0.0
        var cashReach = 0.0
        for (i, instrument) in instruments.enumerated() {
            let reach = max(instrument.maximumBuy, instrument.maximumSell)
            marginReach += instrument.margin * reach
            cashReach += (instrument.cash.magnitude + instrument.costBuy.magnitude) * reach
            let outside = max(trades[i] - instrument.maximumBuy, -trades[i] - instrument.maximumSell)
            worst = max(worst, outside / (reach > 0 ? reach : 1))
        }
        for r in bands.indices where bands[r].isHard {
            let exposure = exposure(ofBand: r, trades: trades)
            let outside = max(exposure - bands[r].high, bands[r].low - exposure)
            if outside > 0 { worst = max(worst, relativeViolation(bands[r], outside, exposure)) }
        }
        let margin = margin(trades: trades) - marginLimit
        if margin > 0 { worst = max(worst, margin / max(marginReach, marginLimit)) }
        let cash = cash(trades: trades) - cashBudget
        if cash > 0 { worst = max(worst, cash / max(cashReach, cashBudget.magnitude)) }
        return worst
    }

    /// Certifies trades with multipliers: the derivative of the least cost with respect to each band's active
    /// limit (positive at `low`, negative at `high`), to the margin limit and to the cash budget (negative).
    /// `scratch` holds one double per instrument and two per underlying.
    ///
    /// The bound is the Lagrange dual, with the risk term replaced by its tangent at the trades: any
    /// multipliers give a valid one.
    /// - Returns: also what the trades cost, fixed costs included, as `cost(trades:)` does.
    func certificate(
        trades: [Double], bandPrices: [Double], marginPrice: Double, cashPrice: Double,
        scratch: UnsafeMutablePointer<Double>
    ) -> (HedgeCertificate, HedgeCost) {
        trades.withUnsafeBufferPointer { trades in
            instruments.withUnsafeBufferPointer { instruments in
                certificate(instruments, trades, bandPrices, min(marginPrice, 0), min(cashPrice, 0), scratch)
            }
        }
    }

    private func certificate(
        _ instruments: UnsafeBufferPointer<HedgeInstrument>, _ trades: UnsafeBufferPointer<Double>,
        _ bandPrices: [Double], _ marginPrice: Double, _ cashPrice: Double,
        _ scratch: UnsafeMutablePointer<Double>
    ) -> (HedgeCertificate, HedgeCost) {
        var cost = HedgeCost()
        var bound = 0.0
        var violation = 0.0
        // What the multipliers pay per unit of each instrument.
        for i in 0..<instruments.count { scratch[i] = 0 }
        for r in bands.indices {
            let band = bands[r]
            let price = admissible(band, bandPrices[r])
            bound += dualTerm(band, price)
            var exposure = band.current
            entries.withUnsafeBufferPointer { entries in
                for k in band.entries {
                    let entry = entries[k]
                    exposure += entry.coefficient * trades[entry.instrument]
                    scratch[entry.instrument] += price * entry.coefficient
                }
            }
            let outside = max(exposure - band.high, band.low - exposure)
            guard outside > 0 else { continue }
            if band.isHard {
                violation = max(violation, relativeViolation(band, outside, exposure))
            } else {
                cost.penalty += (band.penalty + 0.5 * band.penaltyQuadratic * outside) * outside
            }
        }
        if let risk, risk.riskAversion > 0 {
            let (riskCost, riskBound) = priceRisk(risk, trades, scratch)
            cost.risk = riskCost
            bound += riskBound
        }
        var stationarity = 0.0
        var largest = 0.0
        var margin = 0.0
        var marginReach = 0.0
        var cash = 0.0
        var cashReach = 0.0
        for i in 0..<instruments.count {
            let instrument = instruments[i]
            let (bought, sold) = (instrument.maximumBuy, instrument.maximumSell)
            let limits = instrument.margin * marginPrice
            let buy =
                instrument.costBuy - scratch[i] - limits
                - (instrument.cash + instrument.costBuy) * cashPrice
            let sell =
                instrument.costSell + scratch[i] - limits
                - (instrument.costSell - instrument.cash) * cashPrice
            let bend = 2 * instrument.impact
            bound += min(
                ScaledProblem.least(slope: buy, bend, 0, bought),
                ScaledProblem.least(slope: sell, bend, 0, sold))
            // Slopes of cost less price on both sides of the trade.
            let x = trades[i]
            let reach = max(bought, sold)
            let nearness = 1e-10 * reach
            let right = x > -nearness ? buy + bend * max(x, 0) : -sell + bend * x
            let left = x < nearness ? -sell + bend * min(x, 0) : buy + bend * x
            var error = 0.0
            if x < bought - nearness { error = max(error, -right) }
            if x > -sold + nearness { error = max(error, left) }
            let scale =
                instrument.costBuy.magnitude + instrument.costSell.magnitude + bend * x.magnitude
                + scratch[i].magnitude + (limits + instrument.cash * cashPrice).magnitude
            if error > stationarity * scale { stationarity = error / scale }
            largest += max(
                (instrument.costBuy + instrument.impact * bought) * bought,
                (instrument.costSell + instrument.impact * sold) * sold, 0)
            marginReach += instrument.margin * reach
            cashReach += (instrument.cash.magnitude + instrument.costBuy.magnitude) * reach
            guard x != 0 else { continue }
            let linear = Self.linearCost(instrument, x)
            cost.linear += linear
            cost.impact += instrument.impact * x * x
            cost.fixed += instrument.fixedCost
            margin += instrument.margin * x.magnitude
            cash += instrument.cash * x + linear
            let outside = max(x - bought, -x - sold)
            if outside > 0 { violation = max(violation, outside / (reach > 0 ? reach : 1)) }
        }
        if marginPrice < 0 { bound += marginPrice * marginLimit }
        if cashPrice < 0 { bound += cashPrice * cashBudget }
        if margin > marginLimit {
            violation = max(violation, (margin - marginLimit) / max(marginReach, marginLimit))
        }
        if cash > cashBudget {
            violation = max(violation, (cash - cashBudget) / max(cashReach, cashBudget.magnitude))
        }
        let relaxed = cost.total - cost.fixed
        let reference = max(relaxed.magnitude, 1e-6 * largest, cost.penalty, cost.risk, 1e-300)
        return (
            HedgeCertificate(
                gap: max(relaxed - bound, 0) / reference, violation: violation, stationarity: stationarity),
            cost
        )
    }

    /// The risk of trades and the constant of its tangent there; takes the tangent's slopes off `scratch`.
    private func priceRisk(
        _ risk: HedgeRisk, _ trades: UnsafeBufferPointer<Double>, _ scratch: UnsafeMutablePointer<Double>
    ) -> (cost: Double, bound: Double) {
        let size = underlyings.count
        let delta = scratch + instruments.count
        let slopes = delta + size
        for u in 0..<size { delta[u] = risk.dollarDelta[u] }
        for i in instruments.indices { delta[instruments[i].underlying] += risk.exposure[i] * trades[i] }
        var (cost, bound) = (0.0, 0.0)
        for u in 0..<size {
            var slope = 0.0
            for v in 0..<size { slope += risk.covariance[u * size + v] * delta[v] }
            cost += risk.riskAversion * delta[u] * slope
            slopes[u] = 2 * risk.riskAversion * slope
            bound += slopes[u] * (risk.dollarDelta[u] - 0.5 * delta[u])
        }
        for i in instruments.indices { scratch[i] -= slopes[instruments[i].underlying] * risk.exposure[i] }
        return (cost, bound)
    }

    /// How far a hard band is left, relative to what its instruments can move.
    private func relativeViolation(_ band: HedgeBand, _ outside: Double, _ exposure: Double) -> Double {
        let reach = reach(band)
        return outside / (reach > 0 ? reach : max(exposure.magnitude, 1e-300))
    }

    /// What all instruments together can move a band, at most.
    func reach(_ band: HedgeBand) -> Double {
        var reach = 0.0
        for k in band.entries {
            let instrument = instruments[entries[k].instrument]
            reach += entries[k].coefficient.magnitude * max(instrument.maximumBuy, instrument.maximumSell)
        }
        return reach
    }

    /// The multiplier nearest to `price` that a band can have.
    func admissible(_ band: HedgeBand, _ price: Double) -> Double {
        var price = price
        if price > 0 && band.low == -.infinity || price < 0 && band.high == .infinity { return 0 }
        if !band.isHard, band.penaltyQuadratic == 0 { price = max(-band.penalty, min(band.penalty, price)) }
        return price
    }

    /// What an admissible multiplier of a band contributes to the bound.
    func dualTerm(_ band: HedgeBand, _ price: Double) -> Double {
        guard price != 0 else { return 0 }
        let term = price * ((price > 0 ? band.low : band.high) - band.current)
        guard !band.isHard, band.penaltyQuadratic > 0 else { return term }
        let excess = max(price.magnitude - band.penalty, 0)
        return term - 0.5 * excess * excess / band.penaltyQuadratic
    }
}
