import Hedging
import Testing

/// The numbers that a problem may hold: both edges of each, and what is said of those beyond.
struct HedgeProblemRangeTests {
    static let largest = 1e100

    static func problem() -> HedgeProblem {
        var problem = HedgeProblem(underlyings: ["X", "Y"], marginLimit: 1, cashBudget: 1)
        problem.add("a", HedgeInstrument(costBuy: 1, costSell: 1, maximumBuy: 1, maximumSell: 1))
        problem.add(
            "b", HedgeInstrument(underlying: 1, costBuy: 1, costSell: 1, maximumBuy: 1, maximumSell: 1))
        problem.add("hard", HedgeBand(hard: -1, 1, current: 0), coefficients: [0: 1, 1: 2])
        problem.add(
            "soft", HedgeBand(soft: -1, 1, current: 0, penalty: 1, penaltyQuadratic: 1), coefficients: [1: 1])
        problem.risk = HedgeRisk(
            riskAversion: 1, covariance: [1, 0, 0, 1], dollarDelta: [0, 0], exposure: [1, 1])
        return problem
    }

    static func message(_ change: (inout HedgeProblem) -> Void) -> String? {
        var problem = Self.problem()
        change(&problem)
        return message(of: { () throws(HedgeError) in try problem.validate() })
    }

