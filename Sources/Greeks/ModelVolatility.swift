import GreeksKernel

extension GreeksEngine {
    /// The volatilities that prices imply under a model, in its own units: per √year, or in units of the price per √year
    /// under `.bachelier`. Every price that is a number has one or a side on which it is impossible.
    public func impliedVolatilities(of batch: PriceBatch, model: OptionModel) -> [ImpliedVolatility] {
        switch model.definition.inverse {
        case .ofLanes:
            let (volatility, status) = impliedVolatilities(of: batch)
            return zip(volatility, status).map { $1 == .ok ? .one($0) : .none($1) }
        case .ofOne(let volatility):
            return (0..<batch.count).map { row in
                let option = PricedOption(
                    type: batch.type[row], spot: batch.spot[row], strike: batch.strike[row],
                    years: batch.years[row], price: batch.price[row], rate: batch.rate[row],
                    dividend: batch.dividend[row])
                guard option.isWithin(model.range) else { return .none(.notANumber) }
                return option.years > 0 ? volatility(option) : .none(.expired)
            }
        }
    }
}
