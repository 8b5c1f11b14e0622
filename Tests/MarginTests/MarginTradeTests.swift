import Foundation
import Greeks
import Margin
import Market
import Risk
import TestSupport
import Testing

/// What trades do to a margin, under every rule, and a margin that is kept live.
struct MarginTradeTests {
    private static func cases() throws -> [(String, MarginModel, MarginMarket, CrossMarginAccount)] {
        try MarginCases(try Source(path: MarginCaseTests.own)).cases.compactMap { one in
            guard case .account(let model, let market, let account, _) = one.problem else { return nil }
            return (one.name, model, market, account)
        }
    }

    /// What a unit of a contract is worth in an account of it alone; nil under rules by which it has no worth of its own.
    private static func worth(
        _ place: Int, _ market: MarginMarket, _ model: MarginModel, _ engine: GreeksEngine
    ) throws -> Double? {
        let own = try CrossMarginAccount(
            currency: "", cash: 0, [CrossMarginAccount.Position(contract: place, quantity: 1)], in: market)
        return try? model.requirement(of: own, in: market, engine).markToMarket
    }

    @Test("A trade at its mark leaves the account's worth, and asks for what the account after it asks for")
    func balances() throws {
        let engine = try GreeksEngine()
        var counts: [String: Int] = [:]
        for (name, model, market, account) in try Self.cases() {
            let before = try model.requirement(of: account, in: market, engine)
            let held = Set(market.contracts.indices.filter { account.quantities[$0] != 0 })
            // Some of what is held, and one contract of each kind that is not.
            var places = Array(held.sorted().prefix(3))
            for kind in MarginMarket.Kind.allCases {
                places += market.contracts.indices.filter { market.contracts[$0].kind == kind }.prefix(1)
            }
            for place in Set(places).sorted() {
                let isPriced: Bool
                if case .span(let span) = model.rule {
                    isPriced = span.countsOptionValue
                } else {
                    isPriced = true
                }
                guard isPriced, let unit = try Self.worth(place, market, model, engine) else { continue }
                let trades = [(contract: place, quantity: 1.5), (contract: place, quantity: -2.0)]
                let found = try model.balances(after: trades, of: account, in: market, engine)
                #expect(found.count == 2)
                for ((_, quantity), figures) in zip(trades, found) {
                    let contract = market.contracts[place]
                    var after = account.after(place, quantity: quantity, paying: quantity * unit)
                    if model.kind == "deribit-cross", contract.settlesInCoin {
                        // Coins pay.
                        let coins = quantity * unit / market.underlyings[contract.underlying].spot
                        after = account.after(place, quantity: quantity, paying: 0)
                            .adding(coins: -coins, of: contract.underlying)
                    }
                    let wanted = try model.requirement(of: after, in: market, engine)
                    let size = max(wanted.initialMargin, wanted.markToMarket.magnitude, 1e-9)
                    let what = "\(name), \(market.contracts[place].name), \(quantity)"
                    #expect(abs(figures.initialMargin - wanted.initialMargin) < 1e-11 * size, "\(what)")
                    #expect(
                        abs(figures.maintenanceMargin - wanted.maintenanceMargin) < 1e-11 * size, "\(what)")
                    #expect(abs(figures.initialBalance - wanted.initialBalance) < 1e-11 * size, "\(what)")
                    #expect(
                        abs(figures.maintenanceBalance - wanted.maintenanceBalance) < 1e-11 * size, "\(what)")
                    #expect(abs(wanted.markToMarket - before.markToMarket) < 1e-11 * size, "\(what)")
                    counts["\(model.kind) \(market.contracts[place].kind.rawValue)", default: 0] += 1
                }
            }
            #expect(try model.balances(after: [], of: account, in: market, engine).isEmpty)
        }
        for kind in [
            "scan option", "scan perpetual", "scan spot", "derive-standard option",
            "derive-standard perpetual",
            "derive-standard spot", "deribit-pm option", "deribit-pm inverse-perpetual",
            "deribit-pm inverse-future",
            "deribit-pm spot", "standard-option option", "span-array option", "rates perpetual",
            "rates inverse-perpetual",
        ] { #expect(counts[kind] ?? 0 > 0, "\(kind)") }
    }

    @Test("An option with a mark is bought at it; under a standard margin what it brings is no security")
    func marks() throws {
        let engine = try GreeksEngine()
        for settlesInCoin in [false, true] {
            var market = MarginMarket()
            var underlying = MarginMarket.Underlying("X", spot: 100)
            underlying.expiries = [MarginMarket.Expiry("e", seconds: 864_000, forward: 100)]
            market.underlyings = [underlying]
            var option = MarginMarket.Contract("c", .option, underlying: 0, expiry: 0)
            (option.type, option.strike, option.mark) = (.call, 120, 0.25)
            market.contracts = [option]
            let side = ShortOptionMargin.Side(initialRate: 0.15, initialLeast: 0.1, maintenanceRate: 0.075)
            let rule = ShortOptionMargin(
                call: side, put: side, reference: .index, settlesInCoin: settlesInCoin)
            let account = try CrossMarginAccount(currency: "X", cash: 50, [], in: market)
            let after = try MarginModel(.standardOption(rule)).balances(
                after: [(0, -2), (0, 2)], of: account, in: market, engine)
            let unit = settlesInCoin ? 1.0 : 100
            // Twenty out of the money: a tenth of the reference and the mark.
            #expect(abs(after[0].initialMargin - 2 * (0.1 * unit + 0.25)) < 1e-12)
            #expect(abs(after[0].maintenanceMargin - 2 * (0.075 * unit + 0.25)) < 1e-12)
            #expect(abs(after[0].markToMarket - 50.5) < 1e-12)
            #expect(after[1].initialMargin == 0 && after[1].maintenanceMargin == 0)
            #expect(abs(after[1].markToMarket - 49.5) < 1e-12)
        }
    }

    /// A market of one underlying with feeds that are not sure, and every contract that a scan takes.
    private static func market() -> MarginMarket {
        var market = MarginMarket()
        market.stablePrice = 0.97
        var underlying = MarginMarket.Underlying("X", spot: 100)
        underlying.confidence = 0.9
        underlying.perpetual = MarginMarket.Perpetual(price: 101)
        underlying.perpetual?.confidence = 0.5
        for (name, days, forward, feeds) in [
            ("near", 5.0, 101.0, (0.45, 0.9, 0.9)), ("far", 200, 104, (0.95, 0.3, 0.9)),
            ("wide", 90, 103, (0.95, 0.9, 0.2)),
        ] {
            var expiry = MarginMarket.Expiry(name, seconds: days * 86400, forward: forward)
            expiry.rate = 0.03
            (expiry.forwardConfidence, expiry.rateConfidence, expiry.volatilityConfidence) = feeds
            underlying.expiries.append(expiry)
        }
        market.underlyings = [underlying]
        for expiry in 0..<3 {
            for (strike, type) in [
                (90.0, Instrument.OptionType.put), (100, .call), (100, .put), (115, .call),
            ] {
                var contract = MarginMarket.Contract(
                    "\(expiry) \(strike) \(type)", .option, underlying: 0, expiry: expiry)
                (contract.strike, contract.type, contract.volatility) = (
                    strike, type, 0.5 + 0.1 * Double(expiry)
                )
                market.contracts.append(contract)
            }
        }
        market.contracts.append(MarginMarket.Contract("P", .perpetual, underlying: 0))
        market.contracts.append(MarginMarket.Contract("X", .spot, underlying: 0))
        return market
    }

    private static func scan(isScaled: Bool, basis: Bool) throws -> ScanMargin {
        var up = ScenarioGrid.VolatilityRule()
        (up.relative, up.shortTermPower, up.longTermPower, up.leastDays) = (0.4, 0.3, 0.13, 1)
        var scenarios: [ScenarioGrid.Scenario] = []
        for spot in [-0.2, -0.1, 0, 0.1, 0.2] {
            for rule in 0..<2 {
                var scenario = ScenarioGrid.Scenario()
                (scenario.spot, scenario.rule) = (spot, rule)
                if spot == 0.2 { scenario.dampening = 0.5 }
                if spot == 0, rule == 1 { scenario.expiryLoss = .absolute }
                scenarios.append(scenario)
            }
        }
        let haircut = ExpiryHaircut(
            long: 0.95, longRateMultiple: 0.5, longAddedRate: 0.1, short: 1.03, shortRateMultiple: 0.4,
            shortAddedRate: 0.1)
        let grid = try ScenarioGrid(
            name: "g", rules: [("same", ScenarioGrid.VolatilityRule()), ("up", up)], scenarios: scenarios,
            haircut: haircut)
        var scan = ScanMargin(grid)
        if basis {
            var contingency = ScanMargin.Basis(moves: [0.05, -0.05])
            (contingency.added, contingency.perYear) = (4, 2)
            scan.basis = contingency
        }
        scan.perpetual = ScanMargin.Contingency(maintenance: 0.03, initial: 0.01)
        scan.spot = ScanMargin.Contingency(maintenance: 0.02, initial: 0.015)
        scan.nakedShort = ScanMargin.Contingency(maintenance: 0.004, initial: 0.006)
        (scan.confidenceThreshold, scan.confidenceFactor) = (0.6, 0.8)
        (scan.maintenanceFactor, scan.initialFactor, scan.areContingenciesScaled) = (0.8, 1.1, isScaled)
        (scan.pegThreshold, scan.pegFactor) = (0.99, 3)
        return scan
    }

    private static func account(_ market: MarginMarket, _ holdings: [(Int, Double)]) throws
        -> CrossMarginAccount
    {
        var account = try CrossMarginAccount(
            currency: "USD", cash: 5000,
            holdings.map {
                var position = CrossMarginAccount.Position(contract: $0.0, quantity: $0.1)
                (position.unrealised, position.funding) = (3, -1)
                return position
            }, in: market)
        for (moves, confidence) in [(true, 0.55), (false, 0.4)] {
            var piece = CrossMarginAccount.Collateral("Y", quantity: 7, price: 30)
            (piece.movesWithSpot, piece.confidence) = (moves, confidence)
            (piece.maintenanceHaircut, piece.initialHaircut) = (0.1, 0.05)
            account.collateral.append(piece)
        }
        return account
    }

    private static func compare(_ live: LiveMargin.Figures, _ fresh: MarginRequirement, _ what: String) {
        let size = max(fresh.initialMargin.magnitude, fresh.markToMarket.magnitude)
        #expect(abs(live.initialMargin - fresh.initialMargin) < 1e-12 * size, "\(what): initial")
        #expect(abs(live.maintenanceMargin - fresh.maintenanceMargin) < 1e-12 * size, "\(what): maintenance")
        #expect(abs(live.markToMarket - fresh.markToMarket) < 1e-12 * size, "\(what): worth")
        #expect(abs(live.initialBalance - fresh.initialBalance) < 1e-12 * size, "\(what)")
        #expect(abs(live.maintenanceBalance - fresh.maintenanceBalance) < 1e-12 * size, "\(what)")
    }

    @Test(
        "A live margin has every term of one computed anew, after every trade, fill and tick",
        arguments: [false, true], [false, true])
    func live(_ isScaled: Bool, _ basis: Bool) throws {
        let engine = try GreeksEngine()
        let scan = try Self.scan(isScaled: isScaled, basis: basis)
        let model = MarginModel(.scan(scan))
        for holdings in [
            [], [(12, 2.0)], [(13, -3.0)], [(0, -4.0), (1, 2), (5, -3), (6, 1), (11, -2)],
            [(1, 3.0), (2, -3), (7, 5), (12, -6), (13, 2)],
        ] {
            var market = Self.market()
            var account = try Self.account(market, holdings)
            let live = try LiveMargin(scan, account, in: market, engine)
            Self.compare(live.figures, try model.requirement(of: account, in: market, engine), "at first")
            for (place, contract) in market.contracts.enumerated() {
                let unit = try #require(try Self.worth(place, market, model, engine))
                for size in [-6.0, -0.5, 0, 0.5, 6] {
                    let after = account.after(place, quantity: size, paying: size * unit)
                    Self.compare(
                        live.margin(after: place, quantity: size),
                        try model.requirement(of: after, in: market, engine), "\(contract.name) \(size)")
                }
            }
            // Fills at other prices than the marks; then a tick of everything.
            for (place, size) in [(0, 2.0), (12, -1), (13, 4), (8, -3), (0, -2), (9, 1)] {
                try live.fill(place, quantity: size, paying: 7 * size)
                account = account.after(place, quantity: size, paying: 7 * size)
            }
            Self.compare(live.figures, try model.requirement(of: account, in: market, engine), "filled")
            market.underlyings[0].spot = 97
            try live.setSpot(97)
            market.underlyings[0].perpetual?.price = 96
            try live.setPerpetual(12, 96)
            for (place, seconds) in [3600.0, 17_000_000, 0].enumerated() {
                market.underlyings[0].expiries[place].forward *= 0.96
                market.underlyings[0].expiries[place].seconds = seconds
                try live.setForward(
                    of: place, market.underlyings[0].expiries[place].forward, seconds: seconds)
            }
            for place in 0..<12 {
                market.contracts[place].volatility = 0.4 + 0.03 * Double(place)
                try live.setVolatility(of: place, 0.4 + 0.03 * Double(place))
            }
            live.update()
            Self.compare(
                live.figures, try model.requirement(of: account, in: market, engine), "after the tick")
        }
    }

    @Test("Models that are not kept live, and several underlyings, are refused")
    func refused() throws {
        let engine = try GreeksEngine()
        let scan = try Self.scan(isScaled: false, basis: false)
        #expect(LiveMargin.keeps(scan))
        func changed(_ change: (inout ScenarioGrid.Scenario) -> Void) throws -> ScanMargin {
            var scenarios = scan.grid.scenarios
            change(&scenarios[1])
            return ScanMargin(
                try ScenarioGrid(
                    name: "g", rules: zip(scan.grid.ruleNames, scan.grid.rules).map { ($0, $1) },
                    scenarios: scenarios))
        }
        var charged = scan
        charged.deltaCharge = ScanMargin.DeltaCharge(net: 0.01, hedged: 0.01)
        let market = Self.market()
        let account = try Self.account(market, [])
        for other in [
            charged, try changed { $0.days = 1 }, try changed { $0.rate = 0.01 },
            try changed { $0.stickiness = .moneyness },
        ] {
            #expect(!LiveMargin.keeps(other))
            let error = #expect(throws: MarginError.self) {
                try LiveMargin(other, account, in: market, engine)
            }
            #expect(error?.field == "model")
        }
        var wider = market
        wider.underlyings.append(MarginMarket.Underlying("Y", spot: 1))
        let error = #expect(throws: MarginError.self) { try LiveMargin(scan, account, in: wider, engine) }
        #expect(error?.field == "underlyings" && error?.value == "2")
        var bare = market
        bare.contracts[3].volatility = nil
        #expect(throws: MarginError.self) { try LiveMargin(scan, account, in: bare, engine) }
    }

    @Test("Ticks and fills that are no numbers, or of no such contract, are refused and change nothing")
    func badTicks() throws {
        let engine = try GreeksEngine()
        let scan = try Self.scan(isScaled: false, basis: true)
        let market = Self.market()
        let live = try LiveMargin(scan, try Self.account(market, [(0, -1), (12, 1)]), in: market, engine)
        let before = live.figures
        func refuses(_ field: String, _ body: () throws -> Void) {
            let error = #expect(throws: MarginError.self) { try body() }
            #expect(error?.field == field, "\(String(describing: error))")
        }
        for bad in [0, -1, .nan, Double.infinity] {
            refuses("spot") { try live.setSpot(bad) }
            refuses("perpetual.price") { try live.setPerpetual(12, bad) }
            refuses("forward") { try live.setForward(of: 0, bad, seconds: 10) }
        }
        refuses("kind") { try live.setPerpetual(0, 100) }
        refuses("seconds") { try live.setForward(of: 0, 100, seconds: .nan) }
        refuses("seconds") { try live.setForward(of: 0, 100, seconds: 2e12) }
        for bad in [-0.01, .nan, 1e9] { refuses("vol") { try live.setVolatility(of: 0, bad) } }
        refuses("kind") { try live.setVolatility(of: 12, 0.5) }
        for bad in [Double.nan, .infinity] {
            refuses("quantity") { try live.fill(0, quantity: bad, paying: 1) }
            refuses("amount") { try live.fill(0, quantity: 1, paying: bad) }
        }
        live.update()
        #expect(live.figures == before)
    }
}
