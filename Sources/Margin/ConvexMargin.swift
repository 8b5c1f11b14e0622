import Greeks
import Risk

/// A contract that a hedge may trade, and how much of it a unit of the hedge is.
public struct MarginCandidate: Sendable, Equatable {
    /// Place in the market's contracts.
    public var contract: Int
    /// Of the contract's unit, per unit traded.
    public var unit: Double

    public init(contract: Int, unit: Double = 1) {
        self.contract = contract
        self.unit = unit
    }
}

extension MarginModel {
    /// The initial margin of an account as a convex function of trades, each done at its mark, and what there is to meet it.
    ///
    /// Where the rule is convex this is the rule; parts that are not are replaced by something convex that is never less,
    /// and `notes` say so.
    /// - Throws: what `requirement` throws; contracts that cannot be priced.
    public func convexRequirement(
        of account: CrossMarginAccount, in market: MarginMarket, trading candidates: [MarginCandidate],
        _ engine: GreeksEngine
    ) throws(MarginError) -> ConvexRequirement {
        let now = try requirement(of: account, in: market, engine)
        for candidate in candidates {
            guard market.contracts.indices.contains(candidate.contract) else {
                throw MarginError(
                    .name("candidate"), field: "contract", value: "\(candidate.contract)",
                    reason: "is no contract of the market")
            }
            let contract = market.contracts[candidate.contract]
            try MarginError.require(.finite, candidate.unit, "unit", of: contract.name)
            guard kinds.contains(contract.kind) else { throw .unknownKind(contract, for: name) }
        }
        var builder = ConvexBuilder(account, market, candidates, engine)
        switch rule {
        case .scan(let rule): try rule.build(&builder)
        case .deribit(let rule): try rule.build(&builder)
        case .deribitCross(let rule): try rule.build(&builder)
        case .span(let rule): try rule.build(&builder)
        case .deriveStandard(let rule): try rule.build(&builder)
        case .standardOption(let rule): try rule.build(&builder)
        case .rates(let rule): try rule.build(&builder)
        }
        var result = builder.finish()
        result.funds = now.initialBalance + now.initialMargin
        // What a trade brings to the account's worth, less what it is paid for.
        for (place, candidate) in candidates.enumerated() {
            let contract = market.contracts[candidate.contract]
            let paid = try price(of: candidate.contract, in: market, engine)
            let counted: Double
            switch rule {
            case .standardOption: counted = 0
            case .span(let rule): counted = rule.countsOptionValue || contract.kind != .option ? paid : 0
            case .deriveStandard:
                counted = contract.kind == .option ? paid / contract.multiplier : paid
            case .scan, .deribit, .deribitCross, .rates: counted = paid
            }
            result.fundsSlopes[place] = candidate.unit * (counted - paid)
        }
        return result
    }
}

/// A line over the instruments of a hedge.
struct ConvexLine {
    var constant = 0.0
    var slopes: [Double]

    init(_ count: Int) { slopes = Array(repeating: 0, count: count) }

    static func * (line: ConvexLine, factor: Double) -> ConvexLine {
        var line = line
        line.constant *= factor
        for i in line.slopes.indices { line.slopes[i] *= factor }
        return line
    }

    static func + (one: ConvexLine, other: ConvexLine) -> ConvexLine {
        var line = one
        line.add(other, 1)
        return line
    }

    mutating func add(_ other: ConvexLine, _ weight: Double) {
        constant += weight * other.constant
        for i in slopes.indices { slopes[i] += weight * other.slopes[i] }
    }

    var isConstant: Bool { slopes.allSatisfy { $0 == 0 } }
}

/// Makes a convex requirement of positions, candidates and figures per unit of contract.
struct ConvexBuilder {
    let account: CrossMarginAccount
    let market: MarginMarket
    let candidates: [MarginCandidate]
    let engine: GreeksEngine
    /// Contracts that are held or may be traded, in the market's order.
    let contracts: [Int]
    private var result: ConvexRequirement
    private var base: ConvexLine
    private var baseParts: [ConvexRequirement.Part] = []
    private let instrumentsOf: [Int: [Int]]

    init(
        _ account: CrossMarginAccount, _ market: MarginMarket, _ candidates: [MarginCandidate],
        _ engine: GreeksEngine
    ) {
        (self.account, self.market, self.candidates, self.engine) = (account, market, candidates, engine)
        instrumentsOf = Dictionary(grouping: candidates.indices) { candidates[$0].contract }
        contracts = Set(account.held + candidates.map(\.contract)).sorted()
        result = ConvexRequirement(instrumentCount: candidates.count)
        base = ConvexLine(candidates.count)
    }

    /// A line of nothing.
    var line: ConvexLine { ConvexLine(candidates.count) }

    func contracts(_ kind: MarginMarket.Kind) -> [Int] {
        contracts.filter { market.contracts[$0].kind == kind }
    }

    /// The quantity of a contract after the trades.
    func quantity(_ contract: Int) -> ConvexLine {
        var line = self.line
        line.constant = account.quantities[contract]
        for instrument in instrumentsOf[contract] ?? [] {
            line.slopes[instrument] += candidates[instrument].unit
        }
        return line
    }

    /// Adds a line to what is always required.
    mutating func add(_ line: ConvexLine) { base.add(line, 1) }
    mutating func add(_ constant: Double) { base.constant += constant }
    mutating func note(_ text: String) { result.notes.append(text) }

    /// The largest of lines, times a weight, as a part of an outcome; what no trade changes goes into `line`.
    mutating func part(
        _ lines: [ConvexLine], _ weight: Double, else line: inout ConvexLine
    ) -> ConvexRequirement.Part? {
        guard weight != 0, let first = lines.first else { return nil }
        if lines.count == 1 {
            line.add(first, weight)
            return nil
        }
        if lines.allSatisfy(\.isConstant) {
            line.constant += weight * (lines.map(\.constant).max() ?? 0)
            return nil
        }
        let start = result.lineCount
        for line in lines { addLine(line) }
        return ConvexRequirement.Part(kink: result.addKink(start..<result.lineCount), weight: weight)
    }

    /// Adds the largest of lines, times a weight, to what is always required.
    mutating func add(_ lines: [ConvexLine], _ weight: Double) {
        var rest = line
        if let part = part(lines, weight, else: &rest) { baseParts.append(part) }
        base.add(rest, 1)
    }

    /// |line|.
    mutating func addMagnitude(_ line: ConvexLine, _ weight: Double) {
        add([line, line * -1], weight)
    }

    mutating func addOutcome(_ title: String, _ line: ConvexLine, _ parts: [ConvexRequirement.Part]) {
        result.addOutcome(title, line: addLine(line), parts)
    }

    mutating func addWorst(_ weight: Double) { result.addWorst(weight: weight) }

    mutating func addBend(_ line: ConvexLine, rate: Double, scale: Double, threshold: Double) {
        result.addBend(line: addLine(line), rate: rate, scale: scale, threshold: threshold)
    }

    @discardableResult
    private mutating func addLine(_ line: ConvexLine) -> Int {
        result.addLine(
            line.constant, line.slopes.enumerated().lazy.map { (instrument: $0, coefficient: $1) })
    }

    mutating func finish() -> ConvexRequirement {
        result.setBase(line: addLine(base), baseParts)
        return result
    }
}
