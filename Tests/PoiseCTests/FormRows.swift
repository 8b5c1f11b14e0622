import CPoise
import Foundation
import Testing

/// Fields of engines, of columns, and of options that each bring their own market.
enum FormRows {
    typealias Row = EveryFieldTests.Row

    /// An option, and what Black-Scholes-Merton makes of it.
    private struct Option {
        var isPut = false
        var spot = 100.0
        var strike = 110.0
        var years = 0.5
        var volatility = 0.4
        var rate = 0.03
        var dividend = 0.01

        var value: Double {
            blackScholes(isPut: isPut, spot, strike, years, volatility, rate: rate, dividend: dividend)
        }

        /// The price through C.
        func price(_ set: (inout poise_full_form) -> Void = { _ in }) throws -> Double {
            let engine = try makeEngine()
            let type: UInt8 = isPut ? 1 : 0
            var price = Double.nan
            let status = withPointers([[spot], [strike], [years], [volatility], [rate], [dividend]]) {
                columns in
                withUnsafePointer(to: type) { type in
                    var form = poise_full_form()
                    form.size = MemoryLayout<poise_full_form>.stride
                    form.count = 1
                    form.type.data = type
                    form.spot.data = columns[0]
                    form.strike.data = columns[1]
                    form.years.data = columns[2]
                    form.volatility.data = columns[3]
                    form.rate.data = columns[4]
                    form.dividend.data = columns[5]
                    set(&form)
                    return withUnsafeMutablePointer(to: &price) {
                        var column = poise_column(data: $0, stride: 0)
                        return poise_greeks(engine.pointer, &form, POISE_GREEKS_PRICE, &column, 1, nil)
                    }
                }
            }
            try #require(status == POISE_OK, "\(lastError)")
            return price
        }

        /// The volatility that its value, or a price instead, implies.
        func implied(
            price: Double? = nil, _ set: (inout poise_prices) -> Void = { _ in }
        ) throws -> Double {
            let engine = try makeEngine()
            let type: UInt8 = isPut ? 1 : 0
            var found = Double.nan
            let status = withPointers([[spot], [strike], [years], [price ?? value], [rate], [dividend]]) {
                columns in
                withUnsafePointer(to: type) { type in
                    var prices = poise_prices()
                    prices.size = MemoryLayout<poise_prices>.stride
                    prices.count = 1
                    prices.type.data = type
                    prices.spot.data = columns[0]
                    prices.strike.data = columns[1]
                    prices.years.data = columns[2]
                    prices.price.data = columns[3]
                    prices.rate.data = columns[4]
                    prices.dividend.data = columns[5]
                    set(&prices)
                    return withUnsafeMutablePointer(to: &found) {
                        poise_implied_volatility(
                            engine.pointer, &prices, poise_column(data: $0, stride: 0), nil)
                    }
                }
            }
            try #require(status == POISE_OK, "\(lastError)")
            return found
        }
    }

    /// A field by its name, in a struct of prices and of options alike.
    private static let fields: [(String, @Sendable (inout Option) -> Void)] = [
        ("type", { $0.isPut = true }), ("spot", { $0.spot = 120 }), ("strike", { $0.strike = 90 }),
        ("years", { $0.years = 2 }), ("rate", { $0.rate = -0.02 }), ("dividend", { $0.dividend = 0.2 }),
    ]

    static let rows: [Row] =
        fields.map { field, set in
            Row("full_form", field, "the price is the closed form's") {
                var option = Option()
                let before = option.value
                set(&option)
                try #expect(isNear(option.price(), option.value) && !isNear(option.value, before))
            }
        }
        + fields.map { field, set in
            Row("prices", field, "the closed form's value implies the volatility that it is of") {
                var option = Option()
                set(&option)
                try #expect(isNear(option.implied(), 0.4, 1e-10))
            }
        } + engine + form + columns

