import TestExchange
import VenueProtocol

extension Exchange {
    /// Lets an account trade with the makers, so that it has a book to begin with: options of the first two expiries of an index,
    /// on the four strikes and kinds of each that are nearest to a price.
    /// - Parameter coins: of each option; positive buys.
    public func openBook(ofOptions coins: Double, account: Int, index: String, price: Double) {
        let units = Scales.units(coins.magnitude) ?? 0
        guard units > 0 else { return }
        let live = liveContracts.filter {
            instrument($0).kind == .option && instrument($0).priceIndex == index
        }
        let expiries = Set(live.compactMap { instrument($0).expirationTimestamp }).sorted()
        for expiry in expiries.prefix(2) {
            let near = live.filter { instrument($0).expirationTimestamp == expiry }.sorted {
                func distance(_ contract: Int) -> Double {
                    ((instrument(contract).strike ?? 0) - price).magnitude
                }
                return (distance($0), $0) < (distance($1), $1)
            }
            for contract in near.prefix(4) {
                take(contract, account: account, coins > 0 ? .buy : .sell, amount: units)
            }
        }
        _ = takeEvents()
    }
}
