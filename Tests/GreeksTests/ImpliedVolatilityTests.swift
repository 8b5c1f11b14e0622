import Foundation
import Greeks
import TestSupport
import Testing

struct ImpliedVolatilityTests {
    /// Inputs of the solver as arrays.
    struct Prices {
        var type: [UInt8] = []
        var spot: [Double] = []
        var strike: [Double] = []
        var years: [Double] = []
        var price: [Double] = []
        var rate: [Double] = []
        var dividend: [Double] = []

        func solve(_ engine: GreeksEngine) -> (volatility: [Double], status: [VolatilityStatus]) {
            var volatility = Array(repeating: -1.0, count: type.count)
            var status = Array(repeating: UInt8(99), count: type.count)
            engine.impliedVolatilities(
                PriceColumns(
                    type: type, spot: spot, strike: strike, years: years, price: price, rate: rate,
                    dividend: dividend), count: type.count, volatility: &volatility, status: &status)
            return (volatility, status.map { VolatilityStatus(rawValue: $0) ?? .notANumber })
        }

        mutating func append(_ o: OptionInputs, price: Double) {
            type.append(o.type)
            spot.append(o.spot)
            strike.append(o.strike)
            years.append(o.years)
            self.price.append(price)
            rate.append(o.rate)
            dividend.append(o.dividend)
        }
    }

