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

    @Test("Statuses name each row's own fault and count the faults")
    func statuses() {
        let spot = [100, -1, 100, .nan]
        let years = [1.0, 1, -1, 1]
        let ones = [1.0, 1, 1, 1]
        let type: [UInt8] = [0, 1, 0, 1]
        let columns = FullFormColumns(
            type: type, spot: spot, strike: ones, years: years, volatility: ones, rate: ones, dividend: ones)
        var statuses = Array(repeating: InputStatus.ok, count: 4)
        let failures = withExtendedLifetime((type, spot, years, ones)) {
            columns.statuses(count: 4, into: &statuses)
        }
        #expect(failures == 3)
        #expect(statuses == [.ok, .invalidSpot, .invalidYears, .invalidSpot])
    }
}
