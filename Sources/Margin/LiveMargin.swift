import Checks
import Greeks
import Market
import Risk
import VectorMath

/// A scenario margin (`ScanMargin`) that is kept current: ticks, fills, and what each of many trades would do to it.
///
/// Every contract that is held or may be traded has a row of its values in all scenarios, computed once per tick; the
/// account's sums by expiry follow from rows and quantities. A trade changes one expiry's sums, so that the requirement
/// after it costs some operations per scenario, whatever the account holds. Setters, `update`, `fill` and `margin(after:)`
/// allocate nothing. To be used from one thread at a time.
@safe public final class LiveMargin {
    /// What is required and what is left.
    public struct Figures: Sendable, Equatable {
        public var initialMargin, maintenanceMargin, markToMarket: Double

        public var initialBalance: Double { markToMarket - initialMargin }
        public var maintenanceBalance: Double { markToMarket - maintenanceMargin }
    }

    public let model: ScanMargin
    public let market: MarginMarket
    private let engine: GreeksEngine
    /// Of the account: what has no scenarios.
    var still: ScanMargin.Still
    private let collateralMoving: Double
    var spot: Double
    /// Of perpetuals, by contract.
    let perpetualPrices: ColumnStorage<Double>
    /// Places of perpetuals and of coins.
    let perpetuals, spots: [Int]
    private var coinsHeld = 0.0
    let stablePrice: Double
    private var cash: Double

    // Options in eights, by expiry; the rows of `values` behind them.
    let rowOfContract: [Int]
    let legCount: Int
    let expiryOfLeg: [Int]
    let strikeOfLeg: [Int]
    private let type: ColumnStorage<UInt8>
    private let forward, strike, years, volatility, rate, share: ColumnStorage<Double>
    private let moves: [ScenarioMove]
    private let states: [ScenarioState]
    /// Whether all of every price still moves.
    private let isWhole: Bool
    private let terms = [ScenarioTerm(years: 0, rate: 0)]
    private let scratch: ColumnStorage<Double>
    let values: ColumnStorage<Double>
    let stride: Int
    private let moveCount: Int
    /// Of each move, its place in the grid.
    let scenarioOfMove: [Int?]
    /// Places among the moves of the present, and of the basis contingency.
    let present: Int
    let basisMoves: [Int]

    // Of the account.
    let quantities: ColumnStorage<Double>
    let coins: ColumnStorage<Double>
    private let rowOfTerm: [Int32]
    private let groupOfTerm: [Int32]
    private let offsets: [Int]
    let sums: ColumnStorage<Double>
    let expiryCount: Int
    let longShare, shortShare: ColumnStorage<Double>
    /// Charged profits, not dampened: of each expiry, and all of them with what gains in proportion.
    let parts: ColumnStorage<Double>
    private let total: ColumnStorage<Double>
    let lanes: ColumnStorage<Double>
    let basisParts: ColumnStorage<Double>
    private var basisTotal = 0.0
    let basisFactors: ColumnStorage<Double>
    let strikeNet: ColumnStorage<Double>
    let grossOfExpiry: ColumnStorage<Double>
    /// What confidence adds per coin of an expiry's options and dollar of the index: without perpetuals and with.
    let confidenceRate: ColumnStorage<Double>
    let confidences: (without: Double, with: Double)
    var naked = 0.0
    var optionValue = 0.0
    private var largest = 0.0

