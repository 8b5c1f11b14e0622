import Foundation
import Greeks
import Margin
import Market
import Risk
import TestSupport
import Testing

/// What the fields of a model's file become, kind by kind, and what holds where they are left out.
struct MarginModelFileTests {
    private static func model(_ members: String) throws -> MarginModel {
        let head = #"{"name": "n", "venue": "v", "source": "s", "date": "2026-03-26", "#
        return try MarginModel(Source(name: "m.json", text: head + members + "}"))
    }

    private static func scan(_ members: String) throws -> ScanMargin {
        let grid =
            #""kind": "scan", "grid": {"vol_rules": {"same": {}}, "scenarios": [{"spot": [-0.1, 0.1], "vol": "same"}]}"#
        guard case .scan(let scan) = try model(grid + members).rule else { throw Missing() }
        return scan
    }

    private struct Missing: Error {}

    @Test("A file's name, venue, source, day, omissions and haircuts")
    func head() throws {
        let model = try Self.model(
            #"""
            "omitted": ["one", "two"], "kind": "rates", "initial_rate": 0.1, "maintenance_rate": 0.05,
            "haircuts": {"A": {"maintenance": 0.1, "initial": 0.2},
            "B": {"maintenance": 0.3, "initial": 0.4, "moves_with_spot": false},
            "C": {"maintenance": 0, "initial": 1, "moves_with_spot": true}}
            """#)
        #expect(model.name == "n" && model.venue == "v" && model.source == "s" && model.date == "2026-03-26")
        #expect(model.omitted == ["one", "two"])
        #expect(
            model.haircuts == [
                "A": MarginModel.Haircut(maintenance: 0.1, initial: 0.2),
                "B": MarginModel.Haircut(maintenance: 0.3, initial: 0.4, movesWithSpot: false),
                "C": MarginModel.Haircut(maintenance: 0, initial: 1, movesWithSpot: true),
            ])
        #expect(try Self.model(#""kind": "rates", "initial_rate": 1, "maintenance_rate": 1"#).omitted.isEmpty)
    }

    @Test(
        "Days are ten characters of a calendar, kinds go by their own name",
        arguments: [
            "2026-3-26", "2026-03-6", "26-03-2026", "2026-02-29", "2026-13-01", "2026/03/26", "2026-03-26Z",
        ])
    func days(_ day: String) {
        let text = """
            {"name": "n", "venue": "v", "source": "s", "date": "\(day)", "kind": "rates", "initial_rate": 0.1,
            "maintenance_rate": 0.05}
            """
        let error = #expect(throws: MarketError.self) { try MarginModel(Source(name: "m.json", text: text)) }
        #expect(error?.field == "date", "\(day): \(String(describing: error))")
    }

    @Test("A scan's factors, contingencies, basis, least delta charge, confidence and peg")
    func scan() throws {
        let plain = try Self.scan("")
        #expect(plain.grid.count == 2 && plain.grid.scenarios.map(\.spot) == [-0.1, 0.1])
        #expect(plain.isDiscounted && plain.basis == nil && plain.deltaCharge == nil)
        for none in [plain.perpetual, plain.spot, plain.nakedShort] {
            #expect(none.maintenance == 0 && none.initial == 0)
        }
        #expect(plain.maintenanceFactor == 1 && plain.initialFactor == 1 && !plain.areContingenciesScaled)
        #expect(plain.confidenceThreshold == 0 && plain.confidenceFactor == 0)
        #expect(plain.pegThreshold == 0 && plain.pegFactor == 0)

        let whole = try Self.scan(
            #"""
            , "discounted": false, "basis": {"spot": [0.05, -0.06], "added": 0.5, "per_year": 2},
            "least_delta": {"net": 0.02, "hedged": 0.01},
            "contingencies": {"perpetual": {"maintenance": 0.03, "initial": 0.04},
            "spot": {"maintenance": 0.05, "initial": 0.06}, "naked_short": {"maintenance": 0.07, "initial": 0.08}},
            "confidence": {"threshold": 0.55, "factor": 0.8},
            "factors": {"maintenance": 0.9, "initial": 1.2, "contingencies_scaled": true},
            "peg": {"threshold": 0.98, "factor": 3}
            """#)
        #expect(!whole.isDiscounted)
        #expect(whole.basis?.moves == [0.05, -0.06])
        #expect(whole.basis?.added == 0.5 && whole.basis?.perYear == 2)
        #expect(whole.deltaCharge == ScanMargin.DeltaCharge(net: 0.02, hedged: 0.01))
        #expect(whole.perpetual == ScanMargin.Contingency(maintenance: 0.03, initial: 0.04))
        #expect(whole.spot == ScanMargin.Contingency(maintenance: 0.05, initial: 0.06))
        #expect(whole.nakedShort == ScanMargin.Contingency(maintenance: 0.07, initial: 0.08))
        #expect(whole.confidenceThreshold == 0.55 && whole.confidenceFactor == 0.8)
        #expect(whole.maintenanceFactor == 0.9 && whole.initialFactor == 1.2 && whole.areContingenciesScaled)
        #expect(whole.pegThreshold == 0.98 && whole.pegFactor == 3)

        let part = try Self.scan(
            #"""
            , "basis": {"spot": [0.05]}, "contingencies": {"spot": {"initial": 0.06}},
            "factors": {"maintenance": 0.9, "initial": 1.2}
            """#)
        #expect(part.basis?.added == 0 && part.basis?.perYear == 0)
        #expect(part.spot == ScanMargin.Contingency(maintenance: 0, initial: 0.06))
        #expect(part.perpetual == ScanMargin.Contingency() && !part.areContingenciesScaled)
    }

    @Test(
        "What a scan's file has wrong is refused by its place in the file",
        arguments: [
            [#", "basis": {"added": 1}"#, "basis.spot", "is missing"],
            [#", "basis": {"spot": [-1]}"#, "basis.spot[0]", "-1"],
            [#", "basis": {"spot": [1001]}"#, "basis.spot[0]", "1001"],
            [#", "least_delta": {"net": 0.1}"#, "least_delta.hedged", "is missing"],
            [#", "factors": {"maintenance": 1}"#, "factors.initial", "is missing"],
            [#", "factors": {"maintenance": 1001, "initial": 1}"#, "factors.maintenance", "1001"],
            [#", "peg": {"threshold": 1}"#, "peg.factor", "is missing"],
            [#", "contingencies": {"spots": {}}"#, "contingencies.spots", "unknown"],
            [#", "confidence": {"threshold": 1.1, "factor": 1}"#, "confidence.threshold", "1.1"],
        ])
    func badScans(_ change: [String]) throws {
        let error = try #require(throws: MarketError.self) { try Self.scan(change[0]) }
        #expect("\(error)".hasPrefix("m.json:1:"), "\(error)")
        #expect("\(error)".contains(change[1]) && "\(error)".contains(change[2]), "\(error)")
    }

    @Test("A grid that is none, or that its reader refuses, is named by line and field of the whole file")
    func badGrids() throws {
        let head =
            "{\"name\": \"n\", \"venue\": \"v\", \"source\": \"s\", \"date\": \"2026-03-26\",\n\"kind\": \"scan\""
        for (text, place, field) in [
            (head + "}", "m.json", "grid"),
            (head + ",\n\"grid\": 3}", "m.json:3", "grid"),
            (
                head
                    + ",\n\"grid\": {\"vol_rules\": {\"same\": {}},\n\"scenarios\": [{\"spot\": -2, \"vol\": \"same\"}]}}",
                "m.json:4", "grid.scenarios[0].spot"
            ),
        ] {
            let error = try #require(throws: MarketError.self) {
                try MarginModel(Source(name: "m.json", text: text))
            }
            #expect("\(error)".hasPrefix(place) && error.field.hasPrefix(field), "\(error)")
        }
    }

    @Test("Derive's standard margin, field by field")
    func deriveStandard() throws {
        let option = #"""
            "kind": "derive-standard", "option": {"initial_rate": 0.15, "initial_least": 0.13, "maintenance_call": 0.09,
            "maintenance_put": 0.08, "maintenance_put_of_mark": 0.07, "put_initial_of_maintenance": 1.05,
            "unpaired_initial": 1.2, "unpaired_maintenance": 1.1}, "perpetual": {"initial": 0.1, "maintenance": 0.065},
            "spot": {"maintenance": 0.8, "initial_scale": 0.93}
            """#
        var expected = DeriveStandardMargin(
            initialRate: 0.15, initialLeast: 0.13, maintenanceCall: 0.09, maintenancePut: 0.08,
            maintenancePutOfMark: 0.07, putInitialOfMaintenance: 1.05, unpairedInitial: 1.2,
            unpairedMaintenance: 1.1)
        (expected.perpetualInitial, expected.perpetualMaintenance) = (0.1, 0.065)
        (expected.spotMaintenance, expected.spotInitialScale) = (0.8, 0.93)
        guard case .deriveStandard(let plain) = try Self.model(option).rule else { throw Missing() }
        #expect(plain == expected)
        guard
            case .deriveStandard(let whole) = try Self.model(
                option
                    + #", "discounted": false, "confidence": {"threshold": 0.5, "factor": 1.3}, "peg": {"threshold": 0.98, "factor": 1.4}"#
            ).rule
        else { throw Missing() }
        (expected.confidenceThreshold, expected.confidenceFactor) = (0.5, 1.3)
        (expected.pegThreshold, expected.pegFactor) = (0.98, 1.4)
        #expect(whole == expected)
        let error = #expect(throws: MarketError.self) { try Self.model(option + #", "discounted": true"#) }
        #expect(error?.field == "discounted")
    }

    @Test("Deribit's portfolio margin, field by field", arguments: ["both", "none"])
    func deribit(_ side: String) throws {
        let text = #"""
            "kind": "deribit-pm", "mm_factor": 0.8, "parameters": {"price_range": 0.16, "buckets_count": 4,
            "volatility_range_up": 0.45, "volatility_range_down": 0.25, "min_volatility_for_shock_up": 0.5,
            "short_term_vega_power": 0.3, "long_term_vega_power": 0.13, "extended_table_factor": 0.9,
            "extended_dampener": 100000, "pnl_offset": 0.4, "equity_side_impact": "\#(side)", "annualised_move_risk": 0.06,
            "min_annualised_move": 0.005, "m_inc": 0.0004, "max_delta_shock": 0.1,
            "delta_total_liq_shock_threshold": 20000}
            """#
        guard case .deribit(let rule) = try Self.model(text).rule else { throw Missing() }
        #expect(rule.priceRange == 0.16 && rule.buckets == 4)
        #expect(rule.volatilityUp == 0.45 && rule.volatilityDown == 0.25 && rule.leastUpVolatility == 0.5)
        #expect(rule.shortTermPower == 0.3 && rule.longTermPower == 0.13)
        #expect(rule.extendedFactor == 0.9 && rule.extendedDampener == 100_000 && rule.offset == 0.4)
        #expect(rule.countsEquity == (side == "both"))
        #expect(rule.annualisedMoveRisk == 0.06 && rule.leastAnnualisedMove == 0.005)
        #expect(rule.deltaRate == 0.0004 && rule.largestDeltaShock == 0.1 && rule.deltaThreshold == 20_000)
        #expect(rule.maintenanceFactor == 0.8)
        for (good, bad) in [
            ("0.16", "0"), ("0.16", "1"), ("\"buckets_count\": 4", "\"buckets_count\": 0"),
            ("\"buckets_count\": 4", "\"buckets_count\": 1001"), ("0.13", "11"), ("0.06", "101"),
        ] {
            #expect(throws: MarketError.self, "\(bad) for \(good)") {
                try Self.model(text.replacingOccurrences(of: good, with: bad))
            }
        }
    }

    @Test("A standard margin of options, field by field, calls and puts apart")
    func standardOption() throws {
        let text = #"""
            "kind": "standard-option", "reference": "index",
            "call": {"initial_rate": 0.15, "initial_least": 0.1, "maintenance_rate": 0.075},
            "put": {"initial_rate": 0.16, "initial_least": 0.11, "maintenance_rate": 0.076}
            """#
        let call = ShortOptionMargin.Side(initialRate: 0.15, initialLeast: 0.1, maintenanceRate: 0.075)
        var put = ShortOptionMargin.Side(initialRate: 0.16, initialLeast: 0.11, maintenanceRate: 0.076)
        guard case .standardOption(let plain) = try Self.model(text).rule else { throw Missing() }
        #expect(plain == ShortOptionMargin(call: call, put: put, reference: .index, settlesInCoin: false))
        let more = text.replacingOccurrences(of: "\"index\"", with: "\"forward\"")
            .replacingOccurrences(
                of: "0.076}",
                with:
                    #"0.076, "initial_least_of_mark": 0.2, "maintenance_of_mark": 0.3, "maintenance_fee": 0.4, "premium": "greater", "initial_at_least_maintenance": true}, "settlement": "coin", "fee": {"rate": 0.0003, "cap": 0.125}"#
            )
        guard case .standardOption(let whole) = try Self.model(more).rule else { throw Missing() }
        (put.initialLeastOfMark, put.maintenanceOfMark, put.maintenanceFee) = (0.2, 0.3, 0.4)
        (put.takesGreaterPremium, put.isInitialAtLeastMaintenance) = (true, true)
        #expect(
            whole
                == ShortOptionMargin(
                    call: call, put: put, reference: .forward, settlesInCoin: true,
                    fee: ShortOptionMargin.Fee(rate: 0.0003, cap: 0.125)))
    }

    @Test("SPAN and rates, field by field")
    func spanAndRates() throws {
        guard case .span(let plain) = try Self.model(#""kind": "span-array""#).rule else { throw Missing() }
        #expect(plain == SpanMargin())
        #expect(plain.shortOptionMinimum == 0 && plain.initialRatio == 1 && !plain.countsOptionValue)
        let scan = #""scan": {"price": 30, "vol": 0.3, "extreme_multiple": 3, "extreme_cover": 0.33"#
        guard
            case .span(let whole) = try Self.model(
                #""kind": "span-array", "short_option_minimum": 5, "initial_ratio": 1.35, "net_option_value": true, "#
                    + scan + ", \"days\": 2}"
            ).rule, case .span(let still) = try Self.model("\"kind\": \"span-array\", " + scan + "}").rule
        else { throw Missing() }
        var own = SpanMargin.Scan(price: 30, volatility: 0.3, extremeMultiple: 3, extremeCover: 0.33)
        #expect(still.scan == own && own.days == 0)
        own.days = 2
        #expect(whole.scan == own)
        #expect(whole.shortOptionMinimum == 5 && whole.initialRatio == 1.35 && whole.countsOptionValue)

        let rates = #""kind": "rates", "initial_rate": 0.1, "maintenance_rate": 0.05"#
        guard case .rates(let now) = try Self.model(rates).rule,
            case .rates(let entry) = try Self.model(rates + #", "on": "entry", "fixed_maintenance": 0.01"#)
                .rule
        else { throw Missing() }
        #expect(now == RateMargin(initialRate: 0.1, maintenanceRate: 0.05))
        #expect(now.price == .now && now.fixedMaintenance == 0)
        #expect(entry.price == .entry && entry.fixedMaintenance == 0.01)
    }

    @Test("What each kind of rule takes: underlyings, the unit of its amounts, whether entries count")
    func kinds() throws {
        let folder = SharedData.packageRoot.appendingPathComponent("Examples/margin")
        for (file, kind, isOne, isInCoin) in [
            ("paradex.json", "scan", true, false), ("derive-standard.json", "derive-standard", false, false),
            ("deribit-pm-btc.json", "deribit-pm", true, true),
            ("deribit-standard.json", "standard-option", true, true),
            ("aevo-standard.json", "standard-option", false, false),
            ("span.json", "span-array", false, false),
        ] {
            let model = try MarginModel(try Source(path: folder.appendingPathComponent(file).path))
            #expect(
                model.kind == kind && model.takesOneUnderlying == isOne && model.isInCoin == isInCoin,
                "\(file)")
        }
        let rates = MarginModel(.rates(RateMargin(initialRate: 0.1, maintenanceRate: 0.05)))
        #expect(rates.kind == "rates" && !rates.takesOneUnderlying && !rates.isInCoin)
    }
}
