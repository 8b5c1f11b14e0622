import VectorMath

/// The bodies of fits, scans and queries, for one instruction set's arithmetic.
public enum SliceKernel<A: SliceArithmetic> {}

extension SliceKernel {
    /// The loss alone; NaN where a total variance is below 0.
    @inlinable
    static func loss(_ quotes: QuoteColumns, _ vector: SliceVector, sigma: Double) -> Double {
        let (a, p, c) = (Eight<A>(vector[0]), Eight<A>(vector[1] / 2), Eight<A>(vector[2] / 2))
        let (m, square) = (Eight<A>(vector[3]), Eight<A>(sigma * sigma))
        let perYear = Eight<A>(1 / quotes.years)
        var sum = Eight<A>.zero
        for place in 0..<quotes.blockCount {
            let block = quotes.blocks[place]
            let x = Eight<A>(block.moneyness) - m
            let reach = square.plus(x, x).squareRoot()
            let w = a + p * (reach - x) + c * (reach + x)
            let volatility = (w * perYear).squareRoot()
            let distance = volatility - Eight(block.mid)
            sum += Eight(block.middleWeight) * distance * distance
            if quotes.hasBands {
                // NaN does not pass through `larger`, but it did through the middle.
                let outside =
                    (volatility - Eight(block.ask)).larger(.zero)
                    + (Eight(block.bid) - volatility).larger(.zero)
                sum += Eight(block.bandWeight) * outside * outside
            }
        }
        return sum.lanes.pairedSum
    }

    /// - Parameter isExact: all second derivatives; else without those of volatility by the parameters (Gauss and
    ///   Newton), which leaves nothing negative.
    @inlinable
    static func expansion(
        _ quotes: QuoteColumns, _ vector: SliceVector, sigma: Double, isExact: Bool
    ) -> LossExpansion {
        let sums =
            isExact
            ? exactSums(quotes, vector, sigma: sigma)
            : lossSums(quotes, vector, sigma: sigma, isExact: false, hasBands: quotes.hasBands)
        let (near, middle, far) = (sums.near, sums.middle, sums.far)
        var result = LossExpansion()
        result.value = near[0]
        result.gradient = Lanes(near[1], near[2], near[3], near[4], near[5], 0, 0, 0)
        result.hessian[0] = Lanes(near[6], near[7], middle[0], middle[1], middle[2], 0, 0, 0)
        result.hessian[1] = Lanes(near[7], middle[3], middle[4], middle[5], middle[6], 0, 0, 0)
        result.hessian[2] = Lanes(middle[0], middle[4], middle[7], far[0], far[1], 0, 0, 0)
        result.hessian[3] = Lanes(middle[1], middle[5], far[0], far[2], far[3], 0, 0, 0)
        result.hessian[4] = Lanes(middle[2], middle[6], far[1], far[3], far[4], 0, 0, 0)
        return result
    }

    /// The loss with all its first and second derivatives.
    @inlinable
    static func exactSums(_ quotes: QuoteColumns, _ vector: SliceVector, sigma: Double) -> LossSums {
        // A loop for each kind of loss.
        quotes.hasBands
            ? lossSums(quotes, vector, sigma: sigma, isExact: true, hasBands: true)
            : lossSums(quotes, vector, sigma: sigma, isExact: true, hasBands: false)
    }

    @inlinable @inline(__always)
    static func lossSums(
        _ quotes: QuoteColumns, _ vector: SliceVector, sigma: Double, isExact: Bool, hasBands: Bool
    ) -> LossSums {
        let (a, p, c) = (Eight<A>(vector[0]), Eight<A>(vector[1] / 2), Eight<A>(vector[2] / 2))
        let (m, square) = (Eight<A>(vector[3]), Eight<A>(sigma * sigma))
        let perYear = Eight<A>(1 / quotes.years)
        let unit = Eight<A>(1)
        let half = Eight<A>(0.5)
        let b = p + c
        let lean = p - c
        var value = Eight<A>.zero
        var (ga, gp, gc, gm, gs) = (value, value, value, value, value)
        var (haa, hap, hac, ham, has) = (value, value, value, value, value)
        var (hpp, hpc, hpm, hps, hcc) = (value, value, value, value, value)
        var (hcm, hcs, hmm, hms, hss) = (value, value, value, value, value)
        let halfPerYear = half * perYear
        for place in 0..<quotes.blockCount {
            let block = quotes.blocks[place]
            let x = Eight<A>(block.moneyness) - m
            let reach = square.plus(x, x).squareRoot()
            let (left, right) = (reach - x, reach + x)
            let volatility = ((a + p * left + c * right) * perYear).squareRoot()
            // One division for two reciprocals.
            let shared = unit / (reach * volatility)
            let inverse = shared * volatility
            let perVolatility = shared * reach
            let direction = x * inverse
            let distance = volatility - Eight(block.mid)
            var stiffness = Eight<A>(block.middleWeight)
            var pull = stiffness * distance
            value.add(pull, distance)
            if hasBands {
                let above = (volatility - Eight(block.ask)).larger(.zero)
                let below = (Eight(block.bid) - volatility).larger(.zero)
                let outside = above + below
                let weight = Eight<A>(block.bandWeight)
                value += weight * outside * outside
                pull += weight * (above - below)
                stiffness += weight.kept(where: outside.isPositive)
            }
            // By volatility, then by variance.
            let perVariance = halfPerYear * perVolatility
            let slope = pull * perVariance
            var curvature = stiffness * perVariance * perVariance
            if isExact { curvature -= slope * perVariance * perVolatility }
            // By the parameters: those of w by p and c are halves of `left` and `right`.
            let (jp, jc) = (half * left, half * right)
            let jm = lean - b * direction
            let bend = square * inverse
            let js = b * bend
            ga += slope
            gp.add(slope, jp)
            gc.add(slope, jc)
            gm.add(slope, jm)
            gs.add(slope, js)
            haa += curvature
            let (cp, cc, cm, cs) = (curvature * jp, curvature * jc, curvature * jm, curvature * js)
            hap += cp
            hac += cc
            ham += cm
            has += cs
            hpp.add(cp, jp)
            hpc.add(cp, jc)
            hpm.add(cp, jm)
            hps.add(cp, js)
            hcc.add(cc, jc)
            hcm.add(cc, jm)
            hcs.add(cc, js)
            hmm.add(cm, jm)
            hms.add(cm, js)
            hss.add(cs, js)
            if isExact {
                let ratio = bend * inverse
                let halfSlope = half * slope
                hpm += halfSlope * (unit - direction)
                hcm -= halfSlope * (unit + direction)
                hps.add(halfSlope, bend)
                hcs.add(halfSlope, bend)
                let sharp = slope * b * inverse * ratio
                hmm += sharp
                hms.add(sharp, x)
                hss += slope * js * (Eight(2) - ratio)
            }
        }
        let two = Eight<A>(2)
        let near = Eight<A>(Lanes(1, 2, 2, 2, 2, 2, 2, 2)) * Eight.sums(value, ga, gp, gc, gm, gs, haa, hap)
        let middle = two * Eight.sums(hac, ham, has, hpp, hpc, hpm, hps, hcc)
        let far = two * Eight.sums(hcm, hcs, hmm, hms, hss, .zero, .zero, .zero)
        return LossSums(near: near.lanes, middle: middle.lanes, far: far.lanes)
    }
}
