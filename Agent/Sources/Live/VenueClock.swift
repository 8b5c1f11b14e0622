/// The venue's clock as the process reckons it: from the last measurement on, evenly.
public struct VenueClock: Sendable {
    /// How many times faster than the wall's it goes.
    public let speed: Double
    /// Microseconds of the link's clock at the measurement, and of the venue's.
    private var measuredAt: Int?
    private var venueThen = 0
    /// Milliseconds that the last measurement was off from what was reckoned; of a clock as fast as the wall's, the venue's
    /// less the link's.
    public private(set) var offset: Double?

    public init(speed: Double) { self.speed = speed }

    public mutating func measured(offset microseconds: Int, at time: Int) {
        if speed == 1 {
            offset = Double(microseconds) / 1_000
        } else if measuredAt != nil {
            offset = Double(time + microseconds - venueTime(time)) / 1_000 / speed
        } else {
            offset = 0
        }
        (measuredAt, venueThen) = (time, time + microseconds)
    }

    private func venueTime(_ time: Int) -> Int {
        guard let measuredAt else { return time }
        return venueThen + Int((Double(time - measuredAt) * speed).rounded())
    }

    /// Milliseconds since 1970 by the venue's clock.
    public func milliseconds(at time: Int) -> Int { venueTime(time) / 1_000 }
}
