/// Checks of numbers that several models share; all are written so that NaN fails them.
enum ParameterCheck {
    static func finite(_ model: String, _ name: String, _ value: Double) throws(SimulationError) {
        try SimulationError.require(value.isFinite, model, name, value, "is not finite")
    }

    static func notNegative(_ model: String, _ name: String, _ value: Double) throws(SimulationError) {
        try SimulationError.require(
            value >= 0 && value.isFinite, model, name, value, "is not finite and at least 0")
    }

    static func positive(_ model: String, _ name: String, _ value: Double) throws(SimulationError) {
        try SimulationError.require(
            value > 0 && value.isFinite, model, name, value, "is not positive and finite")
    }

    /// What every model starts with.
    static func start(_ model: String, spot: Double, drift: Double) throws(SimulationError) {
        try positive(model, "spot", spot)
        try finite(model, "drift", drift)
    }
}

extension ParameterCheck {
    static func share(_ model: String, _ name: String, _ value: Double) throws(SimulationError) {
        try SimulationError.require(value >= 0 && value <= 1, model, name, value, "is not from 0 to 1")
    }
}
