import Foundation
import Greeks
import Testing

/// The ends of the domain, and what lies beyond.
struct EdgeTests {
    static func greeks(_ option: OptionInputs, _ engine: GreeksEngine) throws -> [Greek: Double] {
        let matrix = engine.greeks(.all, of: try OptionBatch([option]))
        return Dictionary(uniqueKeysWithValues: Greek.allCases.map { ($0, matrix[$0]?[0] ?? .nan) })
    }

    @Test(
        "At expiry and without volatility an option is its discounted forward intrinsic value",
        arguments: InstructionSet.supported)
    func intrinsicValue(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        for type in [UInt8(0), 1] {
            for strike in [60.0, 90, 110, 500] {
                for (years, volatility) in [(0.0, 0.5), (0.7, 0), (0, 0)] {
                    let option = OptionInputs(
                        type: type, spot: 100, strike: strike, years: years, volatility: volatility,
                        rate: 0.05, dividend: 0.02)
                    let g = try Self.greeks(option, engine)
                    let (spot, discounted) = (100 * exp(-0.02 * years), strike * exp(-0.05 * years))
                    let sign = type == 0 ? 1.0 : -1
                    let isIn = sign * (spot - discounted) > 0
                    #expect(abs((g[.price] ?? .nan) - (isIn ? sign * (spot - discounted) : 0)) < 1e-13)
                    #expect(abs((g[.delta] ?? .nan) - (isIn ? sign * spot / 100 : 0)) < 1e-15)
                    #expect(abs((g[.rho] ?? .nan) - (isIn ? sign * years * discounted : 0)) < 1e-13)
                    for greek in [Greek.gamma, .vega, .vanna, .volga, .speed, .zomma, .color, .veta, .ultima]
                    {
                        #expect(g[greek] == 0, "\(greek) of \(option)")
                    }
                }
            }
        }
    }

    @Test(
        "At the money at expiry both tails are one half, and nothing is infinite",
        arguments: InstructionSet.supported)
    func atTheMoneyAtExpiry(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        let option = OptionInputs(
            type: 0, spot: 100, strike: 100, years: 0, volatility: 0.5, rate: 0, dividend: 0)
        let g = try Self.greeks(option, engine)
        #expect(g[.price] == 0 && g[.delta] == 0.5 && g[.gamma] == 0 && g[.vega] == 0)
    }

