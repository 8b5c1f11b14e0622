import Risk
import Surface

extension SmileMoves {
    /// How `ProfitExplanation` splits vega by these moves.
    public var split: VolatilitySplit {
        { instrument, start, end in
            move(of: instrument, from: start, to: end).map { ($0.level, $0.skew, $0.wings) }
        }
    }
}
