import Checks

/// Derive's auction of an account below maintenance, step by step.
///
/// Solvent: bidders buy a share of the account at a share d of its worth, which falls with time; the largest share on
/// sale f = B/(B − MtM d − R(1 − d)) brings the buffered balance B = MM + buffer·(MM − MtM) back to 0, R being cash from
/// earlier bids. Insolvent: bidders are paid to take it.
/// - Source: derivexyz/v2-core, `DutchAuction.sol`.
public struct LiquidationAuction: Sendable, Equatable {
    public var buffer: Double
    /// d at the start and at the end of the fast fall; then to 0.
    public var startShare, fastShare: Double
    public var fastSeconds, slowSeconds, insolventSeconds: Double
    public var start = 0.0
    /// What an insolvent account may cost at most, below 0.
    public var lowerBound: Double?

    public init(
        buffer: Double, startShare: Double, fastShare: Double, fastSeconds: Double, slowSeconds: Double,
        insolventSeconds: Double
    ) {
        self.buffer = buffer
        (self.startShare, self.fastShare) = (startShare, fastShare)
        (self.fastSeconds, self.slowSeconds) = (fastSeconds, slowSeconds)
        self.insolventSeconds = insolventSeconds
    }

    /// What a bidder wants, and the account before it.
    public struct Bid: Sendable, Equatable {
        public var time: Double
        public var markToMarket, maintenanceBalance: Double
        /// The share wanted: of the account as it is; of the original one if it is insolvent.
        public var want: Double

        public init(time: Double, markToMarket: Double, maintenanceBalance: Double, want: Double) {
            self.time = time
            self.markToMarket = markToMarket
            self.maintenanceBalance = maintenanceBalance
            self.want = want
        }
    }

    public struct Step: Sendable, Equatable {
        public var bufferBalance: Double
        /// 0 where the account is insolvent.
        public var largestShare: Double
        /// Of the account as it was.
        public var share: Double
        /// What the bidder pays, or is paid.
        public var bid, payout: Double?
        public var markToMarketAfter, maintenanceBalanceAfter: Double
    }

    /// The share of its worth at which a solvent account is sold.
    public func priceShare(at time: Double) -> Double {
        let passed = time - start
        if passed < fastSeconds { return startShare + (fastShare - startShare) * passed / fastSeconds }
        return fastShare * max(0, 1 - (passed - fastSeconds) / slowSeconds)
    }

    /// The outcome of bids, one after another.
    /// - Throws: an insolvent account without a lower bound; a number that is not accepted.
    public func steps(_ bids: [Bid]) throws(MarginError) -> [Step] {
        var steps: [Step] = []
        var reserved = 0.0
        var left = 1.0
        for (number, bid) in bids.enumerated() {
            let name = "step \(number)"
            try MarginError.require(.share, bid.want, "want", of: name)
            try MarginError.require(.atLeast(start), bid.time, "time", of: name)
            let (worth, margin) = (bid.markToMarket, bid.maintenanceBalance)
            let buffered = margin + buffer * (margin - worth)
            if worth > 0 {
                let price = priceShare(at: bid.time)
                let denominator = buffered - worth * price - reserved * (1 - price)
                let largest = buffered < 0 ? min(1, buffered / denominator) : 0
                let share = min(bid.want, largest)
                let paid = (worth - reserved) * price * share
                steps.append(
                    Step(
                        bufferBalance: buffered, largestShare: largest, share: share, bid: paid, payout: nil,
                        markToMarketAfter: (worth - reserved) * (1 - share) + reserved + paid,
                        maintenanceBalanceAfter: (margin - reserved) * (1 - share) + reserved + paid))
                reserved += paid
                left *= 1 - share
            } else {
                guard let lowerBound else {
                    throw .missing("lower_bound", of: name, for: "an insolvent auction")
                }
                let share = left > 0 ? min(1, bid.want / left) : 0
                let passed = min(1, (bid.time - start) / insolventSeconds)
                steps.append(
                    Step(
                        bufferBalance: buffered, largestShare: 0, share: share, bid: nil,
                        payout: -lowerBound * bid.want * passed, markToMarketAfter: worth * (1 - share),
                        maintenanceBalanceAfter: margin * (1 - share)))
                left -= bid.want
            }
        }
        return steps
    }
}
