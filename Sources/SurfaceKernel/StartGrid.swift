import VectorMath

/// Starts of a fit: a grid over m and σ, whose nodes are scored by what is left of the loss once the rest of the slice is
/// fitted there (variable projection), eight nodes at a time.
///
/// With m and σ fixed, total variance is linear in a and the wings' slopes: weighted least squares in three unknowns with
/// the slopes in [0, 2], solved exactly by looking at the inside and at each edge. With x = k − m and r = √(x² + σ²) the
/// slopes multiply (r − x)/2 and (r + x)/2, so that all moments but Σr, Σkr and Σyr, weighted, are known beforehand.
/// - Source: Zeliade, Quasi-explicit calibration of Gatheral's SVI model, 2009.
public struct StartGrid<A: SliceArithmetic> {
    @inlinable static var columns: Int { 8 }
    @inlinable static var rows: Int { 7 }
    /// σ by the range of the quotes' log-moneyness.
    @inlinable static var widths: InlineArray<7, Double> { [0.008, 0.03, 0.08, 0.2, 0.45, 1.1, 3.5] }

    /// The nodes that score no worse than their neighbours, best first.
    ///
    /// - Parameter isWide: and behind them the best of those that are no neighbours of a start: the score is one of mids,
    ///   and with bands or under conditions there are optima that mids know nothing of.
    @inlinable
    public static func starts(_ quotes: QuoteColumns, isWide: Bool = false) -> SliceStarts {
        let grid = StartGrid(quotes)
        var found = InlineArray<7, Projection>(repeating: Projection())
        for row in 0..<rows { found[row] = grid.projected(quotes, grid.nodes(row)) }
        var choice = Choice()
        for row in 0..<rows {
            let bits = lowest(row, found)
            for column in 0..<columns where bits & (1 << column) != 0 {
                choice.insert(row * columns + column, found[row].score[column], most: 4)
            }
        }
        if isWide { choice.widen(found) }
        var result = SliceStarts()
        result.count = choice.count
        for place in 0..<choice.count {
            let (row, lane) = (choice.nodes[place] / columns, choice.nodes[place] % columns)
            let node = grid.nodes(row)
            result.vectors[place] = SliceVector(
                found[row].a[lane], found[row].left[lane], found[row].right[lane], grid.centre + node.m[lane],
                logarithmOfRatio(A.self, node.sigma, Lanes(repeating: 1))[lane], 0, 0, 0)
        }
        return result
    }

    /// Nodes in the order of their scores.
    @usableFromInline
    struct Choice {
        @usableFromInline var nodes = InlineArray<8, Int>(repeating: -1)
        @usableFromInline var scores = InlineArray<8, Double>(repeating: .infinity)
        @usableFromInline var count = 0

        @inlinable init() {}

        @inlinable
        mutating func insert(_ node: Int, _ score: Double, most: Int) {
            // Those that are better stay in front of it.
            var place = count
            while place > 0, score < scores[place - 1] { place -= 1 }
            guard place < most else { return }
            var last = min(count, most - 1)
            while last > place {
                nodes[last] = nodes[last - 1]
                scores[last] = scores[last - 1]
                last -= 1
            }
            nodes[place] = node
            scores[place] = score
            count = min(count + 1, most)
        }

        /// Adds the best of those that are no neighbours of any, one by one.
        @inlinable @inline(__always)
        mutating func widen(_ found: InlineArray<7, Projection>) {
            var taken: UInt64 = 0
            for place in 0..<count { taken |= StartGrid.neighbours(nodes[place]) }
            while count < 8 {
                var best = -1
                var lowest = Double.infinity
                for row in 0..<StartGrid.rows {
                    let free = UInt8(truncatingIfNeeded: ~taken >> UInt64(8 * row))
                    let scores = found[row].score
                    if free == 0 || !(scores.min() < lowest) { continue }
                    for column in 0..<StartGrid.columns
                    where free & (1 << column) != 0 && scores[column] < lowest {
                        (lowest, best) = (scores[column], row * StartGrid.columns + column)
                    }
                }
                guard best >= 0 else { return }
                taken |= StartGrid.neighbours(best)
                nodes[count] = best
                scores[count] = lowest
                count += 1
            }
        }
    }

