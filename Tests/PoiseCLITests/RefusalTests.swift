import Foundation
import TestSupport
import Testing

/// What is wrong with a command line is said in a line, with the status that scripts look at.
struct RefusalTests {
    /// Command lines that are refused, a command with its inputs on each line and what is wrong with them behind `|`; `+`
    /// stands for the chain and books of a part of the sample.
    private static let lines = """
        greeks || --options options.csv --chain CHAIN | --options options.csv --surface own | --options options.csv --stickiness 1
        greeks --options options.csv | --coin --model bachelier | --level fast | --model none | --format none | --exchange deribit
        greeks --chain CHAIN | --model american | --stickiness 1 | --surface own --stickiness 101 | --surface own --stickiness none
        greeks --chain CHAIN | --exchange none | --columns none | --columns delta,,price | --options
        greeks --options none.csv || --skip-bad-rows
        greeks --options options.csv --options options.csv |
        iv || --options prices.csv --coin --model american | --options prices.csv --level fast | --options prices.csv --model x
        risk || --chain CHAIN | --positions BOOKS | --chain - --positions - | --exchange deribit
        risk + | --by none | --by book,book | --by | --by desk | --tenors 7,7 | --tenors -1 | --tenors 7,,8 | --tenors x
        risk + | --moneyness 1,0.9 | --moneyness 0 | --totals | --fail-on-breach | --limits limits.csv --totals --format csv
        risk + | --numeraire coin --by book | --numeraire none | --book | --book b | --limits none.csv | --limits BOOKS
        risk + | --surface own --stickiness -101 | --surface own --stickiness 101 | --stickiness 0 | --desks BOOKS --by desk
        risk --chain BOOKS --positions CHAIN |
        risk --chain CHAIN --positions none.csv |
        scenarios || --grid desk.json | --grid none.json --chain CHAIN --positions BOOKS | --grid BOOKS --chain CHAIN --positions BOOKS
        scenarios + --grid desk.json | --threads 2 | --threads 0 | --options legs.csv | --betas to.json | --totals
        scenarios --grid desk.json --options legs.csv | --threads 1025 | --by book | --svg | --desks d.csv | --surface own
        scenarios --grid derive-eth.json --options legs.csv | --threads 0
        var || + | + --history BTC=btc.csv | + --history BTC | + --history =btc.csv | + --history BTC= | + --history BTC=none.csv
        var + --history BTC=btc.csv --history ETH=eth.csv | --levels 0.4 | --levels 1 | --levels 0.9,0.9 | --levels x | --levels 0.9,
        var + --history BTC=btc.csv --history ETH=eth.csv | --horizon 0 | --horizon 87601 | --horizon 25 | --stride 0 | --stride 1000001
        var + --history BTC=btc.csv --history ETH=eth.csv | --scenarios 1 | --scenarios 67108865 | --decay 0 | --decay 1
        var + --history BTC=btc.csv --history ETH=eth.csv | --term-power -0.1 | --term-power 1.1 | --shrinkage -0.1 | --shrinkage 1.1
        var + --history BTC=btc.csv --history ETH=eth.csv | --method none | --covariance none | --volatility none --volatility-history BTC=btc.csv
        var + --history BTC=btc.csv --history ETH=eth.csv | --volatility-history BTC=btc.csv
        var + --history BTC=btc.csv --history BTC=eth.csv |
        explain || --from from.json | --from from.json --to to.json | --from - --to - --positions held.csv
        explain --from from.json --to to.json --positions held.csv | --delivery BTC | --delivery BTC-15NOV23=0 | --delivery BTC-15NOV23=x
        explain --from from.json --to to.json --positions held.csv | --delivery BTC-15NOV23=1 --delivery BTC-15NOV23=2 | --delivery BTC-1JAN24=2
        explain --from from.json --to to.json --positions held.csv | --funding 0.2 | --funding -0.2 | --by tenor | --by moneyness | --totals
        explain --from to.json --to from.json --positions held.csv |
        hedge || --problem none.json | --problem BOOKS | --chain CHAIN | --chain CHAIN --positions BOOKS
        hedge + --limits limits.csv | --nodes 0 | --seconds 0 | --gap -0.1 | --gap 1 | --horizon -1 | --horizon 3651 | --cash inf
        hedge + --limits limits.csv | --account a.toml | --margin-buffer 1 | --margin-price 1 | --margin-underlying BTC | --margin m.json
        hedge + --limits limits.csv | --problem p.json | --margin-cases m.json | --funding 1 | --fees BOOKS | --instruments BOOKS
        hedge --problem p.json | --lots | --no-levels | --fees f.csv | --horizon 1 | --funding 0.01 | --cash 1 | --skip-bad-rows
        hedge --problem p.json | --margin m.json | --save-problem s.json | --instruments i.json | --surface own | --exchange deribit
        hedge --margin-cases m.json | --lots | --problem p.json | --skip-bad-rows | --cash 1
        margin || --chain CHAIN | + | + --account account.toml | --cases none.json | --cases BOOKS
        margin + --account account.toml --model model.json | --within 1,2 | --within 0.5 | --within 0.5,0.9 | --within x,2 | --ahead -1
        margin + --account account.toml --model model.json | --ahead 3651 | --buffer inf | --changes | --underlying XRP | --candidates CHAIN
        margin + --account account.toml --model model.json | --cases c.json | --account none.toml | --exact
        margin + --account account.toml --model model.json --model model.json | --transcript t.txt | --changes
        margin --cases c.json | --exact | --buffer 1 | --changes | --underlying BTC | --ahead 1 | --report r.html
        surface || --quotes q.csv --chain CHAIN | --quotes q.csv --history . | --quotes none.csv | --quotes BOOKS
        surface --quotes q.csv | --max-age 1 | --min-ticks 1 | --tick 1 | --two-sided | --forward parity | --instruments i.json | --tenors 7
        surface --chain CHAIN | --max-age -1 | --min-ticks -1 | --tick 0 | --forward none | --loss none | --arbitrage none2 | --tenors 7
        surface --history . | --report r.html | --instruments i.json | --tenors 7,7
        surface --history none |
        simulate || --config none.toml | --config BOOKS
        simulate --config page.toml | --paths 0 | --paths 10000001 | --threads 0 | --threads 1025 | --against 0 | --path -1 | --policy 0
        simulate --config page.toml | --resume - | --trace --report r.html | --against 99 | --policy 99 | --path 64 --trace | --seed -1
        bench --ticks 0 | latency --ticks 1000000000
        bench throughput --ticks 5 |
        none |
        """

