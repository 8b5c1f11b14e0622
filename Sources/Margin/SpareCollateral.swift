import Greeks

extension MarginModel {
    /// How much of each piece of an account's collateral may leave it, all else as it is, before initial margin is no longer
    /// met: none where it is not met now. What is left is concave in what leaves, so that all less than this may leave too.
    /// - Returns: coins, in the order of the account's collateral.
    /// - Throws: what `requirement` throws.
    public func spareCollateral(
        of account: CrossMarginAccount, in market: MarginMarket, _ engine: GreeksEngine
    ) throws(MarginError) -> [Double] {
        let isMetNow = try requirement(of: account, in: market, engine).initialBalance >= 0
        var spare: [Double] = []
        for (place, piece) in account.collateral.enumerated() {
            func isMet(without coins: Double) throws(MarginError) -> Bool {
                var rest = account
                rest.collateral[place].quantity = piece.quantity - coins
                return try unchecked(rest, market, engine).initialBalance >= 0
            }
            guard isMetNow else {
                spare.append(0)
                continue
            }
            if try isMet(without: piece.quantity) {
                spare.append(piece.quantity)
                continue
            }
            var (low, high) = (0.0, piece.quantity)
            for _ in 0..<60 {
                let middle = low + (high - low) / 2
                if try isMet(without: middle) { low = middle } else { high = middle }
            }
            spare.append(low)
        }
        return spare
    }
}
