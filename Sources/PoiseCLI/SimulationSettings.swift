import Foundation
import Poise

/// A policy of a simulation, and the family that a chart shows it in.
struct PolicySetting {
    let family: String
    let policy: any RebalancingPolicy
    /// What the family's setting is here, as a chart labels it.
    let label: String
}

/// Everything that a configuration file says.
struct SimulationSettings {
    let simulation: HedgingSimulation
    let policies: [PolicySetting]
    let paths: Int
    /// Neighbouring windows of a replay that share candles.
    let overlap: Int
    /// What was read beside the configuration, for the fingerprint of a result.
    let fingerprint: UInt64
    /// Lines for people: the market, the book, the venues.
    let description: [String]
    let spot: Double
    let replay: CandleReplay?

    init(file: String, engine: GreeksEngine, paths: Int?, seed: UInt64?) throws {
        let source = try Source(path: file)
        let root = try ConfigurationTable(
            file: source.name, text: String(decoding: source.bytes, as: UTF8.self))
        var reader = SimulationReader(root, file: file)
        reader.note(source.bytes)
        try root.refuseOthers(than: [
            "days", "seed", "paths", "step_minutes", "close_at_end", "market", "surface", "book", "hedge",
            "venue",
            "policy", "margin", "flow", "limits",
        ])

        let days = try root.number("days", .within(0.01...3650))
        let configuredSeed = try root.integer("seed", 0...Int.max, default: 1)
        let wanted = try root.integer("paths", 1...10_000_000, default: 4096)
        let minutes = try root.optionalNumber("step_minutes", .within(0.01...1e6))
        let market = try reader.market(root.required("market"), days: days, minutes: minutes)
        try root.finishTables()
        let surface = try reader.surface(root.child("surface"), market)
        let book = try reader.book(root.required("book"), market, surface)
        try root.finishTables()
        let hedgeTable = try root.required("hedge")
        let hedge = try reader.hedge(hedgeTable)
        let options = try reader.hedgeOptions(hedgeTable, market, surface)
        try root.finishTables()
        let venues = try reader.venues(root)
        try root.finishTables()
        let policies = try reader.policies(root, market, hasOptions: !options.isEmpty)
        let margin = try reader.margin(root.child("margin"))
        let flow = try reader.flow(root.child("flow"))
        let limits = try root.child("limits")
        let deltaLimit = try limits?.optionalNumber("delta", .notNegative) ?? .infinity
        let positionLimit = try limits?.optionalNumber("position", .notNegative) ?? .infinity
        let oldest = try limits?.optionalNumber("oldest_price_seconds", .notNegative) ?? 0
        let closes = try root.flag("close_at_end", default: true)
        try root.finish()

        let chosenSeed = seed ?? UInt64(configuredSeed)
        withUnsafeBytes(of: chosenSeed.littleEndian) { reader.note(Array($0)) }
        // Without fused multiply-add the last bits differ.
        if engine.instructionSet == .baseline { reader.note([1]) }
        simulation = try root.checked {
            try HedgingSimulation(
                model: market.model, surface: surface, book: book, instrument: hedge.instrument,
                options: options, venues: venues, policies: policies.map(\.policy), funding: hedge.funding,
                margin: margin,
                flow: flow, closesAtEnd: closes, deltaLimit: deltaLimit, positionLimit: positionLimit,
                oldestPrice: oldest, seed: chosenSeed, engine: engine)
        }
        self.policies = policies
        self.paths = min(paths ?? wanted, market.model.pathCount ?? .max)
        overlap = market.overlap
        fingerprint = reader.fingerprint
        spot = market.spot
        replay = market.replay
        let grid = market.model.grid
        let step = grid.stepYears * 525_600
        description = [
            "\(market.description), \(counted(grid.steps, "step")) of \(step.short) min",
            "\(counted(book.options.count, "option")), hedged with \(hedge.instrument.kind.rawValue)"
                + (options.isEmpty ? "" : " and \(counted(options.count, "option"))") + " at "
                + venues.map(\.name).joined(separator: ", then "),
        ]
    }
}

/// `1 option`, `2 options`.
private func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// What the rest of a configuration refers to.
struct MarketSetting {
    let model: any PathModel
    let spot: Double
    let volatility: Double
    let description: String
    var overlap = 0
    var replay: CandleReplay?
}

/// Reads the tables of a simulation.
struct SimulationReader {
    let root: ConfigurationTable
    let file: String
    private(set) var fingerprint: UInt64 = 0xCBF2_9CE4_8422_2325

