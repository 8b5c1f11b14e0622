import CPoise
import Checks
import Poise

/// Behind `poise_margin`.
final class MarginHandle: Sendable {
    /// What the account was made of.
    enum Origin: Sendable {
        case book(Chain, PositionTable, MarginAccountFile, underlying: String?)
        case one(MarginCases.Liquidation?)
    }

    let model: MarginModel
    let market: MarginMarket
    let account: CrossMarginAccount
    let engine: GreeksEngine
    let origin: Origin
    /// Of chains: their time.
    let asOf: Timestamp?
    let requirement: MarginRequirement
    let tables: [MarginTable]
    let underlyings: CStrings
    /// Fields of the account's file that the model does not look at.
    let withoutEffect: CStrings

    private init(
        _ model: MarginModel, _ account: CrossMarginAccount, in market: MarginMarket, _ origin: Origin,
        asOf: Timestamp?, withoutEffect: [String] = [], _ engine: GreeksEngine
    ) throws(MarginError) {
        (self.model, self.market, self.account, self.engine) = (model, market, account, engine)
        (self.origin, self.asOf) = (origin, asOf)
        requirement = try model.requirement(of: account, in: market, engine)
        tables = MarginTable.all(requirement)
        underlyings = CStrings(market.underlyings.map(\.name))
        self.withoutEffect = CStrings(withoutEffect)
    }

    /// Positions of a chain.
    convenience init(
        _ engine: GreeksEngine, _ chain: Chain, _ table: PositionTable, _ file: MarginAccountFile,
        _ model: MarginModel, underlying: String?
    ) throws(Failure) {
        let book = try reading { badRows throws(MarketError) in
            try MarginBook(
                table, candidates: nil, in: chain, file, model, underlying: underlying, &badRows)
        }
        do throws(MarginError) {
            try self.init(
                model, book.account, in: book.market, .book(chain, table, file, underlying: underlying),
                asOf: book.asOf, withoutEffect: book.withoutEffect, engine)
        } catch {
            throw Failure(error)
        }
    }

    /// A case, before its trades.
    convenience init(_ engine: GreeksEngine, _ one: MarginCases.Case) throws(Failure) {
        do throws(MarginError) {
            switch one.problem {
            case .account(let model, let market, let account, let liquidation):
                try self.init(model, account, in: market, .one(liquidation), asOf: nil, engine)
            case .hedge(let model, let market, let account, _):
                try self.init(model, account, in: market, .one(nil), asOf: nil, engine)
            case .auction:
                throw MarginError(nil, field: "", reason: "is an auction, no account")
            }
        } catch {
            var failure = Failure(one.refusal(error))
            if case .auction = one.problem { failure.status = POISE_ERROR_ARGUMENT }
            throw failure
        }
    }

    // MARK: Trades

    /// The account's market with the contracts of trades in it, and what each trade is there.
    func trades(
        _ count: Int, _ names: TextColumn, _ quantities: Strided<Double>
    ) throws(Failure) -> (MarginMarket, CrossMarginAccount, [(contract: Int, quantity: Double)]) {
        guard case .book(let chain, let table, let file, let underlying) = origin else {
            return (market, account, try trades(inMarket: count, names, quantities))
        }
        var rows: [PositionTable.Position] = []
        var known: [String: Instrument] = [:]
        let isOne = model.takesOneUnderlying && market.underlyings.count == 1
        let only = underlying ?? (isOne ? market.underlyings[0].name : nil)
        for row in 0..<count {
            let instrument = try instrument(row, names, &known)
            if let only, instrument.base != only {
                throw .value(
                    row: row, "instrument", instrument.name, "is in another underlying than \(only)")
            }
            rows.append(
                PositionTable.Position(
                    book: "trades", instrument: instrument, quantity: try quantity(row, quantities), line: row
                ))
        }
        let book = try reading { badRows throws(MarketError) in
            try MarginBook(
                table, candidates: PositionTable(name: "trades", rows), in: chain, file, model,
                underlying: underlying, &badRows)
        }
        guard book.candidates.count == count else {
            throw .count("count", "\(book.candidates.count) of \(count) trades have a price")
        }
        return (book.market, book.account, book.candidates)
    }

