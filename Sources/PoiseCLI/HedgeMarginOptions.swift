import ArgumentParser
import Checks

/// What a venue's margin has to do with a hedge: options of `poise hedge`.
struct HedgeMarginOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Margin model of the venue (JSON or TOML), for a live book.", valueName: "file"))
    var margin: String?

    @Option(
        help: ArgumentHelp(
            "Cash, collateral and feeds' confidence of the account (TOML or JSON), or -.", valueName: "file"))
    var account: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Least headroom over initial margin after the trades, in the account's currency.",
            valueName: "amount"))
    var marginBuffer: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Cost of a unit of initial margin per day; for the days of --horizon, or one.",
            valueName: "rate"))
    var marginPrice: Double?

    @Option(
        help: ArgumentHelp("The account holds the positions in this underlying alone.", valueName: "coin"))
    var marginUnderlying: String?

    func validate() throws {
        try NumberRule.within(-1e15...1e15).require("--margin-buffer", marginBuffer)
        try NumberRule.within(0...1e6).require("--margin-price", marginPrice)
        if margin != nil, account == nil { throw ValidationError("--margin needs --account") }
        let others = [
            ("--account", account != nil), ("--margin-buffer", marginBuffer != nil),
            ("--margin-price", marginPrice != nil), ("--margin-underlying", marginUnderlying != nil),
        ]
        if margin == nil, let (name, _) = others.first(where: \.1) {
            throw ValidationError("\(name) is for a venue's margin: --margin is missing")
        }
    }
}
