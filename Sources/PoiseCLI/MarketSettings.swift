import Checks
import Foundation
import Market
import Poise
import Rebalancing

/// The market that the rest of a configuration refers to.
struct MarketSetting {
    let model: any PathModel
    let spot: Double
    let volatility: Double
    let description: String
    var overlap = 0
    var replay: CandleReplay?
}

extension SimulationReader {
    private enum Model: String, CaseIterable {
        case gbm, heston, regimes, bootstrap, replay
    }

    mutating func market(_ table: Settings, days: Double, minutes: Double?) throws -> MarketSetting {
        let kind: Model = try table.word("model")
        let spot = try table.number("spot_usd")
        if kind == .bootstrap || kind == .replay {
            if minutes != nil {
                throw root.failure("step_minutes", "the step is that of the candles in [market]")
            }
            return try pastMarket(table, kind, days: days, spot: spot)
        }
        let drift = try table.number("drift_per_year", default: 0)
        let stepMinutes = minutes ?? 60
        let steps = Int((days * 1440 / stepMinutes).rounded())
        let grid = try root.checked("step_minutes") {
            try TimeGrid(steps: steps, stepYears: stepMinutes / Year.minutes)
        }
        var model: any PathModel
        var volatility: Double
        var text: String
        switch kind {
        case .gbm:
            volatility = try table.number("volatility")
            model = try table.checked {
                try GeometricBrownianMotion(grid, spot: spot, drift: drift, volatility: volatility)
            }
            text = "geometric Brownian motion, volatility \(volatility.short)"
        case .heston:
            volatility = try table.number("volatility", Heston.volatilities)
            let longRun = try table.number("long_run_volatility", Heston.volatilities, default: volatility)
            let parameters = Heston.Parameters(
                variance: volatility * volatility,
                meanReversion: try table.number("mean_reversion_per_year", .number),
                longRunVariance: longRun * longRun,
                volatilityOfVariance: try table.number("volatility_of_variance"),
                correlation: try table.number("correlation", default: 0))
            model = try table.checked { try Heston(grid, spot: spot, drift: drift, parameters) }
            text = "Heston, volatility \(volatility.short)"
        default:
            let regimes = try table.tables("regime")
            guard !regimes.isEmpty else {
                throw table.missing("regime", "is missing: expected tables [[market.regime]]")
            }
            var states: [RegimeSwitching.Regime] = []
            var rates: [[Double]] = []
            for regime in regimes {
                states.append(
                    RegimeSwitching.Regime(
                        drift: try regime.number("drift_per_year", default: 0),
                        volatility: try regime.number("volatility")))
                rates.append(try regime.oneOrMore("moves_per_year", RegimeSwitching.moveRates))
                guard rates[rates.count - 1].count == regimes.count else {
                    throw regime.failure(
                        "moves_per_year", "expected \(regimes.count) numbers, one per regime")
                }
                let state = states[states.count - 1]
                try regime.checked {
                    try grid.checkGrowth("regime", drift: state.drift, volatility: state.volatility)
                }
            }
            let start =
                table.has("start") ? try table.integer("start", 1...states.count, default: 1) - 1 : nil
            volatility = states[start ?? 0].volatility
            model = try table.checked {
                try RegimeSwitching(grid, spot: spot, states, rates: rates, start: start)
            }
            text = "\(states.count) regimes"
        }
        if let jumps = try table.table("jumps") {
            let intensity = try jumps.number("per_year")
            let mean = try jumps.number("mean")
            let deviation = try jumps.number("deviation")
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
        _ table: Settings, _ kind: Model, days: Double, spot: Double
    ) throws -> MarketSetting {
        let files = try table.texts("files")
        let stamp: StampRule = try table.word("stamp", default: .start)
        let gaps: GapRule = try table.word("gaps", default: .refuse)
        var candles: CandleTable?
        for path in files {
            var badRows = BadRows(skip: false)
            let next = try CandleTable(
                try data(path, table, "files"), leavesOutStrays: gaps == .avoid, &badRows)
            candles = try candles?.joined(with: next) ?? next
        }
        guard let candles else { throw table.missing("files", "is missing: expected at least one file") }
        let period = try restricted(candles, table)
        let series = try CandleSeries(
            period, stamp: stamp == .start ? .start : .end, gaps: gaps == .refuse ? .refused : .avoided)
        let steps = max(1, Int((days / Year.days / series.stepYears).rounded()))
        let volatility = try table.optionalNumber("volatility")
        let names = files.map { URL(fileURLWithPath: $0).lastPathComponent }.joined(separator: " and ")
        if kind == .bootstrap {
            let hours = try table.number("block_hours", default: 24)
            let drift = try table.optionalNumber("drift_per_year")
            let model = try table.checked {
                try BlockBootstrap(
                    series, steps: steps, spot: spot,
                    meanBlockLength: hours / (series.stepYears * Year.hours),
                    drift: drift, volatility: volatility)
            }
            return MarketSetting(
                model: model, spot: spot, volatility: volatility ?? series.volatility,
                description: "bootstrap of \(names)")
        }
        let strideHours = try table.optionalNumber("stride_hours", .positiveUpTo(1e6))
        let stride = strideHours.map { max(1, Int(($0 / (series.stepYears * Year.hours)).rounded())) }
        var payments: [(time: Timestamp, rate: Double)] = []
        if let path = try table.optionalText("funding_file") {
            let history = try FundingHistory(
                try data(path, table, "funding_file"), venue: try table.optionalText("funding_venue"),
                symbol: try table.optionalText("funding_symbol"))
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
    private func restricted(_ candles: CandleTable, _ table: Settings) throws -> CandleTable {
        let from = try time(table, "from")
        let until = try time(table, "until")
        if from == nil, until == nil { return candles }
        let first = candles.candles[0].timestamp
        let last = candles.candles[candles.candles.count - 1].timestamp
        func refused(_ key: String, _ reason: String) -> MarketError {
            table.failure(key, "\(reason); the candles are from \(first) to \(last)")
        }
        if let from, from > last { throw refused("from", "is after the last candle") }
        if let until, until <= first { throw refused("until", "is not after the first candle") }
        if let from, let until, until <= from {
            throw refused("until", "is not after from, \"\(try table.text("from"))\"")
        }
        let left = candles.candles.filter { candle in
            (from.map { candle.timestamp >= $0 } ?? true) && (until.map { candle.timestamp < $0 } ?? true)
        }
        guard left.count > 1 else {
            throw refused(from != nil ? "from" : "until", "leaves fewer than two candles")
        }
        return try table.checked { try candles.restricted(from: from, until: until) }
    }

    private func time(_ table: Settings, _ key: String) throws -> Timestamp? {
        guard let text = try table.optionalText(key) else { return nil }
        guard let time = Timestamp(text: text) else {
            throw table.failure(key, "must be a time like 2020-03-12 or 2020-03-12 08:00:00")
        }
        return time
    }
}
