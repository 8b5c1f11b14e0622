import Foundation
import SurfaceKernel
import VectorMath

/// What a fit must keep.
public enum ArbitrageRule: String, Sendable, CaseIterable {
    /// Nothing but the range of parameters.
    case none
    /// No butterfly within a slice.
    case butterfly
    /// That, and no calendar spread between slices of one underlying.
    case full
}

/// Slices of one underlying in order of time, moved together to the least sum of losses under conditions.
///
/// Newton's method with cuts (sequential quadratic programming): the conditions for all strikes stand in by their worst
/// strikes, found anew at each step.
struct ConstrainedFit {
    let quotes: [QuoteLanes]
    let rule: ArbitrageRule
    /// The least g and the least gap (by the later slice's variance about the money) that are asked for: above 0, so that
    /// the certificates have room.
    private static let margin = 1e-8

    /// How much steeper a later wing is: so that the least gap is not infinitely far out.
    private static let slopeMargin = 1e-7
    /// What may be left of a violation, less than the margin.
    static let tolerance = 5e-9

    private(set) var vectors: [SliceVector]
    private(set) var loss = Double.infinity
    private(set) var violation = Double.infinity
    private(set) var iterations = 0
    private var problem = StepProblem()

    init(_ quotes: [QuoteLanes], rule: ArbitrageRule, from vectors: [SliceVector]) {
        self.quotes = quotes
        self.rule = rule
        self.vectors = zip(vectors, quotes).map { Self.inside($0.0, $0.1) }
    }

    /// Within the box, and nowhere below the least variance.
    private static func inside(_ vector: SliceVector, _ quotes: QuoteLanes) -> SliceVector {
        var result = quotes.clamped(vector)
        let least = result[0] + exp(result[4]) * (result[1] * result[2]).squareRoot()
        if !(least >= quotes.domain.leastVariance) { result[0] += quotes.domain.leastVariance - least }
        return result
    }

    private func lossOf(_ vectors: [SliceVector]) -> Double {
        var sum = 0.0
        for (vector, quotes) in zip(vectors, quotes) { sum += quotes.loss(vector) }
        return sum
    }

    /// Moves until nothing is gained any more and no condition is broken.
    mutating func run(most: Int = 100) {
        move(most)
        if violation > Self.tolerance { restore() }
        guard rule == .none, violation > 0 else { return }
        // A slice that ends a little below the least variance is lifted.
        for slice in vectors.indices { vectors[slice] = Self.inside(vectors[slice], quotes[slice]) }
        loss = lossOf(vectors)
        violation = broken(cuts(vectors))
    }

    /// Whole steps to where the conditions hold, whatever the loss: Newton's method for what is left of them.
    private mutating func restore() {
        var damping = 1e-6
        for _ in 0..<40 where violation > 0.5 * Self.tolerance {
            guard expand(&damping) else { return }
            problem.solve(cuts(vectors))
            var share = 1.0
            var isBetter = false
            while !isBetter, share > 0.01 {
                if let (found, foundCuts) = measured(moved(share)), broken(foundCuts) < violation {
                    vectors = moved(share)
                    (loss, violation, isBetter) = (found, broken(foundCuts), true)
                }
                share *= 0.5
            }
            if !isBetter { damping *= 100 }
            if damping > 1e4 { return }
        }
    }

    /// The slices after a share of the step.
    private func moved(_ share: Double) -> [SliceVector] {
        vectors.indices.map { quotes[$0].clamped(vectors[$0] + share * problem.steps[$0]) }
    }

    private mutating func move(_ most: Int) {
        var damping = 0.0
        var price = 0.0
        loss = lossOf(vectors)
        var cuts = self.cuts(vectors)
        violation = broken(cuts)
        var quiet = 0
        iterations = 0
        while iterations < most {
            iterations += 1
            guard expand(&damping) else { return }
            problem.solve(cuts)
            let steepest = problem.multipliers.max() ?? 0
            price = max(price * 0.5, 2 * steepest)
            let before = loss + price * violation
            let gain = expectedGain() + price * violation
            var isAccepted = false
            var share = 1.0
            for attempt in 0..<5 {
                let trial = moved(share)
                if let (found, foundCuts) = measured(trial) {
                    let foundViolation = broken(foundCuts)
                    let after = found + price * foundViolation
                    if after < before - 1e-4 * share * max(gain, 0)
                        || (attempt == 0 && gain <= 1e-13 * loss && foundViolation <= violation)
                    {
                        vectors = trial
                        (loss, violation, cuts) = (found, foundViolation, foundCuts)
                        isAccepted = true
                        break
                    }
                }
                share *= 0.4
            }
            if isAccepted {
                damping = share == 1 ? (damping > 1e-7 ? damping * 0.1 : 0) : max(damping, 1e-4)
            } else {
                damping = max(damping * 10, 1e-4)
                if damping > 1e6 { return }
            }
            // Along a ridge little is gained for long; on exact quotes the loss itself goes to 0.
            quiet = gain <= 1e-7 * loss + 1e-22 ? quiet + (gain <= 1e-10 * loss + 1e-22 ? 4 : 1) : 0
            if quiet >= 8 { return }
        }
    }

