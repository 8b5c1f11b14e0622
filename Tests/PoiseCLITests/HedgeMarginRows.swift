import Foundation
import TestSupport
import Testing

/// Options of a venue's margin in `poise hedge`, and those of `poise margin` that look ahead and count in whole numbers.
enum HedgeMarginRows {
    typealias Row = EveryOptionTests.Row
    typealias Desk = EveryOptionTests.Desk

    /// Three perpetuals at 60,000 that need a tenth, with 20,000 of cash, and limits that ask for nothing.
    private static func arguments(_ desk: Desk, _ account: String? = nil) throws -> [String] {
        let limits = try desk.write("wide.csv", "underlying,greek,low,high\nBTC,delta,-100000000,100000000\n")
        return [
            "--chain", desk.path("chain.csv"), "--positions", desk.path("perpetuals.csv"), "--limits", limits,
            "--margin", desk.path("rates.toml"), "--account", account ?? desk.path("account.toml"),
        ]
    }

    private static func state(_ answer: [String: Any], _ when: String) throws -> [String: Any] {
        let margin = try #require(answer["margin"] as? [String: Any])
        return try #require(margin[when] as? [String: Any])
    }

    private static func headroom(_ answer: [String: Any], _ when: String) throws -> Double {
        HedgeOptionRows.number(try state(answer, when)["initial_margin_balance"])
    }

    /// Five contracts at 100 that need half, 200 of cash: 50 are missing, and each sold at a cost of 1 frees 50.
    private static let cases = """
        [{"name": "c", "currency": "USD", "model": {"kind": "rates", "initial_rate": 0.5, "maintenance_rate": 0.1},
        "market": {"underlyings": {"X": {"spot": 100}}, "contracts": {"P": {"kind": "perpetual", "underlying": "X", "price": 100}}},
        "cash": 200, "positions": [{"contract": "P", "quantity": 5}],
        "hedge": {"instruments": [{"name": "P", "costBuy": 1, "costSell": 1, "maxBuy": 9, "maxSell": 9}], "bands": [],
        "initial_margin_at_least": 0, "margin_price": 0}}]
        """

