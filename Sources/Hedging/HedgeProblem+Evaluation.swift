/// The cost of a hedge by cause, in the problem's currency.
public struct HedgeCost: Sendable, Equatable {
    /// Spread, fees and carry: what is proportional to the amount.
    public var linear = 0.0
    public var impact = 0.0
    /// Of the levels of cost curves.
    public var levels = 0.0
    public var fixed = 0.0
    /// Of soft bands that are left.
    public var penalty = 0.0
    /// Of the variance that stays.
    public var risk = 0.0

    public var total: Double { linear + impact + levels + fixed + penalty + risk }
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
        if countsAllCosts {
            for i in instruments.indices {
                cash += bentCost(i, trades[i]) + (trades[i] != 0 ? instruments[i].fixedCost : 0)
            }
        }
        return cash
    }

    /// What a trade costs beside what is proportional to it or fixed.
    private func bentCost(_ i: Int, _ x: Double) -> Double {
        instruments[i].impact * x * x + levelCost(i, x)
    }

    private static func linearCost(_ instrument: HedgeInstrument, _ x: Double) -> Double {
        x > 0 ? instrument.costBuy * x : -instrument.costSell * x
    }

    /// The cost of trades, fixed costs of traded instruments included.
    public func cost(trades: [Double]) -> HedgeCost {
        var cost = costWithoutRisk(trades: trades)
        if let risk, risk.riskAversion > 0 { cost.risk = riskCost(risk, trades) }
        return cost
    }

    func costWithoutRisk(trades: [Double]) -> HedgeCost {
        var cost = HedgeCost()
        for i in instruments.indices where trades[i] != 0 {
            cost.linear += Self.linearCost(instruments[i], trades[i])
            cost.impact += instruments[i].impact * trades[i] * trades[i]
            cost.fixed += instruments[i].fixedCost
            cost.levels += levelCost(i, trades[i])
        }
        for r in bands.indices where !bands[r].isHard {
            let exposure = exposure(ofBand: r, trades: trades)
            let outside = max(exposure - bands[r].high, bands[r].low - exposure, 0)
            cost.penalty += (bands[r].penalty + 0.5 * bands[r].penaltyQuadratic * outside) * outside
        }
        return cost
    }

    private func riskCost(_ risk: HedgeRisk, _ trades: [Double]) -> Double {
        let size = underlyings.count
        let delta = (0..<size).map { dollarDelta(risk, $0, trades) }
        var variance = 0.0
        for u in 0..<size {
            for v in 0..<size { variance += delta[u] * risk.covariance[u * size + v] * delta[v] }
        }
        return risk.riskAversion * variance
    }

    /// The largest violation of a hard limit, relative to what it is made of: see `HedgeCertificate.violation`. Infinite
    /// for trades beyond what may be traded, and for what is no finite number.
    public func violation(trades: [Double]) -> Double {
        var worst = 0.0
        var cashTerms = cashBudget.magnitude
        for (i, instrument) in instruments.enumerated() {
            let x = trades[i]
            cashTerms += (instrument.cash * x).magnitude + Self.linearCost(instrument, x).magnitude
            if countsAllCosts { cashTerms += bentCost(i, x).magnitude }
            if !(x <= limit(i, .buy) && x >= -limit(i, .sell) && x.isFinite) { return .infinity }
        }
        for band in bands where band.isHard {
            var (exposure, terms) = (band.current, band.current.magnitude)
            for k in band.entries {
                let move = entries[k].coefficient * trades[entries[k].instrument]
                exposure += move
                terms += move.magnitude
            }
            let outside = max(exposure - band.high, band.low - exposure)
            guard outside > 0 else { continue }
            worst = max(worst, Self.relativeViolation(outside, width: band.high - band.low, terms: terms))
        }
        let margin = margin(trades: trades)
        if margin > marginLimit {
            worst = max(
                worst, Self.relativeViolation(margin - marginLimit, width: marginLimit, terms: margin))
        }
        let outside = cash(trades: trades) - cashBudget
        if outside > 0 {
            worst = max(
                worst, Self.relativeViolation(outside, width: cashBudget.magnitude, terms: cashTerms))
        }
        return worst
    }
}
