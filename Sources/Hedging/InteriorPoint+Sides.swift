/// The two sides of all bands in the interior point method: their slacks, and the excesses of soft ones.
extension InteriorPoint {
    /// One limit of a row.
    struct Side {
        enum Kind: UInt8 {
            case none, hard, soft
        }

        /// +1 at the low limit, −1 at the high one.
        let sign: Double
        private(set) var kind = Kind.none
        private var limit = 0.0, penalty = 0.0, penaltyQuadratic = 0.0
        private var slack = 0.0, excess = 0.0, excessDual = 0.0
        private(set) var multiplier = 0.0
        private var slackStep = 0.0, multiplierStep = 0.0, excessStep = 0.0, excessDualStep = 0.0
        /// Distance within the limit less the slack that stands for it.
        private var gap = 0.0
        /// de = alpha + beta dy.
        private var alpha = 0.0, beta = 0.0

        init(sign: Double) { self.sign = sign }

        /// The start at a limit of a problem, for trades that make an exposure.
        init(sign: Double, _ problem: ScaledProblem, _ r: Int, exposure: Double) {
            self.sign = sign
            limit = sign > 0 ? problem.low[r] : problem.high[r]
            let isHard = problem.kinds[r] == .hard
            guard isHard || problem.kinds[r] == .soft, limit.magnitude < .infinity else { return }
            let distance = sign * (exposure - limit)
            if isHard {
                kind = .hard
                slack = max(distance, 1)
                multiplier = 1
            } else {
                kind = .soft
                penalty = problem.penalty[r]
                penaltyQuadratic = problem.penaltyQuadratic[r]
                excess = max(-distance, 0) + 0.1
                slack = max(distance, 0) + 0.1
                multiplier = 0.5 * (penalty + penaltyQuadratic * excess)
                excessDual = multiplier
            }
        }

        // What the last step did tells which limits hold: see `InteriorPoint.segment`.

        @inline(__always) var holds: Bool {
            kind != .none && multiplierStep * slack > slackStep * multiplier
        }

        @inline(__always) var isLeft: Bool {
            kind == .soft && excessDualStep * excess < excessStep * excessDual
        }

        @inline(__always)
        mutating func prepare(
            _ exposure: Double, _ worst: inout Double, _ total: inout Double, _ pairs: inout Double
        ) {
            guard kind != .none else { return }
            gap = sign * (exposure - limit) - slack
            total += slack * multiplier
            pairs += 1
            if kind == .soft {
                gap += excess
                worst = max(worst, excessResidual.magnitude)
                total += excess * excessDual
                pairs += 1
            }
            worst = max(worst, gap.magnitude)
        }

        @inline(__always) private var excessResidual: Double {
            penalty + penaltyQuadratic * excess - multiplier - excessDual
        }

        @inline(__always)
        mutating func reduce(
            _ centre: Double, _ share: Double, _ weight: inout Double, _ shift: inout Double
        ) {
            guard kind != .none else { return }
            var gap = gap
            var denominator = slack
            if kind == .soft {
                let inverse = 1 / (excessDual + excess * penaltyQuadratic)
                let target = centre - excessDual * excess - share * excessDualStep * excessStep
                alpha = (target - excess * excessResidual) * inverse
                beta = excess * inverse
                gap += alpha
                denominator += multiplier * beta
            }
            let inverse = 1 / denominator
            weight += multiplier * inverse
            shift += sign * (slackTarget(centre, share) - multiplier * gap) * inverse
        }

        @inline(__always)
        private func slackTarget(_ centre: Double, _ share: Double) -> Double {
            centre - multiplier * slack - share * multiplierStep * slackStep
        }

        @inline(__always)
        mutating func step(_ exposureStep: Double, _ centre: Double, _ share: Double) {
            guard kind != .none else { return }
            let move = sign * exposureStep + gap + alpha
            let dy = (slackTarget(centre, share) - multiplier * move) / (slack + multiplier * beta)
            let de = alpha + beta * dy
            multiplierStep = dy
            slackStep = move + beta * dy
            if kind == .soft {
                excessStep = de
                excessDualStep = penaltyQuadratic * de - dy + excessResidual
            }
        }

        @inline(__always)
        func shorten(_ worst: inout Double) {
            guard kind != .none else { return }
            worst = min(worst, slackStep / slack, multiplierStep / multiplier)
            guard kind == .soft else { return }
            worst = min(worst, excessStep / excess, excessDualStep / excessDual)
        }

        @inline(__always)
        func addAfter(_ length: Double, _ total: inout Double, _ pairs: inout Double) {
            guard kind != .none else { return }
            total += (slack + length * slackStep) * (multiplier + length * multiplierStep)
            pairs += 1
            guard kind == .soft else { return }
            total += (excess + length * excessStep) * (excessDual + length * excessDualStep)
            pairs += 1
        }

        @inline(__always)
        mutating func advance(_ length: Double) {
            guard kind != .none else { return }
            slack += length * slackStep
            multiplier += length * multiplierStep
            guard kind == .soft else { return }
            excess += length * excessStep
            excessDual += length * excessDualStep
        }
    }
}
