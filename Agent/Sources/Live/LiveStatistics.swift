import Desk
import VenueClient

/// Durations in classes that double, as Prometheus' histograms count them.
public struct DurationHistogram: Sendable {
    /// Seconds, each the double of the one before, from 16 microseconds on.
    public static let bounds: [Double] = (0..<18).map { 16e-6 * Double(1 << $0) }

    /// Of each class alone; the last is beyond all bounds.
    public private(set) var counts: [Int] = .init(repeating: 0, count: bounds.count + 1)
    public private(set) var sum = 0.0
    public var count: Int { counts.reduce(0, +) }

    public init() {}

    public mutating func note(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        note(seconds: Double(seconds) + Double(attoseconds) * 1e-18)
    }

    public mutating func note(seconds: Double) {
        counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
        sum += seconds
    }
}

/// What a process counts besides the desk's own counters.
public struct LiveStatistics: Sendable {
    public var events = 0
    public var openings = 0
    public var bookGaps = 0
    public var unreadable = 0
    public var cancelsRefused = 0
    /// Times that a line was lost, the market's and the trading one.
    public var lostMarket = 0
    public var lostTrading = 0
    public var lastLoss = ""
    /// Microseconds of the last question for the venue's clock.
    public var roundTrip = 0
    /// Milliseconds since 1970 when positions were compared last.
    public var reconciledAt = 0
    /// Lists of positions that were compared.
    public var listings = 0
    /// Of the message's arrival in the process to the order's leaving it, the journal's write between them.
    public var tickToOrder = DurationHistogram()
    /// Reports by their kind, as `DeskReport.Kind` lists them.
    public private(set) var reports: [Int] = .init(repeating: 0, count: DeskReport.Kind.allCases.count)

    public init() {}

    mutating func count(_ report: DeskReport) {
        if let place = DeskReport.Kind.allCases.firstIndex(of: report.kind) { reports[place] += 1 }
    }

    mutating func lost(_ line: VenueLine, _ reason: String) {
        switch line {
        case .market: lostMarket += 1
        case .trading: lostTrading += 1
        }
        lastLoss = reason
    }
}
