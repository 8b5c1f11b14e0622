/// Which bands are on which instruments, and where the solvers keep what: the same for all problems of a shape.
/// Bands of one underlying stand together, those of several behind, then risk factors, margin and cash.
final class HedgeShape {
    let count, bandCount, factorCount, rowCount: Int
    /// Row of each band.
    let rowOfBand: [Int]
    /// First row that shares an instrument with this one, this one included.
    let rowFirst: [Int]
    /// Underlyings, and behind them a group for what spans several.
    let groupCount: Int
    let groupOfRow: [Int]
    /// The rows that an instrument is in, ascending, each once; margin and cash aside.
    let columns: [[Int]]
    /// Where each of the problem's entries goes among the coefficients.
    let placeOfEntry: [Int]
    /// Where each instrument's factor coefficients start; they are consecutive.
    let factorPlace: [Int]
    let underlyingOf: [Int]
    private let entryInstruments: [Int]
    private let bandRanges: [Range<Int>]

    init(_ problem: HedgeProblem) {
        let (count, bandCount) = (problem.instruments.count, problem.bands.count)
        let factorCount = problem.risk == nil ? 0 : problem.underlyings.count
        let rowCount = bandCount + factorCount + 2
        self.count = count
        self.bandCount = bandCount
        self.factorCount = factorCount
        self.rowCount = rowCount
        underlyingOf = problem.instruments.map(\.underlying)
        entryInstruments = problem.entries.map(\.instrument)
        bandRanges = problem.bands.map(\.entries)
        groupCount = problem.underlyings.count + 1

        let several = problem.underlyings.count
        let group = problem.bands.map { band in
            var group = -1
            for entry in problem.entries[band.entries] {
                let underlying = problem.instruments[entry.instrument].underlying
                group = group == -1 || group == underlying ? underlying : several
            }
            return max(group, 0)
        }
        let order = (0..<bandCount).sorted { (group[$0], $0) < (group[$1], $1) }
        var rowOfBand = [Int](repeating: 0, count: bandCount)
        var rowFirst = [Int](repeating: 0, count: rowCount)
        var groupOfRow = [Int](repeating: several, count: rowCount)
        var start = 0
        for (row, band) in order.enumerated() {
            rowOfBand[band] = row
            groupOfRow[row] = group[band]
            if row == 0 || group[order[row - 1]] != group[band] { start = row }
            rowFirst[row] = group[band] == several ? 0 : start
        }
        self.rowOfBand = rowOfBand
        self.rowFirst = rowFirst
        self.groupOfRow = groupOfRow

        var columns = [[Int]](repeating: [], count: count)
        var placeOfEntry = [Int](repeating: 0, count: problem.entries.count)
        for band in order {
            for k in problem.bands[band].entries {
                let i = problem.entries[k].instrument
                if columns[i].last != rowOfBand[band] { columns[i].append(rowOfBand[band]) }
                placeOfEntry[k] = columns[i].count - 1
            }
        }
        var factorPlace: [Int] = []
        var places = 0
        var starts: [Int] = []
        for i in 0..<count {
            starts.append(places)
            factorPlace.append(places + columns[i].count)
            columns[i] += bandCount..<bandCount + factorCount
            places += columns[i].count
        }
        for k in placeOfEntry.indices { placeOfEntry[k] += starts[problem.entries[k].instrument] }
        self.columns = columns
        self.placeOfEntry = placeOfEntry
        self.factorPlace = factorPlace
    }

    /// Whether a problem has this shape: the same bands on the same instruments.
    func fits(_ problem: HedgeProblem) -> Bool {
        guard problem.instruments.count == count, problem.bands.count == bandCount,
            problem.entries.count == entryInstruments.count,
            (problem.risk == nil ? 0 : problem.underlyings.count) == factorCount
        else { return false }
        for k in 0..<entryInstruments.count where problem.entries[k].instrument != entryInstruments[k] {
            return false
        }
        for r in 0..<bandCount where problem.bands[r].entries != bandRanges[r] { return false }
        for i in 0..<count where problem.instruments[i].underlying != underlyingOf[i] { return false }
        return true
    }
}
