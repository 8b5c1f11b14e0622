/// Sums of profits by group and expiry, from which those of groups follow where a grid charges them expiry by expiry.
public struct ExpirySums: Sendable {
    /// One of the sums: what a group holds of one coin and expiry, a row of the profits.
    public struct Part: Sendable {
        /// The row of the result: a group of any grouping, from 0.
        public var group: Int
        /// Present value of the options before the scenario, in the currency of the profits; above 0 where they are owned.
        public var value: Double
        /// Time to expiry before the scenario, one for all of the part's options. Nil without options: what only futures,
        /// perpetuals or coins gain is neither marked down nor taken absolutely.
        public var years: Double?
        /// Interest rate before the scenario, per year and continuously compounded: scenarios add to it.
        public var rate: Double

        public init(group: Int, value: Double, years: Double?, rate: Double) {
            self.group = group
            self.value = value
            self.years = years
            self.rate = rate
        }
    }

    /// Adds the sums of each group's parts up, by the rules of the grid, times the scenario's dampening.
    /// - Parameter profits: a row per part, not dampened.
    public static func combined(
        _ profits: ScenarioMatrix, _ parts: [Part], groupCount: Int, _ grid: ScenarioGrid
    ) -> ScenarioMatrix {
        precondition(profits.rowCount == parts.count && profits.scenarioCount == grid.count, "sizes differ")
        let result = ScenarioMatrix(rowCount: groupCount, scenarioCount: grid.count)
        for (row, part) in parts.enumerated() {
            for (number, scenario) in grid.scenarios.enumerated() {
                var profit = profits[row, number]
                if let years = part.years {
                    if let haircut = grid.haircut {
                        profit =
                            haircut.marked(part.value + profit, years: years, rate: part.rate, in: scenario)
                            - part.value
                    }
                    if scenario.expiryLoss == .absolute { profit = -profit.magnitude }
                }
                result[part.group, number] += profit * scenario.dampening
            }
        }
        return result
    }
}
