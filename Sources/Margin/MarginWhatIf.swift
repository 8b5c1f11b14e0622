import Greeks

extension MarginModel {
    /// What the account looks like after each of some trades, done one by one and each at its mark.
    ///
    /// Where the rule is one of scenarios without a least delta charge, `LiveMargin` answers: a trade then costs some
    /// operations per scenario. Other rules are computed anew for each.
    /// - Throws: what `requirement` throws.
    public func balances(
        after trades: [(contract: Int, quantity: Double)], of account: CrossMarginAccount,
        in market: MarginMarket,
        _ engine: GreeksEngine
    ) throws(MarginError) -> [LiveMargin.Figures] {
        guard !trades.isEmpty else { return [] }
        if case .scan(let scan) = rule, LiveMargin.keeps(scan), market.underlyings.count == 1 {
            let live = try LiveMargin(scan, account, in: market, engine)
            return trades.map { live.margin(after: $0.contract, quantity: $0.quantity) }
        }
        var results: [LiveMargin.Figures] = []
        for (contract, quantity) in trades {
            let paid = try price(of: contract, in: market, engine)
            let after = try requirement(
                of: self.account(account, after: contract, quantity: quantity, at: paid, in: market),
                in: market, engine)
            var figures = LiveMargin.Figures(
                initialMargin: after.initialMargin, maintenanceMargin: after.maintenanceMargin,
                markToMarket: after.markToMarket)
            if case .standardOption = rule {
                // Long options secure nothing there: what is left is cash less the requirement.
                figures.markToMarket = after.initialBalance + after.initialMargin
            }
            results.append(figures)
        }
        return results
    }

    /// The account after a trade at a price: of coin-settled options in an account in dollars, its coins pay.
    package func account(
        _ account: CrossMarginAccount, after place: Int, quantity: Double, at price: Double,
        in market: MarginMarket
    ) -> CrossMarginAccount {
        let contract = market.contracts[place]
        guard keepsCoins, contract.settlesInCoin else {
            return account.after(place, quantity: quantity, paying: quantity * price)
        }
        let spot = market.underlying(of: contract).spot
        return account.after(place, quantity: quantity, paying: 0)
            .adding(coins: -quantity * price / spot, of: contract.underlying)
    }

    /// What a unit costs: an option its mark, a coin its price, futures and perpetuals nothing.
    package func price(
        of place: Int, in market: MarginMarket, _ engine: GreeksEngine
    ) throws(MarginError) -> Double {
        let contract = market.contracts[place]
        switch contract.kind {
        case .option: return try optionPrice(place, in: market, engine)
        case .spot:
            return isInCoin ? 1 : market.underlying(of: contract).spot / market.stablePrice
        case .perpetual, .future, .inversePerpetual, .inverseFuture: return 0
        }
    }

    /// What the rule itself counts for an option.
    private func optionPrice(
        _ place: Int, in market: MarginMarket, _ engine: GreeksEngine
    ) throws(MarginError) -> Double {
        let contract = market.contracts[place]
        func model(discounted: Bool) throws(MarginError) -> Double {
            try OptionLegs(market, [place], discounted: discounted, for: "a trade").values(engine)[0]
        }
        switch rule {
        case .scan(let scan): return try model(discounted: scan.isDiscounted)
        case .deribit:
            return try model(discounted: false) / market.expiry(of: contract, for: "a trade").forward
        case .deribitCross(let rule):
            return try model(discounted: false) * contract.multiplier
                * (try rule.dollars(perDollarOf: contract, in: market))
        case .standardOption(let rule):
            let value = try market.optionValues([place], for: "a trade", engine)[0]
            guard rule.settlesInCoin, contract.mark == nil else { return value }
            return value / (try rule.reference(of: contract, in: market))
        case .span: return try market.optionValues([place], for: "a trade", engine)[0] * contract.multiplier
        case .deriveStandard, .rates: return try market.optionValues([place], for: "a trade", engine)[0]
        }
    }
}
