import Checks
import Greeks
import Market
import Risk

/// Positions in a chain as one account in a market: what a model is asked about.
///
/// An expiry has one forward and one time to expiry: those of the chain's latest row of it, at the time of the chain's
/// latest row. Contracts that settle in coin stand, under a model in dollars, for as many coins; inverse perpetuals for
/// their dollars over their price.
public struct MarginBook: Sendable {
    public let market: MarginMarket
    public let account: CrossMarginAccount
    public let asOf: Timestamp
    /// The books that hold the positions, in the table's order, with what each has of every contract.
    public let books: [(name: String, quantities: [Double])]
    /// Of each candidate, in their order: its contract, and its quantity in the market's unit.
    public let candidates: [(contract: Int, quantity: Double)]
    /// Of each ticker that may be traded: its contract and what a unit of it is there; nil where the model has no rule for
    /// it, or the account is in another underlying.
    public let trading: [MarginCandidate?]
    /// What the account's file says can be brought in, or changed within the account.
    public let moves: [CollateralMove]
    /// Fields of the account's file that the model does not look at.
    public let withoutEffect: [String]

    /// - Parameters:
    ///   - underlying: the one whose positions are meant, where a model takes one alone.
    ///   - candidates: trades to be looked at, which the chain lists.
    ///   - tickers: what a hedge may trade.
    /// - Throws: `MarketError`: positions in what the model has no rule for or in several underlyings, an underlying
    ///   without an index, collateral without a price or haircut. Positions may be skipped as bad rows.
    public init(
        _ table: PositionTable, candidates: PositionTable?, in chain: Chain, _ file: MarginAccountFile,
        _ model: MarginModel, underlying only: String?, trading tickers: [Ticker] = [],
        _ badRows: inout BadRows
    ) throws(MarketError) {
        let valuation = try BookValuation(table, in: chain, &badRows)
        var builder = Builder(chain: chain, model: model, file: file)
        var positions: [CrossMarginAccount.Position] = []
        func read(
            _ valuation: BookValuation, _ table: PositionTable, _ badRows: inout BadRows
        ) throws(MarketError) -> [(book: String, contract: Int, quantity: Double)] {
            let tickers = Dictionary(
                valuation.greeks.tickers.map { ($0.instrument.name, $0) }, uniquingKeysWith: { a, _ in a })
            var held: [(book: String, contract: Int, quantity: Double)] = []
            for position in valuation.positions {
                guard only == nil || position.instrument.base == only,
                    let ticker = tickers[position.instrument.name]
                else { continue }
                do throws(MarginError) {
                    let (contract, quantity) = try builder.add(ticker, position.quantity)
                    held.append((position.book, contract, quantity))
                } catch {
                    try badRows.note(
                        .invalidValue(
                            table.place(of: position), column: "instrument", value: position.instrument.name,
                            reason: error.reason))
                }
            }
            return held
        }
        let rows = try read(valuation, table, &badRows)
        for (_, contract, quantity) in rows {
            positions.append(CrossMarginAccount.Position(contract: contract, quantity: quantity))
        }
        if let only, positions.isEmpty {
            throw .unknownName(
                .file(table.file), column: "instrument", value: only,
                reason: "no position is in this underlying"
            )
        }
        if let candidates {
            self.candidates = try read(
                try BookValuation(candidates, in: chain, &badRows), candidates, &badRows
            ).map { ($0.contract, $0.quantity) }
        } else {
            self.candidates = []
        }
        var trading: [MarginCandidate?] = []
        let held = Set(builder.market.underlyings.map(\.name))
        for ticker in tickers {
            let base = ticker.instrument.base
            let isOther = only != nil ? base != only : model.takesOneUnderlying && !held.contains(base)
            guard !isOther, let (contract, unit) = try? builder.add(ticker, 1) else {
                trading.append(nil)
                continue
            }
            trading.append(MarginCandidate(contract: contract, unit: unit))
        }
        self.trading = trading
        let names = builder.market.underlyings.map(\.name)
        if model.takesOneUnderlying, names.count > 1 {
            throw .invalidValue(
                .file(table.file), column: "instrument", value: names.joined(separator: ", "),
                reason:
                    "several underlyings; this model takes one an account: name it by --underlying or --margin-underlying"
            )
        }
        try builder.finish()
        try file.require(countedIn: model.isInCoin ? names.first : nil)
        withoutEffect = model.withoutEffect(file, coins: names)
        for (contract, quantity) in builder.coins() {
            positions.append(CrossMarginAccount.Position(contract: contract, quantity: quantity))
        }
        market = builder.market
        var books: [(name: String, quantities: [Double])] = []
        for (book, contract, quantity) in rows {
            let place = books.firstIndex { $0.name == book } ?? books.count
            if place == books.count {
                books.append((book, Array(repeating: 0, count: builder.market.contracts.count)))
            }
            books[place].quantities[contract] += quantity
        }
        self.books = books
        asOf = builder.asOf
        do throws(MarginError) {
            var account = try CrossMarginAccount(
                currency: file.currency, cash: file.cash, positions, in: builder.market)
            account.otherInitial = file.otherInitial
            do throws(MarginError) {
                try model.refuseEntries(of: account)
            } catch {
                throw MarginError(
                    .file(file.file), field: error.field, value: error.value, reason: error.reason)
            }
            account.collateral = try builder.collateral()
            self.account = account
            moves = try builder.moves(of: account)
        } catch {
            throw .invalidSetting(
                error.place ?? .file(file.file), key: error.field, value: error.value ?? "",
                reason: error.reason)
        }
    }
}

