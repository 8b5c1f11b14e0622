/// A swap within one range of liquidity, in whole units of both tokens, rounded as a pool of Uniswap v3 rounds it: always
/// in the pool's favour.
///
/// Source: H. Adams et al., "Uniswap v3 Core", 2021, section 6.2.3. Root prices are in units of 2⁻⁹⁶.
public struct SwapStep: Sendable, Equatable {
    /// What is left to swap.
    public enum Remaining: Sendable, Equatable {
        /// Paid in at most this much, fee included.
        case input(UInt256)
        /// Taken out at most this much.
        case output(UInt256)
    }

    /// The root price afterwards, not beyond the target.
    public let rootPrice: UInt256
    /// Paid in, without the fee.
    public let amountIn: UInt256
    public let amountOut: UInt256
    /// In the token that is paid in.
    public let fee: UInt256

    /// - Parameters:
    ///   - target: where the step ends at the latest; below the present root price token 0 is paid in.
    ///   - feePips: share of what is paid in, in millionths, below a million.
    /// - Returns: nil where a number does not fit, or where there is no liquidity to move the price.
    public init?(
        from root: UInt256, to target: UInt256, liquidity: UInt128, remaining: Remaining, feePips: UInt32
    ) {
        let isDown = root >= target
        guard feePips < 1_000_000, !root.isZero, !target.isZero else { return nil }
        let (million, fee) = (UInt256(1_000_000), UInt256(UInt128(feePips)))
        guard let rest = million.minus(fee) else { return nil }
        let (low, high) = isDown ? (target, root) : (root, target)
        func amount(_ isFirst: Bool, _ low: UInt256, _ high: UInt256, up: Bool) -> UInt256? {
            isFirst
                ? Self.amount0(low, high, liquidity, up: up) : Self.amount1(low, high, liquidity, up: up)
        }
        let end: UInt256
        var (paid, taken): (UInt256?, UInt256?)
        switch remaining {
        case .input(let most):
            guard let net = most.times(rest, over: million), let all = amount(isDown, low, high, up: true)
            else { return nil }
            if net >= all {
                (end, paid) = (target, all)
            } else {
                guard liquidity > 0, let next = Self.next(root, liquidity, paying: net, isDown) else {
                    return nil
                }
                end = next
            }
        case .output(let most):
            guard let all = amount(!isDown, low, high, up: false) else { return nil }
            if most >= all {
                (end, taken) = (target, all)
            } else {
                guard liquidity > 0, let next = Self.next(root, liquidity, taking: most, isDown) else {
                    return nil
                }
                end = next
            }
        }
        let (from, to) = isDown ? (end, root) : (root, end)
        guard let amountIn = paid ?? amount(isDown, from, to, up: true),
            var amountOut = taken ?? amount(!isDown, from, to, up: false)
        else { return nil }
        if case .output(let most) = remaining, amountOut > most { amountOut = most }
        if case .input(let most) = remaining, end != target {
            // What is too little to move the price further is fee.
            guard let left = most.minus(amountIn) else { return nil }
            self.fee = left
        } else {
            guard let charged = amountIn.times(fee, over: rest, roundingUp: true) else { return nil }
            self.fee = charged
        }
        (rootPrice, self.amountIn, self.amountOut) = (end, amountIn, amountOut)
    }

    private static let unit = UInt256(1 << 96)

    /// Token 0 between two root prices: L (1/√a − 1/√b).
    private static func amount0(
        _ low: UInt256, _ high: UInt256, _ liquidity: UInt128, up: Bool
    ) -> UInt256? {
        guard let scaled = UInt256(liquidity).shiftedLeft(96), let width = high.minus(low) else { return nil }
        return scaled.times(width, over: high, roundingUp: up)?.over(low, roundingUp: up)
    }

    /// Token 1 between two root prices: L (√b − √a).
    private static func amount1(
        _ low: UInt256, _ high: UInt256, _ liquidity: UInt128, up: Bool
    ) -> UInt256? {
        high.minus(low).flatMap { UInt256(liquidity).times($0, over: unit, roundingUp: up) }
    }

    private static func next(
        _ root: UInt256, _ liquidity: UInt128, paying amount: UInt256, _ isDown: Bool
    ) -> UInt256? {
        guard isDown else {
            return amount.times(unit, over: UInt256(liquidity)).flatMap { root.plus($0) }.flatMap(fitting)
        }
        guard !amount.isZero else { return root }
        guard let scaled = UInt256(liquidity).shiftedLeft(96) else { return nil }
        if let product = amount.times(root), let divisor = scaled.plus(product) {
            return scaled.times(root, over: divisor, roundingUp: true)
        }
        return scaled.over(root)?.plus(amount).flatMap { scaled.over($0, roundingUp: true) }
    }

    private static func next(
        _ root: UInt256, _ liquidity: UInt128, taking amount: UInt256, _ isDown: Bool
    ) -> UInt256? {
        guard !isDown else {
            guard let quotient = amount.times(unit, over: UInt256(liquidity), roundingUp: true),
                root > quotient
            else { return nil }
            return root.minus(quotient)
        }
        guard !amount.isZero else { return root }
        guard let scaled = UInt256(liquidity).shiftedLeft(96), let product = amount.times(root),
            let divisor = scaled.minus(product)
        else { return nil }
        return scaled.times(root, over: divisor, roundingUp: true).flatMap(fitting)
    }

    /// Root prices have 160 bits.
    private static func fitting(_ root: UInt256) -> UInt256? { root.high >> 32 == 0 ? root : nil }
}

