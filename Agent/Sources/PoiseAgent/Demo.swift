import ArgumentParser
import Desk
import Dispatch
import Foundation
import Journal
import Rehearsal
import TestExchange
import VenueProtocol

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract:
            "A desk on a living test exchange, both in this process: a line a second of exposures, orders, fills."
    )

    @OptionGroup var options: SessionOptions

    @Option(help: "How many seconds of the market go by in one.")
    var speed: Double = 10

    @Option(help: "Ends by itself after so many seconds.")
    var seconds: Double?

    @Flag(help: "Print figures alone, not what is decided and done.")
    var quiet = false

    func run() throws {
        guard speed >= 0.1, speed <= 10_000 else { throw ValidationError("--speed: from 0.1 to 10000") }
        let rehearsal = try options.rehearsal()
        let interrupts = Interrupts()
        try rehearsal.begin()
        print(
            "\(rehearsal.desk.configuration.limits.count) limits, \(rehearsal.exchange.liveContracts.count) contracts; "
                + "the market goes \(speed) times as fast; Ctrl-C ends it with no order left")
        var told = 0
        var printed = DispatchTime.now()
        let began = DispatchTime.now()
        var steps = 0.0
        func seconds(since time: DispatchTime) -> Double {
            Double(DispatchTime.now().uptimeNanoseconds - time.uptimeNanoseconds) / 1e9
        }
        while !interrupts.isAsked, seconds(since: began) < self.seconds ?? .infinity {
            if let journal = options.journal, let word = CommandFile.take(journal: journal) {
                try rehearsal.command(word)
            }
            try rehearsal.step()
            steps += 1
            if !quiet { tell(rehearsal, &told) }
            if seconds(since: printed) >= 1 {
                printed = .now()
                print(figures(rehearsal))
            }
            let ahead = steps / speed - seconds(since: began)
            if ahead > 0 { Thread.sleep(forTimeInterval: min(ahead, 1)) }
        }
        try rehearsal.end()
        if !quiet { tell(rehearsal, &told) }
        print(figures(rehearsal))
        let left = rehearsal.exchange.openOrders(of: rehearsal.account).count
        print(
            "ended: \(left) orders open, \(rehearsal.differences.count) positions differ from the exchange's")
        guard left == 0, rehearsal.differences.isEmpty else { throw ExitCode(1) }
    }

    private func tell(_ rehearsal: Rehearsal, _ told: inout Int) {
        // The list is cut in front when it becomes long.
        if told > rehearsal.reports.count { told = 0 }
        for report in rehearsal.reports[told...] where report.kind != .order {
            print(Terminal.report(report))
        }
        told = rehearsal.reports.count
    }

    private func figures(_ rehearsal: Rehearsal) -> String {
        let desk = rehearsal.desk
        let counters = desk.counters
        let exposures = desk.exposures().map(Terminal.exposure).joined(separator: " | ")
        return
            "\(Terminal.clock(desk.time))  BTC \(Terminal.whole(Scales.price(rehearsal.exchange.indices[0].price)))  "
            + "\(exposures)  orders \(counters.sent) open \(desk.orders.count) fills \(counters.fills)  "
            + "cost \(Terminal.whole(counters.shortfall.total)) usd  switch \(desk.killSwitch.level.rawValue)"
    }
}

/// Ctrl-C and SIGTERM as a question.
final class Interrupts {
    private let sources: [any DispatchSourceSignal]
    private let asked = Asked()

    private final class Asked: @unchecked Sendable {
        private let lock = NSLock()
        private var value = false
        var isSet: Bool { lock.withLock { value } }
        func set() { lock.withLock { value = true } }
    }

    init() {
        let asked = asked
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { asked.set() }
            source.resume()
            return source
        }
    }

    var isAsked: Bool { asked.isSet }
}

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
        let rehearsal = try options.rehearsal()
        try rehearsal.begin()
        let start = rehearsal.exchange.time
        try rehearsal.run(to: start + Int(hours * 3_600_000)) { rehearsal in
            if let journal = options.journal, let word = CommandFile.take(journal: journal) {
                try rehearsal.command(word)
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
