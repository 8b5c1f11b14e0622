import CPoise
import Foundation
import Poise
import TestSupport
import Testing

/// An account of the small market, margined by hand: three perpetuals at 60,000 and 20,000 dollars, unless told otherwise.
struct MarginDesk {
    /// A tenth of a position's value, a twentieth for maintenance.
    static let rates = """
        {"name": "r", "venue": "v", "source": "s", "date": "2026-01-31", "omitted": ["what is not public"], "kind": "rates",
        "initial_rate": 0.1, "maintenance_rate": 0.05}
        """

    /// Three moves of prices, half of the largest loss to stay.
    static let scan = """
        {"name": "g", "venue": "v", "source": "s", "date": "2026-01-31", "kind": "scan", "discounted": false,
        "grid": {"name": "g", "scenarios": [{"spot": [-0.1, 0, 0.1]}]}, "factors": {"maintenance": 0.5, "initial": 1}}
        """

    var market = SmallMarket()
    var held: [(String, String, Double)] = [("b", "BTC_USDC-PERPETUAL", 3)]
    var model = rates
    var account = "currency = \"USD\"\ncash = 20000\n"
    var underlying: String?

    static func model(_ text: String) throws -> Handle {
        try Handle(poise_margin_model_free) { poise_margin_model_parse(text, text.utf8.count, "model", $0) }
    }

    static func account(_ text: String) throws -> Handle {
        try Handle(poise_margin_account_free) {
            poise_margin_account_parse(text, text.utf8.count, "account", $0)
        }
    }

    static func limits(_ rows: String) throws -> Handle {
        let text = "book,underlying,greek,low,high\n" + rows
        return try Handle(poise_limits_free) { poise_limits_parse(text, text.utf8.count, "limits", $0) }
    }

    func made() throws -> OpaquePointer {
        let (engine, chain) = (try makeEngine(), try market.chain())
        let positions = try SmallMarket.positions(held)
        let (model, account) = (try Self.model(model), try Self.account(account))
        return try Handle(poise_margin_free) {
            poise_margin_create(
                engine.pointer, chain.pointer, positions.pointer, account.pointer, model.pointer, underlying,
                $0)
        }.pointer
    }

    /// The status of an account that is refused.
    func refused() throws -> poise_status {
        let (engine, chain) = (try makeEngine(), try market.chain())
        let positions = try SmallMarket.positions(held)
        let (model, account) = (try Self.model(model), try Self.account(account))
        var margin: OpaquePointer? = OpaquePointer(bitPattern: 8)
        let status = poise_margin_create(
            engine.pointer, chain.pointer, positions.pointer, account.pointer, model.pointer, underlying,
            &margin)
        #expect(margin == nil)
        return status
    }

    func live() throws -> OpaquePointer {
        let margin = try made()
        return try Handle(poise_live_margin_free) { poise_live_margin_create(margin, $0) }.pointer
    }

    static func figures(
        _ read: (UnsafeMutablePointer<poise_margin_figures>) -> poise_status
    ) throws -> poise_margin_figures {
        var figures = poise_margin_figures()
        figures.size = MemoryLayout<poise_margin_figures>.stride
        try #require(read(&figures) == POISE_OK, "\(lastError)")
        return figures
    }

    static func totals(_ margin: OpaquePointer) throws -> poise_margin_figures {
        try figures { poise_margin_totals(margin, $0) }
    }

    static func liveTotals(_ live: OpaquePointer) throws -> poise_margin_figures {
        try figures { poise_live_margin_totals(live, $0) }
    }

    /// Columns of `count` rows: initial and maintenance margin, initial and maintenance balance.
    static func columns(
        _ count: Int, size: Int = MemoryLayout<poise_margin_columns>.stride,
        _ call: (UnsafePointer<poise_margin_columns>) -> poise_status
    ) throws -> [[Double]] {
        var values = [Double](repeating: -7, count: 4 * max(count, 1))
        let status = values.withUnsafeMutableBufferPointer { values in
            func column(_ place: Int) -> poise_column {
                poise_column(data: values.baseAddress.map { $0 + place * count }, stride: 0)
            }
            var columns = poise_margin_columns(
                size: size, initial_margin: column(0), maintenance_margin: column(1),
                initial_balance: column(2), maintenance_balance: column(3))
            return call(&columns)
        }
        try #require(status == POISE_OK, "\(lastError)")
        return (0..<4).map { Array(values[$0 * count..<($0 + 1) * count]) }
    }

    static func whatIf(_ margin: OpaquePointer, _ trades: [(String, Double)]) throws -> [[Double]] {
        try withStrings(trades.map(\.0)) { names in
            try withPointers([trades.map(\.1)]) { quantities in
                try columns(trades.count) {
                    poise_margin_what_if(
                        margin, trades.count, names, poise_values(data: quantities[0], stride: 0), $0)
                }
            }
        }
    }

    static func whatIf(live: OpaquePointer, _ trades: [(Int, Double)]) throws -> [[Double]] {
        try withPointers([trades.map(\.1)]) { quantities in
            try columns(trades.count) {
                poise_live_margin_what_if(
                    live, trades.count, trades.map(\.0), poise_values(data: quantities[0], stride: 0), $0)
            }
        }
    }

