import Poise

extension MarginReport {
    func writeTable(to output: Output) throws {
        try output.write("\(model.name), \(model.venue): parameters of \(model.date)\n")
        try output.write("in \(currency), as of \(book.asOf)\n\n")
        typealias Column = Report<Row>.Column
        func columns(_ title: String) -> [Column] {
            [
                Column("name", title: title) { .text($0.name) },
                Column("maintenance", unit: currency) { Cell($0.maintenance) },
                Column("initial", unit: currency) { Cell($0.initial) },
            ]
        }
        let all = rows
        try Report(
            columns: columns("part"), rows: all.filter { $0.section == "part" },
            totals: all.filter { $0.section == "margin" }
        ).writeTable(to: output)
        try output.write("\nworth \(requirement.markToMarket.significant) \(currency)")
        if let utilisation {
            try output.write(", \((100 * utilisation).grouped(decimals: 1))% used for initial margin")
        }
        if let worst = requirement.worst {
            let loss = requirement.losses[worst]
            try output.write(", worst scenario \(loss.title): \(loss.loss.significant) lost")
        }
        try output.write("\n")
        if let exact {
            try output.write(
                "in whole numbers of 10⁻⁸ \(currency): initial \(exact.initialMargin), "
                    + "maintenance \(exact.maintenanceMargin), worth \(exact.markToMarket)\n")
        }
        let spare = zip(book.account.collateral, spareCollateral).map { piece, coins in
            "\(coins.significant) of \(piece.quantity.significant) \(piece.asset)"
        }
        if !spare.isEmpty {
            try output.write("may leave, each by itself: \(spare.joined(separator: ", "))\n")
        }
        for liquidation in liquidations { try output.write(text(of: liquidation) + "\n") }
        try MarginScenarioTable(requirement, currency: currency).write(to: output)
        try writeContributions(all, "expiry", to: output)
        try writeContributions(all, "contract", to: output)
        try writeShares(all, to: output)
        try writeSteps(to: output)
        try writeRelief(to: output)
        try writeChanges(all, to: output)
        let trades = all.filter { $0.section == "candidate" }
        if !trades.isEmpty {
            try output.write("\n")
            try Report(
                columns: [
                    Column("candidate") { .text($0.name) }, Column("quantity") { Cell($0.quantity) },
                    Column("maintenance", unit: currency) { Cell($0.maintenance) },
                    Column("initial", unit: currency) { Cell($0.initial) },
                    Column("headroom", title: "headroom +/-", unit: currency) { Cell($0.value) },
                ], rows: trades
            ).writeTable(to: output)
        }
        for term in model.omitted { try output.write("\nleft out: \(term)") }
        if !model.omitted.isEmpty { try output.write("\n") }
        if !book.withoutEffect.isEmpty {
            try output.write(
                "\nwithout effect in this model: \(book.withoutEffect.joined(separator: ", "))\n")
        }
    }

    private func writeShares(_ all: [Row], to output: Output) throws {
        guard shares != nil else { return }
        typealias Column = Report<Row>.Column
        try output.write("\n")
        try Report(
            columns: [
                Column("book") { .text($0.name) },
                Column("maintenance", title: "shares in maintenance", unit: currency) {
                    Cell($0.maintenance)
                },
                Column("initial", title: "in initial", unit: currency) { Cell($0.initial) },
                Column("alone", title: "initial alone", unit: currency) { Cell($0.value) },
            ], rows: all.filter { $0.section == "book" }
        ).writeTable(to: output)
    }

