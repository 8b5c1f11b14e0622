/// The particulars of an exchange: the names of its contracts, the fields of its replies and their units, how it
/// settles, what it trades at what fee, and the rules of the figures that it publishes.
///
/// An exchange is a folder here with a type of this kind, and a line in `Exchanges.all`.
public protocol Exchange: Sendable {
    /// In lower case, as files name it.
    static var name: String { get }
    /// Other names that files give it.
    static var aliases: [String] { get }

    /// The contract that goes by a name here.
    /// - Throws: `unknownForm` for what looks like none of its names, else what is wrong with it. Other exchanges are
    ///   asked in either case.
    static func instrument(named name: String) throws(InstrumentNameError) -> Instrument
    /// The name that the options of an expiry share, which is that of their future even where none is listed; of other
    /// contracts their own.
    static func series(of instrument: Instrument) -> String
    /// The name of the perpetual of a contract's coin and quote currency.
    static func perpetual(of instrument: Instrument) -> String?

    /// The fields of replies with tickers, and of tables made of them.
    static var tickerLayouts: [TickerLayout] { get }
    /// The fields of the list of instruments.
    static var instrumentLayout: InstrumentLayout { get }

    /// For how long before expiry the delivery price is averaged; half an hour unless an exchange says otherwise.
    static func averagingMilliseconds(of expiry: Timestamp) -> Int64
    /// Amounts in which a contract trades, where no list of instruments says; nil where they are not known.
    static func assumedAmount(of instrument: Instrument) -> TradedAmount?
    /// The tick of a contract's price, where no list of instruments says; nil where it is not known.
    static func assumedTick(of instrument: Instrument, at price: Double) -> Double?
    /// Fee of takers for trading a contract.
    static func takerFee(of instrument: Instrument) -> TradingFee
    /// The figures of an option by the rules and in the units of the exchange, from its natural Greeks.
    static func published(_ greeks: NaturalGreeks, of instrument: Instrument) -> MarkAndGreeks
}

extension Exchange {
    public static var aliases: [String] { [] }
    public static func averagingMilliseconds(of expiry: Timestamp) -> Int64 { 1_800_000 }
    public static func assumedTick(of instrument: Instrument, at price: Double) -> Double? { nil }
}

/// The exchanges that are known. One rule each on what several could claim:
/// - a name is the first exchange's whose form it has;
/// - fields are read by the layout that fits best, see `best`.
///
/// Only the first has a layout whose names tables from anywhere have.
public enum Exchanges {
    public static let all: [any Exchange.Type] = [
        Deribit.self,
        OKX.self,
        Bybit.self,
    ]

    /// The exchange that a file means by a name.
    public static func named(_ name: String) -> (any Exchange.Type)? {
        let name = name.lowercased()
        return all.first { $0.name == name || $0.aliases.contains(name) }
    }

    /// The complaint about any other name.
    static let unknown = "is no exchange that is known"

    /// Of the layouts that fit, the one that has the most of its fields there; among equals the first exchange's.
    static func best<Layout>(_ layouts: [Layout], fits: (Layout) -> Bool, count: (Layout) -> Int) -> Layout? {
        let fitting = layouts.filter(fits)
        guard var best = fitting.first, fitting.count > 1 else { return fitting.first }
        for layout in fitting.dropFirst() where count(layout) > count(best) { best = layout }
        return best
    }
}
