import Foundation
import VectorMath

/// Starts of a fit: a grid over m and σ, whose nodes are scored by what is left of the loss once the rest of the slice is
/// fitted there (variable projection), eight nodes at a time.
///
/// With m and σ fixed, total variance is linear in a and the wings' slopes: weighted least squares in three unknowns with
/// the slopes in [0, 2], solved exactly by looking at the inside and at each edge.
/// - Source: Zeliade, Quasi-explicit calibration of Gatheral's SVI model, 2009.
struct StartGrid {
    static let columns = 11
    static let rows = 8
    /// σ by the range of the quotes' log-moneyness.
    private static let widths = [0.006, 0.02, 0.05, 0.12, 0.25, 0.5, 1.2, 4.0]

    /// The best starts, best first, no two of them neighbours on the grid.
    static func starts(_ quotes: QuoteLanes, most: Int) -> [SliceVector] {
        let domain = quotes.domain
        let range = (domain.highM - domain.lowM) / 2
        var scores = Array(repeating: Double.infinity, count: columns * rows)
        var vectors = Array(repeating: SliceVector.zero, count: columns * rows)
        for block in 0..<(columns * rows / 8) {
            var m = Lanes.zero
            var sigma = Lanes.zero
            for lane in 0..<8 {
                let node = block * 8 + lane
                let step = Double(node % columns) / Double(columns - 1)
                m[lane] = domain.lowM + 2 * range * step
                sigma[lane] = widths[node / columns] * range
            }
            let found = projected(quotes, m, sigma)
            for lane in 0..<8 {
                let node = block * 8 + lane
                scores[node] = found.score[lane]
                vectors[node] = SliceVector(
                    found.a[lane], found.left[lane], found.right[lane], m[lane], log(sigma[lane]), 0, 0, 0)
            }
        }
        var result: [SliceVector] = []
        var taken: [Int] = []
        for node in scores.indices.sorted(by: { scores[$0] < scores[$1] }) where result.count < most {
            guard scores[node] < .infinity else { break }
            let isNear = taken.contains {
                abs($0 % columns - node % columns) <= 1 && abs($0 / columns - node / columns) <= 1
            }
            if isNear { continue }
            taken.append(node)
            result.append(vectors[node])
        }
        return result
    }

    private struct Projection {
        var score, a, left, right: Lanes
    }

    private static func projected(_ quotes: QuoteLanes, _ m: Lanes, _ sigma: Lanes) -> Projection {
        let square = sigma * sigma
        var (s1, sl, su, sll, slu, suu) = (
            Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero
        )
        var (y1, yl, yu, yy) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        let half = Lanes(repeating: 0.5)
        for block in 0..<quotes.moneyness.count {
            for lane in 0..<8 {
                let target = quotes.target(block, lane)
                if target.weight == 0 { continue }
                let weight = Lanes(repeating: target.weight)
                let y = Lanes(repeating: target.variance)
                let x = Lanes(repeating: quotes.moneyness[block][lane]) - m
                let reach = PortableArithmetic.squareRoot(x * x + square)
                let left = half * (reach - x)
                let right = half * (reach + x)
                let (wl, wr, wy) = (weight * left, weight * right, weight * y)
                s1 += weight
                sl += wl
                su += wr
                sll += wl * left
                slu += wl * right
                suu += wr * right
                y1 += wy
                yl += wy * left
                yu += wy * right
                yy += wy * y
            }
        }
        // Without a: second moments about the means.
        let inverse = Lanes(repeating: 1) / s1
        let (ll, lu, uu) = (sll - sl * sl * inverse, slu - sl * su * inverse, suu - su * su * inverse)
        let (bl, bu) = (yl - y1 * sl * inverse, yu - y1 * su * inverse)
        let rest = yy - y1 * y1 * inverse
        func score(_ p: Lanes, _ c: Lanes) -> Lanes {
            let curved = p * p * ll + 2 * p * c * lu + c * c * uu
            return rest - 2 * (p * bl + c * bu) + curved
        }
        let most = Lanes(repeating: SliceDomain.steepest)
        let determinant = ll * uu - lu * lu
        var p = (bl * uu - bu * lu) / determinant
        var c = (bu * ll - bl * lu) / determinant
        let isInside =
            (p .>= .zero) .& (c .>= .zero) .& (p .<= most) .& (c .<= most) .& (determinant .> .zero)
        var best = Lanes(repeating: .infinity).replacing(with: score(p, c), where: isInside)
        func consider(_ edgeP: Lanes, _ edgeC: Lanes) {
            let found = score(edgeP, edgeC)
            let isBetter = found .< best
            best.replace(with: found, where: isBetter)
            p.replace(with: edgeP, where: isBetter)
            c.replace(with: edgeC, where: isBetter)
        }
        for edge in [Lanes.zero, most] {
            consider(edge, ((bu - edge * lu) / uu).atLeast(0).smaller(most))
            consider(((bl - edge * lu) / ll).atLeast(0).smaller(most), edge)
        }
        // The least variance lifts the whole slice.
        var a = (y1 - p * sl - c * su) * inverse
        let least = a + sigma * PortableArithmetic.squareRoot(p * c)
        let lift = (Lanes(repeating: quotes.domain.leastVariance) - least).atLeast(0)
        a += lift
        return Projection(score: best + s1 * lift * lift, a: a, left: p, right: c)
    }
}

extension QuoteLanes {
    /// A quote as the grid takes it: its variance, weighted as a small miss of its volatility is.
    fileprivate func target(_ block: Int, _ lane: Int) -> (variance: Double, weight: Double) {
        let volatility: Double
        var weight = max(middleWeight[block][lane], bandWeight[block][lane])
        if middleWeight[block][lane] > 0 {
            volatility = mid[block][lane]
        } else {
            (volatility, weight) = (1, 0)
        }
        let perVariance = 1 / (2 * volatility * years)
        return (volatility * volatility * years, weight * perVariance * perVariance)
    }
}
