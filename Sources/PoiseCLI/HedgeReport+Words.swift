import Foundation
import Poise

/// An answer in words: what came of it, which limits cost what, and by how much they cannot be kept.
extension HedgeReport {
    var headline: String {
        let cost = solution.cost
        switch solution.status {
        case .optimal, .budget:
            let trading = hedge?.tradingCost(trades)
            let linear =
                trading.map { [("spread", $0.spread), ("fees", $0.fee), ("carry", $0.carry)] }
                ?? [("spread, fees and carry", cost.linear)]
            // The levels of a live book are its spread and what lies beyond.
            let beyond = trading.map {
                cost.levels == 0 ? 0 : cost.linear + cost.levels - $0.spread - $0.fee - $0.carry
            }
            let parts =
                (linear + [
                    ("levels", beyond == nil ? cost.levels : 0), ("impact", cost.impact + (beyond ?? 0)),
                    ("fixed", cost.fixed),
                    ("penalties", cost.penalty), ("risk", cost.risk),
                ]).filter { $0.1 != 0 }.map { "\($0.0) \($0.1.significant)" }
            let split = parts.count > 1 ? " (\(parts.joined(separator: ", ")))" : ""
            let proof =
                solution.status == .optimal
                ? "optimal"
                : solution.gap.isFinite
                    ? "stopped after \(solution.nodes) nodes: best so far"
                    : "stopped after \(solution.nodes) nodes without an answer"
                        + (solution.nodes > 0 ? "; fractions of lots would be" : "")
            let gap = solution.gap.isFinite ? String(format: "%.1e", solution.gap) : "unknown"
            return "\(proof), cost \(cost.total.significant)\(split); gap \(gap), "
                + "\(microseconds.significant) µs"
        case .infeasible:
            guard let infeasibility else {
                if margin?.answer?.largestBalance != nil {
                    return "infeasible: no trades within the bands leave the headroom that is asked for"
                }
                return "no whole lots bring every hard band within its limits (fractions of lots would)"
            }
            if let cash = infeasibility.leastCash {
                return
                    "the cash budget \(problem.cashBudget.significant) cannot be kept: trades spend at least "
                    + cash.significant
            }
            return "infeasible: hard bands are violated by at least "
                + "\(Self.widths(infeasibility.totalViolation)) in all, "
                + "\(infeasibility.worstViolation.significant) in one"
        case .uncertified:
            return "not solved: the best trades found could not be proved to be optimal, and are left out"
        }
    }

    /// The cost of each limit at the margin, in words.
    var priceWords: [String] {
        var priced: [(saving: Double, words: String)] = []
        for (r, price) in solution.bandPrices.enumerated() where price != 0 {
            let band = problem.bands[r]
            let step = Self.roundStep(0.1 * band.width)
            let limit = price > 0 ? "low" : "high"
            let unit = hedge.map { " " + $0.limits[r].measure.unitForPeople } ?? ""
            let (saving, words) = saving(price.magnitude * step) {
                if price > 0 { $0.bands[r].low -= step } else { $0.bands[r].high += step }
            }
            priced.append(
                (
                    saving,
                    "loosening the \(limit) limit of \(problem.bandNames[r]) by \(step.significant)\(unit) "
                        + words
                ))
        }
        let limits: [(String, Double, WritableKeyPath<HedgeProblem, Double>)] = [
            ("margin limit", solution.marginPrice, \.marginLimit),
            ("cash budget", solution.cashPrice, \.cashBudget),
        ]
        for (name, price, limit) in limits where price < 0 {
            let step = Self.roundStep(0.01 * problem[keyPath: limit].magnitude)
            let (saving, words) = saving(-price * step) { $0[keyPath: limit] += step }
            priced.append((saving, "raising the \(name) by \(step.significant) " + words))
        }
        // Where several limits meet, loosening one of them alone may save nothing.
        return priced.filter { $0.saving > 1e-9 * solution.cost.total.magnitude }
            .sorted { $0.saving > $1.saving }.map(\.words)
    }

    /// The saving of a looser limit: found by solving again, as the price only holds at the margin. Lots and fixed costs
    /// aside, as a search over them would take too long for that.
    private func saving(_ atMargin: Double, _ loosen: (inout HedgeProblem) -> Void) -> (Double, String) {
        let money = hedge == nil ? "" : " USD"
        if isMargined { return (atMargin, "would save at most \(atMargin.significant)\(money)") }
        func cost(_ problem: HedgeProblem) -> Double? {
            let solver = HedgeSolver()
            return (try? solver.solve(problem)) == .optimal ? solver.solution.cost.total : nil
        }
        var looser = problem.continuous
        let isWhole = solution.nodes > 0
        let before = isWhole ? cost(looser) : solution.cost.total
        loosen(&looser)
        guard let before, let after = cost(looser) else {
            return (atMargin, "would save at most \(atMargin.significant)\(money)")
        }
        let saving = before - after
        return (saving, "would save \(isWhole ? "about " : "")\(saving.significant)\(money)")
    }

    var infeasibilityWords: [String] {
        guard let infeasibility else { return [] }
        var words: [String] = []
        for (r, violation) in infeasibility.violations.enumerated() where violation != 0 {
            let side = violation < 0 ? "below its low limit" : "above its high limit"
            words.append("\(problem.bandNames[r]) stays \(Self.widths(violation)) \(side)")
        }
        if let steepest = infeasibility.firstBand {
            let side = infeasibility.bandPrices[steepest] > 0 ? "low" : "high"
            words.append(
                "loosen the \(side) limit of \(problem.bandNames[steepest]) first: each band width added reduces "
                    + "the total violation by \(Self.widths(infeasibility.bandPrices[steepest]))")
        }
        if let stop = HedgeInfeasibility.sensibleSlack(slackCosts), let nearest = slackCosts.first?.cost,
            let cost = stop.cost
        {
            words.append(
                "the last \(Self.widths(stop.widths)) cost out of all proportion: trades that stay outside by that much "
                    + "more cost \(cost.significant), the nearest \(nearest.significant)")
        }
        if infeasibility.marginPrice < 0 {
            words.append(
                "each unit of margin reduces the total violation by \(Self.widths(infeasibility.marginPrice))"
            )
        }
        if infeasibility.cashPrice < 0 {
            words.append(
                "each unit of cash reduces the total violation by \(Self.widths(infeasibility.cashPrice))")
        }
        return words
    }

    /// Violations are counted in widths of their bands: `1 width`, `0.25 widths`.
    private static func widths(_ value: Double) -> String {
        value.magnitude == 1 ? "1 width" : "\(value.magnitude.significant) widths"
    }

    /// 1, 2 or 5 times a power of ten, at most `value`.
    private static func roundStep(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return 1 }
        let power = pow(10, log10(value).rounded(.down))
        return power * (value / power >= 5 ? 5 : value / power >= 2 ? 2 : 1)
    }
}
