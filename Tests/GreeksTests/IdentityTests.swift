import Foundation
import Greeks
import Testing

/// Laws that hold between the Greeks, on random options.
struct IdentityTests {
    static let count = 20_000

    /// Checks |error| ≤ limit × scale in every row and prints the worst.
    static func check(
        _ law: String, _ batch: OptionBatch, limit: Double, _ error: (Int) -> (error: Double, scale: Double)
    ) {
        var worst = (ratio: 0.0, row: 0)
        for row in 0..<batch.count {
            let (error, scale) = error(row)
            let ratio = abs(error) / scale
            if !(ratio <= worst.ratio) { worst = (ratio, row) }
        }
        let row = worst.row
        print("\(law): worst \(worst.ratio)")
        #expect(
            worst.ratio <= limit,
            """
            \(law): \(worst.ratio) in row \(row): S \(batch.spot[row]) K \(batch.strike[row]) \
            T \(batch.years[row]) σ \(batch.volatility[row]) r \(batch.rate[row]) q \(batch.dividend[row])
            """)
    }

    @Test(
        "A call less a put is the discounted forward less the strike, in every Greek",
        arguments: InstructionSet.supported)
    func putCallParity(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        let random = try OptionBatch.random(Self.count, seed: 1)
        func batch(_ type: UInt8) throws -> OptionBatch {
            try OptionBatch(
                type: Array(repeating: type, count: Self.count), spot: random.spot, strike: random.strike,
                years: random.years, volatility: random.volatility, rate: random.rate,
                dividend: random.dividend)
        }
        let calls = engine.greeks(.all, of: try batch(0))
        let puts = engine.greeks(.all, of: try batch(1))
        func difference(_ greek: Greek, _ row: Int) -> Double {
            (calls[greek]?[row] ?? .nan) - (puts[greek]?[row] ?? .nan)
        }
        Self.check("\(set): C − P = S e^(−qT) − K e^(−rT)", random, limit: 4e-16) { row in
            let spot = random.spot[row] * exp(-random.dividend[row] * random.years[row])
            let strike = random.strike[row] * exp(-random.rate[row] * random.years[row])
            return (difference(.price, row) - (spot - strike), spot + strike)
        }
        Self.check("\(set): ΔC − ΔP = e^(−qT)", random, limit: 4e-16) { row in
            (difference(.delta, row) - exp(-random.dividend[row] * random.years[row]), 1)
        }
        for greek in [Greek.gamma, .vega, .vanna, .volga, .speed, .zomma, .color, .veta, .ultima] {
            Self.check("\(set): \(greek) equal", random, limit: 0) { (difference(greek, $0), 1) }
        }
    }

    @Test(
        "Scaling spot and strike by a power of two scales the price and changes no digit",
        arguments: InstructionSet.supported)
    func homogeneity(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        let batch = try OptionBatch.random(Self.count, seed: 2)
        let scaled = try OptionBatch(
            type: batch.type, spot: batch.spot.map { $0 * 4 }, strike: batch.strike.map { $0 * 4 },
            years: batch.years, volatility: batch.volatility, rate: batch.rate, dividend: batch.dividend)
        let (own, other) = (engine.greeks(.all, of: batch), engine.greeks(.all, of: scaled))
        let powers: [Greek: Double] = [
            .delta: 1, .vanna: 1, .charm: 1, .gamma: 0.25, .zomma: 0.25,
            .color: 0.25, .speed: 0.0625,
        ]
        for greek in Greek.allCases {
            Self.check("\(set): \(greek) of 4S, 4K", batch, limit: 0) { row in
                let (a, b) = (own[greek]?[row] ?? .nan, other[greek]?[row] ?? .nan)
                return (b - a * (powers[greek] ?? 4), 1)
            }
        }
        // Euler: V = S ∂V/∂S + K ∂V/∂K and ∂V/∂K = −(rho/T)/K.
        Self.check("\(set): V = S delta − rho/T", batch, limit: 1e-15) { row in
            let (price, delta, rho) = (
                own[.price]?[row] ?? .nan, own[.delta]?[row] ?? .nan, own[.rho]?[row] ?? .nan
            )
            return (price - (batch.spot[row] * delta - rho / batch.years[row]), batch.spot[row])
        }
    }

    @Test(
        "The Black-Scholes equation holds: theta + (r − q) S delta + ½σ²S² gamma = r V",
        arguments: InstructionSet.supported)
    func partialDifferentialEquation(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        let batch = try OptionBatch.random(Self.count, seed: 3)
        let greeks = engine.greeks(.all, of: batch)
        Self.check("\(set): theta + (r − q) S delta + ½σ²S² gamma − r V", batch, limit: 2e-15) { row in
            let (s, r, q, v) = (batch.spot[row], batch.rate[row], batch.dividend[row], batch.volatility[row])
            func value(_ greek: Greek) -> Double { greeks[greek]?[row] ?? .nan }
            let diffusion = v * v * s * s * value(.gamma) / 2
            let sum = value(.theta) + (r - q) * s * value(.delta) + diffusion - r * value(.price)
            return (sum, abs(value(.theta)) + abs(r) * s + abs(q) * s + diffusion)
        }
    }

    @Test(
        "Every Greek is the derivative of one of an order below, as its name says",
        arguments: InstructionSet.supported)
    func differences(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        let batch = try OptionBatch.random(2_000, seed: 4)
        let greeks = engine.greeks(.all, of: batch)
        let chains: [(of: Greek, by: Variable, is: Greek, sign: Double)] = [
            (.price, .spot, .delta, 1), (.delta, .spot, .gamma, 1), (.price, .volatility, .vega, 1),
            (.price, .years, .theta, -1), (.price, .rate, .rho, 1), (.price, .dividend, .phi, 1),
            (.delta, .volatility, .vanna, 1), (.vega, .volatility, .volga, 1), (.delta, .years, .charm, -1),
            (.gamma, .spot, .speed, 1), (.gamma, .volatility, .zomma, 1), (.gamma, .years, .color, -1),
            (.vega, .years, .veta, -1), (.volga, .volatility, .ultima, 1),
        ]
        for chain in chains {
            let up = engine.greeks(.all, of: try chain.by.shift(batch, by: 1e-5))
            let down = engine.greeks(.all, of: try chain.by.shift(batch, by: -1e-5))
            // The scale of a derivative: its largest value nearby would do, its root mean square does.
            Self.check("\(set): ∂\(chain.of)/∂\(chain.by) = \(chain.is)", batch, limit: 2e-5) { row in
                func value(_ matrix: GreekMatrix, _ greek: Greek) -> Double { matrix[greek]?[row] ?? .nan }
                let step = chain.by.step(batch, row, 1e-5)
                let slope = (value(up, chain.of) - value(down, chain.of)) / (2 * step)
                let truth = value(greeks, chain.is)
                let scale = abs(truth) + abs(value(greeks, chain.of)) / chain.by.scale(batch, row)
                return (slope * chain.sign - truth, scale)
            }
        }
    }

    enum Variable {
        case spot, years, volatility, rate, dividend

        func shift(_ b: OptionBatch, by h: Double) throws -> OptionBatch {
            func moved(_ column: [Double], _ variable: Variable) -> [Double] {
                variable != self ? column : column.indices.map { column[$0] + step(b, $0, h) }
            }
            return try OptionBatch(
                type: b.type, spot: moved(b.spot, .spot), strike: b.strike, years: moved(b.years, .years),
                volatility: moved(b.volatility, .volatility), rate: moved(b.rate, .rate),
                dividend: moved(b.dividend, .dividend))
        }

        /// The distance over which a Greek changes by itself or so.
        func scale(_ b: OptionBatch, _ row: Int) -> Double {
            switch self {
            case .spot: b.spot[row] * b.volatility[row] * b.years[row].squareRoot()
            case .years: b.years[row]
            case .volatility: b.volatility[row]
            case .rate, .dividend: 1
            }
        }

        func step(_ b: OptionBatch, _ row: Int, _ h: Double) -> Double {
            switch self {
            case .rate, .dividend: h
            default: scale(b, row) * h
            }
        }
    }
}
