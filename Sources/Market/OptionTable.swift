import Checks

/// Options in a generic table: columns `type,spot,strike,years,vol,rate,dividend` in any order, or `price` in
/// place of `vol`.
///
/// Spot and strike in one currency, `years` to expiry (ACT/365), `vol` per √year, `rate` and `dividend`
/// continuously compounded, all in natural units (0.05 is 5%). `type` is C or P (also call, put).
public struct OptionTable: Sendable {
    /// What is known of an option's worth: its volatility or its price.
    public enum Given: String, Sendable {
        case volatility = "vol"
        case price
    }

    /// The columns, in the order in which tables show them.
    public static func columns(_ quote: Given) -> [String] {
        ["type", "spot", "strike", "years", quote.rawValue, "rate", "dividend"]
    }

    public let file: String
    public let quote: Given
    /// The line of the file on which each option stands.
    public private(set) var lines: [Int] = []
    /// 0 for a call, 1 for a put.
    public private(set) var type: [UInt8] = []
    /// `quotes` are volatilities or prices, as `quote` says.
    public private(set) var spot, strike, years, quotes, rate, dividend: [Double]
    /// The quantity of each option held and its place in `bookNames`, where they were asked for; else empty.
    public private(set) var quantities: [Double] = []
    public private(set) var books: [Int32] = []
    public private(set) var bookNames: [String] = []

    public var count: Int { type.count }

    /// Reads a table; extra columns are ignored.
    /// - Parameter allowsNegativePrices: whether spot and strike may be of either sign, as for normal volatilities.
    /// - Parameter holdings: whether to read `quantity` (above 0 is long) and, where the table has it, `book`.
    /// - Throws: `MarketError`; errors of one row unless `badRows` skips them.
    public init(
        _ source: Source, quote: Given = .volatility, allowsNegativePrices: Bool = false,
        holdings: Bool = false, _ badRows: inout BadRows
    ) throws(MarketError) {
        let table = try TextTable(source)
        file = source.name
        self.quote = quote
        let priceRule: NumberRule = allowsNegativePrices ? .finite : .notNegative
        var places: [Int] = []
        for column in Self.columns(quote) { places.append(try table.required(column)) }
        let quantity = holdings ? try SignedQuantity(table) : nil
        let bookPlace = holdings ? try table.optional("book") : nil
        var numbers: [String: Int32] = [:]
        (spot, strike, years, quotes, rate, dividend) = ([], [], [], [], [], [])
        // A guess that saves growing the columns: short rows have some 40 bytes.
        let rows = source.bytes.count / 40
        lines.reserveCapacity(rows)
        type.reserveCapacity(rows)
        spot.reserveCapacity(rows)
        strike.reserveCapacity(rows)
        years.reserveCapacity(rows)
        quotes.reserveCapacity(rows)
        rate.reserveCapacity(rows)
        dividend.reserveCapacity(rows)
        try table.forEachRow(&badRows) { row throws(MarketError) in
            guard let optionType = Self.optionType(row, places[0]) else {
                throw row.invalid(
                    places[0], "type", row.isMissing(places[0]) ? "is missing" : "must be C or P")
            }
            let s = try row.number(places[1], "spot", priceRule)
            let k = try row.number(places[2], "strike", priceRule)
            let t = try row.number(places[3], "years", .notNegative)
            // Every price has a volatility or a status that says why not.
            let v =
                quote == .volatility
                ? try row.number(places[4], quote.rawValue, .notNegative)
                : try row.optionalNumber(places[4], quote.rawValue, .number) ?? .nan
            let r = try row.number(places[5], "rate", .finite)
            let q = try row.number(places[6], "dividend", .finite)
            // All of a row is read before any column grows: one that is skipped leaves none longer than the others.
            if let quantity {
                let held = try quantity.read(row)
                let name =
                    try bookPlace.map { place throws(MarketError) in try row.requiredText(place, "book") }
                    ?? "all"
                let number = numbers[name] ?? Int32(numbers.count)
                if Int(number) == numbers.count {
                    numbers[name] = number
                    bookNames.append(name)
                }
                quantities.append(held)
                books.append(number)
            }
            lines.append(row.line)
            type.append(optionType)
            spot.append(s)
            strike.append(k)
            years.append(t)
            quotes.append(v)
            rate.append(r)
            dividend.append(q)
        }
    }

    /// The table without some of its rows.
    public mutating func remove(_ rows: Set<Int>) {
        func kept<T>(_ column: [T]) -> [T] {
            column.isEmpty ? [] : column.enumerated().filter { !rows.contains($0.offset) }.map(\.element)
        }
        lines = kept(lines)
        type = kept(type)
        spot = kept(spot)
        strike = kept(strike)
        years = kept(years)
        quotes = kept(quotes)
        rate = kept(rate)
        dividend = kept(dividend)
        quantities = kept(quantities)
        books = kept(books)
    }

    private static func optionType(_ row: TextRow, _ column: Int) -> UInt8? {
        let text = row.bytes(column)
        if text.count == 1 {
            switch text[0] | 0x20 {
            case UInt8(ascii: "c"): return 0
            case UInt8(ascii: "p"): return 1
            default: return nil
            }
        }
        switch row.text(column).lowercased() {
        case "call": return 0
        case "put": return 1
        default: return nil
        }
    }
}
