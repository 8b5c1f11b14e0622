/// The prices of one market at regular times: columns `timestamp,open,high,low,close`, such as exchanges offer for
/// download.
public struct CandleTable: Sendable {
    public static let columns = ["timestamp", "open", "high", "low", "close"]

    /// One row. Prices in quote currency; the time is the one in the file, the start of the candle or its end.
    public struct Candle: Sendable, Equatable {
        public let timestamp: Timestamp
        public let open, high, low, close: Double
        public let line: Int

        public init(
            timestamp: Timestamp, open: Double, high: Double, low: Double, close: Double, line: Int = 0
        ) {
            self.timestamp = timestamp
            self.open = open
            self.high = high
            self.low = low
            self.close = close
            self.line = line
        }
    }

    /// A stretch without candles.
    public struct Gap: Sendable, Equatable {
        /// The candles on both sides of it.
        public let last, next: Timestamp
        /// How many are missing.
        public let count: Int

        public init(last: Timestamp, next: Timestamp, count: Int) {
            self.last = last
            self.next = next
            self.count = count
        }
    }

    public let file: String
    /// In ascending order, each time once.
    public private(set) var candles: [Candle]
    /// Milliseconds from one candle to the next: the shortest step, of which all others are multiples.
    public private(set) var interval: Int64
    public private(set) var gaps: [Gap] = []

    /// Reads a table in the order of time; extra columns are ignored. Times are UTC, in one of the forms that
    /// `Timestamp.init(text:)` accepts.
    /// - Throws: `MarketError`; errors of one row go to `badRows` first. `empty` for fewer than two candles.
    public init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        let table = try CommaSeparated(source)
        var places: [Int] = []
        for column in Self.columns { places.append(try table.required(column)) }
        file = source.name
        candles = []
        interval = 0
        candles.reserveCapacity(source.bytes.count / 60)
        try table.forEachRow(&badRows) { row throws(MarketError) in
            guard let timestamp = Timestamp(text: row.text(places[0])) else {
                throw row.invalid(
                    places[0], "timestamp", "expected a time like 2022-01-31 08:00:00 or milliseconds")
            }
            if let last = candles.last, timestamp <= last.timestamp {
                throw row.invalid(places[0], "timestamp", "not after line \(last.line)'s")
            }
            let open = try row.number(places[1], "open", .positive)
            let high = try row.number(places[2], "high", .positive)
            let low = try row.number(places[3], "low", .positive)
            let close = try row.number(places[4], "close", .positive)
            guard high >= max(open, close) else {
                throw row.invalid(places[2], "high", "is below the open or the close")
            }
            guard low <= min(open, close) else {
                throw row.invalid(places[3], "low", "is above the open or the close")
            }
            candles.append(
                Candle(
                    timestamp: timestamp, open: open, high: high, low: low, close: close, line: row.line))
        }
        try findGaps()
    }

    /// This table and another of the same market, such as next year's. Where both have a candle they must agree.
    /// - Throws: `conflict`; `invalidValue` where the steps differ.
    public func joined(with other: CandleTable) throws(MarketError) -> CandleTable {
        var joined = self
        var merged: [Candle] = []
        merged.reserveCapacity(candles.count + other.candles.count)
        var (i, j) = (0, 0)
        while i < candles.count || j < other.candles.count {
            if j == other.candles.count
                || i < candles.count && candles[i].timestamp < other.candles[j].timestamp
            {
                merged.append(candles[i])
                i += 1
                continue
            }
            let next = other.candles[j]
            if i < candles.count, candles[i].timestamp == next.timestamp {
                guard candles[i].close == next.close else {
                    throw .conflict(
                        file: other.file, line: next.line, column: "close", value: "\(next.close)",
                        earlierFile: file, earlierLine: candles[i].line, earlier: "\(candles[i].close)")
                }
                i += 1
            }
            merged.append(next)
            j += 1
        }
        joined.candles = merged
        guard interval == other.interval else {
            throw .invalidValue(
                file: other.file, line: other.candles[0].line, column: "timestamp",
                value: "\(other.candles[0].timestamp)",
                reason:
                    "a candle every \(other.interval / 1000) s, where \(file) has one every \(interval / 1000) s"
            )
        }
        try joined.findGaps()
        return joined
    }

    /// The candles from one time on, before another.
    /// - Throws: `empty` for fewer than two.
    public func restricted(from: Timestamp?, until: Timestamp?) throws(MarketError) -> CandleTable {
        var part = self
        part.candles = candles.filter { candle in
            (from.map { candle.timestamp >= $0 } ?? true) && (until.map { candle.timestamp < $0 } ?? true)
        }
        try part.findGaps()
        return part
    }

    private mutating func findGaps() throws(MarketError) {
        guard candles.count > 1 else { throw .empty(file: file) }
        func step(_ index: Int) -> Int64 {
            candles[index].timestamp.milliseconds - candles[index - 1].timestamp.milliseconds
        }
        interval = (1..<candles.count).map(step).min() ?? 0
        gaps = []
        for index in 1..<candles.count where step(index) != interval {
            guard step(index) % interval == 0 else {
                throw .invalidValue(
                    file: file, line: candles[index].line, column: "timestamp",
                    value: "\(candles[index].timestamp)",
                    reason:
                        "\(step(index) / 1000) s after the last candle: no multiple of \(interval / 1000) s")
            }
            gaps.append(
                Gap(
                    last: candles[index - 1].timestamp, next: candles[index].timestamp,
                    count: Int(step(index) / interval) - 1))
        }
    }
}

