import ArgumentParser
import Foundation
import TestExchange
import VenueClient
import VenueProtocol

/// How much client and exchange take: messages in and applied, orders matched, a tick in to an order out.
@main
struct AgentLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent-load",
        abstract:
            "Measures the client's and the test exchange's rates and latency, in one thread and without a network."
    )

    @Option(help: "A file for the messages, a line each: for other parsers to be measured on the same bytes.")
    var messages: String?

    @Option(help: "Distinct messages that are taken in.")
    var count = 200_000

    @Flag(help: "The desk's latency alone.")
    var deskOnly = false

    @Option(help: "Books of the desk whose latency is measured.")
    var books = 200

    @Option(help: "Contracts that they hold, about.")
    var contracts = 5_000

    @Option(help: "Messages to the desk of each kind.")
    var ticks = 10_000

    @Option(help: "Every so many of them is one that is hedged.")
    var hedgeEvery = 20

    @Option(help: "A folder for the desk's journal; one in memory leaves the disk's time out.")
    var journals: String?

    @Option(help: "Messages in all that the client's memory is watched over; 0 leaves it out.")
    var endurance = 0

    mutating func run() throws {
        guard !deskOnly else { return try measureDesk() }
        let line = try LoadLine()
        let frames = line.capture(count)
        let bytes = frames.reduce(0) { $0 + $1.count }
        say(
            "corpus: \(frames.count) messages, \(bytes / 1_000_000) MB, \(line.exchange.liveContracts.count) contracts"
        )
        if let messages { try write(frames, to: messages) }
        measureReading(frames)
        measureApplying(line, frames)
        try measureMatching()
        try measureLatency(line)
        try measureDesk()
        if endurance > 0 { watchMemory(line, frames) }
    }

    /// A figure, written through as soon as it is there.
    private func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    private func write(_ frames: [[UInt8]], to path: String) throws {
        var data = Data()
        for frame in frames {
            data.append(contentsOf: frame)
            data.append(UInt8(ascii: "\n"))
        }
        try data.write(to: URL(fileURLWithPath: path))
    }

    /// Seconds of this thread's processor time.
    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = Self.processorTime()
        try body()
        return Self.processorTime() - start
    }

    private static func processorTime() -> Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private func report(_ what: String, _ count: Int, _ seconds: Double) {
        let rate = (Double(count) / seconds / 100).rounded() * 100
        say("\(what): \(Int(rate)) a second (\(count) in \((seconds * 1000).rounded() / 1000) s)")
    }

    // MARK: In

    private func measureReading(_ frames: [[UInt8]]) {
        var nodes = 0
        let parsed = seconds {
            for frame in frames { if let tape = try? JSONTape(frame), tape.root.isObject { nodes += 1 } }
        }
        report("read, tape alone", nodes, parsed)
    }

    private func measureApplying(_ line: LoadLine, _ frames: [[UInt8]]) {
        let before = line.core.market.gaps
        var events = 0
        let applied = seconds {
            for frame in frames {
                line.core.received(.market, frame, at: line.now)
                events += line.core.takeEffects().count
            }
        }
        report("read and applied", frames.count, applied)
        say(
            "  \(events) events, \(line.core.market.gaps - before) gaps, \(line.core.market.books.count) books,"
                + " \(line.core.market.tickers.count) tickers")
    }

    // MARK: Matching

    private func measureMatching() throws {
        let orders = 200_000
        for isProtocol in [false, true] {
            let floor = try MatchingFloor()
            let spent = try seconds { try floor.run(orders, overProtocol: isProtocol) }
            report(isProtocol ? "orders over the protocol" : "orders matched", orders, spent)
            say("  \(floor.trades) trades, \(floor.refused) refused")
        }
    }

    // MARK: Tick to order

    private func measureLatency(_ line: LoadLine) throws {
        var samples: [Double] = []
        let frames = line.capture(20_000)
        for (number, frame) in frames.prefix(20_000).enumerated() {
            let start = Self.wallTime()
            line.core.received(.market, frame, at: line.now)
            var order = OrderRequest(
                .buy, LoadLine.perpetual, amount: MessageAmount(10), price: 88_000, label: "load-\(number)")
            order.timeInForce = .immediateOrCancel
            line.core.send(.place(order), tag: number, at: line.now)
            let effects = line.core.takeEffects()
            let isOut = effects.contains { if case .send(.trading, _) = $0 { true } else { false } }
            let end = Self.wallTime()
            guard isOut else { throw VenueFault(.internalError) }
            samples.append((end - start) * 1e6)
            for effect in effects { line.wire.perform(effect) }
            line.wire.carry()
        }
        report("link alone, tick in to order out", samples)
    }

    /// - Parameter samples: microseconds.
    private func report(_ what: String, _ samples: [Double]) {
        let samples = samples.sorted()
        func at(_ share: Double) -> Double {
            guard !samples.isEmpty else { return .nan }
            return (samples[min(samples.count - 1, Int(Double(samples.count) * share))] * 10).rounded() / 10
        }
        say(
            "\(what): p50 \(at(0.5)) µs, p99 \(at(0.99)) µs, p99.9 \(at(0.999)) µs (\(samples.count) of them)"
        )
    }

    /// A desk with its journal: from a message's last byte to an order's first, or to the end of what follows of it.
    private func measureDesk() throws {
        let folder = journals ?? NSTemporaryDirectory()
        for (lines, isHedging) in [(1, true), (books, false)] {
            let line = try DeskLine(
                books: books, contracts: contracts, linesOfLimits: lines, journals: folder)
            say(
                "desk: \(line.held) contracts in \(books) books, \(line.candidates) candidates, \(lines) lines of limits,"
                    + " a journal in \(folder)")
            let figures = try line.measure(ticks: ticks, hedgeEvery: isHedging ? hedgeEvery : .max)
            report("  an index's tick that changes nothing", figures.idle)
            report("  an index's tick, all decided", figures.index)
            report("  a perpetual's tick, all decided", figures.perpetual)
            report("  an option's tick, all decided", figures.option)
            if isHedging {
                report("  an index's tick that is hedged, to the order's first byte", figures.hedged)
                report("  the same without the journal's write", figures.decided)
            }
        }
    }

    static func wallTime() -> Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    // MARK: Memory

    private func watchMemory(_ line: LoadLine, _ frames: [[UInt8]]) {
        // Later each time round, so that no ticker is an old one.
        let places = frames.map { Timestamp.place(in: $0) }
        var round = 0
        var taken = 0
        var figures: [Int] = []
        while taken < endurance {
            round += 1
            for (frame, place) in zip(frames, places) {
                let message = place.map { Timestamp.moved(frame, at: $0, by: round * 86_400_000) } ?? frame
                line.core.received(.market, message, at: line.now + round)
                _ = line.core.takeEffects()
            }
            taken += frames.count
            figures.append(Self.residentKilobytes())
        }
        let text = figures.map { String($0 / 1024) }.joined(separator: " ")
        say("memory over \(taken) messages, MiB after each round of \(frames.count): \(text)")
    }

    private static func residentKilobytes() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return 0 }
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return line.split(separator: " ").compactMap { Int($0) }.first ?? 0
    }
}

/// The digits of a message's own time.
enum Timestamp {
    private static let key = Array(#""timestamp":"#.utf8)

    static func place(in frame: [UInt8]) -> Int? {
        guard frame.count > key.count + 13 else { return nil }
        for start in 0..<(frame.count - key.count - 13)
        where frame[start] == key[0] && frame[start..<start + key.count].elementsEqual(key) {
            return start + key.count
        }
        return nil
    }

    static func moved(_ frame: [UInt8], at place: Int, by milliseconds: Int) -> [UInt8] {
        var frame = frame
        var time = 0
        for digit in frame[place..<place + 13] { time = time * 10 + Int(digit) - 48 }
        frame.replaceSubrange(place..<place + 13, with: String(time + milliseconds).utf8)
        return frame
    }
}