    private func writeRelief(to output: Output) throws {
        guard let relief else { return }
        let asked = "\(relief.buffer.significant) \(currency) over initial margin"
        switch relief.status {
        case .met:
            return try output.write("\n\(asked): left as it is, \(relief.before.significant)\n")
        case .restored:
            try output.write("\n\(asked), at the least cost of \(relief.cost.significant):\n\n")
        case .short:
            try output.write(
                "\n\(asked): not to be had; \((relief.buffer - relief.after).significant) is missing"
                    + (book.moves.isEmpty
                        ? ", and the account lists no moves\n" : " after those that leave most:\n\n"))
        case .unfinished:
            try output.write("\n\(asked): not solved; these moves leave \(relief.after.significant):\n\n")
        }
        typealias Column = Report<(move: CollateralMove, worth: Double)>.Column
        guard !book.moves.isEmpty else { return }
        try Report(
            columns: [
                Column("move") { .text($0.move.name) },
                Column("worth", title: "arrives", unit: currency) { .number($0.worth) },
                Column("cost", unit: currency) { .number($0.move.cost * $0.worth) },
            ], rows: zip(book.moves, relief.worths).map { (move: $0, worth: $1) }
        ).writeTable(to: output)
    }

    private func writeChanges(_ all: [Row], to output: Output) throws {
        guard changes != nil else { return }
        typealias Column = Report<Row>.Column
        try output.write("\n")
        try Report(
            columns: [
                Column("change", title: "change of parameters") { .text($0.name) },
                Column("maintenance", title: "maintenance +/-", unit: currency) { Cell($0.maintenance) },
                Column("initial", title: "initial +/-", unit: currency) { Cell($0.initial) },
            ], rows: all.filter { $0.section == "change" && $0.name != "all" },
            totals: all.filter { $0.section == "change" && $0.name == "all" }
        ).writeTable(to: output)
    }

    private func writeSteps(to output: Output) throws {
        guard let steps else { return }
        guard !steps.isEmpty else { return try output.write("\nno step of the rule in the time ahead\n") }
        typealias Column = Report<MarginStep>.Column
        try output.write("\n")
        try Report(
            columns: [
                Column("ahead", title: "in days", style: .significant) { .number($0.seconds / 86400) },
                Column("cause") { .text($0.cause.rawValue) }, Column("expiry") { .text($0.expiry) },
                Column("initial", title: "initial before", unit: currency) { .number($0.initialBefore) },
                Column("after", unit: currency) { .number($0.initialAfter) },
                Column("later", title: "a day later", unit: currency) { .number($0.initialDayLater) },
                Column("left", title: "left over maintenance", unit: currency) {
                    .number($0.maintenanceBalanceAfter)
                },
            ], rows: steps
        ).writeTable(to: output)
    }

    /// The twelve that add or relieve most.
    private func writeContributions(_ all: [Row], _ section: String, to output: Output) throws {
        let own = all.filter { $0.section == section && !$0.name.isEmpty }
            .sorted { abs($0.initial ?? 0) > abs($1.initial ?? 0) }
        guard !own.isEmpty else { return }
        typealias Column = Report<Row>.Column
        try output.write("\n")
        try Report(
            columns: [
                Column("name", title: section) { .text($0.name) },
                Column("maintenance", title: "adds to maintenance", unit: currency) { Cell($0.maintenance) },
                Column("initial", title: "to initial", unit: currency) { Cell($0.initial) },
            ], rows: Array(own.prefix(12))
        ).writeTable(to: output)
        if own.count > 12 { try output.write("and \(own.count - 12) more, in csv and json\n") }
    }

    private func text(of liquidation: Liquidation) -> String {
        guard !liquidation.prices.isEmpty else {
            return
                "\(liquidation.underlying) at \(liquidation.spot.significant): "
                + (requirement.maintenanceBalance < 0
                    ? "maintenance is not met as it is, nor at another price in range"
                    : "no liquidation price in range")
        }
        let prices = liquidation.prices.map { price in
            "\(price.significant) (\(ScenarioGrid.percent(price / liquidation.spot - 1)))"
        }
        return
            "\(liquidation.underlying) at \(liquidation.spot.significant): headroom over maintenance is 0 at "
            + prices.joined(separator: ", ")
    }

