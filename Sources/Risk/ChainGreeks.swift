import Checks
import Greeks
import Market

/// The Greeks of tickers, one row per ticker, in natural units and per unit of the underlying.
///
/// Options are Black-76 on the future of their expiry, each at the moment of its own ticker: spot F =
/// `underlying_price`, σ = `markVolatility`, rate and dividend both the ticker's `interest_rate`, T ACT/365 to the
/// millisecond. Everything else is a call struck at 0: worth its price, delta 1.
public struct ChainGreeks: Sendable {
    public let tickers: [Ticker]
    public let options: OptionBatch
    /// 0 until `compute`.
    public let greeks: GreekMatrix
    /// Facts of each ticker that exposures of books need, found once.
    let classes: [ContractClass]
    let settlementShares: [Double]

    /// Takes the inputs from tickers. This is the last of three stages that may refuse a row: the reader takes what can
    /// be true of a contract, `BookValuation` what has a price in dollars, this what the formulas are defined for.
    /// - Throws: `MarketError.invalidValue` for a ticker that the formulas do not accept, unless `badRows` skips it.
    public init(
        _ tickers: [Ticker], _ selection: GreekSet, _ badRows: inout BadRows
    ) throws(MarketError) {
        let accepted = try Self.batch(of: tickers) { row, error throws(MarketError) in
            guard case .invalidInput(_, let status, let value, let model) = error else {
                throw .unreadable(file: "tickers", reason: "\(error)")
            }
            try badRows.note(Self.refusal(of: tickers[row], status, value, status.reason(model)))
        }
        options = accepted.batch
        let kept = accepted.rows.map { $0.map { tickers[$0] } } ?? tickers
        self.tickers = kept
        greeks = GreekMatrix(selection, count: options.count)
        classes = kept.map { ContractClass($0.instrument) }
        settlementShares = kept.map {
            SettlementWindow.remainingShare(at: $0.timestamp, of: $0.instrument)
        }
    }

    /// One ticker, whose complaint is a desk's.
    /// - Throws: `invalidValue` for one that the formulas do not accept.
    static func accepted(_ ticker: Ticker) throws(RiskError) -> ChainGreeks {
        var badRows = BadRows(skip: false)
        do throws(MarketError) {
            return try ChainGreeks([ticker], .exposures, &badRows)
        } catch {
            throw .invalidValue(
                of: ticker.instrument.name, field: error.field, value: error.number, reason: error.reason)
        }
    }

    /// Computes the Greeks. Allocates nothing.
    public func compute(_ engine: GreeksEngine) {
        engine.fullForm(greeks.selection, of: options, into: greeks)
    }

    private static func batch(
        of tickers: [Ticker], reject: (Int, GreeksError) throws(MarketError) -> Void
    ) throws(MarketError) -> (batch: OptionBatch, rows: [Int]?) {
        var type: [UInt8] = []
        var spot: [Double] = []
        var strike: [Double] = []
        var years: [Double] = []
        var volatility: [Double] = []
        var rate: [Double] = []
        for ticker in tickers {
            if case .option(let optionType, let optionStrike, let expiry) = ticker.instrument.kind {
                type.append(optionType.rawValue)
                spot.append(ticker.underlyingPrice ?? .nan)
                strike.append(optionStrike)
                years.append(ticker.timestamp.years(until: expiry))
                volatility.append(ticker.markVolatility ?? .nan)
                rate.append(ticker.interestRate)
            } else {
                type.append(0)
                spot.append(ticker.markPrice ?? .nan)
                strike.append(0)
                years.append(0)
                volatility.append(0)
                rate.append(0)
            }
        }
        return try OptionBatch.accepted(
            type: type, spot: spot, strike: strike, years: years, volatility: volatility, rate: rate,
            dividend: rate, reject: reject)
    }

    /// With the name that the ticker's source has for the field, and its unit.
    private static func refusal(
        of ticker: Ticker, _ status: InputStatus, _ value: Double, _ reason: String
    ) -> MarketError {
        var (value, reason) = (value, reason)
        let field: TickerField
        switch status {
        case .ok, .invalidType, .invalidStrike, .invalidYears: field = .instrument
        case .invalidSpot: field = ticker.instrument.isOption ? .underlyingPrice : .markPrice
        case .invalidVolatility:
            field = .markVolatility
            if let written = ticker.writtenVolatility, written != value {
                (value, reason) = (written, reason + " as a fraction")
            }
        case .invalidRate, .invalidDividend: field = .interestRate
        }
        return .invalidValue(
            ticker.place, column: ticker.layout.name(field), value: "\(value)", reason: reason)
    }
}