    /// Takes an account over, and computes everything once.
    /// - Parameter market: with all contracts that may be traded.
    /// - Throws: what `MarginModel.requirement` throws; a model that it does not keep; several underlyings.
    public init(
        _ model: ScanMargin, _ account: CrossMarginAccount, in market: MarginMarket, _ engine: GreeksEngine
    ) throws(MarginError) {
        try market.validate()
        try account.validate()
        try MarginModel(.scan(model)).refuseEntries(of: account)
        guard Self.keeps(model) else {
            throw MarginError(
                nil, field: "model",
                reason: "charges delta, or moves time, rates or smiles: it is not kept live")
        }
        guard market.underlyings.count == 1 else {
            throw MarginError(
                .name("market"), field: "underlyings", value: "\(market.underlyings.count)",
                reason: "one underlying an account")
        }
        self.model = model
        self.market = market
        self.engine = engine
        still = try model.still(account, market)
        cash = account.cash
        stablePrice = market.stablePrice
        let underlying = market.underlyings[0]
        spot = underlying.spot
        var ownPrices = market.contracts.map { _ in 0.0 }
        for (place, contract) in market.contracts.enumerated() where contract.kind == .perpetual {
            ownPrices[place] = try market.price(of: contract, for: ScanMargin.model)
        }
        perpetualPrices = ColumnStorage(ownPrices)
        perpetuals = market.contracts.indices.filter { market.contracts[$0].kind == .perpetual }
        spots = market.contracts.indices.filter { market.contracts[$0].kind == .spot }
        collateralMoving = account.collateral.reduce(0) {
            $0 + ($1.movesWithSpot ? $1.quantity * $1.price / market.stablePrice : 0)
        }
        expiryCount = underlying.expiries.count
        let sure = underlying.confidence
        confidences = (sure, min(sure, underlying.perpetual?.confidence ?? 1))
        coins = ColumnStorage(account.quantities)

        // Legs by expiry.
        let options = market.contracts.indices.filter { market.contracts[$0].kind == .option }
            .sorted { (market.contracts[$0].expiry ?? 0, $0) < (market.contracts[$1].expiry ?? 0, $1) }
        legCount = options.count
        let padded = max(8, (options.count + 7) / 8 * 8)
        var rowOfContract = market.contracts.map { _ in -1 }
        var columns = Array(repeating: [Double](), count: 6)
        var types: [UInt8] = []
        var expiryOfLeg: [Int] = []
        var strikeOfLeg: [Int] = []
        struct Strike: Hashable { let expiry: Int; let strike: Double }
        var strikes: [Strike: Int] = [:]
        for (row, place) in options.enumerated() {
            let contract = market.contracts[place]
            let expiry = try market.expiry(of: contract, for: ScanMargin.model)
            guard let vol = contract.volatility else {
                throw .missing("vol", of: contract.name, for: ScanMargin.model)
            }
            let strike = try market.strike(of: contract, for: ScanMargin.model)
            rowOfContract[place] = row
            types.append(try market.type(of: contract, for: ScanMargin.model).rawValue)
            let rate = model.isDiscounted ? max(0, expiry.rate) : 0
            let own = [expiry.forward, strike, expiry.years, vol, rate, expiry.openShare]
            for (column, number) in own.enumerated() { columns[column].append(number) }
            let key = Strike(expiry: contract.expiry ?? 0, strike: strike)
            let slot = strikes[key] ?? strikes.count
            strikes[key] = slot
            strikeOfLeg.append(slot)
            expiryOfLeg.append(contract.expiry ?? 0)
        }
        for column in columns.indices {
            let last = columns[column].last ?? 1
            while columns[column].count < padded { columns[column].append(last) }
        }
        while types.count < padded { types.append(0) }
        // The same checks as of any options.
        _ = try OptionLegs(market, options, discounted: model.isDiscounted, for: ScanMargin.model)
        self.rowOfContract = rowOfContract
        self.expiryOfLeg = expiryOfLeg
        self.strikeOfLeg = strikeOfLeg
        type = ColumnStorage(types)
        forward = ColumnStorage(columns[0])
        strike = ColumnStorage(columns[1])
        years = ColumnStorage(columns[2])
        volatility = ColumnStorage(columns[3])
        rate = ColumnStorage(columns[4])
        share = ColumnStorage(columns[5])
        isWhole = columns[5].allSatisfy { $0 == 1 }

        // The grid's moves, then those that it lacks: the present, and the basis contingency's.
        var states: [ScenarioState] = model.grid.rules.map { ScenarioState(term: 0, source: 0, $0) }
        let same = model.grid.rules.firstIndex(of: ScenarioGrid.VolatilityRule()) ?? states.count
        if same == states.count { states.append(ScenarioState(term: 0, source: 0)) }
        var entries: [(spot: Double, state: Int, scenario: Int?)] = []
        for (number, scenario) in model.grid.scenarios.enumerated() {
            entries.append((scenario.spot, scenario.rule, number))
        }
        for spot in [0] + (model.basis?.moves ?? []) {
            let isKnown = entries.contains { $0.spot == spot && $0.state == same }
            if !isKnown { entries.append((spot, same, nil)) }
        }
        func place(of spot: Double) -> Int {
            entries.firstIndex { $0.spot == spot && $0.state == same } ?? 0
        }
        present = place(of: 0)
        basisMoves = (model.basis?.moves ?? []).map(place)
        moveCount = entries.count
        stride = max(8, (entries.count + 7) / 8 * 8)
        while entries.count < stride { entries.append((0, same, nil)) }
        scenarioOfMove = entries.map(\.scenario)
        moves = entries.map {
            ScenarioMove(
                change: $0.spot, factor: 1 + $0.spot, logarithm: Margin.naturalLogarithm(1 + $0.spot),
                reciprocal: 1 / (1 + $0.spot), state: $0.state)
        }
        self.states = states
        scratch = ColumnStorage(
            repeating: 0, count: ScenarioPlan.scratchCount(terms: 1, states: states.count))
        values = ColumnStorage(repeating: 0, count: padded * stride)

        quantities = ColumnStorage(repeating: 0, count: padded)
        for (row, place) in options.enumerated() { quantities[row] = account.quantities[place] }
        rowOfTerm = (0..<options.count).map { Int32($0) }
        let groups = Array(Set(expiryOfLeg)).sorted()
        groupOfTerm = groups.map { Int32($0) }
        offsets =
            groups.map { group in expiryOfLeg.firstIndex(of: group) ?? 0 } + [options.count]
        let count = max(1, expiryCount)
        sums = ColumnStorage(repeating: 0, count: count * stride)
        parts = ColumnStorage(repeating: 0, count: count * stride)
        total = ColumnStorage(repeating: 0, count: stride)
        // Of each scenario: the move that gains in proportion, the share that counts, whether it is absolute, whether it
        // is one.
        var lanes = Array(repeating: 0.0, count: 4 * stride)
        for number in 0..<stride {
            lanes[number] = entries[number].spot
            guard let scenario = entries[number].scenario else { continue }
            lanes[stride + number] = model.grid.scenarios[scenario].dampening
            lanes[2 * stride + number] = model.grid.scenarios[scenario].expiryLoss == .absolute ? 1 : 0
            lanes[3 * stride + number] = 1
        }
        self.lanes = ColumnStorage(lanes)
        longShare = ColumnStorage(repeating: 1, count: count)
        shortShare = ColumnStorage(repeating: 1, count: count)
        basisParts = ColumnStorage(repeating: 0, count: count)
        basisFactors = ColumnStorage(repeating: 0, count: count)
        strikeNet = ColumnStorage(repeating: 0, count: max(1, strikes.count))
        grossOfExpiry = ColumnStorage(repeating: 0, count: count)
        confidenceRate = ColumnStorage(repeating: 0, count: 2 * count)
        for (number, expiry) in underlying.expiries.enumerated() {
            setTime(of: number, seconds: expiry.seconds)
            let least = min(
                expiry.forwardConfidence, min(expiry.rateConfidence, expiry.volatilityConfidence))
            confidenceRate[2 * number] = model.extra(min(confidences.without, least), 1)
            confidenceRate[2 * number + 1] = model.extra(min(confidences.with, least), 1)
        }
        for row in 0..<legCount {
            strikeNet[strikeOfLeg[row]] += quantities[row]
            grossOfExpiry[expiryOfLeg[row]] += quantities[row].magnitude
        }
        update()
    }

