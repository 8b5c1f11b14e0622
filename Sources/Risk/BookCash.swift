/// Cash of books by currency. Amounts are added one by one, in the order in which they come.
public struct BookCash: Sendable, Equatable {
    /// What a book has of one currency.
    public struct Amount: Sendable, Equatable {
        public let book: String
        /// A coin, or a currency such as `USDC`.
        public let currency: String
        public let amount: Double
    }

    private struct Key: Hashable, Sendable {
        let book, currency: String
    }

    private var amounts: [Key: Double] = [:]

    init() {}

    /// By book and currency, those that have ever been paid.
    public var all: [Amount] {
        amounts.map { Amount(book: $0.key.book, currency: $0.key.currency, amount: $0.value) }
            .sorted { ($0.book, $0.currency) < ($1.book, $1.currency) }
    }

    /// What a book has of a currency, 0 where nothing was ever paid.
    public subscript(book: String, currency: String) -> Double {
        amounts[Key(book: book, currency: currency)] ?? 0
    }

    mutating func add(_ amount: Double, _ currency: String, to book: String) {
        amounts[Key(book: book, currency: currency), default: 0] += amount
    }
}
