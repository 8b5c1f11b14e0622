import ArgumentParser
import Market
import Poise

/// Whose volatilities options are valued with.
enum VolatilitySource: String, ExpressibleByArgument, CaseIterable {
    case exchange, own
}

/// The volatilities of a chain's options: where a chain becomes a valuation.
struct VolatilityOption: ParsableArguments {
    @Option(
        help: """
            Volatilities of the chain's options: the exchange's, or those of the desk's own surface, fitted to the \
            chain's quotes as poise surface does.
            """)
    var surface = VolatilitySource.exchange

    /// The chain with the volatilities asked for. What has none of its own is a remark.
    func chain(_ chain: Chain, _ badRows: inout BadRows) throws -> Chain {
        try own(chain, &badRows)?.chain ?? chain
    }

    /// The chain and the surface that its volatilities come from; nil where those are the exchange's.
    func own(_ chain: Chain, _ badRows: inout BadRows) throws -> OwnVolatilities? {
        guard surface == .own else { return nil }
        let own = OwnVolatilities(chain, try GreeksEngine())
        for remark in own.remarks { badRows.remark(remark) }
        return own
    }
}
