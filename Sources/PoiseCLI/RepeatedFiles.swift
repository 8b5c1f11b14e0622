import ArgumentParser
import Foundation

/// Options that take one file and are given two: the parser keeps the last, and a book or a model would be left out in silence.
enum RepeatedFiles {
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
    }
    private struct Name: Decodable { let name: String }

    /// - Parameter arguments: of the command line, the program's name aside.
    /// - Throws: `ValidationError` for the first.
    static func refuse(_ arguments: [String]) throws {
        var counts: [String: Int] = [:]
        for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("--") {
            counts[String(argument.dropFirst(2).prefix { $0 != "=" }), default: 0] += 1
        }
        // What the options take is asked only where one stands twice.
        guard counts.values.contains(where: { $0 > 1 }) else { return }
        for name in takingOneFile(of: arguments) {
            guard let count = counts[name], count > 1 else { continue }
            throw ValidationError("--\(name) takes one file: it is given \(count) times")
        }
    }

    /// Long names of the command's options that take one file.
    private static func takingOneFile(of arguments: [String]) -> [String] {
        guard let tool = try? JSONDecoder().decode(Tool.self, from: Data(PoiseCommand._dumpHelp().utf8))
        else { return [] }
        var command = tool.command
        for argument in arguments {
            guard let next = command.subcommands?.first(where: { $0.commandName == argument }) else { break }
            command = next
        }
        return (command.arguments ?? [])
            .filter { !$0.isRepeating && $0.valueName?.hasPrefix("file") == true }
            .flatMap { ($0.names ?? []).map(\.name) }
    }
}
