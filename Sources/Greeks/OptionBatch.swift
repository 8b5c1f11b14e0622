import GreeksKernel

/// Validated options in full form: the door between data of any origin and the kernel.
public struct OptionBatch: Sendable {
    /// 0 for a call, 1 for a put.
    public let type: [UInt8]
    /// Spot and strike in one currency, years to expiry (ACT/365), volatility per √year, and the
    /// continuously compounded rate and dividend yield, all in natural units (0.05 is 5%).
    public let spot, strike, years, volatility, rate, dividend: [Double]

    /// For which the inputs were validated.
    public let model: OptionModel

    public var count: Int { type.count }

    /// Columns of equal length.
    /// - Throws: `lengthMismatch`, or `invalidInput` for the first row that cannot be computed.
    public init(
        type: [UInt8], spot: [Double], strike: [Double], years: [Double], volatility: [Double],
        rate: [Double], dividend: [Double], model: OptionModel = .blackScholesMerton
    ) throws(GreeksError) {
        try OptionColumns(
            type: type.span, spot: spot.span, strike: strike.span, years: years.span,
            volatility: volatility.span, rate: rate.span, dividend: dividend.span
        ).validate(model)
        self.type = type
        self.spot = spot
        self.strike = strike
        self.years = years
        self.volatility = volatility
        self.rate = rate
        self.dividend = dividend
        self.model = model
    }

    /// The columns, for as long as the batch lives.
    public var columns: OptionColumns {
        @_lifetime(borrow self) get {
            OptionColumns(
                ofEqualLength: type.span, spot: spot.span, strike: strike.span, years: years.span,
                volatility: volatility.span, rate: rate.span, dividend: dividend.span)
        }
    }
}

extension GreeksEngine {
    /// The Greeks of a batch, one row per option.
    /// - Precondition: its model computes the selection (`OptionModel.greeks`).
    public func greeks(_ selection: GreekSet, of batch: OptionBatch) -> GreekMatrix {
        let matrix = GreekMatrix(selection, count: batch.count)
        fullForm(selection, of: batch, into: matrix)
        return matrix
    }

    /// The same into a matrix that is there already: nothing is allocated.
    public func fullForm(_ selection: GreekSet, of batch: OptionBatch, into matrix: GreekMatrix) {
        fullForm(selection, model: batch.model, batch.columns, into: matrix)
    }
}
