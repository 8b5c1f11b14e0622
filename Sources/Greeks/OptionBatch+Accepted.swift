extension OptionBatch {
    /// The options of columns that the formulas accept.
    /// - Parameters:
    ///   - reject: what becomes of a row, from 0, that they do not accept; called in order.
    /// - Returns: the batch, and the rows that are in it; nil for all.
    /// - Throws: what `reject` throws.
    /// - Precondition: columns of one length.
    public static func accepted<Failure: Error>(
        type: [UInt8], spot: [Double], strike: [Double], years: [Double], volatility: [Double],
        rate: [Double], dividend: [Double], model: OptionModel = .blackScholesMerton,
        reject: (Int, GreeksError) throws(Failure) -> Void
    ) throws(Failure) -> (batch: OptionBatch, rows: [Int]?) {
        let lengths = [spot, strike, years, volatility, rate, dividend].map(\.count)
        precondition(lengths.allSatisfy { $0 == type.count }, "columns of one length")
        func batch(_ rows: [Int]?) -> OptionBatch? {
            func kept<T>(_ column: [T]) -> [T] { rows.map { $0.map { column[$0] } } ?? column }
            return try? OptionBatch(
                type: kept(type), spot: kept(spot), strike: kept(strike), years: kept(years),
                volatility: kept(volatility), rate: kept(rate), dividend: kept(dividend), model: model)
        }
        if let all = batch(nil) { return (all, nil) }
        var rows: [Int] = []
        for row in type.indices {
            let option = OneOption(
                type: type[row], spot: spot[row], strike: strike[row], years: years[row],
                volatility: volatility[row], rate: rate[row], dividend: dividend[row])
            do throws(GreeksError) {
                try option.validate(row: row, model)
                rows.append(row)
            } catch {
                try reject(row, error)
            }
        }
        guard let rest = batch(rows) else { preconditionFailure("accepted one by one, refused together") }
        return (rest, rows)
    }
}
