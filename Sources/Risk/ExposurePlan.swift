import COpenBLAS
import Greeks
import Market
import VectorMath

/// By what positions are grouped.
public enum Grouping: String, CaseIterable, Sendable {
    case book, underlying, expiry, instrument

    /// The label of a position's group.
    func label(_ position: PositionTable.Position) -> String {
        switch self {
        case .book: position.book
        case .underlying: position.instrument.base
        case .expiry:
            position.instrument.expiry.map { String("\($0)".prefix(10)) } ?? "none"
        case .instrument: position.instrument.name
        }
    }
}

extension Instrument {
    fileprivate func sortsBefore(_ other: Instrument) -> Bool {
        func key(_ instrument: Instrument) -> (String, Int64, Double, String) {
            let expiry = instrument.expiry?.milliseconds ?? .max
            if case .option(_, let strike, _) = instrument.kind {
                return (instrument.base, expiry, strike, instrument.name)
            }
            return (instrument.base, expiry, 0, instrument.name)
        }
        return key(self) < key(other)
    }
}

/// The position side of the matrix product E[group, greek] = Q[group, contract] · G[contract, greek], made
/// once for a set of positions and used on every tick.
public struct ExposurePlan: Sendable {
    public let groupings: [Grouping]
    /// One label per grouping for each group, sorted.
    public let groups: [[String]]
    /// The distinct contracts, in the order of the rows of `ContractFigures`.
    public let contracts: [Instrument]
    /// Group g holds the legs `offsets[g]` to `offsets[g + 1] − 1`, in the order of the positions.
    private let offsets: [Int]
    private let legContracts: [Int32]
    private let legQuantities: [Double]

    public var legCount: Int { legContracts.count }

    /// - Parameter contracts: the rows of the figures; must hold every position's contract.
    public init(
        _ positions: [PositionTable.Position], contracts: [Instrument], by groupings: [Grouping]
    ) {
        self.groupings = groupings
        self.contracts = contracts
        let contractNumbers = Dictionary(
            contracts.enumerated().map { ($0.element.name, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        var groupNumbers: [[String]: Int] = [:]
        for position in positions { groupNumbers[groupings.map { $0.label(position) }] = 0 }
        // Labels in their own order, but contracts by expiry and strike.
        let contractRanks = Dictionary(
            contracts.sorted { $0.sortsBefore($1) }.enumerated().map { ($0.element.name, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        groups = groupNumbers.keys.sorted { a, b in
            for (x, y) in zip(a, b) where x != y {
                if let rankX = contractRanks[x], let rankY = contractRanks[y] { return rankX < rankY }
                return x < y
            }
            return false
        }
        for (number, labels) in groups.enumerated() { groupNumbers[labels] = number }

        let legs = positions.compactMap { position -> (group: Int, contract: Int, quantity: Double)? in
            guard let group = groupNumbers[groupings.map { $0.label(position) }],
                let contract = contractNumbers[position.instrument.name]
            else { return nil }
            return (group, contract, position.quantity)
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
        legContracts = order.map { Int32(legs[$0].contract) }
        legQuantities = order.map { legs[$0].quantity }
    }

    /// Sums the legs of each group, in the order of the positions: the same bits on every machine.
    /// Allocates nothing.
    public func aggregate(_ figures: ContractFigures, into exposures: Exposures, _ engine: GreeksEngine) {
        precondition(figures.count >= contracts.count && exposures.count == groups.count, "sizes differ")
        engine.sumWeightedRows(
            WeightedRows(
                rows: figures.rows, rowOfTerm: legContracts, weights: legQuantities, offsets: offsets,
                groupCount: groups.count), into: exposures.rows)
    }

    /// The same as one dense matrix product by OpenBLAS: for books that hold most contracts. `dense` comes
    /// from `denseQuantities`. Sums in the library's order.
    public func aggregate(_ figures: ContractFigures, dense: [Double], into exposures: Exposures) {
        precondition(dense.count == groups.count * contracts.count, "sizes differ")
        guard !dense.isEmpty else { return }
        cblas_dgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(groups.count), blasint(ContractFigures.stride),
            blasint(contracts.count), 1, dense, blasint(contracts.count), figures.rows,
            blasint(ContractFigures.stride), 0, exposures.rows, blasint(ContractFigures.stride))
    }

    /// Q as a dense matrix, one row of contracts per group.
    public var denseQuantities: [Double] {
        var dense = Array(repeating: 0.0, count: groups.count * contracts.count)
        for group in groups.indices {
            for leg in offsets[group]..<offsets[group + 1] {
                dense[group * contracts.count + Int(legContracts[leg])] += legQuantities[leg]
            }
        }
        return dense
    }
}

/// One row of `ExposureGreek` figures per group.
public final class Exposures: @unchecked Sendable {
    public let count: Int
    let rows: UnsafeMutablePointer<Double>

    /// Room for the groups of a plan, all figures 0.
    public init(_ plan: ExposurePlan) {
        count = plan.groups.count
        rows = .allocate(capacity: max(1, count) * ContractFigures.stride)
        rows.initialize(repeating: 0, count: max(1, count) * ContractFigures.stride)
    }

    deinit { rows.deallocate() }

    /// One figure of one group.
    public subscript(group: Int, greek: ExposureGreek) -> Double {
        rows[group * ContractFigures.stride + greek.rawValue]
    }
}
