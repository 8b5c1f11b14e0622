import ArgumentParser
import Checks
import Market
import Poise

extension Numeraire: ExpressibleByArgument {}

enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, csv, json
}

/// A pricing model by its name. The parser of arguments would show the number of an enumeration as the default.
struct ModelChoice: ExpressibleByArgument, Equatable {
    /// That of the European price, where the option is American.
    let model: OptionModel
    let isAmerican: Bool

    init(model: OptionModel) { (self.model, isAmerican) = (model, false) }

    init?(argument: String) {
        if argument == Self.american {
            (model, isAmerican) = (.blackScholesMerton, true)
        } else if let model = OptionModel.allCases.first(where: { $0.name == argument }) {
            (self.model, isAmerican) = (model, false)
        } else {
            return nil
        }
    }

    private static let american = "american"
    var name: String { isAmerican ? Self.american : model.name }
    var defaultValueDescription: String { name }
    static var allValueStrings: [String] { OptionModel.allCases.map(\.name) + [american] }
    static var allValueDescriptions: [String: String] {
        Dictionary(uniqueKeysWithValues: OptionModel.allCases.map { ($0.name, $0.summary) })
            .merging([american: "a lognormal underlying, exercise at any time"]) { first, _ in first }
    }
}

/// The model of a table of options.
struct ModelOptions: ParsableArguments {
    @Option(name: .customLong("model"), help: "Pricing model of --options.")
    var choice = ModelChoice(model: .blackScholesMerton)

    @Option(help: "How exact --model american is (default: accurate).")
    var level: AmericanLevel?

    func validate() throws {
        if level != nil, !choice.isAmerican { throw ValidationError("--level goes with --model american") }
    }

    func american() throws -> AmericanEngine { try AmericanEngine(level: level ?? .accurate) }
}

/// Destination and form of a report.
struct OutputOptions: ParsableArguments {
    @Option(help: "table for people; csv or json for programs, with all digits.")
    var format: Format = .table

    @Option(
        help: ArgumentHelp("Write to a file instead; it appears whole or not at all.", valueName: "target"))
    var output: String?

    @Option(
        help: ArgumentHelp(
            "Columns by their names in csv, such as book,vega_usd_per_point; or all. Tables on a terminal show those that fit.",
            valueName: "names"))
    var columns: String?

    func validate() throws { _ = try choice() }

    private func choice() throws -> Output.ColumnChoice {
        guard let columns else { return .fitting }
        return columns == "all" ? .all : .named(try items(columns, "--columns"))
    }

    func open(_ outputs: Outputs) throws -> Output {
        let opened = try outputs.open(output, isForPeople: format == .table)
        opened.columns = try choice()
        return opened
    }
}

/// Options of all commands that read tables.
struct CommonOptions: ParsableArguments {
    @OptionGroup var outputs: OutputOptions

    @Flag(help: "Leave out rows that cannot be used, list them on standard error and go on.")
    var skipBadRows = false

    var format: Format { outputs.format }

    /// Says what a reader took for granted, and lists what it left out.
    func report(_ badRows: BadRows) {
        for remark in badRows.remarks { StandardError.write("poise: \(remark)\n") }
        guard !badRows.skipped.isEmpty else { return }
        var text = "poise: skipped \(badRows.skipped.count.counted("row")):\n"
        for error in badRows.skipped { text += "  \(error)\n" }
        StandardError.write(text)
    }
}

/// A file of which nothing can be used.
struct NothingLeftError: PoiseError {
    let file: String
    let skipped: [MarketError]

    var place: Place? { .file(file) }
    var reason: String { "no row can be used:" + skipped.map { "\n  \($0)" }.joined() }
}

extension BadRows {
    /// - Throws: `NothingLeftError` where rows were left out and none is left: an empty answer would look like one.
    func requireRows(_ count: Int, of file: String) throws {
        if count == 0, !skipped.isEmpty { throw NothingLeftError(file: file, skipped: skipped) }
    }
}

/// An exchange by its name.
struct ExchangeName: ExpressibleByArgument {
    let exchange: any Exchange.Type

    init?(argument: String) {
        guard let exchange = Exchanges.named(argument) else { return nil }
        self.exchange = exchange
    }

    static var allValueStrings: [String] { Exchanges.all.map { $0.name } }
}

/// The exchange of the names in files.
struct ExchangeOption: ParsableArguments {
    @Option(
        help:
            "Whose contracts names mean that several exchanges have, in files that do not say it themselves.")
    var exchange: ExchangeName?

    /// A file whose names are so meant.
    func source(_ path: String) throws -> Source {
        var source = try Source(path: path)
        source.exchange = exchange?.exchange
        return source
    }

