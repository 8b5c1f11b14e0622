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
    /// Ten digits of the early-exercise premium where its sweeps settle. With rate and yield nearly equal they may not, with
    /// errors up to 1e-3 that nothing tells, so that commands do not offer it.
    case reference

    /// As on the command line.
    public var name: String { "\(self)" }

    @usableFromInline var nodes: Int { [6, 10, 32][rawValue] }
    @usableFromInline var points: Int { [6, 12, 40][rawValue] }
    @usableFromInline var sweeps: Int { [2, 4, 16][rawValue] }
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
