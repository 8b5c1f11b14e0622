import Poise

extension Report where Row == TracedStep {
    /// A path step by step: prices, exposures, trades and parts of the profit, and how much of each option is held.
    init(_ steps: [TracedStep], options: [String]) {
        func number(_ name: String, _ value: @escaping (TracedStep) -> Double) -> Column {
            Column(name, style: .significant) { .number(value($0)) }
        }
        func bound(_ name: String, _ value: @escaping (TracedStep) -> Double) -> Column {
            Column(name, style: .significant) { Cell(value($0).ifFinite) }
        }
        func flag(_ name: String, _ isSet: @escaping (TracedStep) -> Bool) -> Column {
            Column(name, style: .significant) { .whole(isSet($0) ? 1 : 0) }
        }
        let state = [
            number("hours", \.hours), number("spot", \.spot), number("mark", \.mark),
            number("book_delta", \.bookDelta), number("hedge_before", \.hedgeBefore),
            number("hedge_after", \.hedgeAfter), bound("band_lower", \.bandLower),
            bound("band_upper", \.bandUpper), number("asked", \.asked), number("filled", \.filled),
            number("equity_usd", \.equity), flag("is_down", \.isDown), flag("is_stale", \.isStale),
            number("gamma", \.gamma), number("vega", \.vega), number("theta", \.theta),
        ]
        let parts = ProfitPart.allCases.enumerated().map { place, part in
            number("\(part.name)_usd") { $0.parts[place] }
        }
        let held = Self.heldColumns(options).enumerated().map { place, name in
            number(name) { place < $0.options.count ? $0.options[place] : 0 }
        }
        self.init(columns: state + parts + held, rows: steps)
    }

    /// Names of columns for options held, each once, of letters, digits, points and dashes:
    /// `held_call_63000_21d`.
    static func heldColumns(_ options: [String]) -> [String] {
        options.map { option in
            let words = option.split { !($0.isLetter || $0.isNumber || ".-".contains($0)) }
            return "held_" + words.joined(separator: "_")
        }.distinct(separator: "_")
    }
}
