import Market

/// Reads hedge problems from JSON: one object, an array of them, or several values one after another. Field
/// names are those of `HedgeProblem` in short: `docs/commands.md` lists them.
public struct HedgeProblemFile {
    /// Name of the file.
    public let name: String
    public let problems: [HedgeProblem]

    /// - Throws: where the file is no JSON, or a field is missing, unknown or of the wrong kind. Numbers are checked
    ///   when the problem is solved.
    public init(_ source: Source) throws(MarketError) {
        var reader = JSONReader(source)
        let values = try reader.values()
        guard !values.isEmpty else { throw .empty(file: source.name) }
        var problems: [HedgeProblem] = []
        for value in values {
            for (index, element) in (value.array ?? [value]).enumerated() {
                let path = value.array == nil ? "" : "[\(index)]"
                problems.append(try Settings(source, element, path: path).problem(problems.count))
            }
        }
        guard !problems.isEmpty else { throw .empty(file: source.name) }
        self.problems = problems
        name = source.name
    }
}

extension Settings {
    fileprivate func problem(_ index: Int) throws(MarketError) -> HedgeProblem {
        guard case .object = value.content else { throw failure("", nil, "must be an object") }
        try refuseOthers(than: [
            "name", "version", "underlyings", "instruments", "bands", "risk", "marginLimit", "budget",
            // Remarks: who made the problem of what, and what came out.
            "comment", "kind", "n", "seed", "spot", "expected",
        ])
        let underlyings = try texts("underlyings")
        var problem = HedgeProblem(
            name: try text("name", default: "problem-\(index + 1)"),
            underlyings: underlyings.isEmpty ? [""] : underlyings,
            marginLimit: try number("marginLimit", default: .infinity),
            cashBudget: try number("budget", default: .infinity))
        let version = try integer("version", 1...2, default: 1)
        problem.budgetCountsAllCosts = version == 2
        for (index, fields) in try tables("instruments").enumerated() {
            let curve = CostCurve(buy: try fields.levels("buy"), sell: try fields.levels("sell"))
            if version == 1, !curve.isNone {
                throw fields.failure(
                    curve.buy == nil ? "sell" : "buy", "needs \"version\": 2 beside the problem's name")
            }
            problem.add(
                try fields.text("id", default: "instrument-\(index + 1)"),
                try fields.instrument(hasLevels: !curve.isNone), curve)
        }
        for (index, fields) in try tables("bands").enumerated() {
            try fields.refuseOthers(than: [
                "label", "idx", "coef", "current", "lo", "hi", "hard", "penalty", "penaltyQuad",
                "comment", "u", "greek",
            ])
            let coefficients = try fields.numbers("coef")
            let instruments = try fields.numbers("idx")
            guard coefficients.count == instruments.count else {
                throw fields.failure(
                    "coef", "has \(coefficients.count) values for \(instruments.count) of idx")
            }
            var entries: [(instrument: Int, coefficient: Double)] = []
            for (k, number) in instruments.enumerated() {
                guard let instrument = Int(exactly: number), problem.instruments.indices.contains(instrument)
                else {
                    throw fields.failure(
                        "idx[\(k)]", fields.value["idx"]?.array?[k], "is no instrument's index")
                }
                entries.append((instrument, coefficients[k]))
            }
            problem.add(
                try fields.text("label", default: "band-\(index + 1)"), try fields.band(),
                coefficients: entries)
        }
        problem.risk = try table("risk")?.risk()
        return problem
    }

    /// The levels of a side, nil where there are none. An `upTo` of null is no end.
    private func levels(_ side: String) throws(MarketError) -> [CostCurve.Level]? {
        guard has(side) else { return nil }
        var levels: [CostCurve.Level] = []
        for fields in try tables(side) {
            try fields.refuseOthers(than: ["upTo", "price", "quadratic", "comment"])
            levels.append(
                CostCurve.Level(
                    upTo: try fields.number("upTo", default: .infinity), price: try fields.number("price"),
                    quadratic: try fields.number("quadratic", default: 0)))
        }
        return levels
    }

    private func instrument(hasLevels: Bool) throws(MarketError) -> HedgeInstrument {
        try refuseOthers(than: [
            "id", "u", "costBuy", "costSell", "impact", "fixed", "lot", "minTrade", "maxBuy", "maxSell",
            "margin", "cash", "buy", "sell", "comment", "type",
        ])
        // Levels may be all that there is to say.
        func cost(_ key: String) throws(MarketError) -> Double {
            hasLevels ? try number(key, default: 0) : try number(key)
        }
        return HedgeInstrument(
            underlying: try integer("u", 0...Int(Int32.max), default: 0), costBuy: try cost("costBuy"),
            costSell: try cost("costSell"), impact: try number("impact", default: 0),
            fixedCost: try number("fixed", default: 0), lot: try number("lot", default: 0),
            minimum: try number("minTrade", default: 0),
            maximumBuy: try number("maxBuy", default: .infinity),
            maximumSell: try number("maxSell", default: .infinity),
            margin: try number("margin", default: 0), cash: try number("cash", default: 0))
    }

    private func band() throws(MarketError) -> HedgeBand {
        let low = try number("lo", default: -.infinity)
        let high = try number("hi", default: .infinity)
        let current = try number("current")
        let penalty = try number("penalty", default: 0)
        let penaltyQuadratic = try number("penaltyQuad", default: 0)
        // What has a price may be had for it.
        if try flag("hard", default: penalty == 0 && penaltyQuadratic == 0) {
            return HedgeBand(hard: low, high, current: current)
        }
        return HedgeBand(
            soft: low, high, current: current, penalty: penalty, penaltyQuadratic: penaltyQuadratic)
    }

    /// The risk term; nil where it has no price.
    private func risk() throws(MarketError) -> HedgeRisk? {
        try refuseOthers(than: ["lam", "cov", "d0", "exposure", "comment"])
        let riskAversion = try number("lam", default: 0)
        guard riskAversion != 0 else { return nil }
        var covariance: [Double] = []
        for (index, row) in try array("cov").enumerated() {
            guard let elements = row.array else { throw failure("cov[\(index)]", row, "must be an array") }
            covariance += try numbers(elements, "cov[\(index)]")
        }
        return HedgeRisk(
            riskAversion: riskAversion, covariance: covariance, dollarDelta: try numbers("d0"),
            exposure: try numbers("exposure"))
    }
}
