import Foundation
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
            let ascending = (places[underlying] ?? []).sorted { smiles[$0].years < smiles[$1].years }
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
        let clock = ContinuousClock()
        var quotes: [QuoteLanes] = []
        var vectors: [SliceVector?] = []
        var microseconds: [Double] = []
        for smile in smiles {
            let lanes = QuoteLanes(smile, loss: loss)
            quotes.append(lanes)
            let start = clock.now
            vectors.append(
                lanes.strikeCount < 5 ? nil : alone(lanes, rule: rule == .none ? .none : .butterfly))
            microseconds.append((clock.now - start) / .microseconds(1))
        }
        if rule == .full {
            let places = vectors.indices.filter { vectors[$0] != nil }
            let start = clock.now
            let joint = together(places.map { quotes[$0] }, places.compactMap { vectors[$0] })
            let each = (clock.now - start) / .microseconds(1) / Double(max(1, places.count))
            for (place, vector) in zip(places, joint) {
                vectors[place] = vector
                microseconds[place] += each
            }
        }
        let curves = vectors.map { $0.map { SVISlice($0) } }
        let fitted = curves.indices.filter { curves[$0] != nil }
        return smiles.indices.map { place in
            let slice = curves[place]
            var status = SmileFit.Status.ok
            if let slice {
                if rule != .none, slice.butterfly != .free { status = .butterfly }
                if rule == .full, status == .ok, let here = fitted.firstIndex(of: place) {
                    let neighbours = [
                        here > 0 ? curves[fitted[here - 1]].map { $0.calendar(to: slice) } : nil,
                        here + 1 < fitted.count
                            ? curves[fitted[here + 1]].map { slice.calendar(to: $0) } : nil,
                    ]
                    if neighbours.contains(where: { $0 != nil && $0 != .free }) { status = .calendar }
                }
            } else {
                status = quotes[place].strikeCount < 5 ? .tooFewQuotes : .unsolved
            }
            return SmileFit(smiles[place], loss, slice, status, microseconds: microseconds[place])
        }
    }

    /// The best of fits from several starts.
    private static func alone(_ quotes: QuoteLanes, rule: ArbitrageRule) -> SliceVector? {
        var best: (loss: Double, vector: SliceVector)?
        var spare: (violation: Double, vector: SliceVector)?
        for start in StartGrid.starts(quotes, most: 4) {
            var fit = ConstrainedFit([quotes], rule: rule, from: [start])
            fit.run()
            guard fit.loss < .infinity else { continue }
            if fit.violation <= ConstrainedFit.tolerance {
                if fit.loss < best?.loss ?? .infinity { best = (fit.loss, fit.vectors[0]) }
            } else if fit.violation < spare?.violation ?? .infinity {
                spare = (fit.violation, fit.vectors[0])
            }
        }
        return best?.vector ?? spare?.vector
    }

    /// All slices moved together; their own best fits where no start leads to slices that don't cross.
    ///
    /// The problem has local optima: it is started from the slices' own fits, with and without butterflies, and from
    /// surfaces that grow by a slice at a time from either end.
    private static func together(_ quotes: [QuoteLanes], _ own: [SliceVector]) -> [SliceVector] {
        guard quotes.count > 1 else { return own }
        let free = quotes.enumerated().map { alone($0.element, rule: .none) ?? own[$0.offset] }
        var best: (loss: Double, vectors: [SliceVector])?
        for start in [own, free, grown(quotes, own, fromEnd: false), grown(quotes, own, fromEnd: true)] {
            var fit = ConstrainedFit(quotes, rule: .full, from: start)
            fit.run(most: 200)
            if fit.violation <= ConstrainedFit.tolerance, fit.loss < best?.loss ?? .infinity {
                best = (fit.loss, fit.vectors)
            }
        }
        return best?.vectors ?? own
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
