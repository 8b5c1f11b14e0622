import ArgumentParser
import Checks
import Foundation
import Poise

/// Exits with an `ExitStatus`; with 128 + its number after a signal, and `bench` with its script's.
@main
struct PoiseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poise",
        abstract: "The risk kernel that keeps option books balanced.",
        version: poiseVersion,
        subcommands: [
            GreeksCommand.self, ImpliedVolatilityCommand.self, RiskCommand.self, ScenariosCommand.self,
            SurfaceCommand.self, ValueAtRiskCommand.self, ExplainCommand.self, MarginCommand.self,
            HedgeCommand.self, SimulateCommand.self, BenchCommand.self,
        ])

    static func main() {
        StandardError.reserveDescriptors()
        do {
            var command = try parseAsRoot()
            do {
                try FileArguments.check(Array(CommandLine.arguments.dropFirst()))
                try command.run()
            } catch let error as ValidationError {
                // What only the files could tell is wrong usage of this command.
                let usage = usageString(for: type(of: command))
                let name = type(of: command).configuration.commandName ?? ""
                fail(
                    "Error: \(error.message)\nUsage: \(usage)\n  See 'poise \(name) --help' for more information.",
                    status: .usage, prefix: "")
            }
        } catch let error as any PoiseError {
            fail("\(error)", status: error.exitStatus)
        } catch let code as ExitCode {
            Foundation.exit(code.rawValue)
        } catch {
            // Help and version are "errors" too, with status 0.
            let status = exitCode(for: error)
            let text = fullMessage(for: error)
            if status == .success { show(text) }
            let arguments = Array(CommandLine.arguments.dropFirst())
            let suggestions = Suggestions.lines(for: arguments, besides: text).map { $0 + "\n" }.joined()
            fail(suggestions + text, status: .usage, prefix: "")
        }
    }

    /// Prints help and ends.
    private static func show(_ text: String) -> Never {
        do {
            let outputs = Outputs()
            try outputs.open(nil).write(text + "\n")
            try outputs.finish()
            Foundation.exit(ExitStatus.done.rawValue)
        } catch {
            fail("\(error)", status: .badInput)
        }
    }

    private static func fail(_ message: String, status: ExitStatus, prefix: String = "poise: ") -> Never {
        StandardError.write(prefix + message + "\n")
        Foundation.exit(status.rawValue)
    }
}
