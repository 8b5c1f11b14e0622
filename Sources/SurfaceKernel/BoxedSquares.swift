import VectorMath

extension SliceKernel {
    /// Another m and ln σ with a and the slopes that fit best there, each quote's loss taken as quadratic in its variance,
    /// as around the slice it nearly is: least squares in three unknowns, the slopes in a box.
    @inlinable
    static func refitted(
        _ quotes: QuoteColumns, _ vector: SliceVector, sigma oldSigma: Double, to m: Double,
        logSigma: Double, sigma: Double
    ) -> SliceVector {
        let (a, p, c) = (
            Lanes(repeating: vector[0]), Lanes(repeating: vector[1]), Lanes(repeating: vector[2])
        )
        let (oldM, oldSquare) = (Lanes(repeating: vector[3]), Lanes(repeating: oldSigma * oldSigma))
        let (newM, square) = (Lanes(repeating: m), Lanes(repeating: sigma * sigma))
        let perYear = Lanes(repeating: 1 / quotes.years)
        let half = Lanes(repeating: 0.5)
        var (s1, sl, su, sll, slu, suu) = (
            Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero
        )
        var (y1, yl, yu) = (Lanes.zero, Lanes.zero, Lanes.zero)
        for place in 0..<quotes.blockCount {
            let block = quotes.blocks[place]
            let oldX = block.moneyness - oldM
            let oldReach = A.squareRoot(A.multiplyAdd(oldX, oldX, oldSquare))
            let w = a + half * (p * (oldReach - oldX) + c * (oldReach + oldX))
            let volatility = A.squareRoot(w * perYear)
            var pull = block.middleWeight * (volatility - block.mid)
            var stiffness = block.middleWeight
            if quotes.hasBands {
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
            let x = block.moneyness - newM
            let reach = A.squareRoot(A.multiplyAdd(x, x, square))
            let (left, right) = (half * (reach - x), half * (reach + x))
            let (wl, wr, wy) = (weight * left, weight * right, weight * y)
            s1 += weight
            sl += wl
            su += wr
            sll = A.multiplyAdd(wl, left, sll)
            slu = A.multiplyAdd(wl, right, slu)
            suu = A.multiplyAdd(wr, right, suu)
            y1 += wy
            yl = A.multiplyAdd(wy, left, yl)
            yu = A.multiplyAdd(wy, right, yu)
        }
        let moments = BoxedSquares(sums(s1, sl, su, sll, slu, suu, y1, yl), targetRight: yu.pairedSum)
        let best = moments.solved(most: SliceDomain.steepest)
        return SliceVector(best.a, best.left, best.right, m, logSigma, 0, 0, 0)
    }
}

/// Sums of a weighted least-squares problem y ≈ a + p·left + c·right.
@usableFromInline
struct BoxedSquares {
    @usableFromInline let weight, left, right, leftLeft, leftRight, rightRight, target, targetLeft,
        targetRight: Double

    @inlinable @inline(__always)
    init(_ first: Lanes, targetRight: Double) {
        weight = first[0]
        left = first[1]
        right = first[2]
        leftLeft = first[3]
        leftRight = first[4]
        rightRight = first[5]
        target = first[6]
        targetLeft = first[7]
        self.targetRight = targetRight
    }

    /// The best a, and p and c within [0, most]: inside, or on the best of the four edges.
    @inlinable @inline(__always)
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
            for side in 0..<2 {
                let edge = side == 0 ? 0 : most
                consider(edge, min(max((yr - edge * lr) / rr, 0), most))
                consider(min(max((yl - edge * lr) / ll, 0), most), edge)
            }
        }
        return ((target - p * left - c * right) * inverse, p, c)
    }
}
