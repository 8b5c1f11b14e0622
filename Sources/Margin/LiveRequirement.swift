import Risk
import VectorMath

/// The initial margin of a live account as a convex function of trades, followed from tick to tick.
///
/// `LiveMargin` has the values of all contracts in all scenarios; the lines of the requirement are written from them in
/// place, so that `refresh` allocates nothing.
public final class LiveRequirement {
    public let live: LiveMargin
    public let candidates: [MarginCandidate]
    public private(set) var requirement: ConvexRequirement

    /// An instrument of the hedge: where it is, its row of values, its unit.
    private struct Member {
        let instrument, contract, row: Int
        let unit: Double
    }

    /// Of each expiry, its options among the candidates.
    private let options: [[Member]]
    private let perpetuals, spots: [Member]
    /// Moves that are scenarios, in the grid's order.
    private let moves: [Int]
    private let isMarked: Bool
    /// Strikes of candidates, and the options of each.
    private let strikes: [(slot: Int, members: [Member])]
    private let isSlotTraded: [Bool]
    private let hasConfidence: Bool

    /// - Throws: candidates that the account's model has no rule for.
    public init(_ live: LiveMargin, trading candidates: [MarginCandidate]) throws(MarginError) {
        self.live = live
        self.candidates = candidates
        var options = Array(repeating: [Member](), count: live.expiryCount)
        var (perpetuals, spots): ([Member], [Member]) = ([], [])
        var strikes: [Int: [Member]] = [:]
        for (instrument, candidate) in candidates.enumerated() {
            guard live.market.contracts.indices.contains(candidate.contract) else {
                throw MarginError(
                    .name("candidate"), field: "contract", value: "\(candidate.contract)",
                    reason: "is no contract of the market")
            }
            let contract = live.market.contracts[candidate.contract]
            try MarginError.require(.finite, candidate.unit, "unit", of: contract.name)
            let member = Member(
                instrument: instrument, contract: candidate.contract,
                row: live.rowOfContract[candidate.contract], unit: candidate.unit)
            switch contract.kind {
            case .option:
                options[live.expiryOfLeg[member.row]].append(member)
                strikes[live.strikeOfLeg[member.row], default: []].append(member)
            case .perpetual: perpetuals.append(member)
            case .spot: spots.append(member)
            default: throw .unknownKind(contract, for: ScanMargin.model)
            }
        }
        self.options = options
        (self.perpetuals, self.spots) = (perpetuals, spots)
        self.strikes = strikes.sorted { $0.key < $1.key }.map { (slot: $0.key, members: $0.value) }
        isSlotTraded = (0..<live.strikeNet.count).map { strikes[$0] != nil }
        moves = live.scenarioOfMove.indices.filter { live.scenarioOfMove[$0] != nil }
            .sorted { (live.scenarioOfMove[$0] ?? 0) < (live.scenarioOfMove[$1] ?? 0) }
        isMarked = live.model.grid.haircut != nil
        hasConfidence = live.model.confidenceFactor > 0
        requirement = ConvexRequirement(instrumentCount: candidates.count)
        layOut()
        refresh()
    }

    // MARK: Layout

