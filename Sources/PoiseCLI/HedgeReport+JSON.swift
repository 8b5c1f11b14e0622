import Market
import Poise

extension HedgeReport {
    /// The answer as an object.
    func write(to json: inout JSONWriter) {
        json.object { json in
            let cost = infeasibility == nil ? solution.cost : problem.cost(trades: trades)
            json.member("status", solution.status.rawValue)
            json.member("x", finite(trades))
            json.member("objective", cost.total.ifFinite)
            json.object("cost") { json in
                json.member("linear", cost.linear.ifFinite)
                json.member("impact", cost.impact.ifFinite)
                if cost.levels != 0 { json.member("levels", cost.levels.ifFinite) }
                json.member("fixed", cost.fixed.ifFinite)
                json.member("penalty", cost.penalty.ifFinite)
                json.member("risk", cost.risk.ifFinite)
            }
            json.member("dual", finite(infeasibility?.bandPrices ?? solution.bandPrices))
            json.member("dualMargin", (infeasibility?.marginPrice ?? solution.marginPrice).ifFinite)
            json.member("dualBudget", (infeasibility?.cashPrice ?? solution.cashPrice).ifFinite)
            json.member("binding", binding)
            if let infeasibility {
                json.member("violation", infeasibility.totalViolation.ifFinite)
                json.member("worstViolation", infeasibility.worstViolation.ifFinite)
                json.member("violations", finite(infeasibility.violations))
                if let cash = infeasibility.leastCash { json.member("leastCash", cash.ifFinite) }
                if !slackCosts.isEmpty {
                    json.array("costBySlack") { json in
                        for slack in slackCosts {
                            json.object { json in
                                json.member("widths", slack.widths)
                                json.member("cost", slack.cost?.ifFinite)
                            }
                        }
                    }
                    let stop = HedgeInfeasibility.sensibleSlack(slackCosts)
                    if let stop { json.member("sensibleSlack", stop.widths) }
                }
            }
            let certificate = solution.certificate
            json.member("gap", (infeasibility?.gap ?? solution.gap).ifFinite)
            json.object("certificate") { json in
                json.member("gap", certificate.gap.ifFinite)
                json.member("violation", certificate.violation.ifFinite)
                json.member("stationarity", certificate.stationarity.ifFinite)
            }
            json.member("interiorSteps", solution.interiorSteps)
            json.member("pivots", solution.pivots)
            json.member("pivots", solution.pivots)
            json.member("nodes", solution.nodes)
            json.member("microseconds", microseconds)
            if let hedge { write(hedge, cost, to: &json) }
            margin?.write(to: &json)
        }
    }

    /// Writes the members that only a live book's answer has.
    private func write(_ hedge: BookHedge, _ total: HedgeCost, to json: inout JSONWriter) {
        json.object("trades") { json in
            for i in trades.indices where trades[i] != 0 {
                json.member(problem.instrumentNames[i], trades[i])
            }
        }
        json.array("bands") { json in
            for (r, band) in problem.bands.enumerated() {
                json.object { json in
                    json.member("name", problem.bandNames[r])
                    json.member("unit", hedge.limits[r].measure.unitName)
                    json.member("before", band.current)
                    json.member("after", problem.exposure(ofBand: r, trades: trades))
                    json.member("low", band.low.ifFinite)
                    json.member("high", band.high.ifFinite)
                    json.member("hard", band.isHard)
                }
            }
        }
        let cost = hedge.tradingCost(trades)
        json.member("spread", cost.spread)
        json.member("fee", cost.fee)
        json.member("carry", cost.carry)
        guard infeasibility == nil, !isOtherProblem, hedge.book == nil,
            let (shares, unattributed) = hedge.attribution()
        else {
            return
        }
        json.object("attribution") { json in
            for share in shares {
                json.object(share.book) { json in
                    json.member("cost", share.cost)
                    json.member("alone", share.alone)
                }
            }
        }
        json.member("unattributed", unattributed)
        let sum = shares.reduce(unattributed) { $0 + $1.cost }
        json.member("lotsAndFixedCosts", solution.nodes > 0 ? total.total - sum : 0)
    }

    private func finite(_ values: [Double]) -> [Double?] { values.map(\.ifFinite) }

    /// Limits that hold back the trades.
    private var binding: [String] {
        guard infeasibility == nil else { return [] }
        var names: [String] = []
        for (r, price) in solution.bandPrices.enumerated() where price != 0 {
            names.append(problem.bandNames[r] + (price > 0 ? ".lo" : ".hi"))
        }
        if solution.marginPrice < 0 { names.append("margin") }
        if solution.cashPrice < 0 { names.append("budget") }
        for (i, x) in trades.enumerated() {
            let instrument = problem.instruments[i]
            if x != 0, x >= instrument.maximumBuy { names.append(problem.instrumentNames[i] + ".maxBuy") }
            if x != 0, -x >= instrument.maximumSell { names.append(problem.instrumentNames[i] + ".maxSell") }
        }
        return names
    }
}