extension Timestamp {
    /// A time in UTC: `2022-01-31 08:00:00`, `2022-01-31T08:00:00Z` (both with or without seconds and their
    /// fraction), `2022-01-31`, or whole milliseconds since 1970.
    public init?(text: String) {
        if text.utf8.allSatisfy({ (48...57).contains($0) }), (11...14).contains(text.utf8.count),
            let milliseconds = Int64(text)
        {
            self.init(milliseconds: milliseconds)
            return
        }
        var rest = Substring(text)
        /// The next digits, of which there must be so many.
        func digits(_ count: Int) -> Int? {
            let head = rest.prefix(count)
            guard head.utf8.count == count, head.utf8.allSatisfy({ (48...57).contains($0) }) else {
                return nil
            }
            rest = rest.dropFirst(count)
            return Int(head)
        }
        func skip(_ characters: Set<Character>) -> Bool {
            guard let next = rest.first, characters.contains(next) else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = digits(4), skip(["-"]), let month = digits(2), skip(["-"]), let number = digits(2),
            let day = Day(year: year, month: month, day: number)
        else { return nil }
        var milliseconds: Int64 = 0
        if !rest.isEmpty {
            guard skip([" ", "T"]), let hour = digits(2), hour < 24, skip([":"]), let minute = digits(2),
                minute < 60
            else { return nil }
            milliseconds = Int64(hour) * 3_600_000 + Int64(minute) * 60_000
            if skip([":"]) {
                guard let second = digits(2), second < 60 else { return nil }
                milliseconds += Int64(second) * 1000
                if skip(["."]) {
                    let fraction = rest.prefix { $0.isASCII && $0.isNumber }
                    guard (1...9).contains(fraction.count), let value = Int64(fraction) else { return nil }
                    rest = rest.dropFirst(fraction.count)
                    // Beyond milliseconds it must be zeros.
                    let scale = (0..<9 - fraction.count).reduce(value) { value, _ in value * 10 }
                    guard scale % 1_000_000 == 0 else { return nil }
                    milliseconds += scale / 1_000_000
                }
            }
            guard rest.isEmpty || ["Z", "+00:00", " UTC"].contains(String(rest)) else { return nil }
        }
        self.init(milliseconds: Int64(day.number) * Self.millisecondsPerDay + milliseconds)
    }
}
