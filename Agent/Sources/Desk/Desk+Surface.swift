import Poise
import VenueProtocol

/// The desk's own volatilities: surfaces fitted to what is quoted, for the books that are valued by them.
extension Desk {
    /// Contracts of which tickers alone are wanted, in the order of the venue's list: what surfaces are fitted to.
    public var watched: [String] {
        guard engine.ownRisk != nil else { return [] }
        return state.contracts.filter { isOfSurface($0) }.map(\.instrument.name)
    }

    private func isOfSurface(_ contract: Contract) -> Bool {
        contract.isOption && !contract.isDelivered
            && engine.ownUnderlyings.contains(contract.instrument.baseCurrency)
    }

    /// Fits the surfaces where it is time to.
    func fitSurfaces() {
        guard engine.ownRisk != nil,
            state.time - (state.surfacesAt ?? 0) >= Int(configuration.surfaceSeconds * 1_000)
        else { return }
        state.surfacesAt = state.time
        refitSurfaces()
    }

    /// Fits the surfaces to the latest prices, and to nothing else, so that a restart has the same.
    func refitSurfaces() {
        guard engine.ownRisk != nil else { return }
        let tickers = state.contracts.compactMap { contract -> Ticker? in
            guard isOfSurface(contract), let ticker = contract.ticker else { return nil }
            // What cannot be read is not quoted; of what is held `enlist` tells.
            return try? DeskEngine.ticker(ticker, book: nil)
        }
        guard !tickers.isEmpty else { return }
        var rules = ChainQuoteRules()
        rules.maximumAge = Double(configuration.guards.tickerAge) / 1_000
        do {
            let own = OwnVolatilities(try Chain(name: "own", tickers), greeksEngine, rules)
            let usable = Set(own.fit.slices.filter(\.isUsable).map(\.smile.name))
            try engine.setOwnVolatilities(
                own.chain.latestTickers.compactMap { ticker in
                    guard usable.contains(ticker.instrument.series), let volatility = ticker.markVolatility
                    else { return nil }
                    return (ticker.instrument.name, volatility)
                })
            note(Set(own.fit.slices.map(\.smile.name)).subtracting(usable).sorted(), own.remarks)
        } catch { note(["surfaces"], ["surface of surfaces: \(error)"]) }
    }

    /// Says once that an expiry has no surface of its own, and once that it has one again.
    private func note(_ missing: [String], _ remarks: [String]) {
        // Until everything has had the time to be quoted it is no news.
        guard let since = state.confirmed.readyAt, state.time - since > configuration.guards.tickerAge else {
            return
        }
        let before = state.withoutSurface ?? []
        for name in missing where !before.contains(name) {
            let remark = remarks.first { $0.contains("surface of \(name):") }
            report(.alarm, name, remark ?? "no surface: the exchange's volatilities stand for it")
        }
        for name in before where !missing.contains(name) {
            let isThere = state.contracts.contains {
                !$0.isDelivered && $0.instrument.name.hasPrefix(name + "-")
            }
            if isThere { report(.resolved, name, "has a surface of the desk's own again") }
        }
        state.withoutSurface = missing.isEmpty ? nil : missing
    }
}
