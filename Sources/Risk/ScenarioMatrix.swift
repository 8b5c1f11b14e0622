/// A row of numbers per leg, contract or book, a column per scenario.
public final class ScenarioMatrix: @unchecked Sendable {
    public let rowCount, scenarioCount: Int
    /// Doubles from one row to the next: whole vectors; rows start on cache lines, and there is room for whole
    /// eights of them.
    public let stride: Int
    /// The first row. Valid as long as the matrix.
    public let base: UnsafeMutablePointer<Double>

    /// All 0.
    public init(rowCount: Int, scenarioCount: Int) {
        self.rowCount = rowCount
        self.scenarioCount = scenarioCount
        stride = max(8, (scenarioCount + 7) / 8 * 8)
        let size = max(8, (rowCount + 7) / 8 * 8) * stride
        base = UnsafeMutableRawPointer.allocate(byteCount: size * 8, alignment: 64)
            .bindMemory(to: Double.self, capacity: size)
        base.initialize(repeating: 0, count: size)
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }

    public subscript(row: Int, scenario: Int) -> Double {
        get {
            precondition(row >= 0 && row < rowCount && scenario >= 0 && scenario < scenarioCount)
            return base[row * stride + scenario]
        }
        set {
            precondition(row >= 0 && row < rowCount && scenario >= 0 && scenario < scenarioCount)
            base[row * stride + scenario] = newValue
        }
    }

    /// One row.
    public func row(_ row: Int) -> [Double] {
        precondition(row >= 0 && row < rowCount, "row out of range")
        return Array(UnsafeBufferPointer(start: base + row * stride, count: scenarioCount))
    }

    /// Multiplies each column by what of its scenario counts.
    func dampen(_ grid: ScenarioGrid) {
        for (number, scenario) in grid.scenarios.enumerated() where scenario.dampening != 1 {
            for row in 0..<rowCount { base[row * stride + number] *= scenario.dampening }
        }
    }
}
