import ArgumentParser
import Poise

/// A chain, the positions in it and how they are grouped: what commands about books share.
struct BookOptions: ParsableArguments {
    @OptionGroup var chains: ChainOption
    @OptionGroup var volatilities: VolatilityOption
    @OptionGroup var held: PositionsOption
    @OptionGroup var groups: GroupOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Edges of the buckets of --by tenor, in days (7,30,90,180,365).", valueName: "days"))
    var tenors: String?

    @Option(
        name: .customLong("moneyness"),
        parsing: .unconditional,
        help: ArgumentHelp(
            "Edges of the buckets of --by moneyness, strike over future (0.8,0.95,1.05,1.25).",
            valueName: "ratios"))
    var moneynessEdges: String?

    var chain: [String] { chains.chain }
    var positions: String? { held.positions }
    var numeraire: Numeraire { groups.numeraire }

    /// The groupings of `--by`, or where it is absent a command's own choice.
    func groupings(_ standard: [Grouping] = [.book, .underlying]) throws -> [Grouping] {
        let groupings = try groups.groupings(standard)
        _ = try edges(tenors, "--tenors", ExposureBuckets.standardTenorDays)
        _ = try edges(moneynessEdges, "--moneyness", ExposureBuckets.standardMoneyness)
        return groupings
    }

    /// - Throws: where a file that is needed is not named.
    func requireFiles() throws {
        guard !chain.isEmpty, positions != nil else {
            throw ValidationError("--chain and --positions are needed")
        }
    }

    /// The inputs, read.
    struct Books {
        let chain: Chain
        let valuation: BookValuation
        let buckets: ExposureBuckets
        /// The surface that volatilities come from, if they are the desk's own.
        let surface: SurfaceFit?
        /// The table of positions, as errors call it.
        let file: String
    }

    /// Reads chain, positions and desks.
    func read(_ groupings: [Grouping], _ badRows: inout BadRows) throws -> Books {
        try requireFiles()
        let read = try chains.read(&badRows)
        let own = try volatilities.own(read, &badRows)
        let chain = own?.chain ?? read
        let table = try held.table(chains.exchanges, &badRows)
        let deskOfBook = try groups.deskOfBook(groupings, table, nil, &badRows)
        let valuation = try BookValuation(table, in: chain, &badRows)
        try badRows.requireRows(valuation.positions.count, of: table.file)
        let buckets = try ExposureBuckets(
            tenorDays: try edges(tenors, "--tenors", ExposureBuckets.standardTenorDays),
            moneyness: try edges(moneynessEdges, "--moneyness", ExposureBuckets.standardMoneyness),
            valuation.greeks.tickers, deskOfBook: deskOfBook)
        try numeraire.requireTotals(of: valuation.positions.map(\.instrument.base), by: groupings)
        return Books(
            chain: chain, valuation: valuation, buckets: buckets, surface: own?.fit, file: table.file)
    }
}

/// Edges of buckets, `7,30,90`.
func edges(_ text: String?, _ option: String, _ standard: [Double]) throws -> [Double] {
    guard let text else { return standard }
    let edges = try items(text, option).map { Double($0) ?? .nan }
    for (number, edge) in edges.enumerated()
    where !(edge > 0 && edge.isFinite && (number == 0 || edge > edges[number - 1])) {
        throw ValidationError("\(option) \(text): edges are positive numbers, ascending")
    }
    return edges
}
