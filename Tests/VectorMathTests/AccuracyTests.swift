#if arch(x86_64)
    import Foundation
    import Testing
    import VectorMath

    /// Scalar lane operations, so that the tests judge the method and not an instruction set.
    enum Scalar: LaneArithmetic {
        static func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
            var result = c
            for lane in 0..<8 { result[lane].addProduct(a[lane], b[lane]) }
            return result
        }
        static func productError(_ a: Lanes, _ b: Lanes, _ product: Lanes) -> Lanes {
            multiplyAdd(a, b, -product)
        }
        static func any(_ mask: LaneMask) -> Bool { (0..<8).contains { mask[$0] } }
        static func squareRoot(_ a: Lanes) -> Lanes { a.squareRoot() }
    }

    /// Without fused multiply-add.
    private enum Split: LaneArithmetic {
        static func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes { a * b + c }
        static func productError(_ a: Lanes, _ b: Lanes, _ product: Lanes) -> Lanes {
            splitProductError(a, b, product)
        }
        static func any(_ mask: LaneMask) -> Bool { Scalar.any(mask) }
        static func squareRoot(_ a: Lanes) -> Lanes { a.squareRoot() }
    }

    /// Worst errors against the C library's 80-bit functions.
    struct AccuracyTests {
        /// Eight arguments at a time, from equal steps and from every binade of the range.
        static func arguments(from low: Double, to high: Double) -> [Lanes] {
            var values: [Double] = []
            for step in 0...200_000 { values.append(low + (high - low) * Double(step) / 200_000) }
            var state: UInt64 = 0x2545_F491_4F6C_DD1D
            for exponent in -60...9 {
                for _ in 0..<300 {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    let magnitude = Double(
                        sign: .plus, exponent: exponent, significand: 1 + Double(state >> 12) * 0x1p-52)
                    for value in [magnitude, -magnitude] where value >= low && value <= high {
                        values.append(value)
                    }
                }
            }
            while values.count % 8 != 0 { values.append(low) }
            return stride(from: 0, to: values.count, by: 8).map { Lanes(values[$0..<$0 + 8]) }
        }

        /// Checks a vector function against an oracle, in ulps of the true value over `scale`, which is how
        /// much of its argument's rounding a function passes on.
        static func check(
            _ name: String, limit: Double, _ arguments: [Lanes], scale: (Double) -> Double = { _ in 1 },
            _ function: (Lanes) -> Lanes, oracle: (Float80) -> Float80
        ) {
            var worst: (ulps: Double, at: Double, value: Double) = (0, 0, 0)
            for x in arguments {
                let y = function(x)
                for lane in 0..<8 {
                    let truth = oracle(Float80(x[lane]))
                    guard abs(truth) > 0x1p-1020 else { continue }
                    let ulps = Double(abs(Float80(y[lane]) - truth) / Float80(Double(truth).ulp))
                    let error = ulps / scale(x[lane])
                    if !(error <= worst.ulps) { worst = (error, x[lane], y[lane]) }
                }
            }
            print("\(name): worst \(worst.ulps) ulp at \(worst.at)")
            #expect(worst.ulps <= limit, "\(name)(\(worst.at)) = \(worst.value): \(worst.ulps) ulp")
        }

        @Test("Exponentials are within their bound of the 80-bit oracle")
        func exponentials() {
            let arguments = Self.arguments(from: -707, to: 709)
            Self.check("exponential", limit: 1.1, arguments, { exponential(Scalar.self, $0) }) { exp($0) }
            Self.check("exponential, not fused", limit: 1.3, arguments, { exponential(Split.self, $0) }) {
                exp($0)
            }
            for x in Self.arguments(from: -1, to: 1) {
                let pair = VectorMath.exponentials(Scalar.self, x, -x)
                #expect(pair.0 == exponential(Scalar.self, x) && pair.1 == exponential(Scalar.self, -x))
            }
            let edges = exponential(Scalar.self, [0, -709, -1e300, -.infinity, .nan, -0.0, 1, -1])
            #expect(edges[0] == 1 && edges[1] == 0 && edges[2] == 0 && edges[3] == 0 && edges[4].isNaN)
            #expect(edges[5] == 1)
        }

        /// x² is rounded before it is an exponent.
        static func gaussianScale(_ x: Double) -> Double { 1 + x * x / 2 }

        @Test("Bell curves are within their bound of the 80-bit oracle")
        func gaussians() {
            let arguments = Self.arguments(from: 0, to: 37.5)
            func truth(_ x: Float80) -> Float80 { exp(-x * x / 2) }
            Self.check(
                "gaussian", limit: 1.1, arguments, scale: Self.gaussianScale,
                { gaussian(Scalar.self, $0) }, oracle: truth)
            Self.check(
                "gaussian, not fused", limit: 1.1, arguments, scale: Self.gaussianScale,
                { gaussian(Split.self, $0) }, oracle: truth)
            #expect(gaussian(Scalar.self, Lanes(repeating: 38)) == .zero)
        }

        @Test("Normal tails are within their relative bound, however far out")
        func tails() {
            let arguments = Self.arguments(from: 0, to: 36)
            func truth(_ x: Float80) -> Float80 { erfc(x / Float80(2).squareRoot()) / 2 }
            Self.check(
                "upper tail", limit: 4.5, arguments, scale: Self.gaussianScale,
                { upperTails(Scalar.self, $0, Lanes(repeating: 2), scale: gaussian(Scalar.self, $0)).0 },
                oracle: truth)
            Self.check(
                "upper tail, second", limit: 4.5, arguments, scale: Self.gaussianScale,
                { upperTails(Scalar.self, Lanes(repeating: 9), $0, scale: gaussian(Scalar.self, $0)).1 },
                oracle: truth)
            Self.check(
                "upper tail, not fused", limit: 4.5, arguments, scale: Self.gaussianScale,
                { upperTails(Split.self, $0, $0, scale: gaussian(Split.self, $0)).0 }, oracle: truth)
            let atZero = upperTails(Scalar.self, .zero, .zero, scale: Lanes(repeating: 1))
            #expect(atZero.0 == Lanes(repeating: 0.5) && atZero.1 == Lanes(repeating: 0.5))
        }

        /// Those that count beside the whole: in ulps of the tail where it is large, of 1/30,000 of the whole beyond.
        @Test("Central tails are within their bound of the 80-bit oracle")
        func centralTails() {
            let arguments = Self.arguments(from: -36, to: 36)
            func truth(_ x: Float80) -> Float80 { erfc(abs(x) / Float80(2).squareRoot()) / 2 }
            func scale(_ x: Double) -> Double { Self.gaussianScale(x) + Foundation.exp(x * x / 2) / 30_000 }
            let two = Lanes(repeating: 2)
            Self.check(
                "central tail", limit: 4, arguments, scale: scale,
                { VectorMath.centralTails(Scalar.self, $0, two, scale: Lanes(repeating: 1)).0 }, oracle: truth
            )
            Self.check(
                "central tail, not fused", limit: 4, arguments, scale: scale,
                { VectorMath.centralTails(Split.self, $0, $0, scale: Lanes(repeating: 1)).1 }, oracle: truth)
            // scale·exp(−x²/2) times the other's ratio.
            let whole = Lanes(repeating: 3)
            let one = Lanes(repeating: 1)
            for x in Self.arguments(from: 0, to: 4) {
                let (_, other) = VectorMath.centralTails(Scalar.self, one, x, scale: whole)
                for lane in 0..<8 {
                    let expected =
                        3 * exp((Float80(x[lane]) * Float80(x[lane]) - 1) / 2) * truth(Float80(x[lane]))
                    #expect(abs(Float80(other[lane]) / expected - 1) < 2e-15)
                }
            }
            let atZero = VectorMath.centralTails(Scalar.self, .zero, .zero, scale: one)
            #expect(atZero.0 == Lanes(repeating: 0.5) && atZero.1 == Lanes(repeating: 0.5))
            let far = VectorMath.centralTails(
                Scalar.self, Lanes(repeating: 1e12), Lanes(repeating: -1e12), scale: one)
            for lane in 0..<8 { #expect(far.0[lane] >= 0 && far.0[lane] < 1e-300 && far.1[lane] < 1e-300) }
        }

        @Test("Logarithms are within their bound of the 80-bit oracle")
        func logarithms() {
            for other in [1.0, 0.7, 1.4999, 3e-200, 7e200] {
                let b = Lanes(repeating: other)
                let arguments = Self.arguments(from: -60, to: 60).map { x -> Lanes in
                    var a = Lanes.zero
                    for lane in 0..<8 { a[lane] = other * Foundation.exp(x[lane]) }
                    return a
                }
                Self.check(
                    "ln(a/\(other))", limit: 2, arguments, { logarithmOfRatio(Scalar.self, $0, b) }
                ) { a in
                    // The quotient rounds, the difference does not.
                    let excess = (a - Float80(other)) / Float80(other)
                    return abs(excess) < 0.3 ? log1p(excess) : log(a / Float80(other))
                }
            }
        }

        @Test("Powers are within the bound that the size of their exponent allows")
        func powers() {
            let arguments = Self.arguments(from: -60, to: 60).map { x -> Lanes in
                var a = Lanes.zero
                for lane in 0..<8 { a[lane] = Foundation.exp(x[lane]) }
                return a
            }
            for p in [1.0 / 3, 0.15, 0.78, -0.02, -2, 2.0 / 3, 1.0 / 9] {
                let exponents = Lanes(repeating: p)
                func scale(_ x: Double) -> Double { 1 + abs(p * Foundation.log(x)) / 2 }
                Self.check(
                    "x^\(p)", limit: 4.4, arguments, scale: scale, { power(Scalar.self, $0, exponents) }
                ) {
                    pow($0, Float80(p))
                }
                Self.check(
                    "x^\(p), not fused", limit: 4.4, arguments, scale: scale,
                    { power(PortableArithmetic.self, $0, exponents) }
                ) { pow($0, Float80(p)) }
            }
            let edges = power(
                Scalar.self, [0, -1, .nan, 1, -0.0, 4, 0, 1], [0.5, 0.5, 0.5, 7, 2, 0.5, 1e-3, -3])
            #expect(edges[0] == 0 && edges[1].isNaN && edges[2].isNaN && edges[3] == 1 && edges[4] == 0)
            #expect(abs(edges[5] - 2) < 1e-15 && edges[6] == 0 && edges[7] == 1)
        }

        @Test("The two parts of a logarithm sum to it as exactly as the 80-bit oracle can tell")
        func logarithmsInTwoParts() {
            var worst = 0.0
            for x in Self.arguments(from: -60, to: 60) {
                var a = Lanes.zero
                for lane in 0..<8 { a[lane] = Foundation.exp(x[lane]) }
                for parts in [
                    logarithmInTwoParts(Scalar.self, a), logarithmInTwoParts(Split.self, a),
                ] {
                    for lane in 0..<8 where a[lane] != 1 {
                        let truth = log(Float80(a[lane]))
                        let sum = Float80(parts.high[lane]) + Float80(parts.low[lane])
                        worst = max(worst, Double(abs((sum - truth) / truth)))
                        #expect(abs(parts.low[lane]) <= abs(parts.high[lane]).ulp)
                    }
                }
            }
            print("ln in two parts: worst relative difference from the 80-bit logarithm \(worst)")
            #expect(worst <= 0x1p-61)
        }
    }
#endif
