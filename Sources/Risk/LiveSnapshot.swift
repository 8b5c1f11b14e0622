import Market

/// What a desk showed at one moment: a value, for other threads to read while the desk goes on.
public struct LiveSnapshot: Sendable {
    public let numeraire: Numeraire
    public let groupings: [Grouping]
    /// One label per grouping for each group.
    public let groups: [[String]]
    /// One row per group, as of the last `update`.
    public let exposures: Exposures
    /// Also those that are listed no more.
    public let contracts: [Instrument]
    public let isListed: [Bool]
    public let slices: [LiveRisk.Slice]
    /// By slice: the price in quote currency, the interest rate per year, the time at which it is valued.
    public let prices: [Double]
    public let rates: [Double]
    public let times: [Timestamp]
    public let cash: BookCash
    private let figures: UnitExposures
    private let rows: [Int]

    init(_ risk: LiveRisk, figures: UnitExposures, rows: [Int]) {
        numeraire = risk.numeraire
        groupings = risk.plan.groupings
        groups = risk.plan.groups
        exposures = Exposures(risk.exposures, grownTo: risk.exposures.count)
        contracts = risk.contracts
        isListed = risk.contracts.indices.map { risk.isListed($0) }
        slices = risk.slices
        prices = risk.slices.indices.map(risk.price(ofSlice:))
        rates = risk.slices.indices.map(risk.rate(ofSlice:))
        times = risk.slices.indices.map(risk.time(ofSlice:))
        cash = risk.cash
        self.figures = UnitExposures(figures, grownTo: figures.count)
        self.rows = rows
    }

    /// One figure of one contract per unit of quantity; 0 of one that is listed no more.
    public func figure(_ contract: Int, _ greek: ExposureGreek) -> Double {
        rows[contract] < 0 ? 0 : figures[rows[contract], greek]
    }
}
