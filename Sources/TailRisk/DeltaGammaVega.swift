import Greeks
import Market
import Risk
import VectorMath

/// The second-order expansion of what groups of positions gain, in the moves of prices and volatilities, and first
/// order in time: per coin and group
/// D·r + G·r²/2 + V·v + W·v²/2 + X·r·v + Θ·t, with r and v the relative moves of `FactorMoves`. Rates and funding do not move;
/// charm and veta are left out.
public struct DeltaGammaVega: Sendable {
    /// The coefficients, in the order of the formula.
    public enum Term: Int, CaseIterable, Sendable {
        case delta, gamma, vega, volga, vanna, theta
    }

    public let coins: [String]
    public let groups: [[String]]
    /// Group by group, coin by coin, term by term.
    private let coefficients: [Double]
    private let engine: GreeksEngine

    /// One coefficient of a group and a coin, in the numeraire: per 1.00 of relative move of the price (delta) or volatility
    /// (vega), of their squares (gamma, volga) or product (vanna), and per year (theta). These are not `Greek`'s units.
    public subscript(group: Int, coin: Int, term: Term) -> Double {
        coefficients[(group * coins.count + coin) * Term.allCases.count + term.rawValue]
    }

    /// The coefficients of the positions that a revaluation holds.
    public init(_ book: BookRevaluation) {
        coins = book.coins
        groups = book.plan.groups
        engine = book.engine
        let terms = Term.allCases.count
        let width = WeightedRows.width
        let greeks = book.valuation.greeks
        let contractCount = greeks.tickers.count
        var coefficients = Array(repeating: 0.0, count: groups.count * coins.count * terms)
        let rows = ColumnStorage<Double>(repeating: 0, count: contractCount * width)
        let sums = ColumnStorage<Double>(repeating: 0, count: groups.count * width)
        for coin in coins.indices {
            for row in 0..<contractCount {
                let isOwn = book.coinOfContract[row] == coin
                let contract = isOwn ? Self.terms(greeks, row, book) : Array(repeating: 0, count: terms)
                for term in 0..<terms { rows[row * width + term] = contract[term] }
            }
            book.plan.aggregate(rows, into: sums, book.engine)
            for group in groups.indices {
                for term in 0..<terms {
                    coefficients[(group * coins.count + coin) * terms + term] = sums[group * width + term]
                }
            }
        }
        self.coefficients = coefficients
    }

    private static func terms(_ greeks: ChainGreeks, _ row: Int, _ book: BookRevaluation) -> [Double] {
        let derivatives = greeks.derivatives(ofRow: row, in: book.numeraire)
        let price = greeks.options.spot[row] * greeks.settlementShare(ofRow: row)
        let volatility =
            greeks.options.volatility[row] * book.response.factor(years: greeks.options.years[row])
        return [
            derivatives.price * price, derivatives.price2 * price * price,
            derivatives.volatility * volatility, derivatives.volatility2 * volatility * volatility,
            derivatives.priceVolatility * price * volatility, derivatives.time,
        ]
    }

    /// Gains of the groups by the expansion.
    /// - Parameter years: time that passes, at least 0.
    /// - Parameter isCancelled: asked now and then; true ends it.
    /// - Throws: `missingHistory`, `notFinite`, `cancelled`; `invalidValue` for the time.
    public func profits(
        _ moves: FactorMoves, years passed: Double = 0, isCancelled: (() -> Bool)? = nil
    ) throws(TailRiskError) -> ScenarioProfits {
        try TailRiskError.require(.notNegative, passed, "years")
        let places = try moves.places(of: coins)
        let terms = Term.allCases.count
        let width = WeightedRows.width
        let termCount = coins.count * terms
        let features = ColumnStorage<Double>(repeating: 0, count: termCount * width)
        let rowOfTerm = groups.flatMap { _ in (0..<termCount).map { Int32($0) } }
        let offsets = (0...groups.count).map { $0 * termCount }
        return try ScenarioProfits(groups: groups, count: moves.count, isCancelled: isCancelled) {
            first, sums in
            let inUse = min(width, moves.count - first)
            for (coin, place) in places.enumerated() {
                let base = coin * terms * width
                for lane in 0..<inUse {
                    let r = moves.price[place][first + lane]
                    features[base + lane] = r
                    features[base + width + lane] = r * r / 2
                    if !moves.volatility.isEmpty {
                        let v = moves.volatility[place][first + lane]
                        features[base + 2 * width + lane] = v
                        features[base + 3 * width + lane] = v * v / 2
                        features[base + 4 * width + lane] = r * v
                    }
                    features[base + 5 * width + lane] = passed
                }
            }
            // A term per row of features, and a group per row of sums.
            unsafe engine.kernel.sumWeightedRows(
                WeightedRows(
                    rows: features.pointer, rowOfTerm: rowOfTerm.span.start, weights: coefficients.span.start,
                    offsets: offsets.span.start, groupCount: groups.count), into: sums.pointer)
        }
    }
}
