import Foundation
import Poise
import Timing

/// A desk of the size that the benchmark wants: listed options of several coins in twenty expiries each, books that
/// hold some of them, and order books on a few, with which to hedge.
struct Desk {
    static let coins = ["BTC", "ETH", "SOL", "XRP", "ADA", "DOT", "LTC", "AVAX", "LINK", "DOGE"]
    let chain: Chain
    let positions: PositionTable
    let quotedNames: [String]

    init(coins count: Int, contracts: Int, books: Int, legsPerBook: Int, quoted: Int) throws {
        let now: Int64 = 1_772_443_800_000
        var uniform = UniformNumbers()
        let months = ["APR", "MAY", "JUN", "JUL", "AUG"]
        let perExpiry = contracts / count / 20
        var names: [String] = []
        for coin in Self.coins.prefix(count) {
            for expiry in 0..<20 {
                let day = 3 + 7 * (expiry % 4)
                for strike in 0..<contracts / count / 20 + (expiry < contracts / count % 20 ? 1 : 0) {
                    let level = Int(45_000 + 30_000 * Double(strike) / Double(perExpiry)) + expiry
                    names.append(
                        "\(coin)-\(day)\(months[expiry / 4])26-\(level)-\(strike % 2 == 0 ? "C" : "P")")
                }
            }
        }
        let step = quoted > 0 ? names.count / quoted : names.count
        quotedNames = (0..<quoted).map { names[$0 * step + (7 * $0) % step] }
        let isQuoted = Set(quotedNames)
        var chainText = "instrument_name,timestamp,underlying_price,mark_iv,mark_price,bids,asks\n"
        for (number, name) in names.enumerated() {
            let half = 0.0003 + 0.0015 * uniform()
            let book =
                isQuoted.contains(name)
                ? "\"[[\(0.05 - half), 100], [\(0.049 - half), 300]]\",\"[[\(0.05 + half), 100], [\(0.051 + half), 300]]\""
                : "[],[]"
            chainText += "\(name),\(now),60000,\(40 + number % 37),0.05,\(book)\n"
        }
        var positionText = "book,instrument,quantity\n"
        for book in 0..<books {
            for leg in 0..<legsPerBook {
                let step = names.count / legsPerBook
                let name = names[(leg * step + Int(uniform() * Double(step))) % names.count]
                positionText += "book-\(book),\(name),\((uniform() - 0.5) * 20)\n"
            }
        }
        for name in quotedNames { positionText += "hedges,\(name),0.5\n" }
        var badRows = BadRows(skip: false)
        chain = try Chain(Source(name: "chain", text: chainText), &badRows)
        positions = try PositionTable(Source(name: "positions", text: positionText), &badRows)
    }

    /// Every listed contract, the books grouped by coin.
    func liveRisk(_ engine: GreeksEngine) throws -> LiveRisk {
        var badRows = BadRows(skip: false)
        let greeks = try ChainGreeks(chain.latestTickers, .exposures, &badRows)
        return try LiveRisk(positions.positions, greeks, engine: engine)
    }

    /// Bands on the net delta, gamma and vega of each coin and on all vega, a twentieth of what the quoted
    /// contracts can move.
    func limits(_ engine: GreeksEngine) throws -> LimitTable {
        let live = try liveRisk(engine)
        var text = "underlying,greek,low,high\n"
        func add(_ coin: String?, _ greek: ExposureGreek, _ name: String, _ share: Double) {
            let reach = quotedNames.compactMap(live.index(of:)).reduce(0.0) { sum, contract in
                let isCounted = coin == nil || live.contracts[contract].base == coin
                return sum + (isCounted ? live.figure(contract, greek).magnitude * 400 : 0)
            }
            text += "\(coin ?? ""),\(name),\(-share * reach),\(share * reach)\n"
        }
        for coin in live.underlyings {
            add(coin, .netDelta, "net_delta", 0.05)
            add(coin, .gamma, "gamma", 0.05)
            add(coin, .vega, "vega", 0.05)
        }
        add(nil, .vega, "vega", 0.03)
        var badRows = BadRows(skip: false)
        return try LimitTable(Source(name: "limits", text: text), &badRows)
    }
}
