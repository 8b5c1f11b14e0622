/// A quantity of either sign, of a column alone or with one that says bought or sold.
struct SignedQuantity {
    private let quantity: Int
    private let direction: Int?

    init(_ table: TextTable) throws(MarketError) {
        quantity = try table.required(ColumnNames.quantity)
        direction = try table.optional(ColumnNames.direction, besides: ColumnNames.quantity)
    }

    func read(_ row: TextRow) throws(MarketError) -> Double {
        let value = try row.number(quantity, "quantity", .finite)
        guard let direction, !row.isMissing(direction) else { return value }
        switch row.text(direction).lowercased() {
        case "buy", "long", "bid":
            guard value >= 0 else {
                throw row.invalid(
                    quantity, "quantity", "is below 0, but the direction is \(row.text(direction))")
            }
            return value
        case "sell", "short", "ask": return -abs(value)
        case "zero":
            guard value == 0 else {
                throw row.invalid(quantity, "quantity", "is not 0, but the direction is zero")
            }
            return value
        default: throw row.invalid(direction, "direction", "expected buy or sell")
        }
    }
}
