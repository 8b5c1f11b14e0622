extension OptionBatch {
    /// The options of columns that the formulas accept, found in one pass over them.
    /// - Parameters:
    ///   - columns: of equal length.
    ///   - reject: what becomes of a row, from 0, that they do not accept; called in order.
    /// - Returns: the batch, and the rows that are in it; nil for all.
    /// - Throws: what `reject` throws.
    public static func accepted<Failure: Error>(
        type: [UInt8], spot: [Double], strike: [Double], years: [Double], volatility: [Double],
        rate: [Double], dividend: [Double], model: OptionModel = .blackScholesMerton,
        reject: (Int, GreeksError) throws(Failure) -> Void
    ) throws(Failure) -> (batch: OptionBatch, rows: [Int]?) {
        func batch(_ rows: [Int]?) throws(GreeksError) -> OptionBatch {
            func kept<T>(_ column: [T]) -> [T] { rows.map { $0.map { column[$0] } } ?? column }
            return try OptionBatch(
                type: kept(type), spot: kept(spot), strike: kept(strike), years: kept(years),
                volatility: kept(volatility), rate: kept(rate), dividend: kept(dividend), model: model)
        }
        var rows: [Int]?
        while true {
            do throws(GreeksError) {
                return (try batch(rows), rows)
            } catch .invalidInput(let first, _, _, _) {
                // Once: whoever is left after this is accepted.
                let current = rows ?? Array(type.indices)
                var accepted = Array(current[..<first])
                for row in current[first...] {
                    do throws(GreeksError) {
                        _ = try batch([row])
                        accepted.append(row)
                    } catch {
                        try reject(row, error)
                    }
                }
                rows = accepted
            } catch {
                try reject(0, error)
                rows = []
            }
        }
    }
}