    /// The status of trades that a live margin refuses; nothing is written.
    static func refused(live: OpaquePointer, _ trades: [(Int, Double)]) -> poise_status {
        var written = [-7.0, -7]
        let status = written.withUnsafeMutableBufferPointer { written in
            withPointers([trades.map(\.1)]) { quantities in
                var columns = poise_margin_columns()
                columns.size = MemoryLayout<poise_margin_columns>.stride
                columns.initial_margin.data = written.baseAddress
                return poise_live_margin_what_if(
                    live, trades.count, trades.map(\.0), poise_values(data: quantities[0], stride: 0),
                    &columns)
            }
        }
        #expect(written == [-7, -7])
        return status
    }

    static func liquidation(
        _ margin: OpaquePointer, _ underlying: Int64, _ lowest: Double = 0, _ highest: Double = 0
    ) throws -> [Double] {
        var (prices, count) = ([Double](repeating: .nan, count: 16), 0)
        let status = prices.withUnsafeMutableBufferPointer {
            poise_margin_liquidation(
                margin, underlying, lowest, highest, poise_column(data: $0.baseAddress, stride: 0), 16, &count
            )
        }
        try #require(status == POISE_OK, "\(lastError)")
        return Array(prices.prefix(count))
    }

    /// Texts of a table, and amounts.
    static func texts(
        _ margin: OpaquePointer, _ table: poise_margin_table, _ label: poise_margin_label
    ) -> [String?] {
        (0..<poise_margin_count(margin, table)).map { row in
            poise_margin_text(margin, table, row, label).map { String(cString: $0) }
        }
    }

    static func amounts(
        _ margin: OpaquePointer, _ table: poise_margin_table, _ amount: poise_margin_amount
    ) throws -> [Double] {
        var values = [Double](repeating: .nan, count: poise_margin_count(margin, table))
        let status = values.withUnsafeMutableBufferPointer {
            poise_margin_amounts(margin, table, amount, poise_column(data: $0.baseAddress, stride: 0))
        }
        try #require(status == POISE_OK, "\(lastError)")
        return values
    }

    // MARK: Hedges

    /// A hedge and what it says.
    struct Hedge {
        let pointer: OpaquePointer
        var result = poise_hedge_result()
        var answer = poise_margin_hedge_answer()
        let before, after: poise_margin_figures
        /// By instrument.
        var trades: [String: Double] = [:]
        var headroom: [String: Double] = [:]
        var sold: Double { -trades.values.reduce(0, +) }

        init(_ pointer: OpaquePointer) throws {
            self.pointer = pointer
            result.size = MemoryLayout<poise_hedge_result>.stride
            answer.size = MemoryLayout<poise_margin_hedge_answer>.stride
            try #require(poise_margin_hedge_totals(pointer, &result, &answer) == POISE_OK, "\(lastError)")
            before = try MarginDesk.figures { poise_margin_hedge_account(pointer, 0, $0, nil, nil) }
            after = try MarginDesk.figures { poise_margin_hedge_account(pointer, 1, $0, nil, nil) }
            let count = poise_margin_hedge_candidate_count(pointer)
            var columns = [Double](repeating: .nan, count: 2 * max(count, 1))
            let status = columns.withUnsafeMutableBufferPointer {
                poise_margin_hedge_trades(
                    pointer, poise_column(data: $0.baseAddress, stride: 0),
                    poise_column(data: $0.baseAddress.map { $0 + count }, stride: 0))
            }
            try #require(status == POISE_OK, "\(lastError)")
            for place in 0..<count {
                let name = String(cString: try #require(poise_margin_hedge_candidate(pointer, place)))
                (trades[name], headroom[name]) = (columns[place], columns[count + place])
            }
        }
    }

    /// The hedge of limits, wide ones unless told.
    func hedge(
        _ limits: String = ",BTC,delta,-100000000,100000000\n",
        _ set: (inout poise_margin_hedge_options) -> Void = { _ in }
    ) throws -> Hedge {
        var options = poise_margin_hedge_options()
        options.size = MemoryLayout<poise_margin_hedge_options>.stride
        set(&options)
        let (margin, limits) = (try made(), try Self.limits(limits))
        return try Hedge(
            Handle(poise_margin_hedge_free) {
                poise_margin_hedge_create(margin, limits.pointer, &options, $0)
            }.pointer)
    }

    /// The status of options that are refused.
    func refused(
        _ limits: String = ",BTC,delta,-100000000,100000000\n",
        _ set: (inout poise_margin_hedge_options) -> Void
    ) throws -> poise_status {
        var options = poise_margin_hedge_options()
        options.size = MemoryLayout<poise_margin_hedge_options>.stride
        set(&options)
        let (margin, limits) = (try made(), try Self.limits(limits))
        var hedge: OpaquePointer? = OpaquePointer(bitPattern: 8)
        let status = poise_margin_hedge_create(margin, limits.pointer, &options, &hedge)
        #expect(hedge == nil)
        return status
    }
}
