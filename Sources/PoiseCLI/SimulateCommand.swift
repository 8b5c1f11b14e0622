import ArgumentParser
import Checks
import Foundation
import Market
import Poise

struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "What rebalancing policies cost and what risk they leave, on common paths.",
        discussion: """
            The configuration says market, book, venues and policies; Examples/simulate has some. All policies meet \
            the same paths and the same failures, so that their differences are far better known than their \
            figures. ± is 1.96 standard errors. Ctrl-C stops early, and so do SIGTERM and SIGHUP: what is complete is \
            printed, and saved where --resume says. The exit status is then 128 and the signal, 130 for Ctrl-C.
            """ + HelpExamples.of("simulate"))

    @Option(help: ArgumentHelp("What to simulate.", valueName: "file.toml"))
    var config: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Paths, in place of the configuration's.", valueName: "count"))
    var paths: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Seed, in place of the configuration's.", valueName: "number"))
    var seed: UInt64?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Threads; the figures are the same bits for any number.", valueName: "count"))
    var threads = 1

    @Option(
        help: ArgumentHelp(
            "Keep figures in this file, and go on from those that it has of the same configuration.",
            valueName: "target"))
    var resume: String?

    @Option(help: ArgumentHelp("Also write a page with charts for a browser.", valueName: "target"))
    var report: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Compare with the policy of this number in the table, from 1.", valueName: "number"))
    var against = 1

    @OptionGroup var outputs: OutputOptions

    @Flag(help: "Every step of one path of one policy as a table: see --path and --policy.")
    var trace = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Path that --trace (default 0) and the page (default one that went badly) show, from 0.",
            valueName: "number"))
    var path: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Policy that --trace and the page show, from 1.", valueName: "number"))
    var policy: Int?

    func validate() throws {
        try NumberRule.within(1...10_000_000).require("--paths", paths)
        try NumberRule.within(1...1024).require("--threads", threads)
        try NumberRule.atLeast(1).require("--against", against)
        try NumberRule.atLeast(0).require("--path", path)
        try NumberRule.atLeast(1).require("--policy", policy)
        if resume == "-" { throw ValidationError("--resume -: figures are kept in a file") }
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
            let files = Outputs()
            let output = try outputs.open(files)
            let steps = settings.simulation.trace(policy: (policy ?? 1) - 1, path: path ?? 0)
            try Report(steps, options: settings.simulation.terms.options.map(\.name))
                .write(as: outputs.format, to: output)
            return try files.finish()
        }
        let partial = try earlierFigures(settings)
        let files = Outputs()
        let output = try outputs.open(files)
        let pageOutput = try report.map { try files.open($0) }
        // What hours have gone into is saved whether or not the rest can be written.
        let archives = Outputs(besides: files)
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

    private func earlierFigures(_ settings: SimulationSettings) throws -> PathOutcomes? {
        guard let resume, FileManager.default.fileExists(atPath: resume) else { return nil }
        guard
            let figures = PathOutcomes(
                archive: try Source(path: resume).bytes, fingerprint: settings.fingerprint,
                policies: settings.policies.map(\.policy.name))
        else {
            throw MarketError.unreadable(
                file: resume, reason: "is no result of this configuration, or was cut short")
        }
        return figures
    }

    private func simulate(_ settings: SimulationSettings, _ partial: PathOutcomes?) -> PathOutcomes {
        Interrupt.watch()
        let figures = Progress.shown("paths", count: settings.paths) { bar in
            settings.simulation.run(paths: settings.paths, threads: threads, resuming: partial) {
                bar.update($0)
                return Interrupt.signal == nil
            }
        }
        Interrupt.unwatch()
        if figures.completed < settings.paths {
            let advice = resume.map { "; run again with --resume \($0) to go on" } ?? ""
            StandardError.write(
                "poise: interrupted: figures are of \(figures.completed) of \(settings.paths) paths\(advice)\n"
            )
        }
        return figures
    }
}
