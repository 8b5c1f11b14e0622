import Checks
import Greeks

extension MarginModel {
    /// The account's margins at other prices of an underlying, moved as `liquidationPrices` moves them.
    /// - Throws: what `liquidationPrices` throws.
    public func requirements(
        of account: CrossMarginAccount, in market: MarginMarket, underlying number: Int, at prices: [Double],
        _ engine: GreeksEngine
    ) throws(MarginError) -> [MarginRequirement] {
        let moving = try MovingPrices(self, account, market, [number])
        var results: [MarginRequirement] = []
        for price in prices {
            try MarginError.require(
                .positiveUpTo(1e300), price, "price", of: market.underlyings[number].name)
            results.append(try moving.requirement(by: price / moving.spot, engine))
        }
        return results
    }

    /// All prices of an underlying in a range at which the account's maintenance balance is 0, ascending. There may be none.
    ///
    /// Volatilities stay with their contracts (sticky strike), time stands still; `MarginMarket` and `CrossMarginAccount` say
    /// what moves. The balance is neither monotone nor smooth: it is looked at on a grid of prices, beside every strike
    /// and, where it turns near 0, in between; each change of sign is narrowed to neighbouring doubles.
    /// - Parameter points: of the grid, in equal ratios.
    /// - Throws: what `requirement` throws; a contract that has no price at other prices.
    public func liquidationPrices(
        of account: CrossMarginAccount, in market: MarginMarket, underlying number: Int,
        within range: ClosedRange<Double>, points: Int = 1600, _ engine: GreeksEngine
    ) throws(MarginError) -> [Double] {
        let name = market.underlyings[number].name
        try MarginError.require(.positive, range.lowerBound, "lowest", of: name)
        try MarginError.require(.finite, range.upperBound, "highest", of: name)
        let moving = try MovingPrices(self, account, market, [number])
        return try roots(grid(account, market, number, range, points)) { price throws(MarginError) in
            try moving.requirement(by: price / moving.spot, engine).maintenanceBalance
        }
    }

    /// The multiples of all prices at once, in a range around 1, at which the account's maintenance balance is 0, ascending:
    /// as `liquidationPrices`, when every underlying moves by the same factor.
    public func liquidationFactors(
        of account: CrossMarginAccount, in market: MarginMarket, within range: ClosedRange<Double>,
        points: Int = 1600, _ engine: GreeksEngine
    ) throws(MarginError) -> [Double] {
        try MarginError.require(.positive, range.lowerBound, "lowest", of: "market")
        try MarginError.require(.finite, range.upperBound, "highest", of: "market")
        let moving = try MovingPrices(self, account, market, Array(market.underlyings.indices))
        var factors = ratios(range, points) + [1]
        for number in market.underlyings.indices {
            factors += strikes(account, market, number).map { $0 / market.underlyings[number].spot }
        }
        let sorted = Array(Set(factors.filter(range.contains))).sorted()
        return try roots(sorted) { factor throws(MarginError) in
            try moving.requirement(by: factor, engine).maintenanceBalance
        }
    }

    /// Where a balance is 0, of prices in ascending order.
    private func roots(
        _ prices: [Double], _ balance: (Double) throws(MarginError) -> Double
    ) throws(MarginError) -> [Double] {
        var values: [Double] = []
        for price in prices { values.append(try balance(price)) }
        let size = values.reduce(0) { max($0, $1.magnitude) }
        var roots: [Double] = []
        func narrow(_ low: Double, _ high: Double, _ atLow: Double) throws(MarginError) {
            roots.append(try root(balance, low, high, atLow))
        }
        for place in prices.indices {
            if values[place] == 0 { roots.append(prices[place]) }
            guard place + 1 < prices.count, values[place] != 0, values[place + 1] != 0 else { continue }
            if (values[place] < 0) != (values[place + 1] < 0) {
                try narrow(prices[place], prices[place + 1], values[place])
            }
        }
        // A turn towards 0 between points of one sign may reach beyond it.
        for place in prices.indices.dropFirst().dropLast() {
            let (left, middle, right) = (values[place - 1], values[place], values[place + 1])
            guard middle != 0, (left < 0) == (middle < 0), (right < 0) == (middle < 0),
                middle.magnitude <= left.magnitude, middle.magnitude <= right.magnitude,
                middle.magnitude <= 0.1 * size
            else { continue }
            let sign = middle < 0 ? -1.0 : 1.0
            let turn = try turn(balance, prices[place - 1], prices[place + 1], sign)
            guard turn.value * sign < 0 else { continue }
            try narrow(prices[place - 1], turn.price, left)
            try narrow(turn.price, prices[place + 1], turn.value)
        }
        return roots.sorted()
    }

    /// The prices at which the balance is looked at.
    private func grid(
        _ account: CrossMarginAccount, _ market: MarginMarket, _ number: Int, _ range: ClosedRange<Double>,
        _ points: Int
    ) -> [Double] {
        var prices = ratios(range, points)
        prices.append(market.underlyings[number].spot)
        prices += strikes(account, market, number)
        return Array(Set(prices.filter(range.contains))).sorted()
    }

