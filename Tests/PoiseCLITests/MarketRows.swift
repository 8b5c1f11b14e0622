import Foundation
import PoiseCLI
import Rebalancing
import Simulation
import Testing

/// Keys of the whole run, of `[market]` and of `[surface]`.
enum MarketRows {
    typealias Row = EverySettingTests.Row

    static func model<Model: PathModel>(_ settings: SimulationSettings, as: Model.Type) throws -> Model {
        try #require(settings.simulation.model as? Model)
    }

    /// Volatility from close to close of the moving candles, a year of 8,760 hours.
    static let closeToClose: Double = {
        let closes = EverySettingTests.closes
        let squares = zip(closes, closes.dropFirst()).map { pow(log($1 / $0), 2) }
        return (squares.reduce(0, +) / Double(squares.count) * 8760).squareRoot()
    }()

    static let rows: [Row] = run + diffusions + past + surface

    private static let run: [Row] = [
        Row("days", "days", "2", 48, default: nil) { Double($0.simulation.model.grid.steps) },
        Row("step_minutes", "minutes", "30", 30, default: 60) {
            $0.simulation.model.grid.stepYears * 525_600
        },
        Row("paths", "paths", "16", 16, default: 4096) { Double($0.paths) },
        Row("seed", "a number", "9", 9, default: 1) { Double($0.simulation.seed) },
        Row("close_at_end", "true or false", "false", 0, default: 1) {
            $0.simulation.terms.closesAtEnd ? 1 : 0
        },
    ]

    private static let heston = [
        "market.model": "\"heston\"", "market.mean_reversion_per_year": "3",
        "market.volatility_of_variance": "0.9",
    ]
    /// Two regimes, 400 moves a year from the first to the second and 100 back.
    private static let regimes = [
        "market.model": "\"regimes\"", "market.volatility": "", "market.regime.volatility": "0.3",
        "market.regime.moves_per_year": "[0, 400]", "market.regime+.volatility": "1.2",
        "market.regime+.moves_per_year": "[100, 0]", "market.start": "1",
    ]
    private static let jumps = [
        "market.jumps.per_year": "20", "market.jumps.mean": "-0.05", "market.jumps.deviation": "0.02",
    ]

    private static let diffusions: [Row] = [
        Row("market.model", "a word", "\"heston\"", 1, default: nil, heston) {
            $0.simulation.model is Heston ? 1 : 0
        },
        Row("market.spot_usd", "USD", "250", 250, default: nil) {
            $0.simulation.trace(policy: 0, path: 0)[0].spot
        },
        Row("market.volatility", "per √year", "0.8", 0.8, default: nil) {
            try model($0, as: GeometricBrownianMotion.self).volatility
        },
        Row("market.drift_per_year", "of the price's growth per year", "0.3", 0.3, default: 0) {
            try model($0, as: GeometricBrownianMotion.self).drift
        },
        Row("market.drift_per_year", "of the price's growth per year", "0.3", 0.3, default: 0, heston) {
            try model($0, as: Heston.self).drift
        },
        Row("market.volatility", "per √year at the start", "0.8", 0.64, default: nil, heston) {
            try model($0, as: Heston.self).parameters.variance
        },
        Row("market.long_run_volatility", "per √year", "0.7", 0.49, default: 0.25, heston) {
            try model($0, as: Heston.self).parameters.longRunVariance
        },
        Row("market.mean_reversion_per_year", "per year", "7", 7, default: nil, heston) {
            try model($0, as: Heston.self).parameters.meanReversion
        },
        Row("market.volatility_of_variance", "per √year", "0.4", 0.4, default: nil, heston) {
            try model($0, as: Heston.self).parameters.volatilityOfVariance
        },
        Row("market.correlation", "from −1 to 1", "-0.6", -0.6, default: 0, heston) {
            try model($0, as: Heston.self).parameters.correlation
        },
        Row("market.regime.volatility", "per √year", "0.9", 0.9, default: nil, regimes) {
            try model($0, as: RegimeSwitching.self).regimes[0].volatility
        },
        Row("market.regime.drift_per_year", "per year", "-2", -2, default: 0, regimes) {
            try model($0, as: RegimeSwitching.self).regimes[0].drift
        },
        // Of a chain with rates a and b: a/(a + b)·(1 − e^(−(a + b)t)).
        Row(
            "market.regime.moves_per_year", "moves per year to each regime", "[0, 300]",
            0.75 * (1 - exp(-400.0 / 8760)), default: nil, regimes
        ) { try model($0, as: RegimeSwitching.self).transition[0][1] },
        Row("market.start", "number of a regime, from 1", "2", 1, default: 0.8, regimes) {
            try model($0, as: RegimeSwitching.self).start[1]
        },
        Row("market.start", "number of a regime, from 1", "2", 1.2, default: 0.3, regimes) {
            // The volatility that the rest of a configuration refers to: the first regime's, also without a start.
            guard case .constant(let volatility) = $0.simulation.surface.level else { return .nan }
            return volatility
        },
        Row("market.jumps.per_year", "jumps per year", "20", 20, default: nil, jumps) {
            try model($0, as: JumpDiffusion.self).intensity
        },
        Row("market.jumps.mean", "of the logarithm", "-0.05", -0.05, default: nil, jumps) {
            try model($0, as: JumpDiffusion.self).meanJump
        },
        Row("market.jumps.deviation", "of the logarithm", "0.02", 0.02, default: nil, jumps) {
            try model($0, as: JumpDiffusion.self).jumpDeviation
        },
    ]

