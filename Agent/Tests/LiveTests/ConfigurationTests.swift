import Desk
import Foundation
import Testing
import VenueClient
import VenueProtocol

@testable import Live

/// Files of settings, gone with the test.
private final class Files {
    let folder = NSTemporaryDirectory() + "poise-settings-\(UUID().uuidString)"

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func write(_ text: String, _ name: String = "desk.toml", mode: Int = 0o600) throws -> String {
        let path = folder + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }
}

struct ConfigurationTests {
    private static let whole = """
        name = "desk"

        [venue]
        url = "wss://test.deribit.com/ws/api/v2"
        currencies = ["BTC", "USDC"]
        indices = ["btc_usd"]
        interval = "agg2"
        heartbeat_seconds = 20
        clock_speed = 4
        review_seconds = 12.5
        credentials_file = "keys.toml"

        [journal]
        file = "desk.sqlite"
        snapshot_minutes = 2.5
        keep_snapshots = 7

        [control]
        enabled = false
        port = 8090

        [paper]
        deposits = { BTC = 3.5 }

        [[limits]]
        underlying = "BTC"
        greek = "delta"
        low = -1000
        high = 2000

        [[limits]]
        underlying = "BTC"
        greek = "vega"
        low = -10
        high = 20

        [guards]
        loss_usd = 500
        """

    @Test("Every key of venue, journal, control and paper is read, by its value")
    func everyKey() throws {
        let files = try Files()
        let read = try AgentConfiguration(path: files.write(Self.whole))
        #expect(read.address?.host == "test.deribit.com" && read.address?.port == 443)
        #expect(read.venue.currencies == ["BTC", "USDC"] && read.venue.indices == ["btc_usd"])
        #expect(read.venue.interval == .second && read.venue.heartbeatSeconds == 20)
        #expect(read.venue.clockSpeed == 4 && read.venue.reviewSeconds == 12.5)
        #expect(read.venue.credentialsFile == "keys.toml")
        #expect(read.journal.file == "desk.sqlite" && read.journal.snapshotMinutes == 2.5)
        #expect(read.journal.keepSnapshots == 7)
        #expect(!read.control.isEnabled && read.control.port == 8_090)
        #expect(read.paper?.deposits["BTC"] == 3.5)
        #expect(read.desk.name == "desk" && read.desk.limits.count == 2 && read.desk.guards.loss == 500)
        // Deadlines and ages are by the wall's clock, whatever the venue's does.
        #expect(read.deskByVenueClock.execution.orderLife == 4 * read.desk.execution.orderLife)
        #expect(read.deskByVenueClock.guards.tickerAge == 4 * read.desk.guards.tickerAge)
    }

    @Test(
        "What is wrong is named by file, line, key and value",
        arguments: [
            ("clock_speed = 4", "clock_speed = -4", 9, "venue.clock_speed", "-4"),
            ("heartbeat_seconds = 20", "heartbeat_seconds = 3", 8, "venue.heartbeat_seconds", "3"),
            ("url = \"wss://test", "url = \"ftp://test", 4, "venue.url", "ftp://test"),
            ("interval = \"agg2\"", "interval = \"fast\"", 7, "venue.interval", "fast"),
            ("port = 8090", "port = 80900", 20, "control.port", "80900"),
            ("loss_usd = 500", "loss_usd = -1", 38, "guards.loss_usd", "above 0"),
            ("loss_usd = 500", "los_usd = 500", 38, "guards.los_usd", "los_usd"),
            ("keep_snapshots = 7", "keep_snapshots = 0", 16, "journal.keep_snapshots", "0"),
            ("high = 20\n", "high = -20\n", 35, "limits[1].high", "below low"),
        ] as [(String, String, Int, String, String)])
    func errors(old: String, new: String, line: Int, key: String, value: String) throws {
        let files = try Files()
        let path = try files.write(Self.whole.replacingOccurrences(of: old, with: new))
        #expect(throws: SettingsError.self) { try AgentConfiguration(path: path) }
        do { _ = try AgentConfiguration(path: path) } catch {
            let text = "\(error)"
            #expect(text.hasPrefix("\(path):\(line): "), "\(text)")
            #expect(text.contains(key) && text.contains(value), "\(text)")
        }
    }

