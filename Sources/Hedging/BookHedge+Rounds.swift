import Checks

/// Convex limits that trades left however many planes were added, or in the time that there was.
public struct UnsettledLimitsError: PoiseError, Equatable {
    public let problem: String

    public var place: Place? { .name(problem) }
    public var reason: String {
        "its convex limits were not settled by \(BookHedge.mostRounds) problems one after the other, or in the time that it may take"
    }
    public var exitStatus: ExitStatus { .uncertified }
}

extension BookHedge {
    /// As many problems as one hedge may take.
    static let mostRounds = 1000

    /// The hedge with the planes of convex limits that its trades need: it is solved, given a plane of each limit that the
    /// trades leave (`tightened`), and solved again, until they keep all.
    /// - Parameters:
    ///   - seconds: that all rounds share.
    ///   - solve: answers a hedge's problem in the seconds that are left.
    /// - Returns: the hedge whose problem was answered last.
    /// - Throws: `UnsettledLimitsError`, and what `solve` does.
    public func settled(
        within seconds: Double, solving solve: (_ hedge: BookHedge, _ left: Double) throws -> HedgeSolution
    ) throws -> BookHedge {
        let clock = ContinuousClock()
        let begin = clock.now
        var (hedge, left) = (self, seconds)
        for _ in 0..<Self.mostRounds {
            let solution = try solve(hedge, left)
            guard solution.status != .infeasible, solution.status != .uncertified,
                let tighter = hedge.tightened(by: solution.trades)
            else { return hedge }
            left = seconds - (clock.now - begin) / .seconds(1)
            guard left > 0 else { break }
            hedge = tighter
        }
        throw UnsettledLimitsError(problem: problem.name)
    }
}
