extension HedgeProblem {
    /// Whether costs by level, or a budget that counts what bends, are more than the solvers themselves know of.
    var needsCurveSolver: Bool {
        curves.contains { !$0.isNone }
            || budgetCountsAllCosts && cashBudget < .infinity
                && instruments.contains { $0.impact > 0 || $0.fixedCost > 0 }
    }

    /// The problem of some of its instruments alone.
    func part(_ kept: [Int]) -> HedgeProblem {
        var part = self
        part.instruments = kept.map { instruments[$0] }
        part.instrumentNames = kept.map { instrumentNames[$0] }
        if !curves.isEmpty { part.curves = kept.map { curves[$0] } }
        part.risk?.exposure = kept.map { risk?.exposure[$0] ?? 0 }
        var place = [Int](repeating: -1, count: instruments.count)
        for (k, i) in kept.enumerated() { place[i] = k }
        (part.bands, part.bandNames, part.entries) = ([], [], [])
        for r in bands.indices {
            let own = entries[bands[r].entries].filter { place[$0.instrument] >= 0 }
            part.add(
                bandNames[r], bands[r],
                coefficients: own.map {
                    (instrument: place[$0.instrument], coefficient: $0.coefficient)
                })
        }
        return part
    }

    /// The slope of the risk by each underlying's dollar delta.
    func riskSlopes(_ risk: HedgeRisk, _ trades: [Double]) -> [Double] {
        var delta = risk.dollarDelta
        for i in instruments.indices { delta[instruments[i].underlying] += risk.exposure[i] * trades[i] }
        return underlyings.indices.map { u in
            underlyings.indices.reduce(0) {
                $0 + 2 * risk.riskAversion * risk.covariance[u * underlyings.count + $1] * delta[$1]
            }
        }
    }
}
