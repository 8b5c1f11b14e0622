import Market
import Poise

/// A fitted surface in the forms in which it is printed.
struct SurfaceReport {
    let fit: SurfaceFit
    let loss: SmileLoss
    /// What the fits took, a slice.
    let microseconds: Double

    init(_ smiles: [SmileQuotes], _ loss: SmileLoss, _ rule: ArbitrageRule) {
        self.loss = loss
        let begin = ContinuousClock.now
        fit = SurfaceFit(smiles, loss: loss, rule: rule)
        microseconds = (ContinuousClock.now - begin) / .microseconds(1) / Double(max(1, smiles.count))
    }

    var report: Report<SmileFit> {
        typealias Column = Report<SmileFit>.Column
        func figure(_ name: String, _ value: @escaping (SmileFit) -> Double?) -> Column {
            Column(name, style: .significant) { Cell(value($0)) }
        }
        func text(_ name: String, _ value: @escaping (SmileFit) -> String) -> Column {
            Column(name) { .text(value($0)) }
        }
        return Report(
            columns: [
                text("slice") { $0.smile.name },
                figure("years") { $0.smile.years.ifNumber },
                figure("forward") { $0.smile.forward.ifNumber },
                text("forward_from") { $0.smile.forwardSource.name },
                text("status") { $0.status.rawValue },
                text("repair") { $0.slice == nil ? "" : $0.repair.rawValue },
                figure("atm_vol") { fit in fit.slice?.volatility(at: 0, years: fit.smile.years) },
                figure("a") { $0.slice?.a },
                figure("b") { $0.slice?.b },
                figure("rho") { $0.slice?.rho },
                figure("m") { $0.slice?.m },
                figure("sigma") { $0.slice?.sigma },
                figure("rms_vol_points") { $0.quality?.rootMeanSquare },
                figure("rms_half_spreads") { $0.quality?.rootMeanSquareInHalfSpreads },
                figure("rms_ticks") { $0.quality?.rootMeanSquareInTicks },
                figure("max_vol_points") { $0.quality?.largestError },
                figure("inside") { $0.quality?.insideShare },
                figure("butterfly_least_g") { $0.slice?.leastDurrleman.value },
                figure("left_wing") { $0.slice?.leftSlope },
                figure("right_wing") { $0.slice?.rightSlope },
                figure("age_seconds") { $0.quality?.age },
                Column("quotes") { [loss] in .whole($0.usedCount(loss)) },
                Column("dropped") { [loss] in .whole($0.smile.exclusions(loss).total) },
                text("dropped_why") { [loss] in $0.smile.exclusions(loss).text },
            ], rows: fit.slices)
    }

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.line(1)
            json.member("slices") { json in
                json.array(lines: 2) { json in
                    for slice in fit.slices { json.object { write(slice, to: &$0) } }
                }
            }
            json.line(1)
            json.member("calendar") { json in
                json.array(lines: 2) { json in
                    for gap in fit.calendar {
                        json.object { json in
                            json.member("earlier", gap.earlier)
                            json.member("later", gap.later)
                            json.member("least_gap", gap.least?.value)
                            json.member("at", gap.least?.at.ifFinite)
                        }
                    }
                }
            }
        }
    }

    private func write(_ fit: SmileFit, to json: inout JSONWriter) {
        let smile = fit.smile
        json.member("slice", smile.name)
        json.member("years", smile.years.ifNumber)
        json.member("forward", smile.forward.ifNumber)
        json.member("forward_from", smile.forwardSource.name)
        json.member("forward_reason", "\(smile.forwardSource)")
        json.member("parity_range", smile.parityRange.map { [$0.lowerBound, $0.upperBound] } ?? [])
        json.member("status", fit.status.rawValue)
        if let slice = fit.slice, let quality = fit.quality {
            let least = slice.leastDurrleman
            json.member("model", "svi")
            json.member("repair", fit.repair.rawValue)
            json.member("a", slice.a)
            json.member("b", slice.b)
            json.member("rho", slice.rho)
            json.member("m", slice.m)
            json.member("sigma", slice.sigma)
            json.member("rms_vol_points", quality.rootMeanSquare)
            json.member("rms_half_spreads", quality.rootMeanSquareInHalfSpreads)
            json.member("rms_ticks", quality.rootMeanSquareInTicks)
            json.member("max_vol_points", quality.largestError)
            json.member("max_error_strike", quality.largestErrorStrike)
            json.member("inside", quality.insideShare)
            json.member("butterfly_least_g", least.value)
            json.member("butterfly_at", least.at.ifFinite)
            json.member("wing_slopes", [slice.leftSlope, slice.rightSlope])
            json.member("age_seconds", quality.age)
        }
        let exclusions = smile.exclusions(loss)
        json.member("microseconds", microseconds)
        json.member("quotes", fit.usedCount(loss))
        json.member("dropped", exclusions.total)
        json.object("dropped_why") { json in
            for (why, count) in exclusions.sorted { json.member(why.rawValue, count) }
        }
        json.object("refused_sides") { json in
            for (why, count) in smile.refusedSides.sorted { json.member(why.rawValue, count) }
        }
    }
}

extension SmileFit {
    /// How many quotes entered the loss, or would have.
    func usedCount(_ loss: SmileLoss) -> Int {
        let kept = smile.quotes.count + smile.leftOut.total
        return kept - smile.exclusions(loss).total
    }
}

extension [QuoteExclusion: Int] {
    var total: Int { values.reduce(0, +) }
    var sorted: [(QuoteExclusion, Int)] {
        QuoteExclusion.allCases.compactMap { why in self[why].map { (why, $0) } }
    }
    /// `crossed 1; in-the-money 20`.
    var text: String { sorted.map { "\($0.rawValue) \($1)" }.joined(separator: "; ") }
}

extension Double {
    /// Nil for NaN.
    var ifNumber: Double? { isNaN ? nil : self }
}
