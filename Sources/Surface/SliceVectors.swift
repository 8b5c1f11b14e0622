import Foundation
import SurfaceKernel
import VectorMath

extension SVISlice {
    package init(_ vector: SliceVector) {
        self.init(
            a: vector[0], leftSlope: max(0, vector[1]), rightSlope: max(0, vector[2]), m: vector[3],
            sigma: exp(vector[4]))
    }

    package var vector: SliceVector { Lanes(a, leftSlope, rightSlope, m, log(sigma), 0, 0, 0) }

    /// The slice for scans and queries, times a weight.
    package func shape(weight: Double = 1, lift: Double = 0) -> SliceShape {
        SliceShape(
            level: weight * a + lift, left: 0.5 * weight * leftSlope, right: 0.5 * weight * rightSlope, m: m,
            sigma: sigma)
    }
}
