import Foundation
import Market
import Poise

/// One answered hedge problem, for people and for programs.
struct HedgeReport {
    let problem: HedgeProblem
    let solution: HedgeSolution
    let microseconds: Double
    var infeasibility: HedgeInfeasibility?
    /// Where the problem comes from, if from a live book.
    var hedge: BookHedge?

    init(_ problem: HedgeProblem, _ solution: HedgeSolution, microseconds: Double) {
        self.problem = problem
        self.solution = solution
        self.microseconds = microseconds
    }

    private var trades: [Double] { infeasibility?.trades ?? solution.trades }

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

    // MARK: JSON

    var json: String {
        let cost = infeasibility == nil ? solution.cost : problem.cost(trades: trades)
        let prices = infeasibility?.bandPrices ?? solution.bandPrices
        var members = [
            "\"status\": \"\(solution.status.rawValue)\"", "\"x\": \(Self.json(trades))",
            "\"objective\": \(Self.json(cost.total))",
            """
            "cost": {"linear": \(Self.json(cost.linear)), "impact": \(Self.json(cost.impact)), \
            "fixed": \(Self.json(cost.fixed)), "penalty": \(Self.json(cost.penalty)), \
            "risk": \(Self.json(cost.risk))}
            """,
            "\"dual\": \(Self.json(prices))",
            "\"dualMargin\": \(Self.json(infeasibility?.marginPrice ?? solution.marginPrice))",
            "\"dualBudget\": \(Self.json(infeasibility?.cashPrice ?? solution.cashPrice))",
            "\"binding\": [\(binding.map(JSON.quoted).joined(separator: ", "))]",
        ]
        if let infeasibility {
            members += [
                "\"violation\": \(Self.json(infeasibility.totalViolation))",
                "\"worstViolation\": \(Self.json(infeasibility.worstViolation))",
                "\"violations\": \(Self.json(infeasibility.violations))",
            ]
            if let cash = infeasibility.leastCash { members.append("\"leastCash\": \(Self.json(cash))") }
        }
        let certificate = solution.certificate
        members += [
            "\"gap\": \(Self.json(infeasibility?.gap ?? solution.gap))",
            """
            "certificate": {"gap": \(Self.json(certificate.gap)), "violation": \
            \(Self.json(certificate.violation)), "stationarity": \(Self.json(certificate.stationarity))}
            """,
            "\"interiorSteps\": \(solution.interiorSteps)", "\"pivots\": \(solution.pivots)",
            "\"nodes\": \(solution.nodes)", "\"microseconds\": \(microseconds)",
        ]
        if let hedge { members += liveMembers(hedge, cost) }
        return "{" + members.joined(separator: ", ") + "}"
    }

    private func liveMembers(_ hedge: BookHedge, _ total: HedgeCost) -> [String] {
        let traded = trades.indices.filter { trades[$0] != 0 }
        let list = traded.map { "\(JSON.quoted(problem.instrumentNames[$0])): \(trades[$0])" }
        let cost = hedge.tradingCost(trades)
        let bands = problem.bands.indices.map { r in
            let band = problem.bands[r]
            return """
                {"name": \(JSON.quoted(problem.bandNames[r])), \
                "unit": "\(hedge.limits[r].greek.unit(.usd))", "before": \(band.current), \
                "after": \(problem.exposure(ofBand: r, trades: trades)), "low": \(Self.json(band.low)), \
                "high": \(Self.json(band.high)), "hard": \(band.isHard)}
                """
        }
        var members = [
            "\"trades\": {\(list.joined(separator: ", "))}", "\"bands\": [\(bands.joined(separator: ", "))]",
            "\"spread\": \(cost.spread)", "\"fee\": \(cost.fee)", "\"carry\": \(cost.carry)",
        ]
        if infeasibility == nil, hedge.book == nil, let (shares, unattributed) = hedge.attribution() {
            let list = shares.map {
                "\(JSON.quoted($0.book)): {\"cost\": \($0.cost), \"alone\": \($0.alone.map { "\($0)" } ?? "null")}"
            }
            members.append("\"attribution\": {\(list.joined(separator: ", "))}")
            members.append("\"unattributed\": \(unattributed)")
            let sum = shares.reduce(unattributed) { $0 + $1.cost }
            members.append("\"lotsAndFixedCosts\": \(solution.nodes > 0 ? total.total - sum : 0)")
        }
        return members
    }

    private static func json(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }

    private static func json(_ values: [Double]) -> String {
        "[" + values.map(json).joined(separator: ", ") + "]"
    }

    // MARK: Text

