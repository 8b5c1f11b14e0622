/// Names of the columns that tables have in common, those in Poise's own tables first.
package enum ColumnNames {
    package static let instrument = ["instrument", "instrument_name"]
    /// Above 0 is long, unless `direction` says otherwise.
    package static let quantity = ["quantity", "size", "amount"]
    package static let direction = ["direction", "side"]
    package static let time = [
        "timestamp", "ticks", "open_time", "unix", "time", "datetime", "date", "calc_time", "fundingtime",
        "time_utc", "ts", "t", "0",
    ]
    static let open = ["open", "open_price", "o", "1"]
    static let high = ["high", "high_price", "h", "2"]
    static let low = ["low", "low_price", "l", "3"]
    static let close = ["close", "close_price", "c", "4"]
    package static let fundingRate = ["funding_rate", "interest_1h", "last_funding_rate", "fundingrate"]
}

extension TextTable {
    /// The place of the first column of those names, in whatever case and with blanks for underscores.
    /// - Throws: `repeatedColumn`.
    package func index(ofAnyCase columns: [String]) throws(MarketError) -> Int? {
        for column in columns {
            let found = header.first {
                $0.utf8.count == column.utf8.count
                    && $0.lowercased().replacing(" ", with: "_") == column
            }
            if let found { return try index(of: found) }
        }
        return nil
    }

    /// The place of such a column.
    /// - Throws: `missingColumn`, `repeatedColumn`.
    package func required(ofAnyCase columns: [String]) throws(MarketError) -> Int {
        if let place = try index(ofAnyCase: columns) { return place }
        return try required(columns)
    }
}

/// A quantity of either sign, of a column alone or with one that says bought or sold.
struct SignedQuantity {
    private let quantity: Int
    private let direction: Int?

    init(_ table: TextTable) throws(MarketError) {
        quantity = try table.required(ColumnNames.quantity)
        direction = try table.index(ofAny: ColumnNames.direction)
    }

    func read(_ row: TextRow) throws(MarketError) -> Double {
        let value = try row.number(quantity, "quantity", .finite)
        guard let direction, !row.isMissing(direction) else { return value }
        switch row.text(direction).lowercased() {
        case "buy", "long", "bid":
            guard value >= 0 else {
                throw row.invalid(quantity, "quantity", "is below 0, but \(row.text(direction))")
            }
            return value
        case "sell", "short", "ask": return -abs(value)
        case "zero":
            guard value == 0 else {
                throw row.invalid(quantity, "quantity", "is not 0, but the direction is zero")
            }
            return value
        default: throw row.invalid(direction, "direction", "expected buy or sell")
        }
    }
}
