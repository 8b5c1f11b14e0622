import Checks

/// The prices of one market at regular times: columns `timestamp,open,high,low,close` or only `timestamp,close`, in any
/// of the forms in which exchanges hand them out.
public struct CandleTable: Sendable {
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
        /// Number of missing candles.
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
    /// Milliseconds from one candle to the next: the most frequent step; the shortest of those that are equally so.
    public let interval: Int64
    public private(set) var gaps: [Gap] = []

    /// Reads a table with a header, or without one where the first five columns (or both of two) are those above; or
    /// an exchange's reply in JSON, arrays of candles or columns of them. Oldest or newest first; extra columns are
    /// ignored. Rows beside the grid of the others are bad ones.
    /// - Parameter leavesOutStrays: whether rows beside the grid are gaps rather than bad rows.
    /// - Throws: `MarketError`; errors of one row unless `badRows` skips them. `empty` for fewer than two candles.
    public init(
        _ source: Source, leavesOutStrays: Bool = false, _ badRows: inout BadRows
    ) throws(MarketError) {
        let table = try TextTable(source) { row in
            row.count > 1 && Timestamp(bytes: row.bytes(0)) != nil && parseNumber(row.bytes(1)) != nil
        }
        let columns = try CandleColumns(table)
        var rows: [(candle: Candle, time: String)] = []
        rows.reserveCapacity(source.bytes.count / 60)
        try table.forEachRow(&badRows) { row throws(MarketError) in
            rows.append((try columns.candle(row), row.text(columns.time)))
        }
        if let first = rows.first, let last = rows.last, first.candle.timestamp > last.candle.timestamp {
            rows.reverse()
        }
        file = source.name
        let grid = Grid(rows.map(\.candle.timestamp.milliseconds))
        interval = grid.step
        candles = []
        candles.reserveCapacity(rows.count)
        let strays = rows.count { grid.distance($0.candle.timestamp) != 0 }
        for (candle, time) in rows {
            func note(_ reason: String) throws(MarketError) {
                try badRows.note(
                    .invalidValue(
                        file: source.name, line: candle.line, column: columns.timeName, value: time,
                        reason: reason))
            }
            let distance = grid.distance(candle.timestamp)
            if distance != 0 {
                if leavesOutStrays { continue }
                let (off, step) = ((Double(distance) / 1000).shown, (Double(interval) / 1000).shown)
                try note(
                    "is \(off) s off the times of the others, one every \(step) s"
                        + (strays > 1 ? " (\(strays) rows are off the grid)" : ""))
            } else if let last = candles.last, candle.timestamp <= last.timestamp {
                try note("not after line \(last.line)'s")
            } else {
                candles.append(candle)
            }
        }
        try findGaps()
    }

    /// This table and another of the same market, such as next year's. Where both have a candle their closes must agree;
    /// the other's is kept.
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
                        .line(file: other.file, next.line), column: "close", value: "\(next.close)",
                        earlier: "\(candles[i].close)", at: .line(file: file, candles[i].line))
                }
                i += 1
            }
            merged.append(next)
            j += 1
        }
        joined.candles = merged
        let shift = other.candles[0].timestamp.milliseconds - candles[0].timestamp.milliseconds
        guard interval == other.interval, shift % interval == 0 else {
            throw .invalidValue(
                file: other.file, line: other.candles[0].line, column: "timestamp",
                value: "\(other.candles[0].timestamp)",
                reason: interval != other.interval
                    ? "a candle every \(other.interval / 1000) s, where \(file) has one every \(interval / 1000) s"
                    : "\(shift / 1000) s from \(file)'s first candle: no multiple of \(interval / 1000) s")
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
        guard candles.count > 1 else {
            throw .empty(file: file, reason: "holds \(candles.count.counted("candle")): two are needed")
        }
        gaps = zip(candles, candles.dropFirst()).compactMap { last, next in
            let steps = (next.timestamp.milliseconds - last.timestamp.milliseconds) / interval
            return steps == 1 ? nil : Gap(last: last.timestamp, next: next.timestamp, count: Int(steps) - 1)
        }
    }
}

