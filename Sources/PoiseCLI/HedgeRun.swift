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
    private let margins: [MarginedBookHedge]
    private let requirements = RequirementSolver()
    private let isWarm: Bool
    private let file: String
    private let clock = ContinuousClock()

    /// - Parameters:
    ///   - hedges: of a live book, as many as there are problems; else none.
    ///   - file: where the problems come from, for errors.
    init(
        _ solver: HedgeSolver, _ hedges: [BookHedge], _ problems: [HedgeProblem],
        margins: [MarginedBookHedge] = [], isWarm: Bool, file: String
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
        let hedge = try solve(index)
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
        _ margin: MarginedBookHedge, _ report: HedgeReport, _ answer: RequirementAnswer?
    ) throws -> HedgeMarginReport? {
        // Trades that are no orders have no margin.
        guard report.solution.status != .uncertified, !report.trades.isEmpty else { return nil }
        return try HedgeMarginReport(margin, report.problem, report.trades, answer)
    }

    /// Solves a problem; its convex limits take a plane after the other, until the trades keep them.
    private func solve(_ index: Int) throws -> BookHedge? {
        guard !hedges.isEmpty else {
            _ = try solveOnce(index)
            return nil
        }
        let timeLimit = solver.search.timeLimit
        defer { solver.search.timeLimit = timeLimit }
        return try hedges[index].settled(within: timeLimit) { hedge, left in
            solver.search.timeLimit = left
            problems[index] = hedge.problem
            return try solveOnce(index)
        }
    }

    /// The problem as it stands, under the margin where one counts.
    private func solveOnce(_ index: Int) throws -> HedgeSolution {
        do throws(HedgeError) {
            guard !margins.isEmpty else {
                try solver.solve(problems[index], start: isWarm ? .warm : .cold)
                return solver.solution
            }
            margins[index].restrict(&problems[index])
            guard margins[index].counts else {
                try solver.solve(problems[index], start: isWarm ? .warm : .cold)
                return solver.solution
            }
            requirements.search = solver.search
            try requirements.solve(
                problems[index], margins[index].hedge.requirement, margins[index].terms,
                start: isWarm ? .warm : .cold)
            return requirements.answer.hedge
        } catch {
            throw HedgeInputError(file: file, problem: problems[index].name, error: error)
        }
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
