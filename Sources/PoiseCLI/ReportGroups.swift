import ArgumentParser
import Poise

extension Grouping {
    /// `book,underlying` as `--by` takes it.
    /// - Parameter known: what may stand in it.
    static func list(_ text: String, of known: [Grouping] = allCases) throws -> [Grouping] {
        var groupings: [Grouping] = []
        for name in try items(text, "--by") {
            guard let grouping = Grouping(rawValue: name), known.contains(grouping),
                !groupings.contains(grouping)
            else {
                let names = known.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--by \(text): expected some of \(names), each once")
            }
            groupings.append(grouping)
        }
        return groupings
    }

    /// Groupings without buckets.
    static let unbucketed: [Grouping] = [.desk, .book, .underlying, .expiry, .instrument]
}

extension Numeraire {
    /// The currency as people write it.
    var unit: String { self == .usd ? "USD" : "coin" }

    /// Groupings of totals: each desk's where books of desks are listed, then all; in coin, which does not add
    /// across underlyings, by underlying.
    func totals(_ groupings: [Grouping]) -> [[Grouping]] {
        let perCoin: [Grouping] = self == .coin ? [.underlying] : []
        let isByDesk = groupings.contains(.desk) && groupings.contains { $0 != .desk && $0 != .underlying }
        return (isByDesk ? [[.desk] + perCoin] : []) + [perCoin]
    }

    /// Figures in coins of several kinds do not add up: groups must tell them apart.
    func requireTotals(of coins: [String], by groupings: [Grouping]) throws {
        let underlyings = Set(coins).sorted()
        guard self == .coin, underlyings.count > 1, !groupings.contains(.underlying),
            !groupings.contains(.instrument)
        else { return }
        throw ValidationError(
            "--numeraire coin: figures in \(underlyings.joined(separator: " and ")) do not add; "
                + "add underlying to --by")
    }
}

/// A row of a report about groups of positions: of a group, or of a total.
struct GroupRow {
    /// As many as there are groupings; of a total, `total` and what it is a total of.
    let labels: [String]
    /// The place of the sums that it is from, and its row there.
    let level, group: Int

    /// The groups of the first level, and those of the others as totals.
    static func all(_ levels: [[[String]]], groupingCount: Int) -> (groups: [GroupRow], totals: [GroupRow]) {
        let empty = Array(repeating: "", count: max(0, groupingCount - 1))
        var totals: [GroupRow] = []
        for (level, groups) in levels.enumerated().dropFirst() {
            for (group, labels) in groups.enumerated() {
                let label = (["total"] + labels).joined(separator: " ")
                totals.append(GroupRow(labels: [label] + empty, level: level, group: group))
            }
        }
        let groups = levels[0].enumerated().map { GroupRow(labels: $1, level: 0, group: $0) }
        return (groups, totals)
    }
}

extension Report {
    /// The labels of groups, a column for each grouping.
    static func labels(
        _ groupings: [Grouping], _ labels: @escaping (Row) -> [String]
    ) -> [Column] {
        groupings.enumerated().map { place, grouping in
            Column(grouping.rawValue) { .text(labels($0)[place]) }
        }
    }
}
