import GreeksKernel

extension GreeksEngine {
    /// The volatilities that prices imply under a model, in its own units: per √year, or in units of the price per √year
    /// under `.bachelier`. Each row has one volatility, two (`.cashOrNothing`), or the reason why there is none.
    public func impliedVolatilities(of batch: PriceBatch, model: OptionModel) -> [ImpliedVolatility] {
        switch model.definition.inverse {
        case .ofLanes:
            let (volatility, status) = impliedVolatilities(of: batch)
            return zip(volatility, status).map { $1 == .ok ? .one($0) : .none($1) }
        case .ofOne(let volatility):
            return (0..<batch.count).map { row in
                PricedOption(
                    type: batch.type[row], spot: batch.spot[row], strike: batch.strike[row],
                    years: batch.years[row], price: batch.price[row], rate: batch.rate[row],
                    dividend: batch.dividend[row]
                ).volatility(model.range, volatility)
            }
        }
    }

    /// The same of columns, with a `VolatilityStatus` each; NaN where a price implies none or two. Allocates nothing.
    package func impliedVolatilities(
        _ input: PriceColumns, _ model: OptionModel, count: Int, volatility: UnsafeMutablePointer<Double>,
        status: UnsafeMutablePointer<UInt8>
    ) {
        switch model.definition.inverse {
        case .ofLanes: unsafe impliedVolatilities(input, count: count, volatility: volatility, status: status)
        case .ofOne(let inverse):
            let range = model.range
            for row in 0..<count {
                let implied = unsafe PricedOption(
                    type: input.type[row], spot: input.spot[row], strike: input.strike[row],
                    years: input.years[row], price: input.price[row], rate: input.rate[row],
                    dividend: input.dividend[row]
                ).volatility(range, inverse)
                unsafe volatility[row] = implied.volatility ?? .nan
                unsafe status[row] = implied.status.rawValue
            }
        }
    }
}
