import ArgumentParser

/// The live agent as a process.
@main
struct PoiseAgent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poise-agent", abstract: "Works with a venue.", subcommands: [RecordCommand.self])
}
