import Greeks
import TestSupport

/// One option, the way the kernel takes it.
struct OptionInputs {
    var type: UInt8
    var spot, strike, years, volatility, rate, dividend: Double

    /// Anything from a day-old weekly to a long-dated option, within some standard deviations.
    static func random(_ generator: inout SeededGenerator) -> OptionInputs {
        let years = Double.random(in: 0.002...3, using: &generator)
        let volatility = Double.random(in: 0.05...1.5, using: &generator)
        let spot = [100, 3_400, 64_000].randomElement(using: &generator).map(Double.init) ?? 100
        let deviations = Double.random(in: -3...3, using: &generator)
        return OptionInputs(
            type: UInt8.random(in: 0...1, using: &generator), spot: spot,
            strike: spot * (1 + 0.2 * deviations * (volatility * years.squareRoot()).clamped(to: 0.001...1)),
            years: years, volatility: volatility, rate: Double.random(in: -0.02...0.1, using: &generator),
            dividend: Double.random(in: 0...0.08, using: &generator))
    }
}

extension Double {
    func clamped(to range: ClosedRange<Double>) -> Double {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}

extension OptionBatch {
    init(_ options: [OptionInputs]) throws(GreeksError) {
        try self.init(
            type: options.map(\.type), spot: options.map(\.spot), strike: options.map(\.strike),
            years: options.map(\.years), volatility: options.map(\.volatility), rate: options.map(\.rate),
            dividend: options.map(\.dividend))
    }

    /// Seeded random options.
    static func random(_ count: Int, seed: UInt64) throws -> OptionBatch {
        var generator = SeededGenerator(seed: seed)
        return try OptionBatch((0..<count).map { _ in OptionInputs.random(&generator) })
    }
}
