import ArgumentParser
import Poise

extension Grouping {
    /// `book,underlying` as `--by` takes it.
    /// - Parameter known: what may stand in it.
    static func list(_ text: String, of known: [Grouping] = allCases) throws -> [Grouping] {
        var groupings: [Grouping] = []
        for name in text.split(separator: ",") {
            guard let grouping = Grouping(rawValue: String(name)), known.contains(grouping),
                !groupings.contains(grouping)
            else {
                let names = known.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--by \(text): expected some of \(names), each once")
            }
            groupings.append(grouping)
        }
        return groupings
    }

    /// What positions are grouped by that have no buckets.
    static let unbucketed: [Grouping] = [.desk, .book, .underlying, .expiry, .instrument]

    /// Desks are known from a table.
    static func requireDesks(_ groupings: [Grouping], _ desks: String?) throws {
        if groupings.contains(.desk), desks == nil {
            let by = groupings.map(\.rawValue).joined(separator: ",")
            throw ValidationError("--by \(by): desk needs --desks, a table of which book is whose")
        }
    }
}

extension Numeraire {
    /// By what totals are grouped: each desk's where books of desks are listed, then all; in coin, which does not add
    /// across underlyings, by underlying.
    func totals(_ groupings: [Grouping]) -> [[Grouping]] {
        let own: [Grouping] = self == .coin ? [.underlying] : []
        let isByDesk = groupings.contains(.desk) && groupings.contains { $0 != .desk && $0 != .underlying }
        return (isByDesk ? [[.desk] + own] : []) + [own]
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

/// `NAME=VALUE` as an argument.
struct NamedArgument {
    let name, value: String

    /// Reads one.
    /// - Parameter form: what it looks like, for the error.
    static func reader(_ form: String) -> @Sendable (String) throws -> NamedArgument {
        { argument in
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                throw ValidationError("expected \(form)")
            }
            return NamedArgument(name: String(parts[0]), value: String(parts[1]))
        }
    }
}
