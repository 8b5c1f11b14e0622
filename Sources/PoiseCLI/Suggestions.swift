import ArgumentParser
import Market

/// What was probably meant by words of a command line that are no commands and no options, whatever else is wrong with it.
enum Suggestions {
    /// A line for each such word that the parser's own message does not name.
    static func lines(for arguments: [String], besides message: String) -> [String] {
        let commands = PoiseCommand.configuration.subcommands
        guard let first = arguments.first else { return [] }
        guard let command = commands.first(where: { name(of: $0) == first }) else {
            let near = first.hasPrefix("-") ? nil : Spelling.nearest(to: first, in: commands.map(name))
            return near.map { ["There is no command '\(first)'. Did you mean '\($0)'?"] } ?? []
        }
        let known = options(of: command)
        var lines: [String] = []
        for argument in arguments.dropFirst() where argument.hasPrefix("--") && argument.count > 2 {
            let option = String(argument.prefix { $0 != "=" })
            guard !known.contains(option), !message.contains("'\(option)'") else { continue }
            let near = Spelling.nearest(
                to: String(option.dropFirst(2)), in: known.map { String($0.dropFirst(2)) })
            lines.append("There is no option '\(option)'." + (near.map { " Did you mean '--\($0)'?" } ?? ""))
        }
        return lines
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? ""
    }

    /// The long names in a command's help.
    private static func options(of command: any ParsableCommand.Type) -> [String] {
        var found: [String] = ["--help", "--version"]
        let help = PoiseCommand.helpMessage(for: command, columns: 10_000)
        for line in help.split(separator: "\n") {
            let words = line.drop { $0 == " " }
            guard line.hasPrefix("  --") || line.hasPrefix("  -h") else { continue }
            let name = words.prefix { $0 == "-" || $0.isLetter || $0.isNumber }
            if name.hasPrefix("--") { found.append(String(name)) }
        }
        return found
    }
}
