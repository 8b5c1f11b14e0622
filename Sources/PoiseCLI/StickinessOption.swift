import ArgumentParser
import Checks
import Market
import Poise

/// Greeks on smiles that move along with the price, beside Black's.
struct StickinessOption: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            """
            With --surface own: also delta and gamma where smiles move along with the price, at a skew stickiness R (1: \
            volatilities stay at their strikes, and Greeks are Black's; 0: the smile moves with the price), or by tenor at those \
            that poise surface --history --format json wrote, where they left less variance out of sample.
            """, valueName: "R or file"))
    var stickiness: String?

    /// The file, where it is one.
    var file: String? { stickiness.flatMap { Double($0) == nil ? $0 : nil } }

    func validate(_ volatilities: VolatilityOption) throws {
        guard let stickiness else { return }
        guard volatilities.surface == .own else {
            throw ValidationError("--stickiness goes with --surface own")
        }
        if let ratio = Double(stickiness) { try NumberRule.within(-100...100).require("--stickiness", ratio) }
    }

    /// - Parameter fit: the surface that volatilities come from.
    func smiles(_ fit: SurfaceFit?, _ badRows: inout BadRows) throws -> MovingSmiles? {
        guard let stickiness, let fit else { return nil }
        if let ratio = Double(stickiness) { return MovingSmiles(fit, .given(ratio)) }
        let smiles = MovingSmiles(fit, .earned(try HistoricalDynamics(try Source(path: stickiness))))
        for remark in smiles.remarks { badRows.remark(remark) }
        return smiles
    }
}