/// A pool of concentrated liquidity, in its own whole units.
public struct ConcentratedPool: Sendable, Equatable {
    /// Root of the price of token 0 in token 1, in units of 2⁻⁹⁶.
    public private(set) var rootPrice: UInt256
    public private(set) var tick: Int
    /// In range.
    public private(set) var liquidity: UInt128
    /// Share of what is paid in, in millionths.
    public let feePips: UInt32
    /// At most `largestSpacing`.
    public let tickSpacing: Int
    /// Where liquidity changes: what crossing a tick upwards adds.
    public let ticks: [Tick]

    public struct Tick: Sendable, Equatable {
        public var index: Int
        public var liquidityNet: Int128

        public init(index: Int, liquidityNet: Int128) {
            self.index = index
            self.liquidityNet = liquidityNet
        }
    }

    /// The widest spacing that pools are made with: the factory's condition is `tickSpacing < 16384`.
    public static let largestSpacing = 16_383

    /// - Returns: nil where the price is off the ladder, where ticks are out of order or off their spacing, and for a
    ///   fee or a spacing out of range.
    public init?(
        rootPrice: UInt256, liquidity: UInt128, feePips: UInt32, tickSpacing: Int, ticks: [Tick]
    ) {
        guard let tick = TickLadder.tick(atRootPrice: rootPrice), feePips < 1_000_000,
            (1...Self.largestSpacing).contains(tickSpacing),
            ticks.allSatisfy({ $0.index % tickSpacing == 0 && TickLadder.ticks.contains($0.index) }),
            zip(ticks, ticks.dropFirst()).allSatisfy({ $0.index < $1.index })
        else { return nil }
        self.rootPrice = rootPrice
        self.tick = tick
        self.liquidity = liquidity
        self.feePips = feePips
        self.tickSpacing = tickSpacing
        self.ticks = ticks
    }

    /// Swaps, one step after the other as the contract does, which also pauses at the ends of its words of 256 ticks.
    /// - Parameter paysFirst: whether token 0 is paid in, and the price falls.
    /// - Returns: what was paid, fee included, and what was taken; less than what was asked for where liquidity ends. Nil
    ///   where a number does not fit or liquidity does not add up; the pool is then as it was.
    public mutating func swap(
        _ remaining: SwapStep.Remaining, paysFirst: Bool
    ) -> (paid: UInt256, taken: UInt256)? {
        let before = self
        let swapped = swapSteps(remaining, paysFirst: paysFirst)
        if swapped == nil { self = before }
        return swapped
    }

    private mutating func swapSteps(
        _ remaining: SwapStep.Remaining, paysFirst: Bool
    ) -> (paid: UInt256, taken: UInt256)? {
        var (paid, taken) = (UInt256(0), UInt256(0))
        var remaining = remaining
        while true {
            switch remaining {
            case .input(let left), .output(let left): if left.isZero { return (paid, taken) }
            }
            let (next, isTick) = nextTick(paysFirst)
            guard TickLadder.ticks.lowerBound < next, next < TickLadder.ticks.upperBound,
                let target = TickLadder.rootPrice(atTick: next)
            else { return (paid, taken) }
            guard
                let step = SwapStep(
                    from: rootPrice, to: target, liquidity: liquidity, remaining: remaining,
                    feePips: feePips),
                let cost = step.amountIn.plus(step.fee), let allPaid = paid.plus(cost),
                let allTaken = taken.plus(step.amountOut)
            else { return nil }
            (paid, taken) = (allPaid, allTaken)
            switch remaining {
            case .input(let left): remaining = .input(left.minus(cost) ?? UInt256(0))
            case .output(let left): remaining = .output(left.minus(step.amountOut) ?? UInt256(0))
            }
            rootPrice = step.rootPrice
            guard rootPrice == target else {
                tick = TickLadder.tick(atRootPrice: rootPrice) ?? tick
                continue
            }
            if isTick, let net = ticks.first(where: { $0.index == next })?.liquidityNet {
                let isLess = paysFirst == (net > 0)
                let (sum, overflow) =
                    isLess
                    ? liquidity.subtractingReportingOverflow(net.magnitude)
                    : liquidity.addingReportingOverflow(net.magnitude)
                guard !overflow else { return nil }
                liquidity = sum
            }
            tick = paysFirst ? next - 1 : next
        }
    }

    /// The next tick at which liquidity changes, or the end of the word of ticks.
    private func nextTick(_ isDown: Bool) -> (index: Int, isTick: Bool) {
        let compressed = Int((Double(tick) / Double(tickSpacing)).rounded(.down))
        if isDown {
            let end = ((compressed >> 8) << 8) * tickSpacing
            if let found = ticks.last(where: { $0.index <= compressed * tickSpacing && $0.index >= end }) {
                return (found.index, true)
            }
            return (end, false)
        }
        let first = compressed + 1
        let end = (((first >> 8) << 8) + 255) * tickSpacing
        if let found = ticks.first(where: { $0.index >= first * tickSpacing && $0.index <= end }) {
            return (found.index, true)
        }
        return (end, false)
    }

    /// Liquidity by range of root prices as they are, ascending: for costs in real numbers.
    var ranges: [(low: Double, high: Double, liquidity: Double)] {
        var liquidityNow = Double(liquidity)
        // Below the first tick that is below the price, and so on.
        for change in ticks.reversed() where change.index <= tick {
            liquidityNow -= Double(change.liquidityNet)
        }
        var found: [(low: Double, high: Double, liquidity: Double)] = []
        for (a, b) in zip(ticks, ticks.dropFirst()) {
            liquidityNow += Double(a.liquidityNet)
            guard let low = TickLadder.rootPrice(atTick: a.index),
                let high = TickLadder.rootPrice(atTick: b.index),
                liquidityNow > 0
            else { continue }
            found.append((low.double * 0x1p-96, high.double * 0x1p-96, liquidityNow))
        }
        return found
    }
}
