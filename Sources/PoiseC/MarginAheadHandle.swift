import CPoise
import Checks
import Poise

/// Behind `poise_margin_ahead`.
final class MarginAheadHandle: Sendable {
    let count: Int
    /// By `poise_margin_label`; nil for those that steps do not have.
    let labels: [CStrings?]
    /// By `poise_margin_step`.
    let amounts: [[Double]]

    init(_ margin: MarginHandle, days: Double) throws(Failure) {
        let steps = try failing { () throws(MarginError) in
            try margin.model.stepsAhead(
                of: margin.account, in: margin.market, within: 86400 * days, margin.engine)
        }
        count = steps.count
        labels = [
            CStrings(steps.map(\.cause.rawValue)), nil, CStrings(steps.map(\.underlying)),
            CStrings(steps.map(\.expiry)),
        ]
        amounts = [
            steps.map(\.seconds), steps.map(\.initialBefore), steps.map(\.initialAfter),
            steps.map(\.initialDayLater), steps.map(\.maintenanceBefore), steps.map(\.maintenanceAfter),
            steps.map(\.maintenanceBalanceAfter),
        ]
    }
}

@c @implementation
public func poise_margin_ahead_create(
    _ margin: OpaquePointer?, _ days: Double, _ ahead: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(ahead, "ahead") { () throws(Failure) in
        let margin = try object(margin, as: MarginHandle.self, "margin")
        try check(days, .within(0...3650), "days")
        return try MarginAheadHandle(margin, days: days)
    }
}

@c @implementation
public func poise_margin_ahead_free(_ ahead: OpaquePointer?) { release(ahead, as: MarginAheadHandle.self) }

@c @implementation
public func poise_margin_ahead_count(_ ahead: OpaquePointer?) -> Int {
    object(ahead, as: MarginAheadHandle.self)?.count ?? 0
}

@c @implementation
public func poise_margin_ahead_text(
    _ ahead: OpaquePointer?, _ step: Int, _ label: poise_margin_label
) -> UnsafePointer<CChar>? {
    guard let labels = object(ahead, as: MarginAheadHandle.self)?.labels else { return nil }
    let place = Int(label.rawValue)
    return labels.indices.contains(place) ? labels[place]?[step] : nil
}

@c @implementation
public func poise_margin_ahead_amounts(
    _ ahead: OpaquePointer?, _ figure: poise_margin_step, _ column: poise_column
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(ahead, as: MarginAheadHandle.self, "ahead")
        try copy(handle.amounts, Int(figure.rawValue), into: column)
    }
}

/// Copies one of several lists of figures.
/// - Throws: `POISE_ERROR_ARGUMENT` for a place that there is not.
func copy(_ amounts: [[Double]], _ place: Int, into column: poise_column) throws(Failure) {
    guard amounts.indices.contains(place) else {
        throw .argument("figure", "\(place) is none that there is")
    }
    guard !amounts[place].isEmpty else { return }
    let target = try Target(column, "column")
    for row in amounts[place].indices { target.set(row, amounts[place][row]) }
}
