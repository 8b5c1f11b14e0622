import VectorMath

/// The bodies of fits, scans and queries, for one instruction set's arithmetic.
public enum SliceKernel<A: SliceArithmetic> {}

extension SliceKernel {
    /// The loss alone; NaN where a total variance is below 0.
    @inlinable
    static func loss(_ quotes: QuoteColumns, _ vector: SliceVector, sigma: Double) -> Double {
        let (a, p, c) = (
            Lanes(repeating: vector[0]), Lanes(repeating: vector[1] / 2), Lanes(repeating: vector[2] / 2)
        )
        let (m, square) = (Lanes(repeating: vector[3]), Lanes(repeating: sigma * sigma))
        let perYear = Lanes(repeating: 1 / quotes.years)
        var sum = Lanes.zero
        for place in 0..<quotes.blockCount {
            let block = quotes.blocks[place]
            let x = block.moneyness - m
            let reach = A.squareRoot(A.multiplyAdd(x, x, square))
            let w = a + p * (reach - x) + c * (reach + x)
            let volatility = A.squareRoot(w * perYear)
            let distance = volatility - block.mid
            sum += block.middleWeight * distance * distance
            if quotes.hasBands {
                // NaN does not pass through `larger`, but it did through the middle.
                let outside =
                    (volatility - block.ask).larger(.zero) + (block.bid - volatility).larger(.zero)
                sum += block.bandWeight * outside * outside
            }
        }
        return sum.pairedSum
    }

    /// - Parameter isExact: all second derivatives; else without those of volatility by the parameters (Gauss and
    ///   Newton), which leaves nothing negative.
    @inlinable
    static func expansion(
        _ quotes: QuoteColumns, _ vector: SliceVector, sigma: Double, isExact: Bool
    ) -> LossExpansion {
        let (a, p, c) = (
            Lanes(repeating: vector[0]), Lanes(repeating: vector[1] / 2), Lanes(repeating: vector[2] / 2)
        )
        let (m, square) = (Lanes(repeating: vector[3]), Lanes(repeating: sigma * sigma))
        let perYear = Lanes(repeating: 1 / quotes.years)
        let one = Lanes(repeating: 1)
        let half = Lanes(repeating: 0.5)
        let b = p + c
        var value = Lanes.zero
        var (ga, gp, gc, gm, gs) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (haa, hap, hac, ham, has) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (hpp, hpc, hpm, hps, hcc) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (hcm, hcs, hmm, hms, hss) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        let halfPerYear = half * perYear
        for place in 0..<quotes.blockCount {
            let block = quotes.blocks[place]
            let x = block.moneyness - m
            let reach = A.squareRoot(A.multiplyAdd(x, x, square))
            let (left, right) = (reach - x, reach + x)
            let volatility = A.squareRoot((a + p * left + c * right) * perYear)
            // One division for two reciprocals.
            let shared = one / (reach * volatility)
            let inverse = shared * volatility
            let perVolatility = shared * reach
            let direction = x * inverse
            let distance = volatility - block.mid
            var pull = block.middleWeight * distance
            var stiffness = block.middleWeight
            value = A.multiplyAdd(pull, distance, value)
            if quotes.hasBands {
                let above = (volatility - block.ask).larger(.zero)
                let below = (block.bid - volatility).larger(.zero)
                let outside = above + below
                value += block.bandWeight * outside * outside
                pull += block.bandWeight * (above - below)
                stiffness += block.bandWeight.kept(where: outside .> .zero)
            }
            // By volatility, then by variance.
            let perVariance = halfPerYear * perVolatility
            let slope = pull * perVariance
            var curvature = stiffness * perVariance * perVariance
            if isExact { curvature -= slope * perVariance * perVolatility }
            // By the parameters: those of w by p and c are halves of `left` and `right`.
            let (jp, jc) = (half * left, half * right)
            let jm = (p - c) - b * direction
            let bend = square * inverse
            let js = b * bend
            ga += slope
            gp = A.multiplyAdd(slope, jp, gp)
            gc = A.multiplyAdd(slope, jc, gc)
            gm = A.multiplyAdd(slope, jm, gm)
            gs = A.multiplyAdd(slope, js, gs)
            haa += curvature
            let (cp, cc, cm, cs) = (curvature * jp, curvature * jc, curvature * jm, curvature * js)
            hap += cp
            hac += cc
            ham += cm
            has += cs
            hpp = A.multiplyAdd(cp, jp, hpp)
            hpc = A.multiplyAdd(cp, jc, hpc)
            hpm = A.multiplyAdd(cp, jm, hpm)
            hps = A.multiplyAdd(cp, js, hps)
            hcc = A.multiplyAdd(cc, jc, hcc)
            hcm = A.multiplyAdd(cc, jm, hcm)
            hcs = A.multiplyAdd(cc, js, hcs)
            hmm = A.multiplyAdd(cm, jm, hmm)
            hms = A.multiplyAdd(cm, js, hms)
            hss = A.multiplyAdd(cs, js, hss)
            if isExact {
                let ratio = bend * inverse
                let halfSlope = half * slope
                hpm += halfSlope * (one - direction)
                hcm -= halfSlope * (one + direction)
                hps = A.multiplyAdd(halfSlope, bend, hps)
                hcs = A.multiplyAdd(halfSlope, bend, hcs)
                let sharp = slope * b * inverse * ratio
                hmm += sharp
                hms = A.multiplyAdd(sharp, x, hms)
                hss += slope * js * (Lanes(repeating: 2) - ratio)
            }
        }
        var result = LossExpansion()
        let first = sums(value, ga, gp, gc, gm, gs, haa, hap)
        let second = sums(hac, ham, has, hpp, hpc, hpm, hps, hcc)
        let third = sums(hcm, hcs, hmm, hms, hss, .zero, .zero, .zero)
        result.value = first[0]
        result.gradient = 2 * Lanes(first[1], first[2], first[3], first[4], first[5], 0, 0, 0)
        let (near, middle, far) = (2 * first, 2 * second, 2 * third)
        result.hessian[0] = Lanes(near[6], near[7], middle[0], middle[1], middle[2], 0, 0, 0)
        result.hessian[1] = Lanes(near[7], middle[3], middle[4], middle[5], middle[6], 0, 0, 0)
        result.hessian[2] = Lanes(middle[0], middle[4], middle[7], far[0], far[1], 0, 0, 0)
        result.hessian[3] = Lanes(middle[1], middle[5], far[0], far[2], far[3], 0, 0, 0)
        result.hessian[4] = Lanes(middle[2], middle[6], far[1], far[3], far[4], 0, 0, 0)
        return result
    }

    /// The sums of the lanes of eight, one in each lane.
    @inlinable @inline(__always)
    static func sums(
        _ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes, _ e: Lanes, _ f: Lanes, _ g: Lanes, _ h: Lanes
    ) -> Lanes {
        pairs(pairs(pairs(a, b), pairs(c, d)), pairs(pairs(e, f), pairs(g, h)))
    }

    /// Sums of neighbouring lanes: those of the first, then those of the second.
    @inlinable @inline(__always)
    static func pairs(_ a: Lanes, _ b: Lanes) -> Lanes {
        Lanes(lowHalf: a.evenHalf, highHalf: b.evenHalf) + Lanes(lowHalf: a.oddHalf, highHalf: b.oddHalf)
    }
}
