import Hedging
import TestSupport

/// The random hedge problems with costs by level: up to twelve a side, some that bend, on one side or both, and cash
/// budgets that count all of it.
enum RandomCurves {
    static func problem(_ number: Int) -> HedgeProblem {
        var problem = RandomHedges.problem(number)
        var random = SeededGenerator(seed: 0xC0DE_0000 + UInt64(number))
        func uniform(_ low: Double, _ high: Double) -> Double {
            low + (high - low) * Double(random.next() >> 11) * 0x1p-53
        }
        func integer(_ low: Int, _ high: Int) -> Int { low + Int(random.next() % UInt64(high - low + 1)) }
        let isWhole = problem.instruments.contains { $0.lot > 0 || $0.fixedCost > 0 }
        // As in an order book, or as in a pool, or some of both.
        let bendingShare = isWhole || number % 3 == 0 ? 0 : number % 3 == 1 ? 0.5 : 1
        let mostLevels = isWhole ? 4 : 12
        problem.curves = problem.instruments.map { _ in .none }
        var largest = 0.0
        for i in problem.instruments.indices {
            guard uniform(0, 1) < 0.9 else { continue }
            if uniform(0, 1) < 0.7 { problem.instruments[i].impact = 0 }
            let unit = problem.instruments[i].costBuy.magnitude + problem.instruments[i].costSell.magnitude
            func levels(_ limit: Double) -> [CostCurve.Level] {
                var levels: [CostCurve.Level] = []
                let count = integer(1, mostLevels)
                var price = unit * uniform(0, 0.5)
                var end = 0.0
                for level in 0..<count {
                    let size = limit * uniform(0.2, 1.6) / Double(count)
                    let quadratic = uniform(0, 1) < bendingShare ? unit / limit * uniform(0, 1) : 0
                    let isLast = level == count - 1 && uniform(0, 1) < 0.1
                    levels.append(
                        CostCurve.Level(
                            upTo: isLast ? .infinity : end + size, price: price, quadratic: quadratic))
                    price += 2 * quadratic * size + (uniform(0, 1) < 0.2 ? 0 : unit * uniform(0, 0.6))
                    end += size
                }
                return levels
            }
            let (buys, sells) = (uniform(0, 1) < 0.95, uniform(0, 1) < 0.95)
            problem.curves[i] = CostCurve(
                buy: buys ? levels(problem.instruments[i].maximumBuy) : nil,
                sell: sells ? levels(problem.instruments[i].maximumSell) : nil)
            largest += unit * problem.instruments[i].maximumBuy
        }
        if problem.cashBudget < .infinity { problem.cashBudget += largest * uniform(0, 0.6) }
        return problem
    }

    /// One with hard bands whose limits are what the nearest answer of one without a solution reached, and from a billionth
    /// to a thousandth of a width more or less.
    /// - Returns: nil where chance makes none.
    static func edge(_ number: Int) throws(HedgeError) -> HedgeProblem? {
        var problem = problem(number)
        guard problem.bands.contains(where: \.isHard),
            !problem.instruments.contains(where: { $0.lot > 0 || $0.fixedCost > 0 })
        else { return nil }
        problem.name = "edge-\(number)"
        return try NastyHedges.edge(of: problem, seed: number)
    }
}
