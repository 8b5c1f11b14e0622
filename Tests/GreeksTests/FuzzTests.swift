import Foundation
import Greeks
import TestSupport
import Testing

/// Any bits at all: no trap, no hang, and no NaN without a status. `POISE_FUZZ_LANES` says how many lanes.
struct FuzzTests {
    static let lanes = ProcessInfo.processInfo.environment["POISE_FUZZ_LANES"].flatMap { Int($0) } ?? 200_000

    /// Often typical, sometimes an extreme or any bit pattern.
    static func anything(_ typical: Double, _ generator: inout SeededGenerator) -> Double {
        let bits = generator.next()
        switch bits & 7 {
        case 0: return Double(bitPattern: generator.next())
        case 1: return [0, -0.0, .nan, .infinity, -.infinity, 0x1p-1060, 1e308, -1][Int(bits >> 3 & 7)]
        case 2: return exp(Double(Int64(bitPattern: bits) >> 11) * 0x1p-52 * 700)
        default: return typical * exp(Double(Int64(bitPattern: bits) >> 11) * 0x1p-52 * 3)
        }
    }

    /// Columns of one chunk: type, and six of doubles.
    struct Chunk {
        static let count = 4_001
        var type: [UInt8] = []
        var columns: [[Double]]

        init(_ generator: inout SeededGenerator) {
            type = (0..<Self.count).map { _ in UInt8(generator.next() & 1) }
            columns = [100, 100, 0.5, 0.6, 0.03, 0.01].map { typical in
                (0..<Self.count).map { _ in FuzzTests.anything(typical, &generator) }
            }
        }

        func describe(_ row: Int) -> String { "type \(type[row]) \(columns.map { $0[row] })" }
    }

    @Test(
        "Any prices, NaN included, give a status, and a volatility exactly where the status says so",
        arguments: InstructionSet.supported)
    func impliedVolatilities(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        var generator = SeededGenerator(seed: 9)
        var wrong: [String] = []
        for _ in 0...(Self.lanes / Chunk.count) {
            let chunk = Chunk(&generator)
            let (volatility, status) = engine.impliedVolatilities(
                of: try PriceBatch(
                    type: chunk.type, spot: chunk.columns[0], strike: chunk.columns[1],
                    years: chunk.columns[2],
                    price: chunk.columns[3], rate: chunk.columns[4], dividend: chunk.columns[5]))
            for row in 0..<Chunk.count {
                let isNumber = volatility[row] >= 0 && volatility[row] < .infinity
                if (status[row] == .ok) != isNumber, wrong.count < 10 {
                    wrong.append("\(status[row]) \(volatility[row]): \(chunk.describe(row))")
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test(
        "Whatever validation accepts has Greeks that are numbers",
        arguments: InstructionSet.supported, OptionModel.allCases)
    func greeks(_ set: InstructionSet, _ model: OptionModel) throws {
        let engine = try GreeksEngine(set)
        var generator = SeededGenerator(seed: 14)
        var wrong: [String] = []
        var accepted = 0
        for _ in 0...(Self.lanes / Chunk.count) {
            let chunk = Chunk(&generator)
            let matrix = GreekMatrix(.all, count: Chunk.count)
            let input = FullFormColumns(
                type: chunk.type, spot: chunk.columns[0], strike: chunk.columns[1], years: chunk.columns[2],
                volatility: chunk.columns[3], rate: chunk.columns[4], dividend: chunk.columns[5])
            let statuses = (0..<Chunk.count).map { input.status(ofRow: $0, model) }
            engine.fullForm(.all, model: model, input, count: Chunk.count, into: matrix.columns)
            let columns = Greek.allCases.compactMap { matrix[$0]?.pointer }
            for row in 0..<Chunk.count where statuses[row] == .ok {
                accepted += 1
                if columns.contains(where: { $0[row].isNaN }), wrong.count < 10 {
                    wrong.append("\(columns.map { $0[row] }): \(chunk.describe(row))")
                }
            }
            withExtendedLifetime(matrix) {}
        }
        #expect(wrong.isEmpty)
        #expect(accepted > Self.lanes / 20)
    }
}
