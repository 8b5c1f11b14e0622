import GreeksKernel

/// The inputs of one option, to be checked.
package struct OneOption {
    var type: UInt8
    var spot, strike, years, volatility, rate, dividend: Double

    /// The defaults are an option that every model accepts: set only the fields to be checked.
    package init(
        type: UInt8 = 0, spot: Double = 1, strike: Double = 1, years: Double = 0, volatility: Double = 0,
        rate: Double = 0, dividend: Double = 0
    ) {
        self.type = type
        self.spot = spot
        self.strike = strike
        self.years = years
        self.volatility = volatility
        self.rate = rate
        self.dividend = dividend
    }

    /// Whether the formulas accept it; every comparison is written so that NaN fails it.
    package func status(_ model: OptionModel = .blackScholesMerton) -> InputStatus {
        let range = model.range
        guard type <= 1 else { return .invalidType }
        guard range.accepts(price: spot) else { return .invalidSpot }
        guard range.accepts(price: strike) else { return .invalidStrike }
        guard years >= 0, years <= Domain.largestYears else { return .invalidYears }
        guard volatility >= 0, volatility <= range.largestVolatility else { return .invalidVolatility }
        guard range.accepts(rate: rate, years: years) else { return .invalidRate }
        guard range.accepts(rate: dividend, years: years) else { return .invalidDividend }
        return .ok
    }

    /// - Throws: `invalidInput` where the formulas do not accept it.
    package func validate(
        row: Int, _ model: OptionModel = .blackScholesMerton
    ) throws(GreeksError) {
        let status = status(model)
        guard status == .ok else {
            throw .invalidInput(row: row, status: status, value: value(of: status), model: model)
        }
    }

    private func value(of status: InputStatus) -> Double {
        switch status {
        case .ok: 0
        case .invalidType: Double(type)
        case .invalidSpot: spot
        case .invalidStrike: strike
        case .invalidYears: years
        case .invalidVolatility: volatility
        case .invalidRate: rate
        case .invalidDividend: dividend
        }
    }
}

extension OptionColumns {
    private func inputs(ofRow row: Int) -> OneOption {
        OneOption(
            type: type[row], spot: spot[row], strike: strike[row], years: years[row],
            volatility: volatility[row], rate: rate[row], dividend: dividend[row])
    }

    /// Whether the formulas accept a row.
    public func status(ofRow row: Int, _ model: OptionModel = .blackScholesMerton) -> InputStatus {
        inputs(ofRow: row).status(model)
    }

    /// Does nothing when all rows can be computed.
    /// - Throws: `invalidInput` with the first row that cannot, what is wrong and its value.
    public func validate(_ model: OptionModel = .blackScholesMerton) throws(GreeksError) {
        for row in 0..<count { try inputs(ofRow: row).validate(row: row, model) }
    }
}

@unsafe extension FullFormColumns {
    private func inputs(ofRow row: Int) -> OneOption {
        unsafe OneOption(
            type: type[row], spot: spot[row], strike: strike[row], years: years[row],
            volatility: volatility[row], rate: rate[row], dividend: dividend[row])
    }

    /// As `OptionColumns` does.
    package func status(ofRow row: Int, _ model: OptionModel = .blackScholesMerton) -> InputStatus {
        unsafe inputs(ofRow: row).status(model)
    }

    /// As `OptionColumns` does.
    package func validate(count: Int, _ model: OptionModel = .blackScholesMerton) throws(GreeksError) {
        for row in 0..<count { try unsafe inputs(ofRow: row).validate(row: row, model) }
    }
}

extension GreeksEngine {
    /// Whether the formulas accept every row, eight at a time; false where some row may not be accepted, for which
    /// `status` has the last word.
    package func accepts(_ input: FullFormColumns, count: Int, _ model: OptionModel) -> Bool {
        let whole = count & ~7
        return unsafe (whole == 0 || kernel.accepts(input, count: whole, model.range))
            && (whole..<count).allSatisfy { unsafe input.status(ofRow: $0, model) == .ok }
    }
}
