extension HedgeProblem {
    /// Whether two hard bands keep one sum, or multiples of it, in ranges that lie apart: a contradiction that needs no solver,
    /// and that rounding may hide from one where nothing limits the trades.
    func contradictsItself() -> Bool {
        var bandsOfMembers: [[Int]: [Int]] = [:]
        for r in bands.indices where bands[r].isHard && !bands[r].entries.isEmpty {
            let members = bands[r].entries.map { entries[$0].instrument }
            for other in bandsOfMembers[members] ?? [] where areApart(other, r) { return true }
            bandsOfMembers[members, default: []].append(r)
        }
        return false
    }

    /// Whether the second of two bands on the same instruments limits an exact multiple of the first one's sum, to a range that
    /// is further from the first one's than rounding.
    private func areApart(_ first: Int, _ second: Int) -> Bool {
        let (one, other) = (bands[first], bands[second])
        let own = entries[one.entries.lowerBound].coefficient
        let multiple = entries[other.entries.lowerBound].coefficient
        guard own != 0, multiple != 0 else { return false }
        for (k, l) in zip(one.entries, other.entries) {
            // Products of two doubles are exact.
            let product = DoubleDouble(entries[k].coefficient) * DoubleDouble(multiple)
            guard DoubleDouble(entries[l].coefficient) * DoubleDouble(own) == product else { return false }
        }
        let ratio = multiple / own
        let edges = [(other.low - other.current) / ratio, (other.high - other.current) / ratio]
        let low = max(one.low - one.current, edges.min() ?? -.infinity)
        let high = min(one.high - one.current, edges.max() ?? .infinity)
        let sizes =
            [one.low, one.high, one.current] + [other.low, other.high, other.current].map { $0 / ratio }
        let size = sizes.filter(\.isFinite).map(\.magnitude).max() ?? 0
        return low - high > 1e-8 * size
    }
}
