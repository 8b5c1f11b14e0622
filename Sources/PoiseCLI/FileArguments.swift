import ArgumentParser
import Foundation

/// What holds of all options that name files, and what the parser does not look at: it keeps the last of several, by
/// which a book or a model would be left out in silence.
///
/// An option takes files that are read where its value is called `file…` or `…=file` in help, and writes one where it is
/// called `target`.
enum FileArguments {
    // What the parser says of its commands.
    private struct Tool: Decodable { let command: Command }
    private struct Command: Decodable {
        let commandName: String
        let subcommands: [Command]?
        let arguments: [Argument]?
    }
    private struct Argument: Decodable {
        let isRepeating: Bool
        let valueName: String?
        let names: [Name]?

        var isRead: Bool { valueName?.contains("file") ?? false }
        var isWritten: Bool { valueName == "target" }

        /// The file in a value: `NAME=FILE` has it behind the name.
        func file(_ value: Substring) -> Substring {
            guard valueName?.contains("=") == true, let mark = value.firstIndex(of: "=") else { return value }
            return value[value.index(after: mark)...]
        }
    }
    private struct Name: Decodable { let name: String }

    /// An option as it is given.
    private struct Given {
        let name: String
        let value: Substring
    }

    /// - Parameter arguments: of the command line, the program's name aside.
    /// - Throws: `ValidationError` where an option of one file has two, a file has no name, or two are standard input.
    static func check(_ arguments: [String]) throws {
        let given = given(arguments.prefix { $0 != "--" })
        var counts: [String: Int] = [:]
        for option in given { counts[option.name, default: 0] += 1 }
        // What the options take is asked only where something may be wrong.
        let isOdd =
            given.contains { $0.value.isEmpty } || given.count(where: { $0.value.hasSuffix("-") }) > 1
            || counts.values.contains { $0 > 1 }
        guard isOdd else { return }
        let options = options(of: arguments)
        var inputs: [String] = []
        for option in given {
            guard let argument = options[option.name], argument.isRead || argument.isWritten else { continue }
            let file = argument.file(option.value)
            if file.isEmpty { throw ValidationError("--\(option.name): the name of a file is missing") }
            if !argument.isRepeating, let count = counts[option.name], count > 1 {
                throw ValidationError("--\(option.name) takes one file: it is given \(count) times")
            }
            if argument.isRead, file == "-" { inputs.append("--\(option.name)") }
        }
        if inputs.count > 1 {
            throw ValidationError(
                "\(inputs.joined(separator: " and ")): standard input can be one of the files only")
        }
    }

    private static func given(_ arguments: ArraySlice<String>) -> [Given] {
        arguments.indices.compactMap { place in
            let argument = arguments[place]
            guard argument.hasPrefix("--") else { return nil }
            let name = argument.dropFirst(2).prefix { $0 != "=" }
            let next = place + 1 < arguments.endIndex ? arguments[place + 1][...] : "none"
            let value = argument.contains("=") ? argument.dropFirst(2 + name.count + 1) : next
            return Given(name: String(name), value: value)
        }
    }

    /// The command's options by their long names.
    private static func options(of arguments: [String]) -> [String: Argument] {
        guard let tool = try? JSONDecoder().decode(Tool.self, from: Data(PoiseCommand._dumpHelp().utf8))
        else { return [:] }
        var command = tool.command
        for argument in arguments {
            guard let next = command.subcommands?.first(where: { $0.commandName == argument }) else { break }
            command = next
        }
        let named = (command.arguments ?? []).flatMap { argument in
            (argument.names ?? []).map { ($0.name, argument) }
        }
        return Dictionary(named) { first, _ in first }
    }
}
