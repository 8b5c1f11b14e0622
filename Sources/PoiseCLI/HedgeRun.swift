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
    /// Of each hedge, where a venue's margin is asked about.
    private let margins: [HedgeMargin]
    private let requirements = RequirementSolver()
    private let isWarm: Bool
    private let file: String
    private let clock = ContinuousClock()

    /// - Parameters:
    ///   - hedges: of a live book, as many as there are problems; else none.
    ///   - file: where the problems come from, for errors.
    init(
        _ solver: HedgeSolver, _ hedges: [BookHedge], _ problems: [HedgeProblem],
        margins: [HedgeMargin] = [], isWarm: Bool, file: String
    ) {
        self.margins = margins
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
        let margin = margins.isEmpty ? nil : margins[index]
        let answer = margin?.counts == true ? requirements.answer : nil
        let solution = answer?.hedge ?? solver.solution
        var report = HedgeReport(problems[index], solution, microseconds: duration)
        report.hedge = hedge
        // A search that was stopped before it found any trades has no answer to act on.
        isUnproved =
            isUnproved || solution.status == .uncertified
            || solution.status == .budget && !solution.gap.isFinite
        let isShort = answer?.largestBalance != nil
        if isShort { isInfeasible = true }
        if solution.status == .infeasible, !isShort {
            report.infeasibility = try solver.diagnose(problems[index])
            if let diagnosis = report.infeasibility, diagnosis.totalViolation < .infinity {
                report.slackCosts = try solver.costsBySlack(problems[index], diagnosis)
            }
            isInfeasible = true
        }
        if let margin { report.margin = try marginReport(margin, report, answer) }
        return report
    }

    private func marginReport(
        _ margin: HedgeMargin, _ report: HedgeReport, _ answer: RequirementAnswer?
    ) throws -> HedgeMarginReport? {
        // Trades that are no orders have no margin.
        guard report.solution.status != .uncertified, !report.trades.isEmpty else { return nil }
        return try HedgeMarginReport(margin, report.problem, report.trades, answer)
    }

    /// The problem as it stands, under the margin where one counts.
    private func solveOnce(_ index: Int) throws(HedgeError) -> HedgeSolution {
        guard !margins.isEmpty, margins[index].counts else {
            try solver.solve(problems[index], start: isWarm ? .warm : .cold)
            return solver.solution
        }
        requirements.search = solver.search
        try requirements.solve(
            problems[index], margins[index].hedge.requirement, margins[index].terms,
            start: isWarm ? .warm : .cold)
        return requirements.answer.hedge
    }

    /// Solves a problem. Its convex limits take a plane after the other, until the trades keep them.
    private func solve(_ index: Int, since begin: ContinuousClock.Instant) throws -> BookHedge? {
        var hedge = hedges.isEmpty ? nil : hedges[index]
        let timeLimit = solver.search.timeLimit
        defer { solver.search.timeLimit = timeLimit }
        if !margins.isEmpty { margins[index].restrict(&problems[index]) }
        for round in 1... {
            let solution: HedgeSolution
            do throws(HedgeError) {
                solution = try solveOnce(index)
            } catch {
                throw HedgeInputError(file: file, problem: problems[index].name, error: error)
            }
            guard ![.infeasible, .uncertified].contains(solution.status),
                let tighter = hedge?.tightened(by: solution.trades)
            else { break }
            // All rounds share the time of one problem.
            solver.search.timeLimit = timeLimit - (clock.now - begin) / .seconds(1)
            guard round < 1000, solver.search.timeLimit > 0 else {
                throw UnsettledLimitsError(problem: problems[index].name)
            }
            hedge = tighter
            problems[index] = tighter.problem
            if !margins.isEmpty { margins[index].restrict(&problems[index]) }
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
