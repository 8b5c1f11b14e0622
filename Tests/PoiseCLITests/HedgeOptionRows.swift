import Foundation
import Testing

/// Options of `poise hedge`: what they make of the problem, which `--save-problem` shows, or of its answer.
enum HedgeOptionRows {
    typealias Row = EveryOptionTests.Row
    typealias Desk = EveryOptionTests.Desk

    /// The problem that a hedge of the desk solves, with one impact for both sides unless levels are asked for.
    static func problem(_ desk: Desk, _ more: [String] = []) throws -> [String: Any] {
        let path = desk.path("problem.json")
        let costs = more.contains { $0.hasSuffix("levels") } ? [] : ["--no-levels"]
        _ = try desk.run("hedge", more + costs + ["--save-problem", path])
        let array =
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
            as? [[String: Any]]
        return try #require(array?.first)
    }

    static func instrument(_ problem: [String: Any], _ name: String) throws -> [String: Any] {
        try #require((problem["instruments"] as? [[String: Any]])?.first { $0["id"] as? String == name })
    }

    static func number(_ value: Any?) -> Double { (value as? NSNumber)?.doubleValue ?? .nan }

    static func isNear(_ a: Any?, _ b: Double) -> Bool {
        (number(a) - b).magnitude <= 1e-12 * max(1, b.magnitude)
    }

