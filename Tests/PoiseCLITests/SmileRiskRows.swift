import Foundation
import Testing

/// Options by which smiles move: with the price, in Greeks and in scenarios.
enum SmileRiskRows {
    typealias Row = EveryOptionTests.Row
    typealias Desk = EveryOptionTests.Desk

    private static let years = 20 / 365.0
    private static let forward = 60_000.0

    private static func volatility(_ k: Double) -> Double {
        (SurfaceOptionRows.variance(SurfaceOptionRows.near, k) / years).squareRoot()
    }

    private static func curved(_ desk: Desk) throws -> String {
        try desk.write("curved.csv", OwnSurfaceRows.chain(smile: volatility, marked: 0.6))
    }

    /// By how much delta and gamma of the call at 60,000 differ from Black's where its volatility goes with the forward: by
    /// differences of prices.
    private static func excess(_ ratio: Double) -> (delta: Double, gamma: Double) {
        func value(_ move: Double, _ ratio: Double) -> Double {
            let moved = forward * (1 + move)
            return Desk.call(moved, forward, years, volatility((ratio - 1) * log1p(move)))
        }
        let h = 2e-4
        func differences(_ ratio: Double) -> (Double, Double) {
            let (down, middle, up) = (value(-h, ratio), value(0, ratio), value(h, ratio))
            return ((up - down) / (2 * h * forward), (up - 2 * middle + down) / (h * h * forward * forward))
        }
        let (own, black) = (differences(ratio), differences(1))
        return (own.0 - black.0, own.1 - black.1)
    }

    private static func dynamics(_ gain: Double) -> String {
        """
        {"chains": 9, "dynamics": [
         {"underlying": "BTC", "days_from": 0, "days_to": 7, "r_online": 2, "gain": 0.5, "beta_down": 9, "beta_up": 9},
         {"underlying": "BTC", "days_from": 7, "days_to": null, "r_online": 0.3, "gain": \(gain), "beta_down": -0.8, "beta_up": -0.2}]}
        """
    }

    private static func number(_ row: [String: String], _ name: String) -> Double {
        Double(row[name] ?? "") ?? .nan
    }

