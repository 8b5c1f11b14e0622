import Greeks

/// What of a desk is stale, and what stale slices make stale.
///
/// Slices are known by their slots: a byte for eight of them, a bit for each. It is one struct rather than properties of the desk,
/// as each access to a property of a class is checked for another that writes it.
struct StaleSlices {
    /// By underlying: the eights of slots that it has, and whether one of their slices is stale.
    private var eightsOfUnderlyings: [[Int]] = []
    private var isUnderlyingStale: [Bool] = []
    /// By eight of slots, a bit for each.
    private var slots: [UInt8] = []
    /// By slot: the leads of the plan that its contracts have.
    private var leadsOfSlots: [[Int]] = []
    /// By lead of the plan.
    private var leads: [Bool] = []

    mutating func addUnderlying() {
        eightsOfUnderlyings.append([])
        isUnderlyingStale.append(false)
    }

    /// - Parameter first: the first of eight slots, which stand behind those that are known.
    mutating func add(eight first: Int, of underlying: Int) {
        eightsOfUnderlyings[underlying].append(first)
        slots.append(0)
        leadsOfSlots += Array(repeating: [], count: 8)
    }

    /// The first slots of an underlying's eights.
    func eights(of underlying: Int) -> [Int] { eightsOfUnderlyings[underlying] }

    mutating func add(lead: Int, of slot: SliceSlot) {
        if !leadsOfSlots[slot.index].contains(lead) { leadsOfSlots[slot.index].append(lead) }
    }

    /// Room for new leads, which are not stale.
    mutating func makeLeads(_ count: Int) {
        while leads.count < count { leads.append(false) }
    }

    mutating func mark(_ slot: SliceSlot, of underlying: Int) {
        slots[slot.index / 8] |= 1 << UInt8(slot.index % 8)
        isUnderlyingStale[underlying] = true
    }

    /// All slices of an underlying that have contracts are stale.
    mutating func markAll(of underlying: Int, _ market: borrowing SliceMarket) {
        for number in 0..<eightsOfUnderlyings[underlying].count {
            let first = eightsOfUnderlyings[underlying][number]
            slots[first / 8] |= market.listed(ofEight: first)
        }
        isUnderlyingStale[underlying] = true
    }

    /// Computes the exposures, per unit, of the contracts of stale slices. Then no slice is stale, and the leads of those are.
    /// - Returns: how many slices that were.
    mutating func update(
        _ market: borrowing SliceMarket, _ numeraire: Numeraire, into exposures: UnitExposures,
        _ engine: GreeksEngine
    ) -> Int {
        var count = 0
        // By index throughout: a loop over an array of an array counts its references.
        for underlying in 0..<isUnderlyingStale.count where isUnderlyingStale[underlying] {
            isUnderlyingStale[underlying] = false
            for number in 0..<eightsOfUnderlyings[underlying].count {
                let first = eightsOfUnderlyings[underlying][number]
                var stale = slots[first / 8]
                guard stale != 0 else { continue }
                slots[first / 8] = 0
                market.exposures(ofEight: first, stale, numeraire, into: exposures, engine)
                count += stale.nonzeroBitCount
                while stale != 0 {
                    let slot = first + stale.trailingZeroBitCount
                    stale &= stale &- 1
                    for lead in 0..<leadsOfSlots[slot].count { leads[leadsOfSlots[slot][lead]] = true }
                }
            }
        }
        return count
    }

    /// Sums the groups of stale leads, which are not so any more.
    mutating func sum(
        _ plan: borrowing LivePlan, _ exposures: UnitExposures, into sums: Exposures, _ engine: GreeksEngine
    ) {
        // All in one go where all have changed: groups of one underlying are not neighbours.
        let areAll = leads.allSatisfy { $0 }
        if areAll { plan.aggregate(exposures, groups: 0..<plan.groups.count, into: sums, engine) }
        for lead in 0..<leads.count where leads[lead] {
            leads[lead] = false
            guard !areAll else { continue }
            for place in 0..<plan.groupsOfLead[lead].count {
                plan.aggregate(exposures, groups: plan.groupsOfLead[lead][place], into: sums, engine)
            }
        }
    }
}
