import Foundation
import Testing

/// Options of `poise var`, but those that it shares with others: gains by hand from a history of eight hours.
enum TailRiskOptionRows {
    typealias Row = EveryOptionTests.Row
    typealias Desk = EveryOptionTests.Desk

    /// Each scenario's gain of a group, as `--save-gains` writes them.
    static func gains(_ desk: Desk, _ more: [String], group: String = "total usd") throws -> [Double] {
        let path = desk.path("gains.csv")
        _ = try desk.run("var", more + ["--save-gains", path])
        return Desk.table(try String(contentsOfFile: path, encoding: .utf8)).map {
            $0[group].flatMap(Double.init) ?? .nan
        }
    }

    static func near(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-12) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { ($0 - $1).magnitude <= tolerance * max(1, $1.magnitude) }
    }

    static func moves(_ hours: Int = 1, stride: Int = 1) -> [Double] {
        let starts = Swift.stride(from: 0, to: Desk.closes.count - hours, by: stride)
        return starts.map { Desk.closes[$0 + hours] / Desk.closes[$0] - 1 }
    }

    /// Gains of 3 coins at 60,000, linear.
    static func linear(_ moves: [Double]) -> [Double] { moves.map { 180_000 * $0 } }

    static let perpetual = ["--by", "instrument"]
    static let linearGroup = "BTC_USDC-PERPETUAL usd"
    static let callGroup = "BTC-27MAR26-60000-C usd"
    static let years = 20 / 365.0

    /// A history in which nothing moves.
    static func still(_ desk: Desk, _ more: [String]) throws -> [Double] {
        let flat = try desk.write("flat.csv", Desk.candles([100, 100, 100, 100]))
        var arguments = desk.arguments("var", replacing: "--history", by: "BTC=" + flat)
        let path = desk.path("gains.csv")
        arguments += more + perpetual + ["--save-gains", path]
        let result = try Poise.run(arguments)
        #expect(result.status == 0, "\(result.errors)")
        return Desk.table(try String(contentsOfFile: path, encoding: .utf8)).map {
            $0[callGroup].flatMap(Double.init) ?? .nan
        }
    }

    /// Standard deviations of what is drawn for the linear perpetual relate as those of the estimators: with the same seed
    /// the same normal numbers.
    static func scale(_ desk: Desk, _ more: [String]) throws -> Double {
        try gains(
            desk, perpetual + ["--method", "delta-gamma-vega", "--scenarios", "4"] + more, group: linearGroup)[
                0]
    }

    static func variance(_ weights: [Double]) -> Double {
        let total = weights.reduce(0, +)
        return zip(moves(), weights).reduce(0) { $0 + $1.0 * $1.0 * $1.1 } / total
    }

    static let rows = [
        Row("var", "--history", "each hour's move of the closes is a scenario") {
            try #expect(near(gains($0, perpetual, group: linearGroup), linear(moves())))
        },
        Row(
            "var", "--method",
            "the expansion takes a normal move z, full revaluation exp(z) − 1, history what was"
        ) {
            let expanded = try gains(
                $0, perpetual + ["--method", "delta-gamma-vega", "--scenarios", "6"], group: linearGroup)
            let drawn = try gains(
                $0, perpetual + ["--method", "monte-carlo", "--scenarios", "6"], group: linearGroup)
            let normals = expanded.map { $0 / 180_000 }
            #expect(normals.count == 6 && near(drawn, normals.map { 180_000 * (exp($0) - 1) }, 1e-9))
            let call = try gains(
                $0, perpetual + ["--method", "delta-gamma-vega", "--scenarios", "6"], group: callGroup)
            let half = 0.6 * years.squareRoot() / 2
            let gamma = exp(-half * half / 2) / (2 * Double.pi).squareRoot() / (60_000 * 2 * half)
            #expect(
                near(
                    call,
                    normals.map { 2 * (Desk.normal(half) * 60_000 * $0 + gamma * pow(60_000 * $0, 2) / 2) },
                    1e-9))
            let history = try gains($0, perpetual + ["--method", "historical"], group: linearGroup)
            #expect(history.count == moves().count)
        },
        Row("var", "--levels", "quantiles of the gains, and the means beyond them") {
            let rows = try $0.standard("var", perpetual + ["--levels", "0.6,0.8"])
            let row = try #require(rows.first { $0["instrument"] == "BTC_USDC-PERPETUAL" })
            let sorted = linear(moves()).sorted()
            for (level, name) in [(0.6, "60"), (0.8, "80")] {
                let place = (1 - level) * Double(sorted.count - 1)
                let low = Int(place)
                let quantile = sorted[low] + (place - Double(low)) * (sorted[low + 1] - sorted[low])
                #expect(row["var_\(name)_usd"].near(-quantile, 1e-12), "\(level)")
                let mass = (1 - level) * Double(sorted.count)
                let tail = sorted.enumerated().reduce(0) { $0 + max(0, min(1, mass - Double($1.0))) * $1.1 }
                #expect(row["es_\(name)_usd"].near(-tail / mass, 1e-12), "\(level)")
            }
        },
        Row("var", "--horizon", "hours: moves over three of them") {
            try #expect(
                near(gains($0, perpetual + ["--horizon", "3"], group: linearGroup), linear(moves(3))))
        },
        Row("var", "--stride", "candles from one scenario to the next") {
            try #expect(
                near(gains($0, perpetual + ["--stride", "3"], group: linearGroup), linear(moves(stride: 3))))
        },
        Row("var", "--volatility", "with none a call gains what the price's move alone gives") {
            let expected = moves().map {
                2 * (Desk.call(60_000 * (1 + $0), 60_000, years, 0.6) - Desk.callValue)
            }
            try #expect(near(gains($0, perpetual + ["--volatility", "none"], group: callGroup), expected))
        },
        Row(
            "var", "--decay",
            "realised volatility is the root of the mean with weights that fall by it in a day"
        ) {
            // A day's weight of 1e-24 is a tenth an hour: the weights add up to 90% after one move.
            let volatility = moves().indices.map { last in
                let own = moves()[...last].reversed().enumerated()
                let weights = own.reduce(0) { $0 + pow(0.1, Double($1.0)) }
                return (own.reduce(0) { $0 + pow(0.1, Double($1.0)) * $1.1 * $1.1 } / weights).squareRoot()
            }
            let price = Array(moves().dropFirst())
            let expected = price.indices.map {
                2
                    * (Desk.call(
                        60_000 * (1 + price[$0]), 60_000, years, 0.6 * volatility[$0 + 1] / volatility[$0])
                        - Desk.callValue)
            }
            let own = try gains(
                $0, perpetual + ["--volatility", "realised", "--decay", "1e-24"], group: callGroup)
            #expect(near(own, expected, 1e-9), "\(own) \(expected)")
        },
        Row("var", "--volatility-history", "an index from 50 to 60 raises volatilities by a fifth") {
            let index = try $0.write("index.csv", Desk.candles([50, 60, 60, 60]))
            let up = 2 * (Desk.call(60_000, 60_000, years, 0.72) - Desk.callValue)
            try #expect(near(still($0, ["--volatility-history", "BTC=" + index]), [up, 0, 0]))
        },
        Row("var", "--term-power", "20 days move fully, and 120 days by (30/120)^power") {
            let index = try $0.write("index.csv", Desk.candles([50, 60, 60, 60]))
            let time = 1_774_598_400_000 - 120 * 86_400_000
            let chain = try $0.write(
                "early.csv", Desk.chain().replacingOccurrences(of: "\(Desk.time)", with: "\(time)"))
            for power: Double in [0, 0.25, 0.5, 1] {
                let flat = try $0.write("flat.csv", Desk.candles([100, 100, 100, 100]))
                let path = $0.path("gains.csv")
                let result = try Poise.run([
                    "var", "--chain", chain, "--positions", $0.path("positions.csv"), "--history",
                    "BTC=" + flat, "--horizon", "1",
                    "--volatility-history", "BTC=" + index, "--term-power", "\(power)", "--by", "instrument",
                    "--save-gains", path,
                ])
                #expect(result.status == 0, "\(result.errors)")
                let own = Desk.table(try String(contentsOfFile: path, encoding: .utf8))[0][callGroup]
                let (t, move) = (120 / 365.0, 0.2 * pow(0.25, power))
                let up =
                    2 * (Desk.call(60_000, 60_000, t, 0.6 * (1 + move)) - Desk.call(60_000, 60_000, t, 0.6))
                #expect(own.near(up, 1e-12), "\(power)")
            }
        },
        Row("var", "--time-passes", "two hours of decay where nothing moves, by the difference of values") {
            let later = 2 * (Desk.call(60_000, 60_000, years - 2 / 8760.0, 0.6) - Desk.callValue)
            try #expect(
                near(
                    still($0, ["--volatility", "none", "--horizon", "2", "--time-passes"]), [later, later],
                    1e-9))
            try #expect(near(still($0, ["--volatility", "none", "--horizon", "2"]), [0, 0]))
        },
        Row(
            "var", "--covariance",
            "draws scale with the estimator's deviation: sample against weights of the last day"
        ) {
            let mean = moves().reduce(0, +) / 7
            // Around the mean, over the number of moves; against the weighted squares around 0.
            let sample = moves().reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 7
            let weights = (0..<7).map { pow(0.94, Double(6 - $0) / 24) }
            let ratio = try scale($0, ["--covariance", "sample"]) / scale($0, ["--covariance", "ewma"])
            #expect((ratio - (sample / variance(weights)).squareRoot()).magnitude < 1e-9, "\(ratio)")
        },
        Row("var", "--shrinkage", "fully shrunk, both coins have their mean variance") {
            let other = try $0.write("other.csv", Desk.candles(Desk.closes.map { 100 + 3 * ($0 - 100) }))
            let both = ["--history", "ETH=" + other, "--covariance", "sample"]
            let ethMoves = Desk.closes.indices.dropFirst().map {
                (100 + 3 * (Desk.closes[$0] - 100)) / (100 + 3 * (Desk.closes[$0 - 1] - 100)) - 1
            }
            func sample(_ x: [Double]) -> Double {
                let mean = x.reduce(0, +) / Double(x.count)
                return x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count - 1)
            }
            let (btc, eth) = (sample(moves()), sample(Array(ethMoves)))
            let ratio = try scale($0, both + ["--shrinkage", "1"]) / scale($0, both)
            #expect((ratio - ((btc + eth) / 2 / btc).squareRoot()).magnitude < 1e-9, "\(ratio)")
        },
        Row("var", "--scenarios", "as many are drawn, and fewer are the first of them") {
            let few = try gains($0, ["--method", "monte-carlo", "--scenarios", "5"])
            let many = try gains($0, ["--method", "monte-carlo", "--scenarios", "40"])
            #expect(few.count == 5 && many.count == 40 && Array(many[..<5]) == few)
        },
        Row("var", "--seed", "the same scenarios again, others of another seed; of no effect on history") {
            let drawn = ["--method", "monte-carlo", "--scenarios", "20", "--seed"]
            try #expect(gains($0, drawn + ["4"]) == gains($0, drawn + ["4"]))
            let (one, other) = (try gains($0, drawn + ["4"]), try gains($0, drawn + ["5"]))
            #expect(zip(one, other).allSatisfy { $0 != $1 })
            try #expect(
                gains($0, ["--method", "monte-carlo", "--scenarios", "20"]) == gains($0, drawn + ["1"]))
        },
        Row("var", "--save-gains", "a row per scenario with its start, groups that add up to the total") {
            let path = $0.path("gains.csv")
            _ = try $0.run("var", ["--save-gains", path])
            let rows = Desk.table(try String(contentsOfFile: path, encoding: .utf8))
            #expect(rows.map { $0["scenario"] } == (1...7).map { "\($0)" })
            #expect(rows[0]["start"] == "1699999200000" && rows[1]["start"] == "1700002800000")
            for row in rows {
                let parts =
                    (row["a usd"].flatMap(Double.init) ?? .nan) + (row["b usd"].flatMap(Double.init) ?? .nan)
                #expect(row["total usd"].near(parts, 1e-12))
            }
        },
    ]
}
