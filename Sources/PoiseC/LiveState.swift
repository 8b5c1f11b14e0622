import CPoise
import Poise

// What stands on a live desk: slices, books, cash, what waits for a delivery price; quotes that it takes; how it is grouped.

extension poise_slice_state {
    /// - Parameter expiry: nil for none.
    init(underlying: Int, price: Double, rate: Double, time: Timestamp, expiry: Timestamp?) {
        self.init(
            size: MemoryLayout<poise_slice_state>.stride, underlying: underlying, price: price, rate: rate,
            milliseconds: time.milliseconds, expiry: expiry?.milliseconds ?? 0)
    }
}

@c @implementation
public func poise_live_slice_state(
    _ live: OpaquePointer?, _ slice: Int, _ state: UnsafeMutablePointer<poise_slice_state>?
) -> poise_status {
    change(live) { live throws(Failure) in
        try checkIndex(slice, below: live.slices.count, "slice")
        let place = try sized(state, "state")
        let risk = live.risk
        place.pointee = poise_slice_state(
            underlying: risk.slices[slice].underlying, price: risk.price(ofSlice: slice),
            rate: risk.rate(ofSlice: slice), time: risk.time(ofSlice: slice),
            expiry: risk.slices[slice].expiry)
    }
}

@c @implementation
public func poise_live_volatility(
    _ live: OpaquePointer?, _ contract: Int, _ volatility: UnsafeMutablePointer<Double>?
) -> poise_status {
    change(live) { live throws(Failure) in
        try checkIndex(contract, below: live.contracts.count, "contract")
        try required(volatility, "volatility").pointee = live.risk.volatility(ofContract: contract) ?? .nan
    }
}

@c @implementation
public func poise_live_expired(
    _ live: OpaquePointer?, _ contracts: UnsafeMutablePointer<Int>?, _ capacity: Int
) -> Int {
    guard let expired = handle(live)?.risk.expired else { return 0 }
    if let contracts, capacity > 0 {
        for (place, contract) in expired.prefix(capacity).enumerated() { contracts[place] = contract }
    }
    return expired.count
}

@c @implementation
public func poise_live_book_count(_ live: OpaquePointer?) -> Int { handle(live)?.books.count ?? 0 }

@c @implementation
public func poise_live_book(_ live: OpaquePointer?, _ book: Int) -> UnsafePointer<CChar>? {
    handle(live)?.books[book]
}

@c @implementation
public func poise_live_cash_count(_ live: OpaquePointer?) -> Int { handle(live)?.readCash() ?? 0 }

@c @implementation
public func poise_live_cash_at(
    _ live: OpaquePointer?, _ index: Int, _ book: UnsafeMutablePointer<UnsafePointer<CChar>?>?,
    _ currency: UnsafeMutablePointer<UnsafePointer<CChar>?>?, _ amount: UnsafeMutablePointer<Double>?
) -> poise_status {
    change(live) { live throws(Failure) in
        try checkIndex(index, below: live.amounts.count, "place")
        let (bookPlace, currencyPlace) = (try required(book, "book"), try required(currency, "currency"))
        try required(amount, "amount").pointee = live.amounts[index]
        bookPlace.pointee = live.cashNames[2 * index]
        currencyPlace.pointee = live.cashNames[2 * index + 1]
    }
}

@c @implementation
public func poise_live_quote(
    _ live: OpaquePointer?, _ tickers: UnsafePointer<poise_tickers>?, _ refused: UnsafeMutablePointer<Int>?
) -> poise_status {
    change(live) { live throws(Failure) in
        let given = try poise_tickers(reading: tickers)
        try checkCount(given.count)
        let target = try requiredIfGiven(refused, "refused")
        var failures = 0
        if given.count > 0 {
            let columns = try TickerColumnFields(given)
            let names = try TextColumn(given.instrument, "instrument")
            for row in 0..<given.count {
                do throws(Failure) {
                    let name = try names.text(row)
                    guard let ticker = try columns.ticker(row) else {
                        throw .value(row: row, "instrument", name, "is no kind of contract that a desk has")
                    }
                    do throws(RiskError) { try live.risk.quote(ticker) } catch {
                        var failure = Failure(error)
                        failure.place = .row(row, table: columns.file)
                        throw failure
                    }
                } catch {
                    if failures == 0 { _ = error.record() }
                    failures += 1
                }
            }
        }
        target?.pointee = failures
    }
}

@c @implementation
public func poise_live_group(
    _ live: OpaquePointer?, _ options: UnsafePointer<poise_exposure_options>?
) -> poise_status {
    change(live) { live throws(Failure) in
        let chosen = try ExposureOptions(reading: options)
        guard chosen.numeraire == live.risk.numeraire else {
            throw .argument("numeraire", "is the desk's, which does not change")
        }
        try live.group(by: chosen.groupings ?? [.book])
    }
}
