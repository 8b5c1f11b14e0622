import Hedging
import Testing

/// A certificate judges trades and multipliers from anywhere: by hand, in doubles and in twice their digits.
struct HedgeCertificateTests {
    /// One future, 2 bought or 3 sold at impact ¼, against one band.
    static func problem(_ band: HedgeBand = HedgeBand(hard: -1, 1, current: 5)) -> HedgeProblem {
        var problem = HedgeProblem(underlyings: ["X"], marginLimit: 20, cashBudget: -10)
        problem.add(
            "future",
            HedgeInstrument(
                costBuy: 2, costSell: 3, impact: 0.25, fixedCost: 7, maximumBuy: 10, maximumSell: 10,
                margin: 4,
                cash: 6))
        problem.add("delta", band, coefficients: [0: 1])
        return problem
    }

    /// Both ways to the same figures.
    static func certify(
        _ problem: HedgeProblem, _ trades: [Double], band: [Double], margin: Double = 0, cash: Double = 0,
        tangent: [Double]? = nil
    ) -> (HedgeCertificate, HedgeCost) {
        func found(isExact: Bool) -> (HedgeCertificate, HedgeCost) {
            problem.certificate(
                trades: trades, bandPrices: band, marginPrice: margin, cashPrice: cash, isExact: isExact,
                tangent: tangent)
        }
        let exact = found(isExact: true)
        guard tangent == nil else { return exact }
        let plain = found(isExact: false)
        #expect((plain.0.gap - exact.0.gap).magnitude <= 1e-12 || plain.0.gap == exact.0.gap)
        #expect((plain.0.stationarity - exact.0.stationarity).magnitude <= 1e-12)
        #expect(plain.0.violation == exact.0.violation)
        #expect((plain.1.total - exact.1.total).magnitude <= 1e-12)
        return plain
    }

    @Test(
        "The gap is cost less the multipliers' bound; the slopes' error is relative to the slopes",
        arguments: [
            // 3·4 + ¼·16 = 16. At −5: −5 (1 − 5) less the best sale at a slope of 3 − 5, −4.
            (-4, -5, 0, 0),
            // 16 less 16 − 1; at the margin a unit more sold costs 3 + 2 and earns 4.
            (-4, -4, 1 / 16.0, 1 / 11.0),
            // 16 less 22 − 6¼.
            (-4, -5.5, 1 / 64.0, 0.5 / 12.5),
            // Of the wrong sign it pays for buying: −30 − 9, but nothing costs less than nothing.
            (-4, 5, 1, 10 / 12.0),
            // 3·2 + ¼·4 = 7 costs less than the bound, 16.
            (-2, -5, 0, 1 / 11.0),
            // At its limits a trade has a slope on one side only.
            (-10, -5, 39 / 55.0, 3 / 15.0),
            (-10, -9, 54 / 55.0, 0),
            (10, -5, 29 / 45.0, 12 / 15.0),
            (10, 8, 1, 0),
            (0, -5, 0, 2 / 10.0),
            (0, 4, 0, 2 / 9.0),
        ] as [(Double, Double, Double, Double)])
    func gap(_ trade: Double, _ price: Double, _ gap: Double, _ stationarity: Double) {
        var problem = Self.problem()
        (problem.marginLimit, problem.cashBudget) = (.infinity, .infinity)
        let (certificate, cost) = Self.certify(problem, [trade], band: [price])
        #expect((certificate.gap - gap).magnitude <= 1e-14, "\(certificate)")
        #expect((certificate.stationarity - stationarity).magnitude <= 1e-14, "\(certificate)")
        #expect(cost == problem.cost(trades: [trade]))
        #expect(cost.fixed == (trade == 0 ? 0 : 7))
    }