    @Test(
        "Hard implied volatilities agree with 80 digits as far as the price's own rounding allows",
        arguments: InstructionSet.supported)
    func reference(_ set: InstructionSet) throws {
        let path = SharedData.packageRoot.appendingPathComponent(
            "Tests/GreeksTests/Fixtures/implied-volatility.csv"
        ).path
        var prices = Prices()
        var expected: [Double] = []
        var conditions: [Double] = []
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropFirst() {
            let fields = line.split(separator: ",")
            let numbers = fields.dropFirst().compactMap { Double($0) }
            prices.append(
                OptionInputs(
                    type: fields[0] == "P" ? 1 : 0, spot: numbers[0], strike: numbers[1], years: numbers[2],
                    volatility: 0, rate: numbers[4], dividend: numbers[5]), price: numbers[3])
            expected.append(numbers[6])
            conditions.append(numbers[7])
        }
        #expect(expected.count > 600)
        let (volatility, status) = prices.solve(try GreeksEngine(set))
        var worst = (ratio: 0.0, row: 0)
        var sorted: [Double] = []
        for row in expected.indices {
            #expect(status[row] == .ok, "row \(row + 2): \(status[row])")
            let error = abs(volatility[row] - expected[row]) / expected[row]
            // A price of n digits implies no more than n digits; below a condition of 1 the volatility's own
            // rounding is all there is.
            let ratio = error / max(1, conditions[row])
            sorted.append(ratio)
            if !(ratio <= worst.ratio) { worst = (ratio, row) }
        }
        sorted.sort()
        print(
            "\(set): implied volatility over condition: median \(sorted[sorted.count / 2]), worst \(worst.ratio)"
        )
        #expect(
            worst.ratio <= 6e-15,
            "\(worst.ratio) in row \(worst.row + 2): \(volatility[worst.row]) for \(expected[worst.row])")
    }

    @Test(
        "The price of a random option gives its volatility back",
        arguments: InstructionSet.supported)
    func roundTrip(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        var generator = SeededGenerator(seed: 8)
        var worst = (ratio: 0.0, option: "")
        var solved = 0
        for _ in 0..<(set == InstructionSet.supported.last ? 100 : 10) {
            var options: [OptionInputs] = []
            for _ in 0..<10_000 {
                var option = OptionInputs.random(&generator)
                let deviation = exp(Double.random(in: -7...1.5, using: &generator))
                option.volatility = deviation / option.years.squareRoot()
                option.strike = option.spot * exp(deviation * Double.random(in: -6...6, using: &generator))
                options.append(option)
            }
            let batch = try OptionBatch(options)
            let greeks = engine.greeks(.book, of: batch)
            var prices = Prices()
            for (row, option) in options.enumerated() {
                prices.append(option, price: greeks[.price]?[row] ?? .nan)
            }
            let (volatility, status) = prices.solve(engine)
            for (row, option) in options.enumerated() {
                let price = greeks[.price]?[row] ?? .nan
                let vega = greeks[.vega]?[row] ?? .nan
                let larger = max(
                    option.spot * exp(-option.dividend * option.years),
                    option.strike * exp(-option.rate * option.years))
                // How far the rounding of price and intrinsic value can move the volatility. The price's own
                // error is the kernel's (a difference of Mills ratios).
                let noise = (larger * 4e-16 + price * 4e-16) / (option.volatility * vega)
                guard noise < 1e-3 else { continue }
                solved += 1
                let error = abs(volatility[row] - option.volatility) / option.volatility
                let ratio = error / max(noise, 1e-15)
                if status[row] != .ok || !(ratio <= worst.ratio) {
                    worst = (
                        status[row] == .ok ? ratio : .infinity,
                        "\(option) \(price) \(volatility[row]) \(status[row])"
                    )
                }
            }
        }
        print("\(set): \(solved) round trips, worst \(worst.ratio) of the rounding's own")
        #expect(worst.ratio <= 4, "\(worst)")
    }

    @Test(
        "Prices at, below and above their bounds have the status of their bound",
        arguments: InstructionSet.supported)
    func statuses(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        let call = OptionInputs(
            type: 0, spot: 100, strike: 90, years: 0.5, volatility: 0, rate: 0.02, dividend: 0.01)
        var put = call
        put.type = 1
        let discountedSpot = 100 * exp(-0.005)
        let discountedStrike = 90 * exp(-0.01)
        let cases: [(OptionInputs, Double, VolatilityStatus)] = [
            (call, 12, .ok), (call, 10, .belowIntrinsic), (call, -1, .belowIntrinsic),
            (call, .nan, .notANumber), (call, .infinity, .aboveMaximum), (call, -.infinity, .belowIntrinsic),
            (put, -1e-300, .belowIntrinsic), (put, 1e300, .aboveMaximum), (put, -0.0, .ok),
            (call, discountedSpot, .aboveMaximum),
            (call, 1000, .aboveMaximum), (call, discountedSpot * (1 - 1e-15), .ok),
            (call, discountedSpot - discountedStrike, .ok), (put, 0, .ok), (put, 1e-300, .ok),
            (put, discountedStrike * 1.0000001, .aboveMaximum), (put, 5, .ok),
        ]
        var prices = Prices()
        for (option, price, _) in cases { prices.append(option, price: price) }
        let bad: [(WritableKeyPath<OptionInputs, Double>, Double, VolatilityStatus)] = [
            (\.spot, .nan, .notANumber), (\.spot, -1, .notANumber), (\.strike, .infinity, .notANumber),
            (\.years, 0, .expired), (\.years, -1, .notANumber), (\.rate, .nan, .notANumber),
            (\.dividend, 5000, .notANumber), (\.spot, 0, .notANumber),
        ]
        for (field, value, _) in bad {
            var option = call
            option[keyPath: field] = value
            prices.append(option, price: 12)
        }
        let types: [UInt8] = [2, 3, 128, 255]
        for type in types {
            var option = call
            option.type = type
            prices.append(option, price: 12)
        }
        let (volatility, status) = prices.solve(engine)
        let expected = cases.map(\.2) + bad.map(\.2) + types.map { _ in .notANumber }
        for (row, expected) in expected.enumerated() {
            #expect(status[row] == expected, "row \(row): \(status[row])")
            #expect(volatility[row].isNaN == (expected != .ok), "row \(row): \(volatility[row])")
        }
        // Just the intrinsic value, and nothing out of the money: no volatility is needed.
        let intrinsic = cases.firstIndex { $0.1 == discountedSpot - discountedStrike } ?? -1
        #expect(
            volatility[intrinsic] < 0.02 && volatility[intrinsic + 1] == 0
                && volatility[intrinsic + 2] > 0.001)
    }
}
