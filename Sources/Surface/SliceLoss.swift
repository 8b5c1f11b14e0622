import CKernels
import Foundation
import VectorMath

/// A slice as a fit moves it: a, slope of the left wing, slope of the right wing, m, ln σ, in the first five lanes.
typealias SliceVector = Lanes

extension SVISlice {
    init(_ vector: SliceVector) {
        self.init(
            a: vector[0], leftSlope: max(0, vector[1]), rightSlope: max(0, vector[2]), m: vector[3],
            sigma: exp(vector[4]))
    }

    var vector: SliceVector { Lanes(a, leftSlope, rightSlope, m, log(sigma), 0, 0, 0) }
}

/// The loss of a slice, its gradient and its second derivatives.
struct LossExpansion {
    var value = 0.0
    var gradient = Lanes.zero
    /// Rows of the second derivatives.
    var hessian = InlineArray<5, Lanes>(repeating: .zero)
}

extension QuoteLanes {
    /// The loss alone; NaN where a total variance is below 0.
    func loss(_ vector: SliceVector) -> Double {
        let sigma = exp(vector[4])
        let (a, p, c) = (
            Lanes(repeating: vector[0]), Lanes(repeating: vector[1] / 2), Lanes(repeating: vector[2] / 2)
        )
        let (m, square) = (Lanes(repeating: vector[3]), Lanes(repeating: sigma * sigma))
        let perYear = Lanes(repeating: 1 / years)
        var sum = Lanes.zero
        for block in blocks {
            let x = block.moneyness - m
            let reach = poise_square_root(x * x + square)
            let w = a + p * (reach - x) + c * (reach + x)
            let volatility = poise_square_root(w * perYear)
            let distance = volatility - block.mid
            sum += block.middleWeight * distance * distance
            if hasBands {
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
    func expansion(_ vector: SliceVector, isExact: Bool) -> LossExpansion {
        let sigma = exp(vector[4])
        let (a, p, c) = (
            Lanes(repeating: vector[0]), Lanes(repeating: vector[1] / 2), Lanes(repeating: vector[2] / 2)
        )
        let (m, square) = (Lanes(repeating: vector[3]), Lanes(repeating: sigma * sigma))
        let perYear = Lanes(repeating: 1 / years)
        let one = Lanes(repeating: 1)
        let half = Lanes(repeating: 0.5)
        let b = p + c
        var value = Lanes.zero
        var (ga, gp, gc, gm, gs) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (haa, hap, hac, ham, has) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (hpp, hpc, hpm, hps, hcc) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (hcm, hcs, hmm, hms, hss) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        let halfPerYear = half * perYear
        for block in blocks {
            let x = block.moneyness - m
            let reach = poise_square_root(x * x + square)
            let (left, right) = (reach - x, reach + x)
            let volatility = poise_square_root((a + p * left + c * right) * perYear)
            // One division for two reciprocals.
            let shared = one / (reach * volatility)
            let inverse = shared * volatility
            let perVolatility = shared * reach
            let direction = x * inverse
            let distance = volatility - block.mid
            var pull = block.middleWeight * distance
            var stiffness = block.middleWeight
            value += pull * distance
            if hasBands {
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
            gp += slope * jp
            gc += slope * jc
            gm += slope * jm
            gs += slope * js
            haa += curvature
            let (cp, cc, cm, cs) = (curvature * jp, curvature * jc, curvature * jm, curvature * js)
            hap += cp
            hac += cc
            ham += cm
            has += cs
            hpp += cp * jp
            hpc += cp * jc
            hpm += cp * jm
            hps += cp * js
            hcc += cc * jc
            hcm += cc * jm
            hcs += cc * js
            hmm += cm * jm
            hms += cm * js
            hss += cs * js
            if isExact {
                let ratio = bend * inverse
                let halfSlope = half * slope
                hpm += halfSlope * (one - direction)
                hcm -= halfSlope * (one + direction)
                hps += halfSlope * bend
                hcs += halfSlope * bend
                let sharp = slope * b * inverse * ratio
                hmm += sharp
                hms += sharp * x
                hss += slope * js * (Lanes(repeating: 2) - ratio)
            }
        }
        var result = LossExpansion()
        result.value = value.pairedSum
        let (sp, sc, sm, ss) = (hpm.pairedSum, hcm.pairedSum, hms.pairedSum, hps.pairedSum)
        let (aa, ap, ac, am, az) = (haa.pairedSum, hap.pairedSum, hac.pairedSum, ham.pairedSum, has.pairedSum)
        let (pp, pc, cc, cs) = (hpp.pairedSum, hpc.pairedSum, hcc.pairedSum, hcs.pairedSum)
        let (mm, sigmas) = (hmm.pairedSum, hss.pairedSum)
        result.gradient =
            2 * Lanes(ga.pairedSum, gp.pairedSum, gc.pairedSum, gm.pairedSum, gs.pairedSum, 0, 0, 0)
        result.hessian[0] = 2 * Lanes(aa, ap, ac, am, az, 0, 0, 0)
        result.hessian[1] = 2 * Lanes(ap, pp, pc, sp, ss, 0, 0, 0)
        result.hessian[2] = 2 * Lanes(ac, pc, cc, sc, cs, 0, 0, 0)
        result.hessian[3] = 2 * Lanes(am, sp, sc, mm, sm, 0, 0, 0)
        result.hessian[4] = 2 * Lanes(az, ss, cs, sm, sigmas, 0, 0, 0)
        return result
    }
}

extension Lanes {
    /// The sum of the lanes, halves first.
    var pairedSum: Double {
        let four = lowHalf + highHalf
        let two = four.lowHalf + four.highHalf
        return two[0] + two[1]
    }
}
