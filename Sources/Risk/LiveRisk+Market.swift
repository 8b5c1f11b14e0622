import Checks
import Greeks
import Market

/// Prices, volatilities, rates and time, one at a time. What changes marks its slice, which `update` computes.
extension LiveRisk {
    /// The underlying trades at a new price: all its slices move in proportion, keeping their basis.
    /// - Parameters:
    ///   - price: of the slice of `price(ofUnderlying:)`, which then stands at it. A move that `setPrice` or `quote` has brought
    ///     to that slice is not counted again.
    ///   - time: of the price, to which all slices of the underlying come. Nil leaves their times as they are.
    /// - Throws: `invalidValue` for a price that is not a positive number, also one to which it would bring a slice,
    ///   `timeRunsBack`; nothing has changed.
    public func tick(
        _ underlying: Int, price: Double, at time: Timestamp? = nil
    ) throws(RiskError) {
        try RiskError.require(Self.priceRule, price, "price", of: underlyings[underlying])
        let ratio = price / references[underlying]
        if let time { try requireForward(time, underlying: underlying) }
        if let (slot, moved) = market.multiplyPrices(
            ofEights: stale.eights(of: underlying), by: ratio, within: Self.priceRange)
        {
            let slice = slots.firstIndex(of: slot) ?? 0
            try RiskError.require(Self.priceRule, moved, "price", of: slices[slice].name)
        }
        references[underlying] = price
        // Not a rounding beside it, so that a desk made of the same prices goes on with the same bits.
        if let slice = referenceSlices[underlying] { market.setPrice(price, of: slots[slice]) }
        if let time { setTime(time, underlying: underlying) }
        stale.markAll(of: underlying, market)
    }

    /// A slice's own price: of its future, perpetual or coin.
    /// - Throws: `invalidValue` for a price that is not a positive number, `timeRunsBack`.
    public func setPrice(_ price: Double, ofSlice slice: Int, at time: Timestamp? = nil) throws(RiskError) {
        if !Self.priceRule.accepts(price) {
            try RiskError.require(Self.priceRule, price, "price", of: slices[slice].name)
        }
        if let time { try requireForward(time, slice) }
        market.setPrice(price, of: slots[slice])
        let underlying = slices[slice].underlying
        if referenceSlices[underlying] == slice { references[underlying] = price }
        if let time { setTime(time, slice) }
        mark(slice)
    }

    private static let priceRange = Domain.leastPrice...Domain.largestPrice
    static let priceRule = NumberRule.within(priceRange)
    static let volatilityRule = NumberRule.within(0...Domain.largestVolatility)
    static let rateRule = NumberRule.within(-1...1)

    /// An option's volatility, per √year (0.6 is 60%). Does nothing to other contracts.
    /// - Throws: `invalidValue` for one that is not a number from 0 to `Domain.largestVolatility`, `notListed`.
    public func setVolatility(_ volatility: Double, ofContract contract: Int) throws(RiskError) {
        // Names are looked up where they are wanted: this is called for thousands at a time.
        if !Self.volatilityRule.accepts(volatility) {
            try RiskError.require(
                Self.volatilityRule, volatility, "volatility", of: contracts[contract].name)
        }
        guard let listing = listings[contract] else { throw .notListed(contracts[contract].name) }
        guard listing.isOption else { return }
        market.setVolatility(volatility, at: listing.row)
        mark(listing.slice)
    }

    /// Volatilities of many contracts, which costs little more than their way through memory.
    /// - Parameter otherwise: called for rows that `setVolatility` has to look at: places and numbers that it may refuse.
    package func setVolatilities(
        _ volatilities: Span<Double>, ofContracts places: Span<Int>, _ otherwise: (Int) -> Void
    ) {
        let listings = listings
        // Contracts of a slice mostly stand side by side.
        var marked = -1
        for row in volatilities.indices {
            let (place, volatility) = (places[row], volatilities[row])
            guard listings.indices.contains(place), let listing = listings[place],
                Self.volatilityRule.accepts(volatility)
            else {
                otherwise(row)
                continue
            }
            guard listing.isOption else { continue }
            market.setVolatility(volatility, at: listing.row)
            if listing.slice != marked {
                mark(listing.slice)
                marked = listing.slice
            }
        }
    }

    /// A slice's interest rate, continuously compounded.
    /// - Throws: `invalidValue` for one that is not a number from −1 to 1.
    public func setRate(_ rate: Double, ofSlice slice: Int) throws(RiskError) {
        try RiskError.require(Self.rateRule, rate, "rate", of: slices[slice].name)
        market.setRate(rate, of: slots[slice])
        mark(slice)
    }

    /// Time passes for all slices.
    /// - Throws: `timeRunsBack` where one is further already; nothing has changed.
    public func advance(to time: Timestamp) throws(RiskError) {
        for underlying in underlyings.indices { try requireForward(time, underlying: underlying) }
        for underlying in underlyings.indices {
            setTime(time, underlying: underlying)
            stale.markAll(of: underlying, market)
        }
    }

    /// Of all slices of an underlying that have contracts.
    private func requireForward(_ time: Timestamp, underlying: Int) throws(RiskError) {
        for slice in slicesOfUnderlyings[underlying] where isListed(slice: slice) {
            try requireForward(time, slice)
        }
    }

    private func setTime(_ time: Timestamp, underlying: Int) {
        for slice in slicesOfUnderlyings[underlying] where isListed(slice: slice) {
            setTime(time, slice)
        }
    }

    /// A contract's quote of that time has been taken.
    func note(_ time: Timestamp, ofContract contract: Int) { timesOfContracts[contract] = time }

    private func requireForward(_ time: Timestamp, _ slice: Int) throws(RiskError) {
        guard time >= timesOfSlices[slice] else {
            throw .timeRunsBack(of: slices[slice].name, from: timesOfSlices[slice], to: time)
        }
    }

    func setTime(_ time: Timestamp, _ slice: Int) {
        timesOfSlices[slice] = time
        market.setTime(time, slices[slice], of: slots[slice])
    }
}
