/// Indices of the policies that no other beats in both cost and risk.
public func frontier(_ points: [(cost: Double, risk: Double)]) -> [Int] {
    points.indices.filter { index in
        !points.indices.contains { other in
            other != index && points[other].cost <= points[index].cost
                && points[other].risk <= points[index].risk
                && (points[other].cost < points[index].cost || points[other].risk < points[index].risk
                    || other < index)
        }
    }.sorted { points[$0].cost < points[$1].cost }
}
