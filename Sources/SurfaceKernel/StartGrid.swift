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
        var rows = InlineArray<7, Row>(repeating: Row())
        // By its address: whatever is asked of an array of vectors by value is a copy of all.
        return withUnsafeMutableBytes(of: &rows) {
            starts(quotes, isWide: isWide, $0.assumingMemoryBound(to: Row.self).baseAddress.unsafelyUnwrapped)
        }
    }

    @inlinable @inline(__always)
    static func starts(
        _ quotes: QuoteColumns, isWide: Bool, _ found: UnsafeMutablePointer<Row>
    ) -> SliceStarts {
        let grid = StartGrid(quotes)
        grid.addRoots(quotes, found)
        for row in 0..<rows { grid.project(quotes, row, &found[row]) }
        var choice = Choice()
        for row in 0..<rows {
            let score = found[row].score
            var about = found[row].sides
            if row > 0 { about = A.smaller(about, found[row - 1].line) }
            if row < rows - 1 { about = A.smaller(about, found[row + 1].line) }
            let isLowest = (score .<= about) .& (score .< Lanes(repeating: .infinity))
            var left = A.bits(isLowest)
            while left != 0 {
                let column = left.trailingZeroBitCount
                choice.insert(row * columns + column, score[column], most: 4)
                left &= left - 1
            }
        }
        if isWide { choice.widen(found) }
        // ln σ of all rows at once.
        let sigmas = Lanes(
            grid.sigma(0), grid.sigma(1), grid.sigma(2), grid.sigma(3), grid.sigma(4), grid.sigma(5),
            grid.sigma(6), 1)
        let logSigmas = logarithmOfRatio(A.self, sigmas, Lanes(repeating: 1))
        var result = SliceStarts()
        result.count = choice.count
        for place in 0..<choice.count {
            let (row, lane) = (choice.nodes[place] / columns, choice.nodes[place] % columns)
            result.vectors[place] = SliceVector(
                found[row].a[lane], found[row].left[lane], found[row].right[lane],
                grid.centre + grid.nodes(row).m[lane], logSigmas[row], 0, 0, 0)
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
        mutating func widen(_ found: UnsafeMutablePointer<Row>) {
            var taken: UInt64 = 0
            for place in 0..<count { taken |= StartGrid.neighbours(nodes[place]) }
            while count < 8 {
                var best = -1
                var lowest = Double.infinity
                for row in 0..<StartGrid.rows {
                    let free = UInt8(truncatingIfNeeded: ~taken >> UInt64(8 * row))
                    let own = found[row].score
                    if free == 0 || !A.any(own .< Lanes(repeating: lowest)) { continue }
                    for column in 0..<StartGrid.columns
                    where free & (1 << column) != 0 && own[column] < lowest {
                        (lowest, best) = (own[column], row * StartGrid.columns + column)
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
    func sigma(_ row: Int) -> Double { Self.widths[row] * range }

    @inlinable
    func nodes(_ row: Int) -> (m: Lanes, sigma: Lanes) {
        let step = Lanes(repeating: 2 * range / Double(Self.columns - 1))
        return (
            A.multiplyAdd(Lanes(0, 1, 2, 3, 4, 5, 6, 7), step, Lanes(repeating: -range)),
            Lanes(repeating: sigma(row))
        )
    }

    /// The nodes of one σ.
    @usableFromInline
    struct Row {
        /// Weighted sums of r, k r and y r over the quotes.
        @usableFromInline var plain = Lanes.zero
        @usableFromInline var byK = Lanes.zero
        @usableFromInline var byY = Lanes.zero
        /// What is left of the loss, and the slice.
        @usableFromInline var score = Lanes.zero
        @usableFromInline var a = Lanes.zero
        @usableFromInline var left = Lanes.zero
        @usableFromInline var right = Lanes.zero
        /// The lower score of those to the left and the right, and of the node, too.
        @usableFromInline var sides = Lanes.zero
        @usableFromInline var line = Lanes.zero

        @inlinable
        init() {}
    }

    @inlinable
    func addRoots(_ quotes: QuoteColumns, _ rows: UnsafeMutablePointer<Row>) {
        let m = Eight<A>(nodes(0).m)
        for place in 0..<quotes.blockCount {
            let block = quotes.blocks[place]
            let k = Eight<A>(block.moneyness) - Eight(centre)
            let weight = Eight<A>(block.startWeight)
            // In memory, from where a lane is all lanes at no cost.
            let fields: InlineArray<4, Lanes> = [
                k.lanes, weight.lanes, (weight * k).lanes, (weight * Eight(block.startVariance)).lanes,
            ]
            withUnsafeBytes(of: fields) { bytes in
                let fields = bytes.assumingMemoryBound(to: Double.self).baseAddress.unsafelyUnwrapped
                for row in 0..<Self.rows {
                    let square = Eight<A>(sigma(row) * sigma(row))
                    var plain = Eight<A>(rows[row].plain)
                    var byK = Eight<A>(rows[row].byK)
                    var byY = Eight<A>(rows[row].byY)
                    for lane in 0..<8 {
                        let x = Eight<A>(fields[lane]) - m
                        let r = Eight<A>(A.roughSquareRoot(square.plus(x, x).lanes))
                        plain.add(Eight(fields[8 + lane]), r)
                        byK.add(Eight(fields[16 + lane]), r)
                        byY.add(Eight(fields[24 + lane]), r)
                    }
                    (rows[row].plain, rows[row].byK, rows[row].byY) = (plain.lanes, byK.lanes, byY.lanes)
                }
            }
        }
    }

    /// Fits a slice at each node of a row.
    @inlinable @inline(__always)
    func project(_ quotes: QuoteColumns, _ row: Int, _ found: inout Row) {
        let (m, sigma) = (Eight<A>(nodes(row).m), Eight<A>(sigma(row)))
        let (plain, byK, byY) = (Eight<A>(found.plain), Eight<A>(found.byK), Eight<A>(found.byY))
        let square = sigma * sigma
        let (s1, sk, skk) = (Eight<A>(s1), Eight<A>(sk), Eight<A>(skk))
        let (sy, sky, syy) = (Eight<A>(sy), Eight<A>(sky), Eight<A>(syy))
        let (unit, two, half, quarter) = (Eight<A>(1), Eight<A>(2), Eight<A>(0.5), Eight<A>(0.25))
        let most = Eight<A>(SliceDomain.steepest)
        // Of x and r, then of (r − x)/2 and (r + x)/2.
        let sx = sk.minus(m, s1)
        let sxx = skk.minus(m, (two * sk).minus(m, s1))
        let sxr = byK.minus(m, plain)
        let syx = sky.minus(m, sy)
        let mean = quarter * (two * sxx).plus(square, s1)
        let (sl, su) = (half * (plain - sx), half * (plain + sx))
        let (sll, suu) = (mean.minus(half, sxr), mean.plus(half, sxr))
        let slu = quarter * square * s1
        let (syl, syu) = (half * (byY - syx), half * (byY + syx))
        // Without a: second moments about the means.
        let inverse = unit / s1
        let (slm, sum) = (sl * inverse, su * inverse)
        let (ll, lu, uu) = (sll.minus(sl, slm), slu.minus(sl, sum), suu.minus(su, sum))
        let (bl, bu) = (syl.minus(sy, slm), syu.minus(sy, sum))
        let rest = syy.minus(sy, sy * inverse)
        // What is not inlined here has a generic form, a symbol that all instruction sets share.
        @inline(__always)
        func score(_ p: Eight<A>, _ c: Eight<A>) -> Eight<A> {
            let left = (p * ll).plus(two, c * lu - bl)
            return rest.plus(p, left).plus(c, (c * uu).minus(two, bu))
        }
        let determinant = (ll * uu).minus(lu, lu)
        let perDeterminant = unit / determinant
        var p = (bl * uu).minus(bu, lu) * perDeterminant
        var c = (bu * ll).minus(bl, lu) * perDeterminant
        let isInside =
            (p.lanes .>= Lanes.zero) .& (c.lanes .>= Lanes.zero) .& (p.lanes .<= most.lanes)
            .& (c.lanes .<= most.lanes) .& determinant.isPositive
        var best = Eight<A>(Lanes(repeating: .infinity).replacing(with: score(p, c).lanes, where: isInside))
        if A.any(.!isInside) {
            let (perLeft, perRight) = (unit / ll, unit / uu)
            for side in 0..<4 {
                let edge = side < 2 ? Eight<A>.zero : most
                let isLeft = side & 1 == 0
                let edgeP = isLeft ? edge : (bl.minus(edge, lu) * perLeft).larger(.zero).smaller(most)
                let edgeC = isLeft ? (bu.minus(edge, lu) * perRight).larger(.zero).smaller(most) : edge
                let score = score(edgeP, edgeC)
                let isBetter = score.lanes .< best.lanes
                best.lanes.replace(with: score.lanes, where: isBetter)
                p.lanes.replace(with: edgeP.lanes, where: isBetter)
                c.lanes.replace(with: edgeC.lanes, where: isBetter)
            }
        }
        // The least variance lifts the whole slice.
        var a = sy.minus(p, sl).minus(c, su) * inverse
        let least = a.plus(sigma, (p * c).squareRoot())
        let lift = (Eight(quotes.domain.leastVariance) - least).larger(.zero)
        a += lift
        best = best.plus(s1 * lift, lift)
        (found.score, found.a, found.left, found.right) = (best.lanes, a.lanes, p.lanes, c.lanes)
        found.sides = A.smaller(Self.shifted(best.lanes, by: -1), Self.shifted(best.lanes, by: 1))
        found.line = A.smaller(found.sides, best.lanes)
    }
}
