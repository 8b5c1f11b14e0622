import VectorMath

extension PathBlock {
    /// Parts into which a step is cut for its high and low.
    static let rangeParts = 4

    /// Fills highs and lows: of Brownian bridges in the logarithm between the ends of each step, with the
    /// variance of the step.
    ///
    /// - Method: the bridge is drawn at three times inside the step; between them its maximum, given the ends
    ///   a and b and the variance v, is (a + b + √((b − a)² − 2v ln U))/2. Maximum and minimum of a part are
    ///   drawn independently, each exactly; that they are not leaves the expected square of the range within
    ///   0.1% (2.6% if the step were not cut).
    func bridgeRanges(_ stepYears: Double, seed: UInt64, firstPath: UInt32) {
        let arithmetic = PortableArithmetic.self
        let stream = RandomStream(seed: seed, stream: PathStream.ranges)
        let one = Lanes(repeating: 1)
        let half = Lanes(repeating: 0.5)
        for step in 0..<steps {
            let (start, end) = (spot[step], spot[step + 1])
            let move = logarithmOfRatio(arithmetic, end, start)
            let total = variance[step] * Lanes(repeating: stepYears)
            let deviation = arithmetic.squareRoot(total)
            let address = UInt32(step)
            // The middle, then the quarters: a bridge's variance is a quarter of its part's.
            let (first, second) = stream.normals(arithmetic, firstPath: firstPath, step: address)
            let (third, _) = stream.normals(arithmetic, firstPath: firstPath, step: address, draw: 1)
            let middle = half * move + half * deviation * first
            let quarter = Lanes(repeating: 0.125.squareRoot()) * deviation
            let early = half * middle + quarter * second
            let late = half * (middle + move) + quarter * third
            let scale = total * Lanes(repeating: -2 / Double(Self.rangeParts))
            var (top, bottom) = (Lanes.zero.larger(move), Lanes.zero.smaller(move))
            func look(_ a: Lanes, _ b: Lanes, _ draw: UInt32) {
                let (u, w) = stream.uniforms(firstPath: firstPath, step: address, draw: draw)
                let square = (b - a) * (b - a)
                let up = arithmetic.squareRoot(square + scale * logarithmOfRatio(arithmetic, u, one))
                let down = arithmetic.squareRoot(square + scale * logarithmOfRatio(arithmetic, w, one))
                top = top.larger(half * (a + b + up))
                bottom = bottom.smaller(half * (a + b - down))
            }
            look(.zero, early, 2)
            look(early, middle, 3)
            look(middle, late, 4)
            look(late, move, 5)
            // Rounding must not leave an end outside.
            high[step] = start.larger(end).larger(start * exponential(arithmetic, top))
            low[step] = start.smaller(end).smaller(start * exponential(arithmetic, bottom))
        }
    }
}