    /// Whether a model can be kept live: one without a least delta charge, whose scenarios move prices and volatilities
    /// alone.
    public static func keeps(_ model: ScanMargin) -> Bool {
        model.deltaCharge == nil
            && !model.grid.needsSmiles
            && model.grid.scenarios.allSatisfy { $0.days == 0 && $0.rate == 0 }
    }

    // MARK: Ticks

    /// The index.
    public func setSpot(_ price: Double) throws(MarginError) {
        try MarginError.require(.positive, price, "spot", of: market.underlyings[0].name)
        spot = price
    }

    /// The price of a perpetual.
    public func setPerpetual(_ contract: Int, _ price: Double) throws(MarginError) {
        let name = market.contracts[contract].name
        try MarginError.require(.positive, price, "perpetual.price", of: name)
        guard market.contracts[contract].kind == .perpetual else {
            throw .unknownKind(market.contracts[contract], for: "a perpetual's price")
        }
        perpetualPrices[contract] = price
    }

    /// The whole forward of an expiry, and how long it lives.
    public func setForward(of expiry: Int, _ price: Double, seconds: Double) throws(MarginError) {
        let name = market.underlyings[0].expiries[expiry].name
        try MarginError.require(.positive, price, "forward", of: name)
        try MarginError.require(.within(-1e12...1e12), seconds, "seconds", of: name)
        setTime(of: expiry, seconds: seconds)
        let life = max(0, seconds) / (365 * 86400)
        for row in 0..<legCount where expiryOfLeg[row] == expiry {
            forward[row] = price
            years[row] = life
        }
        padTail()
    }