    /// Adds every line in the order in which `refresh` writes them.
    private func layOut() {
        var result = requirement
        func line(_ members: [Member]) -> Int {
            result.addLine(0, members.map { (instrument: $0.instrument, coefficient: 1.0) })
        }
        func kink(_ members: [Member], _ count: Int, _ weight: Double) -> ConvexRequirement.Part {
            let first = result.lineCount
            for _ in 0..<count { _ = line(members) }
            return ConvexRequirement.Part(kink: result.addKink(first..<result.lineCount), weight: weight)
        }
        for move in moves {
            let scenario = live.model.grid.scenarios[live.scenarioOfMove[move] ?? 0]
            let isAbsolute = scenario.expiryLoss == .absolute
            var parts: [ConvexRequirement.Part] = []
            for members in options where !members.isEmpty {
                let count = (isMarked ? 2 : 1) * (isAbsolute ? 2 : 1)
                parts.append(kink(members, count, scenario.dampening))
            }
            let own = line(perpetuals + spots)
            result.addOutcome(live.model.grid.title(live.scenarioOfMove[move] ?? 0), line: own, parts)
        }
        if !live.basisMoves.isEmpty {
            let parts = options.filter { !$0.isEmpty }.map { kink($0, 1 + live.basisMoves.count, 1) }
            result.addOutcome("basis", line: line([]), parts)
        }
        result.addWorst(weight: live.model.initialFactor(at: live.stablePrice))
        var parts: [ConvexRequirement.Part] = []
        for member in perpetuals + spots { parts.append(kink([member], 2, 1)) }
        for strike in strikes { parts.append(kink(strike.members, 2, 1)) }
        if hasConfidence {
            for member in perpetuals + spots + options.flatMap({ $0 }) { parts.append(kink([member], 2, 1)) }
        }
        result.setBase(line: line([]), parts)
        if live.model.grid.scenarios.contains(where: { $0.expiryLoss == .absolute }) {
            result.notes.append(
                "scenarios that count an expiry's profit as a loss take the worse of long and short marks")
        }
        requirement = result
    }

    // MARK: Numbers

    /// Writes all lines anew, after `live` has been updated. Allocates nothing.
    public func refresh() {
        let live = live
        // Taken out while it is written: a class would ask at each number whether it is the only one to.
        var own = ConvexRequirement(instrumentCount: 0)
        swap(&own, &requirement)
        defer { swap(&own, &requirement) }
        var line = 0
        for move in moves {
            let dampening = live.lanes[live.stride + move]
            let isAbsolute = live.lanes[2 * live.stride + move] > 0
            var constant = -dampening * live.still.moving * live.lanes[move]
            for expiry in 0..<live.expiryCount {
                guard !options[expiry].isEmpty else {
                    constant -= dampening * live.parts[expiry * live.stride + move]
                    continue
                }
                writeLosses(&own, &line, expiry, move, isAbsolute: isAbsolute)
            }
            write(&own, &line, constant)
            var place = own.places(ofLine: line - 1).lowerBound
            let gain = -dampening * live.lanes[move]
            for member in perpetuals {
                own.coefficients[place] = gain * member.unit * live.perpetualPrices[member.contract]
                place += 1
            }
            for member in spots {
                own.coefficients[place] = gain * member.unit * live.spot / live.stablePrice
                place += 1
            }
        }
        if !live.basisMoves.isEmpty { writeBasis(&own, &line) }
        writeContingencies(&own, &line)
        own.funds = live.figures.markToMarket
    }

    private func write(
        _ own: inout ConvexRequirement, _ line: inout Int, _ constant: Double
    ) {
        own.constants[line] = constant
        line += 1
    }

    private func writeLosses(
        _ own: inout ConvexRequirement, _ line: inout Int, _ expiry: Int, _ move: Int, isAbsolute: Bool
    ) {
        let first = expiry * live.stride
        let (now, shocked) = (live.sums[first + live.present], live.sums[first + move])
        for sign in 0..<(isAbsolute ? 2 : 1) {
            for side in 0..<(isMarked ? 2 : 1) {
                let share = isMarked ? (side == 0 ? live.longShare[expiry] : live.shortShare[expiry]) : 1
                let factor = sign == 0 ? 1.0 : -1
                var place = own.places(ofLine: line).lowerBound
                for member in options[expiry] {
                    let row = member.row * live.stride
                    own.coefficients[place] =
                        factor * member.unit
                        * (live.values[row + live.present] - share * live.values[row + move])
                    place += 1
                }
                write(&own, &line, factor * (now - share * shocked))
            }
        }
    }

