import GreeksKernel

extension FullFormColumns {
    /// The columns from a row on.
    package func advanced(by rows: Int) -> FullFormColumns {
        FullFormColumns(
            type: type + rows, spot: spot + rows, strike: strike + rows, years: years + rows,
            volatility: volatility + rows, rate: rate + rows, dividend: dividend + rows)
    }
}

extension GreekColumns {
    /// The columns from a row on.
    package func advanced(by rows: Int) -> GreekColumns {
        GreekColumns { greek in self[greek].map { $0 + rows } }
    }
}
