import ArgumentParser
import Poise

extension Numeraire: ExpressibleByArgument {}

/// A chain, the positions in it and how they are grouped: what commands about books share.
struct BookOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Exchange's chain (CSV or JSON), or - for standard input; may be repeated: several files are one chain.",
            valueName: "file"))
    var chain: [String] = []

    @Option(help: ArgumentHelp("Table book,instrument,quantity, or -.", valueName: "file"))
    var positions: String?

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

    @Option(
        help: ArgumentHelp(
            "Edges of the buckets of --by tenor, in days (7,30,90,180,365).", valueName: "days"))
    var tenors: String?

    @Option(
        name: .customLong("moneyness"),
        help: ArgumentHelp(
            "Edges of the buckets of --by moneyness, strike over future (0.8,0.95,1.05,1.25).",
            valueName: "ratios"))
    var moneynessEdges: String?

    /// What `--by` names, or where it is absent a command's own choice.
    func groupings(_ standard: [Grouping] = [.book, .underlying]) throws -> [Grouping] {
        let groupings = try by.map { try Grouping.list($0) } ?? standard
        try Grouping.requireDesks(groupings, desks)
        _ = try edges(tenors, "--tenors", ExposureBuckets.standardTenorDays)
        _ = try edges(moneynessEdges, "--moneyness", ExposureBuckets.standardMoneyness)
        return groupings
    }

    /// The files that must be named.
    func requireFiles() throws -> (chain: [String], positions: String) {
        guard !chain.isEmpty, let positions else {
            throw ValidationError("--chain and --positions are needed")
        }
        if (chain + [positions]).filter({ $0 == "-" }).count > 1 {
            throw ValidationError("standard input can be one of the files only")
        }
        return (chain, positions)
    }

    private func edges(_ text: String?, _ option: String, _ standard: [Double]) throws -> [Double] {
        guard let text else { return standard }
        let edges = text.split(separator: ",").map { Double($0) ?? .nan }
        for (number, edge) in edges.enumerated()
        where !(edge > 0 && edge.isFinite && (number == 0 || edge > edges[number - 1])) {
            throw ValidationError("\(option) \(text): edges are positive numbers, ascending")
        }
        return edges
    }

    /// What was read.
    struct Books {
        let chain: Chain
        let valuation: BookValuation
        let buckets: ExposureBuckets
    }

    /// Reads chain, positions and desks.
    func read(_ groupings: [Grouping], _ badRows: inout BadRows) throws -> Books {
        let files = try requireFiles()
        let chain = try Chain(paths: files.chain, &badRows)
        let table = try PositionTable(try Source(path: files.positions), &badRows)
        var deskOfBook: [String: String] = [:]
        if let desks {
            let deskTable = try DeskTable(try Source(path: desks), &badRows)
            deskOfBook = deskTable.deskOfBook
            if groupings.contains(.desk) { try deskTable.requireDesks(of: table) }
        }
        let valuation = try BookValuation(table, in: chain, &badRows)
        let buckets = try ExposureBuckets(
            tenorDays: try edges(tenors, "--tenors", ExposureBuckets.standardTenorDays),
            moneyness: try edges(moneynessEdges, "--moneyness", ExposureBuckets.standardMoneyness),
            valuation.greeks.tickers, deskOfBook: deskOfBook)
        try numeraire.requireTotals(of: valuation.positions.map(\.instrument.base), by: groupings)
        return Books(chain: chain, valuation: valuation, buckets: buckets)
    }
}

extension Chain {
    /// Of files, or standard input for `-`.
    init(paths: [String], _ badRows: inout BadRows) throws {
        try self.init(try paths.map { try Source(path: $0) }, &badRows)
    }
}
