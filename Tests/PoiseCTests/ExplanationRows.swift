import CPoise
import Foundation
import Testing

/// Fields of explanations and of chains' tables, by a small market that moves.
enum ExplanationRows {
    typealias Row = EveryFieldTests.Row

    private static let day: Int64 = 86_400_000

    /// A day later: everything 1% up, the option's volatility three points.
    private static func later() -> SmallMarket {
        var market = SmallMarket()
        market.times = market.times.map { $0 + day }
        market.underlying = [60_600, .nan, .nan]
        market.volatility = [0.63, .nan, .nan]
        market.mark = [3_600, 60_600, 60_600]
        market.index = [60_600, 60_600, 60_600]
        market.bid = [3_550, 60_590, 60_595]
        market.ask = [3_650, 60_610, 60_605]
        return market
    }

    private static func options() -> poise_explanation_options {
        var options = poise_explanation_options()
        options.size = MemoryLayout<poise_explanation_options>.stride
        return options
    }

    /// One part by label, of two calls in a and three perpetuals in b.
    private static func explain(
        _ part: poise_profit_part, _ options: poise_explanation_options, trades: Handle? = nil,
        to market: SmallMarket = later(), _ read: (OpaquePointer) -> Void = { _ in }
    ) throws -> [String: Double] {
        let (engine, from, to) = (try makeEngine(), try SmallMarket().chain(), try market.chain())
        let positions = try SmallMarket.positions()
        var options = options
        let made = try Handle(poise_explanation_free) {
            poise_explanation_create(
                engine.pointer, from.pointer, to.pointer, positions.pointer, trades?.pointer, &options, $0)
        }.pointer
        read(made)
        let count = poise_explanation_count(made)
        var values = [Double](repeating: .nan, count: count)
        let status = values.withUnsafeMutableBufferPointer {
            poise_explanation_values(made, part, poise_column(data: $0.baseAddress, stride: 0))
        }
        try #require(status == POISE_OK, "\(lastError)")
        let labels = (0..<count).map { group in
            (0..<4).compactMap { poise_explanation_label(made, group, $0).map { String(cString: $0) } }
                .joined(separator: "/")
        }
        return Dictionary(uniqueKeysWithValues: zip(labels, values))
    }

    private static func with(_ set: (inout poise_explanation_options) -> Void) -> poise_explanation_options {
        var options = options()
        set(&options)
        return options
    }

    private static func refusal(_ options: poise_explanation_options) throws -> poise_status {
        let (engine, chain) = (try makeEngine(), try SmallMarket().chain())
        let positions = try SmallMarket.positions()
        var (options, made) = (options, OpaquePointer?.none)
        return poise_explanation_create(
            engine.pointer, chain.pointer, chain.pointer, positions.pointer, nil, &options, &made)
    }