    private static func past(_ model: String, _ file: String) -> [String: String] {
        [
            "market.model": "\"\(model)\"", "market.files": "[\"\(file)\"]", "market.volatility": "",
            "step_minutes": "", "surface.volatility": "0.5",
        ]
    }
    private static func funded(_ keys: [String: String]) -> [String: String] {
        past("replay", "flat.csv").merging([
            "hedge.funding": "\"replay\"", "market.volatility": "0.5",
            "market.funding_file": "\"funding.csv\"",
            "market.funding_venue": "\"a\"", "market.funding_symbol": "\"x\"", "policy.hours": "1",
        ]) { $1 }.merging(keys) { $1 }
    }

    /// Funding of the first eight hours, as a share of what is held at a price of 100: one payment.
    private static func fundingRate(_ settings: SimulationSettings) throws -> Double {
        for step in settings.simulation.trace(policy: 0, path: 0).prefix(9) {
            let paid = step.parts[ProfitPart.funding.rawValue]
            if paid != 0 { return (-paid / (step.hedgeAfter * step.spot) * 1e9).rounded() / 1e9 }
        }
        return 0
    }

    private static let past: [Row] = [
        Row("market.files", "names", "[\"moving.csv\"]", 60, default: nil, past("replay", "moving.csv")) {
            Double(try model($0, as: CandleReplay.self).series.count)
        },
        Row(
            "market.stamp", "a word", "\"end\"", Double(EverySettingTests.firstCandle - 3_600_000),
            default: Double(EverySettingTests.firstCandle), past("replay", "moving.csv")
        ) { Double(try model($0, as: CandleReplay.self).series.starts[0].milliseconds) },
        Row(
            "market.stamp", "a word", "\"start\"", Double(EverySettingTests.firstCandle),
            default: Double(EverySettingTests.firstCandle), past("replay", "moving.csv")
        ) { Double(try model($0, as: CandleReplay.self).series.starts[0].milliseconds) },
        // 40 hours, a gap of one, 19 hours: a window of 24 hours.
        Row("market.gaps", "a word", "\"avoid\"", 1, default: nil, past("replay", "gap.csv")) {
            Double(try model($0, as: CandleReplay.self).starts.count)
        },
        Row("market.gaps", "a word", "\"refuse\"", 2, default: 2, past("replay", "moving.csv")) {
            Double(try model($0, as: CandleReplay.self).starts.count)
        },
        // The candles begin at 22:00 UTC on 14 November 2023.
        Row("market.from", "a time", "\"2023-11-15\"", 58, default: 60, past("replay", "moving.csv")) {
            Double(try model($0, as: CandleReplay.self).series.count)
        },
        Row(
            "market.until", "a time", "\"2023-11-16 06:00:00\"", 32, default: 60, past("replay", "moving.csv")
        ) {
            Double(try model($0, as: CandleReplay.self).series.count)
        },
        Row("market.stride_hours", "hours", "5", 5, default: 24, past("replay", "moving.csv")) {
            Double(try model($0, as: CandleReplay.self).starts[1])
        },
        Row("market.volatility", "per √year", "0.9", 0.9, default: closeToClose, past("replay", "moving.csv"))
        {
            try model($0, as: CandleReplay.self).volatility
        },
        Row(
            "market.spot_usd", "USD at the start of each window", "250", 250, default: nil,
            past("replay", "moving.csv")
        ) {
            try model($0, as: CandleReplay.self).startPrice ?? .nan
        },
        Row(
            "market.funding_file", "a name", "\"funding.csv\"", 0.001, default: nil, funded([:]), fundingRate),
        Row("market.funding_venue", "a name", "\"b\"", 0.004, default: nil, funded([:]), fundingRate),
        Row("market.funding_symbol", "a name", "\"y\"", 0.002, default: nil, funded([:]), fundingRate),
        Row("market.block_hours", "hours", "6", 6, default: 24, past("bootstrap", "moving.csv")) {
            try model($0, as: BlockBootstrap.self).meanBlockLength
        },
        Row(
            "market.volatility", "per √year", "0.9", 0.9, default: closeToClose,
            past("bootstrap", "moving.csv")
        ) {
            try model($0, as: BlockBootstrap.self).volatility
        },
        // Prices that stood still grow by the drift alone.
        Row("market.drift_per_year", "per year", "3", 3, default: 0, past("bootstrap", "flat.csv")) {
            let steps = $0.simulation.trace(policy: 0, path: 0)
            return (log(steps[20].spot / steps[0].spot) * 8760 / 20 * 1e9).rounded() / 1e9
        },
    ]

