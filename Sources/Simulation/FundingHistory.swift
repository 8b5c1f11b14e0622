import Market
import VectorMath

/// Funding rates of the past, one per hour or few hours without gaps.
public struct FundingHistory: Sendable, Equatable {
    /// When the first was paid.
    public let start: Timestamp
    /// Paid by the long, per `interval`, as a share of the position.
    public let rates: [Double]
    /// Milliseconds from one payment to the next.
    public let interval: Int64

    private static let hour: Int64 = 3_600_000
    /// Usual intervals between payments of funding.
    private static let intervals = [1, 2, 4, 8].map { $0 * hour }

    /// A table `time_utc,funding_rate`, with `venue` and `symbol` where it holds several histories of which one is
    /// taken; or an exchange's as CSV or JSON: Binance's, and Deribit's `public/get_funding_rate_history`, of which the
    /// rates of each hour are read. Oldest or newest first.
    /// - Throws: for a row that cannot be read, that is out of order, or that does not follow an interval after the
    ///   one before; `empty` where venue and symbol have no rows.
    public init(_ source: Source, venue: String? = nil, symbol: String? = nil) throws(MarketError) {
        let table = try TextTable(source)
        let time = try table.required(["time_utc"] + ColumnNames.time)
        let timeName = table.header.indices.contains(time) ? table.header[time] : "time_utc"
        let rate = try table.required(ColumnNames.fundingRate)
        let chosen = [
            ("venue", try table.optional("venue"), venue), ("symbol", try table.optional("symbol"), symbol),
        ]
        var rows: [(time: Timestamp, rate: Double, line: Int, written: String)] = []
        var badRows = BadRows(skip: false)
        try table.forEachRow(&badRows) { row throws(MarketError) in
            for case (_, let column?, let wanted?) in chosen where row.text(column) != wanted { return }
            rows.append(
                (
                    try row.time(time, "time_utc"), try row.number(rate, "funding_rate", .finite), row.line,
                    row.text(time)
                ))
        }
        guard let first = rows.first, let last = rows.last else {
            throw .invalidValue(
                file: source.name, line: 1, column: "symbol",
                value: [venue, symbol].compactMap { $0 }.joined(separator: " "), reason: "has no rows")
        }
        if first.time > last.time { rows.reverse() }
        let start = rows[0].time
        let interval = Self.interval(rows.map(\.time))
        for (index, row) in rows.enumerated() {
            let due = start.milliseconds + Int64(index) * interval
            // Exchanges stamp some milliseconds late.
            guard abs(row.time.milliseconds - due) < 60_000 else {
                throw .invalidValue(
                    file: source.name, line: row.line, column: timeName, value: row.written,
                    reason: "expected \(Timestamp(milliseconds: due)), "
                        + "\(interval / Self.hour) h after the payment before")
            }
        }
        self.start = start
        self.interval = interval
        rates = rows.map(\.rate)
    }

    /// The most frequent of the usual intervals; eight hours where there is none.
    private static func interval(_ times: [Timestamp]) -> Int64 {
        let steps = zip(times, times.dropFirst()).map { $1.milliseconds - $0.milliseconds }
        let counts = intervals.map { interval in steps.count { abs($0 - interval) < 60_000 } }
        guard let most = counts.max(), most > 0, let place = counts.firstIndex(of: most) else {
            return 8 * hour
        }
        return intervals[place]
    }

    /// Rates by the time at which they are paid, as replays take them.
    public var payments: [(time: Timestamp, rate: Double)] {
        rates.indices.map { (Timestamp(milliseconds: start.milliseconds + Int64($0) * interval), rates[$0]) }
    }

    /// The payment of a long position in the step that begins at a time, as a share of its value: each path begins
    /// at a place of its own in the history and goes on from there, round and round. A step shorter than the interval
    /// has its part of the rate that holds when it begins, a longer one the mean of all rates that are paid within it.
    func payments(_ grid: TimeGrid, time: Int, firstPath: UInt32, seed: UInt64) -> Lanes {
        let place = RandomStream(seed: seed, stream: PathStream.free - 2).uniforms(
            firstPath: firstPath, step: 0
        ).0
        let perYear = Double(365 * 24 * Self.hour / interval)
        /// Payments before a time of the grid.
        func payments(before time: Int) -> Double { (grid.years(time) * perYear + 1e-9).rounded(.down) }
        let before = payments(before: time)
        let within = max(1, payments(before: time + 1) - before)
        let elapsed = Int(before.truncatingRemainder(dividingBy: Double(rates.count)))
        var result = Lanes.zero
        for lane in 0..<8 {
            let offset = Int(place[lane] * Double(rates.count)) + elapsed
            result[lane] = within == 1 ? rates[offset % rates.count] : meanRate(from: offset, of: within)
        }
        return result * Lanes(repeating: grid.stepYears * perYear)
    }

    /// The mean of so many rates from a place on, round and round.
    private func meanRate(from first: Int, of count: Double) -> Double {
        let rest = Int(count.truncatingRemainder(dividingBy: Double(rates.count)))
        let rounds = ((count - Double(rest)) / Double(rates.count)).rounded()
        var sum = rounds > 0 ? rounds * rates.reduce(0, +) : 0
        for place in first..<first + rest { sum += rates[place % rates.count] }
        return sum / count
    }
}