    private static let explanations: [Row] = [
        Row("explanation_options", "size", "another than the struct's is refused") {
            try #expect(refusal(with { $0.size += 8 }) == POISE_ERROR_SIZE)
        },
        Row("explanation_options", "exposures", "one group by underlying; tenor is refused") {
            let whole = try explain(POISE_PROFIT_ALL, options())
            let change =
                blackScholes(60_600, 60_000, 19.0 / 365, 0.63) - blackScholes(60_000, 60_000, 20.0 / 365, 0.6)
            #expect(try isNear(#require(whole["a/BTC"]), 2 * change, 1e-9))
            #expect(try isNear(#require(whole["b/BTC"]), 3 * 600, 1e-9))
            var by = options()
            by.exposures.size = MemoryLayout<poise_exposure_options>.stride
            (by.exposures.grouping_count, by.exposures.groupings.0) = (1, POISE_BY_UNDERLYING)
            let sum = try explain(POISE_PROFIT_ALL, by)
            #expect(try sum.count == 1 && isNear(#require(sum["BTC"]), 2 * change + 1_800, 1e-9))
            by.exposures.groupings.0 = POISE_BY_TENOR
            #expect(try refusal(by) == POISE_ERROR_ARGUMENT)
        },
        Row("explanation_options", "buckets", "a desk of both books") {
            try withStrings(["a", "b"]) { books in
                try withStrings(["x", "x"]) { desks in
                    var buckets = poise_buckets()
                    buckets.size = MemoryLayout<poise_buckets>.stride
                    (buckets.desk_count, buckets.book, buckets.desk) = (2, books, desks)
                    try withUnsafePointer(to: &buckets) { buckets in
                        let found = try explain(
                            POISE_PROFIT_ALL,
                            with {
                                $0.exposures.size = MemoryLayout<poise_exposure_options>.stride
                                ($0.exposures.grouping_count, $0.exposures.groupings.0) = (1, POISE_BY_DESK)
                                $0.buckets = buckets
                            })
                        #expect(Array(found.keys) == ["x"])
                    }
                }
            }
        },
        Row("explanation_options", "funding_rate", "three perpetuals pay thrice a day") {
            let found = try explain(POISE_PROFIT_CARRY, with { $0.funding_rate = 0.0001 })
            #expect(try isNear(#require(found["b/BTC"]), -3 * 60_000 * 0.0001 * 3, 1e-9))
        },
        Row("explanation_options", "splits_vega", "without curves of the expiry all of vega is rest") {
            let vega = try explain(POISE_PROFIT_VEGA, with { $0.splits_vega = 1 })
            let rest = try explain(POISE_PROFIT_VEGA_REST, with { $0.splits_vega = 1 })
            #expect(try isNear(#require(rest["a/BTC"]), #require(vega["a/BTC"]), 1e-12))
            #expect(try #require(vega["a/BTC"]) > 100)
        },
        Row(
            "explanation_options", "delivery_count, delivery_name, delivery_price",
            "a call that has expired is worth what it pays at the price given"
        ) {
            var end = later()
            end.times = end.times.map { $0 + 20 * day }
            // What is over is not quoted.
            (end.instruments, end.indices) = (["BTC_USDC-PERPETUAL"], [""])
            (end.times, end.underlying, end.volatility) = ([end.times[0]], [.nan], [.nan])
            (end.mark, end.rate, end.index) = ([60_600], [.nan], [60_600])
            (end.bid, end.bidAmount, end.ask, end.askAmount) = ([60_595], [10], [60_605], [10])
            let start = 2 * blackScholes(60_000, 60_000, 20.0 / 365, 0.6)
            let atIndex = try explain(POISE_PROFIT_ALL, options(), to: end) { made in
                var (price, isGiven) = (0.0, UInt32(7))
                #expect(poise_explanation_settlement(made, 0, &price, &isGiven) != nil)
                #expect(price == 60_600 && isGiven == 0)
            }
            #expect(try isNear(#require(atIndex["a/BTC"]), 2 * 600 - start, 1e-9))
            try withStrings(["BTC_USDC-27MAR26"]) { names in
                try withPointers([[61_000.0]]) { prices in
                    let given = with {
                        ($0.delivery_count, $0.delivery_name) = (1, names)
                        $0.delivery_price = poise_values(data: prices[0], stride: 0)
                    }
                    let found = try explain(POISE_PROFIT_ALL, given, to: end) { made in
                        #expect(poise_explanation_settlement_count(made) == 1)
                        var (price, isGiven) = (0.0, UInt32(7))
                        let name = poise_explanation_settlement(made, 0, &price, &isGiven)
                        #expect(name.map { String(cString: $0) } == "BTC_USDC-27MAR26-60000-C")
                        #expect(price == 61_000 && isGiven == 1)
                        #expect(poise_explanation_settlement(made, 1, nil, nil) == nil)
                    }
                    #expect(try isNear(#require(found["a/BTC"]), 2 * 1_000 - start, 1e-9))
                    #expect(try refusal(given) == POISE_ERROR_UNKNOWN_NAME)
                }
            }
        },
    ]

    /// A column of the table of the small market.
    private static func column(
        _ set: @escaping (inout poise_ticker_columns, poise_column) -> Void,
        of market: SmallMarket = SmallMarket()
    ) throws -> [Double] {
        let chain = try market.chain()
        var numbers = [Double](repeating: -7, count: poise_chain_count(chain.pointer))
        let status = numbers.withUnsafeMutableBufferPointer {
            var columns = poise_ticker_columns()
            columns.size = MemoryLayout<poise_ticker_columns>.stride
            set(&columns, poise_column(data: $0.baseAddress, stride: 0))
            return poise_chain_table(chain.pointer, &columns)
        }
        try #require(status == POISE_OK, "\(lastError)")
        return numbers
    }

    private static func same(_ a: [Double], _ b: [Double]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
    }

