import Checks
import Market
import Risk

/// The bands in which exposures and other measures are to stay: columns `underlying,greek,low,high` (`measure` for
/// `greek`) and, where wanted, `book`, `expiry`, `penalty`, `penalty_quadratic`; for measures of scenarios `grid`,
/// `scenario`, `level`.
public struct LimitTable: Sendable {
    /// One line. Limits are in the units of `ExposureGreek` in US dollars, as `poise risk` prints them.
    public struct Limit: Sendable {
        /// The book, or nil for all books together.
        public let book: String?
        /// The coin, or nil for all.
        public let underlying: String?
        /// An expiry as `2026-03-27`, or nil for all.
        public let expiry: String?
        public let measure: any LimitMeasure
        /// −infinity and +infinity where the field is empty.
        public let low, high: Double
        /// Per unit outside; nil where the band is hard.
        public let penalty: Double?
        public let penaltyQuadratic: Double
        /// The line of a file, from 1, or the row of columns, from 0.
        public let line: Int

        public init(
            book: String? = nil, underlying: String? = nil, expiry: String? = nil,
            greek measure: any LimitMeasure, low: Double = -.infinity, high: Double = .infinity,
            penalty: Double? = nil,
            penaltyQuadratic: Double = 0, line: Int = 0
        ) {
            self.book = book
            self.underlying = underlying
            self.expiry = expiry
            self.measure = measure
            self.low = low
            self.high = high
            self.penalty = penalty
            self.penaltyQuadratic = penaltyQuadratic
            self.line = line
        }

        /// The band's name in reports: `BTC vega`, `BTC 2026-03-27 gamma`, `all delta`.
        public var name: String {
            [underlying ?? "all", expiry, measure.name].compactMap { $0 }.joined(separator: " ")
        }

        /// The exposure that it is about, if it is about one.
        public var greek: ExposureGreek? { measure as? ExposureGreek }

        /// The same with other edges.
        package func with(low: Double, high: Double) -> Limit {
            Limit(
                book: book, underlying: underlying, expiry: expiry, greek: measure, low: low, high: high,
                penalty: penalty, penaltyQuadratic: penaltyQuadratic, line: line)
        }

        /// Whether a contract counts.
        func covers(_ instrument: Instrument) -> Bool {
            guard underlying == nil || underlying == instrument.base else { return false }
            return expiry == nil || expiry == Self.label(instrument)
        }

        static func label(_ instrument: Instrument) -> String? {
            instrument.expiry.map { String("\($0)".prefix(10)) }
        }
    }

    public let file: String
    public private(set) var limits: [Limit] = []
    private let isText: Bool

    /// The place of a limit.
    package func place(of limit: Limit) -> Place {
        isText ? .line(file: file, limit.line) : .row(limit.line, table: file)
    }

    /// Reads a table; an empty field or `*` stands for all, an empty limit for none, an empty penalty for a
    /// band that must hold.
    /// - Throws: `MarketError`; errors of one row unless `badRows` skips them.
    public init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        let table = try TextTable(source)
        file = source.name
        isText = true
        let underlying = try table.required("underlying")
        let greek = try table.required(["greek", "measure"])
        var columns = ["greek": greek]
        for column in ["grid", "scenario", "level"] {
            if let place = try table.optional(column) { columns[column] = place }
        }
        let grids = GridFiles(beside: file)
        let (low, high) = (try table.required("low"), try table.required("high"))
        let (book, expiry) = (try table.optional("book"), try table.optional("expiry"))
        let (penalty, quadratic) = (
            try table.optional("penalty"), try table.optional("penalty_quadratic")
        )
        var seen: [String: Int] = [:]
        try table.forEachRow(&badRows) { row throws(MarketError) in
            func name(_ column: Int?) -> String? {
                guard let column, !row.isMissing(column) else { return nil }
                let text = row.text(column)
                return text == "*" ? nil : text
            }
            func number(_ column: Int?, _ field: String, _ rule: NumberRule) throws(MarketError) -> Double? {
                try column.flatMap { place throws(MarketError) in try row.optionalNumber(place, field, rule) }
            }
            let fields = LimitRow(row: row, columns: columns, grids: grids)
            for measure in try LimitMeasures.read(fields) {
                let limit = Limit(
                    book: name(book), underlying: name(underlying), expiry: name(expiry), greek: measure,
                    low: try number(low, "low", .finite) ?? -.infinity,
                    high: try number(high, "high", .finite) ?? .infinity,
                    penalty: try number(penalty, "penalty", .notNegative),
                    penaltyQuadratic: try number(quadratic, "penalty_quadratic", .notNegative) ?? 0,
                    line: row.line)
                try add(limit, high: row.text(high), &seen)
            }
        }
        guard !limits.isEmpty || !badRows.skipped.isEmpty else { throw .empty(file: file) }
    }

    /// Takes limits that `line` numbers by row, under the name that errors show.
    /// - Throws: as the reader does.
    public init(name: String, _ limits: [Limit]) throws(MarketError) {
        file = name
        isText = false
        var seen: [String: Int] = [:]
        for limit in limits { try add(limit, high: "\(limit.high)", &seen) }
        guard !limits.isEmpty else { throw .empty(file: file) }
    }

    private mutating func add(
        _ limit: Limit, high: String, _ seen: inout [String: Int]
    ) throws(MarketError) {
        func invalid(_ column: String, _ value: String, _ reason: String) -> MarketError {
            .invalidValue(place(of: limit), column: column, value: value, reason: reason)
        }
        guard limit.low <= limit.high else {
            throw invalid("high", high, "is below low, \(limit.low)")
        }
        guard limit.low > -.infinity || limit.high < .infinity else {
            throw invalid("low", "", "low and high are both empty: nothing is limited")
        }
        if !limit.measure.isLinear, limit.low > -.infinity || limit.penalty != nil {
            throw invalid(
                "greek", limit.measure.name, "takes a high limit that must hold: no low one and no penalty")
        }
        let key = "\(limit.book ?? "")|\(limit.name)"
        if let earlier = seen.updateValue(limit.line, forKey: key) {
            throw invalid(
                "greek", limit.greek?.key ?? limit.measure.name,
                "\(isText ? "line" : "row") \(earlier) has a limit for the same exposure")
        }
        limits.append(limit)
    }
}

extension ExposureGreek {
    /// By its name in a table of limits, or by its column's name in `poise risk`.
    init?(limitName: String) {
        let found = Self.allCases.first {
            $0.key == limitName || $0.name == limitName || $0.column(.usd) == limitName
        }
        guard let found else { return nil }
        self = found
    }
}
