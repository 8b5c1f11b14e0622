#if arch(x86_64)
    import Foundation
    import Testing
    import VectorMath

    /// The random numbers: known answers, exact functions of their bits, and the laws that they should follow.
    struct RandomTests {
        @Test("Philox gives the known answers that its authors publish (Random123, kat_vectors)")
        func knownAnswers() {
            let pi: [UInt64] = [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344]
            let cases: [(counter: [UInt64], key: UInt64, words: [UInt64])] = [
                ([0, 0, 0, 0], 0, [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8]),
                (
                    [UInt64](repeating: 0xFFFF_FFFF, count: 4), .max,
                    [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD]
                ),
                (pi, 0x299F_31D0_A409_3822, [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1]),
            ]
            // Each in every lane, beside other counters.
            for (number, known) in cases.enumerated() {
                for lane in 0..<8 {
                    func word(_ w: Int) -> LaneBits {
                        var bits = LaneBits(repeating: UInt64(17 * w + number))
                        bits[lane] = known.counter[w]
                        return bits
                    }
                    let words = Philox.words(counter: (word(0), word(1), word(2), word(3)), key: known.key)
                    #expect([words.0[lane], words.1[lane], words.2[lane], words.3[lane]] == known.words)
                }
            }
        }

        @Test("Uniforms and normals are the 80-bit functions of the words of their address")
        func functionsOfTheWords() {
            let stream = RandomStream(seed: 0x0123_4567_89AB_CDEF, stream: 3)
            var worst = 0.0
            for step in 0..<20_000 as Range<UInt32> {
                let words = stream.words(firstPath: 40, step: step, draw: 2)
                let (u, v) = stream.uniforms(firstPath: 40, step: step, draw: 2)
                let fused = stream.normals(Scalar.self, firstPath: 40, step: step, draw: 2)
                let portable = stream.normals(PortableArithmetic.self, firstPath: 40, step: step, draw: 2)
                for lane in 0..<8 {
                    func truth(_ low: UInt64, _ high: UInt64) -> Float80 {
                        Float80((high << 32 | low) >> 12) * 0x1p-52 + 0x1p-53
                    }
                    let (exactU, exactV) = (
                        truth(words.0[lane], words.1[lane]), truth(words.2[lane], words.3[lane])
                    )
                    #expect(Float80(u[lane]) == exactU && Float80(v[lane]) == exactV)
                    let radius = (-2 * log(exactU)).squareRoot()
                    // Reduced as exactly as it can be, lest the oracle lose digits next to zeros.
                    let quarter = (exactV * 4).rounded()
                    let angle = (exactV - quarter / 4) * 2 * Float80.pi
                    let (c, s) = (cos(angle), sin(angle))
                    let turned = [(c, s), (-s, c), (-c, -s), (s, -c)][Int(quarter) & 3]
                    for pair in [fused, portable] {
                        for (value, exact) in [
                            (pair.0[lane], radius * turned.0), (pair.1[lane], radius * turned.1),
                        ] {
                            let ulps = Double(abs(Float80(value) - exact) / Float80(Double(exact).ulp))
                            if !(ulps <= worst) { worst = ulps }
                        }
                    }
                }
            }
            print("normal numbers: worst \(worst) ulp of the exact function of their bits")
            #expect(worst <= 4)
        }

        @Test("The smallest and largest uniforms, and cosine and sine at whole quarters, are exact")
        func edges() {
            let smallest = normalPair(
                PortableArithmetic.self, Lanes(repeating: 0x1p-53), Lanes(repeating: 0x1p-53))
            #expect(smallest.0[0] > 8.57 && smallest.0[0] < 8.58 && smallest.1[0] > 0)
            let largest = normalPair(
                PortableArithmetic.self, Lanes(repeating: 1 - 0x1p-53), Lanes(repeating: 0.5))
            #expect(largest.0[0] < 0 && largest.0[0] > -1.5e-8 && largest.1[0] == 0)
            let (cosine, sine) = cosineAndSineOfTurns(
                PortableArithmetic.self, [0, 0.25, 0.5, 0.75, 1, -0.25, 0.125, 2])
            #expect(cosine[0] == 1 && cosine[1] == 0 && cosine[2] == -1 && cosine[3] == 0 && cosine[4] == 1)
            #expect(
                sine[0] == 0 && sine[1] == 1 && sine[2] == 0 && sine[3] == -1 && sine[5] == -1
                    && cosine[7] == 1)
            #expect(abs(cosine[6] - 0.5.squareRoot()) < 2e-16 && abs(sine[6] - 0.5.squareRoot()) < 2e-16)
        }

        @Test("A number depends on its own path alone, not on the seven drawn with it")
        func pathsAlone() {
            let stream = RandomStream(seed: 99, stream: 1)
            let together = stream.uniforms(firstPath: 0, step: 5).0
            for path in 0..<8 as Range<UInt32> {
                #expect(stream.uniforms(firstPath: path, step: 5).0[0] == together[Int(path)])
            }
            // And on all of its address.
            let other = [
                RandomStream(seed: 98, stream: 1).uniforms(firstPath: 0, step: 5).0,
                RandomStream(seed: 99 + 1 << 32, stream: 1).uniforms(firstPath: 0, step: 5).0,
                RandomStream(seed: 99, stream: 2).uniforms(firstPath: 0, step: 5).0,
                stream.uniforms(firstPath: 0, step: 6).0, stream.uniforms(firstPath: 0, step: 5, draw: 1).0,
            ]
            for numbers in other { for lane in 0..<8 { #expect(numbers[lane] != together[lane]) } }
        }

        @Test("Moments and tail counts are within 4.5 standard errors")
        func laws() {
            let stream = RandomStream(seed: 7, stream: 0)
            let steps = 40_000
            var powers = [Double](repeating: 0, count: 4)
            var cross = 0.0, serial = 0.0, across = 0.0, tail = 0.0
            var cells = [Double](repeating: 0, count: 64)
            var last = Lanes.zero
            for step in 0..<UInt32(steps) {
                let (x, y) = stream.normals(PortableArithmetic.self, firstPath: 0, step: step)
                let (u, v) = stream.uniforms(firstPath: 0, step: step, draw: 1)
                for lane in 0..<8 {
                    for z in [x[lane], y[lane]] {
                        powers[0] += z
                        powers[1] += z * z
                        powers[2] += z * z * z
                        powers[3] += z * z * z * z
                        if abs(z) > 3 { tail += 1 }
                    }
                    cross += x[lane] * y[lane]
                    serial += x[lane] * last[lane]
                    across += x[lane] * x[(lane + 1) % 8]
                    cells[Int(u[lane] * 8) * 8 + Int(v[lane] * 8)] += 1
                }
                last = x
            }
            let pairs = Double(8 * steps)
            let count = 2 * pairs
            // Variances of z, z², z³, z⁴: 1, 2, 15, 96.
            let scores = [
                powers[0] / count.squareRoot(), (powers[1] - count) / (2 * count).squareRoot(),
                powers[2] / (15 * count).squareRoot(), (powers[3] - 3 * count) / (96 * count).squareRoot(),
                cross / pairs.squareRoot(), serial / pairs.squareRoot(), across / pairs.squareRoot(),
                (tail - 0.002_699_796_063 * count) / (0.0027 * count).squareRoot(),
            ]
            print("normal numbers: deviations in standard errors", scores.map { ($0 * 100).rounded() / 100 })
            for score in scores { #expect(abs(score) < 4.5) }
            let expected = pairs / 64
            let chiSquare = cells.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected }
            #expect(abs(chiSquare - 63) < 4.5 * 126.0.squareRoot())
        }
    }
#endif