    @Test("Multipliers of margin and cash pay per unit on both sides, and count only where they cost")
    func limits() {
        // Paid per unit: −6 by the band, 4 · −½ by margin, (6 + 2) · −¼ bought and (3 − 6) · −¼ sold by cash.
        // Sold at 3 − 6 + 2 − ¾: 3½ of them, −3 1/16. −6 (1 − 5) − ½·20 + ¼·10 = 16½.
        let (certificate, _) = Self.certify(Self.problem(), [-4], band: [-6], margin: -0.5, cash: -0.25)
        #expect((certificate.gap - (16 - 16.5 + 3.0625) / 16).magnitude <= 1e-14)
        // A unit more sold costs 3 + 2 + 2 − ¾, which is ¼ above 6; of slopes of 2 + 3 + 2 + 6 + |−2 − 1½|.
        #expect((certificate.stationarity - 0.25 / 16.5).magnitude <= 1e-14)
        // Above 0 they would pay for using more: as if they were 0.
        let (without, _) = Self.certify(Self.problem(), [-4], band: [-5])
        for (margin, cash) in [(0.5, 0.0), (0, 0.5), (3, 3)] {
            #expect(Self.certify(Self.problem(), [-4], band: [-5], margin: margin, cash: cash).0 == without)
        }
        // Bought: 2 + 4½ + 4 less (2 + 2·¼·3 + 2 + 2): of 10 units bought 9 pay, all that costs 8¼.
        var buys = Self.problem(HedgeBand(hard: 3, 7, current: 0))
        buys.cashBudget = 30
        let (bought, _) = Self.certify(buys, [3], band: [7.5], margin: -0.5, cash: -0.25)
        // 7½·3 − ½·20 − ¼·30 = 5; bought at 2 − 7½ + 2 + 2: 3 of them, −2¼.
        #expect((bought.gap - (8.25 - 2.75) / 8.25).magnitude <= 1e-14 && bought.stationarity == 0)
    }

