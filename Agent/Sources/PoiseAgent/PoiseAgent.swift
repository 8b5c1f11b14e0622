import ArgumentParser

/// The agent as a process.
@main
struct PoiseAgent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poise-agent",
        abstract:
            "Keeps option books balanced on a venue: watches, decides, trades, and writes everything down.",
        subcommands: [
            RunCommand.self, DemoCommand.self, RehearseCommand.self, WatchCommand.self, StatusCommand.self,
            ReplayCommand.self, VerifyCommand.self, StopCommand.self, ReleaseCommand.self, LimitCommand.self,
            AcceptCommand.self, RecordCommand.self,
        ])
}