    private static let trailing = ["surface.level": "\"trailing\"", "surface.half_life_hours": "12"]
    private static let stochastic = [
        "surface.level": "\"stochastic\"", "surface.mean_reversion_per_year": "4",
        "surface.volatility_of_volatility": "0.8",
    ]

    private static let surface: [Row] = [
        Row("surface.level", "a word", "\"instantaneous\"", 1, default: 0) {
            if case .instantaneous = $0.simulation.surface.level { 1 } else { 0 }
        },
        Row("surface.level", "a word", "\"constant\"", 1, default: 1) {
            if case .constant = $0.simulation.surface.level { 1 } else { 0 }
        },
        Row("surface.volatility", "per √year", "0.7", 0.7, default: 0.5) {
            guard case .constant(let value) = $0.simulation.surface.level else { return .nan }
            return value
        },
        Row(
            "surface.premium", "times the model's volatility", "1.3", 1.3, default: 1,
            ["surface.level": "\"instantaneous\""]
        ) {
            guard case .instantaneous(let premium) = $0.simulation.surface.level else { return .nan }
            return premium
        },
        Row("surface.volatility", "per √year at the start", "0.7", 0.7, default: 0.5, trailing) {
            guard case .trailing(let initial, _, _) = $0.simulation.surface.level else { return .nan }
            return initial
        },
        Row("surface.half_life_hours", "hours", "6", 6.0 / 8760, default: nil, trailing) {
            guard case .trailing(_, let halfLife, _) = $0.simulation.surface.level else { return .nan }
            return halfLife
        },
        Row("surface.premium", "times realised volatility", "1.3", 1.3, default: 1, trailing) {
            guard case .trailing(_, _, let premium) = $0.simulation.surface.level else { return .nan }
            return premium
        },
        Row("surface.volatility", "per √year at the start", "0.7", 0.7, default: 0.5, stochastic) {
            guard case .stochastic(let initial, _, _, _, _) = $0.simulation.surface.level else { return .nan }
            return initial
        },
        Row(
            "surface.mean", "per √year", "0.6", 0.6, default: 0.7,
            stochastic.merging(["surface.volatility": "0.7"]) { $1 }
        ) {
            guard case .stochastic(_, let mean, _, _, _) = $0.simulation.surface.level else { return .nan }
            return mean
        },
        Row("surface.mean_reversion_per_year", "per year", "9", 9, default: nil, stochastic) {
            guard case .stochastic(_, _, let reversion, _, _) = $0.simulation.surface.level else {
                return .nan
            }
            return reversion
        },
        Row("surface.volatility_of_volatility", "per √year", "0.3", 0.3, default: nil, stochastic) {
            guard case .stochastic(_, _, _, let deviation, _) = $0.simulation.surface.level else {
                return .nan
            }
            return deviation
        },
        Row("surface.correlation", "from −1 to 1", "-0.4", -0.4, default: 0, stochastic) {
            guard case .stochastic(_, _, _, _, let correlation) = $0.simulation.surface.level else {
                return .nan
            }
            return correlation
        },
        Row("surface.skew", "volatility per logarithm of the strike", "-0.2", -0.2, default: 0) {
            $0.simulation.surface.skew
        },
        Row("surface.curvature", "volatility per squared logarithm", "0.4", 0.4, default: 0) {
            $0.simulation.surface.curvature
        },
        Row("surface.stickiness", "share of the move", "0.25", 0.25, default: 1) {
            $0.simulation.surface.stickiness
        },
        Row("surface.minimum", "per √year", "0.1", 0.1, default: 0.01) { $0.simulation.surface.minimum },
        Row("surface.maximum", "per √year", "3", 3, default: 10) { $0.simulation.surface.maximum },
    ]
}
