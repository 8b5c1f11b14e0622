/// A condition on a number. NaN breaks every rule.
///
/// A rule and its complaint are one thing, so that whoever checks a number against a rule refuses alike and in the same
/// words. What depends on other values has words of its own.
package enum NumberRule: Sendable, Equatable {
    /// Any number, infinity included.
    case number
    case finite
    case notNegative
    case positive
    /// From 0 to 1.
    case share
    /// At least a bound, and finite.
    case atLeast(Double)
    case within(ClosedRange<Double>)
    /// Above 0, at most a bound.
    case positiveUpTo(Double)
    /// Above a bound, at most another or, where that is infinity, finite.
    case above(Double, upTo: Double)
    /// Between two bounds, neither of them included.
    case between(Double, Double)
    /// At least a bound and below another.
    case from(Double, below: Double)
    /// At least 0; infinity stands for "without a limit".
    case allowance
    /// The lower end of a range; −infinity stands for "without a limit".
    case lowerEnd
    /// The upper end of a range; infinity stands for "without a limit".
    case upperEnd

    // Comparisons, which NaN fails; never a negated one.
    @inlinable
    package func accepts(_ value: Double) -> Bool {
        switch self {
        case .number: value == value
        case .finite: value.magnitude < .infinity
        case .notNegative: value >= 0 && value < .infinity
        case .positive: value > 0 && value < .infinity
        case .share: value >= 0 && value <= 1
        case .atLeast(let bound): value >= bound && value < .infinity
        case .within(let range): value >= range.lowerBound && value <= range.upperBound
        case .positiveUpTo(let bound): value > 0 && value <= bound
        case .above(let low, let high): value > low && value <= high && value < .infinity
        case .between(let low, let high): value > low && value < high
        case .from(let low, let high): value >= low && value < high
        case .allowance: value >= 0
        case .lowerEnd: value < .infinity
        case .upperEnd: value > -.infinity
        }
    }

    /// The first of some fields whose value breaks its rule.
    package static func firstBroken(
        _ fields: [(name: String, value: Double, rule: NumberRule)]
    ) -> (field: String, value: Double, complaint: String)? {
        fields.first { !$0.rule.accepts($0.value) }.map { ($0.name, $0.value, $0.rule.complaint) }
    }

    /// The complaint about a refused value: "must be above 0 and finite".
    package var complaint: String {
        switch self {
        case .number: "must be a number"
        case .finite: "must be finite"
        case .notNegative: "must be at least 0 and finite"
        case .positive: "must be above 0 and finite"
        case .share: "must be from 0 to 1"
        case .atLeast(let bound): "must be at least \(bound.shown) and finite"
        case .within(let range): "must be from \(range.lowerBound.shown) to \(range.upperBound.shown)"
        case .positiveUpTo(let bound): "must be above 0, at most \(bound.shown)"
        case .above(let low, .infinity): "must be above \(low.shown) and finite"
        case .above(let low, let high): "must be above \(low.shown), at most \(high.shown)"
        case .between(let low, let high): "must be above \(low.shown) and below \(high.shown)"
        case .from(let low, let high): "must be at least \(low.shown) and below \(high.shown)"
        case .allowance: "must be at least 0"
        case .lowerEnd: "must be a number or -infinity"
        case .upperEnd: "must be a number or infinity"
        }
    }
}

extension Double {
    /// The shortest text that reads back as this number: `3650`, `0.01`, `1e12`.
    package var shown: String {
        let text = "\(self)"
        guard text.hasSuffix(".0") else { return text }
        let whole = text.dropLast(2)
        let digits = whole.reversed().drop { $0 == "0" }
        let zeros = whole.count - digits.count
        return zeros > 6 && !digits.isEmpty ? "\(String(digits.reversed()))e\(zeros)" : String(whole)
    }
}
