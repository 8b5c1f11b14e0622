import Risk

/// A hedge problem with a requirement: the problem's own instruments and bands; one more instrument, the requirement; where
/// the limit cannot take costs from the cash budget, another, the cost; and bands that are planes below both.
final class RequirementLayout {
    /// How a plane came in.
    struct Slot {
        var plane: RequirementPlane
        var isUsed = false
        /// Problems since it last held the trades.
        var idle = 0
    }

    let count, bandCount: Int
    private(set) var problem: HedgeProblem
    let point: RequirementPoint
    private(set) var requiredBefore = 0.0
    /// Whether the cash budget is the limit: what trades cost counts in it as it is.
    let ownsCash: Bool
    /// What the cost's instrument counts: nothing, what bends, or all.
    enum CostPart { case none, bent, all }
    let costPart: CostPart
    private let hasLimit: Bool
    private let requirementPlace: Int
    private var slots: [Slot]
    private let firstSlot: Int
    private var costPoints: [[Double]] = []
    private var costIdle: [Int] = []
    private let firstCostSlot: Int
    private let limitBand: Int
    private var slopes: [Double]
    private var costPlanes: (used: Int, capacity: Int)
    /// Of the payments that fixed costs are: what the limit keeps back for them.
    private var reserve = 0.0
    /// Whether the limit keeps back what other trades may not pay: then more is asked of them than there is to ask, and
    /// that problem proves nothing of this one.
    var keepsBack: Bool { reserve > 0 }
    private var reach: Double
    private var scratch: RequirementPlane
    private let curveCount: Int

    static let slotCount = 24
    private static let costSlotCount = 24

    init(
        _ original: HedgeProblem, _ requirement: ConvexRequirement, _ terms: RequirementTerms,
        planes: [RequirementPlane], costPoints known: [[Double]] = []
    ) {
        count = original.instruments.count
        bandCount = original.bands.count
        curveCount = original.curves.count
        let hasLimit = terms.balanceAtLeast > -.infinity
        let costPart = Self.costPart(original, terms)
        ownsCash = hasLimit && costPart != .all
        (self.hasLimit, self.costPart) = (hasLimit, costPart)
        point = RequirementPoint(requirement)
        scratch = point.plane
        slopes = Array(repeating: 0, count: count)
        requirementPlace = count
        let zero = Array(repeating: 0.0, count: count)
        requiredBefore = point.evaluate(requirement, at: zero)
        reach = 4 * (requiredBefore.magnitude + requirement.funds.magnitude) + 1e-300
        let capacity = max(Self.slotCount, 2 * planes.count)
        let costCapacity = costPart == .none ? 0 : max(Self.costSlotCount, 2 * known.count)
        firstSlot = bandCount
        firstCostSlot = bandCount + capacity
        limitBand = bandCount + capacity + costCapacity
        var problem = original
        var free = HedgeInstrument(costBuy: 0, costSell: 0, maximumBuy: .infinity, maximumSell: 0)
        free.underlying = original.instruments[0].underlying
        problem.add("requirement", free)
        if costPart != .none { problem.add("cost", free) }
        if let risk = original.risk {
            problem.risk?.exposure = risk.exposure + (count..<problem.instruments.count).map { _ in 0 }
        }
        // All coefficients of a plane stand in it, so that a plane can take another's place.
        func add(_ name: String, _ extra: [Int]) {
            problem.add(
                name, HedgeBand(hard: -.infinity, .infinity, current: 0),
                coefficients: (Array(original.instruments.indices) + extra).map {
                    (instrument: $0, coefficient: 0.0)
                })
        }
        let last = original.instruments.count
        for k in 0..<capacity { add("plane \(k + 1)", [last]) }
        for k in 0..<costCapacity { add("cost plane \(k + 1)", [last + 1]) }
        if hasLimit, !ownsCash { add("limit", [last, last + 1]) }
        self.problem = problem
        slots = (0..<capacity).map { [point] _ in Slot(plane: point.plane) }
        slots[0].isUsed = true
        for (k, plane) in planes.enumerated() { slots[k + 1] = Slot(plane: plane, isUsed: true) }
        costPoints = (0..<costCapacity).map { $0 < known.count ? known[$0] : zero }
        costIdle = Array(repeating: 0, count: costCapacity)
        costPlanes = (costPart == .none ? 0 : max(known.count, 1), costCapacity)
        load(original, requirement, terms)
    }

