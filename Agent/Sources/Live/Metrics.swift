import Desk

/// Figures in Prometheus' text format, version 0.0.4: base units, names that end in their unit, counters in `_total`.
public struct MetricsText {
    public private(set) var text = ""

    init() {}

    private mutating func head(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    /// A metric with its rows, each with its labels.
    mutating func add(
        _ name: String, _ type: String, _ help: String, _ rows: [(labels: [(String, String)], value: Double)]
    ) {
        head(name, type, help)
        for row in rows {
            text += name + Self.labels(row.labels) + " " + Self.number(row.value) + "\n"
        }
    }

    mutating func add(_ name: String, _ type: String, _ help: String, _ value: Double) {
        add(name, type, help, [([], value)])
    }

    mutating func add(_ name: String, _ help: String, _ histogram: DurationHistogram) {
        head(name, "histogram", help)
        var sum = 0
        for (place, bound) in DurationHistogram.bounds.enumerated() {
            sum += histogram.counts[place]
            text += "\(name)_bucket{le=\"\(bound)\"} \(sum)\n"
        }
        text += "\(name)_bucket{le=\"+Inf\"} \(histogram.count)\n"
        text += "\(name)_sum \(Self.number(histogram.sum))\n\(name)_count \(histogram.count)\n"
    }

    private static func labels(_ labels: [(String, String)]) -> String {
        guard !labels.isEmpty else { return "" }
        let pairs = labels.map { name, value in
            var escaped = ""
            for character in value {
                switch character {
                case "\\": escaped += "\\\\"
                case "\"": escaped += "\\\""
                case "\n": escaped += "\\n"
                default: escaped.append(character)
                }
            }
            return "\(name)=\"\(escaped)\""
        }
        return "{" + pairs.joined(separator: ",") + "}"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value.description
    }
}

extension LiveDesk {
    /// All metrics of now.
    public func metrics() -> String {
        var text = MetricsText()
        lines(&text)
        exposures(&text)
        orders(&text)
        prices(&text)
        return text.text
    }

    private func lines(_ text: inout MetricsText) {
        text.add(
            "poise_ws_connected", "gauge", "Whether a line is up and confirmed.",
            [
                ([("conn", "market")], ready.contains(.market) ? 1 : 0),
                ([("conn", "trading")], ready.contains(.trading) ? 1 : 0),
            ])
        text.add(
            "poise_ws_lost_total", "counter", "Times that a line was lost or in doubt.",
            [
                ([("conn", "market")], Double(statistics.lostMarket)),
                ([("conn", "trading")], Double(statistics.lostTrading)),
            ])
        text.add("poise_ready", "gauge", "Whether orders may be sent.", desk.isReady ? 1 : 0)
        text.add(
            "poise_book_gaps_total", "counter", "Order books that had to begin anew.",
            Double(statistics.bookGaps))
        text.add(
            "poise_messages_unreadable_total", "counter", "Messages not understood.",
            Double(statistics.unreadable))
        text.add(
            "poise_clock_offset_seconds", "gauge", "The venue's clock less the process's.",
            (clock.offset ?? .nan) / 1_000)
        text.add("poise_journal_seq", "gauge", "The journal's last record.", Double(journal?.last ?? 0))
        let level = KillSwitch.Level.allCases
        text.add(
            "poise_kill_switch", "gauge", "The level of the kill switch: 1 at the one it is at.",
            level.map { ([("level", $0.rawValue)], $0 == desk.killSwitch.level ? 1.0 : 0) })
        text.add(
            "poise_reconcile_last_success_timestamp_seconds", "gauge", "When positions were compared last.",
            Double(statistics.reconciledAt) / 1_000)
        text.add(
            "poise_reconcile_differences", "gauge", "Instruments whose books and venue differ, confirmed.",
            Double(desk.mismatches.count))
    }

