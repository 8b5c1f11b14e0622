/// The two sides of all bands in the interior point method: their slacks, and the excesses of soft ones.
extension InteriorPoint {
    /// One side of all bands.
    struct Side {
        /// +1 at the low limit, −1 at the high one.
        let sign: Double
        /// Kind of the limit: 0 none, 1 hard, 2 soft.
        let kind: Vector
        let limit, slack, multiplier, excess, excessDual: Vector
        let slackStep, multiplierStep, excessStep, excessDualStep: Vector
        /// Distance within the limit less the slack that stands for it.
        let gap: Vector
        /// de = alpha + beta dy.
        let alpha, beta: Vector

        init(sign: Double, _ take: () -> Vector) {
            self.sign = sign
            kind = take()
            limit = take()
            slack = take()
            multiplier = take()
            excess = take()
            excessDual = take()
            slackStep = take()
            multiplierStep = take()
            excessStep = take()
            excessDualStep = take()
            gap = take()
            alpha = take()
            beta = take()
        }
    }

    @inline(__always)
    func prepareSide(
        _ side: Side, _ r: Int, _ worst: inout Double, _ total: inout Double, _ pairs: inout Double
    ) {
        let kind = side.kind[r]
        guard kind > 0 else { return }
        var gap = side.sign * (exposure[r] - side.limit[r]) - side.slack[r]
        total += side.slack[r] * side.multiplier[r]
        pairs += 1
        if kind == 2 {
            gap += side.excess[r]
            worst = max(worst, excessResidual(side, r).magnitude)
            total += side.excess[r] * side.excessDual[r]
            pairs += 1
        }
        side.gap[r] = gap
        worst = max(worst, gap.magnitude)
    }

    func excessResidual(_ side: Side, _ r: Int) -> Double {
        problem.penalty[r] + problem.penaltyQuadratic[r] * side.excess[r] - side.multiplier[r]
            - side.excessDual[r]
    }

    func reduceSide(
        _ side: Side, _ r: Int, _ centre: Double, _ share: Double, _ weight: inout Double,
        _ shift: inout Double
    ) {
        guard side.kind[r] > 0 else { return }
        let y = side.multiplier[r]
        var gap = side.gap[r]
        var denominator = side.slack[r]
        if side.kind[r] == 2 {
            let (e, z) = (side.excess[r], side.excessDual[r])
            let inverse = 1 / (z + e * problem.penaltyQuadratic[r])
            let target = centre - z * e - share * side.excessDualStep[r] * side.excessStep[r]
            side.alpha[r] = (target - e * excessResidual(side, r)) * inverse
            side.beta[r] = e * inverse
            gap += side.alpha[r]
            denominator += y * side.beta[r]
        }
        let inverse = 1 / denominator
        let target = slackTarget(side, r, centre, share)
        weight += y * inverse
        shift += side.sign * (target - y * gap) * inverse
    }

    func slackTarget(_ side: Side, _ r: Int, _ centre: Double, _ share: Double) -> Double {
        centre - side.multiplier[r] * side.slack[r] - share * side.multiplierStep[r] * side.slackStep[r]
    }

    func stepSide(_ side: Side, _ r: Int, _ centre: Double, _ share: Double) {
        guard side.kind[r] > 0 else { return }
        let y = side.multiplier[r]
        let move = side.sign * exposureStep[r] + side.gap[r] + side.alpha[r]
        let dy = (slackTarget(side, r, centre, share) - y * move) / (side.slack[r] + y * side.beta[r])
        let de = side.alpha[r] + side.beta[r] * dy
        side.multiplierStep[r] = dy
        side.slackStep[r] = move + side.beta[r] * dy
        if side.kind[r] == 2 {
            side.excessStep[r] = de
            side.excessDualStep[r] = problem.penaltyQuadratic[r] * de - dy + excessResidual(side, r)
        }
    }

    func shorten(_ side: Side, _ r: Int, _ worst: inout Double) {
        guard side.kind[r] > 0 else { return }
        worst = min(worst, side.slackStep[r] / side.slack[r], side.multiplierStep[r] / side.multiplier[r])
        guard side.kind[r] == 2 else { return }
        worst = min(worst, side.excessStep[r] / side.excess[r], side.excessDualStep[r] / side.excessDual[r])
    }

    func addAfter(
        _ length: Double, _ side: Side, _ r: Int, _ total: inout Double, _ pairs: inout Double
    ) {
        guard side.kind[r] > 0 else { return }
        total +=
            (side.slack[r] + length * side.slackStep[r])
            * (side.multiplier[r] + length * side.multiplierStep[r])
        pairs += 1
        guard side.kind[r] == 2 else { return }
        total +=
            (side.excess[r] + length * side.excessStep[r])
            * (side.excessDual[r] + length * side.excessDualStep[r])
        pairs += 1
    }

    func advance(_ side: Side, _ r: Int, _ length: Double) {
        guard side.kind[r] > 0 else { return }
        side.slack[r] += length * side.slackStep[r]
        side.multiplier[r] += length * side.multiplierStep[r]
        guard side.kind[r] == 2 else { return }
        side.excess[r] += length * side.excessStep[r]
        side.excessDual[r] += length * side.excessDualStep[r]
    }
}
