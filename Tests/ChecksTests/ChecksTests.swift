import Checks
import Testing

@Suite struct NumberRuleTests {
    /// Each rule with what it accepts and what it refuses, NaN beside.
    static let rules: [(rule: NumberRule, accepted: [Double], refused: [Double])] = [
        (.number, [-.infinity, 0, .infinity], []),
        (.finite, [-1e308, 0, 1e308], [.infinity, -.infinity]),
        (.notNegative, [0, -0.0, 5e-324, 1e308], [-5e-324, .infinity]),
        (.positive, [5e-324, 1e308], [0, -1, .infinity]),
        (.share, [0, 1, 0.5], [-5e-324, (1.0).nextUp, .infinity]),
        (.atLeast(2), [2, 1e308], [(2.0).nextDown, .infinity]),
        (.within(-1...20), [-1, 20], [(-1.0).nextDown, (20.0).nextUp, .infinity, -.infinity]),
        (.positiveUpTo(3), [5e-324, 3], [0, (3.0).nextUp, -1]),
        (.above(-1, upTo: 5), [(-1.0).nextUp, 5], [-1, (5.0).nextUp, .infinity]),
        (.above(-1, upTo: .infinity), [(-1.0).nextUp, 1e308], [-1, .infinity]),
        (.between(0, 1), [5e-324, (1.0).nextDown], [0, 1]),
        (.from(0.5, below: 1), [0.5, (1.0).nextDown], [(0.5).nextDown, 1]),
        (.allowance, [0, 1, .infinity], [-5e-324, -.infinity]),
        (.lowerEnd, [-.infinity, 1e308], [.infinity]),
        (.upperEnd, [.infinity, -1e308], [-.infinity]),
    ]

    @Test("A rule accepts up to its bounds and refuses what lies beyond them", arguments: rules.indices)
    func bounds(_ index: Int) {
        let (rule, accepted, refused) = Self.rules[index]
        for value in accepted { #expect(rule.accepts(value), "\(rule) \(value)") }
        for value in refused { #expect(!rule.accepts(value), "\(rule) \(value)") }
    }

    @Test("NaN breaks every rule", arguments: rules.indices)
    func nan(_ index: Int) {
        #expect(!Self.rules[index].rule.accepts(.nan))
        #expect(!Self.rules[index].rule.accepts(-.nan))
    }

    @Test("Complaints name bounds as short as they can be written")
    func complaints() {
        #expect(NumberRule.within(0.01...3650).complaint == "must be from 0.01 to 3650")
        #expect(NumberRule.positiveUpTo(1e12).complaint == "must be above 0, at most 1e12")
        #expect(NumberRule.above(-1, upTo: 1e6).complaint == "must be above -1, at most 1000000")
        #expect(NumberRule.above(-1, upTo: .infinity).complaint == "must be above -1 and finite")
        #expect(NumberRule.between(0, 1).complaint == "must be above 0 and below 1")
        #expect(NumberRule.from(0.5, below: 1).complaint == "must be at least 0.5 and below 1")
        #expect(NumberRule.atLeast(-1.5e7).complaint == "must be at least -15000000 and finite")
        #expect(NumberRule.atLeast(0).complaint == "must be at least 0 and finite")
        for value in [0.0, -0.0, 1e7, 1.2e9, 123, -5e300, 0.1, 1e-9] { #expect(Double(value.shown) == value) }
    }
}

@Suite struct PoiseErrorTests {
    private struct Example: PoiseError {
        var reason = "must be finite"
        var place: Place?
        var field = ""
        var value: String?
    }

    @Test("A sentence has the parts that are there, from the place to the reason")
    func sentences() {
        #expect("\(Example())" == "must be finite")
        #expect(
            "\(Example(place: .line(file: "a.csv", 3), field: "rate", value: "inf"))"
                == "a.csv:3: rate: inf: must be finite")
        #expect(
            "\(Example(place: .row(0, table: "limits"), field: "low"))"
                == "limits: row 0: low: must be finite")
        #expect("\(Example(place: .row(7)))" == "row 7: must be finite")
        #expect("\(Example(place: .name("BTC"), value: ""))" == "BTC: \"\": must be finite")
        #expect("\(Example(value: "60\n"))" == "\"60\\u{a}\": must be finite")
    }

    @Test("A value reads back as the number that it was")
    func numbers() {
        #expect(Example(value: "\(0.1 + 0.2)").number == 0.1 + 0.2)
        #expect(Example(value: "-inf").number == -.infinity)
        #expect(Example(value: "x").number.isNaN)
        #expect(Example().number.isNaN)
    }
}