extension MarginModel {
    /// Whether all positions of an account are in one underlying: grids of one, and amounts of one coin.
    public var takesOneUnderlying: Bool {
        switch rule {
        case .scan, .deribit: true
        case .standardOption(let rule): rule.settlesInCoin
        case .deribitCross, .deriveStandard, .span, .rates: false
        }
    }

    /// Whether collateral counts less a haircut.
    var takesCollateral: Bool {
        switch rule {
        case .scan, .deribitCross: true
        case .deribit, .deriveStandard, .standardOption, .span, .rates: false
        }
    }

    /// Whether amounts are in coin.
    public var isInCoin: Bool {
        switch rule {
        case .deribit: true
        case .standardOption(let rule): rule.settlesInCoin
        case .scan, .deriveStandard, .span, .rates, .deribitCross: false
        }
    }
}

/// Makes a market of a chain's tickers, contract by contract.
private struct Builder {
    let chain: Chain
    let model: MarginModel
    let file: MarginAccountFile
    let asOf: Timestamp
    var market = MarginMarket()
    private var underlyings: [String: Int] = [:]
    private var expiries: [String: Int] = [:]
    private var contracts: [String: Int] = [:]
    /// Latest rows in dollars, by series and by coin.
    private let forwards: [String: (price: Double, time: Timestamp)]
    private let indices: [String: (price: Double, time: Timestamp)]

    init(chain: Chain, model: MarginModel, file: MarginAccountFile) {
        self.chain = chain
        self.model = model
        self.file = file
        var forwards: [String: (price: Double, time: Timestamp)] = [:]
        var indices: [String: (price: Double, time: Timestamp)] = [:]
        var latest: Timestamp?
        func keep(
            _ quotes: inout [String: (price: Double, time: Timestamp)], _ key: String, _ price: Double?,
            _ time: Timestamp
        ) {
            guard let price, price > 0 else { return }
            if let known = quotes[key], known.time > time { return }
            quotes[key] = (price, time)
        }
        for ticker in chain.latestTickers {
            let time = ticker.timestamp
            latest = max(latest ?? time, time)
            guard let dollars = chain.inDollars(ticker) else { continue }
            let instrument = ticker.instrument
            keep(&indices, instrument.base, dollars.indexPrice, time)
            if instrument.expiry != nil {
                keep(
                    &forwards, instrument.series,
                    instrument.isOption ? dollars.underlyingPrice : dollars.markPrice, time)
            }
        }
        self.forwards = forwards
        self.indices = indices
        asOf = latest ?? Timestamp(milliseconds: 0)
        market.stablePrice = file.stablePrice
    }

