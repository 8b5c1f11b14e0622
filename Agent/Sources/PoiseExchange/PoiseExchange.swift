import ArgumentParser
import Dispatch
import ExchangeServer
import Foundation
import HTTPService
import TestExchange
import TestMarket
import VenueProtocol

/// The test exchange as a process.
@main
struct PoiseExchange: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poise-exchange",
        abstract: "A venue to practise on: Deribit's protocol over WebSocket and HTTP, with a living market.")

    @Option(help: "A file of settings (TOML or JSON): accounts, market, limits, faults.")
    var config: String?

    @Option(help: "The market's seed: the same seed and the same orders give the same market.")
    var seed: UInt64?

    @Option(
        help: "How many times faster than the wall's clock the exchange's goes: 1440 is a day in a minute.")
    var speed: Double?

    @Option(help: "The port; 0 is any that is free.")
    var port: Int?

    @Option(help: "The address to listen at.")
    var host: String = "127.0.0.1"

    @Option(help: "A certificate chain and key in one PEM file: then the sockets are wss and https.")
    var tls: String?

    @Option(
        help: "The loopback port for faults and a page; 0 is any that is free.")
    var controlPort: Int?

    @Option(help: "A file to which all that happens is written, so that the run can be gone through again.")
    var record: String?

    @Option(
        help: "A file that --record wrote: goes through it again, with the same --config, and serves nobody.")
    var replay: String?

    @Option(help: "Stops by itself after so many seconds.")
    var seconds: Double?

    mutating func run() async throws {
        var settings = ExchangeSettings()
        if let config {
            do { settings = try ExchangeSettings(path: config) } catch {
                throw ValidationError("\(config): \(error)")
            }
        }
        settings.market.seed = seed ?? settings.market.seed
        settings.speed = speed ?? settings.speed
        guard settings.speed >= 0.01, settings.speed <= 100_000 else {
            throw ValidationError("--speed: from 0.01 to 100000")
        }
        if let seconds, !(0...31_536_000).contains(seconds) {
            throw ValidationError("--seconds: from 0 to 31536000, a year")
        }
        if let replay { return print(try settings.replay(path: replay)) }
        var address = ExchangeServer.Address()
        address.host = host
        address.port = port ?? settings.port
        address.certificate = tls
        address.key = tls
        let chosen = settings
        let record = record
        var control = ExchangeServer.Control(token: secretToken())
        control.port = controlPort ?? settings.controlPort
        let server = try await ExchangeServer.start(address, control: control) {
            try chosen.contents(recordingTo: record)
        }
        let (http, ws) = tls == nil ? ("http", "ws") : ("https", "wss")
        var lines = [
            "WebSocket  \(ws)://\(host):\(server.port)/ws/api/v2",
            "HTTP       \(http)://\(host):\(server.port)/api/v2/public/get_time",
        ]
        for account in chosen.accounts {
            lines.append(
                "account    \(account.name): client_id \(account.clientID), client_secret \(account.clientSecret)"
            )
        }
        if let port = server.controlPort {
            lines.append("control    http://127.0.0.1:\(port)/?token=\(control.token)")
        }
        lines.append("market     seed \(chosen.market.seed), speed \(chosen.speed); Ctrl-C ends it")
        // Written through, so that a program that started this one can read where it listens.
        FileHandle.standardOutput.write(Data((lines.joined(separator: "\n") + "\n").utf8))
        let signals = [SIGINT, SIGTERM].map { number -> any DispatchSourceSignal in
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number)
        }
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let once = Once(continuation)
            for source in signals {
                source.setEventHandler { once.resume() }
                source.resume()
            }
            if let seconds { DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { once.resume() } }
        }
        for source in signals { source.cancel() }
        try await server.stop()
    }
}

/// Resumes a continuation the first time it is asked to.
private final class Once: @unchecked Sendable {
    private let lock = NSLock()
    private var continuation: CheckedContinuation<Void, Never>?

    init(_ continuation: CheckedContinuation<Void, Never>) { self.continuation = continuation }

    func resume() {
        lock.lock()
        let waiting = continuation
        continuation = nil
        lock.unlock()
        waiting?.resume()
    }
}
