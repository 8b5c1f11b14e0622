import Foundation
import Greeks
import Market
import Risk
import TailRisk
import TestSupport

/// Books to be put through scenarios.
enum Books {
    /// The project's sample: twenty books in BTC and ETH.
    static func sample() throws -> BookValuation {
        let folder = SharedData.packageRoot.appendingPathComponent("Examples/sample")
        return try valuation(
            chain: try Source(path: folder.appendingPathComponent("chain.csv").path),
            positions: try Source(path: folder.appendingPathComponent("positions.csv").path))
    }

    /// Tickers as JSON lines of members, and positions as lines of a table; Greeks computed.
    static func valuation(tickers: [String], positions: [String]) throws -> BookValuation {
        try valuation(
            chain: Source(name: "chain.json", text: tickers.map { "{\($0)}" }.joined(separator: "\n")),
            positions: Source(
                name: "positions.csv",
                text: "book,instrument,quantity\n" + positions.map { $0 + "\n" }.joined()))
    }

    static func valuation(chain: Source, positions: Source) throws -> BookValuation {
        var badRows = BadRows(skip: false)
        let valuation = try BookValuation(
            try PositionTable(positions, &badRows), in: try Chain(chain, &badRows), &badRows)
        valuation.greeks.compute(try GreeksEngine())
        return valuation
    }

    static func revaluation(
        _ valuation: BookValuation, by groupings: [Grouping] = [.book], in numeraire: Numeraire = .usd,
        power: Double = 0.5, _ set: InstructionSet? = nil, threads: Int = 1
    ) throws -> BookRevaluation {
        let engine = try set.map { try GreeksEngine($0) } ?? GreeksEngine()
        return BookRevaluation(
            valuation, by: groupings, in: numeraire, try VolatilityResponse(power: power),
            try GreeksPool(engine, threads: threads))
    }

    /// Coins at 100 dollars, held by books.
    static func coins(_ names: [String], _ positions: [String]) throws -> BookRevaluation {
        let tickers = names.map {
            "\"instrument_name\": \"\($0)_USDC\", \"timestamp\": 1700000000000, \"mark_price\": 100"
        }
        return try revaluation(try valuation(tickers: tickers, positions: positions))
    }
}

/// What `scripts/generate-tail-risk` computed.
struct Fixture: Decodable {
    struct Shrunk: Decodable {
        let intensity: Double
        let matrix: [[Double]]
    }

    struct Covariances: Decodable {
        let sample, exponential: [[Double]]
        let decay: Double
        let ledoit_wolf, ledoit_wolf_standardised: Shrunk
    }

    struct Tail: Decodable {
        let level, `var`, es: Double
        let group_var, group_es, component_var, component_es: [Double]
    }

    let moves, gains: [[Double]]
    let covariances: Covariances
    let tails: [Tail]

    static func read() throws -> Fixture {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/tail-risk.json")
        return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    }

    /// Rows as columns.
    static func columns(_ rows: [[Double]]) -> [[Double]] {
        (0..<rows[0].count).map { column in rows.map { $0[column] } }
    }
}
