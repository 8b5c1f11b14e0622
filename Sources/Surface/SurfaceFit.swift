import Foundation
import SurfaceKernel
import VectorMath

/// Smiles fitted under a loss and a rule, with what there is between neighbours.
public struct SurfaceFit: Sendable {
    /// In the order of the smiles.
    public private(set) var slices: [SmileFit] = []
    public private(set) var calendar: [CalendarGap] = []

    /// Fits each smile, under `full` all of an underlying together.
    public init(_ smiles: [SmileQuotes], loss: SmileLoss, rule: ArbitrageRule) {
        var fits: [SmileFit?] = smiles.map { _ in nil }
        var order: [String] = []
        var places: [String: [Int]] = [:]
        for (place, smile) in smiles.enumerated() {
            if places[smile.underlying] == nil { order.append(smile.underlying) }
            places[smile.underlying, default: []].append(place)
        }
        for underlying in order {
            let own = places[underlying] ?? []
            // Years may be missing from those that cannot be fitted.
            for place in own where smiles[place].obstacle != nil {
                fits[place] = SmileFit(smiles[place], loss, nil, .unsolved, .none)
            }
            let ascending = own.filter { smiles[$0].obstacle == nil }
                .sorted { smiles[$0].years < smiles[$1].years }
            let found = Self.fits(ascending.map { smiles[$0] }, loss, rule)
            for (place, fit) in zip(ascending, found) { fits[place] = fit }
            let curves = found.compactMap { fit in fit.slice.map { (fit.smile.name, $0) } }
            for (earlier, later) in zip(curves, curves.dropFirst()) {
                calendar.append(
                    CalendarGap(earlier: earlier.0, later: later.0, least: earlier.1.leastGap(to: later.1)))
            }
        }
        slices = fits.compactMap { $0 }
    }

    /// Smiles of one underlying in order of time.
    private static func fits(_ smiles: [SmileQuotes], _ loss: SmileLoss, _ rule: ArbitrageRule) -> [SmileFit]
    {
        let quotes = smiles.map { QuoteLanes($0, loss: loss) }
        let places = quotes.indices.filter { quotes[$0].strikeCount >= 5 }
        var found = Array(repeating: Found?.none, count: smiles.count)
        for place in places {
            found[place] = alone(quotes[place], rule: rule == .none ? .none : .butterfly)
        }
        if rule == .full, places.count > 1 {
            let joint = together(places.map { quotes[$0] }, places.map { found[$0] })
            for (place, slice) in zip(places, joint) { found[place] = slice }
        }
        return smiles.indices.map { place in
            guard let here = found[place] else {
                let status = quotes[place].strikeCount < 5 ? SmileFit.Status.tooFewQuotes : .unsolved
                return SmileFit(smiles[place], loss, nil, status, .none)
            }
            return SmileFit(smiles[place], loss, SVISlice(here.vector), here.status, here.repair)
        }
    }

    /// A slice as a fit left it.
    private struct Found {
        var vector: SliceVector
        var status = SmileFit.Status.ok
        var repair = SmileFit.Repair.none
    }

    /// The best of fits from several starts.
    private static func alone(_ quotes: QuoteLanes, rule: ArbitrageRule) -> Found? {
        // Where the best of them is allowed, there is nothing better.
        let free = FreeFit(quotes)
        if free.loss < .infinity, quotes.isHighEnough(free.vector),
            rule == .none || SVISlice(free.vector).butterfly == .free
        {
            return Found(vector: free.vector)
        }
        var best: (loss: Double, vector: SliceVector)?
        var lifted: [SliceVector] = []
        if free.loss < .infinity { lifted.append(free.vector) }
        for place in 0..<free.rivalCount { lifted.append(free.rivals[place]) }
        if rule != .none {
            lifted += lifted.prefix(1).compactMap { repaired(SVISlice($0))?.slice(years: 1)?.vector }
        }
        let wide = quotes.starts(isWide: true)
        for place in 0..<wide.count {
            lifted.append(wide.vectors[place])
            // With bands the free fit has gone from there.
            guard !quotes.hasBands else { continue }
            var fit = SliceFit(from: wide.vectors[place])
            quotes.run(&fit)
            if fit.loss < .infinity { lifted.append(fit.vector) }
        }
        for start in lifted {
            var fit = ConstrainedFit([quotes], rule: rule, from: [start])
            fit.run()
            if fit.violation <= ConstrainedFit.tolerance, fit.loss < best?.loss ?? .infinity,
                rule == .none || SVISlice(fit.vectors[0]).butterfly == .free
            {
                best = (fit.loss, fit.vectors[0])
            }
        }
        if let best { return Found(vector: best.vector, repair: rule == .none ? .none : .refit) }
        guard rule != .none else { return nil }
        if free.loss < .infinity, let mended = mended(SVISlice(free.vector)) {
            return Found(vector: mended.vector, status: .fallback, repair: mended.repair)
        }
        return standIns([quotes]).first
    }

