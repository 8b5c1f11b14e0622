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
