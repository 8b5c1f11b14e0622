import Foundation
import Greeks
import Margin
import Market
import Risk
import TestSupport
import Testing

/// Rules by figures that can be worked out by hand, and inputs that no rule accepts.
struct MarginRuleTests {
    // MARK: What is not accepted

    /// A market with everything in it, and an account that holds none of it.
    private static func whole() throws -> (market: MarginMarket, account: CrossMarginAccount) {
        var market = MarginMarket()
        var underlying = MarginMarket.Underlying("X", spot: 100)
        underlying.perpetual = MarginMarket.Perpetual(price: 100)
        underlying.expiries = [MarginMarket.Expiry("e", seconds: 864_000, forward: 100)]
        market.underlyings = [underlying]
        var option = MarginMarket.Contract("c", .option, underlying: 0, expiry: 0)
        (option.type, option.strike, option.volatility, option.mark) = (.call, 100, 0.5, 1)
        option.gains = Array(repeating: 0, count: 16)
        var perpetual = MarginMarket.Contract("p", .perpetual, underlying: 0)
        perpetual.price = 100
        market.contracts = [option, perpetual]
        var account = try CrossMarginAccount(currency: "USD", cash: 0, [], in: market)
        account.collateral = [CrossMarginAccount.Collateral("X", quantity: 1, price: 100)]
        account.orders = [CrossMarginAccount.Order(contract: 0, quantity: 1, price: 1)]
        account.otherInitial = [("reserve", 1)]
        return (market, account)
    }

