import CPoise
import Poise

/// Behind `poise_limits`.
final class LimitsHandle: Sendable {
    let table: LimitTable

    init(_ table: LimitTable) { self.table = table }

    convenience init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        self.init(try LimitTable(source, &badRows))
    }
}

@c @implementation
public func poise_limits_create(
    _ columns: UnsafePointer<poise_limit_columns>?, _ limits: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(limits, "limits") { () throws(Failure) in
        let given = try taken(columns, "columns", poise_limit_columns())
        try checkCount(given.count)
        guard given.count > 0 else { throw .count("count", "limits need a row") }
        let books = try TextColumn(optional: given.book, "book")
        let underlyings = try TextColumn(optional: given.underlying, "underlying")
        let expiries = try TextColumn(optional: given.expiry, "expiry")
        let exposures = try Strided(given.exposure.data, given.exposure.stride, "exposure")
        let (lows, highs) = (try Strided(given.low, "low"), try Strided(given.high, "high"))
        let penalties = try Strided(optional: given.penalty, "penalty")
        let quadratics = try Strided(optional: given.penalty_quadratic, "penalty_quadratic")
        func name(_ texts: TextColumn?, _ row: Int) throws(Failure) -> String? {
            guard let text = try texts?.text(row), !text.isEmpty, text != "*" else { return nil }
            return text
        }
        var rows: [LimitTable.Limit] = []
        for row in 0..<given.count {
            func checked(_ field: String, _ value: Double, _ rule: NumberRule) throws(Failure) -> Double {
                guard rule.accepts(value) else {
                    throw .value(row: row, field, value, rule.complaint)
                }
                return value
            }
            guard let greek = ExposureGreek(rawValue: Int(exposures[row])) else {
                throw .value(row: row, "exposure", exposures[row], "is no exposure")
            }
            let penalty = penalties?[row] ?? .nan
            rows.append(
                LimitTable.Limit(
                    book: try name(books, row), underlying: try name(underlyings, row),
                    expiry: try name(expiries, row), greek: greek,
                    low: try checked("low", lows[row], .lowerEnd),
                    high: try checked("high", highs[row], .upperEnd),
                    penalty: penalty.isNaN ? nil : try checked("penalty", penalty, .notNegative),
                    penaltyQuadratic: try checked(
                        "penalty_quadratic", quadratics?[row] ?? 0, .notNegative),
                    line: row))
        }
        let table = try reading { _ throws(MarketError) in
            try LimitTable(name: "limits", rows)
        }
        return LimitsHandle(table)
    }
}

@c @implementation
public func poise_limits_parse(
    _ text: UnsafePointer<CChar>?, _ length: Int, _ name: UnsafePointer<CChar>?,
    _ limits: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(limits, "limits", text, length, name, LimitsHandle.init)
}

@c @implementation
public func poise_limits_read(
    _ path: UnsafePointer<CChar>?, _ limits: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(limits, "limits", path, LimitsHandle.init)
}

@c @implementation
public func poise_limits_free(_ limits: OpaquePointer?) { release(limits, as: LimitsHandle.self) }
