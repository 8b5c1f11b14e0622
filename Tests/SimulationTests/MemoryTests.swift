import Greeks
import Simulation
import Testing
import VectorMath

/// What a simulation is said to take, before it takes it.
struct MemoryTests {
    static let (steps, lane) = (999, MemoryLayout<Lanes>.stride)

    static func memory(
        paths: Int = 1, policies: Int = 1, venues: Int = 0, expiries: Int = 0, options: Int = 0
    ) -> SimulationMemory {
        SimulationMemory(
            steps: steps, paths: paths, policies: policies, venues: venues, expiries: expiries,
            options: options)
    }

    @Test(
        "All threads share a number for each figure of each path and policy, and what each expiry is at each time"
    )
    func shared() {
        let figures = PathMetric.allCases.count + ProfitPart.allCases.count
        #expect(Self.memory(paths: 500, policies: 3).shared == Double(500 * 3 * figures * 8))
        let expiries = Self.memory(expiries: 4).shared - Self.memory().shared
        #expect(expiries == Double(4 * 1000 * MemoryLayout<PathExpiry>.stride))
    }

    /// Per time, which are one more than steps: of a block six columns of eight paths; of the hedge its marks and
    /// payments; and a few for estimates.
    @Test("A thread has columns of eight paths at each time, more of them by option and venue")
    func perThread() {
        let none = Self.memory().perThread
        let option = Self.memory(options: 1).perThread - none
        let sums = MemoryLayout<PathMarket>.stride + MemoryLayout<PathSums>.stride
        #expect(option == Double(1000 * (sums + Self.lane)))
        // The book has what an option has.
        let block = (none - option) / Double(1000 * Self.lane)
        #expect(block >= 8 && block <= 16)
        let venue = (Self.memory(venues: 1).perThread - none) / Double(1000 * Self.lane)
        #expect(venue >= 7 && venue <= 10)
        #expect(
            Self.memory(venues: 3, options: 2).perThread == none + 2 * option + 3000 * venue
                * Double(Self.lane))
        #expect(Self.memory(paths: 100, policies: 5, expiries: 4).perThread == none)
    }
}
