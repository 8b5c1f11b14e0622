import VectorMath

extension PathBlock {
    /// Fills highs and lows: of Brownian bridges in the logarithm between the ends of each step, with the variance
    /// of the step.
    ///
    /// - Method: given its ends a and b, the maximum of a bridge with variance v is
    ///   (a + b + √((b − a)² − 2v ln U))/2. Maximum and minimum are drawn independently of each other, which
    ///   each alone they are exactly; together they are not.
    func bridgeRanges(_ stepYears: Double, seed: UInt64, firstPath: UInt32) {
        let stream = RandomStream(seed: seed, stream: PathStream.ranges)
        let half = Lanes(repeating: 0.5)
        let one = Lanes(repeating: 1)
        for step in 0..<steps {
            let (u, w) = stream.uniforms(firstPath: firstPath, step: UInt32(step))
            let (start, end) = (spot[step], spot[step + 1])
            let move = logarithmOfRatio(PortableArithmetic.self, end, start)
            let scale = variance[step] * Lanes(repeating: -2 * stepYears)
            func reach(_ uniform: Lanes) -> Lanes {
                let bridge = logarithmOfRatio(PortableArithmetic.self, uniform, one) * scale
                return PortableArithmetic.squareRoot(move * move + bridge)
            }
            let top = exponential(PortableArithmetic.self, (move + reach(u)) * half)
            let bottom = exponential(PortableArithmetic.self, (move - reach(w)) * half)
            let (higher, lower) = (start * top, start * bottom)
            // Rounding must not leave an end outside.
            high[step] = start.larger(end).larger(higher)
            low[step] = start.smaller(end).smaller(lower)
        }
    }
}
