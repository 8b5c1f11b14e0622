import Foundation
import Poise
import Timing

/// Implied volatilities of N = 10,000 options: Poise against Python's libraries on the same prices, one
/// thread, medians of at least seven.
///
///     ImpliedVolatility
///
/// Prices are Black-76 with zero rate, out of the money (an in-the-money price has its volatility in its last
/// digits, for every solver), moneyness, tenor and volatility as on a crypto exchange. The Python
/// peers time themselves after a first call that compiles; each also says how far off its worst answer is.
/// Left out: reading the prices.

let count = 10_000
var uniform = UniformNumbers()
var type: [UInt8] = []
var spot: [Double] = []
var strike: [Double] = []
var years: [Double] = []
var volatility: [Double] = []
for _ in 0..<count {
    spot.append(60_000 * (0.9 + 0.2 * uniform()))
    strike.append(60_000 * exp(uniform() - 0.5))
    type.append(strike[strike.count - 1] < spot[spot.count - 1] ? 1 : 0)
    years.append(0.02 + uniform())
    volatility.append(0.4 + 0.6 * uniform())
}
let zeros = Array(repeating: 0.0, count: count)
let options = try OptionBatch(
    type: type, spot: spot, strike: strike, years: years, volatility: volatility, rate: zeros, dividend: zeros
)
let engines = try InstructionSet.supported.reversed().map { try GreeksEngine($0) }
let prices = Array(engines[0].greeks(.price, of: options)[.price].map(Array.init) ?? [])

// For the Python peers: six columns of doubles, one after another.
let file = FileManager.default.temporaryDirectory.appendingPathComponent("poise-prices-\(getpid())")
let columns = [type.map { $0 == 0 ? 1.0 : -1.0 }, spot, strike, years, prices, volatility]
try columns.reduce(into: Data()) { data, column in column.withUnsafeBytes { data.append(contentsOf: $0) } }
    .write(to: file)
defer { try? FileManager.default.removeItem(at: file) }

let load = """
    import numpy as np
    w, F, K, T, price, vol = np.fromfile(sys.argv[1]).reshape(6, -1)
    flags = np.where(w > 0, "c", "p")
    zeros = np.zeros(len(w))
    def worst(answer):
        return np.max(np.abs(np.asarray(answer, dtype=float) / vol - 1))

    """
let peers = [
    (
        "fast-vollib, jackel",
        """
        from fast_vollib import jackel
        def run():
            return worst(jackel.jackel_iv_black(price, F, K, T, w > 0))
        """
    ),
    (
        "py_vollib_vectorized",
        """
        from py_vollib_vectorized import vectorized_implied_volatility_black
        def run():
            return worst(vectorized_implied_volatility_black(price, F, K, zeros, T, flags, return_as="numpy"))
        """
    ),
    (
        "py_lets_be_rational",
        """
        from py_lets_be_rational import implied_volatility_from_a_transformed_rational_guess as solve
        rows = list(zip(price.tolist(), F.tolist(), K.tolist(), T.tolist(), w.tolist()))
        def run():
            return worst([solve(*row) for row in rows])
        """
    ),
    (
        "QuantLib (Python)",
        """
        import QuantLib as ql
        rows = list(zip(w.tolist(), K.tolist(), F.tolist(), price.tolist()))
        roots = np.sqrt(T)
        def run():
            deviations = [ql.blackFormulaImpliedStdDev(ql.Option.Call if a > 0 else ql.Option.Put, b, c, d,
                                                       1.0, 0.0, ql.nullDouble(), 1e-12) for a, b, c, d in rows]
            return worst(np.array(deviations) / roots)
        """
    ),
]

var volatilities = zeros
var statuses = Array(repeating: UInt8(0), count: count)
let medians = interleavedMedians(
    rounds: 15,
    engines.map { engine in
        {
            let options = try? OptionPrices(
                type: type.span, spot: spot.span, strike: strike.span, years: years.span,
                price: prices.span, rate: zeros.span, dividend: zeros.span)
            guard let options else { return }
            var found = volatilities.mutableSpan
            var reasons = statuses.mutableSpan
            engine.impliedVolatilities(of: options, volatility: &found, status: &reasons)
        }
    })
let worst = zip(volatilities, volatility).map { abs($0 / $1 - 1) }.max() ?? .nan

print("implied volatility, N = \(count)     ns/option    × Poise  worst error")
func row(_ name: String, _ seconds: Double, _ error: String) {
    print(
        name.padding(toLength: 30, withPad: " ", startingAt: 0)
            + String(
                format: "%14.1f %10.2f  %@", seconds / Double(count) * 1e9, seconds / medians[0], error))
}
for (engine, median) in zip(engines, medians) {
    row("Poise \(engine.instructionSet)", median, String(format: "%.1e", worst))
}
for (name, body) in peers {
    if let peer = PythonPeer.measure(load + body, [file.path]) {
        row(name, peer.seconds, Double(peer.answer).map { String(format: "%.1e", $0) } ?? peer.answer)
    } else {
        print("skipped: \(name): cannot run here")
    }
}
