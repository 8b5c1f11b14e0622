import GreeksKernel

extension GreekMatrix {
    /// The Greeks of coin-settled ("inverse") options: derivatives of the coin value p = V/S, in the same
    /// columns and natural units, `.price` being p itself.
    ///
    /// With Π = w K e^(−rT) N(w d2), which is rho/T, so that V = S Δ − Π:
    /// p′ = Π/S², without the cancellation of (Δ − p)/S; p″ = (Γ − 2p′)/S; p‴ = (speed − 3p″)/S; what has no
    /// derivative in S is divided by S, and the mixed ones follow as (∂Δ − ∂p)/S and (∂Γ − 2∂p′)/S.
    ///
    /// The three deltas of such an option, in coins: `delta` of this matrix's source is Black's Δ, which
    /// hedges the dollar value; the net transaction delta Δ − p = S p′ hedges the coin value; and the premium
    /// p, held in coin, is the equity delta that makes up the difference.
    /// - Parameters:
    ///   - batch: the options that the matrix was computed from.
    /// - Precondition: the matrix holds all Greeks.
    public func coinGreeks(of batch: OptionBatch) -> GreekMatrix {
        precondition(selection == .all && batch.count == count, "needs all Greeks of the batch")
        let coin = GreekMatrix(.all, count: count)
        let dollars = columns
        let coins = coin.columns
        func column(_ columns: GreekColumns, _ greek: Greek) -> UnsafeMutablePointer<Double> {
            columns[greek].unsafelyUnwrapped
        }
        for row in 0..<count {
            let spot = batch.spot[row]
            let years = batch.years[row]
            func dollar(_ greek: Greek) -> Double { column(dollars, greek)[row] }
            func put(_ greek: Greek, _ value: Double) { column(coins, greek)[row] = value }
            let strikePart = years > 0 ? dollar(.rho) / years : spot * dollar(.delta) - dollar(.price)
            let delta = strikePart / spot / spot
            let gamma = (dollar(.gamma) - 2 * delta) / spot
            let vega = dollar(.vega) / spot
            let theta = dollar(.theta) / spot
            let vanna = (dollar(.vanna) - vega) / spot
            let charm = (dollar(.charm) - theta) / spot
            put(.price, dollar(.price) / spot)
            put(.delta, delta)
            put(.gamma, gamma)
            put(.vega, vega)
            put(.theta, theta)
            put(.vanna, vanna)
            put(.charm, charm)
            for greek in [Greek.rho, .phi, .volga, .veta, .ultima] { put(greek, dollar(greek) / spot) }
            put(.speed, (dollar(.speed) - 3 * gamma) / spot)
            put(.zomma, (dollar(.zomma) - 2 * vanna) / spot)
            put(.color, (dollar(.color) - 2 * charm) / spot)
        }
        return coin
    }
}
