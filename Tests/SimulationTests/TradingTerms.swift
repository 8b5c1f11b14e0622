import Simulation

extension TradingTerms {
    /// The same with changes.
    func with(_ change: (inout TradingTerms) throws -> Void) rethrows -> TradingTerms {
        var terms = self
        try change(&terms)
        return terms
    }
}