    /// A slice freed of butterflies by hand, as little of each as is enough: by its jump wings, or else by its width.
    /// - Source: Gatheral and Jacquier, Arbitrage-free SVI volatility surfaces, 2014, section 5.1; Martini and Mingone, No
    ///   arbitrage SVI, 2022: α = a/σ and μ = m/σ kept, there is a least σ without butterflies.
    package static func mended(_ slice: SVISlice) -> (vector: SliceVector, repair: SmileFit.Repair)? {
        let wings = JumpWings(slice, years: 1)
        let whole = repaired(slice)
        func byWings(_ share: Double) -> SVISlice? {
            guard let whole else { return nil }
            func mixed(_ one: Double, _ other: Double) -> Double { one + share * (other - one) }
            return JumpWings(
                variance: wings.variance, skew: wings.skew, leftWing: wings.leftWing,
                rightWing: mixed(wings.rightWing, whole.rightWing),
                leastVariance: mixed(wings.leastVariance, whole.leastVariance)
            ).slice(years: 1)
        }
        if let found = least(byWings, from: 0, to: 1) { return (found, .jumpWings) }
        func byWidth(_ doublings: Double) -> SVISlice? {
            let factor = exp2(doublings)
            return SVISlice(
                a: slice.a * factor, b: slice.b, rho: slice.rho, m: slice.m * factor,
                sigma: slice.sigma * factor)
        }
        return least(byWidth, from: 0, to: 20).map { ($0, .zoom) }
    }

    /// The first slice on a way that has no butterfly, where the last one has none.
    private static func least(
        _ slice: (Double) -> SVISlice?, from start: Double, to end: Double
    ) -> SliceVector? {
        func free(_ place: Double) -> SliceVector? {
            // Proved is what the vector says: its logarithm of σ rounds.
            guard let vector = slice(place)?.vector else { return nil }
            let slice = SVISlice(vector)
            return slice.isCurve && slice.butterfly == .free ? vector : nil
        }
        guard var found = free(end) else { return nil }
        var (low, high) = (start, end)
        for _ in 0..<40 {
            let middle = 0.5 * (low + high)
            if let vector = free(middle) { (found, high) = (vector, middle) } else { low = middle }
        }
        return found
    }

    /// The same variance and skew at the money and the same left wing, with a right one and a least variance that leave
    /// no butterfly where wings are not too steep.
    /// - Source: Gatheral and Jacquier, Arbitrage-free SVI volatility surfaces, 2014, section 5.1.
    private static func repaired(_ slice: SVISlice) -> JumpWings? {
        let wings = JumpWings(slice, years: 1)
        let right = max(0, wings.leftWing + 2 * wings.skew)
        let sum = wings.leftWing + right
        guard wings.variance > 0, sum > 0 else { return nil }
        return JumpWings(
            variance: wings.variance, skew: wings.skew, leftWing: wings.leftWing, rightWing: right,
            leastVariance: wings.variance * 4 * wings.leftWing * right / (sum * sum))
    }

    /// All slices moved together, under all conditions.
    ///
    /// The problem has local optima: it is started from the slices' own fits, with and without butterflies, from surfaces
    /// that grow by a slice at a time from either end, and from one that keeps all conditions. That stands in
    /// where no start leads to slices that are proved to keep them.
    private static func together(_ quotes: [QuoteLanes], _ own: [Found?]) -> [Found] {
        if own.allSatisfy({ $0?.status == .ok }), isFree(own.compactMap { $0?.vector }) {
            return own.compactMap { $0 }
        }
        let simple = ExtendedSSVI.slices(quotes)
        let vectors = zip(own, simple).map { $0?.vector ?? $1 }
        let free = zip(quotes, vectors).map { alone($0, rule: .none)?.vector ?? $1 }
        let starts = [
            vectors, free, grown(quotes, vectors, fromEnd: false), grown(quotes, vectors, fromEnd: true),
            simple,
        ]
        var fits: [ConstrainedFit] = []
        for start in starts {
            var fit = ConstrainedFit(quotes, rule: .full, from: start)
            fit.run(most: 200)
            if fit.violation <= ConstrainedFit.tolerance, fit.loss < .infinity { fits.append(fit) }
        }
        fits.sort { $0.loss < $1.loss }
        guard let best = fits.first(where: { isFree($0.vectors) }) else { return standIns(quotes) }
        return best.vectors.map { Found(vector: $0, repair: .refit) }
    }

    /// Simpler slices, named as such.
    private static func standIns(_ quotes: [QuoteLanes]) -> [Found] {
        let vectors = ExtendedSSVI.slices(quotes)
        let slices = vectors.map { SVISlice($0) }
        return slices.indices.map { place in
            var result = Found(vector: vectors[place], status: .fallback, repair: .essvi)
            if slices[place].butterfly != .free {
                result.status = .butterfly
            } else if place > 0, slices[place - 1].calendar(to: slices[place]) != .free {
                result.status = .calendar
            }
            return result
        }
    }

    /// What stands in for raw SVI, of an underlying's smiles in order of time.
    package static func standIns(_ smiles: [SmileQuotes], loss: SmileLoss) -> [SVISlice] {
        ExtendedSSVI.slices(smiles.map { QuoteLanes($0, loss: loss) }).map { SVISlice($0) }
    }

    /// Whether slices are proved to have no butterfly and not to cross.
    private static func isFree(_ vectors: [SliceVector]) -> Bool {
        let slices = vectors.map { SVISlice($0) }
        return slices.allSatisfy { $0.butterfly == .free }
            && zip(slices, slices.dropFirst()).allSatisfy { $0.calendar(to: $1) == .free }
    }

    /// A surface that was fitted anew with each slice that came to it.
    private static func grown(
        _ quotes: [QuoteLanes], _ own: [SliceVector], fromEnd: Bool
    ) -> [SliceVector] {
        var vectors: [SliceVector] = []
        for size in 1...quotes.count {
            let range = fromEnd ? (quotes.count - size)..<quotes.count : 0..<size
            vectors = fromEnd ? [own[range.lowerBound]] + vectors : vectors + [own[size - 1]]
            guard size > 1 else { continue }
            var fit = ConstrainedFit(Array(quotes[range]), rule: .full, from: vectors)
            fit.run(most: 60)
            vectors = fit.vectors
        }
        return vectors
    }
}
