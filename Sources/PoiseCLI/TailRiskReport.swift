import Market
import Poise

/// The figures of books, and of all of them in the last rows.
struct TailRiskReport {
    /// Groups that add up to one total.
    struct Part {
        let name: String
        let groups: [[String]]
        /// By level.
        let figures: [TailRiskFigures]
    }

    let groupings: [Grouping]
    let parts: [Part]
    let numeraire: Numeraire
    /// Whether scenarios are independent draws, so that errors can be told.
    let isDrawn: Bool

    private typealias Figure = (
        name: String, title: String, ofGroup: (TailRiskFigures, Int) -> Double?,
        ofTotal: (TailRiskFigures) -> Double?
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
            ("var_standard_error", "±", { _, _ in nil }, { $0.valueAtRiskError }),
            ("es_standard_error", "±", { _, _ in nil }, { $0.expectedShortfallError }),
        ]
    }

    /// For people.
    var table: Report { report(figures) }

    /// For programs: with the standard errors of drawn totals.
    var full: Report { report(figures + (isDrawn ? errors : [])) }

    private func report(_ figures: [Figure]) -> Report {
        let unit = numeraire == .usd ? "USD" : "coin"
        let levels = parts.first?.figures.map(\.level) ?? []
        let groups = parts.flatMap { part in part.groups.indices.map { (part, $0) } }
        let columns =
            groupings.map { Report.Column($0.rawValue) }
            + levels.flatMap { level in
                figures.map { figure in
                    Report.Column(
                        "\(figure.name)_\(Self.percent(level))_\(numeraire.rawValue)",
                        title: figure.title == "of total"
                            ? figure.title : "\(figure.title) \(Self.percent(level))%", unit: unit)
                }
            }
        return Report(
            columns: columns, rowCount: groups.count + parts.count, totalCount: parts.count
        ) { row, column in
            let isTotal = row >= groups.count
            if column < groupings.count {
                if isTotal { return .text(column == 0 ? parts[row - groups.count].name : "") }
                let (part, group) = groups[row]
                return .text(part.groups[group][column])
            }
            let (level, number) = (column - groupings.count).quotientAndRemainder(dividingBy: figures.count)
            let value: Double?
            if isTotal {
                value = figures[number].ofTotal(parts[row - groups.count].figures[level])
            } else {
                let (part, group) = groups[row]
                value = figures[number].ofGroup(part.figures[level], group)
            }
            return value.map { .number($0) } ?? .empty
        }
    }

    /// 0.975 as `97.5`.
    static func percent(_ level: Double) -> String {
        let percent = (level * 1e12).rounded() / 1e10
        return percent == percent.rounded() ? "\(Int(percent))" : "\(percent)"
    }
}

/// What stands below such a report.
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
        text += command.timePasses ? "; the time passes" : "; time stands still"
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
                        + "\(figures.valueAtRiskError.significant) of VaR, "
                        + "\(figures.expectedShortfallError.significant) of ES"
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
    func json(by groupings: [Grouping], _ levels: [Double]) -> String {
        func list(_ texts: [String]) -> String { "[" + texts.joined(separator: ", ") + "]" }
        func stamp(_ time: Timestamp?) -> String { time.map { "\($0.milliseconds)" } ?? "null" }
        let gaps = history.gaps.map {
            "{\"last\": \($0.last.milliseconds), \"next\": \($0.next.milliseconds), \"missing\": \($0.count)}"
        }
        var text = """
            "method": "\(command.method.rawValue)", "numeraire": "\(command.inputs.numeraire.rawValue)",
             "by": \(list(groupings.map { JSON.quoted($0.rawValue) })), "levels": \(list(levels.map { "\($0)" })),
             "horizon_hours": \(command.horizon), "time_passes": \(command.timePasses),
             "scenarios": \(scenarioCount), "first_window": \(stamp(windows.first)),
             "last_window": \(stamp(windows.last)),
             "history": {"coins": \(list(history.coins.map(JSON.quoted))), "step_seconds": \(history.interval / 1000),
              "candles": \(history.times.count), "first": \(stamp(history.times.first)),
              "last": \(stamp(history.times.last)), "gaps": \(list(gaps))},
             "volatility": \(JSON.quoted(volatilities))
            """
        if let covariance {
            let rows = (0..<covariance.size).map { row in
                list((0..<covariance.size).map { "\(covariance.matrix[row * covariance.size + $0])" })
            }
            text += """
                ,
                 "seed": \(command.seed), "covariance": {"estimator": "\(command.covariance.rawValue)",
                  "steps": \(covariance.observationCount), "shrinkage": \(covariance.shrinkage),
                  "factors": \(list(covariance.names.map(JSON.quoted))), "per_step": \(list(rows))}
                """
        }
        return text
    }
}
