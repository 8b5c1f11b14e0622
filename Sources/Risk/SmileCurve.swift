import Glibc
import Market

/// The smile of an expiry: volatility over k = ln(K/F), straight between the strikes that are listed and level
/// beyond them. Of a strike's call and put it takes the one that is out of the money.
struct SmileCurve: Sendable {
    /// Ascending in k.
    private let knots: [(k: Double, volatility: Double)]
    /// When the curve held.
    private let years: Double

    /// - Parameter options: all of one expiry.
    /// - Throws: `invalidValue` for a price or volatility that the formulas do not accept.
    init(_ options: [Ticker]) throws(RiskError) {
        var outOfTheMoney: [Double: (k: Double, volatility: Double, isPreferred: Bool)] = [:]
        var years = 0.0
        for ticker in options {
            guard case .option(let type, let strike, let expiry) = ticker.instrument.kind, strike > 0,
                let forward = ticker.underlyingPrice, forward > 0, let volatility = ticker.markVolatility
            else { continue }
            try RiskError.require(LiveRisk.priceRule, forward, "price", of: ticker.instrument.name)
            try RiskError.require(
                LiveRisk.volatilityRule, volatility, "volatility", of: ticker.instrument.name)
            years = max(years, ticker.timestamp.years(until: expiry))
            let k = log(strike / forward)
            let isPreferred = (type == .call) == (k >= 0)
            if let known = outOfTheMoney[strike], known.isPreferred || !isPreferred { continue }
            outOfTheMoney[strike] = (k, volatility, isPreferred)
        }
        knots = outOfTheMoney.values.sorted { $0.k < $1.k }.map { ($0.k, $0.volatility) }
        self.years = years
    }

    /// The volatility at `moved` less that at `k`.
    func change(from k: Double, to moved: Double) -> Double {
        Self.value(at: moved, knots) - Self.value(at: k, knots)
    }

    /// The curve when `gone` years have passed, each volatility at the delta that it has now.
    func later(by gone: Double) -> Later { Later(self, gone: gone) }

    /// A curve that keeps its volatilities by delta while time passes: an option at k later has the volatility of the place
    /// x now whose d1 is the same, d1 = σ√T/2 − x/(σ√T). So x comes to a σ(x)² + b x with a = √T′ (√T′ − √T)/2 and
    /// b = √(T′/T), T′ being the time that is left: a parabola between two strikes, straight beyond the last.
    struct Later {
        private let smile: SmileCurve
        private let a, b: Double
        /// To where the strikes come.
        private let ends: [Double]
        /// Whether no two places come to the same; they do where a smile rises steeply, and the nearest one counts.
        private let isAscending: Bool

        fileprivate init(_ smile: SmileCurve, gone: Double) {
            self.smile = smile
            let left = max(0, smile.years - gone)
            let (before, after) = (smile.years.squareRoot(), left.squareRoot())
            let (a, b) = (after * (after - before) / 2, smile.years > 0 ? after / before : 0)
            (self.a, self.b) = (a, b)
            let ends = smile.knots.map { a * $0.volatility * $0.volatility + b * $0.k }
            self.ends = ends
            isAscending = zip(ends, ends.dropFirst()).allSatisfy { $0 < $1 }
        }

        /// The volatility of an option at `moved` later less that of one at `k` now.
        func change(from k: Double, to moved: Double) -> Double {
            guard b > 0, let place = place(of: moved) else { return smile.change(from: k, to: moved) }
            return smile.change(from: k, to: place)
        }

        /// The place now that comes to `moved`.
        private func place(of moved: Double) -> Double? {
            guard let first = smile.knots.first, let last = smile.knots.last else { return nil }
            func wing(_ volatility: Double) -> Double { (moved - a * volatility * volatility) / b }
            let (left, right) = (wing(first.volatility), wing(last.volatility))
            if isAscending {
                if moved <= ends[0] { return left }
                if moved >= ends[ends.count - 1] { return right }
                var (low, high) = (0, ends.count - 1)
                while high - low > 1 {
                    let middle = (low + high) / 2
                    if ends[middle] <= moved { low = middle } else { high = middle }
                }
                return place(of: moved, between: low)
            }
            var found: [Double] = []
            if left <= first.k { found.append(left) }
            if right >= last.k { found.append(right) }
            for low in ends.indices.dropLast() where (ends[low] <= moved) != (ends[low + 1] <= moved) {
                found.append(place(of: moved, between: low))
            }
            return found.min { abs($0 - moved) < abs($1 - moved) }
        }

        /// The same between strike `low` and the next, whose ends lie on both sides of `moved`.
        private func place(of moved: Double, between low: Int) -> Double {
            let (from, to) = (smile.knots[low], smile.knots[low + 1])
            let width = to.k - from.k
            guard width > 0 else { return to.k }
            let slope = (to.volatility - from.volatility) / width
            // p u² + q u + r = 0 for u from 0 to the width.
            let p = a * slope * slope
            let q = 2 * a * from.volatility * slope + b
            let r = ends[low] - moved
            let root = max(q * q - 4 * p * r, 0).squareRoot()
            let roots = [-2 * r / (q + root), -2 * r / (q - root)].filter {
                $0 >= -1e-9 * width && $0 <= width * (1 + 1e-9)
            }
            return from.k + min(max(roots.first ?? width, 0), width)
        }
    }

    private static func value(at k: Double, _ knots: [(k: Double, volatility: Double)]) -> Double {
        guard let first = knots.first, let last = knots.last else { return 0 }
        if k <= first.k { return first.volatility }
        if k >= last.k { return last.volatility }
        var (low, high) = (0, knots.count - 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            if knots[middle].k <= k { low = middle } else { high = middle }
        }
        let width = knots[high].k - knots[low].k
        guard width > 0 else { return knots[high].volatility }
        let part = (k - knots[low].k) / width
        return knots[low].volatility + part * (knots[high].volatility - knots[low].volatility)
    }
}
