extension Venue {
    func validate() throws(SimulationError) {
        switch costs {
        case .orderBook(let book): try book.validate(name)
        case .pool(let pool): try pool.validate(name)
        }
        try failures.validate(name)
        try ParameterCheck.notNegative(name, "latency_seconds", latencySeconds)
        try SimulationError.require(largestOrder > 0, name, "largest_order", largestOrder, "is not above 0")
    }
}

extension OrderBookCosts {
    fileprivate func validate(_ venue: String) throws(SimulationError) {
        try ParameterCheck.share(venue, "half_spread", halfSpread)
        try ParameterCheck.notNegative(venue, "spread_widening", spreadWidening)
        try ParameterCheck.share(venue, "taker_fee", takerFee)
        try SimulationError.require(
            makerFee.magnitude <= 1, venue, "maker_fee", makerFee, "is not within ±1")
        try ParameterCheck.notNegative(venue, "linear_impact", linearImpact)
        try ParameterCheck.notNegative(venue, "square_root_impact", squareRootImpact)
        try ParameterCheck.positive(venue, "depth", depth)
        try ParameterCheck.notNegative(venue, "impact_half_life_hours", impactHalfLifeHours)
    }
}

extension PoolCosts {
    fileprivate func validate(_ venue: String) throws(SimulationError) {
        try ParameterCheck.positive(venue, "liquidity", liquidity)
        try SimulationError.require(fee >= 0 && fee < 1, venue, "fee", fee, "is not in [0, 1)")
        try ParameterCheck.notNegative(venue, "gas", gas)
        try ParameterCheck.notNegative(venue, "gas_spike", gasSpike)
        try ParameterCheck.share(venue, "gas_spike_probability", gasSpikeProbability)
        try SimulationError.require(
            gasSpikeReturn > 0, venue, "gas_spike_return", gasSpikeReturn, "is not above 0")
        try ParameterCheck.share(venue, "failure_probability", failureProbability)
        try ParameterCheck.positive(venue, "block_seconds", blockSeconds)
        try ParameterCheck.notNegative(venue, "blocks", blocks)
    }
}

extension VenueFailures {
    fileprivate func validate(_ venue: String) throws(SimulationError) {
        for (name, spans) in [("outage", outages), ("stale", staleSpans)] {
            for span in spans {
                try ParameterCheck.notNegative(venue, "\(name) from_hour", span.fromHour)
                try SimulationError.require(
                    span.toHour > span.fromHour, venue, "\(name) to_hour", span.toHour,
                    "is not after from_hour, \(span.fromHour)")
            }
        }
        try ParameterCheck.notNegative(venue, "outages_per_year", outagesPerYear)
        try ParameterCheck.positive(venue, "outage_hours", outageHours)
        try SimulationError.require(
            crashReturn > 0, venue, "crash_return", crashReturn, "is not above 0")
        try ParameterCheck.share(venue, "crash_outage_probability", crashOutageProbability)
        try ParameterCheck.share(venue, "order_failure", orderFailure)
        try ParameterCheck.share(venue, "partial_fill", partialFill)
        try ParameterCheck.share(venue, "least_fill", leastFill)
    }
}

extension HedgeContract {
    func validate() throws(SimulationError) {
        try ParameterCheck.positive("hedge", "days", years)
        try SimulationError.require(basis.magnitude <= 5, "hedge", "basis", basis, "is not within ±5")
        try SimulationError.require(
            premiumDeviation >= 0 && premiumDeviation <= 0.1, "hedge", "premium_deviation", premiumDeviation,
            "is not from 0 to 0.1")
        try ParameterCheck.positive("hedge", "premium_half_life_hours", premiumHalfLifeHours)
    }
}

extension MarginAccount {
    func validate(_ instrument: HedgeContract) throws(SimulationError) {
        try SimulationError.require(
            instrument.kind != .spot, "margin", "collateral", collateral, "but spot is not margined")
        try ParameterCheck.positive("margin", "collateral", collateral)
        try ParameterCheck.share("margin", "maintenance", maintenance)
        try ParameterCheck.share("margin", "option_maintenance", optionMaintenance)
        try ParameterCheck.share("margin", "penalty", penalty)
    }
}

extension ReflexiveFlow {
    func validate() throws(SimulationError) {
        try SimulationError.require(
            gammaPerPercent.isFinite, "flow", "gamma_per_percent", gammaPerPercent, "is not finite")
        try ParameterCheck.notNegative("flow", "impact_per_coin", impactPerCoin)
        try ParameterCheck.share("flow", "persistence", persistence)
        let feedback = 100 * gammaPerPercent.magnitude * impactPerCoin
        try SimulationError.require(
            feedback < 1, "flow", "feedback", feedback,
            "is not below 1: each move would be answered by a larger one")
    }
}
