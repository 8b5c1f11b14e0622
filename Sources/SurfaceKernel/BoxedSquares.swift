import VectorMath

extension SliceKernel {
    /// Another m and ln σ with a and the slopes that fit best there, each quote's loss taken as quadratic in its variance,
    /// as around the slice it nearly is: least squares in three unknowns, the slopes in a box.
    @inlinable
    static func refitted(
        _ quotes: QuoteColumns, _ vector: SliceVector, sigma oldSigma: Double, to m: Double,
        logSigma: Double, sigma: Double
    ) -> SliceVector {
        let (a, p, c) = (Eight<A>(vector[0]), Eight<A>(vector[1]), Eight<A>(vector[2]))
        let (oldM, oldSquare) = (Eight<A>(vector[3]), Eight<A>(oldSigma * oldSigma))
        let (newM, square) = (Eight<A>(m), Eight<A>(sigma * sigma))
        let perYear = Eight<A>(1 / quotes.years)
        let half = Eight<A>(0.5)
        var s1 = Eight<A>.zero
        var (sl, su, sll, slu, suu) = (s1, s1, s1, s1, s1)
        var (y1, yl, yu) = (s1, s1, s1)
        for place in 0..<quotes.blockCount {
            let block = quotes.blocks[place]
            let oldX = Eight<A>(block.moneyness) - oldM
            let oldReach = oldSquare.plus(oldX, oldX).squareRoot()
            let w = a + half * (p * (oldReach - oldX) + c * (oldReach + oldX))
            let volatility = (w * perYear).squareRoot()
            var stiffness = Eight<A>(block.middleWeight)
            var pull = stiffness * (volatility - Eight(block.mid))
            if quotes.hasBands {
                let above = (volatility - Eight(block.ask)).larger(.zero)
                let below = (Eight(block.bid) - volatility).larger(.zero)
                let weight = Eight<A>(block.bandWeight)
                pull += weight * (above - below)
                stiffness += weight.kept(where: (above + below).isPositive)
            }
            stiffness = stiffness * volatility - pull
            // Half of the second derivative by w, and the least place of that parabola.
            let weight = stiffness / (w * volatility)
            let shift = (Eight(2) * pull / stiffness).smaller(Eight(0.75))
            let y = (w - w * shift).kept(where: stiffness.isPositive)
            let x = Eight<A>(block.moneyness) - newM
            let reach = square.plus(x, x).squareRoot()
            let (left, right) = (half * (reach - x), half * (reach + x))
            let (wl, wr, wy) = (weight * left, weight * right, weight * y)
            s1 += weight
            sl += wl
            su += wr
            sll.add(wl, left)
            slu.add(wl, right)
            suu.add(wr, right)
            y1 += wy
            yl.add(wy, left)
            yu.add(wy, right)
        }
        let moments = BoxedSquares(
            Eight.sums(s1, sl, su, sll, slu, suu, y1, yl).lanes, targetRight: yu.lanes.pairedSum)
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
