import Greeks
import Risk

/// A time ahead at which a rule itself jumps or bends, and the margin a second before, a second after and a day after it,
/// while prices and volatilities stand still.
public struct MarginStep: Sendable, Equatable {
    public enum Cause: String, Sendable {
        /// The life of an expiry falls below the days at which the power of its volatility shock changes.
        case power
        /// Its delivery price begins to be known.
        case averaging
        /// It settles, and what it covered is alone.
        case expiry
    }

    public var cause: Cause
    public var underlying, expiry: String
    /// From now.
    public var seconds: Double
    public var initialBefore, initialAfter: Double
    public var initialDayLater: Double
    public var maintenanceBefore, maintenanceAfter: Double
    /// What is left over maintenance afterwards.
    public var maintenanceBalanceAfter: Double
}

extension MarginModel {
    /// Days at which the power of volatility shocks changes.
    static let daysOfPower = 30.0
    /// Before expiry, the time over which the delivery price is averaged.
    static let averagingSeconds = 1800.0

    /// The steps of an account within a time, earliest first: of expiries that it holds.
    ///
    /// At 30 days the power of volatility shocks changes, which bends the margin; expiries jump. Options settle at their worth
    /// by the forward of now; futures pay nothing more, as their profits are among what is unsettled.
    /// - Throws: what `requirement` throws.
    public func stepsAhead(
        of account: CrossMarginAccount, in market: MarginMarket, within seconds: Double,
        _ engine: GreeksEngine
    ) throws(MarginError) -> [MarginStep] {
        var steps: [MarginStep] = []
        var seen: Set<Int> = []
        for place in account.held {
            let contract = market.contracts[place]
            guard let expiry = contract.expiry, seen.insert(contract.underlying << 32 | expiry).inserted
            else { continue }
            let underlying = market.underlyings[contract.underlying]
            let life = underlying.expiries[expiry].seconds
            var times: [(MarginStep.Cause, Double)] = [(.expiry, life)]
            if changesPower { times.append((.power, life - Self.daysOfPower * 86400)) }
            if underlying.expiries[expiry].fixed == 0 {
                times.append((.averaging, life - Self.averagingSeconds))
            }
            for (cause, time) in times where time > 0 && time <= seconds {
                let before = try requirement(account, market, in: time - 1, engine)
                let after = try requirement(account, market, in: time + 1, engine)
                let later = try requirement(account, market, in: time + 86400, engine)
                steps.append(
                    MarginStep(
                        cause: cause, underlying: underlying.name, expiry: underlying.expiries[expiry].name,
                        seconds: time, initialBefore: before.initialMargin,
                        initialAfter: after.initialMargin, initialDayLater: later.initialMargin,
                        maintenanceBefore: before.maintenanceMargin,
                        maintenanceAfter: after.maintenanceMargin,
                        maintenanceBalanceAfter: after.maintenanceBalance))
            }
        }
        return steps.sorted { ($0.seconds, $0.expiry) < ($1.seconds, $1.expiry) }
    }

    /// Whether shocks of volatility change their power with an expiry's life.
    private var changesPower: Bool {
        switch rule {
        case .scan(let scan): scan.grid.rules.contains { $0.shortTermPower != $0.longTermPower }
        case .deribit(let rule): rule.shortTermPower != rule.longTermPower
        case .deribitCross(let rule):
            rule.units.values.contains { $0.margin.shortTermPower != $0.margin.longTermPower }
        default: false
        }
    }

    /// The account's margins once time has passed, as `stepsAhead` has it pass.
    /// - Throws: what `requirement` throws.
    public func requirement(
        of account: CrossMarginAccount, in market: MarginMarket, after seconds: Double, _ engine: GreeksEngine
    ) throws(MarginError) -> MarginRequirement {
        try MarginError.require(.notNegative, seconds, "seconds", of: "ahead")
        return try requirement(account, market, in: seconds, engine)
    }

    private func requirement(
        _ account: CrossMarginAccount, _ market: MarginMarket, in seconds: Double, _ engine: GreeksEngine
    ) throws(MarginError) -> MarginRequirement {
        let (later, rest) = try advanced(account, market, by: seconds)
        return try requirement(of: rest, in: later, engine)
    }

    /// The account and its market once time has passed: what has expired until then is settled.
    private func advanced(
        _ account: CrossMarginAccount, _ market: MarginMarket, by time: Double
    ) throws(MarginError) -> (MarginMarket, CrossMarginAccount) {
        var (later, rest) = (market, account)
        for (number, underlying) in market.underlyings.enumerated() {
            for (place, expiry) in underlying.expiries.enumerated() {
                var own = expiry
                own.seconds -= time
                let known = max(0, min(1, 1 - own.seconds / Self.averagingSeconds))
                own.fixed = max(own.fixed, own.seconds < Self.averagingSeconds ? own.forward * known : 0)
                later.underlyings[number].expiries[place] = own
            }
        }
        for place in account.held {
            let contract = market.contracts[place]
            guard let expiry = contract.expiry,
                later.underlyings[contract.underlying].expiries[expiry].seconds <= 0
            else { continue }
            let forward = market.underlyings[contract.underlying].expiries[expiry].forward
            var payoff = 0.0
            if contract.kind == .option {
                let type = try market.type(of: contract, for: name)
                let strike = try market.strike(of: contract, for: name)
                payoff = max(0, (forward - strike) * type.sign) * contract.multiplier
                if isInCoin { payoff /= forward }
            }
            let quantity = account.quantities[place]
            if contract.settlesInCoin, keepsCoins {
                rest = rest.after(place, quantity: -quantity, paying: 0)
                    .adding(coins: quantity * payoff / forward, of: contract.underlying)
            } else {
                rest = rest.after(place, quantity: -quantity, paying: -quantity * payoff)
            }
        }
        return (later, rest)
    }
}
