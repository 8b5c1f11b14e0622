/// One row of `ExposureGreek` figures per group. Copies share their rows: an `aggregate` into one is in all.
public struct Exposures: Sendable {
    let rows: ExposureRows

    public var count: Int { rows.count }

    /// Room for the groups of a plan, all figures 0.
    public init(_ plan: ExposurePlan) { rows = ExposureRows(count: plan.groups.count) }

    init(count: Int) { rows = ExposureRows(count: count) }

    /// The figures of others, and behind them room for more, all figures 0.
    init(_ others: Exposures, grownTo count: Int) { rows = ExposureRows(others.rows, grownTo: count) }

    /// One figure of one group.
    public subscript(group: Int, greek: ExposureGreek) -> Double { rows[group, greek] }
}