    private static let tables: [Row] = [
        Row("ticker_columns", "size", "another than the struct's is refused") {
            var columns = poise_ticker_columns()
            columns.size = 8
            let chain = try SmallMarket().chain()
            #expect(poise_chain_table(chain.pointer, &columns) == POISE_ERROR_SIZE)
        },
        Row(
            "ticker_columns", "kind, type, milliseconds, expiry_milliseconds",
            "a call, its future, a perpetual, at one time"
        ) {
            let chain = try SmallMarket().chain()
            var (kind, type) = ([UInt8](repeating: 9, count: 3), [UInt8](repeating: 9, count: 3))
            var (times, expiries) = ([Int64](repeating: 9, count: 3), [Int64](repeating: 9, count: 3))
            let status = kind.withUnsafeMutableBufferPointer { kind in
                type.withUnsafeMutableBufferPointer { type in
                    times.withUnsafeMutableBufferPointer { times in
                        expiries.withUnsafeMutableBufferPointer { expiries in
                            var columns = poise_ticker_columns()
                            columns.size = MemoryLayout<poise_ticker_columns>.stride
                            (columns.kind, columns.type) = (kind.baseAddress, type.baseAddress)
                            columns.milliseconds = times.baseAddress
                            columns.expiry_milliseconds = expiries.baseAddress
                            return poise_chain_table(chain.pointer, &columns)
                        }
                    }
                }
            }
            #expect(status == POISE_OK)
            #expect(kind == [0, 1, 2] && type == [0, 255, 255])
            #expect(times == [Int64](repeating: SmallMarket.time, count: 3))
            let expiry = SmallMarket.time + 20 * day
            #expect(expiries == [expiry, expiry, 0])
            let coin = poise_chain_underlying(chain.pointer, 2)
            #expect(coin.map { String(cString: $0) } == "BTC")
            #expect(poise_chain_underlying(chain.pointer, 3) == nil && poise_chain_underlying(nil, 0) == nil)
        },
        Row("ticker_columns", "strike, forward", "in dollars") {
            try #expect(same(column { $0.strike = $1 }, [60_000, .nan, .nan]))
            try #expect(same(column { $0.forward = $1 }, [60_000, 60_000, 60_000]))
        },
        Row("ticker_columns", "years, volatility, rate", "twenty days, 60%, none") {
            try #expect(same(column { $0.years = $1 }, [20.0 / 365, 20.0 / 365, .nan]))
            try #expect(same(column { $0.volatility = $1 }, [0.6, .nan, .nan]))
            var market = SmallMarket()
            market.rate = [0.05, .nan, .nan]
            try #expect(same(column({ $0.rate = $1 }, of: market), [0.05, 0, 0]))
        },
        Row(
            "ticker_columns",
            "mark_price, index_price, bid_price, bid_amount, ask_price, ask_amount", "as given"
        ) {
            let market = SmallMarket()
            try #expect(same(column { $0.mark_price = $1 }, market.mark))
            try #expect(same(column { $0.index_price = $1 }, market.index))
            try #expect(same(column { $0.bid_price = $1 }, market.bid))
            try #expect(same(column { $0.bid_amount = $1 }, market.bidAmount))
            try #expect(same(column { $0.ask_price = $1 }, market.ask))
            try #expect(same(column { $0.ask_amount = $1 }, market.askAmount))
        },
        Row(
            "ticker_columns",
            "open_interest, exchange_delta, exchange_gamma, exchange_vega, exchange_theta, exchange_rho",
            "as the exchange published them"
        ) {
            let text = """
                instrument_name,timestamp,underlying_price,mark_iv,mark_price,open_interest,delta,gamma,vega,theta,rho
                BTC-27MAR26-60000-C,\(SmallMarket.time),60000,60,0.055,12.5,0.51,0.00003,55.5,-80.25,7.75

                """
            let chain = try Handle(poise_chain_free) { poise_chain_parse(text, text.utf8.count, nil, $0) }
            var numbers = [Double](repeating: -7, count: 6)
            let status = numbers.withUnsafeMutableBufferPointer { numbers in
                func column(_ place: Int) -> poise_column {
                    poise_column(data: numbers.baseAddress! + place, stride: 0)
                }
                var columns = poise_ticker_columns()
                columns.size = MemoryLayout<poise_ticker_columns>.stride
                (columns.open_interest, columns.exchange_delta) = (column(0), column(1))
                (columns.exchange_gamma, columns.exchange_vega) = (column(2), column(3))
                (columns.exchange_theta, columns.exchange_rho) = (column(4), column(5))
                return poise_chain_table(chain.pointer, &columns)
            }
            #expect(status == POISE_OK, "\(lastError)")
            #expect(numbers == [12.5, 0.51, 0.00003, 55.5, -80.25, 7.75])
        },
        Row(
            "tickers",
            "open_interest, exchange_delta, exchange_gamma, exchange_vega, exchange_theta, exchange_rho",
            "come out of a chain as they went in; a struct may end before them"
        ) {
            let published = [12.5, 0.51, 0.00003, 55.5, -80.25, 7.75]
            let chain = try withPointers(published.map { [$0, .nan, .nan] }) { columns in
                try SmallMarket().chain {
                    ($0.open_interest.data, $0.exchange_delta.data) = (columns[0], columns[1])
                    ($0.exchange_gamma.data, $0.exchange_vega.data) = (columns[2], columns[3])
                    ($0.exchange_theta.data, $0.exchange_rho.data) = (columns[4], columns[5])
                }
            }
            func first(_ place: WritableKeyPath<poise_ticker_columns, poise_column>) throws -> Double {
                var numbers = [Double](repeating: -7, count: 3)
                let status = numbers.withUnsafeMutableBufferPointer {
                    var columns = poise_ticker_columns()
                    columns.size = MemoryLayout<poise_ticker_columns>.stride
                    columns[keyPath: place] = poise_column(data: $0.baseAddress, stride: 0)
                    return poise_chain_table(chain.pointer, &columns)
                }
                try #require(status == POISE_OK, "\(lastError)")
                return numbers[0]
            }
            let found = try [
                first(\.open_interest), first(\.exchange_delta), first(\.exchange_gamma),
                first(\.exchange_vega), first(\.exchange_theta), first(\.exchange_rho),
            ]
            #expect(found == published)
            for end in [
                MemoryLayout<poise_tickers>.offset(of: \.bids),
                MemoryLayout<poise_tickers>.offset(of: \.open_interest),
            ] {
                #expect(poise_chain_count(try SmallMarket().chain { $0.size = end ?? 0 }.pointer) == 3)
            }
        },
    ]

    static let rows: [Row] = explanations + tables
}
