import VectorMath

extension HedgingLoop {
    /// Sends an order of so many coins to a venue, and fills what is due there in the step that begins at a
    /// time.
    /// - Returns: coins filled in this step.
    func trade(_ index: Int, _ order: Lanes, _ time: Int, _ mark: Lanes, _ block: PathBlock) -> Lanes {
        let track = venues[index]
        let largest = Lanes(repeating: track.venue.largestOrder)
        var order = pointwiseMax(pointwiseMin(order, largest), largest.negated)
        var decided = mark
        if track.delaySteps > 0 {
            let length = track.delaySteps + 1
            let last = ringStarts[index] + (time + track.delaySteps) % length
            rings[last] = order
            decisionMarks[last] = mark
            account.pending += order
            let due = ringStarts[index] + time % length
            order = rings[due]
            decided = decisionMarks[due]
            rings[due] = .zero
            account.pending -= order
            // Sent while the venue was up, refused by the time it arrives.
            order = order.kept(where: track.isDown[time] .== .zero)
        }
        guard PortableArithmetic.any(order .!= .zero) else { return .zero }

        let failures = track.venue.failures
        var gasPaid = Lanes.zero
        if track.canFail {
            let refused = Lanes(repeating: failures.orderFailure)
            order = order.kept(where: track.failure[time] .>= refused)
            if case .pool(let pool) = track.venue.costs {
                gasPaid = track.gas[time].kept(where: order .!= .zero)
                let reverted = Lanes(repeating: failures.orderFailure + pool.failureProbability)
                order = order.kept(where: track.failure[time] .>= reverted)
            }
        } else if case .pool = track.venue.costs {
            gasPaid = track.gas[time].kept(where: order .!= .zero)
        }
        if failures.partialFill > 0 {
            let share = track.partial[time] / Lanes(repeating: failures.partialFill)
            let least = Lanes(repeating: failures.leastFill)
            let fraction = least + (Lanes(repeating: 1) - least) * share
            order.replace(with: order * fraction, where: share .< Lanes(repeating: 1))
        }

        var middle = mark
        if track.delayFraction > 0 {
            // A bridge between the marks at both ends of the step, with the step's own variance.
            let part = track.delayFraction
            let deviation = PortableArithmetic.squareRoot(
                block.variance[time] * Lanes(repeating: grid.stepYears * part * (1 - part)))
            middle =
                mark + Lanes(repeating: part) * (instrument.mark[time + 1] - mark)
                + mark * deviation * track.bridge[time]
        }
        switch track.venue.costs {
        case .orderBook(let book):
            if book.isMaker { order = resting(order, book, track, time, mark, block) }
            addOrderBookCosts(book, index, order, middle, time)
        case .pool(let pool):
            order = addPoolCosts(pool, order, middle)
            account.costs += gasPaid
            credit(.gas, gasPaid.negated)
        }
        let size = order.absolute
        account.traded += order
        account.tradedValue += order * middle
        tally(.trades, Lanes(repeating: 1).kept(where: order .!= .zero))
        tally(.turnover, size * middle)
        tally(.shortfall, order * (middle - decided))
        return order
    }

    /// Fills of resting orders: where the price reaches them before the step ends.
    ///
    /// - Method: a Brownian bridge from ln S to ln S′ with variance v passes a level a below its start and b
    ///   below its end with probability exp(−2ab/v).
    private func resting(
        _ order: Lanes, _ book: OrderBookCosts, _ track: VenueTrack, _ time: Int, _ mark: Lanes,
        _ block: PathBlock
    ) -> Lanes {
        let half = halfSpread(book, time)
        let isBuy = order .> .zero
        let move = instrument.mark[time + 1] / mark - Lanes(repeating: 1)
        let beyond = half + move.replacing(with: move.negated, where: .!isBuy)
        let variance = block.variance[time] * Lanes(repeating: grid.stepYears)
        let exponent =
            Lanes(repeating: -2) * half * beyond.atLeast(0) / (variance + Lanes(repeating: 0x1p-200))
        let probability = exponential(PortableArithmetic.self, exponent.atLeast(-700).atMost(0))
        return order.kept(where: track.touch[time] .<= probability)
    }

    /// Adds up the costs of a trade at an order book; the account pays them at the end of the step.
    func addOrderBookCosts(
        _ book: OrderBookCosts, _ index: Int, _ order: Lanes, _ middle: Lanes, _ time: Int
    ) {
        let value = order.absolute * middle
        let half = halfSpread(book, time)
        let sign = Lanes(repeating: 1).replacing(with: Lanes(repeating: -1), where: order .< .zero)
        // A maker is paid the spread.
        let spread = book.isMaker ? (value * half).negated : value * half
        var impact = Lanes.zero
        if book.linearImpact > 0 || book.squareRootImpact > 0 {
            let ratio = value / Lanes(repeating: book.depth)
            let linear = Lanes(repeating: book.linearImpact) * ratio
            var root = Lanes.zero
            if book.squareRootImpact > 0 {
                root = Lanes(repeating: book.squareRootImpact) * PortableArithmetic.squareRoot(ratio)
            }
            let impactPaid = linear * Lanes(repeating: 0.5) + root * Lanes(repeating: 2.0 / 3)
            impact = value * (displacement[index] * sign + impactPaid)
            if displacementDecay[index] > 0 { displacement[index] += sign * (linear + root) }
        }
        // On the price paid: above the middle for a purchase, below it for a sale.
        let fee =
            (value + sign * (spread + impact))
            * Lanes(repeating: book.isMaker ? book.makerFee : book.takerFee)
        account.costs += spread + impact + fee
        credit(.spread, spread.negated)
        credit(.impact, impact.negated)
        credit(.fees, fee.negated)
    }

    /// Adds up the costs of a trade at a constant-product pool that arbitrage keeps at the market's price: with
    /// R coins in it, x coins cost S·R·x/(R − x), and the fee is taken from what is paid in.
    /// - Returns: the order, at most half of the pool.
    func addPoolCosts(_ pool: PoolCosts, _ order: Lanes, _ middle: Lanes) -> Lanes {
        let reserve = Lanes(repeating: pool.liquidity) / PortableArithmetic.squareRoot(middle)
        let half = reserve * Lanes(repeating: 0.5)
        let order = pointwiseMax(pointwiseMin(order, half), half.negated)
        let size = order.absolute
        let kept = Lanes(repeating: 1 - pool.fee)
        // Bought: what the curve asks beyond the middle, and the fee on what is paid in.
        let asked = middle * reserve * size / (reserve - size)
        let boughtImpact = asked - size * middle
        let boughtFee = asked / kept - asked
        // Sold: the fee is kept from the coins, the rest goes along the curve.
        let soldFee = size * middle * Lanes(repeating: pool.fee)
        let net = size * kept
        let soldImpact = net * middle - middle * reserve * net / (reserve + net)
        let isSale = order .< .zero
        let impact = boughtImpact.replacing(with: soldImpact, where: isSale)
        let fee = boughtFee.replacing(with: soldFee, where: isSale)
        account.costs += impact + fee
        credit(.impact, impact.negated)
        credit(.fees, fee.negated)
        return order
    }
}