    public func setVolatility(of contract: Int, _ value: Double) throws(MarginError) {
        let row = rowOfContract[contract]
        let name = market.contracts[contract].name
        try MarginError.require(.within(0...Domain.largestVolatility), value, "vol", of: name)
        guard row >= 0 else { throw .unknownKind(market.contracts[contract], for: "a volatility") }
        volatility[row] = value
        padTail()
    }

    /// What depends on an expiry's time alone.
    private func setTime(of expiry: Int, seconds: Double) {
        let life = max(0, seconds) / (365 * 86400)
        if let haircut = model.grid.haircut {
            let shares = haircut.shares(years: life, rate: market.underlyings[0].expiries[expiry].rate)
            longShare[expiry] = shares.long
            shortShare[expiry] = shares.short
        }
        if let basis = model.basis { basisFactors[expiry] = basis.added + basis.perYear * life }
    }

    /// The rows that fill the last eight repeat the last leg.
    private func padTail() {
        guard legCount > 0 else { return }
        for row in legCount..<type.count {
            forward[row] = forward[legCount - 1]
            years[row] = years[legCount - 1]
            volatility[row] = volatility[legCount - 1]
        }
    }

    /// Values every contract in every scenario, and the account: rows are summed while they are near.
    public func update() {
        sums.fill(0)
        for first in Swift.stride(from: 0, to: type.count, by: Self.block) {
            let rows = first..<min(first + Self.block, type.count)
            revalue(rows)
            addRows(rows)
        }
        recountFromSums()
    }

    /// Rows that stand in a core's own cache, with what they are computed from; eights.
    private static let block = 512

    private func revalue(_ rows: Range<Int>) {
        let (start, count) = (rows.lowerBound, rows.count)
        let (terms, states, moves) = (terms, states, moves)
        let termSpan = terms.span
        let stateSpan = states.span
        let moveSpan = moves.span
        let plan = unsafe ScenarioPlan(
            terms: termSpan.start, termCount: 1, states: stateSpan.start, stateCount: stateSpan.count,
            moves: moveSpan.start, moveCount: moveCount, scratch: scratch.pointer)
        unsafe withUnsafePointer(to: UnsafePointer(volatility.pointer + start)) { source in
            unsafe engine.scenarioForm(
                .price, plan,
                ScenarioColumns(
                    market: FullFormColumns(
                        type: type.pointer + start, spot: forward.pointer + start,
                        strike: strike.pointer + start, years: years.pointer + start,
                        volatility: volatility.pointer + start, rate: rate.pointer + start,
                        dividend: rate.pointer + start),
                    volatilities: source, share: isWhole ? nil : share.pointer + start),
                count: count, into: values.pointer + start * stride, stride: stride)
        }
    }

    /// Adds rows by quantity to the sums of their expiries: in order, so that neither blocks nor their size have an effect.
    private func addRows(_ rows: Range<Int>) {
        for (group, expiry) in groupOfTerm.enumerated() {
            let own = rows.clamped(to: offsets[group]..<offsets[group + 1])
            guard !own.isEmpty else { continue }
            unsafe withUnsafePointer(to: expiry) { sum in
                unsafe withUnsafePointer(to: (own.lowerBound, own.upperBound)) { ends in
                    unsafe ends.withMemoryRebound(to: Int.self, capacity: 2) { ends in
                        unsafe engine.kernel.addWeightedRows(
                            values.pointer, stride: stride, vectors: stride / 8, rowOfTerm: rowOfTerm,
                            weights: quantities.pointer, sumOfGroup: sum, offsets: ends, groupCount: 1,
                            into: sums.pointer)
                    }
                }
            }
        }
    }

    /// The account's sums, from values and quantities.
    private func recount() {
        sums.fill(0)
        addRows(0..<type.count)
        recountFromSums()
    }

