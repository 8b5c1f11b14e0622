/// What is required after trades, as a convex function of them: lines, the largest of lines, and sums of such.
///
///     required(x) = base(x) + Σ over worsts: weight · max over its outcomes of outcome(x) + Σ bend(x)
///     outcome(x)  = line(x) + Σ over parts: weight · kink(x),  weight ≥ 0
///     kink(x)     = the largest of some lines,  line(x) = constant + Σ coefficient·x
///     bend(x)     = rate·max(|line(x)|·scale − threshold, 0)·|line(x)|
///
/// An outcome is a scenario's loss, a kink what counts by sign (a value that is marked up where it is owed, a short option
/// that nothing covers). Which line of each kink and which outcome is the largest makes a plane that touches the function
/// from below: planes are what an optimiser needs. Everything lies in flat arrays, so that a tick can change numbers in
/// place.
public struct ConvexRequirement: Sendable, Equatable {
    public struct Part: Sendable, Equatable {
        public var kink: Int
        public var weight: Double

        public init(kink: Int, weight: Double) {
            self.kink = kink
            self.weight = weight
        }
    }

    struct Outcome: Sendable, Equatable {
        var line: Int
        var parts: Range<Int>
    }

    struct Worst: Sendable, Equatable {
        var outcomes: Range<Int>
        var weight: Double
    }

    struct Bend: Sendable, Equatable {
        var line: Int
        var rate, scale, threshold: Double
    }

    public let instrumentCount: Int
    /// What there is to meet it, before what trades cost: `funds + Σ fundsSlopes·x`.
    public var funds = 0.0
    public var fundsSlopes: [Double]
    /// Of each line.
    public var constants: [Double] = []
    /// Of all lines, one line after the other.
    public var coefficients: [Double] = []
    public private(set) var instruments: [Int32] = []
    private(set) var starts: [Int] = [0]
    private(set) var kinks: [Range<Int>] = []
    private(set) var parts: [Part] = []
    private(set) var outcomes: [Outcome] = []
    private(set) var worsts: [Worst] = []
    private(set) var base = Outcome(line: 0, parts: 0..<0)
    private(set) var bends: [Bend] = []
    /// Of each outcome, for people.
    public private(set) var titles: [String] = []
    /// What is not convex in the rule, and what stands in for it: never less than the rule asks.
    public var notes: [String] = []

    public init(instrumentCount: Int) {
        self.instrumentCount = instrumentCount
        fundsSlopes = Array(repeating: 0, count: instrumentCount)
    }

    public var lineCount: Int { constants.count }

    /// Adds a line and returns its place; coefficients of 0 are left out.
    @discardableResult
    public mutating func addLine(
        _ constant: Double, _ terms: some Sequence<(instrument: Int, coefficient: Double)>
    ) -> Int {
        constants.append(constant)
        for (instrument, coefficient) in terms where coefficient != 0 {
            instruments.append(Int32(instrument))
            coefficients.append(coefficient)
        }
        starts.append(coefficients.count)
        return constants.count - 1
    }

    /// Adds the largest of lines that stand one after the other, and returns its place.
    public mutating func addKink(_ lines: Range<Int>) -> Int {
        kinks.append(lines)
        return kinks.count - 1
    }

    /// Adds an outcome; those of one worst stand one after the other.
    public mutating func addOutcome(_ title: String, line: Int, _ own: [Part]) {
        let first = parts.count
        parts += own
        outcomes.append(Outcome(line: line, parts: first..<parts.count))
        titles.append(title)
    }

    /// The outcomes that were added since the last worst.
    public mutating func addWorst(weight: Double) {
        let first = worsts.last?.outcomes.upperBound ?? 0
        guard outcomes.count > first else { return }
        worsts.append(Worst(outcomes: first..<outcomes.count, weight: weight))
    }

    public mutating func setBase(line: Int, _ own: [Part]) {
        let first = parts.count
        parts += own
        base = Outcome(line: line, parts: first..<parts.count)
    }

    public mutating func addBend(line: Int, rate: Double, scale: Double, threshold: Double) {
        bends.append(Bend(line: line, rate: rate, scale: scale, threshold: threshold))
    }

    /// The same in another currency.
    /// - Precondition: the factor, units of the new currency per unit of the old, is above 0 and finite.
    public mutating func scale(by factor: Double) {
        precondition(factor > 0 && factor < .infinity, "a price of one currency in another is above 0")
        funds *= factor
        for i in fundsSlopes.indices { fundsSlopes[i] *= factor }
        for i in constants.indices { constants[i] *= factor }
        for i in coefficients.indices { coefficients[i] *= factor }
        for i in bends.indices {
            bends[i].scale /= factor
        }
    }

    /// Coefficients of a line, to be changed in place.
    public func places(ofLine line: Int) -> Range<Int> { starts[line]..<starts[line + 1] }

    /// What is required after trades.
    public func required(after trades: [Double]) -> Double {
        let point = RequirementPoint(self)
        return point.evaluate(self, at: trades)
    }

    /// What there is to meet it after trades, before their cost.
    public func funds(after trades: [Double]) -> Double {
        var sum = funds
        for i in 0..<instrumentCount { sum += fundsSlopes[i] * trades[i] }
        return sum
    }
}

/// Which lines and outcomes are the largest at some trades: the plane that touches there.
public struct RequirementPlane: Sendable, Equatable {
    public private(set) var kinks: [Int32]
    public fileprivate(set) var outcomes: [Int32]
    /// Where the bends' tangents touch.
    private(set) var bends: [Double]

    fileprivate init(kinks: [Int32], outcomes: [Int32], bends: [Double]) {
        (self.kinks, self.outcomes, self.bends) = (kinks, outcomes, bends)
    }

