import CPoise
import Poise

/// Behind `poise_limits`.
final class LimitsHandle: Sendable {
    let table: LimitTable

    init(_ table: LimitTable) { self.table = table }
}

@c @implementation
public func poise_limits_create(
    _ columns: UnsafePointer<poise_limit_columns>?, _ limits: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    attempt { () throws(Failure) in
        let place = try required(limits, "limits")
        place.pointee = nil
        let given = try required(columns, "columns").pointee
        try checkSize(given.size, of: poise_limit_columns.self, "columns")
        try checkCount(given.count)
        guard given.count > 0 else { throw .count("count", "limits need a row") }
        let books = try Texts(optional: given.book, "book")
        let underlyings = try Texts(optional: given.underlying, "underlying")
        let expiries = try Texts(optional: given.expiry, "expiry")
        let exposures = try Strided(given.exposure.data, given.exposure.stride, "exposure")
        let (lows, highs) = (try Strided(given.low, "low"), try Strided(given.high, "high"))
        let penalties = try Strided(optional: given.penalty, "penalty")
        let quadratics = try Strided(optional: given.penalty_quadratic, "penalty_quadratic")
        func name(_ texts: Texts?, _ row: Int) throws(Failure) -> String? {
            guard let text = try texts?.text(row), !text.isEmpty, text != "*" else { return nil }
            return text
        }
        var rows: [LimitTable.Limit] = []
        for row in 0..<given.count {
            func checked(
                _ field: String, _ value: Double, _ isAccepted: Bool, _ reason: String
            ) throws(Failure) -> Double {
                guard isAccepted else {
                    throw Failure(
                        status: POISE_ERROR_VALUE, message: "row \(row): \(field): \(value) \(reason)",
                        row: Int64(row), field: field, value: value)
                }
                return value
            }
            let number = Double(exposures[row])
            guard let greek = ExposureGreek(rawValue: Int(exposures[row])) else {
                _ = try checked("exposure", number, false, "is no exposure")
                return
            }
            let (low, high) = (lows[row], highs[row])
            let penalty = penalties?[row] ?? .nan
            let quadratic = quadratics?[row] ?? 0
            rows.append(
                LimitTable.Limit(
                    book: try name(books, row), underlying: try name(underlyings, row),
                    expiry: try name(expiries, row), greek: greek,
                    low: try checked("low", low, low < .infinity, "must be a number or -infinity"),
                    high: try checked("high", high, high > -.infinity, "must be a number or infinity"),
                    penalty: penalty.isNaN
                        ? nil
                        : try checked(
                            "penalty", penalty, penalty >= 0 && penalty < .infinity,
                            "must be at least 0 and finite"),
                    penaltyQuadratic: try checked(
                        "penalty_quadratic", quadratic, quadratic >= 0 && quadratic < .infinity,
                        "must be at least 0 and finite"),
                    line: row))
        }
        let table = try reading(fromColumns: true) { _ throws(MarketError) in
            try LimitTable(name: "limits", rows)
        }
        handOut(LimitsHandle(table), place)
    }
}

@c @implementation
public func poise_limits_parse(
    _ text: UnsafePointer<CChar>?, _ length: Int, _ name: UnsafePointer<CChar>?,
    _ limits: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    attempt { () throws(Failure) in
        let place = try required(limits, "limits")
        place.pointee = nil
        let source = try Source(text, length, name, default: "limits")
        let table = try reading { badRows throws(MarketError) in try LimitTable(source, &badRows) }
        handOut(LimitsHandle(table), place)
    }
}

@c @implementation
public func poise_limits_read(
    _ path: UnsafePointer<CChar>?, _ limits: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    attempt { () throws(Failure) in
        let place = try required(limits, "limits")
        place.pointee = nil
        let source = try Source(reading: path)
        let table = try reading { badRows throws(MarketError) in try LimitTable(source, &badRows) }
        handOut(LimitsHandle(table), place)
    }
}

@c @implementation
public func poise_limits_free(_ limits: OpaquePointer?) { takeBack(limits, as: LimitsHandle.self) }
