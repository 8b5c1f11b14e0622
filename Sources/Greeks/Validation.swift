import GreeksKernel

extension FullFormColumns {
    /// Whether the formulas accept a row; every comparison is written so that NaN fails it.
    public func status(ofRow row: Int, _ model: OptionModel = .blackScholesMerton) -> InputStatus {
        let range = model.range
        guard type[row] <= 1 else { return .invalidType }
        guard range.accepts(price: spot[row]) else { return .invalidSpot }
        guard range.accepts(price: strike[row]) else { return .invalidStrike }
        guard years[row] >= 0, years[row] <= Domain.largestYears else { return .invalidYears }
        guard volatility[row] >= 0, volatility[row] <= range.largestVolatility else {
            return .invalidVolatility
        }
        guard range.accepts(rate[row], years[row]) else { return .invalidRate }
        guard range.accepts(dividend[row], years[row]) else { return .invalidDividend }
        return .ok
    }

    /// Writes one status per row and returns how many are not `ok`.
    @discardableResult
    public func statuses(
        count: Int, _ model: OptionModel = .blackScholesMerton,
        into statuses: UnsafeMutablePointer<InputStatus>
    ) -> Int {
        var failures = 0
        for row in 0..<count {
            let status = status(ofRow: row, model)
            statuses[row] = status
            failures += status == .ok ? 0 : 1
        }
        return failures
    }

    /// Does nothing when all rows can be computed.
    /// - Throws: `invalidInput` with the first row that cannot, what is wrong and its value.
    public func validate(
        count: Int, _ model: OptionModel = .blackScholesMerton
    ) throws(GreeksError) {
        for row in 0..<count {
            let status = status(ofRow: row, model)
            guard status == .ok else {
                throw .invalidInput(
                    row: row, status: status, value: value(of: status, row: row), model: model)
            }
        }
    }

    private func value(of status: InputStatus, row: Int) -> Double {
        switch status {
        case .ok: 0
        case .invalidType: Double(type[row])
        case .invalidSpot: spot[row]
        case .invalidStrike: strike[row]
        case .invalidYears: years[row]
        case .invalidVolatility: volatility[row]
        case .invalidRate: rate[row]
        case .invalidDividend: dividend[row]
        }
    }
}

extension AcceptedRange {
    fileprivate func accepts(_ rate: Double, _ years: Double) -> Bool {
        abs(rate) <= Domain.largestRate && abs(rate * years) <= largestExponent
    }
}

extension GreeksEngine {
    /// Whether the formulas accept every row, eight at a time; false where some row may not be accepted, for which
    /// `FullFormColumns.status` has the last word.
    public func accepts(_ input: FullFormColumns, count: Int, _ model: OptionModel) -> Bool {
        let whole = count & ~7
        return (whole == 0 || kernel.accepts(input, count: whole, model.range))
            && (whole..<count).allSatisfy { input.status(ofRow: $0, model) == .ok }
    }
}
