import CPoise
import Poise

/// Behind `poise_margin_auction`.
final class MarginAuctionHandle: Sendable {
    let count: Int
    /// By `poise_margin_bid`.
    let amounts: [[Double]]

    init(_ one: MarginCases.Case) throws(Failure) {
        guard case .auction(let auction, let bids) = one.problem else {
            throw .argument("index", "\(one.name) is no auction")
        }
        let steps: [LiquidationAuction.Step]
        do throws(MarginError) { steps = try auction.steps(bids) } catch { throw Failure(one.refusal(error)) }
        count = steps.count
        amounts = [
            steps.map(\.bufferBalance), steps.map(\.largestShare), steps.map(\.share),
            steps.map { $0.bid ?? .nan }, steps.map { $0.payout ?? .nan }, steps.map(\.markToMarketAfter),
            steps.map(\.maintenanceBalanceAfter),
        ]
    }
}

@c @implementation
public func poise_margin_auction_of_case(
    _ cases: OpaquePointer?, _ index: Int, _ auction: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(auction, "auction") { () throws(Failure) in
        try MarginAuctionHandle(try object(cases, as: MarginCasesHandle.self, "cases").one(index))
    }
}

@c @implementation
public func poise_margin_auction_free(_ auction: OpaquePointer?) {
    release(auction, as: MarginAuctionHandle.self)
}

@c @implementation
public func poise_margin_auction_count(_ auction: OpaquePointer?) -> Int {
    object(auction, as: MarginAuctionHandle.self)?.count ?? 0
}

@c @implementation
public func poise_margin_auction_amounts(
    _ auction: OpaquePointer?, _ figure: poise_margin_bid, _ column: poise_column
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(auction, as: MarginAuctionHandle.self, "auction")
        try copy(handle.amounts, Int(figure.rawValue), into: column)
    }
}
