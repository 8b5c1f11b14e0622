import Greeks

/// The vega of positions, contract by contract, whatever its sign: what is at stake if volatilities stop moving together.
struct GrossVega: NamedLimitMeasure {
    static let tableNames = ["gross_vega"]

    var name: String { "gross vega" }
    var unitName: String { ExposureGreek.vega.unit(.usd) }
    var isLinear: Bool { false }

    /// A sum per contract: its own vega.
    func figures(_ market: LimitMarket) -> [[Double]] {
        let contracts = market.greeks.tickers.indices
        return contracts.map { own in contracts.map { $0 == own ? market.exposures[$0, .vega] : 0 } }
    }

    func value(_ sums: [Double]) -> Double { sums.reduce(0) { $0 + abs($1) } }
    func plane(_ sums: [Double]) -> [Double] { sums.map { $0 < 0 ? -1 : 1 } }

    static func read(_ name: String, _ row: LimitRow) -> [any LimitMeasure] { [GrossVega()] }
}
