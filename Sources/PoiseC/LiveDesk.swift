import CPoise
import Poise

// Live desks that go on: contracts, books, order books and limits that come and go, saving and restoring.

@c @implementation
public func poise_live_layout_version(_ live: OpaquePointer?) -> UInt64 {
    UInt64(handle(live)?.risk.layoutVersion ?? 0)
}

@c @implementation
public func poise_live_hedge_version(_ live: OpaquePointer?, _ index: Int) -> UInt64 {
    UInt64(hedge(live, index)?.hedge.layoutVersion ?? 0)
}

@c @implementation
public func poise_live_is_listed(_ live: OpaquePointer?, _ contract: Int) -> Int64 {
    guard let risk = handle(live)?.risk, risk.contracts.indices.contains(contract) else { return -1 }
    return risk.isListed(contract) ? 1 : 0
}

// MARK: Contracts

@c @implementation
public func poise_live_list(
    _ live: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ listing: UnsafePointer<poise_listing>?,
    _ contract: UnsafeMutablePointer<Int>?
) -> poise_status {
    change(live) { live throws(Failure) in
        let target = try requiredIfGiven(contract, "contract")
        let name = try text(name, "name")
        let given = try taken(listing, "listing", poise_listing())
        guard let time = try timestamp(given.milliseconds) else {
            throw .value("milliseconds", given.milliseconds, "must be the time of the listing")
        }
        try checkPrice(given.price)
        let instrument = try failing { () throws(InstrumentNameError) in try Instrument(name: name) }
        let ticker = Ticker(
            instrument: instrument, timestamp: time, underlyingPrice: instrument.isOption ? given.price : nil,
            underlyingIndex: nil, indexPrice: nil, markPrice: instrument.isOption ? nil : given.price,
            markVolatility: instrument.isOption ? given.volatility : nil,
            interestRate: instrument.isOption ? given.rate : 0, openInterest: nil, bids: [], asks: [],
            published: nil)
        let place = try failing { () throws(RiskError) in try live.risk.list(ticker) }
        live.readNames()
        target?.pointee = place
    }
}

@c @implementation
public func poise_live_delist(_ live: OpaquePointer?, _ contract: Int) -> poise_status {
    change(live) { live throws(Failure) in
        try checkIndex(contract, below: live.contracts.count, "contract")
        try failing { () throws(RiskError) in try live.risk.delist(contract) }
        live.readNames()
    }
}

@c @implementation
public func poise_live_settle(
    _ live: OpaquePointer?, _ contract: Int, _ deliveryPrice: Double,
    _ settlement: UnsafeMutablePointer<poise_settlement>?
) -> poise_status {
    change(live) { live throws(Failure) in
        try checkIndex(contract, below: live.contracts.count, "contract")
        let settlement = try sizedIfGiven(settlement, "settlement")
        let settled = try failing { () throws(RiskError) in
            try live.risk.settle(contract, at: deliveryPrice)
        }
        live.keep(settled)
        live.readNames()
        settlement?.pointee = poise_settlement(
            size: MemoryLayout<poise_settlement>.stride, last_price: settled.lastPrice,
            cash_per_unit: settled.cashPerUnit, currency: live.paid[0],
            payment_count: settled.payments.count)
    }
}

@c @implementation
public func poise_live_payment_book(_ live: OpaquePointer?, _ payment: Int) -> UnsafePointer<CChar>? {
    guard payment >= 0, let live = handle(live), payment < live.settlement?.payments.count ?? 0 else {
        return nil
    }
    return live.paid[payment + 1]
}

@c @implementation
public func poise_live_payments(
    _ live: OpaquePointer?, _ quantities: poise_column, _ cash: poise_column
) -> poise_status {
    change(live) { live throws(Failure) in
        let payments = live.settlement?.payments ?? []
        if quantities.data != nil {
            let target = try Target(quantities, "quantities")
            for (place, payment) in payments.enumerated() { target.set(place, payment.quantity) }
        }
        if cash.data != nil {
            let target = try Target(cash, "cash")
            for (place, payment) in payments.enumerated() { target.set(place, payment.cash) }
        }
    }
}

@c @implementation
public func poise_live_roll_off(_ live: OpaquePointer?) -> poise_status {
    change(live) { live throws(Failure) in live.rollOff() }
}

// MARK: Books