    @Test(
        "All combinations of extreme inputs give Greeks that are finite and in range",
        arguments: InstructionSet.supported)
    func extremes(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        var options: [OptionInputs] = []
        for spot in [0, 1e-30, 1e-5, 1, 64_000, 1e30, 0x1p250] {
            for strike in [0, 1e-30, 1e-5, 1, 64_000, 1e30, 0x1p250] {
                for years in [0, 1e-12, 1e-6, 0.1, 30, 600] {
                    for volatility in [0, 1e-12, 1e-4, 0.6, 5, 1000] {
                        for (rate, dividend) in [(0, 0), (0.05, 0.02), (-0.4, 0.5)] {
                            for type in [UInt8(0), 1] {
                                options.append(
                                    OptionInputs(
                                        type: type, spot: spot, strike: strike, years: years,
                                        volatility: volatility, rate: rate, dividend: dividend))
                            }
                        }
                    }
                }
            }
        }
        let matrix = engine.greeks(.all, of: try OptionBatch(options))
        for (row, option) in options.enumerated() {
            func value(_ greek: Greek) -> Double { matrix[greek]?[row] ?? .nan }
            for greek in [Greek.price, .delta, .vega, .theta, .rho, .phi, .charm] {
                #expect(value(greek).isFinite, "\(greek) of \(option)")
            }
            for greek in Greek.allCases { #expect(!value(greek).isNaN, "\(greek) of \(option)") }
            let spot = max(option.spot, Domain.leastPrice) * exp(-option.dividend * option.years)
            let strike = max(option.strike, Domain.leastPrice) * exp(-option.rate * option.years)
            let most = option.type == 0 ? spot : strike
            #expect(value(.price) >= 0 && value(.price) <= most * (1 + 1e-14), "\(option)")
            #expect(abs(value(.delta)) <= exp(-option.dividend * option.years) * (1 + 1e-14), "\(option)")
            #expect(value(.gamma) >= 0 && value(.vega) >= 0, "\(option)")
        }
    }

    @Test("What the formulas do not accept is refused with its row, field and value")
    func refusals() throws {
        let good = OptionInputs(
            type: 1, spot: 100, strike: 90, years: 1, volatility: 0.2, rate: 0.01, dividend: 0)
        let bad: [(WritableKeyPath<OptionInputs, Double>, [Double], InputStatus)] = [
            (\.spot, [.nan, -1, .infinity, 1e100], .invalidSpot),
            (\.strike, [.nan, -0.01, -.infinity, 1e100], .invalidStrike),
            (\.years, [.nan, -1e-9, .infinity], .invalidYears),
            (\.volatility, [.nan, -0.1, .infinity], .invalidVolatility),
            (\.rate, [.nan, .infinity, 800, -800], .invalidRate),
            (\.dividend, [.nan, -.infinity, 1e9], .invalidDividend),
        ]
        for (field, values, status) in bad {
            for value in values {
                var option = good
                option[keyPath: field] = value
                do throws(GreeksError) {
                    _ = try OptionBatch([good, good, option, good])
                    Issue.record("\(status) was accepted with \(value)")
                } catch {
                    guard case .invalidInput(2, status, let found, .blackScholesMerton) = error else {
                        Issue.record("\(error) for \(value)")
                        continue
                    }
                    #expect(found == value || found.isNaN && value.isNaN)
                }
            }
        }
        var option = good
        option.type = 2
        #expect(
            throws: GreeksError.invalidInput(
                row: 0, status: .invalidType, value: 2, model: .blackScholesMerton)
        ) {
            try OptionBatch([option])
        }
        #expect(throws: GreeksError.lengthMismatch(field: "years", expected: 1, got: 2)) {
            try OptionBatch(
                type: [0], spot: [1], strike: [1], years: [1, 2], volatility: [1], rate: [0], dividend: [0])
        }
    }

    /// With all rows looked at anew for each of them it would take many minutes.
    @Test("Of many rows that the formulas refuse, all are named, once and in order, and the others are kept")
    func manyRefusals() throws {
        let count = 50_000
        let ones = Array(repeating: 1.0, count: count)
        let volatility = (0..<count).map { $0 % 2 == 0 ? 0.5 : -1 }
        var refused: [Int] = []
        let (batch, rows) = OptionBatch.accepted(
            type: Array(repeating: 0, count: count), spot: (0..<count).map { Double($0 + 1) }, strike: ones,
            years: ones, volatility: volatility, rate: ones, dividend: ones
        ) { row, _ in refused.append(row) }
        #expect(refused == Array(stride(from: 1, to: count, by: 2)))
        #expect(rows == Array(stride(from: 0, to: count, by: 2)))
        #expect(batch.spot == stride(from: 1.0, to: Double(count), by: 2).map { $0 })
    }

    @Test(
        "A rate and years that Greeks refuse are refused by implied volatilities, too",
        arguments: OptionModel.allCases)
    func ratesAlike(_ model: OptionModel) throws {
        let engine = try GreeksEngine()
        let edge = Domain.largestRate
        for (rate, years) in [
            (edge, 0.0), (edge.nextUp, 0), (1e9, 1e-12), (-1e9, 1e-12), (1, 400), (edge, 1e-7),
        ] {
            for isDividend in [false, true] {
                let (rates, dividends) = isDividend ? ([0], [rate]) : ([rate], [0.0])
                let accepted =
                    (try? OptionBatch(
                        type: [0], spot: [100], strike: [100], years: [years], volatility: [0.5], rate: rates,
                        dividend: dividends, model: model)) != nil
                let implied = try engine.impliedVolatilities(
                    of: PriceBatch(
                        type: [0], spot: [100], strike: [100], years: [years], price: [0.25], rate: rates,
                        dividend: dividends), model: model)[0]
                #expect(accepted == (implied.status != .notANumber), "\(rate) \(years) \(implied)")
            }
        }
    }

    @Test("The complaint of a rate names both rules and shows the value as it is written")
    func rateComplaint() {
        let error = GreeksError.invalidInput(
            row: 0, status: .invalidRate, value: 1e9, model: .blackScholesMerton)
        #expect(error.value == "1e9")
        #expect(error.reason == "must be from -35e7 to 35e7, |rate·years| at most 350", "\(error.reason)")
    }

    @Test("A volatility that no formula accepts is no answer", arguments: OptionModel.allCases)
    func volatilityBeyondDomain(_ model: OptionModel) throws {
        let years = model == .bachelier ? 1e-70 : 1e-14
        for row in 0..<9 {
            // Beside rows that have one, in lanes and in the rest behind them.
            let types = [UInt8](repeating: 0, count: 9)
            let spots = [Double](repeating: model == .bachelier ? 1e29 : 100, count: 9)
            var each = [Double](repeating: 1, count: 9)
            each[row] = years
            let price = model == .cashOrNothing ? 0.49999 : model == .bachelier ? 1e28 : 99.9
            let found = try GreeksEngine().impliedVolatilities(
                of: PriceBatch(
                    type: types, spot: spots, strike: spots, years: each,
                    price: [Double](repeating: price, count: 9), rate: [Double](repeating: 0, count: 9),
                    dividend: [Double](repeating: 0, count: 9)), model: model)
            for other in 0..<9 {
                if let volatility = found[other].volatility {
                    #expect(volatility <= model.range.largestVolatility)
                }
                if other != row { #expect(found[other].status == .ok, "\(row) \(other) \(found[other])") }
            }
            if model != .cashOrNothing { #expect(found[row] == .none(.aboveMaximum), "\(row) \(found[row])") }
        }
    }

    @Test("Columns of Greeks begin an odd number of cache lines apart, whatever the count")
    func stagger() {
        for count in Array(0...600) + [1_009, 2_040, 4_088, 100_000] {
            let stride = GreekMatrix(.price, count: count).stride
            #expect(stride >= count && stride % 16 == 8, "\(count): \(stride)")
        }
    }

    @Test("There is a factor for each term of the exposures' definitions")
    func exposureFactors() {
        let terms = ExposureGreek.allCases.map { exposure in
            let definition = exposure.definition(of: ExposureTerms())
            return 1 + (definition.second == nil ? 0 : 1) + (definition.third == nil ? 0 : 1)
        }
        #expect(terms.reduce(0, +) == ExposureFactors<Double>.count)
        #expect(ExposureGreek.allCases.count == ExposureArray<Double>.count)
        #expect(Greek.allCases.count == GreekArray<Double>.count)
    }

    @Test("Statuses name each row's own fault, and validation the first")
    func statuses() throws {
        let spot = [100, -1, 100, .nan]
        let years = [1.0, 1, -1, 1]
        let ones = [1.0, 1, 1, 1]
        let type: [UInt8] = [0, 1, 0, 1]
        let columns = try OptionColumns(
            type: type.span, spot: spot.span, strike: ones.span, years: years.span, volatility: ones.span,
            rate: ones.span, dividend: ones.span)
        var statuses: [InputStatus] = []
        for row in 0..<4 { statuses.append(columns.status(ofRow: row)) }
        #expect(statuses == [.ok, .invalidSpot, .invalidYears, .invalidSpot])
        #expect(
            throws: GreeksError.invalidInput(
                row: 1, status: .invalidSpot, value: -1, model: .blackScholesMerton)
        ) {
            try OptionColumns(
                type: type.span, spot: spot.span, strike: ones.span, years: years.span, volatility: ones.span,
                rate: ones.span, dividend: ones.span
            ).validate()
        }
    }

    @Test(
        "A spot or strike is 0 or at least 2⁻²⁵⁰, whether rows are looked at one by one or eight at a time",
        arguments: InstructionSet.supported)
    func leastPrices(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        let least = Domain.leastPrice
        for model in [OptionModel.blackScholesMerton, .cashOrNothing] {
            for (price, isAccepted) in [
                (0, true), (-0.0, true), (least, true), (least.nextUp, true), (least.nextDown, false),
                (1e-90, false), (1e-100, false), (Double.leastNonzeroMagnitude, false), (-least, false),
                (Domain.largestPrice, true), (Domain.largestPrice.nextUp, false),
            ] {
                for isSpot in [true, false] {
                    let ones = Array(repeating: 1.0, count: 8)
                    var prices = ones
                    prices[5] = price
                    let type = Array(repeating: UInt8(0), count: 8)
                    let (spot, strike) = isSpot ? (prices, ones) : (ones, prices)
                    let columns = FullFormColumns(
                        type: type, spot: spot, strike: strike, years: ones, volatility: ones, rate: ones,
                        dividend: ones)
                    let status: InputStatus = isAccepted ? .ok : isSpot ? .invalidSpot : .invalidStrike
                    withExtendedLifetime((type, spot, strike, ones)) {
                        #expect(columns.status(ofRow: 5, model) == status, "\(price)")
                        // False may mean that rows are to be looked at; true never is wrong.
                        let accepted = engine.accepts(columns, count: 8, model)
                        #expect(accepted ? isAccepted : !isAccepted || price == 0, "\(price)")
                    }
                }
            }
        }
        let words = InputStatus.invalidSpot.reason(.blackScholesMerton)
        #expect(words.hasPrefix("must be 0 or from 5.527147875260445e-76 to 1.8"), "\(words)")
    }

    @Test(
        "For σ√T from 1e-9 to 1e-2 the price is that of inputs which differ in their last bits",
        arguments: InstructionSet.supported)
    func smallDeviations(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        // Strike, volatility, rate and dividend of calls, S = 100 and T = 1/4, and the price in 80 digits.
        let rows: [(Double, Double, Double, Double, Double)] = [
            (100.0, 2e-09, 0.0, 0.0, 3.989422804014327e-8),
            (100.50125208594011, 2e-09, 0.03, 0.01, 3.9794615558370674e-8),
            (100.00000007, 2e-09, 0.0, 0.0, 1.4287938009833696e-8),
            (99.99999987, 2e-09, 0.0, 0.0, 1.3455279949493209e-7),
            (100.50125195528848, 2e-09, 0.03, 0.01, 1.3421683208813526e-7),
            (100.00000700000024, 2e-07, 0.0, 0.0, 1.4287938197780901e-6),
            (99.99998700000084, 2e-07, 0.0, 0.0, 1.345527874822237e-5),
            (100.00070000245, 2e-05, 0.0, 0.0, 0.00014287987688894918),
            (100.4999455781553, 2e-05, 0.03, 0.01, 0.0013421596193997719),
            (100.07002450571767, 0.002, 0.0, 0.0, 0.014292938324788032),
            (100.37068534499815, 0.002, 0.03, 0.01, 0.13412963048344434),
            (100.70245572668486, 0.02, 0.0, 0.0, 0.14337931790689582),
            (99.20319148370606, 0.02, 0.03, 0.01, 1.3334812234475534),
        ]
        for (strike, volatility, rate, dividend, price) in rows {
            let option = OptionInputs(
                type: 0, spot: 100, strike: strike, years: 0.25, volatility: volatility, rate: rate,
                dividend: dividend)
            let found = try Self.greeks(option, engine)[.price] ?? .nan
            // Four last bits of the spot.
            #expect(abs(found - price) <= 4 * 100 * 0x1p-53, "\(found) for \(price)")
        }
    }
}
