/// One policy against another on the same paths: how much larger its figures are.
public struct PolicyComparison: Sendable {
    public let policy, reference: String
    public let cost, profit, deviation, shortfall95, shortfall99: Estimate

    public init(_ outcomes: PathOutcomes, policy: Int, reference: Int, overlap: Int = 0) {
        self.policy = outcomes.policies[policy]
        self.reference = outcomes.policies[reference]
        let (own, other) = (
            outcomes.values(.profit, policy: policy), outcomes.values(.profit, policy: reference)
        )
        func difference(_ figure: SampleStatistic) -> Estimate {
            figure.difference(own, other, overlap: overlap)
        }
        cost = SampleStatistic.mean.difference(
            outcomes.costs(policy: policy), outcomes.costs(policy: reference), overlap: overlap)
        profit = difference(.mean)
        deviation = difference(.standardDeviation)
        shortfall95 = difference(.expectedShortfall(level: 0.95))
        shortfall99 = difference(.expectedShortfall(level: 0.99))
    }
}
