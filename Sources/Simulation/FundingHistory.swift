import Market
import VectorMath

/// Funding rates of the past, one per eight hours without gaps.
public struct FundingHistory: Sendable, Equatable {
    /// When the first was paid.
    public let start: Timestamp
    /// Paid by the long, per eight hours, as a share of the position.
    public let rates: [Double]
    static let span: Int64 = 8 * 3_600_000

    /// A table `venue,symbol,time_utc,funding_rate`, of which one venue and symbol are taken.
    /// - Throws: for a row that cannot be read, that is out of order, or that does not follow eight hours
    ///   after the one before; `empty` where venue and symbol have no rows.
    public init(_ source: Source, venue: String, symbol: String) throws(MarketError) {
        let table = try CommaSeparated(source)
        let columns = (
            try table.required("venue"), try table.required("symbol"), try table.required("time_utc"),
            try table.required("funding_rate")
        )
        var rates: [Double] = []
        var first: Timestamp?
        var badRows = BadRows(skip: false)
        try table.forEachRow(&badRows) { row throws(MarketError) in
            guard row.text(columns.0) == venue, row.text(columns.1) == symbol else { return }
            let text = row.text(columns.2)
            guard let time = Timestamp(text: text) else {
                throw row.invalid(columns.2, "time_utc", "is not a time like 2022-01-01T08:00:00Z")
            }
            // Exchanges stamp some milliseconds late.
            if let start = first {
                let due = start.milliseconds + Int64(rates.count) * Self.span
                guard abs(time.milliseconds - due) < 60_000 else {
                    throw row.invalid(
                        columns.2, "time_utc",
                        "expected \(Timestamp(milliseconds: due)), eight hours after the row before")
                }
            } else {
                first = time
            }
            rates.append(try row.number(columns.3, "funding_rate", .finite))
        }
        guard let first else {
            throw .invalidValue(
                file: source.name, line: 1, column: "symbol", value: "\(venue) \(symbol)",
                reason: "has no rows")
        }
        start = first
        self.rates = rates
    }

    /// Rates by the time at which they are paid, as replays take them.
    public var payments: [(time: Timestamp, rate: Double)] {
        rates.indices.map { (Timestamp(milliseconds: start.milliseconds + Int64($0) * Self.span), rates[$0]) }
    }

    /// What a long position pays in the step that begins at a time, as a share of its value: each path begins
    /// at a place of its own in the history and goes on from there, round and round.
    func payments(_ grid: TimeGrid, time: Int, firstPath: UInt32, seed: UInt64) -> Lanes {
        let place = RandomStream(seed: seed, stream: PathStream.free - 2).uniforms(
            firstPath: firstPath, step: 0
        ).0
        let elapsed = Int(grid.years(time) * 1095 + 1e-9)
        var result = Lanes.zero
        for lane in 0..<8 {
            let offset = Int(place[lane] * Double(rates.count)) + elapsed
            result[lane] = rates[offset % rates.count]
        }
        return result * Lanes(repeating: grid.stepYears * 1095)
    }
}
