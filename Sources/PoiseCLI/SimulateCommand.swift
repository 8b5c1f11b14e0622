import ArgumentParser
import Foundation
import Poise
import Synchronization

struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "What rebalancing policies cost and what risk they leave, on common paths.",
        discussion: """
            The configuration says market, book, venues and policies; Examples/simulate has some. All policies meet \
            the same paths and the same failures, so that their differences are far better known than their \
            figures. ± is 1.96 standard errors. Ctrl-C stops early: what is complete is printed, and saved where \
            --resume says. The exit status is then 130.
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

    @Option(help: "table for people; csv or json for programs, with all digits.")
    var format: Format = .table

    @Option(help: ArgumentHelp("Write to a file instead; it appears whole or not at all.", valueName: "file"))
    var output: String?

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
        if let paths, !(1...10_000_000).contains(paths) {
            throw ValidationError("--paths \(paths): expected 1 to 10000000")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads \(threads): expected 1 to 1024")
        }
        guard against >= 1 else { throw ValidationError("--against \(against): expected at least 1") }
        if let path, path < 0 { throw ValidationError("--path \(path): expected at least 0") }
        if let policy, policy < 1 { throw ValidationError("--policy \(policy): expected at least 1") }
        if trace, report != nil { throw ValidationError("--trace and --report exclude each other") }
    }

    func run() throws {
        let engine = try GreeksEngine()
        let settings = try SimulationSettings(file: config, engine: engine, paths: paths, seed: seed)
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
        let figures = try simulate(settings)
        let result = SimulationResult(settings, figures, reference: against - 1)
        let output = try Output(path: output)
        switch format {
        case .table: try result.writeTable(to: output)
        case .csv: try result.summaryReport(wholeCounts: true).writeCSV(to: output)
        case .json: try result.writeJSON(to: output)
        }
        try output.finish()
        if let report, figures.completed > 0 {
            let page = try Output(path: report)
            try page.write(SimulationPage(result, policy: policy.map { $0 - 1 }, path: path).html)
            try page.finish()
        }
        if figures.completed < settings.paths { throw ExitCode(130) }
    }

    private func simulate(_ settings: SimulationSettings) throws -> HedgingFigures {
        let names = settings.policies.map(\.policy.name)
        var partial: HedgingFigures?
        if let resume, FileManager.default.fileExists(atPath: resume) {
            let source = try Source(path: resume)
            partial = HedgingFigures(
                archive: source.bytes, fingerprint: settings.fingerprint, policies: names)
            guard partial != nil else {
                throw MarketError.unreadable(
                    file: resume, reason: "is no result of this configuration, or was cut short")
            }
        }
        let bar = ProgressBar(settings.paths)
        Interrupt.watch()
        let figures = settings.simulation.run(paths: settings.paths, threads: threads, resuming: partial) {
            bar.show($0)
            return !Interrupt.isAsked
        }
        Interrupt.ignore()
        bar.end()
        if let resume {
            let archive = figures.archive(fingerprint: settings.fingerprint)
            let output = try Output(path: resume)
            try output.write(bytes: archive)
            try output.finish()
        }
        if figures.completed < settings.paths {
            let advice = resume.map { "; run again with --resume \($0) to go on" } ?? ""
            FileHandle.standardError.write(
                Data(
                    "poise: interrupted: figures are of \(figures.completed) of \(settings.paths) paths\(advice)\n"
                        .utf8))
        }
        return figures
    }

    private func writeTrace(_ settings: SimulationSettings) throws {
        let steps = settings.simulation.trace(policy: (policy ?? 1) - 1, path: path ?? 0)
        let names = [
            "hours", "spot", "mark", "book_delta", "hedge_before", "hedge_after", "band_lower", "band_upper",
            "asked", "filled", "equity_usd", "is_down", "is_stale", "gamma", "vega", "theta",
        ]
        let held = Self.heldColumns(settings.simulation.options.map(\.name)).map {
            Report.Column($0, style: .significant)
        }
        let columns =
            names.map { Report.Column($0, style: .significant) }
            + ProfitPart.allCases.map { Report.Column("\($0.name)_usd", style: .significant) } + held
        let report = Report(columns: columns, rowCount: steps.count) { row, column in
            let step = steps[row]
            func bound(_ value: Double) -> Cell { value.isFinite ? .number(value) : .empty }
            func flag(_ isSet: Bool) -> Cell { .whole(isSet ? 1 : 0, asText: format == .csv) }
            switch column {
            case 0: return .number(step.hours)
            case 1: return .number(step.spot)
            case 2: return .number(step.mark)
            case 3: return .number(step.bookDelta)
            case 4: return .number(step.hedgeBefore)
            case 5: return .number(step.hedgeAfter)
            case 6: return bound(step.bandLower)
            case 7: return bound(step.bandUpper)
            case 8: return .number(step.asked)
            case 9: return .number(step.filled)
            case 10: return .number(step.equity)
            case 11: return flag(step.isDown)
            case 12: return flag(step.isStale)
            case 13: return .number(step.gamma)
            case 14: return .number(step.vega)
            case 15: return .number(step.theta)
            default:
                let place = column - names.count
                guard place >= step.parts.count else { return .number(step.parts[place]) }
                let option = place - step.parts.count
                return .number(option < step.options.count ? step.options[option] : 0)
            }
        }
        try report.write(as: format, toFile: output)
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

/// Set by the signal handler.
private let interruptIsAsked = Atomic<Bool>(false)

/// Ctrl-C, once: the simulation is asked to stop. Twice ends the process as usual.
private enum Interrupt {
    static var isAsked: Bool { interruptIsAsked.load(ordering: .relaxed) }

    static func watch() {
        // Whoever starts the tool may have it blocked.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        signal(SIGINT) { _ in
            interruptIsAsked.store(true, ordering: .relaxed)
            signal(SIGINT, SIG_DFL)
        }
    }

    static func ignore() { signal(SIGINT, SIG_DFL) }
}

/// Progress on standard error, where that is a terminal.
private final class ProgressBar: @unchecked Sendable {
    private let total: Int
    private let isShown = isatty(STDERR_FILENO) == 1
    private let start = ContinuousClock.now
    private var first: Int?
    private var last = ContinuousClock.now - .seconds(1)

    init(_ total: Int) { self.total = total }

    /// Called by one thread at a time.
    func show(_ done: Int) {
        guard isShown else { return }
        let now = ContinuousClock.now
        let begun = first ?? done
        first = begun
        guard now - last > .milliseconds(100) || done == total else { return }
        last = now
        let width = 40
        let filled = width * done / max(1, total)
        let bar = String(repeating: "━", count: filled) + String(repeating: "╌", count: width - filled)
        var rest = ""
        if done > begun, done < total {
            let each = (now - start) / Double(done - begun)
            let seconds = (each * Double(total - done)).components.seconds
            rest = seconds < 60 ? "  \(seconds) s left" : "  \(seconds / 60) min \(seconds % 60) s left"
        }
        write("\r\u{1B}[K\(bar) \(done)/\(total) paths\(rest)")
    }

    func end() { if isShown { write("\r\u{1B}[K") } }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
