import Market
import Poise

/// The figures of books, and of all of them in the last rows.
struct TailRiskReport {
    /// Groups that add up to one total.
    struct Part {
        let name: String
        let groups: [[String]]
        /// By level.
        let figures: [TailRiskMeasures]
    }

    let groupings: [Grouping]
    let parts: [Part]
    let numeraire: Numeraire
    /// Whether scenarios are independent draws, so that errors can be told.
    let isDrawn: Bool

    private typealias Figure = (
        name: String, title: String, ofGroup: (TailRiskMeasures, Int) -> Double?,
        ofTotal: (TailRiskMeasures) -> Double?
    )

    private var figures: [Figure] {
        [
            ("var", "VaR", { $0.groupValueAtRisk[$1] }, { $0.valueAtRisk }),
            ("component_var", "of total", { $0.valueAtRiskComponents[$1] }, { $0.valueAtRisk }),
            ("es", "ES", { $0.groupExpectedShortfall[$1] }, { $0.expectedShortfall }),
            (
                "component_es", "of total", { $0.expectedShortfallComponents[$1] }, { $0.expectedShortfall }
            ),
        ]
    }

    private var errors: [Figure] {
        [
            ("var_standard_error", "±", { _, _ in nil }, { $0.valueAtRiskStandardError }),
            ("es_standard_error", "±", { _, _ in nil }, { $0.expectedShortfallStandardError }),
        ]
    }

    /// For people.
    var table: Report<TailRow> { report(figures) }

    /// For programs: with the standard errors of drawn totals.
    var full: Report<TailRow> { report(figures + (isDrawn ? errors : [])) }

    /// A group of a part, or all of it.
    struct TailRow {
        let part: Part
        let group: Int?
    }

    private func report(_ figures: [Figure]) -> Report<TailRow> {
        typealias Column = Report<TailRow>.Column
        let labels = groupings.enumerated().map { place, grouping in
            Column(grouping.rawValue) { row in
                .text(row.group.map { row.part.groups[$0][place] } ?? (place == 0 ? row.part.name : ""))
            }
        }
        let levels = parts.first?.figures.map(\.level) ?? []
        let columns = levels.enumerated().flatMap { place, level in
            let percent = Self.percent(level)
            return figures.map { figure in
                Column(
                    "\(figure.name)_\(percent)_\(numeraire.rawValue)",
                    title: figure.title == "of total" ? figure.title : "\(figure.title) \(percent)%",
                    unit: numeraire.unit
                ) { row in
                    let measures = row.part.figures[place]
                    return Cell(row.group.map { figure.ofGroup(measures, $0) } ?? figure.ofTotal(measures))
                }
            }
        }
        return Report(
            columns: labels + columns,
            rows: parts.flatMap { part in part.groups.indices.map { TailRow(part: part, group: $0) } },
            totals: parts.map { TailRow(part: $0, group: nil) })
    }

    /// 0.975 as `97.5`: with all digits, so that two levels never have one name.
    static func percent(_ level: Double) -> String {
        let digits = "\(level)".dropFirst(2)
        let part = digits.dropFirst(2)
        return digits.prefix(2) + (digits.count == 1 ? "0" : "") + (part.isEmpty ? "" : "." + part)
    }
}

/// The lines below such a report.
struct TailRiskFacts {
    let command: ValueAtRiskCommand
    let history: FactorHistory
    let covariance: FactorCovariance?
    let scenarioCount: Int
    /// When each historical scenario began.
    let windows: [Timestamp]

    /// As it was given, without a fraction of 0.
    private static func plain(_ value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e15 ? "\(Int(value))" : "\(value)"
    }

    /// Lines for people.
    func text(_ report: TailRiskReport) -> String {
        let count = Double(scenarioCount).grouped(decimals: 0)
        let hours = Self.plain(command.horizon)
        var text = ""
        if let first = windows.first, let last = windows.last {
            text += "\(count) windows of \(hours) h, beginning \(first) to \(last)"
        } else {
            text += "\(count) draws over \(hours) h, seed \(command.seed)"
        }
        text += command.method == .deltaGammaVega ? ", through the Greeks" : ", every contract valued anew"
        text += command.timePasses ? "; the time passes" : "; no time decay (see --time-passes)"
        if let first = history.times.first, let last = history.times.last {
            let missing = history.gaps.reduce(0) { $0 + $1.count }
            text += "\n\(history.coins.joined(separator: ", ")): \(history.times.count) candles "
            text += "of \(history.interval / 1000) s, \(first) to \(last), "
            text +=
                history.gaps.isEmpty
                ? "no gaps"
                : "\(history.gaps.count) gap\(history.gaps.count == 1 ? "" : "s") (\(missing) missing): "
                    + "no window reaches across"
        }
        text += "\nvolatilities: \(volatilities)"
        if let covariance {
            text += "\ncovariance: \(command.covariance.rawValue), \(covariance.observationCount) steps, "
            text += "shrunk by \(covariance.shrinkage.significant)"
            for part in report.parts {
                for figures in part.figures {
                    text +=
                        "\n\(part.name) \(TailRiskReport.percent(figures.level))%: standard error "
                        + "\(figures.valueAtRiskStandardError.significant) of VaR, "
                        + "\(figures.expectedShortfallStandardError.significant) of ES"
                }
            }
        }
        return text + "\n"
    }

    private var volatilities: String {
        if !history.hasVolatility { return "as they are" }
        let reach = "beyond 30 days by (30/T)^\(Self.plain(command.termPower))"
        return command.volatilityHistory.isEmpty
            ? "with realised volatility (weight left after a day \(Self.plain(command.decay))), \(reach)"
            : "with their index, \(reach)"
    }

    /// Members of a JSON object.
    func write(by groupings: [Grouping], _ levels: [Double], to json: inout JSONWriter) {
        json.member("method", command.method.rawValue)
        json.member("numeraire", command.inputs.numeraire.rawValue)
        json.line(1)
        json.member("by", groupings.map(\.rawValue))
        json.member("levels", levels)
        json.line(1)
        json.member("horizon_hours", command.horizon)
        json.member("time_passes", command.timePasses)
        json.line(1)
        json.member("scenarios", scenarioCount)
        json.member("first_window", windows.first?.milliseconds)
        json.line(1)
        json.member("last_window", windows.last?.milliseconds)
        json.line(1)
        json.object("history", write(history:))
        json.line(1)
        json.member("volatility", volatilities)
        guard let covariance else { return }
        json.line(1)
        json.member("seed", command.seed)
        json.object("covariance") { json in
            json.member("estimator", command.covariance.rawValue)
            json.line(2)
            json.member("steps", covariance.observationCount)
            json.member("shrinkage", covariance.shrinkage)
            json.line(2)
            json.member("factors", covariance.names)
            let size = covariance.size
            json.member(
                "per_step", (0..<size).map { Array(covariance.matrix[$0 * size..<($0 + 1) * size]) })
        }
    }

    private func write(history json: inout JSONWriter) {
        json.member("coins", history.coins)
        json.member("step_seconds", history.interval / 1000)
        json.line(2)
        json.member("candles", history.times.count)
        json.member("first", history.times.first?.milliseconds)
        json.line(2)
        json.member("last", history.times.last?.milliseconds)
        json.array("gaps") { json in
            for gap in history.gaps {
                json.object { json in
                    json.member("last", gap.last.milliseconds)
                    json.member("next", gap.next.milliseconds)
                    json.member("missing", gap.count)
                }
            }
        }
    }
}
