import Checks
import Market

/// Contracts that come and go.
extension LiveRisk {
    /// Lists a contract, with its ticker's volatility. One of a slice that is there takes over the slice's price, rate and
    /// time; the first of a slice brings its own, and its first option brings the rate. Nobody holds it, and `update` computes it.
    /// - Returns: its place in `contracts`: the old one where it was there before.
    /// - Throws: `alreadyThere`; `invalidValue` for what the formulas do not accept, for another contract of the same name,
    ///   and for one that is quoted in a currency that counts for no dollar.
    @discardableResult
    public func list(_ ticker: Ticker) throws(RiskError) -> Int {
        let instrument = ticker.instrument
        let known = contractOfName[instrument.name]
        if let known {
            guard listings[known] == nil else { throw .alreadyThere(field: "contract", instrument.name) }
            guard contracts[known] == instrument else {
                throw .invalidValue(
                    of: instrument.name, field: "contract", value: .nan,
                    reason: "another contract had that name: it can come when the other has rolled off")
            }
        }
        guard instrument.countsInDollars else { throw .noDollars(instrument) }
        let chain = try ChainGreeks.accepted(ticker)
        let name = instrument.series
        let (price, rate) = (chain.options.spot[0], instrument.isOption ? ticker.interestRate : 0)
        let slice: Int
        if let place = sliceOfName[name], isListed(slice: place) {
            slice = place
            if instrument.isOption, !market.hasOptions(slots[place]) {
                try RiskError.require(Self.rateRule, rate, "rate", of: name)
                market.setRate(rate, of: slots[place])
            }
        } else {
            try RiskError.require(Self.priceRule, price, "price", of: name)
            try RiskError.require(Self.rateRule, rate, "rate", of: name)
            if let place = sliceOfName[name] {
                market.setPrice(price, of: slots[place])
                market.setRate(rate, of: slots[place])
                setTime(max(ticker.timestamp, timesOfSlices[place]), place)
                slice = place
            } else {
                let underlying =
                    underlyings.firstIndex(of: instrument.base) ?? addUnderlying(instrument.base, price)
                slice = slices.count
                addSlice(
                    Slice(underlying: underlying, instrument, name), price, rate, ticker.timestamp)
            }
        }
        if buckets.hasEdges { buckets.add(ticker) }
        let template = plan.add(
            template: LivePlan.template(instrument, plan.groupings, buckets, [:]))
        makeGroups()
        let contract: Int
        if let known {
            contract = known
            timesOfContracts[known] = ticker.timestamp
            labelsOfContracts[known] = plan.labels(ofTemplate: template)
        } else {
            contract = contracts.count
            contracts.append(instrument)
            listings.append(nil)
            timesOfContracts.append(ticker.timestamp)
            labelsOfContracts.append(plan.labels(ofTemplate: template))
            contractOfName[instrument.name] = contract
        }
        place(contract, slice, template)
        if let row = listings[contract]?.row, instrument.isOption {
            market.setVolatility(chain.options.volatility[0], at: row)
        }
        layoutVersion += 1
        return contract
    }

    /// Takes a contract that nobody holds off the list.
    /// - Throws: `notListed`, `stillHeld`; nothing has changed.
    public func delist(_ contract: Int) throws(RiskError) {
        guard let listing = listings[contract] else { throw .notListed(contracts[contract].name) }
        if let leg = plan.holder(of: listing.row) {
            throw .stillHeld(
                contracts[contract].name, book: plan.books[leg.book], quantity: leg.quantity)
        }
        _ = plan.remove([listing.row])
        remove(contract)
        layoutVersion += 1
    }

    /// A contract is settled: what books hold of it becomes cash, and it is listed no more. Until then it stands at what it
    /// is worth at the price of its slice. Exposures follow with the next `update`.
    /// - Parameter deliveryPrice: in quote currency.
    /// - Throws: `notListed`; `notExpired` where the time of its slice is before the expiry; `invalidValue` for a price that
    ///   is not a positive number. Nothing has changed.
    @discardableResult
    public func settle(_ contract: Int, at deliveryPrice: Double) throws(RiskError) -> ContractSettlement {
        guard listings[contract] != nil else { throw .notListed(contracts[contract].name) }
        return try settle([contract], at: deliveryPrice)[0]
    }