    /// A chain of files, or of standard input for `-`.
    func chain(_ paths: [String], _ badRows: inout BadRows) throws -> Chain {
        try Chain(try paths.map(source), &badRows)
    }
}

/// An exchange's chain.
struct ChainOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Exchange's chain (CSV or JSON), or - for standard input; may be repeated: several files are one chain.",
            valueName: "file"))
    var chain: [String] = []

    @OptionGroup var exchanges: ExchangeOption

    func validate() throws {
        if exchanges.exchange != nil, chain.isEmpty { throw ValidationError("--exchange goes with --chain") }
    }

    func read(_ badRows: inout BadRows) throws -> Chain { try exchanges.chain(chain, &badRows) }
}

/// The holdings of books.
struct PositionsOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Table book,instrument,quantity or an exchange's positions (CSV or JSON), or -.",
            valueName: "file"))
    var positions: String?

    @Option(
        help: ArgumentHelp(
            "The book of positions and trades without a column book (the file's name).", valueName: "name"))
    var book: String?

    func validate() throws {
        if book == "" { throw ValidationError("--book: the name of a book is missing") }
    }

    /// Reads the positions.
    func table(_ exchanges: ExchangeOption, _ badRows: inout BadRows) throws -> PositionTable {
        let table = try PositionTable(try exchanges.source(positions ?? "-"), book: book, &badRows)
        if let book, table.onlyBook == nil {
            throw ValidationError("--book \(book): \(table.file) has a column book")
        }
        return table
    }
}

/// By what the rows of a report are grouped, and the currency of its figures.
struct GroupOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Some of desk,book,underlying,expiry,instrument,tenor,moneyness.", valueName: "fields"))
    var by: String?

    @Option(help: "usd or coin.")
    var numeraire: Numeraire = .usd

    @Option(
        help: ArgumentHelp(
            "Table book,desk: to which desk each book belongs, for --by desk.", valueName: "file"))
    var desks: String?

    @Flag(help: "csv: write the totals in place of the rows that they add up.")
    var totals = false

    /// The groupings of `--by`, or where it is absent a command's own choice.
    /// - Parameter known: what may stand in it.
    func groupings(
        _ standard: [Grouping] = [.book, .underlying], of known: [Grouping] = Grouping.allCases
    ) throws -> [Grouping] {
        let groupings = try by.map { try Grouping.list($0, of: known) } ?? standard
        if groupings.contains(.desk), desks == nil {
            let names = groupings.map(\.rawValue).joined(separator: ",")
            throw ValidationError("--by \(names): desk needs --desks, a table of which book is whose")
        }
        return groupings
    }

    func validate(_ format: Format) throws {
        if totals, format != .csv {
            throw ValidationError("--totals is for --format csv; table and json have totals beside the rows")
        }
    }

    /// The desk of each book, of all books in some tables.
    func deskOfBook(
        _ groupings: [Grouping], _ positions: PositionTable, _ trades: TradeTable?,
        _ badRows: inout BadRows
    ) throws -> [String: String] {
        guard let desks else { return [:] }
        let table = try DeskTable(try Source(path: desks), &badRows)
        if groupings.contains(.desk) {
            try table.requireDesks(of: positions)
            if let trades { try table.requireDesks(of: trades) }
        }
        return table.deskOfBook
    }
}

extension Report {
    /// The rows that `--format csv` writes.
    func csv(_ options: GroupOptions) -> Report {
        options.totals ? Report(columns: columns, rows: totals) : self
    }
}

/// Funding, which long perpetuals pay.
struct FundingOption: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Funding that long perpetuals pay per eight hours.", valueName: "rate"))
    var funding = 0.0

    func validate() throws {
        try NumberRule.within(-0.1...0.1).require("--funding", funding)
    }
}

extension NumberRule {
    /// - Throws: `ValidationError` where an option's value breaks the rule.
    func require(_ option: String, _ value: Double?) throws {
        if let value, !accepts(value) {
            throw ValidationError("\(option) \(value.shown): \(complaint)")
        }
    }

    func require(_ option: String, _ value: Int?) throws { try require(option, value.map { Double($0) }) }
}

/// The items of a list such as `book,underlying`.
/// - Throws: `ValidationError` where one is empty.
func items(_ text: String, _ option: String) throws -> [String] {
    let items = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard !items.contains("") else {
        throw ValidationError("\(option) \(text): expected items with one comma between them")
    }
    return items
}

/// `NAME=VALUE` as an argument.
struct NamedArgument {
    let name, value: String

    /// Reads one.
    /// - Parameter form: what it looks like, for the error.
    static func reader(_ form: String) -> @Sendable (String) throws -> NamedArgument {
        { argument in
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                throw ValidationError("expected \(form)")
            }
            return NamedArgument(name: String(parts[0]), value: String(parts[1]))
        }
    }
}
