import Poise

/// An account under one model.
struct MarginReport {
    /// The maintenance balance is 0 at these prices of an underlying.
    struct Liquidation {
        let underlying: String
        let spot: Double
        let prices: [Double]

        var below: Double? { prices.last { $0 < spot } }
        var above: Double? { prices.first { $0 > spot } }
    }

    /// What is left at a price of an underlying, or after a time.
    struct Point {
        /// A price, or days.
        let at: Double
        let initialMargin, maintenanceMargin, initialBalance, maintenanceBalance: Double

        init(at place: Double, _ requirement: MarginRequirement) {
            at = place
            initialMargin = requirement.initialMargin
            maintenanceMargin = requirement.maintenanceMargin
            initialBalance = requirement.initialBalance
            maintenanceBalance = requirement.maintenanceBalance
        }
    }

    /// The account after one trade.
    struct Candidate {
        let contract: String
        let quantity: Double
        let initialMargin, maintenanceMargin, initialBalance, maintenanceBalance: Double
    }

    /// A row of the table for programs.
    struct Row {
        let model, section, name: String
        var underlying = ""
        var expiry = ""
        var quantity: Double?
        var maintenance: Double?
        var initial: Double?
        var value: Double?
    }

    let model: MarginModel
    let book: MarginBook
    let requirement: MarginRequirement
    let liquidations: [Liquidation]
    let candidates: [Candidate]
    /// Coins of each piece of collateral that may leave.
    let spareCollateral: [Double]
    /// In whole numbers, where asked for.
    var exact: ExactMargin?
    /// Ahead, where asked for.
    var steps: [MarginStep]?
    /// What restores a buffer, where one is asked for.
    var relief: MarginRelief?
    /// What differs from the model before, where asked for.
    var changes: MarginModelChanges?
    /// Of the books, where there are several.
    let shares: MarginShares?
    /// For a page: along the price of each of `liquidations`, and along the time.
    var alongPrice: [[Point]] = []
    var alongTime: [Point] = []

    init(
        _ model: MarginModel, _ book: MarginBook, within range: ClosedRange<Double>, _ engine: GreeksEngine
    ) throws {
        self.model = model
        self.book = book
        requirement = try model.requirement(of: book.account, in: book.market, engine)
        spareCollateral = try model.spareCollateral(of: book.account, in: book.market, engine)
        var liquidations: [Liquidation] = []
        for (number, underlying) in book.market.underlyings.enumerated() {
            let prices = try model.liquidationPrices(
                of: book.account, in: book.market, underlying: number,
                within: range.lowerBound * underlying.spot...range.upperBound * underlying.spot, points: 400,
                engine)
            liquidations.append(
                Liquidation(underlying: underlying.name, spot: underlying.spot, prices: prices))
        }
        self.liquidations = liquidations
        shares =
            book.books.count > 1
            ? try model.shares(of: book.account, among: book.books, in: book.market, engine) : nil
        let after = try model.balances(
            after: book.candidates, of: book.account, in: book.market, engine)
        candidates = zip(book.candidates, after).map { trade, figures in
            Candidate(
                contract: book.market.contracts[trade.contract].name, quantity: trade.quantity,
                initialMargin: figures.initialMargin, maintenanceMargin: figures.maintenanceMargin,
                initialBalance: figures.initialBalance, maintenanceBalance: figures.maintenanceBalance)
        }
    }

    var currency: String { book.account.currency }

    /// The share of the account's worth that initial margin takes; nil where it is worth nothing.
    var utilisation: Double? {
        requirement.markToMarket > 0 ? requirement.initialMargin / requirement.markToMarket : nil
    }

    /// Adds what a page draws.
    /// - Parameters:
    ///   - range: of prices, as multiples of the index, beyond which nothing is shown.
    ///   - days: ahead.
    mutating func addCurves(
        within range: ClosedRange<Double>, ahead days: Double, _ engine: GreeksEngine
    ) throws {
        for (number, liquidation) in liquidations.enumerated() {
            let spot = liquidation.spot
            let low = max(range.lowerBound * spot, min(0.6 * spot, 0.9 * (liquidation.below ?? spot)))
            let high = min(range.upperBound * spot, max(1.5 * spot, 1.1 * (liquidation.above ?? spot)))
            let even = (0...160).map { low + (high - low) * Double($0) / 160 }
            let prices = (even + [spot]).sorted()
            let margins = try model.requirements(
                of: book.account, in: book.market, underlying: number, at: prices, engine)
            alongPrice.append(zip(prices, margins).map { Point(at: $0, $1) })
        }
        guard days > 0 else { return }
        let even = (0...60).map { days * Double($0) / 60 }
        let beside = (steps ?? []).flatMap { [$0.seconds - 1, $0.seconds + 1] }.map { $0 / 86400 }
        for time in (even + beside.filter { $0 > 0 && $0 <= days }).sorted() {
            alongTime.append(
                Point(
                    at: time,
                    try model.requirement(of: book.account, in: book.market, after: 86400 * time, engine)))
        }
    }

    // MARK: Forms

    static func write(_ reports: [MarginReport], as format: Format, to output: Output) throws {
        switch format {
        case .table:
            for (number, report) in reports.enumerated() {
                if number > 0 { try output.write("\n\n") }
                try report.writeTable(to: output)
            }
        case .csv: try long(reports.flatMap(\.rows)).writeCSV(to: output)
        case .json:
            try output.writeJSON { json in
                json.object { json in
                    json.member("models") { json in
                        json.array(lines: 1) { json in
                            for report in reports { json.object { report.write(to: &$0) } }
                        }
                    }
                    json.line()
                }
            }
        }
    }

