import Poise

/// Options to prices and Greeks by the kernel: Black-76 in dollars, undiscounted.
struct OptionValuation {
    struct Columns {
        private(set) var type: [UInt8] = []
        private(set) var forward: [Double] = []
        private(set) var strike: [Double] = []
        private(set) var years: [Double] = []
        private(set) var volatility: [Double] = []

        mutating func append(isCall: Bool, forward: Double, strike: Double, years: Double, volatility: Double)
        {
            type.append(isCall ? 0 : 1)
            self.forward.append(forward)
            self.strike.append(strike)
            self.years.append(years)
            self.volatility.append(volatility)
        }
    }

    /// A row per option, in natural units.
    struct Figures {
        let price, delta, gamma, vega, theta, rho: GreekMatrix.Column
    }

    private let engine: GreeksEngine

    init() throws { engine = try GreeksEngine() }

    /// - Returns: nil where a row has no value.
    func figures(_ rows: Columns) -> Figures? {
        // Without rates the forward is a spot.
        let none = Array(repeating: 0.0, count: rows.type.count)
        guard
            let batch = try? OptionBatch(
                type: rows.type, spot: rows.forward, strike: rows.strike, years: rows.years,
                volatility: rows.volatility, rate: none, dividend: none)
        else { return nil }
        let greeks = engine.greeks(.standard, of: batch)
        guard let price = greeks[.price], let delta = greeks[.delta], let gamma = greeks[.gamma],
            let vega = greeks[.vega], let theta = greeks[.theta], let rho = greeks[.rho]
        else { return nil }
        return Figures(price: price, delta: delta, gamma: gamma, vega: vega, theta: theta, rho: rho)
    }
}
