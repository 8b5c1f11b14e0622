import CPoise
import Poise

/// A table of tickers to write, each column where the caller wants it.
private struct TickerTargets {
    private let numbers: [(target: Target, value: (Ticker) -> Double?)]
    private let given: poise_ticker_columns

    init(_ columns: UnsafePointer<poise_ticker_columns>?) throws(Failure) {
        let given = try taken(columns, "columns", poise_ticker_columns())
        let all: [(poise_column, StaticString, (Ticker) -> Double?)] = [
            (given.strike, "strike", { $0.instrument.strike }),
            (given.forward, "forward", { $0.instrument.isOption ? $0.underlyingPrice : $0.markPrice }),
            (
                given.years, "years",
                { ticker in ticker.instrument.expiry.map { ticker.timestamp.years(until: $0) } }
            ),
            (given.volatility, "volatility", \.markVolatility),
            (given.rate, "rate", \.interestRate),
            (given.mark_price, "mark_price", \.markPrice),
            (given.index_price, "index_price", \.indexPrice),
            (given.bid_price, "bid_price", { $0.bids.first?.price }),
            (given.bid_amount, "bid_amount", { $0.bids.first?.amount }),
            (given.ask_price, "ask_price", { $0.asks.first?.price }),
            (given.ask_amount, "ask_amount", { $0.asks.first?.amount }),
            (given.open_interest, "open_interest", \.openInterest),
            (given.exchange_delta, "exchange_delta", { $0.published?.delta }),
            (given.exchange_gamma, "exchange_gamma", { $0.published?.gamma }),
            (given.exchange_vega, "exchange_vega", { $0.published?.vega }),
            (given.exchange_theta, "exchange_theta", { $0.published?.theta }),
            (given.exchange_rho, "exchange_rho", { $0.published?.rho }),
        ]
        var numbers: [(target: Target, value: (Ticker) -> Double?)] = []
        for (column, name, value) in all where column.data != nil {
            numbers.append((try Target(column, name), value))
        }
        if let times = given.milliseconds { try checkAlignment(UnsafeRawPointer(times), 8, "milliseconds") }
        if let times = given.expiry_milliseconds {
            try checkAlignment(UnsafeRawPointer(times), 8, "expiry_milliseconds")
        }
        (self.given, self.numbers) = (given, numbers)
    }

    func set(_ row: Int, _ ticker: Ticker) {
        for (target, value) in numbers { target.set(row, value(ticker) ?? .nan) }
        given.milliseconds?[row] = ticker.timestamp.milliseconds
        given.expiry_milliseconds?[row] = ticker.instrument.expiry?.milliseconds ?? 0
        let (kind, type): (poise_contract_kind, UInt8) =
            switch ticker.instrument.kind {
            case .option(let type, _, _): (POISE_KIND_OPTION, type.rawValue)
            case .future: (POISE_KIND_FUTURE, .max)
            case .perpetual: (POISE_KIND_PERPETUAL, .max)
            case .spot: (POISE_KIND_SPOT, .max)
            }
        given.kind?[row] = UInt8(kind.rawValue)
        given.type?[row] = type
    }
}

extension Instrument {
    fileprivate var strike: Double? {
        if case .option(_, let strike, _) = kind { return strike }
        return nil
    }
}

@c @implementation
public func poise_chain_table(
    _ chain: OpaquePointer?, _ columns: UnsafePointer<poise_ticker_columns>?
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(chain, as: ChainHandle.self, "chain")
        let targets = try TickerTargets(columns)
        for (row, ticker) in handle.chain.latestTickers.enumerated() { targets.set(row, ticker) }
    }
}

@c @implementation
public func poise_chain_underlying(_ chain: OpaquePointer?, _ index: Int) -> UnsafePointer<CChar>? {
    object(chain, as: ChainHandle.self)?.underlyings[index]
}

@c @implementation
public func poise_chain_with_own_volatilities(
    _ engine: OpaquePointer?, _ chain: OpaquePointer?, _ made: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(made, "made") { () throws(Failure) in
        let engine = try object(engine, as: EngineHandle.self, "engine").engine
        let own = OwnVolatilities(try object(chain, as: ChainHandle.self, "chain").chain, engine)
        return ChainHandle(own.chain, remarks: own.remarks)
    }
}