    /// The lines of `lines`, one for each thing that is wrong.
    private static var commands: [String] {
        lines.split(separator: "\n").flatMap { line in
            let parts = line.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            return parts.dropFirst().map { parts[0] + " " + $0 }
        }
    }

    @Test("Every command line that is refused has its words and its status")
    func refused() throws {
        try Poise.inFolder { folder in
            try PrintedTests.writePart(folder)
            let examples = SharedData.packageRoot.appendingPathComponent("Examples")
            let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("Fixtures")
            let files = [
                "btc.csv": Poise.sample.appendingPathComponent("btc-1d.csv"),
                "eth.csv": Poise.sample.appendingPathComponent("eth-1d.csv"),
                "limits.csv": Poise.sample.appendingPathComponent("limits.csv"),
                "desk.json": examples.appendingPathComponent("grids/desk.json"),
                "derive-eth.json": examples.appendingPathComponent("grids/derive-eth.json"),
                "account.toml": examples.appendingPathComponent("margin/account-btc.toml"),
                "model.json": examples.appendingPathComponent("margin/deribit-pm-btc.json"),
            ]
            let own = [
                "options.csv", "prices.csv", "legs.csv", "from.json", "to.json", "held.csv", "page.toml",
            ]
            func path(_ word: Substring) -> String {
                let name = String(word)
                if ["CHAIN", "BOOKS"].contains(name) { return folder.appendingPathComponent(name).path }
                if own.contains(name) { return fixtures.appendingPathComponent(name).path }
                let parts = name.split(separator: "=", maxSplits: 1)
                if parts.count == 2, let file = files[String(parts[1])] { return parts[0] + "=" + file.path }
                return files[name]?.path ?? name
            }
            var text = ""
            for command in Self.commands {
                let words = command.replacingOccurrences(of: "+", with: "--chain CHAIN --positions BOOKS")
                    .split(separator: " ").map(path)
                let result = try Poise.run(words)
                #expect(result.status != 0, "\(command)")
                let first = result.errors.split(separator: "\n").first ?? ""
                text += "\(command)\n  \(result.status): \(first)\n"
            }
            for (place, name) in [
                (folder.path + "/", ""), (fixtures.path + "/", ""), (SharedData.packageRoot.path, "ROOT"),
            ] { text.replace(place, with: name) }
            let difference = try Printed.difference(text, from: "refusals.txt")
            #expect(difference == nil)
        }
    }
}
