import CPoise
import Foundation
import Testing

/// A small market as columns: a linear option 20 days before it expires, its future, a linear perpetual.
struct SmallMarket {
    /// 27 March 2026, 08:00, less 20 days.
    static let time: Int64 = 1_774_598_400_000 - 20 * 86_400_000
    var instruments = ["BTC_USDC-27MAR26-60000-C", "BTC_USDC-27MAR26", "BTC_USDC-PERPETUAL"]
    var times = [Int64](repeating: time, count: 3)
    var underlying = [60_000.0, .nan, .nan]
    var volatility = [0.6, .nan, .nan]
    var mark = [3_300.0, 60_000, 60_000]
    var rate = [0.0, .nan, .nan]
    var index = [60_000.0, 60_000, 60_000]
    var bid = [3_250.0, 59_990, 59_995]
    var bidAmount = [10.0, 10, 10]
    var ask = [3_350.0, 60_010, 60_005]
    var askAmount = [10.0, 10, 10]
    var indices = ["BTC_USDC-27MAR26", "", ""]

    func chain(_ set: (inout poise_tickers) -> Void = { _ in }) throws -> Handle {
        try withTickers(set) { tickers in try Handle(poise_chain_free) { poise_chain_create(tickers, $0) } }
    }

    /// Of tickers that are no chain.
    func refusal(_ set: (inout poise_tickers) -> Void) -> poise_status {
        withTickers(set) { tickers in
            var made: OpaquePointer?
            return poise_chain_create(tickers, &made)
        }
    }

    func withTickers<R>(
        _ set: (inout poise_tickers) -> Void, _ body: (UnsafePointer<poise_tickers>) throws -> R
    ) rethrows -> R {
        try withStrings(instruments) { instruments in
            try withStrings(indices) { indices in
                try times.withUnsafeBufferPointer { times in
                    try withPointers([
                        underlying, volatility, mark, rate, index, bid, bidAmount, ask, askAmount,
                    ]) { columns in
                        var tickers = poise_tickers()
                        tickers.size = MemoryLayout<poise_tickers>.stride
                        tickers.count = times.count
                        tickers.instrument = instruments
                        tickers.timestamp.data = times.baseAddress
                        tickers.underlying_price.data = columns[0]
                        tickers.mark_volatility.data = columns[1]
                        tickers.mark_price.data = columns[2]
                        tickers.interest_rate.data = columns[3]
                        tickers.index_price.data = columns[4]
                        tickers.bid_price.data = columns[5]
                        tickers.bid_amount.data = columns[6]
                        tickers.ask_price.data = columns[7]
                        tickers.ask_amount.data = columns[8]
                        tickers.underlying_index = indices
                        set(&tickers)
                        return try body(&tickers)
                    }
                }
            }
        }
    }

    static func positions(_ held: [(book: String, instrument: String, quantity: Double)]) throws -> Handle {
        try withStrings(held.map(\.book)) { books in
            try withStrings(held.map(\.instrument)) { instruments in
                try withPointers([held.map(\.quantity)]) { quantities in
                    try Handle(poise_positions_free) {
                        poise_positions_create(
                            held.count, books, instruments, poise_values(data: quantities[0], stride: 0), $0)
                    }
                }
            }
        }
    }

    /// Two calls in book a, three perpetuals in b.
    static func positions() throws -> Handle {
        try positions([("a", "BTC_USDC-27MAR26-60000-C", 2), ("b", "BTC_USDC-PERPETUAL", 3)])
    }

    /// One exposure by the labels of its groups.
    static func exposures(
        _ chain: Handle, _ exposure: poise_exposure, _ options: poise_exposure_options? = nil,
        _ buckets: UnsafePointer<poise_buckets>? = nil, of positions: Handle? = nil
    ) throws -> [String: Double] {
        let (engine, positions) = (try makeEngine(), try positions ?? Self.positions())
        var options = options ?? exposureOptions()
        let made = try Handle(poise_exposures_free) {
            buckets == nil
                ? poise_exposures_create(engine.pointer, chain.pointer, positions.pointer, &options, $0)
                : poise_exposures_create_in_buckets(
                    engine.pointer, chain.pointer, positions.pointer, &options, buckets, $0)
        }
        let count = poise_exposures_count(made.pointer)
        var values = [Double](repeating: .nan, count: count)
        let status = values.withUnsafeMutableBufferPointer {
            poise_exposures_values(made.pointer, exposure, poise_column(data: $0.baseAddress, stride: 0))
        }
        try #require(status == POISE_OK, "\(lastError)")
        let labels = (0..<count).map { group in
            (0..<4).compactMap { poise_exposures_label(made.pointer, group, $0).map { String(cString: $0) } }
                .joined(separator: "/")
        }
        return Dictionary(uniqueKeysWithValues: zip(labels, values))
    }

