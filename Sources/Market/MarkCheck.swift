import Glibc

/// Whether what a row says of an option fits together: its volatility, its mark and its delta, by Black's formula on its
/// future. Rough on purpose: it finds units that are mixed up, not mispricing.
struct MarkCheck {
    private let sign, moneyness, rootYears, discount: Double
    /// The mark as quoted of an option that is worth one future.
    private let unit: Double
    /// Within the averaging of the delivery price marks and deltas follow other rules.
    private let isApplicable: Bool

    init(_ instrument: Instrument, at time: Timestamp, forward: Double, rate: Double) {
        guard case .option(let type, let strike, let expiry) = instrument.kind else {
            (sign, moneyness, rootYears, discount, unit, isApplicable) = (1, 1, 0, 1, 1, false)
            return
        }
        let years = max(0, time.years(until: expiry))
        sign = type.sign
        moneyness = strike / forward
        rootYears = years.squareRoot()
        discount = exp(-rate * years)
        unit = instrument.settlement == .inverse ? 1 : forward
        isApplicable = SettlementWindow.remainingShare(at: time, of: instrument) == 1 && discount.isFinite
    }

    /// Facts that contradict each other.
    struct Contradiction {
        /// Of the delta, else of the mark.
        let isOfDelta: Bool
        /// The mark as quoted, or the delta, that the volatility gives.
        let expected: Double
        /// The unit that is mixed up; nil where the facts are only apart.
        let guess: String?
    }

    /// The first contradiction beyond rounding.
    func contradiction(volatility: Double, mark: Double?, delta: Double?) -> Contradiction? {
        guard isApplicable else { return nil }
        let deviation = volatility * rootYears
        if let mark, mark > 0 {
            let price = mark / unit
            let rounding = Self.rounding(price)
            let valueOfMark = value(deviation)
            func fits(_ deviation: Double) -> Bool {
                value(deviation / 1.1) - rounding <= price && price <= value(deviation * 1.1) + rounding
            }
            if (valueOfMark - price).magnitude > rounding, !fits(deviation) {
                let hasTimeValue = price - value(0) > rounding
                let most = sign > 0 ? 1 : moneyness
                let impossible =
                    unit == 1
                    ? "no volatility gives such a mark; is it in dollars where the premium is paid in coin?"
                    : "no volatility gives such a mark"
                return Contradiction(
                    isOfDelta: false, expected: valueOfMark * unit,
                    guess: price > most + rounding
                        ? impossible : wrongUnit(deviation, isTelling: hasTimeValue, fits))
            }
        }
        if let delta {
            let deltaOfMark = self.delta(deviation)
            func fits(_ deviation: Double) -> Bool {
                let (low, high) = (self.delta(deviation / 1.1), self.delta(deviation * 1.1))
                return min(low, high) - 0.02 <= delta && delta <= max(low, high) + 0.02
            }
            if (deltaOfMark - delta).magnitude > 0.02, !fits(deviation) {
                let isImpossible = sign * delta < -0.02 || sign * delta > 1.02
                return Contradiction(
                    isOfDelta: true, expected: deltaOfMark,
                    guess: isImpossible
                        ? "no option of this type has such a delta"
                        : wrongUnit(deviation, isTelling: (0.05...0.95).contains(sign * delta), fits))
            }
        }
        return nil
    }

    /// Whether a hundredfold of the volatility explains what it does not, or a hundredth. A fact that tells nothing fits all
    /// small volatilities.
    private func wrongUnit(_ deviation: Double, isTelling: Bool, _ fits: (Double) -> Bool) -> String? {
        guard isTelling else { return nil }
        if deviation > 0, fits(100 * deviation) {
            return "100 times the volatility fits: is it a fraction where percent are expected?"
        }
        if deviation > 1, fits(deviation / 100) {
            return "a hundredth of the volatility fits: is it in percent where a fraction is expected?"
        }
        return nil
    }

    /// The volatility that gives a mark, 0 where it is worth what exercise would bring; nil where none from 0 to 100 does.
    func volatility(ofMark mark: Double) -> Double? {
        guard rootYears > 0, discount > 0 else { return nil }
        // What is left is the value of the option out of the money, all of it due to the volatility: no digits are lost.
        let intrinsic = max(0, sign * (1 - moneyness))
        let target = mark / unit / discount - intrinsic
        guard target > 0 else { return target >= -Self.rounding(mark / unit) ? 0 : nil }
        var (low, high) = (0.0, 100 * rootYears)
        guard target < timeValue(high) else { return nil }
        // Bisection to the last bit: this is for rows that lack what most have.
        while true {
            let middle = low + (high - low) / 2
            guard middle > low, middle < high else { return middle / rootYears }
            if timeValue(middle) < target { low = middle } else { high = middle }
        }
    }

    /// Ticks, and prices that are some seconds older than the future's.
    private static func rounding(_ price: Double) -> Double { 0.002 + 0.02 * price }

    /// The option's value in futures.
    private func value(_ deviation: Double) -> Double {
        discount * (max(0, sign * (1 - moneyness)) + timeValue(deviation))
    }

    /// The value of the option of the same strike that is out of the money, undiscounted.
    private func timeValue(_ deviation: Double) -> Double {
        guard deviation > 0 else { return 0 }
        let w: Double = moneyness >= 1 ? 1 : -1
        let d1 = -log(moneyness) / deviation + deviation / 2
        return max(0, w * (Self.normal(w * d1) - moneyness * Self.normal(w * (d1 - deviation))))
    }

    private func delta(_ deviation: Double) -> Double {
        guard deviation > 0 else { return sign * (1 - moneyness) > 0 ? sign : 0 }
        return discount * sign * Self.normal(sign * (-log(moneyness) / deviation + deviation / 2))
    }

    private static func normal(_ x: Double) -> Double { 0.5 * erfc(-x * 0.5.squareRoot()) }
}

extension Ticker {
    /// What contradicts its other facts, in natural units, where a unit is mixed up: what a reader of rows refuses, of a
    /// ticker that no reader has seen.
    package var contradiction: (field: String, value: Double, reason: String)? {
        guard let underlyingPrice, let markVolatility else { return nil }
        let check = MarkCheck(instrument, at: timestamp, forward: underlyingPrice, rate: interestRate)
        let delta = published.flatMap { $0.delta == 0 && $0.vega == 0 ? nil : $0.delta }
        guard let found = check.contradiction(volatility: markVolatility, mark: markPrice, delta: delta),
            let guess = found.guess
        else { return nil }
        let reason = "the volatility gives \(Float(found.expected)); \(guess)"
        return found.isOfDelta
            ? ("delta", delta ?? .nan, "contradicts a volatility of \(markVolatility): \(reason)")
            : ("volatility", markVolatility, "contradicts a mark of \(markPrice ?? .nan): \(reason)")
    }
}
