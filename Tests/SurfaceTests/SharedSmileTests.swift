import Foundation
import Market
import Surface
import TestSupport
import Testing

/// Reference smiles with the global optima that other methods found: 32 starts of a trust-region method, and a grid with
/// an interior-point method. Losses are computed here from the parameters, not taken from the fit.
@Suite(.enabled(if: SharedData.has(sets.flatMap { [$0.quotes, $0.expected] }), "needs the reference smiles"))
struct SharedSmileTests {
    /// Losses of one slice or surface by how it was fitted.
    private struct Reference {
        var losses: [String: Double] = [:]
    }

    private static func reference(
        _ file: String
    ) throws -> (slices: [String: Reference], surfaces: [String: Reference]) {
        let data = try Data(contentsOf: URL(fileURLWithPath: SharedData.path(file)))
        let whole = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        func read(_ member: String) -> [String: Reference] {
            let entries = whole[member] as? [String: [String: Any]] ?? [:]
            return entries.mapValues { entry in
                var result = Reference()
                for (name, value) in entry {
                    guard let fit = value as? [String: Any], let loss = fit["loss"] as? Double else {
                        continue
                    }
                    result.losses[name] = loss
                }
                return result
            }
        }
        return (read("slices"), read("surfaces"))
    }

    private static func smiles(_ file: String) throws -> [SmileQuotes] {
        var badRows = BadRows(skip: false)
        return try SmileTable(Source(path: SharedData.path(file)), &badRows).smiles
    }

    /// Σ q (vol − mid)², or the band's loss as it is defined for users.
    private static func loss(_ smile: SmileQuotes, _ slice: SVISlice, _ kind: SmileLoss) -> Double {
        let counting = smile.quotes.filter { quote in
            guard quote.weight > 0, quote.bid != nil || quote.ask != nil else { return false }
            return !((quote.bid ?? 0) > (quote.ask ?? .infinity))
        }
        var halves: [Double] = []
        for quote in counting {
            if let bid = quote.bid, let ask = quote.ask { halves.append(max((ask - bid) / 2, 0.001)) }
        }
        halves.sort()
        let median =
            halves.isEmpty ? .nan : (halves[halves.count / 2] + halves[(halves.count - 1) / 2]) / 2
        return counting.reduce(0) { sum, quote in
            let volatility = slice.volatility(at: log(quote.strike / smile.forward), years: smile.years)
            var middle: Double?
            var half = median
            if let bid = quote.bid, let ask = quote.ask {
                middle = (bid + ask) / 2
                half = max((ask - bid) / 2, 0.001)
            }
            let distance = middle.map { volatility - $0 } ?? 0
            if kind == .mid { return sum + quote.weight * distance * distance }
            let outside =
                max(0, (quote.bid ?? 0) - volatility, volatility - (quote.ask ?? .infinity)) / half
            let relative = distance / half
            return sum + quote.weight * (outside * outside + 0.01 * relative * relative)
        }
    }

    /// What exact quotes may miss: 1e-7 of volatility each.
    private static func slack(_ smile: SmileQuotes, _ kind: SmileLoss) -> Double {
        Double(smile.quotes.count) * (kind == .band ? 1e-8 : 1e-14)
    }

    @Test("Every slice is fitted as well as by the best of two other methods", arguments: sets)
    func free(_ set: SmileSet) throws {
        let expected = try Self.reference(set.expected).slices
        var compared = 0
        for fit in SurfaceFit(try Self.smiles(set.quotes), loss: .mid, rule: .none).slices {
            guard let best = expected[fit.smile.name]?.losses["free"] else { continue }
            let slice = try #require(fit.slice, "\(fit.smile.name): \(fit.status)")
            let loss = Self.loss(fit.smile, slice, .mid)
            #expect(
                loss <= best * set.freeShare + Self.slack(fit.smile, .mid),
                "\(fit.smile.name): \(loss / best) of \(best)")
            #expect(fit.status == (fit.smile.hasFaults ? .badQuotes : .ok) && fit.repair == .none)
            compared += 1
        }
        #expect(compared >= set.count)
    }

    @Test(
        "Surfaces without any arbitrage cost no more than 1.01 of the best found",
        arguments: [SmileLoss.mid, .band])
    func joint(_ kind: SmileLoss) throws {
        for set in sets {
            let expected = try Self.reference(set.expected)
            let fit = SurfaceFit(try Self.smiles(set.quotes), loss: kind, rule: .full)
            #expect(
                fit.slices.allSatisfy {
                    $0.status == ($0.smile.hasFaults ? .badQuotes : .ok) || $0.status == .tooFewQuotes
                })
            var sums: [String: Double] = [:]
            for slice in fit.slices {
                guard let curve = slice.slice else { continue }
                #expect(curve.butterfly == .free, "\(slice.smile.name)")
                sums[slice.smile.underlying, default: 0] += Self.loss(slice.smile, curve, kind)
            }
            for gap in fit.calendar { #expect(gap.least?.value ?? -1 >= 0, "\(gap.later)") }
            for (underlying, reference) in expected.surfaces {
                guard let best = reference.losses[kind.rawValue], let sum = sums[underlying] else { continue }
                #expect(sum <= 1.01 * best, "\(underlying): \(sum / best) of \(best)")
            }
        }
    }
}

/// Quotes, the reference fits of them, and how far above those a fit may end.
struct SmileSet: Sendable, CustomTestStringConvertible {
    let quotes, expected: String
    let count: Int
    let freeShare: Double

    var testDescription: String { quotes }
}

private let sets = [
    // On some slices of five quotes the loss hardly depends on the parameters.
    SmileSet(
        quotes: "surface/smiles-dev.csv", expected: "surface/expected-dev.json", count: 130, freeShare: 1.0005
    )
]