    @Test("Violations are relative to the width, the limit, or a thousandth of the terms")
    func violations() {
        func violation(_ trade: Double, _ change: (inout HedgeProblem) -> Void = { _ in }) -> Double {
            var problem = Self.problem()
            (problem.marginLimit, problem.cashBudget) = (.infinity, .infinity)
            change(&problem)
            let found = Self.certify(problem, [trade], band: [-5]).0.violation
            #expect(found == problem.violation(trades: [trade]))
            return found
        }
        #expect(violation(-4) == 0 && violation(-6) == 0)
        #expect(violation(-3) == 0.5 && violation(-7) == 0.5)
        #expect(violation(-10) == 2)
        #expect(violation(10.5) == .infinity && violation(-10.5) == .infinity)
        // Without a width: 1 of a thousandth of 5 + 3.
        #expect(violation(-3) { $0.bands[0].low = 1 } == 1 / (1e-3 * 8))
        #expect(violation(-3) { $0.bands[0].low = -.infinity } == 1 / (1e-3 * 8))
        #expect(violation(-7) { $0.bands[0].high = .infinity } == 1 / (1e-3 * 12))
        // Margin of 16 where 12 are allowed; cash of 4 · (3 − 6) where 20 are to come in.
        #expect(violation(-4) { $0.marginLimit = 16 } == 0)
        #expect(violation(-4) { $0.marginLimit = 12 } == 4 / 12.0)
        #expect(violation(-4) { $0.marginLimit = 0 } == 16 / (1e-3 * 16))
        #expect(violation(-4) { $0.cashBudget = -12 } == 0)
        #expect(violation(-4) { $0.cashBudget = -20 } == 8 / 20.0)
        // Bought: 4 · (6 + 2) where nothing may be spent, of 24 and 8.
        #expect(
            violation(4) {
                $0.cashBudget = 0
                $0.bands[0].current = -3
            } == 32 / (1e-3 * 32))
    }

    @Test("Soft bands cost what lies outside, and bound it by multipliers that their penalty allows")
    func softBands() {
        // At −3 one unit is outside: 4 + 2/2. 3·3 + ¼·9 + 5 = 16¼. At −5: 20 less (5 − 4)²/(2·2), less 4.
        var problem = Self.problem(HedgeBand(soft: -1, 1, current: 5, penalty: 4, penaltyQuadratic: 2))
        (problem.marginLimit, problem.cashBudget) = (.infinity, .infinity)
        var (certificate, cost) = Self.certify(problem, [-3], band: [-5])
        #expect(cost.penalty == 5 && cost.total == 16.25 + 7)
        #expect((certificate.gap - (16.25 - 15.75) / 16.25).magnitude <= 1e-14 && certificate.violation == 0)
        // Below the penalty the square has no part: 12 less 0.
        (certificate, _) = Self.certify(problem, [-3], band: [-3])
        #expect((certificate.gap - 4.25 / 16.25).magnitude <= 1e-14)
        // On the other side the same: at 7 above, 3 below the lower limit.
        problem.bands[0].current = -5
        (certificate, cost) = Self.certify(problem, [3], band: [5])
        // 2·3 + ¼·9 + 5 = 13¼; 5·4 − ¼ less the best purchase at 2 − 5: 6 of them, −9.
        #expect(cost.penalty == 5)
        #expect((certificate.gap - (13.25 - 10.75) / 13.25).magnitude <= 1e-14)
        // Without a square no more than the penalty is paid, on either side.
        problem.bands[0].penaltyQuadratic = 0
        (certificate, _) = Self.certify(problem, [3], band: [5])
        let (clamped, _) = Self.certify(problem, [3], band: [4])
        #expect(certificate == clamped)
        // 4·4 less 2·4: 12 1/4 − 12.
        #expect((certificate.gap - (12.25 - 12) / 12.25).magnitude <= 1e-14)
        problem.bands[0].current = 5
        #expect(
            Self.certify(problem, [-3], band: [-5]).0 == Self.certify(problem, [-3], band: [-4]).0)
        // Where there is no limit no multiplier pays.
        problem.bands[0].high = .infinity
        #expect(
            Self.certify(problem, [-3], band: [-4]).0 == Self.certify(problem, [-3], band: [0]).0)
        problem.bands[0].low = -.infinity
        #expect(Self.certify(problem, [-3], band: [4]).0 == Self.certify(problem, [-3], band: [0]).0)
    }

    @Test("Risk is bounded by its tangent, at the trades or where it is said to touch")
    func risk() {
        var problem = HedgeProblem(underlyings: ["X", "Y"])
        problem.add(
            "x", HedgeInstrument(underlying: 0, costBuy: 2, costSell: 3, maximumBuy: 10, maximumSell: 10))
        problem.add(
            "y", HedgeInstrument(underlying: 1, costBuy: 1, costSell: 1, maximumBuy: 10, maximumSell: 10))
        problem.risk = HedgeRisk(
            riskAversion: 0.25, covariance: [2, 1, 1, 4], dollarDelta: [8, -2], exposure: [1, 2])
        // d = (8 − 4, −2 + 2·1) = (4, 0): ¼ · 2·16 = 8; slopes 2·¼·(2·4, 1·4) = (4, 2), touching at (4, 0).
        // The bound of the risk is 4 (8 − 2) + 2 (−2 − 0) = 20; a unit of x pays −4, one of y −4.
        // Selling x at 3 − 4, of which 21 buys 7: −7; selling y at 1 − 4: −30. Costs are 12 + 1 + 8 = 21.
        let (certificate, cost) = Self.certify(problem, [-4, 1], band: [])
        #expect(cost.risk == 8 && cost.linear == 13)
        #expect((certificate.gap - 1).magnitude <= 1e-14, "\(certificate)")
        // Limits of 5: x −5, y −15: 20 − 20 = 0 of 21.
        for i in 0..<2 { problem.instruments[i].maximumSell = 5 }
        #expect((Self.certify(problem, [-4, 1], band: []).0.gap - 1).magnitude <= 1e-14)
        for i in 0..<2 { problem.instruments[i].maximumSell = 4 }
        // x −4, y −12.
        #expect((Self.certify(problem, [-4, 1], band: []).0.gap - 17 / 21.0).magnitude <= 1e-14)
        // Touching at (6, −2): slopes ½ (2·6 − 2, 6 − 8) = (5, −1): 5 (8 − 3) − 1 (−2 + 1) = 26; x pays −5, y 2:
        // sold at 3 − 5: −8, bought at 1 − 2: −10.
        let (elsewhere, _) = Self.certify(problem, [-4, 1], band: [], tangent: [6, -2])
        #expect((elsewhere.gap - (21 - 8) / 21.0).magnitude <= 1e-14, "\(elsewhere)")
    }

    @Test("Where nothing limits trades, cheaper ones are bounded by what they cost themselves")
    func withoutLimits() {
        var problem = Self.problem()
        (problem.marginLimit, problem.cashBudget) = (.infinity, .infinity)
        problem.instruments[0].impact = 0
        // Four sold cost 12: at −3.5 one more earns ½, and no more than 12/3 of them cost 12. −3½·(−4) − ½·4 = 12.
        #expect(Self.certify(problem, [-4], band: [-3.5]).0.gap <= 1e-9)
        // At −4: 16 − 1·4; at −2: 8.
        #expect(Self.certify(problem, [-4], band: [-4]).0.gap <= 1e-8)
        #expect((Self.certify(problem, [-4], band: [-2]).0.gap - 4 / 12.0).magnitude <= 1e-14)
        // What earns may be traded besides: two that earn 1 each are paid for by them.
        problem.add("earns", HedgeInstrument(costBuy: -1, costSell: 1, maximumBuy: 2, maximumSell: 2))
        // 12 − 2 = 10; −3·(−4) and the earnings.
        #expect(Self.certify(problem, [-4, 2], band: [-3]).0.gap <= 1e-14)
        // Not bought they are missing: 12 − 10 of 12.
        #expect((Self.certify(problem, [-4, 0], band: [-3]).0.gap - 2 / 12.0).magnitude <= 1e-14)
    }
}
