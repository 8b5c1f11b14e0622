import GreeksKernel

@unsafe extension FullFormColumns {
    /// The columns from a row on.
    package func advanced(by rows: Int) -> FullFormColumns {
        unsafe FullFormColumns(
            type: type + rows, spot: spot + rows, strike: strike + rows, years: years + rows,
            volatility: volatility + rows, rate: rate + rows, dividend: dividend + rows)
    }
}

@unsafe extension GreekColumns {
    /// The columns from a row on.
    package func advanced(by rows: Int) -> GreekColumns {
        unsafe GreekColumns { greek in unsafe self[greek].map { unsafe $0 + rows } }
    }
}
