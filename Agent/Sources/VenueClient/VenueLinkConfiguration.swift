import VenueProtocol

/// What a link to a venue is made with.
public struct VenueLinkConfiguration: Sendable {
    public var address: VenueSocket.Address
    /// Nil for a link that watches the market alone.
    public var credentials: Credentials?
    /// Currencies that contracts are settled in, as the venue's lists are asked for by.
    public var currencies = ["BTC", "ETH"]
    /// Names of indices whose prices and option marks are followed.
    public var indices = ["btc_usd", "eth_usd"]
    /// Instruments whose books, tickers and trades are followed: those that are listed later too.
    public var followsBook: @Sendable (Instrument) -> Bool = { $0.kind == .future }
    public var followsTicker: @Sendable (Instrument) -> Bool = { $0.kind == .future }
    public var followsTrades: @Sendable (Instrument) -> Bool = { _ in false }
    /// `raw` makes the market's line authenticate too, as the venue asks for.
    public var interval = ChannelInterval.hundredMilliseconds
    /// Microseconds between whole chains with bids, asks and underlyings; nil asks for none.
    public var chainInterval: Int? = 10_000_000
    /// Microseconds between lists of instruments; new ones are told by a channel besides.
    public var instrumentsInterval = 3_600_000_000
    /// Microseconds of silence after which a channel that speaks by the clock, an index or its marks, is asked for anew.
    public var longestSilence = 15_000_000
    /// Microseconds between events that say no more than that time goes on; nil for none.
    public var tickInterval: Int? = 1_000_000
    /// Milliseconds from which on the account's trades are asked for, by currency: of the last one that was kept.
    public var tradesSince: [String: Int] = [:]
    /// As `TradingClient.orderLife`: microseconds that an order may be late on its way, nil where the venue's clock is
    /// faster than the client's.
    public var orderLife: Int? = 5_000_000
    /// As `TradingClient.reviewInterval`, in microseconds.
    public var reviewInterval = 30_000_000
    /// Heartbeat, deadline, limits and pauses of both lines.
    public var connection = ClientConnection.Settings()
    /// Events that may wait to be taken before those of the market are dropped. None of the account's ever is.
    public var mostWaiting = 100_000

    public init(address: VenueSocket.Address, credentials: Credentials? = nil) {
        self.address = address
        self.credentials = credentials
        connection.cancelsOnDisconnect = true
    }
}
