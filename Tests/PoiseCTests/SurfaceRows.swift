import CPoise
import Foundation
import Poise
import TestSupport
import Testing

/// Fields of surfaces, by what a fit makes of quotes around curves written here.
enum SurfaceRows {
    typealias Row = EveryFieldTests.Row

    /// Raw SVI as a, b, ρ, m, σ: without arbitrage, and the later one above the earlier one.
    static let near = [0.004, 0.06, -0.3, 0.02, 0.1]
    static let far = [0.02, 0.09, -0.3, 0.03, 0.15]

    static func variance(_ curve: [Double], _ k: Double) -> Double {
        let x = k - curve[3]
        return curve[0] + curve[1] * (curve[2] * x + (x * x + curve[4] * curve[4]).squareRoot())
    }

    /// Columns as a caller has them.
    struct Quotes {
        var years: [Double] = []
        var forward: [Double] = []
        var strike: [Double] = []
        var bid: [Double] = []
        var ask: [Double] = []
        var weight: [Double] = []
        var loss = POISE_LOSS_MID
        var arbitrage = POISE_ARBITRAGE_FULL
        var spot = 0.0
        var size = MemoryLayout<poise_smile_quotes>.stride
        var count: Int?
        var hasWeights = true

        init(_ slices: [(years: Double, curve: [Double])] = [(0.1, near), (0.5, far)]) {
            for (years, curve) in slices {
                for step in -8...8 {
                    let k = 0.3 * Double(step) / 8
                    let volatility = (variance(curve, k) / years).squareRoot()
                    self.years.append(years)
                    forward.append(100)
                    strike.append(100 * exp(k))
                    bid.append(volatility - 0.005)
                    ask.append(volatility + 0.005)
                    weight.append(1)
                }
            }
        }

        func fit(_ surface: UnsafeMutablePointer<OpaquePointer?>?) -> poise_status {
            withPointers([years, forward, strike, bid, ask, weight]) { columns in
                var given = poise_smile_quotes()
                given.size = size
                given.count = count ?? years.count
                given.years = poise_values(data: columns[0], stride: 0)
                given.forward = poise_values(data: columns[1], stride: 0)
                given.strike = poise_values(data: columns[2], stride: 0)
                given.bid = poise_values(data: columns[3], stride: 0)
                given.ask = poise_values(data: columns[4], stride: 0)
                given.weight = poise_values(data: hasWeights ? columns[5] : nil, stride: 0)
                given.loss = loss
                given.arbitrage = arbitrage
                given.spot = spot
                return poise_surface_fit(&given, surface)
            }
        }

        func made() throws -> OpaquePointer { try Handle(poise_surface_free) { fit($0) }.pointer }

        /// The first slice of a fit.
        func first() throws -> poise_surface_slice { try SurfaceRows.slice(made()) }

        func refused() -> (status: poise_status, error: LastError) {
            var surface: OpaquePointer? = OpaquePointer(bitPattern: 8)
            let status = fit(&surface)
            #expect(surface == nil)
            return (status, LastError.now)
        }
    }

    static func slice(_ surface: OpaquePointer, _ index: Int = 0) throws -> poise_surface_slice {
        var slice = poise_surface_slice()
        slice.size = MemoryLayout<poise_surface_slice>.stride
        try #require(poise_surface_slice_at(surface, index, &slice) == POISE_OK, "\(lastError)")
        return slice
    }

    /// All quantities of one strike and time.
    static func query(_ surface: OpaquePointer, _ strike: Double, _ years: Double) throws -> [Double] {
        var values = [Double](repeating: -7, count: Int(POISE_SURFACE_QUANTITY_COUNT))
        let status = withPointers([[strike], [years]]) { inputs in
            values.withUnsafeMutableBufferPointer { values in
                let columns = values.indices.map { place in
                    poise_column(data: values.baseAddress.map { $0 + place }, stride: 0)
                }
                return poise_surface_query(
                    surface, 1, poise_values(data: inputs[0], stride: 0),
                    poise_values(data: inputs[1], stride: 0),
                    1 << UInt32(POISE_SURFACE_QUANTITY_COUNT) - 1, columns, columns.count, nil)
            }
        }
        try #require(status == POISE_OK, "\(lastError)")
        return values
    }