    /// One instrument at 1 to buy and 2 to sell, and a band it can move by 1 a unit: by hand.
    static func byHand(lot: Double = 0, fixed: Double = 0, current: Double = -10.5, count: Int = 1) -> String
    {
        let instruments = (0..<count).map {
            #"{"id": "i\#($0)", "u": 0, "costBuy": \#(1 + 0.01 * Double($0 * $0 % 7)), "costSell": 2, "lot": \#(lot), "fixed": \#(fixed), "maxBuy": 4, "maxSell": 4}"#
        }.joined(separator: ", ")
        return #"""
            {"name": "p", "underlyings": ["X"], "instruments": [\#(instruments)],
             "bands": [{"label": "b", "idx": [\#((0..<count).map(String.init).joined(separator: ","))],
                        "coef": [\#((0..<count).map { "\(1 + 0.37 * Double($0 * $0 % 5))" }.joined(separator: ","))],
                        "current": \#(current), "lo": 0, "hi": 0.5, "hard": true}]}
            """#
    }

    static func answer(_ arguments: [String], status: Int32 = 0) throws -> [String: Any] {
        let result = try Poise.run(["hedge"] + arguments + ["--format", "json"])
        #expect(result.status == status, "\(result.errors)")
        let object =
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: [String: Any]]
        return try #require(object?.values.first)
    }

    static let rows = [
        Row("hedge", "--problem", "the cheapest trade of a problem by hand") {
            let path = try $0.write("p.json", byHand(current: -3))
            let answer = try answer(["--problem", path])
            #expect(isNear(answer["objective"], 3) && isNear((answer["x"] as? [Any])?[0], 3))
        },
        Row("hedge", "--chain", "candidates cost half the market's spread and the fee") {
            let own = try instrument(try problem($0), "BTC_USDC-PERPETUAL")
            #expect(
                isNear(own["costBuy"], 5 + 30) && isNear(own["costSell"], 5 + 30) && isNear(own["maxBuy"], 10)
            )
            let call = try instrument(try problem($0), Desk.names[0])
            #expect(isNear(call["costBuy"], 0.001 * 60_000 + 18) && isNear(call["cash"], 3000))
        },
        Row("hedge", "--positions", "their exposure is where the bands start") {
            let delta = 2 * 60_000 * Desk.normal(0.6 * (20 / 365.0).squareRoot() / 2) + 180_000
            let band = try #require((try problem($0)["bands"] as? [[String: Any]])?.first)
            #expect(isNear(band["current"], delta))
        },
        Row("hedge", "--instruments", "lots are what the exchange's list says") {
            let path = try $0.write(
                "instruments.json",
                #"""
                {"result": [{"instrument_name": "BTC-PERPETUAL", "kind": "future", "contract_size": 50,
                  "min_trade_amount": 50, "tick_size": 0.5, "quote_currency": "USD", "settlement_currency": "BTC"}]}
                """#)
            let saved = try problem($0, ["--lots", "--instruments", path])
            try #expect(isNear(instrument(saved, "BTC-PERPETUAL")["lot"], 50))
        },
        Row("hedge", "--book", "names the book of positions without that column, which limits may name") {
            let path = try $0.write("own.csv", "instrument,quantity\nBTC_USDC-PERPETUAL,3\n")
            let limits = try $0.write(
                "own-limits.csv", "book,underlying,greek,low,high\nmine,BTC,delta,-1,1\n")
            let result = try Poise.run([
                "hedge", "--chain", $0.path("chain.csv"), "--positions", path, "--book", "mine", "--limits",
                limits,
            ])
            #expect(result.status == 0, "\(result.errors)")
        },
        Row("hedge", "--limits", "low and high of the bands, and a penalty makes one soft") {
            let path = try $0.write("l.csv", "underlying,greek,low,high,penalty\nBTC,delta,-50,7000,2.5\n")
            let saved = $0.path("problem.json")
            let result = try Poise.run(
                $0.arguments("hedge", replacing: "--limits", by: path) + ["--save-problem", saved])
            #expect(result.status == 0)
            let object =
                try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: saved)))
                as? [[String: Any]]
            let band = try #require((object?.first?["bands"] as? [[String: Any]])?.first)
            #expect(isNear(band["lo"], -50) && isNear(band["hi"], 7000) && isNear(band["penalty"], 2.5))
            #expect(band["hard"] as? Bool == false)
        },
        Row("hedge", "--fees", "rates of a class: fee, cap, ticket and smallest trade, by its value") {
            let path = try $0.write(
                "fees.csv",
                "class,fee_rate,fee_cap,half_spread_rate,depth_usd,ticket_usd,minimum_usd\nperpetual,0.001,,0,1000000,3,600\noption,0.01,0.1,0,0,0,0\n"
            )
            let saved = try problem($0, ["--fees", path])
            let own = try instrument(saved, "BTC_USDC-PERPETUAL")
            #expect(
                isNear(own["costBuy"], 5 + 60) && isNear(own["fixed"], 3) && isNear(own["minTrade"], 0.01))
            // A hundredth of the underlying would be 600; a tenth of the premium is 300.
            try #expect(isNear(instrument(saved, Desk.names[0])["costBuy"], 60 + 300))
        },
        Row("hedge", "--horizon", "days for which the buyer of a perpetual pays funding, thrice each") {
            let still = try instrument(try problem($0, ["--funding", "0.0001"]), "BTC_USDC-PERPETUAL")
            #expect(isNear(still["costBuy"], 35))
            let held = try instrument(
                try problem($0, ["--funding", "0.0001", "--horizon", "2"]), "BTC_USDC-PERPETUAL")
            #expect(isNear(held["costBuy"], 35 + 36) && isNear(held["costSell"], 35 - 36))
        },
        Row("hedge", "--funding", "a rate per eight hours, that sellers pay where it is negative") {
            let own = try instrument(
                try problem($0, ["--funding", "-0.0002", "--horizon", "1"]), "BTC_USDC-PERPETUAL")
            #expect(isNear(own["costBuy"], 35 - 36) && isNear(own["costSell"], 35 + 36))
        },
        Row("hedge", "--cash", "the budget of the problem; unlimited without it") {
            try #expect(problem($0)["budget"] is NSNull)
            try #expect(isNear(problem($0, ["--cash", "1234.5"])["budget"], 1234.5))
            try #expect(isNear(problem($0, ["--cash=-250"])["budget"], -250))
        },
        Row("hedge", "--levels", "the book's levels by their distance from the middle, beside the fee") {
            let own = try instrument(try problem($0, ["--levels"]), "BTC_USDC-PERPETUAL")
            let asks = try #require(own["buy"] as? [[String: Any]])
            #expect(isNear(own["costBuy"], 30) && isNear(own["costSell"], 30) && isNear(own["impact"], 0))
            #expect(isNear(asks.first?["price"], 5) && isNear(asks.last?["upTo"], 10))
            // They are what there is without a word.
            let path = $0.path("as-it-is.json")
            _ = try $0.run("hedge", ["--save-problem", path])
            #expect(try String(contentsOfFile: path, encoding: .utf8).contains("\"buy\""))
        },
        Row("hedge", "--no-levels", "half a spread stands for the book's levels, beside the fee") {
            let smooth = try instrument(try problem($0, ["--no-levels"]), "BTC_USDC-PERPETUAL")
            #expect(smooth["buy"] == nil && isNear(smooth["costBuy"], 5 + 30))
        },
        Row("hedge", "--lots", "contract sizes: ten dollars of the inverse perpetual, a tenth of an option") {
            let saved = try problem($0, ["--lots"])
            try #expect(isNear(instrument(saved, "BTC-PERPETUAL")["lot"], 10))
            try #expect(isNear(instrument(saved, Desk.names[0])["lot"], 0.1))
            try #expect(isNear(instrument(try problem($0), "BTC-PERPETUAL")["lot"], 0))
        },
        Row("hedge", "--warm", "the second of two equal problems takes fewer steps than the first") {
            let first = byHand(current: -10.4, count: 9)
            let second = first.replacingOccurrences(of: "\"p\"", with: "\"q\"")
            let path = try $0.write("p.json", "[\(first),\(second)]")
            for (more, isWarm) in [([], false), (["--warm"], true)] {
                let result = try Poise.run(["hedge", "--problem", path, "--format", "json"] + more)
                let object =
                    try JSONSerialization.jsonObject(with: Data(result.output.utf8))
                    as? [String: [String: Any]]
                let (cold, again) = (object?["p"], object?["q"])
                #expect(number(cold?["interiorSteps"]) == 0 && number(cold?["pivots"]) > 1)
                #expect((number(again?["pivots"]) < number(cold?["pivots"])) == isWarm)
                #expect(isNear(cold?["objective"], number(again?["objective"])))
            }
        },
        Row(
            "hedge", "--nodes", "a search of one relaxation ends with its bound, a whole one with the optimum"
        ) {
            let path = try $0.write("p.json", byHand(lot: 1, fixed: 0.3, current: -10.4, count: 9))
            let whole = try answer(["--problem", path])
            #expect(whole["status"] as? String == "optimal" && number(whole["gap"]) <= 1e-9)
            let stopped = try answer(["--problem", path, "--nodes", "1"])
            #expect(number(stopped["nodes"]) <= 1 && number(stopped["gap"]) >= 0)
            #expect(number(stopped["objective"]) >= number(whole["objective"]) - 1e-9)
        },
        Row("hedge", "--seconds", "a search without time stops at once, and says so") {
            let path = try $0.write("p.json", byHand(lot: 1, fixed: 0.3, current: -10.4, count: 9))
            let stopped = try answer(["--problem", path, "--seconds", "1e-9"], status: 4)
            let whole = try answer(["--problem", path, "--seconds", "60"])
            #expect(number(whole["gap"]) <= 1e-9 && number(stopped["nodes"]) < number(whole["nodes"]))
            #expect(stopped["status"] as? String != "optimal")
        },
        Row("hedge", "--gap", "a search may end within the share of the cost, and its answer is that near") {
            let path = try $0.write("p.json", byHand(lot: 1, fixed: 0.3, current: -10.4, count: 9))
            let whole = try answer(["--problem", path])
            let rough = try answer(["--problem", path, "--gap", "0.5"])
            #expect(number(rough["objective"]) <= number(whole["objective"]) * 2 + 1e-9)
            #expect(number(rough["nodes"]) <= number(whole["nodes"]))
        },
        Row("hedge", "--save-problem", "the saved problem has the same answer") {
            let path = $0.path("saved.json")
            let book = try $0.object("hedge", ["--save-problem", path])
            let again = try answer(["--problem", path])
            #expect(number((book.values.first as? [String: Any])?["objective"]) == number(again["objective"]))
        },
    ]
}