    private func recountFromSums() {
        total.fill(0)
        optionValue = 0
        basisTotal = 0
        for expiry in 0..<expiryCount {
            charge(expiry, weight: 0, row: 0, into: parts, at: expiry * stride)
            for place in Swift.stride(from: 0, to: stride, by: 8) {
                store(load(total, place) + load(parts, expiry * stride + place), total, place)
            }
            optionValue += sums[expiry * stride + present]
            basisParts[expiry] = basisPart(expiry, weight: 0, row: 0)
            basisTotal += basisParts[expiry]
        }
        naked = 0
        for slot in 0..<strikeNet.count { naked += max(0, -strikeNet[slot]) }
        recountLinear()
        largest = worst(minus: nil, weight: 0, row: 0, moving: still.moving)
    }

    /// What is not in options.
    private func recountLinear() {
        var (gains, size, held, gross) = (0.0, 0.0, 0.0, 0.0)
        for place in perpetuals {
            gains += coins[place] * perpetualPrices[place]
            size += coins[place].magnitude
        }
        for place in spots {
            held += coins[place]
            gross += coins[place].magnitude
        }
        let value = held * spot / stablePrice
        coinsHeld = held
        still.moving = gains + value + collateralMoving
        still.perpetuals = size
        still.coins = gross
    }

    // MARK: Trades

    /// The figures as of the last update and fill.
    public var figures: Figures {
        figures(
            largest: largest, naked: naked, grossTrade: (0, 0), perpetuals: still.perpetuals,
            coins: still.coins,
            optionValue: optionValue, cash: cash, spotHeld: coinsHeld)
    }

    /// Figures after buying `quantity` of a contract (below 0: selling) at its own mark.
    public func margin(after contract: Int, quantity: Double) -> Figures {
        let row = rowOfContract[contract]
        guard row >= 0 else { return linearMargin(after: contract, quantity: quantity) }
        let expiry = expiryOfLeg[row]
        let loss = worst(minus: expiry, weight: quantity, row: row, moving: still.moving)
        let net = strikeNet[strikeOfLeg[row]]
        let gross = (quantities[row] + quantity).magnitude - quantities[row].magnitude
        let value = quantity * values[row * stride + present]
        return figures(
            largest: loss, naked: naked - max(0, -net) + max(0, -(net + quantity)),
            grossTrade: (expiry, gross), perpetuals: still.perpetuals,
            coins: still.coins, optionValue: optionValue + value, cash: cash - value, spotHeld: coinsHeld)
    }

    /// Takes a fill: the position changes, `amount` leaves the cash.
    public func fill(_ contract: Int, quantity: Double, paying amount: Double) throws(MarginError) {
        let name = market.contracts[contract].name
        try MarginError.require(.finite, quantity, "quantity", of: name)
        try MarginError.require(.finite, amount, "amount", of: name)
        cash -= amount
        coins[contract] += quantity
        let row = rowOfContract[contract]
        if row >= 0 {
            let expiry = expiryOfLeg[row]
            grossOfExpiry[expiry] += (quantities[row] + quantity).magnitude - quantities[row].magnitude
            strikeNet[strikeOfLeg[row]] += quantity
            quantities[row] += quantity
        }
        recount()
    }

    /// The same for perpetuals and coins.
    private func linearMargin(after contract: Int, quantity: Double) -> Figures {
        let isPerpetual = market.contracts[contract].kind == .perpetual
        let price = isPerpetual ? perpetualPrices[contract] : spot / stablePrice
        let gross = (coins[contract] + quantity).magnitude - coins[contract].magnitude
        let loss = worst(minus: nil, weight: 0, row: 0, moving: still.moving + quantity * price)
        return figures(
            largest: loss, naked: naked, grossTrade: (0, 0),
            perpetuals: still.perpetuals + (isPerpetual ? gross : 0),
            coins: still.coins + (isPerpetual ? 0 : gross), optionValue: optionValue,
            cash: isPerpetual ? cash : cash - quantity * price,
            spotHeld: coinsHeld + (isPerpetual ? 0 : quantity))
    }

