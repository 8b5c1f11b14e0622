import VenueProtocol

/// Which contracts there are at a time and price: a perpetual, dated futures and a grid of options per expiry.
public struct Listing: Sendable {
    public struct Underlying: Sendable {
        /// `BTC`, or `BTC_USDC` where contracts are linear.
        public var name: String
        public var index: String
        public var futureTick: Double
        public var contractSize: Double
        public var minimumFuture: Double
        public var optionTick: Double
        public var optionTickSteps: [Instrument.TickStep]
        public var minimumOption: Double
        /// Strikes are multiples of this part of a thousand of the price, rounded to 1, 2 or 5 times a power of ten.
        public var strikeStep = 25
        /// Strikes on each side of the money.
        public var strikesPerSide = 8

        public init(
            name: String, index: String, futureTick: Double, contractSize: Double, minimumFuture: Double,
            optionTick: Double, optionTickSteps: [Instrument.TickStep] = [], minimumOption: Double
        ) {
            self.name = name
            self.index = index
            self.futureTick = futureTick
            self.contractSize = contractSize
            self.minimumFuture = minimumFuture
            self.optionTick = optionTick
            self.optionTickSteps = optionTickSteps
            self.minimumOption = minimumOption
        }

        public static let bitcoin = Underlying(
            name: "BTC", index: "btc_usd", futureTick: 0.5, contractSize: 10, minimumFuture: 10,
            optionTick: 0.0001,
            optionTickSteps: [Instrument.TickStep(abovePrice: 0.005, tickSize: 0.0005)], minimumOption: 0.1)
        public static let ether = Underlying(
            name: "ETH", index: "eth_usd", futureTick: 0.05, contractSize: 1, minimumFuture: 1,
            optionTick: 0.0001,
            optionTickSteps: [Instrument.TickStep(abovePrice: 0.005, tickSize: 0.0005)], minimumOption: 1)
        public static let linearBitcoin = Underlying(
            name: "BTC_USDC", index: "btc_usdc", futureTick: 1, contractSize: 0.0001, minimumFuture: 0.001,
            optionTick: 5, minimumOption: 0.01)

        var isLinear: Bool { name.contains("_") }
        var base: String { String(name.prefix { $0 != "_" }) }
        var settlement: String { isLinear ? String(name.drop { $0 != "_" }.dropFirst()) : name }
    }

    public var underlyings: [Underlying]
    public var days = 3
    public var weeks = 2
    public var months = 2
    public var quarters = 2

    public init(underlyings: [Underlying]) { self.underlyings = underlyings }

    /// Expiries that are listed at a time, the nearest first: days, Fridays, last Fridays of months and of quarters.
    public func expiries(at time: Int) -> [(expiry: Int, period: SettlementPeriod, isQuarter: Bool)] {
        var result: [(expiry: Int, period: SettlementPeriod, isQuarter: Bool)] = []
        var (daysLeft, weeksLeft, monthsLeft, quartersLeft) = (days, weeks, months, quarters)
        var expiry = VenueTime.nextSettlement(after: time)
        while daysLeft + weeksLeft + monthsLeft + quartersLeft > 0, result.count < 400 {
            let isFriday = VenueTime.weekday(expiry) == 4
            let month = VenueTime.date(expiry).month
            let isMonth = isFriday && VenueTime.date(expiry + 7 * VenueTime.day).month != month
            let isQuarter = isMonth && month % 3 == 0
            if isQuarter, quartersLeft > 0 {
                quartersLeft -= 1
                result.append((expiry, .month, true))
            } else if isMonth, monthsLeft > 0 {
                monthsLeft -= 1
                result.append((expiry, .month, false))
            } else if isFriday, weeksLeft > 0 {
                weeksLeft -= 1
                result.append((expiry, .week, false))
            } else if daysLeft > 0 {
                result.append((expiry, .day, false))
            }
            daysLeft = max(0, daysLeft - 1)
            expiry += VenueTime.day
        }
        return result
    }

    /// Strikes around a price: wider apart, and further out, for later expiries.
    public func strikes(_ underlying: Underlying, price: Double, days: Double) -> [Double] {
        let factor = days < 8 ? 1.0 : days < 40 ? 2.0 : 4.0
        let step = Self.round(price * Double(underlying.strikeStep) / 1000 * factor)
        let middle = (price / step).rounded()
        return (-underlying.strikesPerSide...underlying.strikesPerSide).compactMap { place in
            let strike = (middle + Double(place)) * step
            return strike > 0 ? strike : nil
        }
    }