    func write(to output: Output) throws {
        try output.write("\(problem.name): \(headline)\n")
        let traded = trades.indices.filter { trades[$0] != 0 }
        if !traded.isEmpty {
            try output.write("\n")
            try tradeTable(traded).writeTable(to: output)
        }
        if !problem.bands.isEmpty {
            try output.write("\n")
            try bandTable.writeTable(to: output)
        }
        let words = infeasibility == nil ? priceWords : infeasibilityWords
        if !words.isEmpty { try output.write("\n" + words.joined(separator: "\n") + "\n") }
        if let hedge { try writeLive(hedge, to: output) }
    }

    private func writeLive(_ hedge: BookHedge, to output: Output) throws {
        if infeasibility == nil, hedge.book == nil, hedge.exposures.count > 1 {
            if let (shares, unattributed) = hedge.attribution() {
                try output.write("\n")
                try shareTable(shares, unattributed).writeTable(to: output)
            }
        }
        let assumed = hedge.candidates.indices.filter { trades[$0] != 0 && hedge.candidates[$0].isAssumed }
        if !assumed.isEmpty {
            let names = assumed.map { problem.instrumentNames[$0] }.joined(separator: ", ")
            try output.write("\nno order book in the chain, spread and depth assumed (--fees): \(names)\n")
        }
        let count = problem.instruments.count
        try output.write(
            "\n\(count) instruments considered; amounts in coins, of inverse futures in USD; costs in USD\n")
    }

    private func shareTable(_ shares: [BookHedge.Share], _ unattributed: Double) -> Report {
        var rows: [(name: String, cost: Double, alone: Double?)] = shares.map { ($0.book, $0.cost, $0.alone) }
        let known = rows.reduce(unattributed) { $0 + $1.cost }
        let alone = shares.reduce(0) { $0 + ($1.alone ?? .nan) }
        let bookCount = rows.count
        if unattributed != 0 { rows.append(("limits alone", unattributed, nil)) }
        // Shares are those of the cost in any amounts.
        if solution.nodes > 0 { rows.append(("lots and fixed costs", solution.cost.total - known, nil)) }
        rows.append(("total", rows.reduce(0) { $0 + $1.cost }, alone.isFinite ? alone : nil))
        return Report(
            columns: [
                Report.Column("book"), Report.Column("share of cost", unit: "USD", style: .significant),
                Report.Column("alone", unit: "USD", style: .significant),
            ], rowCount: rows.count, totalCount: 1
        ) { row, column in
            switch column {
            case 0: return .text(rows[row].name)
            case 1: return .number(rows[row].cost)
            default:
                return rows[row].alone.map { .number($0) } ?? (row < bookCount ? .text("infeasible") : .empty)
            }
        }
    }

    private var headline: String {
        let cost = solution.cost
        switch solution.status {
        case .optimal, .budget:
            let trading = hedge?.tradingCost(trades)
            let linear =
                trading.map { [("spread", $0.spread), ("fees", $0.fee), ("carry", $0.carry)] }
                ?? [("spread, fees and carry", cost.linear)]
            let parts =
                (linear + [
                    ("impact", cost.impact), ("fixed", cost.fixed),
                    ("penalties", cost.penalty), ("risk", cost.risk),
                ]).filter { $0.1 != 0 }.map { "\($0.0) \($0.1.significant)" }
            let split = parts.count > 1 ? " (\(parts.joined(separator: ", ")))" : ""
            let proof =
                solution.status == .optimal
                ? "optimal"
                : solution.gap.isFinite
                    ? "stopped after \(solution.nodes) nodes: best so far"
                    : "stopped after \(solution.nodes) nodes without an answer; fractions of lots would be"
            let gap = solution.gap.isFinite ? String(format: "%.1e", solution.gap) : "unknown"
            return "\(proof), cost \(cost.total.significant)\(split); gap \(gap), "
                + "\(microseconds.significant) µs"
        case .infeasible:
            guard let infeasibility else {
                return "no whole lots bring every hard band within its limits (fractions of lots would)"
            }
            if let cash = infeasibility.leastCash {
                return
                    "the cash budget \(problem.cashBudget.significant) cannot be kept: trades spend at least "
                    + cash.significant
            }
            return "infeasible: hard bands stay outside by at least "
                + "\(infeasibility.totalViolation.significant) widths in all, "
                + "\(infeasibility.worstViolation.significant) in one"
        case .uncertified: return "not solved: the best trades found could not be proved to be optimal"
        }
    }

    /// Spread, fee, carry, impact and fixed cost of one trade.
    private func cost(ofTrade i: Int) -> Double {
        let instrument = problem.instruments[i]
        let linear = trades[i] > 0 ? instrument.costBuy * trades[i] : -instrument.costSell * trades[i]
        return linear + instrument.impact * trades[i] * trades[i] + instrument.fixedCost
    }

