/// Names of the columns that tables have in common, those in Poise's own tables first.
package enum ColumnNames {
    package static let instrument = ["instrument", "instrument_name"]
    /// Above 0 is long, unless `direction` says otherwise.
    package static let quantity = ["quantity", "size", "amount"]
    package static let direction = ["direction", "side"]
    package static let time = [
        "timestamp", "ticks", "open_time", "unix", "time", "datetime", "date", "calc_time", "fundingtime",
        "time_utc", "ts", "t",
    ]
    static let open = ["open", "open_price", "o"]
    static let high = ["high", "high_price", "h"]
    static let low = ["low", "low_price", "l"]
    static let close = ["close", "close_price", "c"]
    package static let fundingRate = ["funding_rate", "interest_1h", "last_funding_rate", "fundingrate"]
}

/// Where the columns of a header stand: the one rule by which all tables find theirs.
///
/// A column is found by its name, else by its name in other letters: upper and lower case are one, blanks and
/// underscores too. Only the first of the two goes by the letter, as some tables have `l` for the low and `L` for
/// something else.
struct ColumnPlaces {
    enum Found {
        case none
        case one(Int)
        case several
    }

    private var exact: [String: Int] = [:]
    private var folded: [String: Int] = [:]

    /// Stands for the place of a name that several columns have.
    private static let several = -1

    init(_ header: [String]) {
        exact.reserveCapacity(header.count)
        folded.reserveCapacity(header.count)
        for (place, name) in header.enumerated() {
            exact[name] = exact[name] == nil ? place : Self.several
            let key = Self.folded(name)
            folded[key] = folded[key] == nil ? place : Self.several
        }
    }

    func place(of name: String) -> Found {
        switch exact[name] ?? folded[Self.folded(name)] {
        case nil: .none
        case Self.several: .several
        case let place?: .one(place)
        }
    }

    /// A name without what spellings of it differ in.
    static func folded(_ name: String) -> String {
        isFolded(name) ? name : name.lowercased().replacing(" ", with: "_")
    }

    static func isFolded(_ name: String) -> Bool {
        name.utf8.allSatisfy { $0 != UInt8(ascii: " ") && !(65...90).contains($0) && $0 < 128 }
    }
}
