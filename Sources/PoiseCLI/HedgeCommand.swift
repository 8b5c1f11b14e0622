import ArgumentParser
import Poise

struct HedgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hedge",
        abstract: "The cheapest trades that bring every exposure into its band.")

    @Option(help: ArgumentHelp("Hedge problem, or an array of them, in JSON; or -.", valueName: "file"))
    var problem: String

    @Flag(help: "Start each problem from the one before.")
    var warm = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let file = try HedgeProblemFile(try Source(path: problem))
        let solver = HedgeSolver()
        let output = try Output(path: common.output)
        var text = "{"
        for (index, problem) in file.problems.enumerated() {
            let clock = ContinuousClock()
            let begin = clock.now
            try solver.solve(problem, start: warm ? .warm : .cold)
            let duration = clock.now - begin
            let solution = solver.solution
            text += index > 0 ? ",\n" : "\n"
            text += "\"\(problem.name)\": {\"status\": \"\(solution.status.rawValue)\", \"x\": \(solution.trades), "
            text += "\"objective\": \(solution.cost.total), \"dual\": \(solution.bandPrices), \"gap\": \(solution.gap), \"cert\": \"\(solution.certificate)\", \"nodes\": \(solution.nodes), \"steps\": \(solution.interiorSteps), \"pivots\": \(solution.pivots), \"microseconds\": \(Double(duration.components.attoseconds) / 1e12)}"
        }
        text += "\n}\n"
        try output.write(text)
        try output.finish()
    }
}