    private static func costPart(_ problem: HedgeProblem, _ terms: RequirementTerms) -> CostPart {
        guard terms.balanceAtLeast > -.infinity else { return .none }
        if problem.cashBudget < .infinity { return .all }
        guard problem.curves.isEmpty, !problem.budgetCountsAllCosts else { return .none }
        for instrument in problem.instruments where instrument.impact > 0 { return .bent }
        return .none
    }

    /// Whether a problem has this layout.
    func fits(
        _ original: HedgeProblem, _ requirement: ConvexRequirement, _ terms: RequirementTerms
    ) -> Bool {
        guard original.instruments.count == count, original.bands.count == bandCount,
            original.curves.count == curveCount,
            (original.risk == nil) == (problem.risk == nil), point.fits(requirement),
            hasLimit == (terms.balanceAtLeast > -.infinity), costPart == Self.costPart(original, terms)
        else { return false }
        for r in 0..<bandCount {
            guard original.bands[r].entries == problem.bands[r].entries else { return false }
            for k in original.bands[r].entries
            where original.entries[k].instrument != problem.entries[k].instrument { return false }
        }
        for i in 0..<count where original.instruments[i].underlying != problem.instruments[i].underlying {
            return false
        }
        return true
    }

    /// Planes for a problem of another layout, where they are planes of its requirement.
    func planes(for requirement: ConvexRequirement) -> [RequirementPlane] {
        point.fits(requirement) ? slots.filter(\.isUsed).map(\.plane) : []
    }

    // MARK: Numbers

    /// Takes the numbers of a problem of this layout. Nothing allocates.
    func load(_ original: HedgeProblem, _ requirement: ConvexRequirement, _ terms: RequirementTerms) {
        for i in 0..<count {
            problem.instruments[i] = original.instruments[i]
            slopes[i] = 0
        }
        for r in 0..<bandCount {
            problem.bands[r] = original.bands[r]
            for k in original.bands[r].entries { problem.entries[k] = original.entries[k] }
        }
        if let risk = original.risk {
            problem.risk?.riskAversion = risk.riskAversion
            for k in risk.covariance.indices { problem.risk?.covariance[k] = risk.covariance[k] }
            for k in risk.dollarDelta.indices { problem.risk?.dollarDelta[k] = risk.dollarDelta[k] }
            for k in risk.exposure.indices { problem.risk?.exposure[k] = risk.exposure[k] }
        }
        for k in original.curves.indices { problem.curves[k] = original.curves[k] }
        problem.budgetCountsAllCosts = original.budgetCountsAllCosts
        problem.marginLimit = original.marginLimit
        reserve = 0
        requiredBefore = point.evaluate(requirement, at: slopes)
        problem.instruments[requirementPlace].costBuy = terms.price
        problem.instruments[requirementPlace].costSell = -terms.price
        problem.instruments[requirementPlace].maximumSell = reach
        if costPart != .none { problem.instruments[count + 1].maximumSell = reach }
        if ownsCash {
            for i in 0..<count { problem.instruments[i].cash = -requirement.fundsSlopes[i] }
            problem.instruments[requirementPlace].cash = 1 - terms.price
            if costPart != .none { problem.instruments[count + 1].cash = 1 }
        } else {
            problem.cashBudget = original.cashBudget
        }
        for slot in slots.indices { write(slot, requirement) }
        for slot in 0..<costPlanes.capacity { writeCost(slot, original) }
        setLimit(requirement, terms)
    }

    private func setLimit(_ requirement: ConvexRequirement, _ terms: RequirementTerms) {
        guard hasLimit else { return }
        let room = requirement.funds - terms.balanceAtLeast - reserve
        guard !ownsCash else {
            problem.cashBudget = room
            return
        }
        let entries = problem.bands[limitBand].entries
        for i in 0..<count {
            problem.entries[entries.lowerBound + i].coefficient = -requirement.fundsSlopes[i]
        }
        problem.entries[entries.lowerBound + count].coefficient = 1
        problem.entries[entries.lowerBound + count + 1].coefficient = 1
        problem.bands[limitBand].high = room
    }

