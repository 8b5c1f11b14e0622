import Glibc

/// The discount on a book's assets or debts in the options of an expiry, before the present value is taken
/// off: long by `long`·e^(−T(multiple·r + added)), owed up by `short`·e^(T(multiple·r + added)), at most undiscounted.
/// - Source: the static discount of Derive's portfolio margin 2.
public struct ExpiryHaircut: Sendable, Equatable {
    public var long, longRateMultiple, longAddedRate: Double
    public var short, shortRateMultiple, shortAddedRate: Double

    public init(
        long: Double, longRateMultiple: Double, longAddedRate: Double, short: Double,
        shortRateMultiple: Double, shortAddedRate: Double
    ) {
        (self.long, self.longRateMultiple, self.longAddedRate) = (long, longRateMultiple, longAddedRate)
        (self.short, self.shortRateMultiple, self.shortAddedRate) = (short, shortRateMultiple, shortAddedRate)
    }

    /// The field that cannot be computed, as it is called in files.
    var firstInvalid: (field: String, value: Double, limits: String)? {
        for (field, value) in [("long", long), ("short", short)] where !(value >= 0 && value <= 1000) {
            return (field, value, "0 to 1000")
        }
        for (field, value) in [
            ("long_rate_multiple", longRateMultiple), ("long_added_rate", longAddedRate),
            ("short_rate_multiple", shortRateMultiple), ("short_added_rate", shortAddedRate),
        ] where !(value.magnitude <= 100) { return (field, value, "-100 to 100") }
        return nil
    }

    /// The share of a value that counts; rates below 0 count as 0.
    func marked(_ value: Double, years: Double, rate: Double) -> Double {
        let rate = max(0, rate)
        if value > 0 {
            return value * long * exp(-years * (longRateMultiple * rate + longAddedRate))
        }
        let up = short * exp(years * (shortRateMultiple * rate + shortAddedRate))
        return value * min(exp(rate * years), up)
    }
}

/// Sums of profits by book and expiry, from which those of books follow where a grid charges them expiry by expiry.
public struct ExpirySums: Sendable {
    /// One of the sums.
    public struct Part: Sendable {
        /// The row of the result.
        public var book: Int
        /// Present value of the options, in the currency of the profits.
        public var value: Double
        /// Nil for what does not expire: it is neither marked down nor taken absolutely.
        public var years: Double?
        public var rate: Double

        public init(book: Int, value: Double, years: Double?, rate: Double) {
            self.book = book
            self.value = value
            self.years = years
            self.rate = rate
        }
    }

    /// Adds the sums of each book's parts up, by the rules of the grid, and dampens them.
    /// - Parameter profits: a row per part, not dampened.
    public static func combined(
        _ profits: ScenarioMatrix, _ parts: [Part], bookCount: Int, _ grid: ScenarioGrid
    ) -> ScenarioMatrix {
        precondition(profits.rowCount == parts.count && profits.scenarioCount == grid.count, "sizes differ")
        let result = ScenarioMatrix(rowCount: bookCount, scenarioCount: grid.count)
        for (row, part) in parts.enumerated() {
            for (number, scenario) in grid.scenarios.enumerated() {
                var profit = profits[row, number]
                if let years = part.years {
                    if let haircut = grid.haircut {
                        let left = max(0, years - scenario.days / 365)
                        profit =
                            haircut.marked(part.value + profit, years: left, rate: part.rate) - part.value
                    }
                    if scenario.expiryLoss == .absolute { profit = -profit.magnitude }
                }
                result[part.book, number] += profit * scenario.dampening
            }
        }
        return result
    }
}
