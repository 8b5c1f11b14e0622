import Market

extension CostCurve {
    /// What the displayed levels of an order book cost, each by its distance from a price that trades are measured
    /// against: filling a trade level by level costs exactly what the curve says.
    /// - Parameters:
    ///   - bids, asks: in any order; levels without a price or an amount are left out.
    ///   - reference: price against which costs count, such as the middle of the market, as the levels quote it.
    ///   - fee: per unit traded, in the problem's currency.
    ///   - feeRate: share of what is paid or received, beside `fee`.
    ///   - perPrice: the problem's currency per unit of quoted price.
    public init(
        bids: [OrderLevel], asks: [OrderLevel], reference: Double, fee: Double = 0, feeRate: Double = 0,
        perPrice: Double = 1
    ) {
        func side(_ levels: [OrderLevel], _ sign: Double) -> [Level] {
            var side: [Level] = []
            var end = 0.0
            let good = levels.filter { $0.price > 0 && $0.amount > 0 && $0.amount < .infinity }
            for level in good.sorted(by: { sign * $0.price < sign * $1.price }) {
                end += level.amount
                let price =
                    sign * (level.price - reference) * perPrice + fee + feeRate * level.price * perPrice
                if let last = side.last, last.price == price {
                    side[side.count - 1].upTo = end
                } else {
                    side.append(Level(upTo: end, price: price))
                }
            }
            return side
        }
        self.init(buy: side(asks, 1), sell: side(bids, -1))
    }

    /// Several curves as one that costs, for each amount, what the best split of it among them costs (infimal
    /// convolution). Exact: between the marginal costs at which stretches begin and end, amounts add up.
    public static func joined(_ curves: [CostCurve]) -> CostCurve {
        CostCurve(buy: joined(curves.map { $0.buy ?? [] }), sell: joined(curves.map { $0.sell ?? [] }))
    }

    private static func joined(_ sides: [[Level]]) -> [Level] {
        var flat: [(price: Double, size: Double)] = []
        var bent: [(from: Double, to: Double, quadratic: Double)] = []
        for side in sides {
            var start = 0.0
            for level in side {
                let size = level.upTo - start
                start = level.upTo
                if level.quadratic > 0 {
                    bent.append((level.price, level.price + 2 * level.quadratic * size, level.quadratic))
                } else {
                    flat.append((level.price, size))
                }
            }
        }
        let prices = Set(flat.map(\.price) + bent.flatMap { [$0.from, $0.to] }).sorted()
        var joined: [Level] = []
        var end = 0.0
        func add(_ size: Double, _ price: Double, _ quadratic: Double) {
            guard size > 0, end < .infinity else { return }
            end += size
            joined.append(Level(upTo: end, price: price, quadratic: quadratic))
        }
        for (k, price) in prices.enumerated() where price < .infinity {
            add(flat.reduce(0) { $0 + ($1.price == price ? $1.size : 0) }, price, 0)
            guard k + 1 < prices.count else { continue }
            // How much each that bends here gives per unit of marginal cost.
            let rate = bent.reduce(0) {
                $0 + ($1.from <= price && $1.to >= prices[k + 1] ? 0.5 / $1.quadratic : 0)
            }
            if rate > 0 { add(rate * (prices[k + 1] - price), price, 0.5 / rate) }
        }
        return joined
    }
}