    /// The trades of several answers, a row each.
    static func trades(of reports: [HedgeReport]) -> Report {
        let rows = reports.indices.flatMap { report in
            reports[report].trades.indices.filter { reports[report].trades[$0] != 0 }.map { (report, $0) }
        }
        return Report(
            columns: ["problem", "status", "instrument", "trade", "cost"].map { Report.Column($0) },
            rowCount: rows.count
        ) { row, column in
            let (report, i) = (reports[rows[row].0], rows[row].1)
            switch column {
            case 0: return .text(report.problem.name)
            case 1: return .text(report.solution.status.rawValue)
            case 2: return .text(report.problem.instrumentNames[i])
            case 3: return .number(report.trades[i])
            default: return .number(report.cost(ofTrade: i))
            }
        }
    }

    private func tradeTable(_ rows: [Int]) -> Report {
        Report(
            columns: [
                Report.Column("instrument"), Report.Column("trade", style: .significant),
                Report.Column("cost", style: .significant), Report.Column("limit", style: .significant),
            ], rowCount: rows.count
        ) { row, column in
            let i = rows[row]
            let instrument = problem.instruments[i]
            switch column {
            case 0: return .text(problem.instrumentNames[i])
            case 1: return .number(trades[i])
            case 2: return .number(cost(ofTrade: i))
            default: return .number(trades[i] > 0 ? instrument.maximumBuy : -instrument.maximumSell)
            }
        }
    }

    private var bandTable: Report {
        let prices = infeasibility == nil ? solution.bandPrices : []
        return Report(
            columns: [
                Report.Column("band"), Report.Column("unit"), Report.Column("before", style: .significant),
                Report.Column("after", style: .significant), Report.Column("low", style: .significant),
                Report.Column("high", style: .significant), Report.Column("kind"),
                Report.Column("price", style: .significant),
            ], rowCount: problem.bands.count
        ) { row, column in
            let band = problem.bands[row]
            func limit(_ value: Double) -> Cell { value.isFinite ? .number(value) : .empty }
            switch column {
            case 0: return .text(problem.bandNames[row])
            case 1: return hedge.map { .text($0.limits[row].greek.shortUnit(.usd)) } ?? .empty
            case 2: return .number(band.current)
            case 3: return .number(problem.exposure(ofBand: row, trades: trades))
            case 4: return limit(band.low)
            case 5: return limit(band.high)
            case 6: return .text(band.isHard ? "hard" : "soft")
            default: return prices.isEmpty || prices[row] == 0 ? .empty : .number(prices[row])
            }
        }
    }

    /// What each limit costs at the margin.
    private var priceWords: [String] {
        var priced: [(saving: Double, words: String)] = []
        for (r, price) in solution.bandPrices.enumerated() where price != 0 {
            let band = problem.bands[r]
            let step = Self.roundStep(0.1 * band.width)
            let limit = price > 0 ? "low" : "high"
            let unit = hedge.map { " " + $0.limits[r].greek.shortUnit(.usd) } ?? ""
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

    /// What a looser limit saves: found by solving again, as the price only holds at the margin. Lots and fixed costs
    /// aside, as a search over them would take too long for that.
    private func saving(_ atMargin: Double, _ loosen: (inout HedgeProblem) -> Void) -> (Double, String) {
        let money = hedge == nil ? "" : " USD"
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

    private var infeasibilityWords: [String] {
        guard let infeasibility else { return [] }
        var words: [String] = []
        for (r, violation) in infeasibility.violations.enumerated() where violation != 0 {
            let side = violation < 0 ? "below its low limit" : "above its high limit"
            words.append("\(problem.bandNames[r]) stays \(violation.magnitude.significant) widths \(side)")
        }
        if let steepest = infeasibility.firstBand {
            let side = infeasibility.bandPrices[steepest] > 0 ? "low" : "high"
            words.append(
                "loosen the \(side) limit of \(problem.bandNames[steepest]) first: each width takes "
                    + "\(infeasibility.bandPrices[steepest].magnitude.significant) widths off the total")
        }
        if infeasibility.marginPrice < 0 {
            words.append("more margin helps: \((-infeasibility.marginPrice).significant) widths per unit")
        }
        if infeasibility.cashPrice < 0 {
            words.append("more cash helps: \((-infeasibility.cashPrice).significant) widths per unit")
        }
        return words
    }

    /// 1, 2 or 5 times a power of ten, at most `value`.
    private static func roundStep(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return 1 }
        let power = pow(10, log10(value).rounded(.down))
        return power * (value / power >= 5 ? 5 : value / power >= 2 ? 2 : 1)
    }
}
