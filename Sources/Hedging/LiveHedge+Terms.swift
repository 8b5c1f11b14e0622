import Checks
import Greeks
import Risk

/// A price on the variance of what a live hedge leaves unhedged.
///
/// Dollar deltas of coins that it does not name count for no variance.
public struct LiveVariance: Sendable, Equatable {
    public var underlyings: [String]
    /// Covariance of the underlyings' returns over some horizon, row by row.
    public var covariance: [Double]
    /// Cost in dollars per squared dollar of variance over that horizon.
    public var riskAversion: Double
    /// The dollars that move with a coin's price: `delta`, or `netDelta`, which takes off what premiums in coin move.
    public var exposure = ExposureGreek.delta

    public init(underlyings: [String], covariance: [Double], riskAversion: Double) {
        self.underlyings = underlyings
        self.covariance = covariance
        self.riskAversion = riskAversion
    }

    /// - Throws: `HedgeError` for what makes no risk term, whatever the desk holds.
    func check() throws(HedgeError) {
        guard exposure == .delta || exposure == .netDelta else {
            throw .invalidValue(
                field: "risk.exposure", name: "", value: Double(exposure.rawValue), reason: "must be a delta")
        }
        for (place, name) in underlyings.enumerated() where underlyings[..<place].contains(name) {
            throw .invalidValue(
                field: "risk.underlyings[\(place)]", name: name, value: Double(place),
                reason: "is there twice")
        }
        var alone = HedgeProblem(underlyings: underlyings)
        alone.add("", HedgeInstrument(costBuy: 0, costSell: 0, maximumBuy: 0, maximumSell: 0))
        alone.risk = HedgeRisk(
            riskAversion: riskAversion, covariance: covariance, dollarDelta: underlyings.map { _ in 0 },
            exposure: [0])
        guard !underlyings.isEmpty else { throw .lengthMismatch(field: "risk.cov", expected: 1, got: 0) }
        try alone.validate()
        _ = try CovarianceFactor(size: underlyings.count).compute(covariance)
    }

    /// The risk term of a problem whose underlyings are these and perhaps more; its deltas are for the desk to fill in.
    func term(of problem: HedgeProblem) -> HedgeRisk {
        let places = problem.underlyings.map { underlyings.firstIndex(of: $0) }
        var all: [Double] = []
        for row in places {
            for column in places {
                guard let row, let column else {
                    all.append(0)
                    continue
                }
                all.append(covariance[row * underlyings.count + column])
            }
        }
        return HedgeRisk(
            riskAversion: riskAversion, covariance: all, dollarDelta: places.map { _ in 0 },
            exposure: problem.instruments.map { _ in 0 })
    }
}

/// What a venue's margin asks of the trades of a live hedge, and how it counts: a line for each of `candidates`, as they are
/// numbered at that moment (`layoutVersion`), whose costs and deltas are current.
public struct LiveHedgeRequirement: Sendable {
    public var requirement: ConvexRequirement
    public var terms: RequirementTerms
    /// Candidates that the account has no rule for: they are not traded.
    public var barred: [Int]

    public init(_ requirement: ConvexRequirement, _ terms: RequirementTerms, barred: [Int] = []) {
        self.requirement = requirement
        self.terms = terms
        self.barred = barred
    }
}

public typealias LiveRequirementSource = (_ hedge: LiveHedge) throws(HedgeError) -> LiveHedgeRequirement

extension LiveHedge {
    /// What stays unhedged costs its variance from the next decision on; nil for nothing. Deltas follow the desk, those of
    /// coins without candidates too. Bands still say when to trade; `rebalance` trades within them.
    /// - Throws: sizes that do not fit, values that are not finite, a covariance that is not symmetric or has a negative
    ///   variance; what there was stays.
    public func setVariance(_ variance: LiveVariance?) throws(HedgeError) {
        try variance?.check()
        self.variance = variance
        layOutAnew()
    }

    /// The margin that a unit of a candidate takes up, bought or sold, in dollars: for `setMarginLimit`. One that
    /// `setInstrument` has set has its own.
    /// - Throws: `invalidValue` for one below 0.
    public func setMargin(_ perUnit: Double, ofCandidate candidate: Int) throws(RiskError) {
        try RiskError.require(.notNegative, perUnit, "margin", of: candidates[candidate].instrument.name)
        change(candidate) { $0.margin = perUnit }
    }

    /// A venue's margin as a limit, at a price, or both, beside the bands; nil for none. Asked for at each decision that has to
    /// trade; such decisions allocate. `LiveRequirement` of `Margin` follows an account so.
    public func setRequirement(_ source: LiveRequirementSource?) { requirement = source }
}
