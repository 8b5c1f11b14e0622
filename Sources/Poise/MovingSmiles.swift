import Foundation
import Greeks
import Market
import Risk
import Surface

/// Greeks of a chain's options where their smiles move along with the price, by the slices of a fitted surface.
public struct MovingSmiles: Sendable {
    /// Where R comes from.
    public enum Stickiness: Sendable {
        /// The same for all.
        case given(Double)
        /// Of each underlying and tenor that of a history, where it left less variance than sticky strike out of sample; else 1.
        case earned(HistoricalDynamics)
    }

    public let stickiness: Stickiness
    private let slices: [String: SmileFit]

    public init(_ fit: SurfaceFit, _ stickiness: Stickiness) {
        self.stickiness = stickiness
        slices = Dictionary(
            fit.slices.filter { $0.isUsable && $0.slice != nil }.map { ($0.smile.name, $0) },
            uniquingKeysWith: { first, _ in first })
    }

    /// R of a slice.
    public func ratio(of smile: SmileQuotes) -> Double {
        switch stickiness {
        case .given(let ratio): return ratio
        case .earned(let history):
            let bucket = history.bucket(of: smile.underlying, days: smile.years * 365)
            guard let ratio = bucket?.stickiness, let gain = bucket?.gain, gain > 0 else { return 1 }
            return ratio
        }
    }

    /// Greeks of a row and the R that they are at; nil for what is no option, and where its volatility is not that of a slice.
    /// - Parameter chain: computed, valued with the surface's volatilities; without veta, charm is Black's.
    public func greeks(of chain: ChainGreeks, row: Int) -> (stickiness: Double, greeks: BlackGreeks)? {
        guard case .option(_, let strike, _) = chain.tickers[row].instrument.kind,
            let fit = slices[chain.tickers[row].instrument.series], let slice = fit.slice
        else { return nil }
        let (forward, years) = (chain.options.spot[row], fit.smile.years)
        let k = log(strike / forward)
        // Older rows keep the exchange's volatilities.
        guard slice.volatility(at: k, years: years) == chain.options.volatility[row] else { return nil }
        func greek(_ greek: Greek) -> Double { chain.greeks[greek]?[row] ?? 0 }
        let black = BlackGreeks(
            delta: greek(.delta), gamma: greek(.gamma), vega: greek(.vega), vanna: greek(.vanna),
            volga: greek(.volga), charm: greek(.charm), veta: greek(.veta))
        let ratio = ratio(of: fit.smile)
        let point = slice.volatilityPoint(at: k, years: years)
        let moved = black.moving(
            SmileDynamics(stickiness: ratio), slope: point.slope, curvature: point.curvature, forward: forward
        )
        return (ratio, moved)
    }

    /// Puts delta and gamma at R in the place of Black's, until they are computed anew.
    /// - Returns: the series whose options keep Black's.
    public func replaceGreeks(of chain: ChainGreeks) -> Set<String> {
        var without: Set<String> = []
        for (row, ticker) in chain.tickers.enumerated() where ticker.instrument.isOption {
            guard let moved = greeks(of: chain, row: row)?.greeks else {
                without.insert(ticker.instrument.series)
                continue
            }
            chain.greeks[.delta]?[row] = moved.delta
            chain.greeks[.gamma]?[row] = moved.gamma
        }
        return without
    }

    /// A sentence for each bucket of a history: which R it gives, and what that gained or lost out of sample.
    public var remarks: [String] {
        guard case .earned(let history) = stickiness else { return [] }
        return history.buckets.map { bucket in
            let end = bucket.toDays.map { " to \(Self.short($0))" } ?? " or more"
            let which = "stickiness of \(bucket.underlying), \(Self.short(bucket.fromDays))\(end) days: "
            guard let ratio = bucket.stickiness, let gain = bucket.gain else {
                return which + "\(history.name) has no gain: Black's delta stays"
            }
            let percent = Self.rounded(100 * gain.magnitude, decimals: 1) + "%"
            let shown = Self.rounded(ratio, decimals: 2)
            return gain > 0
                ? which + "R = \(shown), which left \(percent) less variance out of sample"
                : which + "Black's delta stays; R = \(shown) left \(percent) more variance out of sample"
        }
    }

    /// With so many decimals. By hand: a format of Foundation's would put its tables of locales into the C library.
    private static func rounded(_ value: Double, decimals: Int) -> String {
        let scale = decimals == 1 ? 10 : 100
        guard let steps = Int(exactly: (value.magnitude * Double(scale)).rounded()) else { return "\(value)" }
        let rest = String(steps % scale)
        let zeros = String(repeating: "0", count: decimals - rest.count)
        return (value < 0 && steps > 0 ? "-" : "") + "\(steps / scale).\(zeros)\(rest)"
    }

    private static func short(_ days: Double) -> String {
        days == days.rounded() ? "\(Int(days))" : "\(days)"
    }
}
