import Foundation
import Poise

/// An account under one or several margin models as one page for a browser: requirement by part, scenarios, what each
/// expiry and contract adds, liquidation, the time ahead.
struct MarginPage {
    private let reports: [MarginReport]

    init(_ reports: [MarginReport]) { self.reports = reports }

    var html: String {
        Page.html(
            title: "Margin",
            body: """
                <header>
                <h1>Margin</h1>
                <p>What is required is positive; what is left is the account's worth less that, and below 0 a call.</p>
                \(calls)</header>
                \(reports.count > 1 ? overview : "")\(reports.map { MarginSections($0, alone: reports.count == 1).html }.joined())
                """)
    }

    private var calls: String {
        let called = reports.filter { $0.requirement.initialBalance < 0 }
        guard !called.isEmpty else { return "" }
        let list = called.map { report in
            let isMaintenance = report.requirement.maintenanceBalance < 0
            return "\(report.model.name) (\(isMaintenance ? "maintenance" : "initial margin"))"
        }
        return "<p class=\"warning\">Not met: \(list.joined(separator: ", ").escaped).</p>\n"
    }

    /// One row per model.
    private var overview: String {
        """
        <section>
        <h2>Models</h2>
        \(Page.table(
            ["model", "", "initial", "maintenance", "worth", "left over<br>initial", "left over<br>maintenance", "used"],
            reports.map { report in
                let own = MarginSections(report, alone: false)
                let figures = report.requirement
                return [
                    "<td>\(report.model.name.escaped)</td>", "<td>\(report.currency.escaped)</td>",
                    own.cell(figures.initialMargin), own.cell(figures.maintenanceMargin),
                    own.cell(figures.markToMarket), own.cell(figures.initialBalance),
                    own.cell(figures.maintenanceBalance), "<td>\(own.utilisation)</td>",
                ]
            }))</section>

        """
    }
}

/// The sections of one model.
struct MarginSections {
    let report: MarginReport
    /// Whether it is the page's only one.
    private let alone: Bool

    init(_ report: MarginReport, alone: Bool) {
        self.report = report
        self.alone = alone
    }

    private var requirement: MarginRequirement { report.requirement }
    var currency: String { report.currency }

    var html: String {
        let model = report.model
        return """
            <section>
            <h2>\(model.name.escaped)</h2>
            <p>\(model.venue.escaped), parameters of \(model.date.escaped); in \(currency.escaped), as of \
            \("\(report.book.asOf)".escaped). Source: \(model.source.escaped).</p>
            \(figures)\(parts)\(spare)\(omitted)</section>
            <section>
            <h2>Scenarios\(suffix)</h2>
            \(scenarios)</section>
            <section>
            <h2>What adds to it\(suffix)</h2>
            <p>What each adds to the parts that are computed from positions; below 0 it relieves. In \(currency.escaped).</p>
            \(contributions)\(books)</section>
            <section>
            <h2>Liquidation\(suffix)</h2>
            <p>What is left of the account while one price moves and volatilities and time stand still. Below 0 over
            maintenance, positions are liquidated.</p>
            \(liquidations)</section>
            <section>
            <h2>Ahead\(suffix)</h2>
            <p>The margin while time passes and prices and volatilities stand still, and when the rule itself jumps or bends.</p>
            \(ahead)</section>
            \(buffer)\(changes)\(candidates)
            """
    }

    private var suffix: String { alone ? "" : ": \(report.model.name.escaped)" }

    // MARK: Figures

