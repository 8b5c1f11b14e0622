import Checks
import Market
import VectorMath

/// Trades when delta has drifted by more than a width that grows with the cube root of cash gamma squared, as optimal
/// bands do under small proportional costs, whatever the aversion to risk: width · |ΓS|^(2/3).
public struct CubeRootPolicy: RebalancingPolicy {
    public let width: Double

    /// - Throws: for a width that is not positive.
    public init(width: Double) throws(RebalancingError) {
        try RebalancingError.require(width, "width", .positive)
        self.width = width
    }

    public var name: String { "cube root: width \(width)" }

    public func band(_ state: borrowing RebalancingState) -> RebalancingBand {
        let cash = state.gamma.absolute * state.spot
        return Landing.edge.band(halfWidth: cubeRoot(cash * cash) * Lanes(repeating: width))
    }
}

extension CubeRootPolicy: ConfiguredPolicy {
    package static var kind: String { "cube-root" }

    package static func family(
        _ settings: Settings, _ market: PolicyMarket
    ) throws -> PolicyFamily {
        try PolicyFamily("cube root", settings, "width") { try CubeRootPolicy(width: $0) }
    }
}
