import Rebalancing
import VectorMath

extension HedgingLoop {
    /// What the optimizer leaves to trade of the underlying, once it has traded the options.
    struct JointOrder {
        /// Coins of the underlying.
        var underlying = Lanes.zero
        /// Lanes in which the underlying is traded for the options' sake, its own clock going on.
        var keepsClock = LaneMask(repeating: false)
        /// Lanes in which a band was left that could not be met.
        var isUnserved = LaneMask(repeating: false)
    }

    /// Asks the optimizer for trades of options and underlying, wherever a band has been left, and trades the
    /// options.
    ///
    /// Options trade at once, at their value of the moment, where the first venue is up and prices are not
    /// too old; the underlying goes the way of every order. A delta that is not kept in a band may not get
    /// further from 0 by what the options bring.
    func tradeJointly(
        _ options: OptionHedges, _ policy: some RebalancingPolicy, _ own: RebalancingBand,
        _ state: borrowing RebalancingState, _ hedge: Lanes, _ time: Int, isRefused: LaneMask
    ) -> JointOrder {
        var order = JointOrder()
        var bands = [(policy.greek, own)]
        for companion in policy.companions { bands.append((companion.greek, companion.band(state))) }
        if policy.greek != .delta { bands.append((.delta, .hold)) }
        var isOutside = LaneMask(repeating: false)
        for (greek, band) in bands { isOutside = isOutside .| (band.change(of: state[greek]) .!= .zero) }
        isOutside = isOutside .& (account.alive .> .zero)
        guard PortableArithmetic.any(isOutside) else { return order }
        order.keepsClock = isOutside .& .!own.isOutside(state[policy.greek])

        let isDown = venues[0].isDown[time] .!= .zero
        let costs = state.proportionalCost * state.spot
        for index in options.terms.indices { options.trades[index] = .zero }
        for lane in 0..<8 where isOutside[lane] {
            guard !isRefused[lane] else {
                order.isUnserved[lane] = true
                continue
            }
            var request = OptionHedges.Request(
                lane: lane, time: time, spot: state.spot[lane], bands: [],
                paysCoin: book.schedule.book.settlement == .coin, cost: costs[lane],
                mostBought: max(0, terms.positionLimit - hedge[lane]),
                mostSold: max(0, terms.positionLimit + hedge[lane]),
                tradesOptions: !isDown[lane])
            for (greek, band) in bands {
                let current = state[greek][lane]
                let left = current < band.lower[lane] || current > band.upper[lane]
                var low = left ? band.innerLower[lane] : band.lower[lane]
                var high = left ? band.innerUpper[lane] : band.upper[lane]
                guard low <= high else { continue }
                if greek == .delta {
                    low = low > -.infinity ? low : min(current, 0)
                    high = high < .infinity ? high : max(current, 0)
                }
                guard low > -.infinity || high < .infinity else { continue }
                // A little inside, so that the solver's last digits don't leave it outside.
                let margin = high - low < .infinity ? 1e-6 * (high - low) : 0
                (low, high) = (low + margin, high - margin)
                request.bands.append(.init(greek: greek, current: current, low: low, high: high))
            }
            guard let found = options.solve(request) else {
                order.isUnserved[lane] = true
                continue
            }
            order.underlying[lane] = found.underlying
            if !found.isMet { order.isUnserved[lane] = true }
        }
        payOptions(options, time)
        return order
    }

    /// Takes the options' trades into the account, and their costs.
    private func payOptions(_ options: OptionHedges, _ time: Int) {
        let spot = book.markets[time].spot
        let isCoin = book.schedule.book.settlement == .coin
        for index in options.terms.indices {
            let trade = options.trades[index]
            guard PortableArithmetic.any(trade .!= .zero) else { continue }
            let value = options.tracks[index].sums[time].price
            options.positions[index] += trade
            let premium = trade * value
            if isCoin { account.coins -= premium / spot } else { account.cash -= premium }
            payOptionCosts(options, index, trade, value, spot)
        }
    }

    private func payOptionCosts(
        _ options: OptionHedges, _ index: Int, _ trade: Lanes, _ value: Lanes, _ spot: Lanes
    ) {
        let size = trade.absolute
        let (spread, fee) = options.costs(index, value: value, spot: spot)
        account.costs += size * (spread + fee)
        credit(.spread, (size * spread).negated)
        credit(.fees, (size * fee).negated)
        tally(.trades, Lanes(repeating: 1).kept(where: trade .!= .zero))
        tally(.turnover, size * value)
    }

    /// Explains what the options that are held earned in the step that begins at a time, and settles what
    /// expires.
    /// - Returns: payoffs.
    func evolveOptions(_ options: OptionHedges, _ time: Int, _ move: Lanes, _ stepYears: Lanes) -> Lanes {
        for index in options.terms.indices where options.isListed(index, time) {
            let track = options.tracks[index]
            let position = options.positions[index]
            credit(.unhedgedDelta, position * track.sums[time].delta * move)
            explain(track, position, time, move, stepYears)
        }
        return options.settlement(time + 1)
    }

    /// Sells what options are held at the last time, at their costs.
    func closeOptions(_ options: OptionHedges, _ time: Int) {
        for index in options.terms.indices {
            options.trades[index] = options.positions[index].negated
        }
        payOptions(options, time)
    }
}
