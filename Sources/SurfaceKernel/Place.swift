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
    /// The loss, and its second derivative by a.
    @usableFromInline let loss, stiffness: Double
    /// Its derivatives by m and ln σ alone.
    @usableFromInline let gradientM, gradientS, hessianMM, hessianMS, hessianSS: Double
    /// The lower triangle of the factor for a and the slopes, its diagonal inverted; those that a bound holds have a row of their own.
    @usableFromInline let factor: (Double, Double, Double, Double, Double, Double)
    /// L⁻¹ times gradient, and times the mixed derivatives by m and by ln σ.
    @usableFromInline let pull, byM, byLogSigma: SIMD4<Double>

    @inlinable
    init(_ quotes: QuoteColumns, _ vector: SliceVector, sigma: Double) {
        self.vector = vector
        self.sigma = sigma
        let sums = SliceKernel<A>.exactSums(quotes, vector, sigma: sigma)
        let (near, middle, far) = (sums.near, sums.middle, sums.far)
        (loss, stiffness) = (near[0], near[6])
        (gradientM, gradientS) = (near[4], near[5])
        (hessianMM, hessianMS, hessianSS) = (far[2], far[3], far[4])
        let most = SliceDomain.steepest
        let holdsLeft = (vector[1] <= 0 && near[2] >= 0) || (vector[1] >= most && near[2] <= 0)
        let holdsRight = (vector[2] <= 0 && near[3] >= 0) || (vector[2] >= most && near[3] <= 0)
        let left = holdsLeft ? 0.0 : 1
        let right = holdsRight ? 0.0 : 1
        func root(_ rest: Double, of whole: Double) -> Double {
            max(rest, 1e-14 * whole, .leastNormalMagnitude).squareRoot()
        }
        let i00 = 1 / root(near[6], of: near[6])
        let l10 = left * near[7] * i00
        let i11 = holdsLeft ? 1 : 1 / root(middle[3] - l10 * l10, of: middle[3])
        let l20 = right * middle[0] * i00
        let l21 = holdsRight ? 0 : (left * middle[4] - l20 * l10) * i11
        let i22 = holdsRight ? 1 : 1 / root(middle[7] - l20 * l20 - l21 * l21, of: middle[7])
        func solved(_ x: Double, _ y: Double, _ z: Double) -> SIMD4<Double> {
            let first = x * i00
            let second = (left * y - l10 * first) * i11
            return SIMD4(first, second, (right * z - l20 * first - l21 * second) * i22, 0)
        }
        factor = (i00, l10, i11, l20, l21, i22)
        pull = solved(near[1], near[2], near[3])
        byM = solved(middle[1], middle[5], far[0])
        byLogSigma = solved(middle[2], middle[6], far[1])
    }

    /// Whether there is a loss at all.
    @inlinable var hasLoss: Bool { loss < .infinity }

    /// Whether m and σ are nearly those of another slice.
    @inlinable
    func isNear(_ other: SliceVector) -> Bool {
        let apart = other - vector
        return apart[4].magnitude < 0.05 && apart[3].magnitude < 0.05 * sigma
    }

    /// What a and the slopes would gain by themselves, and the loss after that.
    @inlinable var gain: Double { 0.5 * (pull * pull).sum() }
    @inlinable var projected: Double { loss - gain }

    /// The step of m and ln σ, no longer than `reach`, and what it should gain.
    ///
    /// Newton's, with the absolute values of the two curvatures: along a direction in which the loss bends down it goes
    /// down, too.
    @inlinable
    func step(within reach: Double, _ domain: SliceDomain) -> (Move, gain: Double) {
        let unit = max(sigma, 0.01 * (domain.highM - domain.lowM))
        var gm = (gradientM - (byM * pull).sum()) * unit
        var gs = gradientS - (byLogSigma * pull).sum()
        var mm = (hessianMM - (byM * byM).sum()) * unit * unit
        var ms = (hessianMS - (byM * byLogSigma).sum()) * unit
        var ss = hessianSS - (byLogSigma * byLogSigma).sum()
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
            // The stiff direction keeps what it needs; a common shift of the curvatures shortens the other. From one below
            // what is needed Newton's method comes near in two steps.
            // - Source: Moré and Sorensen, Computing a trust region step, 1983.
            let (steep, flat) = (max(high.magnitude, floor), max(low.magnitude, floor))
            var shift = max(alongHigh.magnitude / reach - steep, alongLow.magnitude / reach - flat, 0)
            for _ in 0..<3 {
                let (perHigh, perLow) = (1 / (steep + shift), 1 / (flat + shift))
                (highStep, lowStep) = (-alongHigh * perHigh, -alongLow * perLow)
                let (highSquare, lowSquare) = (highStep * highStep, lowStep * lowStep)
                let square = highSquare + lowSquare
                length = square.squareRoot()
                shift += (length - reach) * square / (reach * (highSquare * perHigh + lowSquare * perLow))
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
        var gm = gradientM - (byM * pull).sum()
        var gs = gradientS - (byLogSigma * pull).sum()
        let mm = hessianMM - (byM * byM).sum()
        var ms = hessianMS - (byM * byLogSigma).sum()
        let ss = hessianSS - (byLogSigma * byLogSigma).sum()
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