    /// A node and the up to eight about it, as bits.
    @inlinable
    static func neighbours(_ node: Int) -> UInt64 {
        let (row, column) = (node / columns, node % columns)
        let about = UInt64((0b111 << column) >> 1) & 0xFF
        var result: UInt64 = 0
        for other in max(0, row - 1)...min(rows - 1, row + 1) { result |= about << UInt64(8 * other) }
        return result
    }

    /// The nodes of a row that score no worse than their neighbours, as bits; of equal ones the first.
    @inlinable @inline(__always)
    static func lowest(_ row: Int, _ found: InlineArray<7, Projection>) -> UInt8 {
        let own = found[row].score
        var isLowest = own .< Lanes(repeating: .infinity)
        isLowest = isLowest .& (own .< shifted(own, by: -1)) .& (own .<= shifted(own, by: 1))
        if row > 0 {
            let above = found[row - 1].score
            isLowest =
                isLowest .& (own .< above) .& (own .< shifted(above, by: -1))
                .& (own .< shifted(above, by: 1))
        }
        if row < rows - 1 {
            let below = found[row + 1].score
            isLowest =
                isLowest .& (own .<= below) .& (own .<= shifted(below, by: -1))
                .& (own .<= shifted(below, by: 1))
        }
        var bits: UInt8 = 0
        for lane in 0..<8 where isLowest[lane] { bits |= 1 << lane }
        return bits
    }

    /// In each lane the one before (−1) or behind (1), infinity where there is none.
    @inlinable @inline(__always)
    static func shifted(_ lanes: Lanes, by step: Int) -> Lanes {
        var result = Lanes(repeating: .infinity)
        if step < 0 {
            for lane in 1..<8 { result[lane] = lanes[lane - 1] }
        } else {
            for lane in 0..<7 { result[lane] = lanes[lane + 1] }
        }
        return result
    }