@c @implementation
public func poise_live_add_book(
    _ live: OpaquePointer?, _ book: UnsafePointer<CChar>?, _ desk: UnsafePointer<CChar>?
) -> poise_status {
    change(live) { live throws(Failure) in
        let book = try text(book, "book")
        let desk = desk == nil ? nil : try text(desk, "desk")
        try failing { () throws(RiskError) in try live.risk.addBook(book, desk: desk) }
        live.readNames()
    }
}

@c @implementation
public func poise_live_set_position(
    _ live: OpaquePointer?, _ book: UnsafePointer<CChar>?, _ contract: Int, _ quantity: Double
) -> poise_status {
    change(live) { live throws(Failure) in
        try checkIndex(contract, below: live.contracts.count, "contract")
        let book = try text(book, "book")
        try failing { () throws(RiskError) in
            try live.risk.setPosition(book: book, contract: contract, quantity: quantity)
        }
    }
}

@c @implementation
public func poise_live_position(
    _ live: OpaquePointer?, _ book: UnsafePointer<CChar>?, _ contract: Int,
    _ quantity: UnsafeMutablePointer<Double>?
) -> poise_status {
    change(live) { live throws(Failure) in
        try checkIndex(contract, below: live.contracts.count, "contract")
        let book = try text(book, "book")
        try required(quantity, "quantity").pointee = live.risk.quantity(book: book, contract: contract)
    }
}

@c @implementation
public func poise_live_cash(
    _ live: OpaquePointer?, _ book: UnsafePointer<CChar>?, _ currency: UnsafePointer<CChar>?,
    _ amount: UnsafeMutablePointer<Double>?
) -> poise_status {
    change(live) { live throws(Failure) in
        let (book, currency) = (try text(book, "book"), try text(currency, "currency"))
        try required(amount, "amount").pointee = live.risk.cash[book, currency]
    }
}

@c @implementation
public func poise_live_add_cash(
    _ live: OpaquePointer?, _ book: UnsafePointer<CChar>?, _ currency: UnsafePointer<CChar>?, _ amount: Double
) -> poise_status {
    change(live) { live throws(Failure) in
        let (book, currency) = (try text(book, "book"), try text(currency, "currency"))
        try failing { () throws(RiskError) in try live.risk.addCash(amount, currency, book: book) }
    }
}

// MARK: Many quotes at once

@c @implementation
public func poise_live_set_volatilities(
    _ live: OpaquePointer?, _ count: Int, _ contracts: UnsafePointer<Int>?, _ volatilities: poise_values,
    _ refused: UnsafeMutablePointer<Int>?
) -> poise_status {
    change(live) { live throws(Failure) in
        try checkCount(count)
        let target = try requiredIfGiven(refused, "refused")
        var failures = 0
        func set(_ contract: Int, _ volatility: Double) {
            do throws(Failure) {
                try checkIndex(contract, below: live.contracts.count, "contract")
                try failing { () throws(RiskError) in
                    try live.risk.setVolatility(volatility, ofContract: contract)
                }
            } catch {
                if failures == 0 { _ = error.record() }
                failures += 1
            }
        }
        if count > 0 {
            let places = try required(contracts, "contracts")
            let values = try Strided(volatilities, "volatilities")
            if values.isContiguous {
                live.risk.setVolatilities(
                    Span(_unsafeStart: values.base, count: count),
                    ofContracts: Span(_unsafeStart: places, count: count)
                ) { row in set(places[row], values[row]) }
            } else {
                for row in 0..<count { set(places[row], values[row]) }
            }
        }
        target?.pointee = failures
    }
}

@c @implementation
public func poise_live_set_prices(
    _ live: OpaquePointer?, _ count: Int, _ slices: UnsafePointer<Int>?, _ prices: poise_values,
    _ milliseconds: Int64, _ refused: UnsafeMutablePointer<Int>?
) -> poise_status {
    setMany(live, count, slices, "slices", prices, "prices", refused) {
        live, slice, price throws(Failure) in
        try checkIndex(slice, below: live.slices.count, "slice")
        try checkPrice(price)
        let time = try timestamp(milliseconds)
        try failing { () throws(RiskError) in try live.risk.setPrice(price, ofSlice: slice, at: time) }
    }
}

/// Sets one value for each place; what is refused does not keep the rest from being set.
private func setMany(
    _ live: OpaquePointer?, _ count: Int, _ places: UnsafePointer<Int>?, _ placesName: StaticString,
    _ values: poise_values, _ valuesName: StaticString, _ refused: UnsafeMutablePointer<Int>?,
    _ set: (LiveHandle, Int, Double) throws(Failure) -> Void
) -> poise_status {
    change(live) { live throws(Failure) in
        try checkCount(count)
        let target = try requiredIfGiven(refused, "refused")
        var failures = 0
        if count > 0 {
            let places = try required(places, placesName)
            let values = try Strided(values, valuesName)
            for row in 0..<count {
                do throws(Failure) { try set(live, places[row], values[row]) } catch {
                    if failures == 0 { _ = error.record() }
                    failures += 1
                }
            }
        }
        target?.pointee = failures
    }
}

