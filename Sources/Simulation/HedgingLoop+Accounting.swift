import VectorMath

extension HedgingLoop {
    /// Moves the account over the step that begins at a time, and explains what it earned.
    /// - Parameters:
    ///   - before: the hedge's delta before this step's fills.
    ///   - isHedged: where the clock since the last hedge begins anew.
    func evolve(_ time: Int, before: Lanes, isHedged: LaneMask) {
        let stepYears = Lanes(repeating: grid.stepYears)
        let (market, next) = (book.markets[time], book.markets[time + 1])
        let move = next.spot - market.spot
        let (mark, nextMark) = (instrument.mark[time], instrument.mark[time + 1])
        let alive = account.alive

        explain(book, alive, time, move, stepYears)
        var settled = book.settlement[time + 1] * alive
        if let options { settled += evolveOptions(options, time, move, stepYears) }

        // The hedge, as cash and coins.
        let (traded, value) = (account.traded, account.tradedValue)
        let hedge = before + traded
        let coinsBefore = account.coins
        let slippage = traded * mark - value
        var hedgeProfit: Lanes
        var basis: Lanes
        if isInverse {
            let one = Lanes(repeating: 1)
            let coinProfit = account.position * (one / mark - one / nextMark) + traded - value / nextMark
            account.coins += coinProfit
            account.position += value
            hedgeProfit = coinProfit * next.spot
            basis = hedgeProfit + coinsBefore * move - hedge * move - slippage
        } else {
            let held = account.position + traded
            hedgeProfit = held * nextMark - account.position * mark - value
            basis = held * ((nextMark - mark) - move)
            if isSpot { account.cash -= value } else { account.cash += hedgeProfit }
            account.position = held
        }
        credit(.unhedgedDelta, (book.sums[time].delta * alive + hedge) * move)
        credit(.slippage, slippage)
        credit(.basis, basis)

        payCostsAndFunding(time, next.spot, nextMark, &hedgeProfit)
        earnInterest(next.spot)
        let rates = book.schedule.book
        if rates.settlement == .coin {
            account.coins += settled / next.spot
        } else {
            account.cash += settled
        }
        options?.drop(settledAt: time + 1)

        for index in venues.indices where displacementDecay[index] > 0 {
            displacement[index] *= Lanes(repeating: displacementDecay[index])
        }
        account.yearsSinceHedge = (account.yearsSinceHedge + stepYears).replacing(
            with: stepYears, where: isHedged)
        if let margin = terms.margin { checkMargin(margin, time + 1, hedgeProfit) }
        for part in 0..<Self.partCount { parts[part] += partsOfStep[part] }
        measure(time + 1)
        account.traded = .zero
        account.tradedValue = .zero
        account.costs = .zero
    }

    /// Takes costs and funding from the account, and from what the hedge earned.
    private func payCostsAndFunding(_ time: Int, _ spot: Lanes, _ mark: Lanes, _ profit: inout Lanes) {
        let costs = account.costs
        if isInverse { account.coins -= costs / spot } else { account.cash -= costs }
        profit -= costs
        guard instrument.hasPayments else { return }
        let rate = instrument.payment[time]
        if isInverse {
            let coins = account.position * rate / mark
            account.coins -= coins
            credit(.funding, (coins * spot).negated)
            profit -= coins * spot
        } else {
            let payment = account.position * instrument.mark[time] * rate
            account.cash -= payment
            credit(.funding, payment.negated)
            profit -= payment
        }
    }

    /// Interest on cash, dividends on spot.
    private func earnInterest(_ spot: Lanes) {
        let rates = book.schedule.book
        if rates.rate != 0 {
            let interest = account.cash * Lanes(repeating: scalarExponential(rates.rate * grid.stepYears) - 1)
            account.cash += interest
            credit(.interest, interest)
        }
        if rates.dividend != 0, isSpot {
            let growth = Lanes(repeating: scalarExponential(rates.dividend * grid.stepYears) - 1)
            let dividend = (account.position + account.coins) * spot * growth
            account.cash += dividend
            credit(.interest, dividend)
        }
    }

    /// The change of value of so many books by their Greeks at the start of the step; what they leave is
    /// `higherOrder`.
    func explain(_ book: BookTrack, _ amount: Lanes, _ time: Int, _ move: Lanes, _ stepYears: Lanes) {
        let sums = book.sums[time]
        let (market, next) = (book.markets[time], book.markets[time + 1])
        let gamma = Lanes(repeating: 0.5) * sums.gamma * move * move * amount
        let rent = sums.gammaRent * stepYears * amount
        let carry = (sums.theta + sums.gammaRent) * stepYears * amount
        let vega =
            (sums.levelVega * (next.level - market.level) + sums.shiftVega
                * (next.logSpotShift - market.logSpotShift))
            * amount
        let change =
            (book.sums[time + 1].price + book.settlement[time + 1] - sums.price) * amount
        credit(.gamma, gamma)
        credit(.rent, rent.negated)
        credit(.carry, carry)
        credit(.vega, vega)
        credit(.higherOrder, change - sums.delta * move * amount - gamma + rent - carry - vega)
    }