    private func exposures(_ text: inout MetricsText) {
        let looks = desk.lookedAt
        func labels(_ exposure: Desk.Exposure) -> [(String, String)] {
            [
                ("book", exposure.book ?? ""), ("underlying", exposure.underlying),
                ("greek", exposure.greek), ("unit", exposure.unit),
            ]
        }
        text.add(
            "poise_exposure", "gauge", "An exposure that has a limit, in its unit.",
            looks.map { (labels($0), $0.value) })
        text.add(
            "poise_limit_low", "gauge", "The lower edge of its band.", looks.map { (labels($0), $0.low) })
        text.add(
            "poise_limit_high", "gauge", "The upper edge of its band.", looks.map { (labels($0), $0.high) })
        text.add(
            "poise_limit_utilisation", "gauge",
            "Distance from the middle of the band in halves of it: above 1 is outside.",
            looks.map { exposure in
                let half = (exposure.high - exposure.low) / 2
                let middle = (exposure.high + exposure.low) / 2
                return (labels(exposure), half.isFinite ? (exposure.value - middle).magnitude / half : .nan)
            })
        text.add(
            "poise_outside_seconds_total", "counter", "Time that a line of limits was outside.",
            desk.timesOutside.map {
                ([("book", $0.book ?? ""), ("underlying", $0.underlying)], Double($0.milliseconds) / 1_000)
            })
    }

    private func orders(_ text: inout MetricsText) {
        let counters = desk.counters
        text.add("poise_decisions_total", "counter", "Looks at a line of limits.", Double(counters.decisions))
        text.add("poise_plans_total", "counter", "Hedges taken up.", Double(counters.plans))
        text.add("poise_orders_sent_total", "counter", "Orders sent.", Double(counters.sent))
        text.add(
            "poise_orders_rejected_total", "counter", "Orders that the venue refused.",
            Double(counters.refused))
        text.add(
            "poise_orders_guarded_total", "counter", "Orders that a guard did not let out.",
            Double(counters.guarded))
        text.add(
            "poise_orders_unknown", "gauge", "Orders whose fate is not known.",
            Double(desk.orders.count { $0.phase == .unknown }))
        text.add(
            "poise_open_orders", "gauge", "Orders that may be matched.",
            Double(desk.orders.count(where: \.isWorking)))
        text.add("poise_fills_total", "counter", "Trades counted.", Double(counters.fills))
        text.add(
            "poise_fills_duplicate_total", "counter", "Trades that came again.", Double(counters.duplicates))
        let cost = counters.shortfall
        text.add(
            "poise_hedge_cost_usd", "gauge",
            "Shortfall against the middle at decision, since the first start.",
            [
                ([("part", "spread")], cost.spread), ([("part", "impact")], cost.impact),
                ([("part", "delay")], cost.delay), ([("part", "fees")], cost.fees),
            ])
        text.add(
            "poise_reports_total", "counter", "What was said, by kind.",
            DeskReport.Kind.allCases.enumerated().map {
                ([("kind", $0.element.rawValue)], Double(statistics.reports[$0.offset]))
            })
        text.add(
            "poise_tick_to_order_seconds",
            "From a message's arrival in the process to its order's leaving, the journal's write between.",
            statistics.tickToOrder)
    }

    private func prices(_ text: inout MetricsText) {
        let time = clock.milliseconds(at: now)
        text.add(
            "poise_index_price_usd", "gauge", "An index.",
            desk.indices.map { ([("index", $0.name)], $0.price) })
        typealias Row = (labels: [(String, String)], value: Double)
        func age(_ channel: String, _ milliseconds: Int) -> Row {
            ([("channel", channel)], Double(milliseconds) / 1_000)
        }
        var ages: [Row] = desk.indices.map { age("index.\($0.name)", time - $0.time) }
        for one in desk.ages {
            ages.append(age("ticker.\(one.name)", one.ticker))
            ages.append(age("book.\(one.name)", one.book))
        }
        text.add("poise_channel_age_seconds", "gauge", "Since an input was new.", ages)
        text.add(
            "poise_equity", "gauge", "Of the account, in its currency.",
            desk.accounts.map { ([("currency", $0.line.currency)], $0.line.equity) })
        text.add(
            "poise_available_funds", "gauge", "Of the account, in its currency.",
            desk.accounts.map { ([("currency", $0.line.currency)], $0.line.availableFunds) })
        text.add("poise_session_result_usd", "gauge", "The day's result at the index.", desk.result.today)
    }
}
