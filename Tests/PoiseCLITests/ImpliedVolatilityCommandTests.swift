import Foundation
import Testing

struct ImpliedVolatilityCommandTests {
    static let prices = """
        type,spot,strike,years,price,rate,dividend
        C,100,100,1,10.450583572185565,0.05,0
        P,100,110,0.5,5,0.01,0.02
        C,100,90,0.5,100,0,0
        C,100,90,0,11,0,0
        P,64250,60000,0.1,812.5,0,0
        """

    @Test("Every row of `poise iv` has a volatility or a status that says why not")
    func statuses() throws {
        let result = try Poise.run(["iv", "--options", "-", "--format", "csv"], input: Self.prices)
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.rows[0].suffix(3) == ["dividend", "vol", "status"])
        #expect(
            result.rows.dropFirst().map { $0[8] } == [
                "ok", "below-intrinsic", "above-maximum", "expired", "ok",
            ])
        #expect(abs((Double(result.rows[1][7]) ?? 0) - 0.2) < 1e-15)
        #expect(result.rows[2][7].isEmpty && result.rows[3][7].isEmpty && result.rows[4][7].isEmpty)
    }

    @Test("Volatilities come back from their prices through files")
    func roundTrip() throws {
        let vols = try Poise.run(
            ["greeks", "--options", "-", "--format", "csv"], input: GreeksCommandTests.options)
        let column = try #require(vols.rows[0].firstIndex(of: "price"))
        let back = vols.rows.enumerated().map { number, row in
            (row.prefix(4) + [number == 0 ? "price" : row[column]] + row[5...6]).joined(separator: ",")
        }.joined(separator: "\n")
        let result = try Poise.run(["iv", "--options", "-", "--format", "csv"], input: back)
        for (implied, given) in zip(result.rows.dropFirst(), vols.rows.dropFirst()) {
            let (implied, given) = (Double(implied[7]) ?? .nan, Double(given[4]) ?? .nan)
            #expect(abs(implied - given) <= 2e-15)
        }
    }

    @Test("Bad input of `poise iv` ends with status 1 and the place of the fault")
    func badInput() throws {
        let result = try Poise.run(
            ["iv", "--options", "-"], input: Self.prices.replacingOccurrences(of: "812.5", with: "-812.5"))
        #expect(result.status == 1 && result.errors.contains(":6: column \"price\": value \"-812.5\""))
        let vol = try Poise.run(["iv", "--options", "-"], input: GreeksCommandTests.options)
        #expect(vol.status == 1 && vol.errors.contains("column \"price\" is missing"))
    }
}
