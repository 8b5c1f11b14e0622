import Greeks
import Market
import VectorMath

/// Rows of `ExposureGreek` figures in memory: each starts on a cache line and is padded to whole vectors, and there
/// is room for whole eights of them.
final class FigureRows: @unchecked Sendable {
    /// Doubles from one row to the next.
    static let stride = WeightedRows.width
    let count: Int
    let base: UnsafeMutablePointer<Double>

    /// All figures 0.
    init(count: Int) {
        self.count = count
        let size = max(8, (count + 7) / 8 * 8) * Self.stride
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: size * MemoryLayout<Double>.stride, alignment: 64)
        base = raw.bindMemory(to: Double.self, capacity: size)
        base.initialize(repeating: 0, count: size)
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }

    subscript(row: Int, greek: ExposureGreek) -> Double {
        get {
            precondition(row >= 0 && row < count, "row out of range")
            return base[row * Self.stride + greek.rawValue]
        }
        set {
            precondition(row >= 0 && row < count, "row out of range")
            base[row * Self.stride + greek.rawValue] = newValue
        }
    }
}

extension FigureMap {
    /// The figures of an option in `numeraire`: the one place where units and settlement meet.
    ///
    /// - Parameters:
    ///   - forward: F, the price of the option's own future.
    ///   - share: how much of the index's move F takes part in before expiry (`SettlementWindow`).
    init(isInverse: Bool, forward: Double, share: Double, in numeraire: Numeraire) {
        self.init()
        // Multiplied, since divisions would cost more than the Greeks themselves.
        let hundredth = 0.01
        let perDay = 1.0 / 365
        let left = SettlementWindow.Factors(share: share)
        switch numeraire {
        case .usd:
            value = 1
            delta = left.delta * forward
            netDeltaFromPrice = isInverse ? -left.delta : 0
            gamma = left.gamma * forward * forward * hundredth
            vega = hundredth
            theta = perDay
            rho = hundredth
            vanna = left.vanna * forward * hundredth
            volga = hundredth * hundredth
            charm = left.charm * forward * perDay
        case .coin:
            let coins = 1 / forward
            // What the premium adds to the derivatives of the net delta Δ − V/F.
            let premium = isInverse ? 1.0 : 0.0
            value = coins
            delta = left.delta
            netDeltaFromPrice = -left.delta * premium * coins
            gamma = left.gamma * forward * hundredth
            gammaFromDelta = -left.gamma * premium * hundredth
            gammaFromPrice = left.gamma * premium * coins * hundredth
            vega = coins * hundredth
            theta = coins * perDay
            rho = coins * hundredth
            vanna = left.vanna * hundredth
            vannaFromVega = -left.vanna * premium * coins * hundredth
            volga = coins * (hundredth * hundredth)
            charm = left.charm * perDay
            charmFromTheta = -left.charm * premium * coins * perDay
        }
    }
}
