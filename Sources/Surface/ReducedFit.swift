import CKernels
import Foundation
import VectorMath

/// The fit of one slice without conditions on its butterflies: Newton's method in m and ln σ alone, the rest of the slice
/// following them (variable projection).
///
/// With m and σ fixed the loss is convex in a and the wings' slopes, whatever the quotes: its Hessian there always has a
/// Cholesky factor. What is left of the Hessian for m and ln σ is two by two, so that ridges and saddles, along which five
/// parameters are all but interchangeable, are dealt with in closed form.
struct ReducedFit {
    private let quotes: QuoteLanes
    private var place: Place
    /// How far m, by σ, and ln σ go in a step.
    private var reach = 1.0
    /// How often the loss was computed with its derivatives.
    private(set) var evaluations = 1
    /// Below this nothing is gained but roundings.
    private let least: Double

    /// Nil where the loss has no value at the start.
    init?(_ quotes: QuoteLanes, from start: SliceVector) {
        self.quotes = quotes
        guard let place = Place(quotes, quotes.clamped(start)) else { return nil }
        self.place = place
        least = 1e-27 * place.expansion.hessian[0][0] * quotes.scale * quotes.scale
    }

    var vector: SliceVector { place.vector }
    var loss: Double { place.expansion.value }

    /// Moves until less than 1e-10 of the loss is to be gained.
    ///
    /// - Parameter best: a fit that this one gives way to once it is as good as there, but not better, or where four times
    ///   what the next step should gain would leave it worse.
    mutating func run(most: Int = 100, unlessAt best: (vector: SliceVector, loss: Double)? = nil) {
        for round in 0..<most {
            if let best, place.isNear(best.vector), place.projected >= best.loss * (1 - 1e-9) { return }
            let enough = 1e-10 * place.expansion.value + least
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
            if let next = evaluated(quotes.refitted(place.vector, to: place.clamped(move, quotes.domain))),
                next.projected <= place.projected - 1e-4 * gain
            {
                let gained = place.projected - next.projected
                if gained > 0.5 * gain { reach = max(reach, min(2, 3 * move.length)) }
                place = next
                // Newton's steps square what is left: after one that did as foreseen there is nothing more to gain.
                if gain <= 1e-5 * place.projected, abs(gained - gain) <= 0.1 * gain {
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
    private mutating func finish() {
        let enough = 1e-10 * place.expansion.value + least
        if place.gain > enough, let next = evaluated(place.settled(quotes)), next.expansion.value <= loss {
            place = next
        }
    }

    private mutating func evaluated(_ vector: SliceVector) -> Place? {
        evaluations += 1
        return Place(quotes, vector)
    }

    /// A step of a and the slopes alone, halved until it gains.
    private mutating func settled() -> Place? {
        let whole = place.settled(quotes) - place.vector
        var share = 1.0
        for _ in 0..<8 {
            if let next = evaluated(place.vector + share * whole), next.expansion.value < loss { return next }
            share *= 0.5
        }
        // At a slope's bound that direction may lead up; least squares keep the bound.
        let refitted = quotes.refitted(place.vector, to: (place.vector[3], place.vector[4]))
        if let next = evaluated(refitted), next.expansion.value < loss { return next }
        return nil
    }
}

/// A step of m and ln σ.
private struct Move {
    var m = 0.0
    var logSigma = 0.0
    /// How long it is with m measured by σ.
    var length = 0.0
}

/// A slice with its loss, and what a and the slopes leave of it.
private struct Place {
    let vector: SliceVector
    let expansion: LossExpansion
    /// The lower triangle of the factor for a and the slopes; those that a bound holds have a row of their own.
    private let factor: (Double, Double, Double, Double, Double, Double)
    /// L⁻¹ times gradient, and times the mixed derivatives by m and by ln σ.
    private let pull, byM, byLogSigma: SIMD4<Double>

    init?(_ quotes: QuoteLanes, _ vector: SliceVector) {
        self.vector = vector
        expansion = quotes.expansion(vector, isExact: true)
        guard expansion.value < .infinity else { return nil }
        let (gradient, rows) = (expansion.gradient, expansion.hessian)
        let most = SliceDomain.steepest
        let holdsLeft =
            (vector[1] <= 0 && gradient[1] >= 0) || (vector[1] >= most && gradient[1] <= 0)
        let holdsRight =
            (vector[2] <= 0 && gradient[2] >= 0) || (vector[2] >= most && gradient[2] <= 0)
        let left = holdsLeft ? 0.0 : 1
        let right = holdsRight ? 0.0 : 1
        func root(_ rest: Double, of whole: Double) -> Double {
            max(rest, 1e-14 * whole, .leastNormalMagnitude).squareRoot()
        }
        let l00 = root(rows[0][0], of: rows[0][0])
        let l10 = left * rows[1][0] / l00
        let l11 = holdsLeft ? 1 : root(rows[1][1] - l10 * l10, of: rows[1][1])
        let l20 = right * rows[2][0] / l00
        let l21 = holdsRight ? 0 : (left * rows[2][1] - l20 * l10) / l11
        let l22 = holdsRight ? 1 : root(rows[2][2] - l20 * l20 - l21 * l21, of: rows[2][2])
        func solved(_ x: Double, _ y: Double, _ z: Double) -> SIMD4<Double> {
            let first = x / l00
            let second = (left * y - l10 * first) / l11
            return SIMD4(first, second, (right * z - l20 * first - l21 * second) / l22, 0)
        }
        factor = (l00, l10, l11, l20, l21, l22)
        pull = solved(gradient[0], gradient[1], gradient[2])
        byM = solved(rows[3][0], rows[3][1], rows[3][2])
        byLogSigma = solved(rows[4][0], rows[4][1], rows[4][2])
    }

    /// Whether m and σ are nearly those of another slice.
    func isNear(_ other: SliceVector) -> Bool {
        let apart = other - vector
        return apart[4].magnitude < 0.05 && apart[3].magnitude < 0.05 * exp(vector[4])
    }

    /// What a and the slopes would gain by themselves, and the loss after that.
    var gain: Double { 0.5 * (pull * pull).sum() }
    var projected: Double { expansion.value - gain }

    /// The step of m and ln σ, no longer than `reach`, and what it should gain.
    ///
    /// Newton's, with the absolute values of the two curvatures: along a direction in which the loss bends down it goes
    /// down, too.
    func step(within reach: Double, _ domain: SliceDomain) -> (Move, gain: Double) {
        let unit = max(exp(vector[4]), 0.01 * (domain.highM - domain.lowM))
        let gradient = expansion.gradient
        var gm = (gradient[3] - (byM * pull).sum()) * unit
        var gs = gradient[4] - (byLogSigma * pull).sum()
        let rows = expansion.hessian
        var mm = (rows[3][3] - (byM * byM).sum()) * unit * unit
        var ms = (rows[3][4] - (byM * byLogSigma).sum()) * unit
        var ss = rows[4][4] - (byLogSigma * byLogSigma).sum()
        let largest = max(mm.magnitude, ss.magnitude, ms.magnitude, .leastNormalMagnitude)
        if (vector[3] <= domain.lowM && gm > 0) || (vector[3] >= domain.highM && gm < 0) {
            (gm, mm, ms) = (0, largest, 0)
        }
        if (vector[4] <= domain.lowLogSigma && gs > 0) || (vector[4] >= domain.highLogSigma && gs < 0) {
            (gs, ss, ms) = (0, largest, 0)
        }
        // The two curvatures and their directions.
        let mean = 0.5 * (mm + ss)
        let half = 0.5 * (mm - ss)
        let spread = (half * half + ms * ms).squareRoot()
        let (high, low) = (mean + spread, mean - spread)
        var (x, y) = half >= 0 ? (half + spread, ms) : (ms, spread - half)
        let size = (x * x + y * y).squareRoot()
        (x, y) = size > 0 ? (x / size, y / size) : (1, 0)
        let alongHigh = x * gm + y * gs
        let alongLow = x * gs - y * gm
        let floor = 1e-12 * largest
        var highStep = -alongHigh / max(high.magnitude, floor)
        var lowStep = -alongLow / max(low.magnitude, floor)
        var length = (highStep * highStep + lowStep * lowStep).squareRoot()
        if length > reach {
            // The stiff direction keeps what it needs; a common shift shortens the other.
            var shift = largest * 1e-6
            for _ in 0..<40 where length > reach {
                shift *= 2.5
                highStep = -alongHigh / (max(high.magnitude, floor) + shift)
                lowStep = -alongLow / (max(low.magnitude, floor) + shift)
                length = (highStep * highStep + lowStep * lowStep).squareRoot()
            }
            if length > reach {
                (highStep, lowStep) = (highStep * reach / length, lowStep * reach / length)
                length = reach
            }
        }
        let gain =
            -(alongHigh * highStep + alongLow * lowStep)
            - 0.5 * (high * highStep * highStep + low * lowStep * lowStep)
        let move = Move(
            m: (x * highStep - y * lowStep) * unit, logSigma: y * highStep + x * lowStep, length: length)
        return (move, max(0, gain))
    }

    /// m and ln σ after a step, within the bounds.
    func clamped(_ move: Move, _ domain: SliceDomain) -> (m: Double, logSigma: Double) {
        (
            min(max(vector[3] + move.m, domain.lowM), domain.highM),
            min(max(vector[4] + move.logSigma, domain.lowLogSigma), domain.highLogSigma)
        )
    }

    /// The slice with a and the slopes where their curvature says, within the bounds.
    func settled(_ quotes: QuoteLanes) -> SliceVector {
        let c = pull[2] / factor.5
        let p = (pull[1] - factor.4 * c) / factor.2
        let a = (pull[0] - factor.1 * p - factor.3 * c) / factor.0
        return quotes.clamped(vector - SliceVector(a, p, c, 0, 0, 0, 0, 0))
    }
}

extension QuoteLanes {
    /// Within the box of the domain.
    func clamped(_ vector: SliceVector) -> SliceVector {
        var result = vector
        result[1] = min(max(vector[1], 0), SliceDomain.steepest)
        result[2] = min(max(vector[2], 0), SliceDomain.steepest)
        result[3] = min(max(vector[3], domain.lowM), domain.highM)
        result[4] = min(max(vector[4], domain.lowLogSigma), domain.highLogSigma)
        return result
    }

    /// Another m and ln σ with a and the slopes that fit best there, each quote's loss taken as quadratic in its variance,
    /// as around the slice it nearly is: least squares in three unknowns, the slopes in a box.
    func refitted(_ vector: SliceVector, to place: (m: Double, logSigma: Double)) -> SliceVector {
        let (oldSigma, sigma) = (exp(vector[4]), exp(place.logSigma))
        let (a, p, c) = (
            Lanes(repeating: vector[0]), Lanes(repeating: vector[1]), Lanes(repeating: vector[2])
        )
        let (oldM, oldSquare) = (Lanes(repeating: vector[3]), Lanes(repeating: oldSigma * oldSigma))
        let (m, square) = (Lanes(repeating: place.m), Lanes(repeating: sigma * sigma))
        let perYear = Lanes(repeating: 1 / years)
        let half = Lanes(repeating: 0.5)
        var (s1, sl, su, sll, slu, suu) = (
            Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero
        )
        var (y1, yl, yu) = (Lanes.zero, Lanes.zero, Lanes.zero)
        for block in blocks {
            let oldX = block.moneyness - oldM
            let oldReach = poise_square_root(oldX * oldX + oldSquare)
            let w = a + half * (p * (oldReach - oldX) + c * (oldReach + oldX))
            let volatility = poise_square_root(w * perYear)
            var pull = block.middleWeight * (volatility - block.mid)
            var stiffness = block.middleWeight
            if hasBands {
                let above = (volatility - block.ask).larger(.zero)
                let below = (block.bid - volatility).larger(.zero)
                pull += block.bandWeight * (above - below)
                stiffness += block.bandWeight.kept(where: (above + below) .> .zero)
            }
            stiffness = stiffness * volatility - pull
            // Half of the second derivative by w, and the least place of that parabola.
            let weight = stiffness / (w * volatility)
            let shift = (Lanes(repeating: 2) * pull / stiffness).smaller(Lanes(repeating: 0.75))
            let y = (w - w * shift).kept(where: stiffness .> .zero)
            let x = block.moneyness - m
            let reach = poise_square_root(x * x + square)
            let (left, right) = (half * (reach - x), half * (reach + x))
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
        }
        let moments = BoxedSquares(
            weight: s1.pairedSum, left: sl.pairedSum, right: su.pairedSum, leftLeft: sll.pairedSum,
            leftRight: slu.pairedSum,
            rightRight: suu.pairedSum, target: y1.pairedSum, targetLeft: yl.pairedSum,
            targetRight: yu.pairedSum)
        let best = moments.solved(most: SliceDomain.steepest)
        return SliceVector(best.a, best.left, best.right, place.m, place.logSigma, 0, 0, 0)
    }

    /// Whether no total variance of a slice is below the least one allowed.
    func isHighEnough(_ vector: SliceVector) -> Bool {
        vector[0] + exp(vector[4]) * (vector[1] * vector[2]).squareRoot() >= domain.leastVariance
    }
}

/// Sums of a weighted least-squares problem y ≈ a + p·left + c·right.
private struct BoxedSquares {
    let weight, left, right, leftLeft, leftRight, rightRight, target, targetLeft, targetRight: Double

    /// The best a, and p and c within [0, most]: inside, or on the best of the four edges.
    func solved(most: Double) -> (a: Double, left: Double, right: Double) {
        // Without a: second moments about the means.
        let inverse = 1 / weight
        let ll = leftLeft - left * left * inverse
        let lr = leftRight - left * right * inverse
        let rr = rightRight - right * right * inverse
        let yl = targetLeft - target * left * inverse
        let yr = targetRight - target * right * inverse
        func height(_ p: Double, _ c: Double) -> Double {
            p * (p * ll - 2 * yl) + c * (c * rr - 2 * yr) + 2 * p * c * lr
        }
        let determinant = ll * rr - lr * lr
        var p = (yl * rr - yr * lr) / determinant
        var c = (yr * ll - yl * lr) / determinant
        if !(determinant > 0 && p >= 0 && c >= 0 && p <= most && c <= most) {
            var lowest = Double.infinity
            func consider(_ edgeP: Double, _ edgeC: Double) {
                let found = height(edgeP, edgeC)
                if found < lowest { (lowest, p, c) = (found, edgeP, edgeC) }
            }
            for edge in [0, most] {
                consider(edge, min(max((yr - edge * lr) / rr, 0), most))
                consider(min(max((yl - edge * lr) / ll, 0), most), edge)
            }
        }
        return ((target - p * left - c * right) * inverse, p, c)
    }
}
