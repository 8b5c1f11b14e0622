/// Command lines at the end of each command's help, which run on the sample in the repository.
enum HelpExamples {
    static let lines: [String: [String]] = [
        "greeks": [
            "poise greeks --chain Examples/sample/chain.csv",
            "poise greeks --chain Examples/sample/chain.csv --format csv --output greeks.csv",
        ],
        "iv": ["poise iv --options prices.csv --coin"],
        "risk": [
            "poise risk --chain Examples/sample/chain.csv --positions Examples/sample/positions.csv --by underlying,expiry",
            "poise risk --chain Examples/sample/chain.csv --positions Examples/sample/positions.csv --columns book,net_delta_usd",
        ],
        "scenarios": [
            "poise scenarios --chain Examples/sample/chain.csv --positions Examples/sample/positions.csv --grid Examples/grids/deribit-btc.json --by underlying"
        ],
        "surface": ["poise surface --chain Examples/sample/chain.csv"],
        "var": [
            "poise var --chain Examples/sample/chain.csv --positions Examples/sample/positions.csv --history BTC=Examples/sample/btc-1d.csv --history ETH=Examples/sample/eth-1d.csv"
        ],
        "explain": [
            "poise explain --from morning.csv --to evening.csv --positions positions.csv --trades trades.csv"
        ],
        "margin": [
            "poise margin --chain Examples/sample/chain.csv --positions Examples/sample/positions.csv --underlying BTC --account Examples/margin/account-btc.toml --model Examples/margin/deribit-pm-btc.json"
        ],
        "hedge": [
            "poise hedge --chain Examples/sample/chain.csv --positions Examples/sample/positions.csv --limits Examples/sample/limits.csv",
            "poise hedge --problem problem.json --seconds 10",
        ],
        "simulate": ["poise simulate --config Examples/simulate/calm.toml --paths 64 --report frontier.html"],
        "bench": ["poise bench"],
    ]

    /// The end of a command's discussion.
    static func of(_ command: String) -> String {
        "\n\nEXAMPLES:\n" + (lines[command] ?? []).map { "  " + $0 }.joined(separator: "\n")
    }
}