    private static let engine: [Row] = [
        Row("engine_options", "instruction_set", "the engine has the one asked for") {
            var options = poise_engine_options()
            options.size = MemoryLayout<poise_engine_options>.stride
            options.instruction_set = POISE_ISA_BASELINE
            let engine = try Handle(poise_engine_free) { poise_engine_create(&options, $0) }
            #expect(poise_engine_instruction_set(engine.pointer) == POISE_ISA_BASELINE)
        },
        Row("engine_options", "threads", "as many of the process more, but for the caller's") {
            func count() throws -> Int {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
            }
            var options = poise_engine_options()
            options.size = MemoryLayout<poise_engine_options>.stride
            options.threads = 301
            let before = try count()
            var made: OpaquePointer?
            try #require(poise_engine_create(&options, &made) == POISE_OK)
            // Threads of other tests come and go.
            try #expect(count() - before > 150)
            poise_engine_free(made)
            options.threads = 1025
            #expect(poise_engine_create(&options, &made) == POISE_ERROR_ARGUMENT)
        },
        Row("engine_options", "size", "another than the struct's is refused") {
            var options = poise_engine_options()
            options.size = MemoryLayout<poise_engine_options>.stride - 1
            var made: OpaquePointer?
            #expect(poise_engine_create(&options, &made) == POISE_ERROR_SIZE)
        },
    ]