/// The columns of a table's candles.
private struct CandleColumns {
    let time: Int
    /// The column of times as the file calls it.
    let timeName: String
    private let open, high, low: Int?
    private let close: Int

    init(_ table: TextTable) throws(MarketError) {
        if let first = Self.firstPlace(table.header) {
            (time, timeName) = (first, "timestamp")
            switch table.header.count - first {
            case 2: (open, high, low, close) = (nil, nil, nil, first + 1)
            case 5...: (open, high, low, close) = (first + 1, first + 2, first + 3, first + 4)
            default: throw table.missing(ColumnNames.close[0])
            }
            return
        }
        time = try table.required(ColumnNames.time)
        timeName = table.header.isEmpty ? ColumnNames.time[0] : table.header[time]
        close = try table.required(ColumnNames.close)
        let names = [ColumnNames.open, ColumnNames.high, ColumnNames.low]
        var places: [Int?] = []
        for name in names { places.append(try table.index(ofAny: name)) }
        if places != [nil, nil, nil] {
            for (place, name) in names.enumerated() { places[place] = try table.required(name) }
        }
        (open, high, low) = (places[0], places[1], places[2])
    }

    /// The place of the first column of a header that has places for names, from 0 on, maybe behind an index without a name:
    /// of all of them, or of as many as a candle has. Where columns have names, one that is called `1` is no price.
    private static func firstPlace(_ header: [String]) -> Int? {
        let first = header.first == "" ? 1 : 0
        let count = header.count - first
        let numbered = header.dropFirst(first).enumerated().prefix { String($0.offset) == $0.element }.count
        return count > 1 && numbered >= min(count, 5) ? first : nil
    }

    func candle(_ row: TextRow) throws(MarketError) -> CandleTable.Candle {
        let timestamp = try row.time(time, "timestamp")
        let closing = try row.number(close, "close", .positive)
        guard let open, let high, let low else {
            return .init(
                timestamp: timestamp, open: closing, high: closing, low: closing, close: closing,
                line: row.line)
        }
        let (opening, highest, lowest) = (
            try row.number(open, "open", .positive), try row.number(high, "high", .positive),
            try row.number(low, "low", .positive)
        )
        guard highest >= max(opening, closing) else {
            throw row.invalid(high, "high", "is below the open or the close")
        }
        guard lowest <= min(opening, closing) else {
            throw row.invalid(low, "low", "is above the open or the close")
        }
        return .init(
            timestamp: timestamp, open: opening, high: highest, low: lowest, close: closing, line: row.line)
    }
}

/// The regular times of which most rows have one.
private struct Grid {
    /// The most frequent step; of several the shortest.
    let step: Int64
    /// The remainder that most times leave when divided by the step.
    private let phase: Int64

    /// - Parameter times: milliseconds, mostly ascending.
    init(_ times: [Int64]) {
        func mostFrequent(_ values: some Sequence<Int64>) -> Int64? {
            var counts: [Int64: Int] = [:]
            var run: (value: Int64, count: Int) = (0, 0)
            for value in values {
                if value != run.value {
                    counts[run.value, default: 0] += run.count
                    run = (value, 0)
                }
                run.count += 1
            }
            counts[run.value, default: 0] += run.count
            guard run.count > 0 else { return nil }
            return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
        }
        let step = mostFrequent(zip(times, times.dropFirst()).lazy.map { $1 - $0 }.filter { $0 > 0 }) ?? 1
        self.step = step
        phase = mostFrequent(times.lazy.map { $0 % step }) ?? 0
    }

    /// From the nearest time of the grid, in milliseconds.
    func distance(_ time: Timestamp) -> Int64 {
        let behind = (time.milliseconds - phase) % step
        let after = behind < 0 ? behind + step : behind
        return after * 2 > step ? after - step : after
    }
}
