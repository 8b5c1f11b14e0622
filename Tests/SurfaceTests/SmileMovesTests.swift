import Foundation
import Market
import Surface
import Testing

/// Moves of curves that are known.
struct SmileMovesTests {
    private static func fit(_ curve: SVISlice, years: Double, forward: Double) -> SurfaceFit {
        let quotes = stride(from: -0.4, through: 0.4, by: 0.05).map { k in
            let level = curve.volatility(at: k, years: years)
            return SmileQuote(strike: forward * exp(k), bid: level - 0.001, ask: level + 0.001)
        }
        let smile = SmileQuotes(
            name: "BTC-27MAR26", underlying: "BTC", years: years, forward: forward, quotes: quotes)
        return SurfaceFit([smile], loss: .mid, rule: .full)
    }

    @Test("Level, skew and wings are those of the curves by hand, and add up to the option's own move")
    func parts() throws {
        let (one, other) = (
            SVISlice(a: 0.004, b: 0.06, rho: -0.3, m: 0.02, sigma: 0.1),
            SVISlice(a: 0.005, b: 0.07, rho: -0.4, m: 0.01, sigma: 0.12)
        )
        let moves = SmileMoves(
            from: Self.fit(one, years: 0.1, forward: 60_000),
            to: Self.fit(other, years: 0.09, forward: 63_000))
        let option = try Instrument(name: "BTC-27MAR26-54000-P")
        let move = try #require(moves.move(of: option, from: 60_000, to: 63_000))
        func volatility(_ curve: SVISlice, _ k: Double, _ years: Double) -> Double {
            let x = k - curve.m
            return
                ((curve.a + curve.b * (curve.rho * x + (x * x + curve.sigma * curve.sigma).squareRoot()))
                / years)
                .squareRoot()
        }
        func slope(_ curve: SVISlice, _ years: Double) -> Double {
            (volatility(curve, 1e-6, years) - volatility(curve, -1e-6, years)) / 2e-6
        }
        let (k0, k1) = (log(54_000.0 / 60_000), log(54_000.0 / 63_000))
        let level = volatility(other, 0, 0.09) - volatility(one, 0, 0.1)
        let skew = slope(other, 0.09) * k1 - slope(one, 0.1) * k0
        let whole = volatility(other, k1, 0.09) - volatility(one, k0, 0.1)
        #expect(abs(move.level - level) < 1e-6 && abs(move.skew - skew) < 1e-6, "\(move)")
        #expect(abs(move.level + move.skew + move.wings - whole) < 1e-6)
        #expect(abs(move.wings) > 1e-3 && abs(move.skew) > 1e-3)
    }

    @Test("What has no curve at either moment has no move, nor has what is no option")
    func none() throws {
        let curve = SVISlice(a: 0.004, b: 0.06, rho: -0.3, m: 0.02, sigma: 0.1)
        let fit = Self.fit(curve, years: 0.1, forward: 60_000)
        let empty = SurfaceFit([], loss: .mid, rule: .full)
        let option = try Instrument(name: "BTC-27MAR26-54000-P")
        #expect(SmileMoves(from: fit, to: empty).move(of: option, from: 60_000, to: 60_000) == nil)
        #expect(SmileMoves(from: empty, to: fit).move(of: option, from: 60_000, to: 60_000) == nil)
        let both = SmileMoves(from: fit, to: fit)
        #expect(both.move(of: try Instrument(name: "BTC-27MAR26"), from: 60_000, to: 60_000) == nil)
        #expect(both.move(of: try Instrument(name: "BTC-26JUN26-54000-P"), from: 60_000, to: 60_000) == nil)
        #expect(both.move(of: option, from: 60_000, to: 60_000)?.level == 0)
    }
}
