import Market
import Risk

/// Groups of positions whose gains add up.
public struct ScenarioTotal: Sendable {
    /// `total`; of one coin `total BTC`.
    public let name: String
    /// Their places among the groups of all gains.
    public let groups: [Int]
    public let gains: ScenarioProfits
}

extension ScenarioProfits {
    /// What adds up: everything in dollars, and in coin the groups of each underlying.
    /// - Parameters:
    ///   - coins: that the positions depend on.
    ///   - groupings: that the groups were made by; in coin, of several of them, underlying or instrument is one.
    /// - Throws: `notFinite`.
    public func totals(
        of coins: [String], by groupings: [Grouping], in numeraire: Numeraire
    ) throws(TailRiskError) -> [ScenarioTotal] {
        guard numeraire == .coin, Set(coins).count > 1 else {
            return [ScenarioTotal(name: "total", groups: Array(groups.indices), gains: self)]
        }
        let coinOfGroup = groups.map { Self.coin(of: $0, groupings) }
        var totals: [ScenarioTotal] = []
        for coin in Set(coins).sorted() {
            let kept = groups.indices.filter { coinOfGroup[$0] == coin }
            let gains = try ScenarioProfits(
                groups: kept.map { groups[$0] }, gains: kept.map { Array(self[$0]) })
            totals.append(ScenarioTotal(name: "total \(coin)", groups: kept, gains: gains))
        }
        return totals
    }

    /// The coin of a group that has but one.
    private static func coin(of labels: [String], _ groupings: [Grouping]) -> String? {
        if let place = groupings.firstIndex(of: .underlying) { return labels[place] }
        return groupings.firstIndex(of: .instrument).flatMap { try? Instrument(name: labels[$0]).base }
    }
}
