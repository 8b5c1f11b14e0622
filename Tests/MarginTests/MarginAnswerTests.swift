import Foundation
import Greeks
import Margin
import Market
import TestSupport
import Testing

/// What an answer consists of: its form in JSON, and what contracts, expiries and scenarios are called in it.
struct MarginAnswerTests {
    private typealias Object = [String: Any]

    private static func cases() throws -> [MarginCases.Case] {
        try MarginCases(try Source(path: MarginCaseTests.own)).cases
    }

    private static func object(_ answer: MarginAnswer) throws -> Object {
        var json = JSONWriter()
        answer.write(to: &json)
        #expect(json.refused == nil)
        return try #require(try JSONSerialization.jsonObject(with: Data(json.take().utf8)) as? Object)
    }

    /// The reader of the tests may be off by a bit.
    private static func isMember(_ object: Object, _ name: String, _ value: Double?) -> Bool {
        let found = (object[name] as? NSNumber)?.doubleValue
        guard let found, let value else { return found == nil && value == nil }
        return abs(found - value) <= 1e-15 * abs(value)
    }

    private static func areEqual(_ found: [Double]?, _ values: [Double]) -> Bool {
        found?.count == values.count
            && zip(found ?? [], values).allSatisfy { abs($0 - $1) <= 1e-15 * abs($1) }
    }

    @Test("Every figure of an answer stands in its JSON under its own name, and nothing else does")
    func json() throws {
        let engine = try GreeksEngine()
        for one in try Self.cases() {
            let answer = try one.answer(engine)
            let object = try Self.object(answer)
            switch answer {
            case .account(let margin, let prices): Self.compare(object, margin, prices, one.name)
            case .auction(let steps):
                #expect(object.count == 1)
                let list = try #require(object["steps"] as? [Object])
                #expect(list.count == steps.count)
                for (found, step) in zip(list, steps) {
                    let figures = [
                        "buffer_margin_balance": step.bufferBalance, "largest_share": step.largestShare,
                        "share": step.share, "mark_to_market_after": step.markToMarketAfter,
                        "maintenance_margin_balance_after": step.maintenanceBalanceAfter,
                    ]
                    for (name, value) in figures { #expect(Self.isMember(found, name, value), "\(name)") }
                    #expect(
                        Self.isMember(found, "bid", step.bid) && Self.isMember(found, "payout", step.payout))
                    #expect(found.count == 6)
                }
            }
        }
    }

