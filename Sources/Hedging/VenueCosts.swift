import Market

/// Costs of trading beyond the order book: fees of each class of contract, and for futures, perpetuals and
/// coins that the chain has no order book of, an assumed spread and depth.
public struct VenueCosts: Sendable, Equatable {
    /// A class of contract.
    public enum Class: String, Sendable, CaseIterable {
        case option, future, perpetual, spot

        init(_ instrument: Instrument) {
            switch instrument.kind {
            case .option: self = .option
            case .future: self = .future
            case .perpetual: self = .perpetual
            case .spot: self = .spot
            }
        }
    }

    /// Rates of one class; a rate of 0.0005 is 5 basis points.
    public struct Rates: Sendable, Equatable {
        /// Fee as a share of the underlying's value.
        public var fee: Double
        /// Most that the fee may be, as a share of the contract's own value.
        public var feeCap: Double
        /// Assumed half spread without an order book, as a share of the price.
        public var halfSpread: Double
        /// Assumed size in US dollars that may be traded without an order book; trading all of it costs a
        /// second half spread.
        public var depth: Double
        /// US dollars that trading a contract costs whatever the amount: a ticket, or gas.
        public var ticket: Double
        /// The smallest trade, by the underlying's value in US dollars.
        public var minimum: Double

        public init(
            fee: Double, feeCap: Double = .infinity, halfSpread: Double = 0, depth: Double = 0,
            ticket: Double = 0, minimum: Double = 0
        ) {
            self.fee = fee
            self.feeCap = feeCap
            self.halfSpread = halfSpread
            self.depth = depth
            self.ticket = ticket
            self.minimum = minimum
        }
    }

    public private(set) var rates: [Class: Rates]
    /// Classes whose fees are given, whatever the exchange.
    private var given: Set<Class> = []

    /// Taker fees as each exchange has them, and an assumed basis point or two of half spread on some million dollars.
    public static let standard = VenueCosts()

    private init() {
        rates = [
            .option: Rates(fee: 0),
            .future: Rates(fee: 0, halfSpread: 0.0002, depth: 2_000_000),
            .perpetual: Rates(fee: 0, halfSpread: 0.0001, depth: 5_000_000),
            .spot: Rates(fee: 0, halfSpread: 0.0002, depth: 1_000_000),
        ]
    }

    public init(rates: [Class: Rates]) {
        self.rates = rates
        given = Set(rates.keys)
    }

    /// The rates of a contract: those given for its class, else with the fee of its exchange.
    public func rates(of instrument: Instrument) -> Rates? {
        let classOfInstrument = Class(instrument)
        guard var rates = rates[classOfInstrument], !given.contains(classOfInstrument) else {
            return rates[classOfInstrument]
        }
        let fee = instrument.exchange.takerFee(of: instrument)
        (rates.fee, rates.feeCap) = (fee.rate, fee.cap)
        return rates
    }

    /// Reads columns `class,fee_rate,fee_cap,half_spread_rate,depth_usd` and, where wanted, `ticket_usd` and
    /// `minimum_usd`; classes that the table leaves out keep their standard rates, an empty cap is none.
    /// - Throws: `MarketError`; errors of one row unless `badRows` skips them.
    public init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        let table = try TextTable(source)
        let name = try table.required("class")
        let (fee, cap) = (try table.required("fee_rate"), try table.required("fee_cap"))
        let (spread, depth) = (try table.required("half_spread_rate"), try table.required("depth_usd"))
        let (ticket, minimum) = (try table.optional("ticket_usd"), try table.optional("minimum_usd"))
        self = .standard
        var lines: [Class: Int] = [:]
        try table.forEachRow(&badRows) { row throws(MarketError) in
            guard let found = Class(rawValue: row.text(name)) else {
                let known = Class.allCases.map(\.rawValue).joined(separator: ", ")
                throw row.invalid(name, "class", "expected one of \(known)")
            }
            func optional(_ column: Int?, _ field: String, _ standard: Double = 0) throws(MarketError)
                -> Double
            {
                try column.flatMap { place throws(MarketError) in
                    try row.optionalNumber(place, field, .notNegative)
                } ?? standard
            }
            if let earlier = lines[found] {
                throw row.invalid(name, "class", "line \(earlier) has its rates already")
            }
            let own = Rates(
                fee: try row.number(fee, "fee_rate", .notNegative),
                feeCap: try optional(cap, "fee_cap", .infinity),
                halfSpread: try optional(spread, "half_spread_rate"),
                depth: try optional(depth, "depth_usd"), ticket: try optional(ticket, "ticket_usd"),
                minimum: try optional(minimum, "minimum_usd"))
            lines[found] = row.line
            given.insert(found)
            rates[found] = own
        }
    }
}
