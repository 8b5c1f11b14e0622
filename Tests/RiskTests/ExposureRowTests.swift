import Greeks
import Market
import Risk
import Testing

/// Rows of exposures that are used again, and rows that nobody has.
struct ExposureRowTests {
    static func chain(_ names: [String], _ selection: GreekSet = .exposures) throws -> ChainGreeks {
        var badRows = BadRows(skip: false)
        let chain = try ChainGreeks(
            names.map { LiveDeskTests.ticker(try Instrument(name: $0), price: 60_000) }, selection, &badRows)
        chain.compute(try GreeksEngine())
        return chain
    }

    @Test("Rows that are filled again have nothing of what they were, another contract or another currency")
    func reuse() throws {
        let names = [
            "BTC-27MAR26-60000-C", "BTC_USDC-27MAR26-60000-P", "BTC-PERPETUAL", "BTC_USDC-PERPETUAL",
            "BTC_USDC",
        ]
        let figures = UnitExposures(count: names.count)
        for turn in 0..<names.count * 2 {
            let rows = names.indices.map { names[($0 + turn) % names.count] }
            let numeraire = turn % 2 == 0 ? Numeraire.coin : .usd
            for order in [numeraire, numeraire == .usd ? .coin : .usd] {
                figures.update(from: try Self.chain(rows), in: order)
                let fresh = UnitExposures(count: names.count)
                fresh.update(from: try Self.chain(rows), in: order)
                for row in rows.indices {
                    for greek in ExposureGreek.allCases {
                        #expect(figures[row, greek] == fresh[row, greek], "\(rows[row]) \(greek) in \(order)")
                    }
                }
            }
        }
    }

    @Test("Rows and groups that cannot be, and chains without the Greeks, end the process with a sentence")
    func preconditions() async throws {
        await #expect(processExitsWith: .failure) { _ = ExposureRollUp([[0, -1]]) }
        await #expect(processExitsWith: .failure) {
            let instrument = try Instrument(name: "BTC-PERPETUAL")
            _ = ExposurePlan([], contracts: [instrument], rows: [-1], by: [.book])
        }
        await #expect(processExitsWith: .failure) {
            UnitExposures(count: 1).update(from: try Self.chain(["BTC-27MAR26-60000-C"], .price), in: .usd)
        }
        // The same without the fault.
        await #expect(processExitsWith: .success) {
            _ = ExposureRollUp([[0, 1]])
            UnitExposures(count: 1).update(from: try Self.chain(["BTC-27MAR26-60000-C"], .all), in: .usd)
        }
    }

    @Test("A contract without a price is in no bucket of moneyness")
    func unknownMoneyness() throws {
        let option = try Instrument(name: "BTC-27MAR26-60000-C")
        let cases: [(Double?, String)] = [(nil, "none"), (60_000, "0.95–1.05 K/F")]
        for (price, label) in cases {
            let ticker = Ticker(
                instrument: option, timestamp: LiveDeskTests.start, underlyingPrice: price,
                underlyingIndex: nil,
                indexPrice: nil, markPrice: nil, markVolatility: 0.5, openInterest: nil, bids: [], asks: [],
                published: nil)
            let plan = ExposurePlan(
                [.init(book: "a", instrument: option, quantity: 1, line: 0)], contracts: [option],
                by: [.moneyness], try ExposureBuckets([ticker]))
            #expect(plan.groups == [[label]])
        }
    }

    @Test("A requirement's JSON says all that it takes to compute it")
    func requirement() throws {
        var requirement = ConvexRequirement(instrumentCount: 2)
        let line = requirement.addLine(
            3, [(instrument: 0, coefficient: 2), (instrument: 1, coefficient: -1)])
        requirement.setBase(line: requirement.addLine(5, [(instrument: 1, coefficient: 0.5)]), [])
        requirement.addBend(line: line, rate: 0.1, scale: 4, threshold: 2)
        var reader = JSONReader(Source(name: "json", text: requirement.jsonText))
        let json = try #require(try reader.values().first)
        func number(_ value: JSON?) throws -> Double { try #require(value?.number) }
        let lines = try #require(json["lines"]?.array)
        func value(_ line: Int, _ trades: [Double]) throws -> Double {
            let places = try #require(lines[line]["idx"]?.array).map { try number($0) }
            let slopes = try #require(lines[line]["coef"]?.array).map { try number($0) }
            return zip(places, slopes).reduce(try number(lines[line]["constant"])) {
                $0 + $1.1 * trades[Int($1.0)]
            }
        }
        for trades in [[0.0, 0], [10, 3], [-20, 1]] {
            var sum = try value(Int(number(json["base"]?["line"])), trades)
            for bend in try #require(json["bends"]?.array) {
                let size = abs(try value(Int(number(bend["line"])), trades))
                let over = size * (try number(bend["scale"])) - (try number(bend["threshold"]))
                sum += try number(bend["rate"]) * max(over, 0) * size
            }
            #expect(abs(sum - requirement.required(after: trades)) < 1e-12 * abs(sum), "\(trades)")
        }
        var other = requirement
        other.scale(by: 0.25)
        #expect(abs(other.required(after: [10, 3]) - requirement.required(after: [10, 3]) / 4) < 1e-12)
    }
}
