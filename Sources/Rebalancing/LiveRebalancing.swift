import Hedging
import Risk
import VectorMath

/// Policies over the live exposures of books: after each tick they decide how wide the bands of a hedge are, and
/// whether to trade at all.
///
/// Each rule puts a policy in charge of one line of the table of limits, and with it of the book, underlying and Greek
/// that the line names; lines without a rule keep their limits. Where an exposure has left its policy's band, the
/// hedge has to bring it into the inner band, at least cost and with all other bands held; as long as none has, nothing
/// is traded.
///
/// Policies see natural units: delta in coins, gamma per dollar, vega per 1.00 of volatility, theta per year; bands
/// go back in the units of the limit. After the first hedge nothing is allocated, unless a policy plans.
public final class LiveRebalancing {
    public struct Rule: Sendable {
        /// Index in `LiveHedge.limits` as it is when the rules are made; from then on the limit is known by its name.
        public let limit: Int
        public let policy: any RebalancingPolicy

        public init(limit: Int, policy: any RebalancingPolicy) {
            self.limit = limit
            self.policy = policy
        }
    }

    public let hedge: LiveHedge
    public let rules: [Rule]
    /// One per rule, read from lane 0: what exposures do not tell (times, volatilities, costs, depth, age of data,
    /// rate) is to be kept current by the owner, from `RebalancingState.unknown` on; spot and Greeks are filled in by
    /// `decide`.
    public var states: [RebalancingState]
    /// One per rule, in the limit's units, as of the last `decide`.
    public private(set) var bands: [RebalancingBand]
    /// Whether the exposure of each rule was outside its band.
    public private(set) var isOutside: [Bool]
    /// What each rule is about, by name, and where that is in the hedge's layout of `layoutVersion`.
    private let limitNames: [String]
    private let underlyingNames: [String]
    private var limits: [Int] = []
    private var underlyings: [Int] = []
    private var layoutVersion = -1

    /// - Throws: `invalidRule` for a limit that is not there, names no underlying, has another rule already, or is not
    ///   about the policy's Greek; and for a limit that no contract of the risk is about.
    public init(_ hedge: LiveHedge, _ rules: [Rule]) throws(RebalancingError) {
        self.hedge = hedge
        self.rules = rules
        var (limitNames, underlyingNames) = ([String](), [String]())
        for (number, rule) in rules.enumerated() {
            func fail(_ reason: String) -> RebalancingError {
                .invalidRule(number: number, policy: rule.policy.name, reason: reason)
            }
            guard hedge.limits.indices.contains(rule.limit) else {
                throw fail("there is no limit \(rule.limit): the table has \(hedge.limits.count)")
            }
            let limit = hedge.limits[rule.limit]
            guard let name = limit.underlying, hedge.risk.underlyings.contains(name) else {
                throw fail("the limit on \(limit.name) names no underlying that is held")
            }
            guard rule.policy.greek.isMeasured(by: hedge.greeks[rule.limit]) else {
                throw fail(
                    "the limit on \(limit.name) is not about \(rule.policy.greek.rawValue), as the policy is")
            }
            guard rule.policy.companions.isEmpty else {
                throw fail("bands on several Greeks are rules of their own")
            }
            guard !rules[..<number].contains(where: { $0.limit == rule.limit }) else {
                throw fail("the limit on \(limit.name) has another rule")
            }
            limitNames.append(limit.name)
            underlyingNames.append(name)
        }
        (self.limitNames, self.underlyingNames) = (limitNames, underlyingNames)
        states = rules.map { _ in .unknown }
        bands = rules.map { _ in .hold }
        isOutside = rules.map { _ in false }
    }

    /// Finds limits and underlyings where the hedge and its desk have them now: others come and go.
    private func follow() throws(RebalancingError) {
        guard layoutVersion != hedge.layoutVersion else { return }
        limits.removeAll(keepingCapacity: true)
        underlyings.removeAll(keepingCapacity: true)
        for (number, rule) in rules.enumerated() {
            guard let limit = hedge.index(ofLimit: limitNames[number]),
                let underlying = hedge.risk.underlyings.firstIndex(of: underlyingNames[number])
            else {
                throw .invalidRule(
                    number: number, policy: rule.policy.name,
                    reason: "the limit on \(limitNames[number]), or what it is about, is gone")
            }
            limits.append(limit)
            underlyings.append(underlying)
        }
        layoutVersion = hedge.layoutVersion
    }

