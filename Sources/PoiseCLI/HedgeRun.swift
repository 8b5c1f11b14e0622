import Checks
import Poise

/// Answers hedge problems one after another, and keeps what they have come to.
final class HedgeRun {
    /// The problems; those of convex limits get planes while they are being answered.
    private(set) var problems: [HedgeProblem]
    private(set) var isInfeasible = false
    private(set) var isUnproved = false
    private let solver: HedgeSolver
    private let hedges: [BookHedge]
    private let isWarm: Bool
    private let file: String
    private let clock = ContinuousClock()

    /// - Parameters:
    ///   - hedges: of a live book, as many as there are problems; else none.
    ///   - file: where the problems come from, for errors.
    init(_ solver: HedgeSolver, _ hedges: [BookHedge], _ problems: [HedgeProblem], isWarm: Bool, file: String)
    {
        self.solver = solver
        self.hedges = hedges
        self.problems = problems
        self.isWarm = isWarm
        self.file = file
    }

    /// The answer to a problem.
    func answer(_ index: Int) throws -> HedgeReport {
        let begin = clock.now
        let hedge = try solve(index, since: begin)
        let duration = (clock.now - begin) / .microseconds(1)
        var report = HedgeReport(problems[index], solver.solution, microseconds: duration)
        report.hedge = hedge
        isUnproved = isUnproved || solver.solution.status == .uncertified
        if solver.solution.status == .infeasible {
            report.infeasibility = try solver.diagnose(problems[index])
            if let diagnosis = report.infeasibility, diagnosis.totalViolation < .infinity {
                report.slackCosts = try solver.costsBySlack(problems[index], diagnosis)
            }
            isInfeasible = true
        }
        return report
    }

    /// Solves a problem. Its convex limits take a plane after the other, until the trades keep them.
    private func solve(_ index: Int, since begin: ContinuousClock.Instant) throws -> BookHedge? {
        var hedge = hedges.isEmpty ? nil : hedges[index]
        let timeLimit = solver.search.timeLimit
        defer { solver.search.timeLimit = timeLimit }
        for round in 1... {
            do throws(HedgeError) {
                try solver.solve(problems[index], start: isWarm ? .warm : .cold)
            } catch {
                throw HedgeInputError(file: file, problem: problems[index].name, error: error)
            }
            guard ![.infeasible, .uncertified].contains(solver.solution.status),
                let tighter = hedge?.tightened(by: solver.solution.trades)
            else { break }
            // All rounds share the time of one problem.
            solver.search.timeLimit = timeLimit - (clock.now - begin) / .seconds(1)
            guard round < 1000, solver.search.timeLimit > 0 else {
                throw UnsettledLimitsError(problem: problems[index].name)
            }
            hedge = tighter
            problems[index] = tighter.problem
        }
        return hedge
    }
}

/// A problem that cannot be solved as it stands, with where it comes from.
struct HedgeInputError: PoiseError {
    let file: String
    let problem: String
    let error: HedgeError
    var reason: String { error.reason }
    var description: String { "\(file): problem \"\(problem)\": \(error)" }
}

/// Convex limits that trades left however many planes were added in the time that there was.
struct UnsettledLimitsError: PoiseError {
    let problem: String
    var place: Place? { .name(problem) }
    var reason: String {
        "its convex limits were not settled by 1000 problems one after the other, or in the time that it may take"
    }
    var exitStatus: ExitStatus { .uncertified }
}
