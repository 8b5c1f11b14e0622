import CPoise
import Checks
import Poise

/// Behind `poise_trades`.
final class TradesHandle: Sendable {
    let table: TradeTable

    init(_ table: TradeTable) { self.table = table }

    convenience init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        self.init(try TradeTable(source, &badRows))
    }
}

/// Behind `poise_explanation`.
final class ExplanationHandle: Sendable {
    let sums: ProfitSums
    let labels: [CStrings]
    let settlements: [ProfitExplanation.Settlement]
    let settled: CStrings

    init(
        _ engine: GreeksEngine, _ first: Chain, _ second: Chain, _ positions: PositionTable,
        _ trades: TradeTable?, _ options: ExplanationOptions
    ) throws(Failure) {
        let split = options.splitsVega ? Self.split(first, second, engine) : nil
        let explanation = try reading { badRows throws(MarketError) in
            try ProfitExplanation(
                from: first, to: second, positions, trades, deliveryPrices: options.deliveryPrices,
                fundingRate: options.fundingRate, splitting: split, in: options.exposures.numeraire, engine,
                &badRows)
        }
        for name in options.deliveryPrices.keys.sorted()
        where !explanation.settlements.contains(where: { $0.series == name }) {
            throw Failure(
                status: POISE_ERROR_UNKNOWN_NAME, field: "delivery_name", value: name,
                reason: "no contract of that name was held and had expired by \(second.file)")
        }
        let groupings = options.exposures.groupings ?? [.book, .underlying]
        let held =
            positions.positions
            + (trades?.trades ?? []).map {
                PositionTable.Position(
                    book: $0.book, instrument: $0.instrument, quantity: $0.quantity, line: $0.line)
            }
        try options.exposures.checkCoin(groupings, held)
        sums = explanation.sums(by: groupings, deskOfBook: options.deskOfBook)
        labels = sums.groups.map { CStrings($0) }
        settlements = explanation.settlements
        settled = CStrings(settlements.map(\.instrument.name))
    }

    /// The split of moves of volatility by curves fitted to both chains.
    private static func split(
        _ first: Chain, _ second: Chain, _ engine: GreeksEngine
    ) -> VolatilitySplit {
        let fits = [first, second].map { OwnVolatilities($0, engine) }
        return SmileMoves(from: fits[0].fit, to: fits[1].fit).split
    }
}

/// `poise_explanation_options`, checked.
struct ExplanationOptions {
    var exposures = ExposureOptions()
    var deliveryPrices: [String: Double] = [:]
    var deskOfBook: [String: String] = [:]
    var fundingRate = 0.0
    var splitsVega = false

    /// The caller's, or the standard ones for NULL.
    init(reading options: UnsafePointer<poise_explanation_options>?) throws(Failure) {
        guard let options else { return }
        let given = try taken(options, "options", poise_explanation_options())
        if given.exposures.size != 0 {
            try checkSize(given.exposures.size, of: poise_exposure_options.self, "exposures")
            exposures = try ExposureOptions(given.exposures, hasBuckets: true)
        }
        if exposures.groupings?.contains(where: { [.tenor, .moneyness].contains($0) }) == true {
            throw .argument("groupings", "profits have no tenor and no moneyness: a contract's change")
        }
        deskOfBook = try BucketEdges(given.buckets).deskOfBook
        fundingRate = given.funding_rate
        try check(fundingRate, .finite, "funding_rate")
        splitsVega = given.splits_vega != 0
        try checkCount(given.delivery_count, "delivery_count")
        guard given.delivery_count > 0 else { return }
        let names = try TextColumn(given.delivery_name, "delivery_name")
        let prices = try Strided(given.delivery_price, "delivery_price")
        for row in 0..<given.delivery_count {
            let name = try names.text(row)
            guard NumberRule.positive.accepts(prices[row]) else {
                throw .value(row: row, "delivery_price", prices[row], NumberRule.positive.complaint)
            }
            guard deliveryPrices.updateValue(prices[row], forKey: name) == nil else {
                throw .value(row: row, "delivery_name", name, "stands twice")
            }
        }
    }
}

// MARK: Trades

