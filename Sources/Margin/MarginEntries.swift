/// Which entries of an account a rule has a use for. Amounts that it has none for are refused: the requirement would be said
/// without them.
extension MarginModel {
    /// Reserves beside the positions, for open orders say.
    var countsReserves: Bool {
        switch rule {
        case .deribit, .deribitCross: true
        case .scan, .deriveStandard, .standardOption, .span, .rates: false
        }
    }

    /// Orders to buy that are not filled.
    var countsOrders: Bool { if case .standardOption = rule { true } else { false } }

    /// How sure the venue's feeds are.
    var countsConfidence: Bool {
        switch rule {
        case .scan(let rule): rule.confidenceFactor > 0 && rule.confidenceThreshold > 0
        case .deriveStandard(let rule): rule.confidenceFactor > 0 && rule.confidenceThreshold > 0
        case .deribit, .deribitCross, .standardOption, .span, .rates: false
        }
    }

    /// What a unit of the account's currency is worth in dollars.
    var countsStablePrice: Bool {
        switch rule {
        // Another price than 1 is an error of a cross margin's own.
        case .scan, .deriveStandard, .deribitCross: true
        case .deribit, .standardOption, .span, .rates: false
        }
    }

    /// - Throws: an order or a reserve that the rule has no term for.
    func refuseEntries(of account: CrossMarginAccount) throws(MarginError) {
        if !countsOrders, let order = account.orders.first {
            throw MarginError(
                .name("account"), field: "orders", value: order.quantity.shown,
                reason: "the model has no rule for orders")
        }
        if !countsReserves, let (name, amount) = account.otherInitial.first {
            throw MarginError(
                .name("account"), field: "other_initial.\(name)", value: amount.shown,
                reason: "the model has no term for reserves beside positions")
        }
    }

    /// Fields of an account's file that say something which this rule does not look at.
    /// - Parameter coins: what the account has positions in.
    func withoutEffect(_ file: MarginAccountFile, coins: [String]) -> [String] {
        var fields: [String] = []
        if file.stablePrice != 1, !countsStablePrice { fields.append("stable_price") }
        for (place, piece) in file.collateral.enumerated() where piece.confidence < 1 {
            guard case .scan = rule, countsConfidence else {
                fields.append("collateral[\(place)].confidence")
                continue
            }
        }
        for coin in file.confidence.keys.sorted() where !countsConfidence || !coins.contains(coin) {
            fields.append("confidence.\(coin)")
        }
        return fields
    }
}
