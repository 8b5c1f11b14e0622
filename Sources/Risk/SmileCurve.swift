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
    init(_ options: [Ticker]) {
        var outOfTheMoney: [Double: (k: Double, volatility: Double, isPreferred: Bool)] = [:]
        var years = 0.0
        for ticker in options {
            guard case .option(let type, let strike, let expiry) = ticker.instrument.kind, strike > 0,
                let forward = ticker.underlyingPrice, forward > 0, let volatility = ticker.markVolatility
            else { continue }
            years = max(years, ticker.timestamp.years(until: expiry))
            let k = log(strike / forward)
            let isPreferred = (type == .call) == (k >= 0)
            if let known = outOfTheMoney[strike], known.isPreferred || !isPreferred { continue }
            outOfTheMoney[strike] = (k, volatility, isPreferred)
        }
        knots = outOfTheMoney.values.sorted { $0.k < $1.k }.map { ($0.k, $0.volatility) }
        self.years = years
    }

    /// The curve when `gone` years have passed, each knot at the delta that it has now: at d1 and σ, k is
    /// σ√T (σ√T/2 − d1).
    func later(by gone: Double) -> SmileCurve {
        let left = max(0, years - gone)
        let moved = knots.map { knot -> (k: Double, volatility: Double) in
            let deviation = knot.volatility * years.squareRoot()
            guard deviation > 0 else { return knot }
            let d1 = deviation / 2 - knot.k / deviation
            let later = knot.volatility * left.squareRoot()
            return (later * (later / 2 - d1), knot.volatility)
        }
        return SmileCurve(knots: moved.sorted { $0.k < $1.k }, years: left)
    }

    /// The volatility of an option at `moved` on `later` less that of one at `k` on this curve.
    func change(from k: Double, to moved: Double, on later: SmileCurve) -> Double {
        Self.value(at: moved, later.knots) - Self.value(at: k, knots)
    }

    private init(knots: [(k: Double, volatility: Double)], years: Double) {
        self.knots = knots
        self.years = years
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