    /// A plane as a band: the requirement is at least what it says. Of one that is not used the coefficients are the first's,
    /// so that its row has a scale when another takes its place.
    private func write(_ slot: Int, _ requirement: ConvexRequirement) {
        let isUsed = slots[slot].isUsed
        let constant = requirement.slopes(of: slots[isUsed ? slot : 0].plane, into: &slopes)
        let band = firstSlot + slot
        let first = problem.bands[band].entries.lowerBound
        for i in 0..<count { problem.entries[first + i].coefficient = -slopes[i] }
        problem.entries[first + count].coefficient = 1
        problem.bands[band].current = -constant
        problem.bands[band].low = isUsed ? 0 : -.infinity
    }

    private func writeCost(_ slot: Int, _ original: HedgeProblem) {
        let isUsed = slot < costPlanes.used
        let trades = costPoints[isUsed ? slot : 0]
        let band = firstCostSlot + slot
        let first = problem.bands[band].entries.lowerBound
        var constant = 0.0
        for i in 0..<count {
            let x = trades[i]
            var (cost, slope) = original.bentCostAndSlope(i, x)
            if costPart == .all, x != 0 {
                let own = x > 0 ? original.instruments[i].costBuy : -original.instruments[i].costSell
                cost += own * x
                slope += own
            }
            constant += cost - slope * x
            problem.entries[first + i].coefficient = -slope
        }
        problem.entries[first + count].coefficient = 1
        problem.bands[band].current = -constant
        problem.bands[band].low = isUsed ? 0 : -.infinity
    }

    func setWhole(_ isWhole: Bool, _ original: HedgeProblem) {
        for i in 0..<count {
            problem.instruments[i].lot = isWhole ? original.instruments[i].lot : 0
            problem.instruments[i].minimum = isWhole ? original.instruments[i].minimum : 0
            problem.instruments[i].fixedCost = isWhole ? original.instruments[i].fixedCost : 0
        }
    }

    // MARK: Planes

    enum Tightening {
        case holds, stuck
        /// A limit of the problem.
        case moved
        case added(Int)
        /// Every place holds the trades: more are needed.
        case full
    }

    /// Looks at trades with the requirement itself, and adds the planes that they leave.
    func tighten(
        _ found: HedgeSolution, _ answer: RequirementAnswer, _ original: HedgeProblem,
        _ requirement: ConvexRequirement, _ terms: RequirementTerms
    ) -> Tightening {
        for slot in slots.indices where slots[slot].isUsed {
            slots[slot].idle = found.bandPrices[firstSlot + slot] > 0 ? 0 : slots[slot].idle + 1
        }
        for slot in 0..<costPlanes.used {
            costIdle[slot] = found.bandPrices[firstCostSlot + slot] > 0 ? 0 : costIdle[slot] + 1
        }
        let scale = answer.required.magnitude + answer.balance.magnitude + answer.requiredBefore.magnitude
        let tolerance = Self.tolerance * scale
        let stated = found.trades[requirementPlace]
        let isBroken = hasLimit && answer.balance < terms.balanceAtLeast - tolerance
        let isTooCheap = terms.price > 0 && answer.required > stated + tolerance
        guard isBroken || isTooCheap else {
            guard terms.price > 0 || stated < 0, stated <= -reach * (1 - 1e-6) else { return .holds }
            reach *= 16
            problem.instruments[requirementPlace].maximumSell = reach
            return .moved
        }
        var added = 0
        let excess = answer.required - stated
        if excess > 0.25 * tolerance {
            guard let count = addPlanes(excess, requirement) else { return .full }
            added += count
        }
        if costPart != .none { added += addCostPlane(found, answer, original, tolerance) }
        if added == 0, isBroken, answer.hedge.cost.fixed > 0, reserve < answer.hedge.cost.fixed {
            // Fixed costs are paid too, and no plane knows of them: what these trades pay is kept back.
            reserve = answer.hedge.cost.fixed
            setLimit(requirement, terms)
            return .moved
        }
        return added > 0 ? .added(added) : .stuck
    }

    /// Of the size of the figures.
    private static let tolerance = 1e-10
    private static let mostPlanesAtOnce = 3

