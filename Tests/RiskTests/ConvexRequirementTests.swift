import Poise
import Risk
import TestSupport
import Testing

/// What is required after trades, beside the formula that it stands for.
struct ConvexRequirementTests {
    private typealias Part = ConvexRequirement.Part
    private typealias Function = ([Double]) -> Double

    /// A requirement of random lines, kinks, outcomes and bends, and its formula.
    private struct Drawn {
        var requirement: ConvexRequirement
        let formula: Function
        private(set) var generator: SeededGenerator

        init(_ seed: UInt64) {
            var generator = SeededGenerator(seed: seed)
            let count = Int.random(in: 1...4, using: &generator)
            var requirement = ConvexRequirement(instrumentCount: count)
            func line() -> (place: Int, value: Function) {
                let constant = Double.random(in: -4...4, using: &generator)
                let slopes = (0..<count).map { _ in
                    Bool.random(using: &generator) ? 0 : Double.random(in: -3...3, using: &generator)
                }
                let place = requirement.addLine(
                    constant, slopes.enumerated().map { (instrument: $0, coefficient: $1) })
                return (place, { constant + zip(slopes, $0).reduce(0) { $0 + $1.0 * $1.1 } })
            }
            func parts() -> (own: [Part], value: Function) {
                var own: [Part] = []
                var values: [Function] = []
                for _ in 0..<Int.random(in: 0...2, using: &generator) {
                    let weight = Double.random(in: 0...2, using: &generator)
                    let lines = (0..<Int.random(in: 1...3, using: &generator)).map { _ in line() }
                    let kink = requirement.addKink(lines[0].place..<lines[0].place + lines.count)
                    own.append(Part(kink: kink, weight: weight))
                    values.append { x in weight * (lines.map { $0.value(x) }.max() ?? .nan) }
                }
                return (own, { x in values.reduce(0) { $0 + $1(x) } })
            }
            let (base, more) = (line(), parts())
            requirement.setBase(line: base.place, more.own)
            var terms: [Function] = [base.value, more.value]
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                let weight = Double.random(in: 0...2, using: &generator)
                var outcomes: [Function] = []
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let (own, more) = (line(), parts())
                    requirement.addOutcome("outcome", line: own.place, more.own)
                    outcomes.append { own.value($0) + more.value($0) }
                }
                requirement.addWorst(weight: weight)
                terms.append { x in weight * (outcomes.map { $0(x) }.max() ?? .nan) }
            }
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                let (own, rate) = (line(), Double.random(in: 0.1...1, using: &generator))
                let (scale, threshold) = (
                    Double.random(in: 0.2...3, using: &generator), Double.random(in: 0...4, using: &generator)
                )
                requirement.addBend(line: own.place, rate: rate, scale: scale, threshold: threshold)
                terms.append { x in
                    let size = own.value(x).magnitude
                    return rate * max(size * scale - threshold, 0) * size
                }
            }
            requirement.funds = Double.random(in: -9...9, using: &generator)
            requirement.fundsSlopes = (0..<count).map { _ in Double.random(in: -2...2, using: &generator) }
            self.requirement = requirement
            formula = { x in terms.reduce(0) { $0 + $1(x) } }
            self.generator = generator
        }

        mutating func trades() -> [Double] {
            (0..<requirement.instrumentCount).map { _ in Double.random(in: -5...5, using: &generator) }
        }
    }

    private static func isNear(_ a: Double, _ b: Double) -> Bool {
        (a - b).magnitude <= 1e-11 * max(1, a.magnitude, b.magnitude)
    }

    private static func value(_ plane: (constant: Double, slopes: [Double]), _ x: [Double]) -> Double {
        plane.constant + zip(plane.slopes, x).reduce(0) { $0 + $1.0 * $1.1 }
    }

    @Test("A requirement is its formula, and funds are a line", arguments: 0..<64)
    func formula(_ seed: UInt64) {
        var drawn = Drawn(seed)
        let point = RequirementPoint(drawn.requirement)
        for draw in 0..<20 {
            let x = draw == 0 ? drawn.trades().map { _ in 0 } : drawn.trades()
            let value = point.evaluate(drawn.requirement, at: x)
            #expect(Self.isNear(value, drawn.formula(x)), "\(value), not \(drawn.formula(x))")
            #expect(drawn.requirement.required(after: x) == value)
            let funds =
                drawn.requirement.funds + zip(drawn.requirement.fundsSlopes, x).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(Self.isNear(drawn.requirement.funds(after: x), funds))
        }
    }

    @Test("Followed through single trades, a requirement is what it is at all of them", arguments: 0..<64)
    func moves(_ seed: UInt64) {
        var drawn = Drawn(seed)
        let moves = RequirementMoves(drawn.requirement)
        var x = drawn.trades().map { _ in 0.0 }
        #expect(Self.isNear(moves.required, drawn.formula(x)))
        for round in 0..<40 {
            let i = round % x.count
            let change = drawn.trades()[i]
            var moved = x
            moved[i] += change
            #expect(Self.isNear(moves.required(after: i, by: change), drawn.formula(moved)))
            #expect(Self.isNear(moves.required, drawn.formula(x)))
            if round % 3 == 0 {
                x = drawn.trades()
                moves.start(at: x)
            } else {
                moves.move(i, by: change)
                x = moved
            }
            #expect(Self.isNear(moves.required, drawn.formula(x)))
        }
    }

    @Test(
        "A plane touches where it was taken, and it and those of other outcomes lie nowhere above",
        arguments: 0..<64)
    func planes(_ seed: UInt64) {
        var drawn = Drawn(seed)
        let requirement = drawn.requirement
        let point = RequirementPoint(requirement)
        var planes: [(constant: Double, slopes: [Double])] = []
        for _ in 0..<12 {
            let x = drawn.trades()
            let value = point.evaluate(requirement, at: x)
            func add(_ plane: RequirementPlane) {
                var slopes = x.map { _ in Double.nan }
                planes.append((requirement.slopes(of: plane, into: &slopes), slopes))
            }
            var other = point.plane
            for (worst, outcomes) in requirement.ranges.enumerated() {
                for outcome in outcomes {
                    point.plane(with: outcome, of: worst, into: &other)
                    #expect(other.outcomes[worst] == Int32(outcome))
                    #expect((other == point.plane) == (point.plane.outcomes[worst] == Int32(outcome)))
                    add(other)
                    // By as much as the outcome is less.
                    let less =
                        requirement.worstWeight(worst)
                        * (point.outcomeValues[Int(point.plane.outcomes[worst])]
                            - point.outcomeValues[outcome])
                    #expect(planes.last.map { Self.isNear(Self.value($0, x), value - less) } == true)
                }
            }
            add(point.plane)
            #expect(planes.last.map { Self.isNear(Self.value($0, x), value) } == true)
            var copy = RequirementPoint(requirement).plane
            copy.copy(point.plane)
            #expect(copy == point.plane)
            let far = drawn.trades()
            for plane in planes {
                #expect(Self.value(plane, far) <= drawn.formula(far) + 1e-9)
                #expect(Self.value(plane, x) <= value + 1e-9)
            }
        }
    }

    @Test(
        "In another currency every amount is that many times what it was, whatever its parts",
        arguments: 0..<16)
    func scaled(_ seed: UInt64) {
        var drawn = Drawn(seed)
        var other = drawn.requirement
        other.scale(by: 2.5)
        for _ in 0..<8 {
            let x = drawn.trades()
            #expect(Self.isNear(other.required(after: x), 2.5 * drawn.formula(x)))
            #expect(Self.isNear(other.funds(after: x), 2.5 * drawn.requirement.funds(after: x)))
        }
    }

    @Test("A point has room for requirements of its own layout alone, and none is required of nothing")
    func layouts() {
        let drawn = Drawn(5).requirement
        let point = RequirementPoint(drawn)
        #expect(point.fits(drawn))
        let changes: [(inout ConvexRequirement) -> Void] = [
            { $0.addLine(1, [(instrument: 0, coefficient: 1)]) }, { _ = $0.addKink(0..<1) },
            { $0.addOutcome("", line: 0, []) },
            {
                $0.addOutcome("", line: 0, [])
                $0.addWorst(weight: 1)
            }, { $0.addBend(line: 0, rate: 1, scale: 1, threshold: 0) },
        ]
        for change in changes {
            var other = drawn
            change(&other)
            #expect(!point.fits(other))
        }
        // Of no outcomes there is no worst.
        var same = drawn
        same.addWorst(weight: 7)
        #expect(same == drawn && same.ranges.count == drawn.ranges.count)
        let empty = ConvexRequirement(instrumentCount: 2)
        #expect(
            empty.required(after: [3, 4]) == 0 && empty.funds(after: [3, 4]) == 0 && empty.lineCount == 0)
        var slopes = [9.0, 9]
        #expect(empty.slopes(of: RequirementPoint(empty).plane, into: &slopes) == 0 && slopes == [0, 0])
    }

    @Test("Lines leave coefficients of 0 out, and their places are those to change")
    func lines() {
        var requirement = ConvexRequirement(instrumentCount: 3)
        requirement.addLine(2, [(instrument: 0, coefficient: 4), (instrument: 1, coefficient: 0)])
        let line = requirement.addLine(
            -1,
            [
                (instrument: 0, coefficient: 0), (instrument: 1, coefficient: 5),
                (instrument: 2, coefficient: 6),
            ])
        #expect(line == 1 && requirement.lineCount == 2)
        #expect(requirement.instruments == [0, 1, 2] && requirement.coefficients == [4, 5, 6])
        #expect(requirement.places(ofLine: 0) == 0..<1 && requirement.places(ofLine: 1) == 1..<3)
        requirement.setBase(line: line, [])
        requirement.coefficients[2] = 7
        #expect(requirement.required(after: [100, 1, 2]) == -1 + 5 + 14)
    }
}
