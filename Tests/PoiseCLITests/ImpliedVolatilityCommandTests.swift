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

    @Test(
        "Volatilities come back from prices of every model, as the greeks command has them",
        arguments: ["bachelier", "cash-or-nothing"])
    func models(_ model: String) throws {
        let options = """
            type,spot,strike,years,vol,rate,dividend
            C,\(model == "bachelier" ? "-3,5,1,20" : "110,100,1,0.3"),0.05,0
            P,100,90,0.5,\(model == "bachelier" ? 25 : 0.4),0.01,0.02
            """
        let priced = try Poise.run(
            ["greeks", "--options", "-", "--format", "csv", "--model", model], input: options)
        let back = priced.rows.enumerated().map { number, row in
            (row.prefix(4) + [number == 0 ? "price" : row[7]] + row[5...6]).joined(separator: ",")
        }.joined(separator: "\n")
        let result = try Poise.run(
            ["iv", "--options", "-", "--format", "csv", "--model", model], input: back)
        #expect(result.rows.count == 3)
        for (implied, given) in zip(result.rows.dropFirst(), priced.rows.dropFirst()) {
            let (volatility, meant) = (Double(implied[7]) ?? .nan, Double(given[4]) ?? .nan)
            #expect(abs(volatility / meant - 1) <= 1e-13 && implied[8] == "ok")
        }
    }

    @Test("Prices in coin are multiples of the future's")
    func coin() throws {
        let prices = "type,spot,strike,years,price,rate,dividend\nC,73663.61,240000,0.7668813906963471,"
        let dollars = try Poise.run(
            ["iv", "--options", "-", "--format", "csv"], input: prices + "\(0.03988742 * 73663.61),0,0\n")
        let coins = try Poise.run(
            ["iv", "--options", "-", "--format", "csv", "--coin"], input: prices + "0.03988742,0,0\n")
        #expect(coins.rows[1][7] == dollars.rows[1][7] && coins.rows[1][4] == "0.03988742")
        #expect((Double(coins.rows[1][7]) ?? 0).rounded(toPlaces: 4) == 0.9018)
        let refused = try Poise.run(
            ["iv", "--options", "-", "--coin", "--model", "bachelier"], input: prices)
        #expect(refused.status == 2 || refused.status == 64)
        #expect(refused.errors.contains("--coin"))
    }

    @Test("A price that is a number gets the side that it is off, and a missing one is not a number")
    func impossible() throws {
        let rows = ["5.0", "-1.0", "100.1", "1e300", "", "NaN"].map { "C,100,90,1,\($0),0,0\n" }.joined()
        for model in ["black-scholes-merton", "bachelier", "cash-or-nothing"] {
            let result = try Poise.run(
                ["iv", "--options", "-", "--format", "csv", "--model", model],
                input: "type,spot,strike,years,price,rate,dividend\n" + rows)
            let statuses = result.rows.dropFirst().map { $0[8] }
            #expect(statuses[1] == "below-intrinsic" && statuses[3] == "above-maximum", "\(model)")
            #expect(statuses[4...] == ["not-a-number", "not-a-number"], "\(model)")
            if model == "black-scholes-merton" {
                #expect(statuses[0] == "below-intrinsic" && statuses[2] == "above-maximum")
            }
        }
    }

    @Test("Bad input of `poise iv` ends with status 1 and the place of the fault")
    func badInput() throws {
        let result = try Poise.run(
            ["iv", "--options", "-"], input: Self.prices.replacingOccurrences(of: "812.5", with: "81x"))
        #expect(result.status == 1 && result.errors.contains(":6: column \"price\": value \"81x\""))
        let vol = try Poise.run(["iv", "--options", "-"], input: GreeksCommandTests.options)
        #expect(vol.status == 1 && vol.errors.contains("column \"price\" is missing"))
    }
}

extension Double {
    fileprivate func rounded(toPlaces places: Int) -> Double {
        let scale = pow(10, Double(places))
        return (self * scale).rounded() / scale
    }
}
