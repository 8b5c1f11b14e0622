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
        for (field, column) in [
            ("spot", spot), ("strike", strike), ("years", years), ("vol", volatility), ("rate", rate),
            ("dividend", dividend),
        ] where column.count != type.count {
            throw .lengthMismatch(field: field, expected: type.count, got: column.count)
        }
        self.type = type
        self.spot = spot
        self.strike = strike
        self.years = years
        self.volatility = volatility
        self.rate = rate
        self.dividend = dividend
        self.model = model
        let rows = count
        let failure: GreeksError? = withColumns { columns in
            do throws(GreeksError) {
                try columns.validate(count: rows, model)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    /// The columns as the kernel wants them, valid during the call.
    public func withColumns<R>(_ body: (FullFormColumns) -> R) -> R {
        FullFormColumns.with(type, spot, strike, years, volatility, rate, dividend, body)
    }
}

extension FullFormColumns {
    /// Columns that stand still for the call.
    fileprivate static func with<R>(
        _ type: UnsafePointer<UInt8>, _ spot: UnsafePointer<Double>, _ strike: UnsafePointer<Double>,
        _ years: UnsafePointer<Double>, _ volatility: UnsafePointer<Double>, _ rate: UnsafePointer<Double>,
        _ dividend: UnsafePointer<Double>, _ body: (FullFormColumns) -> R
    ) -> R {
        body(
            FullFormColumns(
                type: type, spot: spot, strike: strike, years: years, volatility: volatility, rate: rate,
                dividend: dividend))
    }
}

extension GreeksEngine {
    /// The Greeks of a batch, one row per option.
    /// - Precondition: its model computes the selection (`OptionModel.greeks`).
    public func greeks(_ selection: GreekSet, of batch: OptionBatch) -> GreekMatrix {
        let matrix = GreekMatrix(selection, count: batch.count)
        batch.withColumns {
            fullForm(selection, model: batch.model, $0, count: batch.count, into: matrix.columns)
        }
        return matrix
    }
}
