import Checks

/// The options whose risk is hedged, all on one underlying, and how they are valued.
public struct HedgedBook: Sendable, Equatable {
    public enum Settlement: String, Sendable, CaseIterable {
        /// Premium and payoff in quote currency.
        case linear
        /// Premium and payoff in coin, at the spot of the moment; what is held in coin moves with the spot.
        case coin
    }

    public var options: [HedgedOption]
    public var settlement: Settlement
    /// r and q, continuously compounded, per year.
    public var rate, dividend: Double

    public init(
        options: [HedgedOption], settlement: Settlement = .linear, rate: Double = 0, dividend: Double = 0
    ) {
        self.options = options
        self.settlement = settlement
        self.rate = rate
        self.dividend = dividend
    }

    /// - Throws: for the first value that cannot be computed; options are counted from 1.
    public func validate() throws(SimulationError) {
        guard !options.isEmpty else {
            throw .invalidParameter(
                model: "book", name: "option", value: 0, reason: "expected at least one option")
        }
        for (index, option) in options.enumerated() { try option.validate("option \(index + 1)") }
        try SimulationError.require(rate, .within(-1...1), "book", "rate_per_year")
        try SimulationError.require(dividend, .within(-1...1), "book", "dividend_per_year")
    }
}
