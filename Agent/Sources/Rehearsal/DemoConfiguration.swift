import Desk

extension DeskConfiguration {
    /// A desk for a demonstration: short options about the money, whose delta is kept within a band with the perpetual, and whose
    /// vega with options.
    public static var demonstration: DeskConfiguration {
        var configuration = DeskConfiguration()
        configuration.name = "demo"
        configuration.limits = [
            LimitSetting("BTC", "delta", low: -60_000, high: 60_000, landing: 0.3),
            LimitSetting("BTC", "vega", low: -600, high: 600, landing: 0.8),
        ]
        configuration.candidates.optionExpiries = 1
        configuration.candidates.optionStrikes = 2
        configuration.execution.crossAfter = 8_000
        configuration.guards.orderNotional = 3_000_000
        configuration.guards.delta = 2_000_000
        configuration.guards.vega = 20_000
        configuration.guards.loss = 500_000
        return configuration
    }
}
