import Market
import Poise

/// The text below a risk report.
struct RiskFacts {
    private let tickerCount, listedCount, contractCount, positionCount, bookCount: Int
    private let first, last: Timestamp?
    private let instructionSet: InstructionSet

    init(_ chain: Chain, _ valuation: BookValuation, _ instructionSet: InstructionSet) {
        tickerCount = chain.tickers.count
        listedCount = chain.instrumentCount
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
        let older = tickerCount - listedCount
        let superseded =
            older == 0
            ? "" : ", \(older.counted("older row")) superseded by a later one of the same instrument"
        let times = first.flatMap { first in last.map { "\nas of \(first) to \($0)" } } ?? ""
        return """
            \(contractCount.counted("contract")) priced (\(instructionSet)), \
            \(positionCount.counted("position")) in \(bookCount.counted("book")); chain of \
            \(listedCount.counted("instrument"))\(superseded)\(times)

            """
    }

    /// Members of a JSON object.
    func write(by groupings: [Grouping], _ numeraire: Numeraire, to json: inout JSONWriter) {
        json.member("numeraire", numeraire.rawValue)
        json.member("by", groupings.map(\.rawValue))
        json.member("instruction_set", "\(instructionSet)")
        json.line(1)
        json.member("contracts_priced", contractCount)
        json.member("positions", positionCount)
        json.member("books", bookCount)
        json.line(1)
        json.member("rows_in_chain", tickerCount)
        json.member("instruments_in_chain", listedCount)
        json.line(1)
        json.member("first_timestamp", first?.milliseconds)
        json.member("last_timestamp", last?.milliseconds)
    }
}