    /// A range in equal ratios.
    private func ratios(_ range: ClosedRange<Double>, _ points: Int) -> [Double] {
        let ratio = naturalLogarithm(range.upperBound / range.lowerBound) / Double(max(1, points))
        var prices = (0...max(1, points)).map { range.lowerBound * exponential(ratio * Double($0)) }
        prices[0] = range.lowerBound
        prices[prices.count - 1] = range.upperBound
        return prices
    }

    /// The prices of an underlying at which forwards are at the strikes held.
    private func strikes(_ account: CrossMarginAccount, _ market: MarginMarket, _ number: Int) -> [Double] {
        var prices: [Double] = []
        let spot = market.underlyings[number].spot
        for place in account.held where market.contracts[place].underlying == number {
            guard let strike = market.contracts[place].strike, let expiry = market.contracts[place].expiry
            else { continue }
            let forward = market.underlyings[number].expiries[expiry].forward
            prices.append(strike * spot / forward)
        }
        return prices
    }

    /// Where a function of different signs at two prices changes it: bisection with steps of the false position that has
    /// lost its memory (Illinois).
    private func root(
        _ balance: (Double) throws(MarginError) -> Double, _ low: Double, _ high: Double, _ atLow: Double
    ) throws(MarginError) -> Double {
        var (a, b) = (low, high)
        var (fa, fb) = (atLow, try balance(high))
        var best = fa.magnitude < fb.magnitude ? (a, fa) : (b, fb)
        for step in 0..<200 {
            let middle = a + (b - a) / 2
            guard middle > a, middle < b else { break }
            var next = step % 3 == 2 ? middle : a - fa * (b - a) / (fb - fa)
            if !(next > a && next < b) { next = middle }
            let value = try balance(next)
            if value.magnitude < best.1.magnitude { best = (next, value) }
            if value == 0 { return next }
            if (value < 0) == (fa < 0) {
                (a, fa) = (next, value)
                fb /= 2
            } else {
                (b, fb) = (next, value)
                fa /= 2
            }
        }
        return best.0
    }

    /// The least of sign·balance between two prices, by golden sections; stops where it is below 0.
    private func turn(
        _ balance: (Double) throws(MarginError) -> Double, _ low: Double, _ high: Double, _ sign: Double
    ) throws(MarginError) -> (price: Double, value: Double) {
        let share = 0.381_966_011_250_105_1
        var (a, b) = (low, high)
        var left = a + share * (b - a)
        var right = b - share * (b - a)
        var atLeft = try balance(left)
        var atRight = try balance(right)
        for _ in 0..<60 {
            if atLeft * sign < 0 { return (left, atLeft) }
            if atRight * sign < 0 { return (right, atRight) }
            if atLeft * sign < atRight * sign {
                (b, right, atRight) = (right, left, atLeft)
                left = a + share * (b - a)
                atLeft = try balance(left)
            } else {
                (a, left, atLeft) = (left, right, atRight)
                right = b - share * (b - a)
                atRight = try balance(right)
            }
        }
        return atLeft * sign < atRight * sign ? (left, atLeft) : (right, atRight)
    }
}

/// An account and its market while prices move together.
private struct MovingPrices {
    let model: MarginModel
    let account: CrossMarginAccount
    let market: MarginMarket
    let numbers: [Int]

    /// - Throws: input that is not accepted; a contract that has no price at other prices.
    init(
        _ model: MarginModel, _ account: CrossMarginAccount, _ market: MarginMarket, _ numbers: [Int]
    ) throws(MarginError) {
        try market.validate()
        try account.validate()
        try model.refuseEntries(of: account)
        for number in numbers {
            let underlying = market.underlyings[number]
            try MarginError.require(.positive, underlying.spot, "spot", of: underlying.name)
        }
        for place in account.held {
            let contract = market.contracts[place]
            let isGiven = contract.gains != nil || (contract.kind == .option && contract.volatility == nil)
            if numbers.contains(contract.underlying), isGiven {
                throw .missing("vol", of: contract.name, for: "a liquidation price")
            }
        }
        (self.model, self.account, self.numbers) = (model, account, numbers)
        // Prices follow from volatilities; a mark would stand still.
        var open = market
        for place in market.contracts.indices where market.contracts[place].volatility != nil {
            open.contracts[place].mark = nil
        }
        self.market = open
    }

    /// Of the first.
    var spot: Double { market.underlyings[numbers[0]].spot }

    func requirement(
        by factor: Double, _ engine: GreeksEngine
    ) throws(MarginError) -> MarginRequirement {
        let account = try account.moved(numbers, by: factor, in: market, model)
        var moved = market
        for number in numbers { moved = moved.moved(number, by: factor) }
        return try model.unchecked(account, moved, engine)
    }
}
