import Hedging
import Market
import Testing

/// Fields and columns that may be left out of tables of limits and fees.
struct MissingFieldTests {
    static func limits(_ text: String) throws -> [LimitTable.Limit] {
        var badRows = BadRows(skip: false)
        return try LimitTable(Source(name: "limits", text: text), &badRows).limits
    }

    static func costs(_ rows: String, skip: Bool = false) throws -> VenueCosts {
        var badRows = BadRows(skip: skip)
        let header = "Class,fee_rate,fee_cap,half_spread_rate,depth_usd,ticket_usd"
        return try VenueCosts(Source(name: "fees", text: "\(header)\n\(rows)\n"), &badRows)
    }

    static func error(_ read: () throws -> Void) -> String {
        do {
            try read()
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test(
        "What tables take for missing stands for all, for no limit and for a band that must hold",
        arguments: ["", "NaN", "null", "-", "N/A"])
    func limits(_ mark: String) throws {
        let text = """
            Book,Underlying,Greek,Low,High,Expiry,Penalty,Penalty Quadratic
            \(mark),\(mark),vega,\(mark),5,\(mark),\(mark),\(mark)
            """
        let limit = try #require(Self.limits(text).first)
        #expect(limit.book == nil && limit.underlying == nil && limit.expiry == nil)
        #expect(limit.low == -.infinity && limit.high == 5)
        #expect(limit.penalty == nil && limit.penaltyQuadratic == 0)
    }

    @Test("What tables take for missing are a fee's usual rates", arguments: ["", "NaN", "null", "-", "N/A"])
    func fees(_ mark: String) throws {
        let rates = try #require(Self.costs("option,0.01,\(mark),\(mark),\(mark),\(mark)").rates[.option])
        #expect(rates == VenueCosts.Rates(fee: 0.01))
    }

    @Test("A class has one row of rates, and one that is skipped leaves the exchange's fee")
    func classes() throws {
        #expect(
            Self.error { _ = try Self.costs("option,0.01,,,,\nspot,0,,,,\noption,0.02,,,,") }
                == "fees:4: column \"Class\": value \"option\": line 2 has its rates already")
        let option = try Instrument(name: "BTC-27MAR26-60000-C")
        let skipped = try Self.costs("option,x,,,,\nspot,0,,,,", skip: true)
        #expect(skipped.rates(of: option) == VenueCosts.standard.rates(of: option))
    }

    @Test(
        "A column that is nearly one that may be left out is refused",
        arguments: ["boook", "Expiri", "penalti", "penalty_quadratik", "scenarios", "grids", "levels"])
    func nearly(_ name: String) {
        let text = "underlying,greek,low,high,\(name)\nBTC,vega,-1,1,\n"
        #expect(Self.error { _ = try Self.limits(text) }.contains("is missing; is it \"\(name)\"?"))
        let other = text.replacing(name, with: "label")
        #expect(Self.error { _ = try Self.limits(other) }.isEmpty)
    }
}