    /// What one of a contract is worth, held or not.
    static func value(_ contract: String, _ chain: Handle) throws -> Double {
        let (engine, held) = (try makeEngine(), try positions([("b", "BTC_USDC-PERPETUAL", 1)]))
        let live = try Handle(poise_live_free) {
            poise_live_create(engine.pointer, chain.pointer, held.pointer, nil, nil, $0)
        }
        var value = Double.nan
        let place = poise_live_find_contract(live.pointer, contract)
        try #require(place >= 0)
        #expect(poise_live_figure(live.pointer, Int(place), POISE_EXPOSURE_VALUE, &value) == POISE_OK)
        return value
    }

    static func exposureOptions() -> poise_exposure_options {
        var options = poise_exposure_options()
        options.size = MemoryLayout<poise_exposure_options>.stride
        return options
    }
}

/// Fields of tickers and exposures, by what two books over a small market are exposed to.
enum BookFieldRows {
    typealias Row = EveryFieldTests.Row

    /// The value of the two calls of book a, which is what its option's facts come to.
    private static func valueOfCalls(_ set: (inout SmallMarket) -> Void = { _ in }) throws -> Double {
        var market = SmallMarket()
        set(&market)
        let values = try SmallMarket.exposures(market.chain(), POISE_EXPOSURE_VALUE)
        return try #require(values["a/BTC"])
    }

    private static func call(
        _ forward: Double = 60_000, days: Double = 20, _ volatility: Double = 0.6, rate: Double = 0
    )
        -> Double
    { 2 * blackScholes(forward, 60_000, days / 365, volatility, rate: rate, dividend: rate) }