    func write(to json: inout JSONWriter) {
        json.member("model", model.name)
        json.member("venue", model.venue)
        json.member("source", model.source)
        json.member("date", model.date)
        json.member("left_out", model.omitted)
        if !book.withoutEffect.isEmpty { json.member("without_effect", book.withoutEffect) }
        json.member("currency", currency)
        json.member("as_of", "\(book.asOf)")
        requirement.writeMembers(to: &json)
        json.member("utilisation", utilisation)
        if !spareCollateral.isEmpty {
            json.array("collateral") { json in
                for (piece, coins) in zip(book.account.collateral, spareCollateral) {
                    json.object { json in
                        json.member("asset", piece.asset)
                        json.member("quantity", piece.quantity)
                        json.member("spare", coins)
                    }
                }
            }
        }
        if let exact {
            // As text: a reader's doubles do not hold them.
            json.object("exact") { json in
                json.member("decimals", ExactMargin.moneyDecimals)
                json.member("initial_margin", "\(exact.initialMargin)")
                json.member("maintenance_margin", "\(exact.maintenanceMargin)")
                json.member("mark_to_market", "\(exact.markToMarket)")
                json.object("scenario_losses") { json in
                    for (key, loss) in exact.losses { json.member(key, "\(loss)") }
                }
            }
        }
        if let steps {
            json.array("ahead") { json in
                for step in steps {
                    json.object { json in
                        json.member("cause", step.cause.rawValue)
                        json.member("underlying", step.underlying)
                        json.member("expiry", step.expiry)
                        json.member("seconds", step.seconds)
                        json.member("initial_before", step.initialBefore)
                        json.member("initial_after", step.initialAfter)
                        json.member("initial_day_later", step.initialDayLater)
                        json.member("maintenance_before", step.maintenanceBefore)
                        json.member("maintenance_after", step.maintenanceAfter)
                        json.member("maintenance_margin_balance_after", step.maintenanceBalanceAfter)
                    }
                }
            }
        }
        writeMembersOfBooks(to: &json)
        json.member("liquidation") { json in
            json.array { json in
                for liquidation in liquidations {
                    json.object { json in
                        json.member("underlying", liquidation.underlying)
                        json.member("spot", liquidation.spot)
                        json.member("below", liquidation.below)
                        json.member("above", liquidation.above)
                        json.member("prices", liquidation.prices)
                    }
                }
            }
        }
        json.member("candidates") { json in
            json.array { json in
                for trade in candidates {
                    json.object { json in
                        json.member("instrument", trade.contract)
                        json.member("quantity", trade.quantity)
                        json.member("maintenance_margin", trade.maintenanceMargin)
                        json.member("initial_margin", trade.initialMargin)
                        json.member("maintenance_margin_balance", trade.maintenanceBalance)
                        json.member("initial_margin_balance", trade.initialBalance)
                    }
                }
            }
        }
    }

    private func writeMembersOfBooks(to json: inout JSONWriter) {
        if let shares {
            json.object("books") { json in
                for share in shares.shares {
                    json.object(share.name) { json in
                        json.member("maintenance", share.maintenance)
                        json.member("initial", share.initial)
                        json.member("maintenance_alone", share.maintenanceAlone)
                        json.member("initial_alone", share.initialAlone)
                    }
                }
            }
            json.object("of_no_book") { json in
                json.member("maintenance", shares.commonMaintenance)
                json.member("initial", shares.commonInitial)
            }
        }
        if let relief {
            json.object("buffer") { json in
                json.member("status", relief.status.rawValue)
                json.member("asked", relief.buffer)
                json.member("before", relief.before)
                json.member("after", relief.after)
                json.member("cost", relief.cost)
                json.member("bound", relief.bound.isFinite ? relief.bound : nil)
                json.object("moves") { json in
                    for (move, worth) in zip(book.moves, relief.worths) { json.member(move.name, worth) }
                }
            }
        }
        if let changes {
            json.array("changes") { json in
                for change in changes.changes {
                    json.object { json in
                        json.member("field", change.field)
                        json.member("before", change.before)
                        json.member("after", change.after)
                        json.member("maintenance", change.maintenance)
                        json.member("initial", change.initial)
                    }
                }
            }
            json.object("all_changes") { json in
                json.member("maintenance", changes.maintenance)
                json.member("initial", changes.initial)
            }
        }
    }
}
