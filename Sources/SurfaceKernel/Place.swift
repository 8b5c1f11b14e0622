import VectorMath

/// A step of m and ln σ.
@usableFromInline
struct Move {
    @usableFromInline var m = 0.0
    @usableFromInline var logSigma = 0.0
    /// How long it is with m measured by σ.
    @usableFromInline var length = 0.0

    @inlinable
    init(m: Double, logSigma: Double, length: Double) {
        self.m = m
        self.logSigma = logSigma
        self.length = length
    }
}

/// A slice with its loss, and what a and the slopes leave of it.
@usableFromInline
struct Place<A: SliceArithmetic> {
    @usableFromInline let vector: SliceVector
    /// Its σ.
    @usableFromInline let sigma: Double
    @usableFromInline let expansion: LossExpansion
    /// The lower triangle of the factor for a and the slopes, its diagonal inverted; those that a bound holds have a row of their own.
    @usableFromInline let factor: (Double, Double, Double, Double, Double, Double)
    /// L⁻¹ times gradient, and times the mixed derivatives by m and by ln σ.
    @usableFromInline let pull, byM, byLogSigma: SIMD4<Double>

    @inlinable
    init(_ quotes: QuoteColumns, _ vector: SliceVector, sigma: Double) {
        self.vector = vector
        self.sigma = sigma
        expansion = SliceKernel<A>.expansion(quotes, vector, sigma: sigma, isExact: true)
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
        let i00 = 1 / root(rows[0][0], of: rows[0][0])
        let l10 = left * rows[1][0] * i00
        let i11 = holdsLeft ? 1 : 1 / root(rows[1][1] - l10 * l10, of: rows[1][1])
        let l20 = right * rows[2][0] * i00
        let l21 = holdsRight ? 0 : (left * rows[2][1] - l20 * l10) * i11
        let i22 = holdsRight ? 1 : 1 / root(rows[2][2] - l20 * l20 - l21 * l21, of: rows[2][2])
        func solved(_ x: Double, _ y: Double, _ z: Double) -> SIMD4<Double> {
            let first = x * i00
            let second = (left * y - l10 * first) * i11
            return SIMD4(first, second, (right * z - l20 * first - l21 * second) * i22, 0)
        }
        factor = (i00, l10, i11, l20, l21, i22)
        pull = solved(gradient[0], gradient[1], gradient[2])
        byM = solved(rows[3][0], rows[3][1], rows[3][2])
        byLogSigma = solved(rows[4][0], rows[4][1], rows[4][2])
    }

    /// Whether there is a loss at all.
    @inlinable var hasLoss: Bool { expansion.value < .infinity }

    /// Whether m and σ are nearly those of another slice.
    @inlinable
    func isNear(_ other: SliceVector) -> Bool {
        let apart = other - vector
        return apart[4].magnitude < 0.05 && apart[3].magnitude < 0.05 * sigma
    }

    /// What a and the slopes would gain by themselves, and the loss after that.
    @inlinable var gain: Double { 0.5 * (pull * pull).sum() }
    @inlinable var projected: Double { expansion.value - gain }

    /// The step of m and ln σ, no longer than `reach`, and what it should gain.
    ///
    /// Newton's, with the absolute values of the two curvatures: along a direction in which the loss bends down it goes
    /// down, too.
    @inlinable
    func step(within reach: Double, _ domain: SliceDomain) -> (Move, gain: Double) {
        let unit = max(sigma, 0.01 * (domain.highM - domain.lowM))
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
    @inlinable
    func clamped(_ move: Move, _ domain: SliceDomain) -> (m: Double, logSigma: Double) {
        (
            min(max(vector[3] + move.m, domain.lowM), domain.highM),
            min(max(vector[4] + move.logSigma, domain.lowLogSigma), domain.highLogSigma)
        )
    }

    /// The slice with a and the slopes where their curvature says, within the bounds.
    @inlinable
    func settled(_ quotes: QuoteColumns) -> SliceVector {
        let c = pull[2] * factor.5
        let p = (pull[1] - factor.4 * c) * factor.2
        let a = (pull[0] - factor.1 * p - factor.3 * c) * factor.0
        return quotes.domain.clamped(vector - SliceVector(a, p, c, 0, 0, 0, 0, 0))
    }

    /// Newton's step in all five parameters and what it should gain; nil where the loss does not bend up.
    ///
    /// a and the slopes are factored already; m and ln σ are what is left, two by two. What a bound holds stays.
    @inlinable
    func wholeStep(_ domain: SliceDomain) -> (SliceVector, gain: Double)? {
        let gradient = expansion.gradient
        var gm = gradient[3] - (byM * pull).sum()
        var gs = gradient[4] - (byLogSigma * pull).sum()
        let rows = expansion.hessian
        let mm = rows[3][3] - (byM * byM).sum()
        var ms = rows[3][4] - (byM * byLogSigma).sum()
        let ss = rows[4][4] - (byLogSigma * byLogSigma).sum()
        if (vector[3] <= domain.lowM && gm > 0) || (vector[3] >= domain.highM && gm < 0) { (gm, ms) = (0, 0) }
        if (vector[4] <= domain.lowLogSigma && gs > 0) || (vector[4] >= domain.highLogSigma && gs < 0) {
            (gs, ms) = (0, 0)
        }
        let determinant = mm * ss - ms * ms
        guard mm > 0, determinant > 1e-10 * mm * ss else { return nil }
        let inverse = 1 / determinant
        let dm = (gs * ms - gm * ss) * inverse
        let ds = (gm * ms - gs * mm) * inverse
        let rest = pull + dm * byM + ds * byLogSigma
        let c = rest[2] * factor.5
        let p = (rest[1] - factor.4 * c) * factor.2
        let a = (rest[0] - factor.1 * p - factor.3 * c) * factor.0
        return (SliceVector(-a, -p, -c, dm, ds, 0, 0, 0), gain - 0.5 * (gm * dm + gs * ds))
    }
}
