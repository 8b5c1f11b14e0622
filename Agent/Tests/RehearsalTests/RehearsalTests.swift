import Desk
import Foundation
import Journal
import Rehearsal
import TestExchange
import Testing
import VenueProtocol

/// A place for a journal that is gone with the test.
final class Folder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "poise-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
    var journal: String { path + "/journal.sqlite" }
}

struct RehearsalTests {
    /// A market that makes the delta of short options leave its band often.
    static func settings(seed: UInt64 = 1, faults: LineFaults = LineFaults()) -> Rehearsal.Settings {
        var settings = Rehearsal.Settings()
        (settings.seed, settings.faults) = (seed, faults)
        (settings.step, settings.volatility, settings.takersPerMinute) = (2_000, 1.2, 20)
        settings.strikesPerSide = 2
        return settings
    }

    static var configuration: DeskConfiguration {
        var configuration = DeskConfiguration.demonstration
        configuration.limits[0] = LimitSetting("BTC", "delta", low: -20_000, high: 20_000, landing: 0.3)
        return configuration
    }

    @Test("Exposures leave their bands, fills bring them back, and the books are the exchange's to the unit")
    func hedging() throws {
        let rehearsal = try Rehearsal(Self.configuration, Self.settings())
        try rehearsal.begin()
        var (left, returned, wasOutside) = (0, 0, false)
        try rehearsal.run(to: rehearsal.settings.start + 3_600_000) { rehearsal in
            let delta = rehearsal.desk.exposures()[0]
            let isOutside = delta.value < delta.low || delta.value > delta.high
            if isOutside, !wasOutside { left += 1 }
            if !isOutside, wasOutside { returned += 1 }
            wasOutside = isOutside
            #expect(rehearsal.differences.isEmpty || !rehearsal.desk.orders.isEmpty)
        }
        let counters = rehearsal.desk.counters
        #expect(left >= 3 && returned >= left - 1, "\(left) \(returned)")
        #expect(counters.fills >= 5 && counters.mismatches == 0 && counters.refused == 0)
        #expect(rehearsal.differences.isEmpty, "\(rehearsal.differences)")
        // The exchange's own Greeks say the same delta, to what its rounding of five digits leaves.
        var delta = 0.0
        for (number, size) in rehearsal.exchange.positions(of: rehearsal.account) {
            let ticker = rehearsal.exchange.ticker(number)
            let amount = Scales.amount(size)
            delta += ticker.greeks.map { $0.delta * amount * (ticker.underlyingPrice ?? 0) } ?? amount
        }
        let own = rehearsal.desk.exposures()[0].value
        #expect(abs(own - delta) < 100, "\(own) \(delta)")
        try rehearsal.end()
        #expect(rehearsal.exchange.openOrders(of: rehearsal.account).isEmpty)
    }

    @Test("The same seed gives the same day: the same orders, fills and state")
    func determinism() throws {
        func day() throws -> (UInt64, [String], Int) {
            let rehearsal = try Rehearsal(Self.configuration, Self.settings(seed: 5, faults: .all(0.05)))
            try rehearsal.begin()
            try rehearsal.run(to: rehearsal.settings.start + 1_800_000)
            return (rehearsal.desk.stateHash, rehearsal.sentLabels, rehearsal.desk.counters.fills)
        }
        let (first, second) = (try day(), try day())
        #expect(first.0 == second.0 && first.1 == second.1 && first.2 == second.2 && first.2 > 0)
    }

    @Test(
        "A day with settlement, expiries and listings: what is delivered is gone, what is listed can be traded"
    )
    func settlement() throws {
        var settings = Self.settings(seed: 3)
        // 07:00 UTC.
        settings.start = 1_780_315_200_000 - 5 * 3_600_000
        (settings.step, settings.volatility) = (5_000, 0.8)
        let rehearsal = try Rehearsal(Self.configuration, settings)
        try rehearsal.begin()
        let before = Set(rehearsal.desk.holdings.map(\.instrumentName))
        try rehearsal.run(to: settings.start + 2 * 3_600_000)
        let after = Set(rehearsal.desk.holdings.map(\.instrumentName))
        #expect(!before.subtracting(after).isEmpty)
        #expect(rehearsal.reports.contains { $0.kind == .delivered })
        #expect(rehearsal.differences.isEmpty && rehearsal.desk.counters.mismatches == 0)
        #expect(rehearsal.desk.isReady, "\(rehearsal.desk.notReady ?? "")")
    }

    @Test(
        "Whatever the line does, no order is sent twice, no fill is lost or counted twice, and the books end as the exchange's",
        arguments: 1...12 as ClosedRange<UInt64>)
    func faults(seed: UInt64) throws {
        var chances = LineFaults.all(0.1)
        if seed % 4 == 0 { chances = .all(0.3) }
        let rehearsal = try Rehearsal(Self.configuration, Self.settings(seed: seed, faults: chances))
        try rehearsal.begin()
        for part in 1...3 {
            try rehearsal.run(to: rehearsal.settings.start + part * 300_000)
            guard part < 3 else { break }
            try rehearsal.disconnect()
            try rehearsal.run(to: rehearsal.exchange.time + 20_000)
            try rehearsal.connect()
        }
        // What is on its way comes, and two reviews of the whole follow.
        try rehearsal.command(OperatorCommand(.cancel, by: "test"))
        try rehearsal.run(to: rehearsal.exchange.time + 90_000)
        #expect(Set(rehearsal.sentLabels).count == rehearsal.sentLabels.count)
        #expect(rehearsal.differences.isEmpty, "\(rehearsal.differences)")
        #expect(rehearsal.desk.mismatches.isEmpty && rehearsal.desk.orders.isEmpty)
        let trades = rehearsal.exchange.trades(of: rehearsal.account).count {
            let side = $0.taker.account == rehearsal.account ? $0.taker : $0.maker
            return side.label.hasPrefix("demo-")
        }
        #expect(rehearsal.desk.counters.fills == trades && trades > 0)
    }

    @Test("An outage is survived: cancelled orders are known to be, and hedging goes on")
    func outage() throws {
        var configuration = Self.configuration
        (configuration.execution.futures, configuration.execution.crossAfter) = (.join, 30_000)
        let rehearsal = try Rehearsal(configuration, Self.settings(seed: 9))
        try rehearsal.begin()
        try rehearsal.run(to: rehearsal.settings.start + 3_600_000) { rehearsal in
            guard rehearsal.desk.orders.contains(where: { $0.phase == .open }) else { return }
            if rehearsal.exchange.time % 7 == 0 || rehearsal.boundaries % 97 == 0 {
                try rehearsal.disconnect()
                for _ in 0..<3 { try rehearsal.step() }
                try rehearsal.connect()
            }
        }
        #expect(rehearsal.differences.isEmpty && rehearsal.desk.counters.fills > 0)
        #expect(rehearsal.exchange.openOrders(of: rehearsal.account).count <= rehearsal.desk.orders.count)
    }

    @Test("A dry run decides and sends nothing")
    func dryRun() throws {
        let rehearsal = try Rehearsal(Self.configuration, Self.settings())
        rehearsal.isDry = true
        try rehearsal.begin()
        try rehearsal.run(to: rehearsal.settings.start + 1_800_000)
        #expect(rehearsal.sentLabels.isEmpty && rehearsal.desk.counters.plans > 0)
        #expect(rehearsal.desk.counters.fills == 0 && rehearsal.differences.isEmpty)
    }
}
