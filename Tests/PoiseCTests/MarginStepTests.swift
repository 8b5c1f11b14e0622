import CPoise
import Foundation
import Poise
import TestSupport
import Testing

/// Margins ahead of time, in whole numbers, and auctions through C: by hand, and against Swift to the bit.
struct MarginStepTests {
    private static func path(_ name: String) -> String {
        SharedData.packageRoot.appendingPathComponent("Examples/margin/\(name)").path
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    /// Columns of a handle by the number of the figure.
    private static func columns(
        _ figures: Int, _ count: Int, _ call: (Int, poise_column) -> poise_status
    ) throws -> [[Double]] {
        try (0..<figures).map { figure in
            var values = [Double](repeating: -7, count: max(count, 1))
            let status = values.withUnsafeMutableBufferPointer {
                call(figure, poise_column(data: $0.baseAddress, stride: 0))
            }
            try #require(status == POISE_OK, "\(lastError)")
            return Array(values.prefix(count))
        }
    }

    private struct Ahead {
        let handle: Handle
        var count: Int { poise_margin_ahead_count(handle.pointer) }

        init(_ margin: OpaquePointer, _ days: Double) throws {
            handle = try Handle(poise_margin_ahead_free) { poise_margin_ahead_create(margin, days, $0) }
        }

        func texts(_ label: poise_margin_label) -> [String?] {
            (0..<count).map { MarginStepTests.text(poise_margin_ahead_text(handle.pointer, $0, label)) }
        }

        func amounts() throws -> [[Double]] {
            try MarginStepTests.columns(7, count) {
                poise_margin_ahead_amounts(handle.pointer, poise_margin_step(UInt32($0)), $1)
            }
        }
    }

    /// The sample's ether under a grid of scenarios, and the same in Swift.
    private static func sampleMargin() throws -> (OpaquePointer, MarginModel, MarginBook) {
        let text = "currency = \"USD\"\ncash = 250000\n"
        let (engine, chain) = (try makeEngine(), try makeChain())
        // The venue of these rules has no dated futures.
        let lines = try String(contentsOfFile: sample("positions.csv"), encoding: .utf8).split(
            separator: "\n")
        let held = lines.enumerated().filter {
            $0 == 0
                || $1.contains(",ETH-")
                    && ($1.contains("-C,") || $1.contains("-P,") || $1.contains("PERPETUAL"))
        }.map { String($1) }.joined(separator: "\n")
        let positions = try Handle(poise_positions_free) {
            poise_positions_parse(held, held.utf8.count, nil, $0)
        }
        let model = try Handle(poise_margin_model_free) {
            poise_margin_model_read(path("derive-pmrm2-eth.json"), $0)
        }
        let account = try MarginDesk.account(text)
        let margin = try Handle(poise_margin_free) {
            poise_margin_create(
                engine.pointer, chain.pointer, positions.pointer, account.pointer, model.pointer, "ETH", $0)
        }.pointer
        var badRows = BadRows(skip: false)
        let own = try MarginModel(try Source(path: path("derive-pmrm2-eth.json")))
        let book = try MarginBook(
            try PositionTable(Source(name: "positions", bytes: Array(held.utf8)), &badRows), candidates: nil,
            in: try Chain(try Source(path: sample("chain.csv")), &badRows),
            try MarginAccountFile(Source(name: "account", bytes: Array(text.utf8))), own, underlying: "ETH",
            &badRows)
        return (margin, own, book)
    }

    @Test(
        "An expiry of the small market settles after its price was averaged, and leaves the perpetuals alone")
    func aheadByHand() throws {
        var desk = MarginDesk()
        desk.model = MarginDesk.scan
        desk.held.append(("b", "BTC_USDC-27MAR26-60000-C", -2))
        let margin = try desk.made()
        let ahead = try Ahead(margin, 3650)
        #expect(ahead.texts(POISE_MARGIN_NAME) == ["averaging", "expiry"])
        #expect(ahead.texts(POISE_MARGIN_UNDERLYING) == ["BTC", "BTC"])
        #expect(ahead.texts(POISE_MARGIN_EXPIRY) == ["BTC_USDC-27MAR26", "BTC_USDC-27MAR26"])
        #expect(ahead.texts(POISE_MARGIN_TITLE) == [nil, nil])
        #expect(poise_margin_ahead_text(ahead.handle.pointer, 2, POISE_MARGIN_NAME) == nil)
        let amounts = try ahead.amounts()
        #expect(amounts[0][1] - amounts[0][0] == 1800)
        // The call, at the money, settles at nothing: a tenth of 180,000 is lost in the fall, half to stay.
        #expect(
            isNear(amounts[2][1], 18_000) && isNear(amounts[3][1], 18_000) && isNear(amounts[5][1], 9_000))
        #expect(amounts[1][1] < 18_000 && isNear(amounts[4][1], amounts[1][1] / 2))
        #expect(isNear(amounts[6][1], 11_000))
        try #expect(Ahead(margin, 0).count == 0)
        var made: OpaquePointer? = OpaquePointer(bitPattern: 8)
        for days in [-1, .nan, 3651, .infinity] {
            #expect(poise_margin_ahead_create(margin, days, &made) == POISE_ERROR_ARGUMENT)
            #expect(made == nil && lastField == "days")
        }
        #expect(
            poise_margin_ahead_amounts(ahead.handle.pointer, poise_margin_step(7), poise_column())
                == POISE_ERROR_ARGUMENT)
        #expect(
            poise_margin_ahead_amounts(ahead.handle.pointer, POISE_MARGIN_STEP_SECONDS, poise_column())
                == POISE_ERROR_NULL)
    }

    @Test("The sample's steps ahead and whole numbers are Swift's")
    func bits() throws {
        let (margin, model, book) = try Self.sampleMargin()
        let engine = try GreeksEngine()
        let steps = try model.stepsAhead(of: book.account, in: book.market, within: 60 * 86400, engine)
        let ahead = try Ahead(margin, 60)
        #expect(steps.count > 2 && ahead.count == steps.count)
        #expect(ahead.texts(POISE_MARGIN_NAME) == steps.map(\.cause.rawValue))
        #expect(ahead.texts(POISE_MARGIN_EXPIRY) == steps.map(\.expiry))
        let wanted = [
            steps.map(\.seconds), steps.map(\.initialBefore), steps.map(\.initialAfter),
            steps.map(\.initialDayLater), steps.map(\.maintenanceBefore), steps.map(\.maintenanceAfter),
            steps.map(\.maintenanceBalanceAfter),
        ]
        for (mine, own) in zip(try ahead.amounts(), wanted) { #expect(sameBits(mine, own)) }
        let exact = try Handle(poise_margin_exact_free) { poise_margin_exact_create(margin, $0) }.pointer
        let own = try model.exactMargin(of: book.account, in: book.market, engine)
        let figures = (0...3).map {
            Self.text(poise_margin_exact_figure(exact, poise_margin_whole(UInt32($0))))
        }
        #expect(
            figures == ["\(own.initialMargin)", "\(own.maintenanceMargin)", "\(own.markToMarket)", nil])
        #expect(poise_margin_exact_count(exact) == own.losses.count)
        let losses = (0...own.losses.count).map { Self.text(poise_margin_exact_loss(exact, $0)) }
        #expect(losses == own.losses.map { "\($0.loss)" } + [nil])
        let keys = (0...own.losses.count).map { Self.text(poise_margin_exact_scenario(exact, $0)) }
        #expect(keys == own.losses.map(\.key) + [nil])
        #expect(Self.text(poise_margin_exact_transcript(exact)) == own.transcript)
        let initial = try MarginDesk.totals(margin).initial_margin
        #expect(isNear(Double(own.initialMargin) / 1e8, initial, 1e-6))
    }

    @Test("Rules without scenarios have no whole numbers")
    func rates() throws {
        let margin = try MarginDesk().made()
        var made: OpaquePointer? = OpaquePointer(bitPattern: 8)
        #expect(poise_margin_exact_create(margin, &made) == POISE_ERROR_VALUE)
        #expect(made == nil && lastField == "kind" && LastError.now.text == "rates")
        #expect(poise_margin_exact_create(nil, &made) == POISE_ERROR_NULL)
        #expect(poise_margin_exact_count(nil) == 0 && poise_margin_exact_transcript(nil) == nil)
        #expect(poise_margin_ahead_count(nil) == 0 && poise_margin_auction_count(nil) == 0)
    }

    @Test("A solvent and an insolvent bid of an auction, by hand")
    func auctions() throws {
        let text = """
            [{"name": "a", "auction": {"parameters": {"buffer": 0.25, "discount": {"start": 0.9, "fast_end": 0.5,
            "fast_seconds": 100, "slow_seconds": 1000}, "insolvent_seconds": 100}, "lower_bound": -500, "steps": [
            {"time": 50, "mark_to_market": 100, "maintenance_margin_balance": -40, "want": 1},
            {"time": 60, "mark_to_market": -10, "maintenance_margin_balance": -40, "want": 0.125}]}},
            {"name": "b", "auction": {"parameters": {"buffer": 0.25, "discount": {"start": 0.9, "fast_end": 0.5,
            "fast_seconds": 100, "slow_seconds": 1000}, "insolvent_seconds": 100}, "steps": [
            {"time": 60, "mark_to_market": -10, "maintenance_margin_balance": -40, "want": 0.125}]}},
            {"name": "c", "currency": "USD", "model": {"kind": "rates", "initial_rate": 0.5, "maintenance_rate": 0.1},
            "market": {"underlyings": {"X": {"spot": 100}}, "contracts": {}}, "cash": 200, "positions": []}]
            """
        let cases = try Handle(poise_margin_cases_free) {
            poise_margin_cases_parse(text, text.utf8.count, "cases", $0)
        }.pointer
        let auction = try Handle(poise_margin_auction_free) { poise_margin_auction_of_case(cases, 0, $0) }
            .pointer
        #expect(poise_margin_auction_count(auction) == 2)
        let found = try Self.columns(7, 2) {
            poise_margin_auction_amounts(auction, poise_margin_bid(UInt32($0)), $1)
        }
        // B = −40 + 0.25 (−40 − 100) = −75, half way down at 0.7: 75 / (75 + 70) of the account at 70.
        let share = 75.0 / 145
        let solvent = [-75, share, share, 70 * share, .nan, 100 - 30 * share, -40 + 110 * share]
        let left = 1 - 0.125 / (1 - share)
        let insolvent = [-47.5, 0, 1 - left, .nan, 500 * 0.125 * 0.6, -10 * left, -40 * left]
        for (row, wanted) in [solvent, insolvent].enumerated() {
            for (figure, value) in wanted.enumerated() {
                let mine = found[figure][row]
                #expect(value.isNaN ? mine.isNaN : isNear(mine, value), "\(figure) of \(row)")
            }
        }
        var made: OpaquePointer? = OpaquePointer(bitPattern: 8)
        #expect(poise_margin_auction_of_case(cases, 1, &made) == POISE_ERROR_VALUE && made == nil)
        #expect(lastField == "b: step 0: lower_bound", "\(lastError)")
        #expect(poise_margin_auction_of_case(cases, 2, &made) == POISE_ERROR_ARGUMENT)
        #expect(poise_margin_auction_of_case(cases, 3, &made) == POISE_ERROR_ARGUMENT)
        #expect(
            poise_margin_auction_amounts(auction, poise_margin_bid(7), poise_column()) == POISE_ERROR_ARGUMENT
        )
    }
}
