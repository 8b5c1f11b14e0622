/// How much work an American price takes, and how exact it is. The number of nodes of the exercise boundary, of points of
/// the integrals in its equation, of sweeps over it, and of points of the premium's integral.
///
/// Errors for a strike of 100 over random contracts (spots of 60 to 140, rates of 1 to 10%, dividend yields to 10%,
/// volatilities of 10 to 100%, a week to two years), root mean square and largest: `AmericanReferenceTests` holds them.
public enum AmericanLevel: Int, Sendable, CaseIterable {
    /// For screens and many scenarios.
    case fast
    /// For books: prices and second-order Greeks.
    case accurate
    /// Ten digits of the early-exercise premium: to hold others against.
    case reference

    /// As on the command line.
    public var name: String { "\(self)" }

    @usableFromInline var nodes: Int { [6, 10, 32][rawValue] }
    @usableFromInline var points: Int { [6, 12, 40][rawValue] }
    @usableFromInline var sweeps: Int { [2, 6, 40][rawValue] }
    /// The share of a step that a sweep takes. With many nodes, and rate and yield nearly equal, whole steps of the nodes next
    /// to expiry overshoot by more than they correct; shorter ones settle.
    @usableFromInline var relaxation: Double { [1, 0.8, 0.5][rawValue] }
    @usableFromInline var premiumPoints: Int { [12, 24, 96][rawValue] }

    /// The level's weights, made at first use.
    public var rule: AmericanRule {
        switch self {
        case .fast: Self.fastRule
        case .accurate: Self.accurateRule
        case .reference: Self.referenceRule
        }
    }

    private static let fastRule = AmericanRule(.fast)
    private static let accurateRule = AmericanRule(.accurate)
    private static let referenceRule = AmericanRule(.reference)
}