    /// Takes over another plane of the same requirement, in place.
    public mutating func copy(_ other: RequirementPlane) {
        for k in kinks.indices { kinks[k] = other.kinks[k] }
        for k in outcomes.indices { outcomes[k] = other.outcomes[k] }
        for k in bends.indices { bends[k] = other.bends[k] }
    }

    fileprivate mutating func choose(kink: Int, _ line: Int) { kinks[kink] = Int32(line) }
    fileprivate mutating func touch(bend: Int, _ size: Double) { bends[bend] = size }
}

/// A requirement evaluated at some trades. Made once for a requirement's layout; nothing allocates afterwards.
public final class RequirementPoint {
    private var lines: [Double]
    private var kinkValues: [Double]
    public private(set) var outcomeValues: [Double]
    public private(set) var plane: RequirementPlane

    public init(_ requirement: ConvexRequirement) {
        lines = Array(repeating: 0, count: requirement.constants.count)
        kinkValues = Array(repeating: 0, count: requirement.kinks.count)
        outcomeValues = Array(repeating: 0, count: requirement.outcomes.count)
        plane = RequirementPlane(
            kinks: Array(repeating: 0, count: requirement.kinks.count),
            outcomes: Array(repeating: 0, count: requirement.worsts.count),
            bends: Array(repeating: 0, count: requirement.bends.count))
    }

    /// Whether it has room for a requirement.
    public func fits(_ requirement: ConvexRequirement) -> Bool {
        lines.count == requirement.constants.count && kinkValues.count == requirement.kinks.count
            && outcomeValues.count == requirement.outcomes.count
            && plane.outcomes.count == requirement.worsts.count
            && plane.bends.count == requirement.bends.count
    }

    /// What is required, and the plane that touches there.
    @discardableResult
    public func evaluate(_ requirement: ConvexRequirement, at trades: [Double]) -> Double {
        let (starts, instruments) = (requirement.starts.span, requirement.instruments.span)
        let (constants, coefficients) = (requirement.constants.span, requirement.coefficients.span)
        let x = trades.span
        for line in lines.indices {
            var sum = constants[line]
            for k in starts[line]..<starts[line + 1] { sum += coefficients[k] * x[Int(instruments[k])] }
            lines[line] = sum
        }
        for (kink, range) in requirement.kinks.enumerated() {
            var largest = range.lowerBound
            for line in range where lines[line] > lines[largest] { largest = line }
            plane.choose(kink: kink, largest)
            kinkValues[kink] = lines[largest]
        }
        var sum = value(requirement, requirement.base)
        for (place, worst) in requirement.worsts.enumerated() {
            var largest = worst.outcomes.lowerBound
            for outcome in worst.outcomes {
                outcomeValues[outcome] = value(requirement, requirement.outcomes[outcome])
                if outcomeValues[outcome] > outcomeValues[largest] { largest = outcome }
            }
            plane.outcomes[place] = Int32(largest)
            sum += worst.weight * outcomeValues[largest]
        }
        for (place, bend) in requirement.bends.enumerated() {
            let size = lines[bend.line]
            plane.touch(bend: place, size)
            sum += bend.rate * max(size.magnitude * bend.scale - bend.threshold, 0) * size.magnitude
        }
        return sum
    }

    private func value(
        _ requirement: ConvexRequirement, _ outcome: ConvexRequirement.Outcome
    ) -> Double {
        guard !lines.isEmpty else { return 0 }
        var sum = lines[outcome.line]
        for k in outcome.parts {
            let part = requirement.parts[k]
            sum += part.weight * kinkValues[part.kink]
        }
        return sum
    }

    /// The plane with another outcome of a worst.
    public func plane(with outcome: Int, of worst: Int, into plane: inout RequirementPlane) {
        plane.copy(self.plane)
        if worst < plane.outcomes.count { plane.outcomes[worst] = Int32(outcome) }
    }
}

extension ConvexRequirement {
    /// The outcomes of each worst.
    public var ranges: [Range<Int>] { worsts.map(\.outcomes) }

    public func worstWeight(_ worst: Int) -> Double { worsts[worst].weight }

    /// A plane's slopes, and its value where nothing is traded: nowhere is less required.
    public func slopes(of plane: RequirementPlane, into slopes: inout [Double]) -> Double {
        for i in slopes.indices { slopes[i] = 0 }
        guard !constants.isEmpty else { return 0 }
        var constant = add(base, 1, plane, &slopes)
        for (place, worst) in worsts.enumerated() {
            constant += add(outcomes[Int(plane.outcomes[place])], worst.weight, plane, &slopes)
        }
        for (place, bend) in bends.enumerated() {
            let size = plane.bends[place]
            let over = size.magnitude * bend.scale - bend.threshold
            guard over > 0 else { continue }
            let sign = size < 0 ? -1.0 : 1.0
            let slope = sign * bend.rate * (over + size.magnitude * bend.scale)
            constant += bend.rate * over * size.magnitude - slope * size
            constant += addLine(bend.line, slope, &slopes)
        }
        return constant
    }

    private func add(
        _ outcome: Outcome, _ weight: Double, _ plane: RequirementPlane, _ slopes: inout [Double]
    ) -> Double {
        var constant = addLine(outcome.line, weight, &slopes)
        for k in outcome.parts {
            let part = parts[k]
            constant += addLine(Int(plane.kinks[part.kink]), weight * part.weight, &slopes)
        }
        return constant
    }

    private func addLine(_ line: Int, _ weight: Double, _ slopes: inout [Double]) -> Double {
        for k in starts[line]..<starts[line + 1] {
            slopes[Int(instruments[k])] += weight * coefficients[k]
        }
        return weight * constants[line]
    }
}
