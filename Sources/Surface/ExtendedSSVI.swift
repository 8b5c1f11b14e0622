import Foundation
import SurfaceKernel
import VectorMath

/// Slices of three parameters each that cannot have butterflies or cross: what stands in where raw SVI cannot be freed of
/// them.
///
/// w(k) = θ/2 (1 + ρφk + √((φk + ρ)² + 1 − ρ²)), ψ = θφ. No butterfly: ψ ≤ min(4/(1 + |ρ|), 2√(θ/(1 + |ρ|))). No
/// crossing: θ and both wings' slopes ψ(1 ± ρ)/2 rise, φ does not. The slice before with a higher θ always keeps all of
/// that, so that slice after slice none is without a choice.
/// - Source: Hendriks and Martini, The extended SSVI volatility surface, 2019; Mingone, No arbitrage global
///   parametrization for the eSSVI volatility surface, 2022.
struct ExtendedSSVI {
    private var theta: Double
    private var rho: Double
    private var psi: Double

    /// How far a slice stays within its limits and above the one before: what certificates need.
    private static let rise = 1 + 1e-6
    private static let slopeRise = 1 + 1e-7
    private static let share = 0.99

    /// The slices nearest to quotes in ascending order of time, one after the other.
    static func slices(_ quotes: [QuoteLanes]) -> [SliceVector] {
        var before: ExtendedSSVI?
        return quotes.map { quotes in
            let slice = nearest(quotes, after: before)
            before = slice
            return slice.vector
        }
    }

    private static func nearest(_ quotes: QuoteLanes, after before: ExtendedSSVI?) -> ExtendedSSVI {
        var best = (loss: Double.infinity, slice: before?.raised ?? ExtendedSSVI(flat: quotes.scale))
        for steepness in [-2.0, 0, 2] {
            let start = SIMD3(atanh(before?.rho ?? -0.2), -1, steepness)
            let place = lowest(from: start) { place in
                ExtendedSSVI(place, quotes.scale, after: before).map { quotes.loss($0.vector) } ?? .nan
            }
            if place.value < best.loss, let slice = ExtendedSSVI(place.at, quotes.scale, after: before) {
                best = (place.value, slice)
            }
        }
        return best.slice
    }

    private init(flat theta: Double) {
        self.theta = theta
        rho = 0
        psi = 1e-3 * min(1, theta.squareRoot())
    }

    /// The same a little higher.
    private var raised: ExtendedSSVI {
        var result = self
        result.theta *= Self.rise
        result.psi *= Self.slopeRise
        return result
    }

    /// From three numbers without bounds: artanh ρ, how far θ lies above its least value, how far ψ lies between its least
    /// and largest; nil where these contradict each other.
    private init?(_ place: SIMD3<Double>, _ scale: Double, after before: ExtendedSSVI?) {
        rho = 0.999 * tanh(place.x)
        theta = scale * exp(min(max(place.y, -40), 40))
        var least = 0.0
        var most = Double.infinity
        if let before {
            let turn = max((1 + before.rho) / (1 + rho), (1 - before.rho) / (1 - rho))
            theta += before.theta * turn * Self.rise
            least = before.psi * turn * Self.slopeRise
            most = before.psi * theta / before.theta
        }
        let lean = 1 + rho.magnitude
        most = min(most, Self.share * min(4 / lean, 2 * (theta / lean).squareRoot()))
        psi = least + (most - least) / (1 + exp(-place.z))
        guard least <= most, psi > 0, theta < .infinity else { return nil }
    }

    private var vector: SliceVector {
        let perTheta = theta / psi
        let root = ((1 - rho) * (1 + rho)).squareRoot()
        return SliceVector(
            theta * (1 - rho) * (1 + rho) / 2, psi * (1 - rho) / 2, psi * (1 + rho) / 2, -rho * perTheta,
            log(root * perTheta), 0, 0, 0)
    }

    /// Nelder and Mead's search; what has no value is higher than everything.
    private static func lowest(
        from start: SIMD3<Double>, _ function: (SIMD3<Double>) -> Double
    ) -> (at: SIMD3<Double>, value: Double) {
        func value(_ place: SIMD3<Double>) -> Double {
            let value = function(place)
            return value < .infinity ? value : .greatestFiniteMagnitude
        }
        var corners = [SIMD3<Double>.zero, SIMD3(0.4, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)].map {
            (at: start + $0, value: value(start + $0))
        }
        for _ in 0..<200 {
            corners.sort { $0.value < $1.value }
            if corners[3].value - corners[0].value <= 1e-9 * corners[0].value { break }
            let centre = (corners[0].at + corners[1].at + corners[2].at) / 3
            func along(_ share: Double) -> (at: SIMD3<Double>, value: Double) {
                let place = centre + share * (corners[3].at - centre)
                return (place, value(place))
            }
            let mirrored = along(-1)
            if mirrored.value < corners[0].value {
                let beyond = along(-2)
                corners[3] = beyond.value < mirrored.value ? beyond : mirrored
            } else if mirrored.value < corners[2].value {
                corners[3] = mirrored
            } else {
                let between = along(mirrored.value < corners[3].value ? -0.5 : 0.5)
                if between.value < min(mirrored.value, corners[3].value) {
                    corners[3] = between
                } else {
                    for corner in 1..<4 {
                        let place = 0.5 * (corners[0].at + corners[corner].at)
                        corners[corner] = (place, value(place))
                    }
                }
            }
        }
        return corners.min { $0.value < $1.value } ?? corners[0]
    }
}
