import ArgumentParser
import Checks
import Foundation
import Market
import Poise

/// Reads a folder of chains, each one moment of a market, and prints how its surface moved.
struct SurfaceHistory {
    let history: SmileHistory
    let dynamics: [SmileMovement]

    /// - Throws: where the folder holds fewer than two chains, or one that cannot be read.
    init(
        _ folder: String, _ exchanges: ExchangeOption, _ rules: ChainQuoteRules, loss: SmileLoss,
        rule: ArbitrageRule, tenorDays: [Double], _ badRows: inout BadRows
    ) throws {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".") }
                .sorted()
        } catch {
            throw MarketError.unreadable(file: folder, reason: "is no folder that can be read")
        }
        guard names.count > 1 else {
            throw MarketError.empty(file: folder, reason: "holds fewer than two chains")
        }
        let engine = try GreeksEngine()
        var history = SmileHistory()
        try Progress.shown("chains fitted", count: names.count) { progress in
            for (number, name) in names.enumerated() {
                let chain = try exchanges.chain([folder + "/" + name], &badRows)
                try badRows.requireRows(chain.tickers.count, of: chain.file)
                guard let time = chain.tickers.map(\.timestamp).max() else { continue }
                let smiles = SmileQuotes.smiles(of: chain, engine, rules)
                history.add(SurfaceFit(smiles, loss: loss, rule: rule), at: time)
                progress.update(number + 1)
            }
        }
        self.history = history
        dynamics = history.dynamics(tenorDays: tenorDays)
    }

    func write(as format: Format, to output: Output) throws {
        switch format {
        case .table:
            try moves.writeTable(to: output)
            let slices = history.points.count.counted("slice")
            let lost = history.withoutCurve == 0 ? "" : ", \(history.withoutCurve) more without a curve"
            try output.write(
                "\n\(history.surfaceCount.counted("chain")), \(slices)\(lost); R is 1 where smiles stay at their strikes, 0 where "
                    + "they move along with the price\n")
        case .csv: try paths.writeCSV(to: output)
        case .json:
            try output.writeJSON { json in
                try json.object { json in
                    json.member("chains", history.surfaceCount)
                    json.member("slices_without_curve", history.withoutCurve)
                    json.line(1)
                    try json.member("dynamics") { try moves.write(moves.rows, to: &$0, output) }
                    json.line(1)
                    try json.member("paths") { try paths.write(paths.rows, to: &$0, output) }
                    json.line()
                }
            }
        }
    }

    private var paths: Report<SmileHistory.Point> {
        typealias Column = Report<SmileHistory.Point>.Column
        func figure(_ name: String, _ value: @escaping (SmileHistory.Point) -> Double) -> Column {
            Column(name, style: .significant) { .number(value($0)) }
        }
        return Report(
            columns: [
                Column("timestamp") { .text("\($0.time.milliseconds)") }, Column("slice") { .text($0.name) },
                Column("status") { .text($0.status.rawValue) }, figure("years") { $0.years },
                figure("forward") { $0.forward }, figure("atm_vol") { $0.volatility },
                figure("skew") { $0.skew },
                figure("left_wing") { $0.leftWing }, figure("right_wing") { $0.rightWing },
                figure("least_vol") { $0.leastVolatility }, figure("rms_vol_points") { $0.rootMeanSquare },
            ], rows: history.points)
    }

    private var moves: Report<SmileMovement> {
        typealias Column = Report<SmileMovement>.Column
        func figure(_ name: String, _ value: @escaping (SmileMovement) -> Double?) -> Column {
            Column(name, style: .significant) { Cell(value($0)) }
        }
        func estimate(_ name: String, _ value: @escaping (SmileMovement) -> ResampledFigure?) -> [Column] {
            [
                figure(name) { value($0)?.value }, figure(name + "_low") { value($0)?.interval?.lowerBound },
                figure(name + "_high") { value($0)?.interval?.upperBound },
            ]
        }
        return Report(
            columns: [
                Column("underlying") { .text($0.underlying) },
                figure("days_from") { $0.tenorDays.lowerBound },
                figure("days_to") { $0.tenorDays.upperBound.ifFinite }, Column("moves") { .whole($0.moves) },
                Column("days") { .whole($0.days) }, figure("mean_skew") { $0.meanSkew },
            ] + estimate("r") { $0.ratio } + [
                figure("r_online") { $0.online.ratio },
                figure("gain") { $0.online.observations > 0 ? $0.online.gain : nil },
                figure("unexplained") { $0.unexplained }, figure("unexplained_at_1") { $0.unexplainedAtOne },
            ] + estimate("beta_down") { $0.downBeta } + estimate("beta_up") { $0.upBeta }, rows: dynamics)
    }
}
