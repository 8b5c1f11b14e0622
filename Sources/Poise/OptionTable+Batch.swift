extension OptionTable {
    /// The table's prices, ready to find the volatilities that they imply.
    /// - Parameter inCoin: whether the table's are in coin, price over spot.
    public func prices(inCoin: Bool = false) throws(GreeksError) -> PriceBatch {
        try PriceBatch(
            type: type, spot: spot, strike: strike, years: years,
            price: inCoin ? zip(quotes, spot).map { $0 * $1 } : quotes, rate: rate, dividend: dividend)
    }

    /// The table's options, ready for the kernel. Rows that the formulas do not accept leave the table.
    /// - Throws: `invalidValue`, unless `badRows` skips the row.
    public mutating func batch(
        model: OptionModel = .blackScholesMerton, _ badRows: inout BadRows
    ) throws(MarketError) -> OptionBatch {
        let accepted = try OptionBatch.accepted(
            type: type, spot: spot, strike: strike, years: years, volatility: quotes, rate: rate,
            dividend: dividend, model: model
        ) { row, error throws(MarketError) in
            guard case .invalidInput(_, let status, let value, let model) = error else {
                throw .unreadable(file: file, reason: "\(error)")
            }
            try badRows.note(
                .invalidValue(
                    file: file, line: lines[row], column: Self.column(of: status), value: "\(value)",
                    reason: status.reason(model)))
        }
        if let rows = accepted.rows { remove(Set(type.indices).subtracting(rows)) }
        return accepted.batch
    }

    /// The table's name of the field that is in the way.
    private static func column(of status: InputStatus) -> String {
        status == .invalidVolatility ? "vol" : status.field
    }
}
