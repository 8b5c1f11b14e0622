import Greeks

/// A row of numbers per leg, contract or book, a column per scenario; an object, which whoever holds it shares. Not to be
/// written to while another thread reads it.
public final class ScenarioMatrix: @unchecked Sendable {
    public let rowCount, scenarioCount: Int
    /// Doubles from one row to the next: whole vectors; rows start on cache lines, and there is room for whole
    /// eights of them.
    public let stride: Int
    private let storage: ColumnStorage<Double>

    /// All 0.
    public init(rowCount: Int, scenarioCount: Int) {
        self.rowCount = rowCount
        self.scenarioCount = scenarioCount
        stride = max(8, (scenarioCount + 7) / 8 * 8)
        storage = ColumnStorage(repeating: 0, count: max(8, (rowCount + 7) / 8 * 8) * stride)
    }

    /// The first row, for kernels; valid as long as the matrix.
    package var base: UnsafeMutablePointer<Double> { unsafe storage.pointer }

    public subscript(row: Int, scenario: Int) -> Double {
        get {
            precondition(row >= 0 && row < rowCount && scenario >= 0 && scenario < scenarioCount)
            return storage[row * stride + scenario]
        }
        set {
            precondition(row >= 0 && row < rowCount && scenario >= 0 && scenario < scenarioCount)
            storage[row * stride + scenario] = newValue
        }
    }

    /// One row.
    public func row(_ row: Int) -> [Double] { (0..<scenarioCount).map { self[row, $0] } }

    /// A row of another matrix of as many scenarios in place of one.
    func copyRow(_ source: Int, of other: ScenarioMatrix, to row: Int) {
        for scenario in 0..<scenarioCount { self[row, scenario] = other[source, scenario] }
    }

    /// 0 behind the scenarios of a row.
    func clearPadding(ofRow row: Int) {
        for scenario in scenarioCount..<stride { storage[row * stride + scenario] = 0 }
    }

    /// Multiplies each column by what of its scenario counts.
    func dampen(_ grid: ScenarioGrid) {
        for (number, scenario) in grid.scenarios.enumerated() where scenario.dampening != 1 {
            for row in 0..<rowCount { storage[row * stride + number] *= scenario.dampening }
        }
    }
}
