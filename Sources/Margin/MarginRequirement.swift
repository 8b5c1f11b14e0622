/// What a venue asks of an account, and of what it is made up. All in the account's currency; what is required and what is
/// lost is positive.
public struct MarginRequirement: Sendable {
    /// A term of the requirement. Those of a margin add up to it.
    public struct Part: Sendable, Equatable {
        public var name: String
        public var maintenance, initial: Double

        init(_ name: String, maintenance: Double, initial: Double) {
            self.name = name
            self.maintenance = maintenance
            self.initial = initial
        }
    }

    /// What a contract or an expiry adds to the parts that are computed from positions; below 0 where it relieves. Those
    /// of one kind add up to `attributed`.
    public struct Contribution: Sendable, Equatable {
        public var underlying: String
        /// Empty where there is none.
        public var expiry: String
        /// Empty for an expiry as a whole.
        public var contract: String
        public var quantity: Double
        public var maintenance, initial: Double
    }

    /// A scenario and what is lost in it.
    public struct Loss: Sendable, Equatable {
        /// As in `scenario_losses` of case files.
        public var key: String
        public var title: String
        public var loss: Double
        /// What the scenario is, where it is one of a grid: whose price moves, by which share or part of the scan range, and
        /// what else does (`vol up`).
        public var underlying = ""
        public var move: Double?
        public var besides = ""
        /// Whether its profits count in part: dampened, extended, extreme.
        public var countsInPart = false

        init(key: String, title: String, loss: Double) {
            self.key = key
            self.title = title
            self.loss = loss
        }
    }

    /// Figures of a grid of moves before aggregation, as a venue's own reply has them.
    public struct Vectors: Sendable, Equatable {
        public var name: String
        public var standard, extended: [Double]
    }

    public var initialMargin, maintenanceMargin: Double
    /// The account's worth now, cash included.
    public var markToMarket: Double
    /// What is left once the requirement is met: below 0 is a call.
    public var initialBalance, maintenanceBalance: Double
    public var parts: [Part] = []
    public var losses: [Loss] = []
    /// Place in `losses` of the scenario that decides; nil for rules without scenarios, and where nothing is lost.
    public var worst: Int?
    public var byExpiry: [Contribution] = []
    public var byContract: [Contribution] = []
    /// Further figures under the names that the venue has for them.
    public var figures: [(name: String, value: Double)] = []
    public var vectors: [Vectors] = []
    public var contractVectors: [Vectors] = []

    init(initial: Double, maintenance: Double, markToMarket: Double) {
        initialMargin = initial
        maintenanceMargin = maintenance
        self.markToMarket = markToMarket
        initialBalance = markToMarket - initial
        maintenanceBalance = markToMarket - maintenance
    }
}
