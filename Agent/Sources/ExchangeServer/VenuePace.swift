import VenueProtocol

/// An exchange's time under a clock that goes so many times as fast, a step of the market after the other. A market that takes
/// longer than it has, or a process that slept, leaves the exchange's time behind: requests are answered all the same.
public final class VenuePace {
    private let service: VenueService
    private let speed: Double
    /// Milliseconds of the exchange's time.
    private let step: Int
    private let clock: () -> Int
    private let market: (_ time: Int) -> Void
    private let began: Int
    private let begin: Int
    /// Milliseconds of the exchange's time that were given up so far.
    public private(set) var behind = 0
    /// Microseconds that the market may take of each `advance`, beyond the step with which it exceeds them.
    public var share = 50_000

    /// - Parameters:
    ///   - step: milliseconds of the exchange's time by which the market moves.
    ///   - clock: microseconds.
    ///   - market: goes on to a time of the exchange's.
    public init(
        _ service: VenueService, speed: Double, step: Int, clock: @escaping () -> Int,
        market: @escaping (_ time: Int) -> Void
    ) {
        (self.service, self.speed, self.step, self.clock, self.market) = (service, speed, step, clock, market)
        began = clock()
        begin = service.exchange.time
    }

    /// Lets the exchange's time go on to where the clock has it, or as far as there is time for.
    public func advance() {
        let entered = clock()
        let elapsed = Int(Double(entered - began) / 1_000 * speed)
        let target = begin + elapsed + service.skipped - behind
        while service.exchange.time + step <= target {
            service.advance(to: service.exchange.time + step, market)
            guard clock() - entered >= share else { continue }
            behind += (target - service.exchange.time) / step * step
            return
        }
    }
}
