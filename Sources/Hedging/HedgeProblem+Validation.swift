import Checks

extension HedgeProblem {
    /// Largest magnitude of a number that is accepted.
    static let largestMagnitude = 1e100
    static let anyNumber = NumberRule.within(-largestMagnitude...largestMagnitude)
    static let notNegative = NumberRule.within(0...largestMagnitude)

    /// Checks every number.
    /// - Throws: the first that cannot be used, by field and name. Indefinite covariances are found by the
    ///   solver, which factorises them.
    public func validate() throws(HedgeError) {
        guard !instruments.isEmpty else { throw .noInstruments }
        try checkLengths()
        // Nearly always all are good, and one look at each number tells.
        if !instruments.allSatisfy({ isPlain($0) }) {
            for (index, instrument) in instruments.enumerated() { try check(instrument, index) }
        }
        for (index, band) in bands.enumerated() { try check(band, index) }
        for (index, band) in bands.enumerated() {
            for k in band.entries {
                let entry = entries[k]
                guard instruments.indices.contains(entry.instrument) else {
                    throw invalid(
                        "bands[\(index)].idx[\(k - band.entries.lowerBound)]", bandNames[index],
                        Double(entry.instrument), "is no instrument's index")
                }
                try checkFinite(
                    entry.coefficient, "bands[\(index)].coef[\(k - band.entries.lowerBound)]",
                    bandNames[index])
            }
        }
        guard marginLimit >= 0 else {
            throw invalid("marginLimit", "", marginLimit, NumberRule.allowance.complaint)
        }
        guard cashBudget > -Self.largestMagnitude else {
            throw invalid("budget", "", cashBudget, "must be above \((-Self.largestMagnitude).shown)")
        }
        if let risk { try check(risk) }
        if !curves.isEmpty { try validateCurves() }
    }

    private func invalid(_ field: String, _ name: String, _ value: Double, _ reason: String) -> HedgeError {
        .invalidValue(field: field, name: name, value: value, reason: reason)
    }

    private func checkFinite(_ value: Double, _ field: @autoclosure () -> String, _ name: String)
        throws(HedgeError)
    {
        guard value.magnitude <= Self.largestMagnitude else {
            throw invalid(field(), name, value, Self.anyNumber.complaint)
        }
    }

    private func checkNotNegative(_ value: Double, _ field: @autoclosure () -> String, _ name: String)
        throws(HedgeError)
    {
        guard value >= 0, value <= Self.largestMagnitude else {
            throw invalid(field(), name, value, Self.notNegative.complaint)
        }
    }

    /// A limit may be infinite, where trades without end would not earn without end.
    private func checkLimit(
        _ value: Double, _ cost: Double, _ instrument: HedgeInstrument, _ field: @autoclosure () -> String,
        _ name: String, hasLevels: Bool
    ) throws(HedgeError) {
        guard value == .infinity else { return try checkNotNegative(value, field(), name) }
        guard cost >= 0 || instrument.impact > 0 || hasLevels else {
            throw invalid(field(), name, value, "must be finite where trading earns (cost \(cost))")
        }
    }

    private func checkLengths() throws(HedgeError) {
        let (count, bandCount) = (instruments.count, bands.count)
        guard instrumentNames.count == count else {
            throw .lengthMismatch(field: "instrumentNames", expected: count, got: instrumentNames.count)
        }
        guard bandNames.count == bandCount else {
            throw .lengthMismatch(field: "bandNames", expected: bandCount, got: bandNames.count)
        }
        for band in bands where band.entries.upperBound > entries.count {
            throw .lengthMismatch(field: "entries", expected: band.entries.upperBound, got: entries.count)
        }
    }

    /// Whether `check` finds nothing, without a branch per number. NaN is not below anything.
    @inline(__always)
    private func isPlain(_ instrument: HedgeInstrument) -> Bool {
        let most = Self.largestMagnitude
        let notNegative = SIMD8(
            instrument.impact, instrument.fixedCost, instrument.lot, instrument.minimum,
            instrument.maximumBuy,
            instrument.maximumSell, instrument.margin, instrument.costBuy + instrument.costSell)
        let any = SIMD4(instrument.costBuy, instrument.costSell, instrument.cash, 0)
        return all((notNegative .>= 0) .& (notNegative .<= most)) && all((any .>= -most) .& (any .<= most))
            && underlyings.indices.contains(instrument.underlying)
    }