    func cell(_ value: Double?, signed: Bool = true) -> String {
        guard let value, value.isFinite else { return "<td>–</td>" }
        let text = value.significant.replacingOccurrences(of: "-", with: "−")
        return "<td\(signed && value < 0 ? " class=\"bad\"" : "")>\(text)</td>"
    }

    var utilisation: String {
        report.utilisation.map { "\((100 * $0).grouped(decimals: 1))%" } ?? "–"
    }

    private var figures: String {
        let down = report.liquidations.compactMap { at in
            at.below.map { ("\(at.underlying) down", $0, at.spot) }
        }
        let up = report.liquidations.compactMap { at in at.above.map { ("\(at.underlying) up", $0, at.spot) }
        }
        var items = [
            ("worth", requirement.markToMarket.significant, ""),
            ("left over initial margin", requirement.initialBalance.significant, "\(utilisation) used"),
            ("left over maintenance", requirement.maintenanceBalance.significant, ""),
        ]
        for (name, price, spot) in down + up {
            items.append(
                ("liquidated, \(name)", price.significant, ScenarioGrid.percent(rounded(price / spot - 1))))
        }
        return "<dl class=\"figures\">"
            + items.map { name, value, note in
                let value = value.replacingOccurrences(of: "-", with: "−")
                let bad = value.hasPrefix("−") ? " class=\"bad\"" : ""
                return "<div><dt>\(name.escaped)</dt><dd\(bad)>\(value.escaped)"
                    + "\(note.isEmpty ? "" : "<small>\(note.escaped)</small>")</dd></div>"
            }.joined(separator: "\n") + "</dl>\n"
    }

    /// A move to a hundredth of a percent.
    private func rounded(_ move: Double) -> Double { (move * 1e4).rounded() / 1e4 }

    private var parts: String {
        let rows = requirement.parts.map { part in
            [
                "<td>\(part.name.escaped)</td>", cell(part.maintenance, signed: false),
                cell(part.initial, signed: false),
            ]
        }
        let totals = [
            [
                "<td><b>required</b></td>", cell(requirement.maintenanceMargin),
                cell(requirement.initialMargin),
            ],
            ["<td><b>left</b></td>", cell(requirement.maintenanceBalance), cell(requirement.initialBalance)],
        ]
        return Page.table(
            ["part, \(currency.escaped)", "maintenance", "initial"], rows + totals)
    }

    private var spare: String {
        guard !report.spareCollateral.isEmpty else { return "" }
        return "<p>Of the collateral, each by itself and all else as it is, so much may leave.</p>\n"
            + Page.table(
                ["asset", "there", "may leave"],
                zip(report.book.account.collateral, report.spareCollateral).map { piece, coins in
                    ["<td>\(piece.asset.escaped)</td>", cell(piece.quantity), cell(coins)]
                })
    }

    private var omitted: String {
        list("Left out of it", report.model.omitted)
            + list("Of the account's file, without effect in this model", report.book.withoutEffect)
    }

    private func list(_ title: String, _ texts: [String]) -> String {
        guard !texts.isEmpty else { return "" }
        let items = texts.map { "<li>\($0.escaped)</li>" }.joined(separator: "\n")
        return "<h3>\(title)</h3>\n<ul>\(items)</ul>\n"
    }

    private var contributions: String {
        guard !requirement.byContract.isEmpty || !requirement.byExpiry.isEmpty else {
            return "<p>This rule does not say.</p>\n"
        }
        return bars("expiry", requirement.byExpiry) { $0.expiry.isEmpty ? "no expiry" : $0.expiry }
            + bars("contract", requirement.byContract) { $0.contract }
    }

    /// The largest 40 as bars to both sides of 0.
    private func bars(
        _ title: String, _ all: [MarginRequirement.Contribution],
        _ name: (MarginRequirement.Contribution) -> String
    ) -> String {
        let own = all.sorted { abs($0.initial) > abs($1.initial) }
        guard let largest = own.first.map({ abs($0.initial) }) else { return "" }
        let isContract = own.contains { !$0.contract.isEmpty }
        var header = [title, isContract ? "quantity" : "underlying", "maintenance", "initial", ""]
        header[4] = "relieves, adds"
        let rows = own.prefix(40).map { part in
            let share = largest > 0 ? 50 * abs(part.initial) / largest : 0
            let left = part.initial < 0 ? 50 - share : 50
            let style = "left:\(left.grouped(decimals: 1))%;width:\(share.grouped(decimals: 1))%"
            return [
                "<td>\(name(part).escaped)</td>",
                isContract ? cell(part.quantity, signed: false) : "<td>\(part.underlying.escaped)</td>",
                cell(part.maintenance, signed: false), cell(part.initial, signed: false),
                "<td class=\"bar\"><b class=\"\(part.initial < 0 ? "buy" : "sell")\" style=\"\(style)\"></b></td>",
            ]
        }
        let more = own.count > 40 ? "<p>and \(own.count - 40) more, in csv and json</p>\n" : ""
        return Page.table(header, rows) + more
    }

    private var books: String {
        guard let shares = report.shares else { return "" }
        let rows = shares.shares.map { share in
            [
                "<td>\(share.name.escaped)</td>", cell(share.maintenance, signed: false),
                cell(share.initial, signed: false), cell(share.initialAlone, signed: false),
            ]
        }
        let common = [
            "<td>of no book</td>", cell(shares.commonMaintenance), cell(shares.commonInitial), "<td></td>",
        ]
        return
            "<h3>Books</h3>\n<p>Shares by marginal contribution, which add up to what is required; alone is without "
            + "the others.</p>\n"
            + Page.table(["book", "maintenance", "initial", "initial alone"], rows + [common])
    }

    private var buffer: String {
        guard let relief = report.relief else { return "" }
        let words =
            switch relief.status {
            case .met: "It is there already."
            case .restored: "These moves restore it at the least cost, \(relief.cost.significant)."
            case .short:
                "It is not to be had: \((relief.buffer - relief.after).significant) is missing after these."
            case .unfinished:
                "The search ended before it was proved: these moves leave \(relief.after.significant)."
            }
        return """
            <section>
            <h2>Buffer\(suffix)</h2>
            <p>\(relief.buffer.significant) \(currency.escaped) over initial margin. \(words)</p>
            \(Page.table(
                ["move", "arrives", "cost"],
                zip(report.book.moves, relief.worths).map { move, worth in
                    ["<td>\(move.name.escaped)</td>", cell(worth), cell(move.cost * worth)]
                }))</section>

            """
    }

    private var changes: String {
        guard let changes = report.changes else { return "" }
        let rows = changes.changes.map { change in
            [
                "<td class=\"words\">\(change.field.escaped)</td>",
                "<td class=\"words\">\((change.before ?? "none").escaped)</td>",
                "<td class=\"words\">\((change.after ?? "none").escaped)</td>",
                cell(change.maintenance), cell(change.initial),
            ]
        }
        let all = [
            "<td><b>all</b></td>", "<td></td>", "<td></td>", cell(changes.maintenance), cell(changes.initial),
        ]
        return """
            <section>
            <h2>Changes of parameters\(suffix)</h2>
            <p>What differs from the model before, and what each difference alone does to the margins.</p>
            \(Page.table(["field", "before", "after", "maintenance +/−", "initial +/−"], rows + [all]))</section>

            """
    }

    private var candidates: String {
        guard !report.candidates.isEmpty else { return "" }
        let now = requirement.initialBalance
        return """
            <section>
            <h2>Candidates\(suffix)</h2>
            <p>The margins after each trade, done by itself and at its mark.</p>
            \(Page.table(
                ["instrument", "quantity", "maintenance", "initial", "left over<br>initial", "change of<br>what is left"],
                report.candidates.map { trade in
                    [
                        "<td>\(trade.contract.escaped)</td>", cell(trade.quantity, signed: false),
                        cell(trade.maintenanceMargin), cell(trade.initialMargin), cell(trade.initialBalance),
                        cell(trade.initialBalance - now),
                    ]
                }))</section>

            """
    }
}