    private func trades(
        inMarket count: Int, _ names: TextColumn, _ quantities: Strided<Double>
    ) throws(Failure) -> [(contract: Int, quantity: Double)] {
        let places = Dictionary(
            market.contracts.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { a, _ in a })
        var trades: [(contract: Int, quantity: Double)] = []
        for row in 0..<count {
            let name = try names.text(row)
            guard let place = places[name] else {
                throw Failure(
                    status: POISE_ERROR_UNKNOWN_NAME, place: .row(row, table: "trades"), field: "instrument",
                    value: name, reason: "is no contract of the case")
            }
            trades.append((place, try quantity(row, quantities)))
        }
        return trades
    }

    // MARK: Liquidation

    /// All prices, or for nil all multiples, at which nothing is left of maintenance.
    func liquidation(_ underlying: Int?, _ multiples: ClosedRange<Double>?) throws(Failure) -> [Double] {
        // As the command has it: chains are looked at less finely than cases.
        var points = 400
        var own: MarginCases.Liquidation?
        if case .one(let given) = origin { (points, own) = (1600, given) }
        let chosen = multiples ?? 0.1...10
        return try failing { () throws(MarginError) in
            guard let underlying else {
                return try model.liquidationFactors(
                    of: account, in: market, within: chosen, points: points, engine)
            }
            let spot = market.underlyings[underlying].spot
            var range = chosen.lowerBound * spot...chosen.upperBound * spot
            if multiples == nil, let own, own.underlying == underlying { range = own.range }
            return try model.liquidationPrices(
                of: account, in: market, underlying: underlying, within: range, points: points, engine)
        }
    }
}

/// Where margins after trades are written.
struct MarginTargets {
    private let initial, maintenance, initialLeft, maintenanceLeft: Target?

    init(_ columns: UnsafePointer<poise_margin_columns>?) throws(Failure) {
        let given = try taken(columns, "columns", poise_margin_columns())
        initial = try Self.target(given.initial_margin, "initial_margin")
        maintenance = try Self.target(given.maintenance_margin, "maintenance_margin")
        initialLeft = try Self.target(given.initial_balance, "initial_balance")
        maintenanceLeft = try Self.target(given.maintenance_balance, "maintenance_balance")
    }

    private static func target(_ column: poise_column, _ name: StaticString) throws(Failure) -> Target? {
        column.data == nil ? nil : try Target(column, name)
    }

    @inline(__always)
    func set(_ row: Int, _ figures: LiveMargin.Figures) {
        initial?.set(row, figures.initialMargin)
        maintenance?.set(row, figures.maintenanceMargin)
        initialLeft?.set(row, figures.initialBalance)
        maintenanceLeft?.set(row, figures.maintenanceBalance)
    }
}

extension MarginRequirement {
    func write(to figures: UnsafeMutablePointer<poise_margin_figures>) {
        figures.pointee = poise_margin_figures(
            size: MemoryLayout<poise_margin_figures>.stride, initial_margin: initialMargin,
            maintenance_margin: maintenanceMargin, mark_to_market: markToMarket,
            initial_balance: initialBalance, maintenance_balance: maintenanceBalance,
            worst_scenario: worst.map { Int64($0) } ?? -1)
    }
}

private func marginHandle(_ margin: OpaquePointer?) -> MarginHandle? { object(margin, as: MarginHandle.self) }

@c @implementation
public func poise_margin_create(
    _ engine: OpaquePointer?, _ chain: OpaquePointer?, _ positions: OpaquePointer?,
    _ account: OpaquePointer?, _ model: OpaquePointer?, _ underlying: UnsafePointer<CChar>?,
    _ margin: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(margin, "margin") { () throws(Failure) in
        let (engine, chain, table) = try books(engine, chain, positions)
        let file = try object(account, as: MarginAccountHandle.self, "account").file
        let model = try object(model, as: MarginModelHandle.self, "model").model
        let only = underlying == nil ? nil : try text(underlying, "underlying")
        return try MarginHandle(engine, chain, table, file, model, underlying: only)
    }
}

