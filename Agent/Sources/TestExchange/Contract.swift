import VenueProtocol

/// Option figures that the market gives with a mark.
public struct OptionMark: Sendable, Equatable {
    /// A fraction: 0.6 is 60%.
    public var volatility = 0.0
    /// The future that the option is valued on, in dollars, and its name.
    public var underlyingPrice = 0.0
    public var underlyingName = "index_price"
    /// In the units of tickers.
    public var greeks = MessageGreeks()

    public init() {}
}

/// A contract, its book and what is known of its market.
final class Contract {
    let index: Int
    let instrument: Instrument
    /// Of `Exchange.currencies`: the one that profit and fees are paid in.
    let currency: Int
    /// Of `Exchange.indices`.
    let priceIndex: Int
    let strike: Int
    /// Milliseconds; `VenueTime.never` for a perpetual.
    let expiry: Int
    let minimumAmount: Int
    let amountStep: Int
    let contractSize: Int
    let makerCommission: Int
    let takerCommission: Int

    var state = BookState.open
    var book = MatchingBook()
    /// In hundred-millionths; 0 until the market gave one.
    var mark = 0
    var optionMark = OptionMark()
    var lastPrice: Int?
    var lastTickDirection = 0
    var tradeSequence = 0
    var openInterest = 0
    var settlementPrice: Int?
    var deliveryPrice: Int?
    // Since the last settlement.
    var volume = 0
    var turnover = 0
    var high: Int?
    var low: Int?
    var firstPrice: Int?
    /// The rate of eight hours at which longs pay shorts; perpetuals.
    var fundingRate = 0.0
    /// Orders that wait for a trigger.
    var untriggered: [Int] = []
    /// Sides that the market's own participants stay away from.
    var abandoned: Set<Direction> = []

    init(index: Int, instrument: Instrument, currency: Int, priceIndex: Int) {
        self.index = index
        self.instrument = instrument
        self.currency = currency
        self.priceIndex = priceIndex
        strike = instrument.strike.flatMap { Scales.units($0) } ?? 0
        expiry = instrument.expirationTimestamp ?? VenueTime.never
        minimumAmount = Scales.units(instrument.minimumTradeAmount.value) ?? 1
        contractSize = Scales.units(instrument.contractSize) ?? Scales.units
        amountStep = instrument.kind == .option ? minimumAmount : min(contractSize, minimumAmount)
        makerCommission = Int((instrument.makerCommission * Double(Scales.commission)).rounded())
        takerCommission = Int((instrument.takerCommission * Double(Scales.commission)).rounded())
    }

    var isOption: Bool { instrument.kind == .option }
    var isPerpetual: Bool { instrument.settlementPeriod == .perpetual }
    var isInverse: Bool { instrument.isInverse }
    var isAlive: Bool { state == .open || state == .locked || state == .halted || state == .settlement }

    /// The step of prices at a price.
    func tick(at price: Int) -> Int {
        Scales.units(instrument.tickSize(at: Scales.price(price))) ?? 1
    }

    /// What an amount is worth at a price, in money: coins of an inverse future, the premium of an option.
    func value(amount: Int, price: Int) -> Int {
        if isInverse, !isOption { return scaled(amount, by: Scales.money, over: price) }
        return scaled(amount, by: price, over: 1)
    }

    /// The same at a mark.
    func value(amount: Int, mark: Int) -> Int {
        guard mark > 0 else { return 0 }
        if isInverse, !isOption { return scaled(amount, by: Scales.money * Scales.units, over: mark) }
        return scaled(amount, by: mark, over: Scales.units)
    }

    /// The profit of a futures position: what it cost against what it is worth, in the currency of settlement.
    func profit(size: Int, cost: Int, mark: Int) -> Int {
        let worth = value(amount: size, mark: mark)
        return isInverse ? cost - worth : worth - cost
    }

    /// What a side pays for a trade; negative is a rebate.
    func fee(amount: Int, price: Int, index: Int, isMaker: Bool) -> Int {
        let rate = isMaker ? makerCommission : takerCommission
        guard isOption else {
            return scaled(value(amount: amount, price: price), by: rate, over: Scales.commission)
        }
        // Of the underlying, and not above an eighth of the premium.
        let coins = scaled(amount, by: Scales.units, over: 1)
        let underlying = isInverse ? coins : scaled(amount, by: index, over: Scales.units)
        return min(
            scaled(underlying, by: rate, over: Scales.commission), value(amount: amount, price: price) / 8)
    }

    /// The prices between which orders are taken.
    var priceBand: ClosedRange<Int> {
        let middle = mark / (Scales.money / Scales.units)
        guard isOption else {
            let width = max(middle * 3 / 100, tick(at: middle))
            return onTick(middle - width, down: false)...onTick(middle + width, down: true)
        }
        let coin =
            isInverse ? Scales.units : scaled(Scales.units, by: Int(optionMark.underlyingPrice), over: 1)
        let width = max(middle / 2, coin / 25)
        let least = tick(at: 1)
        return max(
            least, onTick(middle - width, down: false))...max(least, onTick(middle + width, down: true))
    }

    func onTick(_ price: Int, down: Bool) -> Int {
        let tick = tick(at: price)
        let quotient = price >= 0 ? price / tick : -((-price + tick - 1) / tick)
        let floor = quotient * tick
        return down || floor == price ? floor : floor + tick
    }
}
