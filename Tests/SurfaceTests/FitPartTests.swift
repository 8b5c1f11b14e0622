import Foundation
import Surface
import SurfaceKernel
import TestSupport
import Testing

/// The parts of a fit, each against its definition: losses and their derivatives, starts, steps, scans, certificates.
struct FitPartTests {
    private static let slice = SVISlice(a: 0.02, b: 0.21, rho: -0.4, m: 0.04, sigma: 0.13)

    /// Quotes of every kind around a slice: of both sides, of one, crossed, without weight.
    private static func smile(count: Int = 21, years: Double = 0.3, seed: UInt64 = 1) -> SmileQuotes {
        var generator = SeededGenerator(seed: seed)
        let quotes = (0..<count).map { place in
            let k = -0.6 + 1.1 * Double(place) / Double(count - 1)
            let level =
                slice.volatility(at: k, years: years) * Double.random(in: 0.93...1.07, using: &generator)
            let half = place % 5 == 1 ? 0.0002 : Double.random(in: 0.002...0.03, using: &generator)
            let weight = place % 7 == 3 ? 2.5 : 1
            switch place % 10 {
            case 4: return SmileQuote(strike: 90 * exp(k), bid: level + 0.01, ask: nil, weight: weight)
            case 7: return SmileQuote(strike: 90 * exp(k), bid: nil, ask: level - 0.01, weight: weight)
            case 8: return SmileQuote(strike: 90 * exp(k), bid: level, ask: level - 0.001, weight: weight)
            case 9: return SmileQuote(strike: 90 * exp(k), bid: level - half, ask: level + half, weight: 0)
            default:
                return SmileQuote(strike: 90 * exp(k), bid: level - half, ask: level + half, weight: weight)
            }
        }
        return SmileQuotes(name: "X", underlying: "X", years: years, forward: 90, quotes: quotes)
    }