    static func write(_ answers: [(String, MarginAnswer)], as format: Format, to output: Output) throws {
        if format == .json {
            return try output.writeJSON { json in
                json.object { json in
                    for (name, answer) in answers {
                        json.line(1)
                        json.member(name, answer)
                    }
                    json.line()
                }
            }
        }
        var rows: [Row] = []
        for (name, answer) in answers {
            switch answer {
            case .account(let requirement, let prices):
                rows += summary(of: requirement, model: name)
                for price in prices ?? [] {
                    rows.append(Row(model: name, section: "liquidation", name: "price", value: price))
                }
            case .auction(let steps):
                for (number, step) in steps.enumerated() {
                    rows.append(
                        Row(
                            model: name, section: "auction", name: "step \(number)", quantity: step.share,
                            maintenance: step.maintenanceBalanceAfter, value: step.bid ?? step.payout))
                }
            }
        }
        try long(rows, first: "case").write(as: format, to: output)
    }

    private static func summary(of requirement: MarginRequirement, model: String) -> [Row] {
        [
            Row(
                model: model, section: "margin", name: "required", maintenance: requirement.maintenanceMargin,
                initial: requirement.initialMargin, value: requirement.markToMarket),
            Row(
                model: model, section: "margin", name: "headroom",
                maintenance: requirement.maintenanceBalance,
                initial: requirement.initialBalance),
        ]
            + requirement.parts.map {
                Row(
                    model: model, section: "part", name: $0.name, maintenance: $0.maintenance,
                    initial: $0.initial)
            }
    }

    private static func long(_ rows: [Row], first: String = "model") -> Report<Row> {
        typealias Column = Report<Row>.Column
        return Report(
            columns: [
                Column(first) { .text($0.model) }, Column("section") { .text($0.section) },
                Column("name") { .text($0.name) }, Column("underlying") { .text($0.underlying) },
                Column("expiry") { .text($0.expiry) },
                Column("quantity", style: .significant) { Cell($0.quantity) },
                Column("maintenance", style: .significant) { Cell($0.maintenance) },
                Column("initial", style: .significant) { Cell($0.initial) },
                Column("value", style: .significant) { Cell($0.value) },
            ], rows: rows)
    }

    var rows: [Row] {
        var rows = Self.summary(of: requirement, model: model.name)
        func add(_ section: String, _ name: String, _ part: MarginRequirement.Contribution) {
            rows.append(
                Row(
                    model: model.name, section: section, name: name, underlying: part.underlying,
                    expiry: part.expiry, quantity: part.contract.isEmpty ? nil : part.quantity,
                    maintenance: part.maintenance, initial: part.initial))
        }
        for loss in requirement.losses {
            rows.append(Row(model: model.name, section: "scenario", name: loss.title, value: loss.loss))
        }
        for part in requirement.byExpiry { add("expiry", part.expiry, part) }
        for part in requirement.byContract { add("contract", part.contract, part) }
        if let shares {
            func share(_ name: String, _ maintenance: Double, _ initial: Double, alone: Double?) {
                rows.append(
                    Row(
                        model: model.name, section: "book", name: name, maintenance: maintenance,
                        initial: initial, value: alone))
            }
            for own in shares.shares {
                share(own.name, own.maintenance, own.initial, alone: own.initialAlone)
            }
            share("of no book", shares.commonMaintenance, shares.commonInitial, alone: nil)
        }
        if let relief {
            for (move, worth) in zip(book.moves, relief.worths) {
                rows.append(
                    Row(
                        model: model.name, section: "move", name: move.name, quantity: worth,
                        value: move.cost * worth))
            }
            rows.append(
                Row(
                    model: model.name, section: "buffer", name: relief.status.rawValue,
                    quantity: relief.buffer,
                    initial: relief.after, value: relief.cost))
        }
        if let changes {
            for change in changes.changes {
                rows.append(
                    Row(
                        model: model.name, section: "change",
                        name: "\(change.field): \(change.before ?? "none") → \(change.after ?? "none")",
                        maintenance: change.maintenance, initial: change.initial))
            }
            rows.append(
                Row(
                    model: model.name, section: "change", name: "all", maintenance: changes.maintenance,
                    initial: changes.initial))
        }
        for liquidation in liquidations {
            for price in liquidation.prices {
                rows.append(
                    Row(
                        model: model.name, section: "liquidation", name: "price",
                        underlying: liquidation.underlying, value: price))
            }
        }
        for step in steps ?? [] {
            rows.append(
                Row(
                    model: model.name, section: "ahead", name: step.cause.rawValue,
                    underlying: step.underlying, expiry: step.expiry, quantity: step.seconds / 86400,
                    maintenance: step.maintenanceAfter - step.maintenanceBefore,
                    initial: step.initialAfter - step.initialBefore, value: step.maintenanceBalanceAfter))
        }
        for (piece, coins) in zip(book.account.collateral, spareCollateral) {
            rows.append(Row(model: model.name, section: "spare", name: piece.asset, quantity: coins))
        }
        for field in book.withoutEffect {
            rows.append(Row(model: model.name, section: "without effect", name: field))
        }
        for trade in candidates {
            rows.append(
                Row(
                    model: model.name, section: "candidate", name: trade.contract, quantity: trade.quantity,
                    maintenance: trade.maintenanceMargin, initial: trade.initialMargin,
                    value: trade.initialBalance - requirement.initialBalance))
        }
        return rows
    }
}
