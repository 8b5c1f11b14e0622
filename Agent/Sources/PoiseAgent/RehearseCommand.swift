import ArgumentParser
import Desk
import Foundation
import Journal
import Live
import Rehearsal
import TestExchange
import VenueProtocol

struct RehearseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rehearse",
        abstract:
            "The same as fast as it goes, with a summary: what hedging cost, how long exposures were outside."
    )

    @OptionGroup var options: SessionOptions

    @Option(help: "Hours of the market.")
    var hours: Double = 24

    @Option(help: "Seconds of the market from one step to the next.")
    var step: Double = 1

    func run() throws {
        guard hours > 0, hours <= 24 * 365 else { throw ValidationError("--hours: above 0, at most a year") }
        guard step >= 0.1, step <= 3_600 else { throw ValidationError("--step: from 0.1 to 3600 seconds") }
        let rehearsal = try options.rehearsal(step: Int((step * 1_000).rounded()))
        try rehearsal.begin()
        let start = rehearsal.exchange.time
        try rehearsal.run(to: start + Int(hours * 3_600_000)) { rehearsal in
            if let journal = options.journal, let word = CommandFile.take(journal: journal) {
                try rehearsal.command(word)
                CommandFile.settled(journal: journal)
            }
        }
        try rehearsal.end()
        let (desk, counters) = (rehearsal.desk, rehearsal.desk.counters)
        let cost = counters.shortfall
        print("hours             \(hours)")
        print("plans             \(counters.plans)")
        print(
            "orders            \(counters.sent) sent, \(counters.refused) refused, \(counters.guarded) not let out"
        )
        print("fills             \(counters.fills)")
        print(
            "cost, usd         \(Terminal.whole(cost.total)): spread \(Terminal.whole(cost.spread)), impact "
                + "\(Terminal.whole(cost.impact)), delay \(Terminal.whole(cost.delay)), fees \(Terminal.whole(cost.fees))"
        )
        for (book, underlying, milliseconds) in desk.timesOutside {
            print("outside           \(book ?? "all books") \(underlying): \(Double(milliseconds) / 1_000) s")
        }
        print("result, usd       \(Terminal.whole(desk.result.today)) since 08:00")
        print("differences       \(rehearsal.differences.count)")
        print("state             \(String(desk.stateHash, radix: 16))")
        guard rehearsal.differences.isEmpty else { throw ExitCode(1) }
    }
}
