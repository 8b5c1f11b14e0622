import Foundation
import Greeks
import TestSupport
import Testing

/// The models beside Black, Scholes and Merton's.
struct ModelTests {
    /// Price and Greeks against numerical derivatives in 120 digits (`scripts/generate-reference`). Some Greeks are
    /// differences of terms that may cancel: their errors count against the larger of the value and a term.
    @Test(
        "Bachelier's and digital Greeks agree with numerical derivatives in 120 digits",
        arguments: InstructionSet.supported, [OptionModel.bachelier, .cashOrNothing])
    func reference(_ set: InstructionSet, _ model: OptionModel) throws {
        let folder = SharedData.packageRoot.appendingPathComponent("Tests/GreeksTests/Fixtures")
        let path = folder.appendingPathComponent("\(model.name).csv").path
        let reference = try Reference(name: model.name, path: path, model: model)
        let batch = reference.batch
        let matrix = try GreeksEngine(set).greeks(.all, of: batch)
        for greek in Greek.allCases {
            let own = try #require(matrix[greek])
            let expected = try #require(reference.expected[greek])
            var worst = 0.0
            var worstRow = 0
            for row in 0..<batch.count {
                let scale = max(expected[row].magnitude, Self.term(greek, model, matrix, batch, row), 1e-290)
                let error = (own[row] - expected[row]).magnitude / scale
                if !(error <= worst) { (worst, worstRow) = (error, row) }
            }
            print("\(set), \(model.name), \(greek): worst \(worst)")
            #expect(
                worst <= 1e-12,
                "\(greek) in row \(worstRow): expected \(expected[worstRow]) calculated \(own[worstRow])")
        }
    }

    /// A term of a Greek that its other terms may cancel.
    static func term(
        _ greek: Greek, _ model: OptionModel, _ matrix: GreekMatrix, _ batch: OptionBatch, _ row: Int
    ) -> Double {
        let value = { (other: Greek) in (matrix[other]?[row] ?? .nan).magnitude }
        let (spot, years, volatility) = (batch.spot[row].magnitude, batch.years[row], batch.volatility[row])
        let carry = max(batch.rate[row].magnitude, batch.dividend[row].magnitude)
        switch (model, greek) {
        case (_, .theta):
            return carry * max(value(.price), spot * value(.delta)) + volatility * value(.vega) / years
        case (_, .rho): return years * max(spot * value(.delta), value(.price))
        case (_, .charm): return carry * value(.delta) + value(.delta) / years
        case (_, .color): return value(.gamma) / years + value(.delta) / (spot * years)
        case (_, .veta): return value(.vega) / years
        case (_, .zomma): return value(.gamma) / volatility + value(.speed) * spot / volatility
        case (.cashOrNothing, .gamma): return value(.delta) / spot
        case (.cashOrNothing, .speed): return value(.gamma) / spot + value(.delta) / (spot * spot)
        case (.cashOrNothing, .vanna): return value(.delta) / volatility
        case (.cashOrNothing, .volga): return (value(.vega) + spot * value(.delta)) / volatility
        case (_, .ultima): return (value(.volga) + value(.vega) / volatility) / volatility
        default: return 0
        }
    }

    /// A call less a put is the discounted forward less the strike; a digital call and put pay 1 together.
    @Test(
        "Calls and puts of the other models have their parities",
        arguments: InstructionSet.supported, [OptionModel.bachelier, .cashOrNothing])
    func putCallParity(_ set: InstructionSet, _ model: OptionModel) throws {
        let engine = try GreeksEngine(set)
        let random = try OptionBatch.random(1_001, seed: 41)
        let scale = model == .bachelier ? random.spot : random.spot.map { _ in 1 }
        func batch(_ type: UInt8) throws -> OptionBatch {
            try OptionBatch(
                type: random.type.map { _ in type }, spot: random.spot, strike: random.strike,
                years: random.years,
                volatility: zip(random.volatility, scale).map { $0 * $1 }, rate: random.rate,
                dividend: random.dividend, model: model)
        }
        let (calls, puts) = (engine.greeks(.all, of: try batch(0)), engine.greeks(.all, of: try batch(1)))
        for row in 0..<random.count {
            let (spot, strike, years) = (random.spot[row], random.strike[row], random.years[row])
            let discount = exp(-random.rate[row] * years)
            let forward = spot * exp(-random.dividend[row] * years)
            let (call, put) = (calls[.price]?[row] ?? .nan, puts[.price]?[row] ?? .nan)
            if model == .bachelier {
                #expect(abs(call - put - (forward - strike * discount)) <= 1e-14 * (spot + strike))
                #expect(calls[.gamma]?[row] == puts[.gamma]?[row])
            } else {
                #expect(abs(call + put - discount) <= 4e-16)
                #expect(calls[.gamma]?[row] == -(puts[.gamma]?[row] ?? .nan))
            }
        }
    }

    @Test(
        "At expiry and without volatility an option of any model is worth what it would pay",
        arguments: InstructionSet.supported)
    func edges(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        let spot: [Double] = [-40, -10, 0, 5, 5, 5, 100, 100, 1e30]
        let strike: [Double] = [-37, -12, 0, 5, 4, 6, 90, 110, 1]
        for (years, volatility) in [(0.0, 3.0), (0.5, 0), (0, 0)] {
            for type in [UInt8(0), 1] {
                for model in [OptionModel.bachelier, .cashOrNothing] {
                    let rows = spot.indices.filter { model == .bachelier || (spot[$0] > 0 && strike[$0] > 0) }
                    func column(_ value: Double) -> [Double] { rows.map { _ in value } }
                    let batch = try OptionBatch(
                        type: rows.map { _ in type }, spot: rows.map { spot[$0] },
                        strike: rows.map { strike[$0] },
                        years: column(years), volatility: column(volatility), rate: column(0),
                        dividend: column(0),
                        model: model)
                    let greeks = engine.greeks(.all, of: batch)
                    for (place, row) in rows.enumerated() {
                        let inTheMoney = type == 0 ? spot[row] - strike[row] : strike[row] - spot[row]
                        let expected =
                            model == .bachelier
                            ? max(inTheMoney, 0) : inTheMoney > 0 ? 1 : inTheMoney == 0 ? 0.5 : 0
                        #expect(
                            greeks[.price]?[place] == expected, "\(model) \(type) \(spot[row]) \(strike[row])"
                        )
                        #expect(greeks[.gamma]?[place] == 0)
                        for greek in Greek.allCases {
                            #expect(greeks[greek]?[place].isFinite == true, "\(model) \(greek)")
                        }
                    }
                }
            }
        }
    }

    /// What a model does not accept is named; AVX-512 gives the bits of AVX2; tails those of whole blocks.
    @Test("Every model names what it does not accept, and has the same bits in any width and tail")
    func refusalsAndBits() throws {
        func batch(_ spot: Double, _ volatility: Double, _ model: OptionModel) throws -> OptionBatch {
            try OptionBatch(
                type: [0], spot: [spot], strike: [1], years: [1], volatility: [volatility], rate: [0],
                dividend: [0],
                model: model)
        }
        #expect(
            throws: GreeksError.invalidInput(row: 0, status: .invalidSpot, value: -1, model: .cashOrNothing)
        ) {
            try batch(-1, 0.2, .cashOrNothing)
        }
        #expect(
            throws: GreeksError.invalidInput(
                row: 0, status: .invalidVolatility, value: -0.2, model: .bachelier)
        ) {
            try batch(-1, -0.2, .bachelier)
        }
        #expect(throws: GreeksError.self) { try batch(.nan, 0.2, .bachelier) }
        #expect(try batch(-1, 0.2, .bachelier).count == 1)
        for model in [OptionModel.bachelier, .cashOrNothing] {
            let random = try OptionBatch.random(203, seed: 42)
            let batch = try OptionBatch(
                type: random.type, spot: random.spot, strike: random.strike, years: random.years,
                volatility: random.volatility, rate: random.rate, dividend: random.dividend, model: model)
            let sets = InstructionSet.supported.filter { $0 != .baseline }
            let all = try sets.map { try GreeksEngine($0).greeks(.all, of: batch) }
            let engine = try GreeksEngine()
            let own = engine.greeks(.all, of: batch)
            for greek in Greek.allCases {
                let bits = try all.map { try #require($0[greek]).map(\.bitPattern) }
                let isSame = bits.allSatisfy { $0 == bits.first }
                #expect(isSame, "\(model) \(greek)")
                let alone = engine.greeks(GreekSet(greek), of: batch)[greek]?.map(\.bitPattern)
                let isAlike = alone == own[greek]?.map(\.bitPattern)
                #expect(isAlike, "\(model) \(greek) alone")
            }
        }
    }

    /// At the money with time left every model's price moves with volatility, and one volatility gives it.
    @Test(
        "Each model's prices give back the volatility that they are made of", arguments: OptionModel.allCases)
    func inverse(_ model: OptionModel) throws {
        let count = 6
        let spot = [Double](repeating: 100, count: count)
        let strike = [100.0, 100, 95, 95, 105, 105]
        let volatility = (0..<count).map { Double($0 + 2) * (model.range.allowsNegativePrices ? 5 : 0.05) }
        let years = [Double](repeating: 0.4, count: count)
        let rate = [Double](repeating: 0.03, count: count)
        let type = (0..<count).map { UInt8($0 & 1) }
        let engine = try GreeksEngine()
        let batch = try OptionBatch(
            type: type, spot: spot, strike: strike, years: years, volatility: volatility, rate: rate,
            dividend: rate, model: model)
        let prices = try #require(engine.greeks(.price, of: batch)[.price]).map { $0 }
        let found = engine.impliedVolatilities(
            of: try PriceBatch(
                type: type, spot: spot, strike: strike, years: years, price: prices, rate: rate,
                dividend: rate),
            model: model)
        for row in 0..<count {
            switch found[row] {
            case .one(let own): #expect(abs(own / volatility[row] - 1) < 1e-12, "\(model) \(row)")
            case .two(let less, let more):
                let near = min(abs(less / volatility[row] - 1), abs(more / volatility[row] - 1))
                #expect(near < 1e-12, "\(model) \(row)")
            case .none(let status): Issue.record("\(model) \(row): \(status)")
            }
        }
    }

    @Test("Lists of Greeks agree: cases, arrays, sets, lower Greeks, and what models compute")
    func registry() {
        #expect(GreekArray<Int>.count == Greek.allCases.count && GreekSet.all.greeks == Greek.allCases)
        #expect(ExposureArray<Int>.count == ExposureGreek.allCases.count)
        var listed: [Greek] = []
        Greek.forEach { listed.append($0) }
        #expect(listed == Greek.allCases && listed.map(\.index) == Array(Greek.allCases.indices))
        var exposures: [ExposureGreek] = []
        ExposureGreek.forEach { exposures.append($0) }
        #expect(exposures == ExposureGreek.allCases && exposures.map(\.index) == Array(exposures.indices))
        #expect(
            GreekSet.book
                == GreekSet([.price, .delta, .gamma, .vega, .theta, .rho, .vanna, .volga, .charm]))
        // Another set would do, in a loop that is slower.
        #expect(GreekSet.exposures == .book)
        for greek in Greek.allCases where greek.orders.spot > 0 {
            #expect(greek.spotAntiderivative?.orders.spot == greek.orders.spot - 1, "\(greek)")
        }
        for model in OptionModel.allCases {
            #expect(model.greeks.isSuperset(of: .standard) && model.greeks.isSubset(of: .all))
        }
        let orders: [Int] = Greek.allCases.map {
            100 * $0.orders.spot + 10 * $0.orders.volatility + $0.orders.time
        }
        #expect(orders == [0, 100, 200, 10, 1, 0, 0, 110, 20, 101, 300, 210, 201, 11, 30])
    }
}