@c @implementation
public func poise_margin_of_case(
    _ engine: OpaquePointer?, _ cases: OpaquePointer?, _ index: Int,
    _ margin: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(margin, "margin") { () throws(Failure) in
        let engine = try object(engine, as: EngineHandle.self, "engine").engine
        let cases = try object(cases, as: MarginCasesHandle.self, "cases")
        return try MarginHandle(engine, cases.one(index))
    }
}

@c @implementation
public func poise_margin_free(_ margin: OpaquePointer?) { release(margin, as: MarginHandle.self) }

@c @implementation
public func poise_margin_totals(
    _ margin: OpaquePointer?, _ figures: UnsafeMutablePointer<poise_margin_figures>?
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(margin, as: MarginHandle.self, "margin")
        handle.requirement.write(to: try sized(figures, "figures"))
    }
}

@c @implementation
public func poise_margin_underlying_count(_ margin: OpaquePointer?) -> Int {
    marginHandle(margin)?.underlyings.count ?? 0
}

@c @implementation
public func poise_margin_underlying(_ margin: OpaquePointer?, _ underlying: Int) -> UnsafePointer<CChar>? {
    marginHandle(margin)?.underlyings[underlying]
}

@c @implementation
public func poise_margin_without_effect(_ margin: OpaquePointer?, _ index: Int) -> UnsafePointer<CChar>? {
    marginHandle(margin)?.withoutEffect[index]
}

@c @implementation
public func poise_margin_index(_ margin: OpaquePointer?, _ underlying: Int) -> Double {
    guard let market = marginHandle(margin)?.market, market.underlyings.indices.contains(underlying) else {
        return .nan
    }
    return market.underlyings[underlying].spot
}

@c @implementation
public func poise_margin_liquidation(
    _ margin: OpaquePointer?, _ underlying: Int64, _ lowest: Double, _ highest: Double,
    _ prices: poise_column, _ capacity: Int, _ count: UnsafeMutablePointer<Int>?
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(margin, as: MarginHandle.self, "margin")
        let found = try required(count, "count")
        let isAll = underlying == Int64(POISE_MARGIN_ALL_UNDERLYINGS)
        if !isAll {
            try checkIndex(
                Int(clamping: underlying), below: handle.market.underlyings.count, "underlying")
        }
        try checkCount(capacity, "capacity")
        var multiples: ClosedRange<Double>?
        if lowest != 0 || highest != 0 {
            try check(lowest, .between(0, 1), "lowest")
            try check(highest, .above(1, upTo: 1e6), "highest")
            multiples = lowest...highest
        }
        let target = capacity > 0 ? try Target(prices, "prices") : nil
        let roots = try handle.liquidation(isAll ? nil : Int(underlying), multiples)
        found.pointee = roots.count
        guard let target else { return }
        guard roots.count <= capacity else {
            throw .count("capacity", "\(capacity): there are \(roots.count) prices")
        }
        for (row, price) in roots.enumerated() { target.set(row, price) }
    }
}

@c @implementation
public func poise_margin_what_if(
    _ margin: OpaquePointer?, _ count: Int, _ instrument: poise_texts, _ quantity: poise_values,
    _ columns: UnsafePointer<poise_margin_columns>?
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(margin, as: MarginHandle.self, "margin")
        try checkCount(count)
        let targets = try MarginTargets(columns)
        guard count > 0 else { return }
        let (market, account, trades) = try handle.trades(
            count, try TextColumn(instrument, "instrument"), try Strided(quantity, "quantity"))
        let after = try failing { () throws(MarginError) in
            try handle.model.balances(after: trades, of: account, in: market, handle.engine)
        }
        for (row, figures) in after.enumerated() { targets.set(row, figures) }
    }
}
