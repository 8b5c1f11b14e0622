/// A requirement followed through changes of one trade at a time: what each would make of it costs the lines that the
/// instrument is in, not all of them.
package final class RequirementMoves {
    private let requirement: ConvexRequirement
    /// Of each instrument, the lines that it is in and by how much.
    private let starts: [Int]
    private let lineOfEntry: [Int]
    private let slopeOfEntry: [Double]
    /// Of each instrument, kinks with such a line.
    private let kinkStarts, kinksOfInstrument: [Int]
    /// Of each line and of each kink, outcomes that count it; the base stands behind them.
    private let targetStarts, targets: [Int]
    private let kinkTargetStarts, kinkTargets: [Int]
    private let kinkWeights: [Double]
    private let bendsOfInstrument: [Bool]

    private var lines, kinks, outcomes: [Double]
    private var trialLines, trialOutcomes: [Double]
    private var bends = 0.0
    /// What is required now.
    package private(set) var required = 0.0

    package init(_ requirement: ConvexRequirement) {
        self.requirement = requirement
        let (count, lineCount) = (requirement.instrumentCount, requirement.lineCount)
        let base = requirement.outcomes.count
        var columns = Array(repeating: [(line: Int, slope: Double)](), count: count)
        for line in 0..<lineCount {
            for k in requirement.places(ofLine: line) where requirement.coefficients[k] != 0 {
                columns[Int(requirement.instruments[k])].append((line, requirement.coefficients[k]))
            }
        }
        var (ofLine, ofKink): ([[Int]], [[(Int, Double)]]) = (
            Array(repeating: [], count: lineCount), Array(repeating: [], count: requirement.kinks.count)
        )
        for (place, outcome) in (requirement.outcomes + [requirement.base]).enumerated() where lineCount > 0 {
            ofLine[outcome.line].append(place)
            for k in outcome.parts {
                let part = requirement.parts[k]
                ofKink[part.kink].append((place, part.weight))
            }
        }
        var kinksOfLine = Array(repeating: [Int](), count: lineCount)
        for (kink, range) in requirement.kinks.enumerated() {
            for line in range { kinksOfLine[line].append(kink) }
        }
        let bent = Set(requirement.bends.map(\.line))
        bendsOfInstrument = columns.map { $0.contains { bent.contains($0.line) } }
        let touched = columns.map { column in
            Array(Set(column.flatMap { kinksOfLine[$0.line] })).sorted()
        }
        starts = Self.starts(columns)
        (lineOfEntry, slopeOfEntry) = (
            columns.flatMap { $0.map(\.line) }, columns.flatMap { $0.map(\.slope) }
        )
        (kinkStarts, kinksOfInstrument) = (Self.starts(touched), touched.flatMap { $0 })
        (targetStarts, targets) = (Self.starts(ofLine), ofLine.flatMap { $0 })
        (kinkTargetStarts, kinkTargets) = (Self.starts(ofKink), ofKink.flatMap { $0.map(\.0) })
        kinkWeights = ofKink.flatMap { $0.map(\.1) }
        lines = Array(repeating: 0, count: lineCount)
        kinks = Array(repeating: 0, count: requirement.kinks.count)
        outcomes = Array(repeating: 0, count: base + 1)
        trialLines = lines
        trialOutcomes = outcomes
        start(at: Array(repeating: 0, count: count))
    }

    private static func starts(_ lists: [[some Any]]) -> [Int] {
        lists.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    }

    /// Begins anew at some trades: what changes one by one have accumulated of rounding is gone.
    package func start(at trades: [Double]) {
        for line in lines.indices {
            var sum = requirement.constants[line]
            for k in requirement.places(ofLine: line) {
                sum += requirement.coefficients[k] * trades[Int(requirement.instruments[k])]
            }
            lines[line] = sum
            trialLines[line] = sum
        }
        for kink in kinks.indices { kinks[kink] = largest(ofKink: kink) }
        for outcome in outcomes.indices { outcomes[outcome] = 0 }
        for line in lines.indices {
            for k in targetStarts[line]..<targetStarts[line + 1] { outcomes[targets[k]] += lines[line] }
        }
        for kink in kinks.indices {
            for k in kinkTargetStarts[kink]..<kinkTargetStarts[kink + 1] {
                outcomes[kinkTargets[k]] += kinkWeights[k] * kinks[kink]
            }
        }
        for outcome in outcomes.indices { trialOutcomes[outcome] = outcomes[outcome] }
        bends = bent()
        required = total(bends)
    }

    /// What would be required if a trade were larger by `change`.
    package func required(after instrument: Int, by change: Double) -> Double {
        let own = starts[instrument]..<starts[instrument + 1]
        guard !own.isEmpty else { return required }
        step(instrument, change)
        let result = total(bendsOfInstrument[instrument] ? bent() : bends)
        for k in own { trialLines[lineOfEntry[k]] = lines[lineOfEntry[k]] }
        for outcome in outcomes.indices { trialOutcomes[outcome] = outcomes[outcome] }
        return result
    }

    /// Makes a trade larger by `change`.
    package func move(_ instrument: Int, by change: Double) {
        step(instrument, change)
        for k in starts[instrument]..<starts[instrument + 1] {
            lines[lineOfEntry[k]] = trialLines[lineOfEntry[k]]
        }
        for k in kinkStarts[instrument]..<kinkStarts[instrument + 1] {
            kinks[kinksOfInstrument[k]] = largest(ofKink: kinksOfInstrument[k])
        }
        for outcome in outcomes.indices { outcomes[outcome] = trialOutcomes[outcome] }
        bends = bent()
        required = total(bends)
    }

    /// Lines and outcomes of the trial after a change; kinks stay.
    private func step(_ instrument: Int, _ change: Double) {
        for k in starts[instrument]..<starts[instrument + 1] {
            let (line, rise) = (lineOfEntry[k], slopeOfEntry[k] * change)
            trialLines[line] += rise
            for t in targetStarts[line]..<targetStarts[line + 1] { trialOutcomes[targets[t]] += rise }
        }
        for k in kinkStarts[instrument]..<kinkStarts[instrument + 1] {
            let kink = kinksOfInstrument[k]
            let rise = largest(ofKink: kink) - kinks[kink]
            guard rise != 0 else { continue }
            for t in kinkTargetStarts[kink]..<kinkTargetStarts[kink + 1] {
                trialOutcomes[kinkTargets[t]] += kinkWeights[t] * rise
            }
        }
    }

    private func largest(ofKink kink: Int) -> Double {
        let range = requirement.kinks[kink]
        var largest = trialLines[range.lowerBound]
        for line in range where trialLines[line] > largest { largest = trialLines[line] }
        return largest
    }

    private func bent() -> Double {
        var sum = 0.0
        for bend in requirement.bends {
            let size = trialLines[bend.line].magnitude
            sum += bend.rate * max(size * bend.scale - bend.threshold, 0) * size
        }
        return sum
    }

    private func total(_ bends: Double) -> Double {
        var sum = bends + trialOutcomes[trialOutcomes.count - 1]
        for worst in requirement.worsts {
            var largest = trialOutcomes[worst.outcomes.lowerBound]
            for outcome in worst.outcomes where trialOutcomes[outcome] > largest {
                largest = trialOutcomes[outcome]
            }
            sum += worst.weight * largest
        }
        return sum
    }
}
