/// Indices of the policies that no other beats in both cost and risk, the cheapest first. Where a cost or risk is not a
/// number, a policy is none of them and beats none.
public func frontier(_ points: [(cost: Double, risk: Double)]) -> [Int] {
    let known = points.indices.filter { !points[$0].cost.isNaN && !points[$0].risk.isNaN }
    return known.filter { index in
        !known.contains { other in
            other != index && points[other].cost <= points[index].cost
                && points[other].risk <= points[index].risk
                && (points[other].cost < points[index].cost || points[other].risk < points[index].risk
                    || other < index)
        }
    }.sorted { points[$0].cost < points[$1].cost }
}