    /// The contract of a ticker, and a quantity of it in the market's unit.
    mutating func add(
        _ ticker: Ticker, _ quantity: Double
    ) throws(MarginError) -> (contract: Int, quantity: Double) {
        let instrument = ticker.instrument
        let isInverse = instrument.settlement == .inverse
        var quantity = quantity
        let kind: MarginMarket.Kind
        switch (instrument.kind, isInverse) {
        case (.option, _):
            if model.isInCoin, !isInverse {
                throw MarginError(
                    nil, field: "instrument", reason: "settles in \(instrument.quote); the model is in coin")
            }
            kind = .option
        case (.perpetual, true):
            kind =
                model.isInCoin || model.countsEntries || model.keepsCoins ? .inversePerpetual : .perpetual
        case (.perpetual, false): kind = .perpetual
        case (.future, true): kind = model.isInCoin || model.keepsCoins ? .inverseFuture : .future
        case (.future, false): kind = .future
        case (.spot, _): kind = .spot
        }
        guard model.kinds.contains(kind) else {
            throw MarginError(
                nil, field: "instrument",
                reason: "the model has no rule for contracts of kind \(kind.rawValue)")
        }
        let price = instrument.isOption ? nil : ticker.markPrice
        if isInverse, kind == .perpetual || kind == .future {
            guard let price, price > 0 else { throw .missing("mark_price", of: instrument.name, for: "it") }
            quantity /= price
        }
        if let known = contracts[instrument.name] { return (known, quantity) }
        let number = try underlying(of: instrument)
        var contract = MarginMarket.Contract(instrument.name, kind, underlying: number)
        if instrument.expiry != nil { contract.expiry = try expiry(of: ticker, in: number) }
        if case .option(let type, let strike, _) = instrument.kind {
            contract.type = type
            contract.strike = strike
            contract.volatility = ticker.markVolatility
            contract.settlesInCoin = isInverse && model.keepsCoins
        } else if kind != .spot {
            contract.price = price
        }
        contracts[instrument.name] = market.contracts.count
        market.contracts.append(contract)
        return (market.contracts.count - 1, quantity)
    }

    private mutating func underlying(of instrument: Instrument) throws(MarginError) -> Int {
        if let known = underlyings[instrument.base] { return known }
        guard let index = indices[instrument.base] else {
            throw MarginError(
                nil, field: "index_price", reason: "\(chain.file) has no index of \(instrument.base)")
        }
        var underlying = MarginMarket.Underlying(instrument.base, spot: index.price)
        underlying.confidence = file.confidence[instrument.base]?.spot ?? 1
        underlyings[instrument.base] = market.underlyings.count
        market.underlyings.append(underlying)
        return market.underlyings.count - 1
    }

    private mutating func expiry(of ticker: Ticker, in number: Int) throws(MarginError) -> Int {
        let instrument = ticker.instrument
        let name = instrument.series
        if let known = expiries[name] { return known }
        guard let end = instrument.expiry, let forward = forwards[name] else {
            throw MarginError(
                nil, field: "underlying_price", reason: "\(chain.file) has no future of \(name)")
        }
        var expiry = MarginMarket.Expiry(
            name, seconds: Double(end.milliseconds - asOf.milliseconds) / 1000, forward: forward.price)
        expiry.rate = ticker.interestRate
        expiry.fixed = forward.price * (1 - SettlementWindow.remainingShare(at: asOf, of: instrument))
        if let feeds = file.confidence[instrument.base] {
            expiry.forwardConfidence = feeds.forward
            expiry.rateConfidence = feeds.rate
            expiry.volatilityConfidence = feeds.volatility
        }
        expiries[name] = market.underlyings[number].expiries.count
        market.underlyings[number].expiries.append(expiry)
        return market.underlyings[number].expiries.count - 1
    }

    /// Prices of perpetuals, for the feeds' confidence.
    mutating func finish() throws(MarketError) {
        for contract in market.contracts where contract.kind == .perpetual {
            guard let price = contract.price, price > 0 else {
                throw .unknownName(
                    .file(chain.file), column: "instrument", value: contract.name, reason: "has no mark")
            }
            var perpetual = MarginMarket.Perpetual(price: price)
            let name = market.underlyings[contract.underlying].name
            perpetual.confidence = file.confidence[name]?.perpetual ?? 1
            market.underlyings[contract.underlying].perpetual = perpetual
        }
    }

