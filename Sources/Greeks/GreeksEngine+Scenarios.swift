import GreeksKernel

extension GreeksEngine {
    /// What `scenarioForm` gives of each leg in each scenario.
    public enum ScenarioResult: Sendable {
        /// V', in quote currency.
        case price
        /// V' − V, in quote currency.
        case profit
        /// V'/S' − V/S where the premium is paid in coin, (V' − V)/S' where it is paid in quote currency.
        case coinProfit
    }

    /// Full revaluation of `count` legs (a multiple of 8) in every scenario of a plan. Row i, `stride` doubles after the one
    /// before, is leg i's, a figure per scenario of the plan.
    package func scenarioForm(
        _ result: ScenarioResult, _ plan: ScenarioPlan, _ legs: ScenarioColumns, count: Int,
        into rows: UnsafeMutablePointer<Double>, stride: Int
    ) {
        switch result {
        case .price: unsafe kernel.scenarioFormPrice(plan, legs, count, rows, stride)
        case .profit: unsafe kernel.scenarioFormProfit(plan, legs, count, rows, stride)
        case .coinProfit: unsafe kernel.scenarioFormCoinProfit(plan, legs, count, rows, stride)
        }
    }
}
