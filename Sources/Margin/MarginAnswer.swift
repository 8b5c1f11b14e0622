import Checks
import Greeks
import Market

/// The answer to a case of a file.
public enum MarginAnswer: Sendable {
    case account(MarginRequirement, liquidation: [Double]?)
    case auction([LiquidationAuction.Step])
}

extension MarginCases.Case {
    /// Computes what is asked.
    /// - Throws: `MarginError` with the case's place; the field names the contract or underlying too.
    public func answer(_ engine: GreeksEngine) throws(MarginError) -> MarginAnswer {
        do throws(MarginError) {
            switch problem {
            case .auction(let auction, let bids): return .auction(try auction.steps(bids))
            case .hedge(let model, let market, let account, _):
                return .account(
                    try model.requirement(of: account, in: market, engine), liquidation: nil)
            case .account(let model, let market, let account, let liquidation):
                let requirement = try model.requirement(of: account, in: market, engine)
                var prices: [Double]?
                if let liquidation {
                    prices = try model.liquidationPrices(
                        of: account, in: market, underlying: liquidation.underlying,
                        within: liquidation.range, engine)
                }
                return .account(requirement, liquidation: prices)
            }
        } catch {
            throw refusal(error)
        }
    }

    /// An error about the case as its own: the field says where in it.
    public func refusal(_ error: MarginError) -> MarginError {
        let parts = [name, error.place.map { "\($0)" } ?? "", error.field].filter { !$0.isEmpty }
        return MarginError(
            place, field: parts.joined(separator: ": "), value: error.value, reason: error.reason)
    }
}

extension MarginAnswer: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            switch self {
            case .account(let requirement, let prices):
                requirement.writeMembers(to: &json)
                if let prices { json.member("liquidation_prices", prices) }
            case .auction(let steps):
                json.member("steps") { json in
                    json.array { json in
                        for step in steps { json.object { step.writeMembers(to: &$0) } }
                    }
                }
            }
        }
    }
}

extension LiquidationAuction.Step {
    fileprivate func writeMembers(to json: inout JSONWriter) {
        json.member("buffer_margin_balance", bufferBalance)
        json.member("largest_share", largestShare)
        json.member("share", share)
        if let bid { json.member("bid", bid) }
        if let payout { json.member("payout", payout) }
        json.member("mark_to_market_after", markToMarketAfter)
        json.member("maintenance_margin_balance_after", maintenanceBalanceAfter)
    }
}

extension MarginRequirement {
    /// Members of a JSON object: margins, balances, parts, scenarios, contributions, further figures.
    package func writeMembers(to json: inout JSONWriter) {
        json.member("initial_margin", initialMargin)
        json.member("maintenance_margin", maintenanceMargin)
        json.member("initial_margin_balance", initialBalance)
        json.member("maintenance_margin_balance", maintenanceBalance)
        json.member("mark_to_market", markToMarket)
        for (name, value) in figures { json.member(name, value) }
        json.member("parts") { json in
            json.array { json in
                for part in parts {
                    json.object { json in
                        json.member("part", part.name)
                        json.member("maintenance", part.maintenance)
                        json.member("initial", part.initial)
                    }
                }
            }
        }
        if !losses.isEmpty {
            json.member("worst_scenario", worst.map { losses[$0].key })
            json.member("scenario_losses") { json in
                json.object { json in for loss in losses { json.member(loss.key, loss.loss) } }
            }
        }
        write(byExpiry, "by_expiry", to: &json)
        write(byContract, "contributions", to: &json)
        write(vectors, "vectors", to: &json)
        write(contractVectors, "by_contract", to: &json)
    }

    private func write(_ contributions: [Contribution], _ name: String, to json: inout JSONWriter) {
        guard !contributions.isEmpty else { return }
        json.member(name) { json in
            json.array { json in
                for part in contributions {
                    json.object { json in
                        json.member("underlying", part.underlying)
                        json.member("expiry", part.expiry)
                        if !part.contract.isEmpty {
                            json.member("contract", part.contract)
                            json.member("quantity", part.quantity)
                        }
                        json.member("maintenance", part.maintenance)
                        json.member("initial", part.initial)
                    }
                }
            }
        }
    }

    private func write(_ vectors: [Vectors], _ name: String, to json: inout JSONWriter) {
        guard !vectors.isEmpty else { return }
        json.member(name) { json in
            json.object { json in
                for vector in vectors {
                    json.member(vector.name) { json in
                        json.object { json in
                            json.member("standard", vector.standard)
                            json.member("extended", vector.extended)
                        }
                    }
                }
            }
        }
    }
}
