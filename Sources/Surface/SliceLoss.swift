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
        for block in 0..<moneyness.count {
            let x = moneyness[block] - m
            let reach = PortableArithmetic.squareRoot(x * x + square)
            let w = a + p * (reach - x) + c * (reach + x)
            let volatility = PortableArithmetic.squareRoot(w * perYear)
            let distance = volatility - mid[block]
            let outside =
                (volatility - ask[block]).larger(.zero) + (bid[block] - volatility).larger(.zero)
            sum += middleWeight[block] * distance * distance + bandWeight[block] * outside * outside
            // NaN does not pass through `larger`.
        }
        return sum.sum()
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
        for block in 0..<moneyness.count {
            let x = moneyness[block] - m
            let reach = PortableArithmetic.squareRoot(x * x + square)
            let inverse = one / reach
            let direction = x * inverse
            let (left, right) = (reach - x, reach + x)
            let w = a + p * left + c * right
            let volatility = PortableArithmetic.squareRoot(w * perYear)
            let distance = volatility - mid[block]
            let above = (volatility - ask[block]).larger(.zero)
            let below = (bid[block] - volatility).larger(.zero)
            let (mw, bw) = (middleWeight[block], bandWeight[block])
            let outside = above + below
            value += mw * distance * distance + bw * outside * outside
            // By volatility, then by variance.
            let pull = mw * distance + bw * (above - below)
            let stiffness = mw + bw.kept(where: outside .> .zero)
            let perVariance = half * perYear / volatility
            let slope = pull * perVariance
            var curvature = stiffness * perVariance * perVariance
            if isExact { curvature -= half * slope / w }
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
        result.value = value.sum()
        let (sp, sc, sm, ss) = (hpm.sum(), hcm.sum(), hms.sum(), hps.sum())
        let (aa, ap, ac, am, az) = (haa.sum(), hap.sum(), hac.sum(), ham.sum(), has.sum())
        let (pp, pc, cc, cs) = (hpp.sum(), hpc.sum(), hcc.sum(), hcs.sum())
        let (mm, sigmas) = (hmm.sum(), hss.sum())
        result.gradient = 2 * Lanes(ga.sum(), gp.sum(), gc.sum(), gm.sum(), gs.sum(), 0, 0, 0)
        result.hessian[0] = 2 * Lanes(aa, ap, ac, am, az, 0, 0, 0)
        result.hessian[1] = 2 * Lanes(ap, pp, pc, sp, ss, 0, 0, 0)
        result.hessian[2] = 2 * Lanes(ac, pc, cc, sc, cs, 0, 0, 0)
        result.hessian[3] = 2 * Lanes(am, sp, sc, mm, sm, 0, 0, 0)
        result.hessian[4] = 2 * Lanes(az, ss, cs, sm, sigmas, 0, 0, 0)
        return result
    }
}
