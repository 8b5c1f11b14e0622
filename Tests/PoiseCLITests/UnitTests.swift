import Foundation
import Greeks
import Market
import Rebalancing
import Simulation
import TestSupport
import Testing

import PoiseCLI

/// Units and sides at the edge, by value.
struct UnitTests {
    @Test("What binds is named by its band and the side that it is at")
    func binding() throws {
        func binding(_ current: Int) throws -> [String] {
            let problem = """
                {"name": "p", "underlyings": ["u"], "instruments": [{"id": "i", "u": 0, "costBuy": 1, "costSell": 1, \
                "maxBuy": 10, "maxSell": 10}], "bands": [{"label": "b", "idx": [0], "coef": [1], \
                "current": \(current), "lo": -1, "hi": 1}]}
                """
            let result = try Poise.run(["hedge", "--problem", "-", "--format", "json"], input: problem)
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
            return try #require((object["p"] as? [String: Any])?["binding"] as? [String])
        }
        #expect(try binding(5) == ["b.hi"])
        #expect(try binding(-5) == ["b.lo"])
        #expect(try binding(0).isEmpty)
    }

    @Test("Of an even number of a pool's liquidities the mean of the two in the middle counts")
    func median() throws {
        try Poise.inFolder { folder in
            try Data("liquidity\n8000\n1000\n4000\n2000\n".utf8).write(
                to: folder.appendingPathComponent("pool.csv"))
            func run(_ liquidity: String) throws -> String {
                let file = folder.appendingPathComponent("run.toml")
                let text = SimulateCommandTests.small.replacingOccurrences(
                    of: "taker_fee = 0.001\noutages_from_to_hours = [[3, 5]]\n",
                    with: "kind = \"pool\"\n\(liquidity)\nfee = 0.003\ngas_usd = 1\n")
                try Data(text.utf8).write(to: file)
                let result = try Poise.run(["simulate", "--config", file.path, "--format", "csv"])
                #expect(result.status == 0, "\(result.errors)")
                return result.output
            }
            let ofFile = try run("liquidity_file = \"pool.csv\"\nliquidity_unit = 1")
            #expect(try ofFile == run("liquidity = 3000"))
            #expect(try ofFile != run("liquidity = 2000"))
        }
    }

    @Test("Half-lives are read in hours")
    func halfLives() throws {
        try Poise.inFolder { folder in
            let file = folder.appendingPathComponent("run.toml")
            let text = SimulateCommandTests.small.replacingOccurrences(
                of: "[book]\n",
                with: "[surface]\nlevel = \"trailing\"\nvolatility = 0.5\nhalf_life_hours = 12\n[book]\n")
            try Data(text.utf8).write(to: file)
            let settings = try SimulationSettings(
                file: file.path, engine: try GreeksEngine(), paths: nil, seed: nil, threads: 1)
            guard case .trailing(_, let halfLife, _) = settings.simulation.surface.level else {
                Issue.record("\(settings.simulation.surface.level)")
                return
            }
            #expect(halfLife == 12.0 / 8760)
            let policy = try #require(settings.policies.last?.policy as? ThresholdPolicy)
            #expect(policy.adjustment?.estimator == .exponentiallyWeighted(halfLifeYears: 6.0 / 8760))
        }
    }

    @Test("With time passing and prices standing still, a book gains what its options decay over the horizon")
    func timePasses() throws {
        try Poise.inFolder { folder in
            func write(_ name: String, _ text: String) throws -> String {
                let file = folder.appendingPathComponent(name)
                try Data(text.utf8).write(to: file)
                return file.path
            }
            // 30 days before 29 December 2023, 08:00.
            let (spot, strike, time) = (36_000.0, 38_000.0, 1_703_836_800_000 - 30 * 86_400_000)
            let chain = try write(
                "chain.json",
                """
                {"instrument_name": "BTC-29DEC23-38000-C", "timestamp": \(time), "underlying_price": \(spot), \
                "mark_iv": 50, "index_price": \(spot)}
                """)
            let positions = try write("positions.csv", "book,instrument,quantity\na,BTC-29DEC23-38000-C,2\n")
            var candles = "timestamp,open,high,low,close\n"
            for hour in 0..<100 {
                candles +=
                    "\("\(Timestamp(milliseconds: 1_640_995_200_000 + Int64(hour) * 3_600_000))".dropLast(4))"
                candles += ",100,100,100,100\n"
            }
            let history = try write("btc.csv", candles)
            let gains = folder.appendingPathComponent("gains.csv")
            let result = try Poise.run([
                "var", "--chain", chain, "--positions", positions, "--history", "BTC=\(history)",
                "--volatility",
                "none", "--horizon", "48", "--time-passes", "--save-gains", gains.path,
            ])
            try #require(result.status == 0, "\(result.errors)")
            func price(_ days: Double) -> Double {
                let deviation = 0.5 * (days / 365).squareRoot()
                let d1 = log(spot / strike) / deviation + deviation / 2
                func normal(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }
                return spot * normal(d1) - strike * normal(d1 - deviation)
            }
            let expected = 2 * (price(28) - price(30))
            let rows = try String(contentsOf: gains, encoding: .utf8).split(separator: "\n").dropFirst()
            #expect(rows.count == 52)
            for row in rows {
                let gain = Double(row.split(separator: ",").last ?? "") ?? .nan
                #expect(abs(gain - expected) <= 1e-9 * abs(expected), "\(row), \(expected)")
            }
        }
    }
}
