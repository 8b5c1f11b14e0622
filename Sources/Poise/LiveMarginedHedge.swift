import Hedging
import Margin
import Risk

extension LiveHedge {
    /// The initial margin of an account that is kept live, as a limit, at a price, or both, beside the bands, for the hedges to come:
    /// as of the account's last update. Candidates in other underlyings are traded beside the account, whose cash pays what that
    /// costs all the same; in its own, what its market lacks is not traded.
    /// - Parameters:
    ///   - buffer: what is left over initial margin after the trades at least, in the account's currency; nil: nothing must.
    ///   - price: of a unit of initial margin over the time that the trades are held.
    ///   - unit: of a contract of the account's market, what a unit traded is there; asked at each decision.
    ///   - gained: what the account is worth beside what it counts, in its currency; asked at each decision.
    public func setRequirement(
        of margin: LiveMargin, buffer: Double?, price: Double, unit: @escaping (Int) -> Double = { _ in 1 },
        gained: @escaping () -> Double = { 0 }
    ) {
        let contracts = margin.market.contracts
        let places = Dictionary(
            zip(contracts.map(\.name), contracts.indices), uniquingKeysWith: { first, _ in first })
        let underlying = margin.market.underlyings.first?.name
        let scale = margin.market.stablePrice
        setRequirement { hedge throws(HedgeError) in
            var traded: [MarginCandidate] = []
            var barred: [Int] = []
            for (number, candidate) in hedge.candidates.enumerated() {
                let name = candidate.instrument.name
                if let place = places[name] {
                    traded.append(MarginCandidate(contract: place, unit: unit(place)))
                } else {
                    traded.append(MarginCandidate(contract: 0, unit: 0))
                    if candidate.instrument.base == underlying { barred.append(number) }
                }
            }
            var requirement: ConvexRequirement
            do {
                requirement = try LiveRequirement(margin, trading: traded).requirement
            } catch {
                throw .invalidValue(
                    field: "requirement", name: hedge.book ?? "all books", value: 0, reason: "\(error)")
            }
            requirement.funds += gained()
            if scale != 1 { requirement.scale(by: scale) }
            return LiveHedgeRequirement(
                requirement, RequirementTerms(balanceAtLeast: (buffer ?? -.infinity) * scale, price: price),
                barred: barred)
        }
    }
}
