/// One row of `ExposureGreek` figures per group.
public struct Exposures: Sendable {
    let rows: ExposureRows

    public var count: Int { rows.count }

    /// Room for the groups of a plan, all figures 0.
    public init(_ plan: ExposurePlan) { rows = ExposureRows(count: plan.groups.count) }

    /// One figure of one group.
    public subscript(group: Int, greek: ExposureGreek) -> Double { rows[group, greek] }
}