    /// Collateral under a rule that counts coins as positions: of the account's underlyings.
    mutating func coins() -> [(contract: Int, quantity: Double)] {
        if case .deribitCross(let rule) = model.rule { addUnits(rule) }
        guard case .deriveStandard = model.rule else { return [] }
        var held: [(contract: Int, quantity: Double)] = []
        for piece in file.collateral {
            guard let number = underlyings[piece.asset] else { continue }
            held.append((market.contracts.count, piece.quantity))
            market.contracts.append(MarginMarket.Contract(piece.asset, .spot, underlying: number))
        }
        return held
    }

    /// Underlyings of coins that count, where the chain has their index.
    private mutating func addUnits(_ rule: DeribitCrossMargin) {
        for piece in file.collateral {
            guard let unit = rule.unit(of: piece.asset), underlyings[unit] == nil, let index = indices[unit]
            else { continue }
            underlyings[unit] = market.underlyings.count
            market.underlyings.append(MarginMarket.Underlying(unit, spot: index.price))
        }
    }

    func collateral() throws(MarginError) -> [CrossMarginAccount.Collateral] {
        var pieces: [CrossMarginAccount.Collateral] = []
        for piece in file.collateral {
            let place = Place.line(file: file.file, piece.line)
            if case .deriveStandard = model.rule, underlyings[piece.asset] != nil { continue }
            guard model.takesCollateral else {
                throw MarginError(
                    place, field: "asset", value: piece.asset,
                    reason: "the model has no rule for it as collateral")
            }
            let haircut = model.haircuts[piece.asset]
            guard let price = piece.price ?? indices[piece.asset]?.price else {
                throw MarginError(
                    place, field: "price", value: piece.asset,
                    reason: "is missing, and \(chain.file) has no index of the coin")
            }
            guard let maintenance = piece.maintenance ?? haircut?.maintenance else {
                throw MarginError(
                    place, field: "maintenance_haircut", value: piece.asset,
                    reason: "is missing, and the model has no haircut of the coin")
            }
            guard let initial = piece.initial ?? haircut?.initial else {
                throw MarginError(
                    place, field: "initial_haircut", value: piece.asset,
                    reason: "is missing, and the model has no haircut of the coin")
            }
            var own = CrossMarginAccount.Collateral(piece.asset, quantity: piece.quantity, price: price)
            own.confidence = piece.confidence
            own.maintenanceHaircut = maintenance
            own.initialHaircut = initial
            own.movesWithSpot =
                piece.movesWithSpot ?? haircut?.movesWithSpot
                ?? market.underlyings.contains { $0.name == piece.asset }
            pieces.append(own)
        }
        return pieces
    }
}

extension Builder {
    /// Moves of the account's cash and of the collateral that it lists.
    func moves(of account: CrossMarginAccount) throws(MarginError) -> [CollateralMove] {
        var moves: [CollateralMove] = []
        for move in file.moves {
            let place = Place.line(file: file.file, move.line)
            func holding(_ name: String, _ field: String) throws(MarginError) -> CollateralMove.Holding {
                if name == file.currency { return .cash }
                if let piece = account.collateral.firstIndex(where: { $0.asset == name }) {
                    return .collateral(piece)
                }
                if case .deriveStandard = model.rule, file.collateral.contains(where: { $0.asset == name }),
                    let contract = market.contracts.firstIndex(where: { $0.kind == .spot && $0.name == name })
                {
                    return .contract(contract)
                }
                throw MarginError(
                    place, field: field, value: name,
                    reason: "is neither the account's currency nor among its collateral")
            }
            var from: CollateralMove.Holding?
            if let name = move.from { from = try holding(name, "from") }
            let own = CollateralMove(
                move.name, into: try holding(move.into, "into"), from: from, most: move.most,
                cost: move.cost)
            if own.from == own.into {
                throw MarginError(place, field: "from", value: move.into, reason: "is what it goes into")
            }
            moves.append(own)
        }
        return moves
    }
}

extension MarginModel {
    /// The kinds of contracts that the rule knows.
    var kinds: Set<MarginMarket.Kind> {
        switch rule {
        case .scan, .deriveStandard: [.option, .perpetual, .spot]
        case .deribit: [.option, .inversePerpetual, .inverseFuture, .spot]
        case .deribitCross: DeribitCrossMargin.kinds
        case .standardOption: [.option]
        case .span: [.option, .future]
        case .rates: [.perpetual, .future, .inversePerpetual, .inverseFuture]
        }
    }
}
