import Market

extension HedgeProblem {
    /// The problem in the format that `HedgeProblemFile` reads, all digits.
    public var json: String {
        func list<T>(_ values: some Sequence<T>, _ text: (T) -> String) -> String {
            "[" + values.map(text).joined(separator: ", ") + "]"
        }
        func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }
        let instrumentList = list(zip(instrumentNames, instruments)) { name, instrument in
            """
            {"id": \(JSON.quoted(name)), "u": \(instrument.underlying), "costBuy": \(instrument.costBuy), \
            "costSell": \(instrument.costSell), "impact": \(instrument.impact), "fixed": \(instrument.fixedCost), \
            "lot": \(instrument.lot), "minTrade": \(instrument.minimum), "maxBuy": \(instrument.maximumBuy), \
            "maxSell": \(instrument.maximumSell), \
            "margin": \(instrument.margin), "cash": \(instrument.cash)}
            """
        }
        let bandList = list(zip(bandNames, bands)) { name, band in
            let own = entries[band.entries]
            return """
                {"label": \(JSON.quoted(name)), "idx": \(list(own) { "\($0.instrument)" }), \
                "coef": \(list(own) { "\($0.coefficient)" }), "current": \(band.current), \
                "lo": \(number(band.low)), "hi": \(number(band.high)), "hard": \(band.isHard), \
                "penalty": \(band.penalty), "penaltyQuad": \(band.penaltyQuadratic)}
                """
        }
        var members = [
            "\"name\": \(JSON.quoted(name))", "\"underlyings\": \(list(underlyings, JSON.quoted))",
            "\"marginLimit\": \(number(marginLimit))", "\"budget\": \(number(cashBudget))",
            "\"instruments\": \(instrumentList)", "\"bands\": \(bandList)",
        ]
        if let risk {
            let size = underlyings.count
            let rows = list(0..<size) { row in
                list(risk.covariance[row * size..<(row + 1) * size]) { "\($0)" }
            }
            members.append(
                """
                "risk": {"lam": \(risk.riskAversion), "cov": \(rows), "d0": \(list(risk.dollarDelta) { "\($0)" }), \
                "exposure": \(list(risk.exposure) { "\($0)" })}
                """)
        }
        return "{" + members.joined(separator: ", ") + "}"
    }
}
