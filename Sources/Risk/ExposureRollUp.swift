import Greeks
import VectorMath

/// Sums of groups, made once for a plan and used on every tick: a desk over its books, the firm over its desks, a
/// limit over whatever it covers.
public struct ExposureRollUp: Sendable {
    /// Sums that it makes.
    public let count: Int
    private let offsets: [Int]
    private let members: [Int32]
    private let weights: [Double]
    private let largest: Int

    /// - Parameter members: the groups of each sum, from 0, added in this order.
    public init(_ members: [[Int]]) {
        precondition(members.joined().allSatisfy { $0 >= 0 }, "groups count from 0")
        count = members.count
        offsets = members.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
        self.members = members.joined().map { Int32($0) }
        weights = Array(repeating: 1, count: self.members.count)
        largest = Int(self.members.max() ?? -1)
    }

    /// Sum s of groups into row s. The same bits on every machine; allocates nothing.
    public func aggregate(_ exposures: Exposures, into sums: Exposures, _ engine: GreeksEngine) {
        precondition(sums.count == count && exposures.count > largest, "sizes differ")
        unsafe engine.kernel.sumWeightedRows(
            WeightedRows(
                rows: exposures.rows.base, rowOfTerm: members, weights: weights, offsets: offsets,
                groupCount: count), into: sums.rows.base)
    }
}

extension Exposures {
    /// Room for the sums of a roll-up, all figures 0.
    public init(_ rollUp: ExposureRollUp) { rows = ExposureRows(count: rollUp.count) }
}