    /// Liquidates where the margin account does not hold what it must.
    private func checkMargin(_ margin: MarginAccount, _ time: Int, _ hedgeProfit: Lanes) {
        let spot = book.markets[time].spot
        let notional =
            isInverse ? account.position.absolute : account.position.absolute * instrument.mark[time]
        var short = Lanes(repeating: book.schedule.shortOptions[time]) * account.alive
        if let options { short += options.short(time) }
        let shortNotional = short * spot
        let collateral = Lanes(repeating: margin.collateral)
        let isCrossed = margin.isCrossed || venueMargin != nil
        let isShort: LaneMask
        if let venueMargin {
            let left = venueMargin.balance(
                time, margin.collateral, account, book, instrument.mark[time], options)
            isShort = left .< .zero
            // What cannot be priced is no figure.
            account.cash += left.kept(where: left .!= left)
        } else {
            var required = notional * Lanes(repeating: margin.maintenance)
            if margin.isCrossed {
                account.marginEquity = collateral + equity(time)
                required += shortNotional * Lanes(repeating: margin.optionMaintenance)
            } else {
                account.marginEquity += hedgeProfit
            }
            isShort = (account.marginEquity .< required) .& (required .> .zero)
        }
        guard PortableArithmetic.any(isShort) else { return }
        let liquidated = isCrossed ? notional + shortNotional : notional
        let penalty = (liquidated * Lanes(repeating: margin.penalty)).kept(where: isShort)
        credit(.liquidation, penalty.negated)
        tally(.liquidations, Lanes(repeating: 1).kept(where: isShort))
        if isInverse { account.coins -= penalty / spot } else { account.cash -= penalty }
        // Contracts are marked already; spot would be sold.
        account.position = account.position.kept(where: .!isShort)
        account.pending = account.pending.kept(where: .!isShort)
        for slot in 0..<ringTotal { rings[slot] = rings[slot].kept(where: .!isShort) }
        if isCrossed {
            var proceeds = book.sums[time].price * account.alive + account.coins * spot
            if let options {
                proceeds += options.value(time)
                options.drop(where: isShort)
            }
            account.cash += proceeds.kept(where: isShort)
            account.coins = account.coins.kept(where: .!isShort)
            account.alive = account.alive.kept(where: .!isShort)
        } else {
            account.marginEquity.replace(with: collateral, where: isShort)
        }
    }

    /// Takes down what the account looks like at a time.
    private func measure(_ time: Int) {
        let equity = equity(time)
        account.highest = pointwiseMax(account.highest, equity)
        raise(.drawdown, to: account.highest - equity)
        var net = book.sums[time].delta * account.alive + hedgeDelta(instrument.mark[time])
        if let options { net += options.delta(time) }
        if terms.deltaLimit < .infinity {
            var exposure = net
            if let scale = account.volatilityScale {
                // By the delta that the policy steers by.
                exposure +=
                    (book.delta(at: time, volatilityScale: scale) - book.sums[time].delta) * account.alive
                if let options {
                    exposure += options.delta(at: time, volatilityScale: scale) - options.delta(time)
                }
            }
            tally(.timeOutside, Lanes(repeating: 1).kept(where: exposure.absolute .> deltaLimit))
        }
        net = net.absolute
        raise(.worstExposure, to: net * book.markets[time].spot)
    }

    /// Where a figure was lower.
    private func raise(_ metric: PathMetric, to amount: Lanes) {
        metrics[metric.rawValue] = pointwiseMax(metrics[metric.rawValue], amount)
    }

    /// Closes the hedge if it is to be, and completes the metrics.
    func finish() {
        let last = grid.steps
        let mark = instrument.mark[last]
        if terms.closesAtEnd, let track = venues.first {
            partsOfStep.fill(.zero)
            let order = (isInverse ? account.position / mark : account.position).negated
            switch track.venue.costs {
            case .orderBook(var costs):
                // Out at the market, whatever the way in was.
                costs.isMaker = false
                addOrderBookCosts(costs, 0, order, mark, last)
            case .pool(let pool):
                _ = addPoolCosts(pool, order, mark)
                let gas = track.gas[last - 1].kept(where: order .!= .zero)
                account.costs += gas
                credit(.gas, gas.negated)
            }
            tally(.trades, Lanes(repeating: 1).kept(where: order .!= .zero))
            tally(.turnover, order.absolute * mark)
            if let options { closeOptions(options, last) }
            account.cash -= account.costs
            account.costs = .zero
            for part in 0..<Self.partCount { parts[part] += partsOfStep[part] }
            raise(.drawdown, to: account.highest - equity(last))
        }
        metrics[PathMetric.profit.rawValue] = equity(last)
        let share = Lanes(repeating: 1 / Double(grid.steps))
        for figure in [PathMetric.timeOutside, .timeUnhedged] { metrics[figure.rawValue] *= share }
    }
}