    /// All contracts of a slice are settled at one price.
    /// - Throws: as for one; `notListed` where the slice has none.
    @discardableResult
    public func settle(slice: Int, at deliveryPrice: Double) throws(RiskError) -> [ContractSettlement] {
        let settled = contracts.indices.filter { listings[$0]?.slice == slice }
        guard !settled.isEmpty else { throw .notListed(slices[slice].name) }
        return try settle(settled, at: deliveryPrice)
    }

    private func settle(
        _ settled: [Int], at deliveryPrice: Double
    ) throws(RiskError) -> [ContractSettlement] {
        guard let slice = settled.first.flatMap({ listings[$0]?.slice }) else { return [] }
        let expiring = slices[slice]
        guard let expiry = expiring.expiry, timesOfSlices[slice] >= expiry else {
            throw .notExpired(expiring.name, expiry: expiring.expiry, now: timesOfSlices[slice])
        }
        try RiskError.require(Self.priceRule, deliveryPrice, "delivery price", of: expiring.name)
        let last = price(ofSlice: slice)
        let legs = plan.remove(settled.compactMap { listings[$0]?.row })
        var legsOfContract: [Int: [LivePlan.Leg]] = [:]
        for leg in legs { legsOfContract[contractOfRow[leg.row], default: []].append(leg) }
        var settlements: [ContractSettlement] = []
        for contract in settled {
            let instrument = contracts[contract]
            let perUnit = instrument.payment(delivery: deliveryPrice, last: last)
            var held: [(book: Int, quantity: Double)] = []
            for leg in legsOfContract[contract] ?? [] {
                if let place = held.firstIndex(where: { $0.book == leg.book }) {
                    held[place].quantity += leg.quantity
                } else {
                    held.append((leg.book, leg.quantity))
                }
            }
            let payments = held.filter { $0.quantity != 0 }.map {
                ContractSettlement.Payment(
                    book: plan.books[$0.book], quantity: $0.quantity, cash: $0.quantity * perUnit)
            }
            for payment in payments {
                cash.add(payment.cash, instrument.paymentCurrency, to: payment.book)
            }
            settlements.append(
                ContractSettlement(
                    instrument: instrument, deliveryPrice: deliveryPrice, lastPrice: last,
                    cashPerUnit: perUnit, currency: instrument.paymentCurrency, payments: payments))
            remove(contract)
        }
        layoutVersion += 1
        return settlements
    }

    /// Gives back the row of a contract that has no legs. Its groups are summed anew by `update`.
    private func remove(_ contract: Int) {
        guard let listing = listings[contract] else { return }
        market.giveBack(listing.row, of: slots[listing.slice])
        contractOfRow[listing.row.index] = -1
        listings[contract] = nil
        mark(listing.slice)
        if !isListed(slice: listing.slice) {
            chooseReference(ofUnderlying: slices[listing.slice].underlying)
        }
    }

    /// Contracts that have come to their expiry and are not settled: what waits for a delivery price.
    public var expired: [Int] {
        contracts.indices.filter {
            guard let listing = listings[$0], let expiry = contracts[$0].expiry else { return false }
            return timesOfSlices[listing.slice] >= expiry
        }
    }

    /// Positions are grouped in another way from now on. Groups are numbered anew; their sums are as of the last `update`.
    /// - Parameter buckets: the edges and the market for tenor and moneyness; nil keeps those that are there.
    public func group(by groupings: [Grouping], _ buckets: ExposureBuckets? = nil) {
        let buckets = buckets ?? self.buckets
        var state = state
        state.regroup(by: groupings, buckets)
        adopt(state, buckets)
    }

    /// Forgets what is listed no more, and positions of 0. Slices, contracts and groups are numbered anew, as on a desk that
    /// is made of what is left; it takes as long as making one.
    public func rollOff() {
        var state = state
        state.rollOff()
        adopt(state, buckets)
    }
}
