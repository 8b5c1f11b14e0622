import Market
import Risk
import Surface

/// The slices of a fitted surface as scenarios move them in a trader's terms.
public struct SurfaceScenarios: ScenarioSurface {
    private let slices: [String: (slice: SVISlice, years: Double)]

    /// Slices that are as asked, whole or as a simpler curve, are taken.
    public init(_ fit: SurfaceFit) {
        slices = Dictionary(
            fit.slices.compactMap { fit in
                guard fit.isUsable, let slice = fit.slice else { return nil }
                return (fit.smile.name, (slice, fit.smile.years))
            }, uniquingKeysWith: { first, _ in first })
    }

    public func change(
        of series: String, by terms: ScenarioGrid.SmileTerms, rule: String
    ) throws(RiskError) -> @Sendable (Double) -> Double {
        guard let (slice, years) = slices[series] else { throw .missing(.surface, of: series) }
        guard let moved = Self.moved(slice, years, terms) else {
            throw .invalidValue(
                of: rule, field: "smile", value: years * 365,
                reason: "leaves no slice for \(series), at so many days to expiry")
        }
        return { k in moved.volatility(at: k, years: years) - slice.volatility(at: k, years: years) }
    }

    private static func moved(
        _ slice: SVISlice, _ years: Double, _ terms: ScenarioGrid.SmileTerms
    ) -> SVISlice? {
        let days = years * 365
        var shift = SmileShift()
        shift.level = terms.level[days]
        shift.skew = terms.skew[days]
        shift.leftWing = terms.leftWing[days]
        shift.rightWing = terms.rightWing[days]
        shift.least = terms.least[days]
        return slice.shifted(by: shift, years: years)
    }

    /// A sentence for each rule and expiry whose moved slice is not proved free of butterflies: a market that nobody trades in
    /// for long, though it may be there for a moment.
    public func remarks(on grid: ScenarioGrid, _ series: Set<String>) -> [String] {
        var remarks: [String] = []
        for rule in Set(grid.scenarios.map(\.rule)).sorted() {
            guard let terms = grid.rules[rule].smile else { continue }
            for name in series.sorted() {
                guard let (slice, years) = slices[name], let moved = Self.moved(slice, years, terms),
                    moved.butterfly != .free
                else { continue }
                remarks.append("\(grid.name): rule \(grid.ruleNames[rule]) leaves a butterfly in \(name)")
            }
        }
        return remarks
    }
}
