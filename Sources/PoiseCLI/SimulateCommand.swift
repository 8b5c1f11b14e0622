import ArgumentParser
import Checks
import Foundation
import Market
import Poise
import Synchronization

struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "What rebalancing policies cost and what risk they leave, on common paths.",
        discussion: """
            The configuration says market, book, venues and policies; Examples/simulate has some. All policies meet \
            the same paths and the same failures, so that their differences are far better known than their \
            figures. ± is 1.96 standard errors. Ctrl-C stops early, and so do SIGTERM and SIGHUP: what is complete is \
            printed, and saved where --resume says. The exit status is then 128 and the signal, 130 for Ctrl-C.
            """)

    @Option(help: ArgumentHelp("What to simulate.", valueName: "file.toml"))
    var config: String

    @Option(help: ArgumentHelp("Paths, in place of the configuration's.", valueName: "count"))
    var paths: Int?

    @Option(help: ArgumentHelp("Seed, in place of the configuration's.", valueName: "number"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("Threads; the figures are the same bits for any number.", valueName: "count"))
    var threads = 1

    @Option(
        help: ArgumentHelp(
            "Keep figures in this file, and go on from those that it has of the same configuration.",
            valueName: "file"))
    var resume: String?

    @Option(help: ArgumentHelp("Also write a page with charts for a browser.", valueName: "file.html"))
    var report: String?

    @Option(
        help: ArgumentHelp(
            "Compare with the policy of this number in the table, from 1.", valueName: "number"))
    var against = 1

    @OptionGroup var outputs: OutputOptions

    @Flag(help: "Every step of one path of one policy as a table: see --path and --policy.")
    var trace = false

    @Option(
        help: ArgumentHelp(
            "Path that --trace (default 0) and the page (default one that went badly) show, from 0.",
            valueName: "number"))
    var path: Int?

    @Option(help: ArgumentHelp("Policy that --trace and the page show, from 1.", valueName: "number"))
    var policy: Int?

    func validate() throws {
        try NumberRule.within(1...10_000_000).require("--paths", paths)
        try NumberRule.within(1...1024).require("--threads", threads)
        try NumberRule.atLeast(1).require("--against", against)
        try NumberRule.atLeast(0).require("--path", path)
        try NumberRule.atLeast(1).require("--policy", policy)
        if trace, report != nil { throw ValidationError("--trace and --report exclude each other") }
    }

    func run() throws {
        let engine = try GreeksEngine()
        let settings = try SimulationSettings(
            file: config, engine: engine, paths: paths, seed: seed, threads: threads)
        let count = settings.policies.count
        guard against <= count else {
            throw ValidationError("--against \(against): there are \(count) policies")
        }
        if let policy, policy > count {
            throw ValidationError("--policy \(policy): there are \(count) policies")
        }
        if let path, path >= settings.paths {
            throw ValidationError("--path \(path): there are \(settings.paths) paths")
        }
        if trace {
            try writeTrace(settings)
            return
        }
        let partial = try earlierFigures(settings)
        let files = Outputs()
        let output = try outputs.open(files)
        let pageOutput = try report.map { try files.open($0) }
        // What hours have gone into is saved whether or not the rest can be written.
        let archives = Outputs()
        let archive = try resume.map { try archives.open($0) }
        let figures = simulate(settings, partial)
        if let archive {
            try archive.write(bytes: figures.archive(fingerprint: settings.fingerprint))
            try archives.finish()
        }
        try settings.check(figures)
        let result = SimulationResult(settings, figures, reference: against - 1)
        switch outputs.format {
        case .table: try result.writeTable(to: output)
        case .csv: try result.summaryReport().writeCSV(to: output)
        case .json: try result.writeJSON(to: output)
        }
        if let pageOutput, figures.completed > 0 {
            try pageOutput.write(SimulationPage(result, policy: policy.map { $0 - 1 }, path: path).html)
        }
        try files.finish()
        if figures.completed < settings.paths { throw ExitCode(128 + (Interrupt.signal ?? SIGINT)) }
    }

    private func earlierFigures(_ settings: SimulationSettings) throws -> HedgingFigures? {
        guard let resume, FileManager.default.fileExists(atPath: resume) else { return nil }
        guard
            let figures = HedgingFigures(
                archive: try Source(path: resume).bytes, fingerprint: settings.fingerprint,
                policies: settings.policies.map(\.policy.name))
        else {
            throw MarketError.unreadable(
                file: resume, reason: "is no result of this configuration, or was cut short")
        }
        return figures
    }

    private func simulate(_ settings: SimulationSettings, _ partial: HedgingFigures?) -> HedgingFigures {
        let bar = Progress("paths", count: settings.paths)
        Interrupt.watch()
        let figures = settings.simulation.run(paths: settings.paths, threads: threads, resuming: partial) {
            bar.update($0)
            return Interrupt.signal == nil
        }
        Interrupt.ignore()
        bar.finish()
        if figures.completed < settings.paths {
            let advice = resume.map { "; run again with --resume \($0) to go on" } ?? ""
            StandardError.write(
                "poise: interrupted: figures are of \(figures.completed) of \(settings.paths) paths\(advice)\n"
            )
        }
        return figures
    }

    private func writeTrace(_ settings: SimulationSettings) throws {
        let files = Outputs()
        let output = try outputs.open(files)
        typealias Column = Report<TracedStep>.Column
        func number(_ name: String, _ value: @escaping (TracedStep) -> Double) -> Column {
            Column(name, style: .significant) { .number(value($0)) }
        }
        func bound(_ name: String, _ value: @escaping (TracedStep) -> Double) -> Column {
            Column(name, style: .significant) { Cell(value($0).ifFinite) }
        }
        func flag(_ name: String, _ isSet: @escaping (TracedStep) -> Bool) -> Column {
            Column(name, style: .significant) { .whole(isSet($0) ? 1 : 0) }
        }
        let figures = [
            number("hours", \.hours), number("spot", \.spot), number("mark", \.mark),
            number("book_delta", \.bookDelta), number("hedge_before", \.hedgeBefore),
            number("hedge_after", \.hedgeAfter), bound("band_lower", \.bandLower),
            bound("band_upper", \.bandUpper), number("asked", \.asked), number("filled", \.filled),
            number("equity_usd", \.equity), flag("is_down", \.isDown), flag("is_stale", \.isStale),
            number("gamma", \.gamma), number("vega", \.vega), number("theta", \.theta),
        ]
        let parts = ProfitPart.allCases.enumerated().map { place, part in
            number("\(part.name)_usd") { $0.parts[place] }
        }
        let held = Self.heldColumns(settings.simulation.terms.options.map(\.name)).enumerated().map {
            place, name in
            number(name) { place < $0.options.count ? $0.options[place] : 0 }
        }
        let report = Report(
            columns: figures + parts + held,
            rows: settings.simulation.trace(policy: (policy ?? 1) - 1, path: path ?? 0))
        try report.write(as: outputs.format, to: output)
        try files.finish()
    }

    /// Names of columns for options held, each once, of letters, digits, points and dashes:
    /// `held_call_63000_21d`.
    static func heldColumns(_ options: [String]) -> [String] {
        var names: [String] = []
        for option in options {
            let words = option.split { !($0.isLetter || $0.isNumber || ".-".contains($0)) }
            let name = "held_" + words.joined(separator: "_")
            var (unique, count) = (name, 1)
            while names.contains(unique) {
                count += 1
                unique = "\(name)_\(count)"
            }
            names.append(unique)
        }
        return names
    }
}

/// The signal that asked for an end, 0 as long as none has; set by the handler.
private let interruptingSignal = Atomic<Int32>(0)

/// Ctrl-C, and requests to end from elsewhere, once: the simulation is asked to stop, and what is complete is kept.
/// Twice ends the process as usual.
private enum Interrupt {
    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// The one that came; nil for none.
    static var signal: Int32? {
        let number = interruptingSignal.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    static func watch() {
        for number in signals {
            // Whoever starts the tool may have Ctrl-C blocked; what it has the tool ignore stays ignored.
            var mask = sigset_t()
            sigemptyset(&mask)
            sigaddset(&mask, number)
            pthread_sigmask(SIG_UNBLOCK, &mask, nil)
            let earlier = Foundation.signal(number) { number in
                interruptingSignal.store(number, ordering: .relaxed)
                Foundation.signal(number, PartialFiles.handler)
            }
            if number != SIGINT,
                unsafeBitCast(earlier, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
            {
                Foundation.signal(number, SIG_IGN)
            }
        }
    }

    static func ignore() {
        for number in signals {
            let earlier = Foundation.signal(number, PartialFiles.handler)
            if unsafeBitCast(earlier, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
                Foundation.signal(number, SIG_IGN)
            }
        }
    }
}