    /// Brings the risk up to date, asks every policy for its band, and hedges where one has been left.
    /// - Throws: as `setBands`; errors of the solver as they are.
    public func decide() throws -> LiveHedge.Decision {
        try setBands()
        return try hedge.decide()
    }

    /// Brings the risk up to date, asks every policy for its band, and gives the bands to the hedge.
    /// - Throws: `invalidExposure` where a band comes out as no number, for want of a figure in `states`; `invalidRule`
    ///   where a rule's limit has been removed or the desk has nothing of its underlying any more.
    public func setBands() throws(RebalancingError) {
        hedge.refresh()
        try follow()
        for (number, rule) in rules.enumerated() {
            let place = limits[number]
            let (limit, greek) = (hedge.limits[place], hedge.greeks[place])
            let spot = hedge.risk.price(ofUnderlying: underlyings[number])
            fill(&states[number], place, greek, spot)
            var band = rule.policy.band(states[number])
            if rule.policy.adjustsVolatility {
                band = band.shifted(by: volatilityShift(number, place, rule.policy, spot).negated)
            }
            let factor = Lanes(repeating: rule.policy.greek.limitUnits(spot))
            band = RebalancingBand(
                lower: band.lower * factor, upper: band.upper * factor, innerLower: band.innerLower * factor,
                innerUpper: band.innerUpper * factor)
            guard band.lower[0] <= band.innerLower[0], band.innerLower[0] <= band.innerUpper[0],
                band.innerUpper[0] <= band.upper[0]
            else {
                throw RebalancingError.invalidExposure(
                    of: limit.name, field: "band", value: band.lower[0],
                    reason: "\(rule.policy.name) lacks a figure of the state")
            }
            let current = hedge.exposure(ofBand: place, greek)
            guard current.isFinite else {
                throw RebalancingError.invalidExposure(
                    of: limit.name, field: greek.name, value: current, reason: "is not finite")
            }
            let isOutside = current < band.lower[0] || current > band.upper[0]
            bands[number] = band
            self.isOutside[number] = isOutside
            hedge.setBand(
                place, low: isOutside ? band.innerLower[0] : band.lower[0],
                high: isOutside ? band.innerUpper[0] : band.upper[0])
        }
    }

    /// Figures of the positions that a rule's limit covers, in natural units.
    private func fill(
        _ state: inout RebalancingState, _ limit: Int, _ measure: ExposureGreek, _ spot: Double
    ) {
        func natural(_ greek: ExposureGreek, _ units: RebalancedGreek) -> Lanes {
            Lanes(repeating: hedge.exposure(ofBand: limit, greek) / units.limitUnits(spot))
        }
        state.spot = Lanes(repeating: spot)
        state.delta = natural(measure == .netDelta ? .netDelta : .delta, .delta)
        state.gamma = natural(.gamma, .gamma)
        state.vega = natural(.vega, .vega)
        state.theta = natural(.theta, .theta)
    }

    /// By how much the delta at the policy's volatilities differs from that at the market's, in coins: to first order,
    /// by vanna, as live risk is computed at the market's alone.
    private func volatilityShift(
        _ number: Int, _ limit: Int, _ policy: any RebalancingPolicy, _ spot: Double
    ) -> Lanes {
        let scale = policy.volatilityScale(states[number])
        // Dollars of delta per point.
        let vanna = Lanes(repeating: hedge.exposure(ofBand: limit, .vanna) * 100 / spot)
        return vanna * states[number].impliedVolatility * (scale - Lanes(repeating: 1))
    }
}

extension RebalancingBand {
    func shifted(by amount: Lanes) -> RebalancingBand {
        RebalancingBand(
            lower: lower + amount, upper: upper + amount, innerLower: innerLower + amount,
            innerUpper: innerUpper + amount)
    }
}
