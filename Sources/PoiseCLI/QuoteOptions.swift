import ArgumentParser
import Checks
import Market
import Poise

extension ChainQuoteRules.Forward: ExpressibleByArgument {}

/// How a chain's prices become quotes of smiles.
struct QuoteOptions: ParsableArguments {
    @Option(
        help: """
            Of --chain: the forward that the options name (their future's, or the exchange's own), or that of put-call \
            parity at the two strikes where call and put are nearest.
            """)
    var forward: ChainQuoteRules.Forward?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Of --chain: leave out quotes older than the latest by more.", valueName: "seconds"))
    var maxAge: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Of --chain: leave out quotes whose bid is fewer ticks; 1 leaves out those without a bid, 2 the smallest, too.",
            valueName: "count"))
    var minTicks: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Of --chain: the tick of prices as they are quoted, where neither --instruments nor the exchange says.",
            valueName: "price"))
    var tick: Double?

    @Option(
        help: ArgumentHelp(
            "Of --chain: exchange's list of instruments, for their ticks; may be repeated.", valueName: "file"
        ))
    var instruments: [String] = []

    @Flag(help: "Of --chain: leave out quotes of one side.")
    var twoSided = false

    func validate() throws {
        try NumberRule.notNegative.require("--max-age", maxAge)
        try NumberRule.notNegative.require("--min-ticks", minTicks)
        try NumberRule.positive.require("--tick", tick)
    }

    /// - Throws: where one is given that has no chain to act on.
    func requireChain(_ hasChain: Bool) throws {
        let given = [
            ("--forward", forward != nil), ("--max-age", maxAge != nil), ("--min-ticks", minTicks != nil),
            ("--tick", tick != nil), ("--instruments", !instruments.isEmpty), ("--two-sided", twoSided),
        ]
        if !hasChain, let (name, _) = given.first(where: \.1) {
            throw ValidationError("\(name) goes with --chain")
        }
    }

    var rules: ChainQuoteRules {
        var rules = ChainQuoteRules()
        rules.forward = forward ?? .named
        rules.maximumAge = maxAge ?? .infinity
        rules.minimumTicks = minTicks ?? 0
        rules.tick = tick
        rules.requiresTwoSides = twoSided
        return rules
    }
}