    private static func message(of body: () throws(HedgeError) -> Void) -> String? {
        do throws(HedgeError) {
            try body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    static let finite = "must be from -1e+100 to 1e+100"
    static let notNegative = "must be from 0 to 1e+100"

    struct Row: Sendable, CustomTestStringConvertible {
        let field: String
        let set: @Sendable (inout HedgeProblem, Double) -> Void
        let accepted: [Double]
        let refused: [(values: [Double], reason: String)]
        var testDescription: String { field }

        init(
            _ field: String, accepts accepted: [Double], refuses refused: [([Double], String)],
            _ set: @escaping @Sendable (inout HedgeProblem, Double) -> Void
        ) {
            self.field = field
            self.set = set
            self.accepted = accepted
            self.refused = refused.map { (values: $0.0, reason: $0.1) }
        }

        /// Any number up to the largest, of both signs.
        static func anySign(_ field: String, _ set: @escaping @Sendable (inout HedgeProblem, Double) -> Void)
            -> Row
        {
            Row(
                field, accepts: [-largest, -1, 0, 1, largest],
                refuses: [([-.infinity, -largest.nextUp, largest.nextUp, .infinity, .nan], finite)], set)
        }

        /// Any number from 0 to the largest.
        static func notBelowZero(
            _ field: String, _ set: @escaping @Sendable (inout HedgeProblem, Double) -> Void
        )
            -> Row
        {
            Row(
                field, accepts: [0, 1, largest],
                refuses: [([-1e-300, -1, largest.nextUp, .infinity, .nan], notNegative)], set)
        }
    }

    static let rows: [Row] = [
        .notBelowZero("instruments[1].impact (b)") { $0.instruments[1].impact = $1 },
        .notBelowZero("instruments[1].fixed (b)") { $0.instruments[1].fixedCost = $1 },
        .notBelowZero("instruments[1].lot (b)") { $0.instruments[1].lot = $1 },
        .notBelowZero("instruments[1].minTrade (b)") { $0.instruments[1].minimum = $1 },
        .notBelowZero("instruments[1].margin (b)") { $0.instruments[1].margin = $1 },
        .anySign("instruments[1].cash (b)") { $0.instruments[1].cash = $1 },
        .anySign("instruments[1].costBuy (b)") {
            $0.instruments[1].costBuy = $1
            $0.instruments[1].costSell = largest
        },
        .anySign("instruments[1].costSell (b)") {
            $0.instruments[1].costSell = $1
            $0.instruments[1].costBuy = largest
        },
        Row(
            "instruments[1].costSell (b)", accepts: [-3, -2.5, 0],
            refuses: [
                (
                    [-4, (-3.0).nextDown],
                    "buying and selling again would earn money: must be at least -costBuy, -3.0"
                )
            ]
        ) {
            $0.instruments[1].costBuy = 3
            $0.instruments[1].costSell = $1
        },
        Row(
            "instruments[1].maxBuy (b)", accepts: [0, 1, largest, .infinity],
            refuses: [([-1e-300, largest.nextUp, -.infinity, .nan], notNegative)]
        ) { $0.instruments[1].maximumBuy = $1 },
        Row(
            "instruments[1].maxSell (b)", accepts: [0, 1, largest, .infinity],
            refuses: [([-1e-300, largest.nextUp, -.infinity, .nan], notNegative)]
        ) { $0.instruments[1].maximumSell = $1 },
        Row(
            "instruments[1].maxBuy (b)", accepts: [0, largest],
            refuses: [([.infinity], "must be finite where trading earns (cost -0.5)")]
        ) {
            $0.instruments[1].costBuy = -0.5
            $0.instruments[1].maximumBuy = $1
        },
        Row(
            "instruments[1].maxSell (b)", accepts: [0, largest],
            refuses: [([.infinity], "must be finite where trading earns (cost -0.5)")]
        ) {
            $0.instruments[1].costSell = -0.5
            $0.instruments[1].maximumSell = $1
        },
        // What costs nothing, or has an impact, earns no end of money.
        Row("instruments[1].maxBuy (b)", accepts: [.infinity], refuses: []) {
            $0.instruments[1].costBuy = 0
            $0.instruments[1].maximumBuy = $1
        },
        Row("instruments[1].maxBuy (b)", accepts: [.infinity], refuses: []) {
            $0.instruments[1].costBuy = -0.5
            $0.instruments[1].impact = 1e-9
            $0.instruments[1].maximumBuy = $1
        },
        Row(
            "instruments[1].u (b)", accepts: [0, 1], refuses: [([-1, 2], "is no underlying's index")]
        ) { $0.instruments[1].underlying = Int($1) },
        .anySign("bands[0].current (hard)") { $0.bands[0].current = $1 },
        .anySign("bands[1].current (soft)") { $0.bands[1].current = $1 },
        Row(
            "bands[0].lo (hard)", accepts: [-.infinity, -largest, 1],
            refuses: [([.infinity, .nan], "must be a number or -infinity")]
        ) { $0.bands[0].low = $1 },
        Row(
            "bands[0].hi (hard)", accepts: [-1, largest, .infinity], refuses: [([-1.5], "is below lo, -1.0")]
        ) { $0.bands[0].high = $1 },
        .notBelowZero("bands[1].penalty (soft)") { $0.bands[1].penalty = $1 },
        .notBelowZero("bands[1].penaltyQuad (soft)") { $0.bands[1].penaltyQuadratic = $1 },
        // A band that must hold has no penalty, whatever is written there.
        Row("bands[0].penalty (hard)", accepts: [-1, .nan], refuses: []) { $0.bands[0].penalty = $1 },
        .anySign("bands[0].coef[1] (hard)") { $0.entries[1].coefficient = $1 },
        .anySign("bands[1].coef[0] (soft)") { $0.entries[2].coefficient = $1 },
        Row("bands[1].idx[0] (soft)", accepts: [0, 1], refuses: [([-1, 2], "is no instrument's index")]) {
            $0.entries[2].instrument = Int($1)
        },
        Row(
            "marginLimit", accepts: [0, 1, largest, .infinity],
            refuses: [([-1e-300, -1, -.infinity, .nan], "must be at least 0")]
        ) { $0.marginLimit = $1 },
        Row(
            "budget", accepts: [(-largest).nextUp, 0, largest, .infinity],
            refuses: [([-largest, -.infinity, .nan], "must be above -1e+100")]
        ) { $0.cashBudget = $1 },
        .notBelowZero("risk.lam") { $0.risk?.riskAversion = $1 },
        .anySign("risk.d0[1] (Y)") { $0.risk?.dollarDelta[1] = $1 },
        .anySign("risk.exposure[1] (b)") { $0.risk?.exposure[1] = $1 },
        .anySign("risk.cov[1][1] (Y)") { $0.risk?.covariance[3] = $1 },
        .anySign("risk.cov[0][1] (X)") {
            $0.risk?.covariance[1] = $1
            $0.risk?.covariance[2] = $1
        },
    ]

    @Test(
        "A number is accepted up to its edges and refused by field, name, value and reason beyond",
        arguments: rows)
    func edges(_ row: Row) {
        for value in row.accepted {
            #expect(Self.message { row.set(&$0, value) } == nil, "\(value)")
        }
        for (values, reason) in row.refused {
            for value in values {
                let message = "\(row.field): value \(value): \(reason)"
                #expect(Self.message { row.set(&$0, value) } == message)
                // Whoever asks: a diagnosis takes apart what it has looked at first.
                var problem = Self.problem()
                row.set(&problem, value)
                let solved = Self.message(of: { () throws(HedgeError) in try HedgeSolver().solve(problem) })
                let diagnosed = Self.message(of: { () throws(HedgeError) in
                    _ = try HedgeSolver().diagnose(problem)
                })
                #expect(solved == message && diagnosed == message)
            }
        }
    }

    @Test("Arrays of other lengths than the problem's are named with both")
    func lengths() {
        for (message, change) in [
            ("instrumentNames: 1 values where 2 are needed", { $0.instrumentNames.removeLast() }),
            ("bandNames: 3 values where 2 are needed", { $0.bandNames.append("more") }),
            ("entries: 2 values where 3 are needed", { $0.entries.removeLast() }),
            ("risk.cov: 3 values where 4 are needed", { $0.risk?.covariance.removeLast() }),
            ("risk.d0: 1 values where 2 are needed", { $0.risk?.dollarDelta.removeLast() }),
            ("risk.exposure: 3 values where 2 are needed", { $0.risk?.exposure.append(1) }),
        ] as [(String, (inout HedgeProblem) -> Void)] {
            #expect(Self.message(change) == message)
        }
    }

    @Test("A covariance is symmetric to 1e-12 of its entries, and has no direction of negative variance")
    func covariance() throws {
        func message(_ covariance: [Double]) -> String? { Self.message { $0.risk?.covariance = covariance } }
        #expect(message([1, 0.5, 0.5 * (1 + 1.9e-12), 1]) == nil)
        #expect(
            message([1, 0.5, 0.5000000001, 1])
                == "risk.cov: [X, Y] is 0.5, [Y, X] is 0.5000000001: must be symmetric")
        for (covariance, least, most) in [
            ([1, 2, 2, 1], -1.0, 3.0), ([1, 2, 2, -2], -3, 2), ([-1, 0, 0, -1], -1, -1),
        ]
            as [([Double], Double, Double)]
        {
            var problem = Self.problem()
            problem.risk?.covariance = covariance
            let error = #expect(throws: HedgeError.self) { try HedgeSolver().solve(problem) }
            guard case .notPositiveSemidefinite(let smallest, let largest) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect((smallest - least).magnitude < 1e-14 && (largest - most).magnitude < 1e-14)
            #expect(
                try #require(error).description == """
                    risk.cov: smallest eigenvalue \(smallest) beside a largest of \(largest): a variance cannot be \
                    negative; add at least \(-smallest) to the diagonal
                    """)
        }
        // Of rank 1, and nothing at all.
        for covariance in [[4, 2, 2, 1], [0, 0, 0, 0]] as [[Double]] {
            var problem = Self.problem()
            problem.risk?.covariance = covariance
            #expect(try HedgeSolver().solve(problem) == .optimal)
        }
    }
}
