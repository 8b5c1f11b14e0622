import VenueProtocol

/// What a person, a page or a process sees of a desk. Asking changes nothing.
extension Desk {
    /// A currency of the account.
    public struct AccountView: Sendable {
        public let line: AccountLine
        /// Milliseconds since 1970 when it came, and the equity at the beginning of the day.
        public let time: Int
        public let start: Double
    }

    public var accounts: [AccountView] {
        state.accounts.map { AccountView(line: $0.line, time: $0.time, start: $0.start) }
    }

    /// Indices with their prices, and when they came.
    public var indices: [(name: String, price: Double, time: Int)] {
        state.indices.map { ($0.name, $0.price, $0.time) }
    }

    /// By currency, the time of the latest trade that has counted or was in what the books were given.
    public var tradesSeen: [(currency: String, latest: Int)] {
        state.seenTrades.map { ($0.currency, max($0.latest, state.adoptedAt)) }
    }

    /// Whether the books have been given what the account holds, and when.
    public var adoptedAt: Int? { state.hasAdopted ? state.adoptedAt : nil }

    /// Trades that have counted, by currency.
    public func hasCounted(_ trade: UserTrade) -> Bool {
        seenTrades[Self.currency(trade.instrumentName)]?.contains(trade.tradeID) ?? false
    }

    /// Contracts that are not over, by name, with when they end.
    public var listed: [(name: String, expiry: Int?)] {
        state.contracts.filter { !$0.isDelivered }.map {
            ($0.instrument.name, $0.isPerpetual ? nil : $0.instrument.expirationTimestamp)
        }
    }

    /// How many contracts hedges may be made with.
    public var candidateCount: Int { places.candidates.count }

    /// Another number whenever `wanted` or `watched` may be others.
    public var wantedVersion: Int { places.version }

    /// Instruments of which nothing new is traded, as their position is not explained.
    public var blocked: [String] {
        state.contracts.filter(\.isBlocked).map(\.instrument.name)
    }

    /// The ages of what prices are made of, in milliseconds, of each contract that is wanted.
    public var ages: [(name: String, ticker: Int, book: Int)] {
        state.contracts.indices.filter { isWanted($0) }.map { place in
            let contract = state.contracts[place]
            return (
                contract.instrument.name, state.time - contract.tickerTime, state.time - contract.bookTime
            )
        }
    }
}
