import CPoise
import Poise

/// Outputs of a diagnosis.
struct DiagnosisTargets {
    private let trades, violations, prices: Target?
    private let diagnosis: UnsafeMutablePointer<poise_hedge_diagnosis>

    init(
        _ trades: poise_column, _ violations: poise_column, _ prices: poise_column,
        _ diagnosis: UnsafeMutablePointer<poise_hedge_diagnosis>?
    ) throws(Failure) {
        self.trades = trades.data == nil ? nil : try Target(trades, "trades")
        self.violations = violations.data == nil ? nil : try Target(violations, "violations")
        self.prices = prices.data == nil ? nil : try Target(prices, "shadow_prices")
        self.diagnosis = try sized(diagnosis, "diagnosis")
    }

    /// Diagnoses a problem.
    func write(_ solver: HedgeSolver, _ problem: HedgeProblem) throws(Failure) {
        let found = try failing { () throws(HedgeError) in try solver.diagnose(problem) }
        // Numbers beyond all reason may leave some that are not finite.
        func finite(_ values: [Double]?, _ index: Int) -> Double {
            guard let values, values.indices.contains(index), values[index].isFinite else { return 0 }
            return values[index]
        }
        for i in problem.instruments.indices { trades?.set(i, finite(found?.trades, i)) }
        for b in problem.bands.indices {
            violations?.set(b, finite(found?.violations, b))
            prices?.set(b, finite(found?.bandPrices, b))
        }
        guard let found else {
            diagnosis.pointee = poise_hedge_diagnosis(
                size: MemoryLayout<poise_hedge_diagnosis>.stride, is_infeasible: 0, violated_count: 0,
                total_violation: 0, worst_violation: 0, first_band: -1, first_price: 0, margin_price: 0,
                cash_price: 0, least_cash: .nan, gap: 0)
            return
        }
        let first = found.firstBand
        diagnosis.pointee = poise_hedge_diagnosis(
            size: MemoryLayout<poise_hedge_diagnosis>.stride, is_infeasible: 1,
            violated_count: UInt32(clamping: found.violations.count { $0 != 0 }),
            total_violation: found.totalViolation, worst_violation: found.worstViolation,
            first_band: first.map { Int64($0) } ?? -1, first_price: first.map { found.bandPrices[$0] } ?? 0,
            margin_price: found.marginPrice, cash_price: found.cashPrice,
            least_cash: found.leastCash ?? .nan, gap: found.gap)
    }
}