    /// The middle of the quotes, from which k and m are measured here, and how far they reach.
    @usableFromInline let centre, range: Double
    /// Sums over the quotes of their weights times 1, k, k², y, ky and y², where y is the variance of the middle.
    @usableFromInline var (s1, sk, skk, sy, sky, syy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    @inlinable
    init(_ quotes: QuoteColumns) {
        centre = 0.5 * (quotes.domain.lowM + quotes.domain.highM)
        range = 0.5 * (quotes.domain.highM - quotes.domain.lowM)
        var sums = InlineArray<6, Lanes>(repeating: .zero)
        for place in 0..<quotes.blockCount {
            let block = quotes.blocks[place]
            let k = block.moneyness - centre
            let (weight, y) = (block.startWeight, block.startVariance)
            let (wk, wy) = (weight * k, weight * y)
            sums[0] += weight
            sums[1] += wk
            sums[2] += wk * k
            sums[3] += wy
            sums[4] += wy * k
            sums[5] += wy * y
        }
        (s1, sk, skk) = (sums[0].pairedSum, sums[1].pairedSum, sums[2].pairedSum)
        (sy, sky, syy) = (sums[3].pairedSum, sums[4].pairedSum, sums[5].pairedSum)
    }

    @inlinable
    func nodes(_ row: Int) -> (m: Lanes, sigma: Lanes) {
        let step = 2 * range / Double(Self.columns - 1)
        let places = Lanes(0, 1, 2, 3, 4, 5, 6, 7)
        return (places * step - range, Lanes(repeating: Self.widths[row] * range))
    }

    @usableFromInline
    struct Projection {
        @usableFromInline var score, a, left, right: Lanes

        @inlinable
        init() { (score, a, left, right) = (.zero, .zero, .zero, .zero) }

        @inlinable
        init(score: Lanes, a: Lanes, left: Lanes, right: Lanes) {
            self.score = score
            self.a = a
            self.left = left
            self.right = right
        }
    }

    @inlinable
    func projected(_ quotes: QuoteColumns, _ node: (m: Lanes, sigma: Lanes)) -> Projection {
        let (m, sigma) = node
        let square = sigma * sigma
        var (sr, skr, syr) = (Lanes.zero, Lanes.zero, Lanes.zero)
        for place in 0..<quotes.blockCount {
            let block = quotes.blocks[place]
            let k = block.moneyness - centre
            let weight = block.startWeight
            let (wk, wy) = (weight * k, weight * block.startVariance)
            for lane in 0..<8 {
                let x = Lanes(repeating: k[lane]) - m
                let r = A.roughSquareRoot(A.multiplyAdd(x, x, square))
                sr = A.multiplyAdd(Lanes(repeating: weight[lane]), r, sr)
                skr = A.multiplyAdd(Lanes(repeating: wk[lane]), r, skr)
                syr = A.multiplyAdd(Lanes(repeating: wy[lane]), r, syr)
            }
        }
        // Of x and r, then of (r − x)/2 and (r + x)/2.
        let sx = sk - m * s1
        let sxx = skk - m * (2 * sk - m * s1)
        let sxr = skr - m * sr
        let syx = sky - m * sy
        let srr = sxx + square * s1
        let (sl, su) = (0.5 * (sr - sx), 0.5 * (sr + sx))
        let (sll, suu) = (0.25 * (srr + sxx) - 0.5 * sxr, 0.25 * (srr + sxx) + 0.5 * sxr)
        let slu = 0.25 * square * s1
        let (syl, syu) = (0.5 * (syr - syx), 0.5 * (syr + syx))
        // Without a: second moments about the means.
        let inverse = 1 / s1
        let (ll, lu, uu) = (sll - sl * sl * inverse, slu - sl * su * inverse, suu - su * su * inverse)
        let (bl, bu) = (syl - sy * sl * inverse, syu - sy * su * inverse)
        let rest = syy - sy * sy * inverse
        // What is not inlined here has a generic form, a symbol that all instruction sets share.
        @inline(__always)
        func score(_ p: Lanes, _ c: Lanes) -> Lanes {
            rest - 2 * (p * bl + c * bu) + (p * p * ll + 2 * p * c * lu + c * c * uu)
        }
        let most = Lanes(repeating: SliceDomain.steepest)
        let determinant = ll * uu - lu * lu
        var p = (bl * uu - bu * lu) / determinant
        var c = (bu * ll - bl * lu) / determinant
        let isInside =
            (p .>= .zero) .& (c .>= .zero) .& (p .<= most) .& (c .<= most) .& (determinant .> .zero)
        var best = Lanes(repeating: .infinity).replacing(with: score(p, c), where: isInside)
        if A.any(.!isInside) {
            for side in 0..<4 {
                let edge = side < 2 ? Lanes.zero : most
                let isLeft = side & 1 == 0
                let edgeP = isLeft ? edge : ((bl - edge * lu) / ll).atLeast(0).smaller(most)
                let edgeC = isLeft ? ((bu - edge * lu) / uu).atLeast(0).smaller(most) : edge
                let found = score(edgeP, edgeC)
                let isBetter = found .< best
                best.replace(with: found, where: isBetter)
                p.replace(with: edgeP, where: isBetter)
                c.replace(with: edgeC, where: isBetter)
            }
        }
        // The least variance lifts the whole slice.
        var a = (sy - p * sl - c * su) * inverse
        let least = a + sigma * A.squareRoot(p * c)
        let lift = (quotes.domain.leastVariance - least).atLeast(0)
        a += lift
        return Projection(score: best + s1 * lift * lift, a: a, left: p, right: c)
    }
}
