import VectorMath

/// The fit of one slice without conditions on its butterflies: Newton's method in m and ln σ alone, the rest of the slice
/// following them (variable projection).
///
/// With m and σ fixed the loss is convex in a and the wings' slopes, whatever the quotes: its Hessian there always has a
/// Cholesky factor. What is left of the Hessian for m and ln σ is two by two, so that ridges and saddles, along which five
/// parameters are all but interchangeable, are dealt with in closed form. From a start that is nearly there, as after a
/// tick, Newton's steps in all five come first: they need no least squares of their own.
public struct SliceFitting<A: SliceArithmetic> {
    @usableFromInline let quotes: QuoteColumns
    @usableFromInline var place: Place<A>
    /// How far m, by σ, and ln σ go in a step.
    @usableFromInline var reach = 1.0
    /// How often the loss was computed with its derivatives.
    @usableFromInline var evaluations = 1
    @usableFromInline var isDone = false
    /// Below this nothing is gained but roundings.
    @usableFromInline let least: Double

    @inlinable
    public static func run(_ quotes: QuoteColumns, _ fit: inout SliceFit) {
        var fitting = SliceFitting(quotes, from: fit.vector)
        if fitting.place.hasLoss {
            if fit.isWarm { fitting.converge() }
            let rival = fit.rivalLoss < .infinity ? (vector: fit.rival, loss: fit.rivalLoss) : nil
            if !fitting.isDone { fitting.run(most: fit.most, unlessAt: rival) }
        }
        fit.vector = fitting.place.vector
        fit.loss = fitting.place.hasLoss ? fitting.loss : .infinity
        fit.evaluations = fitting.evaluations
        fit.isDone = fitting.isDone
    }

    @inlinable
    init(_ quotes: QuoteColumns, from start: SliceVector) {
        self.quotes = quotes
        let start = quotes.domain.clamped(start)
        place = Place(quotes, start, sigma: Self.exponential(start[4]))
        least = 1e-27 * place.stiffness * quotes.scale * quotes.scale
    }

    @inlinable
    static func exponential(_ x: Double) -> Double { VectorMath.exponential(A.self, Lanes(repeating: x))[0] }

    @inlinable var loss: Double { place.loss }

    /// What is left to gain that does not matter.
    @inlinable var enough: Double { 1e-10 * place.loss + least }

    /// Newton's steps in all five parameters for as long as each does as foreseen.
    @inlinable
    mutating func converge() {
        for _ in 0..<8 {
            guard let (move, gain) = place.wholeStep(quotes.domain) else { return }
            if gain <= enough {
                isDone = true
                return
            }
            let next = evaluated(quotes.domain.clamped(place.vector + move))
            guard next.hasLoss, next.loss <= loss - 0.25 * gain else { return }
            let gained = loss - next.loss
            place = next
            // Newton's steps square what is left: after one that did as foreseen there is nothing more to gain.
            if gain <= 1e-6 * loss, (gained - gain).magnitude <= 0.1 * gain {
                isDone = true
                return
            }
        }
    }

    /// Moves until less than 1e-10 of the loss is to be gained.
    ///
    /// - Parameter best: a fit that this one gives way to once it is as good as there, but not better, or where four times
    ///   what the next step should gain would leave it worse.
    @inlinable
    mutating func run(most: Int = 100, unlessAt best: (vector: SliceVector, loss: Double)? = nil) {
        for round in 0..<most {
            if let best, place.isNear(best.vector), place.projected >= best.loss * (1 - 1e-9) { return }
            let (move, gain) = place.step(within: reach, quotes.domain)
            if let best, round >= 2, place.projected - 4 * gain > best.loss { return }
            // Along a ridge m and σ gain little: less than a and the slopes, if those are not where they should be.
            if place.gain > 0.2 * gain, place.gain > enough, let next = settled() {
                place = next
                continue
            }
            if gain <= enough {
                finish()
                return
            }
            let next = refitted(place.clamped(move, quotes.domain))
            if next.hasLoss, next.projected <= place.projected - 1e-4 * gain {
                let gained = place.projected - next.projected
                if gained > 0.5 * gain { reach = max(reach, min(2, 3 * move.length)) }
                place = next
                // Newton's steps square what is left: after one that did as foreseen there is nothing more to gain.
                if gain <= 1e-6 * place.projected, abs(gained - gain) <= 0.1 * gain {
                    finish()
                    return
                }
            } else {
                reach = 0.25 * move.length
                if reach < 1e-12 {
                    finish()
                    return
                }
            }
        }
        finish()
    }

    /// The last step of a and the slopes.
    @inlinable
    mutating func finish() {
        isDone = true
        guard place.gain > enough else { return }
        let next = evaluated(place.settled(quotes))
        if next.hasLoss, next.loss <= loss { place = next }
    }

    @inlinable
    mutating func evaluated(_ vector: SliceVector) -> Place<A> {
        evaluations += 1
        let sigma = vector[4] == place.vector[4] ? place.sigma : Self.exponential(vector[4])
        return Place(quotes, vector, sigma: sigma)
    }

    /// Another m and ln σ with what fits best there.
    @inlinable
    mutating func refitted(_ to: (m: Double, logSigma: Double)) -> Place<A> {
        evaluations += 1
        let sigma = to.logSigma == place.vector[4] ? place.sigma : Self.exponential(to.logSigma)
        let vector = SliceKernel<A>.refitted(
            quotes, place.vector, sigma: place.sigma, to: to.m, logSigma: to.logSigma, sigma: sigma)
        return Place(quotes, vector, sigma: sigma)
    }

    /// A step of a and the slopes alone, halved until it gains.
    @inlinable
    mutating func settled() -> Place<A>? {
        let whole = place.settled(quotes) - place.vector
        var share = 1.0
        for _ in 0..<8 {
            let next = evaluated(place.vector + share * whole)
            if next.hasLoss, next.loss < loss { return next }
            share *= 0.5
        }
        // At a slope's bound that direction may lead up; least squares keep the bound.
        let next = refitted((place.vector[3], place.vector[4]))
        return next.hasLoss && next.loss < loss ? next : nil
    }
}
