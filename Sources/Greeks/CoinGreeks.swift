import GreeksKernel

extension GreekMatrix {
    /// The Greeks of coin-settled ("inverse") options: derivatives of the coin value p = V/S, in the same
    /// columns and natural units, `.price` being p itself.
    ///
    /// Whatever else V is differentiated by, S p = V gives n ∂ⁿ⁻¹p + S ∂ⁿp = ∂ⁿV for n derivatives in S. For n = 1
    /// alone that would cancel, (Δ − p)/S: with Π = w K e^(−rT) N(w d2), which is rho/T, so that V = S Δ − Π, it is
    /// p′ = Π/S². At T = 0, where rho/T is not there, Π is S Δ − V.
    ///
    /// The three deltas of such an option, in coins: `delta` of this matrix's source is Black's Δ, which
    /// hedges the dollar value; the net transaction delta Δ − p = S p′ hedges the coin value; and the premium
    /// p, held in coin, is the equity delta that makes up the difference.
    /// - Parameters:
    ///   - batch: the options that the matrix was computed from.
    /// - Precondition: the matrix holds all Greeks, of this batch, and every spot is above 0 (else infinity or NaN).
    public func coinGreeks(of batch: OptionBatch) -> GreekMatrix {
        precondition(selection == .all && batch.count == count, "needs all Greeks of the batch")
        let coin = GreekMatrix(.all, count: count)
        for greek in Greek.allCases.sorted(by: { $0.orders.spot < $1.orders.spot }) {
            guard let target = coin[greek], let own = self[greek] else { continue }
            let derivatives = Double(greek.orders.spot)
            if greek == .delta, let rho = self[.rho], let price = self[.price] {
                for row in 0..<count {
                    let (spot, years) = (batch.spot[row], batch.years[row])
                    let strikePart = years > 0 ? rho[row] / years : spot * own[row] - price[row]
                    target[row] = strikePart / spot / spot
                }
            } else if let lower = greek.spotAntiderivative, let below = coin[lower] {
                for row in 0..<count { target[row] = (own[row] - derivatives * below[row]) / batch.spot[row] }
            } else {
                for row in 0..<count { target[row] = own[row] / batch.spot[row] }
            }
        }
        return coin
    }
}
