import Market
import Poise

/// The values of books under their limits.
struct LimitReport {
    let status: [LimitStatus]

    var breachCount: Int { status.count(where: \.isBreach) }

    var report: Report<LimitStatus> {
        typealias Column = Report<LimitStatus>.Column
        return Report(
            columns: [
                Column("book") { .text($0.limit.book ?? "") }, Column("limit") { .text($0.limit.name) },
                Column("unit") { .text($0.limit.measure.unitName) },
                Column("value", style: .significant) { .number($0.value) },
                Column("low", style: .significant) { Cell($0.limit.low.ifFinite) },
                Column("high", style: .significant) { Cell($0.limit.high.ifFinite) },
                Column("headroom", style: .significant) { .number($0.headroom) },
                Column("breach") { .text($0.isBreach ? "breach" : "") },
            ], rows: status)
    }

    var text: String {
        "\(status.count.counted("limit")), \(breachCount == 1 ? "1 breach" : "\(breachCount) breaches")\n"
    }

    /// The array of limits.
    func write(to json: inout JSONWriter) {
        json.array(lines: 2) { json in
            for status in status {
                json.object { json in
                    json.member("book", status.limit.book)
                    json.member("limit", status.limit.name)
                    json.member("unit", status.limit.measure.unitName)
                    json.member("value", status.value)
                    json.member("low", status.limit.low.ifFinite)
                    json.member("high", status.limit.high.ifFinite)
                    json.member("headroom", status.headroom)
                    json.member("breach", status.isBreach)
                }
            }
        }
    }
}

extension LimitMeasure {
    /// The unit as people write it.
    var unitForPeople: String { (self as? ExposureGreek)?.shortUnit(.usd) ?? unitName.uppercased() }
}
