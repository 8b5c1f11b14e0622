import ArgumentParser

@main
struct PoiseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poise",
        abstract: "The risk kernel that keeps option books balanced.")
}