    static let rows = [
        Row("smile_quotes", "size, count", "no rows and another size are refused") {
            var quotes = Quotes()
            quotes.count = 0
            #expect(quotes.refused().status == POISE_ERROR_COUNT)
            quotes = Quotes()
            quotes.size += 8
            #expect(quotes.refused().status == POISE_ERROR_SIZE)
            // Of the first 17 rows there is one slice.
            quotes = Quotes()
            quotes.count = 17
            let found1 = poise_surface_count(try quotes.made())
            #expect(found1 == 1)
        },
        Row(
            "smile_quotes", "years, forward, strike, bid, ask",
            "each is refused by its row and name, and makes the curve"
        ) {
            for (field, change) in [
                ("years", { $0.years[3] = 0 }), ("forward", { $0.forward[3] = -1 }),
                ("strike", { $0.strike[3] = .infinity }), ("bid", { $0.bid[3] = -0.1 }),
                ("ask", { $0.ask[3] = .infinity }),
            ] as [(String, (inout Quotes) -> Void)] {
                var quotes = Quotes()
                change(&quotes)
                let (status, error) = quotes.refused()
                #expect(status == POISE_ERROR_VALUE && error.row == 3 && error.field == field, "\(error)")
            }
            var quotes = Quotes()
            quotes.forward[20] = 101
            #expect(quotes.refused().error.row == 20)
            quotes = Quotes()
            // A side alone does not count against the middle: sixteen are left.
            quotes.ask[3] = .nan
            let surface = try quotes.made()
            let left = try SurfaceRows.slice(surface)
            #expect(left.quotes == 16 && left.dropped == 1)
        },
        Row("smile_quotes", "weight", "a quote without weight does not count; without the column all do") {
            var quotes = Quotes()
            quotes.weight[2] = 0
            let found2 = try quotes.first().quotes
            #expect(found2 == 16)
            quotes.hasWeights = false
            let found3 = try quotes.first().quotes
            #expect(found3 == 17)
        },
        Row("smile_quotes", "loss", "a side alone counts under band, under no other; a fourth is refused") {
            var quotes = Quotes()
            quotes.ask[3] = .nan
            quotes.loss = POISE_LOSS_BAND
            let found4 = try quotes.first().quotes
            #expect(found4 == 17)
            quotes.loss = POISE_LOSS_SPREAD
            let found5 = try quotes.first().quotes
            #expect(found5 == 16)
            quotes.loss = poise_smile_loss(rawValue: 3)
            #expect(quotes.refused().status == POISE_ERROR_ARGUMENT)
        },
        Row("smile_quotes", "arbitrage", "Vogt's butterfly is left by none alone; another is refused") {
            var quotes = Quotes([(1, [-0.041, 0.1331, 0.306, 0.3586, 0.4153])])
            // As far as the butterfly is.
            for row in quotes.strike.indices {
                let k = 1.2 * Double(row - 8) / 8
                let volatility = variance([-0.041, 0.1331, 0.306, 0.3586, 0.4153], k).squareRoot()
                quotes.strike[row] = 100 * exp(k)
                (quotes.bid[row], quotes.ask[row]) = (volatility - 0.005, volatility + 0.005)
            }
            for (rule, isFree) in [
                (POISE_ARBITRAGE_NONE, false), (POISE_ARBITRAGE_BUTTERFLY, true),
                (POISE_ARBITRAGE_FULL, true),
            ] {
                quotes.arbitrage = rule
                let least = try quotes.first().least_g
                #expect((least >= 0) == isFree)
            }
            quotes.arbitrage = poise_arbitrage(rawValue: 3)
            #expect(quotes.refused().status == POISE_ERROR_ARGUMENT)
        },
        Row(
            "smile_quotes", "spot",
            "half way to the first expiry the forward is half way from it, in logarithms"
        ) {
            var quotes = Quotes()
            quotes.spot = 98
            let forward = try query(try quotes.made(), 100, 0.05)[6]
            #expect(isNear(forward, (98.0 * 100).squareRoot()))
            quotes.spot = -1
            #expect(quotes.refused().status == POISE_ERROR_ARGUMENT)
        },
        Row(
            "surface_slice", "size", "another than the struct's is refused, and so is a slice beyond the last"
        ) {
            let surface = try Quotes().made()
            var slice = poise_surface_slice()
            #expect(poise_surface_slice_at(surface, 0, &slice) == POISE_ERROR_SIZE)
            slice.size = MemoryLayout<poise_surface_slice>.stride
            #expect(poise_surface_slice_at(surface, 2, &slice) == POISE_ERROR_ARGUMENT)
        },
        Row(
            "surface_slice", "years, forward, a, b, rho, m, sigma",
            "they are those of the curve that was quoted"
        ) {
            let surface = try Quotes().made()
            for (index, (years, curve)) in [(0.1, near), (0.5, far)].enumerated() {
                let slice = try SurfaceRows.slice(surface, index)
                #expect(slice.years == years && slice.forward == 100)
                for (found, wanted) in zip([slice.a, slice.b, slice.rho, slice.m, slice.sigma], curve) {
                    #expect(isNear(found, wanted, 1e-5), "\(found) \(wanted)")
                }
            }
        },
        Row("surface_slice", "least_g, least_g_at", "the least of g on a fine grid is there") {
            let slice = try SurfaceRows.slice(try Quotes().made())
            let curve = SVISlice(a: slice.a, b: slice.b, rho: slice.rho, m: slice.m, sigma: slice.sigma)
            let grid = stride(from: -3.0, through: 3, by: 1e-3).map { ($0, curve.durrleman(at: $0)) }
            let least = grid.min { $0.1 < $1.1 } ?? (0, 0)
            // Towards a wing of slope s it is (4 − s²)/16.
            let slope = slice.b * (1 + slice.rho.magnitude)
            let limit = (4 - slope * slope) / 16
            #expect((slice.least_g - min(least.1, limit)).magnitude < 1e-5, "\(slice.least_g)")
            if least.1 < limit - 1e-4 {
                #expect((slice.least_g_at - least.0).magnitude < 2e-3)
            } else if least.1 > limit {
                #expect(slice.least_g_at.magnitude > 3)
            }
        },
        Row(
            "surface_slice", "root_mean_square, root_mean_square_in_half_spreads, largest_error, inside",
            "one quote that hardly counts, four points off, by hand"
        ) {
            var quotes = Quotes([(0.1, near)])
            quotes.bid[8] += 0.04
            quotes.ask[8] += 0.04
            quotes.weight[8] = 1e-9
            let slice = try SurfaceRows.slice(try quotes.made())
            #expect(isNear(slice.root_mean_square, 0.04 / 17.0.squareRoot(), 1e-5))
            #expect(isNear(slice.root_mean_square_in_half_spreads, 8 / 17.0.squareRoot(), 1e-5))
            #expect(isNear(slice.largest_error, 0.04, 1e-5) && isNear(slice.inside, 16 / 17.0))
        },
        Row(
            "surface_slice", "status, repair, quotes, dropped",
            "too few, crossed, repaired, each by its number"
        ) {
            var quotes = Quotes([(0.1, near)])
            var slice = try SurfaceRows.slice(try quotes.made())
            #expect(slice.status == POISE_FIT_OK && slice.repair == POISE_REPAIR_NONE)
            #expect(slice.quotes == 17 && slice.dropped == 0)
            quotes.bid[4] = 2
            slice = try SurfaceRows.slice(try quotes.made())
            #expect(slice.status == POISE_FIT_BAD_QUOTES && slice.dropped == 1)
            quotes.count = 4
            slice = try SurfaceRows.slice(try quotes.made())
            #expect(slice.status == POISE_FIT_TOO_FEW_QUOTES && slice.a.isNaN && slice.root_mean_square.isNaN)
            #expect(slice.quotes == 0 && slice.dropped == 4)
            // The later one below the earlier one.
            quotes = Quotes([(0.1, far), (0.5, near)])
            slice = try SurfaceRows.slice(try quotes.made(), 1)
            #expect(slice.status == POISE_FIT_OK && slice.repair == POISE_REPAIR_REFIT)
        },
    ]
}

