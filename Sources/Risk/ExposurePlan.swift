import Greeks
import Market
import VectorMath

/// The position side of the matrix product E[group, greek] = Q[group, contract] · G[contract, greek]: made once
/// for a set of positions and used on every tick. A `LivePlan` is what changes with trades.
public struct ExposurePlan: Sendable {
    public let groupings: [Grouping]
    /// One label per grouping for each group, sorted.
    public let groups: [[String]]
    /// The same with their ranks: what tells groups apart.
    let labels: [[GroupLabel]]
    /// The distinct contracts.
    public let contracts: [Instrument]
    /// Rows that the figures must have.
    private let rowCount: Int
    /// Group g holds the legs `offsets[g]` to `offsets[g + 1] − 1`, in the order of the positions.
    private let offsets: [Int]
    private let legRows: [Int32]
    private let legQuantities: [Double]
    /// The method by which legs are summed.
    public let path: SummationPath
    /// Q as a matrix in eights of groups (`denseCell`), the last of them padded by 0; empty where it is not used.
    private var dense: [Double] = []

    public var legCount: Int { legRows.count }

    /// - Parameters:
    ///   - contracts: those of the positions; a position in any other is left out.
    ///   - rows: the row of the figures that each contract has, from 0; its place in `contracts` where it is nil.
    ///   - buckets: needed where positions are grouped by tenor or moneyness; else all have the label `none`.
    ///   - path: the one that costs less where it is nil.
    public init(
        _ positions: [PositionTable.Position], contracts: [Instrument], rows: [Int]? = nil,
        by groupings: [Grouping], _ buckets: ExposureBuckets? = nil, path: SummationPath? = nil
    ) {
        let buckets = buckets ?? ExposureBuckets()
        let ranks = Grouping.ranks(contracts)
        self.init(positions, contracts: contracts, rows: rows, by: groupings, path: path) { position in
            groupings.map { $0.label(book: position.book, position.instrument, buckets, ranks) }
        }
    }

    /// Groups taken apart by coin and exact expiry, behind the labels of `groupings`: what rules see that charge expiry by
    /// expiry.
    static func byExpiry(
        _ positions: [PositionTable.Position], contracts: [Instrument], by groupings: [Grouping],
        _ buckets: ExposureBuckets?
    ) -> ExposurePlan {
        let buckets = buckets ?? ExposureBuckets()
        let ranks = Grouping.ranks(contracts)
        let finer = groupings + (groupings.contains(.underlying) ? [] : [.underlying])
        return ExposurePlan(positions, contracts: contracts, by: finer + [.expiry]) { position in
            finer.map { $0.label(book: position.book, position.instrument, buckets, ranks) }
                + [.exactExpiry(position.instrument)]
        }
    }

    /// - Parameter labels: of a position's group, one per grouping.
    private init(
        _ positions: [PositionTable.Position], contracts: [Instrument], rows: [Int]? = nil,
        by groupings: [Grouping], path: SummationPath? = nil,
        labels: (PositionTable.Position) -> [GroupLabel]
    ) {
        self.groupings = groupings
        self.contracts = contracts
        let rows = rows ?? Array(contracts.indices)
        precondition(rows.count == contracts.count, "a row for each contract")
        precondition(rows.allSatisfy { $0 >= 0 }, "rows count from 0")
        rowCount = (rows.max() ?? -1) + 1
        let rowOfContract = Dictionary(
            zip(contracts, rows).map { ($0.name, $1) }, uniquingKeysWith: { first, _ in first })
        let positionLabels = positions.map(labels)
        self.labels = Set(positionLabels).sorted { $0.lexicographicallyPrecedes($1) }
        groups = self.labels.map { $0.map(\.text) }
        let groupNumbers = Dictionary(
            uniqueKeysWithValues: self.labels.enumerated().map { ($0.element, $0.offset) })

        let legs = zip(positions, positionLabels).compactMap {
            position, labels -> (group: Int, row: Int, quantity: Double)? in
            guard let group = groupNumbers[labels],
                let row = rowOfContract[position.instrument.name]
            else { return nil }
            return (group, row, position.quantity)
        }
        var offsets = Array(repeating: 0, count: groups.count + 1)
        for leg in legs { offsets[leg.group + 1] += 1 }
        for group in groups.indices { offsets[group + 1] += offsets[group] }
        var next = offsets
        var order = Array(repeating: 0, count: legs.count)
        for (number, leg) in legs.enumerated() {
            order[next[leg.group]] = number
            next[leg.group] += 1
        }
        self.offsets = offsets
        legRows = order.map { Int32(legs[$0].row) }
        legQuantities = order.map { legs[$0].quantity }
        self.path =
            path
            ?? SummationPath.cheaper(
                legs: legs.count, sparseCost: Self.sparseCost, groups: groups.count, rows: rowCount,
                denseCost: Self.denseCost)
        if self.path == .dense {
            dense = Array(repeating: 0, count: (groups.count + 7) / 8 * 8 * rowCount)
            for leg in legs { dense[denseCell(leg.group, leg.row)] += leg.quantity }
        }
    }

