import ArgumentParser
import Checks
import Foundation
import Poise

/// Exits with an `ExitStatus`.
@main
struct PoiseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poise",
        abstract: "The risk kernel that keeps option books balanced.",
        version: poiseVersion,
        subcommands: [
            GreeksCommand.self, ImpliedVolatilityCommand.self, RiskCommand.self, ScenariosCommand.self,
            ValueAtRiskCommand.self, ExplainCommand.self, HedgeCommand.self, SimulateCommand.self,
            BenchCommand.self,
        ])

    static func main() {
        do {
            var command = try parseAsRoot()
            do {
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
            if status == .success {
                print(text)
                Foundation.exit(0)
            }
            fail(text, status: .usage, prefix: "")
        }
    }

    private static func fail(_ message: String, status: ExitStatus, prefix: String = "poise: ") -> Never {
        FileHandle.standardError.write(Data((prefix + message + "\n").utf8))
        Foundation.exit(status.rawValue)
    }
}

/// Options that all commands share.
struct CommonOptions: ParsableArguments {
    @Option(help: "table for people; csv or json for programs, with all digits.")
    var format: Format = .table

    @Option(help: ArgumentHelp("Write to a file instead; it appears whole or not at all.", valueName: "file"))
    var output: String?

    @Flag(help: "Leave out rows that cannot be used, list them on standard error and go on.")
    var skipBadRows = false

    /// Writes a report in the format asked for.
    func write(_ report: Report) throws { try report.write(as: format, toFile: output) }

    /// Lists what a reader left out.
    func report(_ badRows: BadRows) {
        guard !badRows.skipped.isEmpty else { return }
        let count = badRows.skipped.count
        var text = "poise: skipped \(count) \(count == 1 ? "row" : "rows"):\n"
        for error in badRows.skipped { text += "  \(error)\n" }
        FileHandle.standardError.write(Data(text.utf8))
    }
}

extension Report {
    /// Writes it to a file, or to standard output.
    func write(as format: Format, toFile path: String?) throws {
        let output = try Output(path: path)
        switch format {
        case .table: try writeTable(to: output)
        case .csv: try writeCSV(to: output)
        case .json:
            try writeJSON(rows: 0..<rowCount, to: output)
            try output.write("\n")
        }
        try output.finish()
    }
}

enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, csv, json
}