    private func writeBasis(
        _ own: inout ConvexRequirement, _ line: inout Int
    ) {
        var rest = 0.0
        for expiry in 0..<live.expiryCount {
            guard !options[expiry].isEmpty else {
                rest -= live.basisParts[expiry]
                continue
            }
            let factor = live.basisFactors[expiry]
            let first = expiry * live.stride
            for number in 0...live.basisMoves.count {
                let move = number == 0 ? live.present : live.basisMoves[number - 1]
                var place = own.places(ofLine: line).lowerBound
                for member in options[expiry] {
                    let row = member.row * live.stride
                    own.coefficients[place] =
                        factor * member.unit
                        * (live.values[row + live.present] - live.values[row + move])
                    place += 1
                }
                write(&own, &line, factor * (live.sums[first + live.present] - live.sums[first + move]))
            }
        }
        write(&own, &line, rest)
    }

    /// ±(what is held and traded), times a rate.
    private func writeMagnitude(
        _ own: inout ConvexRequirement, _ line: inout Int, _ member: Member, _ held: Double, _ rate: Double
    ) {
        for side in 0..<2 {
            let sign = side == 0 ? 1.0 : -1
            own.coefficients[own.places(ofLine: line).lowerBound] = sign * rate * member.unit
            write(&own, &line, sign * rate * held)
        }
    }

    private func writeContingencies(
        _ own: inout ConvexRequirement, _ line: inout Int
    ) {
        let model = live.model
        let scale = model.areContingenciesScaled ? model.initialFactor(at: live.stablePrice) : 1
        func rate(_ contingency: ScanMargin.Contingency) -> Double {
            (contingency.maintenance + contingency.initial) * live.spot * scale
        }
        let (ofPerpetual, ofSpot, ofShort) = (rate(model.perpetual), rate(model.spot), rate(model.nakedShort))
        var rest =
            (live.still.collateralMaintenance + live.still.collateralInitial) * scale
            + live.still.collateralExtra
        var (otherPerpetuals, otherSpots) = (live.still.perpetuals, live.still.coins)
        for member in perpetuals {
            otherPerpetuals -= live.coins[member.contract].magnitude
            writeMagnitude(&own, &line, member, live.coins[member.contract], ofPerpetual)
        }
        for member in spots {
            otherSpots -= live.coins[member.contract].magnitude
            writeMagnitude(&own, &line, member, live.coins[member.contract], ofSpot)
        }
        rest += otherPerpetuals * ofPerpetual + otherSpots * ofSpot
        for strike in strikes {
            for part in 0..<2 {
                let weight = part == 0 ? 0 : -ofShort
                var place = own.places(ofLine: line).lowerBound
                for member in strike.members {
                    own.coefficients[place] = weight * member.unit
                    place += 1
                }
                write(&own, &line, weight * live.strikeNet[strike.slot])
            }
        }
        for slot in 0..<isSlotTraded.count where !isSlotTraded[slot] {
            rest += ofShort * max(0, -live.strikeNet[slot])
        }
        if hasConfidence { rest += writeConfidence(&own, &line, otherPerpetuals + otherSpots) }
        write(&own, &line, rest)
    }

    /// - Returns: what is not traded.
    private func writeConfidence(
        _ own: inout ConvexRequirement, _ line: inout Int, _ others: Double
    ) -> Double {
        let holds = live.still.perpetuals > 0 || !perpetuals.isEmpty
        let ofLinear = live.model.extra(holds ? live.confidences.with : live.confidences.without, live.spot)
        for member in perpetuals {
            writeMagnitude(&own, &line, member, live.coins[member.contract], ofLinear)
        }
        for member in spots { writeMagnitude(&own, &line, member, live.coins[member.contract], ofLinear) }
        var rest = others * ofLinear
        for expiry in 0..<live.expiryCount {
            let rate = live.confidenceRate[2 * expiry + (holds ? 1 : 0)] * live.spot
            var other = live.grossOfExpiry[expiry]
            for member in options[expiry] {
                other -= live.quantities[member.row].magnitude
                writeMagnitude(&own, &line, member, live.quantities[member.row], rate)
            }
            rest += other * rate
        }
        return rest
    }
}
