import VenueProtocol

/// A market as a connection's channels tell it: books, tickers and indices, each with its age. A gap makes one book
/// invalid and asks for its channel anew; the others stay.
public struct MarketPicture: Sendable {
    public private(set) var books: [String: OrderBook] = [:]
    public private(set) var tickers: [String: MarketTicker] = [:]
    public private(set) var indices: [String: IndexPrice] = [:]
    /// Microseconds of the caller's clock at which each channel spoke last.
    public private(set) var lastSpoken: [String: Int] = [:]
    public private(set) var gaps = 0

    public init() {}

    /// - Returns: whether the channel has to be asked for anew.
    public mutating func apply(channel: String, _ content: JSONValue, at time: Int) throws(VenueProtocolError)
        -> Bool
    {
        guard let name = ChannelName(channel) else { return false }
        lastSpoken[channel] = time
        switch name {
        case .book(let instrument, _):
            let message = try BookMessage(content)
            let wasValid = books[instrument]?.isValid ?? false
            do throws(OrderBook.Fault) {
                try books[instrument, default: OrderBook(instrumentName: instrument)].apply(message)
            } catch {
                // Those that come between the gap and the new snapshot are expected.
                guard wasValid else { return false }
                gaps += 1
                return true
            }
        case .ticker(let instrument, _):
            let ticker = try MarketTicker(content)
            // An older message changes nothing.
            if ticker.timestamp >= tickers[instrument]?.timestamp ?? .min { tickers[instrument] = ticker }
        case .priceIndex(let index): indices[index] = try IndexPrice(content)
        default: break
        }
        return false
    }

    /// The connection is gone: no book is to be trusted until its snapshot has come.
    public mutating func invalidate() {
        for name in books.keys { books[name]?.invalidate() }
    }

    /// Microseconds since a channel spoke; nil if it never did.
    public func age(of channel: String, at time: Int) -> Int? { lastSpoken[channel].map { time - $0 } }
}