    private static let form: [Row] = [
        Row("full_form", "size, count", "no rows are nothing to do; another size is refused") {
            try #expect(Option().price { $0.count = 0 }.isNaN)
            var form = poise_full_form()
            form.size = 8
            let engine = try makeEngine()
            var column = poise_column()
            #expect(
                poise_greeks(engine.pointer, &form, POISE_GREEKS_PRICE, &column, 1, nil)
                    == POISE_ERROR_SIZE)
        },
        Row("full_form", "volatility", "the price is the closed form's") {
            var option = Option()
            option.volatility = 0.9
            try #expect(isNear(option.price(), option.value))
        },
        Row("full_form", "model", "a normal underlying: σ√(T/2π) at the money; a digital: Φ(−σ√T/2)") {
            let option = Option(spot: 100, strike: 100, years: 4, volatility: 0.2, rate: 0, dividend: 0)
            try #expect(
                isNear(option.price { $0.model = POISE_MODEL_BACHELIER }, 0.4 / (2 * Double.pi).squareRoot()))
            try #expect(
                isNear(
                    option.price { $0.model = POISE_MODEL_CASH_OR_NOTHING }, erfc(0.2 / 2.0.squareRoot()) / 2)
            )
        },
        Row("prices", "price", "that of 70% implies 70%") {
            var option = Option()
            option.volatility = 0.7
            try #expect(isNear(option.implied(), 0.7, 1e-10))
        },
        Row("prices", "size, count", "no rows are nothing to do; another size is refused") {
            try #expect(Option().implied { $0.count = 0 }.isNaN)
            var prices = poise_prices()
            prices.size = 8
            let engine = try makeEngine()
            #expect(
                poise_implied_volatility(engine.pointer, &prices, poise_column(), nil) == POISE_ERROR_SIZE
            )
        },
        Row(
            "prices", "model",
            "at the money V √(2π/T) of a normal underlying; a share of the price of a lognormal one"
        ) {
            let option = Option(spot: 100, strike: 100, years: 4, volatility: 0, rate: 0, dividend: 0)
            let price = 20 * (2 / Double.pi).squareRoot()
            try #expect(isNear(option.implied(price: price) { $0.model = POISE_MODEL_BACHELIER }, 20, 1e-10))
            let lognormal = try option.implied(price: price)
            #expect(lognormal < 1 && isNear(blackScholes(100, 100, 4, lognormal), price, 1e-10))
        },
    ]

    /// Prices of three calls whose spots, types and strikes stand in memory as told.
    private static func three(
        _ set: (inout poise_full_form, [UnsafePointer<Double>?], UnsafePointer<UInt8>) -> Void
    )
        throws -> [Double]
    {
        let engine = try makeEngine()
        var prices = [Double](repeating: .nan, count: 3)
        let types: [UInt8] = [0, 1, 1, 0, 0, 1]
        let status = types.withUnsafeBufferPointer { types in
            withPointers([[90, 1, 100, 2, 120, 3], [100], [1], [0.5], [0]]) { columns in
                var form = poise_full_form()
                form.size = MemoryLayout<poise_full_form>.stride
                form.count = 3
                form.type = poise_bytes(data: types.baseAddress, stride: .min)
                form.spot = poise_values(data: columns[0], stride: 16)
                form.strike = poise_values(data: columns[1], stride: .min)
                form.years = poise_values(data: columns[2], stride: .min)
                form.volatility = poise_values(data: columns[3], stride: .min)
                form.rate = poise_values(data: columns[4], stride: .min)
                form.dividend = poise_values(data: columns[4], stride: .min)
                set(&form, columns, types.baseAddress!)
                return prices.withUnsafeMutableBufferPointer {
                    var column = poise_column(data: $0.baseAddress, stride: 0)
                    return poise_greeks(engine.pointer, &form, POISE_GREEKS_PRICE, &column, 1, nil)
                }
            }
        }
        try #require(status == POISE_OK, "\(lastError)")
        return prices
    }

    private static func areNear(_ a: [Double], _ b: [Double]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { isNear($0, $1) }
    }

    private static let columns: [Row] = [
        Row("values", "data, stride", "every second, and backwards from the last") {
            let spots = [90.0, 100, 120].map { blackScholes($0, 100, 1, 0.5) }
            try #expect(areNear(three { _, _, _ in }, spots))
            try #expect(
                areNear(
                    three { form, columns, _ in
                        form.spot = poise_values(data: columns[0].map { $0 + 4 }, stride: -16)
                    }, spots.reversed()))
            try #expect(
                areNear(
                    three { form, columns, _ in form.spot = poise_values(data: columns[0], stride: 0) },
                    [90, 1, 100].map { blackScholes($0, 100, 1, 0.5) }))
        },
        Row("bytes", "data, stride", "one after another, and every second") {
            func prices(_ puts: [Bool]) -> [Double] {
                zip([90.0, 100, 120], puts).map { blackScholes(isPut: $1, $0, 100, 1, 0.5) }
            }
            try #expect(
                areNear(
                    three { form, _, types in form.type = poise_bytes(data: types, stride: 0) },
                    prices([false, true, true])))
            try #expect(
                areNear(
                    three { form, _, types in form.type = poise_bytes(data: types, stride: 2) },
                    prices([false, true, false])))
        },
        Row("column", "data, stride", "every second number is written, the others are left alone") {
            let engine = try makeEngine()
            var prices = [Double](repeating: -7, count: 4)
            let status = withPointers([[100], [110], [0.5], [0.4], [0]]) { columns in
                let type: UInt8 = 0
                return withUnsafePointer(to: type) { type in
                    var form = poise_full_form()
                    form.size = MemoryLayout<poise_full_form>.stride
                    form.count = 2
                    form.type = poise_bytes(data: type, stride: .min)
                    form.spot = poise_values(data: columns[0], stride: .min)
                    form.strike = poise_values(data: columns[1], stride: .min)
                    form.years = poise_values(data: columns[2], stride: .min)
                    form.volatility = poise_values(data: columns[3], stride: .min)
                    form.rate = poise_values(data: columns[4], stride: .min)
                    form.dividend = poise_values(data: columns[4], stride: .min)
                    return prices.withUnsafeMutableBufferPointer {
                        var column = poise_column(data: $0.baseAddress, stride: 16)
                        return poise_greeks(engine.pointer, &form, POISE_GREEKS_PRICE, &column, 1, nil)
                    }
                }
            }
            #expect(status == POISE_OK)
            let value = blackScholes(100, 110, 0.5, 0.4)
            #expect(areNear(prices, [value, -7, value, -7]))
        },
    ]
}
