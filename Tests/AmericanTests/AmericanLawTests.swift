import American
import Foundation
import Greeks
import TestSupport
import Testing

/// What must hold of American options whatever their numbers.
@Suite struct AmericanLawTests {
    static let sets = InstructionSet.supported

    static func random(_ count: Int, seed: UInt64, wild: Bool = false) throws -> OptionBatch {
        var generator = SeededGenerator(seed: seed)
        func column(_ range: ClosedRange<Double>) -> [Double] {
            (0..<count).map { _ in Double.random(in: range, using: &generator) }
        }
        return try OptionBatch(
            type: (0..<count).map { _ in UInt8.random(in: 0...1, using: &generator) },
            spot: column(-1...1).map { 100 * exp($0 * (wild ? 8 : 0.5)) }, strike: column(80...120),
            years: wild ? column(-14...3).map { exp($0) } : column(0.02...2),
            volatility: wild ? column(-6...2).map { exp($0) } : column(0.1...0.9),
            rate: wild ? column(-0.2...0.6) : column(0.005...0.1),
            dividend: wild ? column(-0.2...0.6) : column(0...0.1))
    }

    @Test("A call without dividends and a put without interest are European to the bit", arguments: sets)
    func european(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        let base = try Self.random(64, seed: 1)
        let batch = try OptionBatch(
            type: base.type, spot: base.spot, strike: base.strike, years: base.years,
            volatility: base.volatility, rate: zip(base.type, base.rate).map { $0 == 0 ? $1 : 0 },
            dividend: zip(base.type, base.dividend).map { $0 == 0 ? 0 : $1 })
        let american = AmericanEngine(engine, level: .fast).greeks(of: batch)
        let expected = engine.greeks(.all, of: batch)
        for greek in GreekSet.american.greeks {
            for row in 0..<batch.count {
                #expect(american[greek]?[row].bitPattern == expected[greek]?[row].bitPattern)
            }
        }
        #expect(american.status.allSatisfy { $0 == .neverEarly })
    }

    @Test("Price and delta of a call are those of the put with both sides exchanged", arguments: sets)
    func symmetry(_ set: InstructionSet) throws {
        let engine = AmericanEngine(try GreeksEngine(set))
        let calls = try Self.random(200, seed: 2)
        let mirrored = try OptionBatch(
            type: calls.type.map { 1 - $0 }, spot: calls.strike, strike: calls.spot, years: calls.years,
            volatility: calls.volatility, rate: calls.dividend, dividend: calls.rate)
        let (one, other) = (engine.greeks(of: calls), engine.greeks(of: mirrored))
        for row in 0..<calls.count {
            #expect(abs(one[.price]![row] - other[.price]![row]) < 1e-10, "row \(row)")
            // V(S, K) is homogeneous: S ∂V/∂S + K ∂V/∂K = V, and ∂V/∂K is the mirror's delta.
            let sum = calls.spot[row] * one[.delta]![row] + calls.strike[row] * other[.delta]![row]
            #expect(abs(sum - one[.price]![row]) < 1e-9, "row \(row)")
        }
    }

    @Test("Twice the spot and strike is twice the price, to rounding", arguments: sets)
    func homogeneity(_ set: InstructionSet) throws {
        let engine = AmericanEngine(try GreeksEngine(set))
        let batch = try Self.random(100, seed: 3)
        let scaled = try OptionBatch(
            type: batch.type, spot: batch.spot.map { 3 * $0 }, strike: batch.strike.map { 3 * $0 },
            years: batch.years, volatility: batch.volatility, rate: batch.rate, dividend: batch.dividend)
        let (one, other) = (engine.greeks(.price, of: batch), engine.greeks(.price, of: scaled))
        for row in 0..<batch.count {
            #expect(abs(3 * one[.price]![row] - other[.price]![row]) < 1e-11 * batch.strike[row])
        }
    }

    @Test(
        "Limits: expired is the payoff, deep in the money is exercised, no time left nears the payoff",
        arguments: sets)
    func limits(_ set: InstructionSet) throws {
        let engine = AmericanEngine(try GreeksEngine(set))
        let batch = try OptionBatch(
            type: [1, 0, 1, 1, 1], spot: [90, 130, 40, 90, 100], strike: [100, 100, 100, 100, 100],
            years: [0, 0, 1, 1e-9, 1], volatility: [0.2, 0.2, 0.2, 0.2, 0.2],
            rate: [0.05, 0.05, 0.05, 0.05, -0.02], dividend: [0.02, 0.02, 0.02, 0.02, -0.05])
        let result = engine.greeks(of: batch)
        #expect(result.status == [.expired, .expired, .exercise, .exercise, .doubleBoundary])
        #expect(result[.price]![..<4] == [10, 30, 60, 10])
        #expect(result[.delta]![2] == -1 && result[.gamma]![2] == 0 && result[.theta]![2] == 0)
        #expect(result[.price]![4].isNaN && result.boundary[4].isNaN)
    }

    @Test("A million wild lanes: no trap, a number or a status, never below payoff or European price")
    func fuzz() throws {
        let engine = try GreeksEngine()
        let american = AmericanEngine(engine, level: .fast)
        var refused = 0
        for round in 0..<20 {
            let batch = try Self.random(50_000, seed: 100 + UInt64(round), wild: true)
            let result = american.greeks(.price, of: batch)
            let european = engine.greeks(.price, of: batch)
            for row in 0..<batch.count {
                let price = result[.price]![row]
                if result.status[row].isRefused {
                    refused += 1
                    #expect(price.isNaN)
                    continue
                }
                let w = batch.type[row] == 0 ? 1.0 : -1.0
                let payoff = max(0, w * (batch.spot[row] - batch.strike[row]))
                let slack = 1e-13 * (batch.spot[row] + batch.strike[row])
                let isSound =
                    price >= payoff - slack && price < .infinity
                    && (result.status[row] == .exercise || price >= european[.price]![row] - slack)
                if !isSound { Issue.record("round \(round) row \(row): \(price), \(result.status[row])") }
            }
        }
        print("american fuzz: \(refused) of 1,000,000 refused")
        #expect(refused < 700_000)
    }

    @Test("An option's result does not depend on its neighbours", arguments: sets)
    func neighbours(_ set: InstructionSet) throws {
        let engine = AmericanEngine(try GreeksEngine(set))
        let batch = try Self.random(19, seed: 4)
        let all = engine.greeks(of: batch)
        for row in 0..<batch.count {
            let alone = try OptionBatch(
                type: [batch.type[row]], spot: [batch.spot[row]], strike: [batch.strike[row]],
                years: [batch.years[row]], volatility: [batch.volatility[row]], rate: [batch.rate[row]],
                dividend: [batch.dividend[row]])
            let one = engine.greeks(of: alone)
            for greek in GreekSet.american.greeks {
                #expect(one[greek]![0].bitPattern == all[greek]![row].bitPattern, "\(greek) row \(row)")
            }
        }
    }
}
