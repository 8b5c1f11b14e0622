import Checks
import Greeks
import Market

/// The parts of a profit: what each Greek explains, with the Greeks of the start, and what none does.
///
/// dF is the move of a contract's own future, dσ that of its volatility, dt the time from ticker to ticker.
public enum ProfitComponent: Int, CaseIterable, Sendable {
    /// All of it: the sum of the others.
    case profit
    /// First order in the move of F that follows from time alone, index and annual basis standing still:
    /// F (exp(−b dt) − 1) with b = ln(F/index)/T. Of perpetuals the funding.
    case carry
    /// First order in the rest of dF.
    case delta
    /// ½ ∂²/∂F² dF².
    case gamma
    case vega
    case theta
    /// Of discounting alone, since F moves by itself.
    case rho
    case vanna, volga, charm
    /// From the price of a trade to the end.
    case trades
    /// Minus what trades cost in fees.
    case fees
    /// The exact remainder.
    case unexplained
}

/// The parts of `ProfitComponent.vega` where the moves of smiles are known: vega times each part of the volatility's move.
public enum VegaPart: Int, CaseIterable, Sendable {
    /// Of volatility at the money.
    case level
    /// Of the smile's slope there, the contract's own way along it among it.
    case skew
    /// Of what lies above the tangent at the money.
    case wings
    /// What the smiles do not explain; all of it where an expiry has none.
    case rest
}

/// How much of a contract's move of volatility is due to level, skew and wings of its expiry's smile, while its price went from
/// one to another; nil where that is not known.
public typealias VolatilitySplit = (
    _ instrument: Instrument, _ start: Double, _ end: Double
) -> (level: Double, skew: Double, wings: Double)?

/// Profit of positions between two chains, contract by contract, split into its parts.
///
/// Each contract goes from its latest ticker in the first chain to its latest in the second. One that has expired by the
/// time of the second chain is settled: an option at its intrinsic value, a future at the delivery price, for which
/// the second chain's index stands in where none is given. A trade counts from its price to the end. What a gain
/// is in which numeraire, see `ChainScenarios`: in dollars an option's profit is the difference of the values in
/// `ExposureGreek`; payments are exchanged at the contract's own price at the end.
public struct ProfitExplanation: Sendable {
    /// A contract that expired on the way.
    public struct Settlement: Sendable, Equatable {
        public let instrument: Instrument
        /// In quote currency.
        public let price: Double
        /// Whether the price is the one that was given, else the index of the second chain.
        public let isGiven: Bool

        /// The name that delivery prices are given by: up to the strike.
        public var series: String { instrument.series }
    }

    public let numeraire: Numeraire
    /// Of positions and trades, in their order.
    private var legs: [(book: String, instrument: Instrument, parts: [Double])] = []
    /// By expiry and name.
    public private(set) var settlements: [Settlement] = []
    /// Distinct contracts, positions, trades.
    public private(set) var contractCount = 0
    public private(set) var positionCount = 0
    public private(set) var tradeCount = 0
    /// The first and last time from which, and to which, contracts are explained.
    public private(set) var start, end: ClosedRange<Timestamp>?

    /// - Parameters:
    ///   - positions: held at the time of the first chain.
    ///   - trades: made between the chains.
    ///   - deliveryPrices: in quote currency, by the name up to the strike, such as `BTC-12FEB21`.
    ///   - fundingRate: what long perpetuals pay per eight hours, as a part of the notional.
    ///   - split: of moves of volatility, for `VegaPart`.
    /// - Throws: `unknownName` for contracts without a price in either chain, `invalidValue` for those that cannot be
    ///   settled or converted to dollars and for tickers of the second chain that are older, unless `badRows` skips them;
    ///   `invalidValue` for a delivery price that is not a positive number.
    public init(
        from first: Chain, to second: Chain, _ positions: PositionTable, _ trades: TradeTable? = nil,
        deliveryPrices: [String: Double] = [:], fundingRate: Double = 0,
        splitting split: VolatilitySplit? = nil,
        in numeraire: Numeraire, _ engine: GreeksEngine, _ badRows: inout BadRows
    ) throws(MarketError) {
        self.numeraire = numeraire
        for (name, price) in deliveryPrices.sorted(by: { $0.key < $1.key })
        where !NumberRule.positive.accepts(price) {
            throw .invalidValue(
                .name(name), column: "delivery price", value: "\(price)",
                reason: NumberRule.positive.complaint)
        }
        let valuation = try BookValuation(positions, in: first, &badRows)
        valuation.greeks.compute(engine)
        let contracts = valuation.contracts + (trades?.trades ?? []).map(\.instrument)
        let ends = try ContractOutcomes(contracts, second, deliveryPrices, engine, &badRows)
        var times = Times()
        try addPositions(
            valuation, positions, from: first, to: second, ends, fundingRate, split, &times, &badRows)
        try addTrades(trades, to: second, ends, &times, &badRows)
        settlements = Set(legs.map(\.instrument)).sorted { $0.sortsBefore($1) }.compactMap { instrument in
            guard let end = ends[instrument.name], let price = end.deliveryPrice else { return nil }
            return Settlement(instrument: instrument, price: price, isGiven: end.isGiven)
        }
        remarkLateIndices(of: second, &badRows)
        start = times.range(times.starts)
        end = times.range(times.ends)
    }

