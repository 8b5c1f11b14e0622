extension OptionTable {
    /// The table's prices, ready to find the volatilities that they imply.
    /// - Parameter inCoin: whether the table's are in coin, price over spot.
    public func prices(inCoin: Bool = false) throws(GreeksError) -> PriceBatch {
        try PriceBatch(
            type: type, spot: spot, strike: strike, years: years,
            price: inCoin ? zip(quotes, spot).map { $0 * $1 } : quotes, rate: rate, dividend: dividend)
    }

    /// The table's options, ready for the kernel. Rows that the formulas do not accept leave the table.
    /// - Throws: `invalidValue`; such rows go to `badRows` first.
    public mutating func batch(
        model: OptionModel = .blackScholesMerton, _ badRows: inout BadRows
    ) throws(MarketError) -> OptionBatch {
        while true {
            do throws(GreeksError) {
                return try OptionBatch(
                    type: type, spot: spot, strike: strike, years: years, volatility: quotes, rate: rate,
                    dividend: dividend, model: model)
            } catch {
                guard case .invalidInput(let first, _, _, _) = error else {
                    throw .unreadable(file: file, reason: "\(error)")
                }
                var rejected: Set<Int> = []
                for row in first..<count {
                    guard let status = status(ofRow: row, model) else { continue }
                    try badRows.note(status)
                    rejected.insert(row)
                }
                remove(rejected)
            }
        }
    }

    private func status(ofRow row: Int, _ model: OptionModel) -> MarketError? {
        do throws(GreeksError) {
            _ = try OptionBatch(
                type: [type[row]], spot: [spot[row]], strike: [strike[row]], years: [years[row]],
                volatility: [quotes[row]], rate: [rate[row]], dividend: [dividend[row]], model: model)
            return nil
        } catch {
            guard case .invalidInput(_, let status, let value, let model) = error else { return nil }
            return .invalidValue(
                file: file, line: lines[row], column: Self.column(of: status), value: "\(value)",
                reason: status.reason(model))
        }
    }

    /// The table's name of the field that is in the way.
    private static func column(of status: InputStatus) -> String {
        status == .invalidVolatility ? "vol" : status.field
    }
}
