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
package struct ConstrainedFit {
    package var quotes: [QuoteLanes]
    package let rule: ArbitrageRule
    /// The least g and the least gap (by the later slice's variance about the money) that are asked for: above 0, so that
    /// the certificates have room.
    private static let margin = 1e-8

    /// How much steeper a later wing is: so that the least gap is not infinitely far out.
    private static let slopeMargin = 1e-7
    /// What may be left of a violation, less than the margin.
    package static let tolerance = 5e-9

    package private(set) var vectors: [SliceVector]
    package private(set) var loss = Double.infinity
    package private(set) var violation = Double.infinity
    package private(set) var iterations = 0
    /// Whether the last run ended where less than 1e-6 of the loss was to be gained.
    package private(set) var isDone = false
    private var problem = StepProblem()
    private var expansions: [LossExpansion] = []
    // Room that is used again: slices and cuts of the present place and of one that is tried.
    private var trial: [SliceVector] = []
    private var cuts: [Cut] = []
    private var trialCuts: [Cut] = []
    private var correctedCuts: [Cut] = []
    private var bentCuts: [Cut] = []
    /// Cuts that held with equality at the last step, with their multipliers.
    private var held: [Cut] = []
    private var steps: [SliceVector] = []
    /// What the conditions bend by, times their multipliers.
    private var bends: [InlineArray<5, Lanes>] = []

    package init(_ quotes: [QuoteLanes], rule: ArbitrageRule, from vectors: [SliceVector]) {
        self.quotes = quotes
        self.rule = rule
        self.vectors = zip(vectors, quotes).map { Self.inside($0.0, $0.1) }
        let room = 48 * vectors.count
        cuts.reserveCapacity(room)
        trialCuts.reserveCapacity(room)
        correctedCuts.reserveCapacity(room)
        bentCuts.reserveCapacity(room)
        held.reserveCapacity(room)
        trial.reserveCapacity(vectors.count)
        steps.reserveCapacity(vectors.count)
        bends.reserveCapacity(vectors.count)
        expansions.reserveCapacity(vectors.count)
        problem.reserve(cuts: room, slices: vectors.count)
    }

    /// Within the box, and nowhere below the least variance.
    private static func inside(_ vector: SliceVector, _ quotes: QuoteLanes) -> SliceVector {
        var result = quotes.clamped(vector)
        let least = result[0] + exp(result[4]) * (result[1] * result[2]).squareRoot()
        if !(least >= quotes.domain.leastVariance) { result[0] += quotes.domain.leastVariance - least }
        return result
    }

    /// Starts anew from other slices.
    package mutating func restart(from start: [SliceVector]) {
        for slice in vectors.indices { vectors[slice] = Self.inside(start[slice], quotes[slice]) }
        held.removeAll(keepingCapacity: true)
    }

    /// One slice moved by hand.
    package mutating func set(_ vector: SliceVector, _ slice: Int) { vectors[slice] = vector }

    private func lossOf(_ vectors: [SliceVector]) -> Double {
        var sum = 0.0
        for slice in vectors.indices { sum += quotes[slice].loss(vectors[slice]) }
        return sum
    }

    /// Moves until nothing is gained any more and no condition is broken.
    ///
    /// - Parameter isWarm: whether the start is nearly there, so that one step with nothing to gain is enough.
    package mutating func run(most: Int = 100, isWarm: Bool = false) {
        move(most, isWarm: isWarm)
        if violation > Self.tolerance { restore(most: isWarm ? 6 : 40) }
        guard rule == .none, violation > 0 else { return }
        // A slice that ends a little below the least variance is lifted.
        for slice in vectors.indices { vectors[slice] = Self.inside(vectors[slice], quotes[slice]) }
        loss = lossOf(vectors)
        recollect()
        violation = broken(cuts)
    }

    /// Whole steps to where the conditions hold, whatever the loss: Newton's method for what is left of them.
    private mutating func restore(most: Int) {
        var damping = 1e-6
        for _ in 0..<most where violation > 0.5 * Self.tolerance {
            guard expand(&damping) else { return }
            expectMultipliers()
            problem.solve(cuts)
            noteMultipliers()
            var share = 1.0
            var isBetter = false
            while !isBetter, share > 0.01 {
                if let found = tried(share), case let left = broken(trialCuts), left < violation {
                    accept(found, left)
                    isBetter = true
                }
                share *= 0.5
            }
            if !isBetter { damping *= 100 }
            if damping > 1e4 { return }
        }
    }

    /// The loss after a share of the step, with `trial` and `trialCuts`; nil where there is none.
    private mutating func tried(_ share: Double) -> Double? {
        trial.removeAll(keepingCapacity: true)
        for slice in vectors.indices {
            trial.append(quotes[slice].clamped(vectors[slice] + share * problem.steps[slice]))
        }
        for (slice, vector) in trial.enumerated() {
            let least = vector[0] + exp(vector[4]) * (max(0, vector[1]) * max(0, vector[2])).squareRoot()
            // Half of the least variance is still a curve; the rest is a matter of cuts.
            guard least > 0.5 * quotes[slice].domain.leastVariance, vector[4] > -40, vector[4] < 40 else {
                return nil
            }
        }
        let loss = lossOf(trial)
        guard loss < .infinity else { return nil }
        // Taken out, so that the array is one's own and its room is used again.
        var cuts: [Cut] = []
        swap(&cuts, &trialCuts)
        collect(trial, &cuts)
        swap(&cuts, &trialCuts)
        return loss
    }

    /// A whole step again, with the conditions as they are at its end: curved ones are broken there by as much as the step
    /// gains, so that whole steps would be refused however near the solution is (Maratos).
    private mutating func corrected(below bound: Double, _ price: Double) -> Bool {
        steps.removeAll(keepingCapacity: true)
        steps.append(contentsOf: problem.steps)
        correctedCuts.removeAll(keepingCapacity: true)
        for var cut in trialCuts {
            cut.value -= (cut.own * steps[cut.slice]).sum()
            if cut.hasBefore { cut.value -= (cut.before * steps[cut.slice - 1]).sum() }
            correctedCuts.append(cut)
        }
        for cut in bentCuts where cut.stiffness > 0 { correctedCuts.append(cut) }
        problem.solve(correctedCuts)
        if let found = tried(1), case let left = broken(trialCuts), found + price * left < bound {
            accept(found, left)
            return true
        }
        problem.setSteps(steps)
        return false
    }

    /// The quadratic models with the second derivatives of the conditions that hold with equality, by the multipliers
    /// found: Newton's method for the whole problem, where the losses' own curvature would creep along curved conditions.
    ///
    /// - Returns: false where nothing is to be changed, or where a slice's model has no minimum: the problem then lacks it.
    private mutating func bendSteps(_ damping: Double) -> Bool {
        bends.removeAll(keepingCapacity: true)
        for _ in vectors { bends.append(InlineArray(repeating: .zero)) }
        bentCuts.removeAll(keepingCapacity: true)
        bentCuts.append(contentsOf: cuts)
        var isAny = false
        for cut in cuts where cut.multiplier > 0 {
            let multiplier = cut.multiplier
            switch cut.kind {
            case .linear: continue
            case .durrleman(let k):
                let hessian = SVISlice(vectors[cut.slice]).leastDurrlemanHessian(near: k)
                for i in 0..<5 { bends[cut.slice][i] -= multiplier * hessian[i] }
            case .gap(let k, let scale):
                let (earlier, later) = (SVISlice(vectors[cut.slice - 1]), SVISlice(vectors[cut.slice]))
                let (below, above) = (earlier.varianceHessian(at: k), later.varianceHessian(at: k))
                let bend = later[k].curvature - earlier[k].curvature
                let (lower, upper) = (earlier.sensitivities(at: k).slope, later.sensitivities(at: k).slope)
                let factor = multiplier * scale
                for i in 0..<5 {
                    bends[cut.slice][i] -= factor * above[i]
                    bends[cut.slice - 1][i] += factor * below[i]
                }
                // What the least place's own move takes off is one with both slices in it.
                guard bend > 0 else { break }
                bentCuts.append(
                    Cut(
                        slice: cut.slice, hasBefore: true, own: upper, before: -lower, value: 0,
                        stiffness: factor / bend))
            }
            isAny = true
        }
        guard isAny else { return false }
        problem.removeAll()
        for slice in vectors.indices {
            let expansion = expansions[slice]
            var hessian = expansion.hessian
            for i in 0..<5 { hessian[i] += bends[slice][i] }
            var own = damping
            if problem.add(gradient: expansion.gradient, hessian: hessian, damping: own) { continue }
            // As much of the bend as leaves a minimum.
            var share = 0.5
            var isDone = false
            while !isDone, share > 0.05 {
                for i in 0..<5 { hessian[i] = expansion.hessian[i] + share * bends[slice][i] }
                isDone = problem.add(gradient: expansion.gradient, hessian: hessian, damping: own)
                share *= 0.5
            }
            while !isDone, own < 1e12 {
                isDone = problem.add(gradient: expansion.gradient, hessian: expansion.hessian, damping: own)
                own = max(own * 100, 1e-9)
            }
            if !isDone { return false }
        }
        return true
    }

    private mutating func accept(_ found: Double, _ left: Double) {
        swap(&vectors, &trial)
        swap(&cuts, &trialCuts)
        (loss, violation) = (found, left)
    }

    private mutating func move(_ most: Int, isWarm: Bool) {
        var damping = 0.0
        var price = 0.0
        loss = lossOf(vectors)
        recollect()
        violation = broken(cuts)
        var quiet = 0
        iterations = 0
        while iterations < most {
            iterations += 1
            guard expand(&damping) else { return }
            expectMultipliers()
            bentCuts.removeAll(keepingCapacity: true)
            if rule != .none, !held.isEmpty, bendSteps(damping) {
                problem.solve(bentCuts)
            } else {
                if problem.count < vectors.count { guard expand(&damping) else { return } }
                problem.solve(cuts)
            }
            noteMultipliers()
            let steepest = steepest()
            price = max(price * 0.5, 2 * steepest)
            let before = loss + price * violation
            let gain = expectedGain() + price * violation
            isDone = gain <= 3e-7 * loss + 1e-22 && violation <= Self.tolerance
            if isWarm, isDone { return }
            var isAccepted = false
            var share = 1.0
            for attempt in 0..<5 {
                if let found = tried(share) {
                    let left = broken(trialCuts)
                    let after = found + price * left
                    if after < before - 1e-4 * share * max(gain, 0)
                        || (attempt == 0 && gain <= 1e-13 * loss && left <= violation)
                    {
                        accept(found, left)
                        isAccepted = true
                        break
                    }
                    if attempt == 0, rule != .none, left > violation,
                        corrected(below: before - 1e-4 * max(gain, 0), price)
                    {
                        isAccepted = true
                        break
                    }
                }
                share *= 0.4
            }
            if isAccepted {
                damping = share == 1 ? (damping > 1e-7 ? damping * 0.2 : 0) : max(2 * damping, 2e-5)
            } else {
                damping = max(damping * 10, 1e-4)
                if damping > 1e6 { return }
            }
            // Along a ridge little is gained for long; on exact quotes the loss itself goes to 0.
            quiet = gain <= 1e-7 * loss + 1e-22 ? quiet + (gain <= 1e-10 * loss + 1e-22 ? 4 : 1) : 0
            if quiet >= 8 { return }
        }
    }

    /// Multipliers of the last step for the present cuts: those of the same kind, slice and, nearly, strike.
    private mutating func expectMultipliers() {
        for one in held {
            var best = -1
            var nearest = 0.3
            for (j, cut) in cuts.enumerated() where cut.slice == one.slice {
                let distance: Double
                switch (cut.kind, one.kind) {
                case (.linear, .linear):
                    let isSame = cut.hasBefore == one.hasBefore && (cut.own * one.own).sum() > 0
                    distance = isSame && (cut.own .!= 0) == (one.own .!= 0) ? 0 : 1
                case (.durrleman(let k), .durrleman(let other)), (.gap(let k, _), .gap(let other, _)):
                    distance = (k - other).magnitude / exp(vectors[cut.slice][4])
                default: distance = 1
                }
                if distance < nearest { (nearest, best) = (distance, j) }
            }
            if best >= 0 { cuts[best].multiplier = one.multiplier }
        }
    }

    private mutating func noteMultipliers() {
        held.removeAll(keepingCapacity: true)
        for j in cuts.indices where problem.multipliers[j] > 0 {
            var one = cuts[j]
            one.multiplier = problem.multipliers[j]
            held.append(one)
        }
    }

    /// The largest multiplier of a condition.
    private func steepest() -> Double {
        var result = 0.0
        for j in cuts.indices { result = max(result, problem.multipliers[j]) }
        return result
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

    private mutating func expand(_ damping: inout Double) -> Bool {
        problem.removeAll()
        expansions.removeAll(keepingCapacity: true)
        for (slice, vector) in vectors.enumerated() {
            var expansion = quotes[slice].expansion(vector, isExact: true)
            if problem.add(gradient: expansion.gradient, hessian: expansion.hessian, damping: damping) {
                expansions.append(expansion)
                continue
            }
            expansion = quotes[slice].expansion(vector, isExact: false)
            expansions.append(expansion)
            var own = max(damping, 1e-9)
            while !problem.add(gradient: expansion.gradient, hessian: expansion.hessian, damping: own) {
                own *= 100
                if !(own < 1e12) { return false }
            }
        }
        return true
    }

    private func broken(_ cuts: [Cut]) -> Double {
        var sum = 0.0
        for cut in cuts where cut.value < 0 { sum -= cut.value }
        return sum
    }

    /// The cuts of the present place.
    private mutating func recollect() {
        var own: [Cut] = []
        swap(&own, &cuts)
        collect(vectors, &own)
        swap(&own, &cuts)
    }

    private func collect(_ vectors: [SliceVector], _ cuts: inout [Cut]) {
        cuts.removeAll(keepingCapacity: true)
        for (slice, vector) in vectors.enumerated() { addOwn(slice, vector, &cuts) }
        guard rule != .none else { return }
        for (slice, vector) in vectors.enumerated() {
            let curve = SVISlice(vector)
            SmileScan.leastDurrleman(curve, below: 0.15) { k, g in
                cuts.append(
                    Cut(
                        slice: slice, own: curve.durrlemanSensitivity(at: k), value: g - Self.margin,
                        kind: .durrleman(k: k)))
            }
        }
        guard rule == .full else { return }
        for slice in 1..<max(1, vectors.count) {
            let (earlier, later) = (SVISlice(vectors[slice - 1]), SVISlice(vectors[slice]))
            let scale = 1 / quotes[slice].scale
            SmileScan.leastGap(earlier, later, below: 0.3 * quotes[slice].scale) { k, gap in
                cuts.append(
                    Cut(
                        slice: slice, hasBefore: true, own: scale * later.sensitivities(at: k).variance,
                        before: -scale * earlier.sensitivities(at: k).variance,
                        value: gap * scale - Self.margin, kind: .gap(k: k, scale: scale)))
            }
            for wing in 1...2 {
                var unit = SliceVector.zero
                unit[wing] = 1
                cuts.append(
                    Cut(
                        slice: slice, hasBefore: true, own: unit, before: -unit,
                        value: vectors[slice][wing] - vectors[slice - 1][wing] - Self.slopeMargin))
            }
        }
    }

    /// The box, and the least variance.
    private func addOwn(_ slice: Int, _ vector: SliceVector, _ cuts: inout [Cut]) {
        let domain = quotes[slice].domain
        func bound(_ place: Int, _ sign: Double, _ value: Double) {
            var unit = SliceVector.zero
            unit[place] = sign
            cuts.append(Cut(slice: slice, own: unit, value: max(0, value)))
        }
        // Steps are cut off at the box: those that are far from it need no condition.
        let steepest = SliceDomain.steepest
        for wing in 1...2 {
            if vector[wing] < 0.2 { bound(wing, 1, vector[wing]) }
            if vector[wing] > 1.5 { bound(wing, -1, steepest - vector[wing]) }
        }
        let range = domain.highM - domain.lowM
        if vector[3] < domain.lowM + 0.2 * range { bound(3, 1, vector[3] - domain.lowM) }
        if vector[3] > domain.highM - 0.2 * range { bound(3, -1, domain.highM - vector[3]) }
        if vector[4] < domain.lowLogSigma + 1.5 { bound(4, 1, vector[4] - domain.lowLogSigma) }
        if vector[4] > domain.highLogSigma - 1.5 { bound(4, -1, domain.highLogSigma - vector[4]) }
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
