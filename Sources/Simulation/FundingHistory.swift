import Market
import VectorMath

/// Funding rates of the past, one per eight hours without gaps.
public struct FundingHistory: Sendable, Equatable {
    /// When the first was paid.
    public let start: Timestamp
    /// Paid by the long, per eight hours, as a share of the position.
    public let rates: [Double]
    /// Milliseconds from one path to the next, where paths are windows of the past, and the start of the first; nil
    /// where they are not: each then begins at a place of its own, drawn by chance.
    public var windows: (first: Timestamp, stride: Int64)?

    static let span: Int64 = 8 * 3_600_000

    public static func == (a: FundingHistory, b: FundingHistory) -> Bool {
        a.start == b.start && a.rates == b.rates && a.windows?.first == b.windows?.first
            && a.windows?.stride == b.windows?.stride
    }

    /// A table `venue,symbol,time_utc,funding_rate`, of which one venue and symbol are taken.
    /// - Throws: for a row that cannot be read, that is out of order, or that does not follow eight hours after the
    ///   one before; `empty` where venue and symbol have no rows.
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
                        columns.2, "time_utc", "expected \(Timestamp(milliseconds: due)), eight hours after the row before")
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

    /// What a long position pays in the step that begins at a time, as a share of its value, per path.
    func payments(_ grid: TimeGrid, time: Int, firstPath: UInt32, seed: UInt64) -> Lanes {
        var result = Lanes.zero
        let share = grid.stepYears * 1095
        if let windows {
            for lane in 0..<8 {
                let begin = windows.first.milliseconds + windows.stride * (Int64(firstPath) + Int64(lane))
                let now = begin + Int64(grid.years(time) * 365 * 86_400_000)
                result[lane] = rate(at: now) * share
            }
        } else {
            let place = RandomStream(seed: seed, stream: PathStream.free - 2).uniforms(
                firstPath: firstPath, step: 0
            ).0
            for lane in 0..<8 {
                let offset = Int(place[lane] * Double(rates.count)) + Int(grid.years(time) * 1095)
                result[lane] = rates[offset % rates.count] * share
            }
        }
        return result
    }

    /// The rate that was paid at the end of the span that holds a moment; 0 outside the history.
    func rate(at milliseconds: Int64) -> Double {
        // A payment closes the eight hours before it.
        let offset = milliseconds - start.milliseconds
        let index = offset >= 0 ? offset / Self.span + 1 : (offset > -Self.span ? 0 : -1)
        return rates.indices.contains(Int(index)) ? rates[Int(index)] : 0
    }
}
