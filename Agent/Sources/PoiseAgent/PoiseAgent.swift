import ArgumentParser

/// The agent as a process.
@main
struct PoiseAgent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poise-agent",
        abstract:
            "Keeps option books balanced on a venue: watches, decides, trades, and writes everything down.",
        subcommands: [
            DemoCommand.self, RehearseCommand.self, StatusCommand.self, ReplayCommand.self,
            VerifyCommand.self, StopCommand.self, ReleaseCommand.self, RecordCommand.self,
        ])
}