    /// Planes of the worst outcomes of what trades require: the largest, and others that would come next. Nil where there
    /// is no room.
    private func addPlanes(_ excess: Double, _ requirement: ConvexRequirement) -> Int? {
        guard let first = add(point.plane, requirement) else { return nil }
        var added = first ? 1 : 0
        for (worst, range) in requirement.ranges.enumerated() {
            let top = point.outcomeValues[Int(point.plane.outcomes[worst])]
            var last = top
            for _ in 1..<Self.mostPlanesAtOnce {
                var next: Int?
                for outcome in range where point.outcomeValues[outcome] < last {
                    if let known = next, point.outcomeValues[known] >= point.outcomeValues[outcome] {
                        continue
                    }
                    next = outcome
                }
                guard let next,
                    requirement.worstWeight(worst) * (top - point.outcomeValues[next]) < 0.9 * excess
                else { break }
                point.plane(with: next, of: worst, into: &scratch)
                if add(scratch, requirement) == true { added += 1 }
                last = point.outcomeValues[next]
            }
        }
        return added
    }

    /// Whether a plane is new; nil where there is no room for it.
    private func add(_ plane: RequirementPlane, _ requirement: ConvexRequirement) -> Bool? {
        for slot in slots.indices where slots[slot].isUsed && slots[slot].plane == plane { return false }
        var place = slots.firstIndex { !$0.isUsed }
        if place == nil {
            // What has not held the trades for long, if it does not now.
            var longest = 8
            for slot in slots.indices.dropFirst() where slots[slot].idle > longest {
                longest = slots[slot].idle
                place = slot
            }
        }
        guard let place else { return nil }
        copy(plane, to: place)
        write(place, requirement)
        return true
    }

    /// The same with twice as many places, and the plane of where `point` is.
    func grown(
        _ original: HedgeProblem, _ requirement: ConvexRequirement, _ terms: RequirementTerms
    ) -> RequirementLayout {
        RequirementLayout(
            original, requirement, terms, planes: slots.filter(\.isUsed).map(\.plane) + [point.plane],
            costPoints: Array(costPoints.prefix(costPlanes.used)))
    }

    private func copy(_ plane: RequirementPlane, to slot: Int) {
        slots[slot].plane.copy(plane)
        slots[slot].isUsed = true
        slots[slot].idle = 0
    }

    private func addCostPlane(
        _ found: HedgeSolution, _ answer: RequirementAnswer, _ original: HedgeProblem, _ tolerance: Double
    ) -> Int {
        let cost = answer.hedge.cost
        let all = cost.impact + (costPart == .all ? cost.linear + cost.levels : 0)
        guard all > found.trades[count + 1] + 0.25 * tolerance else { return 0 }
        var place = costPlanes.used
        if place < costPlanes.capacity {
            costPlanes.used += 1
        } else {
            place = costIdle.indices.max { costIdle[$0] < costIdle[$1] } ?? 0
        }
        for i in 0..<count { costPoints[place][i] = answer.hedge.trades[i] }
        costIdle[place] = 0
        writeCost(place, original)
        return 1
    }

    // MARK: Prices

    func limitPrice(_ found: HedgeSolution) -> Double {
        guard hasLimit else { return 0 }
        return ownsCash ? -found.cashPrice : -found.bandPrices[limitBand]
    }

    func addOutcomePrices(
        _ found: HedgeSolution, _ requirement: ConvexRequirement, _ prices: inout [Double]
    ) {
        for slot in slots.indices where slots[slot].isUsed {
            let price = found.bandPrices[firstSlot + slot]
            guard price > 0 else { continue }
            for (worst, outcome) in slots[slot].plane.outcomes.enumerated() {
                prices[Int(outcome)] += price * requirement.worstWeight(worst)
            }
        }
    }
}

extension HedgeProblem {
    /// What a trade costs beside what is proportional to it or fixed, and its slope there; of no trade, nothing.
    func bentCostAndSlope(_ i: Int, _ x: Double) -> (cost: Double, slope: Double) {
        let impact = instruments[i].impact
        var (cost, slope) = (impact * x * x, 2 * impact * x)
        guard x != 0, i < curves.count, !curves[i].isNone else { return (cost, slope) }
        let side: TradeSide = x > 0 ? .buy : .sell
        guard let levels = levels(i, side) else { return (cost, slope) }
        cost += levelCost(i, x)
        var (start, price) = (0.0, 0.0)
        for level in levels where start < x.magnitude {
            let part = min(level.upTo, x.magnitude) - start
            guard part > 0 else { continue }
            price = level.price + 2 * level.quadratic * part
            start = level.upTo
        }
        slope += x > 0 ? price : -price
        return (cost, slope)
    }
}
