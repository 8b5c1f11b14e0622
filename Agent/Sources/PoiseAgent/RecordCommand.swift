import ArgumentParser
import Dispatch
import Foundation
import Recorder
import VenueClient
import VenueProtocol

struct RecordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Keeps a venue's whole chains and its messages in files that --chain and --history read.")

    @Option(help: "The venue: wss://www.deribit.com/ws/api/v2, or ws://127.0.0.1:8080/ws/api/v2.")
    var url: String

    @Option(help: "The folder to write to.")
    var folder: String

    @Option(help: "Currencies that contracts are settled in, separated by commas.")
    var currencies = "BTC,ETH"

    @Option(help: "Indices, separated by commas.")
    var indices = "btc_usd,eth_usd"

    @Option(help: "Seconds between chains.")
    var every = 60

    @OptionGroup var ending: EndingOption

    @Flag(help: "Keep chains alone, not every message.")
    var chainsOnly = false

    func run() async throws {
        guard every >= 1, every <= 86_400 else { throw ValidationError("--every: from 1 to 86400 seconds") }
        guard let address = VenueSocket.Address(url: url) else {
            throw ValidationError("--url: ws:// or wss://, with a host: \(url)")
        }
        func list(_ text: String) -> [String] {
            text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        }
        var link = VenueLinkConfiguration(address: address)
        link.currencies = list(currencies)
        link.indices = list(indices)
        link.followsBook = { $0.kind == .future || $0.kind == .option }
        link.followsTicker = link.followsBook
        link.followsTrades = link.followsBook
        link.chainInterval = nil
        var settings = Recorder.Configuration(folder: folder)
        settings.chainSeconds = every
        settings.keepsMessages = !chainsOnly
        let recorder = try Recorder(settings, interval: link.interval)
        let connection = try await VenueLink.connect(link)
        let sources = [SIGINT, SIGTERM].map { number -> any DispatchSourceSignal in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { Task { try await connection.stop() } }
            source.resume()
            return source
        }
        if let seconds = ending.seconds {
            Task {
                try await Task.sleep(for: .seconds(seconds))
                try await connection.stop()
            }
        }
        for await event in connection.events {
            switch event.content {
            case .ready(.market): say("ready: \(link.currencies.joined(separator: ", "))")
            case .lost(_, let reason): say("lost: \(reason)")
            case .bookInvalid(let instrument, let reason): say("\(instrument): \(reason)")
            case .overflow(let dropped): say("\(dropped) messages were dropped: the disk is too slow")
            default: break
            }
            do { try recorder.take(event) } catch { say("\(error)") }
        }
        for source in sources { source.cancel() }
        try recorder.finish()
        print("\(recorder.chains) chains, \(recorder.messages) messages in \(folder)")
    }

    private func say(_ text: String) {
        FileHandle.standardError.write(Data("\(text)\n".utf8))
    }
}
