import Foundation
import Greeks
import TestSupport
import Testing

/// Volatilities that prices imply under models of their own.
struct ModelVolatilityTests {
    static func volatilities(_ options: [OptionInputs], _ prices: [Double], _ model: OptionModel) throws
        -> [ImpliedVolatility]
    {
        try GreeksEngine().impliedVolatilities(
            of: PriceBatch(
                type: options.map(\.type), spot: options.map(\.spot), strike: options.map(\.strike),
                years: options.map(\.years), price: prices, rate: options.map(\.rate),
                dividend: options.map(\.dividend)), model: model)
    }

    static func figures(_ options: [OptionInputs], _ model: OptionModel) throws -> (
        price: [Double], vega: [Double]
    ) {
        let batch = try OptionBatch(
            type: options.map(\.type), spot: options.map(\.spot), strike: options.map(\.strike),
            years: options.map(\.years), volatility: options.map(\.volatility), rate: options.map(\.rate),
            dividend: options.map(\.dividend), model: model)
        let greeks = try GreeksEngine().greeks(.all, of: batch)
        return (Array(try #require(greeks[.price])), Array(try #require(greeks[.vega])))
    }

    static func one(_ option: OptionInputs, _ price: Double, _ model: OptionModel) throws -> ImpliedVolatility
    {
        try volatilities([option], [price], model)[0]
    }

    @Test("the price of a random option under Bachelier's model gives its volatility back")
    func bachelier() throws {
        var generator = SeededGenerator(seed: 11)
        var options: [OptionInputs] = []
        for _ in 0..<20_000 {
            var option = OptionInputs.random(&generator)
            option.spot = Double.random(in: -100...100, using: &generator)
            option.volatility = exp(Double.random(in: -3...5, using: &generator))
            let deviation = option.volatility * option.years.squareRoot()
            let forward = option.spot * exp((option.rate - option.dividend) * option.years)
            option.strike = forward + deviation * Double.random(in: -12...12, using: &generator)
            options.append(option)
        }
        let (prices, vegas) = try Self.figures(options, .bachelier)
        let found = try Self.volatilities(options, prices, .bachelier)
        var worst = 0.0
        var solved = 0
        for (row, option) in options.enumerated() {
            let larger = max(
                abs(option.spot) * exp(-option.dividend * option.years),
                abs(option.strike) * exp(-option.rate * option.years))
            // How far the rounding of price and intrinsic value moves the volatility; the model's own prices of options
            // far out of the money lose digits by the square of their distance.
            let noise = (larger * 4e-16 + prices[row] * 2e-14) / (option.volatility * vegas[row])
            guard noise < 1e-4 else { continue }
            guard case .one(let volatility) = found[row] else {
                Issue.record("row \(row): \(option) \(prices[row]) \(found[row])")
                continue
            }
            solved += 1
            worst = max(worst, abs(volatility / option.volatility - 1) / max(noise, 2e-15))
        }
        #expect(solved > 10_000 && worst <= 4, "\(solved), worst \(worst) of the rounding's own")
    }

    @Test("a normal volatility at the money is the price by √(2π/T), and no time value is no volatility")
    func atTheMoney() throws {
        let option = OptionInputs(
            type: 0, spot: 100, strike: 100, years: 0.25, volatility: 0, rate: 0, dividend: 0)
        guard case .one(let volatility) = try Self.one(option, 3, .bachelier) else {
            Issue.record("none")
            return
        }
        #expect(abs(volatility - 3 * (2 * Double.pi / 0.25).squareRoot()) < 1e-14 * volatility)
        var inside = option
        inside.strike = 90
        #expect(try Self.one(inside, 10, .bachelier) == .one(0))
        #expect(try Self.one(option, 0, .bachelier) == .one(0))
        for (price, status) in [
            (9.0, VolatilityStatus.belowIntrinsic), (-1, .belowIntrinsic), (.infinity, .aboveMaximum),
            (1e300, .aboveMaximum), (.nan, .notANumber),
        ] {
            #expect(try Self.one(inside, price, .bachelier) == .none(status), "\(price)")
        }
        var expired = option
        expired.years = 0
        #expect(try Self.one(expired, 1, .bachelier) == .none(.expired))
        var wrong = option
        wrong.spot = .nan
        #expect(try Self.one(wrong, 1, .bachelier) == .none(.notANumber))
    }

    @Test("the price of a random digital gives its volatility back, as one of two where there are two")
    func digitals() throws {
        var generator = SeededGenerator(seed: 12)
        var options: [OptionInputs] = []
        for _ in 0..<20_000 {
            var option = OptionInputs.random(&generator)
            let deviation = exp(Double.random(in: -4...1, using: &generator))
            option.volatility = deviation / option.years.squareRoot()
            option.strike = option.spot * exp(deviation * Double.random(in: -4...4, using: &generator))
            options.append(option)
        }
        let (prices, vegas) = try Self.figures(options, .cashOrNothing)
        let found = try Self.volatilities(options, prices, .cashOrNothing)
        var counts = (one: 0, two: 0)
        for (row, option) in options.enumerated() {
            // Near the top of the price nothing can be told.
            let noise = 4e-16 / abs(option.volatility * vegas[row])
            guard noise < 1e-6 else { continue }
            func agrees(_ volatility: Double) -> Bool {
                abs(volatility / option.volatility - 1) < 20 * max(noise, 1e-13)
            }
            switch found[row] {
            case .one(let volatility):
                counts.one += 1
                #expect(agrees(volatility), "row \(row): \(option) \(volatility)")
            case .two(let low, let high):
                counts.two += 1
                #expect(low < high && (agrees(low) || agrees(high)), "row \(row): \(option) \(low) \(high)")
            case .none(let status): Issue.record("row \(row): \(option) \(status)")
            }
        }
        #expect(counts.one > 5000 && counts.two > 3000)
    }

    @Test("a digital's impossible prices name their side")
    func digitalStatuses() throws {
        // F/K = 1/e: no volatility makes ending above likelier than N(−√2) = 0.0786.
        var call = OptionInputs(
            type: 0, spot: 1, strike: M_E, years: 1, volatility: 0, rate: 0, dividend: 0)
        var put = call
        put.type = 1
        #expect(try Self.one(call, 0.08, .cashOrNothing) == .none(.aboveMaximum))
        #expect(try Self.one(put, 0.92, .cashOrNothing) == .none(.belowIntrinsic))
        #expect(try Self.one(call, 0, .cashOrNothing) == .one(0))
        #expect(try Self.one(put, 1, .cashOrNothing) == .one(0))
        guard case .two(let low, let high) = try Self.one(call, 0.05, .cashOrNothing) else {
            Issue.record("not two")
            return
        }
        #expect(low < 2.0.squareRoot() && high > 2.0.squareRoot() && abs(low * high - 2) < 1e-13)
        call.strike = 1 / M_E
        put.strike = 1 / M_E
        #expect(try Self.one(call, 1, .cashOrNothing) == .one(0))
        #expect(try Self.one(call, 0, .cashOrNothing) == .none(.belowIntrinsic))
        #expect(try Self.one(put, 1, .cashOrNothing) == .none(.aboveMaximum))
        for (price, status) in [
            (1.5, VolatilityStatus.aboveMaximum), (.infinity, .aboveMaximum), (-0.1, .belowIntrinsic),
            (.nan, .notANumber),
        ] {
            #expect(try Self.one(call, price, .cashOrNothing) == .none(status))
            #expect(try Self.one(put, price, .cashOrNothing) == .none(status))
        }
    }
}