// MARK: Hedges

@c @implementation
public func poise_live_set_book(
    _ live: OpaquePointer?, _ index: Int, _ candidate: Int, _ bidCount: Int, _ bidPrices: poise_values,
    _ bidAmounts: poise_values, _ askCount: Int, _ askPrices: poise_values, _ askAmounts: poise_values
) -> poise_status {
    attempt { () throws(Failure) in
        let hedge = try object(live, as: LiveHandle.self, "live").hedge(index).hedge
        try checkIndex(candidate, below: hedge.candidates.count, "candidate")
        func levels(
            _ count: Int, _ prices: poise_values, _ amounts: poise_values, _ name: StaticString
        ) throws(Failure) -> [OrderLevel] {
            try checkCount(count, name)
            guard count > 0 else { return [] }
            let (prices, amounts) = (try Strided(prices, name), try Strided(amounts, name))
            return (0..<count).map { OrderLevel(price: prices[$0], amount: amounts[$0]) }
        }
        let bids = try levels(bidCount, bidPrices, bidAmounts, "bids")
        let asks = try levels(askCount, askPrices, askAmounts, "asks")
        try failing { () throws(RiskError) in
            try hedge.setBook(bids: bids, asks: asks, ofCandidate: candidate)
        }
    }
}

@c @implementation
public func poise_live_candidate_costs(
    _ live: OpaquePointer?, _ index: Int, _ candidate: Int,
    _ instrument: UnsafeMutablePointer<poise_hedge_instrument>?
) -> poise_status {
    attempt { () throws(Failure) in
        let hedge = try object(live, as: LiveHandle.self, "live").hedge(index).hedge
        try checkIndex(candidate, below: hedge.candidates.count, "candidate")
        let made = hedge.problem.instruments[candidate]
        try required(instrument, "instrument").pointee = poise_hedge_instrument(
            underlying: UInt64(made.underlying), cost_buy: made.costBuy, cost_sell: made.costSell,
            impact: made.impact, fixed_cost: made.fixedCost, lot: made.lot, maximum_buy: made.maximumBuy,
            maximum_sell: made.maximumSell, margin: made.margin, cash: made.cash)
    }
}

@c @implementation
public func poise_live_set_limit(
    _ live: OpaquePointer?, _ index: Int, _ band: UnsafePointer<CChar>?, _ low: Double, _ high: Double
) -> poise_status {
    attempt { () throws(Failure) in
        let hedge = try object(live, as: LiveHandle.self, "live").hedge(index).hedge
        let name = try text(band, "band")
        guard let place = hedge.index(ofLimit: name) else {
            throw Failure(
                status: POISE_ERROR_UNKNOWN_NAME, field: "band", value: name,
                reason: "the hedge has no such band")
        }
        let limit = hedge.limits[place].with(low: low, high: high)
        try failing { () throws(RiskError) in try hedge.setLimit(limit) }
    }
}

// MARK: Saving and restoring

@c @implementation
public func poise_live_save(
    _ live: OpaquePointer?, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: Int,
    _ length: UnsafeMutablePointer<Int>?
) -> poise_status {
    change(live) { live throws(Failure) in
        let place = try required(length, "length")
        let bytes = live.risk.save().bytes
        place.pointee = bytes.count
        guard capacity != 0 else { return }
        guard capacity >= bytes.count else {
            throw .count("capacity", "\(UInt(bitPattern: capacity)) bytes where \(bytes.count) are needed")
        }
        let target = try required(buffer, "buffer")
        UnsafeMutableRawPointer(target).copyMemory(from: bytes, byteCount: bytes.count)
    }
}

@c @implementation
public func poise_live_restore(
    _ engine: OpaquePointer?, _ start: UnsafePointer<CChar>?, _ length: Int,
    _ live: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(live, "live") { () throws(Failure) in
        let engine = try object(engine, as: EngineHandle.self, "engine")
        let source = try Source(start, length, nil, default: "desk")
        let risk = try failing { () throws(RiskError) in
            try LiveRisk(restoring: source, engine: engine.engine)
        }
        return LiveHandle(risk)
    }
}
