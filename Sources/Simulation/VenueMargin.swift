import Checks
import Greeks
import Margin
import Market
import VectorMath

/// A venue's own margin rule along the eight paths of a block: the book, the options that hedge it and the hedge are one account,
/// in a market of the rule's kind whose numbers are set anew at each time.
///
/// Forwards are those of the book's rates, volatilities those that options are valued at. An account in dollars has the collateral
/// and the cash; one in coin has the collateral's coins at the first price, the coins, and the cash at the price of the moment.
final class VenueMargin {
    /// An option's contract, and where its numbers are.
    private struct Leg {
        let contract: Int
        let option: PathOption
        /// Of its schedule.
        let expiry: Int
    }

    private let model: MarginModel
    private let engine: GreeksEngine
    private var market = MarginMarket()
    private var account: CrossMarginAccount
    private var quantities: [Double]
    private let legs: [Leg]
    /// One contract each.
    private let optionLegs: [Leg]
    /// Years to expiry at the start, of each of the market's expiries.
    private let years: [Double]
    private let hedge: Int
    private let isPerpetual: Bool
    private let rate, carry: Double

    /// - Throws: a rule that has no place for the book or for the hedge.
    init(
        _ model: MarginModel, _ terms: TradingTerms, _ schedule: BookSchedule, _ options: [BookSchedule],
        _ engine: GreeksEngine
    ) throws(SimulationError) {
        (self.model, self.engine) = (model, engine)
        let instrument = terms.instrument
        let isCoin = schedule.book.settlement == .coin
        func refuse(_ reason: String) -> SimulationError {
            .invalidParameter(model: "margin", name: "model", value: 0, reason: reason)
        }
        guard model.isInCoin == isCoin, model.isInCoin == instrument.kind.isInverse else {
            throw refuse(
                model.isInCoin
                    ? "counts in coin: the book must be settled in coin and the hedge inverse"
                    : "counts in dollars: the book and the hedge must be settled in quote currency")
        }
        var market = MarginMarket()
        market.underlyings = [MarginMarket.Underlying("underlying", spot: 1)]
        var years: [Double] = []
        func expiry(_ own: Double) -> Int {
            if let known = years.firstIndex(of: own) { return known }
            years.append(own)
            return years.count - 1
        }
        func legs(_ schedule: BookSchedule, _ name: String) -> [Leg] {
            var legs: [Leg] = []
            for number in 0..<schedule.expiryCount {
                for place in schedule.offsets[number]..<schedule.offsets[number + 1] {
                    let option = schedule.options[place]
                    var contract = MarginMarket.Contract(
                        "\(name) \(place + 1)", .option, underlying: 0,
                        expiry: expiry(schedule.expiries[number].years))
                    contract.type = option.putSign == 0 ? .call : .put
                    contract.strike = option.strike
                    contract.volatility = option.volatility
                    legs.append(Leg(contract: market.contracts.count, option: option, expiry: number))
                    market.contracts.append(contract)
                }
            }
            return legs
        }
        self.legs = legs(schedule, "option")
        optionLegs = options.enumerated().flatMap { legs($1, "hedge option \($0 + 1)") }
        hedge = market.contracts.count
        isPerpetual = instrument.kind.isPerpetual
        let kind: MarginMarket.Kind =
            switch instrument.kind {
            case .spot: .spot
            case .linearPerpetual: .perpetual
            case .inversePerpetual: .inversePerpetual
            case .linearFuture: .future
            case .inverseFuture: .inverseFuture
            }
        var contract = MarginMarket.Contract(instrument.kind.rawValue, kind, underlying: 0)
        if !isPerpetual, instrument.kind != .spot { contract.expiry = expiry(instrument.years) }
        market.contracts.append(contract)
        (rate, carry) = (schedule.book.rate, schedule.book.rate - schedule.book.dividend)
        market.underlyings[0].expiries = years.map { MarginMarket.Expiry("\($0)", seconds: 0, forward: 1) }
        self.years = years
        quantities = market.contracts.map { _ in 0 }
        do throws(MarginError) {
            account = try CrossMarginAccount(
                currency: model.isInCoin ? "underlying" : "USD", cash: 0, [], in: market)
            self.market = market
            setTime(0)
            setPrice(schedule.options[0].strike, mark: schedule.options[0].strike)
            _ = try model.requirement(
                of: account.holding(market.contracts.map { _ in 1 }), in: self.market, engine)
        } catch {
            throw refuse(error.errorText)
        }
    }

    private func setTime(_ elapsed: Double) {
        for place in years.indices {
            market.underlyings[0].expiries[place].seconds = max(0, years[place] - elapsed) * Year.days * 86400
            market.underlyings[0].expiries[place].rate = rate
        }
    }

    private func setPrice(_ spot: Double, mark: Double) {
        market.underlyings[0].spot = spot
        for place in years.indices {
            let expiry = market.underlyings[0].expiries[place]
            market.underlyings[0].expiries[place].forward =
                carry == 0 ? spot : spot * scalarExponential(carry * expiry.years)
        }
        market.contracts[hedge].price = mark
        if isPerpetual { market.underlyings[0].perpetual = MarginMarket.Perpetual(price: mark) }
    }

    /// What is left over the rule's maintenance margin in each lane, in the rule's currency; NaN where it cannot be said.
    func balance(
        _ time: Int, _ collateral: Double, _ state: HedgingLoop.Account, _ book: BookTrack, _ mark: Lanes,
        _ options: OptionHedges?
    ) -> Lanes {
        var balances = Lanes.zero
        setTime(book.schedule.grid.years(time))
        for lane in 0..<8 where state.alive[lane] != 0 {
            let spot = book.markets[time].spot[lane]
            setPrice(spot, mark: mark[lane])
            set(legs, book.markets[time], lane) {
                book.schedule.live[time] <= $1.expiry ? $1.option.quantity * state.alive[lane] : 0
            }
            if let options {
                set(optionLegs, book.markets[time], lane) { place, _ in
                    options.isListed(place, time) ? options.positions[place][lane] : 0
                }
            }
            quantities[hedge] = state.position[lane]
            if model.isInCoin {
                account.cash =
                    collateral / book.markets[0].spot[lane] + state.coins[lane] + state.cash[lane] / spot
            } else {
                account.cash = collateral + state.cash[lane]
            }
            let held = account.holding(quantities)
            balances[lane] =
                (try? model.requirement(of: held, in: market, engine).maintenanceBalance) ?? .nan
        }
        return balances
    }

    private func set(
        _ legs: [Leg], _ path: PathMarket, _ lane: Int, _ quantity: (Int, Leg) -> Double
    ) {
        for (place, leg) in legs.enumerated() {
            let moved =
                leg.option.volatility + path.level[lane] + leg.option.slope * path.logSpotShift[lane]
            market.contracts[leg.contract].volatility = max(moved, leastVolatility)
            quantities[leg.contract] = quantity(place, leg)
        }
    }
}

extension MarginError {
    /// Without place and value, which are the simulation's own.
    fileprivate var errorText: String { "\(field) \(reason)" }
}