    private func figures(
        largest: Double, naked: Double, grossTrade: (expiry: Int, coins: Double), perpetuals: Double,
        coins: Double, optionValue: Double, cash: Double, spotHeld: Double
    ) -> Figures {
        var maintenance = still.collateralMaintenance
        var more = still.collateralInitial
        maintenance += model.perpetual.maintenance * perpetuals * spot + model.spot.maintenance * coins * spot
        maintenance += model.nakedShort.maintenance * naked * spot
        more += model.perpetual.initial * perpetuals * spot + model.spot.initial * coins * spot
        more += model.nakedShort.initial * naked * spot
        let up = model.initialFactor(at: stablePrice)
        let confidence = confidence(grossTrade, perpetuals: perpetuals, coins: coins)
        let scaled = model.areContingenciesScaled
        let required = model.maintenanceFactor * largest
        return Figures(
            initialMargin: up * largest + (maintenance + more) * (scaled ? up : 1) + confidence,
            maintenanceMargin: required + maintenance * (scaled ? model.maintenanceFactor : 1),
            markToMarket: cash + still.besides + optionValue + spotHeld * spot / stablePrice)
    }

    /// The confidence contingency: collateral's own stands, the others' follow positions.
    private func confidence(
        _ trade: (expiry: Int, coins: Double), perpetuals: Double, coins: Double
    ) -> Double {
        guard model.confidenceFactor > 0 else { return 0 }
        let holds = perpetuals > 0
        var amount = 0.0
        for expiry in 0..<expiryCount {
            let gross = grossOfExpiry[expiry] + (expiry == trade.expiry ? trade.coins : 0)
            amount += confidenceRate[2 * expiry + (holds ? 1 : 0)] * gross
        }
        let least = holds ? confidences.with : confidences.without
        return still.collateralExtra + amount * spot + model.extra(least, (perpetuals + coins) * spot)
    }

    // MARK: Scenarios

    @inline(__always)
    private func load(_ column: borrowing ColumnStorage<Double>, _ place: Int) -> Lanes {
        unsafe UnsafeRawPointer(column.pointer + place).load(as: Lanes.self)
    }

    @inline(__always)
    private func store(_ lanes: Lanes, _ column: borrowing ColumnStorage<Double>, _ place: Int) {
        unsafe UnsafeMutableRawPointer(column.pointer + place).storeBytes(of: lanes, as: Lanes.self)
    }

    /// Eight charged profits of an expiry after a trade of `weight` in the contract of a row.
    @inline(__always)
    private func charged(_ expiry: Int, _ weight: Double, _ row: Int, _ place: Int) -> Lanes {
        let trade = Lanes(repeating: weight)
        let value = load(sums, expiry &* stride &+ place) + trade * load(values, row &* stride &+ place)
        let now = sums[expiry &* stride &+ present] + weight * values[row &* stride &+ present]
        let marked =
            value
            * Lanes(repeating: shortShare[expiry]).replacing(
                with: Lanes(repeating: longShare[expiry]), where: value .> Lanes.zero)
        let profit = marked - Lanes(repeating: now)
        return profit.replacing(
            with: profit.absolute.negated, where: load(lanes, 2 &* stride &+ place) .> Lanes.zero)
    }

    private func charge(
        _ expiry: Int, weight: Double, row: Int, into column: borrowing ColumnStorage<Double>, at first: Int
    ) {
        for place in Swift.stride(from: 0, to: stride, by: 8) {
            store(charged(expiry, weight, row, place), column, first + place)
        }
    }

    private func basisPart(_ expiry: Int, weight: Double, row: Int) -> Double {
        let now = sums[expiry * stride + present] + weight * values[row * stride + present]
        var least = 0.0
        for move in basisMoves {
            least = min(least, sums[expiry * stride + move] + weight * values[row * stride + move] - now)
        }
        return least * basisFactors[expiry]
    }

    /// The largest loss, where a trade changes one expiry.
    private func worst(minus expiry: Int?, weight: Double, row: Int, moving: Double) -> Double {
        var worst = Lanes(repeating: -.infinity)
        let gain = Lanes(repeating: moving)
        for place in Swift.stride(from: 0, to: stride, by: 8) {
            var profit = load(total, place)
            if let expiry {
                profit +=
                    charged(expiry, weight, row, place) - load(parts, expiry &* stride &+ place)
            }
            profit += gain * load(lanes, place)
            let loss = (profit * load(lanes, stride &+ place)).negated
            let counted = Lanes(repeating: -.infinity).replacing(
                with: loss, where: load(lanes, 3 &* stride &+ place) .> Lanes.zero)
            worst = worst.larger(counted)
        }
        var largest = worst.max()
        if !basisMoves.isEmpty {
            var basis = basisTotal
            if let expiry {
                basis += basisPart(expiry, weight: weight, row: row) - basisParts[expiry]
            }
            largest = max(largest, -basis)
        }
        return largest
    }
}