    private static func compare(
        _ object: Object, _ margin: MarginRequirement, _ prices: [Double]?, _ name: String
    ) {
        var figures = [
            "initial_margin": margin.initialMargin, "maintenance_margin": margin.maintenanceMargin,
            "initial_margin_balance": margin.initialBalance,
            "maintenance_margin_balance": margin.maintenanceBalance, "mark_to_market": margin.markToMarket,
        ]
        for (name, value) in margin.figures { figures[name] = value }
        for (member, value) in figures { #expect(isMember(object, member, value), "\(name) \(member)") }
        var members = Set(figures.keys).union(["parts"])
        let parts = object["parts"] as? [Object] ?? []
        #expect(parts.count == margin.parts.count)
        for (found, part) in zip(parts, margin.parts) {
            #expect(found["part"] as? String == part.name && found.count == 3)
            #expect(
                isMember(found, "maintenance", part.maintenance) && isMember(found, "initial", part.initial))
        }
        if !margin.losses.isEmpty {
            members.formUnion(["worst_scenario", "scenario_losses"])
            #expect(object["worst_scenario"] as? String == margin.worst.map { margin.losses[$0].key })
            let losses = object["scenario_losses"] as? Object ?? [:]
            #expect(losses.count == margin.losses.count)
            for loss in margin.losses {
                #expect(isMember(losses, loss.key, loss.loss), "\(name) \(loss.key)")
            }
        }
        for (member, list) in [("by_expiry", margin.byExpiry), ("contributions", margin.byContract)]
        where !list.isEmpty {
            members.insert(member)
            let entries = object[member] as? [Object] ?? []
            #expect(entries.count == list.count)
            for (found, part) in zip(entries, list) {
                #expect(found["underlying"] as? String == part.underlying)
                #expect(found["expiry"] as? String == part.expiry)
                #expect(
                    isMember(found, "maintenance", part.maintenance)
                        && isMember(found, "initial", part.initial))
                let isContract = member == "contributions"
                #expect(found["contract"] as? String == (isContract ? part.contract : nil))
                #expect(isMember(found, "quantity", isContract ? part.quantity : nil))
                #expect(found.count == (isContract ? 6 : 4))
            }
        }
        for (member, list) in [("vectors", margin.vectors), ("by_contract", margin.contractVectors)]
        where !list.isEmpty {
            members.insert(member)
            let vectors = object[member] as? [String: [String: [Double]]] ?? [:]
            #expect(vectors.count == list.count)
            for vector in list {
                #expect(vectors[vector.name]?.count == 2)
                #expect(areEqual(vectors[vector.name]?["standard"], vector.standard))
                #expect(areEqual(vectors[vector.name]?["extended"], vector.extended))
            }
        }
        if let prices {
            members.insert("liquidation_prices")
            #expect(areEqual(object["liquidation_prices"] as? [Double], prices))
        }
        #expect(Set(object.keys) == members, "\(name)")
    }

    @Test(
        "Contributions name what is held, once each, with its quantity; expiries have the sums of their contracts"
    )
    func contributions() throws {
        let engine = try GreeksEngine()
        var expiries = 0
        for one in try Self.cases() {
            guard case .account(_, let market, let account, _) = one.problem,
                case .account(let margin, _) = try one.answer(engine)
            else { continue }
            for part in margin.byContract {
                // Coins that move with a unit are no contract.
                if one.name.hasPrefix("cross"), part.contract == "\(part.underlying) coins" {
                    #expect(part.expiry.isEmpty)
                    continue
                }
                let place = try #require(market.contracts.firstIndex { $0.name == part.contract })
                let contract = market.contracts[place]
                #expect(part.quantity == account.quantities[place] && part.quantity != 0, "\(one.name)")
                #expect(part.underlying == market.underlyings[contract.underlying].name)
                let expiry = contract.expiry.map { market.underlyings[contract.underlying].expiries[$0].name }
                #expect(part.expiry == expiry ?? "")
            }
            #expect(Set(margin.byContract.map(\.contract)).count == margin.byContract.count)
            #expect(Set(margin.byExpiry.map { [$0.underlying, $0.expiry] }).count == margin.byExpiry.count)
            for part in margin.byExpiry { #expect(part.contract.isEmpty && part.quantity == 0) }
            // Derive's standard margin has options by expiry and the rest by contract; a scan's expiries have
            // contingencies that its contracts do not.
            guard !one.name.hasPrefix("standard"), !one.name.hasPrefix("scan") else { continue }
            for part in margin.byExpiry {
                let own = margin.byContract.filter {
                    $0.underlying == part.underlying && $0.expiry == part.expiry
                }
                let size = own.reduce(0) { $0 + $1.initial.magnitude }
                #expect(abs(own.reduce(0) { $0 + $1.initial } - part.initial) <= 1e-13 * size, "\(one.name)")
                #expect(
                    abs(own.reduce(0) { $0 + $1.maintenance } - part.maintenance) <= 1e-13 * size,
                    "\(one.name)")
                expiries += 1
            }
            let named = Set(margin.byContract.map { [$0.underlying, $0.expiry] })
            #expect(named == Set(margin.byExpiry.map { [$0.underlying, $0.expiry] }), "\(one.name)")
        }
        #expect(expiries > 20)
    }

    /// What the parts of these names ask for.
    private static func sum(_ margin: MarginRequirement, _ names: Set<String>) -> (Double, Double) {
        let parts = margin.parts.filter { names.contains($0.name) }
        return (parts.reduce(0) { $0 + $1.maintenance }, parts.reduce(0) { $0 + $1.initial })
    }

    @Test("What expiries and contracts add is the whole of the parts that positions make")
    func attribution() throws {
        let engine = try GreeksEngine()
        var (scans, standards, others) = (0, 0, 0)
        for one in try Self.cases() {
            guard case .account(let model, let market, let account, _) = one.problem,
                case .account(let margin, _) = try one.answer(engine)
            else { continue }
            let size = max(margin.initialMargin.magnitude, margin.markToMarket.magnitude, 1e-9)
            func check(_ found: (Double, Double), _ wanted: (Double, Double), _ what: String) {
                #expect(abs(found.0 - wanted.0) < 1e-11 * size, "\(one.name) \(what), maintenance")
                #expect(abs(found.1 - wanted.1) < 1e-11 * size, "\(one.name) \(what), initial")
            }
            let contracts = (
                margin.byContract.reduce(0) { $0 + $1.maintenance },
                margin.byContract.reduce(0) { $0 + $1.initial }
            )
            let expiries = (
                margin.byExpiry.reduce(0) { $0 + $1.maintenance },
                margin.byExpiry.reduce(0) { $0 + $1.initial }
            )
            switch model.rule {
            case .scan(let scan):
                guard let worst = margin.worst, !margin.byExpiry.isEmpty else { continue }
                let up = scan.initialFactor + scan.pegFactor * max(0, scan.pegThreshold - market.stablePrice)
                // What gains in proportion, less what is collateral, has a contract of its own.
                var (linear, coins) = (0.0, 0.0)
                if worst < scan.grid.count {
                    let scenario = scan.grid.scenarios[worst]
                    for piece in account.collateral where piece.movesWithSpot {
                        coins -= piece.quantity * piece.price / market.stablePrice
                    }
                    coins *= scenario.spot * scenario.dampening
                    for (place, contract) in market.contracts.enumerated()
                    where contract.kind == .perpetual || contract.kind == .spot {
                        let own = market.underlyings[contract.underlying]
                        let price =
                            contract.kind == .spot
                            ? own.spot / market.stablePrice : contract.price ?? own.perpetual?.price ?? .nan
                        if account.quantities[place] == 0 { continue }
                        linear -= account.quantities[place] * price * scenario.spot * scenario.dampening
                    }
                }
                let first = Self.sum(margin, ["worst scenario"])
                let naked = Self.sum(margin, ["naked short options"])
                check(
                    contracts, (first.0 - scan.maintenanceFactor * coins, first.1 - up * coins), "contracts")
                check(
                    expiries,
                    (
                        first.0 + naked.0 - scan.maintenanceFactor * (coins + linear),
                        first.1 + naked.1 - up * (coins + linear)
                    ), "expiries")
                scans += 1
            case .deriveStandard:
                check(expiries, Self.sum(margin, ["options"]), "options")
                check(contracts, Self.sum(margin, ["perpetuals", "coins"]), "contracts")
                standards += 1
            case .deribit, .span: check(contracts, Self.sum(margin, ["worst scenario"]), "worst scenario")
            case .deribitCross:
                check(contracts, Self.sum(margin, ["worst scenarios"]), "worst scenarios")
            case .standardOption: check(contracts, Self.sum(margin, ["short options"]), "short options")
            case .rates:
                check(contracts, Self.sum(margin, ["positions"]), "positions")
                others += 1
            }
        }
        #expect(scans >= 10 && standards == 4 && others == 4)
    }

    @Test("Deribit's vectors: what counts of the sum of the contracts' own, before the dampener")
    func deribitVectors() throws {
        let engine = try GreeksEngine()
        var tried = 0
        for one in try Self.cases() where one.name.hasPrefix("deribit") {
            guard case .account(let model, let market, let account, _) = one.problem,
                case .deribit(let rule) = model.rule, case .account(let margin, _) = try one.answer(engine)
            else { continue }
            let vectors = try #require(margin.vectors.first)
            let name = market.underlyings[0].name
            #expect(margin.vectors.count == 1 && vectors.name == name)
            #expect(vectors.standard.count == 3 * (2 * rule.buckets + 1) && vectors.extended.count == 8)
            #expect(margin.losses.map(\.loss) == (vectors.standard + vectors.extended).map { 0 - $0 })
            #expect(margin.losses.map(\.key) == margin.losses.map(\.title))
            let moves = ["-0.66", "-0.33", "+0.50", "+1.00", "+2.00", "+3.00", "+4.00", "+5.00"]
            #expect(margin.losses.suffix(8).map(\.key) == moves.map { "\(name) \($0) extended" })
            let keys = (-rule.buckets...rule.buckets).flatMap { bucket in
                ["down", "same", "up"].map { side in
                    let move = String(
                        format: "%+.4f", rule.priceRange * Double(bucket) / Double(rule.buckets))
                    return "\(name) \(move) \(side)"
                }
            }
            #expect(margin.losses.prefix(keys.count).map(\.key) == keys)
            let counting = market.contracts.indices.filter {
                account.quantities[$0] != 0 && (rule.countsEquity || market.contracts[$0].kind != .spot)
            }
            #expect(
                Set(margin.contractVectors.map(\.name)) == Set(counting.map { market.contracts[$0].name }))
            for (place, counted) in vectors.standard.enumerated() {
                let sum = margin.contractVectors.reduce(0) { $0 + $1.standard[place] }
                let size = margin.contractVectors.reduce(1e-9) { $0 + $1.standard[place].magnitude }
                #expect(abs((sum > 0 ? sum * rule.offset : sum) - counted) < 1e-12 * size, "\(one.name)")
            }
            for (place, counted) in vectors.extended.enumerated() {
                let move = [-0.66, -0.33, 0.5, 1, 2, 3, 4, 5][place]
                let sum = margin.contractVectors.reduce(0) { $0 + $1.extended[place] }
                let size = margin.contractVectors.reduce(1e-9) { $0 + $1.extended[place].magnitude }
                let side = move < 0 ? -1.0 : 1
                let room =
                    (max(abs(move) / rule.priceRange, 1) - 1) * rule.extendedDampener
                    / ((1 + side * rule.priceRange) * market.underlyings[0].spot)
                let drawn = max(0, abs(sum) - room) * (sum < 0 ? -1 : rule.offset)
                #expect(abs(drawn - counted) < 1e-12 * size, "\(one.name) \(move)")
            }
            tried += 1
        }
        #expect(tried == 5)
    }

    @Test("SPAN's scenarios by number and title; a scan's by number and the grid's own title")
    func titles() throws {
        let engine = try GreeksEngine()
        for one in try Self.cases() {
            guard case .account(let model, _, _, _) = one.problem,
                case .account(let margin, _) = try one.answer(engine)
            else { continue }
            switch model.rule {
            case .span:
                let moves = ["0", "+1/3", "-1/3", "+2/3", "-2/3", "+1", "-1"]
                let titles =
                    moves.flatMap { ["\($0), vol up", "\($0), vol down"] } + ["extreme up", "extreme down"]
                #expect(margin.losses.map(\.title) == titles)
                #expect(margin.losses.map(\.key) == (1...16).map(String.init))
            case .scan(let scan):
                var titles = (0..<scan.grid.count).map { scan.grid.title($0) }
                var keys = (0..<scan.grid.count).map(String.init)
                if scan.basis != nil { (titles, keys) = (titles + ["basis"], keys + ["basis"]) }
                #expect(margin.losses.map(\.title) == titles && margin.losses.map(\.key) == keys)
                #expect(
                    margin.worst.map { margin.losses[$0].loss } == margin.losses.map(\.loss).max(),
                    "\(one.name)")
            default: break
            }
        }
    }

    @Test("An error of a case names the case, where it stands, and what it is about")
    func errors() throws {
        let text = """
            [{"name": "one", "currency": "USD", "cash": 0, "model": {"kind": "rates", "initial_rate": 0.1,
            "maintenance_rate": 0.05}, "market": {"underlyings": {"X": {"spot": 100}}, "contracts": {}}, "positions": []},
            {"name": "two", "currency": "USD", "cash": 0, "model": {"kind": "rates", "initial_rate": 0.1,
            "maintenance_rate": 0.05, "on": "entry"}, "market": {"underlyings": {"X": {"spot": 100}},
            "contracts": {"p": {"kind": "perpetual", "underlying": "X"}}},
            "positions": [{"contract": "p", "quantity": 1}]}]
            """
        let cases = try MarginCases(Source(name: "cases.json", text: text)).cases
        let engine = try GreeksEngine()
        guard case .account(let none, let prices) = try cases[0].answer(engine) else { return }
        #expect(none.initialMargin == 0 && none.markToMarket == 0 && prices == nil)
        let error = try #require(throws: MarginError.self) { try cases[1].answer(engine) }
        #expect(error.place == .line(file: "cases.json", 3))
        #expect(error.field == "two: p: entry" && error.reason.hasPrefix("is missing"))
    }
}