    private static let tickers: [Row] = [
        Row("tickers", "size, count, instrument", "the first two are the chain; another size is refused") {
            let chain = try SmallMarket().chain { $0.count = 2 }
            #expect(poise_chain_count(chain.pointer) == 2)
            let name = try #require(poise_chain_instrument(chain.pointer, 1))
            #expect(
                String(cString: name) == "BTC_USDC-27MAR26" && poise_chain_instrument(chain.pointer, 2) == nil
            )
            var tickers = poise_tickers()
            tickers.size = 8
            var made: OpaquePointer?
            #expect(poise_chain_create(&tickers, &made) == POISE_ERROR_SIZE)
        },
        Row("tickers", "timestamp", "a day later the calls have 19 days to go") {
            try #expect(isNear(valueOfCalls(), call(), 1e-9))
            try #expect(
                isNear(valueOfCalls { $0.times = $0.times.map { $0 + 86_400_000 } }, call(days: 19), 1e-9))
        },
        Row("integers", "data, stride", "times of which every second counts; one for all") {
            var market = SmallMarket()
            market.times = [SmallMarket.time + 86_400_000, 0, SmallMarket.time, 0, SmallMarket.time, 0]
            let chain = try market.chain { ($0.timestamp.stride, $0.count) = (16, 3) }
            let values = try SmallMarket.exposures(chain, POISE_EXPOSURE_VALUE)
            #expect(isNear(values["a/BTC"] ?? .nan, call(days: 19), 1e-9))
            market.times = [SmallMarket.time + 2 * 86_400_000, 0, 0]
            let broadcast = try SmallMarket.exposures(
                market.chain { $0.timestamp.stride = .min }, POISE_EXPOSURE_VALUE)
            #expect(isNear(broadcast["a/BTC"] ?? .nan, call(days: 18), 1e-9))
        },
        Row("tickers", "underlying_price", "the calls' value is that of Black-76 on it") {
            try #expect(isNear(valueOfCalls { $0.underlying[0] = 61_000 }, call(61_000), 1e-9))
        },
        Row("tickers", "mark_volatility", "the calls' value is that of Black-76 at it") {
            try #expect(isNear(valueOfCalls { $0.volatility[0] = 0.7 }, call(60_000, 0.7), 1e-9))
        },
        Row("tickers", "interest_rate", "the calls' value is discounted by it") {
            try #expect(isNear(valueOfCalls { $0.rate[0] = 0.2 }, call(rate: 0.2), 1e-9))
        },
        Row("tickers", "mark_price", "the delta of three perpetuals is three times it") {
            var market = SmallMarket()
            market.mark[2] = 61_000
            let deltas = try SmallMarket.exposures(market.chain(), POISE_EXPOSURE_DELTA)
            #expect(isNear(deltas["b/BTC"] ?? .nan, 183_000))
        },
        Row("tickers", "underlying_index", "the option's price of the future is that of the future it names")
        {
            var market = SmallMarket()
            market.underlying[0] = 61_000
            // The chain has the option alone.
            let held = try SmallMarket.positions([("a", "BTC_USDC-27MAR26", 2)])
            let deltas = try SmallMarket.exposures(
                market.chain { $0.count = 1 }, POISE_EXPOSURE_DELTA, of: held)
            #expect(isNear(deltas["a/BTC"] ?? .nan, 122_000))
            market.indices[0] = "SYN.BTC_USDC-27MAR26"
            let (engine, synthetic) = (try makeEngine(), try market.chain { $0.count = 1 })
            var made: OpaquePointer?
            #expect(
                poise_exposures_create(engine.pointer, synthetic.pointer, held.pointer, nil, &made)
                    == POISE_ERROR_UNKNOWN_NAME)
        },
        Row("tickers", "exchange", "a mark is dollars at Bybit, and coins at Deribit, which comes first") {
            var market = SmallMarket()
            market.instruments[0] = "BTC-27MAR26-60000-C"
            (market.indices[0], market.volatility[0]) = ("", .nan)
            (market.bid[0], market.ask[0]) = (.nan, .nan)
            for (exchange, mark) in [("bybit", 3_000), ("deribit", 0.05), ("", 0.05)] {
                market.mark[0] = mark
                let chain = try withStrings([exchange, "", ""]) { names in
                    try market.chain { $0.exchange = names }
                }
                try #expect(
                    isNear(SmallMarket.value(market.instruments[0], chain), 3_000, 1e-8), "\(exchange)")
            }
            market.mark[0] = 3_000
            for exchange in ["deribit", "", "cme"] {
                withStrings([exchange, "", ""]) { names in
                    #expect(market.refusal { $0.exchange = names } == POISE_ERROR_VALUE)
                    #expect(lastField == (exchange == "cme" ? "exchange" : "mark_volatility"))
                }
            }
        },
        Row(
            "texts", "strings, bytes, offsets32, offsets64",
            "three forms of the same names are the same chain"
        ) {
            let market = SmallMarket()
            let bytes = Array(market.instruments.joined().utf8CString)
            let offsets = market.instruments.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.utf8.count) }
            func names(_ chain: Handle) -> [String] {
                (0..<poise_chain_count(chain.pointer)).compactMap {
                    poise_chain_instrument(chain.pointer, $0).map { String(cString: $0) }
                }
            }
            try #expect(names(market.chain()) == market.instruments)
            try bytes.withUnsafeBufferPointer { bytes in
                try offsets.map { Int64($0) }.withUnsafeBufferPointer { offsets in
                    let chain = try market.chain {
                        $0.instrument = poise_texts()
                        ($0.instrument.bytes, $0.instrument.offsets64) = (
                            bytes.baseAddress, offsets.baseAddress
                        )
                    }
                    #expect(names(chain) == market.instruments)
                }
                try offsets.map { Int32($0) }.withUnsafeBufferPointer { offsets in
                    let chain = try market.chain {
                        $0.instrument = poise_texts()
                        ($0.instrument.bytes, $0.instrument.offsets32) = (
                            bytes.baseAddress, offsets.baseAddress
                        )
                    }
                    #expect(names(chain) == market.instruments)
                }
            }
        },
    ]

    private static let groups: [Row] = [
        Row("exposure_options", "size", "another than the struct's is refused") {
            var options = SmallMarket.exposureOptions()
            options.size -= 4
            let (engine, chain, positions) = (
                try makeEngine(), try SmallMarket().chain(), try SmallMarket.positions()
            )
            var made: OpaquePointer?
            #expect(
                poise_exposures_create(engine.pointer, chain.pointer, positions.pointer, &options, &made)
                    == POISE_ERROR_SIZE)
        },
        Row("exposure_options", "numeraire", "in coin, three perpetuals have a delta of three") {
            var options = SmallMarket.exposureOptions()
            options.numeraire = POISE_NUMERAIRE_COIN
            let deltas = try SmallMarket.exposures(SmallMarket().chain(), POISE_EXPOSURE_DELTA, options)
            #expect(isNear(deltas["b/BTC"] ?? .nan, 3))
        },
        Row("exposure_options", "grouping_count, groupings", "by instrument; by expiry and book") {
            var options = SmallMarket.exposureOptions()
            options.grouping_count = 1
            options.groupings.0 = POISE_BY_INSTRUMENT
            let chain = try SmallMarket().chain()
            try #expect(
                Set(SmallMarket.exposures(chain, POISE_EXPOSURE_VALUE, options).keys)
                    == ["BTC_USDC-27MAR26-60000-C", "BTC_USDC-PERPETUAL"])
            options.grouping_count = 2
            (options.groupings.0, options.groupings.1) = (POISE_BY_EXPIRY, POISE_BY_BOOK)
            let labels = try SmallMarket.exposures(chain, POISE_EXPOSURE_VALUE, options).keys.sorted()
            #expect(labels.count == 2 && labels[0].hasSuffix("/a") && labels[1].hasSuffix("/b"), "\(labels)")
        },
    ]

    /// Calls of 20 days at the money, grouped by one attribute.
    private static func label(_ grouping: poise_grouping, _ set: (inout poise_buckets) -> Void) throws
        -> [String]
    {
        var options = SmallMarket.exposureOptions()
        (options.grouping_count, options.groupings.0) = (1, grouping)
        var buckets = poise_buckets()
        buckets.size = MemoryLayout<poise_buckets>.stride
        set(&buckets)
        let held = try SmallMarket.positions([("a", "BTC_USDC-27MAR26-60000-C", 2)])
        return try SmallMarket.exposures(
            SmallMarket().chain(), POISE_EXPOSURE_VALUE, options, &buckets, of: held
        ).keys.sorted()
    }

    private static let buckets: [Row] = [
        Row("buckets", "size", "another than the struct's is refused") {
            let (engine, chain, positions) = (
                try makeEngine(), try SmallMarket().chain(), try SmallMarket.positions()
            )
            var (buckets, made) = (poise_buckets(), OpaquePointer?.none)
            #expect(
                poise_exposures_create_in_buckets(
                    engine.pointer, chain.pointer, positions.pointer, nil, &buckets, &made)
                    == POISE_ERROR_SIZE)
        },
        Row(
            "buckets", "tenor_days, tenor_count",
            "20 days are between 7 and 30, below an edge of 20, and above 10"
        ) {
            try #expect(label(POISE_BY_TENOR) { _ in } == ["7–30 d"])
            try [10.0, 20, 40].withUnsafeBufferPointer { edges in
                try #expect(
                    label(POISE_BY_TENOR) { ($0.tenor_days, $0.tenor_count) = (edges.baseAddress, 3) }
                        == ["10–20 d"])
                try #expect(
                    label(POISE_BY_TENOR) { ($0.tenor_days, $0.tenor_count) = (edges.baseAddress, 1) }
                        == ["> 10 d"])
            }
        },
        Row("buckets", "moneyness, moneyness_count", "at the money is between the edges around it") {
            let usual = try label(POISE_BY_MONEYNESS) { _ in }
            #expect(usual.count == 1 && usual[0].contains("0.95") && usual[0].contains("1.05"), "\(usual)")
            try [0.9, 1.5, 2].withUnsafeBufferPointer { edges in
                let own = try label(POISE_BY_MONEYNESS) {
                    ($0.moneyness, $0.moneyness_count) = (edges.baseAddress, 3)
                }
                #expect(own.count == 1 && own[0].contains("0.9") && own[0].contains("1.5"), "\(own)")
                let one = try label(POISE_BY_MONEYNESS) {
                    ($0.moneyness, $0.moneyness_count) = (edges.baseAddress, 1)
                }
                #expect(one.count == 1 && one[0].contains("0.9") && !one[0].contains("1.5"), "\(one)")
            }
        },
        Row("buckets", "desk_count, book, desk", "book a is of desk x; without books it is of none") {
            try withStrings(["b", "a"]) { books in
                try withStrings(["y", "x"]) { desks in
                    try #expect(
                        label(POISE_BY_DESK) { ($0.desk_count, $0.book, $0.desk) = (2, books, desks) } == [
                            "x"
                        ])
                    try #expect(
                        label(POISE_BY_DESK) { ($0.desk_count, $0.book, $0.desk) = (1, books, desks) } == [
                            "none"
                        ])
                }
            }
        },
    ]

    static let rows: [Row] = tickers + groups + buckets
}
