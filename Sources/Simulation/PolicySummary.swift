/// Statistics of one policy in a simulation.
public struct PolicySummary: Sendable {
    public let policy: String
    public let paths: Int
    /// Of the costs that are paid: spread, fees, impact, gas, slippage, funding, penalties.
    public let meanCost: Estimate
    /// Of profit and loss at the end.
    public let meanProfit, deviation, shortfall95, shortfall99: Estimate
    /// Of one path each: mean of the worst drawdown, and the worst of all.
    public let meanDrawdown: Estimate
    public let worstDrawdown: Double
    public let trades, turnover, liquidations, timeOutside, timeUnhedged, latencyCost: Estimate
    /// Means of the parts of profit and loss.
    public let parts: [ProfitPart: Estimate]

    /// - Parameter overlap: see `SampleStatistic.estimate`.
    public init(_ outcomes: PathOutcomes, policy: Int, overlap: Int = 0) {
        self.policy = outcomes.policies[policy]
        paths = outcomes.completed
        func mean(_ figure: PathMetric) -> Estimate {
            SampleStatistic.mean.estimate(outcomes.values(figure, policy: policy), overlap: overlap)
        }
        let profit = outcomes.values(.profit, policy: policy)
        meanCost = SampleStatistic.mean.estimate(outcomes.costs(policy: policy), overlap: overlap)
        meanProfit = SampleStatistic.mean.estimate(profit, overlap: overlap)
        deviation = SampleStatistic.standardDeviation.estimate(profit, overlap: overlap)
        shortfall95 = SampleStatistic.expectedShortfall(level: 0.95).estimate(profit, overlap: overlap)
        shortfall99 = SampleStatistic.expectedShortfall(level: 0.99).estimate(profit, overlap: overlap)
        meanDrawdown = mean(.drawdown)
        worstDrawdown = outcomes.values(.drawdown, policy: policy).max() ?? .nan
        trades = mean(.trades)
        turnover = mean(.turnover)
        liquidations = mean(.liquidations)
        timeOutside = mean(.timeOutside)
        timeUnhedged = mean(.timeUnhedged)
        latencyCost = mean(.shortfall)
        var parts: [ProfitPart: Estimate] = [:]
        for part in ProfitPart.allCases {
            parts[part] = SampleStatistic.mean.estimate(
                outcomes.values(part, policy: policy), overlap: overlap)
        }
        self.parts = parts
    }
}