    private func check(_ instrument: HedgeInstrument, _ index: Int) throws(HedgeError) {
        let name = instrumentNames[index]
        guard underlyings.indices.contains(instrument.underlying) else {
            throw invalid(
                "instruments[\(index)].u", name, Double(instrument.underlying), "is no underlying's index")
        }
        try checkFinite(instrument.costBuy, "instruments[\(index)].costBuy", name)
        try checkFinite(instrument.costSell, "instruments[\(index)].costSell", name)
        guard instrument.costBuy + instrument.costSell >= 0 else {
            throw invalid(
                "instruments[\(index)].costSell", name, instrument.costSell,
                "buying and selling again would earn money: must be at least -costBuy, \(-instrument.costBuy)"
            )
        }
        try checkNotNegative(instrument.impact, "instruments[\(index)].impact", name)
        try checkNotNegative(instrument.fixedCost, "instruments[\(index)].fixed", name)
        try checkNotNegative(instrument.lot, "instruments[\(index)].lot", name)
        try checkNotNegative(instrument.minimum, "instruments[\(index)].minTrade", name)
        try checkLimit(
            instrument.maximumBuy, instrument.costBuy, instrument, "instruments[\(index)].maxBuy", name,
            hasLevels: levels(index, .buy) != nil)
        try checkLimit(
            instrument.maximumSell, instrument.costSell, instrument, "instruments[\(index)].maxSell",
            name, hasLevels: levels(index, .sell) != nil)
        try checkNotNegative(instrument.margin, "instruments[\(index)].margin", name)
        try checkFinite(instrument.cash, "instruments[\(index)].cash", name)
    }

    private func check(_ band: HedgeBand, _ index: Int) throws(HedgeError) {
        let name = bandNames[index]
        try checkFinite(band.current, "bands[\(index)].current", name)
        guard band.low < .infinity else {
            throw invalid("bands[\(index)].lo", name, band.low, NumberRule.lowerEnd.complaint)
        }
        guard band.high > -.infinity else {
            throw invalid("bands[\(index)].hi", name, band.high, NumberRule.upperEnd.complaint)
        }
        guard band.low <= band.high else {
            throw invalid("bands[\(index)].hi", name, band.high, "is below lo, \(band.low)")
        }
        guard !band.isHard else { return }
        try checkNotNegative(band.penalty, "bands[\(index)].penalty", name)
        try checkNotNegative(band.penaltyQuadratic, "bands[\(index)].penaltyQuad", name)
    }

    private func check(_ risk: HedgeRisk) throws(HedgeError) {
        let count = underlyings.count
        try checkNotNegative(risk.riskAversion, "risk.lam", "")
        guard risk.covariance.count == count * count else {
            throw .lengthMismatch(field: "risk.cov", expected: count * count, got: risk.covariance.count)
        }
        guard risk.dollarDelta.count == count else {
            throw .lengthMismatch(field: "risk.d0", expected: count, got: risk.dollarDelta.count)
        }
        guard risk.exposure.count == instruments.count else {
            throw .lengthMismatch(
                field: "risk.exposure", expected: instruments.count, got: risk.exposure.count)
        }
        for (index, value) in risk.dollarDelta.enumerated() {
            try checkFinite(value, "risk.d0[\(index)]", underlyings[index])
        }
        for (index, value) in risk.exposure.enumerated() {
            try checkFinite(value, "risk.exposure[\(index)]", instrumentNames[index])
        }
        for row in 0..<count {
            for column in 0..<count {
                let value = risk.covariance[row * count + column]
                try checkFinite(value, "risk.cov[\(row)][\(column)]", underlyings[row])
                let transposed = risk.covariance[column * count + row]
                guard (value - transposed).magnitude <= 1e-12 * (value.magnitude + transposed.magnitude)
                else {
                    throw .notSymmetric(
                        row: underlyings[row], column: underlyings[column], value: value,
                        transposed: transposed)
                }
            }
        }
    }
}