struct SurfaceTests {
    @Test("A surface's answers are Swift's to the bit, and those of formulas to rounding")
    func bits() throws {
        let quotes = SurfaceRows.Quotes()
        let surface = try quotes.made()
        let smiles = [(0.1, 0..<17), (0.5, 17..<34)].map { years, rows in
            SmileQuotes(
                name: "\(years)", underlying: "", years: years, forward: 100,
                quotes: rows.map {
                    SmileQuote(strike: quotes.strike[$0], bid: quotes.bid[$0], ask: quotes.ask[$0])
                })
        }
        let own = try VolatilitySurface(SurfaceFit(smiles, loss: .mid, rule: .full))
        for (strike, years) in [(80.0, 0.1), (100, 0.02), (130, 0.3), (95, 0.5), (140, 2)] {
            let found = try SurfaceRows.query(surface, strike, years)
            let section = try #require(own.section(years: years))
            let k = section.logMoneyness(ofStrike: strike)
            let point = section.volatilityPoint(at: k)
            let expected = [
                section.volatility(at: k), point.slope, point.curvature, section.variance(at: k),
                section.density(at: k),
                section.localVariance(at: k), section.forward,
            ]
            #expect(sameBits(found, expected), "\(strike) \(years)")
            // w is linear in time: formulas of the curves that were quoted.
            let (one, other) = (
                SurfaceRows.variance(SurfaceRows.near, k), SurfaceRows.variance(SurfaceRows.far, k)
            )
            if years <= 0.1 { #expect(isNear(found[3], one * years / 0.1, 1e-5)) }
            if years >= 0.1, years <= 0.5 {
                #expect(isNear(found[3], one + (other - one) * (years - 0.1) / 0.4, 1e-5))
            }
        }
    }

    @Test("Gaps are those between neighbours; of the last there is none")
    func gaps() throws {
        let surface = try SurfaceRows.Quotes().made()
        var (least, at) = (0.0, 0.0)
        #expect(poise_surface_gap(surface, 0, &least, &at) == POISE_OK)
        let grid = stride(from: -3.0, through: 3, by: 1e-3).map {
            SurfaceRows.variance(SurfaceRows.far, $0) - SurfaceRows.variance(SurfaceRows.near, $0)
        }
        #expect((least - (grid.min() ?? 0)).magnitude < 1e-5 && at.magnitude < 3)
        #expect(poise_surface_gap(surface, 1, &least, &at) == POISE_OK && least.isNaN && at.isNaN)
        #expect(poise_surface_gap(surface, 2, &least, &at) == POISE_ERROR_ARGUMENT)
        #expect(poise_surface_gap(surface, 0, nil, nil) == POISE_OK)
    }

    @Test(
        "Rows that cannot be are refused by number, or NaN with a status; a surface without a curve says so")
    func refusals() throws {
        let surface = try SurfaceRows.Quotes().made()
        var (values, statuses) = ([Double](repeating: -7, count: 3), [UInt8](repeating: 9, count: 3))
        var (strikes, times) = ([100.0, -1, 100], [0.2, 0.2, Double.nan])
        func ask(_ surface: OpaquePointer, _ quantities: UInt32, _ columns: Int, _ hasStatus: Bool)
            -> poise_status
        {
            withPointers([strikes, times]) { inputs in
                values.withUnsafeMutableBufferPointer { values in
                    statuses.withUnsafeMutableBufferPointer { statuses in
                        poise_surface_query(
                            surface, 3, poise_values(data: inputs[0], stride: 0),
                            poise_values(data: inputs[1], stride: 0), quantities,
                            [poise_column(data: values.baseAddress, stride: 0)], columns,
                            hasStatus ? statuses.baseAddress : nil)
                    }
                }
            }
        }
        #expect(ask(surface, 1, 1, false) == POISE_ERROR_VALUE)
        #expect(LastError.now.row == 1 && lastField == "strike" && values == [-7, -7, -7])
        #expect(ask(surface, 1, 1, true) == POISE_OK)
        #expect(statuses == [0, 1, 1] && values[0] > 0 && values[1].isNaN && values[2].isNaN)
        // Numbers above 0 that have no answer.
        (strikes, times) = ([100, 100, 5e-324], [0.2, 5e-324, 0.2])
        values = [-7, -7, -7]
        #expect(ask(surface, 1, 1, false) == POISE_ERROR_VALUE)
        #expect(LastError.now.row == 1 && lastField == "years" && values == [-7, -7, -7])
        times[1] = 0.2
        #expect(ask(surface, 1, 1, false) == POISE_ERROR_VALUE)
        #expect(LastError.now.row == 2 && lastField == "strike" && values == [-7, -7, -7])
        times[1] = 5e-324
        #expect(ask(surface, 1, 1, true) == POISE_OK)
        #expect(statuses == [0, 1, 1] && values[0] > 0 && values[1].isNaN && values[2].isNaN)
        #expect(ask(surface, 3, 1, true) == POISE_ERROR_COUNT)
        #expect(ask(surface, 1 << 7, 1, true) == POISE_ERROR_ARGUMENT)
        var few = SurfaceRows.Quotes()
        few.count = 4
        let without = try few.made()
        #expect(ask(without, 1, 1, true) == POISE_ERROR_ARGUMENT)
    }
}