    /// When what is explained began and ended.
    private struct Times {
        var starts: [Timestamp] = []
        var ends: [Timestamp] = []

        func range(_ times: [Timestamp]) -> ClosedRange<Timestamp>? {
            guard let low = times.min(), let high = times.max() else { return nil }
            return low...high
        }
    }

    private mutating func addPositions(
        _ valuation: BookValuation, _ positions: PositionTable, from first: Chain, to second: Chain,
        _ ends: ContractOutcomes, _ fundingRate: Double, _ split: VolatilitySplit?, _ times: inout Times,
        _ badRows: inout BadRows
    ) throws(MarketError) {
        let rows = Dictionary(
            valuation.contracts.enumerated().map { ($0.element.name, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        var parts: [String: [Double]] = [:]
        for position in valuation.positions {
            let name = position.instrument.name
            guard let row = rows[name], let end = ends[name] else {
                try badRows.note(
                    Self.missing(position.instrument, positions.place(of: position), second))
                continue
            }
            let began = valuation.greeks.tickers[row].timestamp
            guard end.timestamp >= began else {
                try badRows.note(
                    .invalidValue(
                        positions.place(of: position), column: "instrument", value: name,
                        reason: "\(second.file) has it at \(end.timestamp), before \(first.file)'s \(began)"))
                continue
            }
            if parts[name] == nil {
                let index =
                    valuation.greeks.tickers[row].indexPrice ?? first.indexPrice(of: position.instrument)
                parts[name] = Self.parts(
                    valuation.greeks, row, end, index: index, fundingRate: fundingRate, split, numeraire)
                times.starts.append(began)
                times.ends.append(end.timestamp)
            }
            let perUnit = parts[name] ?? []
            legs.append((position.book, position.instrument, perUnit.map { $0 * position.quantity }))
            positionCount += 1
        }
        contractCount = parts.count
    }

    private mutating func addTrades(
        _ trades: TradeTable?, to second: Chain, _ ends: ContractOutcomes, _ times: inout Times,
        _ badRows: inout BadRows
    ) throws(MarketError) {
        for trade in trades?.trades ?? [] {
            guard let end = ends[trade.instrument.name] else {
                let place = Place.line(file: trades?.file ?? "", trade.line)
                try badRows.note(Self.missing(trade.instrument, place, second))
                continue
            }
            var parts = Array(repeating: 0.0, count: partCount)
            let gain = end.profit(of: trade, in: numeraire)
            // 0 rather than −0 where there is none.
            let fees = 0 - (numeraire == .coin ? trade.fee / end.price : trade.fee)
            parts[ProfitComponent.profit.rawValue] = gain + fees
            parts[ProfitComponent.trades.rawValue] = gain
            parts[ProfitComponent.fees.rawValue] = fees
            legs.append((trade.book, trade.instrument, parts))
            times.ends.append(end.timestamp)
            tradeCount += 1
        }
    }

    /// Says where an index stands in for a delivery price long after expiry.
    private func remarkLateIndices(of second: Chain, _ badRows: inout BadRows) {
        for settlement in settlements where !settlement.isGiven {
            guard let expiry = settlement.instrument.expiry else { continue }
            let time = second.indexTime(of: settlement.instrument) ?? second.lastTimestamp
            let minutes = Double(time.milliseconds - expiry.milliseconds) / 60_000
            guard minutes.magnitude > Self.latestIndexMinutes else { continue }
            badRows.remark(
                "\(settlement.series) is settled at an index of \(time), \(minutes.magnitude.minutesInWords) "
                    + "\(minutes > 0 ? "after" : "before") it expired, for lack of its delivery price")
        }
    }

    /// How far from expiry an index passes for the delivery price in silence.
    private static let latestIndexMinutes = 10.0

    /// Coins of the positions and trades.
    public var underlyings: [String] { Array(Set(legs.map(\.instrument.base))).sorted() }

    /// Sums of groups, sorted by their labels, in the order of the positions and then the trades.
    /// - Parameters:
    ///   - groupings: any but tenor and moneyness, whose labels are all `none` here.
    ///   - deskOfBook: the desk that each book belongs to, for `desk`.
    public func sums(by groupings: [Grouping], deskOfBook: [String: String] = [:]) -> ProfitSums {
        let ranks = Grouping.ranks(legs.map(\.instrument))
        let buckets = ExposureBuckets(deskOfBook: deskOfBook)
        let labels = legs.map { leg in
            groupings.map { $0.label(book: leg.book, leg.instrument, buckets, ranks) }
        }
        let sorted = Set(labels).sorted { $0.lexicographicallyPrecedes($1) }
        let numbers = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($0.element, $0.offset) })
        var sums = sorted.map { _ in Array(repeating: 0.0, count: partCount) }
        for (leg, label) in zip(legs, labels) {
            guard let group = numbers[label] else { continue }
            for part in sums[group].indices { sums[group][part] += leg.parts[part] }
        }
        return ProfitSums(groups: sorted.map { $0.map(\.text) }, sums: sums)
    }

    private static func missing(
        _ instrument: Instrument, _ place: Place, _ chain: Chain
    ) -> MarketError {
        let hasExpired = instrument.expiry.map { $0 <= chain.lastTimestamp } == true
        if !hasExpired, chain.tickerOrImplied(of: instrument) == nil {
            return .unknownName(
                place, column: "instrument", value: instrument.name, reason: "has no price in \(chain.file)")
        }
        return .invalidValue(
            place, column: "instrument", value: instrument.name,
            reason: hasExpired && chain.dollarsPerQuote(of: instrument) != nil
                ? "it has expired, and \(chain.file) names no index of \(instrument.base) to settle it at"
                : chain.missingRate(of: instrument))
    }

    /// The parts of one unit of a contract.
    private static func parts(
        _ chain: ChainGreeks, _ row: Int, _ end: ContractOutcome, index: Double?, fundingRate: Double,
        _ split: VolatilitySplit?, _ numeraire: Numeraire
    ) -> [Double] {
        let ticker = chain.tickers[row]
        let derivatives = chain.derivatives(ofRow: row, in: numeraire)
        let price = chain.options.spot[row]
        let move = end.price - price
        let years = ticker.timestamp.years(until: end.timestamp)
        var carried = 0.0
        if let index, let expiry = ticker.instrument.expiry {
            carried =
                price
                * BasisCarry.move(
                    price: price, index: index, years: ticker.timestamp.years(until: expiry), held: years)
        }
        let natural = chain.greeks[.price]?[row] ?? .nan
        var profit = chain.profit(
            ofRow: row, to: end.price, value: (start: natural, end: end.value), in: numeraire)
        let volatilityMove = (end.volatility ?? chain.options.volatility[row]) - chain.options.volatility[row]
        var parts = Array(repeating: 0.0, count: partCount)
        func set(_ part: ProfitComponent, _ value: Double) { parts[part.rawValue] = value }
        var carry = derivatives.price * carried
        if ticker.instrument.kind == .perpetual {
            // Of a dollar of an inverse contract, or of a coin.
            let notional = derivatives.price * price
            let funding = -fundingRate * years * 365 * 3 * notional
            carry += funding
            profit += funding
        }
        set(.carry, carry)
        set(.delta, derivatives.price * (move - carried))
        set(.gamma, derivatives.price2 * move * move / 2)
        set(.vega, derivatives.volatility * volatilityMove)
        set(.theta, derivatives.time * years)
        set(.rho, derivatives.rate * ((end.rate ?? ticker.interestRate) - ticker.interestRate))
        set(.vanna, derivatives.priceVolatility * move * volatilityMove)
        set(.volga, derivatives.volatility2 * volatilityMove * volatilityMove / 2)
        set(.charm, derivatives.priceTime * move * years)
        let explained = parts.reduce(0, +)
        set(.profit, profit)
        set(.unexplained, profit - explained)
        let moves = split.flatMap { $0(ticker.instrument, price, end.price) } ?? (0, 0, 0)
        let rest = volatilityMove - moves.level - moves.skew - moves.wings
        for (part, move) in zip(VegaPart.allCases, [moves.level, moves.skew, moves.wings, rest]) {
            parts[ProfitComponent.allCases.count + part.rawValue] = derivatives.volatility * move
        }
        return parts
    }
}

/// Components, then the parts of vega.
private let partCount = ProfitComponent.allCases.count + VegaPart.allCases.count

/// Parts of the profit of groups.
public struct ProfitSums: Sendable {
    /// One label per grouping for each group.
    public let groups: [[String]]
    private let sums: [[Double]]

    init(groups: [[String]], sums: [[Double]]) {
        self.groups = groups
        self.sums = sums
    }

    public subscript(group: Int, part: ProfitComponent) -> Double { sums[group][part.rawValue] }

    public subscript(group: Int, part: VegaPart) -> Double {
        sums[group][ProfitComponent.allCases.count + part.rawValue]
    }
}

extension Double {
    /// `3 h`, `7 d`.
    fileprivate var minutesInWords: String {
        self < 120 ? "\(Int(self)) min" : self < 2880 ? "\(Int(self / 60)) h" : "\(Int(self / 1440)) d"
    }
}
