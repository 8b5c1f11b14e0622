import CKernels
import Foundation
import VectorMath

/// Starts of a fit: a grid over m and σ, whose nodes are scored by what is left of the loss once the rest of the slice is
/// fitted there (variable projection), eight nodes at a time.
///
/// With m and σ fixed, total variance is linear in a and the wings' slopes: weighted least squares in three unknowns with
/// the slopes in [0, 2], solved exactly by looking at the inside and at each edge. With x = k − m and r = √(x² + σ²) the
/// slopes multiply (r − x)/2 and (r + x)/2, so that all moments but Σr, Σkr and Σyr, weighted, are known beforehand.
/// - Source: Zeliade, Quasi-explicit calibration of Gatheral's SVI model, 2009.
struct StartGrid {
    static let columns = 8
    static let rows = 7
    /// σ by the range of the quotes' log-moneyness.
    private static let widths: InlineArray<7, Double> = [0.008, 0.03, 0.08, 0.2, 0.45, 1.1, 3.5]

    /// At most eight starts, best first.
    struct Starts {
        fileprivate(set) var vectors = InlineArray<8, SliceVector>(repeating: .zero)
        fileprivate(set) var count = 0
    }

    /// The nodes that score no worse than their neighbours, best first.
    ///
    /// - Parameter isWide: and behind them the best of those that are no neighbours of a start: the score is one of mids,
    ///   and with bands or under conditions there are optima that mids know nothing of.
    static func starts(_ quotes: QuoteLanes, isWide: Bool = false) -> Starts {
        let grid = StartGrid(quotes)
        var scores = InlineArray<56, Double>(repeating: .infinity)
        for row in 0..<rows {
            let found = grid.projected(quotes, grid.nodes(row)).score
            for column in 0..<columns { scores[row * columns + column] = found[column] }
        }
        var result = Starts()
        var taken = InlineArray<8, Int>(repeating: -1)
        func insert(_ node: Int, after least: Int, most: Int) {
            // Those that are better stay in front of it.
            var place = result.count
            while place > least, scores[node] < scores[taken[place - 1]] { place -= 1 }
            guard place < most else { return }
            var last = min(result.count, most - 1)
            while last > place {
                taken[last] = taken[last - 1]
                last -= 1
            }
            taken[place] = node
            result.count = min(result.count + 1, most)
        }
        for node in 0..<(columns * rows) where scores[node] < .infinity && isLowest(node, scores) {
            insert(node, after: 0, most: 4)
        }
        while isWide, result.count < 8 {
            var best = -1
            for node in 0..<(columns * rows) where scores[node] < (best < 0 ? .infinity : scores[best]) {
                var isNear = false
                for place in 0..<result.count where areNeighbours(node, taken[place]) { isNear = true }
                if !isNear { best = node }
            }
            guard best >= 0 else { break }
            insert(best, after: result.count, most: 8)
        }
        for place in 0..<result.count {
            let (row, lane) = (taken[place] / columns, taken[place] % columns)
            let node = grid.nodes(row)
            let found = grid.projected(quotes, node)
            result.vectors[place] = SliceVector(
                found.a[lane], found.left[lane], found.right[lane], grid.centre + node.m[lane],
                log(node.sigma[lane]), 0, 0, 0)
        }
        return result
    }

    private static func areNeighbours(_ one: Int, _ other: Int) -> Bool {
        abs(one / columns - other / columns) <= 1 && abs(one % columns - other % columns) <= 1
    }

    private static func isLowest(_ node: Int, _ scores: InlineArray<56, Double>) -> Bool {
        let (row, column) = (node / columns, node % columns)
        for otherRow in max(0, row - 1)...min(rows - 1, row + 1) {
            for otherColumn in max(0, column - 1)...min(columns - 1, column + 1) {
                let other = otherRow * columns + otherColumn
                if scores[other] < scores[node] || (scores[other] == scores[node] && other < node) {
                    return false
                }
            }
        }
        return true
    }

    /// The middle of the quotes, from which k and m are measured here, and how far they reach.
    private let centre, range: Double
    /// Sums over the quotes of their weights times 1, k, k², y, ky and y², where y is the variance of the middle.
    private var (s1, sk, skk, sy, sky, syy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    private init(_ quotes: QuoteLanes) {
        centre = 0.5 * (quotes.domain.lowM + quotes.domain.highM)
        range = 0.5 * (quotes.domain.highM - quotes.domain.lowM)
        var sums = InlineArray<6, Lanes>(repeating: .zero)
        for block in quotes.blocks {
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

    private func nodes(_ row: Int) -> (m: Lanes, sigma: Lanes) {
        let step = 2 * range / Double(Self.columns - 1)
        let places = Lanes(0, 1, 2, 3, 4, 5, 6, 7)
        return (places * step - range, Lanes(repeating: Self.widths[row] * range))
    }

    private struct Projection {
        var score, a, left, right: Lanes
    }

    private func projected(_ quotes: QuoteLanes, _ node: (m: Lanes, sigma: Lanes)) -> Projection {
        let (m, sigma) = node
        let square = sigma * sigma
        var (sr, skr, syr) = (Lanes.zero, Lanes.zero, Lanes.zero)
        for block in quotes.blocks {
            let k = block.moneyness - centre
            let weight = block.startWeight
            let (wk, wy) = (weight * k, weight * block.startVariance)
            for lane in 0..<8 {
                let x = Lanes(repeating: k[lane]) - m
                let r = poise_square_root(x * x + square)
                sr += Lanes(repeating: weight[lane]) * r
                skr += Lanes(repeating: wk[lane]) * r
                syr += Lanes(repeating: wy[lane]) * r
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
        if !all(isInside) {
            func consider(_ edgeP: Lanes, _ edgeC: Lanes) {
                let found = score(edgeP, edgeC)
                let isBetter = found .< best
                best.replace(with: found, where: isBetter)
                p.replace(with: edgeP, where: isBetter)
                c.replace(with: edgeC, where: isBetter)
            }
            for side in 0..<2 {
                let edge = side == 0 ? Lanes.zero : most
                consider(edge, ((bu - edge * lu) / uu).atLeast(0).smaller(most))
                consider(((bl - edge * lu) / ll).atLeast(0).smaller(most), edge)
            }
        }
        // The least variance lifts the whole slice.
        var a = (sy - p * sl - c * su) * inverse
        let least = a + sigma * poise_square_root(p * c)
        let lift = (quotes.domain.leastVariance - least).atLeast(0)
        a += lift
        return Projection(score: best + s1 * lift * lift, a: a, left: p, right: c)
    }
}