    static let rows = [
        Row(
            "greeks", "--stickiness",
            "delta and gamma at R are those of prices whose volatility moves along the smile"
        ) { desk in
            let chain = try curved(desk)
            func row(_ value: String) throws -> ([String: String], String) {
                let result = try Poise.run([
                    "greeks", "--chain", chain, "--surface", "own", "--stickiness", value, "--format", "csv",
                ])
                #expect(result.status == 0, "\(result.errors)")
                let rows = Desk.table(result.output)
                #expect(rows.first { $0["instrument_name"] == "BTC-PERPETUAL" }?["moving_delta"] == "")
                let found = rows.first { $0["instrument_name"] == "BTC-27MAR26-60000-C" }
                return (try #require(found), result.errors)
            }
            let expected = excess(0.3)
            let (at, _) = try row("0.3")
            #expect(
                (number(at, "moving_delta") - number(at, "delta") - expected.delta).magnitude < 1e-5, "\(at)")
            let gamma = number(at, "gamma")
            #expect((number(at, "moving_gamma") - gamma - expected.gamma).magnitude < 1e-3 * gamma)
            #expect(at["stickiness"] == "0.3" && expected.delta.magnitude > 0.01)
            let (black, _) = try row("1")
            #expect(black["moving_delta"] == black["delta"] && black["moving_gamma"] == black["gamma"])
            let (earned, errors) = try row(try desk.write("good.json", dynamics(0.12)))
            #expect(earned["moving_delta"] == at["moving_delta"])
            #expect(errors.contains("R = 0.30, which left 12.0% less variance out of sample"), "\(errors)")
            let (lost, warning) = try row(try desk.write("bad.json", dynamics(-0.04)))
            #expect(lost["moving_delta"] == lost["delta"] && lost["stickiness"] == "1.0")
            #expect(warning.contains("Black's delta stays; R = 0.30 left 4.0% more variance out of sample"))
            let without = ["greeks", "--chain", chain, "--stickiness", "0.3"]
            #expect(try Poise.run(without).status == 2)
            #expect(try Poise.run(without + ["--surface", "own", "--stickiness", "101"]).status == 2)
        },
        Row("risk", "--stickiness", "books have the delta and gamma of their contracts at R beside Black's") {
            desk in
            let row = try desk.table(
                "risk",
                [
                    "--chain", try curved(desk), "--positions", desk.path("positions.csv"), "--surface",
                    "own",
                    "--stickiness", "0.3",
                ])
            let expected = excess(0.3)
            // Two calls, and three coins of a perpetual.
            let options = try #require(row.first { $0["book"] == "a" })
            for delta in ["delta", "net_delta"] {
                let moved = number(options, "moving_\(delta)_usd") - number(options, "\(delta)_usd")
                #expect((moved / (2 * forward) - expected.delta).magnitude < 1e-5, "\(options)")
            }
            let gamma = number(options, "gamma_usd_per_percent")
            let moved = number(options, "moving_gamma_usd_per_percent") - gamma
            #expect(
                (moved - 2 * expected.gamma * forward * forward / 100).magnitude < 1e-3 * gamma, "\(options)")
            let perpetual = try #require(row.first { $0["book"] == "b" })
            #expect(perpetual["moving_delta_usd"] == perpetual["delta_usd"])
        },
        Row("scenarios", "--betas", "volatility moves by the history's beta times the move") { desk in
            let grid = try desk.write(
                "betas.json",
                #"{"vol_rules": {"with": {"spot_betas": "history"}}, "scenarios": [{"spot": [-0.1, 0.1], "vol": "with", "sticky": "moneyness"}]}"#
            )
            let arguments = [
                "--chain", try desk.write("flat.csv", OwnSurfaceRows.chain(quoted: 0.7, marked: 0.6)),
                "--positions", desk.path("positions.csv"), "--grid", grid,
            ]
            let rows = try desk.table(
                "scenarios", arguments + ["--betas", try desk.write("h.json", dynamics(0))]
            ).filter { $0["book"] == "a" }
            for (row, (move, beta)) in zip(rows, [(-0.1, -0.8), (0.1, -0.2)]) {
                let after = Desk.call(forward * (1 + move), forward, years, 0.6 + beta * log1p(move))
                #expect(row["profit_usd"].near(2 * (after - Desk.call(forward, forward, years, 0.6)), 1e-9))
            }
            #expect(rows.count == 2)
            #expect(try Poise.run(["scenarios"] + arguments).status == 2)
            let idle = desk.arguments("scenarios") + ["--betas", desk.path("h.json")]
            #expect(try Poise.run(idle).status == 2)
        },
        Row("scenarios", "--surface", "a rule's level stretches the slice of the desk's own surface") {
            desk in
            let grid = try desk.write(
                "level.json",
                #"{"vol_rules": {"up": {"smile": {"level": 0.05}}}, "scenarios": [{"spot": [-0.1, 0.1], "vol": "up"}]}"#
            )
            let positions = try desk.write(
                "puts.csv", "book,instrument,quantity\na,BTC-27MAR26-54000-P,1\n")
            let arguments = [
                "--chain", try curved(desk), "--positions", positions, "--grid", grid,
            ]
            let rows = try desk.table("scenarios", arguments + ["--surface", "own"])
            let (strike, factor) = (54_000.0, (volatility(0) + 0.05) / volatility(0))
            let k = log(strike / forward)
            func put(_ forward: Double, _ volatility: Double) -> Double {
                Desk.call(forward, strike, years, volatility) - forward + strike
            }
            for (row, move) in zip(rows, [-0.1, 0.1]) {
                let moved = put(forward * (1 + move), factor * volatility(k / factor))
                #expect(row["profit_usd"].near(moved - put(forward, volatility(k)), 1e-5), "\(row)")
            }
            #expect(rows.count == 2)
            #expect(try Poise.run(["scenarios"] + arguments).status == 2)
        },
        Row(
            "scenarios", "--surface",
            "skew turns the smile about the money, a wing rises with its slope, the least strike by what is asked"
        ) { desk in
            let held = try desk.write(
                "smile.csv",
                "book,instrument,quantity\n"
                    + ["45000-P", "57000-P", "60000-C", "63000-C", "75000-C"].enumerated().map {
                        "\($0),BTC-27MAR26-\($1),1\n"
                    }.joined())
            let strikes = [45_000.0, 57_000, 60_000, 63_000, 75_000]
            /// By how many points each volatility rises: prices say so.
            func rises(_ term: String) throws -> [Double] {
                let grid = try desk.write(
                    "term.json",
                    "{\"vol_rules\": {\"r\": {\"smile\": {\(term)}}}, \"scenarios\": [{\"vol\": \"r\"}]}")
                let rows = try desk.table(
                    "scenarios",
                    [
                        "--chain", try curved(desk), "--positions", held, "--grid", grid, "--surface", "own",
                    ])
                #expect(rows.count == 5)
                return zip(strikes, rows).map { strike, row in
                    let own = volatility(log(strike / forward))
                    func value(_ volatility: Double) -> Double {
                        Desk.call(forward, strike, years, volatility)
                    }
                    let profit = number(row, "profit_usd")
                    var (low, high) = (-own, 1.0)
                    for _ in 0..<60 {
                        let middle = (low + high) / 2
                        if value(own + middle) - value(own) < profit { low = middle } else { high = middle }
                    }
                    return 100 * low
                }
            }
            let skew = try rises("\"skew\": 0.1")
            #expect(
                skew[2].magnitude < 1e-3 && (skew[3] - skew[1] - 0.1 * 100 * log(63 / 57)).magnitude < 0.15)
            #expect(skew[0] < -0.4 && skew[1] < -0.3 && skew[3] > 0.4 && skew[4] > 0.7, "\(skew)")
            let left = try rises("\"left_wing\": 0.2")
            #expect(left[2].magnitude < 1e-3 && left[0] > 3 && left[4] < 0.4 && left[4] > 0, "\(left)")
            let right = try rises("\"right_wing\": 0.2")
            #expect(right[2].magnitude < 1e-3 && right[4] > 1.5 && right[0] < 0.1 && right[0] > 0, "\(right)")
            let least = try rises("\"least\": 0.005")
            #expect(least[2].magnitude < 1e-3 && least[1] > 0.3 && least[3] > 0.5 && least[4] > 2, "\(least)")
        },
        Row("surface", "--skip-bad-rows", "an option whose row cannot be read makes its slice bad-quotes") {
            desk in
            let good = OwnSurfaceRows.chain(quoted: 0.7, marked: 0.7)
            // Of a put out of the money, of one in it, and of an expiry of its own.
            func broken(_ name: String) -> String {
                good.split(separator: "\n").map {
                    $0.hasPrefix(name) ? $0.replacingOccurrences(of: ",70.0,", with: ",x,") : String($0)
                }.joined(separator: "\n")
            }
            func slices(_ text: String) throws -> [[String: String]] {
                try desk.table(
                    "surface", ["--chain", try desk.write("broken.csv", text), "--skip-bad-rows"])
            }
            let out = try slices(broken("BTC-27MAR26-51000-P"))
            #expect(out.map { $0["status"] } == ["bad-quotes"], "\(out)")
            #expect(out[0]["dropped_why"]?.contains("unreadable 1") == true && out[0]["quotes"] == "10")
            #expect(try slices(broken("BTC-27MAR26-75000-P")).map { $0["status"] } == ["ok"])
            let alone = try slices(
                good + "BTC-26JUN26-60000-C,\(Desk.time),60000,x,,60000,\"[[0.1,1]]\",\"[[0.2,1]]\"\n")
            #expect(
                alone.map { $0["slice"] } == ["BTC-26JUN26", "BTC-27MAR26"]
                    && alone.map { $0["status"] } == ["unreadable", "ok"], "\(alone)")
        },
    ]
}
