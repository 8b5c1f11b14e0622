import Foundation
import Surface
import TestSupport
import Testing

/// Slices and pairs with decisions by rational arithmetic and figures by 50 digits: Vogt's slice and its repairs, a slice
/// beyond Lee's 2, slices within 1e-7 of the border, SSVI and eSSVI at and about their limits.
@Suite(.enabled(if: SharedData.has(["surface/vectors.json"]), "needs the reference vectors"))
struct SurfaceVectorTests {
    private struct Raw: Decodable {
        let a, b, rho, m, sigma: Double
        var slice: SVISlice { SVISlice(a: a, b: b, rho: rho, m: m, sigma: sigma) }
    }

    /// A number, or "inf", "-inf", or nothing.
    private struct Figure: Decodable {
        let value: Double?

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                value = nil
            } else if let text = try? container.decode(String.self) {
                value = text == "inf" ? .infinity : -.infinity
            } else {
                value = try container.decode(Double.self)
            }
        }
    }

    private struct Wings: Decodable {
        let v, psi, p, c, v_min: Double
    }

    private struct SliceVector: Decodable {
        let name: String
        let t, a, b, rho, m, sigma: Double
        let is_slice: Bool
        let least_variance: Double
        let wing_slopes: [Double]
        let butterfly_free: Bool?
        let least_g, at: Figure?
        let jump_wings: Wings?
        let at_k: [[Double]]?
    }

    private struct PairVector: Decodable {
        let name: String?
        let earlier, later: Raw
        let calendar_free: Bool
        let least_gap: Figure
        let at: Figure?
    }

    private struct SSVIVector: Decodable {
        let raw: Raw
        let butterfly_free: Bool
        let least_g: Double
    }

    private struct Theta: Decodable {
        let theta, rho, psi: Double

        var slice: SVISlice {
            SVISlice(
                a: theta * (1 - rho * rho) / 2, b: psi / 2, rho: rho, m: -rho * theta / psi,
                sigma: (1 - rho * rho).squareRoot() * theta / psi)
        }
    }

    private struct ExtendedVector: Decodable {
        let earlier, later: Theta
        let calendar_free: Bool
        let least_gap: Figure
    }

    private struct Vectors: Decodable {
        let slices: [SliceVector]
        let pairs: [PairVector]
        let ssvi: [SSVIVector]
        let essvi_pairs: [ExtendedVector]
    }

    private static func vectors() throws -> Vectors {
        let data = try Data(contentsOf: URL(fileURLWithPath: SharedData.path("surface/vectors.json")))
        return try JSONDecoder().decode(Vectors.self, from: data)
    }

    @Test(
        "Slices: whether they are curves, least variance, wings, jump wings, g, its infimum and where, to 1e-9"
    )
    func slices() throws {
        let vectors = try Self.vectors().slices
        #expect(vectors.count >= 60)
        for vector in vectors {
            let slice = SVISlice(a: vector.a, b: vector.b, rho: vector.rho, m: vector.m, sigma: vector.sigma)
            let name = vector.name
            #expect(slice.isCurve == vector.is_slice, "\(name)")
            #expect(abs(slice.leastVariance - vector.least_variance) < 1e-15, "\(name)")
            #expect(abs(slice.leftSlope - vector.wing_slopes[0]) < 1e-15, "\(name)")
            #expect(abs(slice.rightSlope - vector.wing_slopes[1]) < 1e-15, "\(name)")
            guard vector.is_slice, slice.leastVariance > 0, let isFree = vector.butterfly_free else {
                continue
            }
            #expect((slice.butterfly == .free) == isFree, "\(name): \(slice.butterfly)")
            for row in vector.at_k ?? [] {
                #expect(abs(slice.variance(at: row[0]) - row[1]) < 1e-14 * (1 + row[1]), "\(name)")
                #expect(abs(slice.durrleman(at: row[0]) - row[2]) < 1e-11 * (1 + abs(row[2])), "\(name)")
            }
            if let wings = vector.jump_wings {
                let found = JumpWings(slice, years: vector.t)
                #expect(
                    abs(found.variance - wings.v) < 1e-12 && abs(found.skew - wings.psi) < 1e-12, "\(name)")
                #expect(
                    abs(found.leftWing - wings.p) < 1e-12 && abs(found.rightWing - wings.c) < 1e-12, "\(name)"
                )
                #expect(abs(found.leastVariance - wings.v_min) < 1e-12, "\(name)")
            }
            guard let least = vector.least_g?.value, let at = vector.at?.value else { continue }
            let found = slice.leastDurrleman
            #expect(abs(found.value - least) <= 1e-9 * (1 + abs(least)), "\(name): \(found), not \(least)")
            // Of a flat slice any place is right.
            guard slice.b > 0 else { continue }
            let isThere = at.isFinite ? abs(found.at - at) <= 1e-9 * (1 + abs(at)) : found.at == at
            #expect(isThere, "\(name): \(found), not at \(at)")
        }
    }

    @Test("Pairs: whether they cross, and the least gap, to 1e-9 of the variances, and where")
    func pairs() throws {
        let vectors = try Self.vectors()
        #expect(vectors.pairs.count >= 30)
        var places = 0
        for (place, vector) in vectors.pairs.enumerated() {
            let name = vector.name ?? "\(place)"
            let (earlier, later) = (vector.earlier.slice, vector.later.slice)
            Self.check(name, earlier, later, vector.calendar_free, vector.least_gap)
            // Of curves that are as far apart everywhere any place is right.
            guard let at = vector.at?.value, at.isFinite, earlier.b != later.b || earlier.m != later.m,
                let least = earlier.leastGap(to: later)
            else { continue }
            places += 1
            #expect(abs(least.at - at) <= 1e-9 * (1 + abs(at)), "\(name): \(least), not at \(at)")
        }
        #expect(places >= 20)
    }

    private static func check(
        _ name: String, _ earlier: SVISlice, _ later: SVISlice, _ isFree: Bool, _ least: Figure
    ) {
        switch earlier.calendar(to: later) {
        case .free: #expect(isFree, "\(name)")
        case .arbitrage, .flatterWing: #expect(!isFree, "\(name)")
        // Equal slices, and such that touch.
        case .border: #expect(abs(least.value ?? 1) < 1e-12, "\(name)")
        }
        guard let value = least.value, value.isFinite else {
            #expect(earlier.leastGap(to: later) == nil, "\(name)")
            return
        }
        let found = earlier.leastGap(to: later)?.value ?? .nan
        let scale = 1e-9 * (abs(value) + earlier.leastVariance)
        #expect(abs(found - value) <= scale, "\(name): \(found), not \(value)")
    }

    @Test("SSVI at and beyond its limit, and pairs of eSSVI slices")
    func simple() throws {
        let vectors = try Self.vectors()
        #expect(vectors.ssvi.count >= 30 && vectors.essvi_pairs.count >= 30)
        for (place, vector) in vectors.ssvi.enumerated() {
            let slice = vector.raw.slice
            // At a wing of 2 the last bit of a slope decides.
            let steepest = max(slice.leftSlope, slice.rightSlope)
            if abs(steepest - 2) > 1e-14 {
                #expect((slice.butterfly == .free) == vector.butterfly_free, "\(place): \(slice.butterfly)")
            }
            let found = slice.leastDurrleman.value
            #expect(abs(found - vector.least_g) <= 1e-9 * (1 + abs(vector.least_g)), "\(place): \(found)")
        }
        for (place, vector) in vectors.essvi_pairs.enumerated() {
            Self.check(
                "eSSVI \(place)", vector.earlier.slice, vector.later.slice, vector.calendar_free,
                vector.least_gap)
        }
    }
}