    /// A scan of the examples for an option and a perpetual.
    private static func scan(_ desk: Desk) -> [String] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Examples/margin")
        return [
            "--chain", desk.path("chain.csv"), "--positions", desk.path("positions.csv"), "--account",
            desk.path("account.toml"), "--model", folder.appendingPathComponent("paradex.json").path,
        ]
    }

    private static func margin(_ arguments: [String]) throws -> [String: Any] {
        let result = try Poise.run(["margin"] + arguments + ["--format", "json"])
        #expect(result.status == 0, "\(result.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
        return try #require((object?["models"] as? [[String: Any]])?.first)
    }

    static let rows = [
        Row("hedge", "--margin", "is reported before and after, and alone changes no trade") {
            let answer = try HedgeOptionRows.answer(arguments($0))
            #expect(HedgeOptionRows.isNear(try state(answer, "before")["initial_margin"], 18_000))
            #expect(HedgeOptionRows.isNear(try state(answer, "after")["initial_margin"], 18_000))
            #expect((answer["trades"] as? [String: Any])?.isEmpty == true)
        },
        Row("hedge", "--account", "its cash is what there is to meet the margin") {
            let rich = try $0.write("rich.toml", "currency = \"USD\"\ncash = 50000\n")
            let answer = try HedgeOptionRows.answer(arguments($0, rich))
            #expect(HedgeOptionRows.isNear(try state(answer, "before")["initial_margin_balance"], 32_000))
        },
        Row(
            "hedge", "--margin",
            "of several coins each has its own liquidation prices, the first beside the rest"
        ) {
            let chain = try $0.write(
                "two.csv",
                Desk.chain()
                    + #"ETH_USDC-PERPETUAL,\#(Desk.time),,,3000,3000,"[[2999,10]]","[[3001,10]]""# + "\n")
            let held = try $0.write(
                "held.csv", "book,instrument,quantity\na,BTC_USDC-PERPETUAL,3\na,ETH_USDC-PERPETUAL,-10\n")
            var own = try arguments($0)
            for (option, file) in [("--chain", chain), ("--positions", held)] {
                if let place = own.firstIndex(of: option) { own[place + 1] = file }
            }
            for when in ["before", "after"] {
                let state = try state(try HedgeOptionRows.answer(own), when)
                let prices = try #require(state["liquidation"] as? [[String: Any]])
                #expect(prices.map { $0["underlying"] as? String } == ["BTC", "ETH"])
                // 20,000 and what prices bring are a twentieth of 3 x and 30,000, or of 180,000 and 10 y.
                let btc = 161_500 / 2.85
                let eth = 41_000 / 10.5
                let below = HedgeOptionRows.number(state["liquidation_below"])
                #expect((below - btc).magnitude < 1e-6 && prices[0]["below"] as? Double == below, "\(state)")
                #expect(state["liquidation_above"] == nil || state["liquidation_above"] is NSNull)
                #expect((HedgeOptionRows.number(prices[1]["above"]) - eth).magnitude < 1e-6, "\(prices)")
                #expect(prices[1]["below"] == nil || prices[1]["below"] is NSNull)
            }
            // And short of the first, long of the second.
            let turned = try $0.write(
                "turned.csv", "book,instrument,quantity\na,BTC_USDC-PERPETUAL,-3\na,ETH_USDC-PERPETUAL,10\n")
            if let place = own.firstIndex(of: "--positions") { own[place + 1] = turned }
            let state = try state(try HedgeOptionRows.answer(own), "before")
            let prices = try #require(state["liquidation"] as? [[String: Any]])
            let btc = 198_500 / 3.15
            #expect((HedgeOptionRows.number(state["liquidation_above"]) - btc).magnitude < 1e-6)
            #expect(
                HedgeOptionRows.number(prices[0]["above"])
                    == HedgeOptionRows.number(state["liquidation_above"]))
            #expect(HedgeOptionRows.number(prices[1]["below"]) < 3000)
        },
        Row("hedge", "--horizon", "the margin is paid for so many days, for one where none is said") {
            let own = try arguments($0) + ["--margin-price", "0.0001"]
            for (horizon, days) in [([], 1.0), (["--horizon", "0.5"], 0.5), (["--horizon", "3"], 3)] {
                let answer = try HedgeOptionRows.answer(own + horizon)
                let margin = try #require(answer["margin"] as? [String: Any])
                let after = try state(answer, "after")
                let expected = days * 0.0001 * HedgeOptionRows.number(after["initial_margin"])
                #expect(
                    (HedgeOptionRows.number(margin["costOfMargin"]) - expected).magnitude < 1e-9, "\(horizon)"
                )
            }
        },
        Row(
            "hedge", "--margin-buffer",
            "is left after the trades and their cost; more than there is is infeasible"
        ) {
            let own = try arguments($0)
            let answer = try HedgeOptionRows.answer(own + ["--margin-buffer", "10000"])
            #expect((try headroom(answer, "after") - 10_000).magnitude < 1e-4)
            let most = try HedgeOptionRows.answer(own + ["--margin-buffer", "30000"], status: 3)
            #expect(try headroom(most, "after") < 20_000 && headroom(most, "after") > 19_000)
        },
        Row("hedge", "--margin-price", "pays for trades that free more than they cost, and for no others") {
            let own = try arguments($0)
            let cheap = try HedgeOptionRows.answer(own + ["--margin-price", "0.0001"])
            #expect(try headroom(cheap, "after") == headroom(cheap, "before"))
            let dear = try HedgeOptionRows.answer(own + ["--margin-price", "0.05"])
            #expect(try headroom(dear, "after") > headroom(dear, "before") + 1000)
        },
        Row(
            "hedge", "--margin-underlying",
            "the account holds that coin alone; one that nobody holds is refused"
        ) {
            let own = try arguments($0)
            let answer = try HedgeOptionRows.answer(own + ["--margin-underlying", "BTC"])
            #expect(HedgeOptionRows.isNear(try state(answer, "before")["initial_margin"], 18_000))
            let refused = try Poise.run(["hedge"] + own + ["--margin-underlying", "ETH"])
            #expect(refused.status == 1 && refused.errors.contains("ETH"))
        },
        Row("hedge", "--margin-cases", "50 are missing, and a contract sold frees 50 for 1: 50/49 are sold") {
            let path = try $0.write("c.json", cases)
            let answer = try HedgeOptionRows.answer(["--margin-cases", path])
            #expect((HedgeOptionRows.number(answer["objective"]) - 50.0 / 49).magnitude < 1e-9)
            #expect((HedgeOptionRows.number(answer["dualMargin"]) - 1.0 / 49).magnitude < 1e-9)
            #expect(HedgeOptionRows.number(answer["initial_margin_balance"]).magnitude < 1e-6)
        },
        Row("margin", "--ahead", "an option's expiry and its last half hour, within the days asked for") {
            let far = try margin(scan($0) + ["--ahead", "3650"])
            let causes = (far["ahead"] as? [[String: Any]])?.compactMap { $0["cause"] as? String }
            #expect(causes?.contains("expiry") == true && causes?.contains("averaging") == true)
            let near = try margin(scan($0) + ["--ahead", "0"])
            #expect((near["ahead"] as? [Any])?.isEmpty == true)
        },
        Row(
            "margin", "--exact",
            "the requirement in units of 10⁻⁸, as text; rules without scenarios are refused"
        ) {
            let answer = try margin(scan($0) + ["--exact"])
            let exact = try #require(answer["exact"] as? [String: Any])
            let units = Double((exact["initial_margin"] as? String) ?? "") ?? .nan
            let margin = HedgeOptionRows.number(answer["initial_margin"])
            #expect((units / 1e8 - margin).magnitude < 1e-4)
            var other = scan($0)
            other[other.count - 1] = $0.path("rates.toml")
            other[3] = $0.path("perpetuals.csv")
            #expect(try Poise.run(["margin"] + other + ["--exact"]).status == 1)
        },
        Row("margin", "--transcript", "holds the margin that --exact shows, in whole numbers") {
            let path = $0.path("transcript.json")
            let answer = try margin(scan($0) + ["--exact", "--transcript", path])
            let exact = try #require(answer["exact"] as? [String: Any])
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let own = try #require(exact["initial_margin"] as? String)
            #expect(text.contains("\"initial_margin\":\(own),"))
        },
    ]
}