    @Test(
        "Keys come from the environment, or from a file that nobody else can read; a secret is in no message")
    func secrets() throws {
        let files = try Files()
        var configuration = AgentConfiguration()
        #expect(try configuration.credentials(environment: [:]) == nil)
        let both = ["POISE_CLIENT_ID": "a", "POISE_CLIENT_SECRET": "b"]
        #expect(try configuration.credentials(environment: both)?.secret == "b")
        configuration.venue.credentialsFile = try files.write(
            "client_id = \"me\"\nclient_secret = \"s3cret\"", "keys.toml")
        #expect(try configuration.credentials(environment: [:])?.clientID == "me")
        for mode in [0o644, 0o640, 0o604] {
            configuration.venue.credentialsFile = try files.write(
                "client_id = \"me\"\nclient_secret = \"s3cret\"", "open.toml", mode: mode)
            #expect(throws: SettingsError.self) { try configuration.credentials(environment: [:]) }
        }
        configuration.venue.credentialsFile = try files.write(
            "client_id = \"me\"\nclient_secret = 5393521", "odd.toml")
        do {
            _ = try configuration.credentials(environment: [:])
            Issue.record("a number is no secret")
        } catch { #expect(!"\(error)".contains("5393521"), "\(error)") }
    }

    @Test("A journal is one process's")
    func lock() throws {
        let files = try Files()
        let first = try JournalLock(journal: files.folder + "/desk.sqlite")
        #expect(throws: SettingsError.self) { try JournalLock(journal: files.folder + "/desk.sqlite") }
        withExtendedLifetime(first) {}
    }

    @Test("A word for a running process stays until it is written down")
    func commandFile() throws {
        let files = try Files()
        let journal = files.folder + "/desk.sqlite"
        #expect(CommandFile.take(journal: journal) == nil)
        let word = OperatorCommand(.cancel, by: "a person", reason: "enough")
        try CommandFile.write(word, journal: journal)
        #expect(CommandFile.take(journal: journal) == word)
        // The process died before it had written it down.
        #expect(CommandFile.take(journal: journal) == word)
        CommandFile.settled(journal: journal)
        #expect(CommandFile.take(journal: journal) == nil)
        try Data("rubbish".utf8).write(to: URL(fileURLWithPath: CommandFile.path(journal)))
        #expect(CommandFile.take(journal: journal)?.action == .pause)
    }

    @Test(
        "A clock that goes faster is reckoned from the last measurement on, and what that was off by is told")
    func clock() {
        var even = VenueClock(speed: 1)
        even.measured(offset: 250_000, at: 1_000_000)
        #expect(even.milliseconds(at: 3_000_000) == 3_250 && even.offset == 250)
        var fast = VenueClock(speed: 10)
        fast.measured(offset: 5_000_000, at: 1_000_000)
        #expect(fast.milliseconds(at: 2_000_000) == 16_000 && fast.offset == 0)
        fast.measured(offset: 14_100_000, at: 2_000_000)
        #expect(fast.offset == 10 && fast.milliseconds(at: 2_000_000) == 16_100)
    }

    @Test("Durations are counted in classes that double")
    func histogram() {
        var histogram = DurationHistogram()
        #expect(histogram.quantile(0.5) == 0)
        for _ in 0..<98 { histogram.note(seconds: 20e-6) }
        histogram.note(seconds: 1)
        histogram.note(.seconds(100))
        #expect(histogram.count == 100 && histogram.quantile(0.5) == 32e-6)
        #expect(histogram.quantile(0.99) >= 1 && histogram.quantile(0.99) < 2.1)
        #expect(abs(histogram.sum - 101.00196) < 1e-9)
    }
}
