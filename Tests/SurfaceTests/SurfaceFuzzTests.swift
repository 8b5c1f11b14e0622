import Foundation
import Surface
import TestSupport
import Testing

/// Quotes of all kinds: random, crossed, one-sided, twice at a strike, tiny, huge, at a point, beside the forward.
/// `POISE_FUZZ_SLICES` says how many slices.
struct SurfaceFuzzTests {
    private static let slices =
        ProcessInfo.processInfo.environment["POISE_FUZZ_SLICES"].flatMap { Int($0) } ?? 400

    private static func smile(_ expiry: Int, _ generator: inout SeededGenerator) -> SmileQuotes {
        func power(_ low: Double, _ high: Double) -> Double {
            pow(10, Double.random(in: low...high, using: &generator))
        }
        let years = power(-5, 1.3)
        let reach = power(-4, 1)
        let forward = power(-6, 8)
        let centre = Bool.random(using: &generator) ? 0 : reach * Double.random(in: -3...3, using: &generator)
        let kind = Int.random(in: 0..<5, using: &generator)
        let level = power(-3, 1)
        var quotes: [SmileQuote] = []
        for _ in 0..<Int.random(in: 0...40, using: &generator) {
            let k = centre + reach * Double.random(in: -1...1, using: &generator)
            var middle = level
            switch kind {
            case 0: middle = power(-4, 2)
            case 1: middle = level * (1 + 0.3 * k / reach)
            case 2: middle = level * (1 + 3 * k * k / (reach * reach))
            case 3: middle = k < centre ? level : 3 * level
            default: break
            }
            let spread = middle * power(-6, 0.5) * (Int.random(in: 0..<20, using: &generator) == 0 ? -1 : 1)
            let side = Int.random(in: 0..<12, using: &generator)
            let weight = side == 3 ? 0 : side == 4 ? power(-9, 9) : 1
            let quote = SmileQuote(
                strike: forward * exp(k), bid: side == 0 ? nil : max(0, middle - spread),
                ask: side == 1 ? nil : max(0, middle + spread), weight: weight)
            quotes.append(quote)
            if side == 5 { quotes.append(quote) }
        }
        return SmileQuotes(
            name: "X-\(expiry)", underlying: "X", years: years, forward: forward, quotes: quotes)
    }

    @Test(
        "Whatever is quoted: no trap, no figure that is none without a status, no arbitrage where all is ok")
    func anything() {
        var generator = SeededGenerator(seed: 41)
        var made = 0
        var counts: [String: Int] = [:]
        while made < Self.slices {
            let smiles = (0..<Int.random(in: 1...3, using: &generator)).map {
                Self.smile($0, &generator)
            }
            made += smiles.count
            let loss = SmileLoss.allCases[Int.random(in: 0..<3, using: &generator)]
            let rule = ArbitrageRule.allCases[Int.random(in: 0..<3, using: &generator)]
            let fit = SurfaceFit(smiles, loss: loss, rule: rule)
            for found in fit.slices {
                counts[found.status.rawValue, default: 0] += 1
                guard let slice = found.slice else {
                    #expect(found.status == .tooFewQuotes || found.status == .unsolved, "\(made)")
                    continue
                }
                let isWhole = slice.isCurve && found.quality?.rootMeanSquare.isFinite == true
                #expect(isWhole || found.status != .ok, "\(made): \(slice), \(found.status)")
                if rule != .none, found.status == .ok || found.status == .fallback {
                    #expect(slice.butterfly == .free, "\(made): \(slice)")
                }
            }
            if rule == .full, fit.slices.allSatisfy({ $0.status == .ok || $0.status == .fallback }) {
                let ascending = fit.slices.sorted { $0.smile.years < $1.smile.years }.compactMap(\.slice)
                for (earlier, later) in zip(ascending, ascending.dropFirst()) {
                    #expect(earlier.calendar(to: later) == .free, "\(made): \(earlier), \(later)")
                }
            }
            if let surface = try? VolatilitySurface(fit) {
                for years in [1e-6, 0.1, 30] {
                    guard let section = surface.section(years: years) else {
                        #expect(surface.forward(years: years) == nil, "\(made): \(years)")
                        continue
                    }
                    for k in [-5, 0, 0.3, 9.0] {
                        #expect(!section.volatility(at: k).isNaN, "\(made): \(years), \(k)")
                    }
                }
            }
        }
        #expect(counts["ok", default: 0] > made / 4, "\(counts)")
    }
}
