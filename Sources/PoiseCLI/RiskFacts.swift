import Poise

/// What stands below a risk report.
struct RiskFacts {
    private let tickerCount, listedCount, contractCount, positionCount, bookCount: Int
    private let first, last: Timestamp?
    private let instructionSet: InstructionSet

    init(_ chain: Chain, _ valuation: BookValuation, _ instructionSet: InstructionSet) {
        tickerCount = chain.tickers.count
        listedCount = chain.latest.count
        contractCount = valuation.contracts.count
        positionCount = valuation.positions.count
        bookCount = Set(valuation.positions.map(\.book)).count
        let times = valuation.greeks.tickers.map(\.timestamp)
        first = times.min()
        last = times.max()
        self.instructionSet = instructionSet
    }

    /// Two lines for people.
    var text: String {
        func plural(_ count: Int, _ noun: String) -> String {
            "\(Double(count).grouped(decimals: 0)) \(noun)\(count == 1 ? "" : "s")"
        }
        let older = tickerCount - listedCount
        let superseded =
            older == 0
            ? "" : ", \(plural(older, "older row")) superseded by a later one of the same instrument"
        let times = first.flatMap { first in last.map { "\nas of \(first) to \($0)" } } ?? ""
        return """
            \(plural(contractCount, "contract")) priced (\(instructionSet)), \
            \(plural(positionCount, "position")) in \(plural(bookCount, "book")); chain of \
            \(plural(listedCount, "instrument"))\(superseded)\(times)

            """
    }

    /// Members of a JSON object.
    func json(by groupings: [Grouping], _ numeraire: Numeraire) -> String {
        let by = groupings.map { "\"\($0)\"" }.joined(separator: ", ")
        func stamp(_ time: Timestamp?) -> String { time.map { "\($0.milliseconds)" } ?? "null" }
        return """
            "numeraire": "\(numeraire.rawValue)", "by": [\(by)], "instruction_set": "\(instructionSet)",
             "contracts_priced": \(contractCount), "positions": \(positionCount), "books": \(bookCount),
             "rows_in_chain": \(tickerCount), "instruments_in_chain": \(listedCount),
             "first_timestamp": \(stamp(first)), "last_timestamp": \(stamp(last))
            """
    }
}