    @Test("Every number of a market has its range, and the ends of the range are in it or not")
    func markets() throws {
        let (market, account) = try Self.whole()
        try market.validate()
        try account.validate()
        typealias Change = (inout MarginMarket, Double) -> Void
        let changes: [(String, Change, good: [Double], bad: [Double])] = [
            ("stable.price", { $0.stablePrice = $1 }, [0.1], [0, -1]),
            ("spot", { $0.underlyings[0].spot = $1 }, [0], [-1]),
            ("confidence", { $0.underlyings[0].confidence = $1 }, [0, 1], [-0.1, 1.1]),
            ("perpetual.price", { $0.underlyings[0].perpetual?.price = $1 }, [1], [0]),
            ("perpetual.confidence", { $0.underlyings[0].perpetual?.confidence = $1 }, [0, 1], [-0.1, 1.1]),
            ("seconds", { $0.underlyings[0].expiries[0].seconds = $1 }, [-5, 0], []),
            ("forward", { $0.underlyings[0].expiries[0].forward = $1 }, [1], [0]),
            ("fixed", { $0.underlyings[0].expiries[0].fixed = $1 }, [0, 100], [-1, 101]),
            ("rate", { $0.underlyings[0].expiries[0].rate = $1 }, [-100, 100], [-101, 101]),
            ("forward_confidence", { $0.underlyings[0].expiries[0].forwardConfidence = $1 }, [0, 1], [1.1]),
            ("rate_confidence", { $0.underlyings[0].expiries[0].rateConfidence = $1 }, [0, 1], [1.1]),
            ("vol_confidence", { $0.underlyings[0].expiries[0].volatilityConfidence = $1 }, [0, 1], [1.1]),
            ("strike", { $0.contracts[0].strike = $1 }, [1], [0]),
            ("vol", { $0.contracts[0].volatility = $1 }, [0], [-0.1]),
            ("mark", { $0.contracts[0].mark = $1 }, [0], [-0.1]),
            ("price", { $0.contracts[1].price = $1 }, [1], [0]),
            ("multiplier", { $0.contracts[0].multiplier = $1 }, [0.1], [0]),
            ("gains", { $0.contracts[0].gains?[7] = $1 }, [-5], []),
        ]
        for (field, change, good, bad) in changes {
            for value in good {
                var changed = market
                change(&changed, value)
                #expect(throws: Never.self, "\(field) \(value)") { try changed.validate() }
            }
            for value in bad + [.nan, .infinity] {
                var changed = market
                change(&changed, value)
                let error = #expect(throws: MarginError.self, "\(field) \(value)") { try changed.validate() }
                #expect(error?.field == field)
                // Whoever asks a model is told the same.
                #expect(throws: MarginError.self) {
                    try MarginModel(.rates(RateMargin(initialRate: 0.1, maintenanceRate: 0.1))).requirement(
                        of: CrossMarginAccount(currency: "", cash: 0, [], in: market), in: changed,
                        GreeksEngine())
                }
            }
        }
    }

    @Test("Every number of an account has its range")
    func accounts() throws {
        let (market, account) = try Self.whole()
        typealias Change = (inout CrossMarginAccount, Double) -> Void
        let changes: [(String, Change, good: [Double], bad: [Double])] = [
            ("quantity", { $0.collateral[0].quantity = $1 }, [0], [-1]),
            ("price", { $0.collateral[0].price = $1 }, [1], [0]),
            ("confidence", { $0.collateral[0].confidence = $1 }, [0, 1], [1.1]),
            ("maintenance_haircut", { $0.collateral[0].maintenanceHaircut = $1 }, [0, 1], [1.1]),
            ("initial_haircut", { $0.collateral[0].initialHaircut = $1 }, [0, 1], [1.1]),
            ("quantity", { $0.orders[0].quantity = $1 }, [0], [-1]),
            ("price", { $0.orders[0].price = $1 }, [0], [-1]),
            ("reserve", { $0.otherInitial[0].amount = $1 }, [0], [-1]),
        ]
        for (field, change, good, bad) in changes {
            for value in good {
                var changed = account
                change(&changed, value)
                #expect(throws: Never.self, "\(field) \(value)") { try changed.validate() }
            }
            for value in bad + [.nan, .infinity] {
                var changed = account
                change(&changed, value)
                let error = #expect(throws: MarginError.self, "\(field) \(value)") { try changed.validate() }
                #expect(error?.field == field)
                #expect(throws: MarginError.self) {
                    try MarginModel(.rates(RateMargin(initialRate: 0.1, maintenanceRate: 0.1))).requirement(
                        of: changed, in: market, GreeksEngine())
                }
            }
        }
        func position(_ change: (inout CrossMarginAccount.Position) -> Void) -> CrossMarginAccount.Position {
            var position = CrossMarginAccount.Position(contract: 0, quantity: 1)
            change(&position)
            return position
        }
        for (field, bad) in [
            ("contract", position { $0.contract = 2 }), ("contract", position { $0.contract = -1 }),
            ("quantity", position { $0.quantity = .nan }),
            ("unrealised", position { $0.unrealised = .infinity }),
            ("funding", position { $0.funding = .nan }), ("entry", position { $0.entry = 0 }),
            ("average", position { $0.average = -1 }),
        ] {
            let error = #expect(throws: MarginError.self) {
                try CrossMarginAccount(currency: "USD", cash: 0, [bad], in: market)
            }
            #expect(error?.field == field)
        }
        let error = #expect(throws: MarginError.self) {
            try CrossMarginAccount(currency: "USD", cash: .nan, [], in: market)
        }
        #expect(error?.field == "cash")
        _ = try CrossMarginAccount(currency: "USD", cash: 0, [position { $0.average = 0 }], in: market)
    }

    @Test("Profits that are not in the cash are added up, fills of both signs too")
    func unsettled() throws {
        let (market, _) = try Self.whole()
        var one = CrossMarginAccount.Position(contract: 1, quantity: 3)
        (one.unrealised, one.funding) = (5, -2)
        var other = CrossMarginAccount.Position(contract: 1, quantity: -5)
        (other.unrealised, other.funding) = (0.25, 1)
        let account = try CrossMarginAccount(currency: "USD", cash: 7, [one, other], in: market)
        #expect(
            account.quantities == [0, -2] && account.unsettled == 4.25 && account.positions == [one, other])
        let after = account.after(1, quantity: 3, paying: 2)
        #expect(after.quantities == [0, 1] && after.cash == 5 && after.unsettled == 4.25)
    }

    @Test("What a rule has no rule for is refused: kinds of contracts, collateral")
    func kinds() throws {
        let (market, spare) = try Self.whole()
        let engine = try GreeksEngine()
        let side = ShortOptionMargin.Side(initialRate: 0.1, initialLeast: 0.1, maintenanceRate: 0.1)
        let derive = DeriveStandardMargin(
            initialRate: 0.1, initialLeast: 0.1, maintenanceCall: 0.1, maintenancePut: 0.1,
            maintenancePutOfMark: 0.1, putInitialOfMaintenance: 1, unpairedInitial: 1, unpairedMaintenance: 1)
        let deribit = DeribitMargin(
            priceRange: 0.16, buckets: 4, volatilityUp: 0.4, volatilityDown: 0.2, leastUpVolatility: 0,
            shortTermPower: 0.3, longTermPower: 0.1, extendedFactor: 1, extendedDampener: 0, offset: 1,
            countsEquity: false, annualisedMoveRisk: 0.1, leastAnnualisedMove: 0.01, deltaRate: 0,
            largestDeltaShock: 0, deltaThreshold: 0, maintenanceFactor: 0.8)
        let grid = try ScenarioGrid(
            name: "g", rules: [("same", ScenarioGrid.VolatilityRule())], scenarios: [ScenarioGrid.Scenario()])
        let rules: [(MarginModel.Rule, Set<MarginMarket.Kind>, collateral: Bool)] = [
            (.scan(ScanMargin(grid)), [.option, .perpetual, .spot], true),
            (.deriveStandard(derive), [.option, .perpetual, .spot], false),
            (.deribit(deribit), [.option, .inversePerpetual, .inverseFuture, .spot], false),
            (
                .standardOption(
                    ShortOptionMargin(call: side, put: side, reference: .index, settlesInCoin: false)),
                [.option],
                false
            ),
            (.span(SpanMargin()), [.option, .future], false),
            (
                .rates(RateMargin(initialRate: 0.1, maintenanceRate: 0.1)),
                [.perpetual, .future, .inversePerpetual, .inverseFuture], false
            ),
        ]
        for (rule, kinds, takesCollateral) in rules {
            let model = MarginModel(rule)
            for kind in MarginMarket.Kind.allCases {
                var own = market
                own.contracts[0].kind = kind
                let account = try CrossMarginAccount(
                    currency: "USD", cash: 0, [CrossMarginAccount.Position(contract: 0, quantity: -1)],
                    in: own)
                if kinds.contains(kind) {
                    #expect(throws: Never.self, "\(model.kind) \(kind)") {
                        try model.requirement(of: account, in: own, engine)
                    }
                } else {
                    let error = #expect(throws: MarginError.self, "\(model.kind) \(kind)") {
                        try model.requirement(of: account, in: own, engine)
                    }
                    #expect(error?.field == "kind" && error?.value == kind.rawValue)
                }
            }
            var account = try CrossMarginAccount(currency: "USD", cash: 0, [], in: market)
            account.collateral = spare.collateral
            if takesCollateral {
                #expect(throws: Never.self) { try model.requirement(of: account, in: market, engine) }
            } else {
                let error = #expect(throws: MarginError.self) {
                    try model.requirement(of: account, in: market, engine)
                }
                #expect(error?.field == "collateral")
            }
        }
    }

    // MARK: By hand

    @Test("Standard margins of short options by hand: distance, least, greater premium, fee, orders")
    func shortOptions() throws {
        let engine = try GreeksEngine()
        var call = ShortOptionMargin.Side(initialRate: 0.2, initialLeast: 0.05, maintenanceRate: 0.08)
        var put = ShortOptionMargin.Side(initialRate: 0.3, initialLeast: 0.04, maintenanceRate: 0.06)
        (call.maintenanceFee, call.takesGreaterPremium) = (0.01, true)
        (put.initialLeastOfMark, put.maintenanceOfMark, put.isInitialAtLeastMaintenance) = (2, 3, true)
        var market = MarginMarket()
        var underlying = MarginMarket.Underlying("X", spot: 100)
        underlying.expiries = [MarginMarket.Expiry("e", seconds: 864_000, forward: 110)]
        market.underlyings = [underlying]
        for (name, type, strike, mark) in [
            ("near call", Instrument.OptionType.call, 108.0, 2.0), ("far call", .call, 190, 0.5),
            ("near put", .put, 95, 1.0), ("dear put", .put, 120, 30),
        ] {
            var contract = MarginMarket.Contract(name, .option, underlying: 0, expiry: 0)
            (contract.type, contract.strike, contract.mark) = (type, strike, mark)
            market.contracts.append(contract)
        }
        /// Maintenance and initial of one short contract.
        func margins(
            _ place: Int, _ reference: ShortOptionMargin.Reference, averages: [Double?] = [nil]
        ) throws -> (Double, Double) {
            let rule = ShortOptionMargin(call: call, put: put, reference: reference, settlesInCoin: false)
            let positions = averages.map {
                var position = CrossMarginAccount.Position(contract: place, quantity: -2)
                position.average = $0
                return position
            }
            let account = try CrossMarginAccount(currency: "USD", cash: 50, positions, in: market)
            let margin = try MarginModel(.standardOption(rule)).requirement(of: account, in: market, engine)
            let count = 2 * Double(averages.count)
            #expect(margin.markToMarket == 50 - count * (market.contracts[place].mark ?? .nan))
            #expect(abs(margin.initialBalance - (50 - margin.initialMargin)) < 1e-12)
            #expect(abs(margin.maintenanceBalance - (50 - margin.maintenanceMargin)) < 1e-12)
            return (margin.maintenanceMargin / count, margin.initialMargin / count)
        }
        func expect(_ found: (Double, Double), _ maintenance: Double, _ initial: Double, line: Int = #line) {
            #expect(
                abs(found.0 - maintenance) < 1e-12 && abs(found.1 - initial) < 1e-12, "\(found), line \(line)"
            )
        }
        // 8 from an index of 100: 0.2·100 − 8 + 2; 0.08·100 + 2 + 1.
        expect(try margins(0, .index), 11, 14)
        // In the money of a forward of 110: no distance.
        expect(try margins(0, .forward), 0.08 * 110 + 2 + 1.1, 22 + 2)
        // The average counts where it is above the mark; of several fills the highest.
        expect(try margins(0, .index, averages: [5]), 11, 17)
        expect(try margins(0, .index, averages: [1]), 11, 14)
        expect(try margins(0, .index, averages: [3, 6, 4]), 11, 18)
        // 90 out of the money: the least.
        expect(try margins(1, .index), 8 + 0.5 + 1, 5 + 0.5)
        // 5 out of the money: 30 − 5 + 1; 3·mark is less than 0.06·100.
        expect(try margins(2, .index), 6 + 1, 26)
        // 2·mark of its least is more than the rate, 3·mark + mark more than that: initial is at least maintenance.
        expect(try margins(3, .index), 90 + 30, 120)
        put.isInitialAtLeastMaintenance = false
        expect(try margins(3, .index), 120, 4 + 60 + 30)

        var rule = ShortOptionMargin(call: call, put: put, reference: .index, settlesInCoin: false)
        rule.fee = ShortOptionMargin.Fee(rate: 0.0003, cap: 0.125)
        var account = try CrossMarginAccount(
            currency: "USD", cash: 50, [CrossMarginAccount.Position(contract: 0, quantity: -1)], in: market)
        account.orders = [
            CrossMarginAccount.Order(contract: 1, quantity: 4, price: 0.6),
            CrossMarginAccount.Order(contract: 2, quantity: 2, price: 0.01),
        ]
        let margin = try MarginModel(.standardOption(rule)).requirement(of: account, in: market, engine)
        // 0.03 a unit, at most an eighth of the price.
        let orders = 4 * (0.6 + 0.03) + 2 * (0.01 + 0.00125)
        #expect(
            abs(margin.initialMargin - (14 + orders)) < 1e-12 && abs(margin.maintenanceMargin - 11) < 1e-12)
        #expect(margin.parts.map(\.name) == ["short options", "orders"])
        #expect(margin.parts[1].maintenance == 0 && abs(margin.parts[1].initial - orders) < 1e-12)
        rule.fee = nil
        let error = #expect(throws: MarginError.self) {
            try MarginModel(.standardOption(rule)).requirement(of: account, in: market, engine)
        }
        #expect(error?.field == "fee")
        rule.fee = ShortOptionMargin.Fee(rate: 0, cap: 0)
        account.orders[0].contract = 4
        #expect(throws: MarginError.self) {
            try MarginModel(.standardOption(rule)).requirement(of: account, in: market, engine)
        }
    }

    @Test(
        "SPAN by hand: futures and arrays, the worst of sixteen, minimum per short option, several underlyings"
    )
    func span() throws {
        let engine = try GreeksEngine()
        var market = MarginMarket()
        for name in ["X", "Y"] {
            var underlying = MarginMarket.Underlying(name, spot: 100)
            underlying.expiries = [MarginMarket.Expiry("e", seconds: 864_000, forward: 100)]
            market.underlyings.append(underlying)
        }
        for underlying in 0..<2 {
            var future = MarginMarket.Contract("F\(underlying)", .future, underlying: underlying, expiry: 0)
            future.multiplier = 5
            var option = MarginMarket.Contract("O\(underlying)", .option, underlying: underlying, expiry: 0)
            option.gains = (0..<16).map { Double($0) - 4 }
            (option.multiplier, option.mark) = (5, 2)
            market.contracts += [future, option]
        }
        var span = SpanMargin()
        span.scan = SpanMargin.Scan(price: 9, volatility: 0.3, extremeMultiple: 3, extremeCover: 0.35)
        (span.shortOptionMinimum, span.initialRatio) = (30, 1.25)
        func requirement(_ holdings: [(Int, Double)]) throws -> MarginRequirement {
            let account = try CrossMarginAccount(
                currency: "USD", cash: 1000,
                holdings.map { CrossMarginAccount.Position(contract: $0.0, quantity: $0.1) }, in: market)
            return try MarginModel(.span(span)).requirement(of: account, in: market, engine)
        }
        // Two futures of five: the scan range 9 down, or 0.35·27 = 9.45 of the extreme one.
        let future = try requirement([(0, 2)])
        #expect(abs(future.maintenanceMargin - 94.5) < 1e-12 && abs(future.initialMargin - 118.125) < 1e-12)
        #expect(
            future.worst == 15 && future.losses[15].title == "extreme down" && future.markToMarket == 1000)
        #expect(future.losses.map(\.loss)[10...13].map { $0.rounded() } == [-90, -90, 90, 90])
        #expect(future.parts.count == 1 && future.byContract.count == 1)
        #expect(abs(future.byContract[0].initial - 118.125) < 1e-12)
        // An array: long its worst is −4, short 11; the minimum is 30 a short option.
        #expect(try requirement([(1, 3)]).maintenanceMargin == 12)
        let short = try requirement([(1, -2)])
        #expect(short.maintenanceMargin == 60 && short.initialMargin == 75 && short.worst == 15)
        #expect(short.parts.map(\.name) == ["worst scenario", "short-option minimum"])
        #expect(short.parts.map(\.maintenance) == [22, 38] && short.parts.map(\.initial) == [27.5, 47.5])
        #expect(short.markToMarket == 1000)
        span.countsOptionValue = true
        #expect(try requirement([(1, -2)]).markToMarket == 980)
        // Futures are no short options, and underlyings do not offset each other.
        span.shortOptionMinimum = 5
        let both = try requirement([(0, 1), (2, -1), (1, -4)])
        #expect(
            both.parts.map(\.name) == ["worst scenario"] && both.byContract.isEmpty && both.byExpiry.isEmpty)
        let one = try requirement([(0, 1), (1, -4)]).maintenanceMargin
        #expect(abs(both.maintenanceMargin - (one + 47.25)) < 1e-12)
        #expect(try requirement([]).maintenanceMargin == 0)
        // Without a scan, what brings no array cannot be valued; arrays have sixteen.
        span.scan = nil
        #expect(throws: MarginError.self) { try requirement([(0, 1)]) }
        #expect(throws: Never.self) { try requirement([(1, 1)]) }
        market.contracts[1].gains = [1, 2]
        let error = #expect(throws: MarginError.self) { try requirement([(1, 1)]) }
        #expect(error?.field == "gains" && error?.value == "2")
    }

    @Test("Rates by hand: inverse and linear, at entry and now, multipliers, futures at their forward")
    func rates() throws {
        let engine = try GreeksEngine()
        var market = MarginMarket()
        var underlying = MarginMarket.Underlying("X", spot: 100)
        underlying.expiries = [MarginMarket.Expiry("e", seconds: 864_000, forward: 110)]
        market.underlyings = [underlying]
        market.contracts = [
            MarginMarket.Contract("linear", .perpetual, underlying: 0),
            MarginMarket.Contract("inverse", .inversePerpetual, underlying: 0),
            MarginMarket.Contract("future", .future, underlying: 0, expiry: 0),
            MarginMarket.Contract("inverse future", .inverseFuture, underlying: 0, expiry: 0),
        ]
        market.contracts[2].multiplier = 0.5
        var rule = RateMargin(initialRate: 0.1, maintenanceRate: 0.05)
        func requirement(_ fills: [(Int, Double, Double?)]) throws -> MarginRequirement {
            let account = try CrossMarginAccount(
                currency: "USD", cash: 10,
                fills.map {
                    var position = CrossMarginAccount.Position(contract: $0.0, quantity: $0.1)
                    position.entry = $0.2
                    return position
                }, in: market)
            return try MarginModel(.rates(rule)).requirement(of: account, in: market, engine)
        }
        func expect(_ margin: MarginRequirement, value: Double, worth: Double, line: Int = #line) {
            #expect(abs(margin.initialMargin - 0.1 * value) < 1e-12, "\(margin.initialMargin), line \(line)")
            #expect(abs(margin.maintenanceMargin - 0.05 * value) < 1e-12, "line \(line)")
            #expect(abs(margin.markToMarket - worth) < 1e-12, "\(margin.markToMarket), line \(line)")
        }
        expect(try requirement([(0, -3, nil)]), value: 300, worth: 10)
        expect(try requirement([(0, -3, 80)]), value: 300, worth: 10 - 60)
        expect(try requirement([(1, 500, 125)]), value: 5, worth: 10 + 4 - 5)
        expect(try requirement([(2, 4, 100)]), value: 220, worth: 10 + 20)
        expect(try requirement([(3, -440, 88)]), value: 4, worth: 10 - 5 + 4)
        expect(try requirement([(0, 1, nil), (1, 500, nil)]), value: 105, worth: 10)
        rule.price = .entry
        // Fills of one contract have the average of their prices.
        expect(try requirement([(0, 3, 80), (0, 1, 120)]), value: 360, worth: 10 + 60 - 20)
        expect(try requirement([(1, 500, 125)]), value: 4, worth: 10 + 4 - 5)
        #expect(throws: MarginError.self) { try requirement([(0, 1, nil)]) }
        rule.fixedMaintenance = 2
        let margin = try requirement([(0, 1, 100)])
        #expect(abs(margin.maintenanceMargin - 7) < 1e-12 && abs(margin.initialMargin - 10) < 1e-12)
        #expect(margin.parts.map(\.name) == ["positions", "other positions"])
        #expect(margin.parts[1].maintenance == 2 && margin.parts[1].initial == 0)
    }

    @Test("Deribit's shocks by hand: roll by expiry, delta beyond a threshold, other reserves")
    func deribitShocks() throws {
        let engine = try GreeksEngine()
        var market = MarginMarket()
        var underlying = MarginMarket.Underlying("X", spot: 100)
        underlying.expiries = [
            MarginMarket.Expiry("e", seconds: 365 * 86400, forward: 125),
            MarginMarket.Expiry("f", seconds: 86400, forward: 80),
        ]
        market.underlyings = [underlying]
        market.contracts = [
            MarginMarket.Contract("p", .inversePerpetual, underlying: 0),
            MarginMarket.Contract("e", .inverseFuture, underlying: 0, expiry: 0),
            MarginMarket.Contract("f", .inverseFuture, underlying: 0, expiry: 1),
            MarginMarket.Contract("X", .spot, underlying: 0),
        ]
        market.contracts[0].price = 100
        let rule = DeribitMargin(
            priceRange: 0.2, buckets: 4, volatilityUp: 0.4, volatilityDown: 0.2, leastUpVolatility: 0,
            shortTermPower: 0.3, longTermPower: 0.1, extendedFactor: 0.001, extendedDampener: 0, offset: 0.5,
            countsEquity: false, annualisedMoveRisk: 0.1, leastAnnualisedMove: 0.01, deltaRate: 0.001,
            largestDeltaShock: 0.3, deltaThreshold: 250, maintenanceFactor: 0.8)
        func figures(_ holdings: [(Int, Double)], other: Double = 0) throws -> [String: Double] {
            var account = try CrossMarginAccount(
                currency: "X", cash: 10,
                holdings.map { CrossMarginAccount.Position(contract: $0.0, quantity: $0.1) },
                in: market)
            if other > 0 { account.otherInitial = [("orders", other)] }
            let margin = try MarginModel(.deribit(rule)).requirement(of: account, in: market, engine)
            var figures = Dictionary(uniqueKeysWithValues: margin.figures.map { ($0.name, $0.value) })
            figures["initial"] = margin.initialMargin
            figures["maintenance"] = margin.maintenanceMargin
            figures["worth"] = margin.markToMarket
            #expect(abs(margin.initialBalance - (margin.markToMarket - margin.initialMargin)) < 1e-12)
            #expect(abs(margin.maintenanceBalance - (margin.markToMarket - margin.maintenanceMargin)) < 1e-12)
            #expect(
                margin.parts.map(\.name)
                    == ["worst scenario", "roll shock", "delta shock"] + (other > 0 ? ["orders"] : []))
            return figures
        }
        func expect(_ found: [String: Double], _ wanted: [String: Double], line: Int = #line) {
            for (name, value) in wanted {
                #expect(
                    abs((found[name] ?? .nan) - value) < 1e-12,
                    "\(name): \(found[name] ?? .nan), line \(line)")
            }
        }
        // Two coins: 0.2 down costs 0.25 each; rolling at the least move.
        expect(
            try figures([(0, 200)]), ["worst_loss": 0.5, "roll_shock": 0.02, "delta_shock": 0, "worth": 10])
        // A year's roll: e^0.1 − 1; short it loses when prices rise, by 0.2/1.2.
        let year = exp(0.1) - 1
        expect(
            try figures([(1, -250)]), ["worst_loss": 2 * 0.2 / 1.2, "roll_shock": 2 * year, "delta_shock": 0])
        // Expiries roll by themselves; the sum of deltas is 0.
        expect(
            try figures([(1, 250), (2, -160)]),
            ["worst_loss": 0, "roll_shock": 2 * year + 2 * 0.01, "delta_shock": 0])
        // Four coins of 100 dollars: 150 beyond the threshold at 0.001 a dollar; seven are at the end of the rise.
        expect(try figures([(0, -400)]), ["delta_shock": 0.15 * 4, "roll_shock": 0.04])
        expect(try figures([(0, 700)]), ["delta_shock": 0.3 * 7])
        // Coins are worth themselves and, as equity is not counted, gain nothing.
        expect(try figures([(3, 5)]), ["worst_loss": 0, "roll_shock": 0, "delta_shock": 0, "worth": 15])
        let found = try figures([(0, -400)], other: 0.3)
        let sum = 4 * 0.2 / 1.2 + 0.04 + 0.6
        expect(found, ["initial": sum + 0.3, "maintenance": 0.8 * sum])
    }

    @Test("An auction by hand: the price falls fast, then slowly, then is 0")
    func auction() throws {
        var auction = LiquidationAuction(
            buffer: 0.1, startShare: 0.9, fastShare: 0.5, fastSeconds: 100, slowSeconds: 400,
            insolventSeconds: 50)
        auction.start = 10
        for (time, share) in [
            (10.0, 0.9), (60, 0.7), (110, 0.5), (310, 0.25), (510, 0), (900, 0),
        ] { #expect(abs(auction.priceShare(at: time) - share) < 1e-15, "\(time)") }
        typealias Bid = LiquidationAuction.Bid
        // Worth 100, 44 below maintenance: B = −44 − 14.4; at 0.7 of its worth 58.4/(58.4 + 70) may be sold.
        let solvent = try auction.steps([
            Bid(time: 60, markToMarket: 100, maintenanceBalance: -44, want: 0.25)
        ])
        #expect(abs(solvent[0].bufferBalance + 58.4) < 1e-12)
        #expect(abs(solvent[0].largestShare - 58.4 / 128.4) < 1e-14 && solvent[0].share == 0.25)
        #expect(abs((solvent[0].bid ?? .nan) - 17.5) < 1e-12 && solvent[0].payout == nil)
        #expect(abs(solvent[0].markToMarketAfter - 92.5) < 1e-12)
        #expect(abs(solvent[0].maintenanceBalanceAfter - (-33 + 17.5)) < 1e-12)
        // What is wanted beyond the largest share is not had; an account that is whole is not sold.
        let greedy = try auction.steps([Bid(time: 60, markToMarket: 100, maintenanceBalance: -44, want: 1)])
        #expect(abs(greedy[0].share - 58.4 / 128.4) < 1e-14)
        let sound = try auction.steps([Bid(time: 60, markToMarket: 100, maintenanceBalance: 50, want: 1)])
        #expect(sound[0].largestShare == 0 && sound[0].share == 0 && sound[0].bid == 0)
        // Insolvent: bidders are paid by the time that has passed, shares are of the account as it was at first.
        auction.lowerBound = -80
        let insolvent = try auction.steps([
            Bid(time: 20, markToMarket: -40, maintenanceBalance: -90, want: 0.2),
            Bid(time: 35, markToMarket: -32, maintenanceBalance: -72, want: 0.4),
            Bid(time: 900, markToMarket: 0, maintenanceBalance: -40, want: 1),
        ])
        #expect(insolvent.map(\.share).map { ($0 * 1e12).rounded() / 1e12 } == [0.2, 0.5, 1])
        #expect(insolvent.map { ($0.payout ?? .nan).rounded() } == [3, 16, 80])
        #expect(abs((insolvent[0].payout ?? .nan) - 3.2) < 1e-12 && insolvent[0].bid == nil)
        #expect(insolvent.allSatisfy { $0.largestShare == 0 })
        #expect(abs(insolvent[1].markToMarketAfter + 16) < 1e-12)
        #expect(abs(insolvent[1].maintenanceBalanceAfter + 36) < 1e-12)
        auction.lowerBound = nil
        for (field, bid) in [
            ("want", Bid(time: 20, markToMarket: 1, maintenanceBalance: 0, want: 1.1)),
            ("want", Bid(time: 20, markToMarket: 1, maintenanceBalance: 0, want: -0.1)),
            ("time", Bid(time: 9, markToMarket: 1, maintenanceBalance: 0, want: 0.1)),
            ("lower_bound", Bid(time: 20, markToMarket: 0, maintenanceBalance: 0, want: 0.1)),
        ] {
            let error = #expect(throws: MarginError.self) { try auction.steps([bid]) }
            #expect(error?.field == field && error?.place == .name("step 0"))
        }
    }

    // MARK: Liquidation prices

    @Test(
        "Between liquidation prices the balance keeps its sign, and there is no other price at which it changes"
    )
    func liquidation() throws {
        let engine = try GreeksEngine()
        var tried = 0
        for one in try MarginCases(try Source(path: MarginCaseTests.own)).cases {
            guard case .account(let model, let market, let account, let liquidation?) = one.problem,
                // Balances under rates count entries; the cases themselves have those prices.
                model.kind != "rates"
            else { continue }
            let number = liquidation.underlying
            let spot = market.underlyings[number].spot
            func balance(_ price: Double) throws -> Double {
                // The market and account at another price, by what the documentation says that moves.
                let factor = price / spot
                var moved = market
                moved.underlyings[number].spot *= factor
                moved.underlyings[number].perpetual?.price *= factor
                for place in moved.underlyings[number].expiries.indices {
                    let expiry = market.underlyings[number].expiries[place]
                    moved.underlyings[number].expiries[place].forward =
                        expiry.fixed + (expiry.forward - expiry.fixed) * factor
                }
                var own = account
                let keepsCoins = model.kind == "deribit-cross"
                let name = market.underlyings[number].name
                for place in own.collateral.indices
                where own.collateral[place].movesWithSpot
                    && (!keepsCoins || own.collateral[place].asset.hasSuffix(name))
                {
                    own.collateral[place].price *= factor
                }
                func gain(coins: Double) {
                    if keepsCoins { own = own.adding(coins: coins, of: number) } else { own.cash += coins }
                }
                for place in market.contracts.indices where market.contracts[place].underlying == number {
                    let (before, quantity) = (market.contracts[place], account.quantities[place])
                    if let price = before.price { moved.contracts[place].price = price * factor }
                    let old = before.price ?? market.underlyings[number].perpetual?.price ?? spot
                    switch before.kind {
                    case .perpetual: own.cash += quantity * old * (factor - 1)
                    case .inversePerpetual: gain(coins: quantity / old * (1 - 1 / factor))
                    case .inverseFuture:
                        let forward =
                            before.price ?? market.underlyings[number].expiries[before.expiry ?? 0].forward
                        gain(coins: quantity / forward * (1 - 1 / factor))
                    default: break
                    }
                }
                return try model.requirement(of: own, in: moved, engine).maintenanceBalance
            }
            let prices = try model.liquidationPrices(
                of: account, in: market, underlying: number, within: liquidation.range, engine)
            #expect(prices == prices.sorted())
            let size = try abs(balance(spot)) + balance(spot * 1.01).magnitude
            for price in prices {
                #expect(try abs(balance(price)) < 1e-9 * size, "\(one.name) \(price)")
                #expect(liquidation.range.contains(price))
            }
            var signs: [Bool] = []
            let ends = [liquidation.range.lowerBound] + prices + [liquidation.range.upperBound]
            for (low, high) in zip(ends, ends.dropFirst()) {
                let inner = try (1...40).map {
                    try balance(low + (high - low) * (Double($0) - 0.5) / 40) < 0
                }
                #expect(Set(inner).count == 1, "\(one.name) between \(low) and \(high)")
                signs.append(inner[0])
            }
            for (left, right) in zip(signs, signs.dropFirst()) { #expect(left != right, "\(one.name)") }
            tried += 1
        }
        #expect(tried >= 5)
    }

    @Test(
        "A balance that dips below 0 between two points of the grid is found; a range without its root has none"
    )
    func turns() throws {
        let engine = try GreeksEngine()
        func strangle(
            _ put: Double, _ call: Double, days: Double, _ volatility: Double
        ) -> MarginMarket {
            var market = MarginMarket()
            var underlying = MarginMarket.Underlying("X", spot: 100)
            underlying.expiries = [MarginMarket.Expiry("e", seconds: 86400 * days, forward: 100)]
            market.underlyings = [underlying]
            for (strike, type) in [(put, Instrument.OptionType.put), (call, .call)] {
                var contract = MarginMarket.Contract("\(strike)", .option, underlying: 0, expiry: 0)
                (contract.strike, contract.type, contract.volatility) = (strike, type, volatility)
                market.contracts.append(contract)
            }
            return market
        }
        let market = strangle(95, 105, days: 1, 0.4)
        // Worth cash plus a strangle: least near the middle, where it is just below 0.
        let still = try ScenarioGrid(
            name: "still", rules: [("same", ScenarioGrid.VolatilityRule())],
            scenarios: [ScenarioGrid.Scenario()])
        let model = MarginModel(.scan(ScanMargin(still)))
        // Two with their least value at the index, which is looked at, and beside it, where few prices are.
        for (market, middle) in [(market, 100.0), (strangle(90, 130, days: 20, 0.8), 108)] {
            func account(_ cash: Double, _ sign: Double) throws -> CrossMarginAccount {
                try CrossMarginAccount(
                    currency: "USD", cash: cash,
                    [0, 1].map { CrossMarginAccount.Position(contract: $0, quantity: sign) }, in: market)
            }
            let least =
                try (-300...300).map { place in
                    var moved = market
                    moved.underlyings[0].expiries[0].forward = middle + Double(place) / 100
                    return try model.requirement(of: account(0, 1), in: moved, engine).markToMarket
                }.min() ?? .nan
            for sign in [1.0, -1] {
                // A thousandth of a dollar beyond: two prices close to each other.
                let own = try account(-sign * (least + 0.001), sign)
                for points in [1600, 12] {
                    let prices = try model.liquidationPrices(
                        of: own, in: market, underlying: 0, within: 50...200, points: points, engine)
                    #expect(prices.count == 2, "\(middle) \(points): \(prices)")
                    #expect((prices.last ?? .nan) - (prices.first ?? .nan) < 2)
                    #expect(prices.allSatisfy { ($0 - middle).magnitude < 3 })
                    for price in prices {
                        let there = try model.requirements(
                            of: own, in: market, underlying: 0, at: [price], engine)[0]
                        #expect(there.maintenanceBalance.magnitude < 1e-9, "\(price)")
                    }
                    let factors = try model.liquidationFactors(
                        of: own, in: market, within: 0.5...2, points: points, engine)
                    #expect(factors.count == 2)
                    for (factor, price) in zip(factors, prices) {
                        #expect((100 * factor - price).magnitude < 1e-6)
                    }
                }
                let other = try account(-sign * (least - 0.001), sign)
                #expect(
                    try model.liquidationPrices(
                        of: other, in: market, underlying: 0, within: 50...200, engine
                    ).isEmpty)
            }
        }
        // A price at which nothing is left exactly, on the grid: the index itself.
        let exact = try CrossMarginAccount(
            currency: "USD", cash: 0, [CrossMarginAccount.Position(contract: 2, quantity: 1)],
            in: {
                var market = market
                market.contracts.append(MarginMarket.Contract("p", .perpetual, underlying: 0))
                market.contracts[2].price = 100
                return market
            }())
        var with = market
        with.contracts.append(MarginMarket.Contract("p", .perpetual, underlying: 0))
        with.contracts[2].price = 100
        let prices = try model.liquidationPrices(of: exact, in: with, underlying: 0, within: 50...200, engine)
        #expect(prices == [100])
        #expect(
            try model.liquidationPrices(of: exact, in: with, underlying: 0, within: 101...200, engine).isEmpty
        )
    }

    @Test(
        "What has no price at other prices has no liquidation price: marks alone, arrays, no index, no range")
    func noPrices() throws {
        let engine = try GreeksEngine()
        let (market, _) = try Self.whole()
        let grid = try ScenarioGrid(
            name: "g", rules: [("same", ScenarioGrid.VolatilityRule())], scenarios: [ScenarioGrid.Scenario()])
        let model = MarginModel(.scan(ScanMargin(grid)))
        func field(
            _ range: ClosedRange<Double> = 50...200, _ change: (inout MarginMarket) -> Void
        ) throws -> String? {
            var market = market
            market.contracts[0].gains = nil
            change(&market)
            let account = try CrossMarginAccount(
                currency: "USD", cash: 5, [CrossMarginAccount.Position(contract: 0, quantity: -1)], in: market
            )
            do {
                _ = try model.liquidationPrices(of: account, in: market, underlying: 0, within: range, engine)
                return nil
            } catch {
                return error.field
            }
        }
        #expect(try field { _ in } == nil)
        #expect(try field { $0.contracts[0].volatility = nil } == "vol")
        #expect(try field { $0.contracts[0].gains = Array(repeating: 0, count: 16) } == "vol")
        #expect(try field { $0.underlyings[0].spot = 0 } == "spot")
        #expect(try field(0...200) { _ in } == "lowest")
        #expect(try field(50...Double.infinity) { _ in } == "highest")
        // Another underlying's may have a mark alone.
        var two = market
        two.contracts[0].gains = nil
        two.underlyings.append(MarginMarket.Underlying("Y", spot: 10))
        let side = ShortOptionMargin.Side(initialRate: 0.1, initialLeast: 0.1, maintenanceRate: 0.1)
        let single = MarginModel(
            .standardOption(ShortOptionMargin(call: side, put: side, reference: .index, settlesInCoin: false))
        )
        two.contracts[0].volatility = nil
        let account = try CrossMarginAccount(
            currency: "USD", cash: 5, [CrossMarginAccount.Position(contract: 0, quantity: -1)], in: two)
        #expect(
            try single.liquidationPrices(of: account, in: two, underlying: 1, within: 5...20, engine).isEmpty)
        // A mark beside a volatility gives way to it.
        two.contracts[0].volatility = 0.5
        two.contracts[0].mark = nil
        let without = try single.liquidationPrices(
            of: account, in: two, underlying: 0, within: 50...200, engine)
        two.contracts[0].mark = 1
        let with = try single.liquidationPrices(of: account, in: two, underlying: 0, within: 50...200, engine)
        #expect(with == without)
    }
}
