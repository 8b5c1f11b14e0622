import Greeks
import VectorMath

/// Gains of groups of positions in each of many scenarios, and the sum over all groups, in the numeraire that they were
/// computed in (`BookRevaluation.numeraire`).
public struct ScenarioProfits: Sendable {
    /// One label per grouping for each group, sorted.
    public let groups: [[String]]
    /// Scenarios.
    public let count: Int
    /// Group by group.
    private var gains: [Double]
    /// The sums over the groups, in their order.
    public private(set) var total: [Double]

    /// Gains of one group, one per scenario.
    public subscript(group: Int) -> ArraySlice<Double> { gains[group * count..<(group + 1) * count] }

    /// Given gains, one array of equal length per group.
    /// - Throws: `notFinite`.
    public init(groups: [[String]], gains: [[Double]]) throws(TailRiskError) {
        precondition(groups.count == gains.count, "gains for each group")
        let count = gains.first?.count ?? 0
        precondition(gains.allSatisfy { $0.count == count }, "gains of one length")
        self.groups = groups
        self.count = count
        self.gains = Array(gains.joined())
        total = Array(repeating: 0, count: count)
        try addUp()
    }

    /// Fills in 16 scenarios at a time: `block` writes the gains of each group in scenarios `first` to
    /// `first + 15`, of which those from `count` on are ignored, as a row of 16 per group.
    /// - Parameter isCancelled: asked before each 16; true ends it.
    /// - Throws: `notFinite`, `cancelled`.
    init(
        groups: [[String]], count: Int, isCancelled: (() -> Bool)? = nil,
        _ block: (_ first: Int, _ rows: borrowing ColumnStorage<Double>) -> Void
    ) throws(TailRiskError) {
        self.groups = groups
        self.count = count
        gains = Array(repeating: 0, count: groups.count * count)
        total = Array(repeating: 0, count: count)
        let width = WeightedRows.width
        let rows = ColumnStorage<Double>(repeating: 0, count: groups.count * width)
        for first in stride(from: 0, to: count, by: width) {
            if let isCancelled, isCancelled() { throw .cancelled }
            block(first, rows)
            for group in groups.indices {
                for scenario in first..<min(first + width, count) {
                    gains[group * count + scenario] = rows[group * width + scenario - first]
                }
            }
        }
        try addUp()
    }

    private mutating func addUp() throws(TailRiskError) {
        for group in groups.indices {
            var probe = 0.0
            for scenario in 0..<count {
                let gain = gains[group * count + scenario]
                total[scenario] += gain
                // 0 times a number is 0 unless the number is not finite.
                probe += gain * 0
            }
            guard probe == 0 else { throw .notFinite(group: groups[group].joined(separator: " ")) }
        }
        guard total.allSatisfy(\.isFinite) else { throw .notFinite(group: "total") }
    }
}