    /// The place in `dense` of a group's quantity in the contract of a row.
    private func denseCell(_ group: Int, _ row: Int) -> Int {
        (group / 8 * rowCount + row) * 8 + group % 8
    }

    /// Nanoseconds per leg, and per cell of the dense matrix: measured, see `Benchmarks/README.md`.
    private static let sparseCost = 1.8
    private static let denseCost = 0.65

    /// Figures of a row that the kernel multiplies: the narrower of its two widths that holds all exposures.
    private static let productWidth: Int = {
        let (narrow, wide) = (10, 12)
        precondition(ExposureGreek.allCases.count <= wide, "matrix products leave exposures out")
        return ExposureGreek.allCases.count <= narrow ? narrow : wide
    }()

    /// Calls `body` with each leg, group by group, in the order of the positions.
    func forEachLeg(_ body: (_ group: Int, _ row: Int, _ quantity: Double) -> Void) {
        for group in groups.indices {
            for leg in offsets[group]..<offsets[group + 1] {
                body(group, Int(legRows[leg]), legQuantities[leg])
            }
        }
    }

    /// Sums the legs of each group: in the order of the positions, the same bits on every machine; as a dense matrix
    /// in the order of the rows, the same bits on AVX2 and AVX-512. Allocates nothing.
    /// - Parameter range: the groups whose sums are wanted; all where it is nil. Those of others stay.
    public func aggregate(
        _ figures: UnitExposures, groups range: Range<Int>? = nil, into exposures: Exposures,
        _ engine: GreeksEngine
    ) {
        precondition(figures.count >= rowCount && exposures.count == groups.count, "sizes differ")
        let range = range ?? 0..<groups.count
        precondition(range.lowerBound >= 0 && range.upperBound <= groups.count, "groups out of range")
        guard path == .sparse else {
            // Eight groups at a time; neighbours are computed anew, from the same figures.
            guard !range.isEmpty else { return }
            let first = range.lowerBound / 8
            // As many rows and eights of groups as the matrix was made for.
            unsafe engine.kernel.exposureProducts(
                rows: figures.rows.base, rowCount: rowCount,
                weights: dense.span.start + first * rowCount * 8,
                groupEights: (range.upperBound + 7) / 8 - first,
                width: Self.productWidth,
                into: exposures.rows.base + first * 8 * ExposureRows.stride)
            return
        }
        unsafe sum(
            figures.rows.base, groups: range,
            into: exposures.rows.base + range.lowerBound * ExposureRows.stride, engine)
    }

    /// Sums, leg by leg, of any rows of `WeightedRows.width` numbers per contract, such as gains in so many scenarios:
    /// one row for each group.
    package func aggregate(
        _ rows: borrowing ColumnStorage<Double>, into sums: borrowing ColumnStorage<Double>,
        _ engine: GreeksEngine
    ) {
        let width = WeightedRows.width
        precondition(rows.count >= rowCount * width && sums.count >= groups.count * width, "sizes differ")
        unsafe sum(rows.pointer, groups: 0..<groups.count, into: sums.pointer, engine)
    }

    /// `rows` holds those of all contracts that legs name, and `sums` has room for the groups.
    private func sum(
        _ rows: UnsafePointer<Double>, groups range: Range<Int>, into sums: UnsafeMutablePointer<Double>,
        _ engine: GreeksEngine
    ) {
        unsafe engine.kernel.sumWeightedRows(
            WeightedRows(
                rows: rows, rowOfTerm: legRows.span.start, weights: legQuantities.span.start,
                offsets: offsets.span.start + range.lowerBound, groupCount: range.count), into: sums)
    }
}
