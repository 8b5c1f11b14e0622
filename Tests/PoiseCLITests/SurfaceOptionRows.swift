import Foundation
import Testing

/// Options of `poise surface`: quotes around curves written here.
enum SurfaceOptionRows {
    typealias Row = EveryOptionTests.Row
    typealias Desk = EveryOptionTests.Desk

    /// Raw SVI as a, b, ρ, m, σ.
    typealias Curve = [Double]
    static let near: Curve = [0.004, 0.06, -0.3, 0.02, 0.1]
    /// Vogt's slice, which has a butterfly.
    static let vogt: Curve = [-0.041, 0.1331, 0.306, 0.3586, 0.4153]

    static func variance(_ curve: Curve, _ k: Double) -> Double {
        let x = k - curve[3]
        return curve[0] + curve[1] * (curve[2] * x + (x * x + curve[4] * curve[4]).squareRoot())
    }

    /// Quotes half a point around curves of some years, none of which is cut.
    static func quotes(
        _ slices: [(name: String, years: Double, curve: Curve)] = [("X-near", 0.1, near)],
        spread: Double = 0.005,
        reach: Double = 0.3
    ) -> String {
        var text = "slice,years,forward,strike,bid_vol,ask_vol\n"
        for (name, years, curve) in slices {
            for step in -8...8 {
                let k = reach * Double(step) / 8
                let volatility = (variance(curve, k) / years).squareRoot()
                text += "\(name),\(years),100,\(100 * exp(k)),\(volatility - spread),\(volatility + spread)\n"
            }
        }
        return text
    }

    static let rows = [
        Row("surface", "--quotes", "quotes around a slice give its parameters") {
            let row = try $0.standard("surface", ["--loss", "mid"])[0]
            for (column, expected) in zip(["a", "b", "rho", "m", "sigma"], near) {
                #expect(row[column].near(expected, 1e-6), "\(column): \(row[column] ?? "")")
            }
            #expect(row["status"] == "ok" && row["quotes"] == "17")
        },
        Row("surface", "--chain", "an expiry with too few quotes is named, not left out") {
            let row = try $0.table("surface", ["--chain", $0.path("chain.csv")])[0]
            #expect(row["slice"] == "BTC-27MAR26" && row["status"] == "too-few-quotes")
        },
        Row("surface", "--loss", "a side alone counts under band, not under mid") {
            let path = try $0.write("one-sided.csv", quotes() + "X-near,0.1,100,150,0.9,\n")
            for (loss, quotes) in [("band", "18"), ("mid", "17")] {
                let row = try $0.table("surface", ["--quotes", path, "--loss", loss])[0]
                #expect(row["quotes"] == quotes, "\(loss)")
            }
        },
        Row(
            "surface", "--arbitrage",
            "none keeps Vogt's butterfly, butterfly has none, full none and no crossing"
        ) {
            // The later slice is Vogt's own half a year earlier: below it everywhere.
            let path = try $0.write(
                "crossing.csv",
                quotes(
                    [
                        ("V-1", 1, vogt),
                        ("V-2", 1.5, vogt.enumerated().map { $0.offset < 2 ? $0.element * 0.9 : $0.element }),
                    ],
                    reach: 1.2))
            func slices(_ rule: String) throws -> (least: [Double], gap: Double?) {
                let result = try Poise.run([
                    "surface", "--quotes", path, "--loss", "mid", "--arbitrage", rule, "--format", "json",
                ])
                #expect(result.status == 0, "\(result.errors)")
                let object = try #require(
                    try JSONSerialization.jsonObject(with: Data(result.output.utf8))
                        as? [String: [[String: Any]]])
                return (
                    (object["slices"] ?? []).map { $0["butterfly_least_g"] as? Double ?? .nan },
                    object["calendar"]?.first?["least_gap"] as? Double
                )
            }
            let free = try slices("none")
            #expect(free.least[0].near(-0.0328635734536, 1e-4), "\(free)")
            #expect(try slices("butterfly").least.allSatisfy { $0 >= 0 })
            let full = try slices("full")
            #expect(full.least.allSatisfy { $0 >= 0 } && full.gap ?? -1 >= 0, "\(full)")
        },
    ]
}

extension Double {
    fileprivate func near(_ other: Double, _ tolerance: Double) -> Bool {
        (self - other).magnitude <= tolerance * max(1, other.magnitude)
    }
}