    /// What the quadratic model of the losses says that the step gains.
    private func expectedGain() -> Double {
        var sum = 0.0
        for (slice, step) in problem.steps.enumerated() {
            let expansion = expansions[slice]
            var curved = 0.0
            for i in 0..<5 { curved += step[i] * (expansion.hessian[i] * step).sum() }
            sum -= (expansion.gradient * step).sum() + 0.5 * curved
        }
        return sum
    }

    private var expansions: [LossExpansion] = []

    private mutating func expand(_ damping: inout Double) -> Bool {
        problem.removeAll()
        expansions.removeAll(keepingCapacity: true)
        for (vector, quotes) in zip(vectors, quotes) {
            var expansion = quotes.expansion(vector, isExact: true)
            if problem.add(gradient: expansion.gradient, hessian: expansion.hessian, damping: damping) {
                expansions.append(expansion)
                continue
            }
            expansion = quotes.expansion(vector, isExact: false)
            expansions.append(expansion)
            var own = max(damping, 1e-9)
            while !problem.add(gradient: expansion.gradient, hessian: expansion.hessian, damping: own) {
                own *= 100
                if !(own < 1e12) { return false }
            }
        }
        return true
    }

    private func measured(_ vectors: [SliceVector]) -> (Double, [Cut])? {
        for (vector, quotes) in zip(vectors, quotes) {
            let least = vector[0] + exp(vector[4]) * (max(0, vector[1]) * max(0, vector[2])).squareRoot()
            // Half of the least variance is still a curve; the rest is a matter of cuts.
            guard least > 0.5 * quotes.domain.leastVariance, vector[4] > -40, vector[4] < 40 else {
                return nil
            }
        }
        let loss = lossOf(vectors)
        guard loss < .infinity else { return nil }
        return (loss, cuts(vectors))
    }

    private func broken(_ cuts: [Cut]) -> Double {
        var sum = 0.0
        for cut in cuts where cut.value < 0 { sum -= cut.value }
        return sum
    }

    private func cuts(_ vectors: [SliceVector]) -> [Cut] {
        var result: [Cut] = []
        for (slice, vector) in vectors.enumerated() { addOwn(slice, vector, &result) }
        guard rule != .none else { return result }
        let curves = vectors.map { SVISlice($0) }
        for (slice, curve) in curves.enumerated() {
            SmileScan.leastDurrleman(curve, below: 0.15) { k, g in
                result.append(
                    Cut(slice: slice, own: curve.durrlemanSensitivity(at: k), value: g - Self.margin))
            }
        }
        guard rule == .full else { return result }
        for slice in 1..<max(1, curves.count) {
            let (earlier, later) = (curves[slice - 1], curves[slice])
            let scale = 1 / quotes[slice].scale
            SmileScan.leastGap(earlier, later, below: 0.3 * quotes[slice].scale) { k, gap in
                result.append(
                    Cut(
                        slice: slice, hasBefore: true, own: scale * later.sensitivities(at: k).variance,
                        before: -scale * earlier.sensitivities(at: k).variance,
                        value: gap * scale - Self.margin))
            }
            for wing in 1...2 {
                var unit = SliceVector.zero
                unit[wing] = 1
                result.append(
                    Cut(
                        slice: slice, hasBefore: true, own: unit, before: -unit,
                        value: vectors[slice][wing] - vectors[slice - 1][wing] - Self.slopeMargin))
            }
        }
        return result
    }

    /// The box, and the least variance.
    private func addOwn(_ slice: Int, _ vector: SliceVector, _ cuts: inout [Cut]) {
        let domain = quotes[slice].domain
        func bound(_ place: Int, _ sign: Double, _ value: Double) {
            var unit = SliceVector.zero
            unit[place] = sign
            cuts.append(Cut(slice: slice, own: unit, value: max(0, value)))
        }
        let steepest = SliceDomain.steepest
        bound(1, 1, vector[1])
        bound(2, 1, vector[2])
        bound(1, -1, steepest - vector[1])
        bound(2, -1, steepest - vector[2])
        bound(3, 1, vector[3] - domain.lowM)
        bound(3, -1, domain.highM - vector[3])
        bound(4, 1, vector[4] - domain.lowLogSigma)
        bound(4, -1, domain.highLogSigma - vector[4])
        let scale = 1 / quotes[slice].scale
        let sigma = exp(vector[4])
        let (p, c) = (max(vector[1], 1e-14), max(vector[2], 1e-14))
        let root = (p * c).squareRoot()
        let own = SliceVector(1, 0.5 * sigma * root / p, 0.5 * sigma * root / c, 0, sigma * root, 0, 0, 0)
        cuts.append(
            Cut(
                slice: slice, own: scale * own,
                value: scale * (vector[0] + sigma * root - domain.leastVariance * (1 + 1e-9))))
    }
}