    init(_ root: ConfigurationTable, file: String) {
        self.root = root
        self.file = file
    }

    /// FNV-1a over everything that decides the figures.
    mutating func note(_ bytes: [UInt8]) {
        for byte in bytes { fingerprint = (fingerprint ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    }

    /// A data file that a key names, by its path or beside the configuration; `.gz` through gzip.
    mutating func data(_ path: String, _ table: ConfigurationTable, _ key: String) throws -> Source {
        let beside = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent(path)
            .standardizedFileURL.path
        let found = path.hasPrefix("/") || !FileManager.default.fileExists(atPath: beside) ? path : beside
        guard FileManager.default.fileExists(atPath: found) else {
            let looked = path.hasPrefix("/") ? "" : " \(beside): paths are relative to the configuration file"
            throw table.wrong(key, "\"\(path)\"", "there is no file" + looked)
        }
        let source = found.hasSuffix(".gz") ? try Self.unzipped(found) : try Source(path: found)
        note(source.bytes)
        return source
    }

    private static func unzipped(_ path: String) throws -> Source {
        _ = try Source(path: path)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw MarketError.unreadable(file: path, reason: "gzip cannot unpack it")
        }
        return Source(name: path, bytes: [UInt8](data))
    }

    // MARK: Market

    private enum Model: String, CaseIterable {
        case gbm, heston, regimes, bootstrap, replay
    }

    mutating func market(_ table: ConfigurationTable, days: Double, minutes: Double?) throws -> MarketSetting
    {
        let kind: Model = try table.word("model")
        let spot = try table.number("spot", .within(1e-9...1e12))
        let drift = try table.number("drift", .finite, default: 0)
        if kind == .bootstrap || kind == .replay {
            if let minutes {
                throw root.wrong("step_minutes", "\(minutes)", "the step is that of the candles in [market]")
            }
            return try pastMarket(table, kind, days: days, spot: spot)
        }
        let stepMinutes = minutes ?? 60
        let steps = Int((days * 1440 / stepMinutes).rounded())
        let grid = try root.checked { try TimeGrid(steps: steps, stepYears: stepMinutes / 525_600) }
        var model: any PathModel
        var volatility: Double
        var text: String
        switch kind {
        case .gbm:
            volatility = try table.number("volatility", .within(0...20))
            model = try table.checked {
                try GeometricBrownianMotion(grid, spot: spot, drift: drift, volatility: volatility)
            }
            text = "geometric Brownian motion, volatility \(volatility.short)"
        case .heston:
            volatility = try table.number("volatility", .within(0.001...20))
            let longRun = try table.number("long_run_volatility", .within(0.001...20), default: volatility)
            let parameters = Heston.Parameters(
                variance: volatility * volatility,
                meanReversion: try table.number("mean_reversion", .positive),
                longRunVariance: longRun * longRun,
                volatilityOfVariance: try table.number("volatility_of_variance", .positive),
                correlation: try table.number("correlation", .within(-1...1), default: 0))
            model = try table.checked { try Heston(grid, spot: spot, drift: drift, parameters) }
            text = "Heston, volatility \(volatility.short)"
        default:
            let regimes = try table.list("regime")
            guard !regimes.isEmpty else {
                throw table.wrong("regime", "none", "expected tables [[market.regime]]")
            }
            let states = try regimes.map {
                RegimeSwitching.Regime(
                    drift: try $0.number("drift", .finite, default: 0),
                    volatility: try $0.number("volatility", .within(0...20)))
            }
            let rates = try regimes.map { try $0.numbers("moves_per_year", .notNegative) }
            for (table, row) in zip(regimes, rates) where row.count != states.count {
                throw table.wrong(
                    "moves_per_year", "\(row.count) numbers", "expected \(states.count), one per regime")
            }
            let start =
                table.has("start") ? try table.integer("start", 1...states.count, default: 1) - 1 : nil
            volatility = states[start ?? 0].volatility
            model = try table.checked {
                try RegimeSwitching(grid, spot: spot, states, rates: rates, start: start)
            }
            text = "\(states.count) regimes"
        }
        if let jumps = try table.child("jumps") {
            let intensity = try jumps.number("per_year", .notNegative)
            let mean = try jumps.number("mean", .within(-2...2))
            let deviation = try jumps.number("deviation", .within(0...2))
            let base = model
            model = try jumps.checked {
                try JumpDiffusion(base, intensity: intensity, meanJump: mean, jumpDeviation: deviation)
            }
            text += ", \(intensity.short) jumps a year"
        }
        return MarketSetting(model: model, spot: spot, volatility: volatility, description: text)
    }

    private enum GapRule: String, CaseIterable {
        case refuse, avoid
    }
    private enum StampRule: String, CaseIterable {
        case start, end
    }

    private mutating func pastMarket(
        _ table: ConfigurationTable, _ kind: Model, days: Double, spot: Double
    ) throws -> MarketSetting {
        let files = try table.texts("files")
        let stamp: StampRule = try table.word("stamp", default: .start)
        let gaps: GapRule = try table.word("gaps", default: .refuse)
        var candles: CandleTable?
        for path in files {
            var badRows = BadRows(skip: false)
            let next = try CandleTable(try data(path, table, "files"), &badRows)
            candles = try candles?.joined(with: next) ?? next
        }
        guard let candles else { throw table.wrong("files", "[]", "expected at least one file") }
        let period = try restricted(candles, table)
        let series = try CandleSeries(
            period, stamp: stamp == .start ? .start : .end, gaps: gaps == .refuse ? .refused : .avoided)
        let steps = max(1, Int((days / 365 / series.stepYears).rounded()))
        let volatility = try table.optionalNumber("volatility", .within(0.001...20))
        let names = files.map { URL(fileURLWithPath: $0).lastPathComponent }.joined(separator: " and ")
        if kind == .bootstrap {
            let hours = try table.number("block_hours", .positive, default: 24)
            let drift = try table.optionalNumber("drift", .finite)
            let model = try table.checked {
                try BlockBootstrap(
                    series, steps: steps, spot: spot, meanBlockLength: hours / (series.stepYears * 8760),
                    drift: drift, volatility: volatility)
            }
            return MarketSetting(
                model: model, spot: spot, volatility: volatility ?? series.volatility,
                description: "bootstrap of \(names)")
        }
        let strideHours = try table.optionalNumber("stride_hours", .positive)
        let stride = strideHours.map { max(1, Int(($0 / (series.stepYears * 8760)).rounded())) }
        var payments: [(time: Timestamp, rate: Double)] = []
        if let path = try table.optionalText("funding_file") {
            let history = try FundingHistory(
                try data(path, table, "funding_file"), venue: try table.text("funding_venue"),
                symbol: try table.text("funding_symbol"))
            payments = history.payments
        }
        let replay = try table.checked {
            try CandleReplay(
                series, steps: steps, stride: stride, startPrice: spot, volatility: volatility,
                funding: payments)
        }
        let overlap = stride.map { (steps + $0 - 1) / $0 - 1 } ?? 0
        return MarketSetting(
            model: replay, spot: spot, volatility: volatility ?? series.volatility,
            description: "\(replay.starts.count) windows of \(names)", overlap: overlap, replay: replay)
    }

    /// The candles from `from` on, before `until`, as far as these are there.
    private func restricted(_ candles: CandleTable, _ table: ConfigurationTable) throws -> CandleTable {
        let from = try time(table, "from")
        let until = try time(table, "until")
        if from == nil, until == nil { return candles }
        let first = candles.candles[0].timestamp
        let last = candles.candles[candles.candles.count - 1].timestamp
        func refused(_ key: String, _ reason: String) throws -> ConfigurationError {
            table.wrong(
                key, "\"\(try table.text(key))\"", "\(reason); the candles are from \(first) to \(last)")
        }
        if let from, from > last { throw try refused("from", "is after the last candle") }
        if let until, until <= first { throw try refused("until", "is not after the first candle") }
        if let from, let until, until <= from {
            throw try refused("until", "is not after from, \"\(try table.text("from"))\"")
        }
        let left = candles.candles.filter { candle in
            (from.map { candle.timestamp >= $0 } ?? true) && (until.map { candle.timestamp < $0 } ?? true)
        }
        guard left.count > 1 else {
            throw try refused(from != nil ? "from" : "until", "leaves fewer than two candles")
        }
        return try table.checked { try candles.restricted(from: from, until: until) }
    }

    private func time(_ table: ConfigurationTable, _ key: String) throws -> Timestamp? {
        guard let text = try table.optionalText(key) else { return nil }
        guard let time = Timestamp(text: text) ?? Timestamp(text: text + " 00:00:00") else {
            throw table.wrong(
                key, "\"\(text)\"", "expected a time like 2020-03-12 or 2020-03-12 08:00:00")
        }
        return time
    }
}