    /// 1, 2 or 5 times a power of ten, the nearest below.
    static func round(_ value: Double) -> Double {
        var power = 1.0
        while power * 10 <= value { power *= 10 }
        while power > value, power > 0.01 { power /= 10 }
        return value >= 5 * power ? 5 * power : value >= 2 * power ? 2 * power : power
    }

    /// Lists on an exchange what is not there yet at its time and prices.
    public func list(on exchange: Exchange) {
        let time = exchange.time
        for underlying in underlyings {
            guard let index = exchange.indices.first(where: { $0.name == underlying.index }) else { continue }
            let price = Scales.price(index.price)
            exchange.list(future(underlying, expiry: nil, period: .perpetual, time: time))
            for (expiry, period, isQuarter) in expiries(at: time) {
                if isQuarter || period != .day {
                    exchange.list(future(underlying, expiry: expiry, period: period, time: time))
                }
                let days = Double(expiry - time) / Double(VenueTime.day)
                for strike in strikes(underlying, price: price, days: days) {
                    for type in OptionType.allCases {
                        exchange.list(
                            option(
                                underlying, expiry: expiry, period: period, strike: strike, type: type,
                                time: time))
                    }
                }
            }
        }
    }

    private func common(_ underlying: Underlying, period: SettlementPeriod, time: Int) -> Instrument {
        var instrument = Instrument()
        instrument.baseCurrency = underlying.base
        instrument.settlementCurrency = underlying.settlement
        instrument.counterCurrency = underlying.isLinear ? underlying.settlement : "USD"
        instrument.type = underlying.isLinear ? .linear : .reversed
        instrument.underlyingType = "crypto"
        instrument.priceIndex = underlying.index
        instrument.settlementPeriod = period
        instrument.creationTimestamp = time
        instrument.tickSizeSteps = []
        instrument.rfq = false
        instrument.state = .open
        return instrument
    }

    public func future(_ underlying: Underlying, expiry: Int?, period: SettlementPeriod, time: Int)
        -> Instrument
    {
        var instrument = common(underlying, period: period, time: time)
        instrument.kind = .future
        instrument.futureType = instrument.type
        instrument.name = underlying.name + "-" + (expiry.map { VenueTime.code(expiry: $0) } ?? "PERPETUAL")
        instrument.quoteCurrency = underlying.isLinear ? underlying.settlement : "USD"
        instrument.expirationTimestamp = expiry ?? VenueTime.never
        instrument.tickSize = underlying.futureTick
        instrument.contractSize = underlying.contractSize
        instrument.minimumTradeAmount = MessageAmount(underlying.minimumFuture)
        instrument.maximumLeverage = 50
        instrument.makerCommission = 0
        instrument.takerCommission = 0.0005
        instrument.maximumLiquidationCommission = 0.0075
        instrument.blockTradeCommission = 0.00025
        instrument.blockTradeMinimumAmount = MessageAmount(underlying.minimumFuture * 20_000)
        instrument.blockTradeTickSize = 0.01
        return instrument
    }

    public func option(
        _ underlying: Underlying, expiry: Int, period: SettlementPeriod, strike: Double, type: OptionType,
        time: Int
    ) -> Instrument {
        var instrument = common(underlying, period: period, time: time)
        instrument.kind = .option
        instrument.name = InstrumentName.option(underlying.name, expiry: expiry, strike: strike, type: type)
        instrument.quoteCurrency = underlying.settlement
        instrument.expirationTimestamp = expiry
        instrument.strike = strike
        instrument.optionType = type
        instrument.tickSize = underlying.optionTick
        instrument.tickSizeSteps = underlying.optionTickSteps
        instrument.contractSize = 1
        instrument.minimumTradeAmount = MessageAmount(underlying.minimumOption)
        instrument.makerCommission = 0.0003
        instrument.takerCommission = 0.0003
        instrument.blockTradeCommission = 0.0003
        instrument.blockTradeMinimumAmount = MessageAmount(underlying.minimumOption * 250)
        instrument.blockTradeTickSize = underlying.optionTick
        return instrument
    }
}
