/// An account's own trades in a currency from a time on, a page at a time. The next page begins with the time at which the last
/// one ended, as a page may end between two trades of one time; where a whole page has one time, with the trade at which it
/// ended. What comes twice counts once, by its number.
public struct TradePage: Sendable {
    /// As many as the exchange gives at once.
    public static let size = 1_000

    public let currency: String
    /// Milliseconds from which on trades are asked for.
    public let since: Int
    /// The trade that the page begins with; nil for the first one of `since`.
    public let startID: String?
    /// Trades of the time `since` that earlier pages had.
    private let seen: Set<String>

    public init(_ currency: String, since: Int) { self.init(currency, since: since, startID: nil, seen: []) }

    private init(_ currency: String, since: Int, startID: String?, seen: Set<String>) {
        (self.currency, self.since, self.startID, self.seen) = (currency, since, startID, seen)
    }

    public var method: String {
        startID == nil
            ? "private/get_user_trades_by_currency_and_time" : "private/get_user_trades_by_currency"
    }

    public var selection: Selection {
        var selection = Selection()
        (selection.currency, selection.sorting, selection.count) = (currency, "asc", Self.size)
        if let startID {
            selection.startID = startID
        } else {
            (selection.startTimestamp, selection.endTimestamp) = (since, VenueTime.never)
        }
        return selection
    }

    /// The page that follows an answer; nil where that is the last.
    /// - Throws: where the venue says that there is more and gives nothing new.
    public func next(after list: TradeList<UserTrade>) throws(VenueProtocolError) -> TradePage? {
        guard list.hasMore ?? false else { return nil }
        let latest = list.trades.map(\.timestamp).max() ?? since
        if latest > since { return TradePage(currency, since: latest) }
        let ids = list.trades.map(\.tradeID)
        guard let last = ids.last, !seen.isSuperset(of: ids) else {
            throw .unexpected(
                path: "has_more", expected: "trades of \(currency) that no page before had",
                found: "\(ids.count) that are known")
        }
        return TradePage(currency, since: since, startID: last, seen: seen.union(ids))
    }
}