@c @implementation
public func poise_trades_create(
    _ count: Int, _ book: poise_texts, _ instrument: poise_texts, _ quantity: poise_values,
    _ price: poise_values, _ fee: poise_values, _ trades: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(trades, "trades") { () throws(Failure) in
        try checkCount(count)
        var rows: [TradeTable.Trade] = []
        if count > 0 {
            let (books, names) = (try TextColumn(book, "book"), try TextColumn(instrument, "instrument"))
            let quantities = try Strided(quantity, "quantity")
            let prices = try Strided(price, "price")
            let fees = try Strided(optional: fee, "fee")
            var known: [String: Instrument] = [:]
            for row in 0..<count {
                let book = try books.text(row)
                guard !book.isEmpty else { throw .value(row: row, "book", "", "is empty") }
                let contract = try PoiseC.instrument(row, names, &known)
                let rule = contract.isOption ? NumberRule.notNegative : .positive
                guard rule.accepts(prices[row]) else {
                    throw .value(row: row, "price", prices[row], rule.complaint)
                }
                let paid = fees?[row] ?? 0
                guard paid.isFinite else { throw .value(row: row, "fee", paid, NumberRule.finite.complaint) }
                rows.append(
                    TradeTable.Trade(
                        book: book, instrument: contract, quantity: try PoiseC.quantity(row, quantities),
                        price: prices[row], fee: paid, line: row))
            }
        }
        return TradesHandle(TradeTable(file: "trades", trades: rows))
    }
}

@c @implementation
public func poise_trades_parse(
    _ text: UnsafePointer<CChar>?, _ length: Int, _ name: UnsafePointer<CChar>?,
    _ trades: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(trades, "trades", text, length, name, TradesHandle.init)
}

@c @implementation
public func poise_trades_read(
    _ path: UnsafePointer<CChar>?, _ trades: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(trades, "trades", path, TradesHandle.init)
}

@c @implementation
public func poise_trades_free(_ trades: OpaquePointer?) { release(trades, as: TradesHandle.self) }

@c @implementation
public func poise_trades_count(_ trades: OpaquePointer?) -> Int {
    object(trades, as: TradesHandle.self)?.table.trades.count ?? 0
}

// MARK: Explanations

private func made(_ explanation: OpaquePointer?) -> ExplanationHandle? {
    object(explanation, as: ExplanationHandle.self)
}

@c @implementation
public func poise_explanation_create(
    _ engine: OpaquePointer?, _ from: OpaquePointer?, _ to: OpaquePointer?, _ positions: OpaquePointer?,
    _ trades: OpaquePointer?, _ options: UnsafePointer<poise_explanation_options>?,
    _ explanation: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(explanation, "explanation") { () throws(Failure) in
        let chosen = try ExplanationOptions(reading: options)
        let (engine, first, table) = try books(engine, from, positions)
        let second = try object(to, as: ChainHandle.self, "to").chain
        let traded = object(trades, as: TradesHandle.self)?.table
        return try ExplanationHandle(engine, first, second, table, traded, chosen)
    }
}

@c @implementation
public func poise_explanation_free(_ explanation: OpaquePointer?) {
    release(explanation, as: ExplanationHandle.self)
}

@c @implementation
public func poise_explanation_count(_ explanation: OpaquePointer?) -> Int {
    made(explanation)?.labels.count ?? 0
}

@c @implementation
public func poise_explanation_label(
    _ explanation: OpaquePointer?, _ group: Int, _ grouping: Int
) -> UnsafePointer<CChar>? {
    made(explanation)?.labels.text(group, grouping)
}

@c @implementation
public func poise_explanation_values(
    _ explanation: OpaquePointer?, _ part: poise_profit_part, _ column: poise_column
) -> poise_status {
    attempt { () throws(Failure) in
        let sums = try object(explanation, as: ExplanationHandle.self, "explanation").sums
        let number = Int(part.rawValue)
        let components = ProfitComponent.allCases.count
        let component = ProfitComponent(rawValue: number)
        let ofVega = VegaPart(rawValue: number - components)
        guard component != nil || ofVega != nil else {
            throw .argument("part", "\(part.rawValue) is no part of a profit")
        }
        guard !sums.groups.isEmpty else { return }
        let target = try Target(column, "column")
        for group in sums.groups.indices {
            if let component { target.set(group, sums[group, component]) }
            if let ofVega { target.set(group, sums[group, ofVega]) }
        }
    }
}

@c @implementation
public func poise_profit_part_name(_ part: poise_profit_part) -> UnsafePointer<CChar>? {
    namesOfParts[Int(part.rawValue)]
}

private let namesOfParts = CStrings(
    ProfitComponent.allCases.map { "\($0)" } + VegaPart.allCases.map { "vega_\($0)" })

@c @implementation
public func poise_explanation_settlement_count(_ explanation: OpaquePointer?) -> Int {
    made(explanation)?.settlements.count ?? 0
}

@c @implementation
public func poise_explanation_settlement(
    _ explanation: OpaquePointer?, _ index: Int, _ price: UnsafeMutablePointer<Double>?,
    _ is_given: UnsafeMutablePointer<UInt32>?
) -> UnsafePointer<CChar>? {
    guard let handle = made(explanation), handle.settlements.indices.contains(index) else { return nil }
    price?.pointee = handle.settlements[index].price
    is_given?.pointee = handle.settlements[index].isGiven ? 1 : 0
    return handle.settled[index]
}
