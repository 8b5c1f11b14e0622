import American
import Foundation
import Greeks
import Testing

@Suite struct AmericanVolatilityTests {
    static func prices(_ batch: OptionBatch, _ price: [Double]) throws -> PriceBatch {
        try PriceBatch(
            type: batch.type, spot: batch.spot, strike: batch.strike, years: batch.years, price: price,
            rate: batch.rate, dividend: batch.dividend)
    }

    @Test("A price gives its volatility back", arguments: InstructionSet.supported)
    func roundTrip(_ set: InstructionSet) throws {
        let engine = AmericanEngine(try GreeksEngine(set))
        let batch = try AmericanLawTests.random(400, seed: 5)
        let greeks = engine.greeks([.price, GreekSet(.vega)], of: batch)
        let found = engine.impliedVolatilities(of: try Self.prices(batch, greeks[.price]!))
        var solved = 0
        for row in 0..<batch.count {
            switch greeks.status[row] {
            case .exercise: #expect(found.status[row] == .exercise)
            default:
                // The price says nothing where it hardly depends on the volatility.
                guard greeks[.vega]![row] > 0.1 else { continue }
                solved += 1
                #expect(found.status[row] == .ok, "row \(row)")
                #expect(
                    abs(found.volatility[row] - batch.volatility[row]) < 1e-11 / greeks[.vega]![row] * 100)
            }
        }
        #expect(solved > 250)
    }

    @Test("Prices without a volatility say why", arguments: InstructionSet.supported)
    func statuses(_ set: InstructionSet) throws {
        let engine = AmericanEngine(try GreeksEngine(set))
        let count = 9
        func all<T>(_ value: T) -> [T] { Array(repeating: value, count: count) }
        let batch = try PriceBatch(
            type: [1, 1, 1, 1, 0, 1, 2, 1, 0], spot: all(90), strike: all(100),
            years: [1, 1, 1, 0, 1, 1, 1, 1, 1], price: [9.5, 10, 100, 12, 4, .nan, 12, 12, 90],
            rate: [0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, -0.02, 0.05],
            dividend: [0.02, 0.02, 0.02, 0.02, 0, 0.02, 0.02, -0.05, 0.02])
        let (volatility, status) = engine.impliedVolatilities(of: batch)
        #expect(
            status == [
                .belowIntrinsic, .exercise, .aboveMaximum, .expired, .ok, .notANumber, .notANumber,
                .doubleBoundary, .aboveMaximum,
            ])
        #expect(volatility.enumerated().allSatisfy { $1.isNaN == ($0 != 4) })
        // Without dividends the call's is the European one, to the bit.
        let european = try GreeksEngine(set).impliedVolatilities(of: batch)
        #expect(volatility[4].bitPattern == european.volatility[4].bitPattern)
    }
}
