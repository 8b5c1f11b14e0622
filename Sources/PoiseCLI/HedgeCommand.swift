import ArgumentParser
import Foundation
import Poise

struct HedgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hedge",
        abstract: "The cheapest trades that bring every exposure into its band.",
        discussion: """
            Reads hedge problems from JSON (fields in the README). Every answer is proved by its multipliers: \
            the gap printed with it bounds what other trades could save. The exit status is 3 where some \
            problem has no solution; what comes nearest is printed all the same.
            """)

    @Option(help: ArgumentHelp("Hedge problem, or an array of them, in JSON; or -.", valueName: "file"))
    var problem: String

    @Flag(help: "Start each problem from the one before, as from tick to tick.")
    var warm = false

    @Option(
        help: ArgumentHelp(
            "Most relaxations to solve where there are lots or fixed costs.", valueName: "count"))
    var nodes = HedgeSearch().nodeLimit

    @Option(help: ArgumentHelp("Most seconds for a problem with lots or fixed costs.", valueName: "seconds"))
    var seconds: Double?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard nodes >= 1 else { throw ValidationError("--nodes \(nodes): expected at least 1") }
        if let seconds, !(seconds > 0) {
            throw ValidationError("--seconds \(seconds): expected a number above 0")
        }
        if common.format == .csv { throw ValidationError("--format csv: a hedge is no table; use json") }
        if common.skipBadRows { throw ValidationError("--skip-bad-rows: a problem has no rows to leave out") }
    }

    func run() throws {
        let file = try HedgeProblemFile(try Source(path: problem))
        let solver = HedgeSolver()
        solver.search.nodeLimit = nodes
        if let seconds { solver.search.timeLimit = seconds }
        let clock = ContinuousClock()
        let output = try Output(path: common.output)
        var isInfeasible = false
        var names: [String: Int] = [:]
        if common.format == .json { try output.write("{") }
        for (index, problem) in file.problems.enumerated() {
            let begin = clock.now
            do throws(HedgeError) {
                try solver.solve(problem, start: warm ? .warm : .cold)
            } catch {
                throw HedgeInputError(file: file.name, problem: problem.name, error: error)
            }
            let duration = (clock.now - begin) / .microseconds(1)
            var report = HedgeReport(problem, solver.solution, microseconds: duration)
            if solver.solution.status == .infeasible {
                report.infeasibility = try solver.diagnose(problem)
                isInfeasible = true
            }
            switch common.format {
            case .json:
                // Names of an object are unique.
                let count = names[problem.name, default: 0]
                names[problem.name] = count + 1
                let name = count == 0 ? problem.name : "\(problem.name)#\(count + 1)"
                try output.write("\(index == 0 ? "" : ",")\n\(Report.jsonText(name)): \(report.json)")
            case .table, .csv:
                if index > 0 { try output.write("\n") }
                try report.write(to: output)
            }
        }
        if common.format == .json { try output.write("\n}\n") }
        try output.finish()
        if isInfeasible { throw ExitCode(3) }
    }
}

/// A problem that cannot be solved as it stands, with where it comes from.
struct HedgeInputError: Error, CustomStringConvertible {
    let file: String
    let problem: String
    let error: HedgeError
    var description: String { "\(file): problem \"\(problem)\": \(error)" }
}
