import Testing
import VenueProtocol

struct TradePageTests {
    private func list(_ trades: [(id: Int, time: Int)], hasMore: Bool) -> TradeList<UserTrade> {
        TradeList(
            trades.map { id, time in
                var trade = UserTrade()
                (trade.tradeID, trade.timestamp) = ("ETH-\(id)", time)
                return trade
            }, hasMore: hasMore)
    }

    @Test("The next page begins with the time at which one ended; the last one has none")
    func time() throws {
        let page = TradePage("ETH", since: 5)
        #expect(page.method == "private/get_user_trades_by_currency_and_time")
        #expect(page.selection.startTimestamp == 5 && page.selection.sorting == "asc")
        let next = try #require(try page.next(after: list([(1, 5), (2, 8)], hasMore: true)))
        #expect(next.since == 8 && next.startID == nil)
        #expect(try next.next(after: list([(2, 8)], hasMore: false)) == nil)
    }

    @Test(
        "Where a page has one time alone, the next begins with its last trade, and goes by time again after it"
    )
    func oneTime() throws {
        let page = TradePage("ETH", since: 8)
        let next = try #require(try page.next(after: list([(2, 8), (3, 8)], hasMore: true)))
        #expect(next.method == "private/get_user_trades_by_currency" && next.selection.startID == "ETH-3")
        #expect(next.selection.startTimestamp == nil && next.selection.count == TradePage.size)
        let third = try #require(try next.next(after: list([(3, 8), (4, 8)], hasMore: true)))
        #expect(third.selection.startID == "ETH-4")
        let fourth = try #require(try third.next(after: list([(4, 8), (5, 9)], hasMore: true)))
        #expect(fourth.since == 9 && fourth.startID == nil)
    }

    @Test("A venue that says there is more and gives nothing new is a fault, not a loop")
    func stuck() throws {
        let page = TradePage("ETH", since: 8)
        #expect(throws: VenueProtocolError.self) { try page.next(after: list([], hasMore: true)) }
        let next = try #require(try page.next(after: list([(2, 8)], hasMore: true)))
        #expect(throws: VenueProtocolError.self) { try next.next(after: list([(2, 8)], hasMore: true)) }
    }
}