    /// Half the spread of a quote, or of one with one side the median of the others'.
    private static func halves(_ smile: SmileQuotes) -> [Double] {
        let own = smile.quotes.map { quote -> Double? in
            guard let bid = quote.bid, let ask = quote.ask, bid <= ask, quote.weight > 0 else { return nil }
            return max((ask - bid) / 2, 0.001)
        }
        let sorted = own.compactMap { $0 }.sorted()
        let median = (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2]) / 2
        return own.map { $0 ?? median }
    }

    private static func counts(_ quote: SmileQuote) -> Bool {
        quote.weight > 0 && !((quote.bid ?? 0) > (quote.ask ?? .infinity))
    }

    /// The loss as users are told that it is, one quote after another.
    private static func loss(_ smile: SmileQuotes, _ kind: SmileLoss, _ volatility: (Double) -> Double)
        -> Double
    {
        zip(smile.quotes, halves(smile)).reduce(0) { sum, entry in
            let (quote, half) = entry
            guard counts(quote) else { return sum }
            let found = volatility(log(quote.strike / smile.forward))
            var distance = 0.0
            if let bid = quote.bid, let ask = quote.ask { distance = found - (bid + ask) / 2 }
            if kind == .mid { return sum + quote.weight * distance * distance }
            if kind == .spread { return sum + quote.weight * distance * distance / (half * half) }
            let outside = max(0, (quote.bid ?? 0) - found, found - (quote.ask ?? .infinity)) / half
            return sum + quote.weight * (outside * outside + 0.01 * distance * distance / (half * half))
        }
    }

    private static func moved(_ vector: SliceVector, _ place: Int, _ by: Double) -> SliceVector {
        var result = vector
        result[place] += by
        return result
    }

    private static let points: [SliceVector] = [
        slice.vector, SVISlice(a: 0.01, b: 0.3, rho: 0.2, m: -0.1, sigma: 0.3).vector,
        SVISlice(a: 0.03, b: 0.1, rho: -0.9, m: 0.2, sigma: 0.05).vector,
    ]

    @Test("A loss is the sum that users are told, whatever quotes there are", arguments: SmileLoss.allCases)
    func losses(_ kind: SmileLoss) {
        for count in [5, 8, 16, 21, 37] {
            let smile = Self.smile(count: count)
            let quotes = QuoteLanes(smile, loss: kind)
            for point in Self.points {
                let slice = SVISlice(point)
                let wanted = Self.loss(smile, kind) { slice.volatility(at: $0, years: smile.years) }
                #expect(abs(quotes.loss(point) - wanted) < 1e-12 * wanted, "\(count) \(slice)")
                for isExact in [false, true] {
                    let value = quotes.expansion(point, isExact: isExact).value
                    #expect(abs(value - wanted) < 1e-12 * wanted, "\(count) \(slice)")
                }
            }
            #expect(quotes.loss(Self.moved(Self.slice.vector, 0, -1)).isNaN)
        }
    }

    @Test(
        "Derivatives of a loss are what differences say, the second ones too", arguments: SmileLoss.allCases)
    func derivatives(_ kind: SmileLoss) {
        let smile = Self.smile(count: 37)
        let quotes = QuoteLanes(smile, loss: kind)
        for point in Self.points {
            let found = quotes.expansion(point, isExact: true)
            let size = (0..<5).map { found.hessian[$0][$0].magnitude.squareRoot() }
            for i in 0..<5 {
                let h = 1e-5 * max(point[i].magnitude, 0.05)
                let (up, down) = (Self.moved(point, i, h), Self.moved(point, i, -h))
                let slope = (quotes.loss(up) - quotes.loss(down)) / (2 * h)
                let scale = max(found.gradient[i].magnitude, size[i] * found.value.squareRoot())
                #expect(abs(slope - found.gradient[i]) < 1e-5 * scale, "\(i): \(slope), \(found.gradient[i])")
                let (after, before) = (
                    quotes.expansion(up, isExact: true).gradient,
                    quotes.expansion(down, isExact: true).gradient
                )
                for j in 0..<5 {
                    let bend = (after[j] - before[j]) / (2 * h)
                    // With bands the gradient has kinks between the two places.
                    let share = kind == .band ? 2e-3 : 1e-6
                    #expect(
                        abs(bend - found.hessian[i][j]) < share * size[i] * size[j],
                        "\(i), \(j): \(bend), \(found.hessian[i][j])")
                    #expect(found.hessian[i][j] == found.hessian[j][i])
                }
            }
        }
    }

    @Test("Without the bends of volatility what is left is a sum of squares", arguments: SmileLoss.allCases)
    func gaussNewton(_ kind: SmileLoss) {
        let smile = Self.smile(count: 37)
        let quotes = QuoteLanes(smile, loss: kind)
        for point in Self.points {
            let slice = SVISlice(point)
            let found = quotes.expansion(point, isExact: false)
            #expect(found.gradient == quotes.expansion(point, isExact: true).gradient)
            var sums = [[Double]](repeating: Array(repeating: 0, count: 5), count: 5)
            for (quote, half) in zip(smile.quotes, Self.halves(smile)) where Self.counts(quote) {
                let k = log(quote.strike / smile.forward)
                let isTwoSided = quote.bid != nil && quote.ask != nil
                let volatility = slice.volatility(at: k, years: smile.years)
                var weight = isTwoSided ? quote.weight / (kind == .mid ? 1 : half * half) : 0
                if kind == .band {
                    let isOutside = volatility < quote.bid ?? 0 || volatility > quote.ask ?? .infinity
                    weight = quote.weight / (half * half) * ((isOutside ? 1 : 0) + (isTwoSided ? 0.01 : 0))
                }
                let slopes = (0..<5).map { place in
                    let h = 1e-6 * max(point[place].magnitude, 0.05)
                    func at(_ by: Double) -> Double {
                        SVISlice(Self.moved(point, place, by)).volatility(at: k, years: smile.years)
                    }
                    return (at(h) - at(-h)) / (2 * h)
                }
                for i in 0..<5 { for j in 0..<5 { sums[i][j] += 2 * weight * slopes[i] * slopes[j] } }
            }
            for i in 0..<5 {
                for j in 0..<5 {
                    let size = (sums[i][i] * sums[j][j]).squareRoot()
                    #expect(abs(found.hessian[i][j] - sums[i][j]) < 1e-6 * size, "\(i), \(j)")
                }
            }
        }
    }

    @Test("What a smile says of itself: quotes that count, level, strikes of two sides, the range of a slice")
    func lanes() {
        let smile = Self.smile(count: 21)
        let counting = smile.quotes.filter(Self.counts)
        let twoSided = counting.filter { $0.bid != nil && $0.ask != nil }
        for kind in SmileLoss.allCases {
            let quotes = QuoteLanes(smile, loss: kind)
            #expect(quotes.count == (kind == .band ? counting.count : twoSided.count))
            #expect(quotes.strikeCount == twoSided.count)
            let nearest = twoSided.min { abs(log($0.strike / 90)) < abs(log($1.strike / 90)) }
            let level = ((nearest?.bid ?? .nan) + (nearest?.ask ?? .nan)) / 2
            #expect(abs(quotes.scale - level * level * 0.3) < 1e-15)
            let (first, last) = (log(twoSided[0].strike / 90), log((twoSided.last?.strike ?? .nan) / 90))
            let range = last - first
            let domain = quotes.domain
            for (found, wanted) in [
                (domain.lowM, first - range / 2), (domain.highM, last + range / 2),
                (domain.lowLogSigma, log(range / 200)), (domain.highLogSigma, log(range * 5)),
                (domain.leastVariance, 1e-4 * 0.3),
            ] { #expect(abs(found - wanted) < 1e-12) }
            let clamped = quotes.clamped(SliceVector(-7, -1, 3, -9, -30, 0, 0, 0))
            #expect(clamped == SliceVector(-7, 0, 2 - 1e-9, domain.lowM, domain.lowLogSigma, 0, 0, 0))
            let other = quotes.clamped(SliceVector(7, 3, -1, 9, 30, 0, 0, 0))
            #expect(other == SliceVector(7, 2 - 1e-9, 0, domain.highM, domain.highLogSigma, 0, 0, 0))
        }
        // A level below 1% does not make the scale smaller; without quotes there is a range, too.
        let low = SmileQuotes(
            name: "X", underlying: "X", years: 2, forward: 90,
            quotes: [SmileQuote(strike: 90, bid: 0.001, ask: 0.002)])
        #expect(QuoteLanes(low, loss: .mid).scale == 2e-4)
        let empty = QuoteLanes(
            SmileQuotes(name: "X", underlying: "X", years: 2, forward: 90, quotes: []), loss: .band)
        #expect(empty.count == 0 && empty.strikeCount == 0 && empty.scale == 2)
        #expect(empty.domain.lowM == -1 && empty.domain.highM == 1)
    }

    /// Least squares of y ≈ a + p·left + c·right with p and c in [0, most], by trying what is held at a bound.
    private static func boxed(
        _ rows: [(weight: Double, left: Double, right: Double, y: Double)], most: Double
    ) -> (a: Double, p: Double, c: Double, score: Double) {
        func score(_ a: Double, _ p: Double, _ c: Double) -> Double {
            rows.reduce(0) {
                let miss = a + p * $1.left + c * $1.right - $1.y
                return $0 + $1.weight * miss * miss
            }
        }
        /// The best a with one column's share held, or both; columns are centred.
        func means(_ value: (Double, Double, Double) -> Double) -> Double {
            rows.reduce(0) { $0 + $1.weight * value($1.left, $1.right, $1.y) }
                / rows.reduce(0) { $0 + $1.weight }
        }
        let (l, r, y) = (means { l, _, _ in l }, means { _, r, _ in r }, means { _, _, y in y })
        let ll = means { a, _, _ in (a - l) * (a - l) }
        let lr = means { a, b, _ in (a - l) * (b - r) }
        let rr = means { _, b, _ in (b - r) * (b - r) }
        let yl = means { a, _, c in (a - l) * (c - y) }
        let yr = means { _, b, c in (b - r) * (c - y) }
        var candidates: [(Double, Double)] = []
        let determinant = ll * rr - lr * lr
        candidates.append(((yl * rr - yr * lr) / determinant, (yr * ll - yl * lr) / determinant))
        for edge in [0, most] {
            candidates.append((edge, (yr - edge * lr) / rr))
            candidates.append(((yl - edge * lr) / ll, edge))
            for other in [0, most] { candidates.append((edge, other)) }
        }
        var best = (a: 0.0, p: 0.0, c: 0.0, score: Double.infinity)
        for (p, c) in candidates where p >= 0 && c >= 0 && p <= most && c <= most {
            let a = y - p * l - c * r
            let found = score(a, p, c)
            if found < best.score { best = (a, p, c, found) }
        }
        return best
    }

    /// The rows of a smile's least squares in variance at m and σ.
    private static func rows(
        _ smile: SmileQuotes, _ kind: SmileLoss, m: Double, sigma: Double
    ) -> [(weight: Double, left: Double, right: Double, y: Double)] {
        zip(smile.quotes, halves(smile)).compactMap { quote, half in
            guard counts(quote), let bid = quote.bid, let ask = quote.ask else { return nil }
            let x = log(quote.strike / smile.forward) - m
            let r = (x * x + sigma * sigma).squareRoot()
            let mid = (bid + ask) / 2
            let perVariance = 1 / (2 * mid * smile.years)
            let weight = quote.weight * perVariance * perVariance / (kind == .mid ? 1 : half * half)
            return (weight, (r - x) / 2, (r + x) / 2, mid * mid * smile.years)
        }
    }

    @Test(
        "Starts are the nodes of the grid that no neighbour betters, with the best slice there is at each",
        arguments: SmileLoss.allCases)
    func starts(_ kind: SmileLoss) {
        for seed in 1...12 {
            let smile = Self.smile(count: 15 + seed, seed: UInt64(seed))
            let quotes = QuoteLanes(smile, loss: kind)
            let (low, high) = (quotes.domain.lowM, quotes.domain.highM)
            let range = (high - low) / 2
            let widths = [0.008, 0.03, 0.08, 0.2, 0.45, 1.1, 3.5]
            var scores: [[Double]] = []
            var fits: [[SliceVector]] = []
            for width in widths {
                var line: [Double] = []
                var vectors: [SliceVector] = []
                for column in 0..<8 {
                    let (m, sigma) = (low + 2 * range * Double(column) / 7, width * range)
                    let rows = Self.rows(smile, kind, m: m, sigma: sigma)
                    let best = Self.boxed(rows, most: 2 - 1e-9)
                    let lift = max(
                        0, quotes.domain.leastVariance - best.a - sigma * (best.p * best.c).squareRoot())
                    let weights = rows.reduce(0) { $0 + $1.weight }
                    line.append(best.score + weights * lift * lift)
                    vectors.append(SliceVector(best.a + lift, best.p, best.c, m, log(sigma), 0, 0, 0))
                }
                scores.append(line)
                fits.append(vectors)
            }
            let nodes = (0..<7).flatMap { row in (0..<8).map { (row, $0) } }
            func areNear(_ one: (Int, Int), _ other: (Int, Int)) -> Bool {
                abs(one.0 - other.0) <= 1 && abs(one.1 - other.1) <= 1
            }
            let ascending = nodes.sorted { scores[$0.0][$0.1] < scores[$1.0][$1.1] }
            let lowest = ascending.filter { node in
                nodes.allSatisfy { !areNear(node, $0) || scores[$0.0][$0.1] >= scores[node.0][node.1] }
            }
            var wanted = Array(lowest.prefix(4))
            for isWide in [false, true] {
                if isWide {
                    while wanted.count < 8,
                        let next = ascending.first(where: { node in !wanted.contains { areNear(node, $0) } })
                    { wanted.append(next) }
                }
                let starts = quotes.starts(isWide: isWide)
                #expect(starts.count == wanted.count, "\(seed)")
                for (place, node) in wanted.enumerated() where place < starts.count {
                    // AVX-512 takes rough roots here: a start need not be exact.
                    let (found, fit) = (starts.vectors[place], fits[node.0][node.1])
                    for i in 0..<5 {
                        #expect(
                            abs(found[i] - fit[i]) < 1e-3 * max(1, abs(fit[i])),
                            "\(seed) \(place): \(found), \(fit)")
                    }
                }
            }
        }
    }

    @Test("Derivatives of variance, slope, curvature and g by the parameters are what differences say")
    func sensitivities() {
        for point in Self.points {
            let slice = SVISlice(point)
            for k in [-1.5, -0.3, 0.04, 0.05, 0.4, 2] {
                let by = slice.sensitivities(at: k)
                let ofG = slice.durrlemanSensitivity(at: k)
                for i in 0..<5 {
                    let h = 1e-6 * max(point[i].magnitude, 0.1)
                    let (up, down) = (SVISlice(Self.moved(point, i, h)), SVISlice(Self.moved(point, i, -h)))
                    func check(_ found: Double, _ high: Double, _ low: Double, _ what: String) {
                        let wanted = (high - low) / (2 * h)
                        let size = max(1, abs(wanted), abs(high))
                        #expect(
                            abs(found - wanted) < 2e-7 * size, "\(what) by \(i) at \(k): \(found), \(wanted)")
                    }
                    check(by.variance[i], up[k].variance, down[k].variance, "w")
                    check(by.slope[i], up[k].slope, down[k].slope, "w'")
                    check(by.curvature[i], up[k].curvature, down[k].curvature, "w''")
                    check(ofG[i], up.durrleman(at: k), down.durrleman(at: k), "g")
                }
            }
        }
    }

    // MARK: Scans

    /// Local minima of a function of t on a fine grid, below a threshold.
    private static func minima(
        _ function: (Double) -> Double, below threshold: Double
    ) -> [(t: Double, value: Double)] {
        let values = (-5_900...5_900).map { function(Double($0) * 0.002) }
        return values.indices.dropFirst().dropLast().compactMap { i in
            guard values[i] < values[i - 1], values[i] <= values[i + 1], values[i] < threshold else {
                return nil
            }
            return (Double(i - 5_900) * 0.002, values[i])
        }
    }

    @Test("A scan finds where g is least, and says what it is there")
    func durrlemanScan() throws {
        for row in try Fixture("slices.csv").rows {
            let slice = SVISlice(a: row("a"), b: row("b"), rho: row("rho"), m: row("m"), sigma: row("sigma"))
            guard slice.leastVariance > 1e-6, slice.b > 0 else { continue }
            for threshold in [0.15, 0.9] {
                var found: [(k: Double, g: Double)] = []
                SmileScan.leastDurrleman(slice, below: threshold) { found.append(($0, $1)) }
                for (k, g) in found {
                    #expect(g < threshold && abs(g - slice.durrleman(at: k)) < 1e-12 * (1 + abs(g)))
                }
                let wanted = Self.minima(
                    { slice.durrleman(at: slice.m + slice.sigma * sinh($0)) }, below: threshold - 1e-6)
                // A dip between two places of the scan is what it may miss; the lowest is wider.
                guard let least = wanted.filter({ abs($0.t) < 11 }).map(\.value).min() else { continue }
                let lowest = found.map(\.g).min() ?? .infinity
                #expect(lowest <= least + 1e-6 * (1 + abs(least)), "\(row.text("name")): \(lowest), \(least)")
            }
        }
    }

    @Test("A scan finds where two slices are closest, once each")
    func gapScan() throws {
        var tried = 0
        for row in try Fixture("pairs.csv").rows {
            func slice(_ prefix: String) -> SVISlice {
                SVISlice(
                    a: row(prefix + "a"), b: row(prefix + "b"), rho: row(prefix + "rho"),
                    m: row(prefix + "m"),
                    sigma: row(prefix + "sigma"))
            }
            let (earlier, later) = (slice("earlier_"), slice("later_"))
            for threshold in [0.01, -0.002] {
                var found: [(k: Double, gap: Double)] = []
                SmileScan.leastGap(earlier, later, below: threshold) { found.append(($0, $1)) }
                for (k, gap) in found {
                    #expect(gap < threshold && gap == later.variance(at: k) - earlier.variance(at: k))
                }
                #expect(found.map(\.gap) == found.map(\.gap).sorted())
                for (one, other) in zip(found, found.dropFirst()) {
                    #expect(abs(one.k - other.k) >= 0.02 * min(earlier.sigma, later.sigma))
                }
                for scale in [earlier, later] {
                    func gap(_ t: Double) -> Double {
                        let k = scale.m + scale.sigma * sinh(t)
                        return later.variance(at: k) - earlier.variance(at: k)
                    }
                    for (t, value) in Self.minima(gap, below: threshold - 1e-6) where abs(t) < 11 {
                        let k = scale.m + scale.sigma * sinh(t)
                        let reach = 0.6 * (scale.sigma * cosh(t))
                        let lowest = found.filter { abs($0.k - k) < reach }.map(\.gap).min() ?? .infinity
                        #expect(lowest <= value + 1e-6 * (abs(value) + 1e-3), "\(row.text("name")) at \(k)")
                        tried += 1
                    }
                }
            }
        }
        #expect(tried > 10)
    }

    // MARK: Steps

    private static func random(_ generator: inout SeededGenerator) -> SliceVector {
        var vector = SliceVector.zero
        for i in 0..<5 { vector[i] = Double.random(in: -1...1, using: &generator) }
        return vector
    }

    @Test("A step is the least of the quadratics under its cuts: slopes, signs and slack say so")
    func steps() {
        var generator = SeededGenerator(seed: 9)
        for round in 0..<200 {
            let slices = 1 + round % 4
            var problem = StepProblem()
            var hessians: [InlineArray<5, SliceVector>] = []
            var gradients: [SliceVector] = []
            let damping = round % 3 == 0 ? 0.3 : 0
            for _ in 0..<slices {
                // A sum of squares, and some of the diagonal.
                var hessian = InlineArray<5, SliceVector>(repeating: .zero)
                for i in 0..<5 { hessian[i][i] = 0.1 }
                for _ in 0..<6 {
                    let v = Self.random(&generator)
                    for i in 0..<5 { hessian[i] += v[i] * v }
                }
                let gradient = 3 * Self.random(&generator)
                let isAdded = problem.add(gradient: gradient, hessian: hessian, damping: damping)
                #expect(isAdded)
                for i in 0..<5 { hessian[i][i] *= 1 + damping }
                hessians.append(hessian)
                gradients.append(gradient)
            }
            let cuts = (0..<(round % 23)).map { _ in
                let slice = Int.random(in: 0..<slices, using: &generator)
                let hasBefore = slice > 0 && Bool.random(using: &generator)
                return Cut(
                    slice: slice, hasBefore: hasBefore, own: Self.random(&generator),
                    before: hasBefore ? Self.random(&generator) : .zero,
                    // A step of nothing keeps them, so that there is one that does.
                    value: Double.random(in: 0...0.5, using: &generator))
            }
            problem.solve(cuts)
            #expect(problem.steps.count == slices && problem.multipliers.count == cuts.count)
            var rest = (0..<slices).map { slice in
                var sum = gradients[slice]
                for i in 0..<5 { sum += problem.steps[slice][i] * hessians[slice][i] }
                return sum
            }
            for (cut, multiplier) in zip(cuts, problem.multipliers) {
                #expect(multiplier >= 0)
                var slack = cut.value + (cut.own * problem.steps[cut.slice]).sum()
                rest[cut.slice] -= multiplier * cut.own
                if cut.hasBefore {
                    slack += (cut.before * problem.steps[cut.slice - 1]).sum()
                    rest[cut.slice - 1] -= multiplier * cut.before
                }
                #expect(slack > -1e-6, "\(round): \(slack)")
                #expect(abs(slack * multiplier) < 1e-5, "\(round): \(slack), \(multiplier)")
            }
            for sum in rest { for i in 0..<5 { #expect(abs(sum[i]) < 1e-8, "\(round): \(sum)") } }
            // Used again, it has forgotten what it was asked before.
            problem.removeAll()
            let isAdded = problem.add(gradient: gradients[0], hessian: hessians[0], damping: 0)
            problem.solve([])
            #expect(isAdded && problem.steps.count == 1 && problem.multipliers.isEmpty)
        }
    }

    @Test("A Hessian that is not positive definite is refused, unless it is damped enough")
    func indefinite() {
        var hessian = InlineArray<5, SliceVector>(repeating: .zero)
        for i in 0..<5 { hessian[i][i] = 1 }
        hessian[3][2] = 1.5
        hessian[2][3] = 1.5
        var problem = StepProblem()
        let gradient = SliceVector(1, 1, 1, 1, 1, 0, 0, 0)
        let found = [0, 0.4, 0.6].map { problem.add(gradient: gradient, hessian: hessian, damping: $0) }
        #expect(found == [false, false, true])
        hessian[0][0] = -1
        let isAdded = problem.add(gradient: gradient, hessian: hessian, damping: 0.6)
        #expect(!isAdded)
    }
}
