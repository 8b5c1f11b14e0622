/// A figure of one policy's account on one path.
public enum PathMetric: Int, CaseIterable, Sendable {
    /// Equity at the end; it was 0 at the start.
    case profit
    /// The largest fall of equity below its highest value so far.
    case drawdown
    /// Fills of the hedge and of options, each step's as one.
    case trades
    /// Σ|trade|·price, in quote currency.
    case turnover
    /// How often the account fell short of its margin and was liquidated.
    case liquidations
    /// Shares of the times at which the delta, at the policy's own volatilities, was beyond the desk's limit,
    /// and at which a trade was due while no venue was up, prices were too old or bands could not be met.
    case timeOutside, timeUnhedged
    /// The largest |delta|·S.
    case worstExposure
    /// Implementation shortfall by delay, Σ trade·(middle at the fill − mark at the decision): what latency cost, whole
    /// steps included.
    case shortfall

    public var name: String {
        switch self {
        case .timeOutside: "time_outside"
        case .timeUnhedged: "time_unhedged"
        case .worstExposure: "worst_exposure"
        default: "\(self)"
        }
    }
}
