import GreeksKernel

extension FullFormColumns {
    /// Whether the formulas accept a row; every comparison is written so that NaN fails it.
    public func status(ofRow row: Int, _ model: OptionModel = .blackScholesMerton) -> InputStatus {
        let leastPrice = model == .bachelier ? -Domain.largestNormalPrice : 0
        let largestPrice = model == .bachelier ? Domain.largestNormalPrice : Domain.largestPrice
        let largestVolatility =
            model == .bachelier ? Domain.largestNormalPrice : Domain.largestVolatility
        guard type[row] <= 1 else { return .invalidType }
        guard spot[row] >= leastPrice, spot[row] <= largestPrice else { return .invalidSpot }
        guard strike[row] >= leastPrice, strike[row] <= largestPrice else { return .invalidStrike }
        guard years[row] >= 0, years[row] <= Domain.largestYears else { return .invalidYears }
        guard volatility[row] >= 0, volatility[row] <= largestVolatility else { return .invalidVolatility }
        guard isAccepted(rate[row], years[row]) else { return .invalidRate }
        guard isAccepted(dividend[row], years[row]) else { return .invalidDividend }
        return .ok
    }

    /// Writes one status per row and returns how many are not `ok`.
    @discardableResult
    public func statuses(count: Int, into statuses: UnsafeMutablePointer<InputStatus>) -> Int {
        var failures = 0
        for row in 0..<count {
            let status = status(ofRow: row)
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
                throw .invalidInput(row: row, status: status, value: value(of: status, row: row))
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

    private func isAccepted(_ rate: Double, _ years: Double) -> Bool {
        abs(rate) <= Domain.largestExponent * 1e6 && abs(rate * years) <= Domain.largestExponent
    }
}

extension GreeksEngine {
    /// Whether the formulas accept every row.
    public func accepts(_ input: FullFormColumns, count: Int, _ model: OptionModel) -> Bool {
        (0..<count).allSatisfy { input.status(ofRow: $0, model) == .ok }
    }
}
